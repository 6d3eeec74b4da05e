"""Aggregates over rows side by side, without SQL: what the frames of `aggregates` say."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from checker.base.dictionary import ROOT
from checker.base.frames import HIDDEN
from checker.base.tree import Aggregate, Expr
from checker.findings.direct import Batch, Known, Scope, Values, View
from checker.findings.direct_values import fit

Measured = tuple[Any, int, int, int]  # what is known; how many rows are not, are negative; how many lists were not read
_HIDDEN = frozenset(int(state) for state in HIDDEN)
_NONE: Measured = (None, 0, 0, 0)


class Beside:
    """The rows that aggregates over a table read beside each row of a subject; those of row i at `spans[i]`.

    `one`: whether a row stands there; else a list that was not read, which may hold any.
    """

    def __init__(self, subject: str, view: View, table: str) -> None:
        batch = view.batch
        near, chain = batch.near(subject), batch.near(table)
        above = ROOT if table in near else next(item for item in chain if item in near)
        lines = _lines(batch, chain, near)
        held: dict[int | None, list[int]] = {}
        for line, row in enumerate(lines[above]):
            held.setdefault(row, []).append(line)
        picked: list[int] = []
        places: list[int] = []
        self.spans: list[range] = []
        for place, row in enumerate(view.rows[above]):
            found = held.get(row, [])
            self.spans.append(range(len(picked), len(picked) + len(found)))
            picked += found
            places += [place] * len(found)
        inner = [item for item in chain if item == table or item not in near]
        rows = {item: [lines[item][line] for line in picked] for item in inner}
        self.view = View(batch, rows, len(picked), view, places)
        self.one = [row is not None for row in rows[table]]


class Far:
    """The rows that aggregates across dossiers read: of every dossier that could be read, each with its run."""

    def __init__(self, batch: Batch, table: str) -> None:
        lines = _lines(batch, batch.near(table), ())
        roots = lines[ROOT]
        kept = [line for line, root in enumerate(roots) if root is not None and batch.stages[root] is not None]
        rows = {item: [found[line] for line in kept] for item, found in lines.items()}
        self.view = View(batch, rows, len(kept))
        self.runs = [batch.runs[row] for row in rows[ROOT] if row is not None]
        self.one = [row is not None for row in rows[table]]


def _lines(batch: Batch, chain: Sequence[str], near: Sequence[str]) -> dict[str, list[int | None]]:
    """Every row of a table with its parents', then each list of it that was not read, when it is not the subject's."""
    frames = batch.frames.tables
    table = chain[0]
    rows: dict[str, list[int | None]] = {table: list(range(len(frames[table])))}
    above: list[int | None] = list(frames[table].parents)
    for index, parent in enumerate(chain[1:]):
        if index == 0 and parent != ROOT and parent not in near:
            hidden = [row for row, state in enumerate(frames[parent].states[f"{table}[]"]) if state in _HIDDEN]
            rows[table] += [None] * len(hidden)
            above += hidden
        rows[parent] = above
        parents = frames[parent].parents
        above = [None if row is None else parents[row] for row in above]
    return rows


# --- aggregates -------------------------------------------------------------------------------------------------------


def aggregate(let: Aggregate, subject: str, view: View, scope: Scope, rows: Beside | Far) -> Known:
    """An aggregate at each row of the subject."""
    conditions: list[Values] = []
    if isinstance(rows, Beside):
        for row, own in let.by:
            pairs = zip(rows.view.of(row, scope), _outer(rows.view, own, scope), strict=True)
            conditions.append([None if a is None or b is None else a == b for a, b in pairs])
    if let.where is not None:
        conditions.append(rows.view.of(let.where, scope))
    holds = _all_of(conditions, rows.view.size)
    counts = let.fn in ("count", "exists") or let.value is None
    values = holds if counts or let.value is None else rows.view.of(let.value, scope)

    zero = fit(0, scale) if let.fn == "sum" and (scale := view.scale_of(let, scope)) is not None else 0

    def measured(lines: Iterable[int]) -> Measured:
        found = [(rows.one[line], holds[line], values[line]) for line in lines]
        return _MEASURES["count" if counts else let.fn](found, let.fn)

    if isinstance(rows, Beside):
        gone = _unread(let, subject, view, scope)
        return _filled(let, map(measured, rows.spans), gone, zero)
    groups: dict[tuple[Any, ...], list[int]] = {}
    keys = zip(rows.runs, *(rows.view.of(row, scope) for row, _ in let.by), strict=True)
    for line, key in enumerate(keys):
        groups.setdefault(key, []).append(line)
    said = {key: measured(lines) for key, lines in groups.items() if None not in key}
    runs = [view.batch.runs[root] for root in view.rows[ROOT] if root is not None]
    mine = list(zip(runs, *(view.of(own, scope) for _, own in let.by), strict=True))
    return _filled(let, [said.get(key, _NONE) for key in mine], [None in key for key in mine], zero)


def _outer(view: View, node: Expr, scope: Scope) -> Values:
    """What the subject's own row says, beside each row of the aggregate."""
    assert view.outer is not None
    found = view.outer.of(node, scope)
    return [found[place] for place in view.places]


