"""Office documents and archives (ZIP and OLE containers): which one, does it open, is it encrypted, has it macros."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from typing import Final

from checker.model import Place, Row, Value

MEDIA: Final = ("xlsx", "docx", "ods", "odt", "xls", "doc", "zip")
_ENTRIES: Final = 20_000
_PART: Final = 2**20
_CONTENT: Final = 500 * 2**20  # bytes announced, of all parts
_ODF: Final = {
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.text": "odt",
}
_OOXML: Final = (("xl/workbook", "xlsx"), ("word/document", "docx"))
_WORDS: Final = {"docx": re.compile(rb"<w:t[ >]"), "odt": re.compile(rb"<text:p[^>/]*>\s*[^<\s]|<text:span")}
_MACROS: Final = re.compile(r"(vbaproject\.bin|/macrosheets/[^/]+|^basic/.+/.+\.xml|^scripts/.+)$", re.IGNORECASE)
_EXECUTABLE: Final = re.compile(r"\.(exe|com|scr|bat|cmd|ps1|vbs|jse?|msi|lnk|jar|dll|sh)$", re.IGNORECASE)
_BOF: Final = b"\x09\x08\x10\x00\x00\x06"
_FILEPASS: Final = 0x2F


def look(data: bytes, place: Place) -> Row:
    """What a container says of itself; an encrypted or damaged one is a fault."""
    return _zip(data, place) if data.startswith(b"PK") else _ole(data, place)


def _flag(value: bool, place: Place) -> Value:
    return Value("true" if value else "false", place)


def _closed(row: Row, place: Place, fault: str, encrypted: bool = False) -> Row:
    if encrypted:
        row["lu.chiffre"] = Value("true", place)
    return row | {"lu.lisible": Value(None, place, fault)}


def _zip(data: bytes, place: Place) -> Row:
    row: Row = {"lu.type": Value("zip", place)}
    if data.count(b"PK\x01\x02") > _ENTRIES:
        return _closed(row, place, f"archive de plus de {_ENTRIES} fichiers")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _archive(archive, row, place)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, ValueError):
        return _closed(row, place, "archive endommagée : elle ne s'ouvre pas")


def _archive(archive: zipfile.ZipFile, row: Row, place: Place) -> Row:
    names = archive.namelist()
    kind, main = _kind(archive, names)
    row["lu.type"] = Value(kind, place)
    if any(info.flag_bits & 1 for info in archive.infolist()):
        return _closed(row, place, "archive chiffrée : un mot de passe est demandé", True)
    if sum(info.file_size for info in archive.infolist()) > _CONTENT:
        return _closed(row, place, f"archive piégée : elle se décompresse en plus de {_CONTENT // 2**20} Mo")
    part = _part(archive, main) if main in names else b""
    if main and not part:
        return _closed(row, place, f"document endommagé : la partie {main} manque")
    if kind in ("ods", "odt") and b"encryption-data" in _part(archive, "META-INF/manifest.xml"):
        return _closed(row, place, "document chiffré : un mot de passe est demandé", True)
    row["lu.lisible"] = Value("true", place)
    row["lu.chiffre"] = Value("false", place)
    row["lu.actif"] = _flag(any(_MACROS.search(name) or _EXECUTABLE.search(name) for name in names), place)
    if kind != "zip":
        words = _WORDS.get(kind)
        row["lu.texte"] = _flag(words is None or bool(words.search(part)), place)
    return row


def _kind(archive: zipfile.ZipFile, names: list[str]) -> tuple[str, str]:
    """The type of a ZIP container and its main part ("" for a plain archive)."""
    if "mimetype" in names:
        kind = _ODF.get(_part(archive, "mimetype").strip())
        if kind:
            return kind, "content.xml"
    for start, kind in _OOXML:
        main = next((name for name in names if name.startswith(start) and name.endswith(".xml")), "")
        if main:
            return kind, main if "[Content_Types].xml" in names else "[Content_Types].xml"
    return "zip", ""


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    """The first bytes of a part: never more than _PART, whatever it inflates to (deflate alone can be bounded)."""
    try:
        if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return b""
        with archive.open(name) as stream:
            return stream.read(_PART)
    except (KeyError, RuntimeError):
        return b""


def _ole(data: bytes, place: Place) -> Row:
    row: Row = {}
    if b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0" in data:
        row["lu.type"] = Value(None, place, "contenu chiffré")
        return _closed(row, place, "document chiffré : un mot de passe est demandé", True)
    if b"W\0o\0r\0k\0b\0o\0o\0k\0" in data or b"B\0o\0o\0k\0\0\0" in data:
        kind = "xls"
    elif b"W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0" in data:
        kind = "doc"
    else:
        row["lu.type"] = Value("inconnu", place)
        return _closed(row, place, "document OLE d'un type non reconnu")
    row["lu.type"] = Value(kind, place)
    if _truncated(data):
        return _closed(row, place, "document endommagé : fichier tronqué")
    if _locked(data, kind):
        return _closed(row, place, "document chiffré : un mot de passe est demandé", True)
    row["lu.lisible"] = row["lu.texte"] = Value("true", place)
    row["lu.chiffre"] = Value("false", place)
    row["lu.actif"] = _flag(b"_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0" in data, place)
    return row


def _truncated(data: bytes) -> bool:
    """A sector of the table of allocation, the directory, or a sector in use begins out of the file."""
    if len(data) < 1536:
        return True
    size = 1 << min(int.from_bytes(data[30:32], "little"), 16)
    count, directory = struct.unpack_from("<II", data, 44)
    tables = struct.unpack_from(f"<{min(count, 109)}I", data, 76)
    if any((sector + 1) * size >= len(data) for sector in (directory, *tables)):
        return True
    entries = b"".join(data[(sector + 1) * size : (sector + 2) * size] for sector in tables)
    used = len(entries.rstrip(b"\xff")) + 3  # a free sector is 0xFFFFFFFF; the last one in use ends a chain otherwise
    return used // 4 * size >= len(data)


def _locked(data: bytes, kind: str) -> bool:
    """A FILEPASS record after the first BOF of a workbook; the encryption bit of a Word file's header."""
    if kind == "doc":
        at = data.find(b"\xec\xa5")
        return at >= 0 and bool(int.from_bytes(data[at + 10 : at + 12], "little") & 0x0100)
    at = data.find(_BOF)
    while at % 512 and at >= 0:
        at = data.find(_BOF, at + 1)
    for _ in range(4 if at >= 0 else 0):
        record, length = struct.unpack_from("<HH", data, at)
        if record == _FILEPASS:
            return True
        at += 4 + length
        if at + 4 > len(data):
            break
    return False
