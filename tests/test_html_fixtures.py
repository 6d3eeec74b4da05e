"""The text of the page of real dossiers, as the command writes it: what a reader finds there, in its order."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Quitus
from lxml import html
from test_html import sound

from checker import __version__

BLOCKS = "h1 h2 h3 h4 p li dt dd th td pre blockquote summary title desc".split()
WAIVED = """derogations:
  - {regle: A5-C-CF, dossier: "CALV-2019-02-FAUTIF", motif: "Réorganisation", du: 2019-01-01, au: 2019-12-31,
     demandee_par: "Service des finances", accordee_par: "Payeur"}
"""
# name -> the fixture, what is replaced in its settings, the exit code
CASES = {
    "conforme": ("conforme", {}, 0),
    "fautif": ("fautif", {}, 1),
    "indetermine": ("conforme", {'premier_etat_liquidatif: "EL-2019-01"': "premier_etat_liquidatif: null"}, 2),
    "deroge": ("fautif", {"derogations:\n": WAIVED}, 1),
}


def own(block: html.HtmlElement) -> str:
    """What a block says itself, in order."""
    parts = [block.text or ""]
    for child in block:
        parts += ["" if child.tag in BLOCKS else own(child), child.tail or ""]
    return "".join(parts)


def text(tree: html.HtmlElement) -> str:
    """One line a block of what is not folded; digests and the version of the program left out."""
    lines = []
    for block in tree.iter(*BLOCKS):
        folded = block.tag != "summary" and next(block.iterancestors("details", "summary"), None) is not None
        line = re.sub(r"[ \n]+", " ", own(block)).strip()
        if line and (not folded or block.getparent().tag == "summary"):
            lines.append(
                f"{block.tag}: {re.sub('[0-9a-f]{64}(?![0-9a-f])', '<sha256>', line).replace(__version__, '<version>')}"
            )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", CASES)
def test_the_page_of_a_dossier(
    case: str, quitus: Quitus, root: Path, tmp_path: Path, golden: Callable[[Path, bytes], None]
) -> None:
    source, changes, code = CASES[case]
    shutil.copytree(root / "fixtures" / source, tmp_path / source)
    settings = tmp_path / source / "quitus.yaml"
    written = settings.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in written
        written = written.replace(old, new)
    settings.write_text(written, encoding="utf-8")
    done = quitus("check", source, "--format", "html", "--output", "page.html", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    tree = sound((tmp_path / "page.html").read_text(encoding="utf-8"), "fr")
    golden(Path(__file__).parent / "golden" / "pages" / f"{case}.txt", text(tree).encode())
