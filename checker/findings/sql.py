"""Plans -> SQL: one emitter, one table of templates a dialect. Nothing here assumes an engine beyond its templates.

A statement starts from the subject, joins what belongs to its row, adds one frame a named value, projects and never
filters: each row of the subject comes out once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from checker.base import tree
from checker.base.dictionary import ROOT, Dictionary
from checker.base.tree import Aggregate, Call, Column, Expr, Literal, Part, Ref, Running, Scalar, StateOf
from checker.findings import aggregates, running
from checker.findings.reads import columns_of, read_by, renamed

Templates = Mapping[str, str]
PER_PART = 4  # outcome, observed, expected, at; then the shows


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


def quote(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def table_sql(name: str) -> str:
    """The name of a table in an engine: dots would read as schemas."""
    return name.replace(".", "__")


def state_name(name: str) -> str:
    """The column that holds the state of a column."""
    return f"{name}?"


@dataclass
class Emitter:
    """Emits statements for one dialect over the tables of a dictionary."""

    templates: Templates
    dictionary: Dictionary
    _frames: list[tuple[str, str]] = field(default_factory=list)
    _inner: Mapping[str, str] = field(default_factory=dict)  # tables whose columns come from the aggregate's rows

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

        cases = [f"WHEN stage_ < {part.stage} THEN 3"]
        if part.when is not None:
            when = expr(part.when)
            cases += [f"WHEN ({when}) IS NULL THEN 2", f"WHEN NOT ({when}) THEN 3"]
        ok = expr(part.ok)
        cases += [f"WHEN ({ok}) IS NULL THEN 2", f"WHEN ({ok}) THEN 0"]
        outcome = f"CASE {' '.join(cases)} ELSE {2 if part.soft else 1} END"
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
        text = f"FROM {quote(table_sql(subject))} t0"
        for depth, table in enumerate(chain[1:], start=1):
            key = f"t{depth}.row_ = t{depth - 1}.parent_"
            text += f" JOIN {quote(table_sql(table))} t{depth} ON {key}"
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
        picked += [f"t{depth}.row_ AS {quote('row_' + table)}" for depth, table in enumerate(chain)]
        for depth, table in enumerate(chain):
            for name, is_state in sorted(wanted.get(table, ())):
                column = state_name(name) if is_state else name
                picked.append(f"t{depth}.{quote(column)} AS {quote(table + '/' + column)}")
        return f"SELECT {', '.join(picked)} {self._joins(subject)}"

    def _add(self, sql: str) -> str:
        name = f"f{len(self._frames)}"
        self._frames.append((name, sql))
        return name

    def _level(self, subject: str, lets: Sequence[tuple[tree.Let, str]], last: str) -> str:
        """Add the frames of named values that read only earlier ones: one a source of rows, then one for all."""
        sources: dict[tuple[str, str, object], list[tuple[Aggregate, str]]] = {}
        columns = [
            f"{self.expr(let.value, None, {}, prefix='f.')} AS {name}" for let, name in lets if isinstance(let, Scalar)
        ]
        for let, name in lets:
            if isinstance(let, Aggregate):
                key = (let.across, let.table, None if let.across == "dossier" else let.by)
                sources.setdefault(key, []).append((let, name))
        joins = []
        for index, ((across, _, _), group) in enumerate(sources.items()):
            keys, source, on = self._rows(subject, group, last) if across == "dossier" else self._far(group)
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
            pairs = [(self.expr(row, "x", {}), self.expr(own, None, {}, prefix="f.")) for row, own in let.by]
            conditions += [f"({row} = {own})" for row, own in pairs]
        if let.where is not None:
            conditions.append(f"({self.expr(let.where, 'x', {})})")
        value = self.expr(let.value, "x", {}) if let.value is not None else None
        return aggregates.measures(let, name, conditions, value, self.templates)

    def _filled(self, subject: str, let: Aggregate, name: str, group: str) -> str:
        listed = self._list_of(subject, let)
        lost = f"f.{quote(listed[0] + '/' + state_name(listed[1]))} IN (1, 2, 3)" if listed is not None else None
        if let.across != "dossier" and let.by:
            lost = " OR ".join(f"({self.expr(own, None, {}, prefix='f.')}) IS NULL" for _, own in let.by)
        return aggregates.filled(let, name, lost, group, self.templates)

    def _child(self, table: str, near: Sequence[str]) -> tuple[str, dict[str, str], str]:
        """FROM text of a table and its parents down from the dossier, the alias of each, and the columns of a row.

        `one_`: there is a row; `gone_`: its list was not read, so that rows may be missing.
        """
        aliases = {table: "x"}
        text = f"{quote(table_sql(table))} x"
        flags = "1 AS one_, 0 AS gone_"
        here, depth = table, 0
        while (parent := self.dictionary.tables[here].parent) is not None:
            depth += 1
            above = f"x{depth}"
            on = f"{above}.row_ = {aliases[here]}.parent_"
            if depth == 1 and parent not in near and parent != ROOT:
                text = f"{quote(table_sql(parent))} {above} LEFT JOIN {text} ON {on}"
                hidden = f"{above}.{quote(state_name(f'{table}[]'))} IN (1, 2, 3)"
                flags = (
                    f"CASE WHEN x.row_ IS NULL THEN 0 ELSE 1 END AS one_, CASE WHEN {hidden} THEN 1 ELSE 0 END AS gone_"
                )
            else:
                text += f" JOIN {quote(table_sql(parent))} {above} ON {on}"
            aliases[parent] = above
            here = parent
        return text, aliases, flags

    def _rows(self, subject: str, group: Sequence[tuple[Aggregate, str]], last: str) -> tuple[str, str, str]:
        """The rows of the dossier (or of the subject's row, when nested in it), beside the subject's row."""
        child = group[0][0].table
        near = self._near(subject)
        text, aliases, flags = self._child(child, near)
        above = ROOT if child in near else next(table for table in self._near(child) if table in near)
        self._inner = {child: "x"} | {table: "x" for table in aliases if table not in near}
        inner = {table: alias for table, alias in aliases.items() if table in self._inner}
        listed = ", ".join([f"{aliases[above]}.row_ AS above_", *self._let_columns(group, inner)])
        on = f"x.above_ = f.{quote('row_' + above)}"
        source = f"FROM {last} f LEFT JOIN (SELECT {listed}, {flags} FROM {text}) x ON {on} GROUP BY f.row_"
        return "f.row_ AS k", source, "{g}.k = f.row_"

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

    def _let_columns(self, group: Sequence[tuple[Aggregate, str]], inner: Mapping[str, str]) -> list[str]:
        wanted: dict[str, None] = {}
        for node in (node for let, _ in group for node in tree.let_exprs(let)):
            for item in tree.walk(node):
                if isinstance(item, Column | StateOf) and item.table in inner:
                    column = state_name(item.name) if isinstance(item, StateOf) else item.name
                    wanted[f"{inner[item.table]}.{quote(column)} AS {quote(item.table + '/' + column)}"] = None
        return list(wanted)

    def _far(self, group: Sequence[tuple[Aggregate, str]]) -> tuple[str, str, str]:
        """The rows of all dossiers of the run, grouped by their keys."""
        by = group[0][0].by
        text, aliases, flags = self._child(group[0][0].table, ())
        root = aliases[ROOT]
        listed = ", ".join([f"{root}.run_ AS run_", *self._let_columns(group, aliases)])
        self._inner = dict.fromkeys(aliases, "x")
        keys = [self.expr(row, "x", {}) for row, _ in by]
        own = [self.expr(subject, None, {}, prefix="f.") for _, subject in by]
        picked = ", ".join(["x.run_ AS run_", *(f"{key} AS k{index}" for index, key in enumerate(keys))])
        grouped = ", ".join(["x.run_", *keys])
        on = " AND ".join(["{g}.run_ = f.run_", *(f"{{g}}.k{index} = {key}" for index, key in enumerate(own))])
        readable = f"{root}.stage_ IS NOT NULL"  # of a dossier that cannot be read, nothing counts here
        return picked, f"FROM (SELECT {listed}, {flags} FROM {text} WHERE {readable}) x GROUP BY {grouped}", on

    # --- expressions ------------------------------------------------------------------------------------------------

    def expr(self, node: Expr, child: str | None, names: Mapping[str, str], prefix: str | None = None) -> str:
        """SQL of a node; `child`: columns of the aggregate's tables are under that alias, the subject's under `f`."""
        if isinstance(node, Literal):
            return self.literal(node)
        if isinstance(node, Column | StateOf):
            return self._column(node, child, prefix)
        if isinstance(node, Ref):
            name = names.get(node.name, node.name) + (f"__{node.side}" if node.side else "")
            return f"f.{name}" if child is not None or prefix else name
        if isinstance(node, tree.Bounded):
            return self.expr(node.exact, child, names, prefix)
        assert isinstance(node, Call)
        args = [self.expr(arg, child, names, prefix) for arg in node.args]
        return self._call(node, args)

    def _column(self, node: Column | StateOf, child: str | None, prefix: str | None) -> str:
        if node.name == "#":
            return (prefix or "") + "dossier_"
        column = state_name(node.name) if isinstance(node, StateOf) else node.name
        name = quote(f"{node.table}/{column}")
        if child is not None:
            return f"{child if node.table in self._inner else 'f'}.{name}"
        return f"{prefix or ''}{name}"

    def literal(self, node: Literal) -> str:
        """A constant, typed so that no dialect guesses; text as a quoted literal."""
        value = node.value
        family = tree.family(node.type) if node.type != "string" else "text"
        if value is None:
            return self.templates.get(f"null_{node.type}") or self.templates[f"null_{family}"]
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, Decimal):
            return format(value, "f")
        if isinstance(value, dt.date):
            return f"DATE '{value.isoformat()}'"
        if isinstance(value, int):
            return str(value)
        escaped = str(value).replace("\\", self.templates.get("backslash", "\\")).replace("'", "''")
        return self.templates["text"].format(escaped)

    def _call(self, node: Call, args: list[str]) -> str:
        op = node.op
        if op in ("and", "or"):
            return "(" + f" {op.upper()} ".join(f"({arg})" for arg in args) + ")"
        if op == "in":
            return f"({args[0]} IN ({', '.join(args[1:])}))"
        if op == "case":
            pairs = [f"WHEN {args[index]} THEN {args[index + 1]}" for index in range(0, len(args) - 1, 2)]
            return f"(CASE {' '.join(pairs)} ELSE {args[-1]} END)" if len(args) % 2 else f"(CASE {' '.join(pairs)} END)"
        return self.templates[op].format(*args)
