"""One line a dossier: its reference, its decision, the rules it does not respect."""

from __future__ import annotations

from checker.base.words import Words
from checker.model import Outcome, Verdicts


def render(verdicts: Verdicts, words: Words, *, color: bool, width: int) -> bytes:
    """UTF-8 text."""
    del color, width
    lines = []
    for verdict in verdicts.dossiers:
        broken = [item.rule for item in verdict.results if item.outcome == Outcome.NON_CONFORME]
        lines.append(";".join([verdict.reference, words[f"decision.{verdict.decision}"], *broken]))
    return ("\n".join(lines) + "\n").encode()
