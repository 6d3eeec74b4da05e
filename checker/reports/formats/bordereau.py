"""The letters that ask each third party for what is missing, as a document for a word processor (DOCX).

They are those of `bordereau-pdf`. Needs the extra `rapports`.
"""

from __future__ import annotations

from checker.base.words import Words
from checker.model import Verdicts
from checker.reports import docx, letters

DRAWN = True  # the letterhead, the addressees of the conventions


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The letters of a run."""
    return docx.write(letters.requests(verdicts, words), words, format="bordereau")
