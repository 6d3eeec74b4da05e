"""One page to read, print and file: the decision, why, what to do and by whom, then each clause with its evidence.

Self-contained: no script, no image, no address. `pages/` holds its template and style; every value shown is escaped.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.base.words import Words, counted, long_date
from checker.model import STAGES, DossierVerdict, Finding, Outcome, Place, Result, Verdicts
from checker.reports import rows
from checker.reports.blanks import given_back, held
from checker.reports.inert import encode, inert, phrase
from checker.reports.rows import Weight

if TYPE_CHECKING:
    from jinja2 import Environment

PAGES = Path(__file__).parent.parent / "pages"
REASONS = 6  # said under the decision; all are below
OPEN = 8  # findings of a clause left unfolded
FULL = 50  # dossiers of a run beyond which the clauses that hold are quoted in the annex alone

_SENTENCE, _NAME, _VALUE = 1200, 300, 600
_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_BREAK = held(": ;")[1]  # what `held` puts for a blank that French never breaks
_SECTIONS = (
    (Weight.BREACH, "breaches"),
    (Weight.UNKNOWN, "unknown"),
    (Weight.RESERVE, "reserves"),
    (Weight.WAIVED, "waived"),
    (Weight.INFORMATION, "information"),
)


class Clause(NamedTuple):
    """One result and the anchor of its place in the page."""

    anchor: str
    result: Result

    @property
    def weight(self) -> Weight:
        return rows.weigh(self.result)

    @property
    def findings(self) -> Sequence[Finding]:
        return rows.shown(self.result) if self.result.outcome in rows.BAD else self.result.findings

    @property
    def said(self) -> str:
        """Its first sentence."""
        return rows.shown(self.result)[0].message or self.result.title


class Rule(NamedTuple):
    """One rule of the annex, and how many dossiers had each outcome."""

    result: Result
    outcomes: Mapping[Outcome, int]


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The HTML report."""
    dossiers = [_dossier(verdict, f"d{number}", words) for number, verdict in enumerate(verdicts.dossiers, 1)]
    page = (
        _environment()
        .get_template("report.html")
        .render(
            run=verdicts,
            words=words,
            dossiers=dossiers,
            decisions=rows.decisions(verdicts),
            rules=_rules(verdicts),
            found=[finding for finding in verdicts.findings if finding.outcome in rows.BAD],
            results=[result for verdict in verdicts.dossiers for result in verdict.results],
            brief=len(verdicts.dossiers) > FULL,
            open_findings=OPEN,
            Outcome=Outcome,
            Weight=Weight,
            **_speech(words),
        )
    )
    return encode(page)


def _speech(words: Words) -> dict[str, Any]:
    """What the template says in the language of the report."""

    def w(key: str, **slots: object) -> str:
        return _said(words[key].format(**slots) if slots else words[key])

    return {
        "w": w,
        "n": lambda key, count: _said(counted(words, key, count)),
        "day": lambda value: long_date(value, words),
        "counts": lambda results: _said(rows.counts(results, words)),
        "where": lambda place: rows.where(place, words),
        "article": lambda clause: _article(clause.article, words),
        "stage": lambda name: words.get(f"stage.{name}", name),
        "attested": rows.attested,
        "understood": lambda text: _understood(text, words),
    }


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
        say=lambda text, limit=_SENTENCE: _said(phrase(text, limit)),
        name=lambda text: phrase(text, _NAME),
        value=lambda text: inert(text, _VALUE),
        weight=lambda size: f"{size:,}".replace(",", "\u202f"),
        upper=lambda text: text[:1].upper() + text[1:],
        seen=_seen,
    )
    return made


def _final(value: Any) -> Any:
    """Every text that reaches the page is inert; what is already markup is left."""
    if hasattr(value, "__html__"):
        return value
    return "" if value is None else inert(str(value))


def _said(text: str) -> str:
    """A sentence, its blanks as French keeps them."""
    return given_back(held(text).replace(_NO_BREAK, "\u00a0"))


