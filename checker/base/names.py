"""Names of persons as they are written: the letters that make them, their words, the one that is the surname."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Container

_TITLES = frozenset("m mr mrs ms mme mlle me dr monsieur madame mademoiselle maitre docteur".split())
_BLANKS = re.compile(r"[\s,;/|()\[\]<>\"\u00ab\u00bb\u201c\u201d]+")
_PIECES = re.compile(r"[^\W_]+")
_SMALL = frozenset("de du d des le la l von van der den el al ben bin di da dos".split())
_BODIES = frozenset(
    "agence association bureau cabinet chambre comite commission commune compagnie conseil cour departement direction "
    "division entreprise etablissement etat groupe institut mairie metropole ministere office payeur paierie pole "
    "prefecture region secretariat service services societe tresor tresorerie ville".split()
)
MOST = 8  # words of a name: beyond, it is a sentence


@functools.lru_cache(maxsize=4096)
def _letter(char: str) -> str:
    """What is left of a sign without case, accent or form; a blank or a dash of any sort is a plain one."""
    if char.isspace():
        return " "
    kind = unicodedata.category(char)
    if kind in ("Cf", "Cc", "Cn", "Cs", "Mn"):
        return ""
    if kind == "Pd":
        return "-"
    if char in "\u0153\u0152":
        return "oe"
    spread = unicodedata.normalize("NFKD", char).casefold()
    return "".join(each for each in unicodedata.normalize("NFKD", spread) if unicodedata.category(each) != "Mn")


def plain(text: str) -> tuple[str, list[int] | None]:
    """The text without case, accents and invisible signs; of each sign left its place in the text (None: the same)."""
    if text.isascii() and text.isprintable():
        return text.lower(), None
    letters: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        found = _letter(char)
        letters.append(found)
        places.extend([place] * len(found))
    return "".join(letters), places


def pieces(text: str) -> list[str]:
    """The runs of letters and digits, plain: « Jean-Léonce » is « jean », « leonce »."""
    return _PIECES.findall(plain(text)[0])


def words(name: str) -> list[str]:
    """The words of a name as written, between blanks and commas, without « M. » or « Mme »."""
    return [
        word
        for word in _BLANKS.split(name)
        if (found := pieces(word)) and not (len(found) == 1 and found[0] in _TITLES)
    ]


def surnames(name: str) -> tuple[str, ...]:
    """« DUPONT » of « Jean-Leonce DUPONT », « LA TOUR » of « LA TOUR Anne »: the capitals, else the last word.

    Of a name all in capitals, the first word and the last: either may be the one.
    """
    found = words(name)
    capital = [len(word) > 1 and word.isupper() for word in found]
    if any(capital) and not all(capital):
        first = capital.index(True)
        end = next((at for at in range(first, len(found)) if not capital[at]), len(found))
        return (" ".join(found[first:end]),)
    before, comma, _ = name.partition(",")
    if comma and len(words(before)) == 1:  # « Dupont, Jean »
        return tuple(words(before))
    return tuple(dict.fromkeys([*(found[:1] if any(capital) else []), *found[-1:]]))


def person(text: str, common: Container[str]) -> bool:
    """Whether a part of a sentence reads as a name: its words begin alike, its first is not common, none is a body."""
    found = words(text)
    large = [word for word in found if not set(pieces(word)) <= _SMALL or word[:1].isupper()]
    new = [word for word in large if any(piece not in common for piece in pieces(word))]
    cased = all(word[:1].isupper() for word in large) or not any(word[:1].isupper() for word in large)
    bodies = any(piece in _BODIES for word in found for piece in pieces(word))
    return 0 < len(large) <= len(found) <= MOST and bool(new) and new[0] == large[0] and cased and not bodies
