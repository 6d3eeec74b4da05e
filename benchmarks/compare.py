"""Peers: the same eleven rules over the same tables, the same findings, then time and memory, in turn in one run.

`python -m benchmarks.compare PEER FOLDER` is the child that is measured; it prints one line of JSON.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PEERS = (
    "oracle", "quitus", "polars", "pandas", "pointblank", "pandera", "great_expectations", "regorus", "zen_engine",
    "cel", "cel_python",
)  # fmt: skip
SCAN = "scan"  # the floor: every value of the tables read and hashed, nothing judged
EMPTY = "empty"
SMALL = 200  # lines of a cold start
LIMIT = 60.0  # seconds above which a peer is not run at a size, by what it took at the one below
LONG = 10.0  # seconds of a call that is not made twice
ALWAYS = (SCAN, "oracle", "quitus")
CHILD = 600.0


@dataclass
class Measured:
    """What the children of a peer said at one size: seconds of the judged call and of the whole process, peak in MB."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    peak: float = 0.0
    said: dict[str, Any] = field(default_factory=dict)
    refused: str = ""

    @property
    def middle(self) -> float:
        return statistics.median(self.seconds)


def child(peer: str, folder: Path, calls: int) -> dict[str, Any]:
    """Judge so many times, once when that was long; the last time counts."""
    if peer == SCAN:
        return {**_scan(folder), "count": 0, "digest": "", "peak": _peak()}
    module = importlib.import_module(f"benchmarks.peers.{peer}")
    seconds = cpu = 0.0
    for _ in range(calls):
        start, used = time.perf_counter(), time.process_time()
        found = module.findings(folder)
        seconds, cpu = time.perf_counter() - start, time.process_time() - used
        if seconds > LONG:
            break
    text = "\n".join(sorted(f"{rule} {int(d)} {int(line)} {said}" for rule, d, line, said in found))
    return {
        "seconds": seconds, "cpu": cpu, "peak": _peak(),
        "count": len(found), "digest": hashlib.sha256(text.encode()).hexdigest(),
        "version": importlib.metadata.version(module.LIBRARY) if module.LIBRARY else "",
        "library": module.LIBRARY, "prepared": list(module.PREPARED),
    }  # fmt: skip


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform != "darwin" else peak / 1024 / 1024


def _scan(folder: Path) -> dict[str, float]:
    import duckdb

    start, used = time.perf_counter(), time.process_time()
    connection = duckdb.connect(config={"threads": 2})
    for path in sorted(folder.glob("*.parquet")):
        connection.execute(f"SELECT bit_xor(hash(t)) FROM '{path}' t").fetchall()
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - used}


def _run(peer: str, folder: Path, into: Measured, calls: int) -> None:
    command = [sys.executable, "-c", "pass"]
    if peer != EMPTY:
        command = [sys.executable, "-m", "benchmarks.compare", peer, str(folder), str(calls)]
    start = time.perf_counter()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, timeout=CHILD, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        into.refused = f"more than {CHILD:.0f} s"
        return
    took = time.perf_counter() - start
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        missing = lines[-1].startswith("ModuleNotFoundError")
        into.refused = "not installed" if missing else lines[-1][:100]
        return
    into.whole.append(took)
    if peer != EMPTY:
        into.said = json.loads(done.stdout.strip().splitlines()[-1])
        into.seconds.append(into.said["seconds"])
        into.cpu.append(into.said["cpu"])
        into.peak = max(into.peak, into.said["peak"])


