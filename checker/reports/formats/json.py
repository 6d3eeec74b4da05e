"""The whole run for machines, as `schemas/report.schema.json` says: additive only, stable order of keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checker.base.words import Words
from checker.model import DossierVerdict, Finding, Outcome, Place, Result, Verdicts, Waiver
from checker.reports import jsontext, rows

SCHEMA = "quitus-report/1"
_DEPTH = 4  # of a result in the document
_SHARED = 20_000  # texts of results that are kept to be written again


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The JSON report."""
    return b"".join(stream(verdicts, words, color=color, width=width))


def stream(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> Iterator[bytes]:
    """The same, one dossier after the other: those of a large run are never held together."""
    written, part = _Written(), verdicts.partial
    head = {
        "schema": SCHEMA,
        **({"redacted": True} if verdicts.redacted else {}),
        **({"partial": {"since": part.since, "dossiers": part.dossiers, "of": part.of}} if part else {}),
        "tool": {"name": "quitus", "version": verdicts.version},
        "packs": [_pack(pack) for pack in verdicts.packs],
        "settings": dict(verdicts.settings) if verdicts.settings else None,
        "decision": verdicts.decision,
        "exit_code": verdicts.exit_code(),
        "fail_on": verdicts.fail_on or None,
        "summary": {"dossiers": len(verdicts.dossiers), **rows.decisions(verdicts)},
        "outcomes": _counts(rows.tally(result for verdict in verdicts.dossiers for result in verdict.results)),
        "findings": [{"rule": finding.rule, **_finding(finding)} for finding in verdicts.findings],
    }
    tail = {
        "notes": [{"id": name, "text": sentence} for name, sentence in verdicts.notes],
        "unused": list(verdicts.unused),
    }
    listed = (_dossier(verdict, written) for verdict in verdicts.dossiers)
    yield from jsontext.stream(head, "dossiers", listed, tail)


def _pack(pack: Mapping[str, str]) -> dict[str, str]:
    first = [key for key in ("id", "title", "version", "sha256") if key in pack]
    return {key: pack[key] for key in (*first, *sorted(set(pack) - set(first)))}


def _counts(counts: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome.word: counts[outcome] for outcome in sorted(counts) if counts[outcome]}


def _dossier(verdict: DossierVerdict, written: _Written) -> bytes:
    head = {
        "reference": verdict.reference,
        "path": verdict.path,
        "pack": _pack(verdict.pack),
        "control_date": verdict.control_date.isoformat() if verdict.control_date else None,
        "stage": verdict.stage,
        "decision": verdict.decision,
        "outcomes": _counts(rows.tally(verdict.results)),
        "files": [file._asdict() for file in verdict.files],
    }
    tail = {
        "upcoming": [{"rule": rule, "title": title} for rule, title in verdict.upcoming],
        "paste": list(verdict.paste),
    }
    start, end = jsontext.around(head, "results", tail, _DEPTH - 2)
    return start + jsontext.items([written.text(result) for result in verdict.results], _DEPTH - 1) + end


class _Written:
    """The texts of results: what many dossiers share is written once."""

    def __init__(self) -> None:
        self._same: dict[int, tuple[Result, bytes]] = {}  # with the result, so that its id stays its own
        self._equal: dict[Any, bytes] = {}

    def text(self, result: Result) -> bytes:
        """The text of a result, one object among many dossiers, or equal to that of another."""
        held = self._same.get(id(result))
        if held is not None:
            return held[1]
        if result.findings:
            return self._alike(result)
        text = _result(result)
        if len(self._same) < _SHARED:
            self._same[id(result)] = result, text
        return text

    def _alike(self, result: Result) -> bytes:
        """The text of a result that has findings: its rule, what it says of a dossier and of nothing else."""
        if result.waiver or len(self._equal) > _SHARED:
            return _result(result)
        key = (
            result.rule,
            result.title,
            result.clause,
            result.outcome,
            result.attested,
            result.remedy,
            result.findings,
            *result.counts.items(),
        )
        if key not in self._equal:
            self._equal[key] = _result(result)
        return self._equal[key]


def _result(result: Result) -> bytes:
    return jsontext.text(_plain(result), _DEPTH).encode()


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
