"""What a rule's file may hold, as a JSON schema (keys of `read`, checks of the kinds); parameters in words."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from checker.base import french, values
from checker.model import ACTORS, SEVERITIES, SOURCES, STAGES, DatedValue, Outcome, Pack, Parameter, Rule, Scalar
from checker.packs import read
from checker.packs.overlay import FIRST

_TEXT = {"type": "string"}
_FULL = {"type": "string", "minLength": 1}
_ID = {"type": "string", "pattern": "^[A-Z0-9][A-Z0-9-]*$"}
_DATE = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_OBJECT = {"type": "object"}
_TEXTS = {"type": "array", "items": _TEXT}
_LET = {"type": "object", "additionalProperties": {"$ref": "#/$defs/let"}}
_QUOTE = {"quote": _FULL, "line": {"type": "integer", "minimum": 1}}
_REQUIRED = ("id", "title", "clause", "source", "stage", "severity")


def _closed(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": dict(properties),
        "required": list(required),
    }


_MESSAGES = _closed({outcome.word: _TEXT for outcome in Outcome})
_CLAUSE = _closed(
    {
        "article": {"type": ["string", "integer"]},
        **_QUOTE,
        "quotes": {"type": "array", "items": _closed(_QUOTE, "quote")},
    },
    "article",
    "quote",
)
_EXAMPLES = {
    "title": _FULL,
    "given": _OBJECT,
    "settings": _OBJECT,
    "others": {"type": "array", "items": _OBJECT},
    "on": _DATE,
    "expect": {"enum": [outcome.word for outcome in Outcome]},
}
KEYS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "id": ("Identifiant de la règle, unique ; il ne change jamais.", _ID),
    "title": ("Le devoir en une phrase, pas la faute.", _FULL),
    "clause": ("L'article et sa citation mot pour mot ; `line` quand elle est plusieurs fois dans le texte.", _CLAUSE),
    "source": ("D'où vient le devoir.", {"enum": list(SOURCES)}),
    "stage": ("L'étape à partir de laquelle il est dû.", {"enum": list(STAGES)}),
    "severity": ("bloquant : la décision en dépend ; reserve : elle le dit ; information : elle n'y change rien.",
                 {"enum": list(SEVERITIES)}),
    "automation": ("complete, partielle (ce qu'une personne doit encore regarder est dit dans `note`) ou humaine.",
                   {"enum": list(read._AUTOMATION)}),
    "scope": ("pack : ce qu'aucun dossier ne porte.", {"enum": ["dossier", "pack"]}),
    "at": ("La date à laquelle paramètres, personnes et codes sont lus (à défaut celle du contrôle).", _TEXT),
    "for_each": ("La table dont chaque ligne est jugée (à défaut le dossier).", _TEXT),
    "when": ("Condition : la règle est sans objet quand elle est fausse, indéterminée quand elle est inconnue.", _TEXT),
    "let": ("Valeurs nommées, pour le contrôle et les messages.", _LET),
    "demands": ("Faits qui doivent être indiqués : en blanc, ils sont un manquement.", _TEXTS),
    "check": ("Exactement un genre, ou `all:` / `any:` de plusieurs.", {"$ref": "#/$defs/part"}),
    "messages": ("Une phrase par résultat, avec {observed}, {expected}, {at}, {missing}, valeurs nommées et colonnes.",
                 _MESSAGES),
    "remedy": ("Qui doit faire quoi.", _closed({"to": {"enum": list(ACTORS)}, "text": _FULL}, "to", "text")),
    "examples": ("Faits posés sur le dossier de référence, et le résultat attendu ; un au moins par résultat possible.",
                 {"type": "array", "items": _closed(_EXAMPLES, "title", "expect")}),
    "in_force": ("Premier et dernier jours où la règle vaut.", _closed({"from": _DATE, "to": _DATE})),
    "note": ("Ce qu'il faut savoir pour lire le résultat.", _TEXT),
}  # fmt: skip


def rule_schema(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a file of rules; `definitions`: the `part` and `let` that the kinds give."""
    keys = {name: {"description": KEYS[name][0], **KEYS[name][1]} for name in read._RULE_KEYS}
    checked = [{"required": ["check"]}, {"required": ["demands"]}]
    several = {
        "defaults": {"description": "Clés communes aux règles du fichier.", **_closed(keys)},
        "rules": {"type": "array", "minItems": 1, "items": _closed(keys, "id")},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "quitus-rule/1",
        "title": "Règle",
        "description": "Une règle, ou plusieurs (`defaults:` et `rules:`). `quitus schema` l'écrit : ne pas modifier.",
        "type": "object",
        "if": {"required": ["rules"]},
        "then": _closed(several, "rules"),
        "else": {**_closed(keys, *_REQUIRED), "anyOf": checked},
        "$defs": dict(definitions),
    }


def dump(schema: Mapping[str, Any]) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def conventions(loaded: Sequence[Pack]) -> list[Pack]:
    """The packs that dossiers name: those that no other of these imports."""
    imported = {
        str(name)
        for pack in loaded
        for name in (pack.sources[f"{pack.folder.name}/pack.yaml"].data.get("imports") or [])
    }
    return [pack for pack in loaded if pack.folder.name not in imported]


def parameters(rule: Rule, pack: Pack) -> tuple[str, ...]:
    """The parameters that a rule reads, in the order of its text: `$name`, or `{name}` in a message."""
    named = re.findall(r"\$([a-z_][a-z0-9_]*)|\{([a-z_][a-z0-9_]*)\}", str(dict(rule.body)))
    return tuple(dict.fromkeys(name for pair in named for name in pair if name in pack.parameters))


def at(parameter: Parameter, day: dt.date) -> DatedValue | None:
    """The value of a parameter on that day: of those in force, the last."""
    held = [
        item
        for item in parameter.values
        if (item.start is None or item.start <= day) and (item.end is None or day <= item.end)
    ]
    return held[-1] if held else None


def to_give(pack: Pack) -> list[str]:
    """The parameters that the pack leaves to the organisation, as lines of `quitus.yaml`."""
    return [
        f'{item.name}: {{valeur: {"[]" if item.many else "null"}, source: ""}}    # {item.title}'
        for item in pack.parameters.values()
        if item.name != FIRST and all(value.value is None for value in item.values)
    ]


def said(parameter: Parameter, item: DatedValue | None) -> str:
    """A value of a parameter, its validity and its source."""
    known = item.value if item is not None else None
    if item is None or (known is None and not item.blank and not item.not_before and not item.not_after):
        return "inconnue : à donner dans quitus.yaml"
    each = known if isinstance(known, tuple) else () if known is None else (known,)
    text = ", ".join(_shown(parameter, value) for value in each)
    text = text or ("liste vide" if known == () else "en blanc" if item.blank else "inconnue")
    spans = [("du", item.start), ("au", item.end)]
    if known is None:
        spans += [("pas avant le", item.not_before), ("pas après le", item.not_after)]
    text += "".join(f" {word} {day:%d/%m/%Y}" for word, day in spans if day)
    return f"{text}  [{item.source}]" if item.source else text


def _shown(parameter: Parameter, value: Scalar) -> str:
    if parameter.type == "money" and isinstance(value, Decimal):
        return french.money(value)
    return french.day(value) if isinstance(value, dt.date) else values.show(value) or ""
