"""The formats that are tables: csv, markdown, gitlab and xlsx say what the JSON report says, and obey nothing."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import re
import sys
import time
import zipfile
from collections import Counter
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_reports import (
    BREACH,
    CASES,
    CEILING,
    GOLDEN,
    GREEN,
    HOSTILE,
    LATE,
    RECEIPTS,
    UNKNOWN,
    a_dossier,
    a_result,
    a_run,
    runs,
)

from checker import reports
from checker.base.words import languages, words
from checker.errors import UsageError
from checker.model import Clause, FileDigest, Finding, Outcome, Place, Remedy, Verdicts
from checker.reports import flat, rows
from checker.reports.formats import xlsx

EXTENSIONS = {"csv": "csv", "markdown": "md", "gitlab": "gitlab.json"}
EVERY = (*EXTENSIONS, "xlsx")
FORMULAS = (*"=+-@", "\t=", "\r=", "\n=", "\uff1d", "\uff0b", "\uff0d", "\uff20", " =", "\u00a0=")


def table(data: bytes) -> list[dict[str, str]]:
    text = data.decode("utf-8-sig")
    assert data.startswith(b"\xef\xbb\xbf")
    assert text.count("\n") == text.count("\r\n")
    found = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    return [{key: cell.removeprefix("'") for key, cell in line.items()} for line in found]


def sheets(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def grid(sheet: Any, head: str) -> list[dict[str, Any]]:
    """The rows of the table of a sheet whose first column has that title."""
    lines = list(sheet.iter_rows(values_only=True))
    start = next(index for index, line in enumerate(lines) if line[0] == head and line[2])
    return [dict(zip(lines[start], line, strict=True)) for line in lines[start + 1 :]]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", EXTENSIONS)
def test_golden(case: str, name: str) -> None:
    path = GOLDEN / f"{case}.{EXTENSIONS[name]}"
    found = reports.render(CASES[case], name).replace(b"\r\n", b"\n")  # git may not keep line ends
    if os.environ.get("QUITUS_UPDATE_GOLDEN"):
        path.write_bytes(found)
    assert found.decode() == path.read_bytes().replace(b"\r\n", b"\n").decode()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(run=runs(), lang=st.sampled_from(languages()))
def test_tables_agree_with_json(run: Verdicts, lang: str) -> None:
    plain = json.loads(reports.render(run, "json", lang=lang))
    said = {name: reports.render(run, name, lang=lang) for name in EVERY}
    assert said == {name: reports.render(run, name, lang=lang, color=True, width=20) for name in EVERY}
    agrees_csv(table(said["csv"]), plain)
    agrees_gitlab(json.loads(said["gitlab"]), run, lang)
    agrees_markdown(said["markdown"].decode(), run, lang)
    agrees_xlsx(sheets(said["xlsx"]), plain, lang)
    inert(said)


def agrees_csv(lines: list[dict[str, str]], plain: Any) -> None:
    assert {line["decision_execution"] for line in lines} == {plain["decision"]}
    of_dossiers = [line for line in lines if line["decision"]]
    assert len(lines) - len(of_dossiers) == len(plain["findings"])
    position = 0
    for dossier in plain["dossiers"]:
        for result in dossier["results"]:
            for finding in result["findings"] or [None]:
                line = of_dossiers[position]
                position += 1
                assert line["decision"] == dossier["decision"]
                assert (line["regle"], line["resultat"]) == (result["rule"], result["outcome"])
                assert line["deroge"] == ("oui" if result["waived"] else "non")
                assert line["constat"] == (finding["outcome"] if finding else "")
    assert position == len(of_dossiers)


def agrees_gitlab(entries: Any, run: Verdicts, lang: str) -> None:
    found = rows.all_rows(run, words(lang))
    assert len(entries) == len(found)
    severities = {entry["severity"] for entry in entries}
    assert ("blocker" in severities) == (run.decision == "non_conforme")
    assert bool(severities & {"blocker", "critical"}) == (run.decision in ("non_conforme", "indetermine"))
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    assert all(set(entry) == {"description", "check_name", "fingerprint", "severity", "location"} for entry in entries)
    assert all(entry["location"]["lines"]["begin"] >= 1 and entry["location"]["path"] for entry in entries)


def agrees_markdown(text: str, run: Verdicts, lang: str) -> None:
    said = words(lang)
    assert said["text.decision"].format(decision=said[f"decision.{run.decision}"]) in text.splitlines()[0]
    assert rows.counts([result for verdict in run.dossiers for result in verdict.results], said) in text
    body = [line for line in text.splitlines() if line.startswith("| ")]
    heads = sum(line.startswith("| --- |") for line in body)
    dossiers = len(run.dossiers) if len(run.dossiers) > 1 else 0
    assert len(body) - 2 * heads == len(rows.all_rows(run, said)) + dossiers
    for key in {verdict.decision for verdict in run.dossiers} if dossiers else ():
        shown = sum(line.startswith(f"| {said[f'symbol.{key}']} {said[f'decision.{key}']} |") for line in body)
        assert shown == sum(verdict.decision == key for verdict in run.dossiers)


def agrees_xlsx(book: Any, plain: Any, lang: str) -> None:
    said = words(lang)
    summary, findings, *own = book.worksheets
    known = {line[0]: line[1] for line in list(summary.iter_rows(values_only=True))[:12] if line[0]}
    assert known[said["flat.run_decision"]] == said[f"decision.{plain['decision']}"]
    assert known[said["flat.exit"]] == plain["exit_code"]
    for outcome, count in plain["outcomes"].items():
        assert known[said[f"outcome.{outcome}"]] == count
    lines = grid(summary, said["flat.dossier"])
    decisions = Counter(said[f"decision.{dossier['decision']}"] for dossier in plain["dossiers"])
    assert Counter(line[said["flat.decision"]] for line in lines) == decisions
    assert len(own) == len(plain["dossiers"])
    expected: Counter[Any] = Counter()
    for dossier in plain["dossiers"]:
        for result in dossier["results"]:
            expected[result["rule"], said[f"outcome.{result['outcome']}"]] += max(len(result["findings"]), 1)
    for tables in ([findings], own):
        found: Counter[Any] = Counter()
        for sheet in tables:
            head = said["flat.dossier" if sheet is findings else "flat.rule"]
            for line in grid(sheet, head):
                if line[said["flat.outcome"]]:
                    found[line[said["flat.rule"]], line[said["flat.outcome"]]] += 1
        assert found == expected
    for sheet in own:
        assert not any(line[said["flat.controller"]] for line in grid(sheet, said["flat.rule"]))
    for sheet in book.worksheets:
        assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n"}
        assert sheet.auto_filter.ref


def inert(said: dict[str, bytes]) -> None:
    for name in EXTENSIONS:
        text = said[name].decode().replace("\r\n", "\n").removeprefix("\ufeff")
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]", text), name
        assert text.endswith("\n")
    text = said["markdown"].decode()
    assert not re.search(r"(?<!\\)(\[|<(?!!-- -->)|`|://)", text)
    for line in csv.reader(io.StringIO(said["csv"].decode("utf-8-sig"), newline="")):
        assert not any(re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]", cell) for cell in line)
    with zipfile.ZipFile(io.BytesIO(said["xlsx"])) as archive:
        for name in archive.namelist():
            assert not re.search(rb"<f[ >]", archive.read(name)), name


@pytest.mark.parametrize("value", [*HOSTILE, *FORMULAS, "\\\\hote\\partage\\x", "file:///x", "../x", "'=1", "%41#x"])
def test_hostile_values_are_inert(value: str) -> None:
    spot = Place(value, 1, 1, 1, value)
    finding = Finding("R", value, BREACH, value, value, value, value, (value,), (spot,), (value,))
    result = a_result("R", BREACH, finding, title=value, clause=Clause(value, value), remedy=Remedy(value, value))
    dossier = a_dossier(result, reference=value, path="depot", files=(FileDigest(value, "ab" * 32, 1),))
    run = a_run(dossier, findings=(finding,), unused=(value,), notes=((value, value),))
    said = {name: reports.render(run, name) for name in EVERY}
    inert(said)
    for sheet in sheets(said["xlsx"]).worksheets:
        for line in sheet.iter_rows():
            for cell in line:
                if cell.hyperlink and cell.hyperlink.target:
                    assert cell.hyperlink.target.startswith("depot\\")
                    assert not re.search(r"\.\.|:|\\\\", cell.hyperlink.target)


@pytest.mark.parametrize("start", FORMULAS)
def test_no_cell_of_csv_is_a_formula(start: str) -> None:
    run = a_run(a_dossier(a_result("R", BREACH, Finding("R", "", BREACH, "x", observed=f'{start}1","=2'))))
    (line,) = list(csv.DictReader(io.StringIO(reports.render(run, "csv").decode("utf-8-sig"), newline="")))
    assert line["observe"].startswith(("'", "\\", "\u21e5", "\u21b5"))
    assert line["observe"].endswith('1","=2')


def test_csv_has_the_same_columns_and_codes_in_every_language() -> None:
    found = [table(reports.render(CASES["non_conforme"], "csv", lang=lang)) for lang in languages()]
    assert tuple(found[0][0]) == flat.Line._fields
    assert all(lines == found[0] for lines in found)


@pytest.mark.parametrize("name", EVERY)
def test_nothing_decided_is_missing(name: str) -> None:
    """A run or a dossier that no result explains still says its decision."""
    empty, mute = a_run(), a_run(a_dossier(decision="indetermine"))
    for run, text in ((empty, "text.nothing"), (mute, "text.unread")):
        data = reports.render(run, name)
        if name == "xlsx":
            told = [cell for line in sheets(data).worksheets[1].iter_rows(values_only=True) for cell in line]
            assert words("fr")[text] in told
        elif name == "gitlab":
            assert [entry["severity"] for entry in json.loads(data)] == ["critical"]
        elif name == "csv":
            (line,) = table(data)
            assert (line["decision_execution"], line["constat"]) == ("indetermine", "indetermine")
        else:
            assert words("fr")["decision.indetermine"] in data.decode().splitlines()[0]


def test_gitlab_fingerprints_follow_a_finding_that_moves() -> None:
    moved = tuple(
        dataclasses.replace(item, locations=tuple(place._replace(line=900) for place in item.locations))
        for item in RECEIPTS.findings
    )
    runs = [a_run(a_dossier(CEILING, result)) for result in (RECEIPTS, dataclasses.replace(RECEIPTS, findings=moved))]
    before, after = ([entry["fingerprint"] for entry in json.loads(reports.render(run, "gitlab"))] for run in runs)
    assert before == after


def test_the_workbook_depends_on_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for zone in ("UTC", "Pacific/Kiritimati"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        found.append(reports.render(CASES["non_conforme"], "xlsx"))
    monkeypatch.delenv("TZ")
    time.tzset()
    assert found[0] == found[1]
    with zipfile.ZipFile(io.BytesIO(found[0])) as archive:
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"1980-01-01T00:00:00Z" in archive.read("docProps/core.xml")


def test_the_workbook_leads_to_the_pieces_and_leaves_a_column_to_fill() -> None:
    finding = dataclasses.replace(CEILING.findings[0], locations=(Place("pièces/état n°1.xlsx"),))
    files = (FileDigest("pièces/état n°1.xlsx", "ab" * 32, 1),)
    run = a_run(a_dossier(dataclasses.replace(CEILING, findings=(finding,)), LATE, files=files))
    book = sheets(reports.render(run, "xlsx"))
    summary, findings, own = book.worksheets
    assert book.sheetnames == ["Synthèse", "Constats", "001 EX-2019-01"]
    links = [cell.hyperlink for line in findings.iter_rows() for cell in line if cell.hyperlink]
    assert [link.target for link in links] == ["dossiers\\EX-2019-01\\pièces\\état%20n°1.xlsx"]
    assert [cell.hyperlink.location for line in summary.iter_rows() for cell in line if cell.hyperlink] == [
        "'001 EX-2019-01'!A1"
    ]
    head = [cell.value for cell in findings[1]]
    assert "Décision du contrôleur" not in head
    assert "Décision du contrôleur" in {cell.value for line in own.iter_rows() for cell in line}
    assert findings.freeze_panes == "C2"
    assert findings.auto_filter.ref.startswith("A1:")
    assert own.freeze_panes
    assert {cell.value for line in findings.iter_rows(min_row=2) for cell in line} >= {"200000.01", "cédant"}


def test_many_dossiers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "SHEETS", 3)
    monkeypatch.setattr(xlsx, "LINES", 4)
    many = [a_dossier(CEILING, LATE, reference="même/nom", path=f"depot/{number}") for number in range(250)]
    run = a_run(a_dossier(*GREEN, reference="VERT"), *many)
    book = sheets(reports.render(run, "xlsx"))
    assert book.sheetnames[2:] == ["001 même_nom", "002 même_nom", "003 même_nom"]
    told = {line[0] for line in book.worksheets[0].iter_rows(values_only=True)}
    assert any(str(text).startswith("248 dossiers n'ont pas leur feuille") for text in told)
    assert any("lignes ne sont pas dans ce classeur" in str(text) for text in told)
    kept = grid(book.worksheets[1], "Dossier")
    assert [line["Résultat"] for line in kept] == ["non conforme"] * 4
    text = reports.render(run, "markdown").decode().replace("\u202f", " ").replace("\u00a0", " ")
    assert "et 51 autres dossiers" in text
    assert "et 50 autres constats" in text
    assert len(json.loads(reports.render(run, "gitlab"))) == 500


def test_without_its_library_the_workbook_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(UsageError, match=r"quitus\[rapports\]"):
        reports.render(CASES["conforme"], "xlsx")


def test_every_outcome_is_a_column_of_the_summary() -> None:
    (line,) = grid(sheets(reports.render(CASES["indetermine"], "xlsx")).worksheets[0], "Dossier")
    counts = {outcome: line[words("fr")[f"outcome.{outcome.word}"]] for outcome in Outcome}
    assert counts[UNKNOWN] == 1
    assert sum(counts.values()) == len(CASES["indetermine"].dossiers[0].results)
