"""The command line: one verb a file of `commands/`; faults become sentences on stderr and exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from checker import __version__
from checker.base import plugs
from checker.errors import QuitusError

COMMANDS = "checker.commands"
INTERRUPTED, INTERNAL, USAGE = 130, 70, 64


class _Parser(argparse.ArgumentParser):
    """argparse in French where it speaks, and exit code 64 for a wrong call."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"quitus : {message}\n")


def _sized(prog: str) -> argparse.HelpFormatter:
    """As wide as any: argparse makes one for each option that it is told, and asks the terminal each time."""
    return argparse.HelpFormatter(prog, width=80)


def parser(only: str = "") -> argparse.ArgumentParser:
    """The parser of every verb; of that one alone when it exists, for a verb takes time to import."""
    top = _Parser(
        prog="quitus",
        formatter_class=_sized,
        description="Contrôle les dossiers de remboursement contre la convention qui les régit.",
        epilog="Codes de sortie : 0 conforme, 1 non conforme, 2 indéterminé, 64 appel, 65 règles ou réglages, "
        "66 rien à contrôler, 70 faute interne.",
    )
    top.add_argument("--version", action="version", version=f"quitus {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="COMMANDE", required=True, parser_class=_Parser, prog=top.prog)
    known = plugs.names(COMMANDS)
    for name in (only,) if only in known else known:
        plug = plugs.load(COMMANDS, name)
        doc = (plug.__doc__ or "").strip()
        own = verbs.add_parser(name, help=plug.HELP, description=doc, formatter_class=_sized)
        plug.arguments(own)
        own.formatter_class = argparse.RawDescriptionHelpFormatter
        own.set_defaults(run=plug.run)
    top.formatter_class = argparse.HelpFormatter
    return top


def run(argv: Sequence[str]) -> int:
    """The exit code of a call."""
    try:
        options = parser(argv[0] if argv else "").parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except QuitusError as error:
        print(f"quitus : {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the last resort: a fault of the program is said as such, never a green
        if os.environ.get("QUITUS_TRACE"):
            raise
        print(
            f"quitus : faute interne : {type(error).__name__} : {error}\nQUITUS_TRACE=1 montre la trace.",
            file=sys.stderr,
        )
        return INTERNAL
