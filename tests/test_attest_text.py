"""New attestations in the text of dossier.yaml, whatever its shape: every other byte stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.base import yamlfile
from checker.proposals.insert import Refused, inserted

ITEM = {"regle": "R", "constat": "conforme", "motif": 'a: "b" # c'}
LINE = '{regle: R, constat: conforme, motif: "a: \\"b\\" # c"}'
SCALARS = st.sampled_from(["x", '"a: # b"', "'it''s'", "null", "~", "", "2019-05-02", "1.10", "[a, {b: c}]", "é😀"])
COMMENTS = st.sampled_from(["", "  # fin", " # attestations: [", "   "])
TAILS = st.sampled_from(["", "\n", "\n\n# fin", "\n...\n", "\n# fin\n\n"])
BLOCK = ["|\n{i}  un\n{i}  # deux", ">-\n{i}  un\n\n{i}  deux", "\n{i}  un\n{i}  deux", '"un\n{i}  deux"']


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A manifest of some shape, with or without the list, in some place of it."""
    margin = draw(st.sampled_from(["", "", "  "]))
    inner = margin + draw(st.sampled_from(["", "  ", "    "]))

    def entry(name: str, depth: str) -> str:
        value = draw(SCALARS | st.sampled_from(BLOCK).map(lambda text: text.format(i=depth)))
        comment = "" if value.startswith(("|", ">")) else draw(COMMENTS)
        return f"{depth}{name}: {value}{comment}"

    def items() -> str:
        shape = draw(st.sampled_from(["flow", "block", "flow_lines", "null", "empty", "dash"]))
        comment = draw(COMMENTS)
        if shape in ("null", "empty"):
            value = (
                draw(st.sampled_from(["", "null", "~"])) if shape == "null" else draw(st.sampled_from(["[]", "[ ]"]))
            )
            return f"{margin}attestations: {value}{comment}"
        count = draw(st.integers(1, 3))
        flow = [f"{{a: {draw(st.sampled_from(['x', chr(34) + '] # }' + chr(34), '']))}}}" for _ in range(count)]
        if shape == "flow":
            return f"{margin}attestations: [{', '.join(flow)}{draw(st.sampled_from(['', ',', ' ']))}]{comment}"
        if shape == "flow_lines":
            end = draw(st.sampled_from(["", ","]))
            listed = f",{comment}\n{inner}  ".join(flow)
            return f"{margin}attestations: [\n{inner}  {listed}{end}{comment}\n{inner} ]"
        gap = draw(st.sampled_from([" ", "   "]))
        if shape == "dash":
            return f"{margin}attestations:{comment}\n" + "\n".join(f"{inner}-{gap}{each}{comment}" for each in flow)
        lines = [f"{inner}-{gap}{entry('a', '')}" if not at else entry("b", f"{inner} {gap}") for at in range(2)]
        return f"{margin}attestations:{comment}\n" + "\n".join(line for line in lines)

    parts = [entry(f"k{at}", margin) for at in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), items())
    text = draw(st.sampled_from(["", "# tête\n", "---\n"])) + "\n".join(parts) + draw(TAILS)
    return draw(st.sampled_from(["", "\ufeff"])) + text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@given(documents(), st.integers(1, 2))
def test_every_other_byte_stays(text: str, count: int) -> None:
    bare = text.removeprefix("\ufeff")
    try:
        before = yamlfile.to_data(yamlfile.compose(bare, "x"))
    except yamlfile.YamlError:
        return
    try:
        new = inserted(text, "attestations", [ITEM] * count, [LINE] * count)
    except Refused:  # a text of several lines that ends the file without a line end: one more would be its own
        assert not text.endswith("\n")
        assert yamlfile.to_data(yamlfile.compose(bare + "\n", "x")) != before
        return
    after = yamlfile.to_data(yamlfile.compose(new.removeprefix("\ufeff"), "x"))
    assert after.pop("attestations") == [*(before.pop("attestations", None) or []), *[ITEM] * count]
    assert after == before
    assert new.startswith("\ufeff") == text.startswith("\ufeff")
    assert "\r\n" not in text or not re.search(r"(?<!\r)\n", new)
    rest = iter(
        new.removeprefix("\ufeff").splitlines()
    )  # lines that hold nothing of the list stay as they are, in order
    assert all(line in rest for line in bare.splitlines() if not re.match(r" *(attestations:|\{a:)", line))
    signs = iter(new)  # and nothing leaves but a null or an empty list
    assert all(sign in signs for sign in re.sub(r"(attestations:) *(null|~|\[ ?\])", r"\1", text))


FLOWS = ["{a: 1}", "{a: 1,}", "{a: 1, attestations: }", "{attestations: null, a: 1}", "{a: 1, attestations: [{b: c}]}"]


@pytest.mark.parametrize("text", [*FLOWS, *(f"---\n{text}  # x\n" for text in FLOWS), "{a: [\n1\n]\n}", "a: 1\rb: 2\r"])
def test_other_shapes(text: str) -> None:
    before = yamlfile.to_data(yamlfile.compose(text, "x")).get("attestations")
    found = yamlfile.to_data(yamlfile.compose(inserted(text, "attestations", [ITEM], [LINE]), "x"))
    assert found["attestations"] == [*(before or []), ITEM]


@pytest.mark.parametrize(
    "text", ["attestations: {}", "attestations: 'x'", "attestations: |\n  x", "- a", "attestations: 1"]
)
def test_what_is_no_list_is_not_touched(text: str) -> None:
    with pytest.raises(Refused):
        inserted(text, "attestations", [ITEM], [LINE])
