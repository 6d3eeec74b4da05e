"""A value is in a table of the pack, on the rows that a condition chooses and, when dated, at the date `at`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree, values
from checker.base.plugs import nearest
from checker.base.tree import Call, Literal
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "« {observed} » n'est pas dans la table « {table} »."}
SCHEMA = {
    "type": "object",
    "properties": {
        "value": {"type": "string"},
        "table": {"type": "string"},
        "column": {"type": "string"},
        "where": {"type": "object"},
        "dated": {"type": "boolean"},
        "excluded": {"type": "boolean"},
    },
    "required": ["value", "table", "column"],
}
EXAMPLE = (
    "in_table: {value: etat_liquidatif.emetteur, table: organisations, column: nom, where: {role: cedant}, dated: true}"
)


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """OR over the rows of the table; `du` and `au` bound a row when `dated`."""
    value = tree.exact(scope.expr(options["value"], "value"))
    name = str(options["table"])
    if name not in scope.pack.tables:
        close = nearest(name, list(scope.pack.tables))
        raise Fault(
            f"table du pack inconnue : « {name} »", (*scope.base, "table"), f"Écrire « {close} » ?" if close else ""
        )
    chosen: Mapping[str, Any] = options.get("where", {})
    rows = [
        row
        for row in scope.pack.tables[name]
        if all(str(row.get(key)) == str(wanted) for key, wanted in chosen.items())
    ]
    column = str(options["column"])
    if not rows or any(column not in row for row in rows):
        raise Fault(f"la table « {name} » n'a pas de telles lignes avec « {column} »", scope.base)
    dated: dict[tuple[Any, Any], list[Literal]] = {}
    for row in rows:
        span = (row.get("du"), row.get("au")) if options.get("dated") else (None, None)
        try:
            found = values.parse(value.type, values.show(row[column]) or "")
        except values.Refused as error:
            raise Fault(f"table « {name} » : « {row[column]} » : {error}", scope.base) from None
        dated.setdefault(span, []).append(Literal(value.type, found))
    choices = []
    for (start, end), literals in dated.items():
        conditions: list[tree.Expr] = [Call("boolean", "in", (value, *literals))]
        if start is not None:
            conditions.append(tree.compare("ge", scope.at, Literal("date", values.date(str(start)))))
        if end is not None:
            conditions.append(tree.compare("le", scope.at, Literal("date", values.date(str(end)))))
        choices.append(tree.both(*conditions))
    inside = tree.either(*choices)
    words = {outcome: text.replace("{table}", name) for outcome, text in WORDS.items()}
    return Check(tree.negate(inside) if options.get("excluded") else inside, value, about=(value,), words=words)
