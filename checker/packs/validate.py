"""An authored file against its published schema: every fault at once, in French, with line, column and excerpt."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from checker.base import home
from checker.base.plugs import nearest
from checker.base.yamlfile import Document, Key
from checker.errors import Problem

SCHEMAS = ("rule", "pack", "quitus")
_TYPES = {
    "string": "un texte",
    "number": "un nombre",
    "integer": "un nombre entier",
    "boolean": "true ou false",
    "object": "un objet",
    "array": "une liste",
    "null": "rien",
}


def validate(document: Document, schema_name: str) -> list[Problem]:
    """The faults of a document, in the order of its lines; `schema_name`: rule, pack or quitus."""
    found: dict[tuple[Key, str], Problem] = {}
    errors = list(_validator(schema_name).iter_errors(document.data))
    strange = {tuple(error.absolute_path) for error in errors if error.validator == "additionalProperties"}
    for error in errors:
        where = tuple(error.absolute_path)
        if error.validator in ("oneOf", "anyOf") and where in strange:
            continue  # the unknown key says it already
        for path, what, todo in _said(error, where):
            found.setdefault((path, what), document.problem(what, path, todo=todo))
    return sorted(found.values(), key=lambda item: (item.line or 0, item.column or 0))


@functools.cache
def _validator(name: str) -> Any:
    import jsonschema

    text = (home.schemas() / f"{name}.schema.json").read_text(encoding="utf-8")
    base: Any = jsonschema.Draft202012Validator
    extend: Any = jsonschema.validators.extend
    checker = base.TYPE_CHECKER.redefine("number", _number).redefine("integer", _integer)
    return extend(base, type_checker=checker)(json.loads(text))


def _number(_: Any, value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _integer(_: Any, value: Any) -> bool:
    return _number(_, value) and value == int(value)


Said = Iterable[tuple[Key, str, str]]  # path, what, what to do


def _said(error: Any, where: Key) -> Said:
    say = _SAY.get(error.validator)
    return say(error, where) if say else [(where, f"{_shown(error.instance)} : {error.validator} refusé", "")]


def _unknown_keys(error: Any, where: Key) -> Said:
    known = list(error.schema.get("properties", {}))
    for key in error.instance:
        if key not in known:
            close = nearest(str(key), known)
            todo = f"Écrire « {close} » ?" if close else "Connues : " + ", ".join(known)
            yield (*where, key), f"clé inconnue : « {key} »", todo


def _missing(error: Any, where: Key) -> Said:
    for key in error.validator_value:
        if key not in error.instance:
            yield where, f"la clé « {key} » manque", ""


def _one_of(error: Any, where: Key) -> Said:
    words = [item["required"][0] for item in error.validator_value if "required" in item]
    present = [word for word in words if word in error.instance]
    if present and error.validator == "oneOf":
        yield where, "une seule de ces clés est attendue : " + ", ".join(present), "N'en garder qu'une."
    else:
        yield where, "une de ces clés est attendue : " + ", ".join(words), ""


def _type(error: Any, where: Key) -> Said:
    wanted = error.validator_value
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    yield where, f"{_shown(error.instance)} : {' ou '.join(_TYPES[name] for name in names)} est attendu", ""


def _enum(error: Any, where: Key) -> Said:
    known = [str(item) for item in error.validator_value]
    close = nearest(str(error.instance), known)
    todo = f"Écrire « {close} » ?" if close else "Connus : " + ", ".join(known)
    yield where, f"{_shown(error.instance)} n'est pas une valeur connue", todo


def _plain(text: str) -> Callable[[Any, Key], Said]:
    def say(error: Any, where: Key) -> Said:
        yield where, text.format(shown=_shown(error.instance), limit=error.validator_value), ""

    return say


_SAY: Mapping[str, Callable[[Any, Key], Said]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing,
    "oneOf": _one_of,
    "anyOf": _one_of,
    "type": _type,
    "enum": _enum,
    "pattern": _plain("{shown} n'a pas la forme attendue ({limit})"),
    "minLength": _plain("{shown} : un texte d'au moins {limit} signe(s) est attendu"),
    "minItems": _plain("une liste d'au moins {limit} élément(s) est attendue"),
    "minimum": _plain("{shown} est au-dessous de {limit}"),
    "maximum": _plain("{shown} est au-dessus de {limit}"),
}


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "un objet"
    if isinstance(value, list):
        return "une liste"
    return "rien" if value is None else f"« {str(value)[:60]} »"
