"""A spreadsheet or a delimited text as its reader saw it."""

from __future__ import annotations

from typing import NamedTuple

from checker.model import Place
from checker.model.frozen import frozen


class Cell(NamedTuple):
    """A cell of a spreadsheet or of a delimited text: its text ("" when empty), its address, why it is unreadable."""

    text: str
    place: Place
    fault: str | None = None


@frozen
class Grid:
    """A sheet as its reader saw it: rows of cells, top first; merged cells repeat their value."""

    name: str
    rows: tuple[tuple[Cell, ...], ...]
