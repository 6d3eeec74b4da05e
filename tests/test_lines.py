# ruff: noqa: E501 (a case is read on one line)
"""Spreadsheets -> lines of expense and totals. The cases are data; the files are real ones."""

from __future__ import annotations

import csv
import importlib.util
import io
import re
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table as OdfTable
from odf.table import TableCell, TableRow
from odf.text import P

from checker.base import dictionary
from checker.base.grid import Cell, Grid
from checker.base.unreadable import Unreadable, letters
from checker.facts import rows as lines
from checker.facts.readers import csv as csv_reader
from checker.facts.readers import ods as ods_reader
from checker.facts.readers import xlsx as xlsx_reader
from checker.model import Fault, Place, Row

SAMPLES = Path(__file__).resolve().parent.parent / "fixtures" / "readers"
TABLE = dictionary.load().tables["depenses"]
READERS: dict[str, ModuleType] = {"csv": csv_reader, "xlsx": xlsx_reader, "ods": ods_reader}


def _maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_readers", SAMPLES / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = _maker()


def table(text: str, name: str = "") -> Grid:
    """A grid of cells written `a | b | c`, one row a line; places as a spreadsheet has them."""
    rows = []
    for number, line in enumerate(text.strip("\n").splitlines(), 1):
        parts = [part.strip(" ") for part in line.split("|")]
        rows.append(
            tuple(
                Cell(part, Place("x", place=f"{name}!{letters(column)}{number}"), "erreur" if part == "#REF!" else None)
                for column, part in enumerate(parts)
            )
        )
    width = max(map(len, rows), default=0)
    return Grid(name, tuple(row + (Cell("", Place("x", place="")),) * (width - len(row)) for row in rows))


def read(text: str) -> tuple[list[Row], list[Row], list[Fault]]:
    return lines.read([table(text)], TABLE)


def column(rows: list[Row], name: str) -> list[str | None]:
    return [row[name].raw for row in rows]


HEAD = "N° ligne | Compte | Objet | Fournisseur | N° facture | Date facture | Montant demandé\n"
ONE = "1 | 6113110000 | Sprint 1 | ACME | F-1 | 14/12/2018 | 60000\n"
TWO = "2 | 6113120000 | Sprint 2 | Beta | F-2 | 31/01/2019 | 24000\n"

