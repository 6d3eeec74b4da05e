"""One dossier as the PDF prints it: plain texts, lists and numbers, which report.typ lays out and never computes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from checker.base.words import Words, counted, long_date
from checker.model import STAGES, DossierVerdict, Finding, Outcome, Result
from checker.reports import rows
from checker.reports.inert import phrase
from checker.reports.printedfigures import drawn
from checker.reports.rows import Weight
from checker.reports.templates import article, said, understood

REASONS = 6  # said under the decision; all are below
FINDINGS = 60  # of one clause, in full; the others are counted
ALL = 300  # of one dossier, the worst first; past them each clause has BRIEF of them
BRIEF = 2  # of one clause, in a run of several dossiers
PLACES = 8  # of one finding
STEPS = 24  # of one computation
FILES = 3000

_SENTENCE, _NAME, _VALUE = 1200, 200, 400
_SECTIONS = (
    (Weight.BREACH, "html.breaches"),
    (Weight.UNKNOWN, "heading.unknown"),
    (Weight.RESERVE, "heading.reserves"),
    (Weight.WAIVED, "heading.waived"),
    (Weight.INFORMATION, "heading.information"),
)


def dossier(verdict: DossierVerdict, anchor: str, words: Words) -> dict[str, Any]:
    """Everything said of one dossier."""
    own = list(rows.own(verdict))
    speaking = {id(result) for result in own}
    anchors = {id(result): f"{anchor}-{number}" for number, result in enumerate(verdict.results, 1)}
    cards = []
    left_to_say = ALL
    for result in sorted(own, key=rows.weigh):
        card = _card(result, anchors[id(result)], FINDINGS if left_to_say > 0 else BRIEF, words)
        left_to_say -= len(card["findings"])
        cards.append((rows.weigh(result), card))
    following = STAGES[STAGES.index(verdict.stage) + 1 :] if verdict.stage in STAGES else ()
    left = [result for result in verdict.results if id(result) not in speaking]
    kept = [
        ("html.holds", [result for result in verdict.results if result.outcome is Outcome.CONFORME]),
        ("html.aside", [result for result in verdict.results if result.outcome is Outcome.SANS_OBJET]),
        ("html.unread", left),
    ]
    stage = words[f"stage.{following[0]}"] if following else ""
    return {
        **banner(verdict, own, words),
        "identity": _identity(verdict, words),
        "todo": _todo(own, anchors, words),
        "paste": [phrase(line, _SENTENCE) for line in verdict.paste],
        "drawn": drawn(verdict.figures, words) if verdict.figures is not None else {},
        "sections": [
            {"title": said(words[key]), "cards": found}
            for weight, key in _SECTIONS
            if (found := [card for its, card in cards if its is weight])
        ],
        "person": [[result.rule, _say(result.note)] for result in own if _left_to_a_person(result)],
        "kept": [
            {"title": said(counted(words, key, len(found))), "rows": [_line(item, anchors, words) for item in found]}
            for key, found in kept
            if found
        ],
        "next": said(words["heading.upcoming"].format(stage=stage) if stage else words["heading.upcoming_bare"]),
        "upcoming": [[rule, _say(title)] for rule, title in verdict.upcoming],
        "files_title": said(counted(words, "html.files", len(verdict.files))),
        "files": [[phrase(file.path, _NAME), _size(file.size, words), file.sha256] for file in verdict.files[:FILES]],
        "files_rest": _rest(words, "pdf.more_files", len(verdict.files) - FILES),
    }


def brief(verdict: DossierVerdict, words: Words, lines: int, full: bool) -> dict[str, Any]:
    """What one page says of a dossier among others: its decision, who must act, what does not hold, what does.

    `lines`: clauses told one by one, the worst first; the others are named. Not `full`: sentences are shorter, and the
    rules that hold are said to be all the others of the annex.
    """
    own = list(rows.own(verdict))
    bad = sorted((result for result in own if rows.weigh(result) <= Weight.WAIVED), key=rows.weigh)
    told = [result for result in own if rows.weigh(result) is Weight.INFORMATION]
    green = [result for result in verdict.results if result.outcome is Outcome.CONFORME]
    aside = [result for result in verdict.results if result.outcome is Outcome.SANS_OBJET]
    speaking = {id(result) for result in own}
    left = [result for result in verdict.results if id(result) not in speaking]
    found = (
        ("pdf.more_clauses", bad[lines:]),
        ("html.informative", told),
        ("html.holds", green),
        ("html.aside", aside),
        ("html.unread", left),
    )
    return {
        **banner(verdict, own, words, reasons=0),
        "running": phrase(verdict.reference, 50),
        "identity": _identity(verdict, words),
        "lines": [_short(result, words, 300 if full else 150) for result in bad[:lines]],
        "ids": [
            [
                said(counted(words, key, len(results))),
                [item.rule for item in results] if full or results is not green else [],
            ]
            for key, results in found
            if results
        ],
    }


def banner(verdict: DossierVerdict, own: Sequence[Result], words: Words, reasons: int = REASONS) -> dict[str, Any]:
    """The decision and why: the first `reasons`, the worst first."""
    alone = rows.orphan(verdict, words)
    anchored = {id(result): number for number, result in enumerate(verdict.results, 1)}
    found = [result for result in own if rows.weigh(result).blocks]
    found = found or [result for result in own if rows.weigh(result) in (Weight.RESERVE, Weight.WAIVED)]
    first = sorted(found, key=rows.weigh)[:reasons]
    waiting = rows.by_actor((result for result in own if rows.weigh(result) <= Weight.RESERVE), words)
    who = words["list.comma"].join(f"{actor} ({len(results)})" for actor, results in waiting)
    return {
        "reference": _headed(phrase(verdict.reference, _NAME), phrase(verdict.path, _NAME)),
        "decision": decided(verdict.decision, words),
        "why": said(words[f"html.why_{verdict.decision}"]),
        "alone": _say(alone.message) if alone is not None else "",
        "reasons": [
            [_say(rows.shown(item)[0].message or item.title, 240), article(item.clause, words), anchored[id(item)]]
            for item in first
        ],
        "more": _rest(words, "html.more", len(found) - reasons) if reasons else "",
        "waits": said(words["text.pair"].format(label=words["html.waits"], text=who)) if waiting else "",
        "counts": said(rows.counts(verdict.results, words)),
    }


def decided(decision: str, words: Words) -> list[str]:
    """A decision: its key, its sign, its words."""
    text = words[f"decision.{decision}"]
    return [decision, words.get(f"symbol.{decision}", ""), text[:1].upper() + text[1:]]


def marked(outcome: Outcome, words: Words, many: int = 0) -> list[str]:
    """An outcome: its key, its sign, its words, and of how many dossiers when there are several."""
    text = words[f"outcome.{outcome.word}"]
    return [outcome.word, words.get(f"symbol.{outcome.word}", ""), f"{text} × {many}" if many else text]


def _identity(verdict: DossierVerdict, words: Words) -> list[str]:
    pack = {key: phrase(verdict.pack.get(key, ""), _NAME) for key in ("title", "id", "version")}
    found = [words["text.pack"].format(**pack)] if pack["id"] else []
    found.append(phrase(verdict.path, _NAME))
    if verdict.stage:
        stage = words.get(f"stage.{verdict.stage}", phrase(verdict.stage, 80))
        found.append(words["text.stage"].format(stage=stage))
    if verdict.control_date:
        found.append(words["text.control"].format(day=long_date(verdict.control_date, words)))
    return [said(text) for text in found]


def _todo(own: Iterable[Result], anchors: dict[int, str], words: Words) -> list[dict[str, Any]]:
    """Who must act, and each thing to do with the clauses that ask for it."""
    found = []
    for actor, group in rows.by_actor((item for item in own if rows.weigh(item) <= Weight.RESERVE), words):
        acts: dict[str, list[Result]] = {}
        for result in sorted(group, key=rows.weigh):
            text = result.remedy.text if result.remedy else rows.shown(result)[0].message or result.title
            acts.setdefault(text, []).append(result)
        lines = [[_say(text), [[item.rule, anchors[id(item)]] for item in asking]] for text, asking in acts.items()]
        found.append({"actor": f"{actor[:1].upper()}{actor[1:]} ({len(group)})", "acts": lines})
    return found


# One clause


def _card(result: Result, anchor: str, most: int, words: Words) -> dict[str, Any]:
    """A clause with its evidence: the first `most` findings."""
    found = rows.shown(result)
    tags = [article(result.clause, words), words[f"source.{result.source}"], words[f"severity.{result.severity}"]]
    return {
        "anchor": anchor,
        "rule": result.rule,
        "title": _headed(_say(result.title), _say(result.rule)),
        "mark": marked(result.outcome, words),
        "tags": [said(tag) for tag in tags],
        "quote": phrase(result.clause.quote, _SENTENCE),
        "findings": [_finding(item, result, words) for item in found[:most]],
        "rest": _rest(words, "pdf.more_findings", len(found) - most),
        "waiver": _waiver(result, words),
        "remedy": _remedy(result, words, _SENTENCE),
        "note": _say(result.note),
    }


def _finding(finding: Finding, result: Result, words: Words) -> dict[str, Any]:
    doubt = finding.outcome is Outcome.INDETERMINE and result.outcome is not Outcome.INDETERMINE
    message = "" if finding.message == result.title else finding.message
    facts = (
        ("html.observed", understood(finding.observed or "", words)),
        ("html.expected", understood(finding.expected or "", words)),
        ("html.reason", said(phrase(finding.reason, _SENTENCE))),
        ("html.missing", words["list.comma"].join(finding.missing)),
    )
    read = (*finding.excerpts, *[""] * len(finding.locations))
    return {
        "about": phrase(finding.subject, _NAME) if ":" in finding.subject else "",
        "message": _say(words["text.cannot"].format(text=message) if doubt and message else message),
        "facts": [[said(words[key]), phrase(text, _VALUE)] for key, text in facts if text],
        "places": [
            [rows.where(place, words), said(words["text.read"].format(text=phrase(text, _VALUE))) if text else ""]
            for place, text in list(zip(finding.locations, read, strict=False))[:PLACES]
        ],
        "places_rest": _rest(words, "pdf.more_places", len(finding.locations) - PLACES),
        "trace": [[phrase(name, 80), phrase(understood(text, words), _VALUE)] for name, text in finding.trace[:STEPS]],
    }


def _waiver(result: Result, words: Words) -> list[list[str]]:
    waiver = result.waiver
    if waiver is None:
        return []
    start = words["html.from"].format(day=long_date(waiver.start, words)) if waiver.start else words["html.no_start"]
    end = words["html.to"].format(day=long_date(waiver.end, words)) if waiver.end else words["html.no_end"]
    found = (
        ("html.granted", waiver.granted_by),
        ("html.requested", waiver.requested_by),
        ("html.grounds", waiver.reason),
        ("html.period", f"{start}{words['list.comma']}{end}"),
    )
    return [[said(words[key]), _say(text)] for key, text in found]


def _remedy(result: Result, words: Words, limit: int) -> list[str]:
    """Who must act and what to do, unless a waiver says that it need not be done."""
    remedy = result.remedy
    if remedy is None or rows.weigh(result) is Weight.WAIVED:
        return []
    actor = words.get(f"actor.{remedy.to}", phrase(remedy.to, 80))
    label = said(words["text.pair"].format(label=actor[:1].upper() + actor[1:], text="")).strip()
    return [label, _say(remedy.text, limit)]


def _line(result: Result, anchors: dict[int, str], words: Words) -> list[Any]:
    """A rule that holds, does not apply or cannot be judged, on one line: it is printed like the others."""
    mark = marked(result.outcome, words)
    if rows.attested(result):
        mark = [mark[0], mark[1], words["text.attested"]]
    several = [counted(words, f"html.rows_{item.word}", n) for item, n in sorted(result.counts.items()) if n > 1]
    return [anchors[id(result)], result.rule, _say(result.title, 300), article(result.clause, words), mark, several]


def _short(result: Result, words: Words, limit: int) -> list[Any]:
    """A clause that does not hold, in one row: what it is, what is said, what was read and asked, where."""
    found = rows.shown(result)
    lines = [_say(item.message or result.title, limit) for item in found[:BRIEF]]
    rest = _rest(words, "pdf.more_findings", len(found) - BRIEF)
    first = found[0]
    facts = (("html.observed", first.observed), ("html.expected", first.expected))
    pairs = [(said(words[key]), phrase(understood(text, words), 120)) for key, text in facts if text]
    waived = result.waiver is not None
    mark = marked(result.outcome, words)
    return [
        result.rule,
        _say(result.title, limit),
        article(result.clause, words),
        [mark[0], mark[1], words["pdf.waived"] if waived else mark[2]],
        list(dict.fromkeys(lines)) + ([rest] if rest else []),
        said("\u00a0; ".join(words["text.pair"].format(label=label, text=text) for label, text in pairs)),
        rows.where(first.locations[0], words) if first.locations else "",
        _remedy(result, words, limit),
    ]


def _left_to_a_person(result: Result) -> bool:
    return bool(result.note) and result.automation == "partielle" and result.outcome is Outcome.CONFORME


def _rest(words: Words, key: str, count: int) -> str:
    return said(counted(words, key, count)) if count > 0 else ""


def _say(text: str, limit: int = _SENTENCE) -> str:
    return said(phrase(text, limit))


def _headed(*texts: str) -> str:
    """The first text that a heading can be: an empty one is no heading for who hears the page."""
    return next((text for text in texts if text.strip()), "?")


def _size(size: int, words: Words) -> str:
    return f"{size:,}".replace(",", words["thousands"])


def weights(verdict: DossierVerdict) -> Counter[Weight]:
    """How many rules weigh how much on its decision."""
    return Counter(rows.weigh(result) for result in verdict.results)