def measure(sizes: tuple[int, ...], runs: int, seed: int = 0) -> dict[int, dict[str, Measured]]:
    """size -> peer -> what was measured; a peer whose findings are not the oracle's is refused."""
    found: dict[int, dict[str, Measured]] = {}
    warm: dict[int, dict[str, Measured]] = {}
    with tempfile.TemporaryDirectory() as name:
        for index, size in enumerate(sizes):
            folder = Path(name, str(size))
            folder.mkdir()
            made = [sys.executable, "-m", "benchmarks.planted", str(folder), str(size), str(seed)]
            subprocess.run(made, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            here = found[size] = {peer: Measured() for peer in (EMPTY, SCAN, *PEERS)}
            below = found[sizes[index - 1]] if index else {}
            if size == SMALL:  # a cold call says nothing of the next size
                below, warm[size] = {}, {peer: Measured() for peer in here}
                for peer, into in warm[size].items():
                    _run(peer, folder, into, 2)
            elif sizes[index - 1] == SMALL:
                below = warm[SMALL]
            for turn in range(runs):
                for peer, into in here.items():
                    before = below.get(peer)
                    if turn == 0 and before is not None:
                        into.refused = _skipped(peer, before, size / sizes[index - 1])
                    if into.refused or (turn and into.whole[-1] > 2 * LONG and peer != "quitus"):
                        continue
                    _run(peer, folder, into, 1 if size == SMALL else 2)
                    print(f"{size} {turn} {peer} {into.seconds[-1:]} {into.refused}", file=sys.stderr, flush=True)
            for peer in PEERS:
                _compare(here[peer], here["oracle"])
    return found


def _skipped(peer: str, before: Measured, times: float) -> str:
    if before.refused:
        return before.refused
    guess = before.middle * times if before.seconds else 0.0
    return f"not run (about {guess:,.0f} s)" if guess > LIMIT and peer not in ALWAYS else ""


def _compare(got: Measured, oracle: Measured) -> None:
    if got.said and oracle.said and got.said["digest"] != oracle.said["digest"]:
        got.refused = f"other findings: {got.said['count']} instead of {oracle.said['count']}"


def table(runs: int, sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)) -> str:
    """Coverage, cold start, then seconds, ratio to quitus, memory and slope by size."""
    found = measure((SMALL, *sizes), runs)
    return "\n".join([_machine(), "", *_first(found[SMALL]), "", *_sizes(found, sizes)]) + "\n"


def _machine() -> str:
    load = ", ".join(f"{item:.1f}" for item in os.getloadavg())
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load at the end {load}."


def _first(cold: dict[str, Measured]) -> list[str]:
    base = statistics.median(cold[EMPTY].whole)
    lines = [
        "| peer | library | rules it says itself | prepared by Python | whole process, 200 lines: ms | × empty | MB |",
        "|---|---|---:|---|---:|---:|---:|",
    ]
    for peer in PEERS:
        item = cold[peer]
        if item.refused:
            lines.append(f"| {peer} | | | {item.refused} | | | |")
            continue
        prepared = item.said["prepared"]
        whole = statistics.median(item.whole)
        lines.append(
            f"| {peer} | {item.said['library']} {item.said['version']} | {11 - len(prepared)} of 11 | "
            f"{', '.join(prepared)} | {whole * 1000:.0f} | {whole / base:.0f} | {item.peak:.0f} |"
        )
    return lines


def _sizes(found: dict[int, dict[str, Measured]], sizes: tuple[int, ...]) -> list[str]:
    heads = " | ".join(f"{size:,} lines: s | cpu s | × quitus | peak MB" for size in sizes)
    lines = [f"| peer | {heads} | slope |", "|---|" + "---:|" * (4 * len(sizes) + 1)]
    for peer in (SCAN, *PEERS):
        cells = []
        for size in sizes:
            item, ours = found[size][peer], found[size]["quitus"]
            if item.refused or not item.seconds:
                cells.append(f"{item.refused} | | | ")
            else:
                ratio = f"{item.middle / ours.middle:.2f}" if ours.seconds else ""
                cells.append(f"{item.middle:.2f} | {statistics.median(item.cpu):.2f} | {ratio} | {item.peak:.0f}")
        lines.append(f"| {peer} | {' | '.join(cells)} | {_slope(found, peer, sizes)} |")
    return lines


def _slope(found: dict[int, dict[str, Measured]], peer: str, sizes: tuple[int, ...]) -> str:
    """The exponent between the two largest sizes measured: 1.0 is linear."""
    done = [size for size in sizes if not found[size][peer].refused and found[size][peer].seconds]
    if len(done) < 2:
        return ""
    small, large = done[-2:]
    return f"{math.log(found[large][peer].middle / found[small][peer].middle) / math.log(large / small):.2f}"


if __name__ == "__main__":
    print(json.dumps(child(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
