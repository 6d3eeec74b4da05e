"""A value is taken up by the next row: in each group, ordered, the value of a row is the `next` of the one after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Aggregate, Bounded, Call, Column, Expr, Scalar
from checker.plans.scope import Check, Fault, Scope, blank_or

WORDS = {"non_conforme": "« {observed} » n'est pas repris par la ligne suivante, qui porte « {expected} »."}
SCHEMA = {
    "type": "object",
    "properties": {
        "value": {"type": "string"},
        "next": {"type": "string"},
        "order": {"type": "string"},
        "by": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["value", "next", "order"],
}
EXAMPLE = "followed_by: {value: periodes.fin, next: periodes.debut, order: periodes.rang}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """value = next of the row whose `order` is the least above its own; the last row of a group has none to meet."""
    value, taken, order = (tree.exact(scope.expr(options[key], key)) for key in ("value", "next", "order"))
    by = [tree.exact(scope.expr(source, "by", index)) for index, source in enumerate(options.get("by", []))]
    if not isinstance(value, Column) or not isinstance(taken, Column):
        raise Fault("followed_by attend des colonnes", scope.base)
    if tree.family(order.type) not in ("number", "date"):
        raise Fault(f"on n'ordonne que des nombres et des dates, pas {order.type}", (*scope.base, "order"))
    pairs = tuple((key, key) for key in by)
    table = scope.subject
    own = scope.add(Scalar(order.type, scope.fresh("rang"), order))
    later = tree.compare("gt", order, own)
    rest = scope.add(Aggregate(scope.fresh("apres"), "count", table, None, later, pairs, "dossier", "number"))
    rank = _exact(
        scope.add(Aggregate(scope.fresh("suivant"), "min", table, order, later, pairs, "dossier", order.type))
    )
    there = tree.compare("eq", order, rank)
    found = Aggregate(scope.fresh("repris"), "max", table, blank_or(taken), there, pairs, "dossier", taken.type)
    expected = _exact(scope.add(found))
    last = tree.compare("eq", tree.exact(rest), tree.literal(0, "number"))
    ok = Call("boolean", "case", (last, tree.TRUE, tree.compare("eq", blank_or(value), expected)))
    return Check(ok, value, expected, about=(value,))


def _exact(node: Expr) -> Expr:
    return node.exact if isinstance(node, Bounded) else node
