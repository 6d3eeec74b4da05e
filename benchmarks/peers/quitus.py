"""Our own rules (`benchmarks/pack`), plans, emitter and engine, entered at tables: Parquet in, findings out.

What `Session` makes of lists is made here of Parquet by one statement a table; the statements are those of a check.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.tables import RULES, Finding
from checker import packs, plans
from checker.base import dictionary as dictionaries
from checker.base.dictionary import ROOT
from checker.base.tree import Part
from checker.findings import SHALLOW
from checker.findings.engines import duckdb as engine
from checker.findings.reads import PER_PART
from checker.findings.sql import Emitter, Statement
from checker.model import Outcome

LIBRARY = "duckdb"
PREPARED: tuple[str, ...] = ()
PACKS = Path(__file__).resolve().parent.parent
THREADS = 2
_SAID = {Outcome.NON_CONFORME: "N", Outcome.INDETERMINE: "I"}
_TABLES = {
    ROOT: """SELECT dossier AS row_, 0 AS parent_, 0 AS run_, 0 AS stage_, numero AS reference_,
        projet AS "projet.code",
        numero AS "etat_liquidatif.numero", date AS "etat_liquidatif.date", total AS "etat_liquidatif.total",
        NULL::DATE AS date_controle, 0::TINYINT AS "depenses[]?", 0::TINYINT AS "pieces[]?"
        FROM '{folder}/dossiers.parquet'""",
    "depenses": """SELECT file_row_number AS row_, dossier AS parent_, ligne, NULLIF(trim(objet), '') AS objet,
        (CASE WHEN objet IS NULL THEN 3 WHEN trim(objet) = '' THEN 1 ELSE 0 END)::TINYINT AS "objet?",
        siret AS "fournisseur.siret", facture AS "facture.numero", date AS "facture.date",
        engagement AS "engagement.date",
        paiement AS "paiement.date", code AS groupe_marchandises, ht AS "facture.montant_ht",
        taux::DECIMAL(9,4) AS "facture.taux_tva", tva AS "facture.montant_tva", ttc AS "facture.montant_ttc",
        fait AS "service_fait.montant", montant
        FROM read_parquet('{folder}/lignes.parquet', file_row_number = true)""",
    "pieces": """SELECT file_row_number AS row_, dossier AS parent_, nature,
        0::TINYINT AS "pieces.lignes[]?" FROM read_parquet('{folder}/pieces.parquet', file_row_number = true)""",
    "pieces__lignes": """SELECT file_row_number AS row_, file_row_number AS parent_, ligne AS valeur
        FROM read_parquet('{folder}/pieces.parquet', file_row_number = true)""",
}


def findings(folder: Path) -> set[Finding]:
    """Every rule over every row, one statement a group of them as in `checker.findings`."""
    pack = packs.load(PACKS, "pack")
    dictionary = dictionaries.load()
    compiled = [plan for plan in plans.ready(pack, dictionary) if plan.rule in RULES]
    emitter = Emitter(engine.TEMPLATES, dictionary)
    groups: dict[tuple[str, str], list[tuple[str, Part]]] = {}
    for plan in compiled:
        for part in plan.parts:
            kind = "" if not part.lets else "lets" if len(part.lets) <= SHALLOW else plan.rule
            groups.setdefault((part.subject, kind), []).append((plan.rule, part))
    connection = engine.connect(threads=THREADS)
    for name, sql in _TABLES.items():
        connection.execute(f"CREATE TABLE {name} AS {sql.format(folder=folder)}")
    rows: dict[tuple[str, int, int], Outcome] = {}
    for (subject, _), group in groups.items():
        statement = emitter.statement(subject, [part for _, part in group])
        _read(connection.execute(_broken(statement)), group, rows)
    connection.close()
    return {(rule, dossier, line, _SAID[outcome]) for (rule, dossier, line), outcome in rows.items()}


def _starts(parts: Sequence[Part]) -> list[int]:
    found, at = [], 2
    for part in parts:
        found.append(at)
        at += PER_PART + len(part.shows)
    return [*found, at]


def _broken(statement: Statement) -> str:
    """The statement's rows in which a part does not hold, with the number of their line."""
    *starts, end = _starts(statement.parts)
    names = ", ".join(f"c{index}" for index in range(end))
    broken = " OR ".join(f"c{start} IN (1, 2)" for start in starts)
    line = "0" if statement.subject == ROOT else "l.ligne"
    join = "" if statement.subject == ROOT else "JOIN depenses l ON l.row_ = s.c1"
    # Materialized: a filter pushed below named values would compute each outcome again.
    kept = " MATERIALIZED" if any(part.lets for part in statement.parts) else ""
    return f"WITH s({names}) AS{kept} ({statement.sql}) SELECT s.*, {line} FROM s {join} WHERE {broken}"


def _read(result: Any, group: Sequence[tuple[str, Part]], rows: dict[Any, Outcome]) -> None:
    """Fold the rows in which something does not hold: a breach wins over an unknown."""
    starts = _starts([part for _, part in group])
    while batch := result.fetchmany(10_000):
        for row in batch:
            for (rule, _), start in zip(group, starts, strict=False):
                outcome = Outcome(row[start])
                if outcome in _SAID:
                    key = (rule, row[0], row[-1])
                    if rows.get(key) != Outcome.NON_CONFORME:
                        rows[key] = outcome
