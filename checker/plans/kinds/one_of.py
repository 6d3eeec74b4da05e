"""A value is one of a list: a list of the rule, or a list of the pack read at its date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree, values
from checker.base.tree import Call, Literal
from checker.plans.scope import Check, Fault, Scope

WORDS = {
    "non_conforme": "« {observed} » n'est pas admis.",
    "indetermine": "« {observed} » : ne peut être comparé à la liste.",
}
SCHEMA = {
    "type": "object",
    "properties": {
        "value": {"type": "string"},
        "among": {"type": ["array", "string"]},
        "excluded": {"type": "boolean"},
    },
    "required": ["value", "among"],
}
EXAMPLE = "one_of: {value: depenses.facture.type, among: [facture, avoir]}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """value IN among, or NOT IN when `excluded`; `among: $regles` is the list of the rules' ids."""
    value = tree.exact(scope.expr(options["value"], "value"))
    among = options["among"]
    if among == "$regles":
        among = sorted(scope.rule_ids)
    if isinstance(among, str):
        inside = scope.among(value, among.removeprefix("$"), (*scope.base, "among"))
    else:
        members = []
        for index, item in enumerate(among):
            try:
                members.append(Literal(value.type, values.parse(value.type, values.show(item) or "")))
            except values.Refused as error:
                raise Fault(f"« {item} » : {error}", (*scope.base, "among", index)) from None
        inside = Call("boolean", "in", (value, *members))
    return Check(tree.negate(inside) if options.get("excluded") else inside, value, about=(value,))
