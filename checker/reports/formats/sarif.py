"""SARIF 2.1.0 as GitHub code scanning reads it: one result a finding that is not in order, none for what holds."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from checker.base.words import Words, counted
from checker.model import Outcome, Place, Result, Verdicts
from checker.reports import jsontext, rows
from checker.reports.inert import inert, phrase
from checker.reports.rows import Row, Weight

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_RESULTS = 25_000  # GitHub refuses a run that holds more
MAX_PLACES = 100  # and shows no more of one result
_LEVELS = {Weight.BREACH: "error", Weight.UNKNOWN: "error", Weight.INFORMATION: "note"}
_RULE_LEVELS = {"bloquant": "error", "reserve": "warning", "information": "note"}


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The SARIF log of a run."""
    found = rows.all_rows(verdicts, words)
    rules = _rules(verdicts, found, words)
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    default = rows.settings_path(verdicts) or "quitus.yaml"
    results = [_result(row, index, seen, default, words) for row in found[:MAX_RESULTS]]
    run = {
        "tool": {"driver": {"name": "quitus", "version": verdicts.version, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(verdicts, len(found) - len(results), words)],
        "results": results,
        "properties": _properties(verdicts),
    }
    return jsontext.document({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _message(text: str) -> dict[str, str]:
    """A message; `](` would be read as a link."""
    return {"text": phrase(text).replace("](", "] (") or "-"}


def _invocation(verdicts: Verdicts, left: int, words: Words) -> dict[str, Any]:
    found: dict[str, Any] = {"executionSuccessful": True, "exitCode": verdicts.exit_code()}
    said = [rows.partial(verdicts, words)] if verdicts.partial else []
    said += [counted(words, "more.results", left)] if left else []
    said += [sentence for _, sentence in verdicts.notes] + list(verdicts.unused)
    if said:
        found["toolExecutionNotifications"] = [{"level": "note", "message": _message(text)} for text in said]
    return found


def _properties(verdicts: Verdicts) -> dict[str, Any]:
    return {
        "decision": verdicts.decision,
        "settings": rows.settings_path(verdicts) or None,
        "dossiers": [
            {
                "reference": verdict.reference,
                "path": verdict.path,
                "decision": verdict.decision,
                "outcomes": {outcome.word: count for outcome, count in rows.tally(verdict.results).items()},
            }
            for verdict in verdicts.dossiers
        ],
    }


def _rules(verdicts: Verdicts, found: Iterable[Row], words: Words) -> list[dict[str, Any]]:
    """Every rule of the run, by id; those of the engine that no dossier holds, bare."""
    known: dict[str, dict[str, Any]] = {}
    for verdict in verdicts.dossiers:
        for result in verdict.results:
            if result.rule not in known:
                known[result.rule] = _rule(result, words)
    for row in found:
        if row.finding.rule not in known:
            title = {"text": phrase(row.finding.rule) or "-"}
            level = _LEVELS.get(row.weight, "warning")
            known[row.finding.rule] = {"id": row.finding.rule, "shortDescription": title, "fullDescription": title}
            known[row.finding.rule] |= {"help": title, "defaultConfiguration": {"level": level}}
    return [known[name] for name in sorted(known)]


def _rule(result: Result, words: Words) -> dict[str, Any]:
    clause = words["text.article_of"].format(article=phrase(result.clause.article), quote=phrase(result.clause.quote))
    lines = [phrase(result.title), clause]
    if result.remedy:
        actor = words.get(f"actor.{result.remedy.to}", phrase(result.remedy.to))
        lines.append(words["text.pair"].format(label=actor, text=phrase(result.remedy.text)))
    if result.note:
        lines.append(phrase(result.note))
    level = _RULE_LEVELS.get(result.severity, "warning")
    tags = [result.severity, result.source, f"article {result.clause.article}", result.stage, result.automation]
    return {
        "id": result.rule,
        "name": "".join(part.capitalize() for part in result.rule.split("-")),
        "shortDescription": _message(result.title),
        "fullDescription": _message(result.clause.quote or result.title),
        "help": {
            "text": "\n".join(_message(line)["text"] for line in lines),
            "markdown": "\n\n".join(_markdown(line) for line in lines),
        },
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": list(dict.fromkeys(phrase(tag) for tag in tags if tag)),
            "problem.severity": {"error": "error", "warning": "warning", "note": "recommendation"}[level],
        },
    }


def _markdown(text: str) -> str:
    """Plain words in Markdown: nothing of it is a mark."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()#+!|<>~&" else char for char in text)


def _result(row: Row, index: dict[str, int], seen: Counter[str], default: str, words: Words) -> dict[str, Any]:
    finding = row.finding
    places = finding.locations[: MAX_PLACES + 1] or (None,)
    excerpts = (*finding.excerpts, *[""] * len(places))
    locations = [_location(row, *pair, default, words) for pair in zip(places, excerpts, strict=False)]
    found: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": _LEVELS.get(row.weight, "warning"),
        "message": _message(_said(row, words)),
        "locations": locations[:1],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(row, excerpts[0], default, seen)},
        "properties": {
            "dossier": row.verdict.reference if row.verdict else None,
            "subject": finding.subject,
            "outcome": finding.outcome.word,
            "severity": row.result.severity if row.result else None,
            "observed": finding.observed,
            "expected": finding.expected,
            "missing": list(finding.missing),
        },
    }
    if locations[1:]:
        found["relatedLocations"] = [{"id": number} | item for number, item in enumerate(locations[1:], 1)]
    waiver = row.result.waiver if row.result else None
    if waiver is not None:
        reason = f"{phrase(waiver.reason)} ({phrase(waiver.granted_by)})"
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return found


def _said(row: Row, words: Words) -> str:
    said = row.finding.message or (row.result.title if row.result else row.finding.rule)
    if row.finding.missing:
        said += f" ({words['text.missing'].format(items=words['list.comma'].join(row.finding.missing))})"
    return words["text.cannot"].format(text=said) if row.finding.outcome is Outcome.INDETERMINE else said


def _uri(path: str) -> dict[str, str]:
    """A path of the repository, percent-encoded; one outside of it is an absolute URI."""
    encoded = quote(path.encode("utf-8", "replace"), safe="/-._~")
    return {"uri": f"file://{encoded}"} if path.startswith("/") else {"uri": encoded, "uriBaseId": "%SRCROOT%"}


def _location(row: Row, place: Place | None, excerpt: str, default: str, words: Words) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": max(place.line or 1, 1) if place else 1}
    if place and place.line and place.column:
        region["startColumn"] = max(place.column, 1)
    found: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _uri(rows.path_of(row, place, default)), "region": region}
    }
    if place and place.place:
        found["logicalLocations"] = [{"fullyQualifiedName": inert(place.place)}]
    if place:
        seen = words["text.read"].format(text=inert(excerpt)) if excerpt else ""
        found["message"] = _message(words["list.comma"].join(part for part in (rows.where(place, words), seen) if part))
    return found


def _fingerprint(row: Row, excerpt: str, default: str, seen: Counter[str]) -> str:
    """The same for the same rule, subject, file and value as read, wherever they move in the file."""
    first = row.finding.locations[0] if row.finding.locations else None
    place = first.place or "" if first else ""
    parts = (row.finding.rule, row.finding.subject, rows.path_of(row, first, default), place, excerpt)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
