"""Spark says what DuckDB says, which says what the oracle says (tests/test_engine.py, on the same cases and seeds).

All rules of both packs, as sets of findings with their texts: on this machine, on a standalone cluster and through
Spark Connect over all examples and thirty seeds of planted traps; after a lost worker over three seeds and the traps.
The cluster runs with several partitions and nothing broadcast. Without Java or pyspark all is skipped, by name.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checker import findings, tables
from checker.base.tree import Call, Expr, Literal
from checker.findings.sql import Emitter
from checker.model import Outcome
from tests import batches, cluster, oracle, test_engine
from tests.conftest import ROOT, Quitus

pytestmark = [pytest.mark.spark, pytest.mark.skipif(bool(cluster.missing()), reason=cluster.missing() or "-")]

HERE = "spark@local[2]"
SPREAD = {  # what makes a small batch cross the network
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.leafNodeDefaultParallelism": "2",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
}
LONG = 300  # seconds after which a Spark that does not answer is stopped


@functools.cache
def duckdb_says(batch: Callable[[], batches.Batch]) -> batches.Said:
    """What all of them must say."""
    plans, frames = batch()
    said, faults = findings.evaluate(plans, frames, "duckdb", all_evidence=True)
    assert faults == ()
    return said


def says_the_same(engine: str, batch: Callable[[], batches.Batch]) -> None:
    """The same findings as sets, the same counts and outcomes."""
    plans, frames = batch()
    said, faults = findings.evaluate(plans, frames, engine, all_evidence=True)
    assert faults == ()
    same(said, duckdb_says(batch))


def same(said: batches.Said, wanted: batches.Said) -> None:
    differing = sorted(map(repr, batches.flat(said) ^ batches.flat(wanted)))
    assert not differing, "\n".join(differing[:6])
    assert batches.counted(said) == batches.counted(wanted)


@pytest.fixture(scope="module", autouse=True)
def java() -> Iterator[None]:
    """Java that starts fast, for the few seconds that it lives; no Spark outlives this file."""
    from checker.findings.engines import spark

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield
        spark.stop()


@contextmanager
def spread(patch: pytest.MonkeyPatch, **core: str) -> Iterator[None]:
    """A Spark of several partitions, stopped in the end, and after LONG."""
    from checker.findings.engines import spark

    patch.setattr(spark, "SMALL_SQL", {**spark.SMALL_SQL, **SPREAD})
    patch.setattr(spark, "CORE", {**spark.CORE, "spark.shuffle.io.retryWait": "200ms", **core})
    watch = threading.Timer(LONG, spark.stop)
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        spark.stop()


def test_the_batches_hold_all_rules_and_the_traps() -> None:
    """They decide in every way, and hold many dossiers: what follows compares something."""
    for batch, least in ((batches.whole, 1300), (batches.small, 60)):
        plans, frames = batch()
        assert {plan.rule for plan in plans} >= batches.rules()
        assert len(frames.submitted) > least
        outcomes = {found.outcome for own in duckdb_says(batch).values() for found in own.values()}
        assert outcomes == set(Outcome)
    assert len(batches.flat(duckdb_says(batches.whole))) > 10_000


def test_spark_on_this_machine_says_the_same() -> None:
    says_the_same(HERE, batches.whole)


def test_examples_under_settings_of_their_own() -> None:
    """Those that the large batch leaves out."""
    made = list(batches.settled())
    assert len(made) > 10
    for plans, frames in made:
        said, faults = findings.evaluate(plans, frames, HERE, all_evidence=True)
        wanted, _ = findings.evaluate(plans, frames, "duckdb", all_evidence=True)
        assert faults == ()
        same(said, wanted)


def test_names_of_columns_stay_names() -> None:
    plans, frames = batches.hostile_names()
    said, faults = findings.evaluate(plans, frames, HERE)
    assert faults == ()
    shown = [finding.trace for _, _, finding in batches.flat(said)]
    assert shown == [tuple((name, f"text {rank}") for rank, name in enumerate(batches.HOSTILE))] * 2


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
    days = [*known.DAYS, *known._literals("date", (dt.date(9999, 12, 31), dt.date(9998, 12, 1)))]
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
        *every("date", "add_months", days, known.COUNTS),
        *every("date", "add_years", days, known.COUNTS),
        *every("date", "add_days", days, known.COUNTS),
        *every("date", "year_end", days, known.COUNTS),
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
    said, faults = findings.evaluate(compiled, frames, HERE)
    wanted, _ = findings.evaluate(compiled, frames, "duckdb")
    assert faults == ()
    outcomes = {(rule, at): item.outcome for rule, own in wanted.items() for at, item in own.items()}
    assert {(rule, at): item.outcome for rule, own in said.items() for at, item in own.items()} == outcomes
    assert {(rule, at): item.counts for rule, own in said.items() for at, item in own.items()} == {
        (rule, at): item.counts for rule, own in wanted.items() for at, item in own.items()
    }


def test_a_standalone_cluster_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster.standalone() as made, spread(monkeypatch):
        says_the_same(f"spark@{made.master}", batches.whole)
        ran = [log for number in range(cluster.WORKERS) for log in (made.folder / f"work{number}").rglob("stderr")]
        assert len(ran) == cluster.WORKERS
        assert all("Finished task" in log.read_text(errors="replace") for log in ran)  # it is both that worked


def test_spark_connect_says_the_same() -> None:
    with cluster.connect() as place:
        says_the_same(f"spark@{place}", batches.whole)


def test_a_worker_that_dies_after_the_first_shuffle_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker and the executor that wrote the first shuffle are killed; the log of events says so."""
    written = {
        "spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file://{tmp_path}",
        "spark.eventLog.rolling.enabled": "false", "spark.eventLog.compress": "false",
    }  # fmt: skip
    wanted = duckdb_says(batches.small)
    with cluster.standalone() as made, spread(monkeypatch, **written), ThreadPoolExecutor(1) as aside:
        killing = aside.submit(kill_first_writer, tmp_path, made)
        plans, frames = batches.small()
        said, faults = findings.evaluate(plans, frames, f"spark@{made.master}", all_evidence=True)
        number = killing.result(0)
    assert faults == ()
    same(said, wanted)
    log = list(events(tmp_path))
    lost = next(at for at, event in enumerate(log) if event["Event"] == "SparkListenerExecutorRemoved")
    assert log[lost]["Executor ID"] == number
    assert any(shuffled(event) and event["Task Info"]["Executor ID"] == number for event in log[:lost])
    after = [event["Task Info"] for event in log[lost:] if event["Event"] == "SparkListenerTaskEnd"]
    assert any(task["Executor ID"] != number and not task["Failed"] for task in after)


