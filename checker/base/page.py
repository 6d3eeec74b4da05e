"""A page as its reader saw it: words and where they stand. Readers make it, the reading of acts uses it."""

from __future__ import annotations

import unicodedata
from typing import Final, NamedTuple

MAX_WORDS: Final = 20_000  # of a page: a page of an act has some 500, a very dense table 3,000
MAX_LETTERS: Final = 200  # of a word
_LIGATURES: Final = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl"}
_HYPHENS: Final = {0x02: "-", 0xAD: "-", 0xFFFE: "-"}  # PDFium says 2 for the hyphen that ends a line
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})  # controls, directions, surrogates: not read


class Word(NamedTuple):
    """Signs without a space; the box in points, from the top left corner of the page as shown."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float


class Page(NamedTuple):
    """`number` from 1, sizes in points. `whole`: False when words, or the pages that follow, were left unread."""

    number: int
    width: float
    height: float
    words: tuple[Word, ...]
    whole: bool = True


def clean(text: str) -> str:
    """A word in NFC without controls, marks of direction nor ligatures; "" when nothing is left."""
    if text.isascii() and text.isprintable():
        return text[:MAX_LETTERS]
    spread = text[:MAX_LETTERS].translate(_LIGATURES | _HYPHENS)
    kept = "".join(char for char in spread if unicodedata.category(char) not in _HIDDEN)
    return unicodedata.normalize("NFC", kept)[:MAX_LETTERS].strip()
