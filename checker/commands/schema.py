"""Écrit schemas/rule.schema.json d'après les genres de contrôle et les clés d'une règle.

Exemples :
  quitus schema
  quitus schema --check      sort en 1 quand le fichier n'est plus celui que les genres donnent
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from checker.errors import Problem, UsageError

HELP = "écrire le schéma des règles"
NAME = "rule.schema.json"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("--check", action="store_true", help="comparer sans écrire ; 1 quand le fichier diffère")


def run(options: argparse.Namespace) -> int:
    """0: the file is (now) what the kinds give; 1: `--check` and it is not."""
    from checker.base import home
    from checker.packs import describe
    from checker.plans import describe as kinds

    path = home.schemas() / NAME
    wanted = describe.dump(describe.rule_schema(kinds.definitions()))
    found = path.read_text(encoding="utf-8") if path.is_file() else ""
    if found == wanted:
        print(f"{path} : à jour")
        return 0
    if options.check:
        print(f"{path} n'est plus celui que les genres donnent : `quitus schema` l'écrit.", file=sys.stderr)
        return 1
    _write(path, wanted)
    print(f"{path} : écrit")
    return 0


def _write(path: Path, text: str) -> None:
    """The file, whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError([Problem(f"on ne peut écrire là : {error.strerror}", str(path))]) from None
