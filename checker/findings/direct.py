"""The values of typed trees over rows side by side, without SQL: a list a node, one value a row.

Equal nodes are one object in plans that were kept: each is computed once for the rows it is read at. A list that was
given is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.frames import Frames
from checker.base.tree import Bounded, Call, Column, Expr, Literal, Ref, Running, Scalar, StateOf
from checker.findings.direct_values import STRICT, fit

Values = list[Any]
Known = tuple[Values, Values, Values]  # of each row: the exact value, what is certain below, what is certain above
SCALES = {"money": 2, "letters": 2, "percent": 4}  # decimals of a column


class Batch:
    """What every view of a batch reads: columns as an engine holds them."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self.dictionary = frames.dictionary
        size = range(len(frames.submitted))
        self.stages = [frames.stage(index) for index in size]
        self.runs = [item.run for item in frames.submitted]
        self.references = [str(value or "") for value in frames.tables[ROOT].values["reference"]]
        self._columns: dict[tuple[str, str], Values] = {}

    def column(self, table: str, name: str) -> Values:
        """The values of a column, amounts with their decimals."""
        found = self._columns.get((table, name))
        if found is None:
            found = self.frames.tables[table].values[name]
            scale = SCALES.get(self.dictionary.tables[table].fields[name].type)
            if scale is not None:
                found = [None if value is None else fit(value, scale) for value in found]
            self._columns[table, name] = found
        return found

    def near(self, table: str) -> list[str]:
        """The table, its parent, and so on to the dossier: of a row of the table, each has one row."""
        chain = [table]
        while (parent := self.dictionary.tables[chain[-1]].parent) is not None:
            chain.append(parent)
        return chain


class Scope:
    """The named values that a part may read: what they are, and what was found of those that read others."""

    def __init__(self, lets: Sequence[tree.Let]) -> None:
        self.lets = {let.name: let for let in lets}
        self.named: dict[str, Known] = {}
        self.found: dict[tuple[int, int], Values] = {}  # (view, node) -> values that depend on named ones


