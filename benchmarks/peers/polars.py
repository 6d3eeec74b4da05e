"""Polars: one expression a rule, three-valued as Polars is; money as whole cents."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks.tables import CEILING, CODES, NATURE, Finding, read

LIBRARY = "polars"
PREPARED: tuple[str, ...] = ()


def _luhn(column: str, length: int) -> pl.Expr:
    total = pl.lit(0)
    for position in range(length):
        digit = pl.col(column).str.slice(position, 1).cast(pl.Int64, strict=False)
        doubled = pl.when(digit > 4).then(digit * 2 - 9).otherwise(digit * 2)
        total = total + (doubled if (length - position) % 2 == 0 else digit)
    return total % 10 == 0


def _in_table() -> pl.Expr:
    code, day = pl.col("code"), pl.col("date")
    always = [item for item, start, end in CODES if start is None and end is None]
    found = code.is_in(always)
    for item, start, end in CODES:
        if start is not None:
            found = found | ((code == item) & (day >= start))
        if end is not None:
            found = found | ((code == item) & (day <= end))
    return found


def line_rules() -> dict[str, pl.Expr]:
    """rule -> whether it holds, NULL when unknown, over the frame of `frames`."""
    return {
        "PIECE": pl.col("given").is_not_null(),
        "SIRET": (pl.col("siret").str.len_chars() == 14) & _luhn("siret", 14) & _luhn("siret", 9),
        "ORDRE": (pl.col("engagement") <= pl.col("date")) & (pl.col("date") <= pl.col("paiement")),
        "UNIQUE": pl.when(pl.col("siret").is_not_null()).then(pl.len().over("siret", "facture") == 1),
        "REQUIS": pl.col("objet").str.strip_chars() != "",
        "CODE": _in_table(),
        "TVA": (pl.col("ht") * pl.col("taux") + 500_000) // 1_000_000 == pl.col("tva"),
        "TTC": pl.col("ht") + pl.col("tva") == pl.col("ttc"),
        "LIGNE": pl.col("montant") <= pl.col("fait"),
    }


def dossier_rules() -> dict[str, pl.Expr]:
    """The same over the frame of dossiers, sorted."""
    total = pl.col("total")
    known = total.fill_null(0).cum_sum().over("projet") <= int(CEILING * 100)
    unknown = total.is_null().cast(pl.Int64).cum_sum().over("projet") > 0
    return {
        "CUMUL": pl.when(~known).then(False).when(~unknown).then(True),
        "TOTAL": pl.when(pl.col("unknown") == 0).then(pl.col("total") == pl.col("sum")),
    }


def frames(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(lines with the piece they have, dossiers with the sum of their lines)."""
    dossiers, lines, pieces = (pl.from_arrow(read(folder, name)) for name in ("dossiers", "lignes", "pieces"))
    assert isinstance(dossiers, pl.DataFrame)
    assert isinstance(lines, pl.DataFrame)
    assert isinstance(pieces, pl.DataFrame)
    given = pieces.filter(pl.col("nature") == NATURE).select("dossier", "ligne", given=pl.lit(1)).unique()
    lines = lines.join(given, on=["dossier", "ligne"], how="left")
    sums = lines.group_by("dossier").agg(sum=pl.col("montant").sum(), unknown=pl.col("montant").null_count())
    return lines, dossiers.join(sums, on="dossier", how="left").sort("projet", "date", "numero")


def findings(folder: Path) -> set[Finding]:
    """All rules in one projection a frame."""
    lines, dossiers = frames(folder)
    found: set[Finding] = set()
    for frame, rules in ((lines, line_rules()), (dossiers.with_columns(ligne=pl.lit(0)), dossier_rules())):
        judged = frame.select("dossier", "ligne", **rules)
        for rule in rules:
            broken = judged.filter(pl.col(rule).is_null() | ~pl.col(rule)).select("dossier", "ligne", rule)
            found.update((rule, row[0], row[1], "I" if row[2] is None else "N") for row in broken.iter_rows())
    return found
