"""A comparison as one page to read and file: what got worse first said, then dossier by dossier, each with its cause.

Self-contained: no script, no image, no address. The style is that of the report; every value shown is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checker.base.words import Words
from checker.reports import compare, sidebyside, templates
from checker.reports.compare import Comparison, Edit, Moved
from checker.reports.packdiff import Change, Explained
from checker.reports.rows import Weight
from checker.reports.templates import said

FINDINGS = 8  # of a rule


def render(found: Comparison, names: tuple[str, str], words: Words, packs: Explained | None = None) -> bytes:
    """The page; `names`: the two reports, or the two versions of the rules."""
    return templates.fill(
        "diff.html",
        words,
        found=found,
        packs=packs,
        names=names,
        results=[(change, count) for change, count in sidebyside.tally(found).items() if count],
        pairs=[(number, pair) for number, pair in enumerate(found.pairs) if pair.change != compare.UNCHANGED],
        same=[pair for pair in found.pairs if pair.change == compare.UNCHANGED],
        shown=FINDINGS,
        **_speech(found, packs, words),
    )


def _speech(found: Comparison, packs: Explained | None, words: Words) -> dict[str, Any]:
    """What the template says in the language of the page."""
    known = found.edits.get("rule", ())

    def because(item: Moved, number: int) -> str:
        why: Sequence[Change] = packs.why.get((number, item.rule), ()) if packs else ()
        return said(sidebyside.because(item, why, words))

    return {
        "states": lambda item: said(sidebyside.states(item, words)),
        "because": because,
        "told": sidebyside.told,
        "tone": _tone,
        "edit": lambda item: said(sidebyside.edit_text(item, words)),
        "sides": lambda item: _sides(item, words),
        "own": lambda edits: {reason: [item for item in each if item not in known] for reason, each in edits.items()},
        "change_name": lambda item: said(sidebyside.change_name(item, words)),
        "effect": lambda item: said(sidebyside.effect(item, packs, words)) if packs else "",
    }


def _sides(item: Edit, words: Words) -> list[str]:
    return [sidebyside.short(side) if side else words["diff.none"] for side in (item.before, item.after)]


def _tone(item: Moved) -> str:
    """The class of a result: what it weighs now; resolved or in order, it is green."""
    if item.after is None:
        return "unknown"
    return "conforme" if item.after.weight is Weight.GREEN else item.after.weight.name.lower()
