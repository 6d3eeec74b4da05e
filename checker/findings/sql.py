"""Plans -> SQL: one emitter, one table of templates a dialect. Nothing here assumes an engine beyond its templates.

A statement starts from the subject, joins what belongs to its row, adds one frame a named value, projects and never
filters: each row of the subject comes out once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from checker.base import tree
from checker.base.dictionary import ROOT, Dictionary
from checker.base.tree import Aggregate, Column, Expr, Part, Running, Scalar, StateOf
from checker.findings import aggregates, running
from checker.findings.expressions import Expressions, Templates, quote, state_name
from checker.findings.reach import Reach, of_rows, reach
from checker.findings.reads import columns_of, read_by, renamed

Keys = tuple[tuple[Expr, Expr], ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL text for parts of one subject; columns: dossier_, row_, then for each part PER_PART + its shows."""

    subject: str
    parts: tuple[Part, ...]
    frames: tuple[tuple[str, str], ...]  # (name, SQL), each reads earlier ones and tables
    select: str

    @property
    def sql(self) -> str:
        """The whole statement, for an engine that reads its frames in one."""
        frames = ",\n".join(f"{name} AS ({text})" for name, text in self.frames)
        return f"WITH {frames}\n{self.select}"

    def readings(self, name: str) -> int:
        """How many times the others read a frame."""
        read = re.compile(rf"(?:FROM|JOIN) {name}\b")
        return sum(len(read.findall(text)) for text in (*(text for _, text in self.frames), self.select))


def table_sql(name: str) -> str:
    """The name of a table in an engine: dots would read as schemas."""
    return name.replace(".", "__")


