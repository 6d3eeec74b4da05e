"""Text (and delimited text): does it decode, does it hold anything."""

from __future__ import annotations

from typing import Final

from checker.model import Place, Row, Value

MEDIA: Final = ("texte",)
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def look(data: bytes, place: Place) -> Row:
    """UTF-8, UTF-16 with its mark, or Windows-1252; a fault when none decodes."""
    row: Row = {
        "lu.type": Value("texte", place),
        "lu.chiffre": Value("false", place),
        "lu.actif": Value("false", place),
    }
    text = decode(data)
    if text is None or "\0" in text:
        return row | {"lu.lisible": Value(None, place, "texte endommagé : octets qui ne sont pas du texte")}
    blank = not text or text.isspace()
    return row | {"lu.lisible": Value("true", place), "lu.texte": Value("false" if blank else "true", place)}


def decode(data: bytes) -> str | None:
    """The text, or None."""
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    for name in (marked,) if marked else ("utf-8", "cp1252"):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return None
