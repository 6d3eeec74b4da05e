"""The SQL of an aggregate: measures over the rows, then the exact value and what is certain of it.

Columns of one aggregate carry its name as a suffix: n what is known, u how many rows are not, m how many are negative,
l how many dossiers' lists were not read.
SQL's own SUM, MAX and COUNT skip NULL: they only ever see the known part.
"""

from __future__ import annotations

from collections.abc import Mapping

from checker.base.tree import Aggregate

_INSIDE = "one_ = 1"  # there is a row
_GONE = "one_ = 0"  # a list that would hold rows was not read


def measures(let: Aggregate, name: str, conditions: list[str], value: str | None, templates: Mapping[str, str]) -> str:
    """The columns of the grouped frame; `conditions` and `value` are SQL over its rows."""
    count = templates["count_if"].format
    where = " AND ".join(conditions)
    yes, maybe = (f"{_INSIDE} AND ({where}) IS TRUE", f"{_INSIDE} AND ({where}) IS NULL") if where else (_INSIDE, "")
    if let.fn in ("count", "exists") or value is None:
        hidden = count(f"({maybe}) OR {_GONE}" if maybe else _GONE)
        lists = f", {count(_GONE)} AS l_{name}" if let.fn == "count" else ""
        return f"{count(yes)} AS n_{name}, {hidden} AS u_{name}{lists}"
    if let.fn in ("all", "any"):
        stop = "TRUE" if let.fn == "any" else "FALSE"
        hidden = f"{_GONE} OR ({yes} AND ({value}) IS NULL)"
        hidden += f" OR ({maybe} AND (({value}) IS NULL OR ({value}) IS {stop}))" if maybe else ""
        return f"{count(f'{yes} AND ({value}) IS {stop}')} AS n_{name}, {count(hidden)} AS u_{name}"
    known = f"({value}) IS NOT NULL"
    hidden = f"{_GONE} OR ({yes} AND NOT {known})"
    if maybe:
        hidden += f" OR ({maybe} AND ({value}) IS DISTINCT FROM 0)" if let.fn == "sum" else f" OR ({maybe})"
    folded = f"{let.fn.upper()}(CASE WHEN {yes} AND {known} THEN {value} END)"
    counts = f"{folded} AS n_{name}, {count(hidden)} AS u_{name}"
    if let.fn != "sum":
        return counts
    perhaps = f"{_INSIDE} AND ({where}) IS NOT FALSE" if where else _INSIDE
    return f"{counts}, {count(f'{perhaps} AND ({value}) < 0')} AS m_{name}"


def filled(let: Aggregate, name: str, lost: str | None, group: str, templates: Mapping[str, str]) -> str:
    """The named value and its bounds; `lost`: SQL of whether rows may exist that were not read or matched.

    `group`: the alias of the grouped frame.
    """
    gone = f"CASE WHEN {lost} THEN 1 ELSE 0 END" if lost is not None else "0"
    hidden = f"(COALESCE({group}.u_{name}, 0) + {gone})"
    count = f"COALESCE({group}.n_{name}, 0)"
    if let.fn in ("exists", "any", "all"):
        found, none = ("FALSE", "TRUE") if let.fn == "all" else ("TRUE", "FALSE")
        return f"CASE WHEN {count} > 0 THEN {found} WHEN {hidden} > 0 THEN NULL ELSE {none} END AS {name}"
    if let.fn == "count":
        whole = f"{gone} = 0 AND COALESCE({group}.l_{name}, 0) = 0"
        high = f"CASE WHEN {whole} THEN {count} + {hidden} END"
        return f"CASE WHEN {hidden} = 0 THEN {count} END AS {name}, {count} AS {name}__lo, {high} AS {name}__hi"
    if let.fn == "sum":
        zero = templates["zero"] if let.type == "money" else "0"
        exact = f"CASE WHEN {hidden} = 0 THEN COALESCE({group}.n_{name}, {zero}) END"
        low = f"CASE WHEN {hidden} = 0 OR COALESCE({group}.m_{name}, 0) = 0 THEN COALESCE({group}.n_{name}, {zero}) END"
        return f"{exact} AS {name}, {low} AS {name}__lo, {exact} AS {name}__hi"
    exact = f"CASE WHEN {hidden} = 0 THEN {group}.n_{name} END"
    low, high = (f"{group}.n_{name}", exact) if let.fn == "max" else (exact, f"{group}.n_{name}")
    return f"{exact} AS {name}, {low} AS {name}__lo, {high} AS {name}__hi"
