"""What the program reads of a piece's file: does it exist, does it open, is it what its name announces, its digest.

A file is read once, whole (a very large one is only hashed). Its first bytes choose the family; the family is the name
of the plug in `readers/` that opens it, and only that plug is imported. A plug has `MEDIA`, the types it tells apart,
and `look(data, place) -> Row`: `lu.lisible`, `lu.chiffre`, `lu.type`, `lu.actif` always; `lu.pages`, `lu.texte` where
they mean something. A plug that finds a fault puts it on `lu.lisible`: what it leaves out is unreadable for the same
reason. What opens the bytes is `look_here`, in this process, or what `looking(limits)` gives, in a child.
"""

from __future__ import annotations

import errno
import hashlib
import importlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from checker.base import clock
from checker.facts import apart
from checker.model import FileDigest, Limits, Place, Row, Value

Look = Callable[[str, bytes, Place], Row]  # family, content, place

COLUMNS: Final = tuple(
    f"lu.{name}"
    for name in ("existe", "taille", "lisible", "chiffre", "type", "type_fidele", "pages", "texte", "actif", "sha256")
)
LIMIT = 200 * 2**20  # bytes: above, a file is hashed and not opened
_CHUNK: Final = 2**20
_HEAD: Final = 8192
_SHORT: Final = 2**20  # bytes of a text
_OPEN: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

_MAGIC: Final = (
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "office"),
    (b"PK\x05\x06", "office"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
)
_MARKUP: Final = re.compile(rb"<(?:[A-Za-z_][\w:.-]*[\s/>]|\?xml\s|!--|!DOCTYPE\s)")
_HTML: Final = re.compile(rb"<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_ANNOUNCED: Final = {
    "pdf": "pdf",
    "xlsx": "xlsx",
    "xlsm": "xlsx",
    "xls": "xls",
    "ods": "ods",
    "odt": "odt",
    "docx": "docx",
    "docm": "docx",
    "doc": "doc",
    "xml": "xml",
    "csv": "texte",
    "tsv": "texte",
    "txt": "texte",
    "md": "texte",
    "eml": "texte",
    "html": "texte",
    "htm": "texte",
    "png": "png",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "tif": "tiff",
    "tiff": "tiff",
    "zip": "zip",
}
_ERRORS: Final = {
    errno.EACCES: "droits insuffisants",
    errno.EPERM: "droits insuffisants",
    errno.EIO: "erreur du disque",
    errno.ELOOP: "liens en boucle",
    errno.ENAMETOOLONG: "nom trop long",
    errno.ENOENT: "le fichier a disparu",
}


def look_here(family: str, data: bytes, place: Place) -> Row:
    """What the plug of a family says of a content."""
    try:
        return importlib.import_module(f"checker.facts.readers.{family}").look(data, place)  # type: ignore[no-any-return]
    except MemoryError:
        raise
    except Exception as error:
        return {"lu.lisible": Value(None, place, f"fichier illisible : {_reason(error)}")}


def looking(limits: Limits) -> Look:
    """`look_here` in a child, within these limits; a short text, which no library reads, in this process."""

    def look(family: str, data: bytes, place: Place) -> Row:
        if family == "text" and len(data) <= _SHORT:
            return look_here(family, data, place)
        said = apart.call(
            look_here, family, data, place, seconds=limits.piece_seconds, megabytes=limits.reader_megabytes
        )
        if isinstance(said, apart.Failed):
            return {"lu.lisible": Value(None, place, f"fichier illisible : {said.reason}")}
        return said  # type: ignore[no-any-return]

    return look


def inspect(
    folder: Path, relative: str, limit: int | None = None, look: Look = look_here
) -> tuple[Row, FileDigest | None]:
    """The columns `lu.*` of the piece `relative` of `folder`; its digest when it was read whole. Never raises.

    `limit`: bytes above which it is only hashed (LIMIT); `look`: what opens it.
    """
    place = Place(relative)
    row = dict.fromkeys(COLUMNS, Value(None, place))
    digest: FileDigest | None = None
    try:
        found = _locate(folder, relative)
        if isinstance(found, str):
            row["lu.existe"] = Value("false", place._replace(place=found or None))
        else:
            digest = _fill(row, *found, place, LIMIT if limit is None else limit, look)
    except (OSError, ValueError) as error:
        fault = f"lecture impossible : {_reason(error)}"
        for column in COLUMNS if row["lu.existe"].raw is None else COLUMNS[2:]:
            row[column] = Value(None, place, fault)
    _, where, why = row["lu.lisible"]
    if why and not where.place:  # reports show the place
        row["lu.lisible"] = Value(None, where._replace(place=why), why)
    return row, digest


