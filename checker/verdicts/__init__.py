"""Findings -> verdicts: results, waivers, decisions. Door: `decide`."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from checker.base import french, words
from checker.base.dictionary import ROOT
from checker.base.frames import Frames
from checker.model import (
    STAGES,
    Clause,
    DossierVerdict,
    Evaluated,
    Fault,
    Finding,
    Outcome,
    Pack,
    Remedy,
    Result,
    Rule,
    Settings,
    Value,
    Waiver,
)
from checker.model.frozen import replace
from checker.verdicts import private as names
from checker.verdicts.figures import figures

_READABLE, _WAIVER = "DOSSIER-LISIBLE", "DEROGATION-VALIDE"
NC, IND, OK, NA = Outcome.NON_CONFORME, Outcome.INDETERMINE, Outcome.CONFORME, Outcome.SANS_OBJET


def decide(
    pack: Pack,
    settings: Settings,
    frames: Frames,
    evaluated: Mapping[str, Mapping[int, Evaluated]],
    today: dt.date,
    drawn: bool = False,
    private: bool = False,
    lang: str = "fr",
) -> list[DossierVerdict]:
    """One verdict a dossier, in the order of the batch; `drawn`: with what a report draws beside it.

    `private`: with the names of persons that it holds; `lang`: of the program's own sentences.
    """
    personal = frozenset(rule.id for rule in pack.rules if _personal(rule.body.get("check")))
    run = _Run(pack, settings, frames, evaluated, _twins(frames), today, words.words(lang), personal, {})
    identity = {"id": pack.id, "title": pack.title, "version": pack.version, "sha256": pack.sha256}
    found = [_dossier(index, identity, run) for index in range(len(frames.submitted))]
    if drawn:
        found = [
            replace(verdict, figures=figures(index, pack, frames, verdict.results))
            for index, verdict in enumerate(found)
        ]
    if not private:
        return found
    named = zip(found, names.of_batch(pack, settings, frames), strict=True)
    return [replace(verdict, private=held) for verdict, held in named]


def decision_of(results: Sequence[Result]) -> str:
    """non_conforme, indetermine, conforme_avec_reserves or conforme; a waived result counts as a reserve."""
    blocking = [item.outcome for item in results if item.severity == "bloquant" and item.waiver is None]
    if NC in blocking:
        return "non_conforme"
    if IND in blocking:
        return "indetermine"
    reserves = [
        item
        for item in results
        if item.severity == "reserve" or (item.severity == "bloquant" and item.waiver is not None)
    ]
    return "conforme_avec_reserves" if any(item.outcome in (NC, IND) for item in reserves) else "conforme"


def _twins(frames: Frames) -> frozenset[int]:
    """Dossiers of a run that share one reference."""
    seen: dict[tuple[int, str], list[int]] = {}
    for index, value in enumerate(frames.tables[ROOT].values["reference"]):
        if value:
            seen.setdefault((frames.submitted[index].run, str(value)), []).append(index)
    return frozenset(index for found in seen.values() if len(found) > 1 for index in found)


class _Run(NamedTuple):
    """What is the same for every dossier of a batch."""

    pack: Pack
    settings: Settings
    frames: Frames
    evaluated: Mapping[str, Mapping[int, Evaluated]]
    twins: frozenset[int]
    today: dt.date
    words: words.Words
    personal: frozenset[str]  # the rules that a person may attest
    alike: dict[tuple[str, int, bool], Result]  # of a rule without findings, by what is said of it and of a person


def _dossier(index: int, identity: Mapping[str, str], run: _Run) -> DossierVerdict:
    pack, settings, frames, evaluated, twins, today, said, personal, alike = run
    attested = personal & _attested(index, frames)
    item = frames.submitted[index]
    root = frames.tables[ROOT]
    value = root.values["date_controle"][index]
    control = value if isinstance(value, dt.date) else None
    fact = item.rows.tables[ROOT][0].get("reference") if item.rows.tables[ROOT] else None
    reference = (fact.raw or "").strip() if fact else ""
    stage = frames.stage(index)
    twin = fact if index in twins else None
    results = [_readable(item.rows.faults, twin, said)]
    for rule in pack.rules:
        found = evaluated[rule.id][index]
        if item.rows.faults:
            found = Evaluated(rule.id, IND, {IND: 1}, ())
        key = (rule.id, id(found), rule.id in attested)  # `evaluated` keeps them: an id is one of them only
        result = alike.get(key)
        if result is None:
            result = _result(rule, found, said, rule.id in attested)
            if not found.findings and not item.rows.faults:
                alike[key] = result
        results.append(result)
    waived, waiver_result = _waivers(pack, settings.waivers, reference, control or today, results, said)
    results = [*waived, waiver_result]
    return DossierVerdict(
        reference=reference,
        path=item.dossier.shown,
        pack=identity,
        control_date=control,
        stage=STAGES[stage] if stage is not None else "",
        decision=decision_of(results),
        files=item.files,
        results=tuple(results),
        upcoming=_upcoming(pack, stage),
        paste=_paste(pack, results, said),
    )


def _engine(
    rule: str, severity: str, outcome: Outcome, findings: Sequence[Finding], remedy: str, table: words.Words
) -> Result:
    counts = {outcome: max(1, len(findings))}
    clause = Clause("moteur", table[f"engine.{rule}.quote"])
    title = table[f"engine.{rule}.title"]
    return Result(
        rule,
        title,
        clause,
        "bonne_pratique",
        severity,
        "complete",
        outcome,
        counts,
        tuple(findings),
        Remedy(remedy, table[f"engine.{rule}.remedy"]),
    )


def _readable(faults: Sequence[Fault], twin: Value | None, table: words.Words) -> Result:
    found = []
    for fault in faults:
        what, place, excerpt, todo = fault
        text = f"{what}. {todo}" if todo else f"{what}."
        found.append(Finding(_READABLE, ROOT, IND, text, reason=what, locations=(place,), excerpts=(excerpt,)))
    if twin is not None and not found:
        raw = (twin.raw or "").strip()
        text = table["engine.twin"].format(reference=raw)
        found.append(Finding(_READABLE, ROOT, IND, text, locations=(twin.place,), excerpts=(raw,)))
    return _engine(_READABLE, "bloquant", IND if found else OK, found, "organisme", table)


def _personal(check: Any) -> bool:
    """Whether a check, or one of its parts, is a person's judgement."""
    if isinstance(check, Mapping):
        return "attested" in check or any(_personal(part) for part in check.values())
    return isinstance(check, list) and any(_personal(part) for part in check)


