"""The SQL of one slice: its dossiers, all rules of each in one wide row, then outcomes, findings and decisions.

Tables of a slice: `d_` its dossiers, `b…` the counts of each statement, `g_` what is not asked, `wide_` the counts
of all rules, `told_` the findings. `d_` says whether a dossier cannot be read (`faulty_`), shares its reference
(`twin_`), is told here (`shown_`), which lists were not read (`h_<table>`), which rules are waived (`waived_`), and how
many waivers are in order (`covering_`) or void (`void_`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.tree import Part, Plan
from checker.findings.archive import FAULTS, text
from checker.findings.archive_sql import IND, MASK, NC, PLACES, Batch, Dialect, aliased, gated, hidden, struct
from checker.findings.reads import PER_PART
from checker.findings.sql import quote

if TYPE_CHECKING:
    from checker.findings.archive_run import Asked

READABLE, WAIVER = "DOSSIER-LISIBLE", "DEROGATION-VALIDE"
_WORDS = ("conforme", "non_conforme", "indetermine", "sans_objet")
Gates = list[tuple[tuple[int, int], Part]]


def twins() -> str:
    """References that two dossiers share."""
    return f"SELECT run_, reference_ FROM {quote(ROOT)} WHERE reference_ <> '' GROUP BY ALL HAVING COUNT(*) > 1"


def _subjects(plans: Sequence[Plan]) -> list[str]:
    return list(dict.fromkeys(part.subject for plan in plans for part in plan.parts if part.subject != ROOT))


def dossiers(asked: Asked, dialect: Dialect) -> str:
    """`d_`."""
    picked = ["d.dossier_", "d.order_", "d.path_", "d.written_", "d.stage_", "d.date_controle AS control_"]
    picked += ["COALESCE(f.n, 0) AS faults_", "f.n IS NOT NULL AS faulty_", "t.run_ IS NOT NULL AS twin_"]
    joins = [
        f"LEFT JOIN (SELECT dossier_, COUNT(*) AS n FROM {quote(FAULTS)} GROUP BY 1) f ON f.dossier_ = d.dossier_",
        "LEFT JOIN twins_ t ON t.run_ = d.run_ AND t.reference_ = d.reference_",
    ]
    for index, subject in enumerate(_subjects(asked.plans)):
        joins.append(f"LEFT JOIN ({hidden(subject, asked.dictionary)}) h{index} ON h{index}.dossier_ = d.dossier_")
        picked.append(f"h{index}.dossier_ IS NOT NULL AS {quote('h_' + subject)}")
    picked.append("d.order_ NOT IN (SELECT order_ FROM earlier_) AS shown_" if asked.before else "TRUE AS shown_")
    picked += ["w.waived_", "COALESCE(w.covering_, 0) AS covering_", "COALESCE(w.void_, 0) AS void_"]
    joins.append(f"LEFT JOIN ({_waivers(asked, dialect)}) w ON w.dossier_ = d.dossier_")
    return f"SELECT {', '.join(picked)} FROM {quote(ROOT)} d {' '.join(joins)}"


def _waivers(asked: Asked, dialect: Dialect) -> str:
    """dossier_, the rules that a waiver in order covers that day, how many, and how many waivers are void."""
    numbers = {rule: index for index, (rule, _) in enumerate(asked.rules)}

    def named(reference: str) -> str:
        return text(reference.replace("\\", dialect["backslash"]))

    rows = [
        f"({numbers.get(rule, -1)}, {named(reference)}, {_day(start)}, {_day(end)}, {str(void).upper()})"
        for rule, reference, start, end, void in asked.waivers
    ] or [f"(-1, CAST(NULL AS STRING), {_day(None)}, {_day(None)}, FALSE)"]
    day = f"COALESCE(d.date_controle, {_day(asked.today)})"
    bad = f"(v.void OR v.until_ < {day})"
    good = f"(NOT COALESCE({bad}, FALSE) AND (v.since_ IS NULL OR v.since_ <= {day}))"
    return (
        f"SELECT d.dossier_, {dialect['gather'].format('v.rule')} FILTER (WHERE {good}) AS waived_, "
        f"COUNT(DISTINCT v.rule) FILTER (WHERE {good}) AS covering_,"
        f" COUNT(*) FILTER (WHERE {bad}) AS void_ FROM {quote(ROOT)} d JOIN (VALUES {', '.join(rows)})"
        " AS v(rule, reference, since_, until_, void) ON v.reference = d.written_"
        " GROUP BY d.dossier_"
    )


def _day(value: object) -> str:
    return f"DATE '{value}'" if value is not None else "CAST(NULL AS DATE)"


def gates(plans: Sequence[Plan]) -> Gates:
    """(rule, part) -> the condition of the dossier that says whether it is asked, as a part of the dossier."""
    found: Gates = []
    for rule, plan in enumerate(plans):
        for index, part in enumerate(plan.parts):
            if gated(part) and part.when is not None:
                gate = dataclasses.replace(
                    part, subject=ROOT, stage=0, when=None, ok=part.when, soft=False, lets=(), shows=(), observed=None,
                    expected=None, at=tree.literal(None, "date"),
                )  # fmt: skip
                found.append(((rule, index), gate))
    return found


def any_hidden(plans: Sequence[Plan]) -> str:
    """Whether a list of a readable dossier was not read."""
    listed = " OR ".join(quote("h_" + subject) for subject in _subjects(plans)) or "FALSE"
    return f"SELECT COALESCE(BOOL_OR(NOT faulty_ AND ({listed})), FALSE) FROM d_"


def gate_columns(gates: Gates, emitted: str) -> str:
    """dossier_ and g<rule>_<part>: it is not asked."""
    columns = [f"c{2 + place * PER_PART} = {NC} AS g{rule}_{index}" for place, ((rule, index), _) in enumerate(gates)]
    return f"SELECT dossier_, {', '.join(columns)} FROM {aliased(emitted, [gate for _, gate in gates])}"


def wide(
    asked: Asked,
    held: Sequence[tuple[Batch, str]],
    faults: Mapping[int, str],
    gated_: frozenset[tuple[int, int]],
    dialect: Dialect,
) -> str:
    """`wide_`: P<rule> the packed counts, N<rule> how many, L<rule> the tables whose rows were not read."""
    of_rule: dict[int, list[tuple[Batch, str]]] = {}
    for batch, name in held:
        for rule in batch.rules:
            of_rule.setdefault(rule, []).append((batch, name))
    columns, most = [], ["0"]
    none = f"CAST({dialect['list'].format('')} AS {dialect['texts']})"
    keep, each = dialect["keep"].format, dialect["list"].format
    for rule in range(len(asked.rules)):
        if rule in faults:
            columns += [f"{IND} AS P{rule}", f"CAST(1 AS BIGINT) AS N{rule}", f"{none} AS L{rule}"]
            continue
        counts, rows, lone = ["0"], ["0"], []
        for batch, name in of_rule.get(rule, []):
            counts.append(f"COALESCE({name}.p{rule}, 0)")
            rows.append(f"COALESCE({name}.n_, 0)")
            if batch.subject == ROOT:
                continue
            hid = quote("h_" + batch.subject)
            unsaid = f"({hid} AND ({_due(rule, batch, gated_)}))"
            counts.append(f"CASE WHEN {unsaid} THEN {IND} ELSE 0 END")
            rows.append(f"CASE WHEN {hid} OR {name}.n_ IS NULL THEN 1 ELSE 0 END")
            lone.append(f"CASE WHEN {unsaid} AND NOT faulty_ THEN {text(batch.subject)} END")
        columns += [
            f"CASE WHEN faulty_ THEN {IND} ELSE {' + '.join(counts)} END AS P{rule}",
            f"CASE WHEN faulty_ THEN 1 ELSE {' + '.join(rows)} END AS N{rule}",
            f"{keep(each(', '.join(lone)), 'i IS NOT NULL') if lone else none} AS L{rule}",
        ]
    most += [f"COALESCE({name}.n_, 0)" for _, name in held]
    joins = [f"LEFT JOIN {name} ON {name}.dossier_ = d_.dossier_" for name in dict.fromkeys(name for _, name in held)]
    return (
        f"SELECT d_.*, {', '.join(columns)}, "
        f"GREATEST({', '.join(most)}) AS most_ FROM d_ {' '.join(joins)} LEFT JOIN g_ ON g_.dossier_ = d_.dossier_"
    )


def _due(rule: int, batch: Batch, gated_: frozenset[tuple[int, int]]) -> str:
    terms = []
    for index, part in batch.rules[rule]:
        gate = f" AND NOT COALESCE(g_.g{rule}_{index}, FALSE)" if (rule, index) in gated_ else ""
        terms.append(f"((stage_ IS NULL OR stage_ >= {part.stage}){gate})")
    return " OR ".join(terms)


def _outcome(packed: str) -> str:
    return (
        f"CASE WHEN {packed} >= {NC} THEN 'non_conforme' WHEN {packed} >= {IND} THEN 'indetermine' "
        f"WHEN {packed} > 0 THEN 'conforme' ELSE 'sans_objet' END"
    )


def _engine_rules() -> list[tuple[str, str, str]]:
    """The rules of the program itself: id, packed counts, how many."""
    lost = "(faulty_ OR twin_)"
    count = "GREATEST(1, faults_)"
    read = f"CASE WHEN {lost} THEN {IND} * {count} ELSE 1 END"
    waived = f"CASE WHEN void_ > 0 THEN {NC} * void_ WHEN covering_ > 0 THEN 1 ELSE 0 END"
    return [
        (READABLE, read, f"CASE WHEN {lost} THEN {count} ELSE 1 END"),
        (WAIVER, waived, "GREATEST(1, void_)"),
    ]


def outcomes(asked: Asked, dialect: Dialect) -> str:
    """dossier, rule, outcome, its rows by outcome, whether a waiver covers it."""
    rules = [
        (rule, f"P{index}", f"N{index}", dialect["has"].format("waived_", index))
        for index, (rule, _) in enumerate(asked.rules)
    ]
    first, last = _engine_rules()
    listed = [(*first, "FALSE"), *rules, (*last, "FALSE")]
    structs = [
        struct(
            {
                "nth_": str(nth),
                "rule": text(rule),
                "p": f"CAST({packed} AS BIGINT)",
                "n": f"CAST({rows} AS BIGINT)",
                "waived": f"COALESCE({waived}, FALSE)",
            },
            dialect,
        )
        for nth, (rule, packed, rows, waived) in enumerate(listed)
    ]
    refused = dialect["div"].format("u.p", NC)
    unknown = f"({dialect['div'].format('u.p', IND)} & {MASK})"
    fields = (
        f"order_ AS dossier, u.rule AS rule, {_outcome('u.p')} AS outcome, {refused} AS non_conforme, "
        f"{unknown} AS indetermine, u.p & {MASK} AS conforme, "
        f"u.n - {refused} - {unknown} - (u.p & {MASK}) AS sans_objet, "
        f"u.waived AND u.p >= {IND} AS waived"
    )
    each = dialect["each"].format(dialect["list"].format(", ".join(structs)))
    return f"SELECT {fields} FROM (SELECT order_, {each} AS u FROM wide_ WHERE shown_) ORDER BY dossier, u.nth_"


def decisions(asked: Asked, dialect: Dialect) -> str:
    """dossier, path, reference, stage, control date, decision."""
    waived = {index: f"COALESCE({dialect['has'].format('waived_', index)}, FALSE)" for index in range(len(asked.rules))}
    blocking = [index for index, (_, severity) in enumerate(asked.rules) if severity == "bloquant"]
    reserve = [index for index, (_, severity) in enumerate(asked.rules) if severity == "reserve"]
    if not asked.waivers:
        waived = dict.fromkeys(waived, "FALSE")
    refused = " OR ".join(f"(P{index} >= {NC} AND NOT {waived[index]})" for index in blocking) or "FALSE"
    unknown = " OR ".join(["faulty_", "twin_", *(f"(P{i} >= {IND} AND NOT {waived[i]})" for i in blocking)])
    doubt = " OR ".join(
        ["void_ > 0", *(f"P{i} >= {IND}" for i in reserve), *(f"(P{i} >= {IND} AND {waived[i]})" for i in blocking)]
    )
    word = (
        f"CASE WHEN {refused} THEN 'non_conforme' WHEN {unknown} THEN 'indetermine' "
        f"WHEN {doubt} THEN 'conforme_avec_reserves' ELSE 'conforme' END"
    )
    stages = " ".join(f"WHEN {index} THEN {text(stage)}" for index, stage in enumerate(_stages()))
    return (
        f"SELECT order_ AS dossier, path_ AS path, written_ AS reference, CASE stage_ {stages} END AS stage, "
        f"control_ AS control_date, {word} AS decision FROM wide_ WHERE shown_ ORDER BY dossier"
    )


def _stages() -> tuple[str, ...]:
    from checker.model import STAGES

    return STAGES


def told_columns(dialect: Dialect) -> str:
    """No finding: the types of `told_`."""
    kinds = {
        "dossier_": "BIGINT", "rule": "INTEGER", "outcome": "INTEGER", "parts": dialect["numbers"],
        "observed": "STRING", "expected": "STRING", "day": "DATE", "trace": dialect["pairs"], "table_": "STRING",
        "row_": "BIGINT", "subject": "STRING", "file_": "STRING", "line_": "INTEGER", "column_": "INTEGER",
        "page_": "INTEGER", "place_": "STRING",
    }  # fmt: skip
    return f"SELECT {', '.join(f'CAST(NULL AS {kind}) AS {name}' for name, kind in kinds.items())} WHERE FALSE"


def told(asked: Asked, dialect: Dialect) -> str:
    """The findings: of rows, of lists that were not read, and why a dossier cannot be read."""
    numbers = " ".join(f"WHEN {index} THEN {text(rule)}" for index, (rule, _) in enumerate(asked.rules))
    words = " ".join(f"WHEN {index} THEN {text(word)}" for index, word in enumerate(_WORDS))
    own = ", ".join(f"t.{name}" for name in PLACES)
    rows = (
        f"SELECT d_.order_, t.rule AS nth_, CASE t.rule {numbers} END AS rule, CASE t.outcome {words} END AS outcome, "
        f"t.subject, t.table_, t.row_, t.parts, t.observed, t.expected, t.day, t.trace, '' AS reason, {own} "
        "FROM told_ t JOIN d_ USING (dossier_) WHERE shown_ AND NOT faulty_"
    )
    nothing = f"CAST(NULL AS {dialect['numbers']}), NULL, NULL, CAST(NULL AS DATE), NULL"
    listed = dialect["list"].format(
        ", ".join(
            struct({"nth_": str(i), "rule": text(rule), "tables": f"L{i}"}, dialect)
            for i, (rule, _) in enumerate(asked.rules)
        )
    )
    unread = (
        f"SELECT order_, nth_, rule, 'indetermine', s, s, -1, {nothing}, '', NULL, NULL, NULL, NULL, NULL FROM "
        f"(SELECT order_, u.nth_ AS nth_, u.rule AS rule, {dialect['each'].format('u.tables')} AS s FROM "
        f"(SELECT order_, {dialect['each'].format(listed)} AS u FROM wide_ WHERE shown_) "
        f"WHERE {dialect['size'].format('u.tables')} > 0)"
    )
    lost = (
        f"SELECT order_, -1, {text(READABLE)}, 'indetermine', 'dossier', 'dossier', rank_, {nothing}, what, "
        f"{', '.join(PLACES)} FROM {quote(FAULTS)} JOIN d_ USING (dossier_) WHERE shown_"
    )
    twins_ = (
        f"SELECT order_, -1, {text(READABLE)}, 'indetermine', 'dossier', 'dossier', 0, {nothing}, '', "
        "NULL, NULL, NULL, NULL, NULL FROM d_ WHERE shown_ AND twin_ AND NOT faulty_"
    )
    names = ", ".join(f"{name} AS {quote(name.rstrip('_'))}" for name in PLACES)
    return (
        'SELECT order_ AS dossier, rule, outcome, subject, table_ AS "table", row_ AS row, parts, observed, expected, '
        f"day, trace, reason, {names} FROM ({rows} UNION ALL {unread} UNION ALL {lost} UNION ALL {twins_}) "
        'ORDER BY dossier, nth_, "table", row'
    )
