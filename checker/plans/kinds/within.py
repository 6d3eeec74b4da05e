"""Two amounts agree within a tolerance, included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Call
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "{observed} au lieu de {expected}."}
_NUMBER = {"type": ["string", "number"]}
SCHEMA = {
    "type": "object",
    "properties": {"value": _NUMBER, "target": _NUMBER, "tolerance": _NUMBER},
    "required": ["value", "target", "tolerance"],
}
EXAMPLE = """
within:
  value: depenses.facture.montant_tva
  target: part(depenses.facture.montant_ht, depenses.facture.taux_tva)
  tolerance: 0.01
"""


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """target - tolerance <= value <= target + tolerance."""
    value, target, tolerance = (tree.exact(scope.expr(options[key], key)) for key in ("value", "target", "tolerance"))
    if {tree.family(node.type) for node in (value, target, tolerance)} != {"number"}:
        raise Fault("within compare des nombres", scope.base)
    low, high = Call(target.type, "sub", (target, tolerance)), Call(target.type, "add", (target, tolerance))
    ok = tree.both(tree.compare("ge", value, low), tree.compare("le", value, high))
    return Check(ok, value, target, about=(value, target))
