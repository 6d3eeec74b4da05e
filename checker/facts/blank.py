"""A manifest to fill in: every key of the dictionary that a person may write, its French title, no value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checker.base.dictionary import Dictionary

_COLUMN = 44
_HINTS = {
    "date": "AAAA-MM-JJ",
    "money": "euros, deux décimales",
    "percent": "pourcentage",
    "boolean": "true ou false",
    "file": "fichier du dossier",
    "person": "prénom et nom",
    **dict.fromkeys(("code", "code_compose", "account", "siret", "iban", "reference", "invoice"), "entre guillemets"),
}
_HEAD = """\
# Un dossier : un répertoire qui contient ce fichier et ses pièces. Les chemins sont relatifs à ce fichier.
# Une clé absente ou nulle = fait inconnu ; une chaîne vide = absence constatée.
# « facultatif » : absente ou nulle veut dire « aucun ». Les codes et les numéros sont du texte, entre guillemets.
"""


def manifest(dictionary: Dictionary, convention: str, reference: str) -> str:
    """The text of a new `dossier.yaml`; only its three required keys have a value."""
    properties: Mapping[str, Any] = dictionary.schema["properties"]
    first = str(properties["etape"]["enum"][0])
    given = {"convention": convention, "reference": f'"{reference.replace(chr(34), "")}"', "etape": first}
    lines: list[str] = []
    for key, node in properties.items():
        block = list(_entry(key, node, 0, False, given.get(key, "null")))
        if len(block) > 1:
            lines.append("")
        lines += block
    return _HEAD + "\n".join(lines) + "\n"


def _entry(key: str, node: Mapping[str, Any], indent: int, muted: bool, value: str = "null") -> Iterator[str]:
    """The lines of one key; what means « aucun » when absent is given as comments below it (`muted`: already one)."""
    if node.get("x-computed"):
        return
    none = node.get("x-absence") == "aucun"
    said = _said(node, none)
    items = node["items"] if node.get("type") == "array" else node
    if items.get("type") != "object" or "x-key" in node:
        yield _line(indent, f"{key}: {'[]' if none and node.get('type') == 'array' else value}", said)
        return
    hidden = none and not muted
    yield _line(indent, f"{key}: {'[]' if items is not node else 'null'}" if hidden else f"{key}:", said)
    below = [
        line for name, child in items["properties"].items() for line in _entry(name, child, indent + 2, muted or none)
    ]
    if items is not node:
        below = [" " * (indent + 2) + ("- " if at == 0 else "  ") + line[indent + 2 :] for at, line in enumerate(below)]
    yield from (" " * indent + "# " + line[indent:] if hidden else line for line in below)


def _line(indent: int, text: str, said: str) -> str:
    return f"{' ' * indent + text:{_COLUMN - 1}} # {said}"


def _said(node: Mapping[str, Any], none: bool) -> str:
    leaf = node.get("items", node)
    hint = " | ".join(leaf["enum"]) if "enum" in leaf else _HINTS.get(leaf.get("x-type", ""), "")
    if "x-key" in node:
        hint = f"{{{node['x-key']['title']}: {node['additionalProperties']['title']}}}"
    elif node.get("type") == "array":
        hint = ", ".join(part for part in ("liste", hint) if part)
    known = [part for part in ("facultatif" if none else "", hint) if part]
    return f"{node['title']} : {', '.join(known)}" if known else str(node["title"])
