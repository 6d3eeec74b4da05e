"""What the pages of a piece say: `facture_lue` for an invoice or a credit note, `acte_lu` for the other natures.

Values follow the words that name them (`labels`); one that is printed twice with two values is ambiguous, one that is
not printed is absent. Nothing is deduced from another document, the dossier or the convention.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from checker.base import values
from checker.base.page import Page
from checker.facts.acts import labels, layout, parties, printed, seek
from checker.facts.acts.layout import Block, Run, Sheet
from checker.facts.acts.natures import classify
from checker.facts.acts.seek import Found
from checker.model import Place, Row, Told, Value

__all__ = ["classify", "tell"]

_PAGES = 50
_INVOICE = ("profil", "code_type", "avec_lignes", "xsd", "schematron", "concorde")  # what only the XML says
_ACT = ("numero", "date", "montant", "engagement", "facture", "signataire")
_BELOW = 170.0  # points: a signature stands within the next six centimetres
_MOST = 200  # values of a kind
_FIGURES = 260  # signs between « à la somme de » and the figures


def tell(pages: Sequence[Page], place: Place, nature: str, source: str) -> Told:
    """One row of what is printed, each value with its page and its box in points from the top left corner.

    `source`: « texte » or « ocr ». Pages without words (a scan): the row is there, its values absent. Beyond 50 pages,
    or when pages were left unread, what is not found is unreadable and not absent.
    """
    sheets = [layout.sheet(page) for page in pages[:_PAGES]]
    whole = len(pages) <= _PAGES and all(sheet.whole for sheet in sheets)
    invoice = nature in ("facture", "avoir")
    row = _invoice(sheets, nature, place, whole) if invoice else _act(sheets, nature, place, whole)
    row |= {"fichier": Value(place.file, place), "source": Value(source, place)}
    return Told({"facture_lue" if invoice else "acte_lu": [(0, row)]})


def _invoice(sheets: Sequence[Sheet], nature: str, place: Place, whole: bool) -> Row:
    row: Row = {column: Value(None, place) for column in _INVOICE}
    kinds = _types(sheets)
    row["type"] = seek.settle(kinds, "word", place, whole)
    credit = row["type"].raw == "avoir" or (row["type"].raw is None and nature == "avoir")
    for column, tiers in labels.FACTURE.items():
        chosen = labels.CREDIT_NUMBER if column == "numero" and credit else tiers
        found = seek.first(sheets, chosen)
        if column in labels.FOOT:
            found = found or _foot(sheets, printed.compiled(labels.FOOT[column]))
        row[column] = seek.settle(found, chosen[0].kind, place, whole)
    cited = seek.first(sheets, labels.CITED if credit else labels.PREVIOUS)
    row["facture_precedente"] = seek.settle(cited, "invoice", place, whole)
    row["devise"] = seek.settle(_currencies(sheets), "code", place, whole)
    row |= parties.tell(sheets, place, whole)
    return row


def _act(sheets: Sequence[Sheet], nature: str, place: Place, whole: bool) -> Row:
    tiers = labels.ACTS.get(nature, labels.ACTS["autre"])
    row: Row = {column: Value(None, place) for column in _ACT}
    for column, wanted in tiers.items():
        found = seek.first(sheets, wanted)
        if column == "montant":
            said = _said(sheets, nature)
            found = [*said, *(found if nature != "etat_liquidatif" or not said else [])]
        row[column] = seek.settle(found, wanted[0].kind, place, whole)
    row["signataire"] = seek.settle(seek.seek(sheets, labels.SIGNED) or _under_date(sheets), "person", place, whole)
    return row | {"nature": Value(nature, place)}


def _types(sheets: Sequence[Sheet]) -> list[Found]:
    """What the title says the piece is: the largest words, else the first that is not the number of another piece."""
    found: list[tuple[float, bool, Found]] = []
    for sheet in sheets[:1]:
        for block in sheet.blocks:
            for kind, pattern in labels.TYPES:
                for match in printed.compiled(pattern).finditer(block.plain):
                    numbered = bool(re.match(rf"\s{{0,3}}{printed.NO}", block.plain[match.end() : match.end() + 12]))
                    shown = Found(kind, block.page, block.box(match.start(), match.end()), match[0].strip())
                    found.append((shown.box[3] - shown.box[1], numbered, shown))
    tallest = max((height for height, _, _ in found), default=0.0)
    best = sorted(
        (item for item in found if item[0] >= tallest * 0.87), key=lambda item: (item[2].box[1], item[2].box[0])
    )
    return [item for _, numbered, item in best if not (numbered and item is not best[0][2])]


def _foot(sheets: Sequence[Sheet], heading: re.Pattern[str]) -> list[Found]:
    """The amounts of a row « Total » that stand under this heading."""
    found = []
    for sheet in sheets:
        for row in sheet.rows:
            if row and re.match(r"total(?: general| ttc| de la facture)?\s?:?\Z", row[0].plain):
                for run in row[1:]:
                    value = printed.money(run.text, run.plain, 0)
                    above = _heading(sheet, run) if value else None
                    if value and above and heading.match(above.plain):
                        box = run.box(value.start, value.end)
                        found.append(Found(value.raw, run.page, box, run.text[value.start : value.end]))
                    if len(found) >= _MOST:
                        return found
    return found


def _heading(sheet: Sheet, run: Run) -> Run | None:
    """The nearest cell above, in its column, that is no number."""
    for row in reversed(sheet.rows[max(run.row - 200, 0) : run.row]):
        for other in row:
            if other.edges[0] < run.edges[2] and other.edges[2] > run.edges[0] and not other.plain[:1].isdigit():
                return other
    return None


def _said(sheets: Sequence[Sheet], nature: str) -> list[Found]:
    """« à la somme de quatre-vingt-quatre mille euros, soit 84 000,00 € »: the figures, and the letters they repeat."""
    pattern = labels.SENTENCES.get(nature)
    found: list[Found] = []
    for sheet in sheets if pattern else ():
        for block in sheet.blocks:
            for match in printed.compiled(pattern).finditer(block.plain) if pattern else ():
                found += _sum(block, match.end())
    return found


def _sum(block: Block, start: int) -> list[Found]:
    end = min(start + _FIGURES, len(block.text))
    letters = re.match(r"[a-z' \n-]{3,200}?\beuros?\b(?:\set\s[a-z \n-]{2,60}?\bcentimes?\b)?", block.plain[start:end])
    figures = re.search(r"(?<![\w,.])\d", block.plain[start:end])
    found: list[Found] = []
    if letters:
        try:
            raw = values.show(values.amount_in_letters(letters[0]))
        except values.Refused:
            raw = None
        if raw:
            found.append(_there(block, start, start + letters.end(), raw))
    if figures and not re.search(r"[.;]\s", block.plain[start : start + figures.start()]):
        value = printed.money(block.text, block.plain, start + figures.start())
        if value:
            found.insert(0, _there(block, value.start, value.end, value.raw))
    return found


def _there(text: Block | Run, start: int, end: int, raw: str) -> Found:
    return Found(raw, text.page, text.box(start, end), printed.spaces(text.text[start:end]))


def _under_date(sheets: Sequence[Sheet]) -> list[Found]:
    """The name under « Fait à …, le … » or « Caen, le … » when a quality is printed with it (« Le directeur … »)."""
    found: list[Found] = []
    for sheet in sheets:
        for block in sheet.blocks:
            for match in (
                match for head in labels.HEADS for match in printed.compiled(head.pattern).finditer(block.plain)
            ):
                run = block.runs[block.at(match.start())]
                below = [other for row in sheet.rows[run.row + 1 : run.row + 20] for other in row if _under(other, run)]
                if any(printed.compiled(labels.QUALITY).match(other.plain) for other in below):
                    names = ((other, printed.surname(other.text, other.plain, 0)) for other in below)
                    found += [_there(other, name.start, name.end, name.raw) for other, name in names if name]
                if len(found) >= _MOST:
                    return found
    return found


def _under(run: Run, head: Run) -> bool:
    near = 0 <= run.edges[1] - head.edges[1] <= _BELOW
    return near and run.edges[0] < head.edges[2] and run.edges[2] > head.edges[0]


def _currencies(sheets: Sequence[Sheet]) -> list[Found]:
    """The first place of each currency that is printed with an amount or named."""
    found: dict[str, Found] = {}
    for sheet in sheets:
        for block in sheet.blocks:
            for code, pattern in labels.CURRENCIES:
                match = None if code in found else printed.compiled(pattern).search(block.plain)
                if match:
                    found[code] = Found(code, block.page, block.box(match.start(), match.end()), code)
    return list(found.values())
