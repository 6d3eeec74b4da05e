"""The notes that suspend a payment and say why, as a document for a word processor (DOCX).

They are those of `suspension-pdf`. Needs the extra `rapports`.
"""

from __future__ import annotations

from checker.base.words import Words
from checker.model import Verdicts
from checker.reports import docx, letters

DRAWN = True  # the letterhead, the addressees of the conventions


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The notes of a run."""
    return docx.write(letters.suspensions(verdicts, words), words, format="suspension")
