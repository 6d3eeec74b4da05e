"""Which rows an aggregate must meet: a pair whose condition is certainly false counts for nothing, and is not made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from checker.base import tree
from checker.base.tree import Aggregate, Call, Column, Expr, Ref, StateOf


@dataclass(frozen=True, slots=True)
class Reach:
    """How the rows of an aggregate meet those of the subject, beyond being of one dossier.

    `alone`: nothing of the subject is read, one group a dossier serves all. `keys`: (of the row, of the subject), which
    differ in pairs that count for nothing, but where `unless`, of the subject only, may hold.
    """

    alone: bool
    keys: tuple[tuple[Expr, Expr], ...] = ()
    unless: Expr | None = None


def reach(let: Aggregate, inner: Collection[str]) -> Reach:
    """The reach of an aggregate over the tables `inner`."""
    if not let.by and all(_of_rows(node, inner) for node in tree.let_exprs(let)):
        return Reach(True)
    terms = list(_terms(let.where))
    keys = [*let.by, *(key for term in terms if (key := _key(term, inner)) is not None)]
    if keys:
        return Reach(False, tuple(dict.fromkeys(keys)))
    for term in terms:
        if isinstance(term, Call) and term.op == "or":
            found = [key for arg in term.args if (key := _key(arg, inner)) is not None]
            others = [arg for arg in term.args if _key(arg, inner) is None]
            if len(found) == 1 and not any(_reads(arg, inner) for arg in others):
                return Reach(False, (found[0],), tree.either(*others))
    return Reach(False)


def of_rows(lets: Sequence[Aggregate], inner: Collection[str]) -> Expr | None:
    """What the rows alone must not refute to count in one of these aggregates; None: any row counts."""
    found = []
    for let in lets:
        terms = [term for term in _terms(let.where) if _of_rows(term, inner)]
        if not terms:
            return None
        found.append(tree.both(*terms))
    return tree.either(*dict.fromkeys(found))


def _terms(node: Expr | None) -> Iterator[Expr]:
    """The conditions that must all hold."""
    if isinstance(node, Call) and node.op == "and":
        for arg in node.args:
            yield from _terms(arg)
    elif node is not None:
        yield node


def _key(node: Expr, inner: Collection[str]) -> tuple[Expr, Expr] | None:
    if not isinstance(node, Call) or node.op != "eq":
        return None
    left, right = node.args
    for row, own in ((left, right), (right, left)):
        if _reads(row, inner) and _of_rows(row, inner) and not _reads(own, inner) and not _of_rows(own, inner):
            return row, own
    return None


def _of_rows(node: Expr, inner: Collection[str]) -> bool:
    """Whether a node reads nothing of the subject."""
    return not any(
        isinstance(item, Ref) or (isinstance(item, Column | StateOf) and (item.table not in inner or item.name == "#"))
        for item in tree.walk(node)
    )


def _reads(node: Expr, inner: Collection[str]) -> bool:
    """Whether a node reads a column of the rows."""
    return any(
        isinstance(item, Column | StateOf) and item.table in inner and item.name != "#" for item in tree.walk(node)
    )
