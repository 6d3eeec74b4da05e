"""PostgreSQL says what DuckDB says, which says what the oracle says (tests/test_engine.py, on the same cases).

All rules of both packs, as sets of findings with their texts, over all examples and thirty seeds of planted traps; its
operators on edge values, against the oracle. Without psycopg or a server of PostgreSQL all is skipped, by name.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from checker import facts, findings, tables
from checker.base import tree
from checker.base.frames import Frames
from checker.base.tree import Call, Expr, Literal
from checker.errors import UsageError
from checker.findings.engines import postgresql
from checker.findings.reads import PER_PART, columns_of
from checker.model import Outcome
from tests import batches, oracle, postgres, test_engine
from tests.conftest import ROOT, Quitus
from tests.test_spark import edge_values, same, says_the_same

pytestmark = pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing() or "-")

LIMIT = 1664  # columns of a SELECT
WORDS = ("$1", "%s %(x)s", "\\x41\\n", "E'\\n'", "'; DROP TABLE dossier; --", "{0}", ":x", "a]b", "[a.b]", "\0", "a\0b")
PATTERNS = ("[.]", "a\\.b", "[^\\]]+", "(.|a)*", ".{2,3}", "[a.-]+", "\\[.*\\]", "a?", "[^.]*", "(a|.b)", "a{0,255}")


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    """A server for this file."""
    with postgres.server() as found:
        yield found


@pytest.fixture(scope="module")
def engine(place: str) -> str:
    return f"postgresql@{place}"


def asked(place: str, *statements: str) -> list[Any]:
    """What a connection that is not the engine's says."""
    import psycopg

    with psycopg.connect(place, autocommit=True) as connection:
        cursors = [connection.execute(statement) for statement in statements]
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


@pytest.mark.slow
def test_every_example_and_thirty_seeds_say_the_same(engine: str) -> None:
    says_the_same(engine, batches.whole)


def test_examples_under_settings_of_their_own(engine: str) -> None:
    made = list(batches.settled())
    assert len(made) > 10
    for plans, frames in made:
        said, faults = findings.evaluate(plans, frames, engine, all_evidence=True)
        wanted, _ = findings.evaluate(plans, frames, "duckdb", all_evidence=True)
        assert faults == ()
        same(said, wanted)


def test_nothing_is_left_on_the_server(place: str, engine: str) -> None:
    before = asked(place, "SELECT count(*) FROM pg_class")
    says_the_same(engine, batches.small)
    assert asked(place, "SELECT count(*) FROM pg_class") == before


def test_a_database_that_sorts_as_the_french_do_changes_nothing(place: str) -> None:
    """« a » is before « B » there, and after it by code points."""
    if asked(place, "SELECT count(*) FROM pg_collation WHERE collprovider = 'i' AND collname = 'fr-x-icu'") == [[(0,)]]:
        pytest.skip("this PostgreSQL has no ICU")
    asked(place, "CREATE DATABASE french TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'fr-FR'")
    there = place.replace("dbname=postgres", "dbname=french")
    assert asked(there, "SELECT 'a' < 'B'") == [[(True,)]]
    assert asked(place, "SELECT 'a' < 'B'") == [[(False,)]]
    plans, frames = ordered("a", "B", "É", "E\u0301", "e", "Z")
    wanted, _ = findings.evaluate(plans, frames, "duckdb", all_evidence=True)
    said, faults = findings.evaluate(plans, frames, f"postgresql@{there}", all_evidence=True)
    assert faults == ()
    same(said, wanted)
    assert len({found.outcome for own in wanted.values() for found in own.values()}) > 1


def ordered(*numbers: str) -> batches.Batch:
    """Dossiers of one run and one day that only their numbers put in order, for rules that add them up in it."""
    made = test_engine.world(batches.PACK, "reference")
    given = [
        {"reference": f"D-{rank}", "etat_liquidatif": {"numero": number, "total": total}}
        for rank, (number, total) in enumerate(zip(numbers, AMOUNTS, strict=False))
    ]
    return made.plans, laid(given)


AMOUNTS = ("120000.00", "5.00", "40000.00", "39999.99", "0.01", "84000.00")


