"""XML: is it well formed. Streamed by expat: no tree, no entity, nothing fetched; a DOCTYPE is refused."""

from __future__ import annotations

from typing import Final
from xml.parsers import expat

from checker.model import Place, Row, Value

MEDIA: Final = ("xml",)
_CHUNK: Final = 2**20


class _Refused(Exception):
    """The document declares a DOCTYPE."""


def look(data: bytes, place: Place) -> Row:
    """What an XML document says of itself; a malformed one, or one with a DOCTYPE, is a fault."""
    row: Row = {
        "lu.type": Value("xml", place),
        "lu.chiffre": Value("false", place),
        "lu.actif": Value("false", place),
    }
    try:
        row["lu.texte"] = Value("true" if _has_text(data) else "false", place)
    except _Refused:
        return row | {"lu.lisible": Value(None, place, "XML refusé : il déclare un DOCTYPE")}
    except expat.ExpatError as error:
        where = place._replace(line=error.lineno, column=error.offset + 1)
        return row | {"lu.lisible": Value(None, where, f"XML endommagé : ligne {error.lineno}")}
    except (LookupError, ValueError):
        return row | {"lu.lisible": Value(None, place, "XML endommagé : encodage inconnu")}
    return row | {"lu.lisible": Value("true", place)}


def _has_text(data: bytes) -> bool:
    """Parse the whole document; whether it holds characters other than spaces, or attributes."""
    found = False

    def doctype(*_: object) -> None:
        raise _Refused

    def characters(text: str) -> None:
        nonlocal found
        if not text.isspace():
            found = True
            parser.CharacterDataHandler = None

    def element(_: str, attributes: dict[str, str]) -> None:
        nonlocal found
        if attributes:
            found = True
            parser.StartElementHandler = None

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = doctype
    parser.CharacterDataHandler = characters
    parser.StartElementHandler = element
    for start in range(0, len(data), _CHUNK):
        parser.Parse(data[start : start + _CHUNK], False)
    parser.Parse(b"", True)
    return found
