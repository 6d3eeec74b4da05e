"""pointblank over Polars: two steps a rule, `col_vals_expr` for what does not hold and for what is not known.

A step has no third value and reads one table: joins and group sums are made before, by Polars.
"""

from __future__ import annotations

from pathlib import Path

import pointblank as pb
import polars as pl

from benchmarks.peers import polars as plain
from benchmarks.tables import Finding

LIBRARY = "pointblank"
PREPARED = ("PIECE", "TOTAL")


def findings(folder: Path) -> set[Finding]:
    """All steps of a frame in one interrogation, then the extract of each."""
    lines, dossiers = plain.frames(folder)
    found: set[Finding] = set()
    frames = ((lines, plain.line_rules()), (dossiers.with_columns(ligne=pl.lit(0)), plain.dossier_rules()))
    for frame, rules in frames:
        plan = pb.Validate(frame)
        steps: list[tuple[str, str]] = []
        for rule, holds in rules.items():
            plan = plan.col_vals_expr(expr=holds.fill_null(True)).col_vals_expr(expr=holds.is_not_null())
            steps += [(rule, "N"), (rule, "I")]
        done = plan.interrogate(collect_extracts=True)
        for number, (rule, outcome) in enumerate(steps, start=1):
            extract = done.get_data_extracts(i=number, frame=True)
            if extract is not None and len(extract):
                found.update((rule, d, n, outcome) for d, n in extract.select("dossier", "ligne").iter_rows())
    return found
