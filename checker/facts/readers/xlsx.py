"""XLSX: visible sheets, formulas and cached values read in one pass of the XML, within bounds.

openpyxl (379 ms to import) reads a workbook twice to know both, trusts the announced dimensions and unrolls
a merged area of a whole sheet; here it is the oracle of the tests.
"""

from __future__ import annotations

import datetime as dt
import functools
import posixpath
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Any

from checker.base.grid import Cell, Grid
from checker.base.unreadable import MAX_CELLS, Sheet, Unreadable, address, archive
from checker.base.unreadable import grids as assembled
from checker.model import Place

SUFFIXES: tuple[str, ...] = (".xlsx", ".xlsm")
LIBRARIES: tuple[str, ...] = ("lxml.etree",)

_DATES = frozenset((14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)))
_TIMES = frozenset((18, 19, 20, 21, 45, 46, 47))
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,7})\Z")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SHOWN = Context(prec=15)  # Excel computes with 17 digits and shows 15: 84000.00000000001 is 84000


@dataclass(frozen=True, slots=True)
class _Style:
    """How a cell shows its number: date, time, percent or a fixed count of digits (« 0000000000 »)."""

    kind: str = ""
    digits: int = 0


@dataclass(frozen=True, slots=True)
class _Book:
    """What the sheets of a workbook share."""

    shown: str
    strings: list[str]
    styles: list[_Style]
    epoch: dt.date
    stale: bool  # the workbook asks to be computed again when opened


def grids(path: Path, shown: str) -> list[Grid]:
    """Visible sheets, top row first, without the rows and columns that hold nothing; raises Unreadable."""
    with archive(path) as content:
        return assembled(_sheets(content, shown), shown)


def filled(path: Path, shown: str) -> tuple[list[Grid], frozenset[str]]:
    """Every sheet, a hidden one too, and the addresses of the cells that hold a formula; raises Unreadable."""
    formulas: set[str] = set()
    with archive(path) as content:
        return assembled(_sheets(content, shown, formulas), shown), frozenset(formulas)


def _sheets(content: zipfile.ZipFile, shown: str, formulas: set[str] | None = None) -> Iterator[Sheet]:
    """The visible sheets; with `formulas`, which gains their addresses, all of them."""
    main = next(iter(_relations(content, "", "/officeDocument").values()), "xl/workbook.xml")
    targets = _relations(content, main, "/worksheet")
    named: list[tuple[str, str]] = []
    epoch, stale = dt.date(1899, 12, 30), False
    for element in _elements(content, main, "sheet", "workbookPr", "calcPr"):
        tag = _local(element)
        if tag == "workbookPr" and element.get("date1904") in ("1", "true"):
            epoch = dt.date(1904, 1, 1)
        elif tag == "calcPr":
            stale = element.get("fullCalcOnLoad") in ("1", "true")
        elif tag == "sheet" and (formulas is not None or element.get("state", "visible") == "visible"):
            link = next((value for key, value in element.items() if key.endswith("}id")), "")
            if link in targets:
                named.append((element.get("name", ""), targets[link]))
    parts = set(content.namelist())
    folder = posixpath.dirname(main)
    strings = _strings(content, _part(content, main, "/sharedStrings", f"{folder}/sharedStrings.xml"), parts)
    styles = _styles(content, _part(content, main, "/styles", f"{folder}/styles.xml"), parts)
    book = _Book(shown, strings, styles, epoch, stale)
    for name, part in named:
        yield _sheet(content, part, name, book)
        if formulas is not None:
            formulas.update(_formulas(content, part, name))


def _relations(content: zipfile.ZipFile, part: str, kind: str) -> dict[str, str]:
    """Relation id -> part of the archive, for the relations of a part whose type ends with `kind`."""
    folder, name = posixpath.split(part)
    source = posixpath.join(folder, "_rels", f"{name}.rels")
    if source not in content.namelist():
        return {}
    return {
        element.get("Id", ""): posixpath.normpath(posixpath.join("/", folder, element.get("Target", ""))).lstrip("/")
        for element in _elements(content, source, "Relationship")
        if element.get("Type", "").endswith(kind)
    }


