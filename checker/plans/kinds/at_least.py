"""A value reaches a limit; a limit known within bounds decides what the bounds decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "{observed} est en deçà de {expected}."}
SCHEMA = {
    "type": "object",
    "properties": {"value": {"type": ["string", "number"]}, "limit": {"type": ["string", "number"]}},
    "required": ["value", "limit"],
}
EXAMPLE = "at_least: {value: depenses.service_fait.date, limit: $date_effet}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """value >= limit, both numbers or both dates."""
    value, limit = scope.expr(options["value"], "value"), scope.expr(options["limit"], "limit")
    if tree.family(value.type) != tree.family(limit.type) or tree.family(value.type) not in ("number", "date"):
        raise Fault(f"at_least compare deux nombres ou deux dates, pas {value.type} et {limit.type}", scope.base)
    return Check(tree.compare("ge", value, limit), value, limit, about=(value, limit))
