"""A spreadsheet -> its grids, read apart. Door: `grids`."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from checker.base import clock, plugs, yamlfile
from checker.base.grid import Cell, Grid
from checker.base.unreadable import Unreadable, bounded
from checker.facts import apart
from checker.model import Limits, Place

READERS: Final = "checker.facts.readers"
_PLAIN: Final = ("csv", "tsv")  # no library reads them
_SMALL: Final = 2**20  # bytes

_Flat = list[tuple[str, list[list[tuple[Any, ...]]]]]  # sheets: name, rows of (text, *place, fault)


def grids(path: Path, shown: str, limits: Limits) -> list[Grid]:
    """The sheets of a spreadsheet, by the reader of its suffix; Unreadable when it has none, or fails, or is too slow.

    A small delimited text is read in this process, any other file in a child.
    """
    kind = shown.rpartition(".")[2].lower()
    with clock.of(f"lignes {kind}"):
        return _grids(kind, path, shown, limits)


def _grids(kind: str, path: Path, shown: str, limits: Limits) -> list[Grid]:
    if kind in _PLAIN and bounded(path).stat().st_size <= _SMALL:
        try:
            return _reader(kind).grids(path, shown)  # type: ignore[no-any-return]
        except OSError as error:
            raise Unreadable(f"lecture impossible : {error.strerror}") from None
    said = apart.call(_read, kind, path, shown, seconds=limits.piece_seconds, megabytes=limits.reader_megabytes)
    if isinstance(said, apart.Failed):
        raise Unreadable(said.reason)
    if isinstance(said, str):
        raise Unreadable(said)
    return [
        Grid(name, tuple(tuple(Cell(cell[0], Place(*cell[1:6]), cell[6]) for cell in row) for row in rows))
        for name, rows in said
    ]


def _read(kind: str, path: Path, shown: str) -> _Flat | str:
    """What goes through the pipe: plain tuples, ten times faster than the cells; or why there is nothing."""
    try:
        found = _reader(kind).grids(path, shown)
    except Unreadable as error:
        return error.reason
    return [
        (grid.name, [[(cell.text, *cell.place, cell.fault) for cell in row] for row in grid.rows]) for grid in found
    ]


def warm(node: yamlfile.Node) -> None:
    """Have a child that imports, while this process does something else, what the files of a manifest will need."""
    kinds = {name.rpartition(".")[2].lower() for name in _named(node)}
    if kinds - {*_PLAIN, "txt"}:
        apart.start(functools.partial(_import, kinds))


def _named(node: yamlfile.Node) -> set[str]:
    """The files that a manifest names where pieces and sheets are named, as far as its structure is right."""
    root = node.data if isinstance(node.data, dict) else {}
    lists = [root[key].data for key in ("pieces", "depenses") if key in root]
    items = [each.data for found in lists if isinstance(found, list) for each in found]
    blocks = [*items, *(found for found in lists if isinstance(found, dict))]
    cells = [block["fichier"].data for block in blocks if isinstance(block, dict) and "fichier" in block]
    return {cell for cell in cells if isinstance(cell, str)}


def _import(kinds: set[str]) -> None:
    from checker.facts import pieces

    for kind in sorted(kinds & {"xlsx", "ods", "xlsm"}):
        for library in getattr(_reader(kind), "LIBRARIES", ()):
            importlib.import_module(library)
    if "pdf" in kinds:
        pieces.look_here("pdf", b"%PDF-", Place(""))


def _reader(kind: str) -> ModuleType:
    """The plug that reads that suffix: the one of that name, or one that lists it."""
    names = plugs.names(READERS)
    for name in sorted(names, key=lambda name: name != kind):
        plug = plugs.load(READERS, name)
        if f".{kind}" in getattr(plug, "SUFFIXES", ()):
            return plug
    raise Unreadable(f"aucun lecteur de lignes pour le format « {kind} »")
