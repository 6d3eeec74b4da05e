"""Zip archives as dossiers: listed, unpacked into a folder that their reader removes, or refused with a reason.

Names are UTF-8 (said by the archive, or so by their bytes) or cp437; « \\ » separates as « / » does.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from checker.model import Fault, Limits, Place

_CONTENTS: Final = 16 * 2**20  # bytes of a table of contents: some 100,000 files
_NAME: Final = 1024  # bytes of a name
_DEPTH: Final = 32
_CHUNK: Final = 2**20
_HERE: Final = re.compile(r"\A(?:\./)+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others cannot be bounded as they unpack
_UTF8, _ENCRYPTED = 0x800, 0x41
_ADVICE: Final = "Refaire l'archive, ou déposer le répertoire."
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError, RuntimeError)


class Refused(Exception):
    """Why an archive is not unpacked, in French; the name of the entry, when it is one."""

    def __init__(self, reason: str, entry: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.entry = entry

    def fault(self, archive: Path) -> Fault:
        """The same as a fault of the dossier."""
        return Fault(f"zip refusé : {self.reason}", Place(archive.name, place=self.entry or None), todo=_ADVICE)


class Entry(NamedTuple):
    """A file of an archive under the path that it will have."""

    path: str
    info: zipfile.ZipInfo


class _Bounded(io.FileIO):
    """A file of which no single read exceeds a size: a table of contents may announce any."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, or Refused."""
        left = os.fstat(self.fileno()).st_size - self.tell()
        if min(left, size if size is not None and size >= 0 else left) > _CONTENTS:
            raise Refused("sa table des matières est démesurée")
        return super().read(size)


def folders(path: Path, manifest: str) -> list[str]:
    """Where an archive holds a manifest, at its root ("") or one folder down, sorted; Refused when it cannot be told.

    Only the table of contents is read.
    """
    with _opened(path) as archive:
        names = [_name(info) for info in archive.infolist()]
    held = {name.rpartition("/")[0] for name in names if name.rpartition("/")[2] == manifest and name.count("/") < 2}
    return [""] if "" in held else sorted(held)


def unpack(path: Path, target: Path, limits: Limits) -> None:
    """Write every file of the archive under `target`, an empty folder; Refused before or while it is done."""
    with _opened(path) as archive:
        entries = listed(archive, path, limits)
        left = limits.zip_megabytes * 2**20
        try:
            for entry in entries:
                left -= _write(archive, entry, target, left)
        except _BROKEN:
            raise Refused("archive endommagée") from None
        except OSError as error:
            raise Refused(f"on ne peut l'ouvrir : {error.strerror}") from None


def listed(archive: zipfile.ZipFile, path: Path, limits: Limits) -> list[Entry]:
    """The files of an archive, every announced one within bounds; folders are left out."""
    infos = archive.infolist()
    if len(infos) > limits.zip_files:
        raise Refused(f"plus de {limits.zip_files} fichiers")
    total = sum(info.file_size for info in infos)
    if total > limits.zip_megabytes * 2**20:
        raise Refused(f"plus de {limits.zip_megabytes} Mo une fois ouvert")
    if total > max(path.stat().st_size * limits.zip_ratio, _CHUNK):
        raise Refused(f"il se décompresse en plus de {limits.zip_ratio} fois sa taille")
    found: list[Entry] = []
    seen: dict[str, str] = {}
    for info in infos:
        name = _name(info)
        if not name and info.orig_filename:  # « ./ », the root itself
            continue
        _check(name, info)
        folder = name.endswith("/") or info.is_dir()
        _claim(name.rstrip("/"), folder, seen)
        if not folder:
            found.append(Entry(name, info))
    return found


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        stream = _Bounded(path)
    except OSError as error:
        raise Refused(f"fichier illisible : {error.strerror}") from None
    with stream:
        try:
            archive = zipfile.ZipFile(stream)
        except (*_BROKEN, OSError):
            raise Refused("archive endommagée, ou d'un autre format que le zip") from None
        with archive:
            yield archive


def _name(info: zipfile.ZipInfo) -> str:
    """The path of an entry as its bytes say it, composed (NFC), with forward slashes."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8 and not name.isascii():
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return _HERE.sub("", unicodedata.normalize("NFC", name.replace("\\", "/")), count=1)


def _check(name: str, info: zipfile.ZipInfo) -> None:
    """Refused when an entry is not a plain file or folder that stays inside."""
    shown = _CONTROL.sub("�", name)[:200]
    kind = stat.S_IFMT(info.external_attr >> 16)
    parts = name.rstrip("/").split("/")
    if _CONTROL.search(name):
        raise Refused("un nom de fichier contient un caractère de contrôle", shown)
    if name.startswith("/") or name[1:2] == ":":
        raise Refused("un nom de fichier est un chemin absolu", shown)
    if ".." in parts or "." in parts or "" in parts:
        raise Refused("un nom de fichier sort de l'archive", shown)
    if len(name.encode("utf-8", "replace")) > _NAME or len(parts) > _DEPTH:
        raise Refused("un nom de fichier est démesuré", shown)
    if kind == stat.S_IFLNK:
        raise Refused("un fichier est un lien", shown)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refused("un fichier n'est pas un fichier ordinaire", shown)
    if info.flag_bits & _ENCRYPTED:
        raise Refused("chiffré : un mot de passe est demandé", shown)
    if info.compress_type not in _METHODS:
        raise Refused("une méthode de compression autre que « deflate »", shown)


def _claim(name: str, folder: bool, seen: dict[str, str]) -> None:
    """Note a path and the folders above it; Refused when another entry has it, be it in other capitals."""
    parts = name.split("/")
    for depth in range(1, len(parts) + 1):
        path = "/".join(parts[:depth])
        last = depth == len(parts)
        wanted = "file" if last and not folder else "folder"
        held = seen.setdefault(path.casefold(), f"{wanted} {path}")
        if held != f"{wanted} {path}" or (last and wanted == "file" and f"= {path}" in seen):
            raise Refused("deux fichiers portent le même nom", path)
    if not folder:
        seen[f"= {name}"] = name


def _write(archive: zipfile.ZipFile, entry: Entry, target: Path, left: int) -> int:
    """Unpack one file; its size. What it announces is not believed: it is read whole, then compared."""
    path = target / entry.path
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    announced, size = entry.info.file_size, 0
    entry.info.file_size = left + 1  # else `zipfile` would stop at what is announced
    with archive.open(entry.info) as source, os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > left:
                raise Refused("il se décompresse en plus qu'il n'annonce", entry.path)
            stream.write(chunk)
    if size != announced:
        raise Refused("un fichier n'a pas la taille qu'il annonce", entry.path)
    return size
