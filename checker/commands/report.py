"""Relit un rapport : `verify` dit ce qui a changé, depuis, de ce sur quoi il repose.

Exemples :
  quitus report verify rapport.json
  quitus report verify rapport.json --root depot
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from checker.errors import Problem, QuitusError, UsageError

if TYPE_CHECKING:
    from checker.model import Limits
    from checker.reports.saved import Checked, Report
    from checker.reports.verify import Item

HELP = "relire un rapport : verify"
_VERIFY = """Recalcule le SHA-256 de chaque fichier que le rapport nomme, des réglages et des règles, et dit ce qui a
changé depuis.

Les chemins du rapport partent du répertoire où le contrôle a été lancé : celui d'ici, ou --root. Un fichier que le
rapport ne nomme pas n'est pas regardé, et rien ne dit ici que le rapport lui-même n'a pas été retouché.

Codes de sortie : 0 tout est intact, 1 quelque chose a changé ou n'est plus là, 2 on ne peut le dire, 64 appel.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser(
        "verify",
        help="dire ce qui a changé depuis un rapport",
        description=_VERIFY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("report", metavar="RAPPORT.json", type=Path, help="le rapport, au format json")
    verify.add_argument(
        "--root", metavar="REPERTOIRE", type=Path, default=Path(), help="d'où partent les chemins du rapport"
    )
    verify.add_argument(
        "--dossier", metavar="FICHIER", type=Path, help="le dossier.yaml, resté hors du répertoire ou du zip"
    )
    verify.add_argument("--rules", metavar="REPERTOIRE", type=Path, help="répertoire de packs (à défaut ceux livrés)")
    verify.add_argument("--lang", choices=("fr", "en"), default="fr", help="langue des mots du programme")


def run(options: argparse.Namespace) -> int:
    """0: intact; 1: changed; 2: cannot be told. UsageError (64): no report, no such folder."""
    from checker.base.words import words
    from checker.reports import saved, verify

    for path in (options.root, options.dossier):
        if path is not None and not path.exists():
            raise UsageError([Problem("ce chemin n'existe pas", str(path), todo="Vérifier le nom.")])
    report = saved.read(options.report)
    if options.dossier is not None and len(report.dossiers) != 1:
        raise UsageError("--dossier vaut pour le rapport d'un seul dossier")
    items = list(_items(report, options))
    sys.stdout.buffer.write(verify.as_text(items, words(options.lang)).encode())
    sys.stdout.buffer.flush()
    return verify.exit_code(items)


def _items(report: Report, options: argparse.Namespace) -> Iterator[Item]:
    """Everything that the report rests on."""
    from checker.reports import verify

    if report.settings is not None:
        yield verify.settings(report.settings, options.root / report.settings.path)
    yield from _packs(report, options.rules)
    limits = _limits(report, options.root)
    for found in report.dossiers:
        with _opened(found, options.root, limits) as (folder, why):
            yield from verify.dossier(found, folder, why, options.dossier)


def _packs(report: Report, rules: Path | None) -> Iterator[Item]:
    from checker import pipeline
    from checker.reports import verify

    named = sorted({*report.packs, *(found.pack for found in report.dossiers if found.pack.id)})
    for pack in named:
        try:
            version, sha256 = pipeline.pack_digest(pack.id, rules)
        except (QuitusError, OSError, ValueError) as error:
            said = error.problems[0].what if isinstance(error, QuitusError) else "verify.unreadable"
            yield verify.Item("pack", pack.id, verify.State.UNKNOWN, why=said)
            continue
        name = pack.id if version == pack.version else f"{pack.id} ({pack.version} → {version})"
        yield verify.compared("pack", name, pack.sha256, sha256)


def _limits(report: Report, root: Path) -> Limits:
    """What a zip may hold: as the settings say, when they are still there and still read."""
    from checker import packs
    from checker.model import Limits

    try:
        return packs.read_settings([], root / report.settings.path).limits if report.settings else Limits()
    except (QuitusError, OSError, ValueError):
        return Limits()


@contextlib.contextmanager
def _opened(found: Checked, root: Path, limits: Limits) -> Iterator[tuple[Path | None, str]]:
    """The folder of a dossier, a zip held open as one; None and why, when it is not there."""
    from checker import dossiers

    try:
        path = root / found.path
        if path.is_dir():
            yield path, ""
            return
        archive = next((above for above in (path, *path.parents) if above.is_file()), None)
        held = dossiers.find((archive,)) if archive else []
    except (QuitusError, OSError, ValueError):
        held = []
    inside = "" if not held or held[0].archive is None else path.relative_to(held[0].archive).as_posix()
    chosen = [item for item in held if len(held) == 1 or item.inside == inside]
    if not chosen:
        yield None, "verify.absent"
        return
    with dossiers.unpacked(chosen[0], limits) as unpacked:
        yield (None, unpacked.faults[0].what) if unpacked.faults else (unpacked.folder, "")
