"""A piece of a raw folder as the readers saw it: what it is, what it says, where. Facts make it, proposals use it."""

from __future__ import annotations

from checker.model import Fault, Row, Told, Value
from checker.model.frozen import field, frozen


@frozen
class Piece:
    """One file. `path`: relative to the dossier's root, forward slashes.

    `nature`: a word of `pieces.nature`, None when it is not recognised; `reason` and `confidence` say why, in French.
    `told`: the tables `facture_lue`, `acte_lu`, `signature_lue`. `text`: what its pages print, "" when nothing;
    `cells`: what they name, label and value.
    `fault`: why the file does not open, "" when it does; `mute`: it opens and carries no text (a scan, an image).
    `lines`, `totals`: rows of `depenses` and of `tableur` that its sheet holds; `faults`: what the sheet lost.
    """

    path: str
    nature: str | None = None
    reason: str = ""
    confidence: str = ""
    told: Told = field(default_factory=lambda: Told({}))
    text: str = ""
    cells: tuple[tuple[str, Value], ...] = ()
    fault: str = ""
    mute: bool = False
    lines: tuple[Row, ...] = ()
    totals: tuple[Row, ...] = ()
    faults: tuple[Fault, ...] = ()

    def rows(self, table: str) -> list[Row]:
        """The rows told of a table."""
        return [row for _, row in self.told.tables.get(table, [])]
