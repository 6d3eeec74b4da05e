"""The page of an annotated text: `convention.html` filled for a run, or for the rules alone (the rulebook)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from checker.base import values
from checker.base.words import Words, counted, long_date
from checker.model import Agreement, Outcome, Rule, Scalar, Verdicts
from checker.reports import annotating, applied, rows, templates
from checker.reports.annotated import Chapter, State, Summary

OPEN = 3  # findings of a rule left unfolded
NAMED = 20  # dossiers of a rule and of a state that are named


def render(
    chapters: Sequence[Chapter],
    words: Words,
    notes: Sequence[tuple[str, str]],
    *,
    run: Verdicts | None = None,
    dossiers: Sequence[Summary] = (),
) -> bytes:
    """The page; no `run`: the rulebook. `notes`: the drafting defects of the texts."""
    several = len(dossiers) > 1
    alone = rows.orphan(dossiers[0].verdict, words) if len(dossiers) == 1 else None
    columns = sorted({state for item in dossiers for state in item.states if state < State.RULED}) if several else []
    return templates.fill(
        "convention.html",
        words,
        chapters=chapters,
        run=run,
        dossiers=dossiers,
        several=several,
        alone=alone,
        columns=columns,
        decisions=rows.decisions(run) if run else {},
        found=[finding for finding in run.findings if finding.outcome in rows.BAD] if run else [],
        notes=notes,
        open_findings=OPEN,
        named_dossiers=NAMED,
        shown=rows.shown,
        BAD=rows.BAD,
        State=State,
        Outcome=Outcome,
        tally=lambda counts: templates.said(tally(counts, words)),
        coverage=lambda chapter: templates.said(coverage(chapter, words)),
        worth=lambda parameter, item: applied.text(parameter, item, words),
        span=lambda start, end: templates.said(_span(start, end, words)),
        label=lambda kind, name: words.get(f"{kind}.{name}", name),
        telling=lambda states: {state: count for state, count in states.items() if state < State.ASIDE},
        euros=lambda amount: applied.money(amount, words),
        plain=_plain,
    )


def rulebook(
    written: Iterable[tuple[Agreement, Sequence[Rule]]], words: Words, notes: Iterable[tuple[str, str]]
) -> bytes:
    """The rules of these conventions beside the sentences that they quote."""
    return render(annotating.of_rules(written), words, tuple(dict.fromkeys(notes)))


def tally(counts: Mapping[State, int], words: Words) -> str:
    """« 2 non respectées, 31 respectées »."""
    return words["list.comma"].join(counted(words, f"convention.count_{state.key}", n) for state, n in counts.items())


def coverage(chapter: Chapter, words: Words) -> str:
    """« 83 unités : 55 citées par des règles, 2 indécidables, 26 sans obligation »."""
    total = counted(words, "convention.units", len(chapter.agreement.sentences))
    return words["text.pair"].format(label=total, text=tally(chapter.coverage, words))


def _plain(value: Scalar | tuple[Scalar, ...]) -> str:
    each = value if isinstance(value, tuple) else (value,)
    return ", ".join(values.show(item) or "" for item in each)


def _span(start: dt.date | None, end: dt.date | None, words: Words) -> str:
    """« du 7 novembre 2018 au 31 décembre 2024 »; "" without limits."""
    ends = [
        words[f"html.{key}"].format(day=long_date(day, words)) for key, day in (("from", start), ("to", end)) if day
    ]
    return " ".join(ends)
