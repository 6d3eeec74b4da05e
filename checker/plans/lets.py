"""`let:` -> named values: an expression, an aggregate over another table, or a running sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.tree import Aggregate, Bounded, Expr, Running, Scalar
from checker.plans.scope import Fault, Scope, reach, same

AGGREGATES = ("sum", "count", "min", "max", "all", "any", "exists")
RUNNING = ("running_sum", "running_count")


def add(scope: Scope, name: str, source: Any, *path: str | int) -> None:
    """Name a value in the scope (Fault when it is none of the forms)."""
    where = (*scope.base, *path)
    if name in scope.names or scope.dictionary.column(name) is not None:
        raise Fault(f"le nom « {name} » est déjà pris", where)
    if not isinstance(source, Mapping):
        node = scope.expr(source, *path)
        if isinstance(node, Bounded):
            scope.names[name] = node
            return
        let: tree.Let = Scalar(node.type, name, node)
    else:
        forms = [key for key in source if key in AGGREGATES + RUNNING]
        if len(forms) != 1:
            raise Fault("une valeur nommée est une expression, ou l'un de : " + ", ".join(AGGREGATES + RUNNING), where)
        make = _running if forms[0] in RUNNING else _aggregate
        let = make(scope, name, forms[0], source, path)
    scope.names[name] = scope.add(let)


def aggregate(
    scope: Scope,
    name: str,
    fn: str,
    source: Any,
    *,
    where: Any = None,
    by: Any = None,
    across: str = "dossier",
    path: Any = (),
) -> Aggregate:
    """An aggregate from its parts, as a kind builds it."""
    options = {fn: source, "where": where, "by": by, "across": across}
    return _aggregate(scope, name, fn, {key: value for key, value in options.items() if value is not None}, tuple(path))


def _aggregate(scope: Scope, name: str, fn: str, source: Mapping[str, Any], path: tuple[str | int, ...]) -> Aggregate:
    where = (*scope.base, *path)
    unknown = set(source) - {fn, "where", "by", "across"}
    if unknown:
        raise Fault(f"clé inconnue : « {min(unknown)} »", (*where, min(unknown)), "Connues : where, by, across")
    across = source.get("across", "dossier")
    if across not in ("dossier", "convention", "run"):
        raise Fault("across : dossier, convention ou run", (*where, "across"))
    value: Expr | None = None
    given = source[fn]
    if fn in ("count", "exists"):
        table = scope.table(given, *path, fn)
    else:
        value = tree.exact(scope.expr(given, *path, fn))
        table = _table(scope, value, where)
        if fn in ("all", "any") and tree.family(value.type) != "boolean":
            raise Fault(f"{fn} attend une condition", (*where, fn))
        if fn == "sum" and tree.family(value.type) != "number":
            raise Fault("sum attend un nombre", (*where, fn))
    condition = scope.boolean(source["where"], *path, "where") if "where" in source else None
    pairs = _pairs(scope, table, source.get("by"), (*path, "by"))
    if across != "dossier":
        far = [item for item in tree.columns(value, condition) if item[0] not in (table, ROOT)]
        if far:
            raise Fault(f"across {across} : la condition ne lit que « {table} » et le dossier de chaque ligne", where)
    kind = {"count": "number", "all": "boolean", "any": "boolean", "exists": "boolean"}.get(fn) or (
        value.type if value else "number"
    )
    return Aggregate(name, fn, table, value, condition, pairs, across, kind)


def _table(scope: Scope, value: Expr, where: tuple[str | int, ...]) -> str:
    near = reach(scope.dictionary, scope.subject)
    tables = {table for table, _ in tree.columns(value)}
    far = [table for table in tables if table not in near]
    chosen = far or [table for table in tables if table not in (ROOT,)] or [ROOT]
    deepest = max(chosen, key=lambda item: item.count("."))
    if any(table != deepest and table not in near and not deepest.startswith(table + ".") for table in far):
        raise Fault("un agrégat lit une seule table : " + ", ".join(sorted(far)), where)
    return deepest


def _pairs(scope: Scope, table: str, by: Any, path: tuple[str | int, ...]) -> tuple[tuple[Expr, Expr], ...]:
    if by is None:
        return ()
    entries = (
        by.items() if isinstance(by, Mapping) else [(item, item) for item in (by if isinstance(by, list) else [by])]
    )
    pairs = []
    for left, right in entries:
        row, own = scope.expr(left, *path), tree.exact(scope.expr(right, *path))
        if not same(row.type, own.type):
            raise Fault(f"by : on ne compare pas {row.type} avec {own.type}", (*scope.base, *path))
        if table not in {item[0] for item in tree.columns(row)}:
            raise Fault(f"by : « {left} » n'est pas une colonne de « {table} »", (*scope.base, *path))
        pairs.append((row, own))
    return tuple(pairs)


def _running(scope: Scope, name: str, fn: str, source: Mapping[str, Any], path: tuple[str | int, ...]) -> Running:
    where = (*scope.base, *path)
    unknown = set(source) - {fn, "across", "by", "order", "from"}
    if unknown:
        raise Fault(f"clé inconnue : « {min(unknown)} »", (*where, min(unknown)), "Connues : across, by, order, from")
    value = tree.exact(scope.expr(source[fn], *path, fn))
    by = source.get("by") or []
    keys = tuple(tree.exact(scope.expr(item, *path, "by")) for item in (by if isinstance(by, list) else [by]))
    if source.get("across", "dossier") == "dossier":
        keys = (*keys, tree.Column("number", ROOT, "#"))
    order = tuple(tree.exact(scope.expr(item, *path, "order")) for item in source.get("order") or [])
    anchor: Expr | None = None
    if "from" in source:
        anchor = scope.boolean(source["from"], *path, "from")
    return Running(
        name=name,
        table=scope.subject,
        value=value,
        by=keys,
        order=order,
        anchored="from" in source,
        anchor=anchor,
        distinct=fn == "running_count",
        type="number" if fn == "running_count" else value.type,
    )
