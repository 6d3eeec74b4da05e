"""The oracle: a slow, obvious evaluator of typed trees, one row at a time, without SQL. Door: `evaluate`.

It is written from what the trees mean (`checker/base/tree.py`), aggregates that keep the unknown first: NULL is None,
booleans follow Kleene, amounts are Decimal. Where the meaning leaves a choice, the convention is said on the spot.
"""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.frames import Frames
from checker.base.tree import Aggregate, Call, Column, Expr, Literal, Part, Plan, Ref, Running, Scalar, StateOf
from checker.model import Outcome, State

Known = tuple[Any, Any, Any]  # the exact value, what it is not below, what it is not above; None: cannot be told
Cells = dict[tuple[str, int], Outcome]
HIDDEN = (State.BLANK, State.UNREADABLE, State.ABSENT)
NO_ROW = -1  # the row of a cell that speaks of rows that are not there
_WORST = (Outcome.NON_CONFORME, Outcome.INDETERMINE, Outcome.CONFORME, Outcome.SANS_OBJET)


@dataclass(frozen=True)
class Spot:
    """Where an expression is read: the row of each table within reach, and the named values."""

    frames: Frames
    dossier: int
    rows: Mapping[str, int]
    names: dict[str, Known] = field(default_factory=dict)

    def over(self, rows: Mapping[str, int]) -> Spot:
        return Spot(self.frames, self.dossier, {**self.rows, **rows}, self.names)


def evaluate(plans: Sequence[Plan], frames: Frames) -> dict[str, dict[int, Cells]]:
    """rule -> dossier -> (table, row) -> outcome. Row NO_ROW: what missing or unread rows leave to say."""
    found: dict[str, dict[int, Cells]] = {}
    for plan in plans:
        cells: dict[int, Cells] = {index: {} for index in range(len(frames.submitted))}
        for part, spot, outcome in judge(plan, frames):
            place = (part.subject, spot.rows[part.subject])
            before = cells[spot.dossier].get(place)
            cells[spot.dossier][place] = outcome if before is None else worst([before, outcome])
        for subject in dict.fromkeys(part.subject for part in plan.parts):
            for index, own in cells.items():
                gone = _without_rows(plan, subject, index, frames, any(table == subject for table, _ in own))
                if gone is not None:
                    own[(subject, NO_ROW)] = gone
        found[plan.rule] = cells
    return found


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """non_conforme, else indetermine, else conforme, else sans_objet."""
    return next((item for item in _WORST if item in outcomes), Outcome.SANS_OBJET)


def judge(plan: Plan, frames: Frames) -> Iterator[tuple[Part, Spot, Outcome]]:
    """The outcome of each part on each row of its subject, with the spot it was read at."""
    for part in plan.parts:
        spots = [_spot(frames, part.subject, row) for row in range(len(frames.tables[part.subject]))]
        for let in part.lets:
            _name(let, part.subject, spots)
        for spot in spots:
            yield part, spot, _outcome(part, spot)


def _outcome(part: Part, spot: Spot) -> Outcome:
    stage = spot.frames.stage(spot.dossier)
    if stage is not None and stage < part.stage:
        return Outcome.SANS_OBJET
    if part.when is not None:
        asked = value(part.when, spot)
        if asked is None:
            return Outcome.INDETERMINE
        if not asked:
            return Outcome.SANS_OBJET
    holds = value(part.ok, spot)
    if holds is None:
        return Outcome.INDETERMINE
    if holds:
        return Outcome.CONFORME
    return Outcome.INDETERMINE if part.soft else Outcome.NON_CONFORME