def laid(given: Sequence[Any]) -> Frames:
    """Dossiers of one run."""
    made = test_engine.world(batches.PACK, "reference")
    return tables.build(
        [facts.example(made.node, data, made.dictionary, (made.pack.id,), None, 0) for data in given], made.dictionary
    )


# --- operators --------------------------------------------------------------------------------------------------------


def test_operators_on_edge_values_are_those_of_the_oracle(place: str) -> None:
    """Without columns: cents, ends of months, patterns, identifiers, texts that could leave their quotes."""
    made, wrong = every_operator(), []
    frames = test_engine.small_tables(random.Random(0))
    spot = oracle.Spot(frames, 0, {})
    session = postgresql.session(frames, {"dossier": set()}, test_engine.SMALL, place)
    try:
        for start in range(0, len(made), 200):
            nodes = made[start : start + 200]
            picked = ", ".join(session.emitter.expr(node, None, {}) for node in nodes)
            (row,) = session.ask(f"SELECT {picked}")
            wrong += [
                (node, got, want)
                for node, got in zip(nodes, row, strict=True)
                if (want := oracle.value(node, spot)) != got or isinstance(want, bool) != isinstance(got, bool)
            ]
    finally:
        session.close()
    assert not wrong, "\n".join(f"{node}: PostgreSQL {got!r}, oracle {want!r}" for node, got, want in wrong[:10])
    special = {"and", "or", "in", "case"}
    assert {node.op for node in made if isinstance(node, Call)} == tree.OPERATORS
    assert tree.OPERATORS - special <= set(postgresql.TEMPLATES)


def every_operator() -> list[Expr]:
    """Each operator over the edges that tests/test_engine.py knows, and those of this engine."""
    known, every = test_engine, test_engine._all
    words = [*known.WORDS, *known._literals("text", WORDS)]
    lines = [*words, *known._literals("text", ("0001\n", "\n0001", "a\nb", "a\rb", "\n", "ab\n", "aab", "a\u2028b"))]
    flags, amounts, days, counts = known.BOOLEANS, known.AMOUNTS, known.DAYS, known.COUNTS
    found = edge_values()
    for op in ("eq", "ne", "lt", "le", "gt", "ge"):
        found += [*every("boolean", op, amounts, amounts), *every("boolean", op, days, days)]
        found += every("boolean", op, counts, counts)
    for op in ("add", "sub", "greatest", "least"):
        found += every("money", op, amounts, amounts)
    for op in ("not", "is_true", "is_null"):
        found += every("boolean", op, flags)
    for op in ("and", "or"):
        found += every("boolean", op, flags, flags, flags)
    for op in ("eq", "ne", "starts", "contains"):
        found += every("boolean", op, words, words)
    return [
        *found,
        *every("boolean", "case", flags, flags, flags), *every("boolean", "case", flags, flags),
        *every("boolean", "in", words, words, words[:3]), *every("boolean", "in", amounts, amounts),
        *every("money", "mul", amounts, counts), *every("money", "neg", amounts),
        *every("number", "year", days), *every("number", "month", days), *every("date", "least", days, days),
        *every("text", "left", words, known._literals("number", (0, 1, 2, None))), *every("number", "length", words),
        *every("boolean", "match", lines, [*known.PATTERNS, *known._literals("string", PATTERNS)]),
    ]  # fmt: skip


def test_what_is_shown_has_the_digits_of_the_others(place: str) -> None:
    """A sum of amounts has its cents, a sum of numbers none: they are texts of the reports."""
    frames = test_engine.small_tables(random.Random(0))
    session = postgresql.session(frames, {"dossier": {("total", False)}}, test_engine.SMALL, place)
    cents, half = Literal("money", Decimal("10.00")), Literal("percent", Decimal("50"))
    nodes = [cents, Call("money", "add", (cents, cents)), Call("money", "part", (cents, half))]
    picked = ", ".join(session.emitter.expr(node, None, {}) for node in nodes)
    assert [str(value) for value in session.ask(f"SELECT {picked}")[0]] == ["10.00", "20.00", "5.00"]
    assert {str(value) for (value,) in session.ask("SELECT total + 0 FROM dossier WHERE total = 10")} <= {"10.00"}
    session.close()