class View:
    """Rows side by side, as many as `size`: for each table within reach, which of its rows stands at each place.

    `rows`: table -> its rows, None where there is none. `outer` and `places`: the view that these rows stand beside
    (what is not in `rows` is read there), and where.
    """

    refs = 0  # named values that were read: values computed meanwhile are those of one scope

    def __init__(
        self,
        batch: Batch,
        rows: Mapping[str, Sequence[int | None]],
        size: int,
        outer: View | None = None,
        places: Sequence[int] = (),
    ) -> None:
        self.batch, self.rows, self.size, self.outer, self.places = batch, rows, size, outer, places
        self.name: Callable[[str, Scope], Known] = _nothing
        self._found: dict[int, Values] = {}

    def of(self, node: Expr, scope: Scope) -> Values:
        """The values of a node."""
        key = id(node)
        found = self._found.get(key)
        if found is not None:
            return found
        found = scope.found.get((id(self), key))
        if found is not None:
            View.refs += 1
            return found
        before = View.refs
        found = _READ[type(node)](self, node, scope)
        if View.refs == before:
            self._found[key] = found
        else:
            scope.found[id(self), key] = found
        return found

    def _picked(self, table: str, source: Values) -> Values:
        rows = self.rows[table]
        return [None if row is None else source[row] for row in rows]

    def _beside(self, node: Expr, scope: Scope) -> Values:
        if self.outer is None:
            raise LookupError(str(node))
        found = self.outer.of(node, scope)
        return [found[place] for place in self.places]

    def _literal(self, node: Literal, scope: Scope) -> Values:
        return [constant(node.value)] * self.size

    def _column(self, node: Column, scope: Scope) -> Values:
        if node.name == "#":
            return self._beside(node, scope) if self.outer else list(self.rows[ROOT])
        if node.table not in self.rows:
            return self._beside(node, scope)
        return self._picked(node.table, self.batch.column(node.table, node.name))

    def _state(self, node: StateOf, scope: Scope) -> Values:
        if node.table not in self.rows:
            return self._beside(node, scope)
        return self._picked(node.table, self.batch.frames.tables[node.table].states[node.name])

    def _ref(self, node: Ref, scope: Scope) -> Values:
        if self.outer is not None:
            return self._beside(node, scope)
        View.refs += 1
        return self.name(node.name, scope)[("", "lo", "hi").index(node.side)]

    def _bounded(self, node: Bounded, scope: Scope) -> Values:
        return self.of(node.exact, scope)

    def _call(self, node: Call, scope: Scope) -> Values:
        special = _SPECIAL.get(node.op)
        if special is not None:
            return special(self, node, scope)
        operator, args = STRICT[node.op], node.args
        left = self.of(args[0], scope)
        if len(args) == 1:
            return [None if value is None else operator(value) for value in left]
        right = self.of(args[1], scope)
        pairs = zip(left, right, strict=True)
        found = [None if a is None or b is None else operator(a, b) for a, b in pairs]
        return self._scaled(node, found, scope) if node.op in ("greatest", "least") else found

    def _and(self, node: Call, scope: Scope) -> Values:
        return self._kleene(node, scope, False)

    def _or(self, node: Call, scope: Scope) -> Values:
        return self._kleene(node, scope, True)

    def _kleene(self, node: Call, scope: Scope, stop: bool) -> Values:
        found = self.of(node.args[0], scope)
        for arg in node.args[1:]:
            if all(value is stop for value in found):
                break
            pairs = zip(found, self.of(arg, scope), strict=True)
            found = [
                stop if a is stop or b is stop else None if a is None or b is None else (not stop) for a, b in pairs
            ]
        return found

    def _in(self, node: Call, scope: Scope) -> Values:
        members = [self.of(arg, scope) for arg in node.args[1:]]
        return [
            None if value is None else value in among or (None if None in among else False)
            for value, *among in zip(self.of(node.args[0], scope), *members, strict=True)
        ]

    def _case(self, node: Call, scope: Scope) -> Values:
        args = node.args
        found: Values = [None] * self.size
        left: Sequence[int] = range(self.size)
        for index in range(0, len(args) - 1, 2):
            asked = self.of(args[index], scope)
            if chosen := [place for place in left if asked[place]]:
                values = self.of(args[index + 1], scope)
                for place in chosen:
                    found[place] = values[place]
                left = [place for place in left if not asked[place]]
                if not left:
                    break
        if left and len(args) % 2:
            values = self.of(args[-1], scope)
            for place in left:
                found[place] = values[place]
        return self._scaled(node, found, scope)

    def _scaled(self, node: Call, found: Values, scope: Scope) -> Values:
        """What SQL makes of values of several numeric types: the largest scale."""
        if node.type not in tree.NUMBERS:
            return found
        scale = self.scale(node, scope)
        return found if scale is None else [None if value is None else fit(value, scale) for value in found]

    def _is_true(self, node: Call, scope: Scope) -> Values:
        return [value is True for value in self.of(node.args[0], scope)]

    def _is_null(self, node: Call, scope: Scope) -> Values:
        return [value is None for value in self.of(node.args[0], scope)]

    def scale(self, node: Expr, scope: Scope) -> int | None:
        """The decimals that SQL gives to a number; None: a whole one."""
        if isinstance(node, Literal):
            if node.value is None:
                return SCALES.get(node.type)
            exponent = node.value.as_tuple().exponent if isinstance(node.value, Decimal) else 0
            return -exponent if isinstance(exponent, int) and exponent < 0 else None
        if isinstance(node, Column):
            return (
                SCALES.get(self.batch.dictionary.tables[node.table].fields[node.name].type)
                if node.name != "#"
                else None
            )
        if isinstance(node, Ref):
            return self.scale_of(scope.lets[node.name], scope)
        if isinstance(node, Bounded):
            return self.scale(node.exact, scope)
        if not isinstance(node, Call) or node.op in ("year", "month", "length"):
            return None
        if node.op == "part":
            return 2
        args = [*node.args[1:-1:2], *node.args[-1:]] if node.op == "case" else node.args
        scales = [self.scale(arg, scope) for arg in args]
        known = [scale for scale in scales if scale is not None]
        return (sum(known) if node.op == "mul" else max(known)) if known else None

    def scale_of(self, let: tree.Let, scope: Scope) -> int | None:
        """The decimals of a named value."""
        if isinstance(let, Scalar):
            return self.scale(let.value, scope)
        counts = let.distinct if isinstance(let, Running) else let.fn == "count"
        if counts or let.value is None:
            return None
        inner = self.scale(let.value, scope)
        adds = isinstance(let, Running) or let.fn == "sum"
        return max(inner or 0, 2) if adds and let.type == "money" else inner


def constant(value: Any) -> Any:
    """A constant as SQL reads it: a decimal without decimals is a whole number."""
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return int(value) if isinstance(exponent, int) and exponent >= 0 else value or abs(value)
    return value


def _nothing(name: str, scope: Scope) -> Known:
    raise LookupError(name)


_READ: Mapping[type, Callable[..., Values]] = {
    Literal: View._literal,
    Column: View._column,
    StateOf: View._state,
    Ref: View._ref,
    Bounded: View._bounded,
    Call: View._call,
}
_SPECIAL: Mapping[str, Callable[..., Values]] = {
    "and": View._and,
    "or": View._or,
    "in": View._in,
    "case": View._case,
    "is_true": View._is_true,
    "is_null": View._is_null,
}
