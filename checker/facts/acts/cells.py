"""Cells of a page that name a value: « Code service | 155 », a heading over its column. What they mean is not said."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from checker.base.page import Page
from checker.facts.acts import layout
from checker.facts.acts.layout import Run
from checker.model import Place, Value

_LABEL = 60  # signs
_VALUE = 200
_MOST = 2_000  # cells of a piece
_PAGES = 20
_EDGE = 4.0  # points between the left edges of a heading and of what stands under it


def read(pages: Sequence[Page], file: str) -> list[tuple[str, Value]]:
    """Label and value, from the top; a line of two cells, or two lines of as many cells, three at least, aligned."""
    found = (pair for page in pages[:_PAGES] for pair in _pairs(layout.sheet(page).rows))
    return [
        (label.text, Value(value.text, _place(value, file)))
        for label, value in itertools.islice(found, _MOST)
        if len(label.text) <= _LABEL and len(value.text) <= _VALUE
    ]


def _pairs(rows: Sequence[Sequence[Run]]) -> Iterator[tuple[Run, Run]]:
    for row in rows:
        if len(row) == 2:
            yield row[0], row[1]
    for above, under in itertools.pairwise(rows):
        if len(above) == len(under) > 2 and all(map(_aligned, above, under)) and _heads(above):
            yield from zip(above, under, strict=True)


def _aligned(above: Run, under: Run) -> bool:
    return abs(above.edges[0] - under.edges[0]) <= _EDGE


def _heads(row: Sequence[Run]) -> bool:
    return not any(char.isdigit() for run in row for char in run.text)


def _place(run: Run, file: str) -> Place:
    return Place(file, page=run.page, place=",".join(f"{edge:g}" for edge in run.edges))
