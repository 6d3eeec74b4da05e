"""For the person who controls: the decision first, then what to do and who must, then all that was only noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from checker.base.words import Words, counted, long_date
from checker.model import STAGES, DossierVerdict, Finding, Outcome, Place, Result, Verdicts
from checker.reports import rows
from checker.reports.inert import phrase
from checker.reports.page import Page, Part
from checker.reports.rows import Weight

ROWS, PLACES, TABLE, DETAILS = 5, 3, 50, 10  # findings of a rule, places of a finding, dossiers listed, detailed
_MESSAGE, _VALUE = 900, 160
_STYLES = {"conforme": "green", "conforme_avec_reserves": "yellow", "indetermine": "magenta", "non_conforme": "red"}
_ACTORS = ("cedant", "cessionnaire", "comptable", "fournisseur", "organisme", "personne")
_COLUMNS = ("decision", "dossier", "non_conforme", "indetermine", "reserves", "path")
_WORST = ("non_conforme", "indetermine", "conforme_avec_reserves", "conforme")


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The report on a screen of that width."""
    page = Page(width, color)
    if len(verdicts.dossiers) == 1:
        _dossier(page, verdicts.dossiers[0], words)
    else:
        _batch(page, verdicts, words)
    _run(page, verdicts, words)
    return page.encoded()


# The dossiers of a batch


def _batch(page: Page, verdicts: Verdicts, words: Words) -> None:
    _decision(page, verdicts.decision, counted(words, "count.dossiers", len(verdicts.dossiers)), words)
    counts = [counted(words, f"count.decided_{key}", count) for key, count in rows.decisions(verdicts).items()]
    page.line(_commas(counts, words), indent=2)
    ordered = sorted(verdicts.dossiers, key=lambda verdict: _WORST.index(verdict.decision))
    if ordered:
        page.blank()
        _table(page, ordered[:TABLE], words)
    if ordered[TABLE:]:
        page.line((counted(words, "more.dossiers", len(ordered) - TABLE), "dim"))
    told = [verdict for verdict in ordered if verdict.decision != "conforme"]
    for verdict in told[:DETAILS]:
        page.blank()
        page.line(("\u2550" * page.width, "dim"))
        _dossier(page, verdict, words)
    if told[DETAILS:]:
        page.blank()
        page.line((counted(words, "more.details", len(told) - DETAILS), "dim"))


def _table(page: Page, verdicts: Sequence[DossierVerdict], words: Words) -> None:
    head = [words[f"column.{key}"] for key in _COLUMNS]
    body = []
    for verdict in verdicts:
        weights = [rows.weigh(result) for result in verdict.results]
        held = (weights.count(Weight.BREACH), weights.count(Weight.UNKNOWN))
        counts = (*held, weights.count(Weight.RESERVE) + weights.count(Weight.WAIVED))
        said = f"{words[f'symbol.{verdict.decision}']} {words[f'decision.{verdict.decision}']}"
        numbers = [(str(count) if count else "", "") for count in counts]
        name = (phrase(verdict.reference, 40), "bold")
        body.append([(said, _STYLES[verdict.decision]), name, *numbers, (phrase(verdict.path, 300), "dim")])
    page.table(head, body, numbers=(2, 3, 4))


# One dossier


def _dossier(page: Page, verdict: DossierVerdict, words: Words) -> None:
    _decision(page, verdict.decision, phrase(verdict.reference, 200), words)
    if verdict.pack.get("id"):
        pack = {key: phrase(verdict.pack.get(key, ""), 120) for key in ("title", "id", "version")}
        page.line((words["text.pack"].format(**pack).strip(), "dim"), indent=2, hang=0)
    facts = [phrase(verdict.path, 300)]
    if verdict.stage:
        facts.append(words["text.stage"].format(stage=words.get(f"stage.{verdict.stage}", verdict.stage)))
    if verdict.control_date:
        facts.append(words["text.control"].format(day=long_date(verdict.control_date, words)))
    page.line((" \u00b7 ".join(facts), "dim"), indent=2, hang=0)
    _by_actor(page, verdict, Weight.BREACH, "todo", words)
    _by_actor(page, verdict, Weight.UNKNOWN, "unknown", words)
    _section(page, _of(verdict, Weight.RESERVE), "reserves", _full, words)
    _section(page, _of(verdict, Weight.WAIVED), "waived", _waived, words)
    _section(page, _of(verdict, Weight.INFORMATION), "information", _short, words)
    _section(page, [result for result in verdict.results if _left_to_a_person(result)], "person", _note, words)
    _paste(page, verdict.paste, words)
    _upcoming(page, verdict, words)
    page.blank()
    page.line(_counts(verdict.results, words))


