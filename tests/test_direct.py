"""The engine without SQL says what DuckDB says, to the byte: findings, counts, values with their decimals and types."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from checker import authoring, findings, pipeline, reports
from checker.base import home, tree
from checker.base.dictionary import ROOT
from checker.base.frames import Frames
from checker.base.tree import Aggregate, Call, Column, Expr, Literal, Part, Plan, Running
from checker.findings.engines import duckdb, python
from checker.findings.reads import PER_PART, columns_of
from checker.model import Finding, Outcome
from tests import batches, test_engine, test_spark


def same(compiled: Sequence[Plan], frames: Frames) -> set[tuple[str, int, Finding]]:
    """The findings that both engines give; neither refuses a rule."""
    said, faults = findings.evaluate(compiled, frames, "python", all_evidence=True)
    wanted, others = findings.evaluate(compiled, frames, "duckdb", all_evidence=True)
    assert faults == others == ()
    found = batches.flat(said)
    assert found == batches.flat(wanted), "\n".join(sorted(map(repr, found ^ batches.flat(wanted)))[:6])
    assert batches.counted(said) == batches.counted(wanted)
    return found


def test_the_examples_of_the_rules_and_thirty_batches_of_traps() -> None:
    """More than a thousand dossiers, many runs, all rules."""
    assert len(same(*batches.whole())) > 10_000


def test_examples_under_settings_of_their_own() -> None:
    for batch in batches.settled():
        assert same(*batch)


@pytest.mark.parametrize("name", ["conforme", "fautif"])
def test_reports_are_the_same_to_the_byte(name: str) -> None:
    """Pieces, evidence of what holds, places: whoever judged."""
    paths = (home.rules().parent / "fixtures" / name,)
    options = pipeline.Options(paths, on=dt.date(2019, 5, 20))
    told = {
        engine: reports.render(pipeline.check(replace(options, engine=engine)), "json")
        for engine in ("auto", "python", "duckdb")
    }
    assert told["auto"] == told["python"] == told["duckdb"]


def test_names_of_columns_stay_names() -> None:
    assert same(*batches.hostile_names())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", test_engine._packs())
def test_hostile_dossiers_without_settings(name: str, seed: int) -> None:
    made = test_engine.world(name, "none")
    assert same(made.plans, test_engine.hostile(seed, made))


def test_every_example_says_what_it_must() -> None:
    """Under settings of their own too."""
    for name in test_engine._packs():
        _, tried = authoring.examples(home.rules(), name, (), "python")
        assert len(tried) > 500
        assert [str(item) for item in tried if item.found != item.example.expect] == []


# --- random trees, with their values ----------------------------------------------------------------------------------


def shown(trees: test_engine.Trees, plan: Plan) -> Plan:
    """The plan whose parts also show a number, a date, a condition and their named values."""
    parts = []
    for part in plan.parts:
        near = {ROOT: [ROOT], "lignes": ["lignes", ROOT]}.get(part.subject, [part.subject, "lignes", ROOT])
        shows = [("date", trees.date(near)), ("boolean", trees.boolean(near))]
        for let in part.lets:
            kind = let.type
            shows += [(f"{let.name}{side}", tree.Ref(kind, let.name, side)) for side in sides(let)]
        ratio = Call("money", "mul", (trees.number(near), Literal("number", -3)))
        parts.append(replace(part, observed=trees.number(near), expected=ratio, shows=tuple(shows)))
    return replace(plan, parts=tuple(parts))


def sides(let: tree.Let) -> tuple[str, ...]:
    bounded = isinstance(let, Running) or (isinstance(let, Aggregate) and let.fn not in ("all", "any", "exists"))
    return ("", "lo", "hi") if bounded else ("",)


def rows(engine: Any, subject: str, parts: Sequence[Part], frames: Frames) -> list[tuple[Any, ...]]:
    session = engine.session(frames, columns_of(parts), frames.dictionary)
    try:
        return sorted(session.run(session.emitter.statement(subject, parts)), key=lambda row: int(row[1]))
    finally:
        session.close()


@pytest.mark.parametrize("seed", range(60))
def test_random_trees_on_random_tables(seed: int) -> None:
    """Cell by cell: type and decimals too. Of a duty that judges nothing no value is asked."""
    chance = random.Random(seed)
    frames = test_engine.small_tables(chance)
    trees = test_engine.Trees(chance)
    judged = 0
    for plan in [shown(trees, trees.plan(index)) for index in range(12)]:
        subject = plan.parts[0].subject
        got, want = (rows(engine, subject, plan.parts, frames) for engine in (python, duckdb))
        assert len(got) == len(want)
        for here, there in zip(got, want, strict=True):
            assert here[:2] == there[:2]
            start = 2
            for part in plan.parts:
                end = start + PER_PART + len(part.shows)
                assert here[start] == there[start], part
                if here[start] != Outcome.SANS_OBJET:
                    judged += 1
                    assert list(map(repr, here[start:end])) == list(map(repr, there[start:end])), part
                start = end
    assert judged


def here(nodes: Sequence[Expr]) -> list[Any]:
    """The values of trees without columns, as this engine computes them."""
    frames = test_engine.small_tables(random.Random(0))
    shows = tuple((str(index), node) for index, node in enumerate(nodes))
    part = Part(ROOT, 0, None, tree.TRUE, False, Literal("date", None), (), None, None, shows, (), ())
    return list(rows(python, ROOT, [part], frames)[0][2 + PER_PART :])


def test_operators_on_edge_values() -> None:
    nodes = [
        *test_spark.edge_values(),
        *test_engine._all("money", "mul", test_engine.AMOUNTS, test_engine.COUNTS),
        *test_engine._all("money", "neg", test_engine.AMOUNTS),
        *test_engine._all("money", "greatest", test_engine.AMOUNTS, test_engine.COUNTS),
        *test_engine._all("money", "case", test_engine.BOOLEANS, test_engine.PERCENTS, test_engine.AMOUNTS),
        *test_engine._all("boolean", "in", test_engine.WORDS, test_engine.WORDS, test_engine.WORDS[:3]),
        *test_engine._all("text", "left", test_engine.WORDS, test_engine._literals("number", (-2, 0, 1, None))),
        *test_engine._all("number", "year", test_engine.DAYS),
    ]
    pairs = zip(nodes, here(nodes), test_engine.engine_says(nodes), strict=True)
    wrong = [f"{node}: {got!r}, DuckDB {want!r}" for node, got, want in pairs if repr(got) != repr(want)]
    assert not wrong, "\n".join(wrong[:10])


# --- what it refuses, and who is asked --------------------------------------------------------------------------------

TOO_FAR = Call("date", "add_days", (Column("date", ROOT, "jour"), Literal("number", 10**11)))
TOO_MUCH = Call("number", "mul", (Literal("number", 10**15), Literal("number", 10**15)))


def refused(node: Expr) -> tuple[tuple[Plan, ...], Frames]:
    """A rule that engines refuse beside one that they do not."""
    frames = test_engine.small_tables(random.Random(1))
    whole = Part(ROOT, 0, None, tree.TRUE, False, Literal("date", None), (), None, None, (), (), ())
    faulty = replace(whole, ok=Call("boolean", "is_null", (node,)))
    return (Plan("FAULTY", (faulty,)), Plan("WHOLE", (whole,))), frames


@pytest.mark.parametrize("node", [TOO_FAR, TOO_MUCH])
def test_what_duckdb_refuses_is_refused_alone(node: Expr) -> None:
    compiled, frames = refused(node)
    for engine in ("python", "duckdb"):
        said, faults = findings.evaluate(compiled, frames, engine)
        assert [fault.split(" ")[0] for fault in faults] == ["FAULTY"]
        assert {found.outcome for found in said["FAULTY"].values()} == {Outcome.INDETERMINE}
        assert {found.outcome for found in said["WHOLE"].values()} == {Outcome.CONFORME}


def test_what_one_refuses_the_other_explains() -> None:
    """`auto` says a refusal in one engine's words, however many rows there are."""
    assert findings.evaluate(*refused(TOO_FAR), "auto") == findings.evaluate(*refused(TOO_FAR), "duckdb")


@pytest.mark.parametrize(("limit", "chosen"), [(10**6, ["python"]), (0, ["duckdb"])])
def test_auto_chooses_by_the_rows(monkeypatch: pytest.MonkeyPatch, limit: int, chosen: list[str]) -> None:
    asked: list[str] = []
    for engine in (python, duckdb):
        name, real = engine.__name__.rpartition(".")[2], engine.session

        def session(*args: Any, name: str = name, real: Any = real) -> Any:
            asked.append(name)
            return real(*args)

        monkeypatch.setattr(engine, "session", session)
    monkeypatch.setattr(findings, "FEW_PAIRS", limit)
    compiled, frames = refused(Literal("money", Decimal("1.00")))
    findings.evaluate(compiled, frames, "auto")
    assert asked == chosen
