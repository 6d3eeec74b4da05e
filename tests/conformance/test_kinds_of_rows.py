"""The kinds that judge rows among themselves and dates as written: the examples of a pack of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from checker import authoring, packs

PACKS = Path(__file__).parent / "pack"
TRIED = authoring.examples(PACKS, "lignes")[1]
KINDS = "followed_by in_step iso8601 one_to_one partial_order repeated same_within unique".split()


@pytest.mark.parametrize("tried", TRIED, ids=lambda item: f"{item.rule} {item.example.title}")
def test_an_example(tried: authoring.Tried) -> None:
    assert tried.found == tried.example.expect, tried.message


def test_each_kind_has_examples_of_three_outcomes() -> None:
    said: dict[str, set[str]] = {}
    for rule in packs.load(PACKS, "lignes").rules:
        if rule.id.startswith("L-"):
            said.setdefault(next(iter(rule.body["check"])), set()).update(item.expect.word for item in rule.examples)
    assert sorted(said) == KINDS
    assert all({"conforme", "non_conforme", "indetermine"} <= outcomes for outcomes in said.values()), said
