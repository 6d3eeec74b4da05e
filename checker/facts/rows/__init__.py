"""Sheets -> lines of expense and the totals written beside them. Pure."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import Sequence

from checker.base import values
from checker.base.dictionary import Table
from checker.base.grid import Cell, Grid
from checker.facts.rows.headers import AMOUNT, NUMBER, Header, header, named
from checker.facts.rows.totals import Item, item, only, settled, totals
from checker.model import Fault, Place, Row, Value

_SERIAL = re.compile(r"[2-7][0-9]{4}|80000")
_SECOND = "un second en-tête, différent, est au-dessus : les colonnes ne sont pas sûres"


def read(grids: list[Grid], table: Table) -> tuple[list[Row], list[Row], list[Fault]]:
    """Rows of the table, rows of `tableur` (libelle, montant, somme: one a total found), faults that lose something.

    An absent column is not in a Row; an empty cell, or « # », is Value(None, place).
    """
    headers = [found for found in (header(grid, table) for grid in grids) if found]
    if not headers:
        return [], [], [_no_header(grids)]
    chosen = max(headers, key=lambda found: len(found.columns))
    body, faults = _body(chosen, table)
    faults.extend(_other_sheets(headers, chosen))
    kept = settled(body)
    items = only(kept, "line")
    lines = [_row(line, chosen, table, number) for number, line in enumerate(items, 1)]
    _shared_amounts(lines)
    faults.extend(_twins(chosen, items, lines, table))
    _ragged(chosen, items, lines)
    return lines, totals(kept, lines, table), faults


def _no_header(grids: list[Grid]) -> Fault:
    cells = next((row for grid in grids for row in grid.rows if row), ())
    place = cells[0].place if cells else Place("")
    excerpt = " | ".join(cell.text for cell in cells if cell.text.strip())[:200]
    todo = "Donner aux colonnes les noms du contrat (`ligne`, `facture.numero`, `montant` …) ou leurs libellés usuels."
    return Fault("aucune ligne d'en-tête reconnue dans le tableur", place, excerpt, todo)


def _other_sheets(headers: list[Header], chosen: Header) -> list[Fault]:
    return [
        Fault(
            f"deux feuilles portent un en-tête : « {chosen.grid.name} » est lue, « {other.grid.name} » ne l'est pas",
            other.grid.rows[other.at][0].place,
            todo="Ne garder qu'une feuille de lignes, ou masquer l'autre.",
        )
        for other in headers
        if other is not chosen and len(other.grid.rows) > other.at + 1
    ]


def _body(found: Header, table: Table) -> tuple[list[Item], list[Fault]]:
    """The rows under the header that hold something, repeated headers left out."""
    rows = found.grid.rows
    items: list[Item] = []
    faults: list[Fault] = []
    for at in range(found.at + 1, len(rows)):
        row = rows[at]
        if not any(cell.fault or cell.text.strip() for cell in row):
            continue
        if at == found.at + 1 and _counts_columns(row):
            continue
        other = None if _has_figures(row) else named(found.grid, at, table)
        if other and other.columns != found.columns:
            excerpt = " | ".join(cell.text for cell in row if cell.text.strip())[:200]
            faults.append(Fault(_SECOND, row[0].place, excerpt, "Mettre chaque tableau sur sa feuille."))
        elif not other:
            items.append(item(_unsure(row) if faults else row, found, table))
    return items, faults


def _has_figures(row: Sequence[Cell]) -> bool:
    return any(cell.text[:1].isdigit() for cell in row)


def _unsure(row: Sequence[Cell]) -> tuple[Cell, ...]:
    """The row with every filled cell unreadable: nothing says that its columns are those of the first header."""
    return tuple(cell._replace(fault=cell.fault or _SECOND) if cell.text.strip() else cell for cell in row)


def _counts_columns(row: Sequence[Cell]) -> bool:
    """Whether the row numbers the columns: 1, 2, 3 …"""
    texts = [cell.text.strip() for cell in row if cell.text.strip()]
    return len(texts) > 3 and texts == [str(number) for number in range(1, len(texts) + 1)]


def _row(line: Item, found: Header, table: Table, number: int) -> Row:
    place = next(cell.place for cell in line.cells if cell.fault or cell.text.strip())
    row: Row = {} if NUMBER in found.columns else {NUMBER: Value(str(number), place)}
    for name, column in found.columns.items():
        cell = line.filled.get(name)
        if cell is None:
            inside = column < len(line.cells)
            row[name] = Value(None, line.cells[column].place if inside else place._replace(column=None))
        else:
            row[name] = Value(_text(cell.text, table.fields[name].type), cell.place, cell.fault)
    return row


def _text(text: str, kind: str) -> str:
    """As written; a date column that holds a serial number of Excel (1900 system) says its day."""
    if kind == "date" and _SERIAL.fullmatch(text.strip()):
        return (dt.date(1899, 12, 30) + dt.timedelta(days=int(text))).isoformat()
    return text


def _blur(row: Row, name: str, fault: str) -> None:
    if name in row and not row[name].fault:
        row[name] = row[name]._replace(fault=fault)


def _shared_amounts(lines: list[Row]) -> None:
    """An amount merged over several lines is nobody's: what each asks for is not said."""
    for before, after in itertools.pairwise(lines):
        one, two = before.get(AMOUNT), after.get(AMOUNT)
        if one and two and one.raw is not None and one.place == two.place:
            for row in (before, after):
                _blur(row, AMOUNT, "Une cellule fusionnée couvre plusieurs lignes : leur part n'est pas dite.")


def _twins(found: Header, items: list[Item], lines: list[Row], table: Table) -> list[Fault]:
    """Two columns for one field: harmless while they say the same, unreadable where they differ."""
    faults = []
    for name, column in found.twins:
        differ = False
        for line, row in zip(items, lines, strict=True):
            other = line.cells[column] if column < len(line.cells) else None
            if other is None or not (other.fault or other.text.strip()) or other.place == row[name].place:
                continue
            if other.fault or values.fold(other.text) != values.fold(row[name].raw or ""):
                differ = True
                _blur(row, name, f"Deux colonnes disent « {table.fields[name].title} », et autrement.")
        if differ:
            top = found.grid.rows[found.at]
            what = f"deux colonnes disent « {table.fields[name].title} » : la première est lue"
            excerpt = f"{top[found.columns[name]].text} | {top[column].text}"
            faults.append(Fault(what, top[column].place, excerpt, "N'en garder qu'une, ou renommer l'autre."))
    return faults


def _ragged(found: Header, items: list[Item], lines: list[Row]) -> None:
    """A record of more fields than the header (a comma of decimals as separator) has lost its columns."""
    width = len(found.grid.rows[found.at])
    usual = Counter(len(line.cells) for line in items).most_common(1)
    for line, row in zip(items, lines, strict=True):
        extra = line.cells[width:]
        if extra and (len(line.cells) != usual[0][0] or any(cell.text.strip() for cell in extra)):
            why = f"La ligne a {len(line.cells)} champs et l'en-tête {width} : ses colonnes sont décalées."
            for name in row:
                _blur(row, name, why)
