"""The small typed tree that rules become: read by every engine, tied to none.

Booleans are three-valued: NULL is « unknown » and follows Kleene's logic. A column is NULL unless its fact is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checker.model import Scalar as Constant
from checker.model.frozen import field, frozen

NUMBERS = frozenset({"money", "percent", "number", "letters"})
BOOLEANS = frozenset({"boolean", "block"})


def family(kind: str) -> str:
    """What a type can be compared with: text, number, date or boolean."""
    if kind in NUMBERS:
        return "number"
    if kind in BOOLEANS:
        return "boolean"
    return "date" if kind == "date" else "text"


@frozen
class Expr:
    """A node; `type` is a type of the dictionary."""

    type: str


@frozen
class Literal(Expr):
    """A constant; None is the unknown. `written`: as its author wrote it, for the sentences."""

    value: Constant | None
    written: str = field(default="", compare=False)


@frozen
class Column(Expr):
    """A column of the subject, of its dossier, of its parent, or of the table under an aggregate."""

    table: str
    name: str


@frozen
class StateOf(Expr):
    """The state (`model.State`) of a column, as a number: never NULL."""

    table: str
    name: str


@frozen
class Ref(Expr):
    """A named aggregate: `side` is "" (the exact value), "lo" or "hi" (what is certain of it)."""

    name: str
    side: str = ""


@frozen
class Call(Expr):
    """An operator of `OPERATORS` over its arguments."""

    op: str
    args: tuple[Expr, ...]


@frozen
class Bounded(Expr):
    """A value known within bounds: only a limit of a comparison may read `low` and `high`."""

    exact: Expr
    low: Expr
    high: Expr


OPERATORS = frozenset(
    "and or not eq ne lt le gt ge add sub neg mul part in match starts contains left length year month add_years "
    "add_months add_days year_end greatest least case is_true is_null siren siret vat iban".split()
)


@frozen
class Aggregate:
    """A named value over the rows of another table (or of the subject's own, by equal keys).

    `fn`: sum count min max all any exists. `by`: pairs (key of the rows, key of the subject).
    `across`: dossier, or convention (all dossiers of the run under one pack).
    """

    name: str
    fn: str
    table: str
    value: Expr | None
    where: Expr | None
    by: tuple[tuple[Expr, Expr], ...]
    across: str
    type: str


@frozen
class Running:
    """A running sum over the subject's rows of all dossiers, in a stated order; `anchor` is where it begins.

    `anchored`: whether the rule asks for a beginning (then an unknown beginning leaves only the lower bound).
    """

    name: str
    table: str
    value: Expr
    by: tuple[Expr, ...]
    order: tuple[Expr, ...]
    anchored: bool
    anchor: Expr | None  # a boolean over the row: it is where the sum begins
    distinct: bool  # count the first appearance of each `value` instead of adding
    type: str


@frozen
class Scalar(Expr):
    """A named value of the subject's row: computed once, read by `Ref`."""

    name: str
    value: Expr


Let = Aggregate | Running | Scalar


@frozen
class Part:
    """One duty of a rule over one subject: outcome = due? when? ok?

    `soft`: a duty that fails is « cannot be told ». `shows`: the values that messages and traces name.
    `reads`: the columns whose unknown state explains an `indetermine`.
    """

    subject: str
    stage: int
    when: Expr | None
    ok: Expr
    soft: bool
    at: Expr
    lets: tuple[Let, ...]
    observed: Expr | None
    expected: Expr | None
    shows: tuple[tuple[str, Expr], ...]
    reads: tuple[tuple[str, str], ...]
    about: tuple[tuple[str, str], ...]  # the columns that the duty judges: where to look
    messages: Mapping[str, str] = field(default_factory=dict)
    waits_for: tuple[str, ...] = ()  # parameters that are not given


@frozen
class Plan:
    """A rule compiled for one pack and its settings."""

    rule: str
    parts: tuple[Part, ...]


def walk(node: Expr | None) -> Iterator[Expr]:
    """The node and all below it."""
    if node is None:
        return
    yield node
    children: tuple[Any, ...] = ()
    if isinstance(node, Call):
        children = node.args
    elif isinstance(node, Bounded):
        children = (node.exact, node.low, node.high)
    for child in children:
        yield from walk(child)


def let_exprs(let: Let) -> tuple[Expr, ...]:
    """Every expression that a named value holds."""
    if isinstance(let, Aggregate):
        parts = (let.value, let.where, *(side for pair in let.by for side in pair))
    elif isinstance(let, Running):
        parts = (let.value, let.anchor, *let.by, *let.order)
    else:
        parts = (let.value,)
    return tuple(part for part in parts if part is not None)


def columns(*nodes: Expr | None) -> tuple[tuple[str, str], ...]:
    """The (table, column) read below these nodes, in order of first appearance."""
    found: dict[tuple[str, str], None] = {}
    for node in nodes:
        for item in walk(node):
            if isinstance(item, Column | StateOf):
                found[(item.table, item.name)] = None
    return tuple(found)


def literal(value: Constant | None, kind: str) -> Literal:
    """A constant of that type."""
    return Literal(kind, value)


TRUE = Literal("boolean", True)
FALSE = Literal("boolean", False)
UNKNOWN = Literal("boolean", None)


def both(*args: Expr) -> Expr:
    """Kleene AND of one or more booleans."""
    return args[0] if len(args) == 1 else (Call("boolean", "and", args) if args else TRUE)


def either(*args: Expr) -> Expr:
    """Kleene OR of one or more booleans."""
    return args[0] if len(args) == 1 else (Call("boolean", "or", args) if args else FALSE)


def negate(arg: Expr) -> Expr:
    """Kleene NOT."""
    return Call("boolean", "not", (arg,))


def compare(op: str, left: Expr, right: Expr) -> Expr:
    """left op right; a bounded side decides only what its bounds decide."""
    if not isinstance(left, Bounded) and not isinstance(right, Bounded):
        return Call("boolean", op, (left, right))
    low_l, high_l = (left.low, left.high) if isinstance(left, Bounded) else (left, left)
    low_r, high_r = (right.low, right.high) if isinstance(right, Bounded) else (right, right)
    if op in ("le", "lt"):
        sure, never = (high_l, low_r), (low_l, high_r)
    elif op in ("ge", "gt"):
        sure, never = (low_l, high_r), (high_l, low_r)
    else:
        left, right = exact(left), exact(right)
        return Call("boolean", op, (left, right))
    opposite = {"le": "gt", "lt": "ge", "ge": "lt", "gt": "le"}[op]
    certain = Call("boolean", "is_true", (Call("boolean", op, sure),))
    refuted = Call("boolean", "is_true", (Call("boolean", opposite, never),))
    return Call("boolean", "case", (certain, TRUE, refuted, FALSE, UNKNOWN))


def exact(node: Expr) -> Expr:
    """The node as a plain value: NULL unless it is known exactly."""
    return node.exact if isinstance(node, Bounded) else node
