"""Two columns go by pairs: a value of either goes with one value of the other, on all the rows of the dossier.

A blank goes with nothing: beside a value elsewhere paired, it is a second partner; it is never judged as a first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Aggregate, Call, Column, Expr
from checker.plans.scope import Check, Fault, Scope, blank_or

WORDS = {"non_conforme": "« {observed} » et « {expected} » ne vont pas toujours ensemble."}
SCHEMA = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "with": {"type": "string"}},
    "required": ["value", "with"],
}
EXAMPLE = "one_to_one: {value: depenses.fournisseur.siret, with: depenses.fournisseur.nom}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """The least and the greatest partner of each side are the same."""
    left, right = (tree.exact(scope.expr(options[key], key)) for key in ("value", "with"))
    if not isinstance(left, Column) or not isinstance(right, Column):
        raise Fault("one_to_one attend deux colonnes", scope.base)
    ok = tree.both(_alone(left, right, scope), _alone(right, left, scope))
    return Check(ok, left, right, about=(left, right))


def _alone(key: Column, other: Column, scope: Scope) -> Expr:
    """Whether the rows of this `key` all have one `other`; a blank key asks nothing."""
    own, partner = blank_or(key), blank_or(other)
    ends = [
        Aggregate(scope.fresh(fn), fn, scope.subject, partner, None, ((own, own),), "dossier", other.type)
        for fn in ("min", "max")
    ]
    low, high = (tree.exact(scope.add(let)) for let in ends)
    blank = Call("boolean", "eq", (tree.StateOf("number", key.table, key.name), tree.literal(1, "number")))
    return tree.either(blank, tree.compare("eq", low, high))
