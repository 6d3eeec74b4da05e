"""What the PDF draws of a dossier and cites of its convention, each drawing with the sentence that says it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from checker.base.words import Words, long_date
from checker.model import Act, Agreement, Amount, Attestation, Ceiling, Figures, State
from checker.reports import applied, rows
from checker.reports.inert import phrase
from checker.reports.templates import amount, said

ACTS = 60
ATTESTATIONS = 200
AMOUNTS = 200
_NAME, _SENTENCE = 200, 600


def drawn(figures: Figures, words: Words) -> dict[str, Any]:
    """The figures of one dossier; those that it does not have are empty."""
    return {
        "ceiling": _ceiling(figures.ceiling, words) if figures.ceiling is not None else {},
        "amounts": _amounts(figures.amounts_title, figures.amounts[:AMOUNTS], words),
        "timeline": _timeline(figures, words) if figures.acts else {},
        "attestations": [_attestation(item, words) for item in figures.attestations[:ATTESTATIONS]],
    }


def _euros(value: Decimal | None, words: Words) -> str:
    return words["pdf.not_known"] if value is None else said(words["pdf.euros"].format(amount=amount(value, words)))


def _ceiling(ceiling: Ceiling, words: Words) -> dict[str, Any]:
    """`parts` of the width: asked before, asked by this dossier, where the ceiling stands; None: not drawn."""
    limit, total, own = ceiling.limit, ceiling.cumulated, ceiling.own
    parts = None
    if limit is not None and total is not None and own is not None and 0 <= own <= total and limit > 0:
        width = max(limit, total)
        parts = [_share(total - own, width), _share(own, width), _share(limit, width)]
    values = [
        [said(words[key]), _euros(value, words)]
        for key, value in (("pdf.limit", limit), ("pdf.cumulated", total), ("pdf.own", own))
    ]
    lines = [words["text.pair"].format(label=label, text=text) for label, text in values]
    return {
        "rule": ceiling.rule,
        "mark": [ceiling.outcome.word, words.get(f"symbol.{ceiling.outcome.word}", ""), _outcome(ceiling, words)],
        "parts": parts,
        "values": values,
        "alt": said("\u00a0; ".join(lines)),
    }


def _outcome(ceiling: Ceiling, words: Words) -> str:
    return words[f"outcome.{ceiling.outcome.word}"]


def _share(part: Decimal, whole: Decimal) -> float:
    return round(float(part / whole), 4) if whole > 0 else 0.0


def _amounts(title: str, amounts: Sequence[Amount], words: Words) -> dict[str, Any]:
    if not amounts:
        return {}
    top = max((item.total for item in amounts if item.total is not None), default=Decimal(0))
    lines = [
        [
            phrase(item.key, _NAME) or words["pdf.not_known"],
            _euros(item.total, words),
            _share(item.total, top) if item.total is not None and item.total > 0 else 0.0,
        ]
        for item in amounts
    ]
    return {"title": said(phrase(title, 60)), "rows": lines}


def _timeline(figures: Figures, words: Words) -> dict[str, Any]:
    """`spots`: number of an act and its place on the axis, 0 to 1; the acts that have no date are listed alone."""
    acts = figures.acts[:ACTS]
    days = [act.day for act in acts if act.day is not None]
    first, last = (min(days), max(days)) if days else (dt.date.min, dt.date.min)
    span = (last - first).days
    dated = [(number, act.day) for number, act in enumerate(acts, 1) if act.day is not None]
    spots = [[number, round((day - first).days / span, 4) if span else 0.0] for number, day in dated]
    said_acts = [f"{number}. {phrase(act.title, 80)}, {_when(act, words)}" for number, act in enumerate(acts, 1)]
    return {
        "spots": spots if span else [],
        "ends": [long_date(first, words), long_date(last, words)] if days else ["", ""],
        "alt": said(words["pdf.timeline_alt"].format(acts="\u00a0; ".join(said_acts))),
        "rows": [
            [
                number,
                said(phrase(act.title, _NAME)),
                _when(act, words),
                rows.where(act.place, words) if act.place else "",
            ]
            for number, act in enumerate(acts, 1)
        ],
        "order": [
            [rule, [item.word, words.get(f"symbol.{item.word}", ""), words[f"outcome.{item.word}"]]]
            for rule, item in figures.order
        ],
    }


def _when(act: Act, words: Words) -> str:
    if act.day is not None:
        return long_date(act.day, words)
    if act.state is State.UNREADABLE or act.raw:
        return said(words["pdf.state_unreadable"].format(text=phrase(act.raw, 80)))
    return said(words[f"pdf.state_{act.state.name.lower()}"])


def _attestation(item: Attestation, words: Words) -> list[str]:
    day = long_date(item.day, words) if item.day is not None else words["pdf.not_known"]
    judged = phrase(item.finding, 80)
    return [
        phrase(item.rule, 80),
        words.get(f"outcome.{judged}", judged),
        phrase(item.by, _NAME),
        day,
        said(phrase(item.reason, _SENTENCE)),
    ]


# A convention as a run applied it


def agreed(agreement: Agreement, words: Words) -> dict[str, Any]:
    """Its dated parameters, its persons, its amendments."""
    return {
        "id": phrase(agreement.id, _NAME),
        "parameters": [
            [
                parameter.name,
                said(phrase(parameter.title, 300)),
                said(phrase(applied.text(parameter, value, words), _SENTENCE)),
                _period(value.start, value.end, words),
                said(phrase(value.source, 300)),
            ]
            for parameter in agreement.parameters
            for value in parameter.values
        ],
        "persons": [
            [
                phrase(person.name, _NAME) or words["pdf.not_known"],
                said(phrase(person.quality or person.role, _NAME)),
                phrase(person.direction, _NAME),
                _period(person.start, person.end, words),
                _euros(person.limit, words) if person.limit is not None else "",
            ]
            for person in agreement.persons
        ],
        "amendments": [
            [
                phrase(item.file, _NAME),
                _day(item.effect, words),
                _day(item.deliberation, words),
                words["list.comma"].join(
                    f"{phrase(who, 60)} {_day(day, words)}" for who, day in sorted(item.signatures.items())
                ),
                long_date(item.applies_from, words) if item.applies_from else said(words["pdf.never"]),
            ]
            for item in agreement.amendments
        ],
    }


def _period(start: dt.date | None, end: dt.date | None, words: Words) -> str:
    found = [words["html.from"].format(day=long_date(start, words))] if start else []
    found += [words["html.to"].format(day=long_date(end, words))] if end else []
    return said(" ".join(found))


def _day(day: dt.date | None, words: Words) -> str:
    return long_date(day, words) if day else words["pdf.not_known"]
