"""Two values are the same in the canonical form of their type (code, person, organisation, text, money, date)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.plans.scope import Check, Fault, Scope, same

WORDS = {"non_conforme": "« {observed} » au lieu de « {expected} »."}
SCHEMA = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "expected": {"type": ["string", "number", "boolean"]}},
    "required": ["value", "expected"],
}
EXAMPLE = "equals: {value: cedant.centre_financier, expected: $centre_financier}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """value = expected."""
    value = tree.exact(scope.expr(options["value"], "value"))
    expected = tree.exact(scope.expr(options["expected"], "expected", like=value.type))
    if not same(value.type, expected.type):
        raise Fault(f"on ne compare pas {value.type} avec {expected.type}", scope.base)
    return Check(tree.compare("eq", value, expected), value, expected, about=(value, expected))
