"""The facts of dossiers kept between runs, by the content of every file that was read. Doors: `Kept`, `trim`.

Facts, never outcomes. Kept facts spare time and change nothing else: whatever is wrong with them reads as nothing kept.
An entry is named after the manifest's bytes, the program, and how reading was asked; it lists the other files with
their SHA-256, and their `stat` when they had not changed for two seconds as it was taken (as git does): the same `stat`
then spares hashing them again. Not kept: what a reader could not tell for a reason of the moment (time, memory,
rights), what lies behind links, what changed meanwhile, and what optical reading says (a program of its own reads it).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from checker.base import cache, sealed
from checker.base.dictionary import ROOT, Dictionary
from checker.facts import apart, packed
from checker.facts.asked import Asked
from checker.model import Dossier, Submitted

_KIND: Final = b"quitus-facts/1 "
_RACY: Final = 2_000_000_000  # nanoseconds: a file changed since may change again without its date saying so
_ROOMS: Final = ("base", "dossiers", "facts", "model")  # whose code makes what is kept
MOST_BYTES: Final = 512 * 2**20
_STALE: Final = 3600.0  # seconds after which a file being written belongs to nobody

Input = tuple[
    str, str | None, list[int] | None
]  # a file, its SHA-256 (None: there is none), its `stat` if it is settled


class Kept:
    """What is kept for runs that ask the same; `folder` None: nothing."""

    def __init__(
        self,
        asked: Asked,
        conventions: tuple[str, ...],
        on: dt.date | None,
        today: dt.date,
        stage: str | None,
        dictionary: Callable[[str | None], Dictionary],
    ) -> None:
        """`dictionary`: that of a convention, as named; QuitusError when its pack is refused."""
        place = None if asked.ocr else cache.folder()
        self.folder = place / "facts" if place is not None else None
        self._today = "" if on is not None else today.isoformat()
        self._dictionary = dictionary
        self._digests: dict[str | None, str] = {}
        told = (asked.limits, asked.roots, conventions, on, stage)
        self._base = "" if self.folder is None else program() + repr(told)

    def get(self, dossier: Dossier) -> packed.Known | None:
        """The facts of a dossier as the files that it is made of would be read now, or None."""
        body = self.body(dossier)
        try:
            return None if body is None else packed.unpack(body, dossier)
        except (ValueError, MemoryError):
            return None

    def body(self, dossier: Dossier) -> bytes | None:
        """The same as `packed.pack` writes them."""
        if self.folder is None or dossier.faults:
            return None
        try:
            name = self._name(dossier)
            meta, body = _entry(self.folder / name[:2] / name, name)
            fresh = meta["day"] in ("", self._today) and all(_same(dossier.folder, *item) for item in meta["inputs"])
            return body if fresh and meta["dictionary"] == self._digest(meta["convention"]) else None
        except (OSError, ValueError, LookupError, TypeError, RecursionError, MemoryError):
            return None

    def reading(self, dossier: Dossier) -> Reading | None:
        """To be asked before a dossier is read whose facts are to be kept."""
        if self.folder is None or dossier.faults:
            return None
        with contextlib.suppress(OSError):
            return Reading(self._name(dossier), time.time_ns(), apart.failures())
        return None

    def put(
        self, reading: Reading | None, item: Submitted, convention: str | None, names: Iterable[str], body: bytes
    ) -> None:
        """Keep the facts that were read since, `body` once packed, if they are those of the files as they stand.

        `names`: the files that were read beside the manifest, or looked for.
        """
        if self.folder is None or reading is None or reading.failures != apart.failures():
            return
        dossier = item.dossier
        if dossier.faults:
            return
        with contextlib.suppress(OSError, ValueError):
            found = _inputs(item, names, reading.start) if dossier.archive is None else []
            if self._name(dossier) != reading.name:
                return
            root = item.rows.tables[ROOT][0]
            dated = (root["date_controle"].raw or "") if "date_controle" in root else ""
            meta = {
                "convention": convention,
                "day": self._today if dated == self._today or not dated else "",
                "dictionary": self._digest(convention),
                "inputs": found,
            }
            _write(self.folder, reading.name, json.dumps(meta).encode() + b"\n" + body)

    def _name(self, dossier: Dossier) -> str:
        """The name of an entry: the bytes of the manifest (of the zip), and all that reading depends on but files."""
        digest = hashlib.sha256(self._base.encode("utf-8", "surrogatepass"))
        own = dossier.written or dossier.folder / dossier.manifest
        for path in (own, dossier.archive) if dossier.written and dossier.archive else (dossier.archive or own,):
            digest.update(b"\0" + _hash(path).encode())
        told = (
            dossier.manifest,
            dossier.inside,
            dossier.archive.name if dossier.archive else "",
            bool(dossier.written),
        )
        digest.update(repr(told).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _digest(self, convention: str | None) -> str:
        if convention not in self._digests:
            text = json.dumps(self._dictionary(convention).schema, sort_keys=True)
            self._digests[convention] = hashlib.sha256(text.encode()).hexdigest()
        return self._digests[convention]


class Reading:
    """A dossier about to be read: its entry, since when, and how many calls of readers had failed before."""

    __slots__ = ("failures", "name", "start")

    def __init__(self, name: str, start: int, failures: int) -> None:
        self.name, self.start, self.failures = name, start, failures


@functools.cache
def program() -> str:
    """A digest of what reads: the code of quitus that does, Python, and the libraries beside it by version."""
    import importlib.util
    import sys

    digest = hashlib.sha256(sys.version.encode())
    package = Path(__file__).resolve().parent.parent
    code = [package / "__init__.py", *(path for room in _ROOMS for path in (package / room).rglob("*.py"))]
    for path in sorted(code):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    library = importlib.util.find_spec("yaml")  # not imported: where the libraries stand
    beside = Path(library.origin).resolve().parent.parent if library is not None and library.origin else package
    for name in sorted(path.name for path in beside.glob("*.dist-info")):
        digest.update(name.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _inputs(item: Submitted, names: Iterable[str], start: int) -> list[Input]:
    """The files that were read beside the manifest, as they stand; ValueError when one cannot be vouched for."""
    dossier = item.dossier
    known = {file.path: file.sha256 for file in item.files}
    found: list[Input] = []
    for name in sorted(names):
        status = _status(dossier.folder, name)
        if status is None:
            if name in known:
                raise ValueError(name)
            found.append((name, None, None))
            continue
        digest = known.get(name) or _hash(dossier.folder / name)
        settled = max(status.st_mtime_ns, status.st_ctime_ns) < start - _RACY
        if not settled and (name not in known or _hash(dossier.folder / name) != digest):
            raise ValueError(name)
        found.append((name, digest, _signature(status) if settled else None))
    return found


def _status(folder: Path, name: str) -> os.stat_result | None:
    """The `stat` of a regular file, None when nothing is there; ValueError for anything else, or behind a link."""
    path = os.fspath(folder)
    status = None
    parts = [part for part in name.split("/") if part]
    for index, part in enumerate(parts):
        path = f"{path}/{part}"
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not (stat.S_ISREG if index + 1 == len(parts) else stat.S_ISDIR)(status.st_mode):
            raise ValueError(name)
    return status


def _signature(status: os.stat_result) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev]


def _same(folder: Path, name: str, sha256: str | None, signature: list[int] | None) -> bool:
    """Whether a file is what it was: by its `stat` when it was settled, else by its content."""
    status = _status(folder, name)
    if status is None or sha256 is None:
        return status is None and sha256 is None
    return _signature(status) == signature or _hash(folder / name) == sha256


def _hash(path: Path) -> str:
    """The SHA-256 of a regular file (OSError)."""
    handle = os.open(path, sealed.OPEN)
    with os.fdopen(handle, "rb", buffering=0) as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "no file", os.fspath(path))
        digest = hashlib.sha256()
        while chunk := stream.read(2**20):
            digest.update(chunk)
        return digest.hexdigest()


def _entry(path: Path, name: str) -> tuple[Any, bytes]:
    """What an entry says (OSError, ValueError for one that was altered, or that another may have written)."""
    first, _, rest = sealed.read(path, _KIND, name, MOST_BYTES).partition(b"\n")
    return json.loads(first), rest


def _write(folder: Path, name: str, body: bytes) -> None:
    above = folder / name[:2]
    above.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sealed.ours(folder.stat()) and sealed.ours(above.stat()):
        sealed.write(above / name, _KIND, name, body)


def trim(most: int = MOST_BYTES) -> None:
    """Drop the oldest entries until four fifths of `most` are taken, and what killed runs left half-written."""
    place = cache.folder()
    if place is None:
        return
    found = sorted(_entries(place / "facts"))
    size = sum(item[1] for item in found)
    goal = most if size <= most else most * 4 // 5
    now = time.time_ns()
    for moment, length, path in found:
        if size <= goal and not (path.endswith(".new") and now - moment > _STALE * 1e9):
            continue
        with contextlib.suppress(OSError):
            Path(path).unlink()
            size -= length


def _entries(folder: Path) -> Iterator[tuple[int, int, str]]:
    """(date, size, path) of each entry."""
    with contextlib.suppress(OSError), os.scandir(folder) as above:
        for held in above:
            if held.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError), os.scandir(held.path) as listed:
                    for entry in listed:
                        status = entry.stat(follow_symlinks=False)
                        yield status.st_mtime_ns, status.st_size, entry.path
