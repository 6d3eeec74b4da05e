"""What was agreed: clauses, rules, parameters, persons, amendments, waivers, packs, settings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from checker.model.frozen import field, frozen
from checker.model.submitted import Limits, Outcome, Place, Scalar


@frozen
class Clause:
    """Where a rule comes from; `quote` is verbatim and found in the signed text (`line` when found more than once)."""

    article: str
    quote: str
    line: int | None = None


@frozen
class Example:
    """Facts laid over the pack's reference dossier, and the outcome that the rule must then have."""

    title: str
    expect: Outcome
    given: Mapping[str, Any]
    settings: Mapping[str, Any]
    others: tuple[Mapping[str, Any], ...]
    on: dt.date | None
    place: Place


@frozen
class Remedy:
    """Who must act (cedant, cessionnaire, comptable, fournisseur, organisme) and what to do."""

    to: str
    text: str


@frozen
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


@frozen
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


@frozen
class Parameter:
    """A number, name, date, code or list of codes of the convention, by validity; the latest entry wins."""

    name: str
    type: str
    many: bool
    title: str
    values: tuple[DatedValue, ...]


@frozen
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


@frozen
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


@frozen
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


@frozen
class Addressee:
    """Who receives a letter."""

    name: str
    address: str = ""
    email: str = ""


@frozen
class Letterhead:
    """The `courrier` of the settings: who writes, from where, how long the answer may take (days; None: not said)."""

    sender: str = ""
    address: str = ""
    city: str = ""
    signatory: str = ""
    quality: str = ""
    email: str = ""
    days: int | None = None
    addressees: Mapping[str, Addressee] = field(default_factory=dict)  # by actor; they win over those of the pack


@frozen
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
    report: Mapping[str, Any] = field(default_factory=dict)  # what a report draws, and to whom letters go
    extensions: tuple[Path, ...] = ()  # `dossier.schema.json` of the packs, laid over the dictionary
    sources: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)  # file -> its document

    @property
    def own_reference(self) -> bool:
        """Whether the pack has a reference dossier of its own: its examples are laid on it."""
        return self.reference is not None and self.reference.parent.parent == self.folder


@frozen
class Settings:
    """`quitus.yaml`, read: what an organisation adds to a convention."""

    path: Path | None = None
    sha256: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[tuple[str | int, ...], Place] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    limits: Limits = field(default_factory=Limits)
    letterhead: Letterhead | None = None
