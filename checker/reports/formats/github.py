"""Workflow commands of GitHub Actions: annotations, the most severe first, within what GitHub shows of a step."""

from __future__ import annotations

from checker.base.words import Words, counted
from checker.model import Outcome, Verdicts
from checker.reports import rows
from checker.reports.inert import encode, inert, phrase
from checker.reports.rows import Row, Weight

SHOWN = 10  # annotations of one kind that GitHub shows of one step
_KINDS = {Weight.BREACH: "error", Weight.UNKNOWN: "error", Weight.INFORMATION: "notice"}
_TEXT = 1500


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The commands, then a last notice: the decision, and how many findings are not annotated."""
    found = rows.all_rows(verdicts, words)
    default = rows.settings_path(verdicts) or "quitus.yaml"
    room = {"error": SHOWN, "warning": SHOWN, "notice": SHOWN - 1}
    lines = []
    for row in found:
        kind = _KINDS.get(row.weight, "warning")
        if room[kind]:
            room[kind] -= 1
            lines.append(_annotation(kind, row, default, words))
    lines.append(_command("notice", {"title": "quitus"}, _last(verdicts, len(found) - len(lines), words)))
    return encode("\n".join(lines) + "\n")


def _last(verdicts: Verdicts, left: int, words: Words) -> str:
    said = [words["text.decision"].format(decision=words[f"decision.{verdicts.decision}"])]
    if partial := rows.partial(verdicts, words):
        said.append(partial.rstrip("."))
    counts = rows.decisions(verdicts)
    if len(verdicts.dossiers) > 1:
        parts = [counted(words, f"count.decided_{decision}", count) for decision, count in counts.items()]
        said.append(
            words["text.pair"].format(
                label=counted(words, "count.dossiers", len(verdicts.dossiers)), text=words["list.comma"].join(parts)
            )
        )
    if left:
        said.append(counted(words, "more.annotations", left))
    if verdicts.fail_on in ("reserve", "non_conforme"):
        said.append(words[f"text.fail_on_{verdicts.fail_on}"])
    return ". ".join(said)


def _annotation(kind: str, row: Row, default: str, words: Words) -> str:
    finding, result = row.finding, row.result
    place = finding.locations[0] if finding.locations else None
    properties = {"file": inert(rows.path_of(row, place, default), 500)}
    if place and place.line:
        properties["line"] = str(place.line)
        if place.column:
            properties["col"] = str(place.column)
    properties["title"] = phrase(f"{finding.rule} {result.title if result else ''}", 200)
    said = finding.message or (result.title if result else finding.rule)
    if finding.outcome is Outcome.INDETERMINE:
        said = words["text.cannot"].format(text=said)
    if row.weight is Weight.WAIVED:
        said = words["text.waived"].format(text=said)
    lines = [phrase(said, _TEXT)]
    if row.verdict:
        lines.append(inert(row.verdict.reference, 120))
    if place:
        seen = words["text.read"].format(text=inert(finding.excerpts[0], 160)) if finding.excerpts else ""
        lines.append(words["list.comma"].join(part for part in (rows.where(place, words), seen) if part))
    if finding.missing:
        lines.append(phrase(words["text.missing"].format(items=words["list.comma"].join(finding.missing)), 300))
    if result and result.remedy:
        actor = words.get(f"actor.{result.remedy.to}", result.remedy.to)
        lines.append(phrase(words["text.pair"].format(label=actor, text=result.remedy.text), 500))
    return _command(kind, properties, "\n".join(lines))


def _command(kind: str, properties: dict[str, str], message: str) -> str:
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{kind} {told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
