"""`collect` and `audit` against `check`: the same outcomes, counts, findings and decisions, by SQL over Parquet."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from checker import facts, findings, packs, plans, tables, verdicts
from checker.base import dictionary as dictionaries
from checker.base import yamlfile
from checker.base.frames import Frames
from checker.base.tree import Plan
from checker.findings import archive, archive_run
from checker.findings.stores import duckdb as store
from checker.model import DossierVerdict, Pack, Settings
from tests import cluster, test_engine, test_mutations
from tests.conftest import ROOT, Quitus

TODAY = dt.date(2019, 5, 20)
TOLD = ("non_conforme", "indetermine")
Said = tuple[dict[tuple[int, str], Any], dict[tuple[int, str], list[Any]], dict[int, str]]


def _chunks(frames: Frames, size: int) -> list[tuple[Frames, list[int]]]:
    whole = range(0, len(frames.submitted), size)
    return [
        (tables.build(frames.submitted[start : start + size], frames.dictionary),
         list(range(start, min(start + size, len(frames.submitted)))))
        for start in whole
    ]  # fmt: skip


def audited(
    folder: Path,
    frames: Frames,
    compiled: Sequence[Plan],
    pack: Pack,
    settings: Settings,
    size: int,
    engine: str = "duckdb",
) -> Said:
    """What the audit says of a batch, kept in parts of `size` dossiers and judged by slices of two parts."""
    writer = archive.Writer(folder / "tables", frames.dictionary)
    for chunk, orders in _chunks(frames, size):
        writer.add(chunk, orders)
    kept = archive.Archive(folder / "tables", archive.described({"id": pack.id}, writer))
    held = {plan.rule for plan in compiled}
    ids = {rule.id for rule in pack.rules}
    asked = archive_run.Asked(
        archive=kept,
        dictionary=frames.dictionary,
        plans=compiled,
        rules=[(rule.id, rule.severity) for rule in pack.rules if rule.id in held],
        waivers=[
            (item.rule, item.dossier, item.start, item.end, bool(verdicts.fault(item, ids, dt.date.min)))
            for item in settings.waivers
        ],
        today=TODAY,
        engine=engine,
        master="local[2]",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "SLICE", size * 2)
        refused = archive_run.audit(asked, folder / "work", lambda done, total: None)
    assert not refused
    return read(folder / "work" / "done")


def read(run: Path) -> Said:
    """(dossier, rule) -> outcome, counts and waiver; the same -> findings; dossier -> decision."""
    connection = duckdb.connect()

    def rows(columns: str, dataset: str) -> list[tuple[Any, ...]]:
        return connection.execute(f"SELECT {columns} FROM read_parquet('{run}/{dataset}/**/*.parquet')").fetchall()

    names = "non_conforme, indetermine, conforme, sans_objet"
    outcomes = {
        (row[0], row[1]): (row[2], row[3], dict(zip(names.split(", "), row[4:], strict=True)))
        for row in rows(f"dossier, rule, outcome, waived, {names}", "outcomes")
    }
    found: dict[tuple[int, str], list[Any]] = {}
    for dossier, rule, outcome, subject, observed, expected, trace in rows(
        "dossier, rule, outcome, subject, observed, expected, trace", "findings"
    ):
        shown = sorted((item["name"], item["value"]) for item in trace or [])
        found.setdefault((dossier, rule), []).append((outcome, subject, observed, expected, shown))
    return outcomes, found, dict(rows("dossier, decision", "decisions"))


def judged(verdicts_: Sequence[DossierVerdict]) -> Said:
    """The same of what `check` decided."""
    outcomes, found = {}, {}
    for index, verdict in enumerate(verdicts_):
        for result in verdict.results:
            counts = {outcome.word: number for outcome, number in result.counts.items()}
            every = {word: counts.get(word, 0) for word in ("non_conforme", "indetermine", "conforme", "sans_objet")}
            outcomes[(index, result.rule)] = (result.outcome.word, result.waiver is not None, every)
            told = [
                (item.outcome.word, item.subject, item.observed, item.expected, sorted(item.trace))
                for item in result.findings
                if item.outcome.word in TOLD
            ]
            if told:
                found[(index, result.rule)] = told
    return outcomes, found, {index: verdict.decision for index, verdict in enumerate(verdicts_)}


def differences(got: Said, want: Said) -> list[str]:
    told = [{key: sorted(held, key=str) for key, held in said[1].items()} for said in (got, want)]
    pairs: list[tuple[str, dict[Any, Any], dict[Any, Any]]] = [
        ("outcome", got[0], want[0]),
        ("decision", got[2], want[2]),
        ("findings", told[0], told[1]),
    ]
    return [
        f"{name} {key}: {mine.get(key)}, not {other.get(key)}"
        for name, mine, other in pairs
        for key in sorted({*mine, *other})
        if mine.get(key) != other.get(key)
    ]


def confront(
    folder: Path,
    frames: Frames,
    compiled: Sequence[Plan],
    pack: Pack,
    settings: Settings,
    size: int,
    engine: str = "duckdb",
) -> None:
    evaluated, faults = findings.evaluate(compiled, frames)
    assert not faults
    want = judged(verdicts.decide(pack, settings, frames, evaluated, TODAY))
    said = differences(audited(folder, frames, compiled, pack, settings, size, engine), want)
    assert not said, f"{len(said)}\n" + "\n".join(said[:30])


@pytest.mark.parametrize("seed", [0, 3])  # without settings, and with
@pytest.mark.parametrize("name", test_engine._packs())
def test_hostile_dossiers_are_judged_alike(name: str, seed: int, tmp_path: Path) -> None:
    made = test_engine.world(name, "reference" if seed % 5 else "none")
    confront(tmp_path, test_engine.hostile(seed, made), made.plans, made.pack, Settings(), 7)


def test_mutations_are_judged_alike(tmp_path: Path) -> None:
    """Those of the usual settings, in one archive."""
    pack = packs.load(ROOT / "rules", test_mutations.PACK)
    dictionary = dictionaries.load(*pack.extensions)
    assert pack.reference is not None
    node = yamlfile.compose(yamlfile.read_text(pack.reference, "dossier.yaml"), "dossier.yaml")
    usual = [item for item in test_mutations.mutations() if not item.settings]
    own, settings = test_mutations._settled(pack, packs.reference_settings(pack), usual[0])
    submitted = [
        facts.example(node, data, dictionary, (pack.id,), item.on, run)
        for run, item in enumerate(usual)
        for data in (item.edit, *item.others)
    ]
    assert len(submitted) > 60
    confront(tmp_path, tables.build(submitted, dictionary), plans.compile_pack(own, dictionary), own, settings, 50)


# --- the commands -----------------------------------------------------------------------------------------------------


@pytest.fixture
def depot(tmp_path: Path) -> Path:
    """A sound dossier, one at fault, and two that cannot be read, under one file of settings."""
    folder = tmp_path / "depot"
    for name in ("conforme", "fautif"):
        shutil.copytree(ROOT / "fixtures" / name, folder / name, ignore=shutil.ignore_patterns("quitus.yaml"))
    for name, text in (
        ("vide", ""),
        ("inconnu", "convention: dinsic-calvados-2018\nreference: X\netape: nulle part\n"),
    ):
        (folder / name).mkdir()
        (folder / name / "dossier.yaml").write_text(text, "utf-8")
    shutil.copy(ROOT / "fixtures" / "conforme" / "quitus.yaml", folder / "quitus.yaml")
    return folder


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_the_commands_say_what_check_says(depot: Path, tmp_path: Path, quitus: Quitus) -> None:
    checked = quitus("check", depot, "--format", "json")
    report = json.loads(checked.stdout)
    assert quitus("collect", depot, "--output", tmp_path / "tables").returncode == 0
    done = quitus("audit", tmp_path / "tables", "--output", tmp_path / "out", "--run-id", "un", "--format", "json")
    assert done.returncode == checked.returncode, done.stderr
    said = json.loads(done.stdout)
    assert said["summary"] == {word: report["summary"][word] for word in said["summary"]}
    assert said["decision"] == report["decision"]
    outcomes, found, decided = read(tmp_path / "out" / "run=un")
    for index, dossier in enumerate(report["dossiers"]):
        assert decided[index] == dossier["decision"]
        for result in dossier["results"]:
            outcome, waived, counts = outcomes[(index, result["rule"])]
            assert (outcome, waived) == (result["outcome"], result["waived"] is not None)
            assert {word: number for word, number in counts.items() if number} == result["counts"]
            told = [item["subject"] for item in result["findings"] if item["outcome"] in TOLD]
            assert sorted(item[1] for item in found.get((index, result["rule"]), [])) == sorted(told), result["rule"]
    assert not (tmp_path / "out" / "work").exists()
    assert (tmp_path / "out" / "run=un" / "summary.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_the_same_tables_have_the_same_bytes(depot: Path, tmp_path: Path, quitus: Quitus) -> None:
    for name in ("a", "b"):
        assert quitus("collect", depot, "--output", tmp_path / name).returncode == 0
        quitus("audit", tmp_path / name, "--output", tmp_path / f"out-{name}", "--run-id", "un")
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    assert _bytes(tmp_path / "out-a") == _bytes(tmp_path / "out-b")
    run = tmp_path / "out-a" / "run=un"
    (rules,) = json.loads((run / "rules.json").read_text("utf-8")).values()
    ranks = {"DOSSIER-LISIBLE": -1, **{item["rule"]: rank for rank, item in enumerate(rules)}}
    told = duckdb.sql(
        f"""SELECT dossier, rule, "table", row FROM read_parquet('{run}/findings/*/*.parquet')"""
    ).fetchall()
    order = [(dossier, ranks[rule], table, row) for dossier, rule, table, row in told]
    assert len(order) > 20
    assert order == sorted(set(order))  # by dossier, then as rules stand in their pack: nothing is left to chance


def test_a_second_run_of_one_name_leaves_nothing_of_the_first(depot: Path, tmp_path: Path, quitus: Quitus) -> None:
    out, tables_ = tmp_path / "out", tmp_path / "tables"
    quitus("collect", depot, "--output", tables_)
    quitus("audit", tables_, "--output", out, "--run-id", "un")
    assert any(rule == "CP-LETTRES" for _, rule in read(out / "run=un")[1])
    for name in ("fautif", "vide", "inconnu"):
        shutil.rmtree(depot / name)
    quitus("collect", depot, "--output", tables_)
    assert quitus("audit", tables_, "--output", out, "--run-id", "un").returncode == 0
    outcomes, found, decided = read(out / "run=un")
    assert {dossier for dossier, _ in outcomes} == set(decided) == {0}
    assert not any(rule == "CP-LETTRES" for _, rule in found)


def test_a_killed_audit_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before a statement, it does none of those before it again, and says the same."""
    made = test_engine.world(test_engine._packs()[0], "reference")
    frames = test_engine.hostile(4, made)
    writer = archive.Writer(tmp_path / "tables", frames.dictionary)
    for chunk, orders in _chunks(frames, 7):
        writer.add(chunk, orders)
    asked = archive_run.Asked(
        archive=archive.Archive(tmp_path / "tables", archive.described({"id": "x"}, writer)),
        dictionary=frames.dictionary,
        plans=made.plans,
        rules=[(rule.id, rule.severity) for rule in made.pack.rules],
        waivers=(),
        today=TODAY,
    )
    monkeypatch.setattr(store, "SLICE", 14)
    archive_run.audit(asked, tmp_path / "whole", lambda done, total: None)

    def kill(done: int, total: int) -> None:
        if done == total - 1:  # before the last slice
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive_run.audit(asked, tmp_path / "killed", kill)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed").rglob("*.parquet")}
    assert kept
    archive_run.audit(asked, tmp_path / "killed", lambda done, total: None)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert _bytes(tmp_path / "killed" / "done") == _bytes(tmp_path / "whole" / "done")


