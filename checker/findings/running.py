"""The SQL of a running sum: what is certain before a row, and whether an unknown row may stand before it.

Columns of one sum carry its name as a suffix: w the value, o the first key of the order, k whether a key is unknown,
p whether its position among equal o is unknown, a whether the sum begins here, s beginnings so far, h whether there is
one, u rows without o, n rows up to here of unknown value, q rows up to here of unknown value or position, t the sum,
alone: one dossier only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.tree import Expr, Running

Add = Callable[[str], str]  # adds a frame, gives its name
Say = Callable[[Expr], str]  # SQL of a node


def frames(let: Running, name: str, last: str, add: Add, say: Say, templates: Mapping[str, str]) -> str:
    """Add the frames that compute a running sum after `last`; the name of the last one."""
    zero = templates["zero"] if let.type == "money" else "0"
    keys = [say(key) for key in let.by]
    order = [say(key) for key in let.order] or ["dossier_"]
    rank = ", ".join([*(templates["asc"].format(key) for key in order), "reference_", "row_"])
    part = "PARTITION BY " + ", ".join(["run_", *keys])
    upto = f"({part} ORDER BY {rank} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    lost = " OR ".join(f"({key}) IS NULL" for key in keys) or "FALSE"
    unplaced = " OR ".join(f"({key}) IS NULL" for key in order[1:]) or "FALSE"
    begins = f"CASE WHEN {say(let.anchor)} THEN 1 ELSE 0 END" if let.anchor is not None else "0"
    level = add(
        f"SELECT *, {say(let.value)} AS w_{name}, {order[0]} AS o_{name}, ({lost}) AS k_{name},"
        f" ({unplaced}) AS p_{name}, {begins} AS a_{name} FROM {last}"
    )
    if let.distinct:
        same = ", ".join(["run_", *keys, f"w_{name}"])
        first = f"ROW_NUMBER() OVER (PARTITION BY {same} ORDER BY {rank}) = 1"
        level = add(f"SELECT *, CASE WHEN w_{name} IS NOT NULL AND {first} THEN 1 ELSE 0 END AS d_{name} FROM {level}")
    placed = f"o_{name} IS NOT NULL AND (w_{name} IS NULL OR p_{name})"
    by_first = (
        f"({part} ORDER BY {templates['asc'].format(f'o_{name}')} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    )
    settled_inside = all(table == ROOT for key in let.order for table, _ in tree.columns(key))
    alone = f"MIN(dossier_) OVER ({part}) = MAX(dossier_) OVER ({part})" if settled_inside else "FALSE"
    level = add(
        f"SELECT *, SUM(a_{name}) OVER {upto} AS s_{name}, MAX(a_{name}) OVER ({part}) AS h_{name},"
        f" SUM(CASE WHEN o_{name} IS NULL THEN 1 ELSE 0 END) OVER ({part}) AS u_{name},"
        f" SUM(CASE WHEN w_{name} IS NULL THEN 1 ELSE 0 END) OVER {upto} AS n_{name}, {alone} AS alone_{name},"
        f" SUM(CASE WHEN {placed} THEN 1 ELSE 0 END) OVER {by_first} AS q_{name} FROM {level}"
    )
    before = f"(h_{name} = 1 AND s_{name} = 0)"
    unplaced_row = f"(o_{name} IS NULL AND NOT alone_{name})"
    term = (
        f"d_{name}" if let.distinct else f"CASE WHEN w_{name} IS NULL OR {unplaced_row} THEN {zero} ELSE w_{name} END"
    )
    level = add(f"SELECT *, SUM(CASE WHEN {before} THEN {zero} ELSE {term} END) OVER {upto} AS t_{name} FROM {level}")
    return add(f"SELECT *, {_result(let, name, before)} FROM {level}")


def _result(let: Running, name: str, before: str) -> str:
    own = f"w_{name} IS NOT NULL AND NOT k_{name}"
    low = f"CASE WHEN NOT k_{name} AND NOT {before} AND (o_{name} IS NOT NULL OR alone_{name}) THEN t_{name} END"
    if let.distinct:  # rows of unknown value may each be one more
        perhaps = f"(n_{name} + CASE WHEN alone_{name} THEN 0 ELSE u_{name} END)"
        exact = f"CASE WHEN {own} AND {perhaps} = 0 THEN t_{name} END"
        high = f"CASE WHEN {own} THEN t_{name} + {perhaps} END"
        return f"{exact} AS {name}, {low} AS {name}__lo, {high} AS {name}__hi"
    first = f"(a_{name} = 1 AND s_{name} = 1)"
    ordered = f"(u_{name} = 0 AND q_{name} = 0 AND o_{name} IS NOT NULL AND NOT p_{name})"
    settled = f"((alone_{name} AND n_{name} = 0) OR {first} OR {ordered})"
    if let.anchored:
        settled = f"({settled} AND h_{name} = 1 AND NOT {before} AND (o_{name} IS NOT NULL OR {first}))"
    exact = f"CASE WHEN {own} AND {settled} THEN t_{name} END"
    return f"{exact} AS {name}, {low} AS {name}__lo, {exact} AS {name}__hi"
