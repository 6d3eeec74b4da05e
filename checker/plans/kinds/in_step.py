"""Rows numbered in the order of their dates: in each group, no row of a lower number has a later date.

Dates of ISO 8601: a blank one has no order; that of 2018-04 and 2018-04-17 cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Aggregate, Call, Column, Expr, Literal, Scalar
from checker.plans.partial import before
from checker.plans.scope import Check, Fault, Scope, blank_or

WORDS = {"non_conforme": "Le numéro {observed} n'est pas dans l'ordre des dates."}
SCHEMA = {
    "type": "object",
    "properties": {
        "value": {"type": "string"},
        "dates": {"type": "string"},
        "by": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["value", "dates"],
}
EXAMPLE = "in_step: {value: periodes.rang, dates: periodes.debut, by: [periodes.sujet]}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """No other row of the group is on one side by its number and on the other by its date."""
    value, dates = (tree.exact(scope.expr(options[key], key)) for key in ("value", "dates"))
    by = [tree.exact(scope.expr(source, "by", index)) for index, source in enumerate(options.get("by", []))]
    if not isinstance(dates, Column) or tree.family(dates.type) != "text":
        raise Fault("in_step attend des dates écrites (un texte)", (*scope.base, "dates"))
    if tree.family(value.type) not in ("number", "date"):
        raise Fault(f"on n'ordonne que des nombres et des dates, pas {value.type}", (*scope.base, "value"))
    other = blank_or(dates)
    rank = scope.add(Scalar(value.type, scope.fresh("rang"), value))
    day = scope.add(Scalar(dates.type, scope.fresh("date"), other))
    ahead = tree.both(tree.compare("lt", value, rank), _later(other, day))
    behind = tree.both(tree.compare("gt", value, rank), _later(day, other))
    pairs = tuple((key, key) for key in by)
    crossed = Aggregate(
        scope.fresh("croise"), "exists", scope.subject, None, tree.either(ahead, behind), pairs, "dossier", "boolean"
    )
    return Check(tree.negate(scope.add(crossed)), value, about=(value, dates))


def _later(one: Expr, two: Expr) -> Expr:
    """Whether a date is after another; a blank is after none."""
    blank = tree.either(*(tree.compare("eq", node, Literal(node.type, "")) for node in (one, two)))
    return Call("boolean", "case", (blank, tree.FALSE, before(two, one, tree.FALSE)))