def _without_rows(plan: Plan, subject: str, dossier: int, frames: Frames, rows: bool) -> Outcome | None:
    """A list that is not known may hold rows that nobody judged, unless none is asked; an empty one holds nothing."""
    if subject == ROOT:
        return None
    if any(_hidden_list(frames, table, dossier) for table in _chain(frames, subject)[:-1]):
        stage = frames.stage(dossier)
        due = [part for part in plan.parts if part.subject == subject and (stage is None or stage >= part.stage)]
        if not all(_never(part.when, Spot(frames, dossier, {ROOT: dossier})) for part in due):
            return Outcome.INDETERMINE
    return None if rows else Outcome.SANS_OBJET


def _never(when: Expr | None, spot: Spot) -> bool:
    """Whether a condition is false by the facts of the dossier alone."""
    alone = all(table == ROOT for table, _ in tree.columns(when)) and not any(
        isinstance(node, Ref) for node in tree.walk(when)
    )
    return when is not None and alone and value(when, spot) is False


def _hidden_list(frames: Frames, table: str, dossier: int) -> bool:
    parent = frames.dictionary.tables[table].parent
    assert parent is not None
    states = frames.tables[parent].states[f"{table}[]"]
    return any(states[row] in HIDDEN for row in frames.rows(parent, dossier))


def _chain(frames: Frames, table: str) -> list[str]:
    """The table, its parent, and so on to the dossier."""
    found = [table]
    while (parent := frames.dictionary.tables[found[-1]].parent) is not None:
        found.append(parent)
    return found


def _above(frames: Frames, table: str, row: int) -> dict[str, int]:
    """The row, its parent's row, and so on to the dossier's."""
    found = {table: row}
    for parent in _chain(frames, table)[1:]:
        row = frames.tables[table].parents[row]
        table = parent
        found[table] = row
    return found


def _spot(frames: Frames, table: str, row: int) -> Spot:
    return Spot(frames, frames.tables[table].dossiers[row], _above(frames, table, row))


def _run(frames: Frames, dossier: int) -> int:
    return frames.submitted[dossier].run


# --- named values -----------------------------------------------------------------------------------------------------


def _name(let: tree.Let, subject: str, spots: Sequence[Spot]) -> None:
    """Give each spot the named value (all of them first, then all at once: a running sum reads the others')."""
    if isinstance(let, Running):
        found = [_running(let, spot, spots) for spot in spots]
    elif isinstance(let, Aggregate):
        found = [_aggregate(let, subject, spot) for spot in spots]
    else:
        found = [(value(let.value, spot), None, None) for spot in spots]
    for spot, item in zip(spots, found, strict=True):
        spot.names[let.name] = item


def _candidates(let: Aggregate, subject: str, spot: Spot) -> Iterator[Spot]:
    """The rows that an aggregate reads, each beside the subject's row."""
    frames = spot.frames
    chain = _chain(frames, let.table)
    near = _chain(frames, subject)
    if let.across != "dossier":
        for row in range(len(frames.tables[let.table])):
            dossier = frames.tables[let.table].dossiers[row]
            if _run(frames, dossier) == _run(frames, spot.dossier) and frames.stage(dossier) is not None:
                yield spot.over(_above(frames, let.table, row))
        return
    shared = ROOT if let.table in near else next(table for table in chain if table in near)
    own = [let.table, *(table for table in chain if table not in near)]
    for row in frames.rows(let.table, spot.dossier):
        above = _above(frames, let.table, row)
        if above[shared] == spot.rows[shared]:
            yield spot.over({table: above[table] for table in own})


def _list_hidden(let: Aggregate, subject: str, spot: Spot) -> bool:
    """Whether a list on the way from what the subject shares to the rows is not known: some of them may not be read."""
    if let.across != "dossier" or let.table == ROOT:
        return False
    frames = spot.frames
    chain, near = _chain(frames, let.table), _chain(frames, subject)
    shared = next(table for table in chain[1:] if table in near) if let.table not in near else ROOT
    for table, parent in itertools.pairwise(chain):
        states = frames.tables[parent].states[f"{table}[]"]
        for row in frames.rows(parent, spot.dossier):
            if states[row] in HIDDEN and _above(frames, parent, row)[shared] == spot.rows[shared]:
                return True
        if parent == shared:
            break
    return False


