"""Words of a page -> lines, cells of a line, blocks of lines; and where the text of each stands.

A run is what stands together on a line: a cell of a table, half of two columns, a whole line of a letter. A block is a
stack of runs with one left edge. Sizes are in points; what two words of one line are apart decides, in their height.
"""

from __future__ import annotations

import functools
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from checker.base.page import MAX_WORDS, Page, Word

_APART: Final = 0.9  # heights between two cells; a space is 0.25, in a justified line up to 0.7
_STACKED: Final = 0.75  # heights between two lines of a block
_SHIFT: Final = 0.45  # heights between the middles of two lines
_EDGE: Final = 3.0  # points between the left edges of one block
_ACROSS: Final = 150  # cells of a line
_FAR: Final = 1e5  # points
_RUN: Final = 200  # words of a run

Box = tuple[float, float, float, float]


@functools.lru_cache(maxsize=4096)
def _bare(char: str) -> str:
    """One sign for one sign: lower case, without its accent, plain quotes, dashes and spaces."""
    if char in "\u2018\u2019\u02bc\u00b4`":
        return "'"
    if unicodedata.category(char) == "Pd" or char == "\u2212":
        return "-"
    low = unicodedata.normalize("NFD", char)[0].lower()
    return low if len(low) == 1 else char


def plain(text: str) -> str:
    """The text as labels are looked up in it; sign n of one is sign n of the other."""
    return "".join(map(_bare, text))


@dataclass(frozen=True, slots=True)
class Text:
    """Words in reading order and their text; `starts`: where each word begins in it."""

    page: int
    words: tuple[Word, ...]
    text: str
    plain: str
    starts: tuple[int, ...]

    def box(self, start: int, end: int) -> Box:
        """Around the words of a stretch of the text."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        return around(self.words[first : max(bisect_right(self.starts, max(end - 1, start)), first + 1)])


@dataclass(frozen=True, slots=True)
class Run(Text):
    """A cell: `row` counts the lines of the page, `at` its cells from the left."""

    row: int
    at: int
    edges: Box


@dataclass(frozen=True, slots=True)
class Block(Text):
    """Runs above each other, joined by line feeds; `offsets`: where each begins."""

    runs: tuple[Run, ...]
    offsets: tuple[int, ...]

    def at(self, position: int) -> int:
        """Which of its runs holds a position of the text."""
        return max(bisect_right(self.offsets, position) - 1, 0)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: its lines, each of runs from the left, and its blocks. `whole`: False when words were left out."""

    number: int
    rows: tuple[tuple[Run, ...], ...]
    blocks: tuple[Block, ...]
    width: float
    whole: bool


def around(words: Iterable[Word | Box]) -> Box:
    """The box around words or boxes."""
    edges = [tuple(word)[-4:] for word in words]
    return (min(e[0] for e in edges), min(e[1] for e in edges), max(e[2] for e in edges), max(e[3] for e in edges))  # type: ignore[return-value,type-var]


def sheet(page: Page) -> Sheet:
    """The lines and blocks of a page."""
    lines = [_cells(line) for line in _lines(page.words[:MAX_WORDS])]
    whole = page.whole and len(page.words) <= MAX_WORDS and all(len(cells) <= _ACROSS for cells in lines)
    rows = tuple(
        tuple(_run(page.number, words, row, at) for at, words in enumerate(cells[:_ACROSS]))
        for row, cells in enumerate(lines)
    )
    return Sheet(page.number, rows, _blocks(rows), page.width, whole)


def text(pages: Sequence[Page]) -> str:
    """What the pages print, a line a line, cells set apart by tabs."""
    return "\n".join("\t".join(run.text for run in row) for page in pages for row in sheet(page).rows)


def _lines(words: Sequence[Word]) -> list[list[Word]]:
    """Words of one height, from the top; each line from the left."""
    lines: list[list[Word]] = []
    middle = height = 0.0
    sane = [word for word in words if all(abs(edge) < _FAR for edge in word[1:])]  # a NaN is not
    for word in sorted(sane, key=lambda word: (word.y0 + word.y1, word.x0)):
        own = (word.y0 + word.y1) / 2
        if lines and own - middle <= _SHIFT * min(height, word.y1 - word.y0):
            lines[-1].append(word)
        else:
            lines.append([word])
            middle, height = own, word.y1 - word.y0
    return [sorted(line, key=lambda word: word.x0) for line in lines]


def _cells(line: Sequence[Word]) -> list[list[Word]]:
    cells: list[list[Word]] = []
    for word in line:
        if cells:
            last = cells[-1][-1]
            gap = _APART * max(word.y1 - word.y0, last.y1 - last.y0)
            if word.x0 - last.x1 <= gap and len(cells[-1]) < _RUN:
                cells[-1].append(word)
                continue
        cells.append([word])
    return cells


def _run(page: int, words: Sequence[Word], row: int, at: int) -> Run:
    joined, starts = _joined([word.text for word in words], " ")
    return Run(page, tuple(words), joined, plain(joined), starts, row, at, around(words))


def _joined(parts: Sequence[str], by: str) -> tuple[str, tuple[int, ...]]:
    starts: list[int] = []
    position = 0
    for part in parts:
        starts.append(position)
        position += len(part) + len(by)
    return by.join(parts), tuple(starts)


def _blocks(rows: Sequence[Sequence[Run]]) -> tuple[Block, ...]:
    """Stack each run under the last one with its left edge, when that one is near; by the grid of left edges."""
    stacks: list[list[Run]] = []
    last: dict[int, list[Run]] = {}  # left edge -> the stack that it may prolong
    for row in rows:
        for run in row:
            edge = round(run.edges[0] / _EDGE)
            near = [last[key] for key in (edge - 1, edge, edge + 1) if key in last]
            stack = next((stack for stack in near if _under(run, stack[-1])), None)
            if stack is None:
                stack = []
                stacks.append(stack)
            stack.append(run)
            last[edge] = stack
    return tuple(map(_block, stacks))


def _under(run: Run, above: Run) -> bool:
    height = min(run.edges[3] - run.edges[1], above.edges[3] - above.edges[1])
    gap = run.edges[1] - above.edges[3]
    return (
        run.row > above.row
        and abs(run.edges[0] - above.edges[0]) <= _EDGE
        and -_SHIFT * height <= gap <= _STACKED * height
    )


def _block(runs: Sequence[Run]) -> Block:
    joined, offsets = _joined([run.text for run in runs], "\n")
    starts = tuple(offset + start for run, offset in zip(runs, offsets, strict=True) for start in run.starts)
    words = tuple(word for run in runs for word in run.words)
    return Block(runs[0].page, words, joined, "\n".join(run.plain for run in runs), starts, tuple(runs), offsets)
