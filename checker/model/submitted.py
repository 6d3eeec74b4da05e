"""What was submitted: places, values, rows, files, dossiers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from checker.model.frozen import frozen

Scalar = str | Decimal | dt.date | bool | int


class Outcome(IntEnum):
    """What a rule says of a dossier, or of one row of its subject; the order is the one of the exit codes."""

    CONFORME = 0
    NON_CONFORME = 1
    INDETERMINE = 2
    SANS_OBJET = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class State(IntEnum):
    """Whether a fact is known. `NONE`: its absence means « aucun » (list at the head of the contract)."""

    KNOWN = 0
    BLANK = 1
    UNREADABLE = 2
    ABSENT = 3
    NONE = 4


STAGES = ("etat_liquidatif", "certification", "titre_de_perception", "demande_de_paiement", "mise_en_paiement")
ACTORS = ("cedant", "cessionnaire", "comptable", "fournisseur", "organisme", "personne")  # who may have to act
SEVERITIES = ("bloquant", "reserve", "information")
SOURCES = ("convention", "loi", "referentiel", "bonne_pratique")
DECISIONS = ("conforme", "conforme_avec_reserves", "indetermine", "non_conforme")


class Place(NamedTuple):
    """Where a value was read: a path relative to the dossier, then what its reader knows."""

    file: str
    line: int | None = None
    column: int | None = None
    page: int | None = None
    place: str | None = None  # a cell (« Feuil1!F14 »), an XPath, a region


class Value(NamedTuple):
    """A fact as read. `raw` None: written null or absent; "" : written blank; `fault`: why it cannot be read."""

    raw: str | None
    place: Place
    fault: str | None = None


Row = dict[str, Value]  # column (path inside its table) -> value
Cells = Mapping[str, Value]  # the same, to be read


@frozen
class Rows:
    """The facts of one dossier, as text.

    `tables`: table -> rows. `parents`: table -> index of the parent row of each row (tables nested in another table).
    `states`: (table, row of its parent table) -> state of the list itself, when it is not KNOWN.
    `faults`: why the dossier cannot be read; any makes the whole dossier `indetermine`.
    """

    tables: Mapping[str, Sequence[Cells]]
    parents: Mapping[str, Sequence[int]]
    states: Mapping[tuple[str, int], State]
    places: Mapping[str, Place]  # of each table, where its list is written
    faults: tuple[Fault, ...] = ()


class Fault(NamedTuple):
    """One reason why a dossier cannot be read, with its place, its excerpt and what to do."""

    what: str
    place: Place
    excerpt: str = ""
    todo: str = ""


class Told(NamedTuple):
    """What a piece itself says: table -> (row of its parent table among those told here, row). Never a claim."""

    tables: Mapping[str, list[tuple[int, Row]]]


class FileDigest(NamedTuple):
    """A file of a dossier: path relative to it, SHA-256 in hexadecimal, size in bytes."""

    path: str
    sha256: str
    size: int


@frozen
class Limits:
    """What a hostile or huge file may cost (`limites` of the settings); `zip_ratio`: unpacked over packed size."""

    piece_megabytes: int = 200
    piece_seconds: int = 20
    reader_megabytes: int = 1024
    zip_files: int = 2000
    zip_megabytes: int = 500
    zip_ratio: int = 200


@frozen
class Dossier:
    """What was submitted: a folder that holds `dossier.yaml`. `shown` is its path as the reports write it.

    `archive`: the zip that holds it, under `inside` ("" : its root); `folder` is then the zip's, until it is unpacked.
    `written`: the manifest when it stands elsewhere (its name is `manifest`). `faults`: why it cannot be read.
    """

    folder: Path
    shown: str
    manifest: str = "dossier.yaml"
    archive: Path | None = None
    inside: str = ""
    written: Path | None = None
    faults: tuple[Fault, ...] = ()


@frozen
class Submitted:
    """A dossier and its facts. `run` separates the runs of a batch (one a rule example)."""

    dossier: Dossier
    rows: Rows
    files: tuple[FileDigest, ...] = ()
    run: int = 0
