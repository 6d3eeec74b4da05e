"""Verdicts -> letters: what is asked of each third party, and the note that suspends a payment, with its reasons.

One source for every format that shows them. A letter asks what a third party must send or mend: never what is waived or
for information, what waits for a setting or for the judgement of a person of the organisation, what names nobody, nor
what the rules say to the organisation itself. Texts are one line each, inert and cut.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from checker.base.words import Words, counted, long_date
from checker.model import Addressee, DossierVerdict, Finding, Letterhead, Outcome, Result, Verdicts
from checker.reports import rows
from checker.reports.inert import phrase
from checker.reports.rows import Weight

OUTSIDE = ("cedant", "cessionnaire", "comptable", "fournisseur")  # who gets letters, in this order
CREDITOR, PAYER = "cedant", "cessionnaire"
POINTS = 100  # findings of one rule that a letter writes out
NAMED = 200  # dossiers that the page that asks nothing names
_TEXT, _NAME = 1200, 160
_PAYMENT = "mise_en_paiement"
_SUBJECTS = {"depenses": "line", "pieces": "piece", "paiements": "warrant"}


@dataclass(frozen=True, slots=True)
class Ground:
    """A clause as cited ("" when the head of the item cites it), and what was found against it."""

    clause: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A numbered demand; `tail`: what to supply, when the head is the reason."""

    number: int
    head: str
    grounds: tuple[Ground, ...]
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A sentence and the items that it leads to; their numbers run on through the letter."""

    lead: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, from its first line to its last. `labels`: « Objet », its text. Without addressee: a note to file."""

    title: str
    running: str  # what the pages after the first repeat
    sender: tuple[str, ...]
    addressee: tuple[str, ...]
    place: str
    labels: tuple[tuple[str, str], ...]
    opening: tuple[str, ...]
    sections: tuple[Section, ...] = ()
    closing: tuple[str, ...] = ()
    signature: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letters:
    """A document of letters, never empty. `day`: the latest control, the date of the file."""

    title: str
    day: dt.date | None
    letters: tuple[Letter, ...]


class Asked(NamedTuple):
    """A result that asks something of somebody outside, with the findings that do."""

    weight: Weight
    actor: str
    todo: str
    result: Result
    findings: tuple[Finding, ...]


def asked(verdict: DossierVerdict) -> list[Asked]:
    """What a dossier asks of third parties: breaches first, then what cannot be told, then reserves."""
    found = []
    for result in rows.own(verdict):
        weight, remedy = rows.weigh(result), result.remedy
        if weight > Weight.RESERVE or remedy is None or remedy.to not in OUTSIDE:
            continue
        findings = tuple(item for item in rows.shown(result) if not _awaits(result, item))
        if findings:
            found.append(Asked(weight, remedy.to, phrase(remedy.text, _TEXT), result, findings))
    return sorted(found, key=lambda item: item.weight)


def _awaits(result: Result, finding: Finding) -> bool:
    """Whether the organisation itself must first declare a setting, or have a person judge."""
    unknown = finding.outcome is Outcome.INDETERMINE
    return unknown and (result.automation == "humaine" or any(name.startswith("$") for name in finding.missing))


def requests(verdicts: Verdicts, words: Words) -> Letters:
    """A letter for each third party who must act, dossier by dossier; else a page that says that nothing is asked."""
    found = []
    for verdict in verdicts.dossiers:
        wanted = asked(verdict)
        for actor in OUTSIDE:
            own = [item for item in wanted if item.actor == actor]
            if own:
                found.append(_Writer(verdicts, verdict, words).request(actor, own))
    nothing = () if found else (_nothing(verdicts, "nothing", "none_asked", words),)
    return Letters(words["letter.title"], _day(verdicts), (*found, *nothing))


def suspensions(verdicts: Verdicts, words: Words) -> Letters:
    """A note for each dossier that something blocks; else a page that says that there is no ground."""
    found = []
    for verdict in verdicts.dossiers:
        reasons = [item for item in asked(verdict) if item.weight.blocks]
        if reasons:
            found.append(_Writer(verdicts, verdict, words).suspension(reasons))
    nothing = () if found else (_nothing(verdicts, "no_suspension", "none_suspended", words),)
    return Letters(words["letter.suspension"], _day(verdicts), (*found, *nothing))


def lines(letter: Letter, words: Words) -> Iterator[str]:
    """The text of a letter in the order of the page, one paragraph a line."""
    yield from (*letter.sender, *letter.addressee, letter.place, letter.title)
    yield from (words["text.pair"].format(label=label, text=text) for label, text in letter.labels)
    yield from letter.opening
    for section in letter.sections:
        yield section.lead
        for item in section.items:
            yield f"{item.number}. {item.head}"
            for ground in item.grounds:
                yield from (part for part in (ground.clause, *ground.points) if part)
            yield from (item.tail,) if item.tail else ()
    yield from (*letter.closing, *letter.signature, *letter.copies)


