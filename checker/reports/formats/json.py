"""The whole run for machines, as `schemas/report.schema.json` says: additive only, stable order of keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base.words import Words
from checker.model import DossierVerdict, Finding, Outcome, Place, Result, Verdicts, Waiver
from checker.reports import jsontext, rows

SCHEMA = "quitus-report/1"
_DEPTH = 4  # of a result in the document
_SHARED = 20_000  # texts of results that are kept to be written again


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The JSON report."""
    written: dict[Any, str] = {}
    return jsontext.document(
        {
            "schema": SCHEMA,
            **({"redacted": True} if verdicts.redacted else {}),
            "tool": {"name": "quitus", "version": verdicts.version},
            "packs": [_pack(pack) for pack in verdicts.packs],
            "settings": dict(verdicts.settings) if verdicts.settings else None,
            "decision": verdicts.decision,
            "exit_code": verdicts.exit_code(),
            "fail_on": verdicts.fail_on or None,
            "summary": {"dossiers": len(verdicts.dossiers), **rows.decisions(verdicts)},
            "outcomes": _counts(rows.tally(result for verdict in verdicts.dossiers for result in verdict.results)),
            "findings": [{"rule": finding.rule, **_finding(finding)} for finding in verdicts.findings],
            "dossiers": [_dossier(verdict, written) for verdict in verdicts.dossiers],
            "notes": [{"id": name, "text": sentence} for name, sentence in verdicts.notes],
            "unused": list(verdicts.unused),
        }
    )


def _pack(pack: Mapping[str, str]) -> dict[str, str]:
    first = [key for key in ("id", "title", "version", "sha256") if key in pack]
    return {key: pack[key] for key in (*first, *sorted(set(pack) - set(first)))}


def _counts(counts: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome.word: counts[outcome] for outcome in sorted(counts) if counts[outcome]}


def _dossier(verdict: DossierVerdict, written: dict[Any, str]) -> dict[str, Any]:
    return {
        "reference": verdict.reference,
        "path": verdict.path,
        "pack": _pack(verdict.pack),
        "control_date": verdict.control_date.isoformat() if verdict.control_date else None,
        "stage": verdict.stage,
        "decision": verdict.decision,
        "outcomes": _counts(rows.tally(verdict.results)),
        "files": [file._asdict() for file in verdict.files],
        "results": [_result(result, verdict.pack, written) for result in verdict.results],
        "upcoming": [{"rule": rule, "title": title} for rule, title in verdict.upcoming],
        "paste": list(verdict.paste),
    }


def _result(result: Result, pack: Mapping[str, str], written: dict[Any, str]) -> jsontext.Raw:
    """The text of a result; what many dossiers of a pack share is written once."""
    if result.waiver or len(written) > _SHARED:
        return jsontext.Raw(jsontext.text(_plain(result), _DEPTH))
    key = (
        pack.get("sha256"),
        pack.get("id"),
        result.rule,
        result.outcome,
        result.attested,
        result.remedy,
        result.findings,
        *result.counts.items(),
    )
    if key not in written:
        written[key] = jsontext.text(_plain(result), _DEPTH)
    return jsontext.Raw(written[key])


def _plain(result: Result) -> dict[str, Any]:
    return {
        "rule": result.rule,
        "title": result.title,
        "article": result.clause.article,
        "source": result.source,
        "severity": result.severity,
        "outcome": result.outcome.word,
        "waived": _waiver(result.waiver),
        "counts": _counts(result.counts),
        "findings": [_finding(finding) for finding in result.findings],
        "quote": result.clause.quote,
        "stage": result.stage,
        "automation": result.automation,
        "attested": rows.attested(result),
        "note": result.note,
        "remedy": {"to": result.remedy.to, "text": result.remedy.text} if result.remedy else None,
    }


def _waiver(waiver: Waiver | None) -> dict[str, str | None] | None:
    if waiver is None:
        return None
    return {
        "reason": waiver.reason,
        "requested_by": waiver.requested_by,
        "granted_by": waiver.granted_by,
        "from": waiver.start.isoformat() if waiver.start else None,
        "to": waiver.end.isoformat() if waiver.end else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "subject": finding.subject,
        "outcome": finding.outcome.word,
        "message": finding.message,
        "observed": finding.observed,
        "expected": finding.expected,
        "reason": finding.reason,
        "missing": list(finding.missing),
        "locations": [_place(place) for place in finding.locations],
        "excerpts": list(finding.excerpts),
        "trace": [{"name": name, "value": value} for name, value in finding.trace],
    }


def _place(place: Place) -> dict[str, Any]:
    keys = ("file", "place", "line", "column", "page")
    return {key: getattr(place, key) for key in keys}
