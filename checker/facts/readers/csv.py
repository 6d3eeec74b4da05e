"""Delimited text: `;`, tab or `,`, told from the text itself; UTF-8 with or without BOM, else Windows-1252.

In `Place`, `line` is the line of the file and `column` the character where the field starts in it, both from 1
(an opening quote is the start).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from checker.base.grid import Cell, Grid
from checker.base.unreadable import MAX_CELLS, MAX_COLUMNS, Unreadable, bounded, check_size
from checker.model import Place

SUFFIXES: tuple[str, ...] = (".csv", ".tsv")

_DELIMITERS = (";", "\t", ",")  # in order of preference
_SAMPLE = 65_536  # characters looked at to tell the delimiter
_NEWLINE = re.compile(r"\r\n|\n|\r")
_HINT = re.compile(r"sep=([;,\t])(?:\r\n|\n|\r)")
_CONSTANT = re.compile(r'="([^"]*)"\Z')  # how exports force Excel to keep a text

_Field = tuple[str, int, int, bool]  # text, line, column, whether its quotes are well formed


def grids(path: Path, shown: str) -> list[Grid]:
    """One unnamed grid; blank records are left out, a record keeps its own count of fields; raises Unreadable."""
    text = decoded(bounded(path).read_bytes())
    hint = _HINT.match(text)
    delimiter = hint[1] if hint else detected(text)
    rows: list[tuple[Cell, ...]] = []
    cells = 0
    for record in records(text, delimiter, hint.end() if hint else 0):
        if any(field[0] and not field[0].isspace() for field in record):
            rows.append(tuple([_cell(field, shown) for field in record]))
            cells += len(record)
            check_size(len(rows), 1 if cells <= MAX_CELLS else cells)
    return [Grid("", tuple(rows))]


def decoded(data: bytes) -> str:
    """The text of a file; raises Unreadable for NUL bytes (UTF-16, binary) and for bytes of no known encoding."""
    if b"\0" in data:
        raise Unreadable("Le fichier contient des octets nuls : l'enregistrer en CSV UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise Unreadable("Le texte n'est ni en UTF-8 ni en Windows-1252.") from error


def detected(text: str) -> str:
    """The delimiter that cuts the most records into the same number of fields, malformed quotes counting against it."""
    sample = text[:_SAMPLE]
    if len(text) > _SAMPLE:
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    return max(_DELIMITERS, key=lambda delimiter: _score(sample, delimiter))


def _score(sample: str, delimiter: str) -> float:
    if '"' not in sample:
        widths = Counter(line.count(delimiter) for line in _NEWLINE.split(sample) if line.strip())
        return max((width * times for width, times in widths.items()), default=0)
    malformed = 0
    widths = Counter()
    try:
        for record in records(sample, delimiter):
            widths[len(record) - 1] += 1
            malformed += sum(not field[3] for field in record)
    except Unreadable:
        return -1
    return max((width * times for width, times in widths.items()), default=0) / (1 + malformed)


def records(text: str, delimiter: str, start: int = 0) -> Iterator[list[_Field]]:
    """Records of fields from this character on; raises Unreadable when a stray quote swallows an end of line."""
    if '"' not in text:
        yield from _plain(text, delimiter, start)
        return
    token = _token(delimiter)
    line = 1 + len(_NEWLINE.findall(text, 0, start))
    origin = at = start
    record: list[_Field] = []
    while at < len(text) or record:
        found = token.match(text, at)
        assert found is not None  # an unquoted field may be empty: the pattern matches anywhere
        quoted, junk, bare, end = found.groups()
        field_line, field_column = line, at - origin + 1
        whole = text[at : found.start(4)]
        for inner in _NEWLINE.finditer(text, at, found.start(4)):
            line, origin = line + 1, inner.end()
        if quoted is None:
            record.append((bare, field_line, field_column, not bare.startswith('"')))
        elif junk:
            if line != field_line:
                raise Unreadable(f"Un guillemet ouvert à la ligne {field_line} est mal fermé à la ligne {line}.")
            record.append((whole, field_line, field_column, False))
        else:
            record.append((quoted.replace('""', '"'), field_line, field_column, True))
        at = found.end()
        if end != delimiter:
            yield _narrow(record)
            record, line, origin = [], line + 1, at
            if not end:
                return


def _plain(text: str, delimiter: str, start: int) -> Iterator[list[_Field]]:
    """Records of a text without quotes."""
    lines = _NEWLINE.split(text[start:])
    first = 1 + len(_NEWLINE.findall(text, 0, start))
    for number, line in enumerate(lines, first):
        record: list[_Field] = []
        column = 1
        for part in line.split(delimiter):
            record.append((part, number, column, True))
            column += len(part) + 1
        yield _narrow(record)


def _narrow(record: list[_Field]) -> list[_Field]:
    """The record; Unreadable when a filled field stands beyond MAX_COLUMNS."""
    if len(record) > MAX_COLUMNS:
        check_size(1, max((at for at, field in enumerate(record, 1) if field[0].strip()), default=0))
        return record[:MAX_COLUMNS]
    return record


@functools.cache
def _token(delimiter: str) -> re.Pattern[str]:
    end = re.escape(delimiter)
    return re.compile(rf'(?:"([^"]*+(?:""[^"]*+)*+)"([^{end}\r\n]*)|([^{end}\r\n]*))({end}|\r\n|\n|\r|\Z)')


def _cell(field: _Field, shown: str) -> Cell:
    text, line, column, formed = field
    if formed and text[:1] != "=":
        return Cell(text, Place(shown, line, column))
    if text.startswith("="):
        constant = _CONSTANT.match(text)
        text = constant[1] if constant else text
    fault = None if formed else f"Les guillemets de la valeur à la ligne {line}, colonne {column}, sont mal fermés."
    return Cell(text, Place(shown, line, column), fault)