def _attested(index: int, frames: Frames) -> set[str]:
    """The rules that a valid attestation of the dossier says to hold."""
    table = frames.tables["attestations"].values
    return {
        str(table["regle"][row])
        for row in frames.rows("attestations", index)
        if table["constat"][row] == OK.word and table["lu.valide"][row] is True
    }


def _waits_for_settings(findings: Sequence[Finding]) -> bool:
    """Whether all that is missing is for the organisation to declare, and for nobody else to send."""
    missing = [name for item in findings if item.outcome is IND for name in item.missing or ("",)]
    return bool(missing) and all(name.startswith("$") for name in missing)


def _result(rule: Rule, found: Evaluated, table: words.Words, attested: bool) -> Result:
    remedy = rule.remedy
    if found.outcome is IND and _waits_for_settings(found.findings):
        remedy = Remedy("organisme", table["remedy.setting"])
    elif remedy is not None and "{" in remedy.text:
        trace = {name: _said(value) for item in found.findings for name, value in item.trace}
        known = all(name in trace for name in words.slots(remedy.text))
        remedy = Remedy(remedy.to, words.fill(remedy.text, trace) if known else table["remedy.unknown"])
    return Result(
        rule=rule.id,
        title=rule.title,
        clause=rule.clause,
        source=rule.source,
        severity=rule.severity,
        automation=rule.automation,
        outcome=found.outcome,
        counts=found.counts,
        findings=found.findings,
        remedy=remedy,
        note=rule.note,
        stage=rule.stage,
        attested=found.outcome is OK and attested,
    )


