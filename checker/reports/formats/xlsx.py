"""A workbook for the controller: a summary, one row a finding with a decision to fill, one sheet a dossier.

What was read is written as text, never as a formula, a number or an address: `=HYPERLINK(...)` is shown as it was read.
Links lead to the sheets of the workbook, and to the files that the run has read inside a dossier (relative to where the
command ran). The dates of the file are fixed: the same run has the same bytes. Needs the extra `rapports`.
"""

from __future__ import annotations

import datetime as dt
import io
import posixpath
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from checker.base.words import Words, counted, long_date
from checker.errors import Problem, UsageError
from checker.model import DECISIONS, DossierVerdict, Outcome, Verdicts
from checker.reports import flat, rows
from checker.reports.flat import Item
from checker.reports.inert import inert, phrase

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

SHEETS = 100  # dossiers that have their own sheet, the worst first
LINES = 1_000_000  # Excel holds 1,048,576 rows a sheet
LINKS = 60_000  # and 65,530 links
_CELL = 8_000  # characters; Excel holds 32,767
_CREATED = dt.datetime(1980, 1, 1)
_COLORS = {
    "conforme": "#E2F0D9",
    "conforme_avec_reserves": "#FFF2CC",
    "indetermine": "#E4DFEC",
    "non_conforme": "#F8CBAD",
    "sans_objet": "#EDEDED",
}
# column -> field of a line, width
_COLUMNS = {
    "dossier": ("dossier", 18),
    "rule": ("regle", 20),
    "outcome": ("resultat", 15),
    "severity": ("severite", 12),
    "waived": ("deroge", 11),
    "title": ("titre", 40),
    "article": ("article", 9),
    "subject": ("sujet", 20),
    "row": ("constat", 15),
    "message": ("message", 60),
    "observed": ("observe", 18),
    "expected": ("attendu", 18),
    "missing": ("manque", 25),
    "file": ("fichier", 28),
    "where": ("endroit", 28),
    "read": ("lu", 25),
    "actor": ("destinataire", 16),
    "todo": ("a_faire", 50),
}
_CODED = {"outcome": "outcome", "row": "outcome", "severity": "severity", "actor": "actor", "waived": "value"}
_ANSWERS = {"oui": "true", "non": "false"}
_SAFE_PATH = re.compile(r"[^\\:#%\x00-\x1f]{1,200}")


