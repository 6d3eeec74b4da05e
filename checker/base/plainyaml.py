"""The YAML that people write in manifests, read line by line: keys, lists, scalars, and `{…}` or `[…]` on one line.

Door: `read`. What is not surely that (several lines, escapes, anchors, tabs, unknown signs, any fault) is None, for
`yamlfile` to parse by libyaml, whose nodes those given here are equal to. Lines are alike from one manifest to the
next: each is understood once for its number.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from checker.base.yamlfile import NULLS, Node

_DEPTH: Final = 16
_KEPT: Final = 20_000  # lines, of at most so many signs:
_LONG: Final = 400

_NAME = r'(?:([A-Za-z_]\w*)|"([^"\\]{1,60})"):'
_FIRST = r"(?:[\w./(~+$]|-(?=[\w.]))"
_QUOTED = r"\"([^\"\\]*)\"|'([^']*)'"
_WORD = r"[^: ]"  # a plain scalar: `: ` and ` #` end it
_INNER = r"[^,\[\]{}?:# ]"  # one inside brackets
_END = r" *(?: #.*)?\Z"
_KEY: Final = re.compile(rf"{_NAME}(?= |\Z)")
_EMPTY: Final = re.compile(_END)
_SCALAR: Final = re.compile(rf" *(?:{_QUOTED}|({_FIRST}{_WORD}*+(?:(?::| +(?!#)){_WORD}++)*+)){_END}")
_FLOW_KEY: Final = re.compile(rf" *{_NAME} +")
_FLOW_SCALAR: Final = re.compile(rf" *(?:{_QUOTED}|({_FIRST}{_INNER}*+(?: +{_INNER}++)*+)) *([,\]}}])")
_AFTER: Final = re.compile(r" *([,\]}])")


class _Line(NamedTuple):
    """A line that says something: `- ` at `dash` (-1: none), then a key at `indent` ("" : none), then a value."""

    indent: int
    dash: int
    key: str
    node: Node | None  # None: nothing on this line
    number: int
    after: int  # the column after the key


class _Other(Exception):
    """The text is not of this sort."""


_SILENT: Final = _Line(-1, -1, "", None, 0, 0)  # a blank line, a comment
_known: dict[int, dict[str, _Line]] = {}  # number -> text -> what it says
_many: list[int] = [0]


def read(text: str) -> Node | None:
    """The tree of a manifest, or None when libyaml must say what it is."""
    if not text.replace("\n", "").isprintable():
        return None
    try:
        return _Reader().read(text.split("\n"))
    except _Other:
        return None


class _Reader:
    """The blocks that are open: (indent, dict or list) from the outer one, and the key that waits for its value."""

    def __init__(self) -> None:
        self._open: list[tuple[int, Any]] = []
        self._waits: tuple[dict[str, Node], _Line] | None = None

    def read(self, lines: list[str]) -> Node:
        root: Node | None = None
        for number, text in enumerate(lines, 1):
            held = _known.get(number)
            line = held.get(text) if held is not None else None
            if line is None:
                line = _understood(text, number)
            if line is _SILENT:
                continue
            if root is None:
                if line.dash >= 0 or line.indent:
                    raise _Other
                root = Node({}, number, 1)
                self._open.append((0, root.data))
            if line.dash >= 0:
                self._item(line)
            else:
                self._pair(line)
        if root is None:
            raise _Other
        self._settle()
        return root

    def _settle(self) -> None:
        """What a key says that nothing follows: null, where its value would have begun."""
        if self._waits is not None:
            found, line = self._waits
            found[line.key] = Node(None, line.number, line.after, True)
            self._waits = None

    def _nest(self, indent: int, data: Any) -> None:
        """A block under the key that waits; it stands at that key."""
        assert self._waits is not None
        found, line = self._waits
        found[line.key] = Node(data, line.number, line.indent + 1)
        self._waits = None
        self._push(indent, data)

    def _push(self, indent: int, data: Any) -> None:
        if len(self._open) > _DEPTH:
            raise _Other
        self._open.append((indent, data))

    def _pair(self, line: _Line) -> None:
        if self._waits is not None:
            if line.indent > self._waits[1].indent:
                self._nest(line.indent, {})
            else:
                self._settle()
        blocks = self._open
        while blocks[-1][0] > line.indent or (blocks[-1][0] == line.indent and blocks[-1][1].__class__ is list):
            blocks.pop()
            if not blocks:
                raise _Other
        self._put(line)

    def _put(self, line: _Line) -> None:
        indent, found = self._open[-1]
        if indent != line.indent or line.key in found:
            raise _Other
        if line.node is None:
            self._waits = found, line
            found[line.key] = _WAITING
        else:
            found[line.key] = line.node

    def _item(self, line: _Line) -> None:
        if self._waits is not None:
            if line.dash >= self._waits[1].indent:
                self._nest(line.dash, [])
            else:
                self._settle()
        blocks = self._open
        while blocks[-1][0] > line.dash:
            blocks.pop()
        indent, found = blocks[-1]
        if indent != line.dash or found.__class__ is not list:
            raise _Other
        if line.key:
            data: dict[str, Node] = {}
            found.append(Node(data, line.number, line.indent + 1))
            self._push(line.indent, data)
            self._put(line)
        elif line.node is not None:
            found.append(line.node)


_WAITING: Final = Node(None, 0, 0, True)


def _understood(text: str, number: int) -> _Line:
    """What a line says, kept for the manifests that have the same one there."""
    line = _line(text, number)
    if _many[0] < _KEPT and len(text) <= _LONG:
        _many[0] += 1
        _known.setdefault(number, {})[text] = line
    return line


def _line(text: str, number: int) -> _Line:
    body = text.lstrip(" ")
    if not body or body[0] == "#":
        return _SILENT
    indent, dash = len(text) - len(body), -1
    if body.startswith("- "):
        dash = indent
        indent = len(text) - len(body[2:].lstrip(" "))
    named = _KEY.match(text, indent)
    if named is None:
        if dash < 0:
            raise _Other
        return _Line(indent, dash, "", _value(text, indent, number), number, 0)
    key, at = named[1] or named[2], named.end()
    node = None if _EMPTY.match(text, at) else _value(text, at, number)
    return _Line(indent, dash, key, node, number, at + 1)


def _value(text: str, at: int, number: int) -> Node:
    """The value that ends a line."""
    found = _SCALAR.match(text, at)
    if found is not None:
        return _scalar(found, number)
    start = len(text) - len(text[at:].lstrip(" "))
    if text[start : start + 1] not in ("[", "{"):
        raise _Other
    node, end = _flow(text, start, number, 0)
    if not _EMPTY.match(text, end):
        raise _Other
    return node


def _scalar(found: re.Match[str], number: int) -> Node:
    plain = found[3]
    if plain is not None:
        return Node(None if plain in NULLS else plain, number, found.start(3) + 1, True)
    which = 1 if found[1] is not None else 2
    return Node(found[which], number, found.start(which))  # the quote is one sign before


def _flow(text: str, start: int, number: int, depth: int) -> tuple[Node, int]:
    """A list or an object in brackets, and where it ends."""
    if depth > _DEPTH:
        raise _Other
    close = "]" if text[start] == "[" else "}"
    pairs: dict[str, Node] = {}
    items: list[Node] = []
    at = start + 1
    if text[at:].lstrip(" ")[:1] == close:
        return Node(pairs if close == "}" else items, number, start + 1), text.index(close, at) + 1
    while True:
        key = ""
        if close == "}":
            named = _FLOW_KEY.match(text, at)
            if named is None:
                raise _Other
            key, at = named[1] or named[2], named.end()
            if key in pairs:
                raise _Other
        found = _FLOW_SCALAR.match(text, at)
        if found is not None:
            node, sign, at = _scalar(found, number), found[4], found.end()
        else:
            begin = len(text) - len(text[at:].lstrip(" "))
            if text[begin : begin + 1] not in ("[", "{"):
                raise _Other
            node, end = _flow(text, begin, number, depth + 1)
            after = _AFTER.match(text, end)
            if after is None:
                raise _Other
            sign, at = after[1], after.end()
        if close == "}":
            pairs[key] = node
        else:
            items.append(node)
        if sign != ",":
            if sign != close:
                raise _Other
            return Node(pairs if close == "}" else items, number, start + 1), at
