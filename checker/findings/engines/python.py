"""This interpreter: typed trees read row by row, for the few rows that a statement of SQL costs more than it judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, localcontext
from typing import Any

from checker.base.dictionary import ROOT, Dictionary
from checker.base.frames import Frames
from checker.base.tree import Aggregate, Let, Part, Running
from checker.findings.direct import Batch, Known, Scope, Values, View
from checker.findings.direct_aggregates import Beside, Far, aggregate
from checker.findings.direct_running import running
from checker.model.frozen import frozen

DIGITS = 76  # of a computation: twice those of a decimal of SQL, none is rounded


@frozen
class Statement:
    """What is asked of the rows of a subject."""

    subject: str
    parts: tuple[Part, ...]


class Emitter:
    """Nothing is written: the trees are the statement."""

    def statement(self, subject: str, parts: Sequence[Part]) -> Statement:
        """The statement of these parts, all of that subject."""
        return Statement(subject, tuple(parts))


class Session:
    """The rows of one batch, and what was computed of them."""

    def __init__(self, frames: Frames) -> None:
        self.emitter = Emitter()
        self._batch = Batch(frames)
        self._views: dict[str, View] = {}
        self._beside: dict[tuple[str, str], Beside] = {}
        self._far: dict[str, Far] = {}
        self._scopes: dict[tuple[str, tuple[int, ...]], Scope] = {}
        self._lets: dict[tuple[Any, ...], Known] = {}
        self._asked: list[Statement] = []  # what was computed is known by its nodes: they must live

    def run(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows of a statement; RuntimeError: a value that SQL would refuse too."""
        self._asked.append(statement)
        try:
            with localcontext(Context(prec=DIGITS)):
                return self._run(statement)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise RuntimeError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Forget all of it."""
        self._scopes.clear()
        self._lets.clear()
        self._asked.clear()

    def _run(self, statement: Statement) -> list[tuple[Any, ...]]:
        view = self._view(statement.subject)
        stages = [self._batch.stages[row] for row in view.rows[ROOT] if row is not None]
        columns: list[Sequence[Any]] = [view.rows[ROOT], range(view.size)]
        for part in statement.parts:
            columns += self._part(part, view, stages)
        return list(zip(*columns, strict=True))

    def _view(self, subject: str) -> View:
        if subject not in self._views:
            rows: dict[str, Sequence[int | None]] = {}
            here: list[int] = list(range(len(self._batch.frames.tables[subject])))
            size = len(here)
            for table in self._batch.near(subject):
                rows[table] = here
                parents = self._batch.frames.tables[table].parents
                here = [parents[row] for row in here]
            view = self._views[subject] = View(self._batch, rows, size)
            view.name = lambda name, scope: self._named(name, scope, subject, view)
        return self._views[subject]

    def _part(self, part: Part, view: View, stages: Sequence[int | None]) -> list[Values]:
        key = (part.subject, tuple(map(id, part.lets)))
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = Scope(part.lets)
        outcomes = [3 if stage is not None and stage < part.stage else 0 for stage in stages]
        if part.when is not None and 0 in outcomes:
            asked = view.of(part.when, scope)
            outcomes = [
                3 if o == 3 or a is False else 2 if a is None else 0 for o, a in zip(outcomes, asked, strict=True)
            ]
        if 0 in outcomes:
            fails = 2 if part.soft else 1
            holds = view.of(part.ok, scope)
            said = [2 if ok is None else 0 if ok else fails for ok in holds]
            outcomes = [outcome or found for outcome, found in zip(outcomes, said, strict=True)]
        nodes = [part.observed, part.expected, part.at, *(node for _, node in part.shows)]
        if all(outcome == 3 for outcome in outcomes):  # nothing is told of them
            return [outcomes, *([[None] * view.size] * len(nodes))]
        return [outcomes, *([None] * view.size if node is None else view.of(node, scope) for node in nodes)]

    def _named(self, name: str, scope: Scope, subject: str, view: View) -> Known:
        found = scope.named.get(name)
        if found is None:
            let = scope.lets[name]
            key = (subject, *_same(let))
            found = self._lets.get(key)
            if found is None:
                before = View.refs
                found = self._computed(let, subject, view, scope)
                if View.refs == before:  # it reads no other: it is that of every rule that names its like
                    self._lets[key] = found
            scope.named[name] = found
        return found

    def _computed(self, let: Let, subject: str, view: View, scope: Scope) -> Known:
        if isinstance(let, Running):
            return running(let, view, scope)
        if not isinstance(let, Aggregate):
            found = view.of(let.value, scope)
            return found, found, found
        if let.across == "dossier":
            place = (subject, let.table)
            if place not in self._beside:
                self._beside[place] = Beside(subject, view, let.table)
            return aggregate(let, subject, view, scope, self._beside[place])
        if let.table not in self._far:
            self._far[let.table] = Far(self._batch, let.table)
        return aggregate(let, subject, view, scope, self._far[let.table])


def _same(let: Let) -> tuple[Any, ...]:
    """What makes two named values one: all but their names."""
    if isinstance(let, Aggregate):
        keys = tuple((id(row), id(own)) for row, own in let.by)
        return let.fn, let.table, id(let.value), id(let.where), keys, let.across, let.type
    return (id(let),)


def session(frames: Frames, columns: Mapping[str, set[tuple[str, bool]]], dictionary: Dictionary) -> Session:
    """The rows of a batch, judged here."""
    del columns, dictionary
    return Session(frames)
