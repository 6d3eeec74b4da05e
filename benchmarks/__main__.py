"""`python -m benchmarks [cold] [peers] [gate] [--runs N] [--dossiers N]`: measure and print, never assert."""

from __future__ import annotations

import argparse
import platform
import sys

from benchmarks import cold, compare, gate

TABLES = {"cold": cold.table, "peers": compare.table, "gate": gate.table}
RUNS = {"cold": 11, "peers": 3, "gate": 1}  # when --runs is not given


def main() -> int:
    """Print the asked tables, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], help="tables to print (all)")
    parser.add_argument("--runs", type=int, default=0, help="counted runs of each command")
    parser.add_argument("--dossiers", type=int, default=gate.DOSSIERS, help="dossiers of the gate")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    for name in options.tables or TABLES:
        runs = options.runs or RUNS[name]
        print(gate.table(runs, options.dossiers) if name == "gate" else TABLES[name](runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
