"""Typed tables of a batch, column by column; row numbers are positions, across all dossiers of the batch."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from checker.base.dictionary import ROOT, Dictionary
from checker.model import STAGES, Scalar, State, Submitted, Value
from checker.model.frozen import field, frozen

# What names a row of a table in `subject`: `depenses:<ligne>`, `pieces:<fichier>`, `paiements:<mandat>`.
KEYS = {"depenses": "ligne", "pieces": "fichier", "paiements": "mandat", "avoirs": "numero", "attestations": "regle"}
HIDDEN = (State.BLANK, State.UNREADABLE, State.ABSENT)  # what such a list holds is not known


@frozen
class Frame:
    """One table. `dossiers`: dossier of each row, ascending; `parents`: row of the parent table.

    `values[c][i]` is None unless the fact is known; `states[c][i]` is a `model.State`. The state of a nested list
    `x` is the column `x[]` of its parent's frame (states only).
    """

    name: str
    dossiers: list[int]
    parents: list[int]
    values: dict[str, list[Scalar | None]] = field(default_factory=dict)
    states: dict[str, list[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.dossiers)


@frozen
class Frames:
    """All tables of a batch, with what is needed to go back from a row to what was read."""

    dictionary: Dictionary
    tables: Mapping[str, Frame]
    submitted: Sequence[Submitted]
    faults: Mapping[tuple[str, str, int], str]  # (table, column, row) -> why it is unreadable

    def rows(self, table: str, dossier: int) -> range:
        """The rows of a dossier in a table."""
        dossiers = self.tables[table].dossiers
        return range(bisect_left(dossiers, dossier), bisect_left(dossiers, dossier + 1))

    def fact(self, table: str, column: str, row: int) -> Value | None:
        """What was read of a value, with its place; None when nothing was."""
        frame = self.tables[table]
        dossier = frame.dossiers[row]
        derived = self.dictionary.tables[table].fields[column].derived
        name = derived[0] if derived else column
        local = row - bisect_left(frame.dossiers, dossier)
        return self.submitted[dossier].rows.tables[table][local].get(name)

    def stage(self, dossier: int) -> int | None:
        """The rank of the dossier's stage; None for a dossier that cannot be read."""
        word = self.tables[ROOT].values["etape"][dossier]
        return STAGES.index(str(word)) if word in STAGES else None

    def list_state(self, table: str, dossier: int) -> State:
        """The state of a list: the first hidden one on the way from the dossier to it, else its own."""
        parent = self.dictionary.tables[table].parent
        if parent is None:
            return State.KNOWN
        above = self.list_state(parent, dossier)
        if above in HIDDEN:
            return above
        states = [State(self.tables[parent].states[f"{table}[]"][row]) for row in self.rows(parent, dossier)]
        return next((state for state in states if state in HIDDEN), states[0] if states else State.KNOWN)
