"""A page without colours, laid out sign for sign as rich lays it out, without the 60 ms that rich takes to import.

It holds only what is sure: texts whose signs take one cell each, in the shapes of one dossier. The rest is `Beyond`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from checker.reports.blanks import given_back, held, trimmed
from checker.reports.inert import encode

Part = str | tuple[str, str]  # a text, or a text and its style (« bold red »)
Entry = tuple[Part, Sequence[Part]]  # a mark or a name, and the paragraph beside it

NARROW: Final = (
    "\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038e-\u03a1\u03a3-\u0482"
    "\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2100-\u214f\u2190-\u21ff\u2500-\u2580\u2713\u2717\ufdd0-\ufdd3"
)
_SURE: Final = re.compile(f"[{NARROW}]+")
_WORD: Final = re.compile(r" *[^ ]+ *")


class Beyond(Exception):
    """A text or a shape that is left to rich."""


class BarePage:
    """What a report writes on, in signs of one cell; styles are not shown."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lines: list[str] = []

    def line(self, *parts: Part, indent: int = 0) -> None:
        """A paragraph."""
        self._add(_folded(_text(parts), self._width - indent), indent)

    def entries(self, found: Iterable[Entry], indent: int = 0, gap: int = 1, cut: bool = False) -> None:
        """Paragraphs, each beside its mark or its name, none of their lines under it; if `cut`, a line each."""
        rows = [(_text([name]), _text(parts)) for name, parts in found]
        left = min(max(len(name) for name, _ in rows), max(self._width // 3, 8))
        right = max(len(text) for _, text in rows)
        room = self._width - indent - left - gap
        if right > room <= left + gap:
            raise Beyond  # both columns give way
        right = min(right, room)
        for name, text in rows:
            names = _folded(name, left)
            texts = [_cut(text, right)] if cut else _folded(text, right)
            count = max(len(names), len(texts))
            pairs = zip(_filled(names, count), _filled(texts, count), strict=True)
            self._add([f"{mark:<{left + gap}}{said}" for mark, said in pairs], indent)

    def verbatim(self, text: str, indent: int) -> None:
        """A line to copy: never wrapped."""
        self._add([_text([" " * indent + text])])

    def blank(self) -> None:
        """An empty line, never two, never first."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def heading(self, title: str, style: str = "bold") -> None:
        """A title and a rule to the edge."""
        del style
        self.blank()
        text = _text([title])
        if len(text) > self._width - 2:
            raise Beyond
        self._add([f"{text} {'─' * (self._width - len(text) - 1)}"])

    def rule(self) -> None:
        """A double rule from edge to edge."""
        self.blank()
        self._add(["\u2550" * self._width])

    def table(self, head: Sequence[str], body: Iterable[Sequence[tuple[str, str]]], numbers: Sequence[int]) -> None:
        """Aligned columns: of many dossiers, which never wait for an import."""
        raise Beyond

    def encoded(self) -> bytes:
        """The page: no space at the end of a line, one final newline."""
        return encode(trimmed(given_back("\n".join(self._lines))).rstrip("\n") + "\n")

    def _add(self, lines: Iterable[str], indent: int = 0) -> None:
        self._lines += [" " * indent + line for line in lines]


def _text(parts: Iterable[Part]) -> str:
    text = "".join(held(part if isinstance(part, str) else part[0]) for part in parts)
    if not _SURE.fullmatch(text):
        raise Beyond
    return text


def _filled(lines: list[str], count: int) -> list[str]:
    return [*lines, *[""] * (count - len(lines))]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "\u2026"


def _folded(text: str, width: int) -> list[str]:
    """The lines of a paragraph: a word that exceeds one is cut, and begins on a line of its own."""
    if width < 1:
        raise Beyond
    breaks = _breaks(text, width)
    found = [text[start:end] for start, end in zip([0, *breaks], [*breaks, len(text)], strict=True)]
    return [line[: max(len(line.rstrip()), width)][:width] for line in found]


def _breaks(text: str, width: int) -> list[int]:
    """Where a paragraph is broken."""
    found: list[int] = []
    used = 0
    for match in _WORD.finditer(text):
        start, word = match.start(), match[0]
        bare = len(word.rstrip())
        if width - used >= bare:
            used += len(word)
        elif bare > width:
            pieces = [word[at : at + width] for at in range(0, len(word), width)]
            for piece in pieces:
                if start:
                    found.append(start)
                start += len(piece)
            used = len(pieces[-1])
        elif used and start:
            found.append(start)
            used = len(word)
    return found
