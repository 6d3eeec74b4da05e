"""A value is the same on all the rows of a group; a blank is another value. Where two differ, no count says who errs.

So every row of the group is at fault, not only those of the rarer value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Aggregate, Column
from checker.plans.scope import Check, Fault, Scope, blank_or

WORDS = {"non_conforme": "« {observed} » n'est pas la valeur de toutes les lignes du groupe."}
SCHEMA = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "by": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
    "required": ["value", "by"],
}
EXAMPLE = "same_within: {value: mesures.unite, by: [mesures.code]}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """min(value) = max(value) over the rows of equal keys `by`."""
    value = tree.exact(scope.expr(options["value"], "value"))
    by = [tree.exact(scope.expr(source, "by", index)) for index, source in enumerate(options["by"])]
    if not all(isinstance(node, Column) and tree.family(node.type) == "text" for node in (value, *by)):
        raise Fault("same_within attend des colonnes de texte", scope.base)
    judged, *keys = (blank_or(node) for node in (value, *by) if isinstance(node, Column))
    pairs = tuple((key, key) for key in keys)
    ends = [
        scope.add(Aggregate(scope.fresh(fn), fn, scope.subject, judged, None, pairs, "dossier", value.type))
        for fn in ("min", "max")
    ]
    return Check(tree.compare("eq", tree.exact(ends[0]), tree.exact(ends[1])), value, about=(value,))