def _aggregate(let: Aggregate, subject: str, spot: Spot) -> Known:
    """The value over the rows that surely count, and what the rows that may count leave of it.

    Across dossiers, a row of unknown key, or of a dossier that cannot be read, belongs to no group: its doubt is
    not the others'. A subject of unknown key may belong to any group: what it finds there is not known.
    """
    hidden = _list_hidden(let, subject, spot)
    own = [value(mine, spot) for _, mine in let.by]
    if let.across != "dossier" and None in own:
        return _FOLDS[let.fn]([], [], True)
    sure: list[Any] = []
    maybe: list[Any] = []
    for item in _candidates(let, subject, spot):
        keys = [value(row, item) for row, _ in let.by]
        if let.across != "dossier" and None in keys:
            continue
        asked = [_equal(left, right) for left, right in zip(keys, own, strict=True)]
        asked += [value(let.where, item)] if let.where is not None else []
        counts = _and(asked)
        if counts is False:
            continue
        term = 1 if let.value is None else value(let.value, item)
        (sure if counts else maybe).append(term)
    return _FOLDS[let.fn](sure, maybe, hidden)


def _exists(sure: list[Any], maybe: list[Any], hidden: bool) -> Known:
    return (True if sure else (None if maybe or hidden else False), None, None)


def _any(sure: list[Any], maybe: list[Any], hidden: bool) -> Known:
    if True in sure:
        return True, None, None
    return None if None in sure or any(term is not False for term in maybe) or hidden else False, None, None


def _all(sure: list[Any], maybe: list[Any], hidden: bool) -> Known:
    if False in sure:
        return False, None, None
    return None if None in sure or any(term is not True for term in maybe) or hidden else True, None, None


def _count(sure: list[Any], maybe: list[Any], hidden: bool) -> Known:
    low, high = len(sure), len(sure) + len(maybe)
    return (low if low == high and not hidden else None), low, (None if hidden else high)


def _sum(sure: list[Any], maybe: list[Any], hidden: bool) -> Known:
    """A partial sum is a lower bound of amounts that are not negative, and only of these."""
    known = [term for term in sure if term is not None]
    total = sum(known, Decimal(0))
    if len(known) == len(sure) and all(term == 0 for term in maybe) and not hidden:
        return total, total, total
    negative = any(term is not None and term < 0 for term in [*sure, *maybe])
    return None, (None if negative else total), None


def _max(sure: list[Any], maybe: list[Any], hidden: bool) -> Known:
    """Nothing known: no value, and no bound. A row that may count leaves the largest known one as a lower bound."""
    known = [term for term in sure if term is not None]
    best = max(known) if known else None
    exact = best if len(known) == len(sure) and not maybe and not hidden else None
    return exact, best, exact


def _min(sure: list[Any], maybe: list[Any], hidden: bool) -> Known:
    known = [term for term in sure if term is not None]
    best = min(known) if known else None
    exact = best if len(known) == len(sure) and not maybe and not hidden else None
    return exact, exact, best


_FOLDS = {"exists": _exists, "any": _any, "all": _all, "count": _count, "sum": _sum, "max": _max, "min": _min}


# --- running sums -----------------------------------------------------------------------------------------------------

BEFORE, AFTER, UNSURE = -1, 1, 0


