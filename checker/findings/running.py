"""The SQL of a running sum: what is certain before a row, and whether an unknown row may stand before it.

Columns of one sum carry its name as a suffix: w the value, o the first key of the order, k whether a key is unknown,
p whether its position among equal o is unknown, a whether the sum begins here, s beginnings so far, h whether there is
one, u rows without o, n rows up to here of unknown value, q rows up to here of unknown value or position, r of
unknown position, m the least value, t the sum, alone: one dossier only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.tree import Expr, Running

Add = Callable[[str], str]  # adds a frame, gives its name
Say = Callable[[Expr], str]  # SQL of a node


def frames(lets: Sequence[tuple[Running, str]], last: str, add: Add, say: Say, templates: Mapping[str, str]) -> str:
    """Add the frames that compute running sums after `last`, each step of all of them in one; the last one's name."""
    for step in (_read, _first, _so_far, _sum, _result):
        columns = [column for let, name in lets for column in step(_Sum(let, name, say, templates))]
        if columns:
            last = add(f"SELECT *, {', '.join(columns)} FROM {last}")
    return last


@dataclass(frozen=True, slots=True)
class _Sum:
    """One running sum being written: the pieces of SQL that its steps share."""

    let: Running
    name: str
    say: Say
    templates: Mapping[str, str]

    @property
    def zero(self) -> str:
        return self.templates["zero"] if self.let.type == "money" else "0"

    @property
    def keys(self) -> list[str]:
        return [self.say(key) for key in self.let.by]

    @property
    def order(self) -> list[str]:
        return [self.say(key) for key in self.let.order] or ["dossier_"]

    @property
    def rank(self) -> str:
        return ", ".join([*(self.templates["asc"].format(key) for key in self.order), "reference_", "row_"])

    @property
    def part(self) -> str:
        return "PARTITION BY " + ", ".join(["run_", *self.keys])

    @property
    def upto(self) -> str:
        return f"({self.part} ORDER BY {self.rank} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"

    @property
    def before(self) -> str:
        return f"(h_{self.name} = 1 AND s_{self.name} = 0)"


def _read(made: _Sum) -> list[str]:
    name, say, let = made.name, made.say, made.let
    lost = " OR ".join(f"({key}) IS NULL" for key in made.keys) or "FALSE"
    unplaced = " OR ".join(f"({key}) IS NULL" for key in made.order[1:]) or "FALSE"
    begins = f"CASE WHEN {say(let.anchor)} THEN 1 ELSE 0 END" if let.anchor is not None else "0"
    return [
        f"{say(let.value)} AS w_{name}",
        f"{made.order[0]} AS o_{name}",
        f"({lost}) AS k_{name}",
        f"({unplaced}) AS p_{name}",
        f"{begins} AS a_{name}",
    ]


def _first(made: _Sum) -> list[str]:
    if not made.let.distinct:
        return []
    same = ", ".join(["run_", *made.keys, f"w_{made.name}"])
    first = f"ROW_NUMBER() OVER (PARTITION BY {same} ORDER BY {made.rank}) = 1"
    return [f"CASE WHEN w_{made.name} IS NOT NULL AND {first} THEN 1 ELSE 0 END AS d_{made.name}"]


def _so_far(made: _Sum) -> list[str]:
    name, part, upto = made.name, made.part, made.upto
    placed = f"o_{name} IS NOT NULL AND (w_{name} IS NULL OR p_{name})"
    first = made.templates["asc"].format(f"o_{name}")
    peers = f"({part} ORDER BY {first} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    keys = [node for key in made.let.order for node in tree.walk(key)]
    settled_inside = all(isinstance(node, tree.Column) and node.table == ROOT for node in keys)
    alone = f"MIN(dossier_) OVER ({part}) = MAX(dossier_) OVER ({part})" if settled_inside else "FALSE"
    return [
        f"SUM(a_{name}) OVER {upto} AS s_{name}",
        f"MAX(a_{name}) OVER ({part}) AS h_{name}",
        f"SUM(CASE WHEN o_{name} IS NULL THEN 1 ELSE 0 END) OVER ({part}) AS u_{name}",
        f"SUM(CASE WHEN w_{name} IS NULL THEN 1 ELSE 0 END) OVER {upto} AS n_{name}",
        f"{alone} AS alone_{name}",
        f"SUM(CASE WHEN {placed} THEN 1 ELSE 0 END) OVER {peers} AS q_{name}",
        f"SUM(CASE WHEN o_{name} IS NOT NULL AND p_{name} THEN 1 ELSE 0 END) OVER {peers} AS r_{name}",
        f"MIN(w_{name}) OVER ({part}) AS m_{name}",
    ]


def _sum(made: _Sum) -> list[str]:
    name = made.name
    lost = f"(o_{name} IS NULL OR p_{name})" if made.let.anchored else f"o_{name} IS NULL"
    unplaced = f"({lost} AND NOT alone_{name})"
    known = f"CASE WHEN w_{name} IS NULL OR {unplaced} THEN {made.zero} ELSE w_{name} END"
    term = f"d_{name}" if made.let.distinct else known
    return [f"SUM(CASE WHEN {made.before} THEN {made.zero} ELSE {term} END) OVER {made.upto} AS t_{name}"]


def _result(made: _Sum) -> list[str]:
    name, before, let = made.name, made.before, made.let
    own = f"w_{name} IS NOT NULL AND NOT k_{name}"
    reached = f"NOT k_{name} AND NOT {before} AND ((o_{name} IS NOT NULL AND NOT p_{name}) OR alone_{name})"
    if let.distinct:  # rows of unknown value may each be one more, rows of unknown position may come later
        perhaps = f"(CASE WHEN alone_{name} THEN n_{name} ELSE q_{name} + u_{name} END)"
        exact = f"CASE WHEN {own} AND {perhaps} = 0 THEN t_{name} END"
        low = f"CASE WHEN {reached} THEN t_{name} - CASE WHEN alone_{name} THEN 0 ELSE r_{name} END END"
        high = f"CASE WHEN {own} THEN t_{name} + {perhaps} END"
        return [f"{exact} AS {name}", f"{low} AS {name}__lo", f"{high} AS {name}__hi"]
    first = f"(a_{name} = 1 AND s_{name} = 1)"
    ordered = f"(u_{name} = 0 AND q_{name} = 0 AND o_{name} IS NOT NULL AND NOT p_{name})"
    settled = f"((alone_{name} AND n_{name} = 0) OR {first} OR {ordered})"
    if let.anchored:
        settled = f"({settled} AND h_{name} = 1 AND NOT {before} AND o_{name} IS NOT NULL)"
    exact = f"CASE WHEN {own} AND {settled} THEN t_{name} END"
    low = f"CASE WHEN {reached} AND ({own} AND {settled} OR m_{name} >= 0) THEN t_{name} END"
    return [f"{exact} AS {name}", f"{low} AS {name}__lo", f"{exact} AS {name}__hi"]
