"""One page to read, print and file: the decision, why, what to do and by whom, then each clause with its evidence.

Self-contained: no image, no address, and no script but the one that filters the index of a batch, which its digest
alone allows; without it the page is whole. `pages/` holds its templates and style; every value shown is escaped.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from checker.base import dictionary
from checker.base.words import Words, counted
from checker.base.words import words as language
from checker.model import STAGES, DossierVerdict, Figures, Finding, Outcome, Place, Result, Verdicts
from checker.reports import drawings, rows
from checker.reports.applied import applied, money
from checker.reports.rows import Weight
from checker.reports.templates import PAGES, fill, said, understood

DRAWN = True
REASONS = 6  # said under the decision; all are below
OPEN = 8  # findings of a clause left unfolded
FULL = 50  # dossiers of a run beyond which what they share is said once, in the annex
JUDGED = 50  # judgements of persons listed

_CELL = re.compile(r"(?P<sheet>.+)!(?P<column>[A-Z]{1,3})(?P<row>[1-9][0-9]{0,6})")
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


class Todo(NamedTuple):
    """Who must act, on how many clauses, for which amount, and each thing to do with the clauses that ask for it."""

    actor: str
    clauses: int
    stake: str
    acts: Sequence[tuple[str, Sequence[Clause], str]]


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The HTML report."""
    brief = len(verdicts.dossiers) > FULL
    script = _script() if len(verdicts.dossiers) > 1 else ""
    return fill(
        "report.html",
        words,
        run=verdicts,
        dossiers=[_dossier(verdict, f"d{at}", words, brief) for at, verdict in enumerate(verdicts.dossiers, 1)],
        decisions=rows.decisions(verdicts),
        partial=rows.partial(verdicts, words),
        rules=_rules(verdicts),
        agreements=applied(verdicts, words),
        found=[finding for finding in verdicts.findings if finding.outcome in rows.BAD],
        results=[result for verdict in verdicts.dossiers for result in verdict.results],
        brief=brief,
        full=FULL,
        open_findings=OPEN,
        judged=JUDGED,
        script=script,
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() if script else "",
        Outcome=Outcome,
        Weight=Weight,
        **_speech(words),
    )


@functools.cache
def _script() -> str:
    """The filter of the index, as its digest covers it."""
    return (PAGES / "filter.js").read_text(encoding="utf-8").strip()


def _speech(words: Words) -> dict[str, Callable[..., Any]]:
    """What the templates of this page say beside what all pages say."""
    return {
        "stage": lambda name: words.get(f"stage.{name}", name),
        "attested": rows.attested,
        "money": lambda value: money(value, words) if value is not None else words["page.unknown"],
        "size": lambda count: f"{count:,}".replace(",", words["thousands"]),
        "value_of": lambda text, finding: _value(text, finding, words),
        "computed": _computed,
        "traced": lambda name, text, finding: _traced(name, text, finding, words),
        "spot": lambda place: _spot(place, words),
        "cell": lambda place: _CELL.fullmatch(place.place or ""),
        "line_amount": drawings.line_amount,
    }


# Values


def _value(text: str, finding: Finding, words: Words) -> str:
    """An amount or a date as people write it, when the sentence shows that it is one; else as it is where it was read.

    An identifier may look like either, and only the sentence was written by who knew the types; what no place nor
    sentence holds comes from the convention, or was computed.
    """
    if understood(text, language("fr")) in finding.message:
        return understood(text, words)
    return text if text in finding.message or text in finding.excerpts else understood(text, words)


def _computed(finding: Finding) -> list[tuple[str, str]]:
    """The computation, without what only repeats the name of the row."""
    return [(name, text) for name, text in finding.trace if f"{name.partition('.')[0]}:{text}" != finding.subject]


def _traced(name: str, text: str, finding: Finding, words: Words) -> str:
    """A value of the computation: by the type of its column; a computed one is no identifier when it is an amount."""
    column = dictionary.load().column(name)
    kind = column[1].type if column is not None else ""
    computed = "." not in name and text[4:5] != "-"
    return understood(text, words) if kind in ("money", "date") or computed else _value(text, finding, words)


