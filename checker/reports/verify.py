"""What a report rests on, looked at again: each file, the settings and the packs, by their SHA-256."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from checker.base.words import Words, counted
from checker.reports.inert import inert, phrase
from checker.reports.redact import masks
from checker.reports.saved import Checked, File

_MANIFESTS = (".yaml", ".yml")  # the only piece of a dossier that may stand elsewhere


class State(Enum):
    """Worst first: what is shown, and the order of the counts."""

    CHANGED = "changed"
    MISSING = "missing"
    UNKNOWN = "unknown"
    INTACT = "intact"


class Item(NamedTuple):
    """A thing that the report names, as it is now. `kind`: file, settings, pack, dossier; `why`: a word or sentence."""

    kind: str
    name: str
    state: State
    before: str = ""
    after: str = ""
    why: str = ""


def dossier(found: Checked, folder: Path | None, why: str = "", manifest: Path | None = None) -> Iterator[Item]:
    """The files of a dossier in that folder (None: it is not there, and why); `manifest`: when it stands elsewhere."""
    if folder is None or not found.files:
        yield Item("dossier", found.path, State.UNKNOWN, why=why if folder is None else "verify.no_file")
        return
    for path, sha256 in sorted(found.files.items()):
        name = f"{found.path.rstrip('/')}/{path}"
        if found.redacted and masked(path):
            yield Item("file", name, State.UNKNOWN, why="redact.path")
        elif manifest is not None and path == manifest.name:
            yield settings(File(manifest.as_posix(), sha256), manifest)._replace(kind="file")
        else:
            yield _file(name, path, sha256, folder)


def masked(path: str) -> bool:
    """Whether a redacted report hides a part of this path: no file can be found by it."""
    return any(mask in path for mask in masks())


def _file(name: str, path: str, sha256: str, folder: Path) -> Item:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        return Item("file", name, State.UNKNOWN, why="verify.outside")
    target = folder / pure
    try:
        if target.is_symlink() or target.resolve() != folder.resolve() / pure:
            return Item("file", name, State.UNKNOWN, why="verify.link")
        if target.exists():
            return _compared("file", name, sha256, target)
    except (OSError, ValueError):  # a name that no file can have
        return Item("file", name, State.UNKNOWN, why="verify.unreadable")
    if len(pure.parts) == 1 and pure.suffix in _MANIFESTS:
        return Item("file", name, State.UNKNOWN, why="verify.apart")
    if "\ufffd" in path:
        return Item("file", name, State.UNKNOWN, why="verify.unreadable")
    return Item("file", name, State.MISSING)


def settings(found: File, path: Path) -> Item:
    """The settings file: absent, it may be elsewhere."""
    try:
        if path.exists():
            return _compared("settings", found.path, found.sha256, path)
    except (OSError, ValueError):
        return Item("settings", found.path, State.UNKNOWN, why="verify.unreadable")
    return Item("settings", found.path, State.UNKNOWN, why="verify.absent")


def _compared(kind: str, name: str, sha256: str, path: Path) -> Item:
    if not path.is_file():
        return Item(kind, name, State.UNKNOWN, why="verify.unreadable")
    try:
        with path.open("rb") as stream:
            now = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return Item(kind, name, State.UNKNOWN, why="verify.unreadable")
    return compared(kind, name, sha256, now)


def compared(kind: str, name: str, before: str, after: str) -> Item:
    """Two digests side by side."""
    return Item(kind, name, State.INTACT if before == after else State.CHANGED, before, after)


def exit_code(items: Iterable[Item]) -> int:
    """0: all intact; 1: something changed or is gone; 2: something cannot be told, or there was nothing to look at."""
    states = {item.state for item in items}
    if states & {State.CHANGED, State.MISSING}:
        return 1
    return 0 if states == {State.INTACT} else 2


def as_text(items: Iterable[Item], words: Words) -> str:
    """What is no longer as the report says, then the counts."""
    listed = sorted(items, key=lambda item: (list(State).index(item.state), item.kind, item.name))
    lines = [_line(item, words) for item in listed if item.state is not State.INTACT]
    counts: Mapping[State, int] = Counter(item.state for item in listed)
    told = [counted(words, f"verify.count_{state.value}", counts[state]) for state in State if counts.get(state)]
    lines.append(words["text.pair"].format(label=words["verify.summary"], text=words["list.comma"].join(told) or "0"))
    lines.append(words[f"verify.exit_{exit_code(listed)}"])
    return "\n".join(lines) + "\n"


def _line(item: Item, words: Words) -> str:
    label = words[f"verify.{item.state.value}"].format(
        kind=words[f"verify.kind_{item.kind}"], name=inert(item.name, 300)
    )
    if item.state is State.CHANGED:
        return words["text.pair"].format(label=label, text=f"{inert(item.before, 64)} → {inert(item.after, 64)}")
    return (
        words["text.pair"].format(label=label, text=words.get(item.why, phrase(item.why, 300))) if item.why else label
    )
