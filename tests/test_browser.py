"""The pages in a browser: nothing that axe-core refuses, nothing wider than a telephone, nothing lost on paper."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import html

from checker import reports

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
WAIVED = """derogations:
  - {regle: A5-C-CF, dossier: "CALV-2019-02-FAUTIF", motif: "Réorganisation", du: 2019-01-01, au: 2019-12-31,
     demandee_par: "Service des finances", accordee_par: "Payeur"}
"""
# name -> the command that writes it, once the reports of MADE are there
PAGES: dict[str, tuple[str, ...]] = {
    "conforme": ("check", "conforme", "--format", "html"),
    "fautif": ("check", "fautif", "--format", "html"),
    "deroge": ("check", "deroge", "--format", "html"),
    "lot": ("check", "lot", "--settings", "conforme/quitus.yaml", "--format", "html"),
    "english": ("check", "fautif", "--format", "html", "--lang", "en"),
    "diff": ("diff", "conforme.json", "deroge.json", "--format", "html"),
    "convention": ("check", "fautif", "--format", "convention"),
}
PRINTED = ("conforme", "fautif", "deroge", "lot")

needs_a_browser = pytest.mark.skipif(
    CHROMIUM is None or importlib.util.find_spec("playwright") is None,
    reason="no Chromium, or no playwright: the pages are not looked at in a browser (apt-get install chromium)",
)
pytestmark = [needs_a_browser, pytest.mark.slow]
if "convention" not in reports.formats():
    del PAGES["convention"]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """The dossiers: both fixtures, one with a waiver, a batch of three of which one cannot be read."""
    folder = tmp_path_factory.mktemp("pages")
    for name, source in (("conforme", "conforme"), ("fautif", "fautif"), ("deroge", "fautif")):
        shutil.copytree(root / "fixtures" / source, folder / name)
    settings = folder / "deroge" / "quitus.yaml"
    settings.write_text(settings.read_text("utf-8").replace("derogations:\n", WAIVED), encoding="utf-8")
    for at, source in enumerate(("conforme", "fautif", "conforme")):
        manifest = shutil.copytree(root / "fixtures" / source, folder / "lot" / str(at)) / "dossier.yaml"
        manifest.with_name("quitus.yaml").unlink()
        manifest.write_text(
            re.sub('reference: ".*"', f'reference: "LOT-{at}"', manifest.read_text("utf-8")), encoding="utf-8"
        )
    (folder / "lot" / "2" / "dossier.yaml").write_text("convention: [", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def written(work: Path) -> Callable[[str], Path]:
    """The page of that name, written by the command."""

    def run(*words: str) -> None:
        done = subprocess.run([sys.executable, "-m", "checker", *words], cwd=work, capture_output=True, check=False)
        assert done.returncode in (0, 1), done.stderr.decode()

    def write(name: str) -> Path:
        path = work / f"{name}.html"
        if not path.exists():
            for side in ("conforme", "deroge") if name == "diff" else ():
                run("check", side, "--format", "json", "--output", f"{side}.json")
            run(*PAGES[name], "--output", path.name)
        return path

    return write


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, as its package bundles it."""
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("no axe-core: the accessibility of the pages is not checked (pip install axe-playwright-python)")
    return (Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def opened(browser: Browser, path: Path, width: int = 1280, scheme: Any = "light", **options: Any) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
    page.goto(path.as_uri())
    return page


def unfold(page: Page) -> None:
    page.evaluate("() => document.querySelectorAll('details').forEach((item) => { item.open = true; })")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", PAGES)
def test_no_violation_and_no_wider_than_the_screen(
    name: str, width: int, scheme: str, browser: Browser, written: Callable[[str], Path], axe: str
) -> None:
    page = opened(browser, written(name), width, scheme)
    unfold(page)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    told = [(item["id"], [node["html"][:200] for node in item["nodes"][:3]]) for item in found["violations"]]
    assert not told, f"axe-core {found['testEngine']['version']}"
    page.close()


def bare(text: str) -> str:
    """A text without blanks, nor the dashes where a line may end."""
    return re.sub("[-\\s\u0002\u00ad\ufffe]", "", text)


@pytest.mark.parametrize("name", PRINTED)
def test_paper_holds_every_rule_and_every_sentence(
    name: str, browser: Browser, written: Callable[[str], Path], work: Path
) -> None:
    import pypdfium2

    page = opened(browser, written(name))
    paper = pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))
    page.close()
    text = bare("".join(leaf.get_textpage().get_text_range() for leaf in paper))
    print(f"{name}: {len(paper)} pages")
    tree = html.document_fromstring(written(name).read_text(encoding="utf-8"))
    for rule in tree.xpath("//*[@data-rule]/@data-rule"):
        assert bare(rule) in text
    for place in tree.xpath("//article//h4|//p[@class='message']|//p[@class='line']|//li/p/strong|//summary|//dd|//q"):
        assert bare(place.text_content()) in text


def test_the_index_filters_and_says_how_many(browser: Browser, written: Callable[[str], Path]) -> None:
    page = opened(browser, written("lot"))
    shown = (
        "() => [...document.querySelectorAll('table.summary tbody tr')].filter((row) => row.checkVisibility()).length"
    )
    assert page.evaluate(shown) == 3
    page.get_by_role("searchbox").fill("a5-1-paie")
    assert (page.evaluate(shown), page.get_by_role("status").inner_text()) == (1, "1 sur 3")
    assert page.locator("section.dossier:visible").count() == 1
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox").select_option("indetermine")
    assert page.evaluate(shown) == page.locator("table.summary .mark.indetermine").count() == 1
    page.close()


def test_the_index_is_whole_without_script(browser: Browser, written: Callable[[str], Path]) -> None:
    page = opened(browser, written("lot"), java_script_enabled=False)
    assert page.locator("table.summary tbody tr:visible").count() == 3
    assert page.locator("#filter:visible").count() == 0
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_asked_of_the_network_and_nothing_is_refused(
    name: str, browser: Browser, written: Callable[[str], Path]
) -> None:
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(written(name).as_uri())
    assert json.dumps(asked) == json.dumps([written(name).as_uri()])
    assert not said
    page.close()
