"""A workbook for the controller: a summary, one row a finding, one sheet a dossier with the decisions to fill in.

What was read is written as text, never as a formula, a number or an address: `=HYPERLINK(...)` is shown as it was read.
Links lead to the sheets of the workbook, and to the files that the run has read inside a dossier (relative to where the
command ran). The dates of the file are fixed: the same run has the same bytes. Needs the extra `rapports`.

In the sheet of a dossier, the only cells that can be written in are those of the rules that wait for a person's
judgement; `quitus attest` reads them back. The sheet is locked without a password: against a slip, not a will.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.base.words import Words, counted, long_date
from checker.errors import Problem, UsageError
from checker.model import DECISIONS, DossierVerdict, Outcome, Verdicts
from checker.reports import flat, rows, sheetbook
from checker.reports.flat import Item

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

SHEETS = 100  # dossiers that have their own sheet, the worst first
LINES = 1_000_000  # Excel holds 1,048,576 rows a sheet
LINKS = 60_000  # and 65,530 links
_CREATED = dt.datetime(1980, 1, 1)
_ALLOWED = {"autofilter": True, "format_columns": True, "format_rows": True}
_FIRST_DAY = dt.date(1900, 1, 1)
_COLORS = {
    "conforme": "#E2F0D9",
    "conforme_avec_reserves": "#FFF2CC",
    "indetermine": "#E4DFEC",
    "non_conforme": "#F8CBAD",
    "sans_objet": "#EDEDED",
}


class Styles(NamedTuple):
    """The formats of the cells; what was read is text (`@`), even once somebody has edited it."""

    title: Format
    head: Format
    label: Format
    asked: Format
    text: Format
    loose: Format
    number: Format
    link: Format
    fill: Format
    fill_date: Format
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
    names = {id(verdict): sheetbook.name(number, verdict) for number, verdict in enumerate(ordered[:SHEETS], 1)}
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
    fill = {**top, "bg_color": "#FFF8D6", "border": 1, "border_color": "#BF9000", "locked": False}
    said = {key: book.add_format({**top, "bg_color": color}) for key, color in _COLORS.items()}
    return Styles(
        book.add_format({"bold": True, "font_size": 14}),
        book.add_format(
            {"bold": True, "bg_color": "#1F3864", "font_color": "#FFFFFF", "valign": "top", "text_wrap": True}
        ),
        book.add_format({"bold": True, "valign": "top"}),
        book.add_format({"bold": True, "valign": "top", "font_color": "#7F6000"}),
        book.add_format({**top, "num_format": "@"}),
        book.add_format({"valign": "top", "num_format": "@"}),
        book.add_format({"valign": "top", "align": "left"}),
        book.add_format({**top, "num_format": "@", "font_color": "#0563C1", "underline": 1}),
        book.add_format({**fill, "num_format": "@"}),
        book.add_format({**fill, "num_format": "dd/mm/yyyy"}),
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
    sheet.set_column(2, 5, 14)
    sheet.set_column(6, 6, 32)
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
    lines = [rows.partial(verdicts, words), *lines] if verdicts.partial else lines
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
    """Every finding of the run."""
    columns = list(sheetbook.COLUMNS)
    _widths(sheet, [sheetbook.COLUMNS[key][1] for key in columns])
    _head(sheet, 0, [words[f"flat.{key}"] for key in columns], len(found), styles)
    sheet.freeze_panes(1, 2)
    _body(sheet, 1, dict(enumerate(columns)), found, styles, words)


def _dossier(sheet: Worksheet, verdict: DossierVerdict, found: Sequence[Item], styles: Styles, words: Words) -> None:
    """What was decided of a dossier, then its findings, the most severe first."""
    before, after = ({f"flat.{key}": sheetbook.COLUMNS[key][1] for key in keys} for keys in sheetbook.ORDER)
    widths = {**before, **sheetbook.DECIDED, **after, **sheetbook.PIECES}
    titles = {title: column for column, title in enumerate(widths)}
    _widths(sheet, list(widths.values()))
    _text(sheet, 0, 0, words["flat.decision"], styles.title)
    _text(sheet, 0, 1, words[f"decision.{verdict.decision}"], styles.said[verdict.decision])
    pairs = (
        ("dossier", verdict.reference),
        ("path", verdict.path),
        ("stage", words.get(f"stage.{verdict.stage}", verdict.stage)),
        ("control", long_date(verdict.control_date, words) if verdict.control_date else ""),
        ("rules", rows.counts(verdict.results, words)),
        ("pack", sheetbook.pack(verdict)),
    )
    row = 1
    for key, text in pairs:
        row = _pair(sheet, row, words[f"flat.{key}"], text, styles)
    waiting = sheetbook.waiting(found)
    if waiting:
        _text(sheet, row, 0, counted(words, "attest.fill", len(waiting)), styles.asked)
    row += 2
    _head(sheet, row, [words[title] for title in titles], len(found), styles, len(titles) - len(sheetbook.PIECES))
    sheet.freeze_panes(row + 1, 1)
    places = {titles[f"flat.{key}"]: key for key in (*sheetbook.BEFORE, *sheetbook.AFTER)}
    _body(sheet, row + 1, places, found, styles, words)
    listed = _pieces(sheet, row + 1, titles, verdict, styles)
    for at in sorted(waiting):
        _to_fill(sheet, row + 1 + at, titles, listed, styles, words)
    sheet.protect("", _ALLOWED)


def _pieces(
    sheet: Worksheet, first: int, titles: Mapping[str, int], verdict: DossierVerdict, styles: Styles
) -> tuple[int, int]:
    """The files of the dossier and their digests; the rows, first and last, of those that may be judged."""
    path, digest = (titles[key] for key in sheetbook.PIECES)
    files = sorted(verdict.files, key=sheetbook.is_manifest)[:LINES]
    for number, file in enumerate(files, first):
        target = sheetbook.address(verdict, file.path) if number - first < LINKS // 2 else ""
        if target:
            sheet.write_url(number, path, target, styles.link, sheetbook.cut(file.path))
        else:
            _text(sheet, number, path, file.path, styles.text)
        _text(sheet, number, digest, file.sha256, styles.text)
    return first, first + sum(not sheetbook.is_manifest(file) for file in files) - 1


def _to_fill(
    sheet: Worksheet,
    row: int,
    titles: Mapping[str, int],
    listed: tuple[int, int],
    styles: Styles,
    words: Words,
) -> None:
    """The cells of a decision: unlocked, with what they admit."""
    for title in sheetbook.DECIDED:
        style = styles.fill_date if title == "attest.date" else styles.fill
        sheet.write_blank(row, titles[title], None, style)
    decision = [words["outcome.conforme"], words["outcome.non_conforme"], words["attest.none"]]
    column = sheetbook.column(titles["attest.pieces"])
    first, last = listed
    admitted: dict[str, dict[str, Any]] = {
        "flat.controller": {"validate": "list", "source": decision, "input_message": words["attest.how_decision"]},
        "attest.date": {
            "validate": "date",
            "criteria": ">=",
            "value": _FIRST_DAY,
            "error_message": words["attest.how_date"],
            "input_message": words["attest.how_date"],
        },
    }
    if last >= first:
        source = f"={column}${first + 1}:{column}${last + 1}"
        admitted["attest.piece"] = {"validate": "list", "source": source, "input_message": words["attest.how_piece"]}
    for title, rule in admitted.items():
        sheet.data_validation(row, titles[title], row, titles[title], rule)


# Cells


def _body(
    sheet: Worksheet, first: int, columns: Mapping[int, str], found: Iterable[Item], styles: Styles, words: Words
) -> None:
    links = 0
    for number, item in enumerate(found, first):
        shown: list[tuple[int, str]] = []
        for column, key in columns.items():
            code = getattr(item.line, sheetbook.COLUMNS[key][0])
            text = (
                words.get(f"{sheetbook.CODED[key]}.{sheetbook.ANSWERS.get(code, code)}", code)
                if key in sheetbook.CODED
                else code
            )
            shown.append((sheetbook.COLUMNS[key][1], text))
            target = sheetbook.link(item) if key == "file" and links < LINKS else ""
            if target:
                links += 1
                sheet.write_url(number, column, target, styles.link, sheetbook.cut(text))
            else:
                style = styles.said.get(code, styles.text) if key in ("outcome", "row") else styles.text
                _text(sheet, number, column, text, style)
        sheet.set_row(number, sheetbook.height(shown))


def _text(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    """A cell of text, whatever it holds."""
    if text:
        sheet.write_string(row, column, sheetbook.cut(text), style)


def _pair(sheet: Worksheet, row: int, label: str, value: str | int, styles: Styles) -> int:
    _text(sheet, row, 0, label, styles.label)
    if isinstance(value, int):
        sheet.write_number(row, 1, value, styles.number)
    else:
        _text(sheet, row, 1, value, styles.loose)
    return row + 1


def _head(
    sheet: Worksheet, row: int, names: Sequence[str], count: int, styles: Styles, filtered: int | None = None
) -> None:
    """The head of a table, its filters, and what a page of paper needs."""
    sheet.set_row(row, sheetbook.HEIGHT)
    for column, name in enumerate(names):
        _text(sheet, row, column, name, styles.head)
    sheet.autofilter(row, 0, row + max(count, 1), (filtered or len(names)) - 1)
    sheet.ignore_errors({"number_stored_as_text": "A1:AZ1048576"})
    sheet.repeat_rows(row)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _widths(sheet: Worksheet, widths: Sequence[int]) -> None:
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
