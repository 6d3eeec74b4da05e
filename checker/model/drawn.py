"""What a report draws and cites beside its verdicts; none of it decides anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from checker.model.agreed import Addressee, Amendment, Parameter, Person
from checker.model.frozen import field, frozen
from checker.model.submitted import Outcome, Place, State


@frozen
class Ceiling:
    """The amounts of the rule that holds a ceiling, in euros; None: not known, never zero."""

    rule: str
    outcome: Outcome
    limit: Decimal | None
    cumulated: Decimal | None  # this dossier included
    own: Decimal | None


@frozen
class Amount:
    """One bar of the amounts: the key that the dossier gives, and its sum; None when a term is not known."""

    key: str
    total: Decimal | None


@frozen
class Act:
    """One date of the timeline, in the order that the convention requires. `raw`: as read when it is no date."""

    column: str
    title: str
    day: dt.date | None
    state: State
    raw: str = ""
    place: Place | None = None


@frozen
class Attestation:
    """What a person judged, as the dossier says it."""

    rule: str
    finding: str
    by: str
    day: dt.date | None
    reason: str
    place: Place | None = None


@frozen
class Figures:
    """What is drawn of one dossier. `order`: the rules that judge the timeline, with their outcomes.

    `lines`: subject of a finding (« depenses:2 ») -> what its row asks; None when it is not known.
    """

    ceiling: Ceiling | None = None
    amounts_title: str = ""
    amounts: tuple[Amount, ...] = ()
    acts: tuple[Act, ...] = ()
    order: tuple[tuple[str, Outcome], ...] = ()
    attestations: tuple[Attestation, ...] = ()
    lines: Mapping[str, Decimal | None] = field(default_factory=dict)


@frozen
class Sentence:
    """A unit of the signed text. `rules` quote it; `kind` (attested, undecidable, no_obligation) when none does."""

    line: int
    text: str
    rules: tuple[str, ...]
    quotes: tuple[str, ...]  # what those rules quote of it, one each
    kind: str
    reason: str


@frozen
class Agreement:
    """A convention as a run applied it: its text, its dated parameters, who may sign, its amendments."""

    id: str
    title: str
    version: str
    sha256: str
    sentences: tuple[Sentence, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    persons: tuple[Person, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    addressees: Mapping[str, Addressee] | None = None  # by actor: cedant, cessionnaire, comptable …
