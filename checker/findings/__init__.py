"""Plans x tables -> findings. Door: `evaluate`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from checker.base import plugs, tree
from checker.base.dictionary import ROOT
from checker.base.frames import HIDDEN, Frames
from checker.base.tree import Part, Plan
from checker.findings import evidence
from checker.findings.sql import columns_of
from checker.model import Evaluated, Finding, Outcome

ENGINES = "checker.findings.engines"
_ORDER = (Outcome.NON_CONFORME, Outcome.INDETERMINE, Outcome.CONFORME, Outcome.SANS_OBJET)
Cell = tuple[Outcome, Part, tuple[Any, ...]]


def engine_names() -> tuple[str, ...]:
    """The engines by name."""
    return plugs.names(ENGINES)


def evaluate(
    plans: Sequence[Plan], frames: Frames, engine: str = "duckdb", all_evidence: bool = False
) -> tuple[dict[str, dict[int, Evaluated]], tuple[str, ...]]:
    """(rule -> dossier -> what the rule says of it, faults of the engine as sentences).

    Every (plan, dossier) has one outcome. A rule that the engine refuses is `indetermine` everywhere, the others go on.
    `all_evidence`: findings also of the rows that hold.
    """
    plug = plugs.load(ENGINES, engine)
    parts = [part for plan in plans for part in plan.parts]
    session = plug.session(frames, columns_of(parts), frames.dictionary)
    found: dict[str, dict[int, Evaluated]] = {}
    faults: list[str] = []
    try:
        for plan in plans:
            try:
                cells = _cells(plan, session)
            except RuntimeError as error:
                faults.append(f"{plan.rule} : {error}")
                found[plan.rule] = _failed(plan, frames, str(error))
                continue
            found[plan.rule] = _fold(plan, cells, frames, all_evidence, _gates(plan, frames, session))
    finally:
        session.close()
    return found, tuple(faults)


def _cells(plan: Plan, session: Any) -> dict[int, dict[tuple[str, int], list[Cell]]]:
    """dossier -> (table, row) -> the outcome of each part there."""
    groups: dict[str, list[Part]] = {}
    for part in plan.parts:
        groups.setdefault(part.subject, []).append(part)
    cells: dict[int, dict[tuple[str, int], list[Cell]]] = {}
    for subject, parts in groups.items():
        statement = session.emitter.statement(subject, parts)
        for row in session.run(statement):
            place = cells.setdefault(int(row[0]), {}).setdefault((subject, int(row[1])), [])
            start = 2
            for part in parts:
                end = start + 4 + len(part.shows)
                place.append((Outcome(row[start]), part, tuple(row[start + 1 : end])))
                start = end
    return cells


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """non_conforme, else indetermine, else conforme, else sans_objet."""
    return next((outcome for outcome in _ORDER if outcome in outcomes), Outcome.SANS_OBJET)


def _fold(
    plan: Plan,
    cells: Mapping[int, Mapping[tuple[str, int], list[Cell]]],
    frames: Frames,
    all_evidence: bool,
    waived: frozenset[tuple[str, int]],
) -> dict[int, Evaluated]:
    subjects = tuple(dict.fromkeys(part.subject for part in plan.parts))
    found: dict[int, Evaluated] = {}
    for dossier in range(len(frames.submitted)):
        rows = cells.get(dossier, {})
        counts: dict[Outcome, int] = {}
        findings: list[Finding] = []
        for (table, row), parts in rows.items():
            outcome = worst([cell[0] for cell in parts])
            counts[outcome] = counts.get(outcome, 0) + 1
            if outcome in (Outcome.NON_CONFORME, Outcome.INDETERMINE) or (all_evidence and outcome == Outcome.CONFORME):
                findings.append(
                    evidence.finding(
                        plan.rule, table, row, outcome, [cell for cell in parts if cell[0] == outcome], frames
                    )
                )
        for subject in subjects:
            if subject != ROOT and (
                _hidden(subject, dossier, frames) or not any(table == subject for table, _ in rows)
            ):
                lone = _no_row(plan, subject, dossier, frames, (subject, dossier) in waived)
                counts[lone.outcome] = counts.get(lone.outcome, 0) + 1
                if lone.outcome != Outcome.SANS_OBJET:
                    findings.append(lone)
        found[dossier] = Evaluated(plan.rule, worst(list(counts)), counts, tuple(findings))
    return found


def _hidden(subject: str, dossier: int, frames: Frames) -> bool:
    """Whether rows of a subject may exist that were not read."""
    return frames.list_state(subject, dossier) in HIDDEN


def _gates(plan: Plan, frames: Frames, session: Any) -> frozenset[tuple[str, int]]:
    """(subject, dossier) where no part of that subject is asked, by a `when` that the dossier alone decides."""
    found: set[tuple[str, int]] = set()
    for subject in dict.fromkeys(part.subject for part in plan.parts if part.subject != ROOT):
        whens = [part.when for part in plan.parts if part.subject == subject]
        tables = {table for when in whens for table, _ in tree.columns(when)}
        refs = any(isinstance(node, tree.Ref) for when in whens for node in tree.walk(when))
        if None in whens or tables != {ROOT} or refs:
            continue
        asked = tree.either(*(when for when in whens if when is not None))
        gate = dataclasses.replace(
            plan.parts[0], subject=ROOT, stage=0, when=None, ok=asked, soft=False, lets=(), shows=()
        )
        gate = dataclasses.replace(gate, observed=None, expected=None, at=tree.literal(None, "date"))
        for row in session.run(session.emitter.statement(ROOT, [gate])):
            if Outcome(row[2]) == Outcome.NON_CONFORME:
                found.add((subject, int(row[0])))
    return frozenset(found)


def _no_row(plan: Plan, subject: str, dossier: int, frames: Frames, waived: bool) -> Finding:
    """What a rule says of rows that are not there: unknown when the list is (some may be), else nothing to judge."""
    stage = frames.stage(dossier)
    due = any(part.subject == subject and (stage is None or stage >= part.stage) for part in plan.parts)
    unknown = _hidden(subject, dossier, frames)
    outcome = Outcome.INDETERMINE if due and unknown and not waived else Outcome.SANS_OBJET
    return evidence.empty(plan.rule, subject, dossier, outcome, frames)


def _failed(plan: Plan, frames: Frames, reason: str) -> dict[int, Evaluated]:
    outcome = Outcome.INDETERMINE
    return {
        dossier: Evaluated(plan.rule, outcome, {outcome: 1}, (evidence.crashed(plan.rule, reason),))
        for dossier in range(len(frames.submitted))
    }
