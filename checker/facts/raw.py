"""A raw folder -> its pieces: what each is, what it says, the lines of its sheet. Nothing is raised for bad data.

What opens a file runs apart, within the limits of the settings; a file that breaks its reader cannot be read.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from checker.base import plugs
from checker.base.dictionary import Table
from checker.base.page import Page
from checker.base.piece import Piece
from checker.base.unreadable import Unreadable
from checker.facts import apart, contents, pieces, sheets
from checker.facts import rows as lines
from checker.facts.acts import cells, layout, natures
from checker.model import Fault, Limits, Place, Row, Told, Value

MAX_FILES = 5_000  # of a raw folder
_SKIPPED = frozenset({"__pycache__", "node_modules", "venv", "__macosx", "thumbs.db", "desktop.ini"})
_SETTINGS = frozenset({"dossier.yaml", "quitus.yaml"})
Cell = tuple[str, Value]
_FORMATS = {"facturx": "Factur-X", "cii": "CII", "ubl": "UBL"}
_SHEET = "ses colonnes sont celles des lignes de dépense"


def names(folder: Path) -> tuple[list[str], list[str]]:
    """The files below a folder, relative, sorted; the folders below it that are dossiers of their own, left out.

    Hidden files, what systems leave behind and the two files of this program are not pieces. A name that is no
    Unicode cannot be written in a manifest: it comes with its odd bytes as U+DC80 to U+DCFF.
    """
    found: list[str] = []
    others: list[str] = []
    for path, below, files in os.walk(folder):
        relative = Path(path).relative_to(folder)
        if path != os.fspath(folder) and "dossier.yaml" in files:
            others.append(relative.as_posix())
            below.clear()
            continue
        below[:] = sorted(name for name in below if _wanted(name))
        found += [(relative / name).as_posix() for name in files if _wanted(name) and name.lower() not in _SETTINGS]
    return sorted(found), sorted(others)


def _wanted(name: str) -> bool:
    return not name.startswith((".", "~$")) and name.lower() not in _SKIPPED


def collect(
    folder: Path, table: Table, given: Mapping[str, str], limits: Limits, target: Path
) -> tuple[list[Piece], list[tuple[str, str]]]:
    """The files of a folder as pieces, their paths relative to it; those that cannot be one, and why.

    `table`: the lines of expense that a sheet may hold. `given`: what a person said that a piece is. `target`: the
    manifest to be written, no piece.
    """
    files, others = names(folder)
    unnamed = [(name, "ambigu : un dossier à part, laissé de côté") for name in others]
    found: list[Piece] = []
    for name in files:
        if (folder / name).resolve() == target.resolve():
            continue
        if any(0xD800 <= ord(char) < 0xE000 for char in name):
            unnamed.append((name, "illisible : son nom n'est pas du texte"))
        elif len(found) == MAX_FILES:
            unnamed.append((name, f"illisible : plus de {MAX_FILES} fichiers"))
            break
        else:
            found.append(_piece(folder, name, table, given.get(name), limits))
    return found, unnamed


def _piece(folder: Path, name: str, table: Table, given: str | None, limits: Limits) -> Piece:
    look = pieces.looking(limits)
    seen, _ = pieces.inspect(folder, name, limits.piece_megabytes * 2**20, look)
    fault = _fault(seen)
    if fault:
        return Piece(name, *_nature([], name, given), fault=fault)
    try:
        rows, totals, faults = _sheet(folder, name, table, limits)
        data = (folder / name).read_bytes()
    except OSError as error:  # it was there a moment ago
        return Piece(name, *_nature([], name, given), fault=f"lecture impossible : {error.strerror}")
    if rows and given in (None, "etat_liquidatif"):
        return Piece(name, "etat_liquidatif", _SHEET, natures.SURE, lines=rows, totals=totals, faults=faults)
    said = apart.call(_said, data, name, given, seconds=limits.piece_seconds, megabytes=limits.reader_megabytes)
    if isinstance(said, apart.Failed):
        return Piece(name, *_nature([], name, given), fault=said.reason)
    nature, reason, confidence, told, text, named = said
    mute = seen["lu.texte"].raw == "false"
    return Piece(name, nature, reason, confidence, told, text, named, mute=mute, faults=faults)


def _said(data: bytes, name: str, given: str | None) -> tuple[str | None, str, str, Told, str, tuple[Cell, ...]]:
    """Nature, reason, confidence, what the piece tells, what its pages print, what their cells name."""
    pages = contents.pages(data)
    nature, reason, confidence = _nature(pages, name, given)
    told = contents.tell(data, Place(name), nature or "autre", pages)
    electronic = _electronic(told)
    if given is None and electronic is not None and electronic[0] != nature:
        nature, reason, confidence = *electronic, natures.SURE
        told = contents.tell(data, Place(name), nature, pages)
    return nature, reason, confidence, told, layout.text(pages), tuple(cells.read(pages, name))


def _electronic(told: Told) -> tuple[str, str] | None:
    """The nature that an electronic invoice says of itself, and the reason."""
    for _, row in told.tables.get("facture_lue", []):
        source, kind = row["source"].raw, row["type"].raw if "type" in row else None
        if source in _FORMATS and kind is not None:
            return "avoir" if kind == "avoir" else "facture", f"facture électronique ({_FORMATS[source]})"
    return None


def _nature(pages: Sequence[Page], name: str, given: str | None) -> tuple[str | None, str, str]:
    """What a piece is, None when it is not sure; why; how sure it is."""
    if given is not None:
        return given, "dite par une personne", ""
    nature, reason, confidence = natures.classify(pages, name)
    if confidence == natures.UNCERTAIN:
        doubt = f"peut-être {nature} : " if nature != "autre" else ""
        return None, doubt + reason, confidence
    return nature, reason, confidence


def _fault(seen: Row) -> str:
    """Why a file does not open, "" when it does."""
    exists, opens, encrypted = seen["lu.existe"], seen["lu.lisible"], seen["lu.chiffre"]
    if exists.fault or exists.raw != "true":
        return exists.fault or exists.place.place or "fichier absent"
    if opens.fault or opens.raw != "true":
        return opens.fault or "le fichier ne s'ouvre pas"
    return "chiffré : un mot de passe est demandé" if encrypted.raw == "true" else ""


def _sheet(
    folder: Path, name: str, table: Table, limits: Limits
) -> tuple[tuple[Row, ...], tuple[Row, ...], tuple[Fault, ...]]:
    """The lines and totals of a spreadsheet, why what it holds is lost; nothing for another file."""
    if name.rpartition(".")[2].lower() not in _suffixes():
        return (), (), ()
    try:
        rows, totals, faults = lines.read(sheets.grids(folder / name, name, limits), table)
    except Unreadable as error:
        return (), (), (Fault(error.reason, Place(name)),)
    return tuple(rows), tuple(totals), tuple(faults)


@functools.cache
def _suffixes() -> frozenset[str]:
    plugged = (plugs.load(sheets.READERS, name) for name in plugs.names(sheets.READERS))
    return frozenset(suffix[1:] for plug in plugged for suffix in getattr(plug, "SUFFIXES", ()))
