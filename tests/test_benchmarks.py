"""The comparison of `benchmarks/` compares the same work: quitus, the oracle and pandas find what was planted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks import planted
from benchmarks.peers import oracle, pandas, quitus
from benchmarks.tables import RULES

LINES = 200


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUITUS_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("seed", range(4))
def test_same_findings(tmp_path: Path, seed: int) -> None:
    """The three agree finding by finding, and their counts are those of the planted anomalies."""
    known = planted.generate(tmp_path, LINES, seed)
    found = oracle.findings(tmp_path)
    assert Counter((rule, outcome) for rule, _, _, outcome in found) == known
    assert {rule for rule, _ in known} == set(RULES)
    assert quitus.findings(tmp_path) == found
    assert pandas.findings(tmp_path) == found


def test_same_tables(tmp_path: Path) -> None:
    """A seed gives the same bytes, another one others."""
    folders = [tmp_path / name for name in "abc"]
    for folder, seed in zip(folders, (1, 1, 2), strict=True):
        folder.mkdir()
        planted.generate(folder, LINES, seed)
    same, again, other = ([path.read_bytes() for path in sorted(folder.glob("*.parquet"))] for folder in folders)
    assert same == again
    assert same != other
