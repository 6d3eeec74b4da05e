"""Files that attack: each its finding, in bounded time and memory, nothing written outside, no neighbour affected.

`pytest -s tests/test_hostile.py` prints what each cost.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fuzz
from checker import pipeline
from checker.base import home, values, yamlfile
from checker.errors import ConfigurationError
from checker.facts import apart, child, pieces
from checker.facts.readers import pdf as pdf_reader
from checker.model import FileDigest, Limits, Place, Row, Value, Verdicts
from checker.packs import settings
from tests import hostile

ROOT = Path(__file__).resolve().parent.parent
# The peak of a process counts that of the one it was forked from: a small one stands between.
LAUNCHER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
open(os.path.join(os.environ["TMPDIR"], "peak"), "w").write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""
COSTS: list[tuple[str, str, float, int]] = []
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
CODES = {"indetermine": 2, "non_conforme": 1, "conforme_avec_reserves": 0}


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    yield
    print("\n\n| case | decision | seconds | peak MB |\n|---|---|---:|---:|")
    for name, decision, seconds, megabytes in COSTS:
        print(f"| {name} | {decision} | {seconds:.1f} | {megabytes} |")


class Run:
    """A check as a process, its time and the peak memory of it and of its children."""

    def __init__(self, path: Path, work: Path, during: Callable[[], None] = lambda: None, *words: str) -> None:
        work.mkdir(exist_ok=True)
        scratch = work / "tmp"
        scratch.mkdir()
        before = listed(path.parent)
        command = [sys.executable, "-m", "checker", "check", str(path), "-f", f"json:{work / 'report.json'}", *words]
        launcher = [sys.executable, "-S", "-c", LAUNCHER, *command]
        environment = {**os.environ, "TMPDIR": str(scratch), "COLUMNS": "400"}
        start = time.monotonic()
        with (work / "out").open("wb") as out, (work / "err").open("wb") as err:
            process = subprocess.Popen(launcher, cwd=ROOT, env=environment, stdout=out, stderr=err)
            during()
            self.code = process.wait()
        self.seconds, self.megabytes = time.monotonic() - start, int((scratch / "peak").read_text()) >> 10
        (scratch / "peak").unlink()
        self.out, self.err = ((work / name).read_text("utf-8") for name in ("out", "err"))
        assert self.err == ""
        assert "Traceback" not in self.out
        assert not OBEYED.search(self.out)
        assert [*scratch.iterdir()] == []
        assert listed(path.parent) == before
        self.report: Any = json.loads((work / "report.json").read_text("utf-8"))


def listed(folder: Path) -> list[str]:
    return sorted(os.fsdecode(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.slow
@pytest.mark.parametrize("case", hostile.CASES, ids=[case.name for case in hostile.CASES])
def test_case(case: hostile.Case, tmp_path: Path) -> None:
    laid = tmp_path / "laid"
    laid.mkdir()
    run = Run(case.make(laid), tmp_path / "work")
    decision = run.report["decision"]
    COSTS.append((case.name, decision, run.seconds, run.megabytes))
    assert decision in case.decisions
    assert run.code == CODES[decision]
    for text in case.says:
        assert text in run.out
    assert run.seconds < case.seconds
    assert run.megabytes < case.megabytes


def test_neighbour(tmp_path: Path) -> None:
    """In one run, the results of a dossier beside hostile ones are those beside harmless ones, to the letter."""
    found = []
    for kind in ("harmless", "hostile"):
        depot = tmp_path / "laid" / kind
        for case in hostile.CASES:
            if case.name.startswith(("xml", "piece", "pdf", "lien", "tube", "nom")):
                folder = depot / case.name
                folder.mkdir(parents=True)
                dossier = case.make(folder) if kind == "hostile" else hostile.copy(folder)
                refer(dossier, case.name)
        found.append(beside(depot, tmp_path / f"{kind}-work"))
    assert found[0] == found[1]


def test_neighbour_of_the_unreadable(tmp_path: Path) -> None:
    """Dossiers that cannot be read at all leave a compliant one compliant."""
    for case in hostile.CASES:
        if case.name.startswith(("zip", "yaml-alias", "yaml-profond", "yaml-100-mo", "chemin")):
            folder = tmp_path / "laid/depot" / case.name
            folder.mkdir(parents=True)
            made = case.make(folder)
            (folder / "quitus.yaml").unlink(missing_ok=True)
            if made.is_dir():
                (made / "quitus.yaml").unlink()
                text = (made / "dossier.yaml").read_text("utf-8")
                (made / "dossier.yaml").write_text(text.replace('reference: "CALV-2019-01"', "reference: X"), "utf-8")
    assert beside(tmp_path / "laid/depot", tmp_path / "work")["decision"] == "conforme"


def refer(dossier: Path, reference: str) -> None:
    path = dossier / "dossier.yaml"
    path.write_text(path.read_text("utf-8").replace('reference: "CALV-2019-01"', f'reference: "{reference}"'), "utf-8")
    (dossier / "quitus.yaml").unlink()


def beside(depot: Path, work: Path) -> Any:
    (depot / "bon").mkdir()
    good = hostile.copy(depot / "bon")
    (good / "quitus.yaml").rename(depot / "quitus.yaml")
    run = Run(depot, work)
    COSTS.append((f"depot of {len(run.report['dossiers'])}: {depot.name}", run.report["decision"], run.seconds, 0))
    return next({**item, "path": ""} for item in run.report["dossiers"] if item["reference"] == "CALV-2019-01")


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    laid = tmp_path / "laid"
    laid.mkdir()
    dossier = hostile.copy(laid)
    stop = threading.Event()

    def grow() -> None:
        with (dossier / hostile.PIECE).open("ab") as stream:
            while not stop.wait(0.001):
                stream.write(b"x")
                stream.flush()

    with (dossier / hostile.PIECE).open("wb") as stream:
        stream.truncate(300 * 2**20)
    writer = threading.Thread(target=grow)
    writer.start()
    try:
        run = Run(dossier, tmp_path / "work")
    finally:
        stop.set()
        writer.join()
    COSTS.append(("fichier-qui-change", run.report["decision"], run.seconds, run.megabytes))
    assert "le fichier a changé pendant la lecture" in run.out
    assert run.code == 2


# Readers that die


def abort(*_: object) -> Row:
    os.abort()


def fault(*_: object) -> Row:
    import ctypes

    ctypes.string_at(0)
    return {}


def hang(*_: object) -> Row:
    while True:
        pass


def eat(*_: object) -> Row:
    kept = [bytearray(2**20) for _ in range(10**6)]
    return {"lu.lisible": Value(str(len(kept)), Place(""))}


def lie(*_: object) -> object:
    return {"lu.lisible": subprocess.run}


def unknown(verdicts: Verdicts) -> set[tuple[str, Place]]:
    """The rules that cannot tell, and where."""
    return {
        (result.rule, place)
        for result in verdicts.dossiers[0].results
        for finding in result.findings
        if finding.outcome.word == "indetermine"
        for place in finding.locations
    }


DEATHS = {
    "abort": (abort, "s'est arrêté (signal 6)"),
    "segv": (fault, "s'est arrêté (signal 11)"),
    "hang": (hang, "a dépassé 5 secondes"),
    "memory": (eat, "a dépassé 200 Mo de mémoire"),
    "lie": (lie, "réponse du lecteur est incompréhensible"),
}


@pytest.mark.parametrize("name", DEATHS)
def test_the_death_of_a_reader_is_survived(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of PDF dies on one piece, in the middle of a run: a finding there, and nowhere else."""
    killer, says = DEATHS[name]
    look = pdf_reader.look
    marked = hostile.pdf() + b"% poison"

    def poisoned(data: bytes, place: Place) -> Any:
        return killer() if data.endswith(b"% poison") else look(data, place)

    apart.close()
    monkeypatch.setattr(pdf_reader, "look", poisoned)
    dossier = hostile.copy(tmp_path)
    (dossier / hostile.PIECE).write_bytes(marked)
    with (dossier / "quitus.yaml").open("a", encoding="utf-8") as stream:
        stream.write("\nlimites: {secondes_par_piece: 5, memoire_lecteur_mo: 200}\n")
    start = time.monotonic()
    verdicts: Verdicts = pipeline.check(pipeline.Options((dossier,)))
    COSTS.append((f"lecteur-{name}", verdicts.decision, time.monotonic() - start, 0))
    before = unknown(pipeline.check(pipeline.Options((ROOT / "fixtures/conforme",))))
    findings = unknown(verdicts) - before
    assert {place.file for _, place in findings} == {hostile.PIECE}
    assert any(says in (place.place or "") for _, place in findings)
    assert verdicts.exit_code() == 2
    assert verdicts.dossiers[0].files == tuple(sorted(verdicts.dossiers[0].files))
    assert any(isinstance(file, FileDigest) and file.path == hostile.PIECE for file in verdicts.dossiers[0].files)
    with pytest.raises(ChildProcessError):  # no child is left
        os.waitpid(-1, os.WNOHANG)


