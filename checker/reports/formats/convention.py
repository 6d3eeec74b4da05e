"""The signed text, sentence by sentence, each with what its rules found: one page to read beside the dossier.

Self-contained: no script, no image, no address. Every value shown is escaped.
"""

from __future__ import annotations

from checker.base.words import Words
from checker.model import Verdicts
from checker.reports import annotatedpage, annotating

DRAWN = True


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The annotated convention."""
    chapters, dossiers = annotating.of_run(verdicts)
    return annotatedpage.render(chapters, words, verdicts.notes, run=verdicts, dossiers=dossiers)