@pytest.mark.parametrize("seed", range(6))
def test_random_trees_on_random_tables(engine: str, seed: int) -> None:
    """Aggregates, running sums and ties that no rule of a pack has."""
    plans, frames = random_batch(seed)
    said, faults = findings.evaluate(plans, frames, engine)
    wanted, _ = findings.evaluate(plans, frames, "duckdb")
    assert faults == ()
    assert batches.counted(said) == batches.counted(wanted)


def random_batch(seed: int) -> batches.Batch:
    chance = random.Random(seed)
    trees, submitted = test_engine.Trees(chance), []
    for slot in range(8):
        more = test_engine.small_tables(chance).submitted
        submitted += [replace(item, run=item.run + 2 * slot) for item in more]
    return tuple(trees.plan(index) for index in range(16)), tables.build(submitted, test_engine.SMALL)


# --- names, widths, texts that PostgreSQL has not ---------------------------------------------------------------------


def test_names_of_columns_stay_names(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some are longer than its 63 bytes and begin alike, others are those of its own columns."""
    more = ("x" * 63 + "a", "x" * 63 + "b", "é" * 40, "é" * 41, "ctid", "xmin", "a\0b")
    monkeypatch.setattr(batches, "HOSTILE", (*batches.HOSTILE, *more))
    plans, frames = batches.hostile_names()
    said, faults = findings.evaluate(plans, frames, engine)
    assert faults == ()
    shown = [finding.trace for _, _, finding in batches.flat(said)]
    assert shown == [tuple((name, f"text {rank}") for rank, name in enumerate(batches.HOSTILE))] * 2


def test_names_that_are_cut_change_nothing(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if PostgreSQL had shorter ones: those of keys, rows, states, lists too."""
    monkeypatch.setattr(postgresql, "LONGEST", 34)
    says_the_same(engine, batches.small)
    for seed in range(3):
        test_random_trees_on_random_tables(engine, seed)


def test_more_columns_than_a_statement_may_have(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rules of the dossier at once, three times: no single SELECT could hold them, the rows are whole."""
    plans, frames = batches.small()
    parts = [part for plan in plans for part in plan.parts if part.subject == "dossier"]
    once = 2 + sum(PER_PART + len(part.shows) for part in parts)
    session = postgresql.session(frames, columns_of(parts), frames.dictionary, place)
    try:
        rows = session.run(session.emitter.statement("dossier", parts * 3))
        assert 3 * once - 4 > LIMIT
        assert {len(row) for row in rows} == {3 * once - 4}
        assert [row[1] for row in rows] == list(range(len(frames.submitted)))
        assert all(row[2:once] == row[once : 2 * once - 2] == row[2 * once - 2 :] for row in rows)
        monkeypatch.setattr(postgresql, "WIDEST", 3 * LIMIT)
        with pytest.raises(RuntimeError, match=str(LIMIT)):
            session.run(session.emitter.statement("dossier", parts * 3))
    finally:
        session.close()
    monkeypatch.setattr(postgresql, "WIDEST", 50)
    says_the_same(f"postgresql@{place}", batches.small)


TEXTS: Sequence[tuple[str, ...]] = (
    ("a\0", "a", "a\1", "\0", "a\0b", "a\2"),
    ("\0", "\1", "\2", "\0\1", "\1\0", ""),
    ("6113110000\0", "6113110000", "\x006113110000", "6113\x00110000", "6113110000\1", "\5\0\7"),
)


@pytest.mark.parametrize("texts", TEXTS, ids=range(len(TEXTS)))
def test_texts_with_a_null_character_are_those_of_the_others(engine: str, texts: tuple[str, ...]) -> None:
    """PostgreSQL has none: what stands in its place is equal to, before and matched by what it is."""
    plans, frames = with_texts(texts)
    assert any("\0" in value for value in held(frames))
    wanted, _ = findings.evaluate(plans, frames, "duckdb", all_evidence=True)
    said, faults = findings.evaluate(plans, frames, engine, all_evidence=True)
    assert faults == ()
    same(said, wanted)


@pytest.mark.parametrize("texts", [(postgresql.LOW, "a"), ("\ud800", "a")], ids=["no place left", "half a character"])
def test_a_batch_that_it_cannot_hold_is_undecided(engine: str, texts: tuple[str, ...]) -> None:
    plans, frames = with_texts(texts)
    said, faults = findings.evaluate(plans, frames, engine, all_evidence=True)
    refused = {fault.split(" ")[0] for fault in faults}
    assert {plan.rule for plan in plans if any(len(frames.tables[part.subject]) for part in plan.parts)} == refused
    for rule, own in said.items():  # of the others there is no row
        outcomes = {found.outcome for found in own.values()}
        assert outcomes == {Outcome.INDETERMINE} if rule in refused else Outcome.CONFORME not in outcomes


def test_a_text_of_a_rule_that_could_be_taken_for_another_is_refused(place: str) -> None:
    """U+0001 stands for U+0000 where no text of the batch has it: a rule that has it could meet a U+0000."""
    _, frames = with_texts(("a\0", "a"))
    session = postgresql.session(frames, {"dossier": {("reference", False)}}, frames.dictionary, place)
    literal = Literal("text", "a\1")
    with pytest.raises(RuntimeError, match="U\\+0000"):
        session.ask(f"SELECT {session.emitter.expr(literal, None, {})}")
    session.close()


def with_texts(texts: Sequence[str]) -> batches.Batch:
    """Dossiers of one run whose texts, numbers and codes are these."""
    made = test_engine.world(batches.PACK, "reference")
    given: list[Any] = [
        {
            "reference": text,
            "etat_liquidatif": {"numero": text, "total": total},
            "depenses": {"1": {"compte_pce": text, "fournisseur": {"siret": text}}, "2": {"compte_pce": texts[0]}},
        }
        for text, total in zip(texts, AMOUNTS, strict=False)
    ]
    return made.plans, laid(given)


def held(frames: Frames) -> Iterator[str]:
    """The texts of a batch."""
    for frame in frames.tables.values():
        for values in frame.values.values():
            yield from (value for value in values if isinstance(value, str))


def test_a_repeat_that_it_does_not_have_is_refused_not_misread(place: str) -> None:
    """It counts to 255; a rule that asks for more is undecided."""
    frames = test_engine.small_tables(random.Random(0))
    session = postgresql.session(frames, {"dossier": set()}, test_engine.SMALL, place)
    node = Call("boolean", "match", (Literal("text", "a" * 256), Literal("string", "a{256}")))
    with pytest.raises(RuntimeError, match="regular expression"):
        session.ask(f"SELECT {session.emitter.expr(node, None, {})}")
    session.close()


# --- no PostgreSQL there ----------------------------------------------------------------------------------------------


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(UsageError) as caught:
        call()
    assert caught.value.exit_code == 64
    return str(caught.value)


def test_without_psycopg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "quitus[postgresql]" in refusal(lambda: postgresql.connected(""))


@pytest.mark.parametrize("said", ["host={} password=secret", "password=secret ?", "postgresql://u:secret@[::1"])
def test_without_a_server_it_says_so_and_no_password(said: str, tmp_path: Any) -> None:
    told = refusal(lambda: postgresql.connected(said.format(tmp_path)))
    assert "dbname=" in told
    assert "secret" not in told


def test_a_database_that_is_not_in_unicode_is_refused(place: str) -> None:
    asked(place, "CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    assert "UTF-8" in refusal(lambda: postgresql.connected(place.replace("dbname=postgres", "dbname=bytes")))


def test_a_server_that_takes_no_rows_says_so(place: str) -> None:
    frames = test_engine.small_tables(random.Random(0))
    there = f"{place} options='-c default_transaction_read_only=on'"
    assert "temporaires" in refusal(lambda: postgresql.session(frames, {"dossier": set()}, test_engine.SMALL, there))


def test_a_server_that_goes_away_ends_the_run(place: str) -> None:
    """It is no rule's fault."""
    frames = test_engine.small_tables(random.Random(0))
    session = postgresql.session(frames, {"dossier": set()}, test_engine.SMALL, place)
    ((pid,),) = session.ask("SELECT pg_backend_pid()")
    asked(place, f"SELECT pg_terminate_backend({pid}, 10000)")
    assert "PostgreSQL" in refusal(lambda: session.ask("SELECT 1"))
    session.close()


def test_the_command_says_the_same(quitus: Quitus, engine: str) -> None:
    given = ("check", ROOT / "fixtures" / "conforme", "--format", "json", "--no-cache")
    here, there = quitus(*given, "--engine", "duckdb"), quitus(*given, "--engine", engine)
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr) == (0, "")
    assert there.stdout == here.stdout
