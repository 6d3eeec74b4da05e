"""Dates of ISO 8601 as written, each as far as it is known: which comes first, when that can be told."""

from __future__ import annotations

from checker.base import tree
from checker.base.tree import Call, Expr, Literal

_ZONE = r".*T.*(Z|(\+|-)[0-9]{2}:[0-9]{2})"


def before(one: Expr, two: Expr, same: Expr) -> Expr:
    """one < two; `same` when both are written alike. Unknown when one only goes further than the other (2018-04 and
    2018-04-17), has an offset, or leaves out a part before they differ.
    """
    length = Call("number", "least", (Call("number", "length", (one,)), Call("number", "length", (two,))))
    cut_one, cut_two = Call(one.type, "left", (one, length)), Call(two.type, "left", (two, length))
    year_one, year_two = _left(one, 4), _left(two, 4)
    zoned = tree.either(*(Call("boolean", "match", (node, Literal("string", _ZONE))) for node in (one, two)))
    gapped = tree.either(*(_has(node, sign) for node in (one, two) for sign in ("--", "-:", "T-", "/")))
    undated = tree.either(tree.compare("eq", year_one, year_two), _has(year_one, "-"), _has(year_two, "-"))
    by_year = Call("boolean", "case", (undated, tree.UNKNOWN, tree.compare("lt", year_one, year_two)))
    cases = (tree.compare("eq", one, two), same, zoned, tree.UNKNOWN, gapped, by_year)
    alike = tree.compare("eq", cut_one, cut_two)
    return Call("boolean", "case", (*cases, alike, tree.UNKNOWN, tree.compare("lt", cut_one, cut_two)))


def _left(node: Expr, size: int) -> Expr:
    return Call(node.type, "left", (node, Literal("number", size)))


def _has(node: Expr, text: str) -> Expr:
    return Call("boolean", "contains", (node, Literal(node.type, text)))
