"""A comparison of two reports as JSON and as text; its values are those of dossiers, and inert."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checker.base.words import Words, counted
from checker.reports import jsontext
from checker.reports.compare import (
    ADDED,
    NEW,
    ORDER,
    REMOVED,
    RESOLVED,
    UNCHANGED,
    Comparison,
    Edit,
    Moved,
    Pair,
    fresh,
)
from checker.reports.inert import inert, phrase
from checker.reports.packdiff import Change, Explained
from checker.reports.saved import Judged, Report, Seen

SCHEMA = "quitus-diff/1"
_SHORT = 12  # hexadecimal digits shown of a digest
_SHOWN = 5  # findings of a rule, edits of a change of a pack
_AMOUNT = re.compile(r"(?<![\w.-])(?:0|[1-9][0-9]{0,14})\.[0-9]{2}(?![\w.])")


def tally(found: Comparison) -> dict[str, int]:
    """How many results changed in each way, those that occur or not, in the order of the text."""
    counts = Counter(item.change for pair in found.pairs for item in pair.moved if pair.change not in (ADDED, REMOVED))
    counts[NEW] += sum(item.change == NEW for pair in found.pairs if pair.change == ADDED for item in pair.moved)
    counts[UNCHANGED] = sum(len(pair.unchanged) for pair in found.pairs if pair.change not in (ADDED, REMOVED))
    return {change: counts[change] for change in ORDER}


def as_json(found: Comparison, packs: Explained | None = None) -> bytes:
    """The comparison for machines: additive only, stable order of keys."""
    why = packs.why if packs else {}
    pairs = list(enumerate(found.pairs))
    plain = {
        "schema": SCHEMA,
        "before": _run(found.before),
        "after": _run(found.after),
        "worse": found.worse,
        "exit_code": found.exit_code,
        "summary": tally(found),
        "causes": _plain_edits(found.edits),
        "dossiers": [_plain_pair(pair, number, why) for number, pair in pairs if pair.before or pair.after],
        "run": [_plain(item) for _, pair in pairs if not (pair.before or pair.after) for item in pair.moved],
    }
    if packs:
        plain["changes"] = [_plain_change(change, packs) for change in packs.changes]
    return jsontext.document(plain)


def _plain_change(change: Change, packs: Explained) -> dict[str, Any]:
    dossiers, moved = packs.moved(change)
    return {
        "pack": change.pack,
        "reason": change.reason,
        "name": change.name,
        "change": change.change,
        "edits": [{**edit._asdict(), "change": edit.change} for edit in change.edits],
        "dossiers": dossiers,
        "rules": list(moved),
    }


def _run(report: Report) -> dict[str, Any]:
    return {
        "tool": report.version,
        "packs": [pack._asdict() for pack in report.packs],
        "settings": report.settings._asdict() if report.settings else None,
        "decision": report.decision,
        "dossiers": len(report.dossiers),
    }


def _plain_edits(edits: Mapping[str, Sequence[Edit]]) -> dict[str, Any]:
    return {reason: [{**item._asdict(), "change": item.change} for item in items] for reason, items in edits.items()}


def _plain_pair(pair: Pair, number: int, why: Mapping[tuple[int, str], Sequence[Change]]) -> dict[str, Any]:
    shown, sides = pair.after or pair.before, (pair.before, pair.after)
    return {
        "reference": shown.reference if shown else "",
        "path": [side.path if side else None for side in sides],
        "change": pair.change,
        "worse": pair.worse,
        "decision": [side.decision if side else None for side in sides],
        "causes": _plain_edits(pair.edits),
        "results": [_plain(item, why.get((number, item.rule), ())) for item in pair.moved],
        "unchanged": list(pair.unchanged),
    }


def _plain(item: Moved, why: Sequence[Change] = ()) -> dict[str, Any]:
    sides = (item.before, item.after)
    return {
        "rule": item.rule,
        "change": item.change,
        "worse": item.worse,
        "severity": [side.severity if side else None for side in sides],
        "outcome": [side.outcome.word if side else None for side in sides],
        "waived": [side.waived if side else None for side in sides],
        "reasons": list(item.reasons),
        "why": [{"reason": change.reason, "name": change.name} for change in why],
        "findings": [[_seen(seen) for seen in side.findings] if side else [] for side in sides],
    }


def _seen(seen: Seen) -> dict[str, str]:
    return {"subject": seen.subject, "outcome": seen.outcome.word, "message": seen.message}


def as_text(found: Comparison, names: tuple[str, str], words: Words, packs: Explained | None = None) -> str:
    """The comparison for a person: what changed for all, then dossier by dossier; « ! » before what got worse."""
    return "\n".join(_lines(found, names, words, packs)) + "\n"


def _lines(found: Comparison, names: tuple[str, str], words: Words, packs: Explained | None) -> Iterator[str]:
    for key, name, report in zip(("before", "after"), names, (found.before, found.after), strict=True):
        decision = words[f"decision.{report.decision}"]
        count = counted(words, "count.dossiers", len(report.dossiers))
        yield words[f"diff.{key}"].format(path=inert(name, 200), decision=decision, dossiers=count)
    yield from _edits(found.edits, "", words)
    yield from _changes(packs, words) if packs else ()
    for number, pair in enumerate(found.pairs):
        if pair.change != UNCHANGED:
            why = {item.rule: packs.why.get((number, item.rule), ()) if packs else () for item in pair.moved}
            yield from ("", *_pair(pair, found, why, words))
    yield ""
    counts = tally(found)
    listed = [counted(words, f"diff.count_{change}", count) for change, count in counts.items() if count]
    same = sum(pair.change == UNCHANGED for pair in found.pairs)
    if same:
        yield counted(words, "diff.same", same)
    yield words["text.pair"].format(label=words["diff.summary"], text=words["list.comma"].join(listed) or "0")
    yield words["diff.worse" if found.worse else "diff.not_worse"]


def _changes(packs: Explained, words: Words) -> Iterator[str]:
    """What is no longer the same of the packs, and how many dossiers each change moves."""
    yield from ("", words["packdiff.heading" if packs.changes else "packdiff.same"])
    for change in packs.changes:
        yield f"  {words['text.pair'].format(label=change_name(change, words), text=effect(change, packs, words))}"
        for edit in change.edits[:_SHOWN]:
            yield f"      {edit_text(edit, words)}"
        if change.edits[_SHOWN:]:
            yield f"      {counted(words, 'packdiff.more', len(change.edits) - _SHOWN)}"


def change_name(change: Change, words: Words) -> str:
    """« paramètre plafond »."""
    return words[f"packdiff.{change.reason}"].format(name=inert(change.name, 80))


def effect(change: Change, packs: Explained, words: Words) -> str:
    """« 2 dossiers changent (A4-PLAFOND) »."""
    dossiers, rules = packs.moved(change)
    listed = words["list.comma"].join(inert(rule, 60) for rule in rules)
    return f"{counted(words, 'packdiff.effect', dossiers)} ({listed})" if dossiers else words["packdiff.no_effect"]


def edit_text(edit: Edit, words: Words) -> str:
    """« check.at_most.limit : $plafond → 100 000,00 »; a line of a table, which is its own name, once."""
    sides = [figures(side, words) if side else words["diff.none"] for side in (edit.before, edit.after)]
    if edit.name in (edit.before, edit.after):
        return words[f"diff.edit_{edit.change}"].format(name=sides[edit.before is None])
    text = " → ".join(sides)
    return words["text.pair"].format(label=inert(edit.name, 80), text=text) if edit.name else text


def figures(text: str, words: Words) -> str:
    """A text of a pack, its amounts as people write them."""

    def spoken(found: re.Match[str]) -> str:
        whole, _, cents = found[0].partition(".")
        return f"{int(whole):,}".replace(",", words["thousands"]) + words["decimal"] + cents

    return _AMOUNT.sub(spoken, phrase(text, 200))


def _pair(pair: Pair, found: Comparison, why: Mapping[str, Sequence[Change]], words: Words) -> Iterator[str]:
    shown = pair.after or pair.before
    if shown is None:
        yield words["heading.run"]
    else:
        decisions = [words[f"decision.{side.decision}"] for side in (pair.before, pair.after) if side]
        name = phrase(shown.reference, 80) or words["diff.no_reference"]
        text = f"{name} ({inert(shown.path, 200)})"
        if pair.change in (ADDED, REMOVED):
            text += words["list.comma"] + words[f"diff.dossier_{pair.change}"]
        label = f"{_mark(pair.worse)}{text}"
        yield words["text.pair"].format(label=label, text=" → ".join(dict.fromkeys(decisions)))
        if pair.before and pair.after and pair.before.path != pair.after.path:
            yield "    " + words["diff.moved"].format(path=inert(pair.before.path, 200))
    known = found.edits.get("rule", ())
    own = {reason: [edit for edit in edits if edit not in known] for reason, edits in pair.edits.items()}
    yield from _edits(own, "    ", words)
    for item in pair.moved:
        yield from _moved(item, why[item.rule], words)
    if pair.unchanged and pair.change not in (ADDED, REMOVED):
        yield "    " + counted(words, "diff.unchanged", len(pair.unchanged))


def _mark(worse: bool) -> str:
    return "! " if worse else "  "


def _edits(edits: Mapping[str, Sequence[Edit]], margin: str, words: Words) -> Iterator[str]:
    for reason, items in edits.items():
        for item in items:
            sides = [short(side) if side else words["diff.none"] for side in (item.before, item.after)]
            label = words[f"diff.reason_{reason}"]
            named = item.name not in ("", reason)
            text = words[f"diff.edit_{item.change}"].format(name=inert(item.name, 200)) if named else ""
            yield margin + words["text.pair"].format(label=label, text=f"{text} ({' → '.join(sides)})".strip())


def short(text: str) -> str:
    """A digest by its first digits; any other word as it is."""
    return " ".join(inert(word, _SHORT + 1) if len(word) == 64 else inert(word, 40) for word in text.split(" "))


def states(item: Moved, words: Words) -> str:
    """« conforme → non conforme »."""
    sides = [_state(side, words) for side in (item.before, item.after)]
    return words["diff.otherwise"].format(outcome=sides[0]) if sides[0] == sides[1] else " → ".join(sides)


def because(item: Moved, why: Sequence[Change], words: Words) -> str:
    """« faits, règles », or the changes of the packs by name."""
    said = [change_name(change, words) for change in why]
    said += [words[f"diff.reason_{reason}"] for reason in ([] if why else item.reasons)]
    more = [counted(words, "packdiff.more", len(said) - _SHOWN)] if said[_SHOWN:] else []
    return words["list.comma"].join([*said[:_SHOWN], *more])


def told(item: Moved) -> list[Seen]:
    """The findings to show: those that are new or worse, else all."""
    if item.change == RESOLVED or item.after is None:
        return []
    return fresh(item.after, item.before) or list(item.after.findings)


def _moved(item: Moved, why: Sequence[Change], words: Words) -> Iterator[str]:
    shown = item.after or item.before
    label = f"  {_mark(item.worse)}{words[f'diff.{item.change}']} {inert(item.rule, 60)}"
    text = states(item, words)
    if item.reasons:
        text += f" ({because(item, why, words)})"
    yield words["text.pair"].format(label=label, text=text)
    if shown and shown.title:
        yield f"        {phrase(shown.title, 200)}"
    found = told(item)
    yield from (f"        {words['symbol.todo']} {phrase(seen.message, 400)}" for seen in found[:_SHOWN])
    if found[_SHOWN:]:
        yield f"        {counted(words, 'more.rows', len(found) - _SHOWN)}"


def _state(side: Judged | None, words: Words) -> str:
    if side is None:
        return words["diff.none"]
    waived = words["list.comma"] + words["severity.waived"] if side.waived else ""
    return words[f"outcome.{side.outcome.word}"] + waived
