"""Electronic invoices: CII (Factur-X of all profiles, EXTENDED-CTC-FR, ZUGFeRD 1.0), UBL 2.1 invoices and credit notes.

`tell` says what the invoice itself says (`facture_lue`, its lines, VAT and breaches); nothing is imported, nor read
beyond the root element, for an XML that is no invoice. `concorde` is the business of who has the page (contents.py).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from checker.base import values
from checker.base.unreadable import Unreadable
from checker.facts.readers.einvoice import forms, vet
from checker.model import Place, Row, Told, Value

if TYPE_CHECKING:
    from checker.facts.readers.einvoice.rules import Breach

NATURES: Final = ("facture", "avoir")


def tell(data: bytes, place: Place, nature: str, source: str = "") -> Told:
    """What an XML says; nothing when it is no invoice and is not taken for one (`nature`), faults when it is hostile.

    `source`: « facturx » when the XML was in a PDF (`place` is then the PDF); else the format says it (cii, ubl).
    """
    expected = nature in NATURES or source == "facturx"
    try:
        name = vet.root_name(data)
    except Unreadable as error:
        return closed(place, source, error.reason) if expected else Told({})
    form = forms.FORMS.get(name)
    if form is None:
        fault = "le XML est une commande (Order-X)" if name == forms.ORDER else "le XML n'est ni du CII ni de l'UBL"
        return closed(place, source, fault) if expected else Told({})
    try:
        vet.check(data)
        return _told(vet.tree(data), form, place, source)
    except Unreadable as error:
        return closed(place, source or form.name, error.reason)


def closed(place: Place, source: str, fault: str) -> Told:
    """An invoice that cannot be read: every column is unreadable, for this reason."""
    from checker.facts.readers.einvoice.fields import COLUMNS

    unknown = Value(None, place, fault)
    row: Row = {"fichier": Value(place.file, place), **dict.fromkeys(COLUMNS, unknown)}
    row["source"] = Value(source, place) if source else unknown
    row["vendeur"] = row["acheteur"] = unknown
    row["concorde"] = unknown if source == "facturx" else Value(None, place)
    return Told({"facture_lue": [(0, row)]})


def _told(root: object, form: forms.Form, place: Place, source: str) -> Told:
    from checker.facts.readers.einvoice import rules
    from checker.facts.readers.einvoice.fields import Reader

    reader = Reader(root, form, place)
    row = reader.row()
    lines, vat = reader.lines(), reader.vat()
    guideline = reader.text((form.guideline,))
    level = rules.profile(guideline.raw, form)
    row["profil"] = guideline._replace(raw=level.name or None) if guideline.fault is None else guideline
    row["avec_lignes"] = guideline._replace(raw="true" if lines and level.with_lines else "false", fault=None)
    if source:
        row["source"] = Value(source, place)
    row["concorde"] = Value(None, place)
    country = reader.text((form.country,)).raw
    done = rules.check(root, form, level, _day(row["date"]), country.upper() if country else None)
    row["xsd"] = _verdict(done.xsd, done.xsd_fault, place)
    row["schematron"] = _verdict(done.schematron, done.schematron_fault, place)
    breaches = [_breach(item, place) for item in done.breaches]
    return Told({
        "facture_lue": [(0, row)],
        "facture_lue.lignes": [(0, line) for line in lines],
        "facture_lue.tva": [(0, line) for line in vat],
        "facture_lue.erreurs": [(0, line) for line in breaches],
    })  # fmt: skip


def _breach(item: Breach, place: Place) -> Row:
    where = place._replace(line=item.line, place=item.path)
    named = {"origine": item.origin, "regle": item.rule, "chemin": item.path, "message": item.message}
    return {column: Value(text, where) for column, text in named.items()}


def _verdict(value: bool | None, fault: str | None, place: Place) -> Value:
    return Value(None if value is None else "true" if value else "false", place, fault)


def _day(value: Value) -> dt.date | None:
    try:
        return values.date(value.raw) if value.raw and value.fault is None else None
    except values.Refused:
        return None
