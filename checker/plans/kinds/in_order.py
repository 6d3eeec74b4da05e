"""Dates follow each other in the order written; the same day is allowed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "Le {expected} devait venir avant le {observed}, ou le même jour."}
SCHEMA = {
    "type": "object",
    "properties": {"dates": {"type": "array", "items": {"type": "string"}, "minItems": 2}},
    "required": ["dates"],
}
EXAMPLE = "in_order: {dates: [certification.date, titre_de_perception.date]}"


def compile(options: Mapping[str, Any], scope: Scope) -> list[Check]:
    """Each date <= the next one: a check a pair, so that the finding names the pair at fault."""
    nodes = [tree.exact(scope.expr(source, "dates", index)) for index, source in enumerate(options["dates"])]
    if any(node.type != "date" for node in nodes):
        raise Fault("in_order attend des dates", (*scope.base, "dates"))
    pairs = itertools.pairwise(nodes)
    return [Check(tree.compare("le", a, b), b, a, about=(a, b)) for a, b in pairs]
