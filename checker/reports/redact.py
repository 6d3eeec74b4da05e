"""Verdicts without the names of persons, the IBAN and the e-mail addresses: every text of every object, new ones too.

Left as they are: what decides and what refers (outcomes, counts, dates, rules, references, digests, versions). Paths
are texts: a file named after a person is masked, and `report verify` then says that it cannot be told. A dossier that
could not be read has told nobody's name: of its faults the excerpts are masked whole.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar

from checker.base import names
from checker.base.words import Words, languages, words
from checker.model import DossierVerdict, FileDigest, Result, Verdicts
from checker.reports import iban, rows

# What a field of that name holds is a code, never a sentence.
_KEPT = frozenset(
    "rule reference sha256 id version decision stage severity source automation article dossier fail_on to private "
    "column redacted".split()
)
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"\u00ab\u00bb]{1,64}@(?:[^\W_](?:[\w-]{0,62}[^\W_])?\.)+[^\W\d_]{2,24}")
_NUMBER = re.compile(r"[a-z]{2}[\W_]*[0-9]{2}[0-9a-z\W_]*")
_CIVILITY = r"(?:m|mr|mrs|ms|mme|mlle|me|dr|monsieur|madame|mademoiselle|maitre|docteur)(?![^\W\d_])\.?[\W_]{1,2}"
_INITIALS = r"(?:[^\W\d_]\.[\W_]{0,2}){0,3}"
_TOKEN, _TOKEN_END = re.compile(r"[\w-]+"), re.compile(r"[\w-]*\Z")
_LONG = 120  # signs of a name: beyond, its first words are enough, and all that follows is masked
_BESIDE = "-_./\\@'\u2019"  # a name between these is part of a path or of an address, in small letters too

T = TypeVar("T")
Mask = Callable[[str], str]


def redact(verdicts: Verdicts, table: Words) -> Verdicts:
    """The same decisions, counts and places, masked; names come from `DossierVerdict.private`, which is then empty."""
    cleaner = _Cleaner(table)
    refers = {verdict.reference for verdict in verdicts.dossiers}
    refers |= {result.rule for verdict in verdicts.dossiers for result in verdict.results}
    dossiers = []
    for verdict in verdicts.dossiers:
        mask = cleaner.mask(verdict.private, refers)
        found = _walk(_unread(verdict, table), mask)
        dossiers.append(dataclasses.replace(found, files=_apart(found.files), private=()))
    named = [name for verdict in verdicts.dossiers for name in verdict.private]
    named += [person.name for agreement in verdicts.agreements for person in agreement.persons]
    run = _walk(dataclasses.replace(verdicts, dossiers=()), cleaner.mask(tuple(dict.fromkeys(named)), refers))
    return dataclasses.replace(run, dossiers=_named_apart(dossiers), redacted=True)


def masks() -> tuple[str, ...]:
    """What stands for a name or an address in a redacted report, in any language."""
    keys = ("redact.person", "redact.iban", "redact.email")
    return tuple(dict.fromkeys(words(lang)[key] for lang in languages() for key in keys))


def _walk(value: T, mask: Mask) -> T:
    """The same object where nothing is masked."""
    found: Any = value
    kind: Any = type(value)
    if kind is str:
        found = mask(found)
    elif value is None or isinstance(value, int | Enum):
        return value
    elif isinstance(value, tuple):
        fields = getattr(value, "_fields", None)
        items = [item if fields and fields[at] in _KEPT else _walk(item, mask) for at, item in enumerate(value)]
        if any(new is not old for new, old in zip(items, value, strict=True)):
            found = type(value)(*items) if fields else tuple(items)
    elif (texts := _fields(kind)) is not None:
        changed = {}
        for name in texts:
            old = getattr(value, name)
            new = _walk(old, mask)
            if new is not old:
                changed[name] = new
        found = dataclasses.replace(found, **changed) if changed else value
    elif isinstance(value, Mapping):
        pairs = {_walk(key, mask): item if key in _KEPT else _walk(item, mask) for key, item in value.items()}
        found = value if pairs == value else pairs
    elif isinstance(value, list | set | frozenset):
        found = type(value)(_walk(item, mask) for item in value)
    return found  # type: ignore[no-any-return]


@functools.cache
def _fields(kind: type) -> tuple[str, ...] | None:
    """The fields of a dataclass that may hold a text; None: it is none."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(field.name for field in dataclasses.fields(kind) if field.name not in _KEPT)


