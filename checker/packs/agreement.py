"""A pack as a report cites it: its text sentence by sentence, what it fixes, who signs, who receives letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.model import Addressee, Agreement, Pack, Sentence
from checker.packs.quotes import coverage

_KEYS = {"nom": "name", "adresse": "address", "courriel": "email"}


def agreement(pack: Pack) -> Agreement:
    """The agreement of a pack already overlaid with the settings of a run."""
    quoted = {
        rule.id: (rule.clause.quote, *(str(item["quote"]) for item in rule.body.get("quotes", [])))
        for rule in pack.rules
    }
    sentences = tuple(
        Sentence(
            unit.line,
            unit.text,
            unit.rules,
            tuple(next((quote for quote in quoted[rule] if quote in unit.text), "") for rule in unit.rules),
            unit.kind,
            unit.reason,
        )
        for unit in (coverage(pack)[0] if pack.text else ())
    )
    return Agreement(
        id=pack.id,
        title=pack.title,
        version=pack.version,
        sha256=pack.sha256,
        sentences=sentences,
        parameters=tuple(pack.parameters.values()),
        persons=pack.persons,
        amendments=pack.amendments,
        addressees={actor: _addressee(pack, entry) for actor, entry in pack.report.get("addressees", {}).items()},
    )


def _addressee(pack: Pack, entry: Mapping[str, Any]) -> Addressee:
    return Addressee(**{"name": "", **{_KEYS[key]: _text(pack, str(value)) for key, value in entry.items()}})


def _text(pack: Pack, text: str) -> str:
    """The text, or the last value of the parameter that `$name` names ("" when it is not known)."""
    if not text.startswith("$"):
        return text
    return pack.parameters[text[1:]].values[-1].written
