"""A report to file and to sign: PDF/A-2a and PDF/UA-1, the same bytes for the same run. Needs the extra `rapports`.

One dossier is printed whole. A run of several gives the table of all, a page for each that stops, a row for each other.
Law 1: every rule of every dossier printed whole or on its page has its outcome there; the annex counts it over the run.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from checker.base.words import Words, counted, long_date
from checker.model import DossierVerdict, Outcome, Result, Verdicts
from checker.reports import rows, typeset
from checker.reports.inert import phrase
from checker.reports.printed import brief, decided, dossier, marked, weights
from checker.reports.printedfigures import agreed
from checker.reports.rows import Weight
from checker.reports.templates import article, said

DRAWN = True
STOPS = ("non_conforme", "indetermine")
PAGES = 1000  # dossiers of a run that have their own page, the worst first
FULL = 100  # and up to which they may take several
LINES, FEW = 60, 6  # clauses that their pages tell one by one: up to FULL dossiers, beyond
_NAME, _SENTENCE = 200, 1200


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The PDF of a run."""
    single = verdicts.dossiers[0] if len(verdicts.dossiers) == 1 else None
    dated = [verdict.control_date for verdict in verdicts.dossiers if verdict.control_date]
    of = single.reference if single else counted(words, "count.dossiers", len(verdicts.dossiers))
    of = of if verdicts.dossiers else words["text.nothing"]
    title = said(words["pdf.running"].format(reference=phrase(of, 80)))
    data = {
        "title": said(words["html.title"]),
        "running": title,
        "foot": _foot(verdicts, words),
        "words": {key.removeprefix("pdf."): said(text) for key, text in words.items() if key.startswith("pdf.")},
        "decision": decided(verdicts.decision, words),
        "whole": dossier(single, "d1", words) if single else {},
        "lot": {} if single else _lot(verdicts, words),
        "found": [_found(row.finding, words) for row in rows.of_run(verdicts)],
        "annex": _annex(verdicts, words),
    }
    return typeset.compile("report.typ", data, words, title=title, format="pdf", day=max(dated, default=None))


def _foot(verdicts: Verdicts, words: Words) -> str:
    packs = [f"{phrase(pack.get('id', ''), 40)} {phrase(pack.get('version', ''), 20)}" for pack in verdicts.packs[:2]]
    partial = [rows.partial(verdicts, words)] if verdicts.partial else []
    return said(" · ".join((f"quitus {verdicts.version}", *packs, *partial)))


def _lot(verdicts: Verdicts, words: Words) -> dict[str, Any]:
    """A run of several dossiers, or of none."""
    order = list(rows.decisions(verdicts))
    ordered = sorted(verdicts.dossiers, key=lambda verdict: order.index(verdict.decision))
    numbered = list(enumerate(ordered, 1))  # those that stop come first
    stopped = [(f"d{number}", verdict) for number, verdict in numbered if verdict.decision in STOPS][:PAGES]
    several = len(stopped)
    decided_so = [
        counted(words, f"count.decided_{decision}", count) for decision, count in rows.decisions(verdicts).items()
    ]
    results = [result for verdict in verdicts.dossiers for result in verdict.results]
    full = several <= FULL
    return {
        "count": said(counted(words, "count.dossiers", len(ordered)) if ordered else words["text.nothing"]),
        "decisions": said(words["list.comma"].join(decided_so)),
        "counts": said(rows.counts(results, words)) if results else "",
        "rows": [_row(verdict, f"d{number}" if number <= several else "", words) for number, verdict in numbered],
        "stopped": [{"anchor": anchor, **brief(item, words, LINES if full else FEW, full)} for anchor, item in stopped],
        "others": [_other(verdict, words) for verdict in ordered[several:]],
    }


def _row(verdict: DossierVerdict, anchor: str, words: Words) -> list[Any]:
    found = weights(verdict)
    numbers = (found[Weight.BREACH], found[Weight.UNKNOWN], found[Weight.RESERVE] + found[Weight.WAIVED])
    shown = [str(number) if number else "" for number in numbers]
    name = phrase(verdict.reference, 80) or words["pdf.not_known"]
    return [anchor, name, decided(verdict.decision, words), *shown, phrase(verdict.path, 120)]


