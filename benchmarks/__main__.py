"""`python -m benchmarks [cold] [peers] [--runs N]`: measure and print, never assert."""

from __future__ import annotations

import argparse
import platform
import sys

from benchmarks import cold, compare

TABLES = {"cold": cold.table, "peers": compare.table}
RUNS = {"cold": 11, "peers": 3}  # when --runs is not given


def main() -> int:
    """Print the asked tables, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], help="tables to print (all)")
    parser.add_argument("--runs", type=int, default=0, help="counted runs of each command")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    for name in options.tables or TABLES:
        print(TABLES[name](options.runs or RUNS[name]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