def _spot(place: Place, words: Words) -> str:
    """Where in its file a value was read: « Feuil1!F14 », « ligne 27:10 », « page 2 »."""
    found = [place.place] if place.place else []
    if place.line:
        spot = f"{place.line}:{place.column}" if place.column else str(place.line)
        found.append(words["page.line"].format(spot=spot))
    if place.page:
        found.append(words["text.page"].format(page=place.page))
    return words["list.comma"].join(found)


# One dossier


def _dossier(verdict: DossierVerdict, anchor: str, words: Words, brief: bool) -> dict[str, Any]:
    clauses = [Clause(f"{anchor}-{number}", result) for number, result in enumerate(verdict.results, 1)]
    speaking = {id(result) for result in rows.own(verdict)}
    own = [clause for clause in clauses if id(clause.result) in speaking]
    reasons = [clause for clause in own if clause.weight.blocks]
    reasons = reasons or [clause for clause in own if clause.weight in (Weight.RESERVE, Weight.WAIVED)]
    following = STAGES[STAGES.index(verdict.stage) + 1 :] if verdict.stage in STAGES else ()
    figures = verdict.figures
    return {
        "anchor": anchor,
        "verdict": verdict,
        "name": verdict.reference if verdict.reference.strip() else verdict.path,
        "figures": figures,
        "drawn": _drawn(figures) if figures is not None and not brief else {},
        "anchors": {clause.result.rule: clause for clause in clauses},
        "alone": rows.orphan(verdict, words),
        "reasons": sorted(reasons, key=lambda clause: clause.weight)[:REASONS],
        "more": max(len(reasons) - REASONS, 0),
        "sections": [(key, [clause for clause in own if clause.weight is weight]) for weight, key in _SECTIONS],
        "weights": Counter(clause.weight for clause in clauses),
        "failing": " ".join(clause.result.rule for clause in own if clause.weight <= Weight.WAIVED),
        "todo": _todo(own, figures, words),
        "unread": [clause for clause in clauses if id(clause.result) not in speaking],
        "green": [clause for clause in clauses if clause.result.outcome is Outcome.CONFORME],
        "aside": [clause for clause in clauses if clause.result.outcome is Outcome.SANS_OBJET],
        "person": [clause for clause in clauses if _left_to_a_person(clause.result)],
        "following": words[f"stage.{following[0]}"] if following else "",
    }


def _drawn(figures: Figures) -> dict[str, Any]:
    return {
        "gauge": drawings.gauge(figures.ceiling) if figures.ceiling is not None else None,
        "bars": drawings.bars(figures.amounts),
        "more_bars": max(len(figures.amounts) - drawings.KEYS, 0),
        "timeline": drawings.timeline(figures) if figures.acts else None,
    }


def _left_to_a_person(result: Result) -> bool:
    return bool(result.note) and result.automation == "partielle" and result.outcome is Outcome.CONFORME


def _todo(clauses: Iterable[Clause], figures: Figures | None, words: Words) -> list[Todo]:
    waiting = {id(clause.result): clause for clause in clauses if clause.weight <= Weight.RESERVE}
    found = []
    for actor, group in rows.by_actor((clause.result for clause in waiting.values()), words):
        acts: dict[str, list[Clause]] = {}
        for clause in sorted((waiting[id(result)] for result in group), key=lambda clause: clause.weight):
            acts.setdefault(clause.result.remedy.text if clause.result.remedy else clause.said, []).append(clause)
        stakes = [_stake((clause.result for clause in each), figures, words) for each in acts.values()]
        told = [(text, each, stake) for (text, each), stake in zip(acts.items(), stakes, strict=True)]
        found.append(Todo(actor, len(group), _stake(group, figures, words), told))
    return found


def _stake(results: Iterable[Result], figures: Figures | None, words: Words) -> str:
    """« 24 000,00 €, 1 ligne »; "" when the findings concern no amount that is told."""
    stake = drawings.stake(results, figures)
    if stake is None:
        return ""
    if stake.whole:
        return _whole(stake.total, words)
    amount = money(stake.total, words) if stake.total is not None else ""
    key = "page.stake_lines" if not stake.unknown else "page.stake_partly" if amount else "page.stake_unknown"
    lines = counted(words, "page.lines", stake.lines)
    return said(words[key].format(amount=amount, lines=lines, unknown=stake.unknown))


def _whole(total: Decimal | None, words: Words) -> str:
    if total is None:
        return said(words["page.stake_whole_unknown"])
    return said(words["page.stake_whole"].format(amount=money(total, words)))


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
