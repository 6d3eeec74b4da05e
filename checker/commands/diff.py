"""Compare deux rapports JSON : par dossier et par règle, ce qui est nouveau, résolu, changé ou inchangé, et pourquoi.

Un résultat est pire quand il pèse plus sur la décision, quand une ligne de plus est en défaut, ou quand une règle n'est
plus jugée. Un dossier retiré est nommé ; il n'est pas un résultat pire.

Exemples :
  quitus diff hier.json aujourdhui.json
  quitus diff hier.json aujourdhui.json --format json

Codes de sortie : 0 rien n'est pire, 1 un résultat au moins est pire, 64 un fichier n'est pas un rapport.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "comparer deux rapports JSON"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("before", metavar="AVANT.json", type=Path, help="le rapport le plus ancien")
    parser.add_argument("after", metavar="APRES.json", type=Path, help="le rapport le plus récent")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (par défaut) ou json")
    parser.add_argument("--lang", choices=("fr", "en"), default="fr", help="langue des mots du programme")


def run(options: argparse.Namespace) -> int:
    """0: nothing got worse; 1: something did. UsageError (64): a file is no report."""
    from checker.base.words import words
    from checker.reports import compare, saved, sidebyside

    found = compare.compare(saved.read(options.before), saved.read(options.after))
    if options.format == "json":
        data = sidebyside.as_json(found)
    else:
        names = (options.before.as_posix(), options.after.as_posix())
        data = sidebyside.as_text(found, names, words(options.lang)).encode()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return found.exit_code