def kill_first_writer(folder: Path, made: cluster.Cluster) -> str:
    """Kill the executor that wrote the first shuffle, and its worker, as soon as the log says it; its number."""
    end = time.monotonic() + cluster.PATIENCE
    while time.monotonic() < end:
        for event in events(folder):
            if shuffled(event):
                number = str(event["Task Info"]["Executor ID"])
                worker, executor = made.executor(number)
                os.kill(worker.pid, signal.SIGKILL)
                os.kill(executor, signal.SIGKILL)
                return number
        time.sleep(0.1)
    raise TimeoutError("no shuffle")


def events(folder: Path) -> Iterator[dict[str, Any]]:
    """The events that Spark wrote, but the line that it is writing."""
    for path in folder.iterdir():
        for line in path.read_text(errors="replace").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return


def shuffled(event: dict[str, Any]) -> bool:
    """Whether a task that writes a shuffle has ended well."""
    ended = event["Event"] == "SparkListenerTaskEnd" and event["Task Type"] == "ShuffleMapTask"
    return ended and not event["Task Info"]["Failed"]


def test_the_command_says_the_same(quitus: Quitus) -> None:
    asked = ("check", ROOT / "fixtures" / "conforme", "--format", "json", "--no-cache")
    here = quitus(*asked, "--engine", "duckdb")
    there = quitus(*asked, "--engine", "spark", "--master", "local[2]")
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr) == (0, "")
    assert there.stdout == here.stdout
    assert json.loads(here.stdout)["dossiers"]


def test_without_java_the_command_says_what_to_install(
    quitus: Quitus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    found = quitus("check", ROOT / "fixtures" / "conforme", "--engine", "spark")
    assert found.returncode == 64
    assert "Java 17" in found.stderr
    assert "Installer" in found.stderr
