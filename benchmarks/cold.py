"""Cold start: one dossier, whole process, beside an empty interpreter and the bare imports, in turn in one run."""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.stages import ORDER

ROOT = Path(__file__).resolve().parent.parent
IMPORTS = "import yaml, _duckdb; _duckdb.connect(':memory:').execute('select 1')"


@contextmanager
def setting() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder of the run, and the environment of its processes: bytecode as an installed program has, a cache."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "QUITUS_CACHE": f"{folder}/kept"}
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield Path(folder), {**kept, **own}


def contract_dossier(folder: Path, name: str = "dossier") -> Path:
    """The contract's dossier: lines in clear, its eleven pieces made real. Its name is in its manifest: facts are kept
    by what the manifest holds."""
    target = folder / name
    shutil.copytree(ROOT / "fixtures" / "conforme", target)
    return _signed(target)


def plain_dossier(folder: Path) -> Path:
    """The same without its pieces: a manifest and the settings (its report names each piece that is not there)."""
    target = folder / "plain"
    target.mkdir()
    return _signed(target)


def _signed(target: Path) -> Path:
    for name in ("dossier.yaml", "quitus.yaml"):
        text = (ROOT / "rules" / "dinsic-calvados-2018" / "reference" / name).read_text(encoding="utf-8")
        (target / name).write_text(f"{text}# {target.name}\n", encoding="utf-8")
    return target


def commands(folder: Path) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Name -> command, and what its environment has of its own."""
    python = sys.executable
    check = [python, "-m", "checker", "check"]
    plain, contract = str(plain_dossier(folder)), str(contract_dossier(folder))
    again, lines = str(contract_dossier(folder, "again")), str(ROOT / "fixtures/conforme")
    first = [*check, "--no-cache"]  # the packs and their plans are kept, no fact of the dossier is
    return {
        "empty interpreter": ([python, "-c", "pass"], {}),
        "bare imports (yaml, light DuckDB, one query)": ([python, "-c", IMPORTS], {}),
        "quitus --help": ([python, "-m", "checker", "--help"], {}),
        "quitus check, one manifest, nothing kept": ([*check, plain], {"QUITUS_CACHE": "0"}),
        "quitus check, one manifest, by DuckDB": ([*first, plain, "--engine", "duckdb"], {}),
        "quitus check, one manifest": ([*first, plain], {}),
        "quitus check, one manifest, JSON": ([*first, plain, "--format", "json"], {}),
        "quitus check, contract dossier (and its eleven pieces)": ([*first, contract], {}),
        "the same again, its facts kept": ([*check, again], {}),
        "quitus check, fixtures/conforme (and XLSX lines)": ([*first, lines], {}),
    }


def measure(runs: int) -> dict[str, tuple[list[float], list[float], int]]:
    """Name -> (wall and processor seconds of each counted run, peak memory in kB); a warm-up each, then all in turn."""
    with setting() as (folder, environment):
        listed = commands(folder)
        found: dict[str, list[float]] = {name: [] for name in listed}
        spent: dict[str, list[float]] = {name: [] for name in listed}
        peak: dict[str, int] = {}
        for turn in range(runs + 1):
            for name, (command, own) in listed.items():
                start = time.perf_counter()
                child = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT, env={**environment, **own})
                _, status, usage = os.wait4(child.pid, 0)
                elapsed = time.perf_counter() - start
                if os.waitstatus_to_exitcode(status) not in (0, 1):  # 1: a manifest alone lacks its pieces
                    raise SystemExit(f"{name}: exit {os.waitstatus_to_exitcode(status)}")
                if turn:
                    found[name].append(elapsed)
                    spent[name].append(usage.ru_utime + usage.ru_stime)
                    peak[name] = max(peak.get(name, 0), _kilobytes(usage))
        return {name: (seconds, spent[name], peak[name]) for name, seconds in found.items()}


def stages(runs: int) -> dict[str, dict[str, float]]:
    """Dossier -> stage -> median of the share of an empty interpreter, from processes run in turn."""
    with setting() as (folder, environment):
        plain, contract = str(plain_dossier(folder)), str(contract_dossier(folder))
        listed = {
            "nothing kept": (plain, {"QUITUS_CACHE": "0"}),
            "kept": (plain, {}),
            "kept, eleven pieces": (contract, {}),
            "kept, eleven pieces, facts too": (str(contract_dossier(folder, "again")), {"QUITUS_STAGES_KEEP": "1"}),
        }
        found: dict[str, dict[str, list[float]]] = {name: {stage: [] for stage in (*ORDER, "end")} for name in listed}
        empty: list[float] = []
        for turn in range(runs + 1):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", "pass"], env=environment, check=True)
            empty.append(time.perf_counter() - start)
            for name, (path, own) in listed.items():
                start = time.perf_counter()
                child = subprocess.run(
                    [sys.executable, "-m", "benchmarks.stages", str(start), path],
                    cwd=ROOT, env={**environment, **own}, capture_output=True, check=True,
                )  # fmt: skip
                whole = time.perf_counter() - start
                spent = json.loads(child.stderr.splitlines()[-1])
                for stage, seconds in {**spent, "end": whole - sum(spent.values())}.items():
                    if turn:
                        found[name][stage].append(seconds)
        base = statistics.median(empty[1:])
        return {
            name: {stage: statistics.median(seconds) / base for stage, seconds in spent.items()}
            for name, spent in found.items()
        }


def _kilobytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss // 1024


def table(runs: int) -> str:
    """Medians, spread and ratios to the empty interpreter, of the wall and of the processor (with the readers')."""
    found = measure(runs)
    empty = found["empty interpreter"]
    base, worked = statistics.median(empty[0]), statistics.median(empty[1])
    lines = [
        f"| whole process, {runs} runs | median ms | min–max ms | × empty | processor × empty | peak MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, (seconds, spent, peak) in found.items():
        middle, work = statistics.median(seconds), statistics.median(spent)
        spread = f"{min(seconds) * 1000:.0f}–{max(seconds) * 1000:.0f}"
        lines.append(
            f"| {name} | {middle * 1000:.0f} | {spread} | {middle / base:.1f} | {work / worked:.1f} "
            f"| {peak / 1024:.0f} |"
        )
    lines += ["", *_stages(runs)]
    return "\n".join(lines) + "\n"


def _stages(runs: int) -> list[str]:
    found = stages(runs)
    lines = [f"| where the time goes, × empty | {' | '.join(found)} |", "|---|" + "---:|" * len(found)]
    for stage in (*ORDER, "end"):
        lines.append(f"| {stage} | {' | '.join(f'{spent[stage]:.1f}' for spent in found.values())} |")
    whole = " | ".join(f"{sum(spent.values()):.1f}" for spent in found.values())
    return [*lines, f"| **whole** | {whole} |"]
