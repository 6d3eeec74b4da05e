"""What plans read: the columns that an engine must hold, and what a named value needs before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.tree import Call, Column, Expr, Part, Ref, Running, Scalar, StateOf
from checker.model.frozen import replace

PER_PART = 4  # what an engine says of a part: outcome, observed, expected, at; then the shows


def columns_of(parts: Sequence[Part]) -> dict[str, set[tuple[str, bool]]]:
    """table -> (column, is it its state) that these parts read."""
    found: dict[str, set[tuple[str, bool]]] = {ROOT: set()}
    for part in parts:
        found.setdefault(part.subject, set())
        nodes = [part.ok, part.at, part.when, part.observed, part.expected, *(node for _, node in part.shows)]
        for let in part.lets:
            nodes += tree.let_exprs(let)
            if not isinstance(let, Scalar):
                found.setdefault(let.table, set())
        for node in nodes:
            for item in tree.walk(node):
                if isinstance(item, Column) and item.name != "#":
                    found.setdefault(item.table, set()).add((item.name, False))
                elif isinstance(item, StateOf):
                    found.setdefault(item.table, set()).add((item.name, True))
    return found


def renamed(let: tree.Let, names: Mapping[str, str]) -> tree.Let:
    """The let with its references under their final names, and no name of its own: equal ones are one."""

    def fix(node: Expr | None) -> Expr | None:
        if isinstance(node, Ref):
            return replace(node, name=names.get(node.name, node.name))
        if isinstance(node, Call):
            return replace(node, args=tuple(_must(fix(arg)) for arg in node.args))
        if isinstance(node, tree.Bounded):
            return tree.Bounded(node.type, _must(fix(node.exact)), _must(fix(node.low)), _must(fix(node.high)))
        return node

    if isinstance(let, Scalar):
        return replace(let, name="", value=_must(fix(let.value)))
    if isinstance(let, Running):
        return replace(
            let, name="", value=_must(fix(let.value)), anchor=fix(let.anchor),
            by=tuple(_must(fix(key)) for key in let.by), order=tuple(_must(fix(key)) for key in let.order),
        )  # fmt: skip
    pairs = tuple((_must(fix(row)), _must(fix(own))) for row, own in let.by)
    return replace(let, name="", value=fix(let.value), where=fix(let.where), by=pairs)


def read_by(let: tree.Let) -> set[str]:
    """The named values that a named value reads."""
    return {item.name for node in tree.let_exprs(let) for item in tree.walk(node) if isinstance(item, Ref)}


def _must(node: Expr | None) -> Expr:
    assert node is not None
    return node
