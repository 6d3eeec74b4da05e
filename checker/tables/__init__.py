"""Facts -> typed tables. Door: `build`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from checker.base import values
from checker.base.dictionary import ROOT, Dictionary, Field, Table
from checker.base.frames import Frame, Frames
from checker.model import Row, Scalar, State, Submitted

_KNOWN, _BLANK, _UNREADABLE, _ABSENT, _NONE = (int(state) for state in State)
Faults = dict[tuple[str, str, int], str]


def build(submitted: Sequence[Submitted], dictionary: Dictionary) -> Frames:
    """The typed tables of these dossiers. A dossier that cannot be read keeps one row, of unknown facts only."""
    frames: dict[str, Frame] = {}
    faults: Faults = {}
    starts: dict[str, list[int]] = {}
    for name, table in dictionary.tables.items():
        frame, rows, begins = _stack(name, submitted, table.fields)
        frames[name], starts[name] = frame, begins
        if table.parent is not None:
            offsets = starts[table.parent]
            frame.parents[:] = [
                offsets[dossier] + row for dossier, row in zip(frame.dossiers, frame.parents, strict=True)
            ]
        for field in table.fields.values():
            _type(frame, field, rows, faults)
    for table in dictionary.tables.values():
        if table.parent is not None:
            _list_states(frames[table.parent], table, submitted, starts[table.parent])
    return Frames(dictionary, frames, submitted, faults)


def _readable(item: Submitted) -> bool:
    return not item.rows.faults


def _order_only(item: Submitted, fields: Mapping[str, Field]) -> list[Row]:
    """Of a dossier that cannot be read, its dates only: enough to know which ones may follow it."""
    row = item.rows.tables[ROOT][0]
    return [{name: cell for name, cell in row.items() if name in fields and fields[name].type == "date"}]


def _stack(
    name: str, submitted: Sequence[Submitted], fields: Mapping[str, Field]
) -> tuple[Frame, list[Row], list[int]]:
    rows: list[Row] = []
    dossiers: list[int] = []
    parents: list[int] = []
    begins: list[int] = []
    for index, item in enumerate(submitted):
        begins.append(len(rows))
        found = (
            item.rows.tables.get(name, []) if _readable(item) else (_order_only(item, fields) if name == ROOT else [])
        )
        rows.extend(found)
        dossiers.extend([index] * len(found))
        parents.extend(item.rows.parents[name] if found and _readable(item) else [0] * len(found))
    return Frame(name, dossiers, parents), rows, begins


def _type(frame: Frame, field: Field, rows: list[Row], faults: Faults) -> None:
    """Fill one column: the value when known, and its state."""
    source, reduce = field.derived or (field.name, "")
    absent = _NONE if field.none else _ABSENT
    blank = _NONE if field.none else _BLANK
    nothing: Scalar | None = False if field.type == "block" else None
    understood: dict[str, tuple[Scalar | None, int, str]] = {}  # many rows hold the same words
    found: list[Scalar | None] = []
    states: list[int] = []
    for index, row in enumerate(rows):
        cell = row.get(source)
        if cell is None or (cell.raw is None and cell.fault is None):
            value, state = nothing, absent
        elif cell.fault is not None or cell.raw is None:
            value, state = None, _UNREADABLE
            faults[(frame.name, field.name, index)] = cell.fault or ""
        else:
            raw = cell.raw
            if raw not in understood:
                understood[raw] = (nothing, blank, "") if not raw.strip() else _understood(field, reduce, raw)
            value, state, fault = understood[raw]
            if fault:
                faults[(frame.name, field.name, index)] = fault
        found.append(value)
        states.append(state)
    frame.values[field.name] = found
    frame.states[field.name] = states


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


def _list_states(parent: Frame, table: Table, submitted: Sequence[Submitted], starts: list[int]) -> None:
    states = [_KNOWN] * len(parent)
    for index, item in enumerate(submitted):
        if not _readable(item):
            if parent.name == ROOT:
                states[starts[index]] = _ABSENT
            continue
        for (name, row), state in item.rows.states.items():
            if name == table.name:
                states[starts[index] + row] = int(state)
    parent.states[f"{table.name}[]"] = states
