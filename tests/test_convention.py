"""The annotated convention: the signed text whole, each sentence in the state of its results; the rulebook."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import ROOT, Quitus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html
from test_html import sound
from test_reports import ASIDE, BREACH, CASES, GOLDEN, HOSTILE, OK, PACK, UNKNOWN, a_dossier, a_result, a_run, runs

from checker import reports
from checker.base.words import counted, languages, words
from checker.errors import UsageError
from checker.model import (
    Agreement,
    Amendment,
    Clause,
    DatedValue,
    Finding,
    Parameter,
    Person,
    Place,
    Remedy,
    Sentence,
    Verdicts,
    Waiver,
)
from checker.packs import agreement, load, names

OWN = "dinsic-calvados-2018"
TEXT = ROOT / "rules" / OWN / "convention.txt"
WORST = ("fails", "unknown", "unjudged", "waived", "attested", "holds", "aside")
KINDS = {"attested": "person", "undecidable": "undecidable", "no_obligation": "free"}


class Page(NamedTuple):
    tree: html.HtmlElement
    text: str
    plain: dict[str, Any]


def parsed(text: str) -> html.HtmlElement:
    return html.document_fromstring(text)


@pytest.fixture(scope="module", params=["conforme", "fautif"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A fixture through the command: the page, and what the JSON of the same run says."""
    target = tmp_path_factory.mktemp("page") / "page.html"
    command = [sys.executable, "-m", "checker", "check", f"fixtures/{request.param}", "--format", "json"]
    done = subprocess.run(
        [*command, "-f", f"convention:{target}"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    plain = json.loads(done.stdout)
    assert done.returncode == plain["exit_code"]
    text = target.read_text("utf-8")
    return Page(parsed(text), text, plain)


def sentences(tree: html.HtmlElement) -> list[html.HtmlElement]:
    return list(tree.xpath("//*[@data-sentence]"))


def state_of(result: dict[str, Any]) -> str:
    """The state that a result of the JSON report gives."""
    if result["outcome"] in ("non_conforme", "indetermine") and result["waived"]:
        return "waived"
    if result["outcome"] == "conforme" and result["attested"]:
        return "attested"
    return {"non_conforme": "fails", "indetermine": "unknown", "conforme": "holds", "sans_objet": "aside"}[
        result["outcome"]
    ]


def test_the_page_is_sound_and_says_the_decision(page: Page) -> None:
    tree = sound(page.text, "fr")
    assert tree.find("body").get("data-decision") == page.plain["decision"]
    assert page.plain["dossiers"][0]["reference"] in tree.findtext(".//header//span[@class='reference']")


def test_the_whole_text_is_there_once_and_in_order(page: Page) -> None:
    whole = " ".join(item.text_content() for item in sentences(page.tree))
    assert whole.split() == TEXT.read_text("utf-8").split()
    lines = TEXT.read_text("utf-8").splitlines()
    assert all(item.text_content() in lines[int(item.get("data-sentence")) - 1] for item in sentences(page.tree))


def test_the_headings_of_the_text_are_headings(page: Page) -> None:
    headings = [" ".join(item.text_content().split()) for item in page.tree.xpath("//h3[span[@data-sentence]]")]
    assert headings[0] == "CONVENTION DE COOPERATION ET DE PRESTATION CONTRE REMBOURSEMENT"
    assert headings[1:] == re.findall(r"^ARTICLE.*$", TEXT.read_text("utf-8"), re.MULTILINE)
    assert {item.get("href") for item in page.tree.xpath("//nav//a")} >= {
        f"#{item.getparent().get('id')}" for item in page.tree.xpath("//h3/span[@data-sentence]")
    }


def test_each_sentence_has_the_state_of_its_results(page: Page) -> None:
    results = {item["rule"]: state_of(item) for item in page.plain["dossiers"][0]["results"]}
    units = agreement(load(ROOT / "rules", OWN)).sentences
    expected = [
        min((results[rule] for rule in unit.rules), key=WORST.index) if unit.rules else KINDS[unit.kind]
        for unit in units
    ]
    assert [item.get("data-state") for item in sentences(page.tree)] == expected
    assert len(set(expected)) > 4
    legend = page.tree.xpath("//section[@class='states']//dt")
    said = words("fr")
    assert [" ".join(item.text_content().split()[1:]) for item in legend] == [
        counted(said, f"convention.count_{state}", expected.count(state))
        for state in (*WORST, "person", "undecidable", "free")
        if state in expected
    ]


def test_no_state_is_told_by_colour_alone(page: Page) -> None:
    """Beside each sentence stands the word of its state."""
    for item in sentences(page.tree):
        (line,) = item.xpath("ancestor::div[contains(@class, 'passage')]")
        (beside,) = line.xpath("div[@class='ruling']")
        assert words("fr")[f"convention.state_{item.get('data-state')}"] in beside.text_content()


def test_every_result_is_there_once_beside_what_it_quotes(page: Page) -> None:
    results = {item["rule"]: item for item in page.plain["dossiers"][0]["results"]}
    cards = page.tree.xpath("//details[@data-rule]")
    assert sorted(card.get("data-rule") for card in cards) == sorted(results)
    for card in cards:
        result = results[card.get("data-rule")]
        assert card.get("data-state") == state_of(result)
        assert card.get("id") == result["rule"]
        assert result["title"].split()[0] in card.text_content()
        lines = card.xpath("ancestor::div[contains(@class, 'passage')]/*[@data-sentence]")
        assert (result["source"] == "convention") == bool(lines)
        assert all(result["quote"] in line.text_content() or line.text_content() in result["quote"] for line in lines)
        said = " ".join(card.text_content().split())
        for finding in result["findings"]:
            assert " ".join(finding["message"].split()) in said or finding["message"] == result["title"]


def test_the_quoted_part_is_marked(page: Page) -> None:
    (limit,) = page.tree.xpath("//details[@id='A4-PLAFOND']/../../p[@data-sentence]/mark")
    assert limit.text == "une participation maximum de 200 000€"
    assert not [item for item in sentences(page.tree) if item.get("data-state") == "free" and item.xpath("mark")]


def test_coverage_is_said(page: Page) -> None:
    coverage = page.tree.findtext(".//p[@class='coverage']")
    counts = [int(number) for number in re.findall(r"\d+", coverage)]
    assert counts[0] == len(sentences(page.tree)) == sum(counts[1:])


def test_the_same_bytes_whatever_the_place(page: Page, tmp_path: Path) -> None:
    (verdict,) = page.plain["dossiers"]
    told = {**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    target = tmp_path / "again.html"
    command = [sys.executable, "-m", "checker", "check", verdict["path"], "-f", f"convention:{target}"]
    subprocess.run(command, cwd=ROOT, env=told, capture_output=True, check=False)
    assert target.read_text("utf-8") == page.text


# Hand-made: every state, several dossiers, hostile values


def units(*rows: tuple[int, str, tuple[str, ...], str]) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(line, text, rules, tuple("" for _ in rules), kind, f"Motif : {kind}." if kind else "")
        for line, text, rules, kind in rows
    )


WAIVER = Waiver("R-3", "EX-1", "Boîte remplacée", "Payeur", "Finances", None, dt.date(2019, 12, 31), Place("q.yaml"))
AGREED = Agreement(
    PACK["id"],
    PACK["title"],
    PACK["version"],
    PACK["sha256"],
    units(
        (1, "Convention d'exemple", (), "no_obligation"),
        (3, "Article 1. Objet", (), "no_obligation"),
        (4, "Un manquement et un doute.", ("R-1", "R-2"), ""),
        (5, "Un doute et une dérogation.", ("R-2", "R-3"), ""),
        (6, "- Une dérogation et une attestation.", ("R-3", "R-4"), ""),
        (7, "- Une attestation et la machine.", ("R-4", "R-5"), ""),
        (8, "La machine et ce qui ne se présente pas.", ("R-5", "R-6"), ""),
        (9, "Ce qui ne se présente pas.", ("R-6",), ""),
        (10, "Une règle sans résultat, et la machine.", ("R-5", "R-9"), ""),
        (12, "Article 2. Le reste", (), "no_obligation"),
        (13, "Rien ne le montre.", (), "undecidable"),
        (14, "Une personne en juge.", (), "attested"),
    ),
    parameters=(
        Parameter(
            "plafond",
            "money",
            False,
            "Participation maximum",
            (
                DatedValue(Decimal("1000.00"), end=dt.date(2019, 12, 31), source="article 1"),
                DatedValue(Decimal("2000.005"), dt.date(2020, 1, 1), source="avenant 1"),
            ),
        ),
        Parameter(
            "effet", "date", False, "Date d'effet", (DatedValue(None, not_before=dt.date(2018, 11, 7), blank=True),)
        ),
    ),
    persons=(Person("Amélie BRUN", "Direction", "certification", None, None, Decimal("500.00"), delegate=True),),
    amendments=(Amendment("avenant-1.pdf", None, {}, None, "Le plafond change.", (("plafond", Decimal("2000.00")),)),),
)
STATES = ["free", "free", "fails", "unknown", "waived", "attested", "holds", "aside", "unjudged", "free"]
STATES += ["undecidable", "person"]
JUDGED = (
    a_result("R-1", BREACH, Finding("R-1", "depenses:1", BREACH, "Il manque un centime.", "1.00", "1.01")),
    a_result("R-2", UNKNOWN, Finding("R-2", "dossier", UNKNOWN, "On ne sait.", missing=("titre.date",))),
    a_result("R-3", BREACH, waiver=WAIVER, remedy=Remedy("cedant", "Écrire autrement.")),
    a_result("R-4", OK, automation="humaine"),
    a_result("R-5", OK, note="Une note."),
    a_result("R-6", ASIDE),
    a_result("L-1", OK, source="loi", clause=Clause("CGCT, art. L.1", "La loi le dit.")),
)
ONE = a_run(a_dossier(*JUDGED), agreements=(AGREED,), notes=(("D1", "Le texte se contredit."),))
GREENER = tuple(a_result(result.rule, OK, source=result.source, clause=result.clause) for result in JUDGED)
LOT = a_run(
    *(a_dossier(*JUDGED if number == 7 else GREENER, reference=f"EX-{number}") for number in range(30)),
    agreements=(AGREED,),
)


def rendered(run: Verdicts, lang: str = "fr") -> str:
    return reports.render(run, "convention", lang=lang).decode()


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("run", [ONE, LOT, *CASES.values()])
def test_hand_made_pages_are_sound(run: Verdicts, lang: str) -> None:
    sound(rendered(run, lang), lang)


def test_the_worst_rule_gives_the_state() -> None:
    assert [item.get("data-state") for item in sentences(parsed(rendered(ONE)))] == STATES


def test_a_rule_without_result_is_named_and_never_green() -> None:
    (line,) = parsed(rendered(ONE)).xpath("//*[@data-sentence='10']/..")
    said = " ".join(line.text_content().split())
    assert "∅ non jugée R-9" in said
    assert said.count("∅ non jugée") == 2


def test_golden(golden: Callable[[Path, bytes], None]) -> None:
    """What a person reads, line by line."""
    body = parsed(rendered(ONE)).find("body")
    for cell in body.iter("br", "dt", "th", "td"):
        cell.tail = f" | {cell.tail or ''}"
    lines = (re.sub(r"[ \n]+", " ", line).strip() for line in body.text_content().split("\n"))
    golden(GOLDEN / "annotee.convention.txt", ("\n".join(line for line in lines if line) + "\n").encode())


def test_several_dossiers_are_counted_and_the_worst_colours() -> None:
    tree = parsed(rendered(LOT))
    held = ["holds" if state == "aside" else state for state in STATES]  # of the other dossiers
    assert [item.get("data-state") for item in sentences(tree)] == held
    (line,) = tree.xpath("//*[@data-sentence='4']/..")
    (said,) = line.xpath("div/p[@class='state']")
    assert " ".join(said.text_content().split()) == "✗ 1 non respectée ✓ 29 respectées"
    card = tree.get_element_by_id("R-1")
    assert "Il manque un centime." in card.text_content()
    assert "EX-29" not in card.text_content()  # named up to a bound, the rest counted
    rows = tree.xpath("//tr[@id]")
    assert [row.findtext("th") for row in rows] == [f"EX-{number}" for number in range(30)]
    assert {f"#{row.get('id')}" for row in rows} >= set(card.xpath(".//a/@href"))


def test_what_was_fixed_is_dated_and_sourced() -> None:
    said = " ".join(parsed(rendered(ONE)).text_content().split())
    for part in ("1 000,00 €", "au 31 décembre 2019", "2 000,005 €", "du 1er janvier 2020", "avenant 1", "en blanc",
                 "pas avant le 7 novembre 2018", "Amélie BRUN", "500,00 €", "avenant-1.pdf", "sans effet",
                 "Le texte se contredit."):  # fmt: skip
        assert part in said, part


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(run=runs(), lang=st.sampled_from(languages()))
def test_without_a_text_every_result_is_there(run: Verdicts, lang: str) -> None:
    tree = sound(rendered(run, lang), lang)
    assert tree.find("body").get("data-exit-code") == str(run.exit_code())
    expected = {(verdict.pack.get("id"), result.rule) for verdict in run.dossiers for result in verdict.results}
    assert len(tree.xpath("//details[@data-rule]")) == len(expected)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_inert(value: str) -> None:
    spot = Place(value, 1, 1, 1, value)
    waiver = Waiver(value, value, value, value, value, None, None, spot)
    finding = Finding(value, value, BREACH, value, value, value, value, (value,), (spot,), (value,))
    known: dict[str, Any] = {"title": value, "clause": Clause(value, value), "note": value}
    results = (
        a_result(value, BREACH, finding, remedy=Remedy(value, value), **known),
        a_result("S", BREACH, finding, waiver=waiver, **known, source="loi"),
    )
    agreed = Agreement(
        value, value, value, value,
        (Sentence(1, value, (value,), (value[:9],), "", ""), Sentence(2, value, (), (), "undecidable", value)),
        (Parameter(value, "text", False, value, (DatedValue(value, source=value, written=value),)),),
        (Person(value, value, value, None, None, None, delegate=True, quality=value, source=value),),
        (Amendment(value, None, {}, None, value, ((value, (value,)),), value),),
    )  # fmt: skip
    pack = {"id": value, "title": value, "version": value, "sha256": value}
    dossier = a_dossier(*results, reference=value, path=value, pack=pack)
    for dossiers in ((dossier,), (dossier, dossier)):
        run = a_run(*dossiers, agreements=(agreed,), notes=((value, value),), unused=(value,), findings=(finding,))
        tree = sound(rendered(run), "fr")
        assert len(sentences(tree)) == 2


# The rulebook


def test_the_rulebook_has_every_rule_of_every_pack(quitus: Quitus, tmp_path: Path) -> None:
    target = tmp_path / "recueil.html"
    done = quitus("explain", "--all", "--format", "html", "--output", target)
    assert done.returncode == 0, done.stderr
    tree = sound(target.read_text("utf-8"), "fr")
    rules = {rule.id: rule for name in names(ROOT / "rules") for rule in load(ROOT / "rules", name).rules}
    cards = tree.xpath("//details[@data-rule]")
    assert sorted(card.get("data-rule") for card in cards) == sorted(rules)
    for card in cards:
        said = " ".join(card.text_content().split())
        rule = rules[card.get("data-rule")]
        kept = (f"severity.{rule.severity}", f"stage.{rule.stage}", f"convention.by_{rule.automation}")
        parts = [rule.title, rule.remedy.text if rule.remedy else "", *(words("fr")[key] for key in kept)]
        parts.append(counted(words("fr"), "convention.examples", len(rule.examples)))
        assert all(" ".join(part.split()) in said for part in parts)
        assert card.get("data-state") is None
    assert " ".join(item.text_content() for item in sentences(tree)).split() == TEXT.read_text("utf-8").split()
    assert {item.get("data-state") for item in sentences(tree)} == {"ruled", "undecidable", "free"}
    assert quitus("explain", "--all", "--format", "html").stdout == target.read_text("utf-8")


def test_two_conventions_stand_in_one_rulebook(quitus: Quitus, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copytree(ROOT / "tests/extend/partenariat", tmp_path / "rules/partenariat")
    done = quitus("explain", "--all", "--format", "html", "--rules", tmp_path / "rules")
    tree = sound(done.stdout, "fr")
    own = {rule.id for rule in load(tmp_path / "rules", "partenariat").rules}
    (chapter,) = tree.xpath("//section[@class='chapter'][.//code='partenariat-2024']")
    assert {card.get("data-rule") for card in chapter.xpath(".//details[@data-rule]")} == own
    again = quitus("explain", "--all", "--output", tmp_path / "rules/partenariat/pack.yaml", tmp_path / "rules")
    assert again.returncode == 64


def test_all_the_rules_in_text(quitus: Quitus) -> None:
    done = quitus("explain", "--all")
    heads = {line.split(" : ")[0] for line in done.stdout.splitlines() if re.match(r"[A-Z0-9-]+ : ", line)}
    assert {rule.id for rule in load(ROOT / "rules", OWN).rules} <= heads


@pytest.mark.parametrize(
    ("asked", "said"),
    [(["--all", "A4-PLAFOND"], "--all"), (["--format", "html"], "--all"), (["--all", "--dossier", "x"], "--dossier")],
)
def test_explain_refuses_what_does_not_go_together(asked: list[str], said: str) -> None:
    import argparse

    from checker.commands import explain

    parser = argparse.ArgumentParser()
    explain.arguments(parser)
    with pytest.raises(UsageError, match=said):
        explain.run(parser.parse_args(asked))
