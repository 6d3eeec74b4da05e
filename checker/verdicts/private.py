"""The names of persons that a dossier, its pack and its settings hold: what `--redact` must mask."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from checker.base import names
from checker.base.dictionary import Dictionary
from checker.base.frames import Frames
from checker.model import Pack, Settings, Submitted

_LONGEST = 160  # signs kept of a name: what a report shows of a value is short
_SHORTEST = 4  # letters of a surname that is masked alone
_FREE = {"attestations": ("par",)}  # texts that name a person among other words: « Anne DURAND, Service des finances »


def of_batch(pack: Pack, settings: Settings, frames: Frames) -> list[tuple[str, ...]]:
    """For each dossier of the batch, names as written, then surnames that may be masked alone.

    A surname is left to its whole name when it is short, a word of the convention or of the dictionary, or one of an
    organisation of the dossier.
    """
    common = _common(pack, frames.dictionary)
    agreed = [*(person.name for person in pack.persons), *_parameters(pack)]
    for waiver in settings.waivers:
        agreed += [name for text in (waiver.requested_by, waiver.granted_by) for name in _within(text, common)]
    return [_of_dossier(item, agreed, common, frames.dictionary) for item in frames.submitted]


def _of_dossier(item: Submitted, agreed: Sequence[str], common: frozenset[str], known: Dictionary) -> tuple[str, ...]:
    free = [text for table, columns in _FREE.items() for text in _texts(item, table, columns)]
    found = [*agreed, *_typed(item, known, "person"), *(name for text in free for name in _within(text, common))]
    whole = [name for name in dict.fromkeys(text.strip()[:_LONGEST] for text in found) if names.words(name)]
    stays = common | _pieces(_typed(item, known, "organisation"))
    alone = [each for name in whole for each in names.surnames(name) if _stands_alone(each, stays)]
    several = [name for name in whole if len(names.words(name)) > 1 or name in alone]
    numbers = [text.strip()[:_LONGEST] for text in _typed(item, known, "iban") if any(map(str.isdigit, text))]
    return tuple(dict.fromkeys([*several, *alone, *numbers]))


def _stands_alone(surname: str, stays: frozenset[str]) -> bool:
    pieces = names.pieces(surname)
    long = sum(map(len, pieces)) >= _SHORTEST or any(ord(char) > 0x2E80 for char in surname)
    return long and any(piece not in stays for piece in pieces)


def _typed(item: Submitted, known: Dictionary, kind: str) -> Iterator[str]:
    """The facts of that type in every table, as read."""
    for table in known.tables.values():
        columns = [field.name for field in table.fields.values() if field.type == kind and field.derived is None]
        yield from _texts(item, table.name, columns)


def _texts(item: Submitted, table: str, columns: Sequence[str]) -> Iterator[str]:
    for row in item.rows.tables.get(table, ()) if columns else ():
        for column in columns:
            value = row.get(column)
            if value is not None and value.raw:
                yield value.raw


def _within(text: str, common: frozenset[str]) -> Iterator[str]:
    """The parts of a text that read as a name."""
    yield from (part.strip() for part in re.split(r"[,;()]", text) if names.person(part, common))


def _parameters(pack: Pack) -> Iterator[str]:
    for parameter in pack.parameters.values():
        if parameter.type == "person":
            for item in parameter.values:
                yield from map(str, item.value if isinstance(item.value, tuple) else filter(None, [item.value]))


def _pieces(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(piece for text in texts for piece in names.pieces(text))


def _common(pack: Pack, known: Dictionary) -> frozenset[str]:
    """The words of the matter: of the dictionary, of the tables of the pack, of the sentences of the convention."""
    own = {piece for person in pack.persons for piece in names.pieces(person.name)}
    columns = [text for table in known.tables.values() for field in table.fields.values()
               for text in (field.name, field.title)]  # fmt: skip
    cells = [str(cell) for table in pack.tables.values() for row in table for cell in row.values()]
    sentences = [pack.text, *(rule.title for rule in pack.rules)]
    small = [word for text in sentences for word in text.split() if word.islower()]
    return (_pieces(columns) | _pieces(cells) | _pieces(small)) - own
