"""`attest` as a person runs it: check, a workbook, decisions filled in, dossier.yaml with them and nothing else new."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import ROOT, Quitus

from checker.base import yamlfile
from checker.base.words import words
from checker.model import Outcome
from checker.plans.kinds import attested

DAY = ("--on", "2019-05-20")
SIGN, DATED = "A5-1-SIGN", "A5-2-DATE"
GOOD = {
    "Décision du contrôleur": "conforme",
    "Par": "Nadia CONTROLE, Service des finances",
    "Date": dt.date(2019, 5, 2),
    "Motif": "Signature comparée au spécimen déposé",
    "Pièce jugée": "etat-liquidatif.pdf",
}
DIRECT = {"--rule": SIGN, "--constat": "conforme", "--by": "Nadia", "--on": "2019-05-02", "--reason": "Vu"}
CALL = [part for pair in DIRECT.items() for part in pair]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compliant dossier without its attestations, and the workbook of its check."""
    folder = tmp_path_factory.mktemp("attest")
    shutil.copytree(ROOT / "fixtures/conforme", folder / "dossier")
    path = folder / "dossier/dossier.yaml"
    text = path.read_text("utf-8")
    path.write_text(text[: text.index("\nattestations:") + 1] + "attestations: []  # aucune\n", "utf-8", newline="\n")
    command = [sys.executable, "-m", "checker", "check", "dossier", *DAY, "--format", "xlsx", "--output", "r.xlsx"]
    assert subprocess.run(command, cwd=folder, check=False).returncode == 2
    return folder


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "work"))


def columns(sheet: Any) -> tuple[int, dict[str, int]]:
    row = next(line for line in sheet.iter_rows() if line[0].value == "Règle")
    return row[0].row, {cell.value: cell.column for cell in row}


