"""A repository of dossiers as a gate: processes, kept facts, what changed. Nothing of it moves a byte of a report."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import dossiers as generated
from checker import cli, facts, pipeline, reports
from checker.base import clock
from checker.facts import crew, kept, packed
from checker.model import Dossier, Place, Value

ROOT = Path(__file__).resolve().parent.parent
READ, KEPT = "dossiers lus", "dossiers repris du cache"
COUNT = 5


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A few dossiers in clear, one that is no YAML, one with real pieces."""
    folder = tmp_path / "depot"
    generated.write(folder, COUNT)
    bad = folder / "000" / "illisible"
    bad.mkdir()
    (bad / "dossier.yaml").write_text("convention: [\n", encoding="utf-8")
    shutil.copytree(ROOT / "fixtures" / "conforme", folder / "001" / "vrai")
    (folder / "001" / "vrai" / "quitus.yaml").unlink()
    return folder


def report(tree: Path, jobs: int = 1, keep: bool = True, since: str | None = None) -> tuple[bytes, dict[str, int]]:
    """The JSON report of a tree, and how many dossiers were read and taken from the cache."""
    clock.taken()
    found = pipeline.check(pipeline.Options((tree,), jobs=jobs, keep=keep, since=since, today=dt.date(2026, 1, 2)))
    counts = {name: many for name, (many, _) in clock.taken().items()}
    return reports.render(found, "json"), {name: counts.get(name, 0) for name in (READ, KEPT)}


