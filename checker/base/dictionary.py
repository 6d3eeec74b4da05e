"""The dictionary of facts: tables and columns declared by `schemas/dossier.schema.json` and the extensions of packs.

A path of objects is a column; an array of objects, an array of scalars (`valeur`) or a map (`cle`, `valeur`) a table.
Each object is also a column of type `block`: whether the act is there.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from checker.base import home
from checker.model.frozen import field, frozen

ROOT = "dossier"


@frozen
class Field:
    """A column: its path inside its table, its type, what its absence means and the headers that name it."""

    name: str
    type: str
    title: str
    none: bool = False  # absent or null means « aucun »
    enum: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    computed: bool = False
    non_negative: bool = False
    derived: tuple[str, str] | None = None  # (column of the same table, how) when it is computed from another column


@frozen
class Table:
    """A table of facts. `kind`: objects, scalars or map; `parent` is the table that holds it."""

    name: str
    title: str
    kind: str
    parent: str | None
    fields: Mapping[str, Field]
    none: bool = False  # an absent list means « aucun » (else unknown)
    mandatory: bool = False  # an empty list is as good as an absent one
    any_row: bool = False  # an absent or empty list may hold any value: one row of an unknown one (`pieces.lignes`)
    schema: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@frozen
class Dictionary:
    """All tables by name; `dossier` is the root."""

    tables: Mapping[str, Table]
    schema: Mapping[str, Any] = field(compare=False, repr=False)

    def column(self, path: str) -> tuple[str, Field] | None:
        """The table and field that a full path names (`depenses.facture.date`), or None."""
        head = path
        while head:
            table = self.tables.get(head)
            if table is not None and head != ROOT:
                found = table.fields.get(path[len(head) + 1 :])
                return (table.name, found) if found is not None else None
            head = head.rpartition(".")[0]
        found = self.tables[ROOT].fields.get(path)
        return (ROOT, found) if found is not None else None

    def paths(self) -> Iterator[str]:
        """Every full path, for the nearest word of an unknown one."""
        for table in self.tables.values():
            for name in table.fields:
                yield name if table.name == ROOT else f"{table.name}.{name}"


def _leaf(name: str, node: Mapping[str, Any], computed: bool) -> Field:
    return Field(
        name=name,
        type=node.get("x-type", "text"),
        title=node.get("title", name),
        none=node.get("x-absence") == "aucun",
        enum=tuple(node.get("enum", ())),
        aliases=tuple(node.get("x-alias", ())),
        computed=computed or bool(node.get("x-computed")),
        non_negative=node.get("minimum") == 0,
        derived=tuple(node["x-derived"]) if "x-derived" in node else None,
    )


def _walk(
    tables: dict[str, Table], table: str, prefix: str, node: Mapping[str, Any], fields: dict[str, Field], computed: bool
) -> None:
    for key, child in node.get("properties", {}).items():
        path = f"{prefix}.{key}" if prefix else key
        full = path if table == ROOT else f"{table}.{path}"
        inner = computed or bool(child.get("x-computed"))
        if child.get("type") == "array" or "x-key" in child:
            _nested(tables, full, table, child, inner)
        elif child.get("type") == "object":
            none = child.get("x-absence") == "aucun"
            fields[path] = Field(path, "block", child.get("title", key), none=none, computed=inner)
            _walk(tables, table, path, child, fields, inner)
        else:
            fields[path] = _leaf(path, child, computed)


def _nested(tables: dict[str, Table], name: str, parent: str, node: Mapping[str, Any], computed: bool) -> None:
    fields: dict[str, Field] = {}
    if "x-key" in node:
        kind = "map"
        fields["cle"] = _leaf("cle", node["x-key"], computed)
        fields["valeur"] = _leaf("valeur", node["additionalProperties"], computed)
    elif node["items"].get("type") == "object":
        kind = "objects"
    else:
        kind = "scalars"
        fields["valeur"] = _leaf("valeur", node["items"], computed)
    tables[name] = Table(
        name=name,
        title=node.get("title", name),
        kind=kind,
        parent=parent,
        fields=fields,
        none=node.get("x-absence") == "aucun",
        mandatory=node.get("x-empty") == "inconnu",
        any_row=bool(node.get("x-any")),
        schema=node,
    )
    if kind == "objects":
        _walk(tables, name, "", node["items"], fields, computed)


def _merge(base: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in extra.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged


def build(*schemas: Mapping[str, Any]) -> Dictionary:
    """The dictionary of these JSON schemas, the later ones laid over the first."""
    merged: dict[str, Any] = {}
    for schema in schemas:
        merged = _merge(merged, schema)
    fields: dict[str, Field] = {}
    tables: dict[str, Table] = {}
    tables[ROOT] = Table(ROOT, merged.get("title", ROOT), "objects", None, fields, schema=merged)
    _walk(tables, ROOT, "", merged, fields, False)
    return Dictionary(tables, merged)


@functools.cache
def load(*extensions: Path) -> Dictionary:
    """The shipped dictionary with the extensions of packs (`dossier.schema.json`) laid over it."""
    texts = [(home.schemas() / "dossier.schema.json").read_text(encoding="utf-8")]
    texts += [path.read_text(encoding="utf-8") for path in extensions]
    return build(*(json.loads(text) for text in texts))