def fill(path: Path, rules: dict[str, dict[str, object]], change: Callable[[Any], object] | None = None) -> None:
    """Write these cells of the first row of each rule, as a person would."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[2]
    head, at = columns(sheet)
    for rule, cells in rules.items():
        number = next(row for row in range(head + 1, sheet.max_row + 1) if sheet.cell(row, 1).value == rule)
        for title, value in cells.items():
            sheet.cell(number, at[title]).value = value
    if change is not None:
        change(book)
    book.save(path)


def listed(work: Path) -> list[dict[str, Any]]:
    found = yamlfile.load_data(work / "dossier/dossier.yaml")["attestations"]
    assert isinstance(found, list)
    return found


def outcomes(quitus: Quitus, work: Path, *rules: str) -> list[str]:
    report = json.loads(quitus("check", "dossier", *DAY, "--format", "json", cwd=work).stdout)
    found = {result["rule"]: result["outcome"] for result in report["dossiers"][0]["results"]}
    return [found[rule] for rule in rules]


# The workbook


def test_only_what_waits_for_a_person_can_be_filled_in(made: Path) -> None:
    sheet = openpyxl.load_workbook(made / "r.xlsx").worksheets[2]
    head, at = columns(sheet)
    assert sheet.protection.sheet
    assert not sheet.protection.password
    for cell in (cell for line in sheet.iter_rows(min_row=head + 1) for cell in line if not cell.protection.locked):
        assert cell.column in {at[title] for title in GOOD}
    fillable = {
        sheet.cell(row, 1).value
        for row in range(head + 1, sheet.max_row + 1)
        if not sheet.cell(row, at["Par"]).protection.locked
    }
    assert fillable == {"A1-EVAL", "A3-TRANSF", "A3-RESSOURCES", "A3-ELEMENTS", SIGN, DATED, "S-EX"}
    lists = {rule.formula1 for rule in sheet.data_validations.dataValidation if rule.type == "list"}
    assert '"conforme,non conforme,—"' in lists
    offered = next(text for text in lists if text.startswith("$"))
    first, last = (int(part.rpartition("$")[2]) for part in offered.split(":"))
    pieces = [sheet.cell(row, at["Pièces du dossier"]).value for row in range(first, last + 1)]
    assert "etat-liquidatif.pdf" in pieces
    assert "dossier.yaml" not in pieces


def test_the_sentence_that_opens_a_row_is_the_one_of_the_kind() -> None:
    assert attested.WORDS[Outcome.INDETERMINE.word] == words("fr")["attest.waiting"]


# There and back


def test_there_and_back(quitus: Quitus, work: Path) -> None:
    before = (work / "dossier/dossier.yaml").read_text("utf-8")
    assert outcomes(quitus, work, SIGN, DATED, "S-EX") == ["indetermine"] * 3
    no = {"Décision du contrôleur": "non conforme", "Date": "02/05/2019", "Pièce jugée": "titre.pdf"}
    fill(work / "r.xlsx", {SIGN: GOOD, DATED: {**GOOD, "Pièce jugée": None}, "S-EX": {**GOOD, **no}})
    dry = quitus("attest", "--from", "r.xlsx", "--dry-run", cwd=work)
    assert (dry.returncode, (work / "dossier/dossier.yaml").read_text("utf-8")) == (0, before)
    done = quitus("attest", "--from", "r.xlsx", cwd=work)
    assert (done.returncode, done.stderr) == (0, "")
    text = (work / "dossier/dossier.yaml").read_text("utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("  - {regle: ")]
    assert kept == before.replace("attestations: []  #", "attestations:   #").splitlines()
    said = {item["regle"]: item for item in listed(work)}
    assert {rule: item["constat"] for rule, item in said.items()} == {
        SIGN: "conforme",
        DATED: "conforme",
        "S-EX": "non_conforme",
    }
    assert said[DATED]["piece"] == "certification.pdf"
    assert {item["date"] for item in said.values()} == {"2019-05-02"}
    assert all(len(item["sha256"]) == 64 for item in said.values())
    assert outcomes(quitus, work, SIGN, DATED, "S-EX") == ["conforme", "conforme", "non_conforme"]
    again = quitus("attest", "--from", "r.xlsx", cwd=work)
    assert (again.returncode, again.stdout.count("déjà là")) == (0, 3)
    assert (work / "dossier/dossier.yaml").read_text("utf-8") == text


def test_a_person_not_the_machine(quitus: Quitus, work: Path) -> None:
    fill(work / "r.xlsx", {"S-EX": GOOD})
    assert quitus("attest", "--from", "r.xlsx", cwd=work).returncode == 0
    assert "dont 1 attestée par une personne" in quitus("check", "dossier", *DAY, cwd=work).stdout


def test_an_attestation_is_void_when_its_piece_changes(quitus: Quitus, work: Path) -> None:
    fill(work / "r.xlsx", {SIGN: GOOD})
    assert quitus("attest", "--from", "r.xlsx", cwd=work).returncode == 0
    with (work / "dossier/etat-liquidatif.pdf").open("ab") as stream:
        stream.write(b"\n")
    assert outcomes(quitus, work, SIGN) == ["indetermine"]


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_a_workbook_of_every_language(quitus: Quitus, work: Path, lang: str) -> None:
    said = words(lang)
    quitus("check", "dossier", *DAY, "--lang", lang, "--format", "xlsx", "--output", "r.xlsx", cwd=work)
    book = openpyxl.load_workbook(work / "r.xlsx")
    sheet = book.worksheets[2]
    sheet.sheet_state = "hidden"  # what was decided there still counts
    row = next(line for line in sheet.iter_rows() if line[0].value == said["flat.rule"])
    at = {cell.value: cell.column for cell in row}
    number = next(line[0].row for line in sheet.iter_rows() if line[0].value == SIGN)
    titles = ("flat.controller", "attest.by", "attest.date", "attest.reason", "attest.piece")
    for title, value in zip(titles, GOOD.values(), strict=True):
        sheet.cell(number, at[said[title]]).value = value
    sheet.cell(number, at[said["flat.controller"]]).value = said["outcome.non_conforme"]
    book.save(work / "r.xlsx")
    done = quitus("attest", "--from", "r.xlsx", cwd=work)
    assert done.returncode == 0, done.stderr
    assert [item["constat"] for item in listed(work)] == ["non_conforme"]


HOSTILE = [
    'dit "oui"',
    "vu : # non",
    "&a *a !!python <<",
    "'=1",
    "a\nb: c\n- d",
    "👩‍💻 vu",
    "\u202evu",
    "- x",
    "{a: [",
    "%",
]


def test_what_a_person_wrote_stays_text(quitus: Quitus, work: Path) -> None:
    rules = ["A1-EVAL", "A3-TRANSF", "A3-RESSOURCES", "A3-ELEMENTS", SIGN, DATED, "S-EX"]
    for start in (0, 3):
        said = dict(zip(rules, HOSTILE[start:], strict=False))
        shutil.rmtree(work / "dossier")
        shutil.copytree(ROOT / "fixtures/conforme", work / "dossier")
        path = work / "dossier/dossier.yaml"
        path.write_text(path.read_text("utf-8").partition("\nattestations:")[0] + "\n", "utf-8")
        quitus("check", "dossier", *DAY, "--format", "xlsx", "--output", "r.xlsx", cwd=work)
        fill(
            work / "r.xlsx", {rule: {**GOOD, "Motif": f"Vu {text}", "Par": f"N {text}"} for rule, text in said.items()}
        )
        done = quitus("attest", "--from", "r.xlsx", cwd=work)
        assert done.returncode == 0, done.stderr
        assert "\u202e" not in done.stdout
        found = {item["regle"]: item for item in listed(work)}
        assert {rule: item["motif"] for rule, item in found.items()} == {rule: f"Vu {said[rule]}" for rule in said}
        assert {rule: item["par"] for rule, item in found.items()} == {rule: f"N {said[rule]}" for rule in said}


# Refused

WRONG: dict[str, tuple[dict[str, dict[str, object]], str]] = {
    "no decision": ({SIGN: {**GOOD, "Décision du contrôleur": None}}, "la décision manque"),
    "unknown decision": ({SIGN: {**GOOD, "Décision du contrôleur": "confrome"}}, "Écrire « conforme » ?"),
    "nobody": ({SIGN: {**GOOD, "Par": "  "}}, "« Par » manque"),
    "no date": ({SIGN: {**GOOD, "Date": None}}, "la date manque"),
    "no reason": ({SIGN: {**GOOD, "Motif": "…"}}, "« Motif » manque"),
    "no piece": ({"S-EX": {**GOOD, "Pièce jugée": None}}, "la pièce jugée manque"),
    "future": ({SIGN: {**GOOD, "Date": "01/01/2999"}}, "la date est à venir"),
    "after the control": ({SIGN: {**GOOD, "Date": dt.date(2019, 5, 21)}}, "la date suit le contrôle"),
    "month first": ({SIGN: {**GOOD, "Date": "05/31/2019"}}, "date illisible"),
    "unknown piece": ({SIGN: {**GOOD, "Pièce jugée": "titr.pdf"}}, "Écrire « titre.pdf » ?"),
    "outside": ({SIGN: {**GOOD, "Pièce jugée": "../r.xlsx"}}, "ce n'est pas une pièce"),
    "itself": ({SIGN: {**GOOD, "Pièce jugée": "dossier.yaml"}}, "ce n'est pas une pièce"),
    "machine's own": ({"A1-NB": GOOD}, "aucune personne n'atteste cette règle"),
    "undecidable": ({"A3-VIABLE": GOOD}, "aucune personne n'atteste cette règle"),
    "long": ({SIGN: {**GOOD, "Motif": "x" * 2001}}, "plus de 2000 signes"),
    "formula": ({SIGN: {**GOOD, "Décision du contrôleur": '=IF(1=1,"conforme","")'}}, "une formule ne décide pas"),
    "formula as a name": ({SIGN: {**GOOD, "Par": "=A1"}}, "une formule ne décide pas"),
}


@pytest.mark.parametrize("case", WRONG)
def test_refused(quitus: Quitus, work: Path, case: str) -> None:
    cells, said = WRONG[case]
    before = (work / "dossier/dossier.yaml").read_bytes()
    fill(work / "r.xlsx", {DATED: GOOD, **cells})
    done = quitus("attest", "--from", "r.xlsx", cwd=work)
    assert done.returncode == 64, done.stdout
    assert said in done.stderr
    assert "r.xlsx 001 CALV-2019-01!G" in done.stderr
    assert done.stderr.endswith("rien n'a été écrit\n")
    assert (work / "dossier/dossier.yaml").read_bytes() == before


def test_all_errors_at_once(quitus: Quitus, work: Path) -> None:
    fill(work / "r.xlsx", {SIGN: {"Par": "X"}, DATED: {**GOOD, "Date": "hier"}, "A1-NB": GOOD})
    done = quitus("attest", "--from", "r.xlsx", cwd=work)
    assert done.returncode == 64
    for said in (
        "la décision manque",
        "la date manque",
        "« Motif » manque",
        "date illisible",
        "A1-NB : aucune personne",
    ):
        assert said in done.stderr


def edit(book: Any, old: str, new: object) -> None:
    for line in book.worksheets[2].iter_rows():
        for cell in line:
            if cell.value == old:
                cell.value = new


BOOKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "a column is gone": (lambda book: edit(book, "Motif", "Notes"), "colonne absente ou en double : Motif"),
    "a column is double": (lambda book: edit(book, "Objet", "Par"), "colonne absente ou en double : Par"),
    "no table": (lambda book: edit(book, "Règle", "Code"), "n'a pas de feuille de dossier à remplir"),
    "another rule": (lambda book: edit(book, "A5-1-SIGN", "A5-1-SIGNE"), "Écrire « A5-1-SIGN » ?"),
    "no dossier": (lambda book: edit(book, "dossier", "ailleurs"), "aucun dossier.yaml là où"),
    "above": (lambda book: edit(book, "dossier", "../ailleurs/../.."), "hors du répertoire de départ"),
    "absolute": (lambda book: edit(book, "dossier", "/"), "hors du répertoire de départ"),
    "control": (lambda book: edit(book, "CALV-2019-01", "x\u202ey"), ""),
}


@pytest.mark.parametrize("case", BOOKS)
def test_another_workbook(quitus: Quitus, work: Path, case: str) -> None:
    change, said = BOOKS[case]
    fill(work / "r.xlsx", {SIGN: GOOD}, change)
    done = quitus("attest", "--from", "r.xlsx", cwd=work)
    assert done.returncode == (64 if said else 0), done.stderr
    assert said in done.stderr
    assert "\u202e" not in done.stderr + done.stdout


def test_nothing_filled_in(quitus: Quitus, work: Path) -> None:
    assert quitus("attest", "--from", "r.xlsx", cwd=work).returncode == 66
    fill(work / "r.xlsx", {SIGN: {**GOOD, "Décision du contrôleur": "—"}})
    done = quitus("attest", "--from", "r.xlsx", cwd=work)
    assert (done.returncode, "aucune décision" in done.stderr) == (66, True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dossier.yaml", "ce dossier.yaml a changé"),
        ("etat-liquidatif.pdf", "la pièce « etat-liquidatif.pdf » a changé"),
    ],
)
def test_what_changed_since_is_judged_again(quitus: Quitus, work: Path, name: str, said: str) -> None:
    fill(work / "r.xlsx", {SIGN: GOOD})
    with (work / "dossier" / name).open("ab") as stream:
        stream.write(b"\n")
    done = quitus("attest", "--from", "r.xlsx", cwd=work)
    assert (done.returncode, said in done.stderr) == (64, True)
    assert listed(work) == []


def test_a_decision_is_never_replaced(quitus: Quitus, work: Path) -> None:
    assert quitus("attest", "dossier", *CALL, cwd=work).returncode == 0
    fill(work / "r.xlsx", {SIGN: {**GOOD, "Décision du contrôleur": "non conforme", "Par": "Paul AUTRE"}})
    done = quitus("attest", "--from", "r.xlsx", cwd=work)
    assert done.returncode == 64
    assert "conforme, par Nadia, le 2019-05-02" in done.stderr
    assert "non_conforme, par Paul AUTRE, le 2019-05-02" in done.stderr
    assert "dossier/dossier.yaml:" in done.stderr
    assert len(listed(work)) == 1


def test_a_dossier_that_has_moved_is_named(quitus: Quitus, work: Path) -> None:
    fill(work / "r.xlsx", {SIGN: GOOD})
    (work / "depot").mkdir()
    (work / "dossier").rename(work / "depot/autre")
    assert quitus("attest", "--from", "r.xlsx", cwd=work).returncode == 64
    assert quitus("attest", "--from", "r.xlsx", "depot", cwd=work).returncode == 0
    assert "A5-1-SIGN" in (work / "depot/autre/dossier.yaml").read_text("utf-8")


def test_root(quitus: Quitus, work: Path) -> None:
    fill(work / "r.xlsx", {SIGN: GOOD})
    assert quitus("attest", "--from", work / "r.xlsx", "--root", work).returncode == 0
    assert len(listed(work)) == 1


def test_a_zip_is_not_written_in(quitus: Quitus, work: Path) -> None:
    with zipfile.ZipFile(work / "recu.zip", "w") as archive:
        for path in sorted((work / "dossier").rglob("*")):
            archive.write(path, path.relative_to(work / "dossier"))
    quitus("check", "recu.zip", *DAY, "--format", "xlsx", "--output", "z.xlsx", cwd=work)
    before = (work / "recu.zip").read_bytes()
    fill(work / "z.xlsx", {SIGN: GOOD})
    for call in (("--from", "z.xlsx"), ("--from", "z.xlsx", "recu.zip"), ("recu.zip", *CALL)):
        done = quitus("attest", *call, cwd=work)
        assert (done.returncode, "dans un zip" in done.stderr) == (64, True)
    assert (work / "recu.zip").read_bytes() == before


def test_other_rules_than_those_of_the_report_are_said(quitus: Quitus, work: Path) -> None:
    fill(work / "r.xlsx", {SIGN: GOOD}, lambda book: edit(book, book.worksheets[2]["B7"].value, "dinsic 0.9, sha256 0"))
    done = quitus("attest", "--from", "r.xlsx", cwd=work)
    assert (done.returncode, "avec d'autres règles" in done.stderr) == (0, True)


# One attestation, by the command

CALLS: dict[str, tuple[dict[str, str | None], int, str]] = {
    "done": ({}, 0, "écrit : A5-1-SIGN conforme"),
    "dry": ({"--dry-run": None}, 0, "serait écrit"),
    "french date": ({"--on": "02/05/2019", "--piece": "titre.pdf"}, 0, "pièce titre.pdf"),
    "unknown rule": ({"--rule": "A5-1-SIG"}, 64, "Écrire « A5-1-SIGN » ?"),
    "word": ({"--constat": "refusé"}, 64, "décision inconnue"),
    "piece": ({"--rule": "S-EX"}, 64, "la pièce jugée manque"),
    "both": ({"--from": "r.xlsx"}, 64, "l'un ou l'autre"),
}


@pytest.mark.parametrize("case", CALLS)
def test_direct(quitus: Quitus, work: Path, case: str) -> None:
    change, code, said = CALLS[case]
    call = [part for pair in (DIRECT | change).items() for part in pair if part is not None]
    done = quitus("attest", "dossier", *call, cwd=work)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert len(listed(work)) == (case in ("done", "french date"))


@pytest.mark.parametrize(
    "call", [(), ("dossier",), ("--rule", SIGN), ("dossier", "--rule", SIGN), ("--from", "no.xlsx")]
)
def test_a_wrong_call(quitus: Quitus, work: Path, call: tuple[str, ...]) -> None:
    done = quitus("attest", *call, cwd=work)
    assert done.returncode == 64
    assert "faute interne" not in done.stderr