def _said(value: str) -> str:
    try:
        return french.money(Decimal(value)) if "." in value else value
    except ArithmeticError:
        return value


def _waivers(
    pack: Pack, waivers: Sequence[Waiver], reference: str, day: dt.date, results: list[Result], table: words.Words
) -> tuple[list[Result], Result]:
    """The results with the waivers that cover them, and what is wrong with those that name this dossier."""
    ids = {rule.id for rule in pack.rules}
    findings: list[Finding] = []
    covering: dict[str, Waiver] = {}
    for waiver in waivers:
        if waiver.dossier != reference:
            continue
        why = fault(waiver, ids, day)
        if why:
            text = table[f"waiver.{why}"].format(rule=waiver.rule, end=waiver.end or "")
            findings.append(Finding(_WAIVER, "derogations", NC, text, reason=why, locations=(waiver.place,)))
        elif waiver.start is None or waiver.start <= day:
            covering[waiver.rule] = waiver
    outcome = NC if findings else (OK if covering else NA)
    shown = [
        replace(item, waiver=covering[item.rule]) if item.rule in covering and item.outcome in (NC, IND) else item
        for item in results
    ]
    return shown, _engine(_WAIVER, "reserve", outcome, findings, "organisme", table)


def fault(waiver: Waiver, ids: set[str], day: dt.date) -> str:
    """expired, open_ended, self_granted, unknown_rule, unreasoned; "" when in order."""
    from checker.base import values

    if waiver.rule not in ids:
        return "unknown_rule"
    if waiver.end is None:
        return "open_ended"
    if not waiver.granted_by.strip() or not waiver.requested_by.strip() or not waiver.reason.strip():
        return "unreasoned"
    if values.person(waiver.granted_by) == values.person(waiver.requested_by):
        return "self_granted"
    return "expired" if waiver.end < day else ""


def unused(settings: Settings, verdicts: Sequence[DossierVerdict]) -> list[Waiver]:
    """The waivers in order that cover no result of the run."""
    used = {(item.waiver.rule, verdict.reference) for verdict in verdicts for item in verdict.results if item.waiver}
    faulty = {
        place
        for verdict in verdicts
        for item in verdict.results
        if item.rule == _WAIVER
        for found in item.findings
        for place in found.locations
    }
    return [
        waiver
        for waiver in settings.waivers
        if (waiver.rule, waiver.dossier) not in used and waiver.place not in faulty
    ]


def _upcoming(pack: Pack, stage: int | None) -> tuple[tuple[str, str], ...]:
    if stage is None or stage + 1 >= len(STAGES):
        return ()
    return tuple(
        (rule.id, rule.title)
        for rule in pack.rules
        if rule.stage == STAGES[stage + 1] and rule.severity != "information"
    )


def _paste(pack: Pack, results: Sequence[Result], table: words.Words) -> tuple[str, ...]:
    """Lines of quitus.yaml for the parameters that blocking or reserve findings wait for."""
    names = {
        name[1:]: None
        for item in results
        if item.severity != "information" and item.outcome == IND
        for finding in item.findings
        for name in finding.missing
        if name.startswith("$")
    }
    lines: list[str] = []
    for name in names:
        if name == "premier_etat_liquidatif":
            lines.append(f'{name}: ""    # {table["paste.first"]}')
            continue
        found = pack.parameters[name]
        if not any(line.startswith("parametres:") for line in lines):
            lines.insert(0, "parametres:")
        lines.insert(1, f'  {name}: {{valeur: {"[]" if found.many else ""}, source: ""}}    # {found.title}')
    return tuple(lines)


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
