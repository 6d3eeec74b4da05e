"""`dossier.yaml` -> rows: the dictionary walked beside the YAML tree. Wrong structure is a fault, a wrong value not."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from checker.base import yamlfile
from checker.base.dictionary import ROOT, Dictionary, Table
from checker.base.plugs import nearest
from checker.base.yamlfile import Node
from checker.model import Fault, Place, Row, State, Value

_new = tuple.__new__  # a named tuple without its Python constructor: a manifest has hundreds
_LEAF, _LIST, _BLOCK = range(3)
_NOTHING = Node({}, 1, 1)  # an object that is not there
Step = tuple[str, str, int, Mapping[str, Any], tuple[str, ...]]  # key, path, kind, schema, lists inside


class Walks:
    """How the objects of a dictionary are walked, and the columns of it that name a file."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary
        self._steps: dict[tuple[int, str, str, bool], tuple[list[Step], frozenset[str]]] = {}
        named = {
            name: [field.name for field in table.fields.values() if field.type == "file"]
            for name, table in dictionary.tables.items()
        }
        self.files = {name: columns for name, columns in named.items() if columns}

    def of(
        self, schema: Mapping[str, Any], table: str, prefix: str, computed: bool
    ) -> tuple[list[Step], frozenset[str]]:
        """The properties of an object in order, and the keys that it may have (`computed`: those of no author too)."""
        asked = (id(schema), table, prefix, computed)
        if asked not in self._steps:
            properties: Mapping[str, Any] = schema.get("properties", {})
            known = frozenset(name for name, item in properties.items() if computed or not _computed(item))
            self._steps[asked] = [self._step(key, item, table, prefix) for key, item in properties.items()], known
        return self._steps[asked]

    def _step(self, key: str, declared: Mapping[str, Any], table: str, prefix: str) -> Step:
        path = f"{prefix}.{key}" if prefix else key
        if declared.get("type") == "array" or "x-key" in declared:
            return key, path if table == ROOT else f"{table}.{path}", _LIST, declared, ()
        if declared.get("type") != "object":
            return key, path, _LEAF, declared, ()
        return key, path, _BLOCK, declared, tuple(self._hollow(declared, table, path))

    def _hollow(self, schema: Mapping[str, Any], table: str, prefix: str) -> Iterator[str]:
        """The lists of an object that is not there."""
        for key, item in schema.get("properties", {}).items():
            _, path, kind, _, inside = self._step(key, item, table, prefix)
            if kind == _LIST:
                yield path
            yield from inside


@functools.lru_cache(maxsize=16)
def _walks(number: int) -> list[Walks]:
    """What is known of the dictionary of that id, which it keeps so that the id stays its own."""
    del number
    return []


def walks(dictionary: Dictionary) -> Walks:
    """How it is walked, prepared once."""
    held = _walks(id(dictionary))
    if not held:
        held.append(Walks(dictionary))
    return held[0]


