"""Numbers, amounts, dates and lists as French writes them: exact, no rounding, no locale."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from checker.base.words import long_date, words

NARROW = "\u202f"  # no-break, between thousands
NO_BREAK = "\u00a0"  # before the unit
EURO = "\N{EURO SIGN}"


def number(value: Decimal | int, decimals: int = 0) -> str:
    """« 1 234,5 »: at least that many decimals, more when the value has more; never rounded."""
    exact = Decimal(value)
    if not exact.is_finite():
        return str(value)
    trimmed = exact.normalize()
    exponent = trimmed.as_tuple().exponent
    places = max(decimals, -exponent if isinstance(exponent, int) else 0, 0)
    text = f"{trimmed:,.{places}f}" if trimmed else f"{Decimal(0):.{places}f}"
    return text.replace(",", NARROW).replace(".", ",")


def money(value: Decimal | int) -> str:
    """« 200 000,00 € », a third decimal shown when there is one."""
    return f"{number(value, 2)}{NO_BREAK}{EURO}"


def percent(value: Decimal | int) -> str:
    """« 5,5 % »."""
    return f"{number(value)}{NO_BREAK}%"


def day(value: dt.date) -> str:
    """« 1er novembre 2018 », « 4 mars 2019 »."""
    return long_date(value, words("fr"))


def listing(items: Sequence[str], last: str = " et ") -> str:
    """« a », « a et b », « a, b et c »."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])}{last}{items[-1]}"


def plural(count: Decimal | int, singular: str, many: str = "") -> str:
    """« 0 ligne », « 1,5 ligne », « 2 lignes »: the plural begins at two; `many` when it is not singular + s."""
    word = singular if -2 < count < 2 else many or f"{singular}s"
    return f"{number(count)}{NO_BREAK}{word}"