def _unread(verdict: DossierVerdict, table: Words) -> DossierVerdict:
    """The excerpts of a dossier that could not be read, masked: nobody knows what they hold."""
    results = tuple(_blind(item, table) if item.rule == rows.READABLE else item for item in verdict.results)
    return dataclasses.replace(verdict, results=results)


def _blind(result: Result, table: Words) -> Result:
    hidden = table["redact.excerpt"]
    found = tuple(
        dataclasses.replace(item, excerpts=tuple(hidden if text.strip() else text for text in item.excerpts))
        for item in result.findings
    )
    return dataclasses.replace(result, findings=found)


def _apart(files: tuple[FileDigest, ...]) -> tuple[FileDigest, ...]:
    """Two files that the mask gave one path keep two."""
    seen: set[tuple[str, ...]] = set()
    return tuple(item._replace(path=_numbered(item.path, "", seen)) for item in files)


def _named_apart(dossiers: Iterable[DossierVerdict]) -> tuple[DossierVerdict, ...]:
    seen: set[tuple[str, ...]] = set()
    return tuple(dataclasses.replace(item, path=_numbered(item.path, item.reference, seen)) for item in dossiers)


def _numbered(path: str, beside: str, seen: set[tuple[str, ...]]) -> str:
    """The path, or the first of « path (2) », « path (3) » … that is not taken."""
    tries = itertools.chain([path], (f"{path} ({number})" for number in itertools.count(2)))
    found = next(name for name in tries if (beside, name) not in seen)
    seen.add((beside, found))
    return found


class _Cleaner:
    """What is the same for every dossier: a text without addresses, its words; each text is looked at once."""

    def __init__(self, table: Words) -> None:
        self.person, self.iban, self.email = (table[f"redact.{key}"] for key in ("person", "iban", "email"))
        self.masks = frozenset(masks())
        self.known: dict[str, tuple[str, frozenset[str]]] = {}

    def mask(self, private: tuple[str, ...], refers: Iterable[str]) -> Mask:
        """The masking of one dossier; its names are compiled when a text may hold one."""
        people = _People(private, frozenset(refers), self)
        done: dict[str, str] = {}

        def masked(text: str) -> str:
            if text not in done:
                bare, held = self.bare(text)
                found = people.masked(bare) if not people.heads.isdisjoint(held) or people.long else bare
                done[text] = found if found == bare else self.bare(found)[0]
            return done[text]

        return masked

    def bare(self, text: str) -> tuple[str, frozenset[str]]:
        """The text without e-mail addresses and IBAN, and its words."""
        if text not in self.known:
            bare, before = text, ""
            while bare != before:
                before = bare
                bare = self._once(bare)
            self.known[text] = bare, frozenset(re.findall(r"[^\W\d_]+", names.plain(bare)[0]))
        return self.known[text]

    def _once(self, text: str) -> str:
        plain, places = names.plain(text)
        spans = [(found.start(), found.end(), self.email) for found in _EMAIL.finditer(plain) if "@" in plain]
        spans += [(start, end, self.iban) for start, end in iban.found(plain)]
        return _cut(text, spans, places)


