"""The types that travel between rooms: frozen, slotted, without behaviour beyond their own reading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

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


@dataclass(frozen=True, slots=True)
class Rows:
    """The facts of one dossier, as text.

    `tables`: table -> rows. `parents`: table -> index of the parent row of each row (tables nested in another table).
    `states`: (table, row of its parent table) -> state of the list itself, when it is not KNOWN.
    `faults`: why the dossier cannot be read; any makes the whole dossier `indetermine`.
    """

    tables: Mapping[str, list[Row]]
    parents: Mapping[str, list[int]]
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


@dataclass(frozen=True, slots=True)
class Limits:
    """What a hostile or huge file may cost (`limites` of the settings); `zip_ratio`: unpacked over packed size."""

    piece_megabytes: int = 200
    piece_seconds: int = 20
    reader_megabytes: int = 1024
    zip_files: int = 2000
    zip_megabytes: int = 500
    zip_ratio: int = 200


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Submitted:
    """A dossier and its facts. `run` separates the runs of a batch (one a rule example)."""

    dossier: Dossier
    rows: Rows
    files: tuple[FileDigest, ...] = ()
    run: int = 0


@dataclass(frozen=True, slots=True)
class Clause:
    """Where a rule comes from; `quote` is verbatim and found in the signed text (`line` when found more than once)."""

    article: str
    quote: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """Facts laid over the pack's reference dossier, and the outcome that the rule must then have."""

    title: str
    expect: Outcome
    given: Mapping[str, Any]
    settings: Mapping[str, Any]
    others: tuple[Mapping[str, Any], ...]
    on: dt.date | None
    place: Place


