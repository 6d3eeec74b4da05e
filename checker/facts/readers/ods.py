"""ODS: visible sheets of content.xml, numbers with the decimal text that the file holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Any

from checker.base.grid import Cell, Grid
from checker.base.unreadable import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Sheet, Unreadable, address, archive
from checker.base.unreadable import grids as assembled
from checker.model import Place

SUFFIXES: tuple[str, ...] = (".ods",)
LIBRARIES: tuple[str, ...] = ("lxml.etree",)

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_ERRORS = ("#REF!", "#DIV/0!", "#VALUE!", "#VALEUR!", "#NAME?", "#NOM?", "#N/A", "#NUM!", "#NOMBRE!", "Err:")
_SHOWN = Context(prec=15)  # a computed number has binary noise beyond the 15 digits that are shown


def grids(path: Path, shown: str) -> list[Grid]:
    """Visible sheets, top row first, without the rows and columns that hold nothing; raises Unreadable."""
    with archive(path) as content, content.open("content.xml") as stream:
        return assembled(_sheets(stream, shown), shown)


def _sheets(stream: IO[bytes], shown: str) -> Iterator[Sheet]:
    """Sheets in order. Rows are emptied once read; a table inside a cell, a shape or a link is not a sheet."""
    hidden: set[str] = set()
    name: str | None = None
    cells: dict[tuple[int, int], Cell] = {}
    merges: list[tuple[int, int, int, int]] = []
    row = 0
    for event, element in _parsed(stream):
        if element.tag == f"{_STYLE}style":
            if event == "end" and _is_hidden(element):
                hidden.add(element.get(f"{_STYLE}name", ""))
        elif element.tag == f"{_TABLE}table" and element.getparent().tag == f"{_OFFICE}spreadsheet":
            if event == "start":
                visible = element.get(f"{_TABLE}style-name") not in hidden
                name = element.get(f"{_TABLE}name", "") if visible else None
                cells, merges, row = {}, [], 0
            elif name is not None:
                yield Sheet(name, cells, merges)
                name = None
        elif element.tag == f"{_TABLE}table-row" and event == "end" and _owner(element):
            if name is not None:
                _row(element, row, name, shown, cells, merges)
            row += _count(element, "rows-repeated")
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]


def _parsed(stream: IO[bytes]) -> Iterator[tuple[str, Any]]:
    try:
        from lxml import etree
    except ImportError as error:
        raise Unreadable("La bibliothèque lxml manque : installer « quitus[tableur] ».") from error
    tags = (f"{_TABLE}table", f"{_TABLE}table-row", f"{_STYLE}style")
    checked = False
    try:
        for event, element in etree.iterparse(
            stream, ("start", "end"), resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
        ):
            if not checked:
                checked = True
                if element.getroottree().docinfo.internalDTD is not None:
                    raise Unreadable("Le fichier contient une déclaration DOCTYPE : refusé par sécurité.")
                if element.get(f"{_OFFICE}mimetype", "").endswith("text"):
                    raise Unreadable("Le fichier n'est pas un tableur.")
            if element.tag in tags:
                yield event, element
    except etree.XMLSyntaxError as error:
        raise Unreadable("Le fichier contient du XML mal formé.") from error


def _is_hidden(style: Any) -> bool:
    return any(child.get(f"{_TABLE}display") == "false" for child in style.iter(f"{_STYLE}table-properties"))


def _owner(row: Any) -> bool:
    """Whether the row belongs to a sheet, through groups and header rows."""
    parent = row.getparent()
    while parent is not None and parent.tag != f"{_TABLE}table":
        if parent.tag == f"{_TABLE}table-cell":
            return False
        parent = parent.getparent()
    return parent is not None and parent.getparent().tag == f"{_OFFICE}spreadsheet"


def _count(element: Any, attribute: str) -> int:
    text = element.get(f"{_TABLE}number-{attribute}", "1")
    return max(int(text), 1) if text.isdigit() and len(text) < 10 else 1


def _span(element: Any, attribute: str) -> int:
    text = element.get(f"{_TABLE}number-{attribute}-spanned", "1")
    return max(int(text), 1) if text.isdigit() and len(text) < 10 else 1


def _row(
    element: Any,
    row: int,
    sheet: str,
    shown: str,
    cells: dict[tuple[int, int], Cell],
    merges: list[tuple[int, int, int, int]],
) -> None:
    """Adds the cells with content of a row and of its repetitions."""
    column = 0
    times = _count(element, "rows-repeated")
    for child in element:
        if child.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        across = _count(child, "columns-repeated")
        if child.tag == f"{_TABLE}table-cell":
            text, fault = _read(child, address(sheet, row, column))
            if text or fault:
                if across > MAX_COLUMNS or times > MAX_ROWS or len(cells) + across * times > MAX_CELLS:
                    raise Unreadable(f"La feuille dépasse {MAX_ROWS} lignes ou {MAX_COLUMNS} colonnes remplies.")
                for r in range(row, row + times):
                    for c in range(column, column + across):
                        cells[r, c] = Cell(text, Place(shown, None, None, None, address(sheet, r, c)), fault)
            down, right = _span(child, "rows"), _span(child, "columns")
            if down > 1 or right > 1:
                merges.append((row, column, row + down - 1, column + right - 1))
        column += across


def _read(cell: Any, where: str) -> tuple[str, str | None]:
    """Text and fault of a cell."""
    kind = cell.get(f"{_OFFICE}value-type")
    shown = "\n".join(_paragraph(child) for child in cell if child.tag == f"{_TEXT}p")
    formula = cell.get(f"{_TABLE}formula") is not None
    if cell.get(f"{_CALC}value-type") == "error" or (formula and shown.startswith(_ERRORS)):
        return shown, f"La cellule {where} contient l'erreur {shown or 'inconnue'}."
    if formula and (kind is None or (kind != "string" and _value(cell, kind) is None)):
        return "", f"La formule de la cellule {where} n'a pas de valeur : enregistrer le classeur après calcul."
    try:
        return _typed(cell, kind, shown, formula), None
    except (ValueError, InvalidOperation):
        return shown, f"La valeur de la cellule {where} est illisible."


def _value(cell: Any, kind: str) -> str | None:
    name = {"date": "date-value", "time": "time-value", "boolean": "boolean-value"}.get(kind, "value")
    found = cell.get(f"{_OFFICE}{name}")
    return None if found is None else str(found)


def _typed(cell: Any, kind: str | None, shown: str, formula: bool) -> str:
    if kind is None or kind == "string":
        return str(cell.get(f"{_OFFICE}string-value") or shown)
    raw = _value(cell, kind)
    if raw is None:
        return shown
    if kind == "boolean":
        return "oui" if raw == "true" else "non"
    if kind == "date":
        return dt.date.fromisoformat(raw[:10]).isoformat()
    if kind == "time":
        return shown or raw
    number = Decimal(raw)
    if formula:
        number = _SHOWN.plus(number)
    return _plain(number * 100 if kind == "percentage" else number, shown)


def _plain(number: Decimal, shown: str) -> str:
    """The digits of a number: no exponent, no useless zero; the zeros that the sheet shows before it are kept."""
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise ValueError(number)
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    text = "0" if text == "-0" else text
    return shown if shown.isdecimal() and shown.isascii() and shown.lstrip("0") == text else text


def _paragraph(element: Any) -> str:
    """The text of a paragraph, its counted spaces unrolled, notes left out."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == f"{_TEXT}s":
            count = child.get(f"{_TEXT}c", "1")
            parts.append(" " * min(int(count), 1000) if count.isdigit() else " ")
        elif child.tag == f"{_TEXT}tab":
            parts.append("\t")
        elif child.tag == f"{_TEXT}line-break":
            parts.append("\n")
        elif child.tag not in (f"{_OFFICE}annotation", f"{_TEXT}note") and isinstance(child.tag, str):
            parts.append(_paragraph(child))
        parts.append(child.tail or "")
    return "".join(parts)
