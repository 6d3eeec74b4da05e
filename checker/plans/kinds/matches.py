"""A text has a form, given as a regular expression of the subset common to every engine; the whole text must match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Call, Literal
from checker.plans.expressions import pattern
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "« {observed} » n'a pas la forme attendue ({forme})."}
SCHEMA = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "pattern": {"type": "string"}, "form": {"type": "string"}},
    "required": ["value", "pattern", "form"],
}
EXAMPLE = 'matches: {value: depenses.compte_pce, pattern: "[0-9]{10}", form: "dix chiffres"}'


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """value ~ ^pattern$; `form` says it in words."""
    value = tree.exact(scope.expr(options["value"], "value"))
    if tree.family(value.type) != "text":
        raise Fault(f"matches attend un texte, pas {value.type}", (*scope.base, "value"))
    raw = pattern(options["pattern"], (*scope.base, "pattern"))
    words = {outcome: text.replace("{forme}", options["form"]) for outcome, text in WORDS.items()}
    return Check(Call("boolean", "match", (value, Literal("string", raw))), value, about=(value,), words=words)
