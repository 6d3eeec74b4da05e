"""From a row at fault to what a person needs: the sentence, the values, the facts that are missing, the places."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from checker.base import french, tree, values
from checker.base.dictionary import ROOT
from checker.base.frames import HIDDEN, KEYS, Frames
from checker.base.tree import Aggregate, Call, Column, Literal, Part, Ref
from checker.base.words import Words, fill, words
from checker.model import Finding, Outcome, Place, Scalar, State


def subject_name(table: str, row: int, frames: Frames) -> str:
    """« depenses:2 », « pieces:titre.pdf »; a block of the dossier is « dossier »."""
    if table == ROOT:
        return ROOT
    frame = frames.tables[table]
    key = KEYS.get(table) or ("cle" if "cle" in frame.values else "")
    fact = frames.fact(table, key, row) if key and key in frame.values else None
    if fact is not None and fact.raw:
        return f"{table}:{fact.raw}"
    return f"{table}:{row - frames.rows(table, frame.dossiers[row]).start + 1}"


def finding(
    rule: str,
    table: str,
    row: int,
    outcome: Outcome,
    cells: Sequence[tuple[Outcome, Part, tuple[Any, ...]]],
    frames: Frames,
    said: Words,
) -> Finding:
    """The finding of one row, from the parts that gave it its outcome."""
    dossier = frames.tables[table].dossiers[row]
    sentences: dict[str, None] = {}
    missing: dict[str, None] = {}
    places: dict[Place, str] = {}
    reasons: dict[str, None] = {}
    trace: dict[str, str] = {}
    for _, part, found in cells:
        hidden = _missing(part, table, row, dossier, frames) if outcome == Outcome.INDETERMINE else []
        for name, reason in hidden:
            missing[name] = None
            if reason:
                reasons[f"{name} : {reason}"] = None
        for name in part.waits_for if outcome == Outcome.INDETERMINE else ():
            missing[f"${name}"] = None
        if outcome == Outcome.INDETERMINE and not missing:  # what other rows or dossiers leave open
            missing.update(_open(part, found[3:]))
        sentence = _sentence(part, outcome, found, table, row, tuple(missing), frames, said)
        if sentence:
            sentences[sentence] = None
        for place, raw in _places(part, table, row, dossier, frames):
            places.setdefault(place, raw)
        for (name, _), value in zip(part.shows, found[3:], strict=True):
            if value is not None:
                trace.setdefault(name, values.show(value) or "")
    first = cells[0][2]
    about = tuple(dict.fromkeys(column for _, part, _ in cells for column in part.about))
    return Finding(
        rule=rule,
        subject=_subject(table, row, about, frames),
        outcome=outcome,
        message=" ".join(sentences),
        observed=values.show(first[0]),
        expected=values.show(first[1]),
        reason=" ; ".join(reasons),
        missing=tuple(missing),
        locations=tuple(places),
        excerpts=tuple(places.values()),
        trace=tuple(trace.items()),
    )


def _open(part: Part, shown: Sequence[Any]) -> dict[str, None]:
    """The named values that are not known, a scalar apart: it only repeats what it is made of."""
    lets = {let.name for let in part.lets if not isinstance(let, tree.Scalar)}
    pairs = zip(part.shows, shown, strict=True)
    return {
        name: None for (name, node), value in pairs if value is None and isinstance(node, Ref) and node.name in lets
    }


def _subject(table: str, row: int, about: tuple[tuple[str, str], ...], frames: Frames) -> str:
    """A row's name; of the dossier, the block that holds the first fact judged."""
    if table != ROOT:
        return subject_name(table, row, frames)
    heads = [name.split(".")[0] for owner, name in about if owner == ROOT]
    return heads[0] if heads else ROOT


def empty(rule: str, table: str, dossier: int, outcome: Outcome, frames: Frames, said: Words) -> Finding:
    """The finding of a table without rows."""
    title = frames.dictionary.tables[table].title
    place = frames.submitted[dossier].rows.places.get(table)
    text = said["finding.no_row"].format(title=title)
    reason = place.place or "" if place is not None else ""
    return Finding(rule, table, outcome, text, reason=reason, missing=(table,), locations=(place,) if place else ())


def crashed(rule: str, reason: str, said: Words) -> Finding:
    """The finding of a rule that the engine could not run."""
    return Finding(rule, ROOT, Outcome.INDETERMINE, said["finding.crashed"], reason=reason.splitlines()[0][:300])


def _full(table: str, name: str) -> str:
    return name if table == ROOT else f"{table}.{name}"


def _near(part_table: str, table: str, row: int, dossier: int, frames: Frames) -> list[int]:
    """The rows of `part_table` that go with this row of the subject."""
    here, index = table, row
    while True:
        if here == part_table:
            return [index]
        parent = frames.dictionary.tables[here].parent
        if parent is None:
            break
        index = frames.tables[here].parents[index]
        here = parent
    return list(frames.rows(part_table, dossier))


