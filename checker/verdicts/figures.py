"""What a report draws of a dossier, as `report` of its pack asks; it shows facts and decides nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from checker.base.dictionary import ROOT
from checker.base.frames import HIDDEN, KEYS, Frames
from checker.model import Act, Amount, Attestation, Ceiling, Figures, Pack, Result, Scalar, State

_ATTESTATIONS = "attestations"


def figures(index: int, pack: Pack, frames: Frames, results: Sequence[Result]) -> Figures:
    """The figures of one dossier of the batch."""
    asked = pack.report
    found = {item.rule: item for item in results}
    title, amounts = _amounts(index, frames, asked["amounts"]) if "amounts" in asked else ("", ())
    timeline: Mapping[str, Any] = asked.get("timeline", {})
    return Figures(
        ceiling=_ceiling(index, frames, asked["ceiling"], found) if "ceiling" in asked else None,
        amounts_title=title,
        amounts=amounts,
        acts=tuple(act for column in timeline.get("dates", ()) for act in _acts(index, frames, column)),
        order=tuple((rule, found[rule].outcome) for rule in timeline.get("rules", ()) if rule in found),
        attestations=_attestations(index, frames) if _ATTESTATIONS in frames.tables else (),
        lines=_lines(index, frames, asked["amounts"], results) if "amounts" in asked else {},
    )


def _ceiling(index: int, frames: Frames, asked: Mapping[str, str], found: Mapping[str, Result]) -> Ceiling | None:
    """The amounts that the rule of the ceiling computed: nothing is computed here again."""
    result = found.get(asked["rule"])
    if result is None:
        return None
    said = result.findings[0] if result.findings else None
    trace = dict(said.trace) if said is not None else {}
    table, field = frames.dictionary.column(asked["amount"]) or (ROOT, None)
    rows = frames.rows(table, index)
    own = frames.tables[table].values[asked["amount"]][rows[0]] if field is not None and rows else None
    return Ceiling(
        asked["rule"],
        result.outcome,
        _money(said.expected if said is not None else None),
        _money(trace.get(asked["cumulated"])),
        own if isinstance(own, Decimal) else None,
    )


def _money(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text is not None else None
    except ArithmeticError:
        return None


def _amounts(index: int, frames: Frames, asked: Mapping[str, str]) -> tuple[str, tuple[Amount, ...]]:
    """The sum of a column by another, in the order of the keys; a row of unknown key or amount is not left out."""
    name = asked["table"]
    frame, table = frames.tables[name], frames.dictionary.tables[name]
    keys, terms = frame.values[asked["by"]], frame.values[asked["value"]]
    sums: dict[str, Decimal | None] = {}
    for row in frames.rows(name, index):
        key = "" if keys[row] is None else _raw(frames, name, asked["by"], row) or str(keys[row])
        term, before = terms[row], sums.get(key, Decimal(0))
        sums[key] = before + term if isinstance(term, Decimal) and before is not None else None
    return table.fields[asked["by"]].title, tuple(Amount(key, sums[key]) for key in sorted(sums))


def _lines(
    index: int, frames: Frames, asked: Mapping[str, str], results: Sequence[Result]
) -> dict[str, Decimal | None]:
    """What each row that a finding names asks; a name that two rows bear has no amount of its own."""
    name = asked["table"]
    key = KEYS.get(name)
    if key is None:
        return {}
    named = {item.subject for result in results for item in result.findings if item.subject.startswith(f"{name}:")}
    found: dict[str, Decimal | None] = {}
    for row in frames.rows(name, index) if named else ():
        subject, term = f"{name}:{_raw(frames, name, key, row)}", frames.tables[name].values[asked["value"]][row]
        if subject in named:
            found[subject] = term if isinstance(term, Decimal) and subject not in found else None
    return found


def _acts(index: int, frames: Frames, path: str) -> list[Act]:
    """The dates of one path: one of the dossier itself, or one a row of its table."""
    found = frames.dictionary.column(path)
    if found is None:
        return []
    name, field = found
    return [_act(frames, name, field.name, row, path, field.title) for row in frames.rows(name, index)]


def _act(frames: Frames, name: str, column: str, row: int, path: str, title: str) -> Act:
    value = frames.tables[name].values[column][row]
    day = value if isinstance(value, dt.date) else None
    fact = frames.fact(name, column, row)
    raw = (fact.raw or "").strip() if fact is not None else ""
    state = State(frames.tables[name].states[column][row]) if column in frames.tables[name].states else State.KNOWN
    return Act(path, title, day, state, "" if day else raw, fact.place if fact is not None else None)


def _raw(frames: Frames, table: str, column: str, row: int) -> str:
    fact = frames.fact(table, column, row)
    return (fact.raw or "").strip() if fact is not None else ""


def _attestations(index: int, frames: Frames) -> tuple[Attestation, ...]:
    if frames.list_state(_ATTESTATIONS, index) in HIDDEN:
        return ()
    frame = frames.tables[_ATTESTATIONS]

    def text(column: str, row: int) -> str:
        return _raw(frames, _ATTESTATIONS, column, row)

    def day(value: Scalar | None) -> dt.date | None:
        return value if isinstance(value, dt.date) else None

    return tuple(
        Attestation(
            rule=text("regle", row),
            finding=text("constat", row),
            by=text("par", row),
            day=day(frame.values["date"][row]),
            reason=text("motif", row),
            place=fact.place if (fact := frames.fact(_ATTESTATIONS, "regle", row)) is not None else None,
        )
        for row in frames.rows(_ATTESTATIONS, index)
    )