# title, rows under HEAD, amounts of the lines, totals (label, amount shown, sum)
BODIES: list[tuple[str, str, list[str | None], list[tuple[str | None, str, str | None]]]] = [
    ("lines only", ONE + TWO, ["60000", "24000"], []),
    ("total", ONE + TWO + "Total | | | | | | 84000", ["60000", "24000"], [("Total", "84000", "84000.00")]),
    ("a wrong total is said", ONE + "Total | | | | | | 7", ["60000"], [("Total", "7", "60000.00")]),
    (
        "subtotals, then the total",
        ONE + "| | Sous-total | | | | 60000\n" + TWO + "| | SOUS TOTAL | | | | 1\n| | TOTAL GÉNÉRAL | | | | 84000",
        ["60000", "24000"],
        [("Sous-total", "60000", "60000.00"), ("SOUS TOTAL", "1", "24000.00"), ("TOTAL GÉNÉRAL", "84000", "84000.00")],
    ),
    (
        "subtotals by account at the foot",
        ONE
        + TWO
        + "Sous-total 6113110000 | | | | | | 60000\nSous-total | 6113120000 | | | | | 24000\nTotal | | | | | | 84000",
        ["60000", "24000"],
        [
            ("Sous-total 6113110000", "60000", "60000.00"),
            ("Sous-total", "24000", "24000.00"),
            ("Total", "84000", "84000.00"),
        ],
    ),
    (
        "groups of a spreadsheet: total by supplier in its column",
        ONE + "| | | Total ACME | | | 60000\n" + TWO + "| | | Total Beta | | | 24000\n| | | Total général | | | 84000",
        ["60000", "24000"],
        [("Total ACME", "60000", "60000.00"), ("Total Beta", "24000", "24000.00"), ("Total général", "84000", "84000.00")],
    ),
    ("cumul", ONE + TWO + "Cumul | | | | | | 84000", ["60000", "24000"], [("Cumul", "84000", "84000.00")]),
    ("amounts alone that are the sum", ONE + TWO + "| | | | | | 84000", ["60000", "24000"], [(None, "84000", "84000.00")]),
    ("amounts alone that are not: a claim", ONE + TWO + "| | | | | | 9", ["60000", "24000", "9"], []),
    ("account and amount alone: a claim", ONE + "| 6113110000 | | | | | 60000", ["60000", "60000"], []),
    ("a supplier named Total", "1 | 6113110000 | Gaz | Total Energies | F-1 | | 5\n" + TWO, ["5", "24000"], []),
    ("a supplier named Total, without number", "| | Gaz | TOTAL | F-9 | | 5\n" + TWO, ["5", "24000"], []),
    ("an object that begins with report", "| | Report de charge | ACME | | | 5\n" + TWO, ["5", "24000"], []),
    ("a total word with a description is a claim", ONE + "Totalité | | du lot 3 | | | | 9", ["60000", "9"], []),
    ("« reporting » is not « report »", ONE + "| | Reporting mensuel | | | | 9", ["60000", "9"], []),
    ("subtotal beside a supplier", ONE + "| | Sous-total | ACME | | | 60000", ["60000"], [("Sous-total", "60000", "60000.00")]),
    (
        "the foot is not lines",
        ONE
        + "Total | | | | | | 60000\nArrêté à la somme de soixante mille euros\nDéjà facturé | | | | | | 1\n"
        + "Plafond | | | | | | 200000\nReste | | | | | | 2\nNet à payer | | | | | | 60000\nFait à Paris | | | | | 04/03/2019 |",
        ["60000"],
        [("Total", "60000", "60000.00")],
    ),
    ("a line under the total stays a line", ONE + "Total | | | | | | 60000\n" + TWO, ["60000", "24000"], [("Total", "60000", "60000.00")]),
    ("HT and TVA are not of the column", ONE + "Total HT | | | | | | 50000\nTotal TTC | | | | | | 60000", ["60000"], [("Total TTC", "60000", "60000.00")]),
    ("a total that shows no amount says nothing", ONE + "Total | | | | | | ", ["60000"], []),
    ("an unreadable amount makes the sum unknown", ONE + "2 | | | Beta | F-2 | | 1.234\nTotal | | | | | | 7", ["60000", "1.234"], [("Total", "7", None)]),
    ("an absent amount makes the sum unknown", ONE + "2 | | | Beta | F-2 | | \nTotal | | | | | | 7", ["60000", None], [("Total", "7", None)]),
    ("a carried amount has no line", "Report | | | | | | 5\n" + ONE, ["60000"], [("Report", "5", None)]),
    ("headings and repeated headers are passed over", "Lot n° un\n" + ONE + HEAD + "Lot deux\n" + TWO, ["60000", "24000"], []),
    ("a row that numbers the columns", "1|2|3|4|5|6|7\n" + ONE, ["60000"], []),
    ("a line with a number only is a line", ONE + "2 | | | | | | ", ["60000", None], []),
    ("blank rows", "\n" + ONE + "\u00a0 | \u202f | | | | |\n" + TWO, ["60000", "24000"], []),
    ("an amount alone that no one can read", ONE + "| | | | | | douze", ["60000", "douze"], []),
    ("a signature without total", ONE + "Fait à Caen | | | | | 04/03/2019 | ", ["60000"], []),
    ("words under the lines that claim an amount", ONE + "Frais | 6113110000 | | | | | 9", ["60000", "9"], []),
    ("an error cell keeps its row", ONE + "| | | | | | #REF!", ["60000", "#REF!"], []),
]  # fmt: skip


