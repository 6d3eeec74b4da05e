"""A signed text beside what was made of each of its sentences: by a run, or by the rules alone.

A sentence has the state of the worst of the rules that quote it; those that are not concerned are left out. A rule that
quotes no sentence stands after the text, under its source, so that nothing of a run is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple

from checker.model import Agreement, Clause, DossierVerdict, Remedy, Result, Sentence

SHOWN = 5  # dossiers of a rule whose findings are said in a run of several


class State(IntEnum):
    """What became of a sentence or of a rule, the worst first."""

    FAILS = 0
    UNKNOWN = 1
    UNJUDGED = 2  # no dossier has a result of it
    WAIVED = 3
    ATTESTED = 4
    HOLDS = 5
    ASIDE = 6
    RULED = 7  # rules quote it; nothing was judged
    PERSON = 8
    UNDECIDABLE = 9
    FREE = 10

    @property
    def key(self) -> str:
        return self.name.lower()


def tally(found: Iterable[State]) -> dict[State, int]:
    """How many of each, the worst first; those that occur."""
    return dict(sorted(Counter(found).items()))


class Judged(NamedTuple):
    """One result of one dossier; `dossier`: its anchor."""

    dossier: str
    verdict: DossierVerdict
    state: State
    result: Result


class Card(NamedTuple):
    """A rule and what it gave; `judged`: its results, the worst first; `examples`: how many it has, of a rulebook."""

    anchor: str
    rule: str
    title: str
    clause: Clause
    source: str
    severity: str
    automation: str
    stage: str
    remedy: Remedy | None
    note: str
    judged: tuple[Judged, ...] = ()
    examples: int | None = None

    @property
    def state(self) -> State:
        return self.judged[0].state if self.judged else State.RULED

    @property
    def states(self) -> dict[State, int]:
        return tally(item.state for item in self.judged)

    @property
    def told(self) -> tuple[Judged, ...]:
        """The results whose findings are said: all of a single dossier, else the first that are not in order."""
        if len(self.judged) == 1:
            return self.judged
        return tuple(item for item in self.judged if item.state < State.ATTESTED)[:SHOWN]


class Quoting(NamedTuple):
    """A rule beside a sentence: what it quotes of it, and whether it is said in full here or only pointed at."""

    card: Card
    quote: str
    full: bool


class Unit(NamedTuple):
    """A sentence of the text. `pieces`: its text in order, with whether a rule quotes that part.

    `mute`: the rules that quote it and of which the run has no result.
    """

    anchor: str
    sentence: Sentence
    state: State
    states: Mapping[State, int]  # over the dossiers
    pieces: tuple[tuple[str, bool], ...]
    quoting: tuple[Quoting, ...]
    mute: tuple[str, ...]

    @property
    def plain(self) -> bool:
        """Whether its only rule says its state for it."""
        return len(self.quoting) == 1 and not self.mute and len(self.states) < 2


class Line(NamedTuple):
    """A line of the text; `apart`: blank lines precede it."""

    units: tuple[Unit, ...]
    heading: bool
    apart: bool
    item: bool


class Article(NamedTuple):
    """What stands under a heading of the text; no `title`: what stands before the first."""

    anchor: str
    title: str
    lines: tuple[Line, ...]

    @property
    def states(self) -> dict[State, int]:
        return tally(unit.state for line in self.lines for unit in line.units)


class Group(NamedTuple):
    """The rules of a source that quote no sentence, by article."""

    anchor: str
    source: str
    articles: tuple[tuple[Clause, tuple[Card, ...]], ...]

    @property
    def size(self) -> int:
        return sum(len(cards) for _, cards in self.articles)

    @property
    def states(self) -> dict[State, int]:
        return tally(card.state for _, cards in self.articles for card in cards)


class Chapter(NamedTuple):
    """A convention: its text, then the rules that quote none of it."""

    anchor: str
    agreement: Agreement
    articles: tuple[Article, ...]
    groups: tuple[Group, ...]
    rules: int

    @property
    def states(self) -> dict[State, int]:
        return tally(unit.state for article in self.articles for line in article.lines for unit in line.units)

    @property
    def coverage(self) -> dict[State, int]:
        """The sentences by what accounts for them."""
        units = [unit for article in self.articles for line in article.lines for unit in line.units]
        return tally(State.RULED if unit.quoting else unit.state for unit in units)


class Summary(NamedTuple):
    """A dossier of the run, with the states of its sentences (of its rules when the text is not known)."""

    anchor: str
    verdict: DossierVerdict
    states: Mapping[State, int]
