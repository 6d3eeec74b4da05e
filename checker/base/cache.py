"""What a run computes from files alone, kept for the next one: `$QUITUS_CACHE`, else the user's cache folder.

A kept value spares time and changes nothing else: whatever is wrong with it (absent, cut, altered, of another key,
written by someone else) reads as None, and what cannot be written is not. `QUITUS_CACHE=0` keeps nothing.

A file is sealed (see `sealed`) and JSON: the data is never code (see `codec`).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from checker.base import sealed

_KIND = b"quitus-cache/1 "
_PACKAGE = Path(__file__).resolve().parent.parent
_ROOMS = ("base", "findings", "model", "packs", "plans")  # whose code makes what is kept
MOST_BYTES, MOST_FILES = 64_000_000, 64


def folder() -> Path | None:
    """Where values are kept; None: nowhere."""
    chosen = os.environ.get("QUITUS_CACHE", "")
    if chosen:
        return None if chosen == "0" else Path(chosen)
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if base.is_absolute():
        return base / "quitus"
    try:
        return Path.home() / ".cache" / "quitus"
    except RuntimeError:
        return None


def key(*parts: str) -> str:
    """The name of what depends on these texts and on the program itself."""
    digest = hashlib.sha256(program().encode())
    for part in parts:
        digest.update(b"\0" + part.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@functools.cache
def program() -> str:
    """The versions of what computes: quitus and its own files as they are here, Python, sqlglot (not imported)."""
    said = [(_PACKAGE / "__init__.py").read_text(encoding="utf-8"), sys.version, *_sqlglot()]  # it says the version
    for room in _ROOMS:
        for path, found in sorted(_code(_PACKAGE / room)):
            said.append(f"{path} {found.st_mtime_ns} {found.st_size}")
    return "\n".join(said)


def _code(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as listed:
        for entry in listed:
            if entry.is_dir():
                yield from _code(Path(entry.path))
            elif entry.name.endswith((".py", ".yaml")):
                yield entry.path, entry.stat()


def _sqlglot() -> list[str]:
    found = importlib.util.find_spec("sqlglot")
    if found is None or found.origin is None:
        return []
    version = Path(found.origin).with_name("_version.py")
    return [found.origin, str(Path(found.origin).stat().st_mtime_ns), version.read_text() if version.is_file() else ""]


def get(name: str) -> Any:
    """What was kept under that key; None when there is nothing that can be trusted."""
    place = folder()
    if place is None:
        return None
    try:
        return json.loads(_read(place, name))
    except (OSError, ValueError, RecursionError, MemoryError):
        return None


def put(name: str, value: Any) -> None:
    """Keep plain JSON data under that key, whole or not at all; the oldest ones leave."""
    place = folder()
    if place is None:
        return
    body = json.dumps(value, separators=(",", ":")).encode()
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sealed.ours(place.stat()):
            sealed.write(place / f"{name}.json", _KIND, name, body)
            _prune(place)


def _read(place: Path, name: str) -> bytes:
    """What a kept file holds; OSError, ValueError for a folder or a file that another may have written."""
    above = os.open(place, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        if not sealed.ours(os.fstat(above)):
            raise PermissionError(place)
        return sealed.read(f"{name}.json", _KIND, name, MOST_BYTES, above)
    finally:
        os.close(above)


def _prune(place: Path) -> None:
    """The newest files stay; those that a killed run left go with the oldest."""
    with os.scandir(place) as listed:
        found = sorted(
            (entry.stat().st_mtime_ns, entry.path) for entry in listed if entry.name.endswith((".json", ".new"))
        )
    for _, path in found[:-MOST_FILES]:
        with contextlib.suppress(OSError):
            Path(path).unlink()
