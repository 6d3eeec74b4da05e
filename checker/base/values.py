"""From text to canonical values, one reader a type of the dictionary. What is ambiguous is refused, with the reason.

Canonical: what `equals` compares. Codes lose spaces, prefixes and labels; persons lose accents, order and titles;
organisations lose accents, articles and legal forms. The raw text stays beside, in the rows.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal

from checker.base import letters
from checker.model import Scalar


class Refused(ValueError):
    """A text that its type refuses: the fact is unreadable; the message says why."""


_SPACES = re.compile(r"\s+")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\u00ad\ufe58\ufe63\uff0d\u2043]")
_PREFIX = re.compile(r"(?:[A-Z]{2}[0-9]{2}|PCE)/")
_TITLES = frozenset("m mr mme mlle monsieur madame mademoiselle maitre docteur dr".split())
_ARTICLES = frozenset("le la les l de du des d et en a au aux".split())
_LEGAL_FORMS = frozenset("sa sas sasu sarl eurl snc scop scic sci selarl gie gip ei eirl".split())
_WORDS = re.compile(r"[^\W_]+")
_MONEY = re.compile(r"([-+]?)([0-9]+)(?:[.,]([0-9]+))?\Z")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_FRENCH = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})\Z")
_TRUE = frozenset({"true", "oui", "vrai"})
_FALSE = frozenset({"false", "non", "faux"})
_MAX_TEXT = 100_000


@functools.lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Lower case, without accents, dashes and apostrophes as spaces, single spaces; other alphabets stay themselves."""
    spread = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    bare = "".join(char for char in spread if not unicodedata.combining(char)).casefold()
    return " ".join(_WORDS.findall(bare))


def text(raw: str) -> str:
    """A sentence or a label: folded."""
    return fold(raw) or _SPACES.sub(" ", raw).strip()


def person(raw: str) -> str:
    """« M. Jean-Léonce DUPONT » and « Dupont, Jean Leonce » are one person."""
    words = [word for word in fold(raw).split() if word not in _TITLES]
    return " ".join(sorted(words)) or fold(raw)


def organisation(raw: str) -> str:
    """Without articles and legal forms, in order."""
    words = fold(re.sub(r"(?<=\b\w)\.(?=\w\b|\s|$)", "", raw)).split()
    kept = [word for word in words if word not in _ARTICLES]
    bare = [word for word in kept if word not in _LEGAL_FORMS]
    return " ".join(bare or kept or words)


def _compact(raw: str) -> str:
    plain = _DASHES.sub("-", unicodedata.normalize("NFC", raw))
    return _PREFIX.sub("", _SPACES.sub("", plain).upper(), count=1)


def code(raw: str) -> str:
    """A code without dashes; a label around it, set off by a dash, is left out (« 9510 - CBCM SPM » is 9510)."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFC", raw)).strip()
    parts = [part.strip() for part in plain.split("-")]
    if len(parts) > 1:
        single = [part for part in parts if part and not _SPACES.search(part)]
        digits = [part for part in single if any(char.isdigit() for char in part)]
        coded = digits or single
        if len(coded) == 1:
            return _compact(coded[0])
    return _compact(raw)


def code_compose(raw: str) -> str:
    """A code whose dashes belong to it (« 0129-CAHC- DISI »); a label of several words after « - » is left out."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFC", raw)).strip()
    head, dash, tail = plain.partition(" - ")
    if dash and _SPACES.search(tail.strip()) and head:
        return _compact(head)
    return _compact(raw)


def reference(raw: str) -> str:
    """The number of an act: capitals, no spaces."""
    return _SPACES.sub("", _DASHES.sub("-", unicodedata.normalize("NFC", raw))).upper()


def digits(raw: str) -> str:
    """SIRET, SIREN, IBAN: no spaces, dots or dashes, capitals."""
    return re.sub(r"[\s.\-]", "", _DASHES.sub("-", unicodedata.normalize("NFC", raw))).upper()


def account(raw: str) -> str:
    """An account of the State's chart: no prefix « PCE/ », no spaces."""
    return _compact(raw)


def invoice(raw: str) -> str:
    """An invoice number as its supplier wrote it, spaces folded."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", raw)).strip()


def invoice_key(raw: str) -> str:
    """What two spellings of one invoice number share: no case, signs, spaces nor leading zeros."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", fold(raw)).replace(" ", "") or invoice(raw)


def email(raw: str) -> str:
    """An address, without case nor spaces."""
    return _SPACES.sub("", raw).casefold()


def plain(raw: str) -> str:
    """A word of a closed list, a digest or a path: as written, trimmed."""
    return raw.strip()


def sha256(raw: str) -> str:
    """A digest: 64 hexadecimal signs."""
    found = raw.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", found):
        raise Refused("une empreinte SHA-256 a 64 signes hexadécimaux")
    return found


