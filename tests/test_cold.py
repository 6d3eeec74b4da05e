"""What makes a check start at once changes nothing else: pages without rich, classes without `dataclasses`, the end."""

from __future__ import annotations

import copy
import dataclasses
import os
import pickle
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from checker.base import tree
from checker.model import DatedValue, Finding, Outcome, Place
from checker.model.frozen import field, frozen
from checker.reports.barepage import NARROW, BarePage, Beyond
from checker.reports.blanks import Whole
from checker.reports.formats import terminal
from tests.conftest import ROOT

# --- pages ------------------------------------------------------------------------------------------------------------

PIECES = (
    "a", "bb", "facture", "« x »", "é", "l'état", "—", "\u00a0", "\u202f", "«", "»", "x" * 30, "y" * 130, "   ", "(1)",
    " : ", ";", "art. 5", "%", "✗", "→", "\x1b[31m", "\n", "\u202e",
)  # fmt: skip
BEYOND = ("字", "e\u0301", "\U0001f9fe", "\u3000", "\u2003")


def text(chance: random.Random, most: int, pieces: tuple[str, ...] = PIECES) -> str:
    return "".join(chance.choice(pieces) + chance.choice((" ", "  ", "")) for _ in range(chance.randint(1, most)))


def write(chance: random.Random, page: BarePage | terminal._Page, pieces: tuple[str, ...] = PIECES) -> bytes:
    """A page of a few shapes, the same for the same chance."""
    for _ in range(chance.randint(1, 6)):
        shape = chance.choice(("line", "line", "entries", "entries", "entries", "heading", "verbatim", "blank", "rule"))
        if shape == "line":
            page.line(
                *(text(chance, 30, pieces) for _ in range(chance.randint(1, 3))), indent=chance.choice((0, 4, 10))
            )
        elif shape == "entries":
            names = (text(chance, 1), text(chance, 3), Whole(text(chance, 2)), ("✗", "bold red"))
            rows = [(chance.choice(names), [text(chance, 40, pieces)]) for _ in range(chance.randint(1, 4))]
            page.entries(rows, chance.choice((0, 2, 6)), chance.choice((1, 2)), chance.random() < 0.3)
        elif shape in ("heading", "verbatim"):
            said = text(chance, 4, pieces)
            page.heading(said) if shape == "heading" else page.verbatim(said, 4)
        else:
            getattr(page, shape)()
    return page.encoded()


@pytest.mark.parametrize("width", [40, 57, 100, 200])
def test_a_bare_page_is_that_of_rich(width: int) -> None:
    same = 0
    for seed in range(60):
        try:
            bare = write(random.Random(seed), BarePage(width))
        except Beyond:
            continue
        assert bare == write(random.Random(seed), terminal._Page(width, False)), seed
        same += 1
    assert same > 20


def test_signs_of_another_width_are_left_to_rich() -> None:
    for sign in BEYOND:
        with pytest.raises(Beyond):
            BarePage(100).line(f"a {sign}")


def test_a_bare_page_holds_only_signs_of_one_cell() -> None:
    narrow = re.compile(f"[{NARROW}]")
    assert [hex(code) for code in range(0x110000) if narrow.match(chr(code)) and cell_len(chr(code)) != 1] == []


# --- classes ----------------------------------------------------------------------------------------------------------


@frozen
class Ours:
    """One class."""

    first: int
    second: str = "b"
    unseen: str = field(default="", compare=False)
    quiet: int = field(default=0, repr=False)
    made: list[int] = field(default_factory=list, compare=False)


@frozen
class More(Ours):
    """One above it."""

    third: str = "c"


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    """The same."""

    first: int
    second: str = "b"
    unseen: str = dataclasses.field(default="", compare=False)
    quiet: int = dataclasses.field(default=0, repr=False)
    made: list[int] = dataclasses.field(default_factory=list, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class TheirMore(Theirs):
    """The same above it."""

    third: str = "c"


@pytest.mark.parametrize(("ours", "theirs"), [(Ours, Theirs), (More, TheirMore)])
def test_a_frozen_class_is_a_frozen_dataclass(ours: Any, theirs: Any) -> None:
    for arguments in ((1,), (1, "x"), (1, "x", "u", 3, [4])):
        one, other = ours(*arguments), theirs(*arguments)
        name = theirs.__qualname__
        assert repr(one) == repr(other).replace(name, ours.__qualname__)
        assert dataclasses.asdict(one) == dataclasses.asdict(other)
        assert dataclasses.astuple(dataclasses.replace(one, second="z")) == dataclasses.astuple(
            dataclasses.replace(other, second="z")
        )
        assert [item.name for item in dataclasses.fields(one)] == [item.name for item in dataclasses.fields(other)]
        assert ours.__match_args__ == theirs.__match_args__
        assert copy.deepcopy(one) == one == pickle.loads(pickle.dumps(one))
        assert not hasattr(one, "__dict__")
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.first = 2
        with pytest.raises(dataclasses.FrozenInstanceError):
            del one.first
    assert ours(1, unseen="x") == ours(1) != ours(2)
    assert hash(ours(1, unseen="x")) == hash(ours(1))
    assert ours(1).made is not ours(1).made
    with pytest.raises(TypeError):
        ours()
    with pytest.raises(TypeError):
        ours(1, unknown=2)


def test_classes_of_equal_fields_are_not_equal() -> None:
    column: tree.Expr = tree.Column("money", "a", "b")
    assert column != tree.StateOf("money", "a", "b")
    assert tree.Literal("money", 1, "one") == tree.Literal("money", 1)
    here = Place("dossier.yaml", 1, 1)
    assert Finding("R", "dossier", Outcome.CONFORME, "m", locations=(here,)).locations == (here,)
    assert dataclasses.is_dataclass(DatedValue)


# --- processes --------------------------------------------------------------------------------------------------------

HEAVY = ("_duckdb", "duckdb", "sqlglot", "jsonschema", "pandas", "pyarrow", "lxml", "jinja2", "rich", "pikepdf")
ONE = """
import sys
from checker import cli
code = cli.run(["check", "rules/dinsic-calvados-2018/reference"])
print(code, *sorted(set(sys.argv[1:]) & set(sys.modules)), file=sys.stderr)
"""


def test_a_dossier_alone_waits_for_no_large_library() -> None:
    """Once its pack is compiled, one manifest is judged and told with this interpreter and PyYAML."""
    command = [sys.executable, "-c", ONE, *HEAVY]
    told = [subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True) for _ in range(2)]
    assert told[1].stderr.split() == ["1"]
    assert told[0].stdout == told[1].stdout != ""


LAST = """
import atexit, sys
from checker import __main__, cli
def run(argv):
    atexit.register(print, "at exit")
    sys.stdout.write("x" * 200_000 + "\\n")
    sys.stderr.write("said\\n")
    return 2
cli.run = run
sys.exit(__main__.main())
"""


def test_nothing_is_lost_at_the_end() -> None:
    """What was written goes out, what was to be done at the end is, and the code is that of the command."""
    done = subprocess.run([sys.executable, "-c", LAST], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "x" * 200_000 + "\nat exit\n"
    assert done.stderr == "said\n"
    assert done.returncode == 2


FULL = """
import sys
from checker import __main__, cli
cli.run = lambda argv: sys.stdout.write("x") and 0
sys.exit(__main__.main())
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_no_success() -> None:
    """What could not be written out never ends in 0."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-c", FULL]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode != 0