@dataclass(frozen=True, slots=True)
class Remedy:
    """Who must act (cedant, cessionnaire, comptable, fournisseur, organisme) and what to do."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as written. `body` holds what is compiled (check, let, when …) as plain data."""

    id: str
    title: str
    clause: Clause
    source: str
    stage: str
    severity: str
    automation: str
    scope: str
    body: Mapping[str, Any]
    examples: tuple[Example, ...]
    remedy: Remedy | None
    note: str
    place: Place  # file, line and column of the rule; the file relative to the packs' folder
    key: tuple[str | int, ...] = ()  # where the rule stands inside its file


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A value of a parameter, from (included) – to (included); None: without limit.

    `value` None: unknown; then `not_before` and `not_after` may bound it.
    """

    value: Scalar | tuple[Scalar, ...] | None
    start: dt.date | None = None
    end: dt.date | None = None
    not_before: dt.date | None = None
    not_after: dt.date | None = None
    blank: bool = False
    source: str = ""
    written: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number, name, date, code or list of codes of the convention, by validity; the latest entry wins."""

    name: str
    type: str
    many: bool
    title: str
    values: tuple[DatedValue, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may sign. A `delegate` acts by an `acte`: what is not said of it is unknown."""

    name: str
    direction: str
    role: str
    start: dt.date | None
    end: dt.date | None
    limit: Decimal | None
    delegate: bool
    act_date: dt.date | None = None
    executory: bool | None = None
    quality: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Amendment:
    """An avenant as declared: it applies from `applies_from`, never when one of its three acts is missing."""

    file: str
    effect: dt.date | None
    signatures: Mapping[str, dt.date | None]
    deliberation: dt.date | None
    text: str
    changes: tuple[tuple[str, Scalar | tuple[Scalar, ...]], ...]
    sha256: str = ""

    @property
    def complete(self) -> bool:
        return bool(self.signatures) and all(self.signatures.values()) and bool(self.deliberation and self.effect)

    @property
    def applies_from(self) -> dt.date | None:
        if not self.complete or self.effect is None:
            return None
        return max([self.effect, *(day for day in self.signatures.values() if day)])


@dataclass(frozen=True, slots=True)
class Waiver:
    """A dérogation of the settings: it erases nothing, and a waived result counts as a reserve."""

    rule: str
    dossier: str
    reason: str
    requested_by: str
    granted_by: str
    start: dt.date | None
    end: dt.date | None
    place: Place


@dataclass(frozen=True, slots=True)
class Pack:
    """What was agreed, overlaid with the settings of one run."""

    id: str
    title: str
    version: str
    sha256: str
    folder: Path
    text: str
    rules: tuple[Rule, ...]
    parameters: Mapping[str, Parameter]
    persons: tuple[Person, ...]
    tables: Mapping[str, tuple[Mapping[str, Any], ...]]
    amendments: tuple[Amendment, ...] = ()
    units: tuple[Mapping[str, Any], ...] = ()
    defects: tuple[Mapping[str, Any], ...] = ()
    reference: Path | None = None
    examples_of: tuple[str, ...] = ()  # the packs whose examples are laid on this pack's reference dossier
    extensions: tuple[Path, ...] = ()  # `dossier.schema.json` of the packs, laid over the dictionary
    sources: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)  # file -> its document


@dataclass(frozen=True, slots=True)
class Settings:
    """`quitus.yaml`, read: what an organisation adds to a convention."""

    path: Path | None = None
    sha256: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[tuple[str | int, ...], Place] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of a rule's subject that is not in order (or holds, when evidence is asked for)."""

    rule: str
    subject: str
    outcome: Outcome
    message: str
    observed: str | None = None
    expected: str | None = None
    reason: str = ""
    missing: tuple[str, ...] = ()
    locations: tuple[Place, ...] = ()
    excerpts: tuple[str, ...] = ()  # the value as read at each location
    trace: tuple[tuple[str, str], ...] = ()  # the computation: name, value


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What the engine says of one (rule, dossier)."""

    rule: str
    outcome: Outcome
    counts: Mapping[Outcome, int]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One (rule, dossier) with what the report shows of the rule; `waiver` when a dérogation covers it."""

    rule: str
    title: str
    clause: Clause
    source: str
    severity: str
    automation: str
    outcome: Outcome
    counts: Mapping[Outcome, int]
    findings: tuple[Finding, ...]
    remedy: Remedy | None
    note: str = ""
    waiver: Waiver | None = None
    stage: str = ""


@dataclass(frozen=True, slots=True)
class DossierVerdict:
    """The decision on one dossier and everything it rests on."""

    reference: str
    path: str
    pack: Mapping[str, str]  # id, title, version, sha256
    control_date: dt.date | None
    stage: str
    decision: str
    files: tuple[FileDigest, ...]
    results: tuple[Result, ...]
    upcoming: tuple[tuple[str, str], ...] = ()  # rule id and title that the next stage will ask
    paste: tuple[str, ...] = ()  # lines of quitus.yaml that would settle what waits for a setting


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The one decision object of a run: every format and the exit code derive from it."""

    version: str
    packs: tuple[Mapping[str, str], ...]
    settings: Mapping[str, str] | None
    decision: str
    dossiers: tuple[DossierVerdict, ...]
    findings: tuple[Finding, ...] = ()  # of the run: what belongs to no dossier
    unused: tuple[str, ...] = ()  # waivers that served nothing, amendments, notes
    notes: tuple[tuple[str, str], ...] = ()  # drafting defects of the packs: id, sentence
    fail_on: str = ""

    def exit_code(self) -> int:
        """0 conforme, 1 non_conforme, 2 indetermine; moved only by `fail_on`, never the decision."""
        codes = {"conforme": 0, "conforme_avec_reserves": 0, "indetermine": 2, "non_conforme": 1}
        if self.fail_on == "reserve":
            codes["conforme_avec_reserves"] = 1
        if self.fail_on == "non_conforme":
            codes["indetermine"] = 0
        found = {codes[verdict.decision] for verdict in self.dossiers} or {codes[self.decision]}
        return 1 if 1 in found else max(found)

    def to_pandas(self) -> Any:
        """One row a result: dossier, rule, article, severity, outcome, decision, waived, findings."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "dossier": verdict.reference,
                    "chemin": verdict.path,
                    "decision": verdict.decision,
                    "regle": result.rule,
                    "article": result.clause.article,
                    "severite": result.severity,
                    "resultat": result.outcome.word,
                    "deroge": result.waiver is not None,
                    "constats": len(result.findings),
                }
                for verdict in self.dossiers
                for result in verdict.results
            ]
        )
