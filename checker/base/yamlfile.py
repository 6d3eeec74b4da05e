"""YAML as a tree of text with places. YAML 1.2 core in meaning: numbers, booleans and null are recognised later,
from the plain text, so that `00014`, `NO` and `1.10` stay what was written.

Refused: duplicate keys, keys that are not text, merge keys, anchors and aliases, tags, more than one document.
"""

from __future__ import annotations

import functools
import gc
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from checker.errors import ConfigurationError, Problem

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 20_000_000
MAX_DEPTH = 64
MAX_PROBLEMS = 100  # of one file: the others are said to be there
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+\Z")


class _Loader(_BASE):  # type: ignore[misc]
    """PyYAML's loader without its guesses of types: they cost more than the parsing, and nothing here reads them."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        del kind, value, implicit
        return ""

    def descend_resolver(self, current: Any, index: Any) -> None:
        """Nothing resolves by path."""

    def ascend_resolver(self) -> None:
        """Nothing resolves by path."""


class Node:
    """A YAML value: `data` is text, None (null), a dict of nodes or a list of nodes; lines and columns count from 1."""

    __slots__ = ("column", "data", "line", "plain")

    def __init__(self, data: Any, line: int, column: int, plain: bool = False) -> None:
        self.data = data
        self.line = line
        self.column = column
        self.plain = plain


class YamlError(ConfigurationError):
    """The text is not YAML as this program reads it; the problems carry line, column and excerpt."""


def excerpt(text: str, line: int | None) -> str:
    """The line of the text, cut to 120 characters."""
    lines = _lines(text)
    if line is None or not 0 < line <= len(lines):
        return ""
    return lines[line - 1].strip()[:120]


@functools.lru_cache(maxsize=1)
def _lines(text: str) -> list[str]:
    return text.splitlines()


def read_text(path: Path, shown: str) -> str:
    """The UTF-8 text of a file (BOM allowed); refused when too big, not UTF-8 or unreadable."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise YamlError([Problem(f"fichier de plus de {MAX_BYTES // 1_000_000} Mo", shown)])
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise YamlError(
            [Problem("le fichier n'est pas du texte UTF-8", shown, line, todo="L'enregistrer en UTF-8.")]
        ) from None
    except OSError as error:
        raise YamlError([Problem(f"fichier illisible : {error.strerror}", shown)]) from None


def compose(text: str, shown: str) -> Node:
    """The tree of one YAML document; all faults of structure at once (YamlError)."""
    collects = gc.isenabled()
    gc.disable()  # a tree has no cycle: looking for some in millions of nodes takes three times their reading
    try:
        return _compose(text, shown)
    finally:
        if collects:
            gc.enable()


def _compose(text: str, shown: str) -> Node:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        column = mark.column + 1 if mark else None
        what = f"YAML invalide : {error.problem or error.context or 'structure'}"
        raise YamlError([Problem(what, shown, line, column, excerpt(text, line))]) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise YamlError([Problem(f"YAML invalide : {str(error).splitlines()[0]}", shown)]) from None
    if root is None:
        raise YamlError([Problem("le fichier est vide", shown, 1, 1)])
    found = _Conversion(text, shown)
    try:
        node = found.node(root, 0)
    except _Enough:
        found.problems.append(Problem(f"plus de {MAX_PROBLEMS} fautes : les suivantes ne sont pas dites", shown))
    if found.problems:
        raise YamlError(found.problems)
    return node


class _Enough(Exception):
    """The file has more faults than a person reads."""


class _Conversion:
    """PyYAML's nodes -> ours, and what is refused."""

    def __init__(self, text: str, shown: str) -> None:
        self.text, self.shown = text, shown
        self.problems: list[Problem] = []
        self._seen: set[int] = set()

    def fault(self, what: str, where: Any, todo: str = "") -> None:
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Enough
        mark = where.start_mark
        line = mark.line + 1
        self.problems.append(Problem(what, self.shown, line, mark.column + 1, excerpt(self.text, line), todo=todo))

    def scalar(self, node: Any, line: int, column: int) -> Node:
        """A text, where it stands."""
        value = node.value
        plain = not node.style
        if plain and value in NULLS:
            return Node(None, line, column, True)
        tag = node.tag
        if tag and (tag == "tag:yaml.org,2002:binary" or tag.startswith("!")):
            self.fault("les marques « ! » de YAML sont refusées", node)
        return Node(value, line, column, plain)

    def node(self, node: Any, depth: int) -> Node:
        """A value, where it stands."""
        mark = node.start_mark
        line, column = mark.line + 1, mark.column + 1
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, line, column)
        if id(node) in self._seen:
            self.fault("les ancres et alias de YAML sont refusés", node, "Écrire la valeur en clair.")
            return Node(None, line, column)
        self._seen.add(id(node))
        if depth > MAX_DEPTH:
            self.fault("structure trop profonde", node)
            return Node(None, line, column)
        if isinstance(node, yaml.SequenceNode):
            return Node([self.node(item, depth + 1) for item in node.value], line, column)
        return Node(self._mapping(node, depth + 1), line, column)

    def _mapping(self, node: Any, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        scalar = yaml.ScalarNode
        for key, value in node.value:
            if not isinstance(key, scalar):
                self.fault("une clé n'est pas du texte", key)
                continue
            name = key.value
            if name == "<<" and not key.style:
                self.fault("les clés de fusion « << » sont refusées", key, "Écrire les clés en clair.")
                continue
            if name in found:
                self.fault(f"clé en double : « {name} »", key, "N'en garder qu'une.")
                continue
            at, mark = key.start_mark, value.start_mark
            if isinstance(value, scalar):
                child = self.scalar(value, mark.line + 1, mark.column + 1)
            else:
                child = self.node(value, depth)
            if mark.line != at.line:  # a block stands at its key
                child = Node(child.data, at.line + 1, at.column + 1, child.plain)
            found[name] = child
        return found


Key = tuple[str | int, ...]


def to_data(node: Node, places: dict[Key, tuple[int, int]] | None = None, path: Key = ()) -> Any:
    """Plain Python data: text, int, Decimal, bool, None, dict, list; `places` receives (line, column) of each path."""
    if places is not None:
        places[path] = (node.line, node.column)
    if isinstance(node.data, dict):
        return {key: to_data(child, places, (*path, key)) for key, child in node.data.items()}
    if isinstance(node.data, list):
        return [to_data(child, places, (*path, index)) for index, child in enumerate(node.data)]
    if node.data is None or not node.plain:
        return node.data
    if node.data in _BOOLEANS:
        return _BOOLEANS[node.data]
    if _INTEGER.match(node.data):
        return int(node.data)
    return Decimal(node.data) if _DECIMAL.match(node.data) else node.data


class Document:
    """An authored file: its data, and where each path stands (line, column)."""

    __slots__ = ("data", "places", "shown", "text")

    def __init__(self, data: Any, places: Mapping[Key, tuple[int, int]], shown: str, text: str) -> None:
        self.data = data
        self.places = places
        self.shown = shown
        self.text = text

    def problem(self, what: str, path: Key = (), why: str = "", todo: str = "") -> Problem:
        """A fault at that path, or at the nearest one above that has a place."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return Problem(what, self.shown, line, column, excerpt(self.text, line), why, todo)


def load(path: Path, shown: str | None = None) -> Document:
    """An authored YAML file with its places (YamlError when refused)."""
    name = shown if shown is not None else path.name
    text = read_text(path, name)
    return parse(text, name)


def parse(text: str, shown: str) -> Document:
    """The same from a text already read."""
    places: dict[Key, tuple[int, int]] = {}
    data = to_data(compose(text, shown), places)
    return Document(data, places, shown, text)


def load_data(path: Path) -> Any:
    """The plain data of an authored YAML file."""
    return load(path).data


class Entry(NamedTuple):
    """The value of a key of the document, by offsets in the text; `items`: of a list, start and end of each."""

    kind: str  # scalar, flow, block; "" for what is no list nor scalar
    start: int
    end: int
    items: tuple[tuple[int, int], ...] = ()


class Layout(NamedTuple):
    """Where a document can be added to: how its object is written, its column, its start, the end of what it says."""

    flow: bool
    column: int
    start: int
    end: int
    entry: Entry | None  # of the key asked for, when it is there


def layout(text: str, key: str) -> Layout | None:
    """Where an object that `compose` admits stands and holds that key; None when the document is no object."""
    root = yaml.compose(text, Loader=_Loader)
    if not isinstance(root, yaml.MappingNode):
        return None
    found = next((value for name, value in root.value if name.value == key), None)
    mark = root.start_mark
    return Layout(root.flow_style, mark.column, mark.index, _end(root), None if found is None else _entry(found))


def _entry(node: Any) -> Entry:
    if isinstance(node, yaml.SequenceNode):
        items = tuple((item.start_mark.index, _end(item)) for item in node.value)
        return Entry("flow" if node.flow_style else "block", node.start_mark.index, _end(node), items)
    kind = "scalar" if isinstance(node, yaml.ScalarNode) else ""
    return Entry(kind, node.start_mark.index, _end(node))


def _end(node: Any) -> int:
    """Where the last thing that a node says ends: the mark of a block is the start of what follows it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return max(_end(part) for part in (last if isinstance(last, tuple) else (last,)))