class Styles(NamedTuple):
    """The formats of the cells; what was read is text (`@`), even once somebody has edited it."""

    title: Format
    head: Format
    label: Format
    text: Format
    loose: Format
    number: Format
    link: Format
    fill: Format
    said: dict[str, Format]


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The workbook of a run."""
    try:
        import xlsxwriter
    except ImportError:
        said = words["flat.library"].format(format="xlsx", library="xlsxwriter")
        raise UsageError([Problem(said, todo=words["flat.install"])]) from None

    file = io.BytesIO()
    never = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(file, {"in_memory": True, **never})
    book.set_properties({"title": "quitus", "author": "quitus", "created": _CREATED})
    styles = _styles(book)
    found = _items(verdicts, words)
    ordered = sorted(verdicts.dossiers, key=lambda verdict: -DECISIONS.index(verdict.decision))
    names = {id(verdict): _sheet_name(number, verdict) for number, verdict in enumerate(ordered[:SHEETS], 1)}
    summary = book.add_worksheet(words["flat.summary"])
    _summary(summary, verdicts, ordered, names, max(len(found) - LINES, 0), styles, words)
    _findings(book.add_worksheet(words["flat.findings"]), found[:LINES], styles, words)
    own: dict[int, list[Item]] = {}
    for item in found:
        own.setdefault(id(item.verdict), []).append(item)
    for verdict in ordered[:SHEETS]:
        _dossier(book.add_worksheet(names[id(verdict)]), verdict, own[id(verdict)][:LINES], styles, words)
    book.close()
    return file.getvalue()


def _styles(book: Workbook) -> Styles:
    top = {"valign": "top", "text_wrap": True}
    said = {key: book.add_format({**top, "bg_color": color}) for key, color in _COLORS.items()}
    return Styles(
        book.add_format({"bold": True, "font_size": 14}),
        book.add_format(
            {"bold": True, "bg_color": "#1F3864", "font_color": "#FFFFFF", "valign": "top", "text_wrap": True}
        ),
        book.add_format({"bold": True, "valign": "top"}),
        book.add_format({**top, "num_format": "@"}),
        book.add_format({"valign": "top", "num_format": "@"}),
        book.add_format({"valign": "top", "align": "left"}),
        book.add_format({**top, "num_format": "@", "font_color": "#0563C1", "underline": 1}),
        book.add_format({**top, "bg_color": "#FFFBE6", "border": 1, "border_color": "#BFBFBF"}),
        said,
    )


def _items(verdicts: Verdicts, words: Words) -> list[Item]:
    """The rows, dossier by dossier, in each the most severe first; if they are too many, the most severe of the run."""
    number = {id(verdict): index for index, verdict in enumerate(verdicts.dossiers)}
    found = sorted(
        flat.items(verdicts, words),
        key=lambda item: (number[id(item.verdict)] if item.verdict else -1, _weight(item)),
    )
    return found if len(found) <= LINES else sorted(found, key=_weight)


def _weight(item: Item) -> int:
    return -1 if item.weight is None else item.weight


def _sheet_name(number: int, verdict: DossierVerdict) -> str:
    """« 001 EX-2019-01 »: what Excel admits, never twice."""
    kept = re.sub("[^0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff .-]+", "_", verdict.reference[:200])
    return f"{number:03} {kept}"[:31].strip()


# The sheets


def _summary(
    sheet: Worksheet,
    verdicts: Verdicts,
    ordered: Sequence[DossierVerdict],
    names: dict[int, str],
    left: int,
    styles: Styles,
    words: Words,
) -> None:
    """The decision, the counts, what was applied; then a row a dossier, the worst first."""
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 26)
    sheet.set_column(2, 6, 14)
    sheet.set_column(7, 7, 45)
    _text(sheet, 0, 0, words["flat.run_decision"], styles.title)
    _text(sheet, 0, 1, words[f"decision.{verdicts.decision}"], styles.said[verdicts.decision])
    row = _pair(sheet, 1, words["flat.exit"], verdicts.exit_code(), styles)
    row = _pair(sheet, row, words["flat.dossiers"], len(ordered), styles)
    row = _pair(sheet, row, words["flat.rules"], sum(len(verdict.results) for verdict in ordered), styles)
    tally = rows.tally(result for verdict in ordered for result in verdict.results)
    for outcome, count in tally.items():
        row = _pair(sheet, row, words[f"outcome.{outcome.word}"], count, styles)
    for pack in verdicts.packs:
        said = words["text.pack"].format(**{key: pack.get(key, "") for key in ("title", "id", "version")})
        row = _pair(sheet, row, words["flat.pack"], f"{said}, sha256 {pack.get('sha256', '')}", styles)
    settings = verdicts.settings or {}
    if settings.get("path"):
        said = f"{settings['path']}, sha256 {settings.get('sha256') or ''}"
        row = _pair(sheet, row, words["flat.settings"], said, styles)
    row = _pair(sheet, row, words["flat.tool"], f"quitus {verdicts.version}", styles)
    lines = [counted(words, "flat.left_sheets", len(ordered) - SHEETS)] if ordered[SHEETS:] else []
    lines += [counted(words, "flat.left_lines", left)] if left else []
    lines += [words[f"text.fail_on_{verdicts.fail_on}"]] if verdicts.fail_on in ("reserve", "non_conforme") else []
    for line in (*lines, *verdicts.unused[:SHEETS]):
        _text(sheet, row, 0, line, styles.loose)
        row += 1
    row += 1
    decided = [words["flat.dossier"], words["flat.decision"], *(words[f"outcome.{item.word}"] for item in Outcome)]
    head = [*decided, words["flat.sheet"], words["flat.path"]]
    _head(sheet, row, head, len(ordered), styles)
    for number, verdict in enumerate(ordered[:LINES], row + 1):
        found = rows.tally(verdict.results)
        _text(sheet, number, 0, verdict.reference, styles.text)
        _text(sheet, number, 1, words[f"decision.{verdict.decision}"], styles.said[verdict.decision])
        for column, outcome in enumerate(Outcome, 2):
            sheet.write_number(number, column, found.get(outcome, 0), styles.number)
        name = names.get(id(verdict))
        if name:
            sheet.write_url(number, 6, f"internal:'{name}'!A1", styles.link, name)
        _text(sheet, number, 7, verdict.path, styles.text)


def _findings(sheet: Worksheet, found: Sequence[Item], styles: Styles, words: Words) -> None:
    """Every finding; the last column is left to the controller."""
    columns = list(_COLUMNS)
    _widths(sheet, columns)
    last = len(columns)
    sheet.set_column(last, last, 40)
    _head(sheet, 0, [*(words[f"flat.{key}"] for key in columns), words["flat.controller"]], len(found), styles)
    sheet.freeze_panes(1, 2)
    _body(sheet, 1, columns, found, styles, words)
    for number in range(1, len(found) + 1):
        sheet.write_blank(number, last, None, styles.fill)


def _dossier(sheet: Worksheet, verdict: DossierVerdict, found: Sequence[Item], styles: Styles, words: Words) -> None:
    """What was decided of a dossier, then its findings, the most severe first."""
    columns = [key for key in _COLUMNS if key != "dossier"]
    _widths(sheet, columns)
    _text(sheet, 0, 0, words["flat.decision"], styles.title)
    _text(sheet, 0, 1, words[f"decision.{verdict.decision}"], styles.said[verdict.decision])
    pairs = (
        ("dossier", verdict.reference),
        ("path", verdict.path),
        ("stage", words.get(f"stage.{verdict.stage}", verdict.stage)),
        ("control", long_date(verdict.control_date, words) if verdict.control_date else ""),
        ("rules", rows.counts(verdict.results, words)),
    )
    row = 1
    for key, text in pairs:
        row = _pair(sheet, row, words[f"flat.{key}"], text, styles)
    _head(sheet, row + 1, [words[f"flat.{key}"] for key in columns], len(found), styles)
    sheet.freeze_panes(row + 2, 1)
    _body(sheet, row + 2, columns, found, styles, words)


# Cells


def _body(
    sheet: Worksheet, first: int, columns: Sequence[str], found: Iterable[Item], styles: Styles, words: Words
) -> None:
    links = 0
    for number, item in enumerate(found, first):
        for column, key in enumerate(columns):
            code = getattr(item.line, _COLUMNS[key][0])
            text = words.get(f"{_CODED[key]}.{_ANSWERS.get(code, code)}", code) if key in _CODED else code
            target = _link(item) if key == "file" and links < LINKS else ""
            if target:
                links += 1
                sheet.write_url(number, column, target, styles.link, _cut(text))
            else:
                style = styles.said.get(code, styles.text) if key in ("outcome", "row") else styles.text
                _text(sheet, number, column, text, style)


def _link(item: Item) -> str:
    """The address of a piece: a file that the run has read inside the dossier, by a path that can be nothing else."""
    verdict, name = item.verdict, item.place.file
    if verdict is None or not any(file.path == name for file in verdict.files):
        return ""
    path = posixpath.normpath(posixpath.join(verdict.path, name))
    inside = not name.startswith("/") and ".." not in name.split("/") and ".zip/" not in path.lower()
    plain = _SAFE_PATH.fullmatch(path) and inert(path) == path and not path.startswith("//")
    return f"external:{path}" if inside and plain else ""


def _text(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    """A cell of text, whatever it holds."""
    if text:
        sheet.write_string(row, column, _cut(text), style)


def _cut(text: str) -> str:
    return inert(phrase(text, _CELL), _CELL * 2)


def _pair(sheet: Worksheet, row: int, label: str, value: str | int, styles: Styles) -> int:
    _text(sheet, row, 0, label, styles.label)
    if isinstance(value, int):
        sheet.write_number(row, 1, value, styles.number)
    else:
        _text(sheet, row, 1, value, styles.loose)
    return row + 1


def _head(sheet: Worksheet, row: int, names: Sequence[str], count: int, styles: Styles) -> None:
    """The head of a table, its filters, and what a page of paper needs."""
    for column, name in enumerate(names):
        _text(sheet, row, column, name, styles.head)
    sheet.autofilter(row, 0, row + max(count, 1), len(names) - 1)
    sheet.ignore_errors({"number_stored_as_text": "A1:Z1048576"})
    sheet.repeat_rows(row)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _widths(sheet: Worksheet, columns: Sequence[str]) -> None:
    for column, key in enumerate(columns):
        sheet.set_column(column, column, _COLUMNS[key][1])