def _decision(page: Page, decision: str, name: str, words: Words) -> None:
    style = f"bold {_STYLES[decision]}"
    said = words[f"decision.{decision}"].upper()
    page.line((f"{words[f'symbol.{decision}']} {said}", style), "  ", (name, "bold"))


def _of(verdict: DossierVerdict, weight: Weight) -> list[Result]:
    return [result for result in verdict.results if rows.weigh(result) is weight]


def _left_to_a_person(result: Result) -> bool:
    return bool(result.note) and result.automation == "partielle" and result.outcome is Outcome.CONFORME


def _by_actor(page: Page, verdict: DossierVerdict, weight: Weight, heading: str, words: Words) -> None:
    """What blocks, by who must act; what no rule said of a blocked dossier comes first."""
    alone = rows.orphan(verdict, words)
    mute = alone if alone and (alone.outcome is Outcome.NON_CONFORME) == (weight is Weight.BREACH) else None
    found = _of(verdict, weight)
    if not found and mute is None:
        return
    page.heading(words[f"heading.{heading}"], f"bold {'red' if weight is Weight.BREACH else 'magenta'}")
    if mute is not None:
        page.line(phrase(mute.message), indent=2)
    written = False
    named = {result.remedy.to for result in found if result.remedy}
    for actor in (*_ACTORS, *sorted(named - set(_ACTORS)), ""):
        group = [result for result in found if (result.remedy.to if result.remedy else "") == actor]
        if group:
            if written:
                page.blank()
            written = True
            said = words.get(f"actor.{actor or 'nobody'}", phrase(actor, 80))
            page.line((said[:1].upper() + said[1:], "bold"), indent=2)
            for result in group:
                _full(page, result, words)


def _section(
    page: Page, found: Sequence[Result], heading: str, write: Callable[[Page, Result, Words], None], words: Words
) -> None:
    if found:
        page.heading(words[f"heading.{heading}"])
        for result in found:
            write(page, result, words)


# One result


def _title(page: Page, symbol: Part, result: Result, words: Words) -> None:
    article = words["text.article"].format(article=phrase(result.clause.article, 40)) if result.clause.article else ""
    page.line(symbol, " ", (result.rule, "bold"), f"  {phrase(result.title, 300)}  ", (article, "dim"), indent=4)


def _mark(outcome: Outcome, words: Words) -> Part:
    return words[f"symbol.{outcome.word}"], _STYLES[outcome.word]


def _full(page: Page, result: Result, words: Words) -> None:
    _title(page, _mark(result.outcome, words), result, words)
    found = rows.shown(result)
    for finding in found[:ROWS]:
        _finding(page, finding, result, words)
    if found[ROWS:]:
        page.line((counted(words, "more.rows", len(found) - ROWS), "dim"), indent=8)
    if result.remedy:
        page.line((words["symbol.todo"], "cyan"), " ", (phrase(result.remedy.text, _MESSAGE), "cyan"), indent=8)


def _finding(page: Page, finding: Finding, result: Result | None, words: Words) -> None:
    said = phrase(finding.message, _MESSAGE)
    title = result.title if result else ""
    if result and finding.outcome is not result.outcome:  # an unknown row of a rule that another row breaks
        said = words["text.cannot"].format(text=said)
    about = f"{phrase(finding.subject, 120)}  " if ":" in finding.subject else ""
    if about or (said and said != phrase(title)):
        page.line((about, "dim"), said, indent=8, hang=0)
    if finding.missing:
        items = words["list.comma"].join(phrase(name, 120) for name in finding.missing)
        page.line((words["text.missing"].format(items=items), "magenta"), indent=10)
    excerpts = (*finding.excerpts, *[""] * len(finding.locations))
    places = list(zip(finding.locations, excerpts, strict=False))
    for place, excerpt in places[:PLACES]:
        _place(page, place, excerpt, words)
    if places[PLACES:]:
        page.line((counted(words, "more.places", len(places) - PLACES), "dim"), indent=10)


