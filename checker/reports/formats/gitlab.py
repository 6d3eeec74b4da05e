"""GitLab's code quality report: one entry a finding that is not in order, none for what holds.

It has no place for a decision: a dossier is stopped when, and only when, an entry is a `blocker` (not compliant) or
`critical` (cannot be told). A reserve is `major`, a waived result `minor`, an information `info`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from checker.base.words import Words
from checker.model import Finding, Outcome, Verdicts
from checker.reports import jsontext, rows
from checker.reports.inert import inert, phrase
from checker.reports.rows import Row, Weight

_SEVERITIES = {
    Weight.BREACH: "blocker",
    Weight.UNKNOWN: "critical",
    Weight.RESERVE: "major",
    Weight.WAIVED: "minor",
    Weight.INFORMATION: "info",
}
_TEXT = 1500


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The entries, the most severe first."""
    found = rows.all_rows(verdicts, words)
    default = rows.settings_path(verdicts) or "quitus.yaml"
    if not found and verdicts.decision in ("non_conforme", "indetermine"):  # a stopped run is never an empty list
        nothing = Finding(rows.READABLE, "", Outcome.INDETERMINE, words["text.nothing"])
        found = [Row(Weight.UNKNOWN, nothing, None, None)]
    seen: Counter[str] = Counter()
    return jsontext.document([_entry(row, default, seen, words) for row in found])


def _entry(row: Row, default: str, seen: Counter[str], words: Words) -> dict[str, Any]:
    place = row.finding.locations[0] if row.finding.locations else None
    return {
        "description": _said(row, words),
        "check_name": inert(row.finding.rule, 200) or "-",
        "fingerprint": _fingerprint(row, default, seen),
        "severity": _SEVERITIES[row.weight],
        "location": {
            "path": inert(rows.path_of(row, place, default), 500),
            "lines": {"begin": max(place.line or 1, 1) if place else 1},
        },
    }


def _said(row: Row, words: Words) -> str:
    finding, result = row.finding, row.result
    said = finding.message or (result.title if result else finding.rule)
    if finding.outcome is Outcome.INDETERMINE:
        said = words["text.cannot"].format(text=said)
    if row.weight is Weight.WAIVED:
        said = words["text.waived"].format(text=said)
    if finding.missing:
        said += f" ({words['text.missing'].format(items=words['list.comma'].join(finding.missing))})"
    if row.verdict:
        said = words["text.pair"].format(label=phrase(row.verdict.reference, 120), text=said)
    return phrase(said, _TEXT) or "-"


def _fingerprint(row: Row, default: str, seen: Counter[str]) -> str:
    """The same for the same rule, subject, file and value as read, wherever they move in the file."""
    first = row.finding.locations[0] if row.finding.locations else None
    excerpt = row.finding.excerpts[0] if row.finding.excerpts else ""
    place = first.place or "" if first else ""
    parts = [row.finding.rule, row.finding.subject, rows.path_of(row, first, default), place, excerpt]
    key = "\0".join(parts)
    seen[key] += 1
    return hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "replace")).hexdigest()[:32]
