"""A summary in Markdown, as the job summary of a CI shows it: the decision, the counts, what to do and by whom.

Nothing of what was read is a mark, a tag, a link or a mention: a comment that is not shown parts `@` and `#` from what
follows them, and a waived result names who granted it where others say what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from checker.base.words import Words, counted, long_date
from checker.model import DECISIONS, DossierVerdict, Outcome, Verdicts, Waiver
from checker.reports import rows
from checker.reports.inert import encode, inert, phrase
from checker.reports.rows import Row, Weight

SHOWN = 200  # rows of one table: a job summary holds 1 MiB
_MARKS = re.compile(r"[\\`*_{}\[\]()|~$^=]|:(?=//)|(?i:(?<=www)\.)")
_ITEM = re.compile(r"^(\d*)([-+.])")  # at the start of an item, another list
_CALLS = re.compile("[@#]")  # forges look for them in the text once shown: an escape is not enough
_TABLES = (
    ((Weight.BREACH,), "todo"),
    ((Weight.UNKNOWN,), "unknown"),
    ((Weight.RESERVE,), "reserves"),
    ((Weight.WAIVED,), "waived"),
    ((Weight.INFORMATION,), "information"),
)


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The summary of a run."""
    found = rows.all_rows(verdicts, words)
    decision = words["text.decision"].format(decision=words[f"decision.{verdicts.decision}"])
    blocks = [
        f"## {words[f'symbol.{verdicts.decision}']} {decision}",
        *_partial(verdicts, words),
        *_heads(verdicts, words),
    ]
    for weights, heading in _TABLES:
        some = [row for row in found if row.weight in weights]
        if some:
            blocks += [f"### {words[f'heading.{heading}']}", *_findings(some, len(verdicts.dossiers) != 1, words)]
    if verdicts.unused:
        listed = "\n".join("- " + _ITEM.sub(r"\1\\\2", plain(text)) for text in verdicts.unused[:SHOWN])
        blocks += [f"### {words['heading.unused']}", listed]
    if verdicts.fail_on in ("reserve", "non_conforme"):
        blocks.append(_escaped(words[f"text.fail_on_{verdicts.fail_on}"]))
    code = words["text.exit"].format(code=verdicts.exit_code())
    blocks.append(code[:1].upper() + code[1:])
    return encode("\n\n".join(blocks) + "\n")


def _partial(verdicts: Verdicts, words: Words) -> list[str]:
    said = rows.partial(verdicts, words)
    return [f"**{plain(said)}**"] if said else []


def plain(text: str, limit: int = 500) -> str:
    """A sentence read somewhere, as plain words."""
    return _escaped(phrase(text, limit))


def _escaped(text: str) -> str:
    entities = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _CALLS.sub(r"\g<0><!-- -->", _MARKS.sub(r"\\\g<0>", entities))


def _heads(verdicts: Verdicts, words: Words) -> list[str]:
    """What was checked: one dossier in two lines, several as a table, the worst first; the rules by outcome."""
    counts = rows.counts([result for verdict in verdicts.dossiers for result in verdict.results], words)
    if len(verdicts.dossiers) == 1:
        return [_about(verdicts.dossiers[0], words), counts]
    parts = [counted(words, f"count.decided_{key}", count) for key, count in rows.decisions(verdicts).items()]
    label = counted(words, "count.dossiers", len(verdicts.dossiers))
    line = words["text.pair"].format(label=label, text=words["list.comma"].join(parts)) if parts else label
    ordered = sorted(verdicts.dossiers, key=lambda verdict: -DECISIONS.index(verdict.decision))
    if not ordered:
        return [line]
    head = [
        words[f"column.{key}"] for key in ("decision", "dossier", "non_conforme", "indetermine", "reserves", "path")
    ]
    blocks = [line, counts, _table(head, (_dossier(verdict, words) for verdict in ordered[:SHOWN]))]
    return blocks + ([counted(words, "more.dossiers", len(ordered) - SHOWN)] if ordered[SHOWN:] else [])


def _about(verdict: DossierVerdict, words: Words) -> str:
    parts = [f"**{plain(verdict.reference, 200) or '-'}**", plain(verdict.path, 300)]
    if verdict.stage:
        parts.append(plain(words["text.stage"].format(stage=words.get(f"stage.{verdict.stage}", verdict.stage))))
    if verdict.control_date:
        parts.append(words["text.control"].format(day=long_date(verdict.control_date, words)))
    return " \u00b7 ".join(part for part in parts if part)


def _dossier(verdict: DossierVerdict, words: Words) -> list[str]:
    weights = [rows.weigh(result) for result in verdict.results]
    reserves = weights.count(Weight.RESERVE) + weights.count(Weight.WAIVED)
    numbers = (weights.count(Weight.BREACH), weights.count(Weight.UNKNOWN), reserves)
    said = f"{words[f'symbol.{verdict.decision}']} {words[f'decision.{verdict.decision}']}"
    return [said, plain(verdict.reference, 120), *(str(count or "") for count in numbers), plain(verdict.path, 200)]


def _findings(found: Sequence[Row], several: bool, words: Words) -> list[str]:
    names = (["dossier"] if several else []) + ["rule", "message", "where", "actor", "todo"]
    head = [words[f"flat.{name}"] for name in names]
    table = _table(head, (_finding(row, several, words) for row in found[:SHOWN]))
    left = len(found) - SHOWN
    return [table, *([counted(words, "flat.more", left)] if left > 0 else [])]


def _finding(row: Row, several: bool, words: Words) -> list[str]:
    finding, result = row.finding, row.result
    said = finding.message or (result.title if result else finding.rule)
    if finding.outcome is Outcome.INDETERMINE:
        said = words["text.cannot"].format(text=said)
    if finding.missing:
        said += f" ({words['text.missing'].format(items=words['list.comma'].join(finding.missing))})"
    where = rows.where(finding.locations[0], words) if finding.locations else ""
    if finding.excerpts and finding.excerpts[0]:
        where += (
            f"{words['list.comma'] if where else ''}{words['text.read'].format(text=inert(finding.excerpts[0], 160))}"
        )
    remedy = result.remedy if result else None
    actor = words.get(f"actor.{remedy.to}", remedy.to) if remedy else ""
    waiver = result.waiver if result else None
    todo = _waived(waiver, words) if waiver else remedy.text if remedy else ""
    cells = [finding.rule, said, where, actor, todo]
    if several:
        cells.insert(0, row.verdict.reference if row.verdict else "")
    return [plain(cell) for cell in cells]


def _waived(waiver: Waiver, words: Words) -> str:
    slots = {"granted_by": waiver.granted_by, "requested_by": waiver.requested_by, "reason": waiver.reason}
    end = long_date(waiver.end, words) if waiver.end else ""
    return words["text.waiver" if end else "text.waiver_open"].format(end=end, **slots)


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
