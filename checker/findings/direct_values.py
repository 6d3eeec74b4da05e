"""Operators over plain values, none of them unknown, as DuckDB computes them: for the few rows judged without SQL.

Decimals keep the scale that SQL gives them.
ArithmeticError or ValueError: what SQL refuses too.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
_UNITS = tuple(Decimal(1).scaleb(-scale) for scale in range(39))
_INT32, _INT64 = 2**31, 2**63
_LAST, _LAST_YEAR, _LAST_DATE = dt.date.max.toordinal(), 294_246, 5_881_579  # of Python, of SQL's instants and dates


def _small(value: Any) -> int:
    """As CAST to INTEGER: half away from zero, within 32 bits."""
    number = int(value.quantize(_UNITS[0], ROUND_HALF_UP)) if isinstance(value, Decimal) else int(value)
    if not -_INT32 <= number < _INT32:
        raise ValueError(f"{number} exceeds 32 bits")
    return number


def _months(day: dt.date, count: int) -> dt.date:
    """So many months later, or the last day of that month; never after the last day that Python knows."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    if year > dt.MAXYEAR:
        return _last(year <= _LAST_YEAR)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month]
    return dt.date(year, month + 1, min(day.day, last))


def _days(day: dt.date, count: Any) -> dt.date:
    number = day.toordinal() + _small(count)
    return dt.date.fromordinal(number) if number <= _LAST else dt.date.max


def _year_end(day: dt.date, count: Any) -> dt.date:
    year = day.year + count
    return dt.date(_small(year), 12, 31) if year <= dt.MAXYEAR else _last(year <= _LAST_DATE)


def _last(known: bool) -> dt.date:
    if not known:
        raise ValueError("date out of range")
    return dt.date.max


def fit(value: Any, scale: int) -> Decimal:
    """A number with that many decimals, half away from zero; never « -0 »."""
    found = Decimal(value).quantize(_UNITS[scale], ROUND_HALF_UP)
    return found or abs(found)


def _mul(left: Any, right: Any) -> Any:
    found = left * right
    if isinstance(found, int):
        if not -_INT64 <= found < _INT64:
            raise OverflowError(f"{left} * {right}")
        return found
    if len(found.as_tuple().digits) > 38:
        raise OverflowError(f"{left} * {right}")
    return found or abs(found)


def _part(amount: Any, percent: Any) -> Decimal:
    """A share of an amount, half away from zero to the cent."""
    share = fit(percent, 4)
    if abs(share) >= 100_000:
        raise ValueError(f"{percent} %")
    return fit(fit(amount, 2) * share * CENT, 2)


def _luhn(text: str) -> bool:
    total = 0
    for index, char in enumerate(reversed(text)):
        digit = ord(char) - 48
        total += digit if not index % 2 else digit * 2 - 9 * (digit // 5)
    return total % 10 == 0


def _digits(text: str, size: int) -> bool:
    return len(text) == size and text.isascii() and text.isdigit()


def _siren(text: str) -> bool:
    return _digits(text, 9) and _luhn(text)


def _siret(text: str) -> bool:
    """Of La Poste's establishments, also those whose digits add up to a multiple of five."""
    if not _digits(text, 14):
        return False
    if text.startswith("356000000") and sum(map(int, text)) % 5 == 0:
        return True
    return _luhn(text) and _luhn(text[:9])


def _vat(text: str) -> bool | None:
    """A key with letters is of the new form, that cannot be told."""
    if not re.fullmatch("FR[0-9A-Z]{2}[0-9]{9}", text):
        return False
    key = text[2:4]
    return int(key) == (12 + 3 * (int(text[4:]) % 97)) % 97 if key.isdigit() else None


def _iban(text: str) -> bool:
    """Modulo 97 of the rearranged text, letters as numbers; a French one has 27 signs."""
    if not re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", text) or (text[:2] == "FR" and len(text) != 27):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


STRICT: Mapping[str, Callable[..., Any]] = {  # unknown as soon as an argument is
    "not": operator.not_,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "add": operator.add,
    "sub": operator.sub,
    "mul": _mul,
    "neg": operator.neg,
    "part": _part,
    "match": lambda text, pattern: re.fullmatch(pattern, text) is not None,
    "starts": str.startswith,
    "contains": operator.contains,
    "left": lambda text, count: text[:count],
    "length": len,
    "year": operator.attrgetter("year"),
    "month": operator.attrgetter("month"),
    "add_years": lambda day, count: _months(day, 12 * _small(count)),
    "add_months": lambda day, count: _months(day, _small(count)),
    "add_days": _days,
    "year_end": _year_end,
    "greatest": lambda left, right: left if left >= right else right,
    "least": lambda left, right: left if left <= right else right,
    "siren": _siren,
    "siret": _siret,
    "vat": _vat,
    "iban": _iban,
}
