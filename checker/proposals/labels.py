"""Cells of an act -> keys of the manifest: codes and words of closed lists that a cell names by the title of the key.

Names and amounts are not taken from cells: what stands beside a name (an address, a number) would be part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from checker.base import values
from checker.base.dictionary import ROOT, Dictionary, Field
from checker.base.piece import Piece
from checker.model import Value

# nature -> the blocks of which it may state the references
BLOCKS: Final[Mapping[str, tuple[str, ...]]] = {
    "etat_liquidatif": ("etat_liquidatif",),
    "certification": ("cessionnaire",),
    "titre_de_perception": ("cedant",),
}
_TYPES: Final = frozenset(("code", "code_compose", "siret", "iban", "email"))
_SHAPES: Final = {
    "code": re.compile(r"[A-Z0-9][A-Z0-9./_]{0,29}(?:\s+-\s+\S.*)?"),
    "code_compose": re.compile(r"[A-Z0-9][A-Z0-9./_-]{0,39}(?:\s+-\s+\S.*)?"),
    "siret": re.compile(r"[0-9](?:[ .]?[0-9]){13}"),
    "iban": re.compile(r"[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]){10,30}"),
    "email": re.compile(r"[^\s@]+@[^\s@]+"),
}
_LINKS: Final = frozenset("de du des d la le l les au aux a et en".split())
_SHORTEST: Final = 4  # letters of a word cut short (« Domaine fonct. »)


def read(piece: Piece, dictionary: Dictionary) -> Iterator[tuple[str, Value]]:
    """Path of the key, and the cell that gives it."""
    for block in BLOCKS.get(piece.nature or "", ()):
        fields = [
            field
            for name, field in dictionary.tables[ROOT].fields.items()
            if name.startswith(block + ".") and not field.computed and (field.type in _TYPES or field.enum)
        ]
        hits: list[tuple[Field, Value, bool]] = []
        for label, value in piece.cells:
            named = [(field, whole) for field in fields if (whole := _names(label, field.title)) is not None]
            if len(named) == 1 and _fits(named[0][0], value.raw or ""):
                hits.append((named[0][0], value, named[0][1]))
        several = len({field.name for field, _, _ in hits}) > 1
        yield from ((field.name, value) for field, value, whole in hits if whole or several or field.enum)


def _words(text: str) -> list[str]:
    bare = re.sub(r"\([^)]*\)", " ", text).replace("\u00b0", "o ")
    return ["n" if word in ("no", "numero") else word for word in values.fold(bare).split() if word not in _LINKS]


def _names(label: str, title: str) -> bool | None:
    """Whether a cell says the title of a key, words cut or not: True whole, False but for its last word (« SIRET du
    cessionnaire »: it counts where other references of the block stand), None not at all."""
    said, wanted = _words(label), _words(title)
    if not said or not len(wanted) - 1 <= len(said) <= len(wanted):
        return None
    for word, full in zip(said, wanted, strict=False):
        if full != word and not (len(word) >= _SHORTEST and full.startswith(word)):
            return None
    return len(said) == len(wanted)


def _fits(field: Field, raw: str) -> bool:
    if field.enum:
        return values.fold(raw) in {values.fold(known) for known in field.enum}
    plain = re.sub("[\u2010-\u2015\u2212]", "-", raw)
    return _SHAPES[field.type].fullmatch(plain) is not None
