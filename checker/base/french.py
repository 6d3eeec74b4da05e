"""Numbers, amounts, dates and lists in French: exact, no rounding, no locale; `words` has them in every language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from checker.base import words

NO_BREAK = "\u00a0"  # before the unit


def number(value: Decimal | int, decimals: int = 0) -> str:
    """« 1 234,5 »: at least that many decimals, more when the value has more; never rounded."""
    return words.number(value, words.words("fr"), decimals)


def money(value: Decimal | int) -> str:
    """« 200 000,00 € », a third decimal shown when there is one."""
    return words.money(value, words.words("fr"))


def percent(value: Decimal | int) -> str:
    """« 5,5 % »."""
    return words.percent(value, words.words("fr"))


def day(value: dt.date) -> str:
    """« 1er novembre 2018 », « 4 mars 2019 »."""
    return words.long_date(value, words.words("fr"))


def listing(items: Sequence[str], last: str = " et ") -> str:
    """« a », « a et b », « a, b et c »."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])}{last}{items[-1]}"


def plural(count: Decimal | int, singular: str, many: str = "") -> str:
    """« 0 ligne », « 1,5 ligne », « 2 lignes »: the plural begins at two; `many` when it is not singular + s."""
    word = singular if -2 < count < 2 else many or f"{singular}s"
    return f"{number(count)}{NO_BREAK}{word}"