@pytest.mark.parametrize(("body", "amounts", "totals"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
def test_lines_and_totals(
    body: str, amounts: list[str | None], totals: list[tuple[str | None, str, str | None]]
) -> None:
    rows, sums, faults = read(HEAD + body)
    assert column(rows, "montant") == amounts
    assert [(row["libelle"].raw, row["montant"].raw, row["somme"].raw) for row in sums] == totals
    assert all((row["somme"].raw is None) == bool(row["somme"].fault) for row in sums)
    assert not faults


# header, field -> column expected (None: no header)
HEADERS: list[tuple[str, dict[str, int] | None]] = [
    ("ligne | compte_pce | montant", {"ligne": 0, "compte_pce": 1, "montant": 2}),
    ("facture.numero | facture.montant_ttc | montant", {"facture.numero": 0, "facture.montant_ttc": 1, "montant": 2}),
    ("LIGNE | Facture.Date | MONTANT", {"ligne": 0, "facture.date": 1, "montant": 2}),
    ("siret | pourcentage | montant", {"fournisseur.siret": 0, "quote_part.pourcentage": 1, "montant": 2}),
    ("N°\u00a0ligne | No  EJ | Numéro DP | Pénalités", {"ligne": 0, "engagement.numero": 1, "paiement.numero": 2, "penalites": 3}),
    ("Nº ligne | N° d’engagement | PENALITES", {"ligne": 0, "engagement.numero": 1, "penalites": 2}),
    ("N° | HT (€) | Taux TVA | TVA € | TTC en € | Montant (EUR)", {"ligne": 0, "facture.montant_ht": 1, "facture.taux_tva": 2, "facture.montant_tva": 3, "facture.montant_ttc": 4, "montant": 5}),
    ("N° | TVA % | TVA | Montant demandé TTC (€)", {"ligne": 0, "facture.taux_tva": 1, "facture.montant_tva": 2, "montant": 3}),
    ("N° ligne | N° facture | Facture TTC | Montant", {"ligne": 0, "facture.numero": 1, "montant": 3}),
    ("N° ligne | N° EJ | Poste | Montant", {"ligne": 0, "engagement.numero": 1, "montant": 3}),
    ("N° EJ | Poste | Objet | Montant", {"engagement.numero": 0, "objet": 2, "montant": 3}),
    ("Poste | Objet | Montant", {"ligne": 0, "objet": 1, "montant": 2}),
    ("date | numero | montant | ligne", None),
    ("Objet | Fournisseur | SIRET", None),
    ("ligne | montant", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), HEADERS)
def test_headers(text: str, expected: dict[str, int] | None) -> None:
    values = " | ".join(f"v{at}" for at in range(text.count("|") + 1))
    rows, _, faults = read(f"Titre\n{text}\n{values}")
    if expected is None:
        assert [fault.what for fault in faults] == ["aucune ligne d'en-tête reconnue dans le tableur"]
        assert not rows
    else:
        assert {name: value.raw for name, value in rows[0].items()} == {"ligne": "1"} | {
            name: f"v{at}" for name, at in expected.items()
        }


def test_the_values_of_a_line() -> None:
    rows, _, _ = read(
        "N° ligne | Compte | Groupe marchandises | N° DP | Date facture | Date de paiement | Montant\n"
        "1 | PCE/6113110000 | # | 195567 | 43496 | 12.01.2019 | 12 345,67\n"
        "2 | 0615 |  | 000195567 | 2018-12-14 | 90000 | 12\u202f345,67"
    )
    assert {name: value.raw for name, value in rows[0].items()} == {
        "ligne": "1",
        "compte_pce": "PCE/6113110000",
        "groupe_marchandises": None,
        "paiement.numero": "195567",  # a lost zero is not guessed back
        "facture.date": "2019-01-31",
        "paiement.date": "12.01.2019",
        "montant": "12 345,67",
    }
    assert column(rows, "montant")[1] == "12\u202f345,67"
    assert column(rows, "paiement.date")[1] == "90000"
    assert rows[1]["groupe_marchandises"] == (None, Place("x", place="!C3"), None)
    assert "fournisseur.nom" not in rows[0]


def test_lines_without_numbers_are_numbered() -> None:
    rows, _, _ = read("Objet | N° facture | Montant\na | F1 | 1\n\nTotal | | 1\nb | F2 | 2")
    assert [(row["ligne"].raw, row["ligne"].place.place) for row in rows] == [("1", "!A2"), ("2", "!A5")]


def test_two_columns_for_one_field() -> None:
    same = "N° | Objet | Montant | Montant demandé\n1 | a | 5 | 5\n2 | b | 6 | \n"
    assert not read(same)[2]
    rows, _, faults = read(same + "3 | c | 7 | 8")
    assert [bool(row["montant"].fault) for row in rows] == [False, False, True]
    assert "deux colonnes" in faults[0].what
    assert faults[0].place.place == "!D1"


def test_two_sheets_with_lines() -> None:
    rows, _, faults = lines.read([table("N° | Objet | Montant\n1 | a | 5", "A"), table(HEAD + ONE, "B")], TABLE)
    assert column(rows, "montant") == ["60000"]
    assert [(fault.what, fault.place.place) for fault in faults] == [
        ("deux feuilles portent un en-tête : « B » est lue, « A » ne l'est pas", "A!A1")
    ]
    assert not lines.read([table("N° | Objet | Montant", "A"), table(HEAD + ONE, "B")], TABLE)[2]


def test_a_second_header_makes_what_follows_unreadable() -> None:
    rows, _, faults = read(HEAD + ONE + "Montant | N° facture | Objet\n5 | F-7 | avoir")
    assert len(faults) == 1
    assert [all(value.fault for value in row.values() if value.raw) for row in rows] == [False, True]


def test_no_sheet() -> None:
    assert lines.read([], TABLE)[2][0].place == Place("")


# CSV


def csv_rows(tmp_path: Path, data: bytes) -> list[list[str]]:
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    return [[cell.text for cell in row] for row in csv_reader.grids(path, "x.csv")[0].rows]


CSVS: list[tuple[str, bytes, list[list[str]]]] = [
    ("semicolons and decimal commas", b"a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5", [["a", "b", "c"], ["1,5", "2,5", "3,5"], ["4,5", "5,5", "6,5"]]),
    ("commas", b'a,b\r\n"1,5",x\r\n', [["a", "b"], ["1,5", "x"]]),
    ("tabs", b"a\tb\n1,5\t2;3\n", [["a", "b"], ["1,5", "2;3"]]),
    ("BOM", "\ufeffé;b\n1;2".encode(), [["é", "b"], ["1", "2"]]),
    ("cp1252", "œuvre à 5 €;b\n1;2".encode("cp1252"), [["œuvre à 5 €", "b"], ["1", "2"]]),
    ("a hint of Excel", b"sep=,\na,b;c\n", [["a", "b;c"]]),
    ("quotes, lines inside", b'"a";"b\nc;""d"""\n"";x', [["a", 'b\nc;"d"'], ["", "x"]]),
    ("text forced by an export", b'a;b\n="000195567";"=""0615"""', [["a", "b"], ["000195567", "0615"]]),
    ("old line ends and blank records", b"a;b\r\r;;\r1;2", [["a", "b"], ["1", "2"]]),
    ("title lines with commas", b"Etat, du 4, mars, 2019\na;b\n1;2\n3;4\n", [["Etat, du 4, mars, 2019"], ["a", "b"], ["1", "2"], ["3", "4"]]),
    ("empty", b"", []),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in CSVS], ids=[case[0] for case in CSVS])
def test_csv(tmp_path: Path, data: bytes, expected: list[list[str]]) -> None:
    assert csv_rows(tmp_path, data) == expected


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"a;b\n1;\0", "octets nuls"),
        ("a;b\n1;2".encode("utf-16"), "octets nuls"),
        (b"a;\x81\n", "ni en UTF-8"),
        (b'a;b\n"x;1\n2;"y" z;3\n', "mal fermé"),
        (b";".join([b"x"] * 300), "200 colonnes"),
        (b"x;y\n" * 100_001, "100000 lignes"),
    ],
)
def test_csv_refused(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        csv_rows(tmp_path, data)


def test_csv_places_and_malformed_quotes(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'a;"b\nb";c\n1;"ACME" SARL;3\n')
    rows = csv_reader.grids(path, "d/x.csv")[0].rows
    assert [cell.place[:3] for cell in rows[0]] == [("d/x.csv", 1, 1), ("d/x.csv", 1, 3), ("d/x.csv", 2, 4)]
    assert [cell.place[:3] for cell in rows[1]] == [("d/x.csv", 3, 1), ("d/x.csv", 3, 3), ("d/x.csv", 3, 15)]
    assert [bool(cell.fault) for cell in rows[1]] == [False, True, False]


def test_a_shifted_record_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"ligne,objet,montant\n1,a,12,50\n2,b,13\n")
    rows, _, _ = lines.read(csv_reader.grids(path, "x.csv"), TABLE)
    assert [bool(row["montant"].fault) for row in rows] == [True, False]


