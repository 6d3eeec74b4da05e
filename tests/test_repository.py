"""The house keeps its own rules: sizes, sentences, imports, names, what the repository may hold."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

TOP_LEVEL = frozenset(
    "rules schemas checker fixtures tests benchmarks docs requirements pyproject.toml README.md CONTRIBUTING.md"
    " CHANGELOG.md LICENSE .ci .github .gitignore .gitattributes .importlinter".split()
)
LONGEST = 320
LIBRARIES = frozenset(
    "yaml duckdb _duckdb rich sqlglot jsonschema jsonschema_rs pandas numpy openpyxl lxml pikepdf pypdfium2".split()
)
PRIVATE = re.compile(
    r"(?<![\w.~*)\]}/-])/(?:root|home|work|tmp|opt|mnt|srv)(?![\w-])"
    r"|find-links|index-url|pypi\.(?:org|python)|pythonhosted|registry\.npmjs|artifactory"
)
SELF = "tests/test_repository.py"


@functools.cache
def files() -> tuple[str, ...]:
    """What a commit of this tree would hold, or what lies here when this is no checkout."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git checkout here")
    return tuple(sorted(name for name in listed if name and (ROOT / name).is_file()))


def texts() -> Iterator[tuple[str, str]]:
    for name in files():
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def sources() -> list[Path]:
    return sorted((ROOT / "checker").rglob("*.py"))


def test_top_level_holds_only_what_is_listed() -> None:
    assert {name.partition("/")[0] for name in files()} <= TOP_LEVEL


def test_no_registry_and_no_path_of_a_machine() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        if name not in (SELF, "CONTRIBUTING.md")
        for number, line in enumerate(text.splitlines(), 1)
        if PRIVATE.search(line)
    ]
    assert not found, "\n".join(found)


def test_locks_name_no_place() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text(encoding="utf-8")
        assert not re.search(r"https?:|file:|--(?:index|extra|find|trusted)|@ |^[./]", text, re.M), lock.name


@pytest.mark.parametrize(("lock", "extras"), [("all", ("all",)), ("dev", ("all", "dev"))])
def test_locks_agree_with_the_project(lock: str, extras: tuple[str, ...]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    blocks = re.findall(r"^(\S+)==([^\s;]+)(?: ;[^\\\n]*)?((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", text, re.M)
    assert len(blocks) == len(re.findall(r"^[^ #\n]", text, re.M)), "a line of the lock has no hash"
    pinned = {canonicalize_name(name): version for name, version, _ in blocks}

    def wanted(requirements: list[str]) -> Iterator[Requirement]:
        for requirement in map(Requirement, requirements):
            if requirement.name == project["name"]:
                for extra in sorted(requirement.extras):
                    yield from wanted(project["optional-dependencies"][extra])
            else:
                yield requirement

    for requirement in wanted([*project["dependencies"], f"{project['name']}[{','.join(extras)}]"]):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is not in the lock: see CONTRIBUTING, Dependencies"
        assert requirement.specifier.contains(pinned[name]), f"{requirement}: the lock has {pinned[name]}"


def test_files_are_short() -> None:
    """Blank lines are free."""
    sizes = {path: sum(1 for line in path.read_text("utf-8").splitlines() if line.strip()) for path in sources()}
    assert not {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > LONGEST}


def test_code_is_ascii() -> None:
    """Sentences may have accents, names may not."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name, line in [(getattr(node, "id", None) or getattr(node, "name", None), getattr(node, "lineno", 0))]
        if isinstance(name, str) and not name.isascii()
    ]
    assert not found, "\n".join(found)


def test_help_imports_no_library() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "checker", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "checker" in imported
    assert not imported & LIBRARIES


def test_readme_has_the_two_commands() -> None:
    lines = [
        line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("python3 -m venv")
    ]
    assert len(lines) == 2
    first, second = lines
    assert first.endswith("&& .venv/bin/quitus check fixtures/conforme && .venv/bin/quitus check fixtures/fautif")
    assert " && .venv/bin/python -m pytest" in second
