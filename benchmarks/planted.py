"""Seeded tables with planted anomalies, as Parquet: `generate`, or
`python -m benchmarks.planted FOLDER LINES [SEED]`. Its counts are known before any engine has run.

A line has one anomaly at most; the odd dossiers stand each in a project of its own.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.tables import CEILING, CODES, NATURE, NEW, OLD, OPEN

KINDS: dict[str, tuple[tuple[str, str], ...]] = {
    "siret_faux": (("SIRET", "N"),),
    "siret_inconnu": (("SIRET", "I"), ("UNIQUE", "I")),
    "piece_absente": (("PIECE", "N"),),
    "dates_inversees": (("ORDRE", "N"),),
    "date_inconnue": (("ORDRE", "I"),),
    "date_et_code": (("ORDRE", "I"), ("CODE", "I")),
    "doublon": (("UNIQUE", "N"),),
    "original": (("UNIQUE", "N"),),
    "objet_blanc": (("REQUIS", "N"),),
    "objet_inconnu": (("REQUIS", "I"),),
    "code_faux": (("CODE", "N"),),
    "code_perime": (("CODE", "N"),),
    "code_inconnu": (("CODE", "I"),),
    "tva_centime": (("TVA", "N"),),
    "tva_inconnue": (("TVA", "I"), ("TTC", "I")),
    "ttc_faux": (("TTC", "N"),),
    "fait_moindre": (("LIGNE", "N"),),
    "fait_inconnu": (("LIGNE", "I"),),
    "montant_inconnu": (("LIGNE", "I"), ("TOTAL", "I")),
}
_PROJECT = 5  # dossiers
_DAY = dt.date(1970, 1, 1)
Array = Any  # of numpy


def _days(day: dt.date) -> int:
    return (day - _DAY).days


def _luhn(digits: Array) -> Array:
    """The check digit of each row of digits."""
    doubled = digits[:, ::-1].copy()
    doubled[:, ::2] *= 2
    doubled[doubled > 9] -= 9
    return (10 - doubled.sum(axis=1) % 10) % 10


def _sirets(count: int, chance: Any) -> Array:
    digits = chance.integers(0, 10, (count, 8))
    digits[:, 0] = chance.integers(4, 9, count)  # not La Poste's
    siren = np.column_stack([digits, _luhn(digits)])
    whole = np.column_stack([siren, chance.integers(0, 10, (count, 4))])
    whole = np.column_stack([whole, _luhn(whole)])
    return np.array(["".join(map(str, row)) for row in whole.tolist()], dtype=object)


def _sizes(lines: int, chance: Any) -> Array:
    sizes = chance.integers(2, 15, lines // 2)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), lines)) + 1]
    sizes[-1] -= int(sizes.sum()) - lines
    if sizes[-1] < 2:
        sizes[-2] += sizes[-1]
        sizes = sizes[:-1]
    return sizes


def generate(folder: Path, lines: int, seed: int = 0) -> Counter[tuple[str, str]]:
    """Write the tables; (rule, outcome) -> how many findings were planted. At least 150 lines."""
    chance = np.random.default_rng([lines, seed])
    sizes = _sizes(lines, chance)
    count = len(sizes)
    dossier = np.repeat(np.arange(count), sizes)
    starts = np.cumsum(sizes) - sizes
    ligne = np.arange(lines) - starts[dossier] + 1
    date = chance.integers(_days(dt.date(2018, 2, 1)), _days(dt.date(2018, 12, 20)), lines)
    split = _days(dt.date(2018, 7, 1))
    codes = np.array([code for code, _, _ in CODES], dtype=object)
    code = codes[chance.integers(0, OPEN, lines)]
    dated = chance.random(lines) < 0.1
    code[dated] = np.where(date[dated] < split, OLD, NEW)
    ht = chance.integers(100, 80_000, lines)
    taux = np.array([200_000, 100_000, 55_000, 21_000])[chance.integers(0, 4, lines)]  # ten-thousandths of a percent
    tva = (ht * taux + 500_000) // 1_000_000
    pool = _sirets(min(lines, 20_000), chance)
    columns: dict[str, Array] = {
        "dossier": dossier, "ligne": ligne, "objet": np.full(lines, "Prestation", dtype=object),
        "siret": pool[chance.integers(0, len(pool), lines)],
        "facture": np.array([f"F-{number}" for number in range(lines)], dtype=object), "date": date,
        "engagement": date - chance.integers(1, 60, lines), "paiement": date + chance.integers(0, 40, lines),
        "code": code, "ht": ht, "taux": taux, "tva": tva, "ttc": ht + tva, "fait": ht + tva, "montant": ht + tva,
    }  # fmt: skip
    position = np.arange(count) % _PROJECT
    planted, total, odd = _odd_dossiers(columns, count, starts, position, chance)
    missing = _odd_lines(columns, dossier, starts, odd, planted, chance)
    nulls = {name: columns.pop(f"{name}?") for name in [key[:-1] for key in columns if key.endswith("?")]}
    _write(folder / "lignes.parquet", {name: _typed(name, values, nulls.get(name)) for name, values in columns.items()})
    head = {
        "dossier": pa.array(np.arange(count)),
        "projet": pa.array([f"P{number // _PROJECT}" for number in range(count)]),
        "numero": pa.array([f"EL-{number:09}" for number in range(count)]),
        "date": _typed("date", _days(dt.date(2019, 1, 1)) + position * 30, None),
        "total": _typed("total", np.where(total < 0, 0, total), total < 0),
    }
    _write(folder / "dossiers.parquet", head)
    kept = np.flatnonzero(~missing)
    rows = np.concatenate([np.arange(lines), kept])
    natures = ["facture"] * lines + [NATURE] * len(kept)
    pieces = {"dossier": dossier[rows], "ligne": ligne[rows], "nature": np.array(natures, dtype=object)}
    _write(folder / "pieces.parquet", {name: pa.array(values) for name, values in pieces.items()})
    return planted


def _odd_dossiers(
    columns: dict[str, Array], count: int, starts: Array, position: Array, chance: Any
) -> tuple[Counter[tuple[str, str]], Array, Array]:
    """Totals wrong, unknown, or that break the ceiling, each in a project of its own: (planted, totals, odd ones)."""
    planted: Counter[tuple[str, str]] = Counter()
    projects = count // _PROJECT  # the whole ones
    each = max(1, projects // 50)
    chosen = chance.permutation(projects)[: 3 * each] * _PROJECT + chance.integers(0, _PROJECT, 3 * each)
    wrong, unknown, over = np.split(chosen, 3)
    for name in ("montant", "fait"):
        columns[name][starts[over]] += int(CEILING * 100)
    total = np.bincount(columns["dossier"], weights=columns["montant"], minlength=count).astype(np.int64)
    total[wrong] += 1
    total[unknown] = -1
    later = _PROJECT - position
    planted.update({("TOTAL", "N"): each, ("TOTAL", "I"): each})
    planted.update({("CUMUL", "N"): int(later[over].sum()), ("CUMUL", "I"): int(later[unknown].sum())})
    return planted, total, chosen


def _odd_lines(
    columns: dict[str, Array], dossier: Array, starts: Array, odd: Array, planted: Counter[tuple[str, str]], chance: Any
) -> Array:
    """Plant the anomalies of KINDS, in place; the lines whose piece is missing. `x?`: which values of x are unknown."""
    lines = len(dossier)
    each = max(1, lines // 1000)
    plain = np.setdiff1d(np.arange(len(starts)), odd)
    silent = starts[chance.choice(plain, each, replace=False)]  # one line of a dossier
    others = chance.permutation(np.setdiff1d(np.arange(lines), silent))
    at = {kind: others[index * each : (index + 1) * each] for index, kind in enumerate(KINDS)}
    at["montant_inconnu"] = silent
    for kind, said in KINDS.items():
        for key in said:
            planted[key] += len(at[kind])

    def unknown(column: str, *kinds: str) -> None:
        columns[f"{column}?"] = np.isin(np.arange(lines), np.concatenate([at[kind] for kind in kinds]))

    siret, code, date = columns["siret"], columns["code"], columns["date"]
    siret[at["doublon"]] = siret[at["original"]]
    columns["facture"][at["doublon"]] = columns["facture"][at["original"]]
    siret[at["siret_faux"]] = [f"{text[:-1]}{(int(text[-1]) + 1) % 10}" for text in siret[at["siret_faux"]]]
    columns["engagement"][at["dates_inversees"]] = date[at["dates_inversees"]] + 3
    columns["objet"][at["objet_blanc"]] = ""
    code[at["date_inconnue"]] = "GM0001"
    code[at["date_et_code"]] = OLD
    code[at["code_faux"]] = "GM7777"
    code[at["code_perime"]] = np.where(date[at["code_perime"]] < _days(dt.date(2018, 7, 1)), NEW, OLD)
    for name in ("tva", "ttc"):
        columns[name][at["tva_centime"]] += 1
    columns["ttc"][at["ttc_faux"]] += 100
    columns["fait"][at["fait_moindre"]] -= 1
    unknown("siret", "siret_inconnu")
    unknown("date", "date_inconnue", "date_et_code")
    unknown("objet", "objet_inconnu")
    unknown("code", "code_inconnu")
    unknown("tva", "tva_inconnue")
    unknown("fait", "fait_inconnu")
    unknown("montant", "montant_inconnu")
    return np.isin(np.arange(lines), at["piece_absente"])


def _typed(name: str, values: Array, null: Array | None) -> Any:
    mask = null if null is not None else None
    if name in ("date", "engagement", "paiement"):
        return pa.array(values.astype("int32"), pa.int32(), mask=mask).cast(pa.date32())
    if name in ("ht", "tva", "ttc", "fait", "montant", "total", "taux"):
        unit, scale = (Decimal("0.0001"), 4) if name == "taux" else (Decimal("0.01"), 2)
        whole = pa.array(values.astype("int64"), mask=mask).cast(pa.decimal128(19, 0))
        return pc.multiply(whole, pa.scalar(unit)).cast(pa.decimal128(18, scale))
    return pa.array(values, mask=mask)


def _write(path: Path, columns: dict[str, Any]) -> None:
    pq.write_table(pa.table(columns), path, compression="zstd", row_group_size=100_000)


if __name__ == "__main__":
    print(dict(generate(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
