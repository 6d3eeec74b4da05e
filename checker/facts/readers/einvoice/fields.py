"""From the tree of an invoice to the rows of `facture_lue`: each value as read, with its XPath and its line.

A date is written AAAA-MM-JJ (CII writes 20181114) and the zeros beyond the cents go (84000.0000): nothing else is
changed. A value that may occur once and has several different ones is unreadable: none is chosen.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from checker.facts.readers.einvoice.forms import Form, Paths
from checker.model import Place, Row, Value

COLUMNS: Final = (
    *("profil", "numero", "code_type", "type", "date", "date_livraison", "devise"),
    *("vendeur.nom", "vendeur.siret", "vendeur.tva", "acheteur.nom", "acheteur.siret"),
    *("commande", "facture_precedente", "montant_ht", "montant_tva", "montant_ttc", "net_a_payer"),
    *("avec_lignes", "xsd", "schematron", "concorde"),
)
MAX_TEXT: Final = 1000  # characters of a value shown

# UNTDID 1001 as EN 16931 (BT-3) and the French reform (BR-FR-04) restrict it.
_KINDS: Final = {
    **dict.fromkeys("82 326 331 380 384 385 386 387 388 389 390 393 394 395 471 472 473 500 501 575 623 780".split(),
                    "facture"),
    **dict.fromkeys("81 83 261 262 296 308 381 396 420 458 502 503 532".split(), "avoir"),
    "325": "proforma",
    "310": "devis",
}  # fmt: skip
_DAY: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})\Z")
_ISO: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[-+][0-9]{2}:[0-9]{2})?\Z")  # xs:date
_DECIMAL: Final = re.compile(r"([-+]?)([0-9]*)(?:\.([0-9]*))?\Z")  # xs:decimal
_SPACES: Final = re.compile(r"\s+")


Read = tuple[Any, str, str | None]  # element, text, fault


class Reader:
    """Reads one tree. `place`: the file that holds it."""

    def __init__(self, root: Any, form: Form, place: Place) -> None:
        self.root, self.form, self.place = root, form, place
        self.prefixes = {uri: prefix for prefix, uri in form.namespaces.items()}
        self.currency = self.text((form.currency,))

    def where(self, element: Any, above: Any = None, base: str = "") -> Place:
        """The place of an element: its XPath from the root (from `above`, whose XPath is `base`), its line."""
        steps: list[str] = []
        line, step = element.sourceline, element
        while step is not None and step is not above:
            uri, _, local = step.tag.rpartition("}")
            prefix = self.prefixes.get(uri[1:])
            name = f"{prefix}:{local}" if prefix else f"*[local-name()='{local}']"
            before = sum(1 for _ in step.itersiblings(step.tag, preceding=True))
            alone = not before and next(step.itersiblings(step.tag), None) is None
            steps.append(name if alone or step.getparent() is None else f"{name}[{before + 1}]")
            step = step.getparent()
        return self.place._replace(line=line, place=f"{base}/{'/'.join(reversed(steps))}")

    def find(self, path: str, within: Any = None) -> list[Any]:
        """The elements of a path."""
        found: list[Any] = _compiled(path, self.form)(self.root if within is None else within)
        return found

    def missing(self, path: str, base: str = "") -> Value:
        """Nothing there: the place says where it would be."""
        return Value(None, self.place._replace(place=f"{base or '/' + self.form.root}/{path}"))

    def one(self, found: Sequence[Read], path: str, within: Any = None, base: str = "") -> Value:
        """The value of what a path gave: one, or several that are the same. Only the first is located: bounded time."""
        if not found:
            return self.missing(path, base)
        element, text, fault = found[0]
        place = self.where(element, within, base)
        texts = list(dict.fromkeys(item[1] for item in found))
        if len(texts) > 1:
            shown = ", ".join(item[:MAX_TEXT] for item in texts[:5])
            return Value(shown[:MAX_TEXT], place, f"{len(texts)} valeurs différentes là où une seule est attendue")
        if len(text) > MAX_TEXT:
            return Value(text[:MAX_TEXT], place, "texte démesuré")
        return Value(text, place, fault)

    def text(self, paths: Paths) -> Value:
        """The first path that gives something."""
        for path in paths:
            found = self.find(path)
            if found:
                return self.one([(item, _text(item), None) for item in found], path)
        return self.missing(paths[0])

    def date(self, paths: Paths) -> Value:
        """A date; a fault when it is not of the format that it announces."""
        return self.one([(item, *_date(item)) for item in self.find(paths[0])], paths[0])

    def amount(self, path: str, within: Any = None, base: str = "") -> Value:
        """An amount in the currency of the invoice; one that is only given in another is unreadable."""
        found = self.find(path, within)
        own = [item for item in found if item.get("currencyID", self.currency.raw) == self.currency.raw]
        read = [(item, *decimal(_text(item))) for item in own or found]
        if found and not own:
            other = f"montant dans une autre devise que celle de la facture ({self.currency.raw or 'inconnue'})"
            read = [(item, text, other) for item, text, _ in read]
        return self.one(read, path, within, base)

    def siret(self, paths: tuple[Paths, Paths]) -> Value:
        """The SIRET, else the SIREN; unreadable when they contradict each other."""
        full, legal = ([(item, _text(item), None) for path in some for item in self.find(path)] for some in paths)
        if not full:
            return self.one(legal, (paths[1] or paths[0])[0])
        value = self.one(full, paths[0][0])
        bare = _SPACES.sub("", value.raw or "")
        if value.fault is None and any(not bare.startswith(_SPACES.sub("", item[1])[:9]) for item in legal):
            return value._replace(fault=f"le SIRET n'est pas celui du SIREN déclaré ({legal[0][1][:MAX_TEXT]})")
        return value

    def row(self) -> Row:
        """The columns that one invoice has once, but those of its validation."""
        form = self.form
        row: Row = {"fichier": Value(self.place.file, self.place), "source": Value(form.name, self.place)}
        row.update({column: self.text(paths) for column, paths in form.texts.items()})
        row.update({column: self.date(paths) for column, paths in form.dates.items()})
        row.update({column: self.amount(paths[0]) for column, paths in form.amounts.items()})
        row.update({column: self.siret(paths) for column, paths in form.ids.items()})
        row["devise"] = self.currency
        row["type"] = self._kind(row["code_type"])
        for party in ("vendeur", "acheteur"):
            names = [row[column] for column in row if column.startswith(f"{party}.")]
            there = any(value.raw is not None for value in names)
            row[party] = Value("true" if there else None, names[0].place)
        return row

    def _kind(self, code: Value) -> Value:
        if not code.raw or code.fault is not None:
            return code._replace(raw="avoir") if self.form.credit and code.raw is None else code
        kind = _KINDS.get(code.raw)
        if kind is None:
            return code._replace(fault=f"code de type {code.raw[:20]} : ni facture, ni avoir, ni pro forma, ni devis")
        if self.form.credit and kind != "avoir":
            return code._replace(fault=f"le document est un avoir et son code de type {code.raw} ne l'est pas")
        return code._replace(raw=kind)

    def lines(self) -> list[Row]:
        """The lines of the invoice (BG-25)."""
        path, columns = self.form.lines
        return [self._nested(columns, item, base, ("montant",)) for item, base in self._places(path)]

    def vat(self) -> list[Row]:
        """The VAT breakdown (BG-23)."""
        path, columns = self.form.vat
        rows = [self._nested(columns, item, base, ("base", "montant")) for item, base in self._places(path)]
        for row in rows:
            rate = row["taux"]
            if rate.raw is not None and rate.fault is None:
                text, fault = decimal(rate.raw)
                row["taux"] = rate._replace(raw=text, fault=fault)
        return rows

    def _places(self, path: str) -> Iterable[tuple[Any, str]]:
        """The elements of a repeated path with their XPath; the place among siblings is counted once for all."""
        seen: dict[tuple[Any, str], int] = {}
        heads: dict[Any, str] = {}
        found = self.find(path)
        wanted = set(found)
        for parent in dict.fromkeys(item.getparent() for item in found):
            heads[parent] = self.where(parent).place or ""
            for item in parent.iterchildren():
                if not isinstance(item.tag, str):
                    continue
                seen[parent, item.tag] = rank = seen.get((parent, item.tag), 0) + 1
                if item in wanted:
                    uri, _, local = item.tag.rpartition("}")
                    yield item, f"{heads[parent]}/{self.prefixes[uri[1:]]}:{local}[{rank}]"

    def _nested(self, columns: Mapping[str, str], item: Any, base: str, amounts: tuple[str, ...]) -> Row:
        row: Row = {}
        for column, path in columns.items():
            if column in amounts:
                row[column] = self.amount(path, item, base)
            else:
                row[column] = self.one([(leaf, _text(leaf), None) for leaf in self.find(path, item)], path, item, base)
        return row


@functools.cache
def _xpath(path: str, namespaces: tuple[tuple[str, str], ...]) -> Any:
    from lxml import etree

    return etree.XPath(path, namespaces=dict(namespaces))


def _compiled(path: str, form: Form) -> Any:
    return _xpath(path, tuple(form.namespaces.items()))


def _text(element: Any) -> str:
    """The text of an element and of what it should not hold, spaces folded, cut well beyond what a value may have."""
    return _SPACES.sub(" ", "".join(element.itertext())).strip()


def _date(element: Any) -> tuple[str, str | None]:
    """AAAA-MM-JJ and the fault of a date: format 102 in CII, xs:date in UBL (its time zone left out)."""
    text, code = _text(element), element.get("format")
    if code not in (None, "102"):
        return text, f"format de date {code[:20]} : seul le format 102 (AAAAMMJJ) est admis"
    day = _DAY.match(text)
    if code == "102" and day:
        return f"{day[1]}-{day[2]}-{day[3]}", None
    plain = _ISO.match(text)
    if plain and code is None:
        return plain[1], None
    return text, "ce n'est pas une date au format annoncé" if text else None


def decimal(text: str) -> tuple[str, str | None]:
    """An xs:decimal with at least the digits that count: « 84000.0000 » is 84000.00; its fault when it is not one."""
    found = _DECIMAL.match(text)
    if not text or (found and not (found[2] or found[3])):
        return text, None if not text else "ce n'est pas un nombre"
    if not found:
        return text, "ce n'est pas un nombre décimal (XML) : ni espace, ni virgule"
    cents = (found[3] or "").rstrip("0").ljust(min(len(found[3] or ""), 2), "0")
    return f"{'-' if found[1] == '-' else ''}{found[2] or '0'}{'.' + cents if cents else ''}", None