@pytest.mark.spark
@pytest.mark.skipif(bool(cluster.missing()), reason=cluster.missing() or "-")
def test_spark_judges_alike(tmp_path: Path) -> None:
    """All rules over hostile dossiers, in several parts, waivers too."""
    from checker.findings.engines import spark

    made = test_engine.world("dinsic-calvados-2018", "reference")
    try:
        confront(tmp_path, test_engine.hostile(3, made), made.plans, made.pack, Settings(), 7, "spark")
    finally:
        spark.stop()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--engine", "sqlite"), "moteur inconnu"),
        (("--memory", "beaucoup"), "n'est pas une taille"),
        (("--run-id", "../x"), "--run-id"),
        ((), "ce ne sont pas des tables"),
    ],
)
def test_a_wrong_call_is_said(arguments: tuple[str, ...], said: str, tmp_path: Path, quitus: Quitus) -> None:
    done = quitus("audit", tmp_path, "--output", tmp_path / "out", *arguments)
    assert done.returncode == 64
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_tables_never_replace_something_else(depot: Path, quitus: Quitus) -> None:
    before = _bytes(depot)
    assert quitus("collect", depot, "--output", depot).returncode == 64
    assert _bytes(depot) == before
    assert not list(depot.parent.glob(".depot.*"))
