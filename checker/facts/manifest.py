"""`dossier.yaml` -> rows: the dictionary walked beside the YAML tree. Wrong structure is a fault, a wrong value not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from checker.base import yamlfile
from checker.base.dictionary import ROOT, Dictionary, Table
from checker.base.plugs import nearest
from checker.base.yamlfile import Node
from checker.model import Fault, Place, Row, State, Value


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
        self.sheets: list[tuple[Table, str, Place]] = []

    def place(self, node: Node) -> Place:
        return Place(self.shown, node.line, node.column)

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
        properties: Mapping[str, Any] = schema.get("properties", {})
        for key, child in node.data.items():
            declared = properties.get(key)
            if self.full():
                return
            if declared is None or (_computed(declared) and not self.computed):
                known = [name for name, item in properties.items() if not _computed(item)]
                close = nearest(key, known)
                todo = f"Écrire « {close} » ?" if close else "La retirer."
                self.fault(f"clé inconnue : « {key} »", self._at_key(key, child), todo)
        for key, declared in properties.items():
            path = f"{prefix}.{key}" if prefix else key
            child = node.data.get(key)
            if declared.get("type") == "array" or "x-key" in declared:
                self._list(child, path if table == ROOT else f"{table}.{path}", index, node)
            elif declared.get("type") == "object":
                self._block(child, declared, table, path, row, index)
            elif child is not None:
                row[path] = self._leaf(child)

    def _leaf(self, node: Node) -> Value:
        if isinstance(node.data, dict | list):
            shape = "une liste" if isinstance(node.data, list) else "un objet"
            self.fault(f"{shape} au lieu d'une valeur", node)
            return Value(None, self.place(node))
        return Value(node.data, self.place(node))

    def _block(self, node: Node | None, schema: Mapping[str, Any], table: str, path: str, row: Row, index: int) -> None:
        if node is None or node.data is None:
            inner = Node({}, 1, 1)
            if node is not None:
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
        self.places.setdefault(name, self.place(node or above))
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


def outside(relative: str) -> bool:
    """Whether a path as written leaves its folder or is not one."""
    path = PurePosixPath(relative.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or "\x00" in relative or ":" in relative[:2]
