"""The reader of plain manifests says what libyaml says, to the column, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import dossiers as generated
from checker.base import plainyaml, yamlfile
from checker.base.yamlfile import Node

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for name in ("rules", "fixtures", "tests") for path in (ROOT / name).rglob("*.yaml"))
TEXTS = [
    "a: 1\nb:\n  c: d\n  e:\n  - f\n  - g: h\n    i: j\nk: {l: m, n: [o, \"p\", 'q']}\n",
    'a:\n- b\n-  c: d\n   e: f\n-   "g": []\nh: "i: j" # k\nl:\nm: ~\n',
    'x: [ {a: b}, c d ]\ny: 12:30\nz: http://a/b#c\n"1": {}\n\n# fin\n',
    (ROOT / "rules" / "dinsic-calvados-2018" / "reference" / "dossier.yaml").read_text(encoding="utf-8"),
]
BITS = (
    " |  |\n|- |-|: |:|#| #|{|}|[|]|,|\"|'|a|b: |\n  |\n- |\n    |~|null|>|&a |*a|!|?|%|---|...|\\|1|\u00e9|a: |\t"
    "|<<: |`|@|.|(|/|$|+|-1|=|{a: 1}|[x, y]|\u00a0|\u2028|\x85|\r|\ufeff"
).split("|")


def plain(node: Node) -> object:
    """A tree as data, places and all."""
    data = node.data
    if isinstance(data, dict):
        data = [(key, plain(child)) for key, child in data.items()]
    elif isinstance(data, list):
        data = [plain(child) for child in data]
    return type(node.data).__name__, data, node.line, node.column, bool(node.plain)


def agree(text: str) -> bool:
    """Whether it was read; then libyaml reads the same."""
    found = plainyaml.read(text)
    if found is not None:
        assert plain(found) == plain(yamlfile.compose(text, "x"))
    return found is not None


def test_files_of_the_repository() -> None:
    read = [path for path in FILES if agree(path.read_text(encoding="utf-8-sig"))]
    assert len(read) > len(FILES) // 3


@pytest.mark.parametrize("text", TEXTS)
def test_plain_texts_are_read(text: str) -> None:
    assert agree(text)
    assert agree(text)  # of lines that are known


def test_generated_manifests_are_read(tmp_path: Path) -> None:
    generated.write(tmp_path, 3)
    assert all(agree(path.read_text(encoding="utf-8")) for path in tmp_path.rglob("dossier.yaml"))


OTHER = [
    "", "\n", "# rien", "a", "- a", "a: 1\na: 2", "{a: 1, a: 2}", "a: b: c", "a: b\n  c", "a: b\n  - c", "a: |\n  b",
    "a: [1,\n  2]", "a: &b c", "a: *b", "a: !!str b", "<<: {a: b}", "a: {b: c, }", "a: {b: , c: d}", "a: {b}", "a:b",
    "a: \"b\\n\"", "a: 'b''c'", "a: \"b", "a: [b", "a: b\n c: d", "a:\n    b: c\n  d: e", "---\na: b", "a: b\n...",
    "a: b\r\nc: d", "a:\tb", "a: \u2028b", "a: b\x85c: d", "? a\n: b", "- - a", "a:\n  -\n  - b", "a: %b", "a: @b",
]  # fmt: skip


@pytest.mark.parametrize("text", OTHER)
def test_what_is_not_surely_plain_is_left_to_libyaml(text: str) -> None:
    assert plainyaml.read(text) is None


@given(st.data())
def test_any_change_is_read_alike_or_left(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS[:3]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        bit = data.draw(st.sampled_from(BITS))
        cut = data.draw(st.sampled_from([0, 0, 0, 1, 3]))
        text = text[:at] + bit + text[at + cut :]
    agree(text)
