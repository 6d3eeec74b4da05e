"""Plans x tables -> findings. Door: `evaluate`."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any

from checker.base import clock, plugs, tree
from checker.base.dictionary import ROOT
from checker.base.frames import HIDDEN, Frames
from checker.base.tree import Part, Plan
from checker.base.words import Words, words
from checker.findings import evidence
from checker.findings.reads import PER_PART, columns_of
from checker.model import Evaluated, Finding, Outcome
from checker.model.frozen import replace

ENGINES = "checker.findings.engines"
AUTO, QUICK = "auto", "python"
FEW, FEW_PAIRS = 100_000, 1_000_000  # rows of a batch, pairs in its dossiers, that `python` judges sooner than DuckDB
_ORDER = (Outcome.NON_CONFORME, Outcome.INDETERMINE, Outcome.CONFORME, Outcome.SANS_OBJET)
_RANKS = {outcome: _ORDER.index(outcome) for outcome in Outcome}
SHALLOW = 8  # more named values than this in a part are a chain: a statement of their own
Column = tuple[Part, int, list[tuple[Any, ...]]]  # a part, where its outcome stands in each of the rows of a table
Cells = dict[str, list[Column]]  # table -> what each part says of its rows


def engine_names() -> tuple[str, ...]:
    """The engines by name, and the one that chooses."""
    return (AUTO, *plugs.names(ENGINES))


def evaluate(
    plans: Sequence[Plan], frames: Frames, engine: str = "duckdb", all_evidence: bool = False, lang: str = "fr"
) -> tuple[dict[str, dict[int, Evaluated]], tuple[str, ...]]:
    """(rule -> dossier -> what the rule says of it, faults of the engine as sentences).

    Every (plan, dossier) has one outcome. A rule that the engine refuses is `indetermine` everywhere, the others go on.
    `engine`: its name, `@` and where it runs when that is to be said; `auto`: the quickest here for so many rows.
    `all_evidence`: findings also of the rows that hold. `lang`: of the sentences that no rule says.
    """
    if engine == AUTO:
        if _few(frames):
            judged = evaluate(plans, frames, QUICK, all_evidence, lang)
            if not judged[1]:
                return judged
        engine = "duckdb"  # of what is refused, one engine says why
    name, _, place = engine.partition("@")
    plug, said = plugs.load(ENGINES, name), words(lang)
    parts = [part for plan in plans for part in plan.parts] if name != QUICK else ()  # it reads the tables as they are
    session = plug.session(frames, columns_of(parts), frames.dictionary, *([place] if place else []))
    found: dict[str, dict[int, Evaluated]] = {}
    batch = Batch(frames)
    try:
        cells, faults = _cells(plans, session, frames)
        for plan in plans:
            if plan.rule in faults:
                found[plan.rule] = _failed(plan, frames, faults[plan.rule], said)
            else:
                waived = _gates(plan, batch, session)
                found[plan.rule] = _fold(plan, cells[plan.rule], batch, all_evidence, waived, said)
    finally:
        session.close()
    return found, tuple(f"{rule} : {reason}" for rule, reason in faults.items())


def _few(frames: Frames) -> bool:
    """Whether there are so few rows that statements of SQL take longer to prepare than to be done without."""
    if sum(map(len, frames.tables.values())) > FEW:
        return False
    rows = Counter(chain.from_iterable(frame.dossiers for frame in frames.tables.values()))
    return sum(count * count for count in rows.values()) < FEW_PAIRS


def _cells(plans: Sequence[Plan], session: Any, frames: Frames) -> tuple[dict[str, Cells], dict[str, str]]:
    """rule -> its cells, and rule -> why the engine refused it.

    One statement for the row duties of a table, one for those with named values, one a rule for long chains of them;
    a statement that fails is run again rule by rule, so that only the faulty one is lost.
    """
    batches: dict[tuple[str, str], list[tuple[str, Part]]] = {}
    for plan in plans:
        for part in plan.parts:
            if frames.submitted and not len(frames.tables[part.subject]):
                continue  # no row to judge in this batch
            kind = "" if not part.lets else "lets" if len(part.lets) <= SHALLOW else plan.rule
            batches.setdefault((part.subject, kind), []).append((plan.rule, part))
    cells: dict[str, Cells] = {plan.rule: {} for plan in plans}
    faults: dict[str, str] = {}
    for (subject, kind), batch in batches.items():
        try:
            with clock.of(f"règles : {subject}{f' ({kind})' if kind else ''}", len({rule for rule, _ in batch})):
                _run(subject, batch, session, cells, len(frames.tables[subject]))
        except RuntimeError:
            for rule in dict.fromkeys(rule for rule, _ in batch):
                try:
                    alone = [item for item in batch if item[0] == rule]
                    _run(subject, alone, session, cells, len(frames.tables[subject]))
                except RuntimeError as error:
                    faults[rule] = str(error)
    return cells, faults


def _run(subject: str, batch: Sequence[tuple[str, Part]], session: Any, cells: dict[str, Cells], size: int) -> None:
    statement = session.emitter.statement(subject, [part for _, part in batch])
    rows = sorted(session.run(statement), key=itemgetter(1))  # an engine has no order of its own
    if [row[1] for row in rows] != list(range(size)):
        raise RuntimeError(f"{len(rows)} lignes jugées sur {size}")
    start = 2
    for rule, part in batch:
        cells[rule].setdefault(subject, []).append((part, start, rows))
        start += PER_PART + len(part.shows)


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """non_conforme, else indetermine, else conforme, else sans_objet."""
    return next((outcome for outcome in _ORDER if outcome in outcomes), Outcome.SANS_OBJET)


def _ranks(columns: Sequence[Column]) -> bytes:
    """Of each row of a table, the place in `_ORDER` of the worst outcome of the parts that judge it."""
    ranks = [[_RANKS[row[start]] for row in rows] for _, start, rows in columns]
    return bytes(ranks[0] if len(ranks) == 1 else map(min, *ranks))


def _cells_of(columns: Sequence[Column], row: int, outcome: Outcome) -> list[tuple[Outcome, Part, tuple[Any, ...]]]:
    """What the parts that gave a row its outcome say of it."""
    found = []
    for part, start, rows in columns:
        line = rows[row]
        if line[start] == outcome:
            found.append((outcome, part, line[start + 1 : start + PER_PART + len(part.shows)]))
    return found


def _fold(
    plan: Plan,
    cells: Cells,
    batch: Batch,
    all_evidence: bool,
    waived: frozenset[tuple[int, int]],
    said: Words,
) -> dict[int, Evaluated]:
    """dossier -> what the rule says of it; dossiers of which it says the same, without findings, share one object."""
    subjects = tuple(dict.fromkeys(part.subject for part in plan.parts if part.subject != ROOT))
    told = (Outcome.NON_CONFORME, Outcome.INDETERMINE, *((Outcome.CONFORME,) if all_evidence else ()))
    judged = [(table, _ranks(cells[table]), batch.starts(table)) for table in sorted(cells)]

    def one(dossier: int) -> Evaluated:
        counts: dict[Outcome, int] = {}
        findings: list[Finding] = []
        seen: set[str] = set()
        for table, ranks, starts in judged:
            for row in range(starts[dossier], starts[dossier + 1]):
                outcome = _ORDER[ranks[row]]
                counts[outcome] = counts.get(outcome, 0) + 1
                if outcome in told:
                    parts = _cells_of(cells[table], row, outcome)
                    findings.append(evidence.finding(plan.rule, table, row, outcome, parts, batch.frames, said))
            if starts[dossier] < starts[dossier + 1]:
                seen.add(table)
        for subject in subjects:
            if subject not in seen or batch.hidden(subject)[dossier]:
                outcome = _no_row(plan, subject, dossier, batch, waived)
                counts[outcome] = counts.get(outcome, 0) + 1
                if outcome != Outcome.SANS_OBJET:
                    findings.append(evidence.empty(plan.rule, subject, dossier, outcome, batch.frames, said))
        return Evaluated(plan.rule, worst(list(counts)), counts, tuple(findings))

    rows = [[ranks[start:end] for start, end in pairwise(starts)] for _, ranks, starts in judged]
    hidden = [batch.hidden(subject) for subject in subjects]
    shared: dict[tuple[Any, ...], Evaluated] = {}
    found: dict[int, Evaluated] = {}
    for dossier, *said_of in zip(batch.numbers, *rows, *hidden, strict=True):
        alike = tuple(said_of)
        same = shared.get(alike)
        if same is None:
            same = one(dossier)
            if not same.findings and True not in alike:
                shared[alike] = same
        found[dossier] = same
    return found


class Batch:
    """Of the tables of a run, what every rule asks again."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self.numbers = list(range(len(frames.submitted)))  # of its dossiers, one object each for all rules
        self._starts: dict[str, list[int]] = {}
        self._hidden: dict[str, list[bool]] = {}

    def starts(self, table: str) -> list[int]:
        """The first row of each dossier in a table, then their number."""
        if table not in self._starts:
            dossiers = self.frames.tables[table].dossiers
            self._starts[table] = [bisect_left(dossiers, each) for each in range(len(self.frames.submitted) + 1)]
        return self._starts[table]

    def hidden(self, subject: str) -> list[bool]:
        """Of each dossier, whether rows of a subject may exist that were not read."""
        if subject not in self._hidden:
            parent = self.frames.dictionary.tables[subject].parent
            if parent is None:
                return [False] * len(self.frames.submitted)
            states = bytes(self.frames.tables[parent].states[f"{subject}[]"])
            rows = [states[start:end] for start, end in pairwise(self.starts(parent))]
            shut = {each: any(state in HIDDEN for state in each) for each in set(rows)}
            self._hidden[subject] = [above or shut[each] for above, each in zip(self.hidden(parent), rows, strict=True)]
        return self._hidden[subject]