def _article(article: str, words: Words) -> str:
    named = phrase(article, 80)
    return _said(words["text.article"].format(article=named) if named[:1].isdigit() else named)


def _understood(text: str, words: Words) -> str:
    """An amount or a date that the machine understood, as people write it; anything else as it is."""
    if _AMOUNT.fullmatch(text):
        whole, _, cents = f"{Decimal(text):,.2f}".partition(".")
        return f"{whole.replace(',', words['thousands'])}{words['decimal']}{cents}"
    if _DAY.fullmatch(text):
        with contextlib.suppress(ValueError):
            return long_date(dt.date.fromisoformat(text), words)
    return text


def _seen(finding: Finding) -> list[tuple[Place, str]]:
    """Each place with the value as read there."""
    return list(zip(finding.locations, (*finding.excerpts, *[""] * len(finding.locations)), strict=False))


# One dossier


def _dossier(verdict: DossierVerdict, anchor: str, words: Words) -> dict[str, Any]:
    clauses = [Clause(f"{anchor}-{number}", result) for number, result in enumerate(verdict.results, 1)]
    speaking = {id(result) for result in rows.own(verdict)}
    own = [clause for clause in clauses if id(clause.result) in speaking]
    alone = rows.orphan(verdict, words)
    reasons = [clause for clause in own if clause.weight.blocks]
    reasons = reasons or [clause for clause in own if clause.weight in (Weight.RESERVE, Weight.WAIVED)]
    following = STAGES[STAGES.index(verdict.stage) + 1 :] if verdict.stage in STAGES else ()
    return {
        "anchor": anchor,
        "verdict": verdict,
        "alone": alone,
        "reasons": sorted(reasons, key=lambda clause: clause.weight)[:REASONS],
        "more": max(len(reasons) - REASONS, 0),
        "sections": [(key, [clause for clause in own if clause.weight is weight]) for weight, key in _SECTIONS],
        "weights": Counter(clause.weight for clause in clauses),
        "todo": _todo(own, words),
        "unread": [clause for clause in clauses if id(clause.result) not in speaking],
        "green": [clause for clause in clauses if clause.result.outcome is Outcome.CONFORME],
        "aside": [clause for clause in clauses if clause.result.outcome is Outcome.SANS_OBJET],
        "person": [clause for clause in clauses if _left_to_a_person(clause.result)],
        "following": words[f"stage.{following[0]}"] if following else "",
    }


def _left_to_a_person(result: Result) -> bool:
    return bool(result.note) and result.automation == "partielle" and result.outcome is Outcome.CONFORME


def _todo(clauses: Iterable[Clause], words: Words) -> list[tuple[str, int, list[tuple[str, list[Clause]]]]]:
    """Who must act, on how many clauses, and each thing to do with the clauses that ask for it."""
    waiting = {id(clause.result): clause for clause in clauses if clause.weight <= Weight.RESERVE}
    found = []
    for actor, group in rows.by_actor((clause.result for clause in waiting.values()), words):
        acts: dict[str, list[Clause]] = {}
        for clause in sorted((waiting[id(result)] for result in group), key=lambda clause: clause.weight):
            acts.setdefault(clause.result.remedy.text if clause.result.remedy else clause.said, []).append(clause)
        found.append((actor, len(group), list(acts.items())))
    return found


# The annex


def _rules(verdicts: Verdicts) -> list[tuple[str, list[Rule]]]:
    """The rules of each pack, as they come, with their outcomes over the dossiers."""
    first: dict[str, dict[str, Result]] = {}
    counts: dict[tuple[str, str], Counter[Outcome]] = {}
    for verdict in verdicts.dossiers:
        pack = verdict.pack.get("id", "")
        for result in verdict.results:
            first.setdefault(pack, {}).setdefault(result.rule, result)
            counts.setdefault((pack, result.rule), Counter())[result.outcome] += 1
    return [
        (pack, [Rule(result, dict(sorted(counts[pack, rule].items()))) for rule, result in found.items()])
        for pack, found in first.items()
    ]