def _running(let: Running, spot: Spot, spots: Sequence[Spot]) -> Known:
    """The sum (or the count of distinct values) over the rows that come no later than this one, from the anchor on.

    A row of unknown key belongs to no group, its own value cannot be told. A row of unknown place may come before any.
    """
    keys = [value(key, spot) for key in let.by]
    if None in keys:
        return None, None, None
    group = [
        other
        for other in spots
        if _run(other.frames, other.dossier) == _run(spot.frames, spot.dossier)
        and [value(key, other) for key in let.by] == keys
    ]
    sure = [other for other in group if other is spot or _order(let, other, spot) == BEFORE]
    maybe = [other for other in group if other is not spot and _order(let, other, spot) == UNSURE]
    if let.distinct:
        return _distinct(let, spot, sure, maybe)
    anchors = [other for other in group if let.anchor is not None and value(let.anchor, other) is True]
    begun = True
    if anchors:
        first = min(anchors, key=lambda other: _rank(let, other))
        if first is spot:
            sure, maybe = [spot], []
        elif _order(let, first, spot) != BEFORE:
            return None, None, None  # it comes, or may come, before the beginning
        else:
            maybe += [
                other
                for other in sure
                if other is not first and other is not spot and _order(let, first, other) == UNSURE
            ]
            sure = [other for other in sure if other is first or other is spot or _order(let, first, other) == BEFORE]
            maybe = [other for other in maybe if _order(let, first, other) != AFTER]
    elif let.anchored:
        begun = False  # where it begins is not known: only the lower bound is
    terms = [value(let.value, other) for other in sure]
    known = [term for term in terms if term is not None]
    total = sum(known, Decimal(0))
    whole = len(known) == len(terms) and not maybe
    exact = total if whole and begun else None
    doubtful = [value(let.value, other) for other in maybe]
    # a partial sum is a lower bound of amounts that are not negative, as for a plain sum
    negative = any(term is not None and term < 0 for term in [*known, *doubtful])
    low = total if whole or not negative else None
    return exact, low, exact


def _distinct(let: Running, spot: Spot, sure: Sequence[Spot], maybe: Sequence[Spot]) -> Known:
    seen = [value(let.value, other) for other in sure]
    doubtful = [value(let.value, other) for other in maybe]
    known = {term for term in seen if term is not None}
    hidden = len([term for term in (*seen, *doubtful) if term is None]) + len(
        {t for t in doubtful if t is not None} - known
    )
    exact = len(known) if not hidden else None
    high = len(known) + hidden if value(let.value, spot) is not None else None
    return exact, len(known), high


def _order(let: Running, left: Spot, right: Spot) -> int:
    """Whether the left row comes before the right one, after it, or cannot be told."""
    if left is right:
        return BEFORE
    for key in let.order:
        read = tree.columns(key)
        if read and all(left.rows[table] == right.rows[table] for table, _ in read):
            continue  # one fact: equal to itself, known or not
        a, b = value(key, left), value(key, right)
        if a is None or b is None:
            return UNSURE
        if a != b:
            return BEFORE if a < b else AFTER
    return BEFORE if _tie(left) < _tie(right) else AFTER


def _tie(spot: Spot) -> tuple[str, int]:
    reference = spot.frames.tables[ROOT].values["reference"][spot.dossier]
    return str(reference or ""), next(iter(spot.rows.values()))  # the subject's own row comes first


def _rank(let: Running, spot: Spot) -> tuple[Any, ...]:
    """The stated order as a key, unknown places last."""
    keys = [value(key, spot) for key in let.order]
    return (*((key is None, key) if key is not None else (True, 0) for key in keys), _tie(spot))


# --- expressions ------------------------------------------------------------------------------------------------------


