"""The tables of the comparison, its rules, and how those without decimals or tables read them.

`dossiers`: dossier, projet, numero, date, total. `lignes`: dossier, ligne, objet, siret, facture, date, engagement,
paiement, code, ht, taux, tva, ttc, fait, montant. `pieces`: dossier, ligne, nature. NULL is unknown, '' is blank; money
is DECIMAL(18,2).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

Finding = tuple[str, int, int, str]  # rule, dossier, line (0: the dossier), N non_conforme or I indetermine

RULES = {
    "CUMUL": "the running total of a project does not exceed the ceiling",
    "TOTAL": "the total of a dossier is the sum of its lines",
    "PIECE": "each line has a piece of the nature `pv_service_fait`",
    "SIRET": "the SIRET passes Luhn, and so does its SIREN",
    "ORDRE": "engagement, invoice and payment follow each other",
    "UNIQUE": "a supplier's invoice number appears once in the run",
    "REQUIS": "the object is given: blank is a breach, absent is unknown",
    "CODE": "the code is in a table at the date of the invoice",
    "TVA": "the tax is the net by the rate, half-up to the cent",
    "TTC": "net and tax make the gross",
    "LIGNE": "what is asked does not exceed what was accepted",
}
CEILING = Decimal("200000.00")
NATURE = "pv_service_fait"
OPEN = 20  # codes without end
OLD, NEW = "GM9001", "GM9002"  # until 2018-06-30, from 2018-07-01
CODES: tuple[tuple[str, dt.date | None, dt.date | None], ...] = (
    *((f"GM{number:04}", None, None) for number in range(1, OPEN + 1)),
    (OLD, None, dt.date(2018, 6, 30)),
    (NEW, dt.date(2018, 7, 1), None),
)
TABLES = ("dossiers", "lignes", "pieces")


def cents(table: Any) -> Any:
    """The Arrow table with amounts as whole cents and rates as whole ten-thousandths, for those without decimals."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for index, item in enumerate(table.schema):
        if pa.types.is_decimal(item.type):
            scaled = pc.multiply(table.column(index), pa.scalar(Decimal(10**item.type.scale)))
            table = table.set_column(index, item.name, scaled.cast(pa.decimal128(38, 0), safe=False).cast(pa.int64()))
    return table


def read(folder: Path, name: str, plain: bool = True) -> Any:
    """A table, as Arrow; `plain`: whole cents instead of decimals."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder / f"{name}.parquet")
    return cents(table) if plain else table


def documents(folder: Path) -> Iterator[dict[str, Any]]:
    """Dossier by dossier, as engines of documents want them: cents, dates as ISO text, its lines and its pieces."""
    found = read(folder, "dossiers").to_pylist()
    for item in found:
        item.update(date=item["date"].isoformat(), lignes=[], pieces=[])
    for line in read(folder, "lignes").to_pylist():
        for name in ("date", "engagement", "paiement"):
            line[name] = line[name].isoformat() if line[name] is not None else None
        found[line["dossier"]]["lignes"].append(line)
    for piece in read(folder, "pieces").to_pylist():
        found[piece["dossier"]]["pieces"].append(piece)
    yield from found


def prepared(dossiers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The documents with what an engine of one document cannot see or fold.

    `cumul`, `cumul_inconnu` and `somme` of a dossier; `fois` (uses of its invoice number) and `chiffres` of a line.
    """
    used = Counter((line["siret"], line["facture"]) for item in dossiers for line in item["lignes"])
    so_far: dict[str, tuple[int, bool]] = {}
    for item in sorted(dossiers, key=lambda item: (item["date"], item["numero"])):
        known, unknown = so_far.get(item["projet"], (0, False))
        so_far[item["projet"]] = known + (item["total"] or 0), unknown or item["total"] is None
        item["cumul"], item["cumul_inconnu"] = so_far[item["projet"]]
        item["somme"] = sum(line["montant"] or 0 for line in item["lignes"])
        for line in item["lignes"]:
            line["fois"] = used[line["siret"], line["facture"]]
            line["chiffres"] = [int(digit) for digit in line["siret"] or ""]
    return dossiers


def luhn(length: int, digit: Callable[[int], str]) -> str:
    """Luhn as engines of documents say it, from what they call the digit at a place."""
    terms = []
    for place in range(length):
        own = digit(place)
        terms.append(f"({own} > 4 ? {own} * 2 - 9 : {own} * 2)" if (length - place) % 2 == 0 else own)
    return f"(({' + '.join(terms)}) % 10 == 0)"
