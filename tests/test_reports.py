"""Every format of a run says the same decision, quotes what was read, and obeys nothing that was read."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import re
import string
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from checker import reports
from checker.base import french, home
from checker.base.words import counted, languages, words
from checker.model import (
    DECISIONS,
    SEVERITIES,
    SOURCES,
    STAGES,
    Clause,
    DossierVerdict,
    FileDigest,
    Finding,
    Outcome,
    Place,
    Remedy,
    Result,
    Verdicts,
    Waiver,
)
from checker.reports import jsontext, progress, rows

GOLDEN = Path(__file__).parent / "golden" / "reports"
EXTENSIONS = {"terminal": "txt", "json": "json", "sarif": "sarif", "junit": "xml", "github": "github.txt"}
PACK = {"id": "convention-exemple", "title": "Convention d'exemple", "version": "1.2.0", "sha256": "ab" * 32}
NOWHERE = Place("quitus.yaml")
OK, BREACH, UNKNOWN, ASIDE = Outcome.CONFORME, Outcome.NON_CONFORME, Outcome.INDETERMINE, Outcome.SANS_OBJET


# Hand-made runs


def a_result(rule: str, outcome: Outcome = OK, *findings: Finding, **changes: Any) -> Result:
    known: dict[str, Any] = {
        "title": f"Titre de {rule}",
        "clause": Clause("5", "daté, signé par la personne habilitée"),
        "source": "convention",
        "severity": "bloquant",
        "automation": "complete",
        "counts": {outcome: max(len(findings), 1)},
        "remedy": None,
        "stage": "etat_liquidatif",
    }
    return Result(rule=rule, outcome=outcome, findings=findings, **{**known, **changes})


def decide(results: tuple[Result, ...]) -> str:
    weights = [rows.weigh(result) for result in results]
    for weight, decision in ((rows.Weight.BREACH, "non_conforme"), (rows.Weight.UNKNOWN, "indetermine")):
        if weight in weights:
            return decision
    mild = rows.Weight.RESERVE in weights or rows.Weight.WAIVED in weights
    return "conforme_avec_reserves" if mild else "conforme"


def a_dossier(*results: Result, **changes: Any) -> DossierVerdict:
    known: dict[str, Any] = {
        "reference": "EX-2019-01",
        "path": "dossiers/EX-2019-01",
        "pack": PACK,
        "control_date": dt.date(2019, 5, 20),
        "stage": "etat_liquidatif",
        "decision": decide(results),
        "files": (FileDigest("dossier.yaml", "cd" * 32, 5120),),
    }
    return DossierVerdict(results=results, **{**known, **changes})


def a_run(*dossiers: DossierVerdict, **changes: Any) -> Verdicts:
    worst = max((dossier.decision for dossier in dossiers), key=DECISIONS.index, default="indetermine")
    known: dict[str, Any] = {"version": "0.1.0", "packs": (PACK,), "settings": None, "decision": worst}
    return Verdicts(dossiers=dossiers, **{**known, **changes})


CEILING = a_result(
    "A4-PLAFOND",
    BREACH,
    Finding(
        "A4-PLAFOND",
        "etat_liquidatif",
        BREACH,
        "Le cumul de 200\u202f000,01\u00a0€ dépasse le plafond de 200\u202f000,00\u00a0€ en vigueur le 4 mars 2019.",
        observed="200000.01",
        expected="200000.00",
        locations=(Place("etat-liquidatif.xlsx", page=None, place="Feuil1!F14"),),
        excerpts=("200000,01",),
        trace=(("cumul", "200000.01"), ("plafond", "200000.00")),
    ),
    title="La participation cumulée n'excède pas le plafond",
    clause=Clause("4", "une participation maximum de 200 000€"),
    remedy=Remedy("cedant", "Ramener l'état liquidatif à 199\u202f999,99\u00a0€ ou produire un avenant."),
)
RECEIPTS = a_result(
    "A5-1-PV",
    BREACH,
    *(
        Finding(
            "A5-1-PV",
            f"depenses:{line}",
            BREACH,
            f"Aucun procès-verbal de service fait ne porte sur la ligne {line}.",
            locations=(Place("dossier.yaml", 40 + line, 5),),
            excerpts=(f"ligne: {line}",),
        )
        for line in range(1, 8)
    ),
    counts={OK: 12, BREACH: 7},
    title="Chaque ligne a son procès-verbal de service fait",
    clause=Clause("5", "procès-verbal de service fait"),
    remedy=Remedy("cedant", "Joindre un procès-verbal pour chaque ligne nommée."),
)
PAYER = a_result(
    "A5-2-COMPT",
    BREACH,
    Finding(
        "A5-2-COMPT",
        "paiements:2019-4512",
        BREACH,
        "Le payeur est « Paierie de l'Orne ».",
        observed="Paierie de l'Orne",
        locations=(Place("mandat.pdf", page=2),),
        excerpts=("Paierie de l'Orne",),
    ),
    title="Le comptable assignataire est celui de la convention",
    remedy=Remedy("comptable", "Rejeter le mandat."),
)
WAIVED = a_result(
    "A5-C-MAILDCM",
    BREACH,
    Finding(
        "A5-C-MAILDCM",
        "cedant",
        BREACH,
        "Le courriel diffère de celui de la convention.",
        locations=(Place("dossier.yaml", 131, 3),),
        excerpts=("courriel_dcm: autre@exemple.fr",),
    ),
    title="Le courriel du cédant est celui de la convention",
    waiver=Waiver(
        "A5-C-MAILDCM",
        "EX-2019-01",
        "Boîte fonctionnelle remplacée",
        "Service des finances",
        "Payeur",
        dt.date(2019, 1, 1),
        dt.date(2019, 12, 31),
        NOWHERE,
    ),
)
LATE = a_result(
    "CP-PRESCRIPTION",
    UNKNOWN,
    Finding(
        "CP-PRESCRIPTION",
        "etat_liquidatif",
        UNKNOWN,
        "La date de naissance de la créance est inconnue.",
        reason="inconnu",
        missing=("depenses.service_fait.date",),
    ),
    title="La créance n'est pas prescrite",
    severity="reserve",
    source="loi",
)
REPORT = a_result("A1-EVAL", UNKNOWN, title="L'expérimentation a été évaluée", severity="information")
EFFECT = a_result(
    "A2-EFFET",
    UNKNOWN,
    Finding(
        "A2-EFFET",
        "depenses:1",
        UNKNOWN,
        "La convention a pris effet à une date inconnue, pas avant le 7 novembre 2018 ; le service est fait "
        "le 10 décembre 2018.",
        reason="paramètre inconnu",
        missing=("parametres.date_effet",),
        locations=(Place("dossier.yaml", 61, 30), Place("pieces/pv-1.pdf", page=1)),
        excerpts=("2018-12-10", "10 décembre 2018"),
    ),
    title="Le service est fait après la prise d'effet",
    clause=Clause("2", "prend effet à compter de la signature de la convention par les parties"),
    remedy=Remedy("organisme", "Déclarer dans quitus.yaml la date de la dernière signature."),
)
GREEN = (
    a_result("A5-1-DATE"),
    a_result("A5-1-SIGN", automation="humaine", title="L'état liquidatif est signé"),
    a_result(
        "A5-1-FACT",
        automation="partielle",
        note="L'objet de chaque facture se lit dans la facture.",
        title="Chaque ligne a sa facture",
    ),
    a_result("A5-4-PAIE", ASIDE, stage="mise_en_paiement", title="Le titre est payé"),
)
NOTES = (("DEF-3", "L'article 5 numérote deux fois le point 3."),)
CASES = {
    "conforme": a_run(
        a_dossier(*GREEN, upcoming=(("A5-2-ATT", "L'attestation et la certification du service fait sont portées"),))
    ),
    "non_conforme": a_run(
        a_dossier(*GREEN, CEILING, RECEIPTS, PAYER, WAIVED, LATE, REPORT, stage="mise_en_paiement"),
        settings={"path": "quitus.yaml", "sha256": "ef" * 32},
        notes=NOTES,
        unused=("La dérogation à A5-3-TP (quitus.yaml:40) n'a servi à rien.",),
    ),
    "indetermine": a_run(
        a_dossier(*GREEN, EFFECT, paste=("parametres:", '  date_effet: {valeur: AAAA-MM-JJ, source: "…"}')),
        fail_on="non_conforme",
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", EXTENSIONS)
def test_golden(case: str, name: str) -> None:
    path = GOLDEN / f"{case}.{EXTENSIONS[name]}"
    found = reports.render(CASES[case], name)
    if os.environ.get("QUITUS_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found)
    assert found.decode() == path.read_text(encoding="utf-8")


# Random runs: the formats cannot disagree

HOSTILE = (
    '=HYPERLINK("http://x";"y")',
    "<script>alert(1)</script>",
    "\x1b[31mrouge\x1b[0m",
    "a\nb\r\n::error::c",
    "\u202egnp.exe",
    "n" * 10_000,
    "[bold red]x[/]",
    "{0} {x} %s %0A",
    "]]>&amp;",
    "\x9b31m\x00\ufffe\ud800",
    "[x](http://y)",
    "a:b,c%",
    "\ufdd0\ufdd3x\ufdef",
    "\u3000e\u0301\U0001f9d1\u200d\U0001f680 \u00a0",
)
texts = st.sampled_from(HOSTILE) | st.text(max_size=12)
positions = st.none() | st.integers(1, 99)
places = st.builds(Place, texts, positions, positions, positions, st.none() | texts)
waivers = st.none() | st.builds(
    Waiver, texts, texts, texts, texts, texts, st.none() | st.dates(), st.none() | st.dates(), st.just(NOWHERE)
)


@st.composite
def findings(draw: st.DrawFn, rule: str, outcome: Outcome) -> Finding:
    where = draw(st.lists(places, max_size=2))
    missing = tuple(draw(st.lists(texts, max_size=2)))
    excerpts = tuple(draw(texts) for _ in where)
    return Finding(
        rule,
        draw(texts),
        outcome,
        draw(texts),
        draw(st.none() | texts),
        missing=missing,
        locations=tuple(where),
        excerpts=excerpts,
        trace=((draw(texts), draw(texts)),),
    )


@st.composite
def results(draw: st.DrawFn, rule: str) -> Result:
    outcome = draw(st.sampled_from(Outcome))
    bad = draw(st.lists(findings(rule, outcome), max_size=3)) if outcome in rows.BAD else []
    return Result(
        rule,
        draw(texts),
        Clause(draw(texts), draw(texts)),
        draw(st.sampled_from(SOURCES)),
        draw(st.sampled_from(SEVERITIES)),
        draw(st.sampled_from(("complete", "partielle", "humaine"))),
        outcome,
        {outcome: max(len(bad), 1)},
        tuple(bad),
        draw(st.none() | st.builds(Remedy, st.sampled_from(("cedant", "comptable")) | texts, texts)),
        draw(texts),
        draw(waivers) if outcome in rows.BAD else None,
        draw(st.sampled_from(STAGES)),
    )


@st.composite
def dossiers(draw: st.DrawFn, number: int) -> DossierVerdict:
    rules = draw(st.lists(st.sampled_from([f"R-{letter}" for letter in "ABCDEF"]), unique=True, min_size=1))
    found = tuple(draw(results(rule)) for rule in rules)
    return a_dossier(
        *found,
        reference=f"D{number} {draw(texts)}",
        path=f"depot/{number}/{draw(texts)}",
        paste=tuple(draw(st.lists(texts, max_size=1))),
        upcoming=((draw(texts), draw(texts)),),
    )


@st.composite
def runs(draw: st.DrawFn) -> Verdicts:
    found = [draw(dossiers(number)) for number in range(draw(st.integers(1, 3)))]
    aside = draw(st.lists(findings("DEROGATION-VALIDE", BREACH), max_size=1))
    fail_on = draw(st.sampled_from(("", "reserve", "non_conforme")))
    note = ((draw(texts), draw(texts)),)
    return a_run(*found, findings=tuple(aside), fail_on=fail_on, notes=note, unused=(draw(texts),))


def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((home.schemas() / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


VALID = validator()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(run=runs(), lang=st.sampled_from(languages()), color=st.booleans(), width=st.integers(20, 200))
def test_formats_agree(run: Verdicts, lang: str, color: bool, width: int) -> None:
    said = {name: reports.render(run, name, lang=lang, color=color, width=width) for name in EXTENSIONS}
    assert said == {name: reports.render(run, name, lang=lang, color=color, width=width) for name in said}
    table = words(lang)
    outcomes = Counter(result.outcome.word for dossier in run.dossiers for result in dossier.results)

    plain = json.loads(said["json"])
    VALID.validate(plain)
    assert plain["decision"] == run.decision
    assert plain["exit_code"] == run.exit_code()
    assert plain["outcomes"] == outcomes
    assert Counter(result["outcome"] for dossier in plain["dossiers"] for result in dossier["results"]) == outcomes

    log = json.loads(said["sarif"])["runs"][0]
    assert log["properties"]["decision"] == run.decision
    counts = sum((Counter(dossier["outcomes"]) for dossier in log["properties"]["dossiers"]), Counter())
    assert counts == outcomes
    rules = {
        (found["properties"]["dossier"], found["ruleId"], found["properties"]["outcome"])
        for found in log["results"]
        if found["properties"]["dossier"]
    }
    for outcome in rows.BAD:
        assert sum(found == outcome.word for _, _, found in rules) == outcomes[outcome.word]
    stopped = run.decision in ("non_conforme", "indetermine")
    assert any(found["level"] == "error" for found in log["results"]) == stopped

    for suite, dossier in zip(etree.fromstring(said["junit"]).findall("testsuite"), run.dossiers, strict=False):
        check_suite(suite, dossier, run.fail_on)

    text = re.sub(r"\x1b\[[0-9;]*m", "", said["terminal"].decode())
    flat = re.sub(r"\s+", " ", text)
    assert re.sub(r"\s+", " ", table["text.decision"].format(decision=table[f"decision.{run.decision}"])) in flat
    for dossier in run.dossiers:
        assert f"{table[f'symbol.{dossier.decision}']} {table[f'decision.{dossier.decision}'].upper()}" in flat or (
            dossier.decision == "conforme" and len(run.dossiers) > 1
        )
    for word, count in outcomes.items():
        assert re.sub(r"\s+", " ", counted(table, f"count.{word}", count)) in flat
    assert table[f"decision.{run.decision}"] in said["github"].decode().splitlines()[-1]
    inert(said, color)


def check_suite(suite: etree._Element, dossier: DossierVerdict, fail_on: str) -> None:
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [result.rule for result in dossier.results]
    assert suite.find("properties/property[@name='decision']").get("value") == dossier.decision  # type: ignore[union-attr]
    blocked = {"non_conforme": [], "indetermine": []}  # type: dict[str, list[str]]
    for result in dossier.results:
        if rows.weigh(result).blocks:
            blocked[result.outcome.word].append(result.rule)
    for kind, expected in blocked.items():
        assert [case.get("name") for case in cases if case.find(f"failure[@type='{kind}']") is not None] == expected
    failing = dossier.decision in ("non_conforme", "indetermine") or (
        fail_on == "reserve" and dossier.decision == "conforme_avec_reserves"
    )
    assert (int(suite.get("failures", "0")) > 0) == failing
    assert not suite.findall(".//skipped")
    for case, result in zip(cases, dossier.results, strict=True):
        if result.outcome is not OK and case.find("failure") is None:
            assert case.findtext("system-out")


def inert(said: dict[str, bytes], color: bool) -> None:
    """Nothing read is obeyed by a terminal, a runner, a parser."""
    for name, found in said.items():
        text = found.decode()
        if name == "terminal" and color:
            text = re.sub(r"\x1b\[[0-9;]+m", "", text)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text), name
        assert text.endswith("\n")
    for line in said["github"].decode().splitlines():
        assert re.match(r"::(error|warning|notice) [a-z]+=", line)
        assert len(line) < 12_000
    kinds = Counter(line.split(" ")[0] for line in said["github"].decode().splitlines())
    assert max(kinds.values()) <= 10
    etree.fromstring(said["junit"])


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_inert(value: str) -> None:
    spot = Place(value, 1, 1, 1, value)
    finding = Finding("R", value, BREACH, value, value, value, value, (value,), (spot,), (value,))
    result = a_result("R", BREACH, finding, title=value, clause=Clause(value, value), remedy=Remedy(value, value))
    dossier = a_dossier(result, reference=value, path=value, upcoming=((value, value),), paste=(value,))
    run = a_run(dossier, findings=(finding,), unused=(value,), notes=((value, value),))
    said = {name: reports.render(run, name) for name in EXTENSIONS}
    inert(said, False)
    assert b"<script" not in said["junit"]
    assert not any("](" in text for text in re.findall(r'"text": "(.*)"', said["sarif"].decode()))
    lines = said["terminal"].decode().splitlines()
    assert all(len(line) <= 100 for line in lines if value not in line)  # what is to be pasted is not wrapped
    VALID.validate(json.loads(said["json"]))


# One format at a time


def test_formats_are_files() -> None:
    assert set(reports.formats()) >= set(EXTENSIONS)
    with pytest.raises(ValueError, match="junit"):
        reports.render(CASES["conforme"], "junti")


def test_only_the_asked_format_is_imported() -> None:
    code = (
        "import sys; from checker import reports; from checker.model import Verdicts;"
        "reports.render(Verdicts('0', (), None, 'conforme', ()), 'json');"
        "print([name for name in sys.modules if name.startswith(('checker.reports.formats.', 'rich', 'xml'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['checker.reports.formats.json']"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(alphabet=string.printable),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet=string.printable), inner),
    )
)
def test_json_text_is_the_one_of_the_standard_library(value: Any) -> None:
    assert jsontext.text(value) == json.dumps(value, indent=2, ensure_ascii=False).replace("\x7f", "\\u007f")


def test_the_decision_is_never_mute() -> None:
    """A dossier stopped by nothing that its results show fails in every format."""
    run = a_run(a_dossier(a_result("R"), decision="indetermine"), a_dossier(decision="indetermine"))
    log = json.loads(reports.render(run, "sarif"))["runs"][0]
    assert [found["level"] for found in log["results"]] == ["error", "error"]
    assert etree.fromstring(reports.render(run, "junit")).get("failures") == "2"
    assert reports.render(run, "github").count(b"::error ") == 2
    assert words("fr")["text.unread"] in reports.render(run, "terminal").decode()


def test_a_run_without_dossiers() -> None:
    run = a_run(findings=(Finding("DEROGATION-VALIDE", "", UNKNOWN, "Rien."),))
    assert json.loads(reports.render(run, "json"))["summary"] == {"dossiers": 0}
    assert etree.fromstring(reports.render(run, "junit")).get("failures") == "1"
    assert etree.fromstring(reports.render(a_run(), "junit")).get("failures") == "1"
    assert reports.render(run, "github").count(b"::error ") == 1
    assert "INDÉTERMINÉ" in reports.render(run, "terminal").decode()


def test_many_dossiers() -> None:
    many = [a_dossier(CEILING, LATE, reference=f"D-{number:04}", path=f"depot/D-{number:04}") for number in range(60)]
    run = a_run(*many, a_dossier(*GREEN, reference="VERT"))
    text = reports.render(run, "terminal").decode()
    assert "VERT" not in text  # the list is cut after the worst fifty
    assert "et 11 autres dossiers" in text.replace("\u00a0", " ")
    assert "50 autres dossiers ne sont pas détaillés ici" in text.replace("\u00a0", " ")
    lines = reports.render(run, "github").decode().splitlines()
    assert Counter(line.split(" ")[0] for line in lines) == {"::error": 10, "::warning": 10, "::notice": 1}
    assert "100 autres constats" in lines[-1]


def test_sarif_for_code_scanning() -> None:
    log = json.loads(reports.render(CASES["non_conforme"], "sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    prints = set()
    for found in run["results"]:
        assert rules[found["ruleIndex"]]["id"] == found["ruleId"]
        physical = found["locations"][0]["physicalLocation"]
        assert physical["region"]["startLine"] >= 1
        assert physical["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        prints.add(found["partialFingerprints"]["primaryLocationLineHash"])
    assert len(prints) == len(run["results"])
    by_rule = {found["ruleId"]: found for found in run["results"]}
    assert by_rule["A5-C-MAILDCM"]["suppressions"][0]["kind"] == "external"
    assert {by_rule[rule]["level"] for rule in ("A5-C-MAILDCM", "CP-PRESCRIPTION")} == {"warning"}
    assert by_rule["A1-EVAL"]["level"] == "note"
    unknown = json.loads(reports.render(CASES["indetermine"], "sarif"))["runs"][0]["results"][0]
    assert unknown["level"] == "error"
    assert unknown["message"]["text"].startswith("Ne peut être dit")


def test_sarif_paths_are_uris() -> None:
    spot = Finding("R", "", BREACH, "x", locations=(Place("pièce n°1 #2?.pdf"),))
    run = a_run(a_dossier(a_result("R", BREACH, spot), path="dépôt/a b"))
    found = json.loads(reports.render(run, "sarif"))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert found["artifactLocation"]["uri"] == "d%C3%A9p%C3%B4t/a%20b/pi%C3%A8ce%20n%C2%B01%20%232%3F.pdf"


def test_fail_on_reserve_fails_junit() -> None:
    run = a_run(a_dossier(*GREEN, WAIVED), fail_on="reserve")
    assert etree.fromstring(reports.render(run, "junit")).findall(".//failure")[0].get("type") == "reserve"


# Words


def test_both_languages_have_the_same_words() -> None:
    found = re.compile(r"{(\w+)}").findall
    slots = {lang: {key: set(found(text)) for key, text in words(lang).items()} for lang in languages()}
    assert slots["fr"] == slots["en"]
    with pytest.raises(ValueError, match="en, fr"):
        words("xx")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (french.money(Decimal("200000")), "200\u202f000,00\u00a0€"),
        (french.money(Decimal("-1234567.5")), "-1\u202f234\u202f567,50\u00a0€"),
        (french.money(Decimal("0.005")), "0,005\u00a0€"),
        (french.money(Decimal("0E+3")), "0,00\u00a0€"),
        (french.number(Decimal("1E+6")), "1\u202f000\u202f000"),
        (french.number(Decimal("20.50")), "20,5"),
        (french.number(Decimal("NaN")), "NaN"),
        (french.percent(Decimal("5.5000")), "5,5\u00a0%"),
        (french.day(dt.date(2018, 11, 1)), "1er novembre 2018"),
        (french.day(dt.date(2019, 3, 4)), "4 mars 2019"),
        (french.day(dt.date(2019, 8, 31)), "31 août 2019"),
        (french.listing([]), ""),
        (french.listing(["a"]), "a"),
        (french.listing(["a", "b", "c"]), "a, b et c"),
        (french.plural(0, "règle"), "0\u00a0règle"),
        (french.plural(2, "règle"), "2\u00a0règles"),
        (french.plural(1200, "métal", "métaux"), "1\u202f200\u00a0métaux"),
    ],
)
def test_french(found: str, expected: str) -> None:
    assert found == expected


# The terminal


def test_what_must_not_break_does_not() -> None:
    """No-break spaces and the spaces that French typography keeps hold at any width, and come out as they were."""
    kept = ("200\u202f000,01\u00a0€", "« à »", "dit :", "art. 5, point 1")
    finding = Finding("R", "", BREACH, f"Le total est de {kept[0]}, lu {kept[1]}, comme il est {kept[2]} rien.")
    run = a_run(a_dossier(a_result("R", BREACH, finding, clause=Clause("5, point 1", ""))))
    for width in range(40, 120):
        text = reports.render(run, "terminal", width=width).decode()
        assert all(part in text for part in kept)
        assert not re.search("[\ufdd0-\ufdef]", text)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("color", [False, True])
def test_no_line_of_the_terminal_ends_with_a_space_or_overflows(case: str, color: bool) -> None:
    for width in (20, 40, 80, 120):
        text = re.sub(r"\x1b\[[0-9;]*m", "", reports.render(CASES[case], "terminal", color=color, width=width).decode())
        for line in text.splitlines():
            assert line == line.rstrip(" ")
            assert len(line) <= max(width, 40) or line.startswith("      date_effet:")  # what is to be pasted


def test_colors_change_no_text() -> None:
    for run in CASES.values():
        plain, painted = (reports.render(run, "terminal", color=color).decode() for color in (False, True))
        assert "\x1b" not in plain
        assert "\x1b[1;3" in painted
        assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain


def test_the_terminal_depends_on_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [reports.render(CASES["non_conforme"], "terminal", color=color) for color in (False, True)]
    for name, value in {"TERM": "dumb", "COLUMNS": "30", "LINES": "5", "NO_COLOR": "1", "FORCE_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    assert [reports.render(CASES["non_conforme"], "terminal", color=color) for color in (False, True)] == expected


def test_data_is_not_markup() -> None:
    value = "[bold red]x[/] [link=http://y]z[/link] :smile: [@click=a]"
    run = a_run(a_dossier(a_result("R", BREACH, Finding("R", "", BREACH, value)), paste=(value,), reference=value))
    for found in (run, a_run(*run.dossiers, a_dossier(*GREEN))):
        assert reports.render(found, "terminal", width=200).decode().count(value[:20]) >= 2


# Progress


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_no_progress_out_of_a_terminal_nor_in_a_short_run() -> None:
    for stream in (io.StringIO(), Screen()):
        with progress.progress(stream) as tell:
            tell("facts", 0, 10)
            tell("facts", 10, 10)
        assert stream.getvalue() == ""


def test_progress_of_a_long_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "PACE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Screen()
    threads = threading.active_count()
    with progress.progress(stream) as tell:
        until(stream, "\x1b[?25l")
        tell("facts", 3, 10)
        until(stream, "Lecture des dossiers", "3/10")
        tell("findings", 0, 115)
        until(stream, "Contrôle des règles")
    said = stream.getvalue()
    assert "0/115" not in said
    assert said.endswith(("\x1b[2K", "\x1b[?25h"))  # erased, the cursor given back
    assert "\x1b[?25h" in said
    wait(lambda: threading.active_count() == threads)


def until(stream: io.StringIO, *parts: str) -> None:
    wait(lambda: all(part in stream.getvalue() for part in parts))


def wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_progress_ends_when_the_run_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    stream, threads = Screen(), threading.active_count()

    def fail() -> None:
        with progress.progress(stream):
            until(stream, "\x1b[?25l")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert "\x1b[?25h" in stream.getvalue()
    wait(lambda: threading.active_count() == threads)


def test_progress_costs_no_import() -> None:
    code = (
        "import io, sys; from checker.reports import progress; s = io.StringIO(); s.isatty = lambda: True\n"
        "with progress.progress(s) as tell: tell('facts', 0, 1)\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
