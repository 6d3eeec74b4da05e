"""The program's own words, one YAML file a language, as a flat table: `words("fr")["outcome.sans_objet"]`."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from checker.base import cache, yamlfile

Words = Mapping[str, str]
_FOLDER = Path(__file__).parent


@functools.cache
def languages() -> tuple[str, ...]:
    """The languages that have a file here."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@functools.cache
def words(lang: str = "fr") -> Words:
    """The words of a language; ValueError for a language that has no file."""
    if lang not in languages():
        raise ValueError(f"{lang!r}: {', '.join(languages())}")
    name = cache.key("words", lang)
    found = cache.get(name)
    if not isinstance(found, dict):
        found = dict(_flat("", yamlfile.load_data(_FOLDER / f"{lang}.yaml")))
        cache.put(name, found)
    return MappingProxyType(found)


def _flat(prefix: str, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", str(value)


_SLOT = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")


def fill(template: str, slots: Mapping[str, str]) -> str:
    """The sentence with its slots filled: `{observed}`, `{depenses.ligne}`; « ? » where nothing is known."""
    return _SLOT.sub(lambda found: slots.get(found[1], "?"), template)


def slots(template: str) -> tuple[str, ...]:
    """The names of the slots of a sentence."""
    return tuple(_SLOT.findall(template))


def counted(table: Words, key: str, count: int) -> str:
    """« 1 conforme », « 12 conformes »: the words of the table are written « singular|plural »."""
    singular, _, plural = table[key].partition("|")
    alone = count < int(table["plural_from"]) if table["lang"] == "fr" else count == 1
    return (singular if alone else plural).format(n=f"{count:,}".replace(",", table["thousands"]))


def number(value: Decimal | int, table: Words, decimals: int = 0) -> str:
    """« 1 234,5 », "1,234.5": at least that many decimals, more when the value has more; never rounded."""
    exact = Decimal(value)
    if not exact.is_finite():
        return str(value)
    trimmed = exact.normalize()
    exponent = trimmed.as_tuple().exponent
    places = max(decimals, -exponent if isinstance(exponent, int) else 0, 0)
    whole, point, cents = f"{trimmed:,.{places}f}".partition(".") if trimmed else f"{0:.{places}f}".partition(".")
    return f"{whole.replace(',', table['thousands'])}{table['decimal'] if point else ''}{cents}"


def money(value: Decimal | int, table: Words) -> str:
    """« 200 000,00 € », "€200,000.00"; a third decimal shown when there is one."""
    text = number(value, table, 2)
    sign, bare = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + table["number.money"].format(number=bare)


def percent(value: Decimal | int, table: Words) -> str:
    """« 5,5 % », "5.5%"."""
    return table["number.percent"].format(number=number(value, table))


def long_date(day: dt.date, table: Words) -> str:
    """« 1er novembre 2018 », "1 November 2018"."""
    number = table["date.first"] if day.day == 1 else str(day.day)
    return table["date.pattern"].format(day=number, month=table[f"month.{day.month}"], year=day.year)
