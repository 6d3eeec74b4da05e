"""`python -m benchmarks.archive [--dossiers N …] [--memory SIZE] [--jobs N]`: an audit beside the scan floor.

An archive of N dossiers (20 lines and 65 pieces each) is made by SQL from a few judged ones: each dossier copies the
sound one, or one with a planted anomaly, under names, numbers and digests of its own. The audit must count, of every
rule, the dossiers by outcome that the copies give: a difference stops the benchmark. The floor is a COUNT of every
column that the rules read, by the same engine, with the same memory and threads.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checker import facts, findings, packs, plans, tables, verdicts
from checker.base import dictionary as dictionaries
from checker.base import plugs, yamlfile
from checker.base.dictionary import ROOT as DOSSIER
from checker.base.dictionary import Dictionary
from checker.commands.collect import SETTINGS
from checker.findings import archive
from checker.findings.reads import columns_of
from checker.findings.sql import quote, state_name, table_sql
from checker.model import Pack, Place
from checker.pipeline import today

ROOT = Path(__file__).resolve().parent.parent
PACK = "dinsic-calvados-2018"
LINES = 20
EACH = 1000  # one dossier of so many holds a given anomaly
PART = 5000  # dossiers of a part
SUFFIXED = {"depenses": ("facture.numero",), "paiements": ("mandat",), "dossier": ("reference",)}
DIGESTS = {"pieces": ("sha256", "lu.sha256")}


def sound() -> dict[str, Any]:
    """The reference dossier with LINES lines, each with its three pieces."""
    data: dict[str, Any] = yamlfile.load_data(ROOT / "rules" / PACK / "reference" / "dossier.yaml")
    model, acts = data["depenses"][0], [item for item in data["pieces"] if "lignes" not in item]
    lines, pieces = [], []
    for number in range(1, LINES + 1):
        line = copy.deepcopy(model)
        line["ligne"] = number
        line["facture"] |= {
            "numero": f"F-2018-{number:03d}",
            "montant_ht": "3500.00",
            "montant_tva": "700.00",
            "montant_ttc": "4200.00",
        }
        line["engagement"]["numero"] = f"21044536{number:02d}"
        line["paiement"] |= {"numero": f"1002415{number:02d}", "montant": "4200.00"}
        line["service_fait"]["montant"] = "4200.00"
        line["montant"] = "4200.00"
        lines.append(line)
        for nature in ("facture", "pv_service_fait", "justificatif_paiement"):
            pieces.append(
                {"nature": nature, "lignes": [number], "fichier": f"pieces/{nature}-{number}.pdf", "sha256": "0" * 64}
            )
    data["etat_liquidatif"]["totaux_par_compte"] = {"6113110000": "84000.00"}
    return {**data, "reference": "D", "depenses": lines, "pieces": acts + pieces}


def anomalies() -> list[dict[str, Any]]:
    """The sound dossier, then one for each anomaly."""
    found = [sound() for _ in range(7)]
    found[1]["depenses"][2]["fournisseur"]["siret"] = "99900011000019"
    found[2]["depenses"][3]["facture"]["date"] = "2019-02-30"
    found[3]["depenses"][5]["facture"] |= {"numero": found[3]["depenses"][4]["facture"]["numero"]}
    found[4]["etat_liquidatif"]["total"] = "84000.01"
    found[5]["pieces"].pop()
    found[6]["depenses"][7]["montant"] = None
    return found


def setting() -> tuple[Pack, Dictionary]:
    """The pack under the settings of its reference dossier."""
    pack = packs.load(ROOT / "rules", PACK)
    base = packs.reference_settings(pack)
    laid = packs.overlay(pack, packs.laid_settings(base, base.data, Place(base.shown)))
    return laid, dictionaries.load(*pack.extensions)


def make(folder: Path, count: int) -> dict[str, Counter[str]]:
    """Write an archive of `count` dossiers; rule -> the dossiers by outcome that an audit must find."""
    pack, dictionary = setting()
    assert pack.reference is not None
    node = yamlfile.compose(yamlfile.read_text(pack.reference, "dossier.yaml"), "dossier.yaml")
    submitted = [facts.example(node, data, dictionary, (pack.id,), None, run) for run, data in enumerate(anomalies())]
    frames = tables.build(submitted, dictionary)
    evaluated, _ = findings.evaluate(plans.compile_pack(pack, dictionary), frames)
    decided = verdicts.decide(
        pack, packs.read_settings([], pack.reference.parent / SETTINGS), frames, evaluated, today()
    )
    models = [
        sum(1 for index in range(count) if _model(index, len(submitted)) == place) for place in range(len(submitted))
    ]
    expected: dict[str, Counter[str]] = {}
    for verdict, number in zip(decided, models, strict=True):
        if number:
            expected.setdefault("", Counter())[verdict.decision] += number
            for result in verdict.results:
                expected.setdefault(result.rule, Counter())[result.outcome.word] += number
    with tempfile.TemporaryDirectory() as name:
        writer = archive.Writer(Path(name) / pack.id, dictionary)
        writer.add(frames, range(len(submitted)))
        _copies(Path(name) / pack.id, folder / pack.id, dictionary, count, len(submitted))
    identity = {"id": pack.id, "title": pack.title, "version": pack.version, "sha256": pack.sha256}
    writer.dossiers, writer.parts = count, -(-count // PART)
    shutil.copyfile(pack.reference.parent / SETTINGS, folder / SETTINGS)
    digest = hashlib.sha256((folder / SETTINGS).read_bytes()).hexdigest()
    said = {
        "schema": archive.SCHEMA, "settings": {"path": SETTINGS, "sha256": digest}, "run": {"sha256": ""},
        "packs": [archive.described(identity, writer)],
    }  # fmt: skip
    (folder / archive.SCHEMA_FILE).write_text(json.dumps(said), "utf-8")
    return expected


def _model(index: int, models: int) -> int:
    return index % EACH if index % EACH < models else 0


def _copies(source: Path, target: Path, dictionary: Dictionary, count: int, models: int) -> None:
    connection = plugs.load("checker.findings.engines", "duckdb").connect(threads=2)
    strides: dict[str, int] = {}
    for table in (*dictionary.tables, archive.FAULTS):
        (target / table).mkdir(parents=True)
        files = archive.text(str(source / table / archive.PART.format(0)))
        first = "" if table == archive.FAULTS else ", MIN(row_) OVER (PARTITION BY dossier_) AS first_"
        connection.execute(f"CREATE TABLE {quote(table_sql(table))} AS SELECT *{first} FROM read_parquet({files})")
        held = f"(SELECT COUNT(*) AS n FROM {quote(table_sql(table))} GROUP BY dossier_)"
        strides[table] = connection.execute(f"SELECT COALESCE(MAX(n), 0) FROM {held}").fetchone()[0]
    model = f"CASE WHEN i % {EACH} < {models} THEN i % {EACH} ELSE 0 END"
    for part, start in enumerate(range(0, count, PART)):
        series = f"(SELECT range AS i FROM range({start}, {min(start + PART, count)}))"
        for table in (*dictionary.tables, archive.FAULTS):
            replaced = _replaced(table, dictionary, strides)
            join, above = "", dictionary.tables[table].parent if table in dictionary.tables else None
            if above is not None:
                join = f"LEFT JOIN {quote(table_sql(above))} p ON p.row_ = t.parent_"
            left = "" if table == archive.FAULTS else "EXCLUDE (first_) "
            query = (
                f"SELECT t.* {left}REPLACE ({replaced}) FROM {series} s JOIN {quote(table_sql(table))} t "
                f"ON t.dossier_ = {model} {join} ORDER BY s.i, t.{'rank_' if table == archive.FAULTS else 'row_'}"
            )
            archive.copy(connection, query, target / table / archive.PART.format(part))
    connection.close()


def _replaced(table: str, dictionary: Dictionary, strides: Mapping[str, int]) -> str:
    found = {"dossier_": "s.i"}
    if table in dictionary.tables:
        above = dictionary.tables[table].parent
        found["row_"] = f"s.i * {strides[table]} + t.row_ - t.first_"
        found["parent_"] = f"s.i * {strides[above]} + t.parent_ - p.first_" if above is not None else "0"
    if table == DOSSIER:
        found |= {
            "order_": "s.i",
            "run_": "s.i",
            "path_": "'depot/' || s.i",
            "written_": "'D-' || s.i",
            "reference_": "'D-' || s.i",
        }
    for name in SUFFIXED.get(table, ()):
        found[name] = f"t.{quote(name)} || '-' || s.i"
    for name in DIGESTS.get(table, ()):
        found[name] = f"CASE WHEN t.{quote(name)} IS NOT NULL THEN sha256(s.i || '/' || t.row_) END"
    return ", ".join(f"{value} AS {quote(name)}" for name, value in found.items())


def floor(folder: Path, memory: str, jobs: int) -> float:
    """Seconds to count every column that the rules read."""
    pack, dictionary = setting()
    parts = [part for plan in plans.compile_pack(pack, dictionary) for part in plan.parts]
    with tempfile.TemporaryDirectory() as name:
        connection = plugs.load("checker.findings.engines", "duckdb").connect(Path(name), memory, jobs)
        begin = time.perf_counter()
        for table, columns in columns_of(parts).items():
            counted = [f"COUNT({quote(state_name(column) if state else column)})" for column, state in sorted(columns)]
            files = archive.text(f"{folder / pack.id / table}/*.parquet")
            connection.execute(
                f"SELECT {', '.join(['COUNT(row_), COUNT(dossier_)', *counted])} FROM read_parquet({files})"
            ).fetchall()
        took = time.perf_counter() - begin
        connection.close()
    return took


def measure(
    folder: Path, output: Path, expected: Mapping[str, Counter[str]], memory: str, jobs: int
) -> tuple[float, int]:
    """Seconds and peak kilobytes of an audit; SystemExit: it does not count what was planted."""
    command = [sys.executable, "-m", "checker", "audit", str(folder), "--output", str(output), "--format", "json"]
    command += ["--run-id", "bench", "--jobs", str(jobs), *(["--memory", memory] if memory else [])]
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - begin
        out.seek(0)
        text = out.read()
    if os.waitstatus_to_exitcode(status) not in (0, 1, 2):
        raise SystemExit(f"exit {os.waitstatus_to_exitcode(status)}")
    said = json.loads(text)
    got = {"": Counter({word: number for word, number in said["summary"].items() if word != "dossiers"})}
    for rule, counts in said["rules"].items():
        got[rule] = Counter({word: number for word, number in counts.items() if word != "findings"})
    wrong = [f"{rule}: {got.get(rule)}, not {expected[rule]}" for rule in expected if got.get(rule) != expected[rule]]
    if wrong:
        raise SystemExit("\n".join(wrong))
    return took, _kilobytes(usage)


def _kilobytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss // 1024


def main() -> int:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.archive", description=__doc__)
    parser.add_argument("--dossiers", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--memory", default="", help="memory of the engine (512MB); all by default")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="where archives stay, to be used again")
    options = parser.parse_args()
    print("| dossiers | lines | Parquet MB | floor s | audit s | x floor | peak MB | lines/s |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for count in options.dossiers:
        with tempfile.TemporaryDirectory(dir=options.keep) as name:
            folder = Path(name) / "tables"
            folder.mkdir()
            expected = make(folder, count)
            size = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e6
            least = min(floor(folder, options.memory, options.jobs) for _ in range(2))
            took, peak = measure(folder, Path(name) / "out", expected, options.memory, options.jobs)
            print(
                f"| {count} | {count * LINES} | {size:.0f} | {least:.2f} | {took:.1f} | {took / least:.0f} "
                f"| {peak / 1024:.0f} | {count * LINES / took:.0f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
