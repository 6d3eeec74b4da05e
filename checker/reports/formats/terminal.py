"""For the person who controls: the decision, what to do and who must, then all that was only noted.

rich lays the page out, when colours or signs ask for it: it takes 60 ms to import. `BarePage` gives the same without.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from checker.base.words import Words, counted, long_date
from checker.model import STAGES, DossierVerdict, Finding, Outcome, Place, Result, Verdicts
from checker.reports import rows
from checker.reports.barepage import BarePage, Beyond, Entry, Part
from checker.reports.blanks import Whole, given_back, held, trimmed
from checker.reports.inert import encode, phrase
from checker.reports.rows import Weight

if TYPE_CHECKING:
    from rich.console import OverflowMethod, RenderableType
    from rich.text import Text

ROWS, PLACES, TABLE, DETAILS = 5, 3, 50, 10  # findings of a rule, places of a finding, dossiers listed, detailed
NARROWEST = 40
_MESSAGE, _VALUE = 900, 160
_STYLES = {"conforme": "green", "conforme_avec_reserves": "yellow", "indetermine": "magenta", "non_conforme": "red"}
_BY_ACTOR = (
    (Weight.BREACH, "todo", "red"),
    (Weight.UNKNOWN, "unknown", "magenta"),
    (Weight.RESERVE, "reserves", "yellow"),
)
_COLUMNS = ("decision", "dossier", "non_conforme", "indetermine", "reserves", "path")
_NUMBERS = ("non_conforme", "indetermine", "reserves")
_WORST = ("non_conforme", "indetermine", "conforme_avec_reserves", "conforme")


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The report on a screen of that width."""
    if not color and len(verdicts.dossiers) == 1:
        with suppress(Beyond):  # what only rich lays out
            return _written(BarePage(max(width, NARROWEST)), verdicts, words)
    return _written(_Page(width, color), verdicts, words)


def _written(page: Page, verdicts: Verdicts, words: Words) -> bytes:
    if partial := rows.partial(verdicts, words):
        page.line((partial, "bold"))
        page.blank()
    if len(verdicts.dossiers) == 1:
        _dossier(page, verdicts.dossiers[0], words)
    else:
        _batch(page, verdicts, words)
    _run(page, verdicts, words)
    return page.encoded()


# The page


