"""Dossier -> facts. Door: `read`."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from checker.base import clock, plugs, values, yamlfile
from checker.base.certificates import NO_ROOTS, Roots
from checker.base.dictionary import ROOT, Dictionary, Table
from checker.base.unreadable import Unreadable
from checker.errors import Problem
from checker.facts import given, manifest, sheets
from checker.facts import rows as lines
from checker.facts.asked import Asked
from checker.facts.gather import gather
from checker.facts.kept import Kept
from checker.model import STAGES, Dossier, Fault, FileDigest, Limits, Place, Row, Rows, State, Submitted, Value
from checker.model.frozen import frozen

__all__ = [
    "Asked", "Kept", "Opened", "close", "example", "gather", "given", "open_manifest", "read", "trusted"
]  # fmt: skip

FEW = 16  # manifests that libyaml reads first
_manifests = [0]  # how many this process has parsed

Inspect = Callable[[Path, str], tuple[Row, FileDigest | None]]


@frozen
class Opened:
    """A manifest parsed once: its tree and text, or why it is no YAML. `convention`: as written, if it is."""

    dossier: Dossier
    node: yamlfile.Node | None
    text: str
    faults: tuple[Fault, ...]
    convention: str | None


def open_manifest(dossier: Dossier) -> Opened:
    """Parse the manifest of a dossier; faults instead of exceptions."""
    if dossier.faults:
        return Opened(dossier, None, "", dossier.faults, None)
    try:
        with clock.of("yaml"):
            text = yamlfile.read_text(dossier.written or dossier.folder / dossier.manifest, dossier.manifest)
            node = _tree(text, dossier.manifest)
    except yamlfile.YamlError as error:
        return Opened(dossier, None, "", tuple(_fault(item) for item in error.problems), None)
    sheets.warm(node)
    named = node.data.get("convention") if isinstance(node.data, dict) else None
    word = named.data.strip() if named is not None and isinstance(named.data, str) else None
    return Opened(dossier, node, text, (), word)


def _tree(text: str, shown: str) -> yamlfile.Node:
    """The tree of a manifest. The reader of plain ones has a cost of its own, and pays when many are alike."""
    _manifests[0] += 1
    if _manifests[0] > FEW:
        from checker.base import plainyaml

        node = plainyaml.read(text)
        if node is not None:
            return node
    return yamlfile.compose(text, shown)


def read(
    opened: Opened,
    dictionary: Dictionary,
    conventions: tuple[str, ...],
    on: dt.date | None,
    today: dt.date,
    stage: str | None = None,
    asked: Asked = Asked(),  # noqa: B008  frozen
    names: set[str] | None = None,
) -> Submitted:
    """The facts of a dossier; whatever is wrong with it is a fault of its rows, never an exception.

    `on` wins over `date_controle`, which wins over `today`; `conventions`: the packs that a dossier may name;
    `stage` wins over `etape`; `asked`: how pieces are read, in a child that `close` ends; `names` receives the files
    that were read, or looked for, beside the manifest.
    """
    from checker.facts import pieces, told

    limits = asked.limits
    dossier, node, text = opened.dossier, opened.node, opened.text
    if node is None:
        return Submitted(dossier, _unreadable(dictionary, opened.faults))
    digests: dict[str, FileDigest] = {}
    found = from_node(node, text, dossier.manifest, dictionary, conventions)
    if stage is not None and "etape" in found.tables[ROOT][0]:
        found.tables[ROOT][0]["etape"] = found.tables[ROOT][0]["etape"]._replace(raw=stage)
    once = functools.partial(pieces.inspect, limit=limits.piece_megabytes * 2**20, look=pieces.looking(limits))
    inspect = functools.cache(once)  # a file that several pieces name is read once
    _sheets(found, dossier.folder, limits)
    _pieces(found, dossier.folder, inspect, digests)
    control = _control_date(found, on, today)
    told.fill(found, dossier.folder, asked, control)
    _attestations(found, dossier.folder, control, inspect, digests)
    if names is not None:
        names.update(_named(found))
    own = inspect(dossier.written.parent if dossier.written else dossier.folder, dossier.manifest)[1]
    files = tuple(sorted([*digests.values(), *([own] if own else [])]))
    return Submitted(dossier, _rows(found), files)


def trusted(folders: Sequence[Path]) -> Roots:
    """What these folders of certificates make trusted, together."""
    if not folders:
        return NO_ROOTS
    from checker.facts import trust

    loaded = [trust.load(folder) for folder in folders]
    return Roots(
        certificates=tuple(item for found in loaded for item in found.certificates),
        crls=tuple(item for found in loaded for item in found.crls),
        faults=tuple(item for found in loaded for item in found.faults),
    )


def close() -> None:
    """End the child in which pieces are opened: a run has read all its dossiers."""
    from checker.facts import apart

    apart.close()


_SOUND = {
    "existe": "true",
    "taille": "1000",
    "lisible": "true",
    "chiffre": "false",
    "type": "pdf",
    "type_fidele": "true",
    "pages": "1",
    "texte": "true",
    "actif": "false",
}


def example(
    reference: yamlfile.Node,
    data: Any,
    dictionary: Dictionary,
    conventions: tuple[str, ...],
    on: dt.date | None,
    run: int,
) -> Submitted:
    """The facts of a rule example: pieces are taken to exist and to open unless `pieces.lu` says otherwise."""
    shown = "dossier.yaml"
    node = given.lay(reference, data)
    found = from_node(node, "", shown, dictionary, conventions, computed=True)
    dossier = Dossier(Path(), f"exemple-{run}")
    for row in found.tables.get("pieces", []):
        place = row["fichier"].place if "fichier" in row else Place(shown)
        for name, word in _SOUND.items():
            row.setdefault(f"lu.{name}", Value(word, place))
        if "lu.sha256" not in row and row.get("sha256"):
            row["lu.sha256"] = row["sha256"]
    _control_date(found, on, _own_date(reference))
    for row in found.tables.get("attestations", []):
        row.setdefault("lu.valide", Value("true", Place(shown)))
    return Submitted(dossier, _rows(found), run=run)


def _own_date(reference: yamlfile.Node) -> dt.date:
    """The control date of the reference dossier: the clock of the examples that have none."""
    found = reference.data.get("date_controle") if isinstance(reference.data, dict) else None
    return values.date(found.data) if found is not None and found.data else dt.date.today()


def from_node(
    node: yamlfile.Node,
    text: str,
    shown: str,
    dictionary: Dictionary,
    conventions: tuple[str, ...],
    computed: bool = False,
) -> manifest.Builder:
    """A walked manifest, its three required keys checked."""
    found = manifest.Builder(dictionary, shown, text, computed)
    found.root(node)
    row = found.tables[ROOT][0]
    for key in ("convention", "reference", "etape"):
        value = row.get(key)
        if value is None or not (value.raw or "").strip():
            place = value.place if value else Place(shown, 1, 1)
            found.faults.append(
                Fault(f"la clé « {key} » manque ou est vide", place, todo=f"Écrire `{key}:` et sa valeur.")
            )
    for key, known in (("etape", STAGES), ("convention", conventions)):
        value = row.get(key)
        word = (value.raw or "").strip() if value else ""
        if value and word and word not in known:
            close = plugs.nearest(word, list(known))
            todo = f"Écrire « {close} » ?" if close else "Connues : " + ", ".join(known)
            kind = "étape inconnue" if key == "etape" else "convention inconnue"
            found.faults.append(
                Fault(f"{kind} : « {word} »", value.place, yamlfile.excerpt(text, value.place.line), todo)
            )
    for table, names in manifest.walks(dictionary).files.items():
        for item in found.tables[table]:
            for name in names:
                cell = item.get(name)
                if cell is not None and cell.raw and manifest.outside(cell.raw):
                    found.faults.append(
                        Fault(
                            f"pièce hors du répertoire : « {cell.raw} »", cell.place, todo="La placer dans le dossier."
                        )
                    )
    return found


def _rows(found: manifest.Builder) -> Rows:
    return Rows(found.tables, found.parents, found.states, found.places, tuple(found.faults))


def _unreadable(dictionary: Dictionary, faults: tuple[Fault, ...]) -> Rows:
    empty: dict[str, list[Row]] = {name: [] for name in dictionary.tables}
    empty[ROOT] = [{}]
    parents: dict[str, list[int]] = {name: [] for name in dictionary.tables}
    parents[ROOT] = [0]
    states = {(name, 0): State.ABSENT for name in dictionary.tables if name != ROOT}
    return Rows(empty, parents, states, {}, faults)


def _fault(problem: Problem) -> Fault:
    return Fault(problem.what, Place(problem.file, problem.line, problem.column), problem.excerpt, problem.todo)


def _named(found: manifest.Builder) -> set[str]:
    """The files of a dossier that its facts were read of, or would have been."""
    cells = [row.get("fichier") for row in found.tables.get("pieces", [])]
    cells += [row.get("piece") for row in found.tables.get("attestations", [])]
    written = [name for _, name, _ in found.sheets] + [cell.raw for cell in cells if cell is not None and cell.raw]
    return {name for raw in written for name in (raw, raw.strip()) if name and not manifest.outside(name)}


def _sheets(found: manifest.Builder, folder: Path, limits: Limits) -> None:
    """Read the tables that a spreadsheet holds; a sheet that cannot be read leaves its table unreadable."""
    for table, name, place in found.sheets:
        try:
            rows, totals, faults = _sheet(table, name, folder, limits)
        except Unreadable as error:
            found.states[(table.name, 0)] = State.UNREADABLE
            found.places[table.name] = place._replace(place=f"{name} : {error}")
            continue
        blocks = [name for name, field in table.fields.items() if field.type == "block"]
        for row in rows:
            for block in blocks:
                inside = [
                    cell for name, cell in row.items() if name.startswith(block + ".") and (cell.raw or cell.fault)
                ]
                if inside:
                    row[block] = Value("true", inside[0].place)
            found.tables[table.name].append(row)
            found.parents[table.name].append(0)
        for child in found.dictionary.tables.values():
            if child.parent == table.name:
                state = State.NONE if child.none else State.ABSENT
                found.states.update({(child.name, index): state for index in range(len(rows))})
        if faults:  # rows that went unread may exist: the list is not known, whatever was read of it
            found.states[(table.name, 0)] = State.UNREADABLE
        elif not rows:
            found.states[(table.name, 0)] = State.ABSENT
        if faults:
            found.places[table.name] = place._replace(place=f"{name} : {faults[0].what}")
        for total in totals:
            found.tables["tableur"].append(total)
            found.parents["tableur"].append(0)
        found.states.pop(("tableur", 0), None)


def _sheet(table: Table, name: str, folder: Path, limits: Limits) -> tuple[list[Row], list[Row], list[Fault]]:
    if manifest.outside(name):
        raise Unreadable("hors du répertoire du dossier")
    path = folder / name
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        raise Unreadable("fichier absent")
    return lines.read(sheets.grids(path, name, limits), table)


def _pieces(found: manifest.Builder, folder: Path, inspect: Inspect, digests: dict[str, FileDigest]) -> None:
    for table, name, _ in found.sheets:
        if not manifest.outside(name):
            digest = inspect(folder, name)[1]
            if digest:
                digests[name] = digest
        del table
    for row in found.tables.get("pieces", []):
        cell = row.get("fichier")
        if cell is None or not cell.raw or manifest.outside(cell.raw):
            continue
        seen, digest = inspect(folder, cell.raw)
        row.update(seen)
        if digest:
            digests[cell.raw] = digest


def _control_date(found: manifest.Builder, on: dt.date | None, today: dt.date) -> dt.date | None:
    row = found.tables[ROOT][0]
    value = row.get("date_controle")
    if on is not None or value is None or not (value.raw or "").strip():
        day = on or today
        row["date_controle"] = Value(day.isoformat(), value.place if value else Place(found.shown))
        return day
    try:
        return values.date(value.raw or "")
    except values.Refused:
        return None


def _attestations(
    found: manifest.Builder, folder: Path, control: dt.date | None, inspect: Inspect, digests: dict[str, FileDigest]
) -> None:
    """Fill `attestations.lu.valide`: complete, dated no later than the control, and of the same digest as its piece."""
    for row in found.tables.get("attestations", []):
        place = next((value.place for value in row.values()), Place(found.shown))
        row["lu.valide"] = Value("true" if _valid(row, folder, control, inspect, digests) else "false", place)


def _valid(row: Row, folder: Path, control: dt.date | None, inspect: Inspect, digests: dict[str, FileDigest]) -> bool:
    def raw(key: str) -> str:
        value = row.get(key)
        return (value.raw or "").strip() if value else ""

    if not all(raw(key) for key in ("regle", "par", "date", "motif", "piece")) or manifest.outside(raw("piece")):
        return False
    try:
        if control is None or values.date(raw("date")) > control:
            return False
    except values.Refused:
        return False
    name = raw("piece")
    digest = digests.get(name) or inspect(folder, name)[1]
    if digest is None:
        return False
    return not raw("sha256") or raw("sha256").lower() == digest.sha256
