"""`python -m checker` and the command `quitus`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code."""
    from checker import cli

    return cli.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
