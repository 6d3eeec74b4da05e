"""Images (PNG, JPEG, TIFF): the header, the size, the end; never the pixels. A scan carries no text."""

from __future__ import annotations

import struct
from typing import Final

from checker.model import Place, Row, Value

MEDIA: Final = ("png", "jpeg", "tiff")
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_PAGES: Final = 10_000
_WIDTH, _HEIGHT = 256, 257
_STRIPS: Final = ((273, 279), (324, 325))  # where the strips or tiles are, and their lengths
_WIDE: Final = {3: ("H", 2), 4: ("I", 4)}


def look(data: bytes, place: Place) -> Row:
    """What an image says of itself; a truncated or headless one is a fault."""
    if data.startswith(b"\x89PNG"):
        kind, pages = "png", _png(data)
    elif data.startswith(b"\xff\xd8"):
        kind, pages = "jpeg", _jpeg(data)
    else:
        kind, pages = "tiff", _tiff(data)
    row: Row = {
        "lu.type": Value(kind, place),
        "lu.chiffre": Value("false", place),
        "lu.actif": Value("false", place),
        "lu.texte": Value("false", place),
    }
    if not pages:
        return row | {"lu.lisible": Value(None, place, f"image {kind.upper()} endommagée")}
    return row | {"lu.lisible": Value("true", place), "lu.pages": Value(str(pages), place)}


def _png(data: bytes) -> int:
    if len(data) < 33 or data[12:16] != b"IHDR" or b"IEND" not in data[33:]:
        return 0
    width, height = struct.unpack(">II", data[16:24])
    return 1 if width and height else 0


def _jpeg(data: bytes) -> int:
    """Walk the segments to the frame (its size), then to the scan, which must have an end."""
    sized = False
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            sized = bool(width) and (bool(height) or b"\xff\xdc" in data)  # DNL may say the height later
        if marker == 0xDA:
            return 1 if sized and data.find(b"\xff\xd9", at + 2 + length) >= 0 else 0
        if length < 2:
            return 0
        at += 2 + length
    return 0


def _tiff(data: bytes) -> int:
    """The number of pages: the chain of directories, each with a size and its strips; 0 when one is out of the file."""
    order = "<" if data[:2] == b"II" else ">"
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        while at and len(seen) < _PAGES:
            tags, following = _directory(data, at, order)
            if at in seen or not {_WIDTH, _HEIGHT} <= set(tags):
                return 0
            for offsets, counts in _STRIPS:
                pairs = zip(tags.get(offsets, ()), tags.get(counts, ()), strict=True)
                if any(start + length > len(data) for start, length in pairs):
                    return 0
            seen.add(at)
            at = following
    except (struct.error, ValueError):
        return 0
    return len(seen)


def _directory(data: bytes, at: int, order: str) -> tuple[dict[int, tuple[int, ...]], int]:
    """The whole numbers of one directory, by tag, and the place of the next directory."""
    tags: dict[int, tuple[int, ...]] = {}
    (count,) = struct.unpack_from(f"{order}H", data, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, entry)
        if kind in _WIDE and number <= len(data) // 2:
            letter, size = _WIDE[kind]
            where = entry + 8 if number * size <= 4 else struct.unpack_from(f"{order}I", data, entry + 8)[0]
            tags[tag] = struct.unpack_from(f"{order}{number}{letter}", data, where)
    (following,) = struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)
    return tags, following
