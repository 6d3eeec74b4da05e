"""What only a person can judge: an attestation of the dossier, valid, of this rule, dated from the act on (`since`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.plans import lets
from checker.plans.scope import Check, Scope

WORDS = {
    "non_conforme": "Une personne atteste que cela ne va pas.",
    "indetermine": "Une personne doit en juger : aucune attestation valable n'est au dossier.",
}
SCHEMA = {"type": "object", "properties": {"since": {"type": "string"}, "what": {"type": "string"}}}
EXAMPLE = 'attested: {since: certification.date, what: "la signature est celle de la personne habilitée"}'


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """false: one attests non_conforme; true: one attests conforme; unknown: nobody does."""
    condition = f"attestations.regle = '{scope.rule.id}' and attestations.lu.valide"
    if "since" in options:
        scope.expr(options["since"], "since")
        condition += f" and attestations.date >= {options['since']}"
    found = {}
    for word in ("conforme", "non_conforme"):
        name = scope.fresh(word)
        let = lets.aggregate(
            scope, name, "exists", "attestations", where=f"{condition} and attestations.constat = '{word}'"
        )
        found[word] = scope.add(let)
    is_true = {word: tree.Call("boolean", "is_true", (node,)) for word, node in found.items()}
    ok = tree.Call(
        "boolean",
        "case",
        (is_true["non_conforme"], tree.FALSE, tree.Call("boolean", "is_null", (found["non_conforme"],)), tree.UNKNOWN,
         is_true["conforme"], tree.TRUE, tree.UNKNOWN),
    )  # fmt: skip
    what = f" À juger : {options['what']}." if "what" in options else ""
    words = {outcome: text + what.replace("{", "(").replace("}", ")") for outcome, text in WORDS.items()}
    return Check(ok, words=words)
