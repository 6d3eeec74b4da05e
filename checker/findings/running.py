"""The SQL of a running sum: what is certain before a row, and whether an unknown row may stand before it.

Columns of one sum carry its name as a suffix; those that its options make constant are left out: w the value, o the
first key of the order, k whether a key is unknown, p whether its position among equal o is unknown, a whether the sum
begins here, s beginnings so far, h whether there is one, u rows without o, n rows up to here of unknown value, q rows
up to here of unknown value or position, r of unknown position, m the least value, t the sum, alone: one dossier only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.tree import Expr, Running

Add = Callable[[str], str]  # adds a frame, gives its name
Say = Callable[[Expr], str]  # SQL of a node


def frames(lets: Sequence[tuple[Running, str]], last: str, add: Add, say: Say, templates: Mapping[str, str]) -> str:
    """Add the frames that compute running sums after `last`, each step of all of them in one; the last one's name.

    Where the dialect gains by it, a row that is alone in its partitions meets no window: it says what it would say.
    """
    made = [_Sum(let, name, say, templates) for let, name in lets]
    last = add(f"SELECT *, {_listed(column for one in made for column in _read(one))} FROM {last}")
    steps = [[column for one in made for column in step(one)] for step in (_first, _so_far, _sum)]
    apart = "apart" in templates and all(one.keys for one in made)
    held = add(_crowded(made, last)) if apart else last
    for columns in filter(None, steps):
        held = add(f"SELECT *, {_listed(columns)} FROM {held}")
    if apart:
        names = [column.name for columns in steps for column in columns]
        alone = {column.name: column.alone for columns in steps for column in columns}
        picked = ", ".join(f"CASE WHEN i_ IS NULL THEN {alone[name]} ELSE i.{name} END AS {name}" for name in names)
        crowded = f"SELECT row_ AS i_, {', '.join(names)} FROM {held}"
        held = add(f"SELECT o.*, {picked} FROM {last} o LEFT JOIN ({crowded}) i ON i_ = o.row_")
    return add(f"SELECT *, {_listed(column for one in made for column in _result(one))} FROM {held}")


@dataclass(frozen=True, slots=True)
class _Column:
    """A column, and what it is in a partition of one row."""

    name: str
    sql: str
    alone: str = ""


def _over(name: str, fn: str, value: str, window: str) -> _Column:
    return _Column(name, f"{fn}({value}) OVER {window}", value)


def _listed(columns: Iterable[_Column]) -> str:
    return ", ".join(f"{column.sql} AS {column.name}" for column in columns)


def _crowded(made: Sequence[_Sum], last: str) -> str:
    """The rows that share a partition with another row, under the keys of any of the sums."""
    keys = list(dict.fromkeys(tuple(one.keys) for one in made))
    coarse = [own for own in keys if not any(set(other) < set(own) for other in keys)]
    joins, found = [], []
    for index, own in enumerate(coarse):
        picked = ", ".join(f"{key} AS g{index}_{place}" for place, key in enumerate(own))
        shared = f"SELECT run_ AS g{index}_, {picked} FROM {last} GROUP BY run_, {', '.join(own)} HAVING COUNT(*) > 1"
        on = " AND ".join([f"g{index}_ = run_", *(f"g{index}_{place} = {key}" for place, key in enumerate(own))])
        joins.append(f"LEFT JOIN ({shared}) g{index} ON {on}")
        found.append(f"g{index}_ IS NOT NULL")
    return f"SELECT o.* FROM {last} o {' '.join(joins)} WHERE {' OR '.join(found)}"


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
        """Before its beginning."""
        return f"(h_{self.name} = 1 AND s_{self.name} = 0)" if self.let.anchor is not None else "FALSE"

    @property
    def unplaced(self) -> str:
        """Whether the position among equal first keys is unknown."""
        return f"p_{self.name}" if len(self.order) > 1 else "FALSE"

    @property
    def inside(self) -> bool:
        """Whether rows of one dossier need no order."""
        keys = [node for key in self.let.order for node in tree.walk(key)]
        return all(isinstance(node, tree.Column) and node.table == ROOT for node in keys)

    @property
    def alone(self) -> str:
        """Whether the partition holds one dossier, and needs no order."""
        return f"alone_{self.name}" if self.inside else "FALSE"

    @property
    def at_once(self) -> bool:
        """Whether the sum needs no other window first."""
        return self.let.anchor is None and not self.inside


def _read(made: _Sum) -> list[_Column]:
    name, say, let = made.name, made.say, made.let
    lost = " OR ".join(f"({key}) IS NULL" for key in made.keys) or "FALSE"
    found = [
        _Column(f"w_{name}", say(let.value)),
        _Column(f"o_{name}", made.order[0]),
        _Column(f"k_{name}", f"({lost})"),
    ]
    if len(made.order) > 1:
        found.append(_Column(f"p_{name}", f"({' OR '.join(f'({key}) IS NULL' for key in made.order[1:])})"))
    if let.anchor is not None:
        found.append(_Column(f"a_{name}", f"CASE WHEN {say(let.anchor)} THEN 1 ELSE 0 END"))
    return found


def _first(made: _Sum) -> list[_Column]:
    if not made.let.distinct:
        return []
    same = ", ".join(["run_", *made.keys, f"w_{made.name}"])
    known, first = f"w_{made.name} IS NOT NULL", f"ROW_NUMBER() OVER (PARTITION BY {same} ORDER BY {made.rank}) = 1"
    one = "CASE WHEN {} THEN 1 ELSE 0 END"
    return [_Column(f"d_{made.name}", one.format(f"{known} AND {first}"), one.format(known))]


def _so_far(made: _Sum) -> list[_Column]:
    name, part, upto = made.name, made.part, made.upto
    first = made.templates["asc"].format(f"o_{name}")
    peers = f"({part} ORDER BY {first} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    one = "CASE WHEN {} THEN 1 ELSE 0 END".format
    doubtful = f"o_{name} IS NOT NULL AND (w_{name} IS NULL OR {made.unplaced})"
    found = [
        _over(f"u_{name}", "SUM", one(f"o_{name} IS NULL"), f"({part})"),
        _over(f"q_{name}", "SUM", one(doubtful), peers),
    ]
    if made.let.anchor is not None:
        found.append(_over(f"s_{name}", "SUM", f"a_{name}", upto))
        found.append(_over(f"h_{name}", "MAX", f"a_{name}", f"({part})"))
    if made.inside:
        found.append(_over(f"n_{name}", "SUM", one(f"w_{name} IS NULL"), upto))
        found.append(_Column(made.alone, f"MIN(dossier_) OVER ({part}) = MAX(dossier_) OVER ({part})", "TRUE"))
    if made.let.distinct and made.unplaced != "FALSE":
        found.append(_over(f"r_{name}", "SUM", one(f"o_{name} IS NOT NULL AND {made.unplaced}"), peers))
    if not made.let.distinct:
        found.append(_over(f"m_{name}", "MIN", f"w_{name}", f"({part})"))
    return found + (_total(made) if made.at_once else [])


def _sum(made: _Sum) -> list[_Column]:
    return [] if made.at_once else _total(made)


def _total(made: _Sum) -> list[_Column]:
    name, zero = made.name, made.zero
    lost = f"(o_{name} IS NULL OR {made.unplaced})" if made.let.anchored else f"o_{name} IS NULL"
    known = f"CASE WHEN w_{name} IS NULL OR ({lost} AND NOT {{}}) THEN {zero} ELSE w_{name} END"
    term, alone = known.format(made.alone), known.format("TRUE" if made.inside else "FALSE")
    if made.let.distinct:
        term, alone = f"d_{name}", f"CASE WHEN w_{name} IS NOT NULL THEN 1 ELSE 0 END"
    if made.let.anchor is not None:
        term = f"CASE WHEN {made.before} THEN {zero} ELSE {term} END"
    return [_Column(f"t_{name}", f"SUM({term}) OVER {made.upto}", alone)]


def _result(made: _Sum) -> list[_Column]:
    name, before, let, alone, unplaced = made.name, made.before, made.let, made.alone, made.unplaced
    own = f"w_{name} IS NOT NULL AND NOT k_{name}"
    placed = f"(o_{name} IS NOT NULL AND NOT {unplaced})"
    reached = f"NOT k_{name} AND NOT {before} AND ({placed} OR {alone})"
    if let.distinct:  # rows of unknown value may each be one more, rows of unknown position may come later
        perhaps, later = f"(q_{name} + u_{name})", f"r_{name}" if unplaced != "FALSE" else "0"
        if made.inside:
            perhaps = f"(CASE WHEN {alone} THEN n_{name} ELSE q_{name} + u_{name} END)"
            later = f"CASE WHEN {alone} THEN 0 ELSE {later} END"
        exact = f"CASE WHEN {own} AND {perhaps} = 0 THEN t_{name} END"
        low = f"CASE WHEN {reached} THEN t_{name} - {later} END"
        return _bounded(name, exact, low, f"CASE WHEN {own} THEN t_{name} + {perhaps} END")
    settled = f"(u_{name} = 0 AND q_{name} = 0 AND {placed})"
    if made.inside:
        settled = f"(({alone} AND n_{name} = 0) OR {settled})"
    if let.anchor is not None:
        settled = f"((a_{name} = 1 AND s_{name} = 1) OR {settled})"
    if let.anchored:
        begun = f"h_{name} = 1" if let.anchor is not None else "FALSE"
        settled = f"({settled} AND {begun} AND NOT {before} AND o_{name} IS NOT NULL)"
    exact = f"CASE WHEN {own} AND {settled} THEN t_{name} END"
    low = f"CASE WHEN {reached} AND ({own} AND {settled} OR m_{name} >= 0) THEN t_{name} END"
    return _bounded(name, exact, low, exact)


def _bounded(name: str, exact: str, low: str, high: str) -> list[_Column]:
    return [_Column(name, exact), _Column(f"{name}__lo", low), _Column(f"{name}__hi", high)]
