"""A table for spreadsheets and scripts: one row a finding, the rules that hold included.

RFC 4180, commas, UTF-8 with the mark that Excel needs. The columns and their codes are the same in every language.
No cell is a formula, as OWASP asks: each is between quotes, and one that starts by `=`, `+`, `-`, `@`, their full-width
forms, a tab or a line end, after blanks or not, has an apostrophe in front. So has one that starts by an apostrophe: a
program drops the first of a cell, and has its text back.
"""

from __future__ import annotations

from collections.abc import Iterable

from checker.base.words import Words
from checker.model import Verdicts
from checker.reports import flat
from checker.reports.inert import encode

_BOM = "\ufeff"
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The table of a run."""
    lines = [_line(flat.Line._fields), *(_line(item.line) for item in flat.items(verdicts, words))]
    return encode(_BOM + "".join(lines))


def _line(cells: Iterable[str]) -> str:
    return ",".join(f'"{_cell(text)}"' for text in cells) + "\r\n"


def _cell(text: str) -> str:
    held = f"'{text}" if text.startswith(_STARTS) or text.lstrip().startswith(_STARTS) else text
    return held.replace('"', '""')