CELL = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=12)


@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8),
    delimiter=st.sampled_from([";", ",", "\t"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
)
def test_csv_round_trip(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([["Titre", "", ""], *rows])
    got = csv_rows(tmp_path_factory.mktemp("csv"), stream.getvalue().encode(encoding))
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    unwrapped = [[re.sub(r'\A="([^"]*)"\Z', r"\1", cell) for cell in row] for row in kept]
    assert got == [["Titre", "", ""], *unwrapped]


@given(
    rows=st.lists(st.tuples(CELL, st.decimals(0, 10**9, places=2)), max_size=6), delimiter=st.sampled_from([";", ","])
)
def test_no_amount_is_lost(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, Decimal]], delimiter: str
) -> None:
    """Whatever the object says, each numbered row is one line with its amount."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["N° ligne", "Objet", "N° facture", "Montant (€)"])
    for number, (text, amount) in enumerate(rows, 1):
        writer.writerow([number, text, f"F-{number}", str(amount).replace(".", ",")])
    path = tmp_path_factory.mktemp("lost") / "x.csv"
    path.write_bytes(stream.getvalue().encode())
    found, _, _ = lines.read(csv_reader.grids(path, "x.csv"), TABLE)
    assert column(found, "montant") == [str(amount).replace(".", ",") for _, amount in rows]


# XLSX


def workbook(tmp_path: Path, fill: Callable[[Any], None]) -> Path:
    path = tmp_path / "x.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "Feuil1"
    fill(book)
    book.save(path)
    return path


def cells(grids: list[Grid]) -> dict[str, str]:
    """Address -> text of the filled cells, or « ! » and the fault."""
    return {
        cell.place.place or "": f"!{cell.fault}" if cell.fault else cell.text
        for grid in grids
        for row in grid.rows
        for cell in row
        if cell.text or cell.fault
    }


def test_xlsx_values(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Été 2019")
    formats = {
        name: book.add_format({"num_format": name}) for name in ("dd/mm/yyyy", "0.0%", "0000000000", '0.00" d€"')
    }
    sheet.write_row(0, 0, [1, 60000.5, 0.1, 1e-7, 1e21, -0.0, True, "  é ", "012900120611", 123456789012345])
    sheet.write_number(1, 0, 43496.6, formats["dd/mm/yyyy"])
    sheet.write_number(1, 1, 0.055, formats["0.0%"])
    sheet.write_number(1, 2, 195567, formats["0000000000"])
    sheet.write_number(1, 3, 3, formats['0.00" d€"'])
    sheet.write_formula(1, 4, "=A1*3", None, 0.30000000000000004)
    sheet.write_formula(1, 5, '="x"', None, "x")
    sheet.write_rich_string(1, 6, "a", book.add_format({"bold": True}), "b", "c")
    book.close()
    texts = list(cells(xlsx_reader.grids(path, "x.xlsx")).values())
    first = ["1", "60000.5", "0.1", "0.0000001", "1000000000000000000000", "0", "oui", "  é ", "012900120611"]
    assert texts[:10] == [*first, "123456789012345"]
    assert texts[10:] == ["2019-01-31", "5.5", "0000195567", "3", "0.3", "x", "abc"]
    assert xlsx_reader.grids(path, "d/x.xlsx")[0].rows[0][0].place == Place("d/x.xlsx", place="Été 2019!A1")


def test_xlsx_faults(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("F")
    sheet.write_formula("A1", "=1/0", None, "#DIV/0!")
    sheet.write_formula("B1", "=A9")  # the library writes 0 without computing
    book.close()
    uncached = workbook(tmp_path / "..", lambda book: book.active.append(["=1+1"]))
    assert cells(xlsx_reader.grids(path, "x")) == {
        "F!A1": "!La cellule F!A1 contient l'erreur #DIV/0!.",
        "F!B1": "!La formule de la cellule F!B1 n'a pas de valeur : enregistrer le classeur après calcul.",
    }
    assert "n'a pas de valeur" in cells(xlsx_reader.grids(uncached, "x"))["Feuil1!A1"]


def test_xlsx_agrees_with_openpyxl() -> None:
    """openpyxl is the oracle: the same filled cells, the same values once written as text."""
    path = SAMPLES / "xlsx" / "etat-liquidatif.xlsx"
    sheet = openpyxl.load_workbook(path, data_only=True)["Lignes"]
    got = cells(xlsx_reader.grids(path, "x"))
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is not None:
                text = got[f"Lignes!{cell.coordinate}"]
                if cell.is_date:
                    assert text == cell.value.date().isoformat()
                elif isinstance(cell.value, str):
                    assert text == cell.value
                else:
                    assert Decimal(text) == round(Decimal(repr(cell.value)), 9)


def test_xlsx_merged_hidden_and_dates_of_1904(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        sheet = book.active
        for row in (
            ["N°", "Objet", "Fournisseur", "Date facture", "Montant"],
            [1, "a", "ACME", None, 5],
            [2, "b", None, None, None],
        ):
            sheet.append(row)
        sheet["D2"] = openpyxl.utils.datetime.datetime.datetime(2019, 1, 31)
        sheet["D3"] = openpyxl.utils.datetime.datetime.datetime(2019, 2, 1)
        sheet.merge_cells("C2:C3")
        sheet.merge_cells("E2:E3")
        sheet.row_dimensions[3].hidden = True
        for state in ("hidden", "veryHidden"):
            other = book.create_sheet(state)
            other.append(["caché"])
            other.sheet_state = state

    grids = xlsx_reader.grids(workbook(tmp_path, fill), "x")
    rows, _, faults = lines.read(grids, TABLE)
    assert [grid.name for grid in grids] == ["Feuil1"]
    assert column(rows, "facture.date") == ["2019-01-31", "2019-02-01"]
    assert [row["fournisseur.nom"] for row in rows] == [("ACME", Place("x", place="Feuil1!C2"), None)] * 2
    assert all("fusionnée" in (row["montant"].fault or "") for row in rows)  # whose amount is it?
    assert not faults


@pytest.mark.parametrize("corner", ["XFD1048576", "A1048576", "XFD1"])
def test_xlsx_far_cells(tmp_path: Path, corner: str) -> None:
    def fill(book: Any) -> None:
        book.active["A1"] = "a"
        book.active[corner] = "b"

    path = workbook(tmp_path, fill)
    tracemalloc.start()
    grids = xlsx_reader.grids(path, "x")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert cells(grids) == {"Feuil1!A1": "a", f"Feuil1!{corner}": "b"}
    assert peak < 20_000_000


def patched(source: Path, target: Path, part: str, change: Callable[[str], str]) -> Path:
    """A copy of an archive with one part changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data.decode()) if name == part else data)
    return target


