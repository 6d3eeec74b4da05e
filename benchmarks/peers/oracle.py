"""Plain Python and Decimal, a loop a rule: slow, and meant to be read. The others must find what it finds."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from benchmarks.tables import CEILING, CODES, NATURE, Finding, read

LIBRARY = ""
PREPARED: tuple[str, ...] = ()
_CENT = Decimal("0.01")
Row = dict[str, Any]


def findings(folder: Path) -> set[Finding]:
    """Every rule over every row, by its definition."""
    dossiers, lines, pieces = (read(folder, name, plain=False).to_pylist() for name in ("dossiers", "lignes", "pieces"))
    given = {(row["dossier"], row["ligne"]) for row in pieces if row["nature"] == NATURE}
    used = Counter((row["siret"], row["facture"]) for row in lines)
    found: set[Finding] = set()
    for row in lines:
        key = (row["dossier"], row["ligne"])
        for rule, ok in _row(row, key in given, used):
            if ok is not True:
                found.add((rule, *key, "N" if ok is False else "I"))
    found.update(_totals(dossiers, lines))
    found.update(_cumul(dossiers))
    return found


def _row(row: Row, piece: bool, used: Counter[Any]) -> Iterator[tuple[str, bool | None]]:
    """(rule, whether it holds; None: unknown)."""
    siret, tva, ht = row["siret"], row["tva"], row["ht"]
    yield "PIECE", piece
    yield "SIRET", None if siret is None else len(siret) == 14 and luhn(siret) and luhn(siret[:9])
    yield "ORDRE", both(le(row["engagement"], row["date"]), le(row["date"], row["paiement"]))
    yield "UNIQUE", None if siret is None or row["facture"] is None else used[siret, row["facture"]] == 1
    yield "REQUIS", None if row["objet"] is None else row["objet"].strip() != ""
    yield "CODE", in_table(row["code"], row["date"])
    tax = (ht * row["taux"] / 100).quantize(_CENT, ROUND_HALF_UP) if None not in (ht, row["taux"]) else None
    yield "TVA", None if None in (tax, tva) else tva == tax
    yield "TTC", None if None in (ht, tva, row["ttc"]) else ht + tva == row["ttc"]
    yield "LIGNE", le(row["montant"], row["fait"])


def luhn(text: str) -> bool:
    """Whether the digits pass Luhn."""
    digits = [int(item) for item in reversed(text)]
    return sum(sum(divmod(digit * 2, 10)) if index % 2 else digit for index, digit in enumerate(digits)) % 10 == 0


def le(left: Any, right: Any) -> bool | None:
    """left <= right, unknown when either is."""
    return None if left is None or right is None else bool(left <= right)


def both(*parts: bool | None) -> bool | None:
    """Kleene's AND."""
    return False if False in parts else None if None in parts else True


def in_table(code: str | None, day: dt.date | None) -> bool | None:
    """Whether the code is in the table that day; unknown when that depends on what is."""
    if code is None:
        return None
    said = [
        both(True if start is None else le(start, day), True if end is None else le(day, end))
        for item, start, end in CODES
        if item == code
    ]
    return True if True in said else None if None in said else False


def _totals(dossiers: list[Row], lines: list[Row]) -> Iterator[Finding]:
    amounts: dict[int, list[Decimal | None]] = defaultdict(list)
    for row in lines:
        amounts[row["dossier"]].append(row["montant"])
    for row in dossiers:
        listed = amounts[row["dossier"]]
        if row["total"] is None or None in listed:
            yield "TOTAL", row["dossier"], 0, "I"
        elif row["total"] != sum(item for item in listed if item is not None):
            yield "TOTAL", row["dossier"], 0, "N"


def _cumul(dossiers: list[Row]) -> Iterator[Finding]:
    """In the order of dates; the known part decides when it exceeds, else one unknown total leaves all that follow."""
    projects: dict[str, list[Row]] = defaultdict(list)
    for row in dossiers:
        projects[row["projet"]].append(row)
    for listed in projects.values():
        known, unknown = Decimal(0), False
        for row in sorted(listed, key=lambda item: (item["date"], item["numero"])):
            known, unknown = known + (row["total"] or 0), unknown or row["total"] is None
            if known > CEILING or unknown:
                yield "CUMUL", row["dossier"], 0, "N" if known > CEILING else "I"