def _gates(plan: Plan, batch: Batch, session: Any) -> frozenset[tuple[int, int]]:
    """(part, dossier) that is not asked, by a `when` that the dossier alone decides."""
    found: set[tuple[int, int]] = set()
    for index, part in enumerate(plan.parts):
        if part.subject == ROOT or part.when is None or not any(batch.hidden(part.subject)):
            continue
        tables = {table for table, _ in tree.columns(part.when)}
        refs = any(isinstance(node, tree.Ref) for node in tree.walk(part.when))
        if not tables <= {ROOT} or refs:
            continue
        gate = replace(part, subject=ROOT, stage=0, when=None, ok=part.when, soft=False, lets=(), shows=())
        gate = replace(gate, observed=None, expected=None, at=tree.literal(None, "date"))
        for row in session.run(session.emitter.statement(ROOT, [gate])):
            if Outcome(row[2]) == Outcome.NON_CONFORME:
                found.add((index, int(row[0])))
    return frozenset(found)


def _no_row(plan: Plan, subject: str, dossier: int, batch: Batch, waived: frozenset[tuple[int, int]]) -> Outcome:
    """What a rule says of rows that are not there: unknown when the list is (some may be), else nothing to judge."""
    if not batch.hidden(subject)[dossier]:
        return Outcome.SANS_OBJET
    stage = batch.frames.stage(dossier)
    due = any(
        part.subject == subject and (stage is None or stage >= part.stage) and (index, dossier) not in waived
        for index, part in enumerate(plan.parts)
    )
    return Outcome.INDETERMINE if due else Outcome.SANS_OBJET


def _failed(plan: Plan, frames: Frames, reason: str, said: Words) -> dict[int, Evaluated]:
    outcome = Outcome.INDETERMINE
    return {
        dossier: Evaluated(plan.rule, outcome, {outcome: 1}, (evidence.crashed(plan.rule, reason, said),))
        for dossier in range(len(frames.submitted))
    }