def _missing(part: Part, table: str, row: int, dossier: int, frames: Frames) -> list[tuple[str, str]]:
    """The facts read that are not known, with the reason why an unreadable one is."""
    found: list[tuple[str, str]] = []
    guards: list[tuple[Column, Any]] | None = None
    for owner, name in part.reads:
        frame = frames.tables[owner]
        for index in _near(owner, table, row, dossier, frames)[:200]:
            if owner not in (ROOT, table):
                if guards is None:
                    guards = [guard for let in part.lets if isinstance(let, Aggregate) for guard in _guards(let.where)]
                if _excluded(owner, index, guards, frames):
                    continue
            state = State(frame.states[name][index])
            unknown = state in HIDDEN and frames.dictionary.tables[owner].fields[name].type != "block"
            if unknown:
                full = _full(owner, name)
                where = full if owner in (ROOT, table) else f"{full} ({subject_name(owner, index, frames)})"
                found.append((where, frames.faults.get((owner, name, index), "")))
    lists = dict.fromkeys(let.table for let in part.lets if isinstance(let, Aggregate) and let.across == "dossier")
    found += [(name, "") for name in lists if name != ROOT and frames.list_state(name, dossier) in HIDDEN]
    return found


def _guards(node: tree.Expr | None) -> list[tuple[Column, Any]]:
    """The equalities with a constant that a row must meet to be read by an aggregate."""
    if not isinstance(node, Call):
        return []
    if node.op == "and":
        return [guard for arg in node.args for guard in _guards(arg)]
    if node.op == "eq" and isinstance(node.args[0], Column) and isinstance(node.args[1], Literal):
        return [(node.args[0], node.args[1].value)]
    return []


def _excluded(owner: str, index: int, guards: Sequence[tuple[Column, Any]], frames: Frames) -> bool:
    """Whether a row is certainly none of those that an aggregate reads, by itself or by its parent."""
    parent = frames.dictionary.tables[owner].parent
    for column, wanted in guards:
        at = index if column.table == owner else frames.tables[owner].parents[index] if column.table == parent else None
        value = frames.tables[column.table].values[column.name][at] if at is not None else None
        if value is not None and value != wanted:
            return True
    return False


def _places(part: Part, table: str, row: int, dossier: int, frames: Frames) -> list[tuple[Place, str]]:
    found: list[tuple[Place, str]] = []
    for owner, name in part.about:
        if name not in frames.tables[owner].values:
            continue
        for index in _near(owner, table, row, dossier, frames)[:3]:
            fact = frames.fact(owner, name, index)
            if fact is not None:
                found.append((fact.place, "" if fact.raw is None else fact.raw[:200]))
    if not found:
        found = _row_place(table, row, dossier, part, frames)
    return found


def _row_place(table: str, row: int, dossier: int, part: Part, frames: Frames) -> list[tuple[Place, str]]:
    """Where nothing was read: the row, the block above the fact, else the manifest."""
    for owner, name in part.about:
        while "." in name:
            name = name.rpartition(".")[0]
            if name in frames.tables[owner].values:
                for index in _near(owner, table, row, dossier, frames)[:1]:
                    fact = frames.fact(owner, name, index)
                    if fact is not None:
                        return [(fact.place, "")]
    if table != ROOT:
        frame = frames.tables[table]
        local = row - frames.rows(table, frame.dossiers[row]).start
        cells = frames.submitted[dossier].rows.tables[table][local]
        first = next(iter(cells.values()), None)
        if first is not None:
            return [(first.place, "")]
    return [(Place(frames.submitted[dossier].dossier.manifest, 1, 1), "")]


def _sentence(
    part: Part,
    outcome: Outcome,
    found: tuple[Any, ...],
    table: str,
    row: int,
    missing: tuple[str, ...],
    frames: Frames,
    said: Words,
) -> str:
    soft = outcome == Outcome.INDETERMINE and part.soft and not missing
    template = part.messages.get("indetermine" if outcome == Outcome.INDETERMINE else outcome.word, "")
    if soft:
        template = part.messages.get("indetermine", "")
    if not template:
        return said["finding.unknown"].format(missing=", ".join(missing)) if outcome == Outcome.INDETERMINE else ""
    slots: dict[str, str] = {
        "observed": _said(part.observed, found[0], table, row, frames),
        "expected": _said(part.expected, found[1], table, row, frames),
        "at": _shown("date", found[2]),
        "missing": ", ".join(missing) or words("fr")["finding.nothing"],
    }
    for (name, node), value in zip(part.shows, found[3:], strict=True):
        slots[name] = _said(node, value, table, row, frames)
    return fill(template, slots)


def _said(node: tree.Expr | None, value: Any, table: str, row: int, frames: Frames) -> str:
    """A value as a person wrote it when it is a column, else in French."""
    if node is None:
        return "?"
    if isinstance(node, Column) and node.name in frames.tables[node.table].values and tree.family(node.type) == "text":
        rows = _near(node.table, table, row, frames.tables[table].dossiers[row], frames)
        fact = frames.fact(node.table, node.name, rows[0]) if len(rows) == 1 else None
        if fact is not None and fact.raw is not None:
            return fact.raw
    written = {item.value: item.written for item in tree.walk(node) if isinstance(item, Literal) and item.written}
    return written.get(value) or _shown(node.type, value)


def _shown(kind: str, value: Scalar | None) -> str:
    if value is None:
        return "?"
    if isinstance(value, bool):
        return words("fr")["value.true" if value else "value.false"]
    if kind in ("money", "letters") and isinstance(value, Decimal | int):
        return french.money(Decimal(value))
    if kind == "percent" and isinstance(value, Decimal):
        return french.percent(value)
    if isinstance(value, dt.date):
        return french.day(value)
    return str(value)
