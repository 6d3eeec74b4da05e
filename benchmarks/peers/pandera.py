"""pandera over pandas: two checks a rule over the frame, lazy; joins and group sums are made before, by pandas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandera.pandas as pa

from benchmarks.peers import pandas as plain
from benchmarks.tables import Finding

LIBRARY = "pandera"
PREPARED = ("PIECE", "TOTAL")


def _check(rule: str, outcome: str, holds: Any) -> pa.Check:
    rows = holds.fillna(True) if outcome == "N" else holds.notna()
    return pa.Check(lambda _: rows.astype(bool), name=f"{rule}/{outcome}", ignore_na=False)


def findings(folder: Path) -> set[Finding]:
    """One schema a frame; the rows of its failure cases."""
    found: set[Finding] = set()
    lines, dossiers = plain.frames(folder)
    for frame, rules in ((lines, plain.line_rules(lines)), (dossiers, plain.dossier_rules(dossiers))):
        checks = [_check(rule, outcome, holds) for rule, holds in rules.items() for outcome in ("N", "I")]
        try:
            pa.DataFrameSchema(checks=checks).validate(frame, lazy=True)
        except pa.errors.SchemaErrors as error:
            cases = error.failure_cases[["check", "index"]].drop_duplicates()
            at = frame.loc[cases["index"].astype("int64"), ["dossier", "ligne"]]
            for check, d, n in zip(cases["check"], at["dossier"], at["ligne"], strict=True):
                rule, outcome = check.split("/")
                found.add((rule, d, n, outcome))
    return found
