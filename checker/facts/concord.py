"""Does the page of a Factur-X print what its XML says: the number, the date and the total of the invoice.

The text of the pages is searched for each value in the forms that French invoices use; nothing is deduced from where it
stands. All three found: true; one missing: false; no text, or text left unread: unknown.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from checker.base import values
from checker.base.page import Page
from checker.model import Place, Row, Value

_MONTHS: Final = tuple(
    "janvier|janv|jan fevrier|fevr|fev mars|mar avril|avr mai juin juillet|juil aout septembre|sept|sep octobre|oct "
    "novembre|nov decembre|dec".split()
)
_ALNUM: Final = re.compile(r"[^\W_]")
_UNIT: Final = r"\s?(?:€|eur\b|euros?\b)"


def agrees(row: Row, pages: Sequence[Page], place: Place) -> Value:
    """« true », « false », or unreadable with the reason. `row`: a row of `facture_lue` read from the XML."""
    text = " ".join(word.text for page in pages for word in page.words)
    if not text:
        return Value(None, place, "les pages ne portent pas de texte : rien à comparer avec le XML")
    patterns: list[re.Pattern[str]] = []
    for column, build in (("numero", _number), ("date", _date), ("montant_ttc", _total)):
        value = row.get(column)
        if value is None or not value.raw or value.fault is not None:
            return Value(None, place, "le XML ne dit pas son numéro, sa date ou son total")
        try:
            patterns.append(build(value.raw))
        except values.Refused as error:
            return Value(None, place, f"le XML ne dit pas son numéro, sa date ou son total : {error}")
    plain = bare(text)
    if all(pattern.search(plain) for pattern in patterns):
        return Value("true", place)
    if not all(page.whole for page in pages):
        return Value(None, place, "des pages n'ont pas été lues en entier")
    return Value("false", place)


def bare(text: str) -> str:
    """Lower case, without accents, no-break spaces and long dashes as plain ones, single spaces."""
    spread = unicodedata.normalize("NFKD", text.replace("\u2212", "-")).casefold()
    kept = "".join(char for char in spread if not unicodedata.combining(char) and char != "\u00ad")
    return " ".join(re.sub(r"[\u2010-\u2015]", "-", kept).split())


def _number(raw: str) -> re.Pattern[str]:
    """The letters and digits of a number in order, signs and spaces between them as they please."""
    signs = _ALNUM.findall(bare(raw))
    if not signs:
        raise values.Refused("numéro sans lettre ni chiffre")
    return re.compile(r"(?<![^\W_])" + r"[\W_]{0,3}".join(map(re.escape, signs)) + r"(?![^\W_])")


def _date(raw: str) -> re.Pattern[str]:
    day = values.date(raw)
    return re.compile(rf"(?<!\d)(?:{'|'.join(_forms(day))})(?!\d)")


def _forms(day: dt.date) -> list[str]:
    """14/12/2018, 14.12.18, 2018-12-14, 20181214, 14 décembre 2018, 1er janv. 2019."""
    number, month, year, short = f"0?{day.day}", f"0?{day.month}", f"{day.year}", f"{day.year % 100:02d}"
    numeric = [rf"{number}\s?{sign}\s?{month}\s?{sign}\s?(?:{year}|{short})" for sign in ("/", r"\.", "-")]
    iso = [rf"{year}[-/.]{day.month:02d}[-/.]{day.day:02d}", f"{day:%Y%m%d}"]
    first = r"(?:\s?er)?" if day.day == 1 else ""
    letters = rf"{number}{first}[\s-](?:{_MONTHS[day.month - 1]})\.?[\s-]{year}"
    return [*numeric, *iso, letters]


def _total(raw: str) -> re.Pattern[str]:
    """84 000,00 · 84.000,00 · 84,000.00 · 84000.00; without cents only before a unit. The sign is not looked at."""
    amount = abs(values.money(raw))
    whole, cents = f"{int(amount):,}".split(","), f"{int(amount * 100 % Decimal(100)):02d}"
    grouped = r"[\s.,']?".join(whole)
    before = r"(?<!\d)(?<![\d][.,])" + (r"(?<!\d[\s'])" if len(whole[0]) == 3 else "")
    ends = [rf"[.,]{cents}(?!\d)"]
    if cents.endswith("0"):
        ends.append(rf"[.,]{cents[0]}(?!\d){_UNIT}")
    if cents == "00":
        ends.append(_UNIT)
    return re.compile(f"{before}{grouped}(?:{'|'.join(ends)})")