def _locate(folder: Path, relative: str) -> tuple[str, int] | str:
    """The path and size of the regular file that a piece names, or why there is none ("" : nothing there)."""
    root = os.fspath(folder)
    path = os.path.join(root, relative)
    parts = relative.split("/")
    try:
        if os.path.isabs(relative) or ".." in parts or _has_link(root, parts):
            base = os.path.realpath(root)
            path = os.path.realpath(path, strict=True)
            if os.path.commonpath((base, path)) != base:
                return "chemin ou lien qui sort du dossier"
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return ""
    except OSError as error:
        if isinstance(error, PermissionError):
            raise
        return _reason(error)
    if not stat.S_ISREG(status.st_mode):
        return "répertoire" if stat.S_ISDIR(status.st_mode) else "pas un fichier ordinaire"
    return path, status.st_size


def _has_link(path: str, parts: list[str]) -> bool:
    for part in parts:
        path = os.path.join(path, part)
        if stat.S_ISLNK(os.lstat(path).st_mode):
            return True
    return False


def _fill(row: Row, path: str, size: int, place: Place, limit: int, look: Look) -> FileDigest | None:
    """Read the file and fill its row; None when it changed meanwhile."""
    row["lu.existe"] = Value("true", place)
    row["lu.taille"] = Value(str(size), place)
    descriptor = os.open(path, _OPEN)
    try:
        before = os.fstat(descriptor)
        data, sha256, length = _read(descriptor, size, limit)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if {before.st_size, after.st_size, length} != {size} or after.st_mtime_ns != before.st_mtime_ns:
        _fail(row, place, "le fichier a changé pendant la lecture", "lu.sha256")
        return None
    row["lu.sha256"] = Value(sha256, place)
    if not size:
        _fail(row, place, "fichier vide")
    elif data is None:
        _fail(row, place, f"fichier trop gros pour être ouvert : plus de {limit // 2**20} Mo")
    else:
        _describe(row, data, place, look)
    return FileDigest(place.file, sha256, size)


def _read(descriptor: int, size: int, limit: int) -> tuple[bytes | None, str, int]:
    """The bytes (None when there are too many to hold), their SHA-256, how many were read."""
    digest = hashlib.sha256()
    kept: list[bytes] = []
    length = 0
    while chunk := os.read(descriptor, min(size + 1, _CHUNK)):
        digest.update(chunk)
        length += len(chunk)
        if size <= limit:
            kept.append(chunk)
        if length > size:
            break  # it grows: the caller says so
    data = None if size > limit else kept[0] if len(kept) == 1 else b"".join(kept)
    return data, digest.hexdigest(), length


def _describe(row: Row, data: bytes, place: Place, look: Look) -> None:
    """Let the plug of the family open the bytes; complete what it says."""
    family = sniff(data)
    if family is None:
        row["lu.type"] = Value("inconnu", place)
        row["lu.lisible"] = Value(None, place, "type de fichier non reconnu")
    else:
        with clock.of(f"pièce {family}"):
            row.update(look(family, data, place))
    row["lu.type_fidele"] = _faithful(row["lu.type"], place)
    if (fault := row["lu.lisible"].fault) is not None:
        _fail(row, place, fault)


def sniff(data: bytes) -> str | None:
    """The family of a content by its first bytes: the name of a plug, or None."""
    head = data[:_HEAD]
    for magic, family in _MAGIC:
        if head.startswith(magic):
            return family
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head[: len(head) // 2 * 2].decode("utf-16", "replace").encode()
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _MARKUP.match(start) and not _HTML.match(start):
        return "xml"
    if b"%PDF-" in head[:1024] and b"startxref" in data[-2048:]:
        return "pdf"  # readers of PDF accept some bytes before the header
    return None if _CONTROL.search(head) else "text"


def _faithful(kind: Value, place: Place) -> Value:
    suffix = place.file.rpartition("/")[2].rpartition(".")[2].lower() if "." in place.file else ""
    announced = _ANNOUNCED.get(suffix)
    if announced is None:
        return Value(None, place, "le nom du fichier n'annonce aucun type connu")
    if kind.raw is None:
        return Value(None, place, kind.fault or "type de fichier non établi")
    return Value("true" if kind.raw == announced else "false", place)


def _fail(row: Row, place: Place, fault: str, *more: str) -> None:
    """What is not known yet of the content is unreadable, for this reason."""
    for column in (*COLUMNS[2:9], *more):
        if row[column].raw is None and row[column].fault is None:
            row[column] = Value(None, place, fault)


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return _ERRORS.get(error.errno) or errno.errorcode.get(error.errno, str(error.errno))
    return type(error).__name__
