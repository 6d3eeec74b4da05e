"""`--changed-since`: the report holds what changed, judged among all the others. Real git repositories."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import dossiers as generated
from checker import cli, pipeline, reports
from checker.model import Partial

COUNT = 5


def _blank(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def git(folder: Path, *words: str) -> str:
    """A git command in a repository of the test."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env={**os.environ, **own}).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Dossiers in a git repository: `base` is where the branch of work leaves `main`, which went on."""
    folder = tmp_path / "depot"
    generated.write(folder / "dossiers", COUNT)
    (folder / "LISEZMOI").write_text("x", encoding="utf-8")
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "base")
    git(folder, "tag", "base")
    _blank(folder / "dossiers" / "000" / "d000000" / "dossier.yaml")
    git(folder, "commit", "-qam", "on main since")
    git(folder, "checkout", "-q", "-b", "work", "base")
    return folder


def _twin(folder: Path) -> None:
    """Give dossier 3 the reference of dossier 1."""
    path = folder / "dossiers" / "000" / "d000003" / "dossier.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("CALV-2019-00003", "CALV-2019-00001"), encoding="utf-8")


def _edit(number: int, name: str = "dossier.yaml") -> Callable[[Path], None]:
    return lambda folder: _blank(folder / "dossiers" / "000" / f"d{number:06}" / name)


def _new(folder: Path) -> None:
    shutil.copytree(folder / "dossiers" / "000" / "d000001", folder / "dossiers" / "000" / "nouveau é\n")


def _committed(folder: Path) -> None:
    _edit(2)(folder)
    git(folder, "commit", "-qam", "work")
    _edit(4, "lignes.csv")(folder)


def _removed(folder: Path) -> None:
    (folder / "dossiers" / "000" / "d000002" / "lignes.csv").unlink()


SINCE: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "nothing": (lambda folder: None, set()),
    "manifest": (_edit(2), {"d000002"}),
    "piece": (_edit(2, "lignes.csv"), {"d000002"}),
    "piece removed": (_removed, {"d000002"}),
    "committed and not": (_committed, {"d000002", "d000004"}),
    "new, not followed": (_new, {"nouveau é\n"}),
    "outside of dossiers": (lambda folder: _blank(folder / "LISEZMOI"), set()),
    "settings": (lambda folder: _blank(folder / "dossiers" / "quitus.yaml"), {f"d{n:06}" for n in range(COUNT)}),
}


@pytest.mark.parametrize("name", SINCE)
def test_changed_since(cache: Path, repository: Path, name: str) -> None:
    change, expected = SINCE[name]
    change(repository)
    found = pipeline.check(pipeline.Options((repository,), since="main", today=dt.date(2026, 1, 2)))
    whole = pipeline.check(pipeline.Options((repository,), today=dt.date(2026, 1, 2)))
    assert {Path(verdict.path).name for verdict in found.dossiers} == expected
    by_path = {verdict.path: verdict for verdict in whole.dossiers}
    assert all(by_path[verdict.path] == verdict for verdict in found.dossiers)


def test_changed_since_sees_the_others(cache: Path, repository: Path) -> None:
    """Only dossier 3 is said, and it is said to share its reference with dossier 1, which did not change."""
    _twin(repository)
    found = pipeline.check(pipeline.Options((repository,), since="base", today=dt.date(2026, 1, 2)))
    assert [(Path(item.path).name, item.decision) for item in found.dossiers] == [("d000003", "indetermine")]
    assert found.dossiers[0].results[0].rule == "DOSSIER-LISIBLE"


REFUSED = {
    "unknown revision": ("nowhere", "révision inconnue : « nowhere »"),
    "an option is no revision": ("--output=x", "révision inconnue"),
    "a range is no revision": ("base..main", "révision inconnue"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_changed_since_refuses(repository: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    revision, said = REFUSED[name]
    assert cli.run(["check", str(repository), f"--changed-since={revision}"]) == 64
    assert said in capsys.readouterr().err


def test_changed_since_needs_a_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generated.write(tmp_path, 1)
    assert cli.run(["check", str(tmp_path), "--changed-since", "HEAD"]) == 64
    assert "n'est pas dans un dépôt git" in capsys.readouterr().err


PARTIAL = ("html", "json", "junit", "markdown", "sarif", "terminal", "xlsx", "github", "pdf")
SAID = {"changed": (_edit(2), 1), "nothing": (lambda folder: None, 0)}


@pytest.mark.parametrize("name", SAID)
def test_a_partial_report_says_what_it_leaves_out(cache: Path, repository: Path, name: str) -> None:
    change, count = SAID[name]
    change(repository)
    found = pipeline.check(pipeline.Options((repository,), since="main", today=dt.date(2026, 1, 2), drawn=True))
    assert found.partial == Partial("main", count, COUNT)
    for format in PARTIAL:
        told = _text_of(reports.render(found, format, width=200), format)
        said = f"Rapport partiel : les dossiers changés depuis « main », {count} sur {COUNT}"
        if format == "json":
            assert json.loads(told)["partial"] == {"since": "main", "dossiers": count, "of": COUNT}
        else:
            assert said in told, format
    english = reports.render(found, "terminal", lang="en", width=200).decode()
    assert f"Partial report: the dossiers changed since “main”, {count} of {COUNT}." in english


def _text_of(data: bytes, format: str) -> str:
    """What a person reads of a report, its blanks as plain ones."""
    if format == "pdf":
        import pypdfium2

        pages = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(data)]
        text = "\n".join(pages)
    elif format == "xlsx":
        import openpyxl

        sheets = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        text = "\n".join(str(cell) for row in sheets.worksheets[0].values for cell in row if cell is not None)
    else:
        text = data.decode()
    return " ".join(text.split())


@pytest.mark.parametrize("change", ["settings", "all of them"])
def test_a_whole_report_says_nothing_of_it(cache: Path, repository: Path, change: str) -> None:
    for number in range(COUNT if change != "settings" else 0):
        _edit(number)(repository)
    if change == "settings":
        _blank(repository / "dossiers" / "quitus.yaml")
    found = pipeline.check(pipeline.Options((repository,), since="main", today=dt.date(2026, 1, 2)))
    assert found.partial is None
    assert b'"partial"' not in reports.render(found, "json")


@pytest.mark.parametrize("format", sorted({*reports.formats()} - {"pdf", "html"}))  # slow to draw
def test_nothing_changed_is_a_report_too(cache: Path, repository: Path, format: str, tmp_path: Path) -> None:
    output = tmp_path / "report"
    words = ["check", str(repository), "--changed-since", "base", "--format", format, "--output", str(output)]
    assert cli.run(words) == 0
    assert output.exists()
