"""A pack kept between runs: what it was read from, by content, beside what was read.

The same files give the same pack: each is read again and compared, so that a change is seen at once, whatever its date.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from checker.base import cache, codec
from checker.model import Clause, DatedValue, Pack, Parameter, Person, Place, Remedy, Rule
from checker.model.frozen import replace

TEXT, FILE, LISTED, REAL = "text ", "file ", "listed ", "real "  # what an input is; its path follows
_CLASSES = (Clause, DatedValue, Pack, Parameter, Person, Place, Remedy, Rule)


class Late(Mapping[str, Any]):
    """The documents of a pack, read when a fault must be placed in one."""

    def __init__(self, read: Callable[[], Mapping[str, Any]]) -> None:
        self._read = read
        self._found: Mapping[str, Any] | None = None

    def _all(self) -> Mapping[str, Any]:
        if self._found is None:
            self._found = self._read()
        return self._found

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def digest(data: bytes) -> str:
    """The SHA-256 of what was read."""
    return hashlib.sha256(data).hexdigest()


def names_of(paths: Iterable[Path]) -> str:
    """The names of listed files."""
    return "/".join(path.name for path in paths)


def real(path: Path) -> str:
    """Where a path leads; "" when there is no file."""
    return str(path.resolve()) if path.is_file() else ""


def bare(pack: Pack) -> Pack:
    """What a check reads of a pack: neither the examples nor the documents."""
    rules = tuple(replace(rule, examples=()) for rule in pack.rules)
    return replace(pack, rules=rules, sources={})


def get(folder: Path, name: str) -> Pack | None:
    """The bare pack that was kept, if all that it was read from is still the same."""
    held = cache.get(_key(folder, name))
    try:
        if not isinstance(held, dict) or not all(_now(item) == said for item, said in held["inputs"].items()):
            return None
        found = codec.decode(held["pack"], _CLASSES)
    except (OSError, ValueError, LookupError, AttributeError):
        return None
    return found if isinstance(found, Pack) else None


def put(folder: Path, name: str, pack: Pack, inputs: Mapping[str, str]) -> None:
    """Keep a bare pack."""
    cache.put(_key(folder, name), {"inputs": dict(inputs), "pack": codec.encode(pack, _CLASSES)})


def _key(folder: Path, name: str) -> str:
    return cache.key("pack", str(folder), str(folder.resolve()), name)


def _now(item: str) -> str:
    """What an input says now."""
    kind, _, place = item.partition(" ")
    path = Path(place)
    if kind == TEXT.strip():
        text = path.read_text(encoding="utf-8-sig")  # as YAML is read: with one kind of end of line
        return digest(text.encode())
    if kind == FILE.strip():
        data = path.read_bytes() if path.is_file() else b""
        return digest(data) if data else ""
    return names_of(sorted(path.glob("*.yaml"))) if kind == LISTED.strip() else real(path)
