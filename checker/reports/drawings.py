"""What the figures of a dossier become when they are drawn: bars and a timeline, in hundredths of a width.

Nothing is judged here: what is not known is `None` and is never drawn as zero, a tone comes from an outcome of the
verdict, and an amount that no bar can show honestly (one below zero) is written without a bar.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from checker.model import Act, Amount, Ceiling, Figures, Finding, Outcome, Result
from checker.reports import rows

KEYS = 40  # bars of the amounts; the others are counted
ACTS = 40  # dates of the timeline; the others are counted, those out of order last
_LEFT, _SPAN, _HUNDRED = 5, 90, Decimal(100)  # of the timeline's width: a mark has room at both ends


class Part(NamedTuple):
    """One part of a bar, in hundredths of its width. `kind`: before, own, remaining, excess or unknown."""

    kind: str
    start: str
    width: str


class Term(NamedTuple):
    """One amount of the legend of a bar."""

    kind: str
    amount: Decimal | None


class Gauge(NamedTuple):
    """A ceiling and what is taken of it. `kept`: whether the run kept the amounts of a clause that holds."""

    ceiling: Ceiling
    parts: tuple[Part, ...]
    terms: tuple[Term, ...]
    mark: str | None  # where the ceiling stands on the bar, when something goes beyond it
    kept: bool


class Bar(NamedTuple):
    """One bar of the amounts; no width when there is none to draw."""

    amount: Amount
    width: str | None


class Step(NamedTuple):
    """One date of the timeline. `after`: the act that must come before this one, and is dated later."""

    number: int
    act: Act
    at: str | None
    after: tuple[int, Act] | None


class Timeline(NamedTuple):
    """The dates in the required order; `breach`: a rule that judges them is not respected."""

    steps: tuple[Step, ...]
    first: dt.date | None
    last: dt.date | None
    left: int
    breach: bool


class Stake(NamedTuple):
    """The amount that findings concern. `whole`: the whole dossier, not some lines; `unknown`: lines without amount."""

    whole: bool
    lines: int
    total: Decimal | None
    unknown: int


def share(part: Decimal, whole: Decimal) -> str:
    """« 42.00% »: exact enough for an eye, the same everywhere."""
    return f"{(part * _HUNDRED / whole).quantize(Decimal('0.01')) if whole else Decimal(0):f}%"


# The ceiling


def gauge(ceiling: Ceiling) -> Gauge:
    """What came before, what this dossier asks, what remains or exceeds."""
    limit, cumulated, own = ceiling.limit, ceiling.cumulated, ceiling.own
    before = cumulated - own if cumulated is not None and own is not None else None
    room = limit - cumulated if limit is not None and cumulated is not None else None
    over = room is not None and room < 0
    rest = Term("excess" if over else "remaining", abs(room) if room is not None else None)
    terms = (Term("before", before), Term("own", own), rest, Term("limit", limit))
    kept = (limit, cumulated) != (None, None) or ceiling.outcome in rows.BAD
    drawable = all(value is None or value >= 0 for value in (before, own, cumulated, limit))
    parts, mark = _parts(limit, cumulated, own) if kept and drawable else ((), None)
    return Gauge(ceiling, parts, terms, mark, kept)


def _parts(
    limit: Decimal | None, cumulated: Decimal | None, own: Decimal | None
) -> tuple[tuple[Part, ...], str | None]:
    if cumulated is None or limit is None:
        return _partly(limit, cumulated, own), None
    whole, below = max(limit, cumulated), min(cumulated, limit)
    before = min(cumulated - own, below) if own is not None else below
    cuts = [("before" if own is not None else "unknown", Decimal(0), before), ("own", before, below)]
    cuts.append(("excess", limit, cumulated) if cumulated > limit else ("remaining", cumulated, limit))
    parts = tuple(_part(kind, start, end, whole) for kind, start, end in cuts if end > start)
    return parts, share(limit, whole) if cumulated > limit else None


def _partly(limit: Decimal | None, cumulated: Decimal | None, own: Decimal | None) -> tuple[Part, ...]:
    """What is known, then what is not: a bar whose whole is not known ends in the unknown."""
    if not own:
        return (Part("unknown", "0%", "100%"),)
    end = cumulated if cumulated is not None else own
    whole = max(limit or Decimal(0), end * 2)
    cuts = [("before", Decimal(0), end - own), ("own", end - own, end), ("unknown", end, whole)]
    return tuple(_part(kind, start, stop, whole) for kind, start, stop in cuts if stop > start)


def _part(kind: str, start: Decimal, end: Decimal, whole: Decimal) -> Part:
    return Part(kind, share(start, whole), share(end - start, whole))


# The amounts


def bars(amounts: Sequence[Amount]) -> tuple[Bar, ...]:
    """The first bars, each against the greatest of all."""
    known = [amount.total for amount in amounts if amount.total is not None]
    whole = max(known, default=Decimal(0))
    return tuple(
        Bar(amount, share(amount.total, whole) if amount.total is not None and amount.total >= 0 and whole else None)
        for amount in amounts[:KEYS]
    )


# The acts


def timeline(figures: Figures) -> Timeline:
    """The dates where they fall, each that precedes one which must come before it marked."""
    steps = _ordered(figures.acts)
    days = [act.day for act in figures.acts if act.day]
    first, last = (min(days), max(days)) if days else (None, None)
    kept = sorted(sorted(steps, key=lambda step: step.after is None)[:ACTS], key=lambda step: step.number)
    placed = tuple(step._replace(at=_at(step.act.day, first, last)) for step in kept)
    breach = any(outcome is Outcome.NON_CONFORME for _, outcome in figures.order)
    return Timeline(placed, first, last, len(steps) - len(kept), breach)


def _ordered(acts: Sequence[Act]) -> list[Step]:
    """Each act with the latest of those that must come before it, when that one is later."""
    found: list[Step] = []
    best: tuple[int, Act] | None = None  # of the columns before this one: rows of one column are not ordered
    here: tuple[int, Act] | None = None
    for number, act in enumerate(acts, 1):
        if found and act.column != found[-1].act.column:
            best = here
        after = best if best and best[1].day and act.day and best[1].day > act.day else None
        found.append(Step(number, act, None, after))
        if act.day and (here is None or here[1].day is None or act.day > here[1].day):
            here = (number, act)
    return found


def _at(day: dt.date | None, first: dt.date | None, last: dt.date | None) -> str | None:
    if day is None or first is None or last is None:
        return None
    whole = (last - first).days
    return f"{_LEFT + Decimal(_SPAN) * (day - first).days / whole:.2f}%" if whole else "50%"


# What is at stake


def stake(results: Iterable[Result], figures: Figures | None) -> Stake | None:
    """The amount of the lines that findings name; of the whole when one is about no row. None: nothing to say."""
    if figures is None:
        return None
    found = [item.subject for result in results for item in rows.shown(result)]
    if figures.ceiling is not None and any(_about_all(subject) for subject in found):
        return Stake(True, 0, figures.ceiling.own, 0)
    lines = {subject: figures.lines[subject] for subject in found if subject in figures.lines}
    if not lines:
        return None
    known = [amount for amount in lines.values() if amount is not None]
    return Stake(False, len(lines), sum(known, Decimal(0)) if known else None, len(lines) - len(known))


def _about_all(subject: str) -> bool:
    return bool(subject) and ":" not in subject and not subject.endswith("[]")


def line_amount(finding: Finding, figures: Figures | None) -> Decimal | None:
    """What the row of a finding asks, when it is known."""
    return figures.lines.get(finding.subject) if figures is not None else None