def _all_of(conditions: Sequence[Values], size: int) -> Values:
    if not conditions:
        return [True] * size
    if len(conditions) == 1:
        return conditions[0]
    return [False if False in line else None if None in line else True for line in zip(*conditions, strict=True)]


def _unread(let: Aggregate, subject: str, view: View, scope: Scope) -> list[bool]:
    """Of each row of the subject, whether the list that an aggregate reads there was not read."""
    near = view.batch.near(subject)
    chain = view.batch.near(let.table)
    for table, parent in itertools.pairwise(chain):
        if parent in near:
            states = view.batch.frames.tables[parent].states[f"{table}[]"]
            return [row is not None and states[row] in _HIDDEN for row in view.rows[parent]]
    return [False] * view.size


Line = tuple[bool, Any, Any]  # whether it is a row, whether it counts, its value


def _counted(lines: Sequence[Line], fn: str) -> Measured:
    del fn
    known = sum(one and holds is True for one, holds, _ in lines)
    hidden = sum(not one or holds is None for one, holds, _ in lines)
    return known, hidden, 0, sum(not one for one, _, _ in lines)


def _decided(lines: Sequence[Line], fn: str) -> Measured:
    stop = fn == "any"
    known = hidden = 0
    for one, holds, value in lines:
        if not one:
            hidden += 1
        elif holds is not False:
            known += holds is True and value is stop
            hidden += value is None or (holds is None and value is stop)
    return known, hidden, 0, 0


def _folded(lines: Sequence[Line], fn: str) -> Measured:
    known: Any = None
    hidden = negative = 0
    for one, holds, value in lines:
        if not one:
            hidden += 1
        elif holds is not False:
            hidden += value is None or (holds is None and (fn != "sum" or value != 0))
            if value is None:
                continue
            negative += fn == "sum" and value < 0
            if holds and known is None:
                known = value
            elif holds:
                known = known + value if fn == "sum" else max(known, value) if fn == "max" else min(known, value)
    return known, hidden, negative, 0


_MEASURES = {
    "count": _counted,
    "any": _decided,
    "all": _decided,
    "sum": _folded,
    "max": _folded,
    "min": _folded,
}


def _filled(let: Aggregate, found: Iterable[Measured], gone: Sequence[bool], zero: Any) -> Known:
    """The exact value at each row, and what is certain below and above; `zero`: the sum of nothing."""
    said = [_said(let, item, lost, zero) for item, lost in zip(found, gone, strict=True)]
    exact, low, high = zip(*said, strict=True) if said else ((), (), ())
    return list(exact), list(low), list(high)


def _said(let: Aggregate, measured: Measured, gone: bool, zero: Any) -> tuple[Any, Any, Any]:
    known, hidden, negative, lists = measured
    hidden += gone
    if let.fn in ("exists", "any", "all"):
        found = let.fn != "all" if known else None if hidden else let.fn == "all"
        return found, None, None
    if let.fn == "count":
        count = known or 0
        return (None if hidden else count), count, (None if gone or lists else count + hidden)
    if let.fn == "sum":
        total = zero if known is None else known + zero
        exact = None if hidden else total
        return exact, (None if hidden and negative else total), exact
    exact = None if hidden else known
    return (exact, known, exact) if let.fn == "max" else (exact, exact, known)
