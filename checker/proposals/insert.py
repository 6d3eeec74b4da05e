"""New objects of a list of `dossier.yaml`, as text put where the YAML says: every other byte stays as it was written.

What was put is read again: the document must say what it said, and the new objects after those of the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from checker.base import yamlfile
from checker.base.yamlfile import Entry, Layout

_BREAK = re.compile(r"\r\n|\n|\r")
_QUIET = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\n|\r|\Z))*")  # blank lines and comments
_REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")
_EMPTY = re.compile(r"\[\s*\]")
_GAP = re.compile(r"(?:\s|#[^\r\n]*)*")  # between two things of a flow list
_BOM = "\ufeff"


class Refused(Exception):
    """The list cannot be added to, and why: a French sentence."""


class Edit(NamedTuple):
    """At that offset, so many signs leave and these come."""

    at: int
    gone: int
    new: str


def inserted(text: str, key: str, items: Sequence[Mapping[str, Any]], written: Sequence[str]) -> str:
    """The text with these objects at the end of the list `key` of the document, each as its line of `written`.

    Refused: the value of the key is no list, or no place admits them. yamlfile.YamlError: the text is no YAML.
    """
    mark = _BOM if text.startswith(_BOM) else ""
    bare = text[len(mark) :]
    before = yamlfile.to_data(yamlfile.compose(bare, "dossier.yaml"))
    layout = yamlfile.layout(bare, key)
    if layout is None or not isinstance(before, dict):
        raise Refused("le document n'est pas un objet")
    listed = before.get(key)
    if not isinstance(listed, list | None):
        raise Refused(f"« {key} » n'est pas une liste")
    expected = {**before, key: [*(listed or []), *items]}
    for edits in _places(bare, key, layout, written):
        found = _apply(bare, edits)
        if _says(found, expected):
            return mark + found
    raise Refused("aucun endroit du fichier ne les admet sans en changer le reste")


def _says(text: str, expected: Mapping[str, Any]) -> bool:
    """Whether the text reads as these data: same values, of the same types."""
    try:
        found = yamlfile.to_data(yamlfile.compose(text, "dossier.yaml"))
    except yamlfile.YamlError:
        return False
    return isinstance(found, dict) and _exact(found) == _exact(expected)


def _exact(data: Mapping[str, Any]) -> dict[str, str]:
    return {key: repr(value) for key, value in data.items()}


def _apply(text: str, edits: Sequence[Edit]) -> str:
    for at, gone, new in sorted(edits, reverse=True):
        text = text[:at] + new + text[at + gone :]
    return text


def _places(text: str, key: str, layout: Layout, written: Sequence[str]) -> Iterator[list[Edit]]:
    """The ways to put the objects, the best first."""
    entry = layout.entry
    if entry is None:
        yield from _absent(text, key, layout, written)
    elif entry.kind == "block":
        start = _line_start(text, entry.start)
        yield [_lines(text, entry.end, text[start : entry.start], "- ", written)]
    elif entry.kind == "scalar" or _EMPTY.fullmatch(text, entry.start, entry.end):
        if not layout.flow:
            yield _emptied(text, layout, entry, written)
        gap = "" if text[entry.start - 1 : entry.start].isspace() else " "
        yield [Edit(entry.start, entry.end - entry.start, f"{gap}[{', '.join(written)}]")]
    else:
        yield from _flow(text, entry, written)


def _absent(text: str, key: str, layout: Layout, written: Sequence[str]) -> Iterator[list[Edit]]:
    """A new key: at the end of the file, after the last thing said, or before the first one."""
    if layout.flow:
        yield [Edit(_last(text, layout.end), 0, f", {key}: [{', '.join(written)}]")]
        yield [Edit(layout.end - 1, 0, f"{key}: [{', '.join(written)}]")]
        return
    margin = " " * layout.column
    lines = [f"{key}:", *(f"  - {item}" for item in written)]
    if _QUIET.fullmatch(text, layout.end):
        yield [_lines(text, len(text), margin, "", lines)]
    yield [_lines(text, layout.end, margin, "", lines)]
    first = _line_start(text, layout.start)
    yield [Edit(first, 0, "".join(f"{margin}{line}{_newline(text)}" for line in lines))]


def _emptied(text: str, layout: Layout, entry: Entry, written: Sequence[str]) -> list[Edit]:
    """A list on the lines below its key, whose null or empty value leaves; the comment beside it stays."""
    start, rest = entry.start, _REST.match(text, entry.end)
    if rest is not None and not rest[0].strip():  # nothing beside: no blanks at the end of the line
        start = len(text[: entry.start].rstrip(" \t"))
    below = _lines(text, entry.end, " " * (layout.column + 2), "- ", written)
    return [Edit(start, entry.end - start, ""), below] if entry.end > start else [below]


def _flow(text: str, entry: Entry, written: Sequence[str]) -> Iterator[list[Edit]]:
    """Between brackets: on lines of their own when the list has several."""
    if not entry.items:
        yield [Edit(entry.end - 1, 0, ", ".join(written))]
        return
    start, end = entry.items[-1]
    gap = _GAP.match(text, end)
    after = gap.end() if gap else end
    comma = text[after : after + 1] == ","
    rest = _REST.match(text, after + 1 if comma else end)
    if rest is not None and _BREAK.match(text, rest.end()):
        margin = text[_line_start(text, start) : start]
        joined = f",{_newline(text)}{margin}".join(written)
        new = f"{_newline(text)}{margin}{joined}{',' if comma else ''}"
        if not margin.strip():
            yield [*([] if comma else [Edit(end, 0, ",")]), Edit(rest.end(), 0, new)]
    yield [Edit(end, 0, ", " + ", ".join(written))]


def _lines(text: str, end: int, margin: str, mark: str, written: Sequence[str]) -> Edit:
    """Lines after the one where something ends."""
    at = end
    if at and text[at - 1] not in "\r\n":
        found = _BREAK.search(text, at)
        at = found.end() if found else len(text)
    newline = _newline(text)
    body = newline.join(f"{margin}{mark}{item}" for item in written)
    if at and text[at - 1] not in "\r\n":
        return Edit(at, 0, newline + body)
    return Edit(at, 0, body + newline)


def _last(text: str, end: int) -> int:
    """Where the last thing of an object between braces ends."""
    return len(text[: end - 1].rstrip())


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _newline(text: str) -> str:
    found = _BREAK.search(text)
    return found[0] if found else "\n"
