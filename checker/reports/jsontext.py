"""JSON text as `json.dumps(indent=2)` writes it, faster for many dossiers, and safe to print on a terminal."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

# Legal in JSON text, obeyed by terminals and editors: written as escapes. A lone surrogate is no text at all.
_UNSAFE = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")


class Raw(str):
    """JSON text already written, for the depth where it stands."""

    __slots__ = ()


def _escape(found: re.Match[str]) -> str:
    return "\\ufffd" if "\ud800" <= found[0] <= "\udfff" else f"\\u{ord(found[0]):04x}"


@functools.lru_cache(maxsize=8192)
def _string(value: str) -> str:
    """The same keys and words come back in every dossier."""
    return _UNSAFE.sub(_escape, encode_basestring(value))


def text(value: Any, depth: int = 0) -> str:
    """The JSON text of plain data whose first line stands at that depth."""
    if type(value) is str:
        return _string(value)
    if isinstance(value, Raw):
        return value
    if isinstance(value, str):
        return _string(str(value))
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    margin = "  " * (depth + 1)
    if isinstance(value, Mapping):
        items = [f"{margin}{_string(str(key))}: {text(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + "  " * depth + "}" if items else "{}"
    if isinstance(value, Sequence):
        items = [margin + text(item, depth + 1) for item in value]
        return "[\n" + ",\n".join(items) + "\n" + "  " * depth + "]" if items else "[]"
    raise TypeError(f"{type(value).__name__} is not JSON")


def document(value: Any) -> bytes:
    """A whole JSON file."""
    return f"{text(value)}\n".encode()


def around(head: Mapping[str, Any], key: str, tail: Mapping[str, Any], depth: int) -> tuple[bytes, bytes]:
    """The text of an object up to the items of a list under that key, and what comes after them.

    Its first line stands at that depth; neither part of it is empty.
    """
    margin = "  " * (depth + 1)
    before = text(head, depth).removesuffix(f"\n{'  ' * depth}}}")
    return f"{before},\n{margin}{text(key)}: [".encode(), f"],{text(tail, depth).removeprefix('{')}".encode()


def items(listed: Sequence[bytes], depth: int) -> bytes:
    """The items of a list that stands at that depth, and the line of its end; nothing for none."""
    margin = b"\n" + b"  " * depth
    inner = margin + b"  "
    return inner + (b"," + inner).join(listed) + margin if listed else b""


def stream(head: Mapping[str, Any], key: str, listed: Iterable[bytes], tail: Mapping[str, Any]) -> Iterator[bytes]:
    """A whole file, with a long list as it is made."""
    start, end = around(head, key, tail, 0)
    yield start
    before, after = b"\n    ", b""
    for item in listed:
        yield before + item
        before, after = b",\n    ", b"\n  "
    yield after + end + b"\n"
