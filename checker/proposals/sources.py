"""Pieces -> what they say of each key of the manifest, as candidates with their places. Pure.

Nothing is typed nor chosen here (`settle` does), nothing is copied from a pack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from checker.base import values
from checker.base.piece import Piece
from checker.model import STAGES, Place, Row, Value
from checker.proposals.support import Link

# nature -> key of its block -> column of `acte_lu`; * : the act is there to say it, its absence is listed.
ACTS: Final[Mapping[str, Mapping[str, str]]] = {
    "etat_liquidatif": {"numero": "numero*", "date": "date*", "total": "montant*", "signature.nom": "signataire*"},
    "certification": {"date": "date*", "montant": "montant*", "signature.nom": "signataire*"},
    "titre_de_perception": {
        "numero": "numero*",
        "date": "date*",
        "montant": "montant*",
        "emetteur.nom": "signataire*",
    },
    "demande_de_paiement": {"numero": "numero*", "date": "date*"},
    "deliberation": {"date": "date*"},
    "resiliation": {"date": "date*"},
}
_PAYMENT: Final = {"mandat": "numero*", "date_mandat": "date*", "montant": "montant*", "signature.nom": "signataire*"}
_CREDIT: Final = {"numero": "numero*", "facture": "facture_precedente*", "date": "date*", "montant": "montant_ttc*"}
_LINE: Final[Mapping[str, Mapping[str, str]]] = {  # nature -> key of a line -> column of its table
    "facture": {
        "facture.numero": "numero*",
        "facture.type": "type",
        "facture.date": "date*",
        "facture.montant_ht": "montant_ht*",
        "facture.montant_tva": "montant_tva",
        "facture.montant_ttc": "montant_ttc*",
        "facture.devise": "devise",
        "facture.destinataire": "acheteur.nom",
        "fournisseur.nom": "vendeur.nom",
        "fournisseur.siret": "vendeur.siret",
        "engagement.numero": "commande",
    },
    "pv_service_fait": {
        "service_fait.date": "date*",
        "service_fait.montant": "montant*",
        "service_fait.signataire": "signataire*",
        "engagement.numero": "engagement",
    },
    "justificatif_paiement": {
        "paiement.numero": "numero*",
        "paiement.date": "date*",
        "paiement.montant": "montant*",
    },
}
_SHARED: Final = frozenset({"service_fait.montant", "paiement.montant"})  # of several lines together, of none alone
_OCR: Final = "lu par reconnaissance de caractères seulement, à confirmer"
_ACT_STAGE: Final = {**{stage: stage for stage in STAGES}, "mandat": "mise_en_paiement"}


@dataclass(slots=True)
class Sources:
    """What is said of the keys of one object: candidates, why a key is missing, the objects of its lists."""

    found: dict[str, list[Value]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[Sources]] = field(default_factory=dict)
    maps: dict[str, list[tuple[str, Value]]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)  # key -> the comment that replaces the place

    def add(self, key: str, *said: Value | None) -> None:
        self.found.setdefault(key, []).extend(value for value in said if value is not None)


def gather(pieces: Sequence[Piece], links: Mapping[str, Link], rows: Sequence[Row], totals: Sequence[Row]) -> Sources:
    """The candidates of the whole manifest. `rows`, `totals`: lines and totals of the chosen sheet."""
    root = Sources()
    _acts(root, pieces)
    _sums(root, rows, totals)
    root.lists["depenses"] = [_line(at, row, pieces, links) for at, row in enumerate(rows)]
    root.lists["paiements"] = [
        _told(row, piece, _PAYMENT, "") for piece in _of(pieces, "mandat") for row in _rows(piece, "acte_lu")
    ]
    root.lists["avoirs"] = [
        _told(row, piece, _CREDIT, "") for piece in _of(pieces, "avoir") for row in _rows(piece, "facture_lue")
    ]
    return root


def _of(pieces: Sequence[Piece], nature: str) -> list[Piece]:
    return [piece for piece in pieces if piece.nature == nature]


def _rows(piece: Piece, table: str) -> list[Row]:
    """The rows told, what was read by OCR marked; an empty one when the piece tells nothing."""
    return [_marked(row) for row in piece.rows(table)] or [{}]


def _marked(row: Row) -> Row:
    source = row.get("source")
    if source is None or source.raw != "ocr":
        return row
    return {name: value._replace(fault=value.fault or _OCR) if value.raw else value for name, value in row.items()}


def absent(piece: Piece) -> str:
    """Why a piece says nothing of what it is there to say."""
    if piece.fault:
        return f"illisible : {piece.path} : {piece.fault}"
    if piece.mute:
        return f"illisible : {piece.path} : page sans texte (numérisée)"
    return f"non trouvé dans {piece.path}"


def _told(row: Row, piece: Piece, columns: Mapping[str, str], prefix: str, into: Sources | None = None) -> Sources:
    into = into or Sources()
    for name, column in columns.items():
        value = row.get(column.rstrip("*"))
        said = value is not None and (value.fault is not None or bool((value.raw or "").strip()))
        if said:
            into.add(prefix + name, value)
        elif column.endswith("*"):
            into.missing.setdefault(prefix + name, absent(piece))
    return into


def _acts(root: Sources, pieces: Sequence[Piece]) -> None:
    for nature, columns in ACTS.items():
        for piece in _of(pieces, nature):
            if nature == "etat_liquidatif":
                if piece.lines or piece.faults:
                    continue  # the sheet goes with the act: it is data
                root.add("etat_liquidatif.fichier", Value(piece.path, Place(piece.path)))
            for row in _rows(piece, "acte_lu"):
                _told(row, piece, columns, f"{nature}.", root)
            if nature in ("etat_liquidatif", "certification"):
                _signed(root, piece, f"{nature}.signature.mode", "electronique")


def _signed(into: Sources, piece: Piece, key: str, word: str) -> None:
    """A signature that the file carries is a fact; who holds the certificate is another one, read by the check."""
    for row in piece.rows("signature_lue")[:1]:
        place = next((value.place for value in row.values()), Place(piece.path))
        into.add(key, Value(word, place))


def _sums(root: Sources, rows: Sequence[Row], totals: Sequence[Row]) -> None:
    """The totals that the sheet writes: the general one, and one an account that its label names."""
    accounts = {_account(row): None for row in rows if _account(row)}
    said: list[tuple[str, Value]] = []
    for total in totals:
        label = (total["libelle"].raw or "") if "libelle" in total else ""
        named = [account for account in accounts if account in re.sub(r"\s", "", label)]
        if len(named) == 1 and "montant" in total:
            said.append((named[0], total["montant"]))
        elif not named and re.match(r"(?:montant )?total\b", values.fold(label)) and total is totals[-1]:
            root.add("etat_liquidatif.total", total.get("montant"))
    root.maps["etat_liquidatif.totaux_par_compte"] = said


def _account(row: Row) -> str:
    value = row.get("compte_pce")
    return values.account(value.raw) if value is not None and value.raw and value.fault is None else ""


def _line(at: int, row: Row, pieces: Sequence[Piece], links: Mapping[str, Link]) -> Sources:
    """A line: the cells of the sheet, then what the pieces that support it say."""
    line = Sources()
    for name, value in row.items():
        line.add(name, value)
    for piece in pieces:
        link = links.get(piece.path)
        columns = _LINE.get(piece.nature or "")
        if link is None or at not in link.lines or columns is None:
            continue
        if len(link.lines) > 1:
            columns = {name: column for name, column in columns.items() if name not in _SHARED}
        told = _mine(_rows(piece, "facture_lue" if piece.nature == "facture" else "acte_lu"), row)
        for each in told:
            _told(each, piece, columns, "", line)
        if piece.nature == "facture":
            _rate(line, piece)
        if piece.nature == "pv_service_fait":
            _signed(line, piece, "service_fait.signe", "true")
    return line


def _mine(told: list[Row], row: Row) -> list[Row]:
    """Of a piece that tells several things (payments of a list), those of this line: the same invoice or payment."""
    if len(told) < 2:
        return told
    chosen = [each for each in told if _same(each.get("facture") or each.get("numero"), row)]
    return chosen or told


def _same(value: Value | None, row: Row) -> bool:
    own = [row[name].raw or "" for name in ("facture.numero", "paiement.numero") if name in row]
    return value is not None and bool(value.raw) and values.invoice_key(value.raw or "") in map(values.invoice_key, own)


def _rate(line: Sources, piece: Piece) -> None:
    """The rate of an invoice that has one."""
    rates = [row["taux"] for row in piece.rows("facture_lue.tva") if "taux" in row]
    if len(rates) == 1:
        line.add("facture.taux_tva", rates[0])


def stage(pieces: Sequence[Piece]) -> tuple[str, Piece | None]:
    """The last stage whose act is there, and that act (the first stage when there is none)."""
    reached = [(STAGES.index(_ACT_STAGE[piece.nature]), piece) for piece in pieces if piece.nature in _ACT_STAGE]
    if not reached:
        return STAGES[0], None
    rank = max(at for at, _ in reached)
    return STAGES[rank], next(piece for at, piece in reached if at == rank)
