"""Which lines of expense a piece supports: by what it tells, else by what its text prints. Never a guess. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from checker.base.piece import Piece
from checker.model import Row, Value
from checker.proposals.book import NUMBERS, Book, money, numbers
from checker.proposals.settle import where

INVOICES = ("facture", "avoir")
SUPPORTING = (*INVOICES, "pv_service_fait", "justificatif_paiement")
_AMOUNTS = {  # the amounts of a line that a piece of this nature may show
    "facture": ("facture.montant_ttc", "montant"),
    "avoir": ("facture.montant_ttc", "montant"),
    "pv_service_fait": ("service_fait.montant", "montant", "facture.montant_ttc"),
    "justificatif_paiement": ("paiement.montant", "montant", "facture.montant_ttc"),
}
_SAID = {
    "facture": "facture n°",
    "paiement": "demande de paiement n°",
    "engagement": "engagement n°",
    "montant": "montant",
    "nom": "fournisseur",
}
Said = Mapping[str, Value | None]


class Link(NamedTuple):
    """The lines of a piece (positions from 0), why; `left`: why none is written though the piece is to support some."""

    lines: tuple[int, ...]
    reason: str
    left: str = ""


def links(pieces: Sequence[Piece], rows: Sequence[Row]) -> Mapping[str, Link]:
    """The link of each piece that is to support lines, by path. Invoices first: they say what the others cite."""
    book = Book(rows)
    found: dict[str, Link] = {}
    taken: set[int] = set()
    for nature in SUPPORTING:
        waiting = [piece for piece in pieces if piece.nature == nature]
        for strict in (True, False):  # what is told by number goes first: the rest is told from what remains
            for piece in waiting:
                if piece.path in found or (strict and not _by_number(piece, book)):
                    continue
                link = _link(piece, book, taken)
                found[piece.path] = link
                taken |= set(link.lines) if nature == "facture" else set()
                if nature != "avoir":
                    _enrich(book, link.lines, piece)
    return found


def _told(piece: Piece) -> list[Said]:
    """What a piece tells of the lines it supports, one a thing told."""
    said: list[Said] = [
        {
            "facture": row.get("facture_precedente" if piece.nature == "avoir" else "numero"),
            "engagement": row.get("commande"),
            "siren": row.get("vendeur.siret"),
            "nom": row.get("vendeur.nom"),
            "montant": row.get("montant_ttc"),
        }
        for row in piece.rows("facture_lue")
    ]
    for row in piece.rows("acte_lu"):
        own = {"facture": row.get("facture"), "engagement": row.get("engagement"), "montant": row.get("montant")}
        if piece.nature == "justificatif_paiement":
            own["paiement"] = row.get("numero")
        said.append(own)
    return said


def _by_number(piece: Piece, book: Book) -> bool:
    return any(book.found(name, said.get(name)) for said in _told(piece) for name in ("facture", "paiement"))


def _link(piece: Piece, book: Book, taken: set[int]) -> Link:
    if not book.rows:
        return Link((), "", "aucune ligne de dépense n'est lue")
    told = [_of_one(said, piece, book, taken) for said in _told(piece)]
    kept = [link for link in told if link.lines]
    if told and len(kept) == len(told):
        reasons = " ; ".join(dict.fromkeys(link.reason for link in kept))
        return Link(tuple(sorted({at for link in kept for at in link.lines})), reasons)
    return _printed(piece, book, next((link.left for link in told if link.left), ""))


def _of_one(said: Said, piece: Piece, book: Book, taken: set[int]) -> Link:
    """The lines of one thing told: by number of invoice or of payment, else engagement, else supplier and amount."""
    numbered = [(name, book.found(name, said.get(name))) for name in ("facture", "paiement")]
    found = [(name, at) for name, at in numbered if at]
    if found:
        both = _same_supplier(said, set.intersection(*(at for _, at in found)), book)
        if not both:
            return Link((), "", "ambigu : les numéros qu'elle cite ne sont pas d'une même ligne")
        return Link(tuple(sorted(both)), _because(said, [name for name, _ in found]))
    amount = money(said.get("montant"))
    ordered = book.found("engagement", said.get("engagement"))
    if ordered and piece.nature not in INVOICES:
        return _narrowed(said, ordered, amount, piece, book)
    supplier = _supplier(said, book)
    if ordered:
        supplier &= ordered
    if not supplier or amount is None:
        return Link((), "")
    free = supplier - taken if piece.nature == "facture" else supplier
    return _only(said, book.amounting(free, amount, _AMOUNTS[piece.nature or ""]), ["nom", "montant"], book)


def _narrowed(said: Said, found: set[int], amount: Decimal | None, piece: Piece, book: Book) -> Link:
    """The line of an engagement; of several lines, the one that the amount tells apart, or all when it is their sum."""
    if len(found) > 1 and amount is not None:
        alone = book.amounting(found, amount, _AMOUNTS[piece.nature or ""])
        if len(alone) == 1:
            return Link(tuple(alone), _because(said, ["engagement", "montant"]))
        asked = [money(book.rows[at].get("montant")) for at in found]
        if not alone and None not in asked and sum(each for each in asked if each is not None) == amount:
            return Link(tuple(sorted(found)), _because(said, ["engagement", "montant"]))
    return _only(said, found, ["engagement"], book)


def _only(said: Said, found: set[int], names: Sequence[str], book: Book) -> Link:
    if len(found) == 1:
        return Link(tuple(found), _because(said, names))
    if found:
        listed = ", ".join(book.name(at) for at in sorted(found))
        return Link((), "", f"ambigu : plusieurs lignes possibles ({listed})")
    return Link((), "")


def _supplier(said: Said, book: Book) -> set[int]:
    return book.found("siren", said.get("siren")) or book.found("nom", said.get("nom"))


def _same_supplier(said: Said, found: set[int], book: Book) -> set[int]:
    """Two suppliers may give one number to their invoices: the lines of this one, when both say who they are."""
    return found if len(found) < 2 else (found & _supplier(said, book)) or found


def _printed(piece: Piece, book: Book, why: str) -> Link:
    """The lines whose numbers the text of the piece prints."""
    shown = numbers(piece.text)
    for name in NUMBERS:
        found = book.printed(name, shown)
        if found and (name != "engagement" or len(found) == 1):
            return Link(tuple(sorted(found)), f"{_SAID[name]} de la ligne, dans son texte")
        if found:
            return Link((), "", why or "ambigu : son engagement est celui de plusieurs lignes")
    if piece.mute or piece.fault:
        hint = [book.name(at) for at in sorted(book.printed("facture", numbers(piece.path)))]
        named = f" ; son nom fait penser à la ligne {', '.join(hint)}" if hint else ""
        return Link((), "", f"illisible : {piece.fault or 'page sans texte (numérisée)'}{named}")
    return Link((), "", why or "non trouvé : elle ne cite ni facture, ni engagement, ni paiement d'une ligne")


def _because(said: Said, names: Iterable[str]) -> str:
    parts = []
    for name in names:
        value = said.get("siren" if name == "nom" and said.get("siren") else name)
        if value is not None and value.raw:
            parts.append(f"{_SAID[name]} {' '.join(value.raw.split())} ({where(value.place)})")
    return ", ".join(parts)


def _enrich(book: Book, lines: Iterable[int], piece: Piece) -> None:
    for said in _told(piece):
        for name in NUMBERS:
            for at in lines:
                book.add(at, name, said.get(name))