def _place(page: Page, place: Place, excerpt: str, words: Words) -> None:
    spot = rows.where(place, words)
    seen = words["text.read"].format(text=phrase(excerpt, _VALUE)) if excerpt else ""
    if spot or seen:
        page.line((spot, "blue"), f"{words['list.comma'] if spot and seen else ''}{seen}", indent=10)


def _waived(page: Page, result: Result, words: Words) -> None:
    _title(page, (words["symbol.waived"], "yellow"), result, words)
    for finding in rows.shown(result)[:ROWS]:
        _finding(page, finding, result, words)
    waiver = result.waiver
    if waiver is not None:
        slots = {"granted_by": waiver.granted_by, "requested_by": waiver.requested_by, "reason": waiver.reason}
        end = long_date(waiver.end, words) if waiver.end else ""
        said = words["text.waiver" if end else "text.waiver_open"].format(end=end, **slots)
        page.line((phrase(said, _MESSAGE), "yellow"), indent=8, hang=0)


def _short(page: Page, result: Result, words: Words) -> None:
    first = rows.shown(result)[0]
    said = phrase(first.message or result.title, 300)
    page.line(_mark(result.outcome, words), " ", (result.rule, "bold"), f"  {said}", indent=4)


def _note(page: Page, result: Result, words: Words) -> None:
    page.line(words["symbol.information"], " ", (result.rule, "bold"), f"  {phrase(result.note, 400)}", indent=4)


# The end of a dossier, the end of the run


def _paste(page: Page, lines: Sequence[str], words: Words) -> None:
    if lines:
        page.heading(words["heading.paste"])
        for line in lines:
            page.verbatim(line, indent=4)


def _upcoming(page: Page, verdict: DossierVerdict, words: Words) -> None:
    if not verdict.upcoming:
        return
    following = STAGES[STAGES.index(verdict.stage) + 1 :] if verdict.stage in STAGES else ()
    named = words["heading.upcoming"].format(stage=words[f"stage.{following[0]}"]) if following else ""
    page.heading(named or words["heading.upcoming_bare"])
    for rule, title in verdict.upcoming:
        page.line(words["symbol.information"], " ", (rule, "bold"), f"  {phrase(title, 300)}", indent=4)


def _commas(parts: Sequence[str], words: Words) -> str:
    return words["list.comma"].join(parts)


def _counts(results: Sequence[Result], words: Words) -> str:
    counts = [counted(words, f"count.{outcome.word}", count) for outcome, count in rows.tally(results).items()]
    by_a_person = sum(rows.attested(result) for result in results)
    if by_a_person:
        counts[0] += f" ({counted(words, 'count.attested', by_a_person)})"
    label = counted(words, "count.rules", len(results))
    return words["text.pair"].format(label=label, text=_commas(counts, words)) if counts else label


def _run(page: Page, verdicts: Verdicts, words: Words) -> None:
    found = [finding for finding in verdicts.findings if finding.outcome in rows.BAD]
    if found:
        page.heading(words["heading.run"])
    for finding in found:
        page.line(_mark(finding.outcome, words), " ", (finding.rule, "bold"), indent=4)
        _finding(page, finding, None, words)
    for heading, items in (("unused", [("", text) for text in verdicts.unused]), ("notes", verdicts.notes)):
        if items:
            page.heading(words[f"heading.{heading}"])
        for name, text in items:
            page.line(words["symbol.information"], " ", (f"{name}  " if name else "", "bold"), phrase(text), indent=4)
    page.blank()
    if len(verdicts.dossiers) != 1:
        page.line(_counts([result for verdict in verdicts.dossiers for result in verdict.results], words))
    settings = verdicts.settings
    slots = {"path": phrase((settings or {}).get("path") or ""), "sha256": ((settings or {}).get("sha256") or "")[:12]}
    page.line((words["text.settings"].format(**slots) if slots["path"] else words["text.settings_none"], "dim"))
    if verdicts.fail_on in ("reserve", "non_conforme"):
        page.line(words[f"text.fail_on_{verdicts.fail_on}"])
    said = words["text.decision"].format(decision=words[f"decision.{verdicts.decision}"])
    page.line((said, "bold"), f" ({words['text.exit'].format(code=verdicts.exit_code())})")
