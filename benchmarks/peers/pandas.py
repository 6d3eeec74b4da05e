"""Plain pandas over Arrow types (nullable, Kleene's logic); money as whole cents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.tables import CEILING, CODES, NATURE, Finding, read

LIBRARY = "pandas"
PREPARED: tuple[str, ...] = ()
Columns = dict[str, Any]


def frames(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(lines with the piece they have, dossiers with the sum of their lines)."""
    dossiers, lines, pieces = (
        read(folder, name).to_pandas(types_mapper=pd.ArrowDtype) for name in ("dossiers", "lignes", "pieces")
    )
    given = pieces.loc[pieces["nature"] == NATURE, ["dossier", "ligne"]].drop_duplicates().assign(given=1)
    lines = lines.merge(given, on=["dossier", "ligne"], how="left")
    grouped = lines.groupby("dossier")["montant"]
    sums = pd.DataFrame({"sum": grouped.sum(), "unknown": grouped.size() - grouped.count()}).reset_index()
    dossiers = dossiers.merge(sums, on="dossier", how="left").sort_values(["projet", "date", "numero"])
    return lines, dossiers.assign(ligne=0)


def _luhn(text: Any, length: int) -> Any:
    total: Any = 0
    for position in range(length):
        digit = text.str.slice(position, position + 1).astype("int64[pyarrow]")
        total = total + (
            digit * 2 - 9 * (digit > 4).astype("int64[pyarrow]") if (length - position) % 2 == 0 else digit
        )
    return total - total // 10 * 10 == 0


def line_rules(lines: pd.DataFrame) -> Columns:
    """rule -> whether it holds, NA when unknown."""
    code, day, siret = lines["code"], lines["date"], lines["siret"]
    always = [item for item, start, end in CODES if start is None and end is None]
    inside = code.isin(always).astype("bool[pyarrow]").where(code.notna())
    for item, start, end in CODES:
        if start is not None:
            inside = inside | ((code == item) & (day >= start))
        if end is not None:
            inside = inside | ((code == item) & (day <= end))
    once = ~lines.duplicated(["siret", "facture"], keep=False).astype("bool[pyarrow]")
    long = siret.str.len() == 14
    return {
        "PIECE": lines["given"].notna().astype("bool[pyarrow]"),
        "SIRET": long & _luhn(siret, 14) & _luhn(siret, 9),
        "ORDRE": (lines["engagement"] <= day) & (day <= lines["paiement"]),
        "UNIQUE": once.where(siret.notna()),
        "REQUIS": lines["objet"].str.strip() != "",
        "CODE": inside,
        "TVA": (lines["ht"] * lines["taux"] + 500_000) // 1_000_000 == lines["tva"],
        "TTC": lines["ht"] + lines["tva"] == lines["ttc"],
        "LIGNE": lines["montant"] <= lines["fait"],
    }


def dossier_rules(dossiers: pd.DataFrame) -> Columns:
    """The same over dossiers, sorted."""
    total = dossiers["total"]
    known = total.fillna(0).groupby(dossiers["projet"]).cumsum() <= int(CEILING * 100)
    unknown = total.isna().astype("int64").groupby(dossiers["projet"]).cumsum() > 0
    held = known.astype("bool[pyarrow]").where(~(known & unknown))
    return {"CUMUL": held, "TOTAL": (total == dossiers["sum"]).where(dossiers["unknown"] == 0)}


def findings(folder: Path) -> set[Finding]:
    """One boolean column a rule, then its rows that do not hold."""
    lines, dossiers = frames(folder)
    found: set[Finding] = set()
    for frame, rules in ((lines, line_rules(lines)), (dossiers, dossier_rules(dossiers))):
        for rule, holds in rules.items():
            for outcome, rows in (("I", holds.isna()), ("N", ~holds.fillna(True))):
                broken = frame[rows.astype(bool)]
                found.update((rule, d, n, outcome) for d, n in zip(broken["dossier"], broken["ligne"], strict=True))
    return found
