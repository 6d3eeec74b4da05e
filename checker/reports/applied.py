"""What a convention fixed, as a run applied it: each value, its dates, and how many controls fall while it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from checker.base.values import show
from checker.base.words import Words, long_date
from checker.model import Agreement, Amendment, DatedValue, Parameter, Scalar, Verdicts
from checker.reports.templates import amount, said


class Held(NamedTuple):
    """One dated value of a parameter; `dossiers`: how many are controlled on a day when it is the one in force."""

    parameter: Parameter
    value: DatedValue
    text: str
    dossiers: int


class Applied(NamedTuple):
    """An agreement with its values, and its amendments with the dossiers controlled while each is in force."""

    agreement: Agreement
    values: tuple[Held, ...]
    amendments: tuple[tuple[Amendment, int], ...]


def applied(verdicts: Verdicts, words: Words) -> list[Applied]:
    """Each agreement of the run."""
    return [_applied(agreement, verdicts, words) for agreement in verdicts.agreements]


def _applied(agreement: Agreement, verdicts: Verdicts, words: Words) -> Applied:
    days = [item.control_date for item in verdicts.dossiers if item.pack.get("id") == agreement.id]
    known = [day for day in days if day is not None]
    values = tuple(
        Held(parameter, value, text(parameter, value, words), _days(parameter, value, known))
        for parameter in agreement.parameters
        for value in parameter.values
    )
    amendments = tuple(
        (item, sum(item.applies_from is not None and item.applies_from <= day for day in known))
        for item in agreement.amendments
    )
    return Applied(agreement, values, amendments)


def _days(parameter: Parameter, value: DatedValue, days: Iterable[dt.date]) -> int:
    return sum(in_force(parameter.values, day) is value for day in days)


def in_force(values: Sequence[DatedValue], day: dt.date) -> DatedValue | None:
    """The value of that day: the latest entry wins."""
    holding = [item for item in values if (not item.start or item.start <= day) and (not item.end or day <= item.end)]
    return holding[-1] if holding else None


def text(parameter: Parameter, value: DatedValue, words: Words) -> str:
    """A value as people write it; what is known of it when it is not known itself."""
    if value.value is None:
        bounds = [
            words[f"page.{key}"].format(day=long_date(day, words))
            for key, day in (("not_before", value.not_before), ("not_after", value.not_after))
            if day is not None
        ]
        return words["list.comma"].join([words["page.blank" if value.blank else "page.unknown"], *bounds])
    items = value.value if isinstance(value.value, tuple) else (value.value,)
    return plain(items, parameter.type, value.written, words)


def plain(values: Iterable[Scalar], kind: str, written: str, words: Words) -> str:
    """Values of a parameter as people write them, the text of the pack where there is one."""
    items = list(values)
    if not items:
        return words["page.none"]
    return words["list.comma"].join(_one(item, kind, written if len(items) == 1 else "", words) for item in items)


def _one(value: Scalar, kind: str, written: str, words: Words) -> str:
    if isinstance(value, dt.date):
        return long_date(value, words)
    if isinstance(value, bool):
        return words["value.true" if value else "value.false"]
    if isinstance(value, Decimal) and kind == "money":
        return money(value, words)
    return written or show(value) or ""


def money(value: Decimal, words: Words) -> str:
    """« 200 000,00 € »."""
    return said(words["page.money"].format(amount=amount(value, words)))