def data(found: Letters, words: Words) -> dict[str, Any]:
    """The letters as the template `letter.typ` takes them."""
    letters = [asdict(letter) for letter in found.letters]
    for letter in letters:
        letter["labels"] = [[words["text.pair"].format(label=label, text=""), text] for label, text in letter["labels"]]
    return {"letters": letters, "page": words["letter.page"]}


def _day(verdicts: Verdicts) -> dt.date | None:
    return max((verdict.control_date for verdict in verdicts.dossiers if verdict.control_date), default=None)


class _Writer:
    """The letters of one dossier: who writes, of what, when."""

    def __init__(self, verdicts: Verdicts, verdict: DossierVerdict, words: Words) -> None:
        self.verdict, self.words = verdict, words
        self.head = verdicts.letterhead or Letterhead()
        given = [each for each in verdicts.agreements if each.id == verdict.pack.get("id")]
        same = [each for each in given if each.sha256 == verdict.pack.get("sha256")]
        self.known = {**((same or given)[0].addressees or {} if given else {}), **self.head.addressees}
        self.reference = phrase(verdict.reference, _NAME)
        day = verdict.control_date
        self.day = long_date(day, words) if day else words["letter.blank_day"]
        self.deadline = words["letter.deadline_blank"]
        if day and self.head.days:
            limit = long_date(day + dt.timedelta(days=self.head.days), words)
            self.deadline = words["letter.deadline"].format(day=limit)

    def said(self, key: str, **slots: object) -> str:
        """A sentence of the letter about this dossier."""
        return self.words[f"letter.{key}"].format(
            **{"reference": self.reference, "day": self.day, "deadline": self.deadline, **slots}
        )

    def request(self, actor: str, wanted: Sequence[Asked]) -> Letter:
        """The letter to one third party: what blocks, then the reserves."""
        blocking = [item for item in wanted if item.weight.blocks]
        first = _items(blocking, 1, self.words)
        second = _items([item for item in wanted if not item.weight.blocks], len(first) + 1, self.words)
        leads = ((first, "asked"), (second, "reserves" if first else "reserves_alone"))
        letter = self.blank("title", "object_asked" if first else "object_reserves")
        waits = (self.waits(len(first)),) if first else ()
        return replace(
            letter,
            addressee=_addressed(self.known.get(actor), self.words),
            opening=(self.said("salutation"), self.said("opening")),
            sections=tuple(Section(self.said(lead), items) for items, lead in leads if items),
            closing=(*waits, *letter.closing),
        )

    def waits(self, count: int) -> str:
        """What is suspended until the blocking items are there; at the stage of payment the law of the accountant."""
        key = "waits_payment" if self.verdict.stage == _PAYMENT else "waits"
        if count == 1:
            return self.said(f"{key}_one", points=1)
        return self.said(key, points=self.said("points_two" if count == 2 else "points_more", first=1, last=count))

    def suspension(self, reasons: Sequence[Asked]) -> Letter:
        """The note to the creditor, copy to the authorising officer of who pays: every reason at once."""
        sections: list[Section] = []
        number = 1
        for actor in OUTSIDE:
            own = [item for item in reasons if item.actor == actor]
            items = tuple(self.reason(number + index, item) for index, item in enumerate(own))
            number += len(items)
            if items:
                who = self.known.get(actor)
                name = self.said("reasons_named", name=phrase(who.name, _NAME)) if who and who.name.strip() else ""
                sections.append(Section(self.said("reasons", actor=self.words[f"actor.{actor}"], name=name), items))
        letter = self.blank("suspension", "object_suspension")
        payer = self.known.get(PAYER)
        copied = phrase(payer.name, _NAME) if payer and payer.name.strip() else self.said("blank_name")
        return replace(
            letter,
            addressee=_addressed(self.known.get(CREDITOR), self.words),
            opening=(self.said("salutation"), self.said("opening_suspension"), self.said("law")),
            sections=tuple(sections),
            closing=(self.said("waits_all"), *letter.closing),
            copies=(self.words["text.pair"].format(label=self.said("copy"), text=copied),),
        )

    def reason(self, number: int, item: Asked) -> Item:
        """A reason: the clause, what was found against it, what to supply."""
        ground = Ground("", _points(item, self.words))
        return Item(number, _clause(item.result, self.words), (ground,), self.said("supply", text=item.todo))

    def blank(self, title: str, about: str) -> Letter:
        """What every letter has: its head, its reference, its end."""
        head = self.head
        sender = (
            *(_lines(head.sender) or (self.said("blank_sender"),)),
            *(_lines(head.address) or (self.said("blank_address"),)),
            *_lines(head.email),
        )
        city = phrase(head.city, _NAME) or self.said("blank_city")
        labels = (
            (self.said("object"), self.said(about)),
            (self.said("dossier"), self.reference),
            (self.said("convention"), phrase(self.verdict.pack.get("title", ""), _TEXT)),
        )
        return Letter(
            title=self.said(title),
            running=self.words["list.comma"].join((self.said(title), self.reference)),
            sender=sender,
            addressee=(),
            place=self.words["letter.place"].format(city=city, day=self.day),
            labels=tuple(pair for pair in labels if pair[1]),
            opening=(),
            closing=(
                *((self.said("contact", email=phrase(head.email, _NAME)),) if head.email.strip() else ()),
                self.said("closing"),
            ),
            signature=(
                phrase(head.signatory, _NAME) or self.said("blank_signatory"),
                phrase(head.quality, _NAME) or self.said("blank_quality"),
            ),
        )


