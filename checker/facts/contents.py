"""What a piece itself says, asked of the plugs of its family: `facture_lue`, `acte_lu`, `signature_lue`.

Plugs do not know each other: here the XML that a PDF carries is handed to the reader of electronic invoices, and what
its page prints is compared with it. Native libraries read these bytes: the caller runs `tell` apart (time, memory).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from types import ModuleType

from checker.base import plugs
from checker.base.certificates import NO_ROOTS, Roots
from checker.base.page import Page
from checker.base.unreadable import Unreadable
from checker.facts import pieces
from checker.model import Place, Row, Told

READERS = "checker.facts.readers"
_SIGNATURES = {"pdf": "pades", "xml": "xades"}
_INVOICES = ("facture", "avoir")
_SCANS = ("pdf", "image")
_READ = ("facture_lue", "acte_lu")  # a scan told them without a value


def pages(data: bytes) -> list[Page]:
    """The pages of a PDF with their words; [] for anything else."""
    return list(_plug("pdftext").pages(data)) if pieces.sniff(data) == "pdf" else []


def tell(
    data: bytes,
    place: Place,
    nature: str,
    words: Sequence[Page] | None = None,
    roots: Roots = NO_ROOTS,
    moment: dt.date | None = None,
    ocr: bool = False,
) -> Told:
    """The tables that a piece fills. `words`: its pages, when they are already read; `roots`, `moment`: see `pades`.

    `ocr`: read what is only an image, its values marked so.
    A PDF with an electronic invoice is told by its XML, its text only confronted with it (`concorde`).
    """
    family = pieces.sniff(data)
    told = Told({})
    shown: Sequence[Page] = ()
    if family == "xml":
        told = _plug("einvoice").tell(data, place, nature)
    elif family == "pdf":
        shown = pages(data) if words is None else words
        told = _carried(data, place, nature, shown)
        if not told.tables or nature not in _INVOICES:
            told = merge(told, _printed(shown, place, nature, "texte"))
    if ocr and family in _SCANS and not any(page.words for page in shown):
        told = merge(
            Told({name: rows for name, rows in told.tables.items() if name not in _READ}), _scanned(data, place, nature)
        )
    name = _SIGNATURES.get(family or "", "")
    if name in plugs.names(READERS):
        told = merge(told, _plug(name).tell(data, place, nature, roots, moment))
    return told


def _carried(data: bytes, place: Place, nature: str, shown: Sequence[Page]) -> Told:
    """What the electronic invoice inside a PDF says, and whether the page says the same."""
    from checker.facts import concord

    einvoice = _plug("einvoice")
    try:
        xml = _plug("pdf").attached(data)
    except Unreadable as error:
        closed: Told = einvoice.closed(place, "facturx", error.reason)
        return closed
    if xml is None:
        return Told({})
    told: Told = einvoice.tell(xml, place, nature, "facturx")
    for _, row in told.tables.get("facture_lue", []):
        row["concorde"] = concord.agrees(row, shown, place)
    return told


def _printed(shown: Sequence[Page], place: Place, nature: str, source: str) -> Told:
    from checker.facts import acts

    return acts.tell(shown, place, nature, source)


def _scanned(data: bytes, place: Place, nature: str) -> Told:
    """What optical reading makes of a scan; nothing when the program that reads is not there."""
    reader = _plug("ocr")
    return Told({}) if reader.missing() else _printed(reader.pages(data), place, nature, "ocr")


def merge(*told: Told) -> Told:
    """One Told of several; the rows of nested tables keep their parents."""
    tables: dict[str, list[tuple[int, Row]]] = {}
    for item in told:
        starts = {name: len(rows) for name, rows in tables.items()}
        for name, rows in item.tables.items():
            start = starts.get(name.rpartition(".")[0], 0)
            tables.setdefault(name, []).extend((parent + start, row) for parent, row in rows)
    return Told(tables)


def _plug(name: str) -> ModuleType:
    return plugs.load(READERS, name)
