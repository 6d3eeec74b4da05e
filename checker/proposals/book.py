"""The lines of expense by the numbers that tell them: looked up by what a piece tells, or by what its text prints."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from checker.base import values
from checker.model import Row, Scalar, Value

NUMBERS: Final = ("facture", "paiement", "engagement")
_COLUMNS: Final = {
    "facture": "facture.numero",
    "paiement": "paiement.numero",
    "engagement": "engagement.numero",
    "siren": "fournisseur.siret",
    "nom": "fournisseur.nom",
}
_KINDS: Final = {"paiement": "code", "engagement": "code", "siren": "siret", "nom": "organisation"}
_READ: Final = 200_000  # signs of a text that are looked at
_WORDS: Final = 6  # of a number whose signs are set apart
_SHORTEST: Final = 4  # signs of a number looked for in a text: a shorter one is anywhere
_BETWEEN: Final = re.compile(r"[\s./_-]{1,2}")
_WORD: Final = re.compile(r"[^\W_]+")


def key(name: str, value: Value | None) -> Scalar | None:
    """The canonical key of that name, None when the value is absent, blank or refused by its type."""
    if value is None or value.fault is not None or not (value.raw or "").strip():
        return None
    raw = value.raw or ""
    if name == "facture":
        return values.invoice_key(raw)
    try:
        found = values.parse(_KINDS[name], raw)
    except values.Refused:
        return None
    return str(found)[:9] if name == "siren" else found


def money(value: Value | None) -> Decimal | None:
    """An amount, None when it is not known."""
    if value is None or value.fault is not None or not (value.raw or "").strip():
        return None
    try:
        return values.money(value.raw or "")
    except values.Refused:
        return None


class Book:
    """The lines, by position. A piece that joins a line adds the numbers that it tells."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._told: dict[tuple[str, Scalar], set[int]] = {}
        self._printed: dict[tuple[str, str], set[int]] = {}
        for at, row in enumerate(rows):
            for name, column in _COLUMNS.items():
                self.add(at, name, row.get(column))

    def add(self, at: int, name: str, value: Value | None) -> None:
        """One more number of a line."""
        found = key(name, value)
        if found is None:
            return
        self._told.setdefault((name, found), set()).add(at)
        signs = values.invoice_key(str(found))
        if name in NUMBERS and len(signs) >= _SHORTEST and any(char.isdigit() for char in signs):
            self._printed.setdefault((name, signs), set()).add(at)

    def found(self, name: str, value: Value | None) -> set[int]:
        """The lines that have this number."""
        wanted = key(name, value)
        return set(self._told.get((name, wanted), ())) if wanted is not None else set()

    def printed(self, name: str, numbers: Iterable[str]) -> set[int]:
        """The lines one of whose numbers is among those that a text prints (see `numbers`)."""
        return {at for signs in numbers for at in self._printed.get((name, signs), ())}

    def name(self, at: int) -> str:
        """The number of a line as read, else its rank."""
        value = self.rows[at].get("ligne")
        return " ".join(value.raw.split()) if value is not None and value.raw else str(at + 1)

    def amounting(self, among: Iterable[int], amount: Decimal, columns: Sequence[str]) -> set[int]:
        """Those of these lines that show this amount in one of these columns."""
        return {at for at in among if any(money(self.rows[at].get(name)) == amount for name in columns)}


def numbers(text: str) -> set[str]:
    """What may be a number in a text: words with a digit, alone or set apart by one or two signs, as `invoice_key`."""
    low = text[:_READ].casefold()
    words = list(_WORD.finditer(low))
    gaps = [bool(_BETWEEN.fullmatch(low, one.end(), two.start())) for one, two in itertools.pairwise(words)]
    figured = [any(char.isdigit() for char in word[0]) for word in words]
    found: set[str] = set()
    for first, word in enumerate(words):
        joined = ""
        for last in range(first, min(first + _WORDS, len(words))):
            if last > first and not gaps[last - 1]:
                break
            joined = f"{joined} {words[last][0]}" if joined else word[0]
            goes_on = last + 1 < len(words) and gaps[last] and low[words[last].end()] in "-/"
            if not goes_on and any(figured[first : last + 1]):
                found.add(values.invoice_key(joined))
    return found
