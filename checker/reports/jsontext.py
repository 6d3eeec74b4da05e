"""JSON text as `json.dumps(indent=2)` writes it, faster for many dossiers, and safe to print on a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

# Legal in JSON text, obeyed by terminals and editors: written as escapes. A lone surrogate is no text at all.
_UNSAFE = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")


class Raw(str):
    """JSON text already written, for the depth where it stands."""

    __slots__ = ()


def _escape(found: re.Match[str]) -> str:
    return "\\ufffd" if "\ud800" <= found[0] <= "\udfff" else f"\\u{ord(found[0]):04x}"


def text(value: Any, depth: int = 0) -> str:
    """The JSON text of plain data whose first line stands at that depth."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, str):
        return _UNSAFE.sub(_escape, encode_basestring(value))
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    margin = "  " * (depth + 1)
    if isinstance(value, Mapping):
        items = [f"{margin}{text(str(key))}: {text(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + "  " * depth + "}" if items else "{}"
    if isinstance(value, Sequence):
        items = [margin + text(item, depth + 1) for item in value]
        return "[\n" + ",\n".join(items) + "\n" + "  " * depth + "]" if items else "[]"
    raise TypeError(f"{type(value).__name__} is not JSON")


def document(value: Any) -> bytes:
    """A whole JSON file."""
    return f"{text(value)}\n".encode()
