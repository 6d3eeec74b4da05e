"""A workbook of the report, filled in -> what a person decided in it, sheet by sheet. Door: `sheets`.

Its tables are found by the titles of their columns, in any language of the program, wherever they stand: a person may
have moved, sorted or hidden them. A decision given by a formula is no decision of a person: it is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from checker.base import values
from checker.base.grid import Cell, Grid
from checker.base.words import Words, languages, words
from checker.errors import Problem
from checker.proposals.attesting import Decision
from checker.proposals.yamltext import inert

_COLUMNS = {
    "rule": "flat.rule",
    "outcome": "flat.controller",
    "by": "attest.by",
    "date": "attest.date",
    "reason": "attest.reason",
    "piece": "attest.piece",
}
_WRITTEN = ("outcome", "by", "date", "reason", "piece")
_FILES = ("attest.pieces", "attest.digest")
_PAIRS = ("dossier", "path", "pack")  # above the table: label, value
_ASK = "Refaire le classeur : `quitus check CHEMIN --format xlsx --output CLASSEUR.xlsx`."


class Filled(NamedTuple):
    """The sheet of a dossier: which one, by which pack, the digests of its files as they were, what was decided."""

    name: str
    reference: str
    path: str
    pack: str
    digests: Mapping[str, str]
    decisions: tuple[Decision, ...]


def sheets(grids: Sequence[Grid], formulas: Collection[str], shown: str) -> tuple[list[Filled], list[Problem]]:
    """The sheets of dossiers, and everything in them that cannot be taken as it is."""
    found: list[Filled] = []
    problems: list[Problem] = []
    for grid in grids:
        head = _head(grid)
        if head is not None:
            found.append(_sheet(grid, *head, formulas, shown, problems))
    if not found:
        problems.append(Problem("ce classeur n'a pas de feuille de dossier à remplir", shown, todo=_ASK))
    return found, problems


def _head(grid: Grid) -> tuple[int, Words] | None:
    """The row of the titles, and the language that they are in."""
    for at, row in enumerate(grid.rows[:60]):
        titles = {cell.text.strip() for cell in row}
        for lang in languages():
            table = words(lang)
            if {table["flat.rule"], table["flat.controller"]} <= titles:
                return at, table
    return None


def _sheet(grid: Grid, at: int, table: Words, formulas: Collection[str], shown: str, problems: list[Problem]) -> Filled:
    titles = [cell.text.strip() for cell in grid.rows[at]]
    lost = [title for title in (table[key] for key in (*_COLUMNS.values(), *_FILES)) if titles.count(title) != 1]
    if lost:
        said = f"colonne absente ou en double : {', '.join(lost)}"
        problems.append(Problem(said, shown, excerpt=inert(grid.name), todo=_ASK))
        return Filled(grid.name, "", "", "", {}, ())
    column = {key: titles.index(table[title]) for key, title in _COLUMNS.items()}
    above = _above(grid.rows[:at], table)
    files = [titles.index(table[key]) for key in _FILES]
    digests = {row[files[0]].text: row[files[1]].text for row in grid.rows[at + 1 :] if row[files[0]].text}
    decisions = list(_decisions(grid.rows[at + 1 :], column, formulas, shown, problems))
    return Filled(grid.name, above["dossier"], above["path"], above["pack"], digests, tuple(decisions))


def _above(rows: Sequence[Sequence[Cell]], table: Words) -> dict[str, str]:
    """What the labels above the table say."""
    said = {row[0].text.strip(): row[1].text for row in rows if len(row) > 1 and row[0].text.strip()}
    return {key: said.get(table[f"flat.{key}"], "") for key in _PAIRS}


def _decisions(
    rows: Sequence[Sequence[Cell]],
    column: Mapping[str, int],
    formulas: Collection[str],
    shown: str,
    problems: list[Problem],
) -> Iterator[Decision]:
    for row in rows:
        cells = {key: row[at] for key, at in column.items()}
        written = [cells[key] for key in _WRITTEN if cells[key].text.strip() or cells[key].fault]
        calculated = [cell for key in column if _place(cell := cells[key]) in formulas]
        if calculated:
            what = inert(f"{cells['rule'].text.strip()[:60]} : une formule ne décide pas")
            todo = f"Écrire la valeur elle-même ({', '.join(map(_place, calculated))})."
            problems.append(Problem(what, _shown(shown, cells["outcome"]), todo=inert(todo)))
            continue
        bad = next((cell for cell in written if cell.fault), None)
        if bad is not None:
            problems.append(Problem(inert(str(bad.fault)).rstrip("."), _shown(shown, bad), todo="L'écrire de nouveau."))
            continue
        outcome = cells["outcome"].text.strip()
        if written and not (outcome and not values.fold(outcome)):  # a dash: nothing is said
            texts = {key: cells[key].text for key in _WRITTEN}
            yield Decision(cells["rule"].text.strip(), **texts, place=_shown(shown, cells["outcome"]))


def _place(cell: Cell) -> str:
    return cell.place.place or ""


def _shown(shown: str, cell: Cell) -> str:
    return inert(f"{shown} {_place(cell)}")