def _part(content: zipfile.ZipFile, main: str, kind: str, usual: str) -> str:
    return next(iter(_relations(content, main, kind).values()), usual)


def _elements(content: zipfile.ZipFile, part: str, *names: str) -> Iterator[Any]:
    """Elements of these local names as they end; emptied after use, so that a part never stands whole in memory."""
    with content.open(part) as stream:
        yield from _parsed(stream, names)


def _parsed(stream: IO[bytes], names: tuple[str, ...]) -> Iterator[Any]:
    try:
        from lxml import etree
    except ImportError as error:
        raise Unreadable("La bibliothèque lxml manque : installer « quitus[tableur] ».") from error
    tags = [f"{{*}}{name}" for name in names]
    parser = etree.iterparse(
        stream, ("end",), tag=tags, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    first = True
    try:
        for _, element in parser:
            if first and element.getroottree().docinfo.internalDTD is not None:
                raise Unreadable("Le fichier contient une déclaration DOCTYPE : refusé par sécurité.")
            first = False
            yield element
            element.clear()
            while element.getprevious() is not None and element.getparent() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise Unreadable("Le fichier contient du XML mal formé.") from error


def _local(element: Any) -> str:
    return _bare(element.tag)


@functools.lru_cache(maxsize=1024)
def _bare(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _strings(content: zipfile.ZipFile, part: str, parts: set[str]) -> list[str]:
    return [_rich(element) for element in _elements(content, part, "si")] if part in parts else []


def _rich(element: Any) -> str:
    """The text of a string and of its runs, without phonetic guides."""
    texts = []
    for child in element:
        tag = _local(child)
        if tag == "t":
            texts.append(child.text or "")
        elif tag == "r":
            texts.extend(run.text or "" for run in child if _local(run) == "t")
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), "".join(texts))


def _styles(content: zipfile.ZipFile, part: str, parts: set[str]) -> list[_Style]:
    if part not in parts:
        return []
    formats: dict[str, str] = {}
    styles: list[_Style] = []
    for element in _elements(content, part, "numFmt", "cellXfs"):
        if _local(element) == "numFmt":
            formats.setdefault(element.get("numFmtId", ""), element.get("formatCode", ""))
        else:
            styles = [_style(child.get("numFmtId", "0"), formats) for child in element if _local(child) == "xf"]
    return styles


def _style(number: str, formats: dict[str, str]) -> _Style:
    code = formats.get(number)
    if code is None:
        known = int(number) if number.isdigit() else 0
        kind = "date" if known in _DATES else "time" if known in _TIMES else "percent" if known in (9, 10) else ""
        return _Style(kind)
    bare = _LITERAL.sub("", code.split(";")[0]).lower()
    if re.fullmatch(r"0{2,}", bare):
        return _Style(digits=len(bare))
    if re.search(r"[dy]|m{3}", bare) or (re.search(r"m", bare) and not re.search(r"[hs]", bare)):
        return _Style("date")
    if re.search(r"[hs]", bare):
        return _Style("time")
    return _Style("percent" if "%" in bare else "")


def _sheet(content: zipfile.ZipFile, part: str, name: str, book: _Book) -> Sheet:
    cells: dict[tuple[int, int], Cell] = {}
    merges: list[tuple[int, int, int, int]] = []
    last = -1
    for element in _elements(content, part, "row", "mergeCell"):
        if _local(element) == "mergeCell":
            merges.extend(_area(element.get("ref", "")))
            continue
        last = int(element.get("r")) - 1 if (element.get("r") or "").isdigit() else last + 1
        cells.update(_row(element, last, name, book))
        if len(cells) > MAX_CELLS:
            raise Unreadable(f"Le fichier dépasse {MAX_CELLS} cellules.")
    return Sheet(name, cells, merges)


