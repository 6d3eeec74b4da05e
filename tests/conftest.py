"""What all tests share: the checkout, a quiet environment, the command as a process, golden files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("quitus", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quitus"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the person's machine reaches a test: no pack, no cache, no colour, no width of terminal."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("QUITUS_RULES", "QUITUS_CACHE", "FORCE_COLOR", "GITHUB_ACTIONS"):
            patch.delenv(name, raising=False)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("NO_COLOR", "1")
        patch.setenv("COLUMNS", "120")
        patch.setenv("PYTHONPATH", str(ROOT))
        yield


Quitus = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def quitus() -> Quitus:
    """The command as a process: `quitus("check", path, cwd=…)`."""

    def run(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "checker", *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", check=False)

    return run


@pytest.fixture
def golden() -> Callable[[Path, bytes], None]:
    """Compare with a golden file, or rewrite it under QUITUS_UPDATE_GOLDEN=1: `golden(path, got)`."""

    def compare(path: Path, got: bytes) -> None:
        if os.environ.get("QUITUS_UPDATE_GOLDEN") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(got)
        assert path.exists(), f"{path}: no golden file; QUITUS_UPDATE_GOLDEN=1 writes it"
        expected = path.read_bytes()
        try:
            want, have = expected.decode(), got.decode()
        except UnicodeDecodeError:
            assert got == expected, f"{path} differs"
        else:
            assert have == want, f"{path} differs"

    return compare


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of the packs."""
    return tmp_path_factory.mktemp("warm")


@pytest.fixture
def cache(warm: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds packs, and no facts yet."""
    monkeypatch.setenv("QUITUS_CACHE", str(warm))
    shutil.rmtree(warm / "facts", ignore_errors=True)
    return warm / "facts"