@dataclass
class Emitter(Expressions):
    """Emits statements for one dialect over the tables of a dictionary."""

    templates: Templates
    dictionary: Dictionary
    codes: tuple[int, int, int, int] = (0, 1, 2, 3)  # conforme, non_conforme, indetermine, sans_objet
    _frames: list[tuple[str, str]] = field(default_factory=list)
    _inner: frozenset[str] = frozenset()  # tables whose columns come from the aggregate's rows
    _child: str = "x"  # and the alias that has them

    def statement(self, subject: str, parts: Sequence[Part]) -> Statement:
        """The statement of these parts, all of that subject; equal named values are computed once, level by level."""
        self._frames = [("f0", self._base(subject, parts))]
        taken: dict[tree.Let, str] = {}
        levels: list[list[tuple[tree.Let, str]]] = []
        depth: dict[str, int] = {}
        final: list[dict[str, str]] = []
        for part in parts:
            names: dict[str, str] = {}
            for let in part.lets:
                key = renamed(let, names)
                if key not in taken:
                    name = taken[key] = f"v{len(taken)}"
                    depth[name] = 1 + max((depth[item] for item in read_by(key)), default=-1)
                    levels += [[] for _ in range(depth[name] + 1 - len(levels))]
                    levels[depth[name]].append((key, name))
                names[let.name] = taken[key]
            final.append(names)
        last = "f0"
        for level in levels:
            last = self._level(subject, level, last)
        picked = ["dossier_", "row_"]
        for part, names in zip(parts, final, strict=True):
            picked += self._part(part, names)
        select = f"SELECT {', '.join(picked)} FROM {last}"
        return Statement(subject, tuple(parts), tuple(self._frames), select)

    def _part(self, part: Part, names: Mapping[str, str]) -> list[str]:
        def expr(node: Expr | None) -> str:
            return "NULL" if node is None else self.expr(node, None, names)

        held, refused, unknown, idle = self.codes
        ok = expr(part.ok)  # said once: an engine may not see that a text it reads twice is the same
        if part.soft:
            outcome = f"CASE WHEN {ok} THEN {held} ELSE {unknown} END"
        else:
            outcome = (
                f"COALESCE(CAST(NOT ({ok}) AS {self.templates['integer']}) * {refused - held} + {held}, {unknown})"
            )
        cases = [f"WHEN stage_ < {part.stage} THEN {idle}"]
        if part.when is not None:
            when = expr(part.when)
            cases += [f"WHEN {when} THEN {outcome}", f"WHEN ({when}) IS NULL THEN {unknown}"]
            outcome = str(idle)
        outcome = f"CASE {' '.join(cases)} ELSE {outcome} END"
        return [
            outcome,
            *(f"{expr(node)}" for node in (part.observed, part.expected, part.at, *(n for _, n in part.shows))),
        ]

    def _near(self, subject: str) -> list[str]:
        """The subject, its parents, the dossier: tables of which a row of the subject has one row."""
        chain = [subject]
        while (parent := self.dictionary.tables[chain[-1]].parent) is not None:
            chain.append(parent)
        return chain

    def _joins(self, subject: str) -> str:
        chain = self._near(subject)
        text = f"FROM {self.spell(table_sql(subject))} t0"
        for depth, table in enumerate(chain[1:], start=1):
            key = f"t{depth}.row_ = t{depth - 1}.parent_"
            text += f" JOIN {self.spell(table_sql(table))} t{depth} ON {key}"
        return text

    def _base(self, subject: str, parts: Sequence[Part]) -> str:
        chain = self._near(subject)
        wanted = columns_of(parts)
        for part in parts:
            for let in part.lets:
                listed = self._list_of(subject, let)
                if listed is not None:
                    wanted.setdefault(listed[0], set()).add((listed[1], True))
        root = f"t{len(chain) - 1}"
        picked = ["t0.row_ AS row_", f"{root}.row_ AS dossier_"]
        picked += [f"{root}.{name} AS {name}" for name in ("run_", "stage_", "reference_")]
        picked += [f"t{depth}.row_ AS {self.spell('row_' + table)}" for depth, table in enumerate(chain)]
        for depth, table in enumerate(chain):
            for name, is_state in sorted(wanted.get(table, ())):
                column = state_name(name) if is_state else name
                picked.append(f"t{depth}.{self.spell(column)} AS {self.spell(table + '/' + column)}")
        return f"SELECT {', '.join(picked)} {self._joins(subject)}"

    def _add(self, sql: str) -> str:
        name = f"f{len(self._frames)}"
        self._frames.append((name, sql))
        return name

    def _level(self, subject: str, lets: Sequence[tuple[tree.Let, str]], last: str) -> str:
        """Add the frames of named values that read only earlier ones: one a source of rows, then one for all."""
        sources: dict[tuple[str, str, Reach | Keys], list[tuple[Aggregate, str]]] = {}
        columns = [
            f"{self.expr(let.value, None, {}, prefix='f.')} AS {name}" for let, name in lets if isinstance(let, Scalar)
        ]
        for let, name in lets:
            if isinstance(let, Aggregate):
                near = let.across == "dossier"
                how: Reach | Keys = reach(let, self._within(subject, let.table)) if near else let.by
                sources.setdefault((let.across, let.table, how), []).append((let, name))
        joins = []
        for index, ((_, _, met), group) in enumerate(sources.items()):
            keys, source, on = self._rows(subject, group, last, met) if isinstance(met, Reach) else self._far(group)
            measured = [self._measures(let, name) for let, name in group]
            frame = self._add(f"SELECT {', '.join([keys, *measured])} {source}")
            joins.append(f"LEFT JOIN {frame} g{index} ON {on.format(g=f'g{index}')}")
            columns += [self._filled(subject, let, name, f"g{index}") for let, name in group]
        if columns:
            last = self._add(f"SELECT f.*, {', '.join(columns)} FROM {last} f {' '.join(joins)}")
        runs = [(let, name) for let, name in lets if isinstance(let, Running)]
        if runs:
            last = running.frames(runs, last, self._add, lambda node: self.expr(node, None, {}), self.templates)
        return last

    # --- aggregates -------------------------------------------------------------------------------------------------

    def _measures(self, let: Aggregate, name: str) -> str:
        conditions: list[str] = []
        if let.across == "dossier":
            conditions += [f"({self._equal(row, own)})" for row, own in let.by]
        if let.where is not None:
            conditions.append(f"({self.expr(let.where, self._child, {})})")
        value = self.expr(let.value, self._child, {}) if let.value is not None else None
        return aggregates.measures(let, name, conditions, value, self.templates)

    def _equal(self, row: Expr, own: Expr) -> str:
        return f"{self.expr(row, self._child, {})} = {self.expr(own, None, {}, prefix='f.')}"

    def _filled(self, subject: str, let: Aggregate, name: str, group: str) -> str:
        listed = self._list_of(subject, let)
        lost = f"f.{self.spell(listed[0] + '/' + state_name(listed[1]))} IN (1, 2, 3)" if listed is not None else None
        if let.across != "dossier" and let.by:
            lost = " OR ".join(f"({self.expr(own, None, {}, prefix='f.')}) IS NULL" for _, own in let.by)
        return aggregates.filled(let, name, lost, group, self.templates)

    def _above(self, table: str, near: Collection[str]) -> list[str]:
        """A table and those above it, up to the first that a row of the subject has one row of."""
        found = [table]
        while (parent := self.dictionary.tables[found[-1]].parent) is not None:
            found.append(parent)
            if parent in near:
                break
        return found

    def _within(self, subject: str, child: str) -> frozenset[str]:
        """The tables whose columns are those of the aggregate's rows."""
        near = self._near(subject)
        return frozenset({child, *(table for table in self._above(child, near) if table not in near)})

    def _read(self, chain: Sequence[str], group: Sequence[Aggregate], far: bool, lists: bool) -> str:
        """The rows of a table (`chain`: it and those above it): `above_` the row of the last, `one_` 1, their columns.

        `lists`: one that was not read, of a row between the two, is a row of its own with `one_` 0: it may hold any.
        """
        aliases = {table: f"x{depth}" for depth, table in enumerate(chain)}
        top = aliases[chain[-1]]
        listed = self._let_columns(group, aliases)
        picked = [f"{top}.run_ AS run_"] if far else [f"{top}.row_ AS above_"]
        readable = f"{top}.stage_ IS NOT NULL" if far else ""  # of a dossier that cannot be read, nothing counts here
        tables = [f"{self.spell(table_sql(table))} {alias}" for table, alias in aliases.items()]
        ons = [f" ON x{depth + 1}.row_ = x{depth}.parent_" for depth in range(len(chain) - 1)]
        joined = "".join(f" JOIN {table}{on}" for table, on in zip(tables[1:], ons, strict=True))
        columns = [f"{alias}.{self.spell(column)} AS {name}" for alias, column, name, _ in listed]
        rows = f"SELECT {', '.join([*picked, *columns, '1 AS one_'])} FROM {tables[0]}{joined}"
        rows += f" WHERE {readable}" if far else ""
        kept = of_rows(group, self._inner)
        if kept is not None:
            rows = f"SELECT * FROM ({rows}) x WHERE ({self.expr(kept, 'x', {})}) IS NOT FALSE"
        if not lists:
            return rows
        without = "".join(f" JOIN {table}{on}" for table, on in zip(tables[2:], ons[1:], strict=True))
        columns = [
            f"{alias}.{self.spell(column)} AS {name}" if far and alias != "x0" else f"{self.nothing(kind)} AS {name}"
            for alias, column, name, kind in listed
        ]
        hidden = f"x1.{self.spell(state_name(f'{chain[0]}[]'))} IN (1, 2, 3)"
        gone = f"SELECT DISTINCT {', '.join([*picked, *columns, '0 AS one_'])} FROM {tables[1]}{without}"
        return f"{rows} UNION ALL {gone} WHERE {' AND '.join(filter(None, (hidden, readable)))}"

    def _rows(
        self, subject: str, group: Sequence[tuple[Aggregate, str]], last: str, how: Reach
    ) -> tuple[str, str, str]:
        """The rows of the dossier (or of the subject's row, when nested in it) that may count for the subject's row."""
        child = group[0][0].table
        self._inner, self._child = self._within(subject, child), "x"
        own_table = child in self._near(subject)
        chain = self._above(child, () if own_table else self._near(subject))
        rows = self._read(chain, [let for let, _ in group], far=False, lists=not own_table and len(chain) > 2)
        own = f"f.{self.spell('row_' + chain[-1])}"
        if how.alone:
            return "x.above_ AS k", f"FROM ({rows}) x GROUP BY x.above_", f"{{g}}.k = {own}"
        pairs = f"SELECT f.*, x.* FROM {last} f JOIN"
        if not how.keys:
            made = f"{pairs} ({rows}) x ON x.above_ = {own}"
        else:
            met = self._add(rows)
            same = " AND ".join(self._equal(*key) for key in how.keys)
            lost = " OR ".join(f"{self.expr(row, 'x', {})} IS NULL" for row, _ in how.keys)
            free = [f"{self.expr(key, None, {}, prefix='f.')} IS NULL" for _, key in how.keys]
            free += [f"({self.expr(how.unless, None, {}, prefix='f.')}) IS NOT FALSE"] if how.unless is not None else []
            made = (
                f"{pairs} {met} x ON x.above_ = {own} AND {same} "
                f"UNION ALL {pairs} {met} x ON x.above_ = {own} WHERE {lost} "
                f"UNION ALL {pairs} {met} x ON x.above_ = {own} "
                f"WHERE ({' OR '.join(free)}) AND NOT ({lost}) AND ({same}) IS NOT TRUE"
            )
        self._child = "f"
        return "f.row_ AS k", f"FROM ({made}) f GROUP BY f.row_", "{g}.k = f.row_"

    def _list_of(self, subject: str, let: tree.Let) -> tuple[str, str] | None:
        """(table of the subject's row, column) of the state of the list that an aggregate reads."""
        if not isinstance(let, Aggregate) or let.across != "dossier" or let.table == ROOT:
            return None
        near = self._near(subject)
        here = let.table
        while (parent := self.dictionary.tables[here].parent) is not None:
            if parent in near:
                return parent, f"{here}[]"
            here = parent
        return None

    def _let_columns(self, group: Sequence[Aggregate], aliases: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
        """(alias, column, name, type) of the columns of the rows that these aggregates read."""
        wanted: dict[str, tuple[str, str, str, str]] = {}
        for node in (node for let in group for node in tree.let_exprs(let)):
            for item in tree.walk(node):
                if isinstance(item, Column | StateOf) and item.table in self._inner and item.name != "#":
                    column = state_name(item.name) if isinstance(item, StateOf) else item.name
                    name = self.spell(f"x/{item.table}/{column}")
                    wanted.setdefault(name, (aliases[item.table], column, name, item.type))
        return list(wanted.values())

    def _far(self, group: Sequence[tuple[Aggregate, str]]) -> tuple[str, str, str]:
        """The rows of all dossiers of the run, grouped by their keys."""
        by = group[0][0].by
        chain = self._above(group[0][0].table, ())
        self._inner, self._child = frozenset(chain), "x"
        rows = self._read(chain, [let for let, _ in group], far=True, lists=len(chain) > 2)
        keys = [self.expr(row, "x", {}) for row, _ in by]
        own = [self.expr(subject, None, {}, prefix="f.") for _, subject in by]
        picked = ", ".join(["x.run_ AS run_", *(f"{key} AS k{index}" for index, key in enumerate(keys))])
        on = " AND ".join(["{g}.run_ = f.run_", *(f"{{g}}.k{index} = {key}" for index, key in enumerate(own))])
        return picked, f"FROM ({rows}) x GROUP BY {', '.join(['x.run_', *keys])}", on


__all__ = ["Emitter", "Statement", "Templates", "quote", "state_name", "table_sql"]
