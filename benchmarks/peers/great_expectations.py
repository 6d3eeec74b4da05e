"""Great Expectations over pandas: its own expectations where it has one, else « the prepared column is true ».

An expectation leaves out what is missing: what is not known is a second expectation, not null.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
import great_expectations as gx

from benchmarks.peers import pandas as plain
from benchmarks.tables import Finding

LIBRARY = "great-expectations"
PREPARED = ("CUMUL", "TOTAL", "PIECE", "SIRET", "CODE", "TVA", "TTC")
_FORMAT = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": ["dossier", "ligne"],
    "include_unexpected_rows": False,
}


def _own() -> list[tuple[str, str, Any]]:
    """(rule, outcome, expectation) of the rules that it says itself."""
    x = gx.expectations
    listed: list[tuple[str, str, Any]] = [
        ("REQUIS", "N", x.ExpectColumnValuesToNotBeInSet(column="objet", value_set=["", " "])),
        ("UNIQUE", "N", x.ExpectCompoundColumnsToBeUnique(
            column_list=["siret", "facture"], ignore_row_if="any_value_is_missing")),
    ]  # fmt: skip
    for rule, above, below in (
        ("ORDRE", "date", "engagement"), ("ORDRE", "paiement", "date"), ("LIGNE", "fait", "montant"),
    ):  # fmt: skip
        pair = x.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=above, column_B=below, or_equal=True, ignore_row_if="either_value_is_missing"
        )
        listed.append((rule, "N", pair))
    needed = (
        ("REQUIS", "objet"), ("UNIQUE", "siret"), ("ORDRE", "engagement"), ("ORDRE", "date"), ("ORDRE", "paiement"),
        ("LIGNE", "fait"), ("LIGNE", "montant"),
    )  # fmt: skip
    return listed + [(rule, "I", x.ExpectColumnValuesToNotBeNull(column=column)) for rule, column in needed]


def _prepared(rules: dict[str, Any]) -> list[tuple[str, str, Any]]:
    x = gx.expectations
    return [
        item
        for rule in rules
        for item in (
            (rule, "N", x.ExpectColumnValuesToNotBeInSet(column=f"holds_{rule}", value_set=[0])),
            (rule, "I", x.ExpectColumnValuesToNotBeNull(column=f"holds_{rule}")),
        )
    ]


def findings(folder: Path) -> set[Finding]:
    """One suite a frame; a breach wins over an unknown."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = gx.data_context.types.base.ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("tables")
    lines, dossiers = plain.frames(folder)
    of_lines = {rule: holds for rule, holds in plain.line_rules(lines).items() if rule in PREPARED}
    of_dossiers = plain.dossier_rules(dossiers)
    found: dict[tuple[str, int, int], str] = {}
    for name, frame, rules, asked in (
        ("lignes", lines, of_lines, [*_own(), *_prepared(of_lines)]),
        ("dossiers", dossiers, of_dossiers, _prepared(of_dossiers)),
    ):
        flags = {f"holds_{rule}": holds.astype("Float64").astype("float64") for rule, holds in rules.items()}
        frame = frame.assign(**flags)  # `holds_`: it finds columns without regard to case
        frame = frame.astype({key: "object" for key in ("objet", "siret", "facture") if key in frame})
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
        for rule, outcome, item in asked:
            item.meta = {"rule": rule, "outcome": outcome}
        suite = gx.ExpectationSuite(name=name, expectations=[item for _, _, item in asked])
        got = batch.get_batch(batch_parameters={"dataframe": frame}).validate(suite, result_format=_FORMAT)
        for result in got.results:  # in an order of their own
            if result.exception_info.get("raised_exception", True):
                raise RuntimeError(str(result.exception_info)[:2000])
            rule, outcome = (result.expectation_config.meta[key] for key in ("rule", "outcome"))
            for row in result.result.get("unexpected_index_list") or ():
                key = (rule, int(row["dossier"]), int(row["ligne"]))
                found[key] = "N" if "N" in (outcome, found.get(key)) else "I"
    return {(*key, outcome) for key, outcome in found.items()}
