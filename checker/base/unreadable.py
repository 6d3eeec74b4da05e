"""What a reader refuses: the exception it raises, the bounds that protect the machine, sheets assembled within them."""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checker.base.grid import Cell, Grid
from checker.model import Place

if TYPE_CHECKING:
    import zipfile

MAX_FILE = 50_000_000  # bytes of a file
MAX_CONTENT = 200_000_000  # bytes of what an archive unpacks to
MAX_ROWS = 100_000  # rows with content, of a sheet
MAX_COLUMNS = 200  # columns with content, of a sheet
MAX_CELLS = 2_000_000  # cells of all sheets of a file, the empty ones between the others included


class Unreadable(Exception):
    """A file that cannot be read; the reason is a French sentence without the name of the file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Sheet(NamedTuple):
    """A sheet as parsed: cells by (row, column) from 0; merged areas: top, left, bottom, right, all inside."""

    name: str
    cells: Mapping[tuple[int, int], Cell]
    merges: Sequence[tuple[int, int, int, int]]


def bounded(path: Path) -> Path:
    """The same path; Unreadable when the file is absent or beyond MAX_FILE bytes."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Unreadable("Le fichier est introuvable ou ne peut pas être ouvert.") from error
    if size > MAX_FILE:
        raise Unreadable(f"Le fichier dépasse {MAX_FILE // 1_000_000} Mo.")
    return path


@contextmanager
def archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The zip archive, its announced content bounded (`zipfile` never reads beyond what is announced)."""
    import struct
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(bounded(path)) as content:
            if sum(item.file_size for item in content.infolist()) > MAX_CONTENT:
                raise Unreadable(f"Le contenu décompressé dépasse {MAX_CONTENT // 1_000_000} Mo.")
            if any(item.flag_bits & 1 for item in content.infolist()):
                raise Unreadable("Le fichier est protégé par un mot de passe.")
            yield content
    except KeyError as error:
        raise Unreadable("Une partie obligatoire du fichier manque.") from error
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError, OSError) as error:
        raise Unreadable(
            "Le fichier n'est pas un classeur lisible : archive abîmée, chiffrée ou autre format."
        ) from error


@functools.lru_cache(maxsize=1024)
def letters(column: int) -> str:
    """The letters of a column counted from 0: 0 is A, 26 is AA."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def address(sheet: str, row: int, column: int) -> str:
    """« Feuil1!F14 » for row 13 and column 5, both counted from 0."""
    return f"{sheet}!{letters(column)}{row + 1}"


def grids(sheets: Iterable[Sheet], shown: str) -> list[Grid]:
    """Rectangular grids: rows and columns without content are left out, `Place` says where a cell stands."""
    done: list[Grid] = []
    left = MAX_CELLS
    for sheet in sheets:
        rows = sorted({row for row, _ in sheet.cells})
        columns = sorted({column for _, column in sheet.cells})
        check_size(len(rows), len(columns), left)
        left -= len(rows) * len(columns)
        cells = _merged(sheet, rows, columns)
        names = [letters(column) for column in columns]
        done.append(
            Grid(
                sheet.name,
                tuple(
                    tuple(
                        cells.get((row, column))
                        or Cell("", Place(shown, None, None, None, f"{sheet.name}!{name}{row + 1}"))
                        for column, name in zip(columns, names, strict=True)
                    )
                    for row in rows
                ),
            )
        )
    return done


def check_size(rows: int, columns: int, left: int = MAX_CELLS) -> None:
    """Unreadable when a sheet has more rows, columns or cells than a list of expenses can have."""
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise Unreadable(f"La feuille dépasse {MAX_ROWS} lignes ou {MAX_COLUMNS} colonnes remplies.")
    if rows * columns > left:
        raise Unreadable(f"Le fichier dépasse {MAX_CELLS} cellules.")


def _merged(sheet: Sheet, rows: Sequence[int], columns: Sequence[int]) -> Mapping[tuple[int, int], Cell]:
    """The cells, those of a merged area replaced by its first one (with its place: the value stands there)."""
    if not sheet.merges:
        return sheet.cells
    cells = dict(sheet.cells)
    painted = 0 if len(sheet.merges) <= MAX_ROWS else MAX_CELLS
    for top, left, bottom, right in sheet.merges:
        first = sheet.cells.get((top, left))
        inside = [column for column in columns if left <= column <= right]
        for row in _between(rows, top, bottom):
            painted += len(inside) + 1
            if painted > MAX_CELLS:
                raise Unreadable("Les cellules fusionnées du fichier se chevauchent ou sont trop nombreuses.")
            for column in inside:
                if first is None:
                    cells.pop((row, column), None)
                else:
                    cells[row, column] = first
    return cells


def _between(rows: Sequence[int], top: int, bottom: int) -> Sequence[int]:
    return rows[bisect_left(rows, top) : bisect_right(rows, bottom)]
