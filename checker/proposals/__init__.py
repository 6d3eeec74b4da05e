"""Pieces of a raw folder -> a proposed manifest. Door: `propose`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from checker.base import values
from checker.base.dictionary import ROOT, Dictionary
from checker.base.piece import Piece
from checker.model import Fault, Row
from checker.proposals import keep, labels, yamltext
from checker.proposals.keep import said
from checker.proposals.settle import NONE, UNREAD, settle, where
from checker.proposals.sources import ACTS, Sources, gather, stage
from checker.proposals.support import SUPPORTING, Link, links
from checker.proposals.yamltext import Group, Leaf, Listing, Node, quoted, word

__all__ = ["Piece", "Proposal", "propose", "said"]
_KEYS = {"depenses": "ligne", "pieces": "fichier", "avoirs": "numero", "paiements": "mandat"}
_HEAD = """\
# Proposé par `quitus prepare` d'après les pièces : le commentaire de chaque valeur dit où elle est lue.
# À relire par une personne : ce qui est écrit ici est gardé tel quel, seul ce qui est nul est complété une autre fois.
# Nul : personne ne le dit (« non lu »), ou c'est illisible ou ambigu, et le commentaire dit pourquoi.
"""
_ROOT = {
    "": "# Les chemins sont relatifs à ce fichier.\n",
    "zip": "# Les chemins sont relatifs à la racine de l'archive.\n",
    "folder": "# Les chemins sont relatifs au répertoire des pièces.\n",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """The text of the manifest; what was left unreadable or ambiguous (path, why); values that a person wrote
    otherwise than the pieces say (path, sentence); how many values were read, of how many files."""

    text: str
    left: tuple[tuple[str, str], ...]
    kept: tuple[tuple[str, str], ...]
    read: int
    files: int


def propose(
    pieces: Sequence[Piece],
    dictionary: Dictionary,
    convention: str,
    reference: str,
    root: str = "",
    earlier: str | None = None,
    unnamed: Sequence[tuple[str, str]] = (),
) -> Proposal:
    """A manifest in the form of the contract. `reference`: the name of the folder or archive, the only value not read.

    `root`: what the paths are relative to (a key of `_ROOT`). `earlier`: the text of the manifest already there:
    what it says is kept, what is null or absent in it is filled (yamlfile.YamlError when it is no YAML).
    `unnamed`: files that cannot be pieces, and why.
    """
    sheet, doubt = _sheet(pieces)
    rows = sheet.lines if sheet is not None else ()
    found = links(pieces, rows)
    sources = gather(pieces, found, rows, sheet.totals if sheet is not None else ())
    for piece in pieces:
        for path, value in labels.read(piece, dictionary):
            sources.add(path, value)
    tree = _tree(sources, pieces, dictionary, doubt)
    items = dict(tree.items)
    reached, act = stage(pieces)
    items["convention"] = Leaf(word(convention), "les règles de la convention", kind="word", raw=convention)
    items["reference"] = Leaf(quoted(reference), "nom du répertoire ou de l'archive", raw="")
    why = f"dernier acte présent : {act.path}" if act else "aucun acte reconnu : la première étape"
    items["etape"] = Leaf(reached, why, kind="word", raw=reached)
    items["pieces"] = _pieces(pieces, found, rows)
    proposed = Group(items)
    faults = [*unnamed]
    faults += [(piece.path, f"illisible : {piece.fault}") for piece in pieces if piece.fault]
    faults += [(fault.place.file, _fault(fault)) for piece in pieces if piece is sheet for fault in piece.faults]
    if earlier is None:
        text = yamltext.document(proposed, _HEAD + _ROOT[root])
        left = [(path, leaf.left) for path, leaf in yamltext.leaves(proposed) if leaf.left]
        kept: list[tuple[str, str]] = []
    else:
        text, left, kept = keep.merge(earlier, proposed)
    read = sum(leaf.text is not None for _, leaf in yamltext.leaves(proposed))
    return Proposal(text, tuple(dict.fromkeys([*faults, *left])), tuple(kept), read, len(pieces))


def _fault(fault: Fault) -> str:
    return f"{fault.what} ({where(fault.place)})" + (f" : {fault.excerpt}" if fault.excerpt else "")


def _sheet(pieces: Sequence[Piece]) -> tuple[Piece | None, str]:
    """The piece whose sheet holds the lines; else why there is none."""
    holding = [piece for piece in pieces if piece.lines]
    if not holding:
        lost = [f"{piece.path} : {_fault(piece.faults[0])}" for piece in pieces if piece.faults]
        lost += [f"{piece.path} : {piece.fault}" for piece in pieces if piece.fault and _is_sheet(piece.path)]
        return None, "non trouvé : " + (" ; ".join(lost) or "aucun tableur ne porte de lignes de dépense")
    if len({_content(piece.lines) for piece in holding}) > 1:
        return None, f"ambigu : {' et '.join(piece.path for piece in holding)} portent des lignes différentes"
    return holding[0], ""


def _is_sheet(path: str) -> bool:
    return path.rpartition(".")[2].lower() in ("xlsx", "xlsm", "xls", "ods", "csv", "tsv")


def _content(rows: Sequence[Row]) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple(
        tuple(sorted((name, " ".join((value.raw or "").split())) for name, value in row.items() if value.raw))
        for row in rows
    )


def _tree(sources: Sources, pieces: Sequence[Piece], dictionary: Dictionary, doubt: str) -> Group:
    natures = {piece.nature for piece in pieces}
    unknown = [piece.path for piece in pieces if piece.nature is None]
    items: dict[str, Node] = {}
    properties: Mapping[str, Any] = dictionary.schema["properties"]
    for key, node in properties.items():
        if node.get("x-computed"):
            continue
        if key in ACTS and key not in natures and (not unknown or node.get("x-absence") == "aucun"):
            said = NONE if node.get("x-absence") == "aucun" else "non lu : aucune pièce de cette nature"
            items[key] = Leaf(None, said)
            continue
        child = _node(key, node, ROOT, key, sources, dictionary, whole=key in ACTS or not node.get("x-absence"))
        if key in ACTS and key not in natures and isinstance(child, Group):
            child = Group(child.items, f"non lu : peut-être dans {', '.join(unknown)}, non reconnu")
        items[key] = child
    if doubt:
        items["depenses"] = Leaf(None, doubt, doubt)
    return Group(items)


def _node(
    key: str, node: Mapping[str, Any], table: str, path: str, sources: Sources, dictionary: Dictionary, whole: bool
) -> Node:
    """One key. `whole`: an object is written out even when nothing is known of it."""
    full = path if table == ROOT else f"{table}.{path}"
    if node.get("type") == "array":
        return _list(key, node, full, sources, dictionary)
    if "x-key" in node:
        return _map(full, path, sources, dictionary)
    if node.get("type") == "object":
        if not whole and not any(name.startswith(path + ".") for name in (*sources.found, *sources.missing)):
            return Leaf(None, _unread(node))
        return Group(
            {
                name: _node(name, child, table, f"{path}.{name}", sources, dictionary, whole)
                for name, child in node["properties"].items()
                if not child.get("x-computed")
            }
        )
    field = dictionary.tables[table].fields[path]
    return settle(field, sources.found.get(path, []), sources.missing.get(path, ""), strict=table == ROOT)


def _unread(node: Mapping[str, Any]) -> str:
    return NONE if node.get("x-absence") == "aucun" else UNREAD


def _list(key: str, node: Mapping[str, Any], full: str, sources: Sources, dictionary: Dictionary) -> Node:
    rows = sources.lists.get(key, [])
    if full not in dictionary.tables or full != key or not rows:
        return Leaf(None, _unread(node))
    properties: Mapping[str, Any] = node["items"]["properties"]
    made = [
        Group(
            {
                name: _node(name, child, full, name, row, dictionary, whole=False)
                for name, child in properties.items()
                if not child.get("x-computed")
            }
        )
        for row in rows
    ]
    return Listing(made, _KEYS[key], grows=key != "depenses")


def _map(full: str, path: str, sources: Sources, dictionary: Dictionary) -> Node:
    said = sources.maps.get(full, [])
    field = dictionary.tables[full].fields["valeur"]
    names = [name for name, _ in said]
    if not said or len(set(names)) < len(names):
        why = "" if not said else f"ambigu : deux sous-totaux d'un même compte ({where(said[0][1].place)})"
        del path
        return Leaf(None, why or UNREAD, why)
    return Group({name: settle(field, [value]) for name, value in said})


def _pieces(pieces: Sequence[Piece], found: Mapping[str, Link], rows: Sequence[Row]) -> Node:
    if not pieces:
        return Leaf(None, UNREAD)
    numbers = [_number(row) for row in rows]
    twice = {number for number, times in Counter(numbers).items() if times > 1 or number is None}
    return Listing([_piece(piece, found.get(piece.path), numbers, twice) for piece in pieces], "fichier")


def _piece(piece: Piece, link: Link | None, numbers: Sequence[int | None], twice: AbstractSet[int | None]) -> Group:
    reason = piece.reason + (f" ({piece.confidence})" if piece.confidence else "")
    if piece.nature is None:
        why = f"non reconnu : {reason or piece.fault or 'rien ne dit ce que c’est'}"
        nature = Leaf(None, why, f"{piece.path} : {why}", "word")
    else:
        nature = Leaf(word(piece.nature), reason, kind="word", raw=piece.nature)
    items: dict[str, Node] = {"nature": nature}
    if piece.nature in SUPPORTING and link is not None:
        items["lignes"] = _lines(piece, link, numbers, twice)
    said = f"illisible : {piece.fault}" if piece.fault else "numérisée : page sans texte" if piece.mute else ""
    items["fichier"] = Leaf(quoted(piece.path), said, kind="file", raw=piece.path)
    return Group(items)


def _lines(piece: Piece, link: Link, numbers: Sequence[int | None], twice: AbstractSet[int | None]) -> Leaf:
    if not link.lines:
        return Leaf(None, link.left, f"{piece.path} : {link.left}")
    chosen = [numbers[at] for at in link.lines]
    if not twice.isdisjoint(chosen):
        why = "ambigu : le numéro de sa ligne n'est pas lu, ou est celui de plusieurs lignes"
        return Leaf(None, f"{why} ; {link.reason}", f"{piece.path} : {why}")
    text = f"[{', '.join(str(number) for number in chosen)}]"
    return Leaf(text, link.reason, kind="lignes", raw=text)


def _number(row: Row) -> int | None:
    value = row.get("ligne")
    try:
        return values.number(value.raw or "") if value is not None and value.fault is None else None
    except values.Refused:
        return None
