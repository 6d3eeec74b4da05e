"""Cold start: one dossier, whole process, beside an empty interpreter and the bare imports, in turn in one run."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMPORTS = "import yaml, _duckdb; _duckdb.connect(':memory:').execute('select 1')"


def contract_dossier(folder: Path) -> Path:
    """The contract's dossier: lines in clear, its eleven pieces made real."""
    target = folder / "dossier"
    shutil.copytree(ROOT / "fixtures" / "conforme", target)
    for name in ("dossier.yaml", "quitus.yaml"):
        shutil.copy(ROOT / "rules" / "dinsic-calvados-2018" / "reference" / name, target / name)
    return target


def commands(folder: Path) -> dict[str, list[str]]:
    """Name -> command."""
    python = sys.executable
    plain = contract_dossier(folder)
    return {
        "empty interpreter": [python, "-c", "pass"],
        "bare imports (yaml, light DuckDB, one query)": [python, "-c", IMPORTS],
        "quitus --help": [python, "-m", "checker", "--help"],
        "quitus check, contract dossier (inline lines)": [python, "-m", "checker", "check", str(plain)],
        "quitus check, fixtures/conforme (XLSX lines)": [
            python,
            "-m",
            "checker",
            "check",
            str(ROOT / "fixtures/conforme"),
        ],
    }


def measure(runs: int) -> dict[str, tuple[list[float], int]]:
    """Name -> (wall seconds of each counted run, peak memory in kB); one warm-up each, then all in turn."""
    with tempfile.TemporaryDirectory() as folder:
        listed = commands(Path(folder))
        found: dict[str, list[float]] = {name: [] for name in listed}
        peak: dict[str, int] = {}
        for turn in range(runs + 1):
            for name, command in listed.items():
                start = time.perf_counter()
                child = subprocess.Popen(
                    command, stdout=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
                )
                _, status, usage = os.wait4(child.pid, 0)
                elapsed = time.perf_counter() - start
                if os.waitstatus_to_exitcode(status) != 0:
                    raise SystemExit(f"{name}: exit {os.waitstatus_to_exitcode(status)}")
                if turn:
                    found[name].append(elapsed)
                    peak[name] = max(peak.get(name, 0), _kilobytes(usage))
        return {name: (seconds, peak[name]) for name, seconds in found.items()}


def _kilobytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss // 1024


def table(runs: int) -> str:
    """Medians, spread and ratios to the empty interpreter."""
    found = measure(runs)
    base = statistics.median(found["empty interpreter"][0])
    lines = [
        f"| whole process, {runs} runs | median ms | min–max ms | × empty | peak MB |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, (seconds, peak) in found.items():
        middle = statistics.median(seconds)
        spread = f"{min(seconds) * 1000:.0f}–{max(seconds) * 1000:.0f}"
        lines.append(f"| {name} | {middle * 1000:.0f} | {spread} | {middle / base:.1f} | {peak / 1024:.0f} |")
    return "\n".join(lines) + "\n"