class Builder:
    """Collects the rows of one dossier while its manifest is walked."""

    def __init__(self, dictionary: Dictionary, shown: str, text: str, computed: bool) -> None:
        self.dictionary = dictionary
        self.shown = shown
        self.text = text
        self.computed = computed  # whether computed keys may be given (rule examples)
        self.tables: dict[str, list[Row]] = {name: [] for name in dictionary.tables}
        self.parents: dict[str, list[int]] = {name: [] for name in dictionary.tables}
        self.states: dict[tuple[str, int], State] = {}
        self.places: dict[str, Place] = {}
        self.faults: list[Fault] = []
        self._walks = walks(dictionary)
        self.sheets: list[tuple[Table, str, Place]] = []

    def place(self, node: Node) -> Place:
        return _new(Place, (self.shown, node.line, node.column, None, None))

    def fault(self, what: str, node: Node, todo: str = "") -> None:
        if self.full():
            return
        if len(self.faults) == yamlfile.MAX_PROBLEMS:
            what, todo = f"plus de {yamlfile.MAX_PROBLEMS} fautes : les suivantes ne sont pas dites", ""
        self.faults.append(Fault(what, self.place(node), yamlfile.excerpt(self.text, node.line), todo))

    def _at_key(self, key: str, child: Node) -> Node:
        """The child, standing at its key when that is on the same line."""
        lines = self.text.splitlines()
        before = lines[child.line - 1][: child.column - 1] if 0 < child.line <= len(lines) else ""
        at = before.rfind(key)
        return Node(None, child.line, at + 1 if at >= 0 else child.column)

    def full(self) -> bool:
        """Whether the manifest has more faults than a person reads."""
        return len(self.faults) > yamlfile.MAX_PROBLEMS

    def root(self, node: Node) -> None:
        """Walk the whole manifest."""
        row: Row = {}
        self.tables[ROOT].append(row)
        self.parents[ROOT].append(0)
        if not isinstance(node.data, dict):
            self.fault("le fichier n'est pas un objet : des clés suivies de valeurs", node)
            return
        self._object(node, self.dictionary.schema, ROOT, "", row, 0)

    def _object(self, node: Node, schema: Mapping[str, Any], table: str, prefix: str, row: Row, index: int) -> None:
        steps, known = self._walks.of(schema, table, prefix, self.computed)
        data = node.data
        if (data.keys() - known or self.full()) and not self._unknown(data, schema):
            return
        for key, path, kind, declared, hollow in steps:
            child = data.get(key)
            if kind == _LIST:
                self._list(child, path, index, node)
            elif child is None:
                for name in hollow:
                    self._list(None, name, index, _NOTHING)
            elif kind == _LEAF:
                row[path] = self._leaf(child)
            else:
                self._block(child, declared, table, path, row, index)

    def _unknown(self, data: Mapping[str, Node], schema: Mapping[str, Any]) -> bool:
        """Say which keys are unknown; whether the rest is worth walking."""
        properties: Mapping[str, Any] = schema.get("properties", {})
        for key, child in data.items():
            declared = properties.get(key)
            if self.full():
                return False
            if declared is None or (_computed(declared) and not self.computed):
                known = [name for name, item in properties.items() if not _computed(item)]
                close = nearest(key, known)
                todo = f"Écrire « {close} » ?" if close else "La retirer."
                self.fault(f"clé inconnue : « {key} »", self._at_key(key, child), todo)
        return True

    def _leaf(self, node: Node) -> Value:
        data = node.data
        if data.__class__ is dict or data.__class__ is list:
            shape = "une liste" if data.__class__ is list else "un objet"
            self.fault(f"{shape} au lieu d'une valeur", node)
            return Value(None, self.place(node))
        return _new(Value, (data, _new(Place, (self.shown, node.line, node.column, None, None)), None))

    def _block(self, node: Node, schema: Mapping[str, Any], table: str, path: str, row: Row, index: int) -> None:
        if node.data is None:
            inner = _NOTHING
            row[path] = Value(None, self.place(node))
        elif isinstance(node.data, dict):
            inner = node
            row[path] = Value("true", self.place(node))
        elif isinstance(node.data, list):
            self.fault("une liste au lieu d'un objet", node)
            return
        else:
            inner = Node({}, node.line, node.column)
            blank = not node.data.strip()
            row[path] = (
                Value("", self.place(node))
                if blank
                else Value(node.data, self.place(node), "un texte au lieu d'un objet")
            )
        self._object(inner, schema, table, path, row, index)

    def _list(self, node: Node | None, name: str, parent: int, above: Node) -> None:
        table = self.dictionary.tables[name]
        if name not in self.places:
            self.places[name] = self.place(node or above)
        if node is None or node.data is None:
            self._no_list(table, parent, State.NONE if table.none else State.ABSENT)
        elif isinstance(node.data, str):
            self._no_list(table, parent, State.UNREADABLE if node.data.strip() else State.BLANK)
        elif table.kind == "map":
            self._map(node, table, parent)
        elif isinstance(node.data, dict):
            self._sheet(node, table, parent)
        else:
            self._items(node, table, parent)

    def _no_list(self, table: Table, parent: int, state: State) -> None:
        if table.any_row:  # a list that is not there, or not read, may hold any value
            place = self.places[table.name]
            fault = "une liste est attendue" if state is State.UNREADABLE else None
            self._add(table, parent, {"valeur": Value("" if state is State.BLANK else None, place, fault)})
        else:
            self.states[(table.name, parent)] = state

    def _add(self, table: Table, parent: int, row: Row) -> int:
        self.tables[table.name].append(row)
        self.parents[table.name].append(parent)
        return len(self.tables[table.name]) - 1

    def _map(self, node: Node, table: Table, parent: int) -> None:
        if not isinstance(node.data, dict):
            self.fault("une liste au lieu d'un objet", node)
            return
        for key, child in node.data.items():
            value = self._leaf(child)
            self._add(table, parent, {"cle": Value(key, value.place), "valeur": value})

    def _sheet(self, node: Node, table: Table, parent: int) -> None:
        source = node.data.get("fichier")
        if table.kind != "objects" or table.parent != ROOT or set(node.data) != {"fichier"} or source.data is None:
            self.fault("un objet au lieu d'une liste", node, "Écrire une liste, ou `fichier:` et le nom du tableur.")
            return
        if not isinstance(source.data, str) or not source.data.strip():
            self._no_list(table, parent, State.BLANK)
            return
        self.sheets.append((table, source.data, self.place(source)))

    def _items(self, node: Node, table: Table, parent: int) -> None:
        if not isinstance(node.data, list):
            self.fault("un objet au lieu d'une liste", node)
            return
        if not node.data and table.mandatory:
            self.states[(table.name, parent)] = State.ABSENT
        if not node.data and table.any_row:
            self._add(table, parent, {})
        for item in node.data:
            row: Row = {}
            index = self._add(table, parent, row)
            if table.kind == "scalars":
                value = self._leaf(item)
                row["valeur"] = value._replace(fault="valeur nulle dans une liste") if value.raw is None else value
            elif isinstance(item.data, dict):
                self._object(item, table.schema["items"], table.name, "", row, index)
            else:
                self.fault("une valeur au lieu d'un objet dans la liste", item)


def _computed(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("x-computed"))


@functools.lru_cache(maxsize=4096)
def outside(relative: str) -> bool:
    """Whether a path as written leaves its folder or is not one."""
    path = PurePosixPath(relative.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or "\x00" in relative or ":" in relative[:2]
