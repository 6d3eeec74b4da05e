"""The computed tables `facture_lue`, `acte_lu`, `signature_lue`: what each piece of a dossier says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from checker.base import clock, signature
from checker.facts import apart, contents, pieces
from checker.facts.asked import Asked
from checker.facts.manifest import Builder, outside
from checker.model import Place, Row, State, Told

_BY_EYE = ("texte", "ocr")  # read by its labels: what is not found, or not without doubt, is not judged
_SLOW = 5  # times longer: optical reading takes seconds a page
_SCANS = ("png", "jpeg", "tiff")
_MARKS = {"pdf": (b"/ByteRange", "pades"), "xml": (b"http://www.w3.org/2000/09/xmldsig#", "xades")}


def fill(found: Builder, folder: Path, asked: Asked, moment: dt.date | None) -> None:
    """Ask every readable PDF and XML piece what it says, and a scan when `asked.ocr`; each file once, in the child."""
    kinds = (*_MARKS, *_SCANS) if asked.ocr else tuple(_MARKS)
    seen: set[str] = set()
    for index, row in enumerate(found.tables.get("pieces", [])):
        name = _raw(row, "fichier")
        opens = _raw(row, "lu.lisible") == "true" and _raw(row, "lu.type") in kinds
        if opens and name not in seen and not outside(name):
            seen.add(name)
            with clock.of(f"contenu {_raw(row, 'lu.type')}"):
                said = _tell(folder / name, Place(name), _raw(row, "nature"), asked, moment)
            if isinstance(said, Told):
                _add(found, said, _lines(found, index))
            else:  # what it would have said is not known
                table = "facture_lue" if _raw(row, "nature") in ("facture", "avoir") else "acte_lu"
                found.states[(table, 0)] = State.UNREADABLE
                found.places[table] = Place(name, place=said.reason)


def _raw(row: Row, column: str) -> str:
    value = row.get(column)
    return (value.raw or "").strip() if value is not None else ""


def _tell(path: Path, place: Place, nature: str, asked: Asked, moment: dt.date | None) -> Told | apart.Failed:
    try:
        data = path.read_bytes()
    except OSError:
        return Told({})
    seconds = asked.limits.piece_seconds * (_SLOW if asked.ocr else 1)
    wanted = (data, place, nature, None, asked.roots, moment, asked.ocr)
    said = apart.call(contents.tell, *wanted, seconds=seconds, megabytes=asked.limits.reader_megabytes)
    if not isinstance(said, apart.Failed):
        return Told(said.tables)
    mark, form = _MARKS.get(pieces.sniff(data) or "", (None, ""))
    if mark is None or mark not in data:
        return said
    row = signature.blank(place, nature, form, "", f"lecture impossible : {said.reason}")
    return Told({"signature_lue": [(0, row)]})


def _lines(found: Builder, piece: int) -> list[Row]:
    """The lines that a piece supports, as it says them."""
    pairs = zip(found.parents["pieces.lignes"], found.tables["pieces.lignes"], strict=True)
    return [row for parent, row in pairs if parent == piece and row["valeur"].raw] if pairs else []


def _add(found: Builder, told: Told, lines: list[Row]) -> None:
    starts = {name: len(found.tables[name]) for name in told.tables}
    for name, rows in told.tables.items():
        parent = name.rpartition(".")[0]
        if found.states.get((name, 0)) is State.NONE:
            del found.states[(name, 0)]
        for above, row in rows:
            found.tables[name].append(_judged(row))
            found.parents[name].append(starts[parent] + above if parent else 0)
            index = len(found.tables[name]) - 1
            if parent:
                found.states.pop((name, starts[parent] + above), None)
                continue
            nested = [table.name for table in found.dictionary.tables.values() if table.parent == name]
            found.states.update({(table, index): State.NONE for table in nested})
            if f"{name}.pour" in found.tables and lines:
                found.tables[f"{name}.pour"] += lines
                found.parents[f"{name}.pour"] += [index] * len(lines)
                found.states.pop((f"{name}.pour", index), None)


def _judged(row: Row) -> Row:
    if _raw(row, "source") not in _BY_EYE:
        return row
    return {name: value for name, value in row.items() if value.fault is None or value.raw is not None}
