"""A batch of reports: one check of N faulty dossiers, in each format (`python -m benchmarks.batch [N]`)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORMATS = ("json", "html", "pdf", "xlsx", "csv", "parquet", "convention", "bordereau", "bordereau-pdf", "markdown")


def tree(folder: Path, count: int) -> None:
    """The contract's dossier without pieces, one reference each."""
    text = (ROOT / "rules" / "dinsic-calvados-2018" / "reference" / "dossier.yaml").read_text(encoding="utf-8")
    for number in range(count):
        target = folder / f"d{number:05}"
        target.mkdir()
        (target / "dossier.yaml").write_text(text.replace("CALV-2019-01", f"CALV-2019-{number:05}"), encoding="utf-8")


def main() -> None:
    """Print, for each format: wall seconds of the whole process, peak memory, size of the report."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "depot").mkdir()
        tree(home / "depot", count)
        print(f"| {count} dossiers | seconds | peak MB | report MB |\n|---|---:|---:|---:|")
        for format in FORMATS:
            out = home / f"report.{format}"
            command = [sys.executable, "-m", "checker", "check", "depot", "--format", format, "--output", str(out)]
            start = time.perf_counter()
            child = subprocess.Popen(
                command, cwd=home, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
            )
            _, status, usage = os.wait4(child.pid, 0)
            took = time.perf_counter() - start
            code = os.waitstatus_to_exitcode(status)
            size = out.stat().st_size / 1e6 if out.exists() else 0.0
            print(f"| {format} (exit {code}) | {took:.1f} | {usage.ru_maxrss / 1024:.0f} | {size:.1f} |", flush=True)


if __name__ == "__main__":
    main()
