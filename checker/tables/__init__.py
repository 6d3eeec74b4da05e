"""Facts -> typed tables. Door: `build`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from checker.base import flat, values
from checker.base.dictionary import ROOT, Dictionary, Field, Table
from checker.base.frames import Frame, Frames
from checker.model import Scalar, State, Submitted

_KNOWN, _BLANK, _UNREADABLE, _ABSENT, _NONE = (int(state) for state in State)
Faults = dict[tuple[str, str, int], str]


def build(submitted: Sequence[Submitted], dictionary: Dictionary) -> Frames:
    """The typed tables of these dossiers. A dossier that cannot be read keeps one row, of unknown facts only."""
    frames: dict[str, Frame] = {}
    faults: Faults = {}
    starts: dict[str, list[int]] = {}
    facts = [flat.flat(item.rows.tables, item.rows.places) for item in submitted]
    for name, table in dictionary.tables.items():
        frame, texts, starts[name] = _stack(table, submitted, facts)
        frames[name] = frame
        if table.parent is not None:
            offsets = starts[table.parent]
            frame.parents[:] = [
                offsets[dossier] + row for dossier, row in zip(frame.dossiers, frame.parents, strict=True)
            ]
        for field in table.fields.values():
            _type(frame, field, texts, faults)
    _list_states(frames, dictionary, submitted, starts)
    return Frames(dictionary, frames, submitted, faults)


def _readable(item: Submitted) -> bool:
    return not item.rows.faults


class _Texts:
    """The columns of a table as read: the text of each row, None where nothing is, and what cannot be read."""

    def __init__(self, size: int) -> None:
        self.columns: dict[str, list[str | None]] = defaultdict(lambda: [None] * size)
        self.faults: dict[str, dict[int, str]] = defaultdict(dict)

    def put(self, row: int, shape: flat.Shape, first: int, facts: flat.Flat) -> None:
        """The cells of a row."""
        for name, raw in zip(shape, facts.raws[first : first + len(shape)], strict=True):
            self.columns[name][row] = raw
        if facts.faults:
            for name, index in shape.items():
                if first + index in facts.faults:
                    self.faults[name][row] = facts.faults[first + index]


def _stack(table: Table, submitted: Sequence[Submitted], facts: Sequence[flat.Flat]) -> tuple[Frame, _Texts, list[int]]:
    """The rows of all dossiers: their frame, their texts, the first row of each dossier.

    Of a dossier that cannot be read, its dates only: enough to know which ones may follow it.
    """
    dossiers: list[int] = []
    parents: list[int] = []
    begins: list[int] = []
    for index, (item, found) in enumerate(zip(submitted, facts, strict=True)):
        begins.append(len(dossiers))
        count = len(found.tables.get(table.name, ((), ()))[0])
        if _readable(item):
            parents.extend(item.rows.parents[table.name] if count else [])
        else:
            count = 1 if table.name == ROOT else 0
            parents.extend([0] * count)
        dossiers.extend([index] * count)
    texts = _Texts(len(dossiers))
    dates = {name for name, field in table.fields.items() if field.type == "date"}
    for item, found, begin in zip(submitted, facts, begins, strict=True):
        if _readable(item):
            for row, (shape, first) in enumerate(zip(*found.tables.get(table.name, ((), ())), strict=True), begin):
                texts.put(row, shape, first, found)
        elif table.name == ROOT:
            shapes, firsts = found.tables[ROOT]
            for name in dates.intersection(shapes[0]):
                texts.put(begin, {name: 0}, firsts[0] + shapes[0][name], found)
    return Frame(table.name, dossiers, parents), texts, begins


def _type(frame: Frame, field: Field, texts: _Texts, faults: Faults) -> None:
    """Fill one column: the value when known, and its state."""
    source, reduce = field.derived or (field.name, "")
    absent = _NONE if field.none else _ABSENT
    nothing: Scalar | None = False if field.type == "block" else None
    if source not in texts.columns:
        frame.values[field.name] = [nothing] * len(frame)
        frame.states[field.name] = [absent] * len(frame)
        return
    column = texts.columns[source]
    values: dict[str | None, Scalar | None] = {None: nothing}
    states: dict[str | None, int] = {None: absent}
    refused: dict[str | None, str] = {}
    for raw in set(column):  # many rows hold the same words
        if raw is None:
            continue
        if raw.strip():
            values[raw], states[raw], fault = _understood(field, reduce, raw)
            if fault:
                refused[raw] = fault
        else:
            values[raw], states[raw] = nothing, _NONE if field.none else _BLANK
    frame.values[field.name] = [values[raw] for raw in column]
    frame.states[field.name] = [states[raw] for raw in column]
    if refused:
        faults.update(((frame.name, field.name, row), refused[raw]) for row, raw in enumerate(column) if raw in refused)
    for row, why in texts.faults.get(source, {}).items():
        frame.values[field.name][row], frame.states[field.name][row] = None, _UNREADABLE
        faults[(frame.name, field.name, row)] = why


def _understood(field: Field, reduce: str, raw: str) -> tuple[Scalar | None, int, str]:
    """The value of a text that is not blank, its state, and why it has none."""
    if field.type == "block":
        return True, _KNOWN, ""
    try:
        value = values.DERIVED[reduce](raw) if reduce == "invoice_key" else values.parse(field.type, raw)
        value = values.DERIVED[reduce](str(value)) if reduce == "siren" else value
        if field.enum and value not in field.enum:
            raise values.Refused("mot hors de la liste : " + ", ".join(field.enum))
    except values.Refused as error:
        return None, _UNREADABLE, str(error)
    return value, _KNOWN, ""


def _list_states(
    frames: Mapping[str, Frame], dictionary: Dictionary, submitted: Sequence[Submitted], starts: Mapping[str, list[int]]
) -> None:
    """The column `x[]` of each list `x`, in the frame of its parent."""
    nested: dict[str, tuple[list[int], list[int]]] = {}
    for table in dictionary.tables.values():
        if table.parent is not None:
            states = [_KNOWN] * len(frames[table.parent])
            frames[table.parent].states[f"{table.name}[]"] = states
            nested[table.name] = states, starts[table.parent]
    for index, item in enumerate(submitted):
        if _readable(item):
            for (name, row), state in item.rows.states.items():
                if name in nested:
                    states, begins = nested[name]
                    states[begins[index] + row] = int(state)
        else:
            for name, (states, begins) in nested.items():
                if dictionary.tables[name].parent == ROOT:
                    states[begins[index]] = _ABSENT
