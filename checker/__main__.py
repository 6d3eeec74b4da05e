"""`python -m checker` and the command `quitus`."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line; the exit code."""
    from checker import cli

    code = cli.run(sys.argv[1:])
    _end(code)
    return code


def _end(code: int) -> None:
    """End the process here when nothing is left to do: to take every object apart takes longer than to judge a dossier.

    Otherwise (another thread, a debugger, a stream that refuses) the interpreter ends it.
    """
    threads = sys.modules.get("threading")
    watched = sys.gettrace() or sys.getprofile() or sys.flags.interactive or sys.flags.dev_mode
    if watched or (threads is not None and threads.active_count() > 1):
        return
    import atexit

    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
