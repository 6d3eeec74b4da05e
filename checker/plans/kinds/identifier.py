"""An identifier passes its own check: Luhn (SIREN, SIRET, La Poste apart), VAT key, modulo 97 of the IBAN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Call
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "« {observed} » n'est pas un {nature} valide : sa clé est fausse ou sa longueur ne va pas."}
SCHEMA = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "as": {"enum": ["siren", "siret", "vat", "iban"]}},
    "required": ["value", "as"],
}
EXAMPLE = "identifier: {value: depenses.fournisseur.siret, as: siret}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """The operator of the form, over the canonical text."""
    value = tree.exact(scope.expr(options["value"], "value"))
    if tree.family(value.type) != "text":
        raise Fault(f"identifier attend un texte, pas {value.type}", (*scope.base, "value"))
    form = str(options["as"])
    words = {outcome: text.replace("{nature}", form.upper()) for outcome, text in WORDS.items()}
    return Check(Call("boolean", form, (value,)), value, about=(value,), words=words)