def entries(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


def test_same_bytes_whatever_the_processes_and_the_cache(cache: Path, tree: Path) -> None:
    everything = COUNT + 2
    plain, counts = report(tree, keep=False)
    assert counts == {READ: everything, KEPT: 0}
    assert not entries(cache)
    assert report(tree, jobs=2, keep=False) == (plain, counts)
    assert report(tree, jobs=2) == (plain, counts)
    assert len(entries(cache)) == everything
    for jobs in (1, 2):
        assert report(tree, jobs) == (plain, {READ: 0, KEPT: everything})


def _blank(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def _same_size(path: Path) -> None:
    """Other bytes, the same size and the same date: only the content says it."""
    before = path.stat()
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "manifest": ("000/d000002/dossier.yaml", _blank),
    "piece": ("000/d000002/lignes.csv", _blank),
    "piece, same size and date": ("000/d000002/lignes.csv", _same_size),
    "piece removed": ("000/d000002/lignes.csv", Path.unlink),
    "spreadsheet": ("001/vrai/etat-liquidatif.xlsx", Path.unlink),
    "pdf": ("001/vrai/titre.pdf", _blank),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_file_changes_and_only_its_dossier_is_read(cache: Path, tree: Path, name: str) -> None:
    relative, change = CHANGES[name]
    report(tree)
    change(tree / relative)
    said, counts = report(tree)
    assert counts == {READ: 1, KEPT: COUNT + 1}
    assert said == report(tree, keep=False)[0]


def test_a_piece_that_comes_is_seen(cache: Path, tree: Path) -> None:
    piece = tree / "000" / "d000001" / "lignes.csv"
    text = piece.read_bytes()
    piece.unlink()
    report(tree)
    assert report(tree)[1][READ] == 0
    piece.write_bytes(text)
    said, counts = report(tree)
    assert counts[READ] == 1
    assert said == report(tree, keep=False)[0]


def test_touched_or_copied_elsewhere_is_not_read_again(cache: Path, tree: Path, tmp_path: Path) -> None:
    report(tree)
    os.utime(tree / "000" / "d000000" / "lignes.csv")
    assert report(tree)[1][READ] == 0
    other = tmp_path / "autre"
    shutil.copytree(tree, other)
    assert report(other)[1][READ] == 0


@pytest.mark.parametrize("asked", [{"stage": "certification"}, {"on": dt.date(2019, 6, 1)}])
def test_what_is_asked_otherwise_is_read_otherwise(cache: Path, tree: Path, asked: dict[str, object]) -> None:
    def run(**more: object) -> tuple[bytes, int]:
        clock.taken()
        found = pipeline.check(pipeline.Options((tree,), today=dt.date(2026, 1, 2), **more))  # type: ignore[arg-type]
        return reports.render(found, "json"), clock.taken().get(READ, (0, 0.0))[0]

    run()
    said, read = run(**asked)
    assert read == COUNT + 2
    assert said == run(**asked, keep=False)[0]


def test_the_day_matters_to_who_has_no_date(cache: Path, tmp_path: Path) -> None:
    generated.write(tmp_path / "depot", 2)
    path = tmp_path / "depot" / "000" / "d000001" / "dossier.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("date_controle: 2019-05-20", ""), encoding="utf-8")
    days = [pipeline.Options((tmp_path / "depot",), today=dt.date(2026, 1, day)) for day in (2, 3)]
    pipeline.read(days[0])
    clock.taken()
    found, _, _ = pipeline.read(days[1])
    assert clock.taken()[READ][0] == 1
    assert found[1].rows.tables["dossier"][0]["date_controle"].raw == "2026-01-03"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_entry_is_as_if_it_were_not(cache: Path, tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "un"
    if not folder.exists():
        generated.write(folder, 1)
    options = pipeline.Options((folder,), today=dt.date(2026, 1, 2))
    plain = pipeline.read(pipeline.Options((folder,), today=dt.date(2026, 1, 2), keep=False))[0]
    pipeline.read(options)
    (entry,) = entries(cache)
    whole = entry.read_bytes()
    at = int(data.draw(st.floats(0, 1, exclude_max=True)) * len(whole))
    edit = data.draw(st.sampled_from(["cut", "flip", "insert", "empty", "noise"]))
    noise = data.draw(st.binary(min_size=1, max_size=40))
    damaged = {
        "cut": whole[:at],
        "flip": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
        "insert": whole[:at] + noise + whole[at:],
        "empty": b"",
        "noise": noise,
    }[edit]
    entry.write_bytes(damaged)
    clock.taken()
    assert pipeline.read(options)[0] == plain
    assert clock.taken()[READ][0] == 1
    assert kept._entry(entry, entry.name)[1] == whole.split(b"\n", 2)[2]


def _lines(parts: object) -> bytes:
    return b"\n".join(json.dumps(part).encode() for part in parts)  # type: ignore[attr-defined]


JSON = st.recursive(
    st.none() | st.integers(-2, 9) | st.sampled_from(["a", "dossier", "a\nb"]),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)
SOUND = [
    [["dossier", ["a\nb"]]],
    [[1, 2], [1, 1], [0], ["f"], []],
    [[["dossier", [0]]], []],
    ["c", [[], ["x", None], []], [], []],
]


@given(st.binary(max_size=300) | st.lists(JSON, min_size=4, max_size=4).map(_lines))
def test_packed_facts_are_data_only(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        packed.unpack(data, Dossier(Path(), "x"))


@given(st.integers(0, 3), JSON, st.integers(0, 3), st.booleans())
def test_packed_facts_of_another_shape_are_refused_or_can_be_looked_at(
    at: int, part: object, inside: int, deep: bool
) -> None:
    """What is taken can be looked at, down to the last cell."""
    lines = json.loads(json.dumps(SOUND))
    if deep and inside < len(lines[at]):
        lines[at][inside] = part
    else:
        lines[at] = part
    with contextlib.suppress(ValueError):
        found, _ = packed.unpack(_lines(lines), Dossier(Path(), "x"))
        values = [value for rows in found.rows.tables.values() for row in rows for value in row.values()]
        assert all(type(value) is Value and value.place.file for value in values)


def test_a_packed_value_is_looked_at() -> None:
    found, _ = packed.unpack(_lines(SOUND), Dossier(Path(), "x"))
    assert found.rows.tables["dossier"][0]["a"] == Value("x", Place("f", 1, 1))


def test_packed_facts_come_back_equal(cache: Path, tree: Path) -> None:
    found, _, _ = pipeline.read(pipeline.Options((tree,), keep=False))
    for item in found:
        again, name = packed.unpack(packed.pack(item, "c"), item.dossier)
        assert (again, name) == (item, "c")
        pairs = zip(again.rows.tables.values(), item.rows.tables.values(), strict=True)
        assert all(list(a) == list(b) for one, two in pairs for a, b in zip(one, two, strict=True))  # order of columns


def test_others_may_not_write_what_is_believed(cache: Path, tree: Path) -> None:
    report(tree)
    for entry in entries(cache):
        entry.chmod(0o666)
    assert report(tree)[1][KEPT] == 0


def test_the_oldest_leave(cache: Path, tree: Path) -> None:
    report(tree)
    found = entries(cache)
    for age, entry in enumerate(found):
        os.utime(entry, (1e9 + age, 1e9 + age))
    (found[0].parent / "x.new").write_bytes(b"")
    os.utime(found[0].parent / "x.new", (1e9, 1e9))
    size = sum(entry.stat().st_size for entry in found)
    kept.trim(size - 1)
    left = entries(cache)
    assert left == found[-len(left) :]
    assert sum(entry.stat().st_size for entry in left) <= (size - 1) * 4 // 5
    kept.trim(0)
    assert entries(cache) == []


@pytest.mark.parametrize("how", ["QUITUS_CACHE=0", "no folder"])
def test_nowhere_to_keep(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("QUITUS_CACHE", "0" if how == "QUITUS_CACHE=0" else str(tmp_path / "file" / "below"))
    first = report(tree)
    assert first[1] == {READ: COUNT + 2, KEPT: 0}
    assert report(tree) == first


def test_a_link_is_never_kept(cache: Path, tree: Path) -> None:
    piece = tree / "000" / "d000001" / "lignes.csv"
    piece.rename(piece.with_name("vraie.csv"))
    piece.symlink_to("vraie.csv")
    report(tree)
    assert report(tree)[1][READ] == 1


def _dying(item: Dossier) -> None:
    if item.folder.name == "d000002":
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not crew.FORK, reason="no fork")
def test_a_reader_that_crashes_loses_its_dossier_only(cache: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, parent = facts.open_manifest, os.getpid()

    def deadly(item: Dossier) -> facts.Opened:
        if os.getpid() != parent:
            _dying(item)
        return real(item)

    monkeypatch.setattr(facts, "open_manifest", deadly)
    found = pipeline.check(pipeline.Options((tree,), jobs=2, today=dt.date(2026, 1, 2)))
    lost = [verdict for verdict in found.dossiers if verdict.path.endswith("d000002")]
    assert [verdict.decision for verdict in lost] == ["indetermine"]
    assert "signal 9" in lost[0].results[0].findings[0].message
    others = [verdict for verdict in found.dossiers if not verdict.path.endswith(("d000002", "illisible"))]
    assert {result.outcome.word for verdict in others for result in verdict.results[:1]} == {"conforme"}
    monkeypatch.undo()


COMMAND = [sys.executable, "-m", "checker", "check"]


def _run(tree: Path, *more: object, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    command = [*COMMAND, str(tree), "--format", "json", "--jobs", "2", *map(str, more)]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@contextlib.contextmanager
def _in_the_middle(tree: Path, cache: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run that has kept some dossiers."""
    done = _run(tree)
    try:
        end = time.monotonic() + 60
        while not entries(cache) and done.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        assert done.poll() is None, done.communicate()
        yield done
    finally:
        if done.poll() is None:
            done.kill()
        done.communicate()


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_stopped_in_the_middle_the_next_run_is_right(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: signal.Signals, code: int
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767312000")
    tree = tmp_path / "depot"
    generated.write(tree, 60)
    with _in_the_middle(tree, cache) as running:
        running.send_signal(stop)
        assert running.wait(60) == code
    for entry in entries(cache):
        if not entry.name.endswith(".new"):
            kept._entry(entry, entry.name)
    assert report(tree)[0] == report(tree, keep=False)[0]


def test_two_runs_at_once_agree(cache: Path, tree: Path) -> None:
    both = [_run(tree, "--on", "2026-01-02") for _ in range(2)]
    said = [each.communicate()[0] for each in both]
    assert said[0] == said[1]
    assert said[0] == _run(tree, "--on", "2026-01-02", "--no-cache").communicate()[0]


def test_timing_is_told_beside_the_report(cache: Path, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["check", str(tree), "--format", "json", "--on", "2026-01-02"])
    plain = capsys.readouterr()
    cli.run(["check", str(tree), "--format", "json", "--on", "2026-01-02", "--timing"])
    timed = capsys.readouterr()
    assert timed.out == plain.out
    assert plain.err == ""
    assert all(word in timed.err for word in (KEPT, "règles : depenses", "tables", "contrôle entier"))


@pytest.mark.parametrize("jobs", ["-1", "two"])
def test_jobs_are_a_number(tree: Path, capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    assert cli.run(["check", str(tree), f"--jobs={jobs}"]) == 64