def test_xlsx_million_empty_rows_and_a_merge_of_everything(tmp_path: Path) -> None:
    empty = "".join(f'<row r="{number}"/>' for number in range(3, 1_000_003))
    source = workbook(tmp_path, lambda book: book.active.append(["a", "b"]))
    target = patched(
        source,
        tmp_path / "y.xlsx",
        "xl/worksheets/sheet1.xml",
        lambda text: text.replace(
            "</sheetData>", f'{empty}</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
        ),
    )
    start = time.perf_counter()
    grids = xlsx_reader.grids(target, "x")
    assert [[cell.text for cell in row] for row in grids[0].rows] == [["a", "a"]]
    assert time.perf_counter() - start < 20


def test_xlsx_false_dimension_loses_nothing(tmp_path: Path) -> None:
    source = workbook(tmp_path, lambda book: [book.active.append([number]) for number in range(5)])
    target = patched(
        source,
        tmp_path / "y.xlsx",
        "xl/worksheets/sheet1.xml",
        lambda text: re.sub(r'<dimension ref="[^"]*"', '<dimension ref="A1"', text),
    )
    assert len(xlsx_reader.grids(target, "x")[0].rows) == 5


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet()
    for row in range(100_001):
        sheet.write_number(row, 0, 1)
    book.close()
    with pytest.raises(Unreadable, match="100000 lignes"):
        xlsx_reader.grids(path, "x")


