"""The facts of a dossier as bytes and back: what a process hands over, and what is kept. Doors: `pack`, `unpack`.

JSON of tables of distinct places and values, that rows name by number: it builds places, values and rows, nothing else.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from checker.model import Dossier, Fault, FileDigest, Place, Row, Rows, State, Submitted, Value

_new = tuple.__new__  # a named tuple without its Python constructor: the rows are as `pack` wrote them
_STATES = tuple(State)


Known = tuple[Submitted, str | None]  # a dossier's facts, and the convention that its manifest names


def pack(item: Submitted, convention: str | None) -> bytes:
    """The rows, faults and digests of a dossier, the dossier itself left out."""
    places: dict[Place, int] = {}
    values: dict[Value, int] = {}
    shapes: dict[tuple[str, ...], int] = {}

    def row(cells: Row) -> list[int]:
        found = [shapes.setdefault(tuple(cells), len(shapes))]
        for value in cells.values():
            places.setdefault(value.place, len(places))
            found.append(values.setdefault(value, len(values)))
        return found

    rows = item.rows
    tables = {name: [row(cells) for cells in listed] for name, listed in rows.tables.items()}
    lists = {name: places.setdefault(place, len(places)) for name, place in rows.places.items()}
    faults = [
        [fault.what, places.setdefault(fault.place, len(places)), fault.excerpt, fault.todo] for fault in rows.faults
    ]
    said = {
        "convention": convention,
        "tables": tables,
        "parents": {name: list(found) for name, found in rows.parents.items()},
        "states": [[table, index, int(state)] for (table, index), state in rows.states.items()],
        "lists": lists,
        "faults": faults,
        "files": item.files,
        "shapes": list(shapes),
        "values": [[value.raw, places[value.place], value.fault] for value in values],
        "places": list(places),
    }
    return json.dumps(said, separators=(",", ":")).encode()


def unpack(data: bytes, dossier: Dossier) -> Known:
    """The facts of that dossier; ValueError for what `pack` did not write."""
    try:
        said = json.loads(data)
        return _unpack(said, dossier), said["convention"]
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not packed facts: {error}") from error


def _unpack(said: Any, dossier: Dossier) -> Submitted:
    named: dict[str, str] = {}
    places: list[Place] = [_new(Place, (named.setdefault(found[0], found[0]), *found[1:])) for found in said["places"]]
    values: list[Value] = [_new(Value, (raw, places[place], fault)) for raw, place, fault in said["values"]]
    shapes = [[sys.intern(name) for name in shape] for shape in said["shapes"]]
    pick = values.__getitem__
    tables: dict[str, list[Row]] = {
        sys.intern(name): [dict(zip(shapes[row[0]], map(pick, row[1:]), strict=True)) for row in listed]
        for name, listed in said["tables"].items()
    }
    states = {(sys.intern(table), index): _STATES[state] for table, index, state in said["states"]}
    lists = {sys.intern(name): places[place] for name, place in said["lists"].items()}
    faults = tuple(Fault(what, places[place], excerpt, todo) for what, place, excerpt, todo in said["faults"])
    files = tuple(FileDigest(*found) for found in said["files"])
    return Submitted(dossier, Rows(tables, said["parents"], states, lists, faults), files)