def _addressed(who: Addressee | None, words: Words) -> tuple[str, ...]:
    name = _lines(who.name) if who else ()
    address = _lines(who.address) if who else ()
    return (*(name or (words["letter.blank_name"],)), *(address or (words["letter.blank_to"],)))


def _lines(text: str) -> tuple[str, ...]:
    """The lines of an address, a few of them."""
    return tuple(line for line in (phrase(each, _NAME) for each in text.splitlines()[:8]) if line)


def _items(wanted: Iterable[Asked], start: int, words: Words) -> tuple[Item, ...]:
    """The demands in order; the same one once, with every clause and line that it mends."""
    found: dict[str, list[Asked]] = {}
    for item in wanted:
        found.setdefault(item.todo, []).append(item)
    return tuple(
        Item(number, todo, tuple(Ground(_clause(item.result, words), _points(item, words)) for item in group))
        for number, (todo, group) in enumerate(found.items(), start)
    )


def _clause(result: Result, words: Words) -> str:
    """« Convention, article 4 : « une participation maximum de 200 000€ » (règle A4-PLAFOND) »."""
    article = phrase(result.clause.article, _NAME)
    key = "article" if article[:1].isdigit() else "part" if result.source == "convention" else "text"
    said = words[f"letter.{key}"].format(article=article, quote=phrase(result.clause.quote, _TEXT))
    return words["letter.rule"].format(clause=said, rule=phrase(result.rule, _NAME))


def _points(item: Asked, words: Words) -> tuple[str, ...]:
    """What was found, once each, with the line or the piece when the sentence does not name it."""
    found = list(dict.fromkeys(_point(finding, words) for finding in item.findings[:POINTS]))
    left = len(item.findings) - POINTS
    return (*found, counted(words, "letter.more", left)) if left > 0 else tuple(found)


def _point(finding: Finding, words: Words) -> str:
    message = finding.message.replace("`", "")
    if not message.strip() or any(name in message for name in finding.missing):
        message = words["letter.unverified"]  # the names of facts are for who writes rules
    text = phrase(message, _TEXT)
    table, _, name = finding.subject.partition(":")
    key = _SUBJECTS.get(table)
    if key is None or not name:
        return text
    name = phrase(name, _NAME)
    subject = words[f"letter.{key}"].format(name=name)
    looked = name if key == "piece" else subject
    named = re.search(rf"{re.escape(looked)}(?!\w)", text, re.IGNORECASE)
    return text if named else words["letter.about"].format(subject=_capital(subject), text=text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _nothing(verdicts: Verdicts, title: str, sentence: str, words: Words) -> Letter:
    """The page of a run that asks nothing of anybody: it says so, the decisions, and what is left to settle inside."""
    dossiers = verdicts.dossiers
    said = [words[f"letter.{sentence}"]]
    if not dossiers:
        said.append(words["letter.none_dossier"])
    for verdict in dossiers[:NAMED]:
        writer = _Writer(verdicts, verdict, words)
        said.append(writer.said("none_of", decision=words[f"decision.{verdict.decision}"]))
        left = sum(rows.weigh(result) <= Weight.RESERVE for result in rows.own(verdict))
        left -= len(asked(verdict))
        left += rows.orphan(verdict, words) is not None
        if left > 0:
            said.append(counted(words, "letter.none_internal", left))
    if len(dossiers) > NAMED:
        said.append(counted(words, "letter.none_more", len(dossiers) - NAMED))
    name = words["letter.title" if title == "nothing" else "letter.suspension"]
    return Letter(words[f"letter.{title}"], name, (), (), "", (), tuple(said))
