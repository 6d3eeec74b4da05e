"""Who sells and who buys, as an invoice prints it: names after their label, identifiers by the block they stand in.

An identifier belongs to the party that its block, the cell on its left or the heading above it names. One that no label
gives to anybody is the seller's only if the page shows it: it stands with the mentions of a company (RCS, capital, APE,
intra-Community VAT), or a block names the buyer elsewhere. Else whose it is stays unsaid: unreadable, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from checker.facts.acts import labels, printed, seek
from checker.facts.acts.layout import Block, Run, Sheet
from checker.facts.acts.seek import Found
from checker.model import Place, Row, Value

_MOST: Final = 200
_SIRET = re.compile(r"(?<![\d.,/-])\d{3}[ .]?\d{3}[ .]?\d{3}[ .]?\d{5}(?![\d,/-])")
_VAT = re.compile(r"\bfr ?[0-9a-z]{2}(?: ?\d{3}){3}(?![0-9a-z])")
_WHOSE = re.compile(
    r"(?:(client|acheteur|destinataire|debiteur)|(fournisseur|vendeur|emetteur|titulaire|creancier))[ :]{0,3}\Z"
)
_NEAR: Final = 1.6  # heights between a heading and the block below it


class Owned(NamedTuple):
    """An identifier, its party (« vendeur », « acheteur », "") and whether a company's mentions stand with it."""

    found: Found
    party: str
    company: bool


def tell(sheets: Sequence[Sheet], place: Place, whole: bool) -> Row:
    """The columns `vendeur` and `acheteur` of `facture_lue`."""
    row: Row = {}
    for party, pattern in (("vendeur", labels.SELLER), ("acheteur", labels.BUYER)):
        names = list(islice(_names(sheets, pattern), _MOST))
        row[f"{party}.nom"] = seek.settle(names, "organisation", place, whole)
    named = any(_titles(block, labels.BUYER) for sheet in sheets for block in sheet.blocks)
    numbers = list(islice(_owned(sheets, _SIRET), _MOST))
    vats = list(islice(_owned(sheets, _VAT), _MOST))
    row["vendeur.siret"] = _seller(numbers, place, whole, named) or _only_siren(sheets, place, whole)
    row["vendeur.tva"] = _seller(vats, place, whole, named) or Value(None, place)
    row["acheteur.siret"] = seek.settle([n.found for n in numbers if n.party == "acheteur"], "siret", place, whole)
    for party in ("vendeur", "acheteur"):
        inside = [value for name, value in row.items() if name.startswith(f"{party}.") and (value.raw or value.fault)]
        row[party] = Value("true", inside[0].place) if inside else Value(None, place)
    return row


def _seller(numbers: Sequence[Owned], place: Place, whole: bool, buyer_named: bool) -> Value | None:
    """The seller's identifier; None when there is none at all."""
    own = [number.found for number in numbers if number.party == "vendeur"]
    if own:
        return seek.settle(own, "siret", place, whole)
    others = {_bare(number.found) for number in numbers if number.party == "acheteur"}
    free = [number for number in numbers if not number.party and _bare(number.found) not in others]
    if not free:
        return None
    if len({_bare(number.found) for number in free}) > 1:
        company = [number for number in free if number.company]
        if len({_bare(number.found) for number in company}) == 1 and buyer_named:
            return seek.settle([number.found for number in company], "siret", place, whole)
        return seek.settle([number.found for number in free], "siret", place, whole)
    if buyer_named or any(number.company for number in free):
        return seek.settle([number.found for number in free], "siret", place, whole)
    first = free[0].found
    where = seek.at(place, first.page, first.box)
    return Value(None, where, f"rien ne dit si {first.printed} est celui du vendeur ou de l'acheteur")


def _bare(found: Found) -> str:
    return re.sub(r"[ .]", "", found.raw).upper()


def _only_siren(sheets: Sequence[Sheet], place: Place, whole: bool) -> Value:
    """A SIREN is no SIRET: it is said, not put in its place."""
    for sheet in sheets:
        for block in sheet.blocks:
            match = printed.compiled(labels.SIREN).search(block.plain)
            if match:
                where = seek.at(place, block.page, block.box(match.start(1), match.end(1)))
                return Value(None, where, f"SIREN sans SIRET : {match[1]}")
    return seek.settle([], "siret", place, whole)


def _titles(block: Block, pattern: str) -> list[re.Match[str]]:
    """The places of a block where a party is named; its text in lower case, accents kept."""
    lower = block.text.lower()
    return list(islice(printed.compiled(pattern).finditer(lower), _MOST)) if len(lower) == len(block.text) else []


def _names(sheets: Sequence[Sheet], pattern: str) -> Iterator[Found]:
    """The organisation after the label: on its line, in the cell to its right, on the line below."""
    item = seek.Label("organisation", pattern)
    titles = ((sheet, block, match) for sheet in sheets for block in sheet.blocks for match in _titles(block, pattern))
    for sheet, block, match in islice(titles, _MOST):
        yield from islice(seek.after(sheet, block, match, item), 1)


def _owned(sheets: Sequence[Sheet], pattern: re.Pattern[str]) -> Iterator[Owned]:
    for sheet in sheets:
        for block in sheet.blocks:
            for match in pattern.finditer(block.plain):
                run = block.runs[block.at(match.start())]
                raw = printed.spaces(block.text[match.start() : match.end()])
                found = Found(raw, block.page, block.box(match.start(), match.end()), raw)
                yield Owned(
                    found,
                    _party(sheet, block, run, match.start()),
                    bool(printed.compiled(labels.ORIGIN).search(block.plain)),
                )


def _party(sheet: Sheet, block: Block, run: Run, position: int) -> str:
    before = re.sub(
        r"\b(?:siret|siren|tva|intracommunautaire|n\u00b0|numero|du|de l'|de la|\W)+\Z",
        "",
        block.plain[max(position - 60, 0) : position],
    )
    whose = _WHOSE.search(before.rpartition("\n")[2])
    if whose:
        return "acheteur" if whose[1] else "vendeur"
    titled = _last(block, position)
    if titled:
        return titled
    top = block.runs[0]
    for other in (*_left(sheet, run), *_left(sheet, top), *_above(sheet, top)):
        for party, pattern in (("vendeur", labels.SELLER), ("acheteur", labels.BUYER)):
            if printed.compiled(pattern).match(other.text.lower()):
                return party
    return ""


def _last(block: Block, position: int) -> str:
    """The party that the block names last before a position."""
    seen = [
        (match.start(), party)
        for party, pattern in (("vendeur", labels.SELLER), ("acheteur", labels.BUYER))
        for match in _titles(block, pattern)
        if match.start() < position
    ]
    return max(seen)[1] if seen else ""


def _left(sheet: Sheet, run: Run) -> list[Run]:
    """The cell on the left, its text centred on this line or on half a line more."""
    beside = [
        other
        for row in sheet.rows[max(run.row - 1, 0) : run.row + 2]
        for other in row
        if other.edges[2] <= run.edges[0] and other.edges[1] < run.edges[3] and other.edges[3] > run.edges[1]
    ]
    return sorted(beside, key=lambda other: -other.edges[2])[:1]


def _above(sheet: Sheet, top: Run) -> list[Run]:
    """The cells just above a block."""
    height = top.edges[3] - top.edges[1]
    return [
        other
        for row in sheet.rows[max(top.row - 2, 0) : top.row]
        for other in row
        if other.edges[0] < top.edges[2]
        and other.edges[2] > top.edges[0]
        and top.edges[1] - other.edges[3] <= _NEAR * height
    ]
