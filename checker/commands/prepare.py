"""Propose un dossier.yaml d'après des fichiers bruts : chaque valeur avec l'endroit où elle est lue.

Ce qui ne se lit pas, ou se lit de deux façons, reste nul : le commentaire dit pourquoi, la liste en est affichée.
Un dossier.yaml déjà là est complété : ce qu'une personne y a écrit est gardé. Rien n'est inventé.

Codes de sortie : 0 rien d'illisible ni d'ambigu, 2 sinon (le fichier est écrit dans les deux cas).

Exemples :
  quitus prepare recu-le-6-mars
  quitus prepare depot.zip --output propose.yaml
  quitus prepare recu --convention dinsic-calvados-2018
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from checker.errors import Problem, UsageError

if TYPE_CHECKING:
    from checker.proposals import Proposal

HELP = "proposer un dossier.yaml d'après des fichiers bruts"
MANIFEST = "dossier.yaml"
_REQUIRED = ("convention", "reference", "etape")
_OTHER = "Choisir un autre nom."


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("path", metavar="CHEMIN", type=Path, help="un répertoire de fichiers, ou un zip")
    parser.add_argument(
        "--output", metavar="FICHIER", type=Path, help=f"écrire là (à défaut CHEMIN/{MANIFEST}, ou à côté du zip)"
    )
    parser.add_argument(
        "--convention", metavar="ID", help="la convention (à défaut la seule qui ait un dossier de référence)"
    )
    parser.add_argument(
        "--rules", metavar="REPERTOIRE", type=Path, help="répertoire de packs (à défaut ceux livrés, ou QUITUS_RULES)"
    )


def run(options: argparse.Namespace) -> int:
    """0: nothing was left unreadable or ambiguous; 2: something was; UsageError (64): a wrong call."""
    from checker import pipeline
    from checker.base import whole, yamlfile

    path: Path = options.path
    if not path.exists():
        raise UsageError([Problem("ce chemin n'existe pas", str(path), todo="Vérifier le nom.")])
    target = options.output or (path / MANIFEST if path.is_dir() else path.with_suffix(".yaml"))
    try:
        earlier = _earlier(target)
        proposal = pipeline.propose(path, target, earlier, options.convention, options.rules)
    except yamlfile.YamlError as error:
        problems = [
            Problem(each.what, str(target), each.line, each.column, each.excerpt, each.why, each.todo)
            for each in error.problems
        ]
        raise UsageError([*problems, Problem("rien n'a été écrit", str(target))]) from None
    written = proposal.text.encode()
    if not target.is_file() or target.read_bytes() != written:
        whole.replace(target, written)
    _tell(proposal, path, target, completed=earlier is not None)
    return 2 if proposal.left else 0


def _earlier(target: Path) -> str | None:
    """The text of the manifest that is there; UsageError for a file that is something else."""
    from checker.base import yamlfile

    if target.is_dir():
        raise UsageError([Problem("c'est un répertoire", str(target), todo="Donner un nom de fichier.")])
    if not target.exists() and not target.is_symlink():
        return None
    if target.suffix.lower() not in (".yaml", ".yml"):
        raise UsageError([Problem("ce fichier existe et n'est pas un dossier.yaml", str(target), todo=_OTHER)])
    text = yamlfile.read_text(target, str(target))
    if not text.strip():
        return None
    keys = yamlfile.compose(text, str(target)).data
    if isinstance(keys, dict) and keys.keys().isdisjoint(_REQUIRED):
        raise UsageError([Problem("ce fichier existe et n'est pas un dossier.yaml", str(target), todo=_OTHER)])
    return text


def _tell(proposal: Proposal, path: Path, target: Path, completed: bool) -> None:
    """What was written, what is left to a person, what a person wrote otherwise."""
    from checker.reports.inert import phrase

    done = "complété" if completed else "écrit"
    said = [f"{target} {done} : {proposal.read} valeurs lues dans {proposal.files} fichiers."]
    if proposal.left:
        said.append(f"Illisible ou ambigu, à compléter par une personne ({len(proposal.left)}) :")
        said += [f"  {where} : {why}" for where, why in proposal.left]
    if proposal.kept:
        said.append(f"Gardé, mais les pièces disent autre chose ({len(proposal.kept)}) :")
        said += [f"  {where} : {why}" for where, why in proposal.kept]
    own = path.is_dir() and target.name == MANIFEST and target.resolve().parent == path.resolve()
    said.append(f"Ensuite : le relire, puis `quitus check {path}{'' if own else f' --dossier {target}'}`.")
    for line in said:
        indent = "  " if line.startswith("  ") else ""
        sys.stdout.write(indent + phrase(line) + "\n")
