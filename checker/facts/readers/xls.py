"""XLS (Excel before 2007): visible sheets, through calamine, which may abort its process: it is read apart.

Calamine tells the value that the file keeps of a cell, not how the cell shows it. Hence, unlike XLSX:
a cell in error and a formula that was never computed are empty cells, as absent as those where nothing is written;
a number has no format (`0615` typed as a number is 615, 20 % is 0.2). What must be seen is to be saved as XLSX.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

from checker.base.grid import Cell, Grid
from checker.base.unreadable import MAX_CELLS, Sheet, Unreadable, address, bounded
from checker.base.unreadable import grids as assembled
from checker.model import Place

SUFFIXES: tuple[str, ...] = (".xls",)

_DAMAGED = "Le fichier n'est pas un classeur lisible : abîmé, ou d'un autre format."
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SHOWN = Context(prec=15)  # Excel computes with 17 digits and shows 15; which cells are computed is not known


def grids(path: Path, shown: str) -> list[Grid]:
    """Visible sheets, top row first, without the rows and columns that hold nothing; raises Unreadable."""
    try:
        with bounded(path).open("rb") as stream:
            magic = stream.read(8)
    except OSError as error:
        raise Unreadable("Le fichier est introuvable ou ne peut pas être ouvert.") from error
    if magic[:4] == b"PK\x03\x04":
        raise Unreadable("Le fichier est un XLSX ou un ODS nommé « .xls » : lui rendre son nom.")
    if magic != _OLE:
        raise Unreadable("Le fichier n'est pas un classeur XLS.")
    return assembled(_sheets(path, shown), shown)


def _sheets(path: Path, shown: str) -> Iterator[Sheet]:
    try:
        import python_calamine as calamine
    except ImportError as error:
        raise Unreadable("La bibliothèque python-calamine manque : installer « quitus[tableur] ».") from error
    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            for item in book.sheets_metadata:
                if item.visible == calamine.SheetVisibleEnum.Visible and item.typ == calamine.SheetTypeEnum.WorkSheet:
                    yield _sheet(book.get_sheet_by_name(item.name), shown)
    except calamine.PasswordError as error:
        raise Unreadable("Le fichier est protégé par un mot de passe.") from error
    except calamine.CalamineError as error:
        raise Unreadable(_DAMAGED) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # what a fault of Rust is in Python: no Exception
            raise Unreadable(_DAMAGED) from None
        raise


def _sheet(found: Any, shown: str) -> Sheet:
    if found.height * found.width > MAX_CELLS:
        raise Unreadable(f"La feuille « {found.name} » s'étend sur plus de {MAX_CELLS} cellules.")
    cells: dict[tuple[int, int], Cell] = {}
    top, left = found.start or (0, 0)
    for row, values in enumerate(found.to_python(skip_empty_area=True) if found.start else (), top):
        for column, value in enumerate(values, left):
            where = address(found.name, row, column)
            text, fault = _read(value, where)
            if text or fault:
                cells[row, column] = Cell(text, Place(shown, None, None, None, where), fault)
    merges = [(*first, *last) for first, last in found.merged_cell_ranges or ()]
    return Sheet(found.name, cells, merges)


def _read(value: Any, where: str) -> tuple[str, str | None]:
    """Text and fault of a cell."""
    if isinstance(value, bool):
        return ("oui" if value else "non"), None
    if isinstance(value, int | float):
        return _number(value, where)
    if isinstance(value, dt.datetime):
        return value.date().isoformat(), None
    if isinstance(value, dt.date):
        return value.isoformat(), None
    if isinstance(value, dt.time):
        return value.strftime("%H:%M:%S"), None
    return str(value), None


def _number(value: float, where: str) -> tuple[str, str | None]:
    """The digits: no exponent, no useless zero; a fault beyond 30 of them."""
    number = _SHOWN.plus(Decimal(repr(value)))
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return repr(value), f"La valeur de la cellule {where} est illisible."
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text, None
