"""A run, or rules, as an annotated text: each sentence beside its rules; those of no sentence after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from checker.model import SOURCES, Agreement, DossierVerdict, Outcome, Result, Rule, Sentence, Verdicts
from checker.reports import rows
from checker.reports.annotated import (
    Article,
    Card,
    Chapter,
    Group,
    Judged,
    Line,
    Quoting,
    State,
    Summary,
    Unit,
    tally,
)

_KINDS = {"attested": State.PERSON, "undecidable": State.UNDECIDABLE, "no_obligation": State.FREE}
_OUTCOMES = {
    Outcome.NON_CONFORME: State.FAILS,
    Outcome.INDETERMINE: State.UNKNOWN,
    Outcome.CONFORME: State.HOLDS,
    Outcome.SANS_OBJET: State.ASIDE,
}
_NUMBERED = re.compile(r"(?:article|annexe|titre|chapitre|section)\s+[0-9ivxlc]+\b", re.IGNORECASE)
_RULE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,60}")  # a rule id that is an anchor as it stands
_TITLE = 150  # signs beyond which a line is no heading


def state(result: Result | None) -> State:
    """The state that one result gives; None: there is none."""
    if result is None:
        return State.UNJUDGED
    if result.outcome in rows.BAD and result.waiver is not None:
        return State.WAIVED
    return State.ATTESTED if rows.attested(result) else _OUTCOMES[result.outcome]


def of_run(verdicts: Verdicts) -> tuple[list[Chapter], list[Summary]]:
    """The conventions of a run under its results, and its dossiers."""
    known = {agreement.id: agreement for agreement in verdicts.agreements}
    named = {str(pack.get("id", "")): pack for pack in [*verdicts.packs, *(item.pack for item in verdicts.dossiers)]}
    by_pack: dict[str, list[tuple[str, DossierVerdict]]] = {name: [] for name in [*known, *named]}
    for number, verdict in enumerate(verdicts.dossiers, 1):
        by_pack[str(verdict.pack.get("id", ""))].append((f"d{number}", verdict))
    chapters, summaries = [], {}
    for number, (name, dossiers) in enumerate(by_pack.items(), 1):
        agreement = known.get(name) or _bare(named[name])
        cards = _judged(dossiers, _Anchors(number))
        results = [{result.rule: result for result in verdict.results} for _, verdict in dossiers]
        if cards or agreement.sentences:
            chapters.append(_chapter(number, agreement, cards, results))
        for (anchor, verdict), own in zip(dossiers, results, strict=True):
            summaries[anchor] = Summary(anchor, verdict, _dossier_states(agreement, own))
    return chapters, [summaries[f"d{number}"] for number in range(1, len(verdicts.dossiers) + 1)]


def of_rules(written: Iterable[tuple[Agreement, Sequence[Rule]]]) -> list[Chapter]:
    """Conventions and all their rules, nothing judged."""
    chapters = []
    for number, (agreement, rules) in enumerate(written, 1):
        anchors = _Anchors(number)
        cards = {
            rule.id: Card(
                anchors.of(rule.id), rule.id, rule.title, rule.clause, rule.source, rule.severity, rule.automation,
                rule.stage, rule.remedy, rule.note, examples=len(rule.examples),
            )
            for rule in rules
        }  # fmt: skip
        chapters.append(_chapter(number, agreement, cards, None))
    return chapters


class _Anchors:
    """The anchor of each rule: its id, so that a link to it can be written by hand, under its convention's number."""

    def __init__(self, number: int) -> None:
        self.prefix = f"{number}-" if number > 1 else ""
        self.taken = 0

    def of(self, rule: str) -> str:
        self.taken += 1
        return self.prefix + (rule if _RULE.fullmatch(rule) else f"r{self.taken}")


def _bare(pack: Mapping[str, str]) -> Agreement:
    """A convention of which only the name is known."""
    name, title, version, sha256 = (str(pack.get(key, "")) for key in ("id", "title", "version", "sha256"))
    return Agreement(name, title, version, sha256)


def _judged(dossiers: Iterable[tuple[str, DossierVerdict]], anchors: _Anchors) -> dict[str, Card]:
    """The rules of these dossiers, as they come, with every result."""
    found: dict[str, list[Judged]] = {}
    for anchor, verdict in dossiers:
        for result in verdict.results:
            found.setdefault(result.rule, []).append(Judged(anchor, verdict, state(result), result))
    cards = {}
    for rule, judged in found.items():
        judged.sort(key=lambda item: item.state)
        said = judged[0].result
        cards[rule] = Card(
            anchors.of(rule), rule, said.title, said.clause, said.source, said.severity, said.automation,
            said.stage, said.remedy, said.note, tuple(judged),
        )  # fmt: skip
    return cards