# ODS


def ods_file(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "x.ods"
    path.write_bytes(MAKE.ods_bytes(MAKE.ods_content(f'<table:table table:name="F">{body}</table:table>')))
    return path


def ods_row(*inner: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(inner)}</table:table-row>"


def ods_cell(attributes: str = "", text: str = "") -> str:
    return f"<table:table-cell {attributes}>{f'<text:p>{text}</text:p>' if text else ''}</table:table-cell>"


NUMBER = 'office:value-type="float" office:value='
ODS: list[tuple[str, str, dict[str, str]]] = [
    ("exact decimals", ods_row(ods_cell(NUMBER + '"12345.67"', "12 345,67 €")), {"F!A1": "12345.67"}),
    ("no exponent", ods_row(ods_cell(NUMBER + '"1.5E3"', "1500")), {"F!A1": "1500"}),
    ("shown zeros", ods_row(ods_cell(NUMBER + '"195567"', "000195567")), {"F!A1": "000195567"}),
    ("percent", ods_row(ods_cell('office:value-type="percentage" office:value="0.2"', "20 %")), {"F!A1": "20"}),
    ("date", ods_row(ods_cell('office:value-type="date" office:date-value="2019-01-31T00:00:00"', "31/01/19")), {"F!A1": "2019-01-31"}),
    ("boolean", ods_row(ods_cell('office:value-type="boolean" office:boolean-value="true"', "VRAI")), {"F!A1": "oui"}),
    ("noise of a computed sum", ods_row(ods_cell('table:formula="of:=1" ' + NUMBER + '"84000.00000000001"', "84000")), {"F!A1": "84000"}),
    ("spaces and lines", ods_row(ods_cell("", 'a<text:s text:c="2"/>b<text:line-break/>c')), {"F!A1": "a  b\nc"}),
    ("notes are not the text", ods_row("<table:table-cell><office:annotation><text:p>note</text:p></office:annotation><text:p>a</text:p></table:table-cell>"), {"F!A1": "a"}),
    ("repeated cells and rows", ods_row(ods_cell('table:number-columns-repeated="2"', "a"), ods_cell('table:number-columns-repeated="3"'), ods_cell("", "b"), attributes='table:number-rows-repeated="2"') + ods_row(ods_cell("", "c")), {"F!A1": "a", "F!B1": "a", "F!F1": "b", "F!A2": "a", "F!B2": "a", "F!F2": "b", "F!A3": "c"}),
    ("empty to the end", ods_row(ods_cell("", "a")) + ods_row(ods_cell('table:number-columns-repeated="16384"'), attributes='table:number-rows-repeated="1048574"') + ods_row(ods_cell("", "z")), {"F!A1": "a", "F!A1048576": "z"}),
    ("error", ods_row(ods_cell('table:formula="of:=1/0" calcext:value-type="error" office:value-type="string" office:string-value=""', "#DIV/0!")), {"F!A1": "!La cellule F!A1 contient l'erreur #DIV/0!."}),
    ("formula without value", ods_row(ods_cell('table:formula="of:=1"')), {"F!A1": "!La formule de la cellule F!A1 n'a pas de valeur : enregistrer le classeur après calcul."}),
    ("a number beyond reason", ods_row(ods_cell(NUMBER + '"1E999999999"')), {"F!A1": "!La valeur de la cellule F!A1 est illisible."}),
    ("groups", f"<table:table-row-group>{ods_row(ods_cell('', 'a'))}</table:table-row-group>{ods_row(ods_cell('', 'b'))}", {"F!A1": "a", "F!A2": "b"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), [case[1:] for case in ODS], ids=[case[0] for case in ODS])
def test_ods(tmp_path: Path, body: str, expected: dict[str, str]) -> None:
    assert cells(ods_reader.grids(ods_file(tmp_path, body), "x")) == expected


def test_ods_of_another_writer(tmp_path: Path) -> None:
    book = OpenDocumentSpreadsheet()
    sheet = OdfTable(name="Lignes")
    for values in (["N° ligne", "Objet", "Montant"], [1, "a", 5.25]):
        row = TableRow()
        for value in values:
            if isinstance(value, str):
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=value))
            else:
                cell = TableCell(valuetype="float", value=value)
            row.addElement(cell)
        sheet.addElement(row)
    book.spreadsheet.addElement(sheet)
    book.save(tmp_path / "x.ods")
    rows, _, _ = lines.read(ods_reader.grids(tmp_path / "x.ods", "x"), TABLE)
    assert {name: value.raw for name, value in rows[0].items()} == {"ligne": "1", "objet": "a", "montant": "5.25"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (ods_row(ods_cell('table:number-columns-repeated="16384"', "a")), "200 colonnes"),
        (ods_row(ods_cell("", "a"), attributes='table:number-rows-repeated="1048576"'), "100000 lignes"),
        (ods_row(ods_cell("", "a"), ods_cell('table:number-columns-repeated="90"', "a"), attributes='table:number-rows-repeated="99999"'), "lignes ou"),
    ],
)  # fmt: skip
def test_ods_repetitions_are_bounded(tmp_path: Path, body: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        ods_reader.grids(ods_file(tmp_path, body), "x")


# What is refused, and the samples


DOCTYPE = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>'


def _doctype(text: str) -> str:
    declaration, _, rest = text.partition("?>")
    return f"{declaration}?><!-- {'x' * 100_000} -->{DOCTYPE}{rest}" if rest else DOCTYPE + text


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("ods/etat-liquidatif.ods", "content.xml"),
        ("xlsx/etat-liquidatif.xlsx", "xl/worksheets/sheet1.xml"),
        ("xlsx/etat-liquidatif.xlsx", "xl/sharedStrings.xml"),
        ("xlsx/etat-liquidatif.xlsx", "xl/workbook.xml"),
    ],
)
def test_doctype_and_broken_xml_are_refused(tmp_path: Path, name: str, part: str) -> None:
    reader = READERS[name.partition("/")[0]]
    with pytest.raises(Unreadable, match="DOCTYPE"):
        reader.grids(patched(SAMPLES / name, tmp_path / "x", part, _doctype), "x")
    with pytest.raises(Unreadable, match="mal formé"):
        reader.grids(patched(SAMPLES / name, tmp_path / "x", part, lambda text: text[:-20]), "x")


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_archives_that_are_refused(tmp_path: Path, kind: str) -> None:
    reader, path = READERS[kind], tmp_path / f"x.{kind}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("content.xml", "w") as part:
        for _ in range(201):
            part.write(b" " * 1_000_000)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(Unreadable, match="200 Mo"):
        reader.grids(path, "x")
    for data, why in (
        (b"PK\x03\x04", "classeur lisible"),
        (b"", "classeur lisible"),
        (b"\xd0\xcf\x11\xe0", "chiffrée"),
    ):
        path.write_bytes(data)
        with pytest.raises(Unreadable, match=why):
            reader.grids(path, "x")
    with zipfile.ZipFile(path, "w") as empty:
        empty.writestr("rien", "")
    with pytest.raises(Unreadable, match="manque"):
        reader.grids(path, "x")
    with path.open("wb") as large:
        large.truncate(50_000_001)
    with pytest.raises(Unreadable, match="50 Mo"):
        reader.grids(path, "x")
    with pytest.raises(Unreadable, match="introuvable"):
        reader.grids(tmp_path / "absent", "x")


