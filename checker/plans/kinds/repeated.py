"""A value is on several rows: what only makes sense shared (the two ends of a link) is not alone in its dossier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Aggregate, Column, Expr, Literal
from checker.plans.scope import Check, Scope, blank_or

WORDS = {"non_conforme": "« {observed} » n'est que sur une ligne."}
SCHEMA = {
    "type": "object",
    "properties": {
        "value": {"type": "string"},
        "by": {"type": "array", "items": {"type": "string"}},
        "times": {"type": "integer", "minimum": 2},
    },
    "required": ["value"],
}
EXAMPLE = "repeated: {value: liens.cle, by: [liens.projet]}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """count of the rows with the same value (and the same keys `by`) >= times, 2 when not said; blanks are equal."""
    value = tree.exact(scope.expr(options["value"], "value"))
    by = [tree.exact(scope.expr(source, "by", index)) for index, source in enumerate(options.get("by", []))]
    pairs = tuple((key, key) for key in map(_key, (value, *by)))
    let = Aggregate(scope.fresh("meme_valeur"), "count", scope.subject, None, None, pairs, "dossier", "number")
    times = Literal("number", int(options.get("times", 2)))
    return Check(tree.compare("ge", scope.add(let), times), value, about=(value,))


def _key(node: Expr) -> Expr:
    return blank_or(node) if isinstance(node, Column) and tree.family(node.type) == "text" else node