class _Page:
    """What a report writes on: rich, with texts made inert, never read as markup."""

    def __init__(self, width: int, color: bool) -> None:
        from rich.console import Console

        self._screen = io.StringIO()
        self._console = Console(
            file=self._screen,
            width=max(width, NARROWEST),
            height=25,
            color_system="standard" if color else None,
            force_terminal=color,
            no_color=not color,
            force_jupyter=False,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
            _environ={},
        )

    def line(self, *parts: Part, indent: int = 0) -> None:
        """A paragraph."""
        self._print(self._text(parts), indent)

    def entries(self, found: Iterable[Entry], indent: int = 0, gap: int = 1, cut: bool = False) -> None:
        """Paragraphs, each beside its mark or its name, none of their lines under it; if `cut`, a line each."""
        from rich.table import Table

        grid = Table.grid(padding=(0, gap))
        grid.add_column(overflow="fold", max_width=max(self._console.width // 3, 8))
        grid.add_column(overflow="fold")
        for name, parts in found:
            text = self._text(parts, "ellipsis" if cut else "fold")
            text.no_wrap = cut
            grid.add_row(self._text([name]), text)
        self._print(grid, indent)

    def verbatim(self, text: str, indent: int) -> None:
        """A line to copy: never wrapped."""
        self._console.print(self._text([" " * indent + text]), soft_wrap=True)

    def blank(self) -> None:
        """An empty line, never two, never first."""
        if not self._screen.getvalue().endswith("\n\n") and self._screen.tell():
            self._console.print()

    def heading(self, title: str, style: str = "bold") -> None:
        """A title and a rule to the edge."""
        from rich.rule import Rule

        self.blank()
        self._print(Rule(self._text([(title, style)]), align="left", style="dim"))

    def rule(self) -> None:
        """A double rule from edge to edge."""
        from rich.rule import Rule

        self.blank()
        self._print(Rule(characters="\u2550", style="dim"))

    def table(self, head: Sequence[str], body: Iterable[Sequence[tuple[str, str]]], numbers: Sequence[int]) -> None:
        """Aligned columns, those of `numbers` to the right; a line each, the last column cut at the edge."""
        from rich.table import Table

        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for index, title in enumerate(head):
            last = index == len(head) - 1
            heading = self._text([(title, "dim")])
            table.add_column(heading, justify="right" if index in numbers else "left", no_wrap=not last)
        for cells in body:
            table.add_row(*[self._text([(Whole(text), style)], "ellipsis") for text, style in cells])
        self._print(table)

    def encoded(self) -> bytes:
        """The page: no space at the end of a line, one final newline."""
        return encode(trimmed(given_back(self._screen.getvalue())).rstrip("\n") + "\n")

    def _print(self, shown: RenderableType, indent: int = 0) -> None:
        from rich.padding import Padding

        self._console.print(Padding(shown, (0, 0, 0, indent)) if indent else shown)

    def _text(self, parts: Iterable[Part], overflow: OverflowMethod = "fold") -> Text:
        from rich.text import Text

        text = Text(overflow=overflow)
        for part in parts:
            said, style = (part, "") if isinstance(part, str) else part
            text.append(held(said), style)
        return text


Page = _Page | BarePage


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
        page.rule()
        _dossier(page, verdict, words)
    if told[DETAILS:]:
        page.blank()
        page.line((counted(words, "more.details", len(told) - DETAILS), "dim"))


def _table(page: Page, verdicts: Sequence[DossierVerdict], words: Words) -> None:
    body = []
    for verdict in verdicts:
        weights = [rows.weigh(result) for result in verdict.results]
        held = (weights.count(Weight.BREACH), weights.count(Weight.UNKNOWN))
        counts = (*held, weights.count(Weight.RESERVE) + weights.count(Weight.WAIVED))
        said = f"{words[f'symbol.{verdict.decision}']} {words[f'decision.{verdict.decision}']}"
        numbers = [(str(count) if count else "", "") for count in counts]
        name = (phrase(verdict.reference, 40), "bold")
        body.append([(said, _STYLES[verdict.decision]), name, *numbers, (phrase(verdict.path, 300), "dim")])
    numbered = [index for index, key in enumerate(_COLUMNS) if key in _NUMBERS]
    page.table([words[f"column.{key}"] for key in _COLUMNS], body, numbered)


# One dossier


def _dossier(page: Page, verdict: DossierVerdict, words: Words) -> None:
    _decision(page, verdict.decision, phrase(verdict.reference, 200), words)
    if verdict.pack.get("id"):
        pack = {key: phrase(verdict.pack.get(key, ""), 120) for key in ("title", "id", "version")}
        page.line((words["text.pack"].format(**pack).strip(), "dim"), indent=2)
    facts = [phrase(verdict.path, 300)]
    if verdict.stage:
        facts.append(words["text.stage"].format(stage=words.get(f"stage.{verdict.stage}", verdict.stage)))
    if verdict.control_date:
        facts.append(words["text.control"].format(day=long_date(verdict.control_date, words)))
    page.line((" \u00b7 ".join(facts), "dim"), indent=2)
    _summary(page, verdict, words)
    for weight, heading, ink in _BY_ACTOR:
        _by_actor(page, verdict, weight, (words[f"heading.{heading}"], f"bold {ink}"), words)
    _section(page, _of(verdict, Weight.WAIVED), "waived", _waived, words)
    _list(page, [_short(result, words) for result in _of(verdict, Weight.INFORMATION)], "information", words)
    _list(page, [_note(result, words) for result in verdict.results if _left_to_a_person(result)], "person", words)
    _paste(page, verdict.paste, words)
    _upcoming(page, verdict, words)
    page.blank()
    page.line(rows.counts(verdict.results, words))


def _decision(page: Page, decision: str, name: str, words: Words) -> None:
    style = f"bold {_STYLES[decision]}"
    said = (words[f"decision.{decision}"].upper(), style)
    page.entries([((words[f"symbol.{decision}"], style), [said, "  ", (name, "bold")])])


def _summary(page: Page, verdict: DossierVerdict, words: Words) -> None:
    """How many rules wait, and for whom: « À faire : cédant (5), cessionnaire (2) »."""
    waiting = [(rows.by_actor(_of(verdict, weight), words), heading, ink) for weight, heading, ink in _BY_ACTOR]
    if any(groups for groups, _, _ in waiting):
        page.blank()
    for groups, heading, ink in waiting:
        if groups:
            label = words["text.pair"].format(label=words[f"heading.{heading}"], text="")
            text = _commas([f"{name} ({len(group)})" for name, group in groups], words)
            page.line((label, f"bold {ink}"), text, indent=2)


def _of(verdict: DossierVerdict, weight: Weight) -> list[Result]:
    return [result for result in rows.own(verdict) if rows.weigh(result) is weight]


def _left_to_a_person(result: Result) -> bool:
    return bool(result.note) and result.automation == "partielle" and result.outcome is Outcome.CONFORME


def _by_actor(page: Page, verdict: DossierVerdict, weight: Weight, heading: tuple[str, str], words: Words) -> None:
    """What waits, by who must act; what no rule said of a blocked dossier comes first."""
    alone = rows.orphan(verdict, words) if weight.blocks else None
    mute = alone if alone and (alone.outcome is Outcome.NON_CONFORME) == (weight is Weight.BREACH) else None
    groups = rows.by_actor(_of(verdict, weight), words)
    if not groups and mute is None:
        return
    page.heading(*heading)
    if mute is not None:
        page.line(phrase(mute.message), indent=2)
    for name, group in groups:
        if (name, group) != groups[0]:
            page.blank()
        page.line((name[:1].upper() + name[1:], "bold underline"), f" ({len(group)})", indent=2)
        for result in group:
            if result is not group[0]:
                page.blank()
            _full(page, result, words)


def _section(
    page: Page, found: Sequence[Result], heading: str, write: Callable[[Page, Result, Words], None], words: Words
) -> None:
    if found:
        page.heading(words[f"heading.{heading}"])
        for result in found:
            write(page, result, words)


def _list(page: Page, entries: Sequence[Entry], heading: str, words: Words, *, cut: bool = False) -> None:
    if entries:
        page.heading(words[f"heading.{heading}"])
        page.entries(entries, indent=2, gap=2, cut=cut)


# One result


def _title(page: Page, symbol: Part, result: Result, words: Words) -> None:
    article = phrase(result.clause.article, 80)
    if article[:1].isdigit():
        article = words["text.article"].format(article=article)
    clause = Whole(article) if len(article) <= 24 else article
    page.entries([(symbol, [(result.rule, "bold"), f"  {phrase(result.title, 300)}  ", (clause, "dim")])], indent=4)


def _mark(outcome: Outcome, words: Words) -> Part:
    return words[f"symbol.{outcome.word}"], f"bold {_STYLES[outcome.word]}"


def _full(page: Page, result: Result, words: Words) -> None:
    _title(page, _mark(result.outcome, words), result, words)
    if result.remedy:
        todo = (phrase(result.remedy.text, _MESSAGE), "cyan")
        page.entries([((words["symbol.todo"], "cyan"), [todo])], indent=6)
    found = rows.shown(result)
    for finding in found[:ROWS]:
        _finding(page, finding, result, words)
    if found[ROWS:]:
        page.line((counted(words, "more.rows", len(found) - ROWS), "dim"), indent=8)


def _finding(page: Page, finding: Finding, result: Result | None, words: Words) -> None:
    said = phrase(finding.message, _MESSAGE)
    title = result.title if result else ""
    if result and finding.outcome is not result.outcome:  # an unknown row of a rule that another row breaks
        said = words["text.cannot"].format(text=said)
    about = f"{phrase(finding.subject, 120)}  " if ":" in finding.subject else ""
    if about or (said and said != phrase(title)):
        page.line((about, "dim"), said, indent=8)
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
        page.line((phrase(said, _MESSAGE), "yellow"), indent=8)


def _entry(symbol: str, name: str, text: str) -> Entry:
    return Whole(f"{symbol} {phrase(name, 80)}"), [text]


def _short(result: Result, words: Words) -> Entry:
    said = phrase(rows.shown(result)[0].message or result.title, 300)
    return _entry(words[f"symbol.{result.outcome.word}"], result.rule, said)


def _note(result: Result, words: Words) -> Entry:
    return _entry(words["symbol.information"], result.rule, phrase(result.note, 400))


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
    symbol = words["symbol.information"]
    page.entries([_entry(symbol, rule, phrase(title, 300)) for rule, title in verdict.upcoming], indent=2, gap=2)


def _commas(parts: Sequence[str], words: Words) -> str:
    return words["list.comma"].join(parts)


def _run(page: Page, verdicts: Verdicts, words: Words) -> None:
    found = [finding for finding in verdicts.findings if finding.outcome in rows.BAD]
    if found:
        page.heading(words["heading.run"])
    for finding in found:
        page.entries([(_mark(finding.outcome, words), [(finding.rule, "bold")])], indent=4)
        _finding(page, finding, None, words)
    symbol = words["symbol.information"]
    if verdicts.unused:
        page.heading(words["heading.unused"])
        page.entries([(symbol, [phrase(text)]) for text in verdicts.unused], indent=2)
    # Faults of the convention, not of a dossier, the same at each run: the start of each says which.
    _list(page, [_entry(symbol, name, phrase(text)) for name, text in verdicts.notes], "notes", words, cut=True)
    page.blank()
    if len(verdicts.dossiers) != 1:
        page.line(rows.counts([result for verdict in verdicts.dossiers for result in verdict.results], words))
    settings = verdicts.settings
    slots = {"path": phrase((settings or {}).get("path") or ""), "sha256": ((settings or {}).get("sha256") or "")[:12]}
    page.line((words["text.settings"].format(**slots) if slots["path"] else words["text.settings_none"], "dim"))
    if verdicts.fail_on in ("reserve", "non_conforme"):
        page.line(words[f"text.fail_on_{verdicts.fail_on}"])
    said = words["text.decision"].format(decision=words[f"decision.{verdicts.decision}"])
    page.line(
        (said, f"bold {_STYLES[verdicts.decision]}"), f" ({words['text.exit'].format(code=verdicts.exit_code())})"
    )
