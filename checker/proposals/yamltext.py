"""A proposal as YAML text: one value a line, its place as a comment. Quoted identifiers, ISO dates, plain amounts.

Whatever a piece holds, the text stays one document: values are escaped, comments are one inert line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_PLAIN = re.compile(r"[a-z][a-z0-9_-]*\Z")
_NOT_PLAIN = frozenset("true false null yes no on off y n".split())
# What a terminal, an editor or an eye would obey: controls, direction and zero-width marks, line separators.
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff\ud800-\udfff]"
)
_COMMENT = 400  # characters


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value: its YAML text (None: null), its comment, what was left unread or ambiguous of it ("": nothing).

    `kind` and `raw`: its type and what was read, to compare with what a person wrote.
    """

    text: str | None
    comment: str = ""
    left: str = ""
    kind: str = "text"
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """An object."""

    items: Mapping[str, Node]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of objects; `key`: the one that tells two of them apart; `grows`: a new one is added to those written."""

    items: Sequence[Group]
    key: str
    comment: str = ""
    grows: bool = True


Node = Leaf | Group | Listing


def quoted(text: str) -> str:
    """A YAML scalar between double quotes, whatever the text holds."""
    return '"' + _OBEYED.sub(_escape, text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def word(text: str) -> str:
    """A word of a closed list, bare when YAML lets it be."""
    return text if _PLAIN.match(text) and text not in _NOT_PLAIN else quoted(text)


def key(name: str) -> str:
    """A key: bare when it is a word (a map may have any)."""
    return name if _PLAIN.match(name) and name not in _NOT_PLAIN else quoted(name)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def inert(text: str) -> str:
    """A comment: one line, nothing that acts, cut when it is long."""
    line = _OBEYED.sub("\ufffd", re.sub(r"[ \t\r\n\f\v\x85\u2028\u2029]+", " ", text)).strip()
    return line if len(line) <= _COMMENT else line[: _COMMENT - 1] + "\u2026"


def line(indent: int, text: str, comment: str = "") -> str:
    """A line of the manifest."""
    said = inert(comment)
    return f"{' ' * indent}{text}" + (f"  # {said}" if said else "")


def entry(name: str, node: Node, indent: int) -> Iterator[str]:
    """The lines of a key and its value."""
    if isinstance(node, Leaf):
        yield line(indent, f"{key(name)}: {'null' if node.text is None else node.text}", node.comment)
        return
    yield line(indent, f"{key(name)}:", node.comment)
    yield from below(node, indent + 2)


def below(node: Group | Listing, indent: int) -> Iterator[str]:
    """The lines of an object or of a list under its key."""
    if isinstance(node, Listing):
        for each in node.items:
            yield from item(each, indent)
        return
    for name, child in node.items.items():
        yield from entry(name, child, indent)


def item(node: Group, indent: int) -> Iterator[str]:
    """The lines of an object of a list, its dash first."""
    for at, text in enumerate(below(node, indent + 2)):
        yield text if at else f"{' ' * indent}- {text[indent + 2 :]}"


def document(root: Group, head: str) -> str:
    """The whole manifest; blocks are set off by an empty line."""
    lines: list[str] = []
    for name, node in root.items.items():
        own = list(entry(name, node, 0))
        if lines and (len(own) > 1 or lines[-1].startswith(" ")):
            lines.append("")
        lines += own
    return head + "\n".join(lines) + "\n"


def leaves(node: Node, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """Every value with its path (« depenses[2].facture.date »), in order."""
    if isinstance(node, Leaf):
        yield path, node
    elif isinstance(node, Group):
        for name, child in node.items.items():
            yield from leaves(child, f"{path}.{name}" if path else name)
    else:
        for at, each in enumerate(node.items, 1):
            yield from leaves(each, f"{path}[{at}]")
