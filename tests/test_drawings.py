"""What is drawn of a dossier: the unknown is never zero, and no picture contradicts the verdict."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from test_html import sound
from test_reports import ASIDE, BREACH, OK, PACK, UNKNOWN, a_dossier, a_result, a_run

from checker import reports
from checker.base.words import languages
from checker.model import (
    Act,
    Agreement,
    Amendment,
    Amount,
    Attestation,
    Ceiling,
    DatedValue,
    Figures,
    Finding,
    Outcome,
    Parameter,
    Person,
    Place,
    Remedy,
    State,
)
from checker.reports import applied, drawings

MARCH, APRIL, MAY = dt.date(2019, 3, 4), dt.date(2019, 4, 2), dt.date(2019, 5, 15)


def euros(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def a_ceiling(limit: str | None, cumulated: str | None, own: str | None, outcome: Outcome = OK) -> Ceiling:
    return Ceiling("A4-PLAFOND", outcome, euros(limit), euros(cumulated), euros(own))


def an_act(title: str, day: dt.date | None, state: State = State.KNOWN, raw: str = "", column: str = "") -> Act:
    return Act(column or title, title, day, state, raw, Place("dossier.yaml", 7, 3))


def a_page(figures: Figures, *results: Any, lang: str = "fr") -> html.HtmlElement:
    found = results or (a_result("A4-PLAFOND"),)
    return sound(reports.render(a_run(a_dossier(*found, figures=figures)), "html", lang=lang).decode(), lang)


def said(tree: html.HtmlElement) -> str:
    return tree.text_content().replace("\u00a0", " ").replace("\u202f", " ")


# The ceiling: what it is, what is drawn (kind, width), what is written

GAUGES = {
    "below": (a_ceiling("200", "120", "50"), {"before": "35.00%", "own": "25.00%", "remaining": "40.00%"}, "80,00 €"),
    "at": (a_ceiling("200", "200", "200"), {"own": "100.00%"}, "Reste disponible : 0,00 €"),
    "above": (
        a_ceiling("100", "125", "100", BREACH),
        {"before": "20.00%", "own": "60.00%", "excess": "20.00%"},
        "Dépassement : 25,00 €",
    ),
    "cumul unknown": (
        a_ceiling("200", None, "50", UNKNOWN),
        {"own": "25.00%", "unknown": "75.00%"},
        "Cumul avant cet état : inconnu",
    ),
    "nothing known": (a_ceiling(None, None, None, UNKNOWN), {"unknown": "100%"}, "Plafond : inconnu"),
    "own unknown": (
        a_ceiling("200", "50", None, UNKNOWN),
        {"unknown": "25.00%", "remaining": "75.00%"},
        "Cet état : inconnu",
    ),
    "limit unknown": (
        a_ceiling(None, "50", "20", UNKNOWN),
        {"before": "30.00%", "own": "20.00%", "unknown": "50.00%"},
        "Reste disponible : inconnu",
    ),
    "below zero": (a_ceiling("200", "10", "-50"), {}, "Cet état : -50,00 €"),
    "not kept": (a_ceiling(None, None, "50"), {}, "n'est gardé que pour un dossier contrôlé seul"),
    "not judged": (a_ceiling(None, None, "50", ASIDE), {}, "Cet état : 50,00 €"),
}


@pytest.mark.parametrize("case", GAUGES)
def test_a_ceiling_is_drawn_as_known(case: str) -> None:
    ceiling, widths, text = GAUGES[case]
    tree = a_page(Figures(ceiling=ceiling), a_result("A4-PLAFOND", ceiling.outcome))
    drawn = {rect.get("class"): rect.get("width") for rect in tree.xpath("//svg[@class='gauge']//rect")}
    assert drawn == widths
    assert text in said(tree)
    assert all((rect.get("fill") == "url(#hatch)") == (rect.get("class") == "unknown") for rect in tree.iter("rect"))
    for picture in tree.xpath("//svg[@class='gauge']"):
        title, text = (tree.get_element_by_id(name) for name in picture.get("aria-labelledby").split())
        terms = [item.text_content().strip() for item in tree.xpath("//ul[@class='legend']/li")]
        assert title.text
        assert all(term in text.text_content() for term in terms)


money = st.none() | st.decimals(min_value=-1000, max_value=10**9, places=2)


@given(money, money, money)
def test_a_bar_is_whole(limit: Decimal | None, cumulated: Decimal | None, own: Decimal | None) -> None:
    """Its parts follow each other from edge to edge; one is hatched if and only if a term is unknown."""
    found = drawings.gauge(Ceiling("R", UNKNOWN, limit, cumulated, own))
    if found.parts:
        at = Decimal(0)
        for part in found.parts:
            assert abs(Decimal(part.start.rstrip("%")) - at) < Decimal("0.05")
            at += Decimal(part.width.rstrip("%"))
        assert abs(at - 100) < Decimal("0.05")
        hatched = any(part.kind == "unknown" for part in found.parts)
        assert hatched <= (None in (limit, cumulated, own))
    excess = any(part.kind == "excess" for part in found.parts)
    assert excess <= (limit is not None and cumulated is not None and cumulated > limit)


def test_amounts_are_bars_and_the_unknown_is_said() -> None:
    amounts = (Amount("", None), Amount("6113110000", Decimal("60000.00")), Amount("6113120000", Decimal("-15.00")))
    tree = a_page(Figures(amounts_title="Compte PCE", amounts=amounts))
    shown = [[cell.text_content().strip() for cell in row[:2]] for row in tree.xpath("//table[@class='amounts']//tr")]
    assert [[text.replace("\u00a0", " ").replace("\u202f", " ") for text in row] for row in shown[1:]] == [
        ["non renseigné", "inconnu"],
        ["6113110000", "60 000,00 €"],
        ["6113120000", "-15,00 €"],
    ]
    bars = [row.xpath("string(.//rect/@class)") for row in tree.xpath("//table[@class='amounts']//tbody/tr")]
    assert bars == ["unknown", "own", ""]


def test_many_amounts_and_dates_are_counted() -> None:
    amounts = tuple(Amount(str(number), Decimal(number)) for number in range(drawings.KEYS + 7))
    acts = tuple(an_act("Paiement", MARCH, column="p") for _ in range(drawings.ACTS + 3))
    late = (*acts, an_act("Fin", dt.date(2019, 3, 1)))
    text = said(a_page(Figures(amounts_title="Compte", amounts=amounts, acts=late)))
    assert "et 7 autres comptes" in text
    assert "et 4 autres dates" in text
    assert "« 1. Paiement »" in text  # an act out of order is never the one left out


# The acts

ACTS = {
    "in order": ((MARCH, APRIL, MAY), (OK,), "", ""),
    "late": ((APRIL, MARCH, MAY), (OK, BREACH), "⚠ précède « 1. Acte 0 », du 2 avril 2019", "breach"),
    "late, and no rule minds": ((APRIL, MARCH, MAY), (OK,), "⚠ précède « 1. Acte 0 », du 2 avril 2019", "information"),
    "same day": ((MARCH, MARCH), (OK,), "", ""),
    "one unknown": ((MARCH, None, APRIL), (UNKNOWN,), "date illisible, lue « 2019-13-45 »", ""),
    "all unknown": ((None, None), (UNKNOWN,), "Aucune de ces dates n'est connue.", ""),
}


@pytest.mark.parametrize("case", ACTS)
def test_acts_are_placed_marked_and_told(case: str) -> None:
    days, outcomes, text, tone = ACTS[case]
    acts = tuple(
        an_act(f"Acte {at}", day, State.KNOWN if day else State.UNREADABLE, "" if day else "2019-13-45")
        for at, day in enumerate(days)
    )
    order = tuple((f"R-{at}", outcome) for at, outcome in enumerate(outcomes))
    tree = a_page(Figures(acts=acts, order=order), *(a_result(rule, outcome) for rule, outcome in order))
    assert text in said(tree)
    assert ("⚠" in said(tree)) == bool(tone)
    circles = tree.xpath("//svg[@class='timeline']/circle/@class")
    assert len(circles) == (len(days) if any(days) else 0)
    assert (tone in circles) == bool(tone)
    assert circles.count("open") == (sum(day is None for day in days) if any(days) else 0)
    assert len(tree.xpath("//svg[@class='timeline']/rect[@class='unknown']")) == circles.count("open")
    assert len(tree.xpath("//ol[@class='acts']/li")) == len(days)
    if any(days):
        known = [Decimal(at.rstrip("%")) for at in tree.xpath("//circle[not(@class='open')]/@cx")]
        assert (known == sorted(known)) == (not tone)
        (alternative,) = tree.xpath("//svg[@class='timeline']/desc")
        assert all(act.title in alternative.text_content() for act in acts)
    section = tree.xpath("//section[@class='figures']")[0]
    marks = section.xpath("./p[@class='tags']//span[starts-with(@class, 'mark')]/@class")
    assert marks == [f"mark {outcome.word}" for outcome in outcomes]


@pytest.mark.parametrize(
    ("state", "text"),
    [(State.BLANK, "date laissée en blanc"), (State.ABSENT, "date non donnée"), (State.NONE, "sans date")],
)
def test_a_date_that_is_not_there_is_said_as_it_is(state: State, text: str) -> None:
    assert text in said(a_page(Figures(acts=(an_act("A", MARCH), an_act("B", None, state)))))


def test_rows_of_one_column_are_not_ordered_among_themselves() -> None:
    acts = (an_act("Titre", APRIL), an_act("P", MAY, column="p"), an_act("P", APRIL, column="p"))
    assert "⚠" not in said(a_page(Figures(acts=acts)))
    assert [step.after for step in drawings.timeline(Figures(acts=(*acts, an_act("Fin", MARCH)))).steps][-1] == (
        2,
        acts[1],
    )


# What is at stake

LINES = {"depenses:1": Decimal("60000.00"), "depenses:2": Decimal("24000.00"), "depenses:3": None}
STAKES = {
    ("depenses:2",): "24 000,00 €, 1 ligne",
    ("depenses:1", "depenses:2", "depenses:2"): "84 000,00 €, 2 lignes",
    ("depenses:2", "depenses:3"): "24 000,00 € au moins, 2 lignes dont 1 au montant inconnu",
    ("depenses:3",): "montant inconnu, 1 ligne",
    ("depenses:2", "certification"): "tout l'état liquidatif, 84 000,00 €",
    ("pieces:titre.pdf",): "",
    ("depenses:9",): "",
}


@pytest.mark.parametrize("subjects", STAKES)
def test_what_is_at_stake(subjects: tuple[str, ...]) -> None:
    findings = (Finding("R", subject, BREACH, "Non.") for subject in subjects)
    result = a_result("R", BREACH, *findings, remedy=Remedy("cedant", "Corriger."))
    tree = a_page(Figures(ceiling=a_ceiling("200000", "84000.00", "84000.00"), lines=LINES), result)
    (heading,) = tree.xpath("//section[@class='todo']/h4")
    assert said(heading).partition(" : ")[2].strip() == STAKES[subjects]
    assert said(tree.xpath("//p[@class='who']")[0]).count("€") == STAKES[subjects].count("€")


# What was agreed

AGREEMENT = Agreement(
    PACK["id"],
    PACK["title"],
    PACK["version"],
    PACK["sha256"],
    parameters=(
        Parameter(
            "plafond",
            "money",
            False,
            "Participation maximum",
            (
                DatedValue(Decimal("200000.00"), end=dt.date(2019, 4, 30), source="article 4"),
                DatedValue(Decimal("250000.00"), start=dt.date(2019, 5, 1), source="avenant 1"),
            ),
        ),
        Parameter(
            "date_effet", "date", False, "Date d'effet", (DatedValue(None, not_before=dt.date(2018, 11, 7)),)
        ),
        Parameter("exclus", "account", True, "Comptes exclus", (DatedValue(()),)),
    ),
    persons=(Person("Amélie BRUN", "Direction", "certification", None, None, Decimal("50000.00"), True),),
    amendments=(
        Amendment("avenant-1.pdf", APRIL, {"cedant": MARCH, "cessionnaire": APRIL}, MARCH, "", (("plafond", 1),)),
        Amendment("avenant-2.pdf", APRIL, {"cedant": None, "cessionnaire": APRIL}, MARCH, "", ()),
        Amendment("avenant-3.pdf", dt.date(2030, 1, 1), {"cedant": MARCH}, MARCH, "", ()),
    ),
)  # fmt: skip


def test_the_annex_says_what_applied() -> None:
    run = a_run(a_dossier(a_result("R")), agreements=(AGREEMENT,))
    tree = sound(reports.render(run, "html").decode(), "fr")
    (annex,) = tree.xpath("//section[@class='annex']")
    listed = [[said(cell).strip() for cell in row] for row in annex.xpath(".//tbody/tr")]
    rows = {row[0].split("\n")[0].replace("plafond", "").strip(): row[1:] for row in listed}
    values = [row for row in listed if row[0].startswith("Participation maximum")]
    assert [(row[1], row[3]) for row in values] == [("200 000,00 €", "—"), ("250 000,00 €", "s'applique")]
    assert any(row[:2] == ["Date d'effetdate_effet", "inconnu, pas avant le 7 novembre 2018"] for row in listed)
    assert any(row[:2] == ["Comptes exclusexclus", "aucun"] for row in listed)
    assert rows["avenant-1.pdf"][0] == "depuis le 2 avril 2019"
    assert rows["avenant-2.pdf"][0] == "sans effet, un de ses actes manque"
    assert rows["avenant-3.pdf"][0] == "à partir du 1er janvier 2030, après le contrôle"
    assert "caractère exécutoire inconnu" in " ".join(rows["Amélie BRUN"])
    assert "aucun registre" in said(annex)
    without = sound(reports.render(replace(run, agreements=()), "html").decode(), "fr")
    assert "Amélie" not in said(without)


@given(st.lists(st.tuples(st.none() | st.dates(), st.none() | st.dates()), max_size=5), st.dates())
def test_the_value_in_force_is_the_last_that_holds(spans: list[tuple[Any, Any]], day: dt.date) -> None:
    values = [DatedValue(at, start, end) for at, (start, end) in enumerate(spans)]
    holding = [
        value for value in values if (value.start or dt.date.min) <= day <= (value.end or dt.date.max)
    ]  # fmt: skip
    assert applied.in_force(values, day) is (holding[-1] if holding else None)


def test_attestations_are_listed_with_who_judged() -> None:
    given_ = (Attestation("A5-1-SIGN", "conforme", "Nadia CONTROLE", MAY, "Comparée", Place("dossier.yaml", 9)),)
    tree = a_page(Figures(attestations=given_), a_result("A5-1-SIGN", automation="humaine"))
    (row,) = tree.xpath("//details[contains(summary, 'jugement')]//tbody/tr")
    assert all(part in said(row) for part in ("A5-1-SIGN", "Nadia CONTROLE", "15 mai 2019", "Comparée", "dossier.yaml"))


# Values: what was read is shown as read, what was understood as people write it

VALUES = {
    "an amount": ("200000.01", "Le cumul de 200\u202f000,01\u00a0€ dépasse.", "200 000,01"),
    "a date": ("2019-04-02", "Le titre, du 2 avril 2019, précède.", "2 avril 2019"),
    "an account read and not said": ("615.00", "Le compte n'est pas éligible.", "615.00"),
    "a number that looks like a date": ("2019-04-02", "Le titre « 2019-04-02 » n'est pas cité.", "2019-04-02"),
    "an account that looks like an amount": ("615.00", "Le compte « 615.00 » n'est pas éligible.", "615.00"),
}


@pytest.mark.parametrize("case", VALUES)
def test_an_identifier_is_never_shown_as_an_amount_or_a_date(case: str) -> None:
    value, message, shown = VALUES[case]
    place = Place("etat.xlsx", place="Feuil1!F14")
    finding = Finding("R", "etat_liquidatif", BREACH, message, value, value, locations=(place,), excerpts=(value,))
    (card,) = a_page(Figures(), a_result("R", BREACH, finding)).xpath("//article")
    assert [said(item) for item in card.xpath(".//dl[@class='facts']//dd")] == [shown, shown]
    (quoted,) = card.xpath(".//table[@class='read']//q")
    assert quoted.text == value
    assert [said(axis) for axis in card.xpath(".//span[@class='axis']")] == ["F", "14"]


@pytest.mark.parametrize("lang", languages())
def test_figures_of_hostile_texts_are_inert(lang: str) -> None:
    bad = '<svg onload="x">\u202e=1+1' + "n" * 5000
    figures = Figures(
        a_ceiling("1", "2", "1", BREACH),
        bad,
        (Amount(bad, Decimal(1)),),
        (an_act(bad, None, State.UNREADABLE, bad), an_act("B", MAY)),
        ((bad, BREACH),),
        (Attestation(bad, bad, bad, None, bad, Place(bad)),),
        {f"depenses:{bad}": Decimal(1)},
    )
    found = a_result("R", BREACH, Finding("R", f"depenses:{bad}", BREACH, bad), remedy=Remedy("cedant", bad))
    tree = a_page(figures, found, lang=lang)
    assert not tree.xpath("//svg[@onload]")


def test_the_golden_page_of_figures(golden: Any) -> None:
    acts = (an_act("Certification", APRIL), an_act("Titre", MARCH), an_act("Paiement", None, State.BLANK))
    figures = Figures(
        a_ceiling("200000.00", "200000.01", "84000.01", BREACH),
        "Compte PCE",
        (Amount("6113110000", Decimal("60000.00")), Amount("6113120000", None)),
        acts,
        (("A5-3-ORDRE", BREACH),),
    )
    found = a_page(figures, a_result("A4-PLAFOND", BREACH), a_result("A5-3-ORDRE", BREACH))
    (section,) = found.xpath("//section[@class='figures']")
    golden(Path(__file__).parent / "golden" / "pages" / "figures.html", html.tostring(section, encoding="utf-8"))