def echo(value: Any) -> Any:
    return value


def files() -> set[str]:
    return {path.name for path in Path("/dev/fd").iterdir()}


def whoami() -> tuple[int, list[str]]:
    return os.getpid(), sorted(files())


def fail() -> None:
    raise ZeroDivisionError


def descend() -> None:
    descend()


@pytest.mark.parametrize("fork", [True, False])
def test_apart(fork: bool) -> None:
    worker = apart.Apart(fork)
    before = files()
    big = os.urandom(5_000_000)
    row = {"lu.lisible": Value(None, Place("f", 1, 2, 3, "x"), "abîmé")}
    try:
        assert worker.run(echo, (big,)) == big
        assert worker.run(echo, (row,)) == row
        assert worker.run(fail, ()) == apart.Failed("le lecteur a échoué : ZeroDivisionError")
        assert worker.run(descend, ()) == apart.Failed("le lecteur a échoué : RecursionError")
        assert worker.run(echo, (Decimal(1),)) == apart.Failed("la réponse du lecteur est incompréhensible")
        assert worker.run(os._exit, (3,)) == apart.Failed("le lecteur s'est arrêté (code 3)")
        assert worker.run(hang, (), seconds=0.2) == apart.Failed("le lecteur a dépassé 0.2 secondes")
        pid, held = worker.run(whoami, ())
        assert pid == worker.run(whoami, ())[0] != os.getpid()
        assert len(held) <= 7  # the standard three, two pipes, the listing itself, one that a library opened
    finally:
        worker.close()
    assert files() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_apart_from_threads() -> None:
    worker = apart.Apart()
    found: list[int] = []
    threads = [threading.Thread(target=lambda n=n: found.append(worker.run(echo, (n,)))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker.close()
    assert sorted(found) == list(range(20))


def test_ctrl_c_leaves_no_stale_answer() -> None:
    worker = apart.Apart(True)
    assert worker.run(echo, (1,)) == 1

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            worker.run(time.sleep, (5,))
        assert worker.run(echo, (2,)) == 2
    finally:
        signal.signal(signal.SIGALRM, before)
        worker.close()


@pytest.mark.parametrize("busy", [False, True])
def test_the_child_dies_with_its_parent(busy: bool) -> None:
    code = (
        "import os, signal, sys, threading, time; from checker.facts import apart;"
        "pid = apart.call(os.getpid); print(pid, flush=True);"
        "threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGKILL)).start();"
        f"apart.call(time.sleep, 60) if {busy} else time.sleep(60)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    for _ in range(50):
        if not alive(int(done.stdout)):
            return
        time.sleep(0.1)
    pytest.fail("the child lives on")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_inside_a_child_a_call_runs_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "inside", True)
    assert apart.call(os.getpid) == os.getpid()


# Expressions that explode


@pytest.mark.parametrize("kind", sorted(values.TYPES))
def test_values_in_linear_time(kind: str) -> None:
    for unit in (
        "a",
        "1",
        " ",
        "-",
        "1 ",
        "1.",
        "a-",
        " - ",
        "a.",
        "(",
        "é",
        "\u2010",
        "1,1.",
        "un ",
        "cent ",
        "A1/",
        "€ ",
    ):
        start = time.process_time()
        text = (unit * 100_000)[:100_000]
        with contextlib.suppress(values.Refused):
            values.parse(kind, text)
        assert time.process_time() - start < 2, unit


# Limits


def test_limits_are_settings(tmp_path: Path) -> None:
    path = tmp_path / "quitus.yaml"
    path.write_text("limites: {taille_piece_mo: 1, secondes_par_piece: 3}\n", "utf-8")
    assert settings.read_settings([], path).limits == Limits(piece_megabytes=1, piece_seconds=3)
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7" + bytes(2**20))
    row, digest = pieces.inspect(tmp_path, "a.pdf", limit=2**20)
    assert row["lu.lisible"].fault == "fichier trop gros pour être ouvert : plus de 1 Mo"
    assert digest is not None
    for text, says in {
        "{taille_piece: 1}": "Écrire « taille_piece_mo » ?",
        "{taille_piece_mo: 0}": "nombre entier de 1 à 4096",
        "{taille_piece_mo: 1.5}": "nombre entier",
        "{taille_piece_mo: true}": "nombre entier",
        "[1]": "« limites » est un objet",
    }.items():
        path.write_text(f"limites: {text}\n", "utf-8")
        with pytest.raises(ConfigurationError, match=re.escape(says)):
            settings.read_settings([], path)


def test_limits_are_those_of_the_schema() -> None:
    schema = json.loads((home.schemas() / "quitus.schema.json").read_text("utf-8"))
    declared = schema["properties"]["limites"]["properties"]
    read = {key: (getattr(Limits(), name), top) for key, (name, top) in settings._LIMITS.items()}
    assert {key: (item["default"], item["maximum"]) for key, item in declared.items()} == read


def test_a_manifest_of_a_million_faults_says_a_hundred() -> None:
    with pytest.raises(yamlfile.YamlError) as error:
        yamlfile.compose("a: 1\n" * 5000, "d.yaml")
    assert len(error.value.problems) == yamlfile.MAX_PROBLEMS + 1


@pytest.mark.slow
def test_fuzz() -> None:
    """Twenty seconds of `python -m benchmarks.fuzz`."""
    assert fuzz.fuzz(20, seed=2018, tell=print) == []
