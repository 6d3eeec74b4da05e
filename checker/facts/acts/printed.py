"""Values as a page prints them: where one begins in a text, and what `base.values` will read of it.

Each reader of a kind takes (text, plain, position) and says (start, end, raw) or None; it looks at that place only,
never further on. A date in letters becomes ISO; the rest stays as printed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Final, NamedTuple


class Read(NamedTuple):
    """A value at start – end of a text, as `base.values` reads it."""

    start: int
    end: int
    raw: str


_UNITS = r"(?:en\s)?(?:\u20ac|eur(?:os?)?\b)"
# What may stand between a label and its value: a note in brackets, a unit, a colon, leaders.
BETWEEN: Final = re.compile(
    rf"(?:[ \t]{{0,3}}\([^()\n]{{0,40}}\))?[ \t]{{0,3}}(?:{_UNITS})?[ \t:=.\u2026_*]{{0,200}}"
    rf"(?:{_UNITS}[ \t:]{{0,3}})?(?:-[ \t]{{1,3}})?"
)
NO: Final = r"(?:n ?[\u00b0*]\.?|n ?o\b\.?|nos?\b\.?|numero\b|num\b\.?|\u2116|#)"
NUMBER: Final = re.compile(rf"{NO}[ :]{{0,3}}")
_AMOUNT = r"[-+\u2212]?[ ]?(?:\d{1,3}(?: \d{3})+|\d{1,15})(?:[.,]\d{1,6}){0,6}"
MONEY: Final = re.compile(rf"(?:[\u20ac$\u00a3] ?)?({_AMOUNT})((?:\s?(?:\u20ac|EUR\b))?)(?! ?%)(?![\w/-])")
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        "janvier janv jan|fevrier fevr fev|mars|avril avr|mai|juin|juillet juil|aout|septembre sept sep|octobre oct|"
        "novembre nov|decembre dec".split("|"),
        1,
    )
    for name in names.split()
}
_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
DAY: Final = re.compile(
    rf"(?<![\d/.-])(?:(?P<day>\d{{1,2}})\s?(?:er)?[\s-](?P<month>{_NAMES})\b\.?[\s-](?P<year>(?:19|20)\d\d)"
    r"|(?P<iso>(?:19|20)\d\d-\d\d-\d\d)|(?P<short>\d{1,2}(?P<sep>[/.-])\d{1,2}(?P=sep)(?:\d{4}|\d{2})))(?![\d/]|[.-]\d)"
)
_LEAD = re.compile(r"(?:(?:du|le|au|en date du|a la date du)\s)?")
_NAMED = re.compile(r"(?:\(?ej\)?|n ?[\u00b0o*]\.?|numero|juridique)?[ :.]{0,4}")
_ORDER = re.compile(r"(\d{10})(?![\w/.-]?\d)")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./\\-]{0,49}")
_MORE = re.compile(r" (?=\d)")
_WORD_OF_DATE = re.compile(rf"\d{{1,2}}(?:er)?\s(?:{_NAMES})\b")
_SIRET = re.compile(r"\d{3}[ .]?\d{3}[ .]?\d{3}[ .]?\d{5}(?!\d)")
_VAT = re.compile(r"FR ?[0-9A-Z]{2}(?: ?\d{3}){3}(?![0-9A-Z])")
_CUT = re.compile(
    r"\s{0,3}(?:[,;(|\n]|\s[\u2014\u2013]\s|\s-\s(?=siret|siren|tva|n\u00b0)|\b(?:siret|siren|rcs|tva)\b"
    r"|\s\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|av|bd|boulevard|quai|place|chemin|impasse|allee|cours|route)\b)"
)
_HEADING = re.compile(  # the next label is no name
    r"(?:fournisseur|emetteur|vendeur|prestataire|titulaire|creancier|client|acheteur|destinataire|debiteur|facture|"
    r"adresse|date|siret|siren|tva|n ?\u00b0|numero|objet|ref|reference|total|montant|designation|echeance|livraison|"
    r"engagement|bon de commande|commande|tel|telephone|page)s?\b"
)
_CIVIL: Final = frozenset("m mr mme mlle monsieur madame mademoiselle maitre docteur dr".split())
_PARTICLES: Final = frozenset("de du des la le d van von ben el".split())
_PERSON_CUT = re.compile(r"\s{0,3}(?:[,;:(|\n]|\s[-\u2014\u2013]\s|\s(?:le|a|en qualite)\s)")


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of `labels` or `natures`, `^` and `$` at each line: compiled when a page is looked at, and kept."""
    return re.compile(pattern, re.M)


def spaces(text: str) -> str:
    return " ".join(text.split())


def money(text: str, plain: str, at: int) -> Read | None:
    """« 60 000,00 € »: a number that is no rate, date nor quantity's fraction."""
    found = MONEY.match(text, at)
    if found is None or re.match(r"0\d", found[1].lstrip("-+\u2212 ")):
        return None
    number = re.sub(r"^([-+\u2212]) ", r"\1", found[1])
    return Read(found.start(1), found.end(2), spaces(number + (" " + found[2].strip() if found[2] else "")))