def _formulas(content: zipfile.ZipFile, part: str, name: str) -> Iterator[str]:
    """The addresses of the formulas of a sheet, « Feuil1!F14 »."""
    for cell in _elements(content, part, "c"):
        if any(_local(child) == "f" for child in cell):
            yield f"{name}!{cell.get('r') or ''}"


def _row(element: Any, row: int, sheet: str, book: _Book) -> Iterator[tuple[tuple[int, int], Cell]]:
    column = -1
    for child in element:
        if _local(child) != "c":
            continue
        found = _ADDRESS.match(child.get("r") or "")
        column = _number(found[1]) if found else column + 1
        where = address(sheet, row, column)
        text, fault = _read(child, where, book)
        if text or fault:
            yield (row, column), Cell(text, Place(book.shown, None, None, None, where), fault)


def _read(cell: Any, where: str, book: _Book) -> tuple[str, str | None]:
    """Text and fault of a cell."""
    kind = cell.get("t", "n")
    formula, raw, inline = False, None, None
    for child in cell:
        tag = _local(child)
        if tag == "f":
            formula = True
        elif tag == "v":
            raw = child.text or ""
        elif tag == "is":
            inline = _rich(child)
    if kind == "inlineStr":
        return inline or "", None
    if kind == "e":
        return raw or "", f"La cellule {where} contient l'erreur {raw or 'inconnue'}."
    if formula and kind != "str" and (not raw or (book.stale and raw == "0")):
        # A library that does not compute writes no value, or 0 and « compute at opening ».
        return "", f"La formule de la cellule {where} n'a pas de valeur : enregistrer le classeur après calcul."
    if not raw:
        return "", None
    try:
        return _typed(kind, raw, cell.get("s") or "0", formula, book), None
    except (ValueError, IndexError, OverflowError, InvalidOperation):
        return raw, f"La valeur de la cellule {where} est illisible."


def _typed(kind: str, raw: str, style: str, formula: bool, book: _Book) -> str:
    if kind == "s":
        return book.strings[int(raw)]
    if kind == "str":
        return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), raw)
    if kind == "b":
        return "oui" if raw in ("1", "true") else "non"
    if kind == "d":
        return dt.date.fromisoformat(raw[:10]).isoformat()
    number = Decimal(repr(float(raw)))
    shown = book.styles[int(style)] if int(style) < len(book.styles) else _Style()
    if shown.kind == "date":
        return _date(number, book.epoch)
    if shown.kind == "time":
        return _time(number)
    if formula:
        number = _SHOWN.plus(number)
    text = plain(number * 100 if shown.kind == "percent" else number)
    return text.zfill(shown.digits) if text.isdigit() else text


def plain(number: Decimal) -> str:
    """The digits of a number: no exponent, no useless zero; ValueError when it is not finite or beyond 30 digits."""
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise ValueError(number)
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _date(serial: Decimal, epoch: dt.date) -> str:
    days = int(serial)
    if days < 0:
        raise ValueError(serial)
    if epoch.year == 1899 and days < 60:
        days += 1  # Excel believes in 29 February 1900
    return (epoch + dt.timedelta(days=days)).isoformat()


def _time(serial: Decimal) -> str:
    seconds = int((serial * 86_400).to_integral_value())
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@functools.lru_cache(maxsize=1024)
def _number(name: str) -> int:
    total = 0
    for letter in name:
        total = total * 26 + ord(letter) - 64
    return total - 1


def _area(reference: str) -> Iterable[tuple[int, int, int, int]]:
    ends = [_ADDRESS.match(part) for part in reference.split(":")]
    corners = [(int(found[2]) - 1, _number(found[1])) for found in ends if found]
    if len(corners) == 2:
        (top, left), (bottom, right) = corners
        yield top, left, bottom, right