def _figures(raw: str) -> tuple[str, str]:
    """Whole and decimal digits of an amount; the thousands may be set off by spaces, or by points before a comma."""
    bare = _SPACES.sub("", raw.replace("\u2212", "-"))
    if "," in bare and "." in bare:
        head, _, tail = bare.rpartition(",")
        if not re.fullmatch(r"[-+]?[0-9]{1,3}(\.[0-9]{3})+", head):
            raise Refused("séparateurs de milliers et de décimales ambigus")
        bare = head.replace(".", "") + "," + tail
    elif bare.count(".") > 1:
        if not re.fullmatch(r"[-+]?[0-9]{1,3}(\.[0-9]{3}){2,}", bare):
            raise Refused("séparateurs de milliers ambigus")
        bare = bare.replace(".", "")
    found = _MONEY.match(bare)
    if not found:
        raise Refused("ce n'est pas un nombre")
    sign = "-" if found[1] == "-" else ""
    return sign + found[2], found[3] or ""


def money(raw: str) -> Decimal:
    """An amount in euros, exact to the cent."""
    bare = raw.strip()
    for unit in ("€", "EUR"):
        bare = bare.removesuffix(unit).rstrip()
    whole, decimals = _figures(bare)
    if len(decimals) > 2:
        raise Refused("trois décimales ou séparateur ambigu : écrire 1234,00 ou 1,23")
    if len(whole.lstrip("-")) > 13:
        raise Refused("montant démesuré")
    return Decimal(f"{whole}.{decimals or '0'}").quantize(Decimal("0.01"))


def percent(raw: str) -> Decimal:
    """A percentage, at most four decimals."""
    whole, decimals = _figures(raw.strip().removesuffix("%").rstrip())
    if len(decimals) > 4 or len(whole.lstrip("-")) > 5:
        raise Refused("pourcentage démesuré")
    return Decimal(f"{whole}.{decimals or '0'}").quantize(Decimal("0.0001"))


def number(raw: str) -> int:
    """A whole number."""
    bare = raw.strip()
    if not re.fullmatch(r"[-+]?[0-9]{1,15}(\.0+)?", bare):
        raise Refused("ce n'est pas un nombre entier")
    return int(bare.partition(".")[0])


def date(raw: str) -> dt.date:
    """AAAA-MM-JJ, JJ/MM/AAAA or JJ.MM.AAAA; never the month first."""
    bare = raw.strip()
    found = _ISO.match(bare)
    if found:
        year, month, day = int(found[1]), int(found[2]), int(found[3])
    else:
        found = _FRENCH.match(bare)
        if not found:
            raise Refused("une date s'écrit AAAA-MM-JJ ou JJ/MM/AAAA")
        day, month, year = int(found[1]), int(found[2]), int(found[3])
    try:
        day_found = dt.date(year, month, day)
    except ValueError:
        raise Refused("ce jour n'existe pas") from None
    if year < 1900:
        raise Refused("date antérieure à 1900")
    return day_found


def boolean(raw: str) -> bool:
    """true, oui, vrai; false, non, faux."""
    bare = raw.strip().lower()
    if bare in _TRUE:
        return True
    if bare in _FALSE:
        return False
    raise Refused("ni oui ni non")


def amount_in_letters(raw: str) -> Decimal:
    """« quatre-vingt-quatre mille euros et dix centimes » -> 84000.10."""
    found = letters.amount(fold(raw))
    if found is None:
        raise Refused("montant en lettres incompris")
    return found


_READERS: dict[str, Callable[[str], Scalar]] = {
    "text": text,
    "word": plain,
    "code": code,
    "code_compose": code_compose,
    "reference": reference,
    "account": account,
    "invoice": invoice,
    "siret": digits,
    "iban": digits,
    "sha256": sha256,
    "email": email,
    "file": plain,
    "organisation": organisation,
    "person": person,
    "money": money,
    "percent": percent,
    "number": number,
    "date": date,
    "boolean": boolean,
    "letters": amount_in_letters,
}
TYPES = frozenset(_READERS)


def parse(kind: str, raw: str) -> Scalar:
    """The canonical value of a text that is not blank (Refused with the reason when its type refuses it)."""
    if len(raw) > _MAX_TEXT:
        raise Refused("texte démesuré")
    return _READERS[kind](raw)


DERIVED: dict[str, Callable[[str], Scalar]] = {
    "siren": lambda value: value[:9],
    "invoice_key": invoice_key,
}


def show(value: Scalar | None) -> str | None:
    """The canonical text of a value in JSON and in keys: exact, without language."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f") if value.as_tuple().exponent not in (-2, 0) else format(value, "f")
    return value.isoformat() if isinstance(value, dt.date) else str(value)
