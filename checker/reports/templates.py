"""The pages of `pages/`: what a template may call, and the text of each value, made inert on its way to the page."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.base.words import Words, counted, long_date
from checker.model import Clause, Finding, Place
from checker.reports import rows
from checker.reports.blanks import given_back, held
from checker.reports.inert import encode, inert, phrase

if TYPE_CHECKING:
    from jinja2 import Environment

PAGES = Path(__file__).parent / "pages"

_SENTENCE, _NAME, _VALUE = 1200, 300, 600
_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_BREAK = held(": ;")[1]  # what `held` puts for a blank that French never breaks


def fill(name: str, words: Words, **slots: Any) -> bytes:
    """The page that a template makes of these values, in the language of the words."""
    return encode(_environment().get_template(name).render(words=words, **speech(words), **slots))


def speech(words: Words) -> dict[str, Any]:
    """What a template says in the language of the report."""

    def w(key: str, **slots: object) -> str:
        return said(words[key].format(**slots) if slots else words[key])

    return {
        "w": w,
        "n": lambda key, count: said(counted(words, key, count)),
        "day": lambda value: long_date(value, words),
        "counts": lambda results: said(rows.counts(results, words)),
        "where": lambda place: rows.where(place, words),
        "article": lambda clause: article(clause, words),
        "understood": lambda text: understood(text, words),
    }


def said(text: str) -> str:
    """A sentence, its blanks as French keeps them."""
    return given_back(held(text).replace(_NO_BREAK, "\u00a0"))


def article(clause: Clause, words: Words) -> str:
    """« art. 4 », or the name of the text that the rule comes from."""
    named = phrase(clause.article, 80)
    return said(words["text.article"].format(article=named) if named[:1].isdigit() else named)


def understood(text: str, words: Words) -> str:
    """An amount or a date that the machine understood, as people write it; anything else as it is."""
    if _AMOUNT.fullmatch(text):
        return amount(Decimal(text), words)
    if _DAY.fullmatch(text):
        with contextlib.suppress(ValueError):
            return long_date(dt.date.fromisoformat(text), words)
    return text


def amount(value: Decimal, words: Words) -> str:
    """« 200 000,00 », a third decimal shown when there is one."""
    exponent = value.normalize().as_tuple().exponent
    whole, _, cents = f"{value:,.{max(2, -exponent if isinstance(exponent, int) else 0)}f}".partition(".")
    return f"{whole.replace(',', words['thousands'])}{words['decimal']}{cents}"


def _seen(finding: Finding) -> list[tuple[Place, str]]:
    """Each place with the value as read there."""
    return list(zip(finding.locations, (*finding.excerpts, *[""] * len(finding.locations)), strict=False))


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters.update(
        say=lambda text, limit=_SENTENCE: said(phrase(text, limit)),
        name=lambda text: phrase(text, _NAME),
        value=lambda text: inert(text, _VALUE),
        upper=lambda text: text[:1].upper() + text[1:],
        seen=_seen,
    )
    return made


def _final(value: Any) -> Any:
    """Every text that reaches the page is inert; what is already markup is left."""
    if hasattr(value, "__html__"):
        return value
    return "" if value is None else inert(str(value))
