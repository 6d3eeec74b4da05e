"""Two versions of a pack side by side, and which of their changes moved each result of a comparison."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from checker.base import values
from checker.model import DatedValue, Pack, Parameter, Rule
from checker.reports.compare import CHANGED, Comparison, Edit, Moved, Pair, edited

_NOT_SAID = ("id", "place", "key", "examples")  # of a rule: they judge no dossier
_NAMED = re.compile(r"\$([a-z_][a-z0-9_]*)|\{([a-z_][a-z0-9_]*)\}")


class Change(NamedTuple):
    """What is no longer the same of a pack. `reason`: rule_text, rule_added, rule_removed, parameter or pack."""

    pack: str
    reason: str
    name: str  # of the rule, the parameter, the table
    edits: tuple[Edit, ...]

    @property
    def change(self) -> str:
        if self.reason in ("rule_added", "rule_removed"):
            return self.reason.removeprefix("rule_")
        kinds = {edit.change for edit in self.edits}
        return kinds.pop() if len(kinds) == 1 else CHANGED


class Versions(NamedTuple):
    """A pack before and after (None: it is not there); both None is no version at all."""

    before: Pack | None
    after: Pack | None


class Explained(NamedTuple):
    """A comparison, the changes of the packs, and those that moved each result: (pair, rule) -> changes."""

    found: Comparison
    changes: tuple[Change, ...]
    why: Mapping[tuple[int, str], tuple[Change, ...]]

    def moved(self, change: Change) -> tuple[int, tuple[str, ...]]:
        """How many dossiers a change moves, and which rules."""
        held = [key for key, listed in self.why.items() if change in listed]
        return len({number for number, _ in held}), tuple(sorted({rule for _, rule in held}))


def explain(found: Comparison, packs: Mapping[str, Versions]) -> Explained:
    """The comparison of two runs that only their packs tell apart, each result with what moved it."""
    changes = {name: tuple(_changes(name, *packs[name])) for name in sorted(packs)}
    why: dict[tuple[int, str], tuple[Change, ...]] = {}
    pairs: list[Pair] = []
    for number, pair in enumerate(found.pairs):
        moved: list[Moved] = []
        for item in pair.moved:
            name = next((side.pack.id for side in (pair.after, pair.before) if side and side.pack.id in packs), "")
            said = tuple(_of(item.rule, packs[name], changes[name])) if name else ()
            why[number, item.rule] = said
            moved.append(item._replace(reasons=tuple(dict.fromkeys(change.reason for change in said)) or item.reasons))
        pairs.append(pair._replace(moved=tuple(moved)))
    listed = tuple(change for name in sorted(changes) for change in changes[name])
    return Explained(found._replace(pairs=tuple(pairs)), listed, why)


def _of(rule: str, versions: Versions, changes: Sequence[Change]) -> Iterator[Change]:
    """The changes that a rule reads: its own text, its parameters, the tables that it names; else all the others."""
    texts = [str(dict(item.body)) for pack in versions if pack for item in pack.rules if item.id == rule]
    named = {name for text in texts for pair in _NAMED.findall(text) for name in pair if name}
    tables = {change.name for change in changes if change.reason == "pack"}
    read = {name for name in tables if any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts)}
    read |= {"personnes"} if any("signed_by" in text for text in texts) else set()
    chosen = [
        change
        for change in changes
        if (change.reason.startswith("rule_") and change.name == rule)
        or (change.reason == "parameter" and change.name in named)
        or (change.reason == "pack" and change.name in read)
    ]
    yield from chosen or [change for change in changes if change.reason == "pack"]


def _changes(name: str, before: Pack | None, after: Pack | None) -> Iterator[Change]:
    old, new = ({rule.id: rule for rule in pack.rules} if pack else {} for pack in (before, after))
    for rule in dict.fromkeys([*new, *old]):
        told = edited(_said(old.get(rule)), _said(new.get(rule)))
        if rule in old and rule in new:
            if told:
                yield Change(name, "rule_text", rule, told)
        else:
            yield Change(name, "rule_added" if rule in new else "rule_removed", rule, ())
    first, second = (pack.parameters if pack else {} for pack in (before, after))
    for key in dict.fromkeys([*second, *first]):
        told = edited(_value(first.get(key)), _value(second.get(key)))
        if told:
            yield Change(name, "parameter", key, told)
    sides = [_tables(pack) if pack else {} for pack in (before, after)]
    for key in dict.fromkeys([*sides[1], *sides[0]]):
        told = edited(*(_lines(side.get(key, ())) for side in sides))
        if told:
            yield Change(name, "pack", key, told)


def _tables(pack: Pack) -> dict[str, Sequence[Any]]:
    """What a pack holds beside its rules and its parameters, by name."""
    extensions = [path.read_text("utf-8") for path in pack.extensions]
    return {"personnes": pack.persons, **pack.tables, "dossier.schema.json": extensions}


def _lines(listed: Sequence[Any]) -> dict[str, str]:
    """Each line by its own text: one that moves is no change."""
    texts = [", ".join(f"{key}: {text}" if key else text for key, text in _leaves(item)) for item in listed]
    return dict(zip(texts, texts, strict=True))


def _said(rule: Rule | None) -> dict[str, str]:
    """All that a rule says, as text, by the path of its keys."""
    if rule is None:
        return {}
    held = {field.name: getattr(rule, field.name) for field in fields(rule) if field.name not in _NOT_SAID}
    body = held.pop("body")
    return dict(_leaves({**held, **body}))


def _value(parameter: Parameter | None) -> dict[str, str]:
    """A parameter, its values as one text."""
    if parameter is None:
        return {}
    said = " ; ".join(map(_dated, parameter.values))
    return {"": said or "?", "type": parameter.type, "titre": parameter.title}


def _dated(item: DatedValue) -> str:
    each = item.value if isinstance(item.value, tuple) else (item.value,)
    spans = (("du", item.start), ("au", item.end), ("pas_avant", item.not_before), ("pas_apres", item.not_after))
    shown = ", ".join(values.show(value) or "?" for value in each) or "[]"
    return " ".join([shown, *(f"{word} {day.isoformat()}" for word, day in spans if day)])


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value, 1):
            yield from _leaves(item, f"{path}[{index}]")
    elif value is not None and value != "":
        yield path, value if isinstance(value, str) else values.show(value) or str(value)
