"""Find what stands after a label: on its line, in the cell to its right, or in the cells below it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from checker.base import values
from checker.facts.acts import printed
from checker.facts.acts.layout import Block, Box, Run, Sheet, around
from checker.model import Place, Value

_MOST: Final = 200  # values of one label: beyond, they are a list and not a value
_TRIES: Final = 500  # places of one label
_DOWN: Final = 4.0  # heights between a heading and the first value below it
_NEXT: Final = 1.7  # heights between two values of a column
_ROWS: Final = 4
_COLUMN: Final = 40  # values of a column
_FILLER = re.compile(r"[\s:.€%()*=-]*(?:eur|euros|\d{1,2}(?:[.,]\d{1,2})? ?%)?[\s:.€%()*=-]*\Z")
# Headings of a table of goods: a total above their cells is one of a line, not of the invoice.
_ITEMS = re.compile(
    r"\b(?:designation|description|libelle|prestations?|articles?|quantite|qte|prix|p\.? ?u\b|unites?|taux|base)\b"
)


class Found(NamedTuple):
    """A value read; `printed`: what the page shows, for the sentence that says two disagree."""

    raw: str
    page: int
    box: Box
    printed: str


class Label(NamedTuple):
    """How to look for a value: kind of value, patterns of its label, whether it may stand below a heading.

    `totals`: below, only outside of tables of goods. `unless`: what before or after the label makes it another one.
    `numbered`: the cell of the value begins with « n° ».
    """

    kind: str
    pattern: str
    below: bool = True
    totals: bool = False
    unless: str = ""
    numbered: bool = False


def first(sheets: Sequence[Sheet], tiers: Sequence[Label]) -> list[Found]:
    """The values of the first label that has any."""
    return next((found for item in tiers if (found := seek(sheets, item))), [])


def seek(sheets: Sequence[Sheet], item: Label) -> list[Found]:
    """Every value that follows the label, in reading order."""
    return list(islice(_seek(sheets, item), _MOST))


def settle(found: Sequence[Found], kind: str, place: Place, whole: bool = True) -> Value:
    """One value when all agree; the places of the others are in what `found` says. Nothing found: absent."""
    if not found:
        return Value(None, place, None if whole else "document lu en partie seulement : trop de pages ou de mots")
    keys: dict[object, Found] = {}
    for item in found:
        keys.setdefault(_key(kind, item.raw), item)
    chosen = next(iter(keys.values()))
    where = at(place, chosen.page, chosen.box)
    if len(keys) == 1:
        return Value(chosen.raw, where)
    shown = [item.printed for item in islice(keys.values(), 4)]
    last = f"{len(keys) - 4} autres" if len(keys) > 4 else shown.pop()
    return Value(None, where, f"ambigu : {', '.join(shown)} et {last}")


def at(place: Place, page: int, box: Box) -> Place:
    return place._replace(page=page, place=",".join(f"{edge:g}" for edge in box))


def _key(kind: str, raw: str) -> object:
    try:
        return values.parse("siret" if kind == "vat" else kind, raw)
    except values.Refused:
        return raw


def _seek(sheets: Sequence[Sheet], item: Label) -> Iterator[Found]:
    matches = (
        (sheet, block, match)
        for sheet in sheets
        for block in sheet.blocks
        for match in printed.compiled(item.pattern).finditer(block.plain)
        if not (item.unless and printed.compiled(item.unless).search(_around(block, match)))
    )
    for sheet, block, match in islice(matches, _TRIES):
        yield from after(sheet, block, match, item)


def _around(block: Block, match: re.Match[str]) -> str:
    """What is before a label, a bar, the label."""
    return f"{block.plain[max(match.start() - 40, 0) : match.start()]}|{match[0]}"


def after(sheet: Sheet, block: Block, match: re.Match[str], item: Label) -> Iterator[Found]:
    """The value right behind the label; else in the cell to its right; else further down."""
    read = printed.KINDS[item.kind]
    index = block.at(max(match.end() - 1, match.start()))
    run, offset = block.runs[index], block.offsets[index]
    end = min(match.end() - offset, len(run.text))
    gap = printed.BETWEEN.match(run.plain, end)
    begin = gap.end() if gap else end
    if begin < len(run.text):
        value = read(block.text, block.plain, match.end() + begin - end)
        if value is not None and value.start < offset + len(run.text):
            yield _found(block, value)
        return
    beside = _right(sheet, run, item)
    if beside is not None:
        yield beside
        return
    inside = match.start() != block.offsets[block.at(match.start())]
    if inside and index + 1 < len(block.runs):  # a sentence goes on at the next line
        value = read(block.text, block.plain, block.offsets[index + 1])
        if value is not None:
            yield _found(block, value)
    elif item.below:
        yield from _below(sheet, block, match, run, item)


def _found(text: Block | Run, value: printed.Read) -> Found:
    shown = printed.spaces(text.text[value.start : value.end])
    return Found(value.raw, text.page, text.box(value.start, value.end), shown)


def _begin(run: Run, item: Label) -> Found | None:
    """The value at the beginning of a cell; a number may follow its « n° »."""
    lead = printed.NUMBER.match(run.plain) if item.kind in ("invoice", "reference") else None
    if item.numbered and lead is None:
        return None
    gap = printed.BETWEEN.match(run.plain, lead.end() if lead else 0)
    value = printed.KINDS[item.kind](run.text, run.plain, gap.end() if gap else 0)
    return _found(run, value) if value else None


def _near(sheet: Sheet, run: Run, first: int, last: int) -> Iterator[Run]:
    for row in sheet.rows[max(run.row + first, 0) : max(run.row + last + 1, 0)]:
        yield from row


def _right(sheet: Sheet, run: Run, item: Label) -> Found | None:
    """The next cell of the line, a rate or a unit passed over; of several amounts in a row none is the one."""
    x1, (top, bottom) = run.edges[2], (run.edges[1], run.edges[3])
    beside = [
        other
        for other in _near(sheet, run, -1, 1)
        if other.edges[0] >= x1 and other.edges[1] < bottom and other.edges[3] > top
    ]
    same = [other for other in beside if other.row == run.row]
    cells = sorted(same or beside, key=lambda other: (other.edges[0], other.row))
    while cells and _FILLER.match(cells[0].plain):
        cells.pop(0)
    found = _begin(cells[0], item) if cells else None
    if found is not None and item.kind == "money" and len(cells) > 1 and cells[1].row == cells[0].row:
        return None if _begin(cells[1], item) else found
    return found


def _below(sheet: Sheet, block: Block, match: re.Match[str], run: Run, item: Label) -> Iterator[Found]:
    """The values of the column that a heading opens, down to the first cell that is none."""
    heading = around([block.runs[block.at(match.start())].edges, run.edges])
    if item.totals and any(_ITEMS.search(other.plain) for other in _near(sheet, run, -1, 1)):
        return
    left, right = _column(sheet, run, heading)
    height, bottom, seen = run.edges[3] - run.edges[1], run.edges[3], 0
    for index, row in enumerate(islice(sheet.rows, run.row + 1, run.row + 1 + 2 * _COLUMN)):
        if not seen and index >= _ROWS:
            return
        cells = [other for other in row if _meets(other, heading[0], heading[2])] or [
            other for other in row if left <= (other.edges[0] + other.edges[2]) / 2 <= right
        ]
        if seen and row[0].plain.startswith("total"):
            return
        if not cells:
            continue
        if len(cells) > 1 or cells[0].edges[1] - bottom > (_NEXT if seen else _DOWN) * height:
            return
        found = _begin(cells[0], item)
        if found is None:
            if seen or cells[0].edges[1] >= bottom:
                return
            continue  # the second line of a neighbour's heading
        yield found
        seen += 1
        bottom = cells[0].edges[3]


def _meets(run: Run, x0: float, x1: float) -> bool:
    return run.edges[0] < x1 and run.edges[2] > x0


def _column(sheet: Sheet, run: Run, heading: Box) -> tuple[float, float]:
    """From the end of the cell on the left to the beginning of the cell on the right."""
    others = [other.edges for other in _near(sheet, run, -1, 1) if other is not run]
    left = max((edges[2] for edges in others if edges[2] <= heading[0]), default=0.0)
    right = min((edges[0] for edges in others if edges[0] >= heading[2]), default=sheet.width)
    return left, right
