"""The PDF report: an archive that a reader of any kind can read, that says what the JSON says, and obeys nothing."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from conftest import ROOT
from test_reports import (
    BREACH,
    CASES,
    CEILING,
    EFFECT,
    GREEN,
    HOSTILE,
    LATE,
    RECEIPTS,
    WAIVED,
    a_dossier,
    a_result,
    a_run,
)

from checker import reports
from checker.base.words import languages, words
from checker.errors import UsageError
from checker.model import (
    Act,
    Amount,
    Attestation,
    Ceiling,
    Clause,
    Figures,
    Finding,
    Outcome,
    Place,
    Remedy,
    State,
    Verdicts,
    Waiver,
)
from checker.reports import printed, typeset
from checker.reports.formats import pdf

BATCH = a_run(
    a_dossier(*GREEN, reference="EX-1", path="depot/EX-1"),
    a_dossier(*GREEN, CEILING, WAIVED, reference="EX-2", path="depot/EX-2"),
    a_dossier(*GREEN, EFFECT, LATE, reference="EX-3", path="depot/EX-3"),
)
DRAWN = Figures(
    ceiling=Ceiling("A4-PLAFOND", Outcome.CONFORME, Decimal("200000"), Decimal("84000.01"), Decimal("84000.01")),
    amounts_title="Compte",
    amounts=(Amount("6113", Decimal("60000")), Amount("", None), Amount("7", Decimal("-3"))),
    acts=(
        Act("a", "Date de l'état liquidatif", dt.date(2019, 3, 1), State.KNOWN),
        Act("b", "Date du titre", dt.date(2019, 2, 1), State.KNOWN),
        Act("c", "Date de paiement", None, State.UNREADABLE, "31/02/2019"),
        Act("d", "Date de réception", None, State.ABSENT),
    ),
    order=(("A5-3-ORDRE", Outcome.NON_CONFORME),),
    attestations=(Attestation("A5-1-SIGN", "conforme", "Une personne", dt.date(2019, 5, 1), "Vu"),),
)
# what a page shows of the figures -> how it is said
SAID = (
    "200 000,00 €",
    "84 000,01 €",
    "1er mars 2019",
    "illisible : lu « 31/02/2019 »",
    "absente du dossier",
    "pas connu",
    "Une personne",
    "A5-3-ORDRE",
)


def plain(text: str) -> str:
    """The text without what lays it out: a line may end at any blank, and after a hyphen."""
    return re.sub(r"\s+|\ufffe|\u00ad", "", text)


def text(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    return plain("".join(page.get_textpage().get_text_range() for page in document))


def made(data: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(data))


def nodes(item: Any) -> Iterator[Any]:
    """The elements of a structure tree."""
    waiting = [item]
    while waiting:
        node = waiting.pop()
        if isinstance(node, pikepdf.Array):
            waiting.extend(node)
        elif isinstance(node, pikepdf.Dictionary):
            yield node
            if "/K" in node:
                waiting.append(node.K)


def fonts(document: pikepdf.Pdf) -> Iterator[pikepdf.Dictionary]:
    for item in document.objects:
        if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor":
            yield item


def sound(data: bytes, lang: str, title: str) -> pikepdf.Pdf:
    """The document, once it is what PDF/A-2a and PDF/UA-1 want of what can be seen from here."""
    document = made(data)
    root = document.Root
    assert bool(root.MarkInfo.Marked)
    assert str(root.Lang).split("-")[0] == lang
    assert bool(root.ViewerPreferences.DisplayDocTitle)
    assert root.OutputIntents[0].S == "/GTS_PDFA1"
    assert "/DestOutputProfile" in root.OutputIntents[0]
    with document.open_metadata() as metadata:
        assert metadata.pdfa_status == "2A"
        assert metadata["pdfuaid:part"] == "1"
        assert title in str(metadata["dc:title"])
    found = list(fonts(document))
    assert found
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(item.keys()) for item in found)
    with document.open_outline() as outline:
        assert outline.root
    elements = list(nodes(root.StructTreeRoot))
    kinds = {str(node.S) for node in elements if "/S" in node}
    assert {"/Table", "/TH", "/TD", "/H1"} <= kinds
    assert all(str(node.get("/Alt", "")) for node in elements if node.get("/S") == "/Figure")
    assert "/JavaScript" not in root.get("/Names", {})
    assert "/AA" not in root
    assert all(str(note.A.S) == "/GoTo" for page in document.pages for note in page.get("/Annots", []) if "/A" in note)
    return document


def rules(run: Verdicts) -> set[str]:
    return {result.rule for verdict in run.dossiers for result in verdict.results}


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("case", [*CASES, "lot"])
def test_every_run_is_an_accessible_archive(case: str, lang: str) -> None:
    run = {**CASES, "lot": BATCH}[case]
    data = reports.render(run, "pdf", lang=lang)
    sound(data, lang, run.dossiers[0].reference if len(run.dossiers) == 1 else str(len(run.dossiers) or ""))
    said = text(data)
    for verdict in run.dossiers:
        assert plain(words(lang)[f"decision.{verdict.decision}"]).lower() in said.lower()
        assert plain(verdict.reference) in said
    assert not [rule for rule in rules(run) if plain(rule) not in said]


@pytest.mark.parametrize("name", ["conforme", "fautif"])
def test_a_real_dossier_says_what_its_json_says(name: str, tmp_path: Path) -> None:
    target, plainly = tmp_path / "r.pdf", tmp_path / "r.json"
    shutil.copytree(ROOT / "fixtures" / name, tmp_path / "fixtures" / name)
    command = [sys.executable, "-m", "checker", "check", f"fixtures/{name}", "-f", f"pdf:{target}"]
    found = set()
    for zone, lang, folder in (("UTC", "C", ROOT), ("Pacific/Kiritimati", "fr_FR.UTF-8", tmp_path)):
        env = {**os.environ, "TZ": zone, "LC_ALL": lang, "PYTHONHASHSEED": str(len(zone))}
        subprocess.run([*command, "-f", f"json:{plainly}"], cwd=folder, env=env, capture_output=True, check=False)
        found.add(target.read_bytes())
        target.unlink()
    (data,) = found
    told = json.loads(plainly.read_bytes())
    document = sound(data, "fr", told["dossiers"][0]["reference"])
    said = text(data)
    (dossier,) = told["dossiers"]
    shown = [plain(result["rule"]) for result in dossier["results"]]
    assert [rule for rule in shown if rule not in said] == []
    for key, count in told["outcomes"].items():
        assert re.search(rf"{count}{plain(words()[f'outcome.{key}'])[:8]}", said), key
    first = plain(pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range())
    assert plain(words()[f"decision.{told['decision']}"]).lower() in first.lower()
    for result in dossier["results"]:
        for finding in result["findings"][: 1 if result["outcome"] in ("non_conforme", "indetermine") else 0]:
            assert plain(finding["message"])[:120] in said
    assert [file["sha256"] for file in dossier["files"] if file["sha256"] not in said] == []
    heads = [node for node in nodes(document.Root.StructTreeRoot) if node.get("/S") == "/TH"]
    assert heads
    assert all("/Scope" in repr(node.get("/A")) for node in heads)


def test_the_figures_are_drawn_and_said() -> None:
    (verdict,) = CASES["conforme"].dossiers
    data = reports.render(replace(CASES["conforme"], dossiers=(replace(verdict, figures=DRAWN),)), "pdf")
    said = text(data)
    assert [part for part in SAID if plain(part) not in said] == []
    document = made(data)
    alone = [str(node.Alt) for node in nodes(document.Root.StructTreeRoot) if node.get("/S") == "/Figure"]
    assert len(alone) == 2
    assert any("200\u202f000,00" in alt for alt in alone)
    assert any("1er mars 2019" in alt for alt in alone)


def test_a_run_of_many_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    many = tuple(a_dossier(*GREEN, CEILING, RECEIPTS, reference=f"EX-{number}") for number in range(12))
    run = a_run(*many)
    whole = text(reports.render(run, "pdf"))
    monkeypatch.setattr(pdf, "PAGES", 5)
    monkeypatch.setattr(pdf, "FULL", 3)
    monkeypatch.setattr(pdf, "FEW", 1)
    data = reports.render(run, "pdf")
    said = text(data)
    assert plain("toutes les autres règles de l'annexe") in said
    assert plain("toutes les autres règles de l'annexe") not in whole
    assert all(f"EX-{number}" in said for number in range(12))
    with made(data).open_outline() as outline:
        names = [item.title for group in outline.root for item in group.children]
    assert [name for name in names if name.startswith("EX-")] == [f"EX-{number}" for number in range(5)]
    assert not [rule for rule in rules(run) if plain(rule) not in said]


def test_a_dossier_of_many_findings_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = [replace(RECEIPTS, rule=f"R-{number}") for number in range(6)]
    run = a_run(a_dossier(*GREEN, *crowd))
    whole = len(made(reports.render(run, "pdf")).pages)
    monkeypatch.setattr(printed, "ALL", 7)
    data = reports.render(run, "pdf")
    assert len(made(data).pages) < whole
    assert plain("et 5 autres constats") in text(data)
    assert not [rule for rule in rules(run) if plain(rule) not in text(data)]


LAID = (
    '#include "x"',
    "#eval(sys.inputs)",
    "$x^2$",
    "\\u{41}",
    "*gras* _i_ `c` <d1> @d1",
    "// a /* b */",
    "漢字 😀 \u0627",
)


@pytest.mark.parametrize("value", [*HOSTILE, *LAID])
def test_hostile_values_are_inert(value: str) -> None:
    place = Place(value, 3, 4, 5, value)
    finding = Finding(
        "R", f"depenses:{value}", BREACH, value, observed=value, expected=value, reason=value, missing=(value,),
        locations=(place,) * 40, excerpts=(value,) * 40, trace=((value, value),) * 60,
    )  # fmt: skip
    result = a_result(
        "R", BREACH, *[finding] * 3, title=value, clause=Clause(value, value), remedy=Remedy(value, value), note=value
    )
    waived = replace(result, rule="W", waiver=Waiver("W", value, value, value, value, None, None, place))
    act = Act(value, value, None, State.UNREADABLE, value, place)
    figures = Figures(None, value, (Amount(value, Decimal(1)),), (act,), (), (Attestation(*[value] * 3, None, value),))
    one = a_dossier(
        result, waived, reference=value, path=value, paste=(value,), upcoming=((value, value),), figures=figures
    )
    for run in (a_run(one, unused=(value,), notes=((value, value),), findings=(finding,)), a_run(one, one)):
        data = reports.render(run, "pdf")
        document = sound(data, "fr", "")
        assert len(document.pages) < 50
        pages = pypdfium2.PdfDocument(data)
        said = "".join(page.get_textpage().get_text_range() for page in pages)
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", said)
        if value in LAID[:5]:
            assert plain(value) in plain(said)
        for page in pages:
            reader = page.get_textpage()
            assert all(reader.get_rect(n)[2] < page.get_width() for n in range(reader.count_rects()))


def test_every_covered_sign_has_a_glyph() -> None:
    spans = [line.split("-") for line in (typeset.FONTS / "covered.txt").read_text("ascii").splitlines()]
    signs = [chr(code) for first, last in spans for code in range(int(first, 16), int(last, 16) + 1)]
    assert {*"«»’€œŸ\u202f\u00a0→✓✗≤\ufffd"} <= {*signs}
    assert typeset.shown(" ".join(signs)) == " ".join(signs)
    shown = [tuple(signs[start : start + 100]) for start in range(0, len(signs), 100)]
    run = replace(CASES["conforme"], notes=tuple((" ".join(part), " ".join(part)) for part in shown))
    assert reports.render(run, "pdf")  # typst refuses a sign without a glyph


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(UsageError, match=r"quitus\[rapports\]"):
        reports.render(CASES["conforme"], "pdf")
