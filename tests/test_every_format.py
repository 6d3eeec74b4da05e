"""What holds for every format there is: it gives the same bytes anywhere, takes anything, and decides nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from test_redact import shown
from test_reports import BREACH, HOSTILE, a_dossier, a_result, a_run, runs

from checker import reports
from checker.base.words import words
from checker.model import Clause, Finding, Place, Remedy, Verdicts
from checker.reports import rows

ROOT = Path(__file__).resolve().parent.parent
FORMATS = reports.formats()
LETTERS = ("bordereau", "bordereau-pdf", "suspension", "suspension-pdf")  # they say what is asked, not what is decided
DATA = ("csv", "parquet", "github", "gitlab", "sarif", "junit", "json")  # codes, judged by tests of their own
PAGES = tuple(name for name in FORMATS if name not in LETTERS + DATA)
TYPST = (
    '#include("/etc/passwd")',
    '$ x^2 $ #eval("1+1")',
    "= titre *gras* `brut` <etiquette> @ref",
    "\\u{0} #sym.arrow",
)


def plain(text: str) -> str:
    """Letters and figures alone: blanks, hyphens and line ends are where the page puts them."""
    return re.sub(r"[^\w]+", "", unicodedata.normalize("NFKC", text)).casefold()


PLACES = [
    {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "fr_FR.UTF-8", "PYTHONHASHSEED": "77"},
]


@pytest.fixture(scope="module", params=["conforme", "fautif"])
def two_runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same dossier checked in two folders, time zones and locales, in every format."""
    found = []
    for number, place in enumerate(PLACES):
        home = tmp_path_factory.mktemp("a" if number else "un-autre-nom-plus-long")
        shutil.copytree(ROOT / "fixtures" / request.param, home / "dossier")
        said = [item for name in FORMATS for item in ("-f", f"{name}:{name}.out")]
        command = [sys.executable, "-m", "checker", "check", "dossier", *said]
        environment = {**os.environ, **place, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode in (0, 1), done.stderr
        found.append(home)
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_bytes_anywhere(name: str, two_runs: list[Path]) -> None:
    one, two = ((home / f"{name}.out").read_bytes() for home in two_runs)
    assert one == two
    assert len(one) > 100


@pytest.mark.parametrize("name", PAGES)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(run=runs())
def test_a_page_says_each_decision_and_each_count(name: str, run: Verdicts) -> None:
    said = words("fr")
    text = plain(shown(name, reports.render(run, name)))
    for verdict in run.dossiers:
        assert plain(said[f"decision.{verdict.decision}"]) in text
        if name in ("html", "pdf"):
            assert plain(rows.counts(verdict.results, said)) in text
        if name in ("convention", "html", "pdf", "xlsx"):  # the others show what is not in order, and are tested apart
            assert [result.rule for result in verdict.results if plain(result.rule) not in text] == []


def hostile() -> Iterator[Verdicts]:
    for value in (*HOSTILE, *TYPST, "", "\u00a0", "\n"):
        spot = Place(value, 1, 1, 1, value)
        finding = Finding(
            "R", value, BREACH, value, value, value, value, (value,), (spot,), (value,), ((value, value),)
        )
        result = a_result(
            "R", BREACH, finding, title=value, clause=Clause(value, value), remedy=Remedy("cedant", value)
        )
        dossier = a_dossier(result, reference=value, path=value, upcoming=((value, value),), paste=(value,))
        yield a_run(dossier, findings=(finding,), unused=(value,), notes=((value, value),))


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_values_stay_text(name: str) -> None:
    """No format fails on them; what a reader of the format would obey is not there."""
    for run in hostile():
        data = reports.render(run, name)
        assert data
        text = shown(name, data)
        assert "root:x:0:0" not in text
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", text), name
        assert len(data) < 2_000_000
