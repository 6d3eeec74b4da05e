"""Two sides agree, key by key over the union of their keys: a sum of rows by key, and the totals of a map.

Each key of the totals is a row of its own; a key of the rows without total is a row too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Column
from checker.plans import lets
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "{observed} au lieu de {expected}, somme des lignes."}
_SIDE = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "by": {"type": "string"}},
    "required": ["value", "by"],
}
SCHEMA = {
    "type": "object",
    "properties": {"rows": _SIDE, "totals": _SIDE, "no_total": {"type": "string"}},
    "required": ["rows", "totals"],
}
EXAMPLE = """
reconciles:
  rows: {value: depenses.montant, by: depenses.compte_pce}
  totals: {value: etat_liquidatif.totaux_par_compte.valeur, by: etat_liquidatif.totaux_par_compte.cle}
"""


def compile(options: Mapping[str, Any], scope: Scope) -> list[Check]:
    """sum(rows by key) = total, for each total; EXISTS a total, for each row."""
    rows, totals = options["rows"], options["totals"]
    total, key = scope.expr(totals["value"], "totals", "value"), scope.expr(totals["by"], "totals", "by")
    row_key = scope.expr(rows["by"], "rows", "by")
    if not all(isinstance(node, Column) for node in (total, key, row_key)):
        raise Fault("reconciles attend des colonnes", scope.base)
    assert isinstance(total, Column)
    assert isinstance(row_key, Column)
    above = _side(scope, total.table)
    let = lets.aggregate(above, scope.fresh("somme"), "sum", rows["value"], by={rows["by"]: totals["by"]})
    total_sum = above.add(let)
    agree = Check(
        tree.compare("eq", total, total_sum),
        total,
        tree.exact(total_sum),
        about=(total,),
        subject=total.table,
        lets=tuple(above.lets),
    )
    below = _side(scope, row_key.table)
    found = lets.aggregate(below, scope.fresh("total"), "exists", total.table, by={totals["by"]: rows["by"]})
    covered = Check(
        below.add(found),
        row_key,
        about=(row_key,),
        subject=row_key.table,
        lets=tuple(below.lets),
        words={"non_conforme": options.get("no_total", "« {observed} » n'a pas de total.")},
    )
    return [agree, covered]


def _side(scope: Scope, subject: str) -> Scope:
    return Scope(
        scope.dictionary,
        scope.pack,
        scope.rule,
        subject,
        scope.at,
        scope.explicit_at,
        scope.rule_ids,
        {},
        [],
        [],
        scope.base,
        scope.counter,
    )
