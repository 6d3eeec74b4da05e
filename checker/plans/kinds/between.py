"""A value lies between two limits, both included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "{observed} n'est pas entre {low} et {high}."}
_BOUND = {"type": ["string", "number"]}
SCHEMA = {
    "type": "object",
    "properties": {"value": _BOUND, "low": _BOUND, "high": _BOUND},
    "required": ["value", "low", "high"],
}
EXAMPLE = "between: {value: depenses.quote_part.pourcentage, low: 0, high: 100}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """low <= value <= high."""
    value, low, high = (scope.expr(options[key], key) for key in ("value", "low", "high"))
    if len({tree.family(node.type) for node in (value, low, high)}) != 1 or tree.family(value.type) not in (
        "number",
        "date",
    ):
        raise Fault("between compare trois nombres ou trois dates", scope.base)
    ok = tree.both(tree.compare("ge", value, low), tree.compare("le", value, high))
    return Check(ok, value, about=(value,), shows=(("low", low), ("high", high)))
