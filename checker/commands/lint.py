"""Vérifie les règles : citations, couverture du texte, types, exemples possibles, part des expressions.

Exemples :
  quitus lint
  quitus lint rules/dinsic-calvados-2018 --quiet
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checker.packs import Unit

HELP = "vérifier les règles et la couverture du texte"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument(
        "targets", nargs="*", metavar="PACK", type=Path, help="répertoires de packs (à défaut ceux livrés)"
    )
    parser.add_argument("--rules", metavar="REPERTOIRE", type=Path, help="répertoire de packs")
    parser.add_argument("-q", "--quiet", action="store_true", help="sans le tableau de couverture")


def run(options: argparse.Namespace) -> int:
    """0: nothing to mend; ConfigurationError (65) with every fault otherwise."""
    from checker import authoring, packs
    from checker.base import home
    from checker.errors import ConfigurationError, Problem

    problems: list[Problem] = []
    for folder in options.targets or [options.rules or home.rules()]:
        for name in packs.names(folder):
            try:
                pack, found = authoring.lint(folder, name)
            except ConfigurationError as error:
                problems += error.problems
                continue
            problems += found
            units, faults = packs.coverage(pack) if pack.text else ([], [])
            problems += faults
            if units:
                _print(pack.title, units, options.quiet)
            own = [rule for rule in pack.rules if rule.place.file.startswith(f"{name}/")]
            expressions = [rule.id for rule in own if "'expression':" in str(rule.body.get("check", ""))]
            listed = ", ".join(expressions) or "aucune"
            print(f"{name} : {len(own)} règles, dont {len(expressions)} par expression ({listed})")
            if len(expressions) * 10 > len(own) > 5:
                problems.append(
                    Problem("plus d'une règle sur dix est une expression : un genre manque", f"{name}/pack.yaml")
                )
    if problems:
        raise ConfigurationError(list(dict.fromkeys(problems)))
    print("rien à corriger")
    return 0


def _print(title: str, units: list[Unit], quiet: bool) -> None:
    covered = [unit for unit in units if unit.rules or unit.kind]
    if not quiet:
        print(f"{title}\n")
        print(f"{'ligne':>5}  {'état':14} {'texte':60}  règles, ou raison")
        for unit in units:
            state = "cité" if unit.rules else _WORDS.get(unit.kind, unit.kind) if unit.kind else "NON COUVERT"
            said = ", ".join(unit.rules) or unit.reason
            text = unit.text if len(unit.text) <= 60 else unit.text[:57] + "..."
            print(f"{unit.line:5}  {state:14} {text:60}  {said}")
            if unit.rules and len(unit.rest) > 3:
                print(f"{'':22} non cité : {unit.rest}")
        print()
    counts: dict[str, int] = {}
    for unit in covered:
        counts["citées" if unit.rules else _WORDS.get(unit.kind, unit.kind)] = (
            counts.get("citées" if unit.rules else _WORDS.get(unit.kind, unit.kind), 0) + 1
        )
    detail = ", ".join(f"{count} {word}" for word, count in counts.items())
    print(f"couverture du texte : {len(covered)}/{len(units)} unités ({100 * len(covered) // len(units)} %) : {detail}")


_WORDS = {"attested": "attestée", "undecidable": "indécidable", "no_obligation": "sans obligation"}
