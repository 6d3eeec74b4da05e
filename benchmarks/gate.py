"""A repository of dossiers as a gate: cold, from the cache, one file changed, killed, two at once.

Each run is a whole process beside an empty interpreter and the floor: libyaml reading the same manifests and nothing
else, one process. Every report of one state of the repository must have the same bytes, else there is no table.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks import dossiers
from benchmarks.cold import ROOT, setting

DOSSIERS = 10_000
PIECES = 200  # dossiers of the second table, each with the ten pieces of the contract's
_FLOOR = """
import pathlib, sys, yaml
for path in pathlib.Path(sys.argv[1]).rglob("dossier.yaml"):
    yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
"""
_TIMED = re.compile(r"^(lecture|dossiers lus|contrôle entier) +(\d+) +([\d.]+) s$", re.MULTILINE)


class Took(NamedTuple):
    """One run: seconds of the clock, of the processors (all its processes), megabytes of its largest process."""

    wall: float
    processor: float
    megabytes: float
    reading: float = 0.0  # seconds of the clock until all facts were there
    read: int = 0  # dossiers that were read, and not taken from the cache
    sha256: str = ""


class _Gate:
    """A repository, and the processes that check it."""

    def __init__(self, folder: Path, tree: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.tree, self.environment = folder, tree, environment

    def start(self, cache: str, output: str, *words: str) -> subprocess.Popen[bytes]:
        """A check under way; `cache`: the name of its cache."""
        command = [sys.executable, "-m", "checker", "check", str(self.tree), "--timing", "--on", "2026-01-02"]
        command += ["--format", "json", "--output", str(self.folder / output), *words]
        own = {**self.environment, "QUITUS_CACHE": str(self.folder / cache)}
        with (self.folder / f"{output}.err").open("wb") as said:
            return subprocess.Popen(command, cwd=ROOT, env=own, stdout=subprocess.DEVNULL, stderr=said)

    def end(self, child: subprocess.Popen[bytes], output: str, began: float) -> Took:
        """What it took; SystemExit when it failed."""
        took = _waited(child, began)
        text = (self.folder / f"{output}.err").read_text(encoding="utf-8")
        said = {name: (int(many), float(seconds)) for name, many, seconds in _TIMED.findall(text)}
        if child.returncode not in (0, 1, 2) or "contrôle entier" not in said:
            raise SystemExit(f"exit {child.returncode}: {text}")
        read = said.get("dossiers lus", (0, 0.0))[0]
        return took._replace(reading=said["lecture"][1], read=read, sha256=_digest(self.folder / output))

    def run(self, cache: str, *words: str) -> Took:
        """A check from its start to its end."""
        began = time.perf_counter()
        return self.end(self.start(cache, "report.json", *words), "report.json", began)

    def bare(self, *words: str) -> Took:
        """Another command of the interpreter."""
        began = time.perf_counter()
        return _waited(subprocess.Popen([sys.executable, *words], cwd=ROOT, env=dict(self.environment)), began)


def _waited(child: subprocess.Popen[bytes], began: float) -> Took:
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    kilobytes = usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss / 1024
    return Took(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, kilobytes / 1024)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _rounds(gate: _Gate) -> Iterator[tuple[str, Took]]:
    """One round: every command in turn; the cache is filled by the third check."""
    shutil.rmtree(gate.folder / "facts", ignore_errors=True)
    yield "empty interpreter", gate.bare("-c", "pass")
    yield "libyaml alone reads the manifests", gate.bare("-c", _FLOOR, str(gate.tree))
    yield "cold, nothing kept, --jobs 1", gate.run("kept", "--jobs", "1", "--no-cache")
    yield "cold, nothing kept, --jobs 2", gate.run("kept", "--jobs", "2", "--no-cache")
    yield "cold, facts kept, --jobs 2", gate.run("facts", "--jobs", "2")
    yield "from the cache, --jobs 1", gate.run("facts", "--jobs", "1")
    yield "from the cache, --jobs 2", gate.run("facts", "--jobs", "2")
    path = next(iter(sorted(gate.tree.rglob("dossier.yaml"))))
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    yield "one file changed, --jobs 2", gate.run("facts", "--jobs", "2")
    path.write_bytes(before)


def _agree(found: Mapping[str, list[Took]]) -> None:
    said = {each.sha256 for name, took in found.items() for each in took if each.sha256 and "changed" not in name}
    if len(said) != 1:
        raise SystemExit(f"{len(said)} reports that differ")


def _table(title: str, count: int, found: Mapping[str, list[Took]]) -> list[str]:
    empty = statistics.median(each.processor for each in found["empty interpreter"])
    floor = statistics.median(each.processor for each in found["libyaml alone reads the manifests"])
    lines = [
        f"| {title} | read | wall s | dossiers/s | of reading alone | processor s | × libyaml | × empty | peak MB |",
        "|---|" + "---:|" * 8,
    ]
    for name, took in found.items():
        wall, processor, reading = (
            statistics.median(getattr(each, key) for each in took) for key in ("wall", "processor", "reading")
        )
        rates = f"{count / wall:,.0f} | {count / reading:,.0f}" if reading else " | "
        lines.append(
            f"| {name} | {took[0].read if reading else ''} | {wall:.2f} | {rates} | {processor:.2f} | "
            f"{processor / floor:.1f} | {processor / empty:.0f} | {max(each.megabytes for each in took):.0f} |"
        )
    return lines


def _measured(gate: _Gate, title: str, count: int, runs: int) -> list[str]:
    found: dict[str, list[Took]] = {}
    for _ in range(runs):
        for name, took in _rounds(gate):
            found.setdefault(name, []).append(took)
    _agree(found)
    return _table(title, count, found)


def _trials(gate: _Gate, count: int) -> list[str]:
    """What a gate must survive: a kill in the middle, another run at the same time. SystemExit: the reports differ."""
    whole = gate.run("kept", "--jobs", "2", "--no-cache").sha256
    killed = gate.start("killed", "killed.json", "--jobs", "2")
    while _entries(gate.folder / "killed") < count // 2 and killed.poll() is None:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    held = _entries(gate.folder / "killed")
    after = gate.run("killed", "--jobs", "2")
    began = time.perf_counter()
    both = [(gate.start("both", name, "--jobs", "2"), name) for name in ("one.json", "two.json")]
    said = [gate.end(child, name, began).sha256 for child, name in both]
    if {after.sha256, *said} != {whole}:
        raise SystemExit("the reports differ after a kill, or of two runs at once")
    return [
        f"- Killed (signal {-killed.returncode}), {held} dossiers kept: the next run read {after.read}, same report.",
        "- Two runs at once over one empty cache: the same report, byte for byte.",
    ]


def _entries(cache: Path) -> int:
    """How many dossiers are kept, those being written left out."""
    return sum(not name.endswith(".new") for _, _, names in os.walk(cache / "facts") for name in names)


def table(runs: int, count: int = DOSSIERS) -> str:
    """The two tables and the trials. Rates are of the clock, ratios of the processors; load first and last."""
    lines = [f"load {' '.join(f'{each:.1f}' for each in os.getloadavg())}, {os.cpu_count()} cores", ""]
    with setting() as (folder, environment):
        dossiers.write(folder / "plain", count)
        gate = _Gate(folder, folder / "plain", environment)
        lines += [*_measured(gate, f"{count:,} dossiers, {runs} runs", count, runs), "", *_trials(gate, count), ""]
        few = min(count, PIECES)
        dossiers.write_with_pieces(folder / "whole", few)
        gate = _Gate(folder, folder / "whole", environment)
        lines += _measured(gate, f"{few:,} dossiers with their ten pieces, {runs} runs", few, runs)
    return "\n".join([*lines, "", f"load at the end {' '.join(f'{each:.1f}' for each in os.getloadavg())}"]) + "\n"
