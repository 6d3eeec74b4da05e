"""The engine judged by cases that others wrote; what differs is named, one file a case."""

from __future__ import annotations

from pathlib import Path

import cdisc
import pytest

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT.parent / "shared" / "suites" / "cdisc"
TOLD = Path(__file__).parent / "disagreements"
AT_LEAST = 0.97

here = pytest.mark.skipif(not SUITE.is_dir(), reason="the suite of CDISC is not beside the repository")


def told(path: Path) -> str:
    """The case that a file of disagreement is about; AssertionError when it does not say the three things."""
    text = path.read_text("utf-8")
    for word in ("\nOurs: ", "\nTheirs: ", "\nHonest difference: "):
        assert word in text, f"{path.name} does not say {word.strip()}"
    return text.splitlines()[0].removeprefix("# ")


@pytest.fixture(scope="module")
def judged() -> list[cdisc.Judged]:
    return list(cdisc.run(SUITE))


@here
def test_nearly_all_cases_are_exact(judged: list[cdisc.Judged]) -> None:
    exact = sum(item.exact for item in judged)
    assert judged
    assert exact >= AT_LEAST * len(judged), f"{exact}/{len(judged)}"


@here
def test_each_case_that_differs_is_told_and_no_other(judged: list[cdisc.Judged]) -> None:
    differ = {item.name: item.line() for item in judged if not item.exact}
    assert set(differ) == {told(path) for path in sorted(TOLD.glob("*.md"))}, differ


@here
def test_no_rule_is_refused(judged: list[cdisc.Judged]) -> None:
    assert [item.line() for item in judged if item.fault] == []


@pytest.mark.parametrize("path", sorted(TOLD.glob("*.md")), ids=lambda path: path.stem)
def test_a_disagreement_says_ours_theirs_and_why(path: Path) -> None:
    assert told(path).replace("/", "-") == path.stem
