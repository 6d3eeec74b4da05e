"""Totals told from lines, and the lines that each total covers. Pure.

What could be a line is one: a claimed amount is never dropped, at worst it is counted twice and seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from checker.base import values
from checker.base.dictionary import Table
from checker.base.grid import Cell
from checker.facts.rows.headers import AMOUNT, NUMBER, Header
from checker.model import Row, Value
from checker.model.frozen import frozen

_IDENTITY = frozenset(("number", "invoice", "organisation", "siret", "person", "date"))  # types that make a row a line
_NUMBERING = frozenset(("number", "invoice"))  # types that make it a line even beside « Sous-total »
_GROUPS = frozenset(("account", "code", "code_compose", "organisation"))  # types that a subtotal may name
_FIGURES = frozenset(("money", "percent"))
_UNASSIGNED = "#"  # Chorus: « non affecté »
_TOTAL = re.compile(r"(?:sous tota(?:l|ux)|(?:montant )?tota(?:l|ux)|cumul|(?:a )?report(?:er)?)\b")
_BARE_TOTAL = re.compile(
    r"(?:(?:montant )?total|sous total|cumul|report|a reporter)(?: (?:general|ttc|eur|euros|demande|du|des?|l|la|a|et"
    r"|etat|liquidatif|depenses?|lignes|page|payer|rembourser|remboursement|en))*"
)
_FOOT = re.compile(
    r"arret\w* .{0,60}somme|deja (?:factur|rembours|pay|vers|demand)|plafond(?:$| (?:de|du|conv|ttc|total))"
    r"|reste(?:$| (?:a |disp|du|sur))|fait a |signature|certifi|bon pour|vu (?:et|pour)"
)
_MAYBE = re.compile(
    r"\x1f[^\w\x1f]*(?:sous|tota|montant|cumul|. ?report|report|arr|d.{1,2}j|plaf|rest|fait|sign|cert|bon|vu)", re.I
)
_NOT_OF_COLUMN = frozenset("ht hors tva deja plafond reste restant disponible anterieur anterieurs".split())


@frozen
class Item:
    """A row under the header: the filled cell of each field, the label that makes it a total or a foot, what it is."""

    cells: tuple[Cell, ...]
    filled: Mapping[str, Cell]
    kind: str  # line, total, figures (amounts alone), foot, heading
    label: Cell | None
    identities: int  # filled cells that name a line
    texts: int  # distinct texts of fields other than amounts, the label left out

    @property
    def certain(self) -> bool:
        return self.kind == "line" and self.identities > 0 and AMOUNT in self.filled


def item(row: tuple[Cell, ...], found: Header, table: Table) -> Item:
    """A row under the header, told apart by what it fills."""
    filled: dict[str, Cell] = {}
    kinds: dict[str, str] = {}
    for name, column in found.columns.items():
        if column < len(row) and (row[column].fault or row[column].text.strip() not in ("", _UNASSIGNED)):
            filled[name] = row[column]
            kinds[name] = table.fields[name].type
    label = None
    if _MAYBE.search("\x1f" + "\x1f".join([cell.text for cell in row])):
        label = next((cell for cell in row if not cell.fault and _labelled(cell.text)), None)
    said = label.text if label else None
    naming = _naming(label, filled, kinds)
    others = [kind for name, kind in kinds.items() if kind not in _FIGURES and filled[name].text != said]
    identities = len([kind for kind in others if kind in naming])
    if identities and NUMBER in filled and not any(char.isdigit() for char in filled[NUMBER].text):
        identities -= filled[NUMBER].text != said and "number" in naming  # words where numbers stand name no line
    texts = len({filled[name].text for name, kind in kinds.items() if kind not in _FIGURES} - {said})
    return Item(row, filled, _kind(row, filled, label, identities, others), label, identities, texts)


def _naming(label: Cell | None, filled: Mapping[str, Cell], kinds: Mapping[str, str]) -> frozenset[str]:
    """The types of fields that make a row a line in spite of its label."""
    if label is None:
        return _IDENTITY
    said = values.fold(label.text)
    if not _TOTAL.match(said):
        return _IDENTITY - {"date"}  # « Fait à Paris » and its date
    supplier = any(filled[name] is label and kind in ("organisation", "person") for name, kind in kinds.items())
    plain = said.startswith("sous") or _BARE_TOTAL.fullmatch(said)
    return _NUMBERING if plain and not supplier else _IDENTITY


def only(items: Iterable[Item], kind: str) -> list[Item]:
    """The items of this kind, in order."""
    return [item for item in items if item.kind == kind]


def _labelled(text: str) -> bool:
    said = values.fold(text[:200])
    return bool(_TOTAL.match(said) or _FOOT.match(said))


def _kind(
    row: Sequence[Cell], filled: Mapping[str, Cell], label: Cell | None, identities: int, others: Sequence[str]
) -> str:
    """What a row is; `others` are the types of its filled fields, amounts and label left out."""
    if label is not None and not identities:
        said = values.fold(label.text[:200])
        told = all(kind in _GROUPS for kind in others)
        if _TOTAL.match(said):
            return "total" if told or said.startswith("sous") or _BARE_TOTAL.fullmatch(said) else "line"
        return "foot" if told or AMOUNT not in filled else "line"
    if len(others) > 1 or any(cell.fault for cell in row):
        return "line"
    shown = {cell.text.strip() for cell in row if cell.text.strip()}
    if AMOUNT in filled and not others:
        # A word in a column that no field claims, or in the amount itself, and it is no longer amounts alone.
        return "figures" if all(_amount(text) is not None for text in shown) else "line"
    one = len(shown) == 1 and any(char.isalpha() for char in next(iter(shown)))
    return "heading" if one else "line"


def _amount(text: str) -> Decimal | None:
    try:
        return values.money(text)
    except values.Refused:
        return None


def settled(items: list[Item]) -> list[Item]:
    """Lines and totals in order; what follows the grand total is a line only when it says enough to be one."""
    last = max((at for at, item in enumerate(items) if item.certain), default=-1)
    grand = next((at for at, item in enumerate(items) if at > last and _is_grand(item)), len(items))
    loose = not any(item.certain for item in items)
    kept: list[Item] = []
    for at, item in enumerate(items):
        if item.kind in ("line", "figures") and at > grand:
            enough = item.texts >= (1 if loose else 2) and item.kind == "line"
            if AMOUNT in item.filled and enough:
                kept.append(item)
        elif item.kind in ("line", "total"):
            kept.append(item)
        elif item.kind == "figures":
            kept.append(_as_total_or_line(item, kept))
    return kept


def _said(item: Item) -> str:
    return values.fold(item.label.text) if item.label else ""


def _is_grand(item: Item) -> bool:
    return item.kind == "total" and bool(item.label) and _said(item).startswith(("total", "montant"))


def _as_total_or_line(item: Item, before: list[Item]) -> Item:
    """Amounts alone are a total when they are the sum of the lines above; otherwise they are a claim."""
    lines = [line.filled.get(AMOUNT) for line in only(before, "line")]
    start = max((at for at, line in enumerate(before) if line.kind == "total"), default=-1) + 1
    since = [line.filled.get(AMOUNT) for line in only(before[start:], "line")]
    shown = _amount(item.filled[AMOUNT].text)
    kind = "total" if any(group and _sum(group) == shown for group in (since, lines)) else "line"
    return Item(item.cells, item.filled, kind, None, item.identities, item.texts)


def _sum(cells: Sequence[Cell | Value | None]) -> Decimal | None:
    """The sum of amounts, None when one of them is not readable."""
    total = Decimal(0)
    for cell in cells:
        text = None if cell is None or cell.fault else cell.text if isinstance(cell, Cell) else cell.raw
        amount = _amount(text) if text else None
        if amount is None:
            return None
        total += amount
    return total


def totals(kept: list[Item], lines: list[Row], table: Table) -> list[Row]:
    """One row a total that shows an amount."""
    rows: list[Row] = []
    seen = since = 0
    for at, item in enumerate(kept):
        if item.kind == "line":
            seen += 1
            continue
        said = _said(item)
        shown = item.filled.get(AMOUNT)
        if shown is not None and shown is not item.label and not _NOT_OF_COLUMN & set(said.split()):
            final = not any(later.kind in ("line", "total") for later in kept[at + 1 :])
            covered = _covered(item, said, lines[:seen], since, final, table)
            rows.append(_total(item, shown, covered))
        if not said.startswith(("cumul", "report", "a report")):
            since = seen
    return rows


def _covered(item: Item, said: str, lines: list[Row], since: int, final: bool, table: Table) -> list[list[Row]]:
    """The groups of lines that a total may cover, the likeliest first."""
    recent = lines[since:]
    if said.startswith(("cumul", "report", "a report")):
        return [lines]
    named = [group for group in (_named(item, said, recent, table), _named(item, said, lines, table)) if group]
    if said.startswith("sous"):
        return named or [recent]
    if final or not recent:
        return [lines, *named]
    return [*named, recent, lines]


def _named(item: Item, said: str, lines: list[Row], table: Table) -> list[Row]:
    """The lines of the account, project or supplier that a subtotal names, in its label or in that column."""
    columns = [name for name in (lines[0] if lines else ()) if table.fields[name].type in _GROUPS]
    around = [values.fold(item.filled[name].text) for name in columns if name in item.filled]
    text = f" {' '.join([said, *around])} "
    found = False
    for name in columns:
        matched = [row for row in lines if (word := _group(row[name], table.fields[name].type)) and f" {word} " in text]
        if matched:
            found, lines = True, matched
    return lines if found else []


def _group(value: Value, kind: str) -> str:
    raw = value.raw or ""
    return values.fold(raw if kind == "organisation" else values.account(raw))


def _total(item: Item, shown: Cell, covered: list[list[Row]]) -> Row:
    place = item.label.place if item.label else shown.place
    amount = None if shown.fault else _amount(shown.text)
    sums = [_sum([row.get(AMOUNT) for row in group]) for group in covered if group]
    chosen = next((total for total in sums if total is not None and total == amount), sums[0] if sums else None)
    if chosen is not None:
        somme = Value(format(chosen, "f"), shown.place)
    else:
        why = "un montant des lignes est illisible ou absent" if sums else "aucune ligne n'est à sommer"
        somme = Value(None, shown.place, f"Somme inconnue : {why}.")
    return {
        "libelle": Value(item.label.text if item.label else None, place),
        "montant": Value(shown.text, shown.place, shown.fault),
        "somme": somme,
    }
