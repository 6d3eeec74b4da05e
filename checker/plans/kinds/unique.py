"""A value appears once: among the rows of its table, in the dossier or in all dossiers of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Aggregate, Column, Literal
from checker.plans.scope import Check, Scope, blank_or

WORDS = {"non_conforme": "« {observed} » est employé plusieurs fois."}
SCHEMA = {
    "type": "object",
    "properties": {
        "value": {"type": "string"},
        "across": {"enum": ["dossier", "convention"]},
        "by": {"type": "array", "items": {"type": "string"}},
        "blanks_count": {"type": "boolean"},
    },
    "required": ["value"],
}
EXAMPLE = "unique: {value: etat_liquidatif.numero, across: convention}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """count of the rows with the same value (and the same keys `by`) = 1; `blanks_count`: blanks equal each other."""
    value = tree.exact(scope.expr(options["value"], "value"))
    keys = [value, *(tree.exact(scope.expr(source, "by", index)) for index, source in enumerate(options.get("by", [])))]
    if options.get("blanks_count"):
        keys = [blank_or(key) if isinstance(key, Column) and tree.family(key.type) == "text" else key for key in keys]
    across = options.get("across", "dossier")
    let = Aggregate(
        scope.fresh("meme_valeur"), "count", scope.subject, None, None, tuple((k, k) for k in keys), across, "number"
    )
    known = tree.negate(tree.either(*(tree.Call("boolean", "is_null", (key,)) for key in keys)))
    once = tree.compare("le", tree.exact(scope.add(let)), Literal("number", 1))
    return Check(tree.Call("boolean", "case", (known, once, tree.UNKNOWN)), value, about=(value,))
