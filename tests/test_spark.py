"""Spark says what DuckDB says: on this machine, on a standalone cluster, through Spark Connect, after a lost worker.

One batch holds every example of the rules and thirty batches of planted traps: a Spark takes seconds a statement,
whatever the rows. Without Java or pyspark all of this is skipped, by name.
"""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checker import authoring, facts, findings, tables
from checker.base import home
from checker.base.frames import Frames
from checker.base.tree import Call, Expr, Literal, Plan
from checker.findings.sql import Emitter
from checker.model import Evaluated, Finding, Submitted
from tests import cluster, oracle, test_engine
from tests.conftest import ROOT

pytestmark = [pytest.mark.spark, pytest.mark.skipif(bool(cluster.missing()), reason=cluster.missing() or "-")]

PACK = "dinsic-calvados-2018"
SEEDS = range(30)
SLOT = 1000  # runs kept for each seed: batches do not meet
TRAPS: Sequence[dict[str, Any]] = (  # what engines are known to read each in their way
    {"depenses": {"1": {"compte_pce": "6113110000\n"}}},
    {"depenses": {"1": {"compte_pce": "\u0666\u0661\u0661\u0663\u0661\u0661\u0660\u0660\u0660\u0660"}}},
    {"depenses": {"1": {"fournisseur": {"siret": "99900011000018\n"}}}},
    {"depenses": {"1": {"fournisseur": {"siret": "\u00a099900011000018"}}}},
    {"etat_liquidatif": {"numero": "'; DROP VIEW dossier; --\\"}},
    {"etat_liquidatif": {"numero": "${spark.app.name} $x {0} \\u0041 %s"}},
    {"etat_liquidatif": {"date": "9999-12-31"}},
    {"etat_liquidatif": {"total": "119999.99"}},
    {"etat_liquidatif": {"total": "1e3"}},
    {"etat_liquidatif": {"total": "infinity"}},
    {"etat_liquidatif": {"total": "1.005"}},
    {"reference": "E\u0301tat"},
    {"reference": "\u00c9tat\u00a0"},
    {"reference": "\U0001f9fe\uffff"},
)


def example_dossiers() -> list[Submitted]:
    """The dossiers of every example that the reference settings judge, each example in a run of its own."""
    pack, _, node = test_engine._loaded(PACK)
    dictionary = test_engine.world(PACK, "reference").dictionary
    own = [rule for rule in pack.rules if rule.place.file.split("/")[0] in pack.examples_of]
    asked = [item for rule in own for item in rule.examples if not item.settings]
    return [
        facts.example(node, data, dictionary, (PACK,), item.on, run)
        for run, item in enumerate(asked)
        for data in (item.given, *item.others)
    ]


