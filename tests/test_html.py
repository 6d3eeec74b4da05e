"""The HTML report: one inert page that says what the JSON says, and that stands alone."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import re
from collections import Counter
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html
from test_reports import (
    BREACH,
    CASES,
    CEILING,
    EFFECT,
    GOLDEN,
    GREEN,
    HOSTILE,
    LATE,
    UNKNOWN,
    WAIVED,
    a_dossier,
    a_result,
    a_run,
    runs,
)

from checker import reports
from checker.base import french
from checker.base.words import counted, languages, words
from checker.model import Clause, Finding, Outcome, Place, Remedy, Verdicts, Waiver
from checker.reports.formats import html as plug

BATCH = a_run(
    a_dossier(*GREEN, reference="EX-1", path="depot/EX-1"),
    a_dossier(*GREEN, CEILING, WAIVED, reference="EX-2", path="depot/EX-2"),
    a_dossier(*GREEN, EFFECT, LATE, reference="EX-3", path="depot/EX-3"),
)
PAGES = {**CASES, "lot": BATCH}
VOID = {"meta", "br", "input"}


def page(run: Verdicts, lang: str = "fr") -> html.HtmlElement:
    return html.document_fromstring(reports.render(run, "html", lang=lang).decode())


@pytest.mark.parametrize("case", PAGES)
def test_golden(case: str) -> None:
    path = GOLDEN / f"{case}.html"
    found = re.sub(rb"(?s)<style>.*?</style>", b"<style>report.css</style>", reports.render(PAGES[case], "html"))
    if os.environ.get("QUITUS_UPDATE_GOLDEN"):
        path.write_bytes(found)
    assert found.decode() == path.read_text(encoding="utf-8")


def sound(text: str, lang: str) -> html.HtmlElement:
    """The page, once it is well-formed, alone, its only script allowed, its headings in order, its anchors there."""
    assert balanced(text)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text)
    tree = html.document_fromstring(text)
    assert tree.get("lang") == lang
    script = "".join(tree.xpath("//script/text()"))
    assert len(tree.xpath("//script")) == bool(script)
    allowed = re.findall("script-src '([^']*)'", tree.xpath("string(//meta[@http-equiv]/@content)"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert allowed == ([f"sha256-{digest}"] if script else [])
    assert not tree.xpath("//link|//img|//iframe|//object|//embed|//form|//base|//@style|//@src|//@srcset")
    assert not [name for name in tree.xpath("//@*") if name.attrname.startswith("on")]
    ids = tree.xpath("//@id")
    assert len(set(ids)) == len(ids)
    assert all(target[:1] == "#" and target[1:] in ids for target in tree.xpath("//@href"))
    style = tree.xpath("string(//style)")
    assert "url(" not in style
    assert "@import" not in style
    levels = [int(heading.tag[1]) for heading in tree.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(following <= level + 1 for level, following in pairwise(levels))
    assert all(heading.text_content().strip() for heading in tree.iter("h1", "h2"))
    assert len(tree.xpath("//main")) == 1
    return tree


def balanced(text: str) -> bool:
    """Every tag is closed by its own, in order: what a tolerant parser would mend in silence."""
    waiting: list[str] = []
    for close, name in re.findall(r"<(/?)([a-z][a-z0-9]*)[^<>]*>", text):
        if close and (not waiting or waiting.pop() != name):
            return False
        if not close and name not in VOID:
            waiting.append(name)
    return not waiting


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(run=runs(), lang=st.sampled_from(languages()))
def test_the_page_says_what_the_json_says(run: Verdicts, lang: str) -> None:
    text = reports.render(run, "html", lang=lang)
    assert text == reports.render(run, "html", lang=lang)
    tree = sound(text.decode(), lang)
    plain = json.loads(reports.render(run, "json", lang=lang))
    (body,) = tree.xpath("//body")
    assert body.get("data-decision") == plain["decision"]
    assert body.get("data-exit-code") == str(plain["exit_code"])
    sections = tree.xpath("//section[@data-decision]")
    for section, dossier in zip(sections, plain["dossiers"], strict=True):
        assert section.get("data-decision") == dossier["decision"]
        assert words(lang)[f"decision.{dossier['decision']}"].lower() in section.findtext(".//h2/span").lower() or (
            words(lang)[f"decision.{dossier['decision']}"].lower() in section.find(".//h2").text_content().lower()
        )
        shown = [(item.get("data-rule"), item.get("data-outcome")) for item in section.xpath(".//*[@data-outcome]")]
        assert sorted(shown) == sorted((result["rule"], result["outcome"]) for result in dossier["results"])
    said = re.sub(r"\s+", " ", tree.text_content())
    for word, count in Counter(result["outcome"] for d in plain["dossiers"] for result in d["results"]).items():
        assert re.sub(r"\s+", " ", counted(words(lang), f"count.{word}", count)) in said


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_inert(value: str) -> None:
    spot = Place(value, 1, 1, 1, value)
    waiver = Waiver(value, value, value, value, value, None, None, spot)
    finding = Finding("R", value, BREACH, value, value, value, value, (value,), (spot,), (value,), ((value, value),))
    known = {"title": value, "clause": Clause(value, value), "note": value}
    found = a_result("R", BREACH, finding, remedy=Remedy(value, value), **known)
    waived = a_result("S", BREACH, finding, waiver=waiver, **known)
    dossier = a_dossier(
        found, waived, a_result("T", **known), reference=value, path=value, upcoming=((value, value),), paste=(value,)
    )
    settled = {"path": value, "sha256": "ef" * 32}
    run = a_run(dossier, dossier, findings=(finding,), unused=(value,), notes=((value, value),), settings=settled)
    text = reports.render(run, "html").decode()
    sound(text, "fr")
    assert "n" * 2_000 not in re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL)  # a line to paste is whole


@pytest.mark.parametrize("case", PAGES)
@pytest.mark.parametrize("lang", languages())
def test_the_page_is_sound(case: str, lang: str) -> None:
    sound(reports.render(PAGES[case], "html", lang=lang).decode(), lang)


def understood(text: str) -> str:
    """As people write it."""
    if re.fullmatch(r"\d+\.\d\d", text):
        return french.number(Decimal(text), 2)
    return french.day(dt.date.fromisoformat(text)) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text


def test_a_clause_shows_its_evidence() -> None:
    tree = page(CASES["non_conforme"])
    (ceiling,) = tree.xpath("//article[@data-rule='A4-PLAFOND']")
    said = ceiling.text_content().replace("\u00a0", " ")
    result = next(result for result in CASES["non_conforme"].dossiers[0].results if result.rule == "A4-PLAFOND")
    (finding,) = result.findings
    shown = (
        result.clause.quote,
        finding.observed,
        finding.expected,
        *(text for pair in finding.trace for text in pair),
    )
    assert all(understood(part).replace("\u00a0", " ") in said for part in shown if part)
    reasons = tree.xpath("//ul[@class='reasons']//a/@href")
    assert f"#{ceiling.get('id')}" in reasons
    assert ceiling.getprevious().tag == "h3"


def test_who_must_do_what() -> None:
    (todo,) = page(CASES["non_conforme"]).xpath("//section[@class='todo']")
    assert [heading.text_content().split()[0] for heading in todo.findall("h4")] == ["Cédant", "Comptable", "Sans"]
    assert "Joindre un procès-verbal pour chaque ligne nommée." in todo.text_content()


def test_a_waiver_is_named_dated_reasoned_and_never_green() -> None:
    (card,) = page(CASES["non_conforme"]).xpath("//article[@data-rule='A5-C-MAILDCM']")
    assert card.get("data-outcome") == "non_conforme"
    said = card.text_content().replace("\u00a0", " ")
    for part in ("Payeur", "Service des finances", "Boîte fonctionnelle remplacée", "au 31 décembre 2019"):
        assert part in said


def test_what_a_person_attested_is_not_shown_as_machine_made() -> None:
    (item,) = page(CASES["conforme"]).xpath("//li[@data-rule='A5-1-SIGN']")
    assert words("fr")["text.attested"] in item.text_content()
    assert not item.xpath(".//*[contains(@class, 'mark conforme')]")


def test_every_rule_and_digest_is_in_the_annex() -> None:
    run = CASES["non_conforme"]
    text = reports.render(run, "html").decode()
    (verdict,) = run.dossiers
    rules = html.document_fromstring(text).xpath("//section[@class='annex']//tbody/tr/th/code/text()")
    assert rules == [result.rule for result in verdict.results]
    for digest in (*(file.sha256 for file in verdict.files), verdict.pack["sha256"], "ef" * 32):
        assert digest in text


def test_a_batch_has_a_summary_the_worst_first() -> None:
    tree = page(BATCH)
    links = tree.xpath("//table[@class='summary']//th/a")
    assert [link.text for link in links] == ["EX-2", "EX-3", "EX-1"]
    assert [tree.get_element_by_id(link.get("href")[1:]).get("data-decision") for link in links] == [
        "non_conforme",
        "indetermine",
        "conforme",
    ]
    assert not page(CASES["conforme"]).xpath("//table[@class='summary']")


def test_many_dossiers_quote_the_clauses_that_hold_once() -> None:
    many = [a_dossier(*GREEN, reference=f"D-{number}", path=f"d/{number}") for number in range(plug.FULL + 1)]
    tree = page(a_run(*many))
    assert len(tree.xpath("//section[@data-decision]")) == plug.FULL + 1
    assert not tree.xpath("//section[@data-decision]//blockquote")
    assert len(tree.xpath("//section[@class='annex']//tbody/tr")) == len(GREEN)


def test_the_decision_is_never_mute() -> None:
    run = a_run(a_dossier(a_result("R"), decision="indetermine"), a_dossier(decision="indetermine"))
    assert words("fr")["text.unread"] in page(run).text_content()
    aside = Finding("DEROGATION-VALIDE", "", UNKNOWN, "Rien de recevable.")
    alone = sound(reports.render(a_run(findings=(aside,)), "html").decode(), "fr")
    assert "Rien de recevable." in alone.text_content()
    assert "INDÉTERMINÉ" in alone.text_content().upper()


def test_a_dossier_that_cannot_be_read_shows_every_rule() -> None:
    fault = Finding(
        "DOSSIER-LISIBLE", "", UNKNOWN, "Le manifeste ne se lit pas.", locations=(Place("dossier.yaml", 3),)
    )
    run = a_run(a_dossier(a_result("DOSSIER-LISIBLE", UNKNOWN, fault), a_result("A5-1-PV", Outcome.INDETERMINE)))
    tree = page(run)
    assert {item.get("data-rule") for item in tree.xpath("//*[@data-outcome]")} == {"DOSSIER-LISIBLE", "A5-1-PV"}
    assert tree.xpath("//details//li[@data-rule='A5-1-PV']")
