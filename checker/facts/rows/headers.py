"""The header of a sheet of lines: the row that names the most fields of a table. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from checker.base import values
from checker.base.dictionary import Table
from checker.base.grid import Cell, Grid

AMOUNT, NUMBER = "montant", "ligne"
_LEAST = 3  # columns that make a header
_ORDER_ITEM = "poste"  # beside the number of an order it is the item of the order, not the number of the line
_UNITS = re.compile(r"(?: (?:en|eur|euro|euros|ttc))+\Z")


class Header(NamedTuple):
    """A header row: its sheet, its index there, field -> column, and the columns that repeat a field already found."""

    grid: Grid
    at: int
    columns: Mapping[str, int]
    twins: tuple[tuple[str, int], ...]


@functools.lru_cache(maxsize=4096)
def words(text: str) -> str:
    """A header as compared: folded, « n° », « no », « numéro » alike, « € » and « % » as words."""
    spread = text.replace("€", " eur ").replace("%", " pourcent ")
    return " ".join("n" if word in ("no", "num", "numero") else word for word in values.fold(spread).split())


@functools.lru_cache(maxsize=64)
def _names(fields: tuple[tuple[str, tuple[str, ...]], ...]) -> Mapping[str, str]:
    """Words -> field: full names before aliases, aliases before last segments; what names two fields names none."""
    levels: list[list[tuple[str, str]]] = [
        [(words(name), name) for name, _ in fields],
        [(words(alias), name) for name, aliases in fields for alias in aliases],
        [(words(name.rpartition(".")[2]), name) for name, _ in fields],
    ]
    known: dict[str, str] = {}
    for level in levels:
        named: dict[str, set[str]] = {}
        for word, name in level:
            named.setdefault(word, set()).add(name)
        alone = {word: min(found) for word, found in named.items() if len(found) == 1}
        known = alone | known
    return known


def _index(table: Table) -> Mapping[str, str]:
    fields = (field for field in table.fields.values() if field.type != "block" and not field.computed)
    return _names(tuple((field.name, field.aliases) for field in fields))


def _field(label: str, names: Mapping[str, str], table: Table) -> str | None:
    """The field that a header names; a unit after it (« € », « TTC ») is left out for amounts only."""
    said = words(label)
    if said in names:
        return names[said]
    found = names.get(_UNITS.sub("", said))
    return found if found and table.fields[found].type == "money" else None


def _matches(grid: Grid, at: int, names: Mapping[str, str], table: Table) -> list[tuple[int, str]]:
    """Column and field of each header cell of a row, those of a header on two rows (« Facture » over « Date ») too."""
    row, above = grid.rows[at], grid.rows[at - 1] if at else ()
    found: list[tuple[int, str]] = []
    alone: list[tuple[int, str]] = []
    stacked = False
    for column, cell in enumerate(row):
        over = above[column].text if column < len(above) and above[column].place != cell.place else ""
        if not cell.text.strip():
            name = _field(over, names, table) if over else None
            alone.extend([(column, name)] if name else [])
            continue
        if column and row[column - 1].place == cell.place:
            continue  # one merged header cell
        pair = None
        if over.strip():
            pair = _field(f"{over} {cell.text}", names, table) or _field(f"{cell.text} {over}", names, table)
        stacked = stacked or pair is not None
        name = pair or _field(cell.text, names, table)
        if name:
            found.append((column, name))
    return sorted([*found, *alone]) if stacked else found


def _columns(row: Sequence[Cell], matches: list[tuple[int, str]]) -> tuple[dict[str, int], list[tuple[str, int]]]:
    """Field -> column, and the columns that repeat a field."""
    columns: dict[str, int] = {}
    twins: list[tuple[str, int]] = []
    items = [column for column, name in matches if name == NUMBER and words(row[column].text) == _ORDER_ITEM]
    order = {column + 1 for column, name in matches if name == "engagement.numero"}
    numbers = sum(name == NUMBER for _, name in matches)
    for column, name in matches:
        if column in items and (numbers > 1 or column in order):
            continue
        if name in columns:
            twins.append((name, column))
        else:
            columns[name] = column
    return columns, twins


def named(grid: Grid, at: int, table: Table) -> Header | None:
    """What a row names, when it is a header: three fields at least, the amount or the number of the line among them."""
    row = grid.rows[at]
    columns, twins = _columns(row, _matches(grid, at, _index(table), table))
    if len(columns) < _LEAST or not (AMOUNT in columns or NUMBER in columns):
        return None
    return Header(grid, at, columns, tuple(twins))


def header(grid: Grid, table: Table) -> Header | None:
    """The row that names the most fields, the first of equals."""
    for strict in (True, False):
        # A figure in a row: almost surely data, looked at again only when nothing else is found.
        rows = [at for at, row in enumerate(grid.rows) if not (strict and any(cell.text[:1].isdigit() for cell in row))]
        found = [header for header in (named(grid, at, table) for at in rows) if header]
        if found:
            return max(found, key=lambda header: len(header.columns))
    return None
