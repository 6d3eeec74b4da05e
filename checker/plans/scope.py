"""What a kind sees while it compiles: names resolved to typed nodes, faults collected with their place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checker.base import tree, values
from checker.base.dictionary import ROOT, Dictionary
from checker.base.plugs import nearest
from checker.base.tree import Bounded, Call, Column, Expr, Let, Literal, Ref
from checker.errors import Problem
from checker.model import DatedValue, Pack, Parameter, Rule

Path = tuple[str | int, ...]


class Fault(Exception):
    """A fault of the rule at a path below it; the compiler gives it its place."""

    def __init__(self, what: str, path: Path = (), todo: str = "") -> None:
        self.what, self.path, self.todo = what, path, todo
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Check:
    """What a kind compiles to. `subject` None: the part's own; `about`: the columns that the duty judges."""

    ok: Expr
    observed: Expr | None = None
    expected: Expr | None = None
    when: Expr | None = None
    about: tuple[Expr, ...] = ()
    lets: tuple[Let, ...] = ()
    subject: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    shows: tuple[tuple[str, Expr], ...] = ()


@dataclass
class Scope:
    """One part under compilation. `explicit_at`: the rule says the date at which parameters are read."""

    dictionary: Dictionary
    pack: Pack
    rule: Rule
    subject: str
    at: Expr
    explicit_at: bool
    rule_ids: frozenset[str]
    names: dict[str, Expr] = field(default_factory=dict)
    lets: list[Let] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)
    base: Path = ()
    counter: list[int] = field(default_factory=lambda: [0])

    def expr(self, source: Any, *path: str | int, like: str | None = None) -> Expr:
        """The typed node of an option: an SQL expression, a number or a date; `like`: the type that a literal takes."""
        from checker.plans import expressions

        return expressions.parse(source, self, (*self.base, *path), like)

    def boolean(self, source: Any, *path: str | int) -> Expr:
        """The same, refused unless it is a condition."""
        node = self.expr(source, *path)
        if tree.family(node.type) != "boolean":
            raise Fault(f"une condition est attendue, c'est un {node.type}", (*self.base, *path))
        return node

    def table(self, name: Any, *path: str | int) -> str:
        """A table that the dictionary declares."""
        if name not in self.dictionary.tables:
            close = nearest(str(name), list(self.dictionary.tables))
            raise Fault(f"table inconnue : « {name} »", (*self.base, *path), f"Écrire « {close} » ?" if close else "")
        return str(name)

    def column(self, path: str, where: Path = ()) -> Column:
        """The column of a full path, within reach of the subject or not."""
        found = self.dictionary.column(path)
        if found is None:
            close = nearest(path, list(self.dictionary.paths()))
            todo = f"Écrire « {close} » ?" if close else ""
            raise Fault(f"colonne inconnue : « {path} »", where, todo)
        table, item = found
        return Column(item.type, table, item.name)

    def field(self, node: Column) -> Any:
        """What the dictionary says of a column."""
        return self.dictionary.tables[node.table].fields[node.name]

    def fresh(self, stem: str) -> str:
        """A name that no let of this part has."""
        self.counter[0] += 1
        return f"{stem}_{self.counter[0]}"

    def add(self, let: Let) -> Expr:
        """Add a named value; its node (with its bounds when it is an amount or a count)."""
        self.lets.append(let)
        return named(let)

    def parameter(self, name: str, where: Path = ()) -> Parameter:
        """A parameter of the pack."""
        found = self.pack.parameters.get(name)
        if found is None:
            close = nearest(name, list(self.pack.parameters))
            raise Fault(f"paramètre inconnu : « ${name} »", where, f"Écrire « ${close} » ?" if close else "")
        return found

    def value_of(self, name: str, where: Path = ()) -> Expr:
        """`$name` at the date `at`: a constant, a choice by dates, or a bounded value."""
        found = self.parameter(name, where)
        if found.many:
            raise Fault(f"« ${name} » est une liste : elle ne s'emploie qu'avec IN ou `among`", where)
        if not found.values or all(item.value is None and not item.blank for item in found.values):
            self.waits_for.append(name)
        pick = [(self.in_force(item, found), item) for item in reversed(found.values)]
        exact = self._choose(
            found.type, [(when, item.value) for when, item in pick], [item.written for _, item in pick]
        )
        if not any(item.not_before or item.not_after for item in found.values):
            return exact
        low = self._choose(
            found.type, [(when, item.value if item.value is not None else item.not_before) for when, item in pick]
        )
        high = self._choose(
            found.type, [(when, item.value if item.value is not None else item.not_after) for when, item in pick]
        )
        return Bounded(found.type, exact, low, high)

    def _choose(self, kind: str, cases: Sequence[tuple[Expr, Any]], written: Sequence[str] = ()) -> Expr:
        args: list[Expr] = []
        for (when, value), text in zip(cases, written or [""] * len(cases), strict=True):
            constant = Literal(kind, value, text)
            if when == tree.TRUE:
                return Call(kind, "case", (*args, constant)) if args else constant
            args += [when, constant]
        return Call(kind, "case", (*args, Literal(kind, None))) if args else Literal(kind, None)

    def in_force(self, item: DatedValue, found: Parameter) -> Expr:
        """Whether a dated value holds at `at`; a parameter of one value for ever holds at an unknown date too."""
        conditions: list[Expr] = []
        if item.start is not None:
            conditions.append(tree.compare("ge", self.at, Literal("date", item.start)))
        if item.end is not None:
            conditions.append(tree.compare("le", self.at, Literal("date", item.end)))
        if self.explicit_at and not conditions and len(found.values) > 1:
            conditions.append(tree.negate(Call("boolean", "is_null", (self.at,))))
        return tree.both(*[Call("boolean", "is_true", (item,)) for item in conditions]) if conditions else tree.TRUE

    def among(self, value: Expr, name: str, where: Path = ()) -> Expr:
        """value IN $name, the list of the date `at`; unknown when the list is not given."""
        found = self.parameter(name, where)
        if not found.many:
            raise Fault(f"« ${name} » n'est pas une liste", where)
        if not found.values or all(item.value is None for item in found.values):
            self.waits_for.append(name)
            return tree.UNKNOWN
        if not same(value.type, found.type):
            raise Fault(f"on ne compare pas {value.type} avec « ${name} » ({found.type})", where)
        args: list[Expr] = []
        for item in reversed(found.values):
            members = item.value if isinstance(item.value, tuple) else ()
            literals = tuple(
                Literal(value.type, values.parse(value.type, values.show(member) or "")) for member in members
            )
            inside: Expr = (
                Call("boolean", "in", (value, *literals)) if literals else Call("boolean", "is_null", (value,))
            )
            if not literals:  # nothing is in an empty list, but an unknown value stays unknown
                inside = Call("boolean", "case", (inside, tree.UNKNOWN, tree.FALSE))
            when = self.in_force(item, found)
            if when == tree.TRUE:
                return Call("boolean", "case", (*args, inside)) if args else inside
            args += [when, inside]
        return Call("boolean", "case", (*args, tree.UNKNOWN))