def _chapter(
    number: int, agreement: Agreement, cards: Mapping[str, Card], results: Sequence[Mapping[str, Result]] | None
) -> Chapter:
    home = _homes(agreement.sentences, cards)
    units: list[Unit] = []
    for place, sentence in enumerate(agreement.sentences):
        quoting = tuple(
            Quoting(cards[rule], quote, home[rule] == place)
            for rule, quote in zip(sentence.rules, sentence.quotes, strict=True)
            if rule in cards
        )
        states = tally(_sentence(sentence, own) for own in results or ())
        worst = min(states, default=_sentence(sentence, None))
        pieces = _pieces(sentence.text, sentence.quotes)
        mute = tuple(rule for rule in sentence.rules if results and rule not in cards)
        units.append(Unit(f"t{number}-{place + 1}", sentence, worst, states, pieces, quoting, mute))
    rest = [card for card in cards.values() if card.rule not in home]
    return Chapter(f"c{number}", agreement, _articles(number, units), _groups(number, rest), len(cards))


def _homes(sentences: Sequence[Sentence], cards: Mapping[str, Card]) -> dict[str, int]:
    """The sentence where each rule is said in full: that of its clause, else the first that it quotes."""
    found: dict[str, int] = {}
    main: set[str] = set()
    for place, sentence in enumerate(sentences):
        for rule, quote in zip(sentence.rules, sentence.quotes, strict=True):
            own = rule in cards and bool(quote) and quote == cards[rule].clause.quote
            if rule not in found or (own and rule not in main):
                found[rule] = place
            main |= {rule} if own else set()
    return found


def _sentence(sentence: Sentence, results: Mapping[str, Result] | None) -> State:
    """The state of a sentence in one dossier; None: nothing was judged."""
    if not sentence.rules:
        return _KINDS.get(sentence.kind, State.UNJUDGED)
    if results is None:
        return State.RULED
    return min(state(results.get(rule)) for rule in sentence.rules)


def _dossier_states(agreement: Agreement, results: Mapping[str, Result]) -> dict[State, int]:
    if not agreement.sentences:
        return tally(state(result) for result in results.values())
    return tally(_sentence(sentence, results) for sentence in agreement.sentences)


def _pieces(text: str, quotes: Iterable[str]) -> tuple[tuple[str, bool], ...]:
    """The text cut where a quoted part begins or ends; a quote longer than the sentence ("" here) is all of it."""
    held = [False] * len(text)
    for quote in quotes:
        start, end = _found(text, quote)
        held[start:end] = [True] * (end - start)
    cut = groupby(zip(text, held, strict=True), key=lambda pair: pair[1])
    return tuple(("".join(char for char, _ in pairs), quoted) for quoted, pairs in cut)


def _found(text: str, quote: str) -> tuple[int, int]:
    """Where a quote stands: as whole words if it can, nowhere when it was masked."""
    if not quote:
        return 0, len(text)
    whole = re.search(rf"(?<!\w){re.escape(quote)}(?!\w)", text)
    start = whole.start() if whole else text.find(quote)
    return (start, start + len(quote)) if start >= 0 else (0, 0)


def _articles(number: int, units: Iterable[Unit]) -> tuple[Article, ...]:
    found: list[tuple[str, list[Line]]] = []
    before = 0
    for place, pairs in groupby(units, key=lambda unit: unit.sentence.line):
        own = tuple(pairs)
        title = " ".join(unit.sentence.text for unit in own)
        heading = _heads(title, own, not found)
        line = Line(own, heading, place > before + 1, own[0].sentence.text.startswith("-"))
        before = place
        if heading or not found:
            found.append((title if heading else "", []))
        found[-1][1].append(line)
    return tuple(Article(f"a{number}-{place}", title, tuple(lines)) for place, (title, lines) in enumerate(found, 1))


def _heads(title: str, units: Iterable[Unit], first: bool) -> bool:
    """Whether a line is a heading: « ARTICLE 4. … », or the first of the text; no rule quotes it, nor is it long."""
    if len(title) > _TITLE or any(unit.sentence.rules for unit in units):
        return False
    return bool(_NUMBERED.match(title)) or (first and title[-1:].isalnum())


def _groups(number: int, cards: Sequence[Card]) -> tuple[Group, ...]:
    order = [*SOURCES, *sorted({card.source for card in cards} - set(SOURCES))]
    found: list[Group] = []
    for source in order:
        articles: dict[str, list[Card]] = {}
        for card in cards:
            if card.source == source:
                articles.setdefault(card.clause.article, []).append(card)
        if articles:
            pairs = tuple((own[0].clause, tuple(own)) for own in articles.values())
            found.append(Group(f"g{number}-{len(found) + 1}", source, pairs))
    return tuple(found)
