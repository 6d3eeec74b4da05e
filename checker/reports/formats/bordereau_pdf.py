"""The letters that ask each third party for what is missing, in PDF: those of `bordereau`.

Needs the extra `rapports`.
"""

from __future__ import annotations

from checker.base.words import Words
from checker.model import Verdicts
from checker.reports import letters, typeset

DRAWN = True  # the letterhead, the addressees of the conventions


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The letters of a run."""
    found = letters.requests(verdicts, words)
    shown = letters.data(found, words)
    return typeset.compile("letter.typ", shown, words, title=found.title, format="bordereau-pdf", day=found.day)