def value(node: Expr, spot: Spot) -> Any:
    """The value of a node there; None is the unknown."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Column):
        if node.name == "#":
            return spot.dossier
        return spot.frames.tables[node.table].values[node.name][spot.rows[node.table]]
    if isinstance(node, StateOf):
        return int(spot.frames.tables[node.table].states[node.name][spot.rows[node.table]])
    if isinstance(node, Ref):
        return spot.names[node.name][("", "lo", "hi").index(node.side)]
    if isinstance(node, tree.Bounded):
        return value(node.exact, spot)
    if isinstance(node, Scalar):
        return value(node.value, spot)
    assert isinstance(node, Call)
    if node.op == "case":
        return _case(node.args, spot)
    return apply(node.op, [value(arg, spot) for arg in node.args])


def _case(args: Sequence[Expr], spot: Spot) -> Any:
    for index in range(0, len(args) - 1, 2):
        if value(args[index], spot) is True:
            return value(args[index + 1], spot)
    return value(args[-1], spot) if len(args) % 2 else None


def _and(args: Sequence[bool | None]) -> bool | None:
    if False in args:
        return False
    return None if None in args else True


def _or(args: Sequence[bool | None]) -> bool | None:
    if True in args:
        return True
    return None if None in args else False


def _equal(left: Any, right: Any) -> bool | None:
    return None if left is None or right is None else left == right


def _in(args: Sequence[Any]) -> bool | None:
    return _or([_equal(args[0], member) for member in args[1:]]) if args[0] is not None else None


def apply(op: str, args: Sequence[Any]) -> Any:
    """An operator over values: Kleene for and, or, in; is_true and is_null always answer; others keep the unknown."""
    if op in ("and", "or", "in"):
        return {"and": _and, "or": _or, "in": _in}[op](args)
    if op == "is_true":
        return args[0] is True
    if op == "is_null":
        return args[0] is None
    return None if None in args else _PLAIN[op](*args)


def part(amount: Any, percent: Any) -> Decimal:
    """A share of an amount, half-up to the cent (away from zero for a negative one)."""
    exact = Decimal(amount) * Decimal(percent) / 100
    return exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day so many months later, or the last one of that month; never after the last day that Python knows."""
    if day.year * 12 + day.month + months > dt.MAXYEAR * 12 + 12:
        return dt.date.max
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def luhn(digits: str) -> bool:
    """The check of the bank cards: every other digit from the right, doubled, its digits added."""
    total = 0
    for index, char in enumerate(reversed(digits)):
        number = int(char) * (1 + index % 2)
        total += number // 10 + number % 10
    return total % 10 == 0


def siren(text: str) -> bool:
    return bool(re.fullmatch("[0-9]{9}", text)) and luhn(text)


def siret(text: str) -> bool:
    """Luhn, of the SIREN too; for La Poste's establishments, also a sum of digits that five divides."""
    if not re.fullmatch("[0-9]{14}", text):
        return False
    if text.startswith("356000000") and sum(map(int, text)) % 5 == 0:
        return True
    return luhn(text) and luhn(text[:9])


def vat(text: str) -> bool | None:
    """The French key over the SIREN; a key with letters is of the new form, that cannot be told."""
    if not re.fullmatch("FR[0-9A-Z]{2}[0-9]{9}", text):
        return False
    if not text[2:4].isdigit():
        return None
    return int(text[2:4]) == (12 + 3 * (int(text[4:]) % 97)) % 97


def iban(text: str) -> bool:
    """Modulo 97 of ISO 13616; a French one has 27 signs."""
    if not re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", text) or (text.startswith("FR") and len(text) != 27):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


_PLAIN: dict[str, Any] = {
    "not": lambda a: not a,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "neg": lambda a: -a,
    "part": part,
    "match": lambda a, b: re.fullmatch(b, a) is not None,
    "starts": lambda a, b: a.startswith(b),
    "contains": lambda a, b: b in a,
    "left": lambda a, b: a[:b],
    "length": len,
    "year": lambda a: a.year,
    "month": lambda a: a.month,
    "add_years": lambda a, b: add_months(a, 12 * b),
    "add_months": add_months,
    "add_days": lambda a, b: dt.date.fromordinal(min(a.toordinal() + b, dt.date.max.toordinal())),
    "year_end": lambda a, b: dt.date(min(a.year + b, dt.MAXYEAR), 12, 31),
    "greatest": max,
    "least": min,
    "siren": siren,
    "siret": siret,
    "vat": vat,
    "iban": iban,
}