def same(left: str, right: str) -> bool:
    """Whether two types have one canonical form, or one family that is not text."""
    if tree.family(left) != tree.family(right):
        return False
    return (
        tree.family(left) != "text" or left == right or {left, right} <= {"code", "code_compose", "word", "reference"}
    )


def named(let: Let) -> Expr:
    """The node that reads a named value."""
    plain = Ref(let.type, let.name)
    if isinstance(let, tree.Scalar) or tree.family(let.type) == "boolean":
        return plain
    return Bounded(let.type, plain, Ref(let.type, let.name, "lo"), Ref(let.type, let.name, "hi"))


def present(scope: Scope, node: Column) -> Expr:
    """true: known; false: blank, or « aucun »; unknown otherwise. A block is there or not."""
    if node.type == "block":
        return node
    state = tree.StateOf("number", node.table, node.name)
    known = Call("boolean", "eq", (state, Literal("number", 0)))
    absent = [1, 4] if scope.field(node).none else [1]
    missing = Call("boolean", "in", (state, *(Literal("number", number) for number in absent)))
    return Call("boolean", "case", (known, tree.TRUE, missing, tree.FALSE, tree.UNKNOWN))


def blank_or(node: Column) -> Expr:
    """The column with a blank as a value of its own, the empty text; NULL only when it is not known."""
    blank = Call("boolean", "eq", (tree.StateOf("number", node.table, node.name), Literal("number", 1)))
    return Call(node.type, "case", (blank, Literal(node.type, ""), node))


def reach(dictionary: Dictionary, subject: str) -> frozenset[str]:
    """The tables whose one row belongs to a row of the subject: itself, its parents, the dossier."""
    found = {subject, ROOT}
    parent = dictionary.tables[subject].parent
    while parent is not None:
        found.add(parent)
        parent = dictionary.tables[parent].parent
    return frozenset(found)


def replace(check: Check, **changes: Any) -> Check:
    """The same check with some fields changed."""
    return dataclasses.replace(check, **changes)


__all__ = ["Check", "Fault", "Path", "Problem", "Scope", "blank_or", "named", "present", "reach", "replace", "same"]
