"""Essaie tous les exemples des règles, et dit quels résultats chaque règle a atteints.

Exemples :
  quitus test
  quitus test rules/dinsic-calvados-2018 A4-PLAFOND
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "essayer les exemples des règles"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument(
        "targets", nargs="*", metavar="PACK|REGLE", help="répertoires de packs, ou identifiants de règles"
    )
    parser.add_argument("--rules", metavar="REPERTOIRE", type=Path, help="répertoire de packs (à défaut ceux livrés)")
    parser.add_argument("--engine", default="auto", metavar="MOTEUR", help="auto, duckdb, postgresql, python, spark")
    parser.add_argument("--master", metavar="ADRESSE", help="où est le moteur : local[*], spark://…, sc://… ; dbname=…")
    parser.add_argument("-v", "--verbose", action="store_true", help="montrer aussi ce qui va")


def run(options: argparse.Namespace) -> int:
    """0: every example as expected; 1: some are not."""
    from checker import authoring, packs, pipeline
    from checker.base import home
    from checker.errors import ConfigurationError

    folders = [Path(item) for item in options.targets if Path(item).is_dir()] or [options.rules or home.rules()]
    only = [item for item in options.targets if not Path(item).is_dir()]
    wrong = total = 0
    for folder in folders:
        for name in packs.names(folder):
            try:
                pack, tried = authoring.examples(folder, name, only, pipeline.engine(options.engine, options.master))
            except ConfigurationError as error:
                if "dossier de référence" in str(error) and len(packs.names(folder)) > 1:
                    continue
                raise
            reached: dict[str, set[str]] = {rule.id: set() for rule in pack.rules if not only or rule.id in only}
            for item in tried:
                total += 1
                reached[item.rule].add(item.found.word)
                if item.found != item.example.expect:
                    wrong += 1
                    place = item.example.place
                    where = f"{place.file}:{place.line}"
                    said = f"attendu {item.example.expect.word}, trouvé {item.found.word}"
                    print(f"✗ {item.rule} « {item.example.title} » ({where}) : {said}")
                    if item.message:
                        print(f"    {item.message}")
                elif options.verbose:
                    print(f"✓ {item.rule} « {item.example.title} » : {item.found.word}")
            for rule, words in reached.items():
                print(f"{rule:24} {', '.join(sorted(words)) or 'aucun exemple'}")
    print(f"{total - wrong} exemples comme attendu, {wrong} autrement")
    return 1 if wrong else 0
