"""The wheel is whole: it carries the rules and the schemas, and checks a dossier away from the checkout."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def kept(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize(
    ("source", "inside"),
    [("rules", "checker/_shipped/rules"), ("schemas", "checker/_shipped/schemas"), ("checker", "checker")],
)
def test_wheel_carries(wheel: Path, source: str, inside: str) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"{inside}/{name}" for name in kept(ROOT / source)}
    assert wanted
    assert not wanted - names


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"checker", "quitus"}
    assert not [name for name in names if "__pycache__" in name or name.startswith("checker/tests")]


def test_wheel_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (info,) = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
    assert metadata["Name"] == "quitus"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "quitus = checker.__main__:main" in archive.read(f"{info}/entry_points.txt").decode()
    assert f"{info}/licenses/LICENSE" in archive.namelist()


def test_wheel_checks_a_dossier_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(installed)
    shutil.copytree(ROOT / "fixtures" / "conforme", tmp_path / "dossier")
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False
        )

    where = python("-c", "import checker; print(checker.__file__)").stdout
    assert Path(where.strip()).is_relative_to(installed)
    done = python("-m", "checker", "check", "dossier")
    assert done.returncode == 0, done.stdout + done.stderr
