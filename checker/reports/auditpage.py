"""The audit of an archive as one small page: its decision, its dossiers by decision, each rule by outcome.

Self-contained: no script, no image, no address. The findings themselves stay in Parquet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checker.base.words import Words
from checker.model import Pack
from checker.reports import templates

OUTCOMES = ("non_conforme", "indetermine", "conforme", "sans_objet")


def render(said: Mapping[str, Any], packs: Sequence[Pack], words: Words) -> bytes:
    """The page of a summary (`summary.json`)."""
    titles = {rule.id: rule.title for pack in packs for rule in pack.rules}
    titles |= {rule: words[f"engine.{rule}.title"] for rule in said["rules"] if rule not in titles}
    bad = sorted(said["rules"], key=lambda rule: [-said["rules"][rule].get(word, 0) for word in OUTCOMES[:2]])
    decisions = [(word, number) for word, number in said["summary"].items() if word != "dossiers"]
    slots = {"said": said, "titles": titles, "rules": bad, "decisions": decisions, "outcomes": OUTCOMES, "packs": packs}
    return templates.fill("audit.html", words, **slots)