@pytest.mark.parametrize("name", sorted(MAKE.SAMPLES))
def test_samples_are_made_by_their_script(name: str) -> None:
    assert MAKE.SAMPLES[name]() == (SAMPLES / name).read_bytes()


@pytest.mark.parametrize("name", ["ods/etat-liquidatif.ods", "xlsx/etat-liquidatif.xlsx"])
def test_sample_workbooks(name: str) -> None:
    rows, totals, faults = lines.read(READERS[name.partition("/")[0]].grids(SAMPLES / name, name), TABLE)
    assert [
        (
            row["ligne"].raw,
            row["fournisseur.nom"].raw,
            row["facture.date"].raw,
            row["paiement.numero"].raw,
            row["montant"].raw,
        )
        for row in rows
    ] == [
        ("1", "ACME Numérique", "2018-12-14", "000195567", "40000"),
        ("2", "ACME Numérique", "2018-12-14", "000195567", "20000"),
        ("3", "Beta Conseil", "2019-01-31", "100241702", "24000.5"),
    ]
    assert [(row["libelle"].raw, row["somme"].raw) for row in totals] == [
        ("Sous-total compte 6113110000", "60000.00"),
        ("Sous-total compte 6113120000", "24000.50"),
        ("Total général", "84000.50"),
    ]
    assert not faults


def test_sample_chorus() -> None:
    rows, totals, faults = lines.read(csv_reader.grids(SAMPLES / "csv" / "chorus.csv", "chorus.csv"), TABLE)
    assert column(rows, "compte_pce") == ["PCE/6113110000", "PCE/6113120000"]
    assert column(rows, "paiement.beneficiaire") == ["ACME Numérique", 'Beta "B" Conseil; Caen']
    assert column(rows, "groupe_marchandises") == [None, None]
    assert rows[1]["montant"] == ("24000,50", Place("chorus.csv", 6, 109), None)
    assert [row["somme"].raw for row in totals] == ["84000.50"]
    assert not faults
