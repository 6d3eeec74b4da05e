"""The facts of a dossier as bytes and back: what a process hands over, and what is kept. Doors: `pack`, `unpack`.

Four lines of JSON: the columns of the rows, where cells stand, the state of lists, and what is said. The first three
are understood once for all the dossiers that have the same. It builds columns, places and faults, nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from checker.base import flat
from checker.model import Dossier, Fault, FileDigest, Place, Rows, State, Submitted
from checker.model.frozen import replace

Known = tuple[Submitted, str | None]  # a dossier's facts, and the convention that its manifest names
Parents = Mapping[str, Sequence[int]]
States = Mapping[tuple[str, int], State]


def compact(item: Submitted) -> Submitted:
    """The same facts, in columns."""
    rows = item.rows
    if isinstance(rows.tables, flat.Flat):
        return item
    facts = flat.flat(rows.tables, rows.places)
    parents = tuple([(name, tuple(found)) for name, found in rows.parents.items() if found])
    states = _states(tuple([(table, row, int(state)) for (table, row), state in rows.states.items()]))
    return replace(item, rows=Rows(facts, _parents(parents), states, flat.Lists(facts), rows.faults))


def pack(item: Submitted, convention: str | None) -> bytes:
    """The rows, faults and digests of a dossier, the dossier itself left out."""
    rows = compact(item).rows
    structure, where, said = flat.flat(rows.tables, rows.places).parts()
    parents = [(name, found) for name, found in rows.parents.items() if found]
    states = [(table, row, int(state)) for (table, row), state in rows.states.items()]
    wrong = [[fault.what, fault.place, fault.excerpt, fault.todo] for fault in rows.faults]
    rest = ([parents, states], [convention, said, wrong, item.files])
    return b"\n".join((structure, where, *(json.dumps(each, separators=(",", ":")).encode() for each in rest)))


def unpack(data: bytes, dossier: Dossier) -> Known:
    """The facts of that dossier; ValueError for what `pack` did not write."""
    try:
        structure, where, lists, rest = data.split(b"\n")
        convention, said, wrong, digests = json.loads(rest)
        facts = flat.of_parts(structure, where, said)
        parents, states = _lists(lists)
        faults = tuple([Fault(what, Place(*place), excerpt, todo) for what, place, excerpt, todo in wrong])
        files = tuple([FileDigest(*found) for found in digests])
        return Submitted(dossier, Rows(facts, parents, states, flat.Lists(facts), faults), files), convention
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not packed facts: {error}") from error


# What many dossiers have in common is there once.


@flat.shared
def _lists(data: bytes) -> tuple[Parents, States]:
    parents, states = json.loads(data)
    return (
        _parents(tuple([(name, tuple(found)) for name, found in parents])),
        _states(tuple([(table, row, state) for table, row, state in states])),
    )


def _parented(found: tuple[tuple[str, tuple[int, ...]], ...]) -> Parents:
    return {sys.intern(name): rows for name, rows in found}


_parents = flat.shared(_parented, flat.rows_of)


@flat.shared
def _states(found: tuple[tuple[str, int, int], ...]) -> States:
    return {(sys.intern(table), row): State(state) for table, row, state in found}