class _People:
    """The names of one dossier as one expression, over plain letters."""

    def __init__(self, private: tuple[str, ...], refers: frozenset[str], said: _Cleaner) -> None:
        self.refers, self.said = refers, said
        self.numbers = [name for name in private if _NUMBER.fullmatch(names.plain(name)[0])]
        self.names = [name for name in private if name not in self.numbers and names.pieces(name)]
        self.long = [name for name in self.names if len(name) > _LONG]
        self.heads = frozenset(head for name in private for head in _heads(name))
        self.compiled: re.Pattern[str] | None = None

    def masked(self, text: str) -> str:
        plain, places = names.plain(text)
        self.compiled = self.compiled or self._compile()
        spans = []
        for found in self.compiled.finditer(plain):
            start, end = found.span("after") if found["after"] else found.span()
            if self._holds(found, *_place(start, end, places, text), text):
                spans.append((start, end, self.said.iban if found["number"] else self.said.person))
        return _cut(text, spans, places)

    def _holds(self, found: re.Match[str], start: int, end: int, text: str) -> bool:
        before, after = _TOKEN_END.search(text[max(0, start - 80) : start]), _TOKEN.match(text, start)
        if f"{before[0] if before else ''}{after[0] if after else ''}" in self.refers:
            return False
        if start and text[start - 1 : end + 1] in self.said.masks:
            return False
        if not found["alone"]:
            return True
        first, around = text[start], (text[start - 1 : start], text[end : end + 1])
        return not first.islower() or (start, end) == (0, len(text)) or any(side and side in _BESIDE for side in around)

    def _compile(self) -> re.Pattern[str]:
        surnames = {each for name in self.names if len(names.words(name)) > 1 for each in names.surnames(name)}
        whole = {form for name in self.names if name not in surnames for form in _forms(name)}
        single = [name for name in self.names if len(names.words(name)) == 1 or name in surnames]
        alone = {_loose(name) for name in single if len(name) <= _LONG}
        numbers = {r"[\W_]{0,3}".join(re.escape(char) for word in names.pieces(name) for char in word)
                   for name in self.numbers}  # fmt: skip
        after = {_loose(name) for name in surnames if name}
        options = [_any(whole), f"(?P<number>{_any(numbers)})"]
        options.insert(0, rf"{_CIVILITY}(?P<after>{_INITIALS}{_any(after)})")
        options.append(rf"(?P<alone>{_INITIALS}{_any(alone)})")
        starts = [rf"{_loose(name[: _LONG // 2])}[\s\S]*" for name in self.long]
        return re.compile(rf"(?<![^\W\d_])(?:{'|'.join([*starts, *options])})(?![^\W\d_])")


def _any(forms: Iterable[str]) -> str:
    """Any of these, the longest first; nothing of nothing."""
    return f"(?:{'|'.join(sorted(forms, key=lambda form: (-len(form), form))) or '(?!)'})"


def _loose(text: str) -> str:
    """The pieces of a name, a blank, a dash, a comma or a stop between them."""
    return r"[ ,.'\u2019_-]{0,3}".join(map(re.escape, names.pieces(text)))


def _forms(name: str) -> list[str]:
    """A whole name in its orders, and its surname after an initial."""
    found = names.words(name)
    if not 1 < len(found) <= names.MOST or len(name) > _LONG:
        return [] if len(found) < 2 or len(name) > _LONG else [_loose(name)]
    turned = [found[at:] + found[:at] for at in range(len(found))]
    short = []
    for surname in names.surnames(name):
        first = next((names.pieces(word)[0][0] for word in found if word not in surname.split()), "")
        short += [rf"{re.escape(first)}\.[\W_]{{0,2}}{_INITIALS}{_loose(surname)}"] if first else []
    canonical = " ".join(sorted(names.pieces(name)))  # as a value is understood, and shown
    return [*(_loose(" ".join(order)) for order in turned), _loose(canonical), *short]


def _heads(name: str) -> list[str]:
    """The runs of letters of which a text that holds the name has one at least."""
    found = names.words(name)
    joined = ["".join(names.pieces(" ".join(found[at:] + found[:at]))) for at in range(min(len(found), names.MOST))]
    return re.findall(r"[^\W\d_]+", " ".join([*names.pieces(name), *joined]))


def _place(start: int, end: int, places: list[int] | None, text: str) -> tuple[int, int]:
    """Where a span of plain letters stands in the text, with the invisible signs that follow its letters."""
    if places is None:
        return start, end
    return places[start], max(places[end] if end < len(places) else len(text), places[end - 1] + 1)


def _cut(text: str, spans: Iterable[tuple[int, int, str]], places: list[int] | None) -> str:
    parts, at = [], 0
    for start, end, word in sorted(spans):
        first, last = _place(start, end, places, text)
        if first >= at:
            parts += [text[at:first], word]
            at = last
    return "".join([*parts, text[at:]]) if at else text
