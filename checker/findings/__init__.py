"""Plans x tables -> findings. Door: `evaluate`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from checker.base import plugs, tree
from checker.base.dictionary import ROOT
from checker.base.frames import HIDDEN, Frames
from checker.base.tree import Part, Plan
from checker.base.words import Words, words
from checker.findings import evidence
from checker.findings.reads import columns_of
from checker.findings.sql import PER_PART
from checker.model import Evaluated, Finding, Outcome

ENGINES = "checker.findings.engines"
_ORDER = (Outcome.NON_CONFORME, Outcome.INDETERMINE, Outcome.CONFORME, Outcome.SANS_OBJET)
SHALLOW = 8  # more named values than this in a part are a chain: a statement of their own
Cell = tuple[Outcome, Part, tuple[Any, ...]]
Cells = dict[int, dict[tuple[str, int], list[Cell]]]  # dossier -> (table, row) -> what each part says there


def engine_names() -> tuple[str, ...]:
    """The engines by name."""
    return plugs.names(ENGINES)


def evaluate(
    plans: Sequence[Plan], frames: Frames, engine: str = "duckdb", all_evidence: bool = False, lang: str = "fr"
) -> tuple[dict[str, dict[int, Evaluated]], tuple[str, ...]]:
    """(rule -> dossier -> what the rule says of it, faults of the engine as sentences).

    Every (plan, dossier) has one outcome. A rule that the engine refuses is `indetermine` everywhere, the others go on.
    `all_evidence`: findings also of the rows that hold. `lang`: of the sentences that no rule says.
    """
    plug, said = plugs.load(ENGINES, engine), words(lang)
    parts = [part for plan in plans for part in plan.parts]
    session = plug.session(frames, columns_of(parts), frames.dictionary)
    found: dict[str, dict[int, Evaluated]] = {}
    try:
        cells, faults = _cells(plans, session, frames)
        for plan in plans:
            if plan.rule in faults:
                found[plan.rule] = _failed(plan, frames, faults[plan.rule], said)
            else:
                waived = _gates(plan, frames, session)
                found[plan.rule] = _fold(plan, cells[plan.rule], frames, all_evidence, waived, said)
    finally:
        session.close()
    return found, tuple(f"{rule} : {reason}" for rule, reason in faults.items())


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
    for (subject, _), batch in batches.items():
        try:
            _run(subject, batch, session, cells)
        except RuntimeError:
            for rule in dict.fromkeys(rule for rule, _ in batch):
                try:
                    _run(subject, [item for item in batch if item[0] == rule], session, cells)
                except RuntimeError as error:
                    faults[rule] = str(error)
    return cells, faults


def _run(subject: str, batch: Sequence[tuple[str, Part]], session: Any, cells: dict[str, Cells]) -> None:
    statement = session.emitter.statement(subject, [part for _, part in batch])
    for row in session.run(statement):
        dossier, place = int(row[0]), (subject, int(row[1]))
        start = 2
        for rule, part in batch:
            end = start + PER_PART + len(part.shows)
            cell = (Outcome(row[start]), part, tuple(row[start + 1 : end]))
            cells[rule].setdefault(dossier, {}).setdefault(place, []).append(cell)
            start = end


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """non_conforme, else indetermine, else conforme, else sans_objet."""
    return next((outcome for outcome in _ORDER if outcome in outcomes), Outcome.SANS_OBJET)


def _fold(
    plan: Plan,
    cells: Cells,
    frames: Frames,
    all_evidence: bool,
    waived: frozenset[tuple[int, int]],
    said: Words,
) -> dict[int, Evaluated]:
    subjects = tuple(dict.fromkeys(part.subject for part in plan.parts))
    found: dict[int, Evaluated] = {}
    for dossier in range(len(frames.submitted)):
        rows = cells.get(dossier, {})
        counts: dict[Outcome, int] = {}
        findings: list[Finding] = []
        for (table, row), parts in sorted(rows.items(), key=lambda item: item[0]):  # an engine has no order of its own
            outcome = worst([cell[0] for cell in parts])
            counts[outcome] = counts.get(outcome, 0) + 1
            if outcome in (Outcome.NON_CONFORME, Outcome.INDETERMINE) or (all_evidence and outcome == Outcome.CONFORME):
                findings.append(
                    evidence.finding(
                        plan.rule, table, row, outcome, [cell for cell in parts if cell[0] == outcome], frames, said
                    )
                )
        for subject in subjects:
            if subject != ROOT and (
                _hidden(subject, dossier, frames) or not any(table == subject for table, _ in rows)
            ):
                lone = _no_row(plan, subject, dossier, frames, waived, said)
                counts[lone.outcome] = counts.get(lone.outcome, 0) + 1
                if lone.outcome != Outcome.SANS_OBJET:
                    findings.append(lone)
        found[dossier] = Evaluated(plan.rule, worst(list(counts)), counts, tuple(findings))
    return found


def _hidden(subject: str, dossier: int, frames: Frames) -> bool:
    """Whether rows of a subject may exist that were not read."""
    return frames.list_state(subject, dossier) in HIDDEN


def _gates(plan: Plan, frames: Frames, session: Any) -> frozenset[tuple[int, int]]:
    """(part, dossier) that is not asked, by a `when` that the dossier alone decides."""
    found: set[tuple[int, int]] = set()
    for index, part in enumerate(plan.parts):
        hidden = any(_hidden(part.subject, dossier, frames) for dossier in range(len(frames.submitted)))
        tables = {table for table, _ in tree.columns(part.when)}
        refs = any(isinstance(node, tree.Ref) for node in tree.walk(part.when))
        if part.subject == ROOT or part.when is None or not hidden or not tables <= {ROOT} or refs:
            continue
        gate = dataclasses.replace(part, subject=ROOT, stage=0, when=None, ok=part.when, soft=False, lets=(), shows=())
        gate = dataclasses.replace(gate, observed=None, expected=None, at=tree.literal(None, "date"))
        for row in session.run(session.emitter.statement(ROOT, [gate])):
            if Outcome(row[2]) == Outcome.NON_CONFORME:
                found.add((index, int(row[0])))
    return frozenset(found)


def _no_row(
    plan: Plan, subject: str, dossier: int, frames: Frames, waived: frozenset[tuple[int, int]], said: Words
) -> Finding:
    """What a rule says of rows that are not there: unknown when the list is (some may be), else nothing to judge."""
    stage = frames.stage(dossier)
    due = any(
        part.subject == subject and (stage is None or stage >= part.stage) and (index, dossier) not in waived
        for index, part in enumerate(plan.parts)
    )
    outcome = Outcome.INDETERMINE if due and _hidden(subject, dossier, frames) else Outcome.SANS_OBJET
    return evidence.empty(plan.rule, subject, dossier, outcome, frames, said)


def _failed(plan: Plan, frames: Frames, reason: str, said: Words) -> dict[int, Evaluated]:
    outcome = Outcome.INDETERMINE
    return {
        dossier: Evaluated(plan.rule, outcome, {outcome: 1}, (evidence.crashed(plan.rule, reason, said),))
        for dossier in range(len(frames.submitted))
    }
