"""`--lang`: each word of the program in both languages, each used, and an English report that says none in French."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest
from test_redact import shown

from checker import pipeline, reports
from checker.base import words as room
from checker.base.words import slots, words
from checker.model import Verdicts

ROOT = Path(__file__).resolve().parent.parent
FR, EN = words("fr"), words("en")
LONG = 12  # letters: a shorter word may be one of the pack, or the same in both languages
DATA = ("csv", "parquet")  # their codes are those of the JSON report, in any language


def test_both_languages_say_the_same_with_the_same_slots() -> None:
    assert list(FR) == list(EN)
    assert {key: sorted(set(slots(FR[key]))) for key in FR} == {key: sorted(set(slots(EN[key]))) for key in EN}
    assert {key: FR[key].count("|") for key in FR} == {key: EN[key].count("|") for key in EN}


def test_every_word_is_used() -> None:
    """A key is written whole, or its section and the start of its last part are (`f"outcome.{word}"`)."""
    files = [*(ROOT / "checker").rglob("*.py"), *(ROOT / "checker").rglob("*.html"), *(ROOT / "checker").rglob("*.typ")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    built = set(re.findall(r"[\"'(]([a-z_]+\.[a-z_]*)(?:\{|[\"'] ~)", source))
    built |= {f"{section}." for section in re.findall(r"prefix=[\"']([a-z_]+)[\"']", source)}
    unused = [key for key in FR if not any(f"{mark}{key}{end}" in source for mark in "\"'" for end in "\"'")]
    unused = [key for key in unused if not any(key.startswith(start) for start in built)]
    last = {key: re.escape(key.rpartition(".")[2]) for key in unused}  # in a template of typst: `w.not_held`
    assert [key for key in unused if not re.search(rf"[\"']{last[key]}[\"']|\bw\.{last[key]}\b", source)] == []


@pytest.fixture(scope="module", params=["conforme", "fautif"])
def run(request: pytest.FixtureRequest) -> Verdicts:
    """A fixture checked in English."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        folder = ROOT / "fixtures" / request.param
        return pipeline.check(pipeline.Options(paths=(folder,), drawn=True, lang="en"))


def french() -> list[str]:
    """The long words, slots apart, that only French has: the rules, the kinds and English do not hold them."""
    held = [
        *(ROOT / "rules").rglob("*.yaml"),
        *(ROOT / "checker/plans/kinds").glob("*.py"),
    ]  # as their author wrote them
    rules = flat("\n".join(path.read_text(encoding="utf-8") for path in held))
    kept = " ".join(EN.values())
    own = {flat(part).strip() for key in FR if FR[key] != EN[key] for part in re.split(r"\||\{\w+\}", FR[key])}
    return sorted(part for part in own if sum(map(str.isalpha, part)) > LONG and part not in rules and part not in kept)


@pytest.mark.parametrize("name", [name for name in reports.formats() if name not in DATA])
def test_an_english_report_says_no_french_word(name: str, run: Verdicts) -> None:
    text = flat(shown(name, reports.render(run, name, lang="en")))
    assert [part for part in french() if part in text] == []


def test_a_french_report_says_them(run: Verdicts) -> None:
    """What the test above looks for is there to be found."""
    text = flat(reports.render(run, "html", lang="fr").decode())
    assert len([part for part in french() if part in text]) > 10


def flat(text: str) -> str:
    """The text on one line, so that no line end hides a sentence."""
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    ("said", "french", "english"),
    [
        (lambda table: room.money(Decimal("200000"), table), "200\u202f000,00\u00a0€", "€200,000.00"),
        (lambda table: room.money(Decimal("-1.005"), table), "-1,005\u00a0€", "-€1.005"),
        (lambda table: room.percent(Decimal("5.50"), table), "5,5\u00a0%", "5.5%"),
        (lambda table: room.number(1234567, table), "1\u202f234\u202f567", "1,234,567"),
        (lambda table: room.long_date(dt.date(2018, 11, 1), table), "1er novembre 2018", "1 November 2018"),
    ],
)  # fmt: skip
def test_numbers_and_dates(said: object, french: str, english: str) -> None:
    assert callable(said)
    assert (said(FR), said(EN)) == (french, english)