def day(text: str, plain: str, at: int) -> Read | None:
    """« 4 mars 2019 », « 1er mars 2019 », 04/03/2019, ISO; a year of two digits is left to be refused."""
    found = DAY.match(plain, _LEAD.match(plain, at).end())  # type: ignore[union-attr]
    return day_of(found) if found else None


def day_of(found: re.Match[str]) -> Read:
    """The date of a match of DAY."""
    if found["month"]:
        raw = f"{found['year']}-{_MONTHS[found['month']]:02d}-{int(found['day']):02d}"
    elif found["sep"] == "-" and len(found["short"]) > 8:
        number, month, year = found["short"].split("-")
        raw = f"{year}-{int(month):02d}-{int(number):02d}"
    else:
        raw = found["iso"] or found["short"]
    return Read(found.start(), found.end(), raw)


def order(text: str, plain: str, at: int) -> Read | None:
    """An engagement: ten digits, after the words that may still name it."""
    lead = _NAMED.match(plain, at)
    found = _ORDER.match(text, lead.end() if lead else at)
    return Read(found.start(1), found.end(1), found[1]) if found else None


def number(text: str, plain: str, at: int) -> Read | None:
    """The number of an invoice or act: signs with a digit, after at most one short prefix in capitals.

    Digits that follow on the same line belong to it (« F 2018 118 »), a date does not.
    """
    found = _TOKEN.match(text, at)
    if found is None:
        return None
    end = found.end()
    if not re.search(r"\d", found[0]):
        after = (
            _TOKEN.match(text, end + 1)
            if found[0].isupper() and len(found[0]) <= 6 and text[end : end + 1] == " "
            else None
        )
        if after is None or not after[0][0].isdigit():
            return None
        end = after.end()
    elif DAY.match(plain, at) or _WORD_OF_DATE.match(plain, at):
        return None
    for _ in range(3):
        more = _MORE.match(text, end) if text[end - 1] not in ".,;:" else None
        if text[end - 1] == "-" and text[end : end + 1] == "\n":  # a number cut at its own dash
            following = _TOKEN.match(text, end + 1)
        else:
            following = _TOKEN.match(text, more.end()) if more else None
        if following is None or DAY.match(plain, following.start()) or _WORD_OF_DATE.match(plain, following.start()):
            break
        end = following.end()
    if re.match(r",\d| ?[\u20ac%]| eur\b", plain[end : end + 5]):
        return None  # an amount
    raw = text[at:end].replace("-\n", "-").rstrip("./\\-_")
    return Read(at, at + len(text[at:end].rstrip("./\\-_")), spaces(raw)) if re.search(r"\d", raw) else None


def siret(text: str, plain: str, at: int) -> Read | None:
    found = _SIRET.match(text, at)
    return Read(found.start(), found.end(), found[0]) if found else None


def vat(text: str, plain: str, at: int) -> Read | None:
    found = _VAT.match(text.upper(), at) if len(text.upper()) == len(text) else None
    return Read(found.start(), found.end(), found[0]) if found else None


def name(text: str, plain: str, at: int) -> Read | None:
    """An organisation: from here to the comma, the street or the identifier; on one line."""
    cut = _CUT.search(plain, at, at + 160)
    end = cut.start() if cut else min(len(text), at + 160)
    raw = spaces(text[at:end])
    if (
        _HEADING.match(plain, at)
        or not 2 <= len(raw) <= 120
        or ":" in raw
        or not raw[0].isalnum()
        or sum(char.isalpha() for char in raw) < 2
    ):
        return None
    return Read(at, end, raw) if raw[0].isupper() or raw[0].isdigit() else None


def person(text: str, plain: str, at: int) -> Read | None:
    """A name of two to five words, each with a capital."""
    cut = _PERSON_CUT.search(plain, at, at + 80)
    end = cut.start() if cut else min(len(text), at + 80)
    raw = spaces(text[at:end])
    words = [word for word in raw.split() if word.strip(".").lower() not in _CIVIL]
    lasting = [word for word in words if word.lower() not in _PARTICLES]
    fit = 2 <= len(words) <= 6 and len(lasting) >= 2 and all(_proper(word) for word in lasting)
    return Read(at, end, raw) if fit else None


def surname(text: str, plain: str, at: int) -> Read | None:
    """A person whose name alone shows that it is one: « Jean MODELE », « Mme Anne Emettrice »."""
    found = person(text, plain, at)
    if found is None or found.end != len(text):
        return None
    words = found.raw.split()
    civil = words[0].strip(".").lower() in _CIVIL
    capital = words[-1].isupper() and len(words[-1]) > 1 and not words[0].isupper()
    return found if civil or capital else None


def _proper(word: str) -> bool:
    bare = re.sub(r"[-'\u2019.]", "", word)
    return bare.isalpha() and word[0].isupper()


KINDS: Final[dict[str, Callable[[str, str, int], Read | None]]] = {
    "money": money,
    "date": day,
    "code": order,
    "invoice": number,
    "reference": number,
    "siret": siret,
    "vat": vat,
    "organisation": name,
    "person": person,
}
