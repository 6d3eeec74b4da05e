"""A text ends with another one, both in the canonical form of the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Call, Literal
from checker.plans.expressions import pattern
from checker.plans.scope import Check, Scope

WORDS = {"non_conforme": "« {observed} » ne finit pas par « {fin} »."}
SCHEMA = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "end": {"type": "string", "minLength": 1}},
    "required": ["value", "end"],
}
EXAMPLE = 'ends_with: {value: etat_liquidatif.numero, end: "01"}'


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """value ~ .*end."""
    value = tree.exact(scope.expr(options["value"], "value"))
    raw = pattern(f"[A-Z0-9-]*{options['end']}", (*scope.base, "end"))
    words = {outcome: text.replace("{fin}", options["end"]) for outcome, text in WORDS.items()}
    return Check(Call("boolean", "match", (value, Literal("string", raw))), value, about=(value,), words=words)
