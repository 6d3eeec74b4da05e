"""The kinds as documentation: their pages, and their branch of the schema of rules, read from the kinds themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from checker.base import plugs
from checker.model import STAGES, Outcome
from checker.plans import KINDS, kind_names
from checker.plans.lets import AGGREGATES, RUNNING

_TEXT = {"type": "string"}
_VALUE = {"type": ["string", "number", "boolean"]}
_TEXTS = {"type": "array", "items": _TEXT}
_MESSAGES = {
    "type": "object",
    "additionalProperties": False,
    "properties": {outcome.word: _TEXT for outcome in Outcome},
}
_PART: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "stage": ("L'étape à partir de laquelle elle est due (à défaut celle de la règle).", {"enum": list(STAGES)}),
    "when": ("Condition : fausse, la partie est sans objet ; inconnue, elle est indéterminée.", _TEXT),
    "message": ("La phrase du non-conforme.", _TEXT),
    "messages": ("Une phrase par résultat.", _MESSAGES),
    "for_each": ("La table dont chaque ligne est jugée (à défaut celle de la règle).", _TEXT),
    "at": ("La date à laquelle paramètres, personnes et codes sont lus.", _TEXT),
    "otherwise": ("Ce que vaut un manquement : non_conforme, ou indetermine quand une personne doit juger.",
                  {"enum": ["non_conforme", "indetermine"]}),
    "about": ("Les colonnes où regarder, quand ce ne sont pas celles que la partie compare.", _TEXTS),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as its file says it: its page, the schema of its options, an example."""

    name: str
    doc: str
    schema: Mapping[str, Any]
    example: str

    @property
    def summary(self) -> str:
        """The first sentence of its page."""
        return self.doc.splitlines()[0]


def kinds() -> tuple[Kind, ...]:
    """Every kind, by name."""
    return tuple(_kind(name) for name in kind_names())


def _kind(name: str) -> Kind:
    plug = plugs.load(KINDS, name.replace("_", "-"))
    return Kind(name, (plug.__doc__ or name).strip(), plug.SCHEMA, plug.EXAMPLE.strip())


def definitions() -> dict[str, Any]:
    """The `$defs` of the schema of rules that come from here: `part` (a check) and `let` (a named value)."""
    branches: dict[str, Any] = {
        kind.name: {"description": f"{kind.doc}\n\n{kind.example}", "additionalProperties": False, **kind.schema}
        for kind in kinds()
    }
    parts = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/part"}}
    joined: dict[str, Any] = {
        "all": {"description": "Toutes ces parties sont dues.", **parts},
        "any": {"description": "L'une de ces parties suffit.", **parts},
    }
    own: dict[str, Any] = {name: {"description": said, **schema} for name, (said, schema) in _PART.items()}
    return {"part": _exactly_one({**branches, **joined}, own), "let": _let()}


def _exactly_one(chosen: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {**chosen, **others},
        "oneOf": [{"required": [name]} for name in chosen],
    }


def _let() -> dict[str, Any]:
    forms = dict.fromkeys((*AGGREGATES, *RUNNING), _VALUE)
    keys = {
        "where": _TEXT,
        "by": {"type": ["string", "array", "object"]},
        "across": {"enum": ["dossier", "convention", "run"]},
        "order": _TEXTS,
        "from": _TEXT,
    }
    found = _exactly_one(forms, keys)
    return {
        "description": "Une valeur nommée : une expression, un agrégat, ou un cumul.",
        "type": ["string", "number", "boolean", "object"],
        "if": {"type": "object"},
        "then": found,
    }


def page(kind: Kind) -> Iterator[tuple[int, str]]:
    """A kind in words: (depth, line)."""
    yield 0, kind.name
    yield from ((1, line) for line in kind.doc.splitlines())
    yield 0, ""
    yield 0, "Options"
    needed = kind.schema.get("required", ())
    for name, schema in kind.schema["properties"].items():
        yield 1, f"{name} : {_allowed(schema)}{'' if name in needed else ' (facultatif)'}"
    yield 0, ""
    yield 0, "Exemple"
    yield from ((1, line) for line in kind.example.splitlines())


def _allowed(schema: Mapping[str, Any]) -> str:
    found = schema.get("enum", schema.get("type", ""))
    return found if isinstance(found, str) else " | ".join(str(item) for item in found)


def lines(check: Any, depth: int = 0) -> Iterator[tuple[int, str]]:
    """A check in words: (depth, line) of each kind, with its summary and its options."""
    pages = {kind.name: kind.summary for kind in kinds()}
    yield from _lines(check, depth, pages)


def _lines(check: Any, depth: int, pages: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    if not isinstance(check, Mapping):
        return
    for name, options in check.items():
        if name in ("all", "any"):
            yield depth, "toutes ces parties :" if name == "all" else "l'une de ces parties :"
            for item in options:
                yield from _lines(item, depth + 1, pages)
        elif name in pages:
            yield depth, f"{name} : {pages[name]}"
            for key, value in (options or {}).items():
                yield depth + 1, f"{key}: {flat(value)}"
    for name in _PART:
        if name == "messages":
            yield from ((depth + 1, f"[{outcome}] {text}") for outcome, text in check.get(name, {}).items())
        elif name in check:
            yield depth + 1, f"[{name}] {flat(check[name])}"


def flat(value: Any) -> str:
    """A value of a rule on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flat(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flat(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
