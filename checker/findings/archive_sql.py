"""The SQL that folds the statements of rules: rows to dossiers, then to outcomes, findings and decisions.

What `findings.evaluate` does with Python objects for a batch, said as queries over Parquet; `dialect`: what an engine
says in its own way (`stores/*`). A rule's counts of a
dossier stand packed in one BIGINT, non_conforme << 42 | indetermine << 21 | conforme; `n` beside it counts all rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checker.base import tree
from checker.base.dictionary import ROOT, Dictionary
from checker.base.tree import Aggregate, Expr, Part, Plan, Ref, Running
from checker.findings.archive import text
from checker.findings.reads import PER_PART
from checker.findings.sql import quote, state_name, table_sql

SHALLOW = 8  # as in `findings`: more named values than this in a part are a chain
NC, IND = 1 << 42, 1 << 21
CODES = (1, NC, IND, 0)  # of an outcome, as its weight: the worst of a row is the greatest
MASK = IND - 1
Dialect = Mapping[str, str]
TOP = MASK  # rows of one dossier in one table beyond which counts would overflow
HIDDEN = "(1, 2, 3)"
PLACES = ("file_", "line_", "column_", "page_", "place_")


@dataclass(frozen=True, slots=True)
class Batch:
    """The parts of some rules on one subject, in one statement; `rules`: rule -> its parts (index in the plan, part).

    `far`: they read across dossiers.
    """

    name: str
    subject: str
    far: bool
    rules: Mapping[int, tuple[tuple[int, Part], ...]]

    @property
    def parts(self) -> list[Part]:
        return [part for parts in self.rules.values() for _, part in parts]

    def only(self, rules: Sequence[int]) -> Batch:
        """The same for some rules."""
        return Batch(self.name, self.subject, self.far, {rule: self.rules[rule] for rule in rules})


def batches(plans: Sequence[Plan]) -> list[Batch]:
    """All parts of a rule on one subject stand in one batch, so that its rows are folded where they are made."""
    ranks: dict[tuple[str, str], int] = {}  # a check meets the parts of a row statement after statement
    for plan in plans:
        for part in plan.parts:
            ranks.setdefault(_statement(plan, part), len(ranks))
    found: dict[tuple[str, str], dict[int, tuple[tuple[int, Part], ...]]] = {}
    for rule, plan in enumerate(plans):
        met = sorted(enumerate(plan.parts), key=lambda item: ranks[_statement(plan, item[1])])
        for subject in dict.fromkeys(part.subject for part in plan.parts):
            own = tuple((index, part) for index, part in met if part.subject == subject)
            deep = max(len(part.lets) for _, part in own)
            kind = f"far{rule}" if _far(own) else f"deep{rule}" if deep > SHALLOW else "lets" if deep else "rows"
            found.setdefault((subject, kind), {})[rule] = own
    return [
        Batch(f"{subject}.{kind}", subject, kind.startswith("far"), rules) for (subject, kind), rules in found.items()
    ]


def _statement(plan: Plan, part: Part) -> tuple[str, str]:
    """The statement of a check that holds a part (see `findings._cells`)."""
    return part.subject, "" if not part.lets else "lets" if len(part.lets) <= SHALLOW else plan.rule


def _far(parts: Sequence[tuple[int, Part]]) -> bool:
    lets = [let for _, part in parts for let in part.lets]
    return any(isinstance(let, Running) or (isinstance(let, Aggregate) and let.across != "dossier") for let in lets)


def aliased(sql: str, parts: Sequence[Part]) -> str:
    """A statement whose columns have names: dossier_, row_, c2, c3 …"""
    width = 2 + sum(PER_PART + len(part.shows) for part in parts)
    names = ["dossier_", "row_", *(f"c{index}" for index in range(2, width))]
    return f"({sql}) AS s({', '.join(names)})"


def _starts(batch: Batch) -> dict[int, list[int]]:
    """rule -> the first column of each of its parts."""
    found: dict[int, list[int]] = {}
    start = 2
    for rule, parts in batch.rules.items():
        for _, part in parts:
            found.setdefault(rule, []).append(start)
            start += PER_PART + len(part.shows)
    return found


def _any(starts: Sequence[int], outcome: int) -> str:
    return "(" + " OR ".join(f"c{start} = {CODES[outcome]}" for start in starts) + ")"


def _worst(starts: Sequence[int]) -> str:
    """The weight of the worst outcome of a row."""
    columns = [f"c{start}" for start in starts]
    return columns[0] if len(columns) == 1 else f"GREATEST({', '.join(columns)})"


def counted(batch: Batch, sql: str) -> str:
    """dossier_, n_, and p<rule> for each rule: the rows of the subject by outcome."""
    weights = {rule: _worst(starts) for rule, starts in _starts(batch).items()}
    source = aliased(sql, batch.parts)
    if batch.subject == ROOT:
        picked = [f"CAST({weight} AS BIGINT) AS p{rule}" for rule, weight in weights.items()]
        return f"SELECT dossier_, CAST(1 AS BIGINT) AS n_, {', '.join(picked)} FROM {source}"
    picked = [f"CAST(SUM({weight}) AS BIGINT) AS p{rule}" for rule, weight in weights.items()]
    return f"SELECT dossier_, COUNT(*) AS n_, {', '.join(picked)} FROM {source} GROUP BY dossier_"


def weighed(batch: Batch, sql: str, dialect: Dialect) -> str:
    """One rule that reads across dossiers: dossier_, row_, its weight, the finding of a row at fault (else NULL)."""
    ((rule, starts),) = _starts(batch).items()
    told = f"CASE WHEN {_any(starts, 1)} OR {_any(starts, 2)} THEN {_told(batch, rule, starts, dialect)} END"
    weight = f"CAST({_worst(starts)} AS BIGINT)"
    return f"SELECT dossier_, row_, {weight} AS w, {told} AS x FROM {aliased(sql, batch.parts)}"


def findings(batch: Batch, sql: str, dialect: Dialect) -> str:
    """dossier_, row_ and x, the finding, for each row at fault of these rules."""
    told = [
        f"CASE WHEN {_any(starts, 1)} OR {_any(starts, 2)} THEN {_told(batch, rule, starts, dialect)} END"
        for rule, starts in _starts(batch).items()
    ]
    every = " OR ".join(f"{_any(starts, 1)} OR {_any(starts, 2)}" for starts in _starts(batch).values())
    listed = dialect["each"].format(dialect["list"].format(", ".join(told)))
    rows = f"SELECT dossier_, row_, {listed} AS x FROM {aliased(sql, batch.parts)} WHERE {every}"
    return f"SELECT * FROM ({rows}) WHERE x IS NOT NULL"


def _told(batch: Batch, rule: int, starts: Sequence[int], dialect: Dialect) -> str:
    """The struct of a finding: what the parts that gave the row its outcome saw."""
    parts = batch.rules[rule]
    here = [f"c{start} = {_worst(starts)}" for start in starts]

    def first(offset: int, nodes: Sequence[Expr | None]) -> str:
        cases = [
            f"WHEN {cond} THEN {'CAST(NULL AS STRING)' if node is None else shown(f'c{start + offset}', node, dialect)}"
            for cond, start, node in zip(here, starts, nodes, strict=True)
        ]
        return f"CASE {' '.join(cases)} END"

    traced: dict[str, list[str]] = {}
    for cond, start, (_, part) in zip(here, starts, parts, strict=True):
        for index, (name, node) in enumerate(part.shows):
            column = f"c{start + PER_PART + index}"
            traced.setdefault(name, []).append(
                f"WHEN {cond} AND {column} IS NOT NULL THEN {shown(column, node, dialect)}"
            )
    trace = ", ".join(
        struct({"name": text(name), "value": f"CASE {' '.join(cases)} END"}, dialect) for name, cases in traced.items()
    )
    listed = dialect["keep"].format(dialect["list"].format(trace), "i.value IS NOT NULL")
    numbers = ", ".join(f"CASE WHEN {cond} THEN {index} END" for cond, (index, _) in zip(here, parts, strict=True))
    ats = " ".join(f"WHEN {cond} THEN c{start + 3}" for cond, start in zip(here, starts, strict=True))
    fields = {
        "rule": f"{rule}",
        "outcome": f"CASE WHEN {_any(starts, 1)} THEN 1 ELSE 2 END",
        "parts": dialect["keep"].format(dialect["list"].format(numbers), "i IS NOT NULL"),
        "head": _head(batch.subject, here, [part for _, part in parts]),
        "observed": first(1, [part.observed for _, part in parts]),
        "expected": first(2, [part.expected for _, part in parts]),
        "day": f"CAST(CASE {ats} END AS DATE)",
        "trace": f"CAST({listed if traced else dialect['list'].format('')} AS {dialect['pairs']})",
    }
    return struct(fields, dialect)


def struct(fields: Mapping[str, str], dialect: Dialect) -> str:
    """A value of named fields."""
    return dialect["struct"].format(", ".join(dialect["field"].format(name, value) for name, value in fields.items()))


def _head(subject: str, here: Sequence[str], parts: Sequence[Part]) -> str:
    """Of the dossier, the block that holds the first fact judged; the row of another subject names itself."""
    if subject != ROOT:
        return "CAST(NULL AS STRING)"
    cases = []
    for cond, part in zip(here, parts, strict=True):
        heads = [name.split(".")[0] for owner, name in part.about if owner == ROOT]
        if heads:
            cases.append(f"WHEN {cond} THEN {text(heads[0])}")
    return f"CASE {' '.join(cases)} ELSE {text(ROOT)} END" if cases else text(ROOT)


def shown(sql: str, node: Expr, dialect: Dialect) -> str:
    """The canonical text of a value, as `values.show` writes it."""
    cast = f"CAST({sql} AS STRING)"
    if tree.family(node.type) != "number":
        return cast
    plain = f"{cast} NOT LIKE '%.%' OR {dialect['full'].format(cast, '-?[0-9]+[.][0-9]{2}')}"
    return f"CASE WHEN {plain} THEN {cast} ELSE regexp_replace({cast}, '[.]?0+$', '') END"


def placed(query: str, subject: str) -> str:
    """The findings of a query with the name and the place of their row."""
    label = "x.head" if subject == ROOT else f"{text(subject + ':')} || COALESCE(t.key_, CAST(t.rank_ AS STRING))"
    picked = [f"t.{name}" for name in PLACES]
    fields = "x.rule AS rule, x.outcome AS outcome, x.parts AS parts, x.observed AS observed, x.expected AS expected"
    return (
        f"SELECT q.dossier_, {fields}, x.day AS day, x.trace AS trace, {text(subject)} AS table_, q.row_, "
        f"{label} AS subject, {', '.join(picked)} FROM ({query}) q "
        f"JOIN {quote(table_sql(subject))} t ON t.row_ = q.row_"
    )


def hidden(subject: str, dictionary: Dictionary) -> str:
    """dossier_ of each dossier whose list of that table, or one above it, was not read."""
    found = []
    here = subject
    while (parent := dictionary.tables[here].parent) is not None:
        column = quote(state_name(f"{here}[]"))
        found.append(f"SELECT dossier_ FROM {quote(table_sql(parent))} WHERE {column} IN {HIDDEN}")
        here = parent
    return " UNION ".join(found)


def gated(part: Part) -> bool:
    """Whether the dossier alone decides that a part is not asked (see `findings._gates`)."""
    tables = {table for table, _ in tree.columns(part.when)}
    refs = any(isinstance(node, Ref) for node in tree.walk(part.when))
    return part.subject != ROOT and part.when is not None and tables <= {ROOT} and not refs