def planted() -> list[Submitted]:
    """Thirty seeded batches of hostile dossiers, and one of the traps above."""
    made = test_engine.world(PACK, "reference")
    found: list[Submitted] = []
    for seed in SEEDS:
        batch = test_engine.hostile(seed, made).submitted
        found += [replace(item, run=(seed + 1) * SLOT + item.run) for item in batch]
    base = (len(SEEDS) + 1) * SLOT
    found += [
        facts.example(made.node, data, made.dictionary, (PACK,), None, base + run // 3)
        for run, data in enumerate(TRAPS)
    ]
    return found


@functools.cache
def batch() -> tuple[tuple[Plan, ...], Frames]:
    """All rules over all of these dossiers."""
    made = test_engine.world(PACK, "reference")
    return made.plans, tables.build([*example_dossiers(), *planted()], made.dictionary)


Said = dict[str, dict[int, Evaluated]]


@functools.cache
def duckdb_says() -> Said:
    """What all of them must say."""
    said, faults = findings.evaluate(*batch(), "duckdb", all_evidence=True)
    assert faults == ()
    return said


def flat(said: Said) -> set[tuple[str, int, Finding]]:
    """Every finding, with its texts: amounts, dates, traces, places."""
    return {
        (rule, index, finding)
        for rule, dossiers in said.items()
        for index, found in dossiers.items()
        for finding in found.findings
    }


def same(said: Said) -> None:
    """The same findings as sets, the same counts and outcomes."""
    only, wanted = flat(said), flat(duckdb_says())
    differing = sorted(map(repr, only ^ wanted))[:6]
    assert only == wanted, "\n".join(differing)
    assert {(rule, index): found.counts for rule, own in said.items() for index, found in own.items()} == {
        (rule, index): found.counts for rule, own in duckdb_says().items() for index, found in own.items()
    }


@pytest.fixture(scope="module", autouse=True)
def stopped() -> Iterator[None]:
    """No Spark outlives this file."""
    yield
    from checker.findings.engines import spark

    spark.stop()


def test_the_batch_holds_the_traps() -> None:
    """It decides in every way, and holds many dossiers: what follows compares something."""
    outcomes = [found.outcome for own in duckdb_says().values() for found in own.values()]
    assert len(set(outcomes)) == 4
    assert len(batch()[1].submitted) > 1300
    assert len(flat(duckdb_says())) > 10_000


def test_spark_on_this_machine_says_the_same() -> None:
    said, faults = findings.evaluate(*batch(), "spark@local[2]", all_evidence=True)
    assert faults == ()
    same(said)


def test_examples_under_settings_of_their_own() -> None:
    """Those that the large batch leaves out, through the corridor."""
    pack, _, _ = test_engine._loaded(PACK)
    rules = sorted({rule.id for rule in pack.rules for item in rule.examples if item.settings})
    assert rules
    _, here = authoring.examples(home.rules(), PACK, rules[:3], "spark@local[2]")
    _, there = authoring.examples(home.rules(), PACK, rules[:3])
    assert here == there
    assert any(item.example.settings for item in here)


def test_operators_on_edge_values_are_those_of_the_oracle() -> None:
    """Without columns: cents, ends of months, patterns, identifiers, texts that could leave their quotes."""
    from checker.findings.engines import spark

    made, wrong = edge_values(), []
    emitter = Emitter(spark.TEMPLATES, test_engine.SMALL)
    frames = test_engine.small_tables(random.Random(0))
    spot = oracle.Spot(frames, 0, {})
    session = spark.session(frames, {"dossier": set()}, test_engine.SMALL, "local[2]")
    for start in range(0, len(made), 200):
        nodes = made[start : start + 200]
        picked = ", ".join(emitter.expr(node, None, {}) for node in nodes)
        (row,) = session._spark.sql(f"SELECT {picked}").collect()
        wrong += [(n, got, want) for n, got in zip(nodes, row, strict=True) if (want := oracle.value(n, spot)) != got]
    session.close()
    assert not wrong, "\n".join(f"{node}: Spark {got!r}, oracle {want!r}" for node, got, want in wrong[:10])


def edge_values() -> list[Expr]:
    """Operators over the edges that tests/test_engine.py knows."""
    known, every = test_engine, test_engine._all
    literal = known._literals("text", ("0001\n", "\n0001", "a\nb", "a\rb", "a\u2028b", "a\u0085b", "\\", "\\'", "${x}"))
    texts = [*known.WORDS, *literal]
    chance = random.Random(5)
    numbers = [Literal("siret", text) for text in known.sirets(chance)[:40]]
    ibans = [
        Literal("iban", text)
        for text in ("FR7630006000011234567890189", "FR7630006000011234567890188", "DE89370400440532013000",
                     "FR7630006000011234567890189\n", "GB82WEST12345698765432", "FR76", "", None)
    ]  # fmt: skip
    vats = [Literal("siret", text) for text in ("FR83404833048", "FR00404833048", "FRAB404833048", "FR83404833048\n")]
    return [
        *every("money", "part", known.AMOUNTS, known.PERCENTS),
        *every("date", "add_months", known.DAYS, known.COUNTS),
        *every("date", "add_years", known.DAYS, known.COUNTS),
        *every("date", "add_days", known.DAYS, known.COUNTS),
        *every("date", "year_end", known.DAYS, known.COUNTS),
        *every("date", "greatest", known.DAYS, known.DAYS),
        *every("boolean", "match", texts, known.PATTERNS),
        *every("boolean", "eq", texts, texts[::3]),
        *every("boolean", "starts", texts, known.WORDS[:6]),
        *every("number", "length", texts),
        *every("boolean", "and", known.BOOLEANS, known.BOOLEANS),
        *every("boolean", "le", known.AMOUNTS, known.AMOUNTS),
        *(Call("boolean", op, (text,)) for op in ("siren", "siret") for text in numbers),
        *(Call("boolean", "iban", (text,)) for text in ibans),
        *(Call("boolean", "vat", (text,)) for text in vats),
    ]


def test_random_trees_on_random_tables() -> None:
    """Aggregates, running sums and ties that no rule of a pack has."""
    chance = random.Random(7)
    frames, trees = test_engine.small_tables(chance), test_engine.Trees(chance)
    submitted = list(frames.submitted)
    for slot in range(1, 8):
        more = test_engine.small_tables(chance).submitted
        submitted += [replace(item, run=item.run + 2 * slot) for item in more]
    frames = tables.build(submitted, test_engine.SMALL)
    compiled = [trees.plan(index) for index in range(16)]
    said, faults = findings.evaluate(compiled, frames, "spark@local[2]")
    wanted, _ = findings.evaluate(compiled, frames)
    assert faults == ()
    outcomes = {(rule, at): item.outcome for rule, own in wanted.items() for at, item in own.items()}
    assert {(rule, at): item.outcome for rule, own in said.items() for at, item in own.items()} == outcomes
    assert {(rule, at): item.counts for rule, own in said.items() for at, item in own.items()} == {
        (rule, at): item.counts for rule, own in wanted.items() for at, item in own.items()
    }


def test_a_standalone_cluster_says_the_same() -> None:
    with cluster.standalone() as made:
        try:
            said, faults = findings.evaluate(*batch(), f"spark@{made.master}", all_evidence=True)
        finally:
            from checker.findings.engines import spark

            spark.stop()
        ran = [log for number in range(cluster.WORKERS) for log in (made.folder / f"work{number}").rglob("stderr")]
        assert any("Finished task" in log.read_text(errors="replace") for log in ran)  # it is the workers that worked
    assert faults == ()
    same(said)


def test_spark_connect_says_the_same() -> None:
    with cluster.connect() as place:
        said, faults = findings.evaluate(*batch(), f"spark@{place}", all_evidence=True)
    assert faults == ()
    same(said)


LOST = """
import sys, pickle
from tests import test_spark
from checker import findings
plans, frames = test_spark.batch()
said, faults = findings.evaluate(plans, frames, "spark@" + sys.argv[1], all_evidence=True)
pickle.dump((said, faults), sys.stdout.buffer)
"""


def test_a_worker_that_dies_after_the_first_shuffle_changes_nothing(tmp_path: Path) -> None:
    """The worker and the executor that wrote the first shuffle are killed; the log of events says so."""
    import pickle

    (tmp_path / "events").mkdir()
    (tmp_path / "spark-defaults.conf").write_text(
        f"spark.eventLog.enabled true\nspark.eventLog.dir file://{tmp_path}/events\n"
        "spark.eventLog.rolling.enabled false\nspark.eventLog.compress false\n"
        "spark.sql.autoBroadcastJoinThreshold -1\n"
    )
    environment = {**os.environ, "SPARK_CONF_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with cluster.standalone() as made:
        with (tmp_path / "said").open("wb") as out, (tmp_path / "err").open("wb") as err:
            command = [sys.executable, "-c", LOST, made.master]
            driver = subprocess.Popen(command, stdout=out, stderr=err, env=environment, cwd=ROOT)
        try:
            number = first_shuffle(tmp_path / "events", driver)
            worker, executor = made.executor(number)
            os.kill(worker.pid, signal.SIGKILL)
            os.kill(executor, signal.SIGKILL)
            assert driver.wait(170) == 0, (tmp_path / "err").read_text()[-3000:]
        finally:
            driver.kill()
            driver.wait()
    log = list(events(tmp_path / "events"))
    kinds = [event["Event"] for event in log]
    lost = kinds.index("SparkListenerExecutorRemoved")
    assert log[lost]["Executor ID"] == number
    assert any(shuffled(event) for event in log[:lost])
    after = [event for event in log[lost:] if event["Event"] == "SparkListenerTaskEnd"]
    assert any(event["Task Info"]["Executor ID"] != number for event in after)
    said, faults = pickle.loads((tmp_path / "said").read_bytes())
    assert faults == ()
    same(said)


def events(folder: Path) -> Iterator[dict[str, Any]]:
    """The events that Spark wrote, but the line that it is writing."""
    for path in folder.iterdir():
        for line in path.read_text(errors="replace").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return


def shuffled(event: dict[str, Any]) -> bool:
    """Whether a task that writes a shuffle has ended."""
    return event["Event"] == "SparkListenerTaskEnd" and event["Task Type"] == "ShuffleMapTask"


def first_shuffle(folder: Path, driver: subprocess.Popen[bytes]) -> str:
    """The executor that wrote the first shuffle, as soon as the log of events says it."""
    while driver.poll() is None:
        for event in events(folder):
            if shuffled(event):
                return str(event["Task Info"]["Executor ID"])
        time.sleep(0.05)
    raise AssertionError("no shuffle")
