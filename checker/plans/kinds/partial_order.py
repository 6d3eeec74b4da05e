"""Two dates of ISO 8601, each written as far as it is known, follow each other.

Where both are written alike and one goes further (2018-04, 2018-04-17), their order cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.plans.partial import before
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "« {expected} » devait venir avant « {observed} »."}
SCHEMA = {
    "type": "object",
    "properties": {"first": {"type": "string"}, "then": {"type": "string"}, "strict": {"type": "boolean"}},
    "required": ["first", "then"],
}
EXAMPLE = "partial_order: {first: periodes.debut, then: periodes.fin}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """first is before then; dates written alike pass unless `strict`."""
    first, then = (tree.exact(scope.expr(options[key], key)) for key in ("first", "then"))
    if {tree.family(first.type), tree.family(then.type)} != {"text"}:
        raise Fault("partial_order attend deux textes", scope.base)
    ok = before(first, then, tree.FALSE if options.get("strict") else tree.TRUE)
    return Check(ok, then, first, about=(first, then))