def _other(verdict: DossierVerdict, words: Words) -> list[Any]:
    """A dossier that no page is given to: its decision, its counts, the rules that do not hold."""
    bad = [result for result in verdict.results if rows.weigh(result) is not Weight.GREEN]
    return [
        phrase(verdict.reference, 80) or words["pdf.not_known"],
        decided(verdict.decision, words),
        said(rows.counts(verdict.results, words)),
        words["list.comma"].join(dict.fromkeys(result.rule for result in bad)),
    ]


def _found(finding: Any, words: Words) -> list[Any]:
    where = rows.where(finding.locations[0], words) if finding.locations else ""
    return [finding.rule, marked(finding.outcome, words), said(phrase(finding.message, _SENTENCE)), where]


# The annex


def _annex(verdicts: Verdicts, words: Words) -> dict[str, Any]:
    own = verdicts.settings or {}
    lines = [["quitus", verdicts.version, ""]]
    for pack in verdicts.packs:
        version = said(words["html.version"].format(version=phrase(pack.get("version", ""), 40)))
        text = f"{said(phrase(pack.get('title', ''), 300))}{words['list.comma']}{version}"
        lines.append([phrase(pack.get("id", ""), _NAME), text, pack.get("sha256", "")])
    settings = phrase(own.get("path") or words["html.no_settings"], _NAME)
    lines.append([said(words["html.settings"]), settings, own.get("sha256") or ""])
    told = words[f"text.fail_on_{verdicts.fail_on}"] if verdicts.fail_on in ("reserve", "non_conforme") else ""
    lines.append([said(words["html.exit"]), str(verdicts.exit_code()), ""])
    dates = sorted({verdict.control_date for verdict in verdicts.dossiers if verdict.control_date})
    if dates:
        shown = [long_date(day, words) for day in dict.fromkeys((dates[0], dates[-1]))]
        lines.append([said(words["pdf.controlled"]), " – ".join(shown), ""])
    return {
        "title": said(words["html.annex"]),
        "rules": _rules(verdicts, words),
        "agreements": [agreed(agreement, words) for agreement in verdicts.agreements],
        "versions": lines,
        "told": said(told),
        "unused": [said(phrase(text, _SENTENCE)) for text in verdicts.unused[:500]],
        "unused_title": said(words["heading.unused"]),
        "notes": [[phrase(name, 80), said(phrase(text, _SENTENCE))] for name, text in verdicts.notes],
        "notes_title": said(words["heading.notes"]),
        "versions_title": said(words["html.versions"]),
    }


def _rules(verdicts: Verdicts, words: Words) -> list[dict[str, Any]]:
    """The rules of each pack, as they come, with how many dossiers had each outcome."""
    first: dict[str, dict[str, Result]] = {}
    counts: dict[tuple[str, str], Counter[Outcome]] = {}
    for verdict in verdicts.dossiers:
        pack = verdict.pack.get("id", "")
        for result in verdict.results:
            first.setdefault(pack, {}).setdefault(result.rule, result)
            counts.setdefault((pack, result.rule), Counter())[result.outcome] += 1
    several = len(verdicts.dossiers) > 1
    return [
        {
            "title": said(
                " · ".join((counted(words, "count.rules", len(found)), *([phrase(pack, _NAME)] if pack else [])))
            ),
            "rows": [
                [
                    result.rule,
                    said(phrase(result.title, 300)),
                    [marked(item, words, n if several else 0) for item, n in sorted(counts[pack, rule].items())],
                    article(result.clause, words),
                    phrase(result.clause.quote, 400),
                    words[f"severity.{result.severity}"],
                    words[f"source.{result.source}"],
                    said(words[f"html.by_{result.automation}"]),
                ]
                for rule, result in found.items()
            ],
        }
        for pack, found in first.items()
    ]
