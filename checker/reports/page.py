"""Lines for a screen: wrapped at plain spaces with a hanging indent, aligned in cells, painted or not.

Nothing reaches a line that was not made inert. (rich wraps and paints too: importing it takes 65 ms, half of a check.)
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from checker.reports.inert import encode, inert

_INKS = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}
Part = str | tuple[str, str]  # a text, or a text and its style (« bold red »)
Run = tuple[str, str]


def cells(text: str) -> int:
    """The columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(_cell(char) for char in text)


def _cell(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, room: int) -> str:
    """The text within so many columns, its end replaced by an ellipsis."""
    if cells(text) <= room:
        return text
    while text and cells(text) > room - 1:
        text = text[:-1]
    return text + "\u2026"


class Page:
    """What a report writes on."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = max(width, 40)
        self._color = color
        self._lines: list[str] = []

    def line(self, *parts: Part, indent: int = 0, hang: int = 2) -> None:
        """A paragraph; its lines after the first stand `hang` columns further in."""
        runs = [(inert(part), "") if isinstance(part, str) else (inert(part[0]), part[1]) for part in parts]
        for number, found in enumerate(_wrap(runs, self.width - indent, hang)):
            margin = " " * (indent + (hang if number else 0))
            self._lines.append((margin + "".join(self._paint(*run) for run in found)).rstrip())

    def verbatim(self, text: str, indent: int) -> None:
        """A line to copy: never wrapped."""
        self._lines.append(" " * indent + inert(text))

    def blank(self) -> None:
        """An empty line, never two, never first."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def heading(self, title: str, style: str = "bold") -> None:
        """A title and a rule to the edge."""
        self.blank()
        rule = "\u2500" * max(self.width - cells(title) - 1, 0)
        self.line((title, style), " ", (rule, "dim"))

    def table(self, head: Sequence[str], body: Iterable[Sequence[Run]], numbers: Sequence[int]) -> None:
        """Aligned columns, those of `numbers` to the right; the last column is cut at the edge."""
        rows = [[(title, "dim") for title in head], *[[(inert(text), style) for text, style in row] for row in body]]
        widths = [max(cells(row[index][0]) for row in rows) for index in range(len(head))]
        widths[-1] = max(self.width - sum(widths[:-1]) - 2 * (len(head) - 1), 8)
        for row in rows:
            parts: list[Part] = []
            for index, (text, style) in enumerate(row):
                shown = cut(text, widths[index])
                pad = " " * (widths[index] - cells(shown))
                parts += [pad, (shown, style)] if index in numbers else [(shown, style), pad]
                parts.append("  ")
            self._lines.append("".join(self._paint(*_run(part)) for part in parts[:-1]).rstrip())

    def encoded(self) -> bytes:
        """The page, one final newline."""
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        return encode("\n".join(self._lines) + "\n")

    def _paint(self, text: str, style: str) -> str:
        if not self._color or not style or not text.strip():
            return text
        return f"\x1b[{';'.join(str(_INKS[ink]) for ink in style.split())}m{text}\x1b[0m"


def _run(part: Part) -> Run:
    return (part, "") if isinstance(part, str) else part


def _wrap(runs: Sequence[Run], width: int, hang: int) -> list[list[Run]]:
    """The runs as lines of at most `width` columns, the second and later ones of `width - hang`."""
    if sum(cells(text) for text, _ in runs) <= width:
        return [list(runs)]
    chars = [(char, style) for text, style in runs for char in text]
    lines: list[list[Run]] = []
    start, room = 0, width
    while start < len(chars):
        end, after = _break(chars, start, max(room, 10))
        lines.append(_join(chars[start:end]))
        start, room = after, width - hang
    return lines


def _break(chars: Sequence[Run], start: int, room: int) -> tuple[int, int]:
    """Where the line that begins at `start` ends, and where the next begins: at the last space that fits."""
    used, space = 0, -1
    for index in range(start, len(chars)):
        char = chars[index][0]
        if char == " " and index > start:
            space = index
        used += _cell(char)
        if used > room and char != " ":
            return (space, space + 1) if space > start else (index, index)
    return len(chars), len(chars)


def _join(chars: Iterable[Run]) -> list[Run]:
    found: list[Run] = []
    for char, style in chars:
        if found and found[-1][1] == style:
            found[-1] = (found[-1][0] + char, style)
        else:
            found.append((char, style))
    return found
