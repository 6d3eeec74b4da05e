"""The notes that suspend a payment and say why, in PDF: those of `suspension`.

Needs the extra `rapports`.
"""

from __future__ import annotations

from checker.base.words import Words
from checker.model import Verdicts
from checker.reports import letters, typeset

DRAWN = True  # the letterhead, the addressees of the conventions


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The notes of a run."""
    found = letters.suspensions(verdicts, words)
    shown = letters.data(found, words)
    return typeset.compile("letter.typ", shown, words, title=found.title, format="suspension-pdf", day=found.day)
