"""Compare deux rapports JSON, ou deux versions des règles : ce qui est nouveau, résolu, changé, inchangé, et pourquoi.

Avec deux --pack, les mêmes dossiers sont contrôlés par l'une puis par l'autre version (le répertoire d'un pack, ou un
répertoire de packs), et chaque résultat qui change dit par quoi : texte de la règle, paramètre, règle ajoutée ou
retirée, table du pack.

Un résultat est pire quand il pèse plus sur la décision, quand une ligne de plus est en défaut, ou quand une règle n'est
plus jugée. Un dossier retiré est nommé ; il n'est pas un résultat pire.

Exemples :
  quitus diff hier.json aujourdhui.json
  quitus diff hier.json aujourdhui.json --format html --output comparaison.html
  quitus diff --pack regles-2018 --pack regles-2019 depot

Codes de sortie : 0 rien n'est pire, 1 un résultat au moins est pire, 64 appel ou fichier qui n'est pas un rapport,
65 règles ou réglages refusés, 66 rien à contrôler.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.errors import ConfigurationError, Problem, UsageError

if TYPE_CHECKING:
    from checker.model import Pack
    from checker.reports.compare import Comparison
    from checker.reports.packdiff import Explained

HELP = "comparer deux rapports, ou deux versions des règles"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument(
        "paths",
        metavar="CHEMIN",
        nargs="+",
        type=Path,
        help="AVANT.json et APRES.json ; avec --pack, les dossiers à contrôler",
    )
    parser.add_argument(
        "--pack",
        metavar="REPERTOIRE",
        dest="packs",
        action="append",
        default=[],
        type=Path,
        help="une version des règles ; deux fois, la plus ancienne d'abord",
    )
    parser.add_argument("--on", metavar="DATE", help="avec --pack : date de contrôle AAAA-MM-JJ")
    parser.add_argument(
        "--stage", metavar="ETAPE", help="avec --pack : juger comme si le dossier en était à cette étape"
    )
    parser.add_argument("--settings", metavar="FICHIER", type=Path, help="avec --pack : réglages")
    parser.add_argument(
        "--format", choices=("text", "json", "html"), default="text", help="text (par défaut), json, html"
    )
    parser.add_argument("--output", metavar="FICHIER", type=Path, help="écrire là plutôt qu'à l'écran")
    parser.add_argument("--lang", choices=("fr", "en"), default="fr", help="langue des mots du programme")


def run(options: argparse.Namespace) -> int:
    """0: nothing got worse; 1: something did. UsageError 64, ConfigurationError 65, NothingToCheck 66."""
    from checker.base.words import words
    from checker.reports import diffpage, sidebyside

    found, packs, names = _versions(options) if options.packs else _reports(options)
    if options.format == "json":
        data = sidebyside.as_json(found, packs)
    elif options.format == "html":
        data = diffpage.render(found, names, words(options.lang), packs)
    else:
        data = sidebyside.as_text(found, names, words(options.lang), packs).encode()
    if options.output is not None:
        _write(options.output, data, [*options.paths, *options.packs])
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return found.exit_code


def _reports(options: argparse.Namespace) -> tuple[Comparison, None, tuple[str, str]]:
    from checker.reports import compare, saved

    if len(options.paths) != 2:
        raise UsageError(
            [Problem("deux rapports sont attendus, ou deux --pack", todo="quitus diff AVANT.json APRES.json")]
        )
    for name in ("on", "stage", "settings"):
        if getattr(options, name) is not None:
            raise UsageError([Problem(f"--{name} ne vaut qu'avec --pack")])
    before, after = options.paths
    return compare.compare(saved.read(before), saved.read(after)), None, (before.as_posix(), after.as_posix())


def _versions(options: argparse.Namespace) -> tuple[Comparison, Explained, tuple[str, str]]:
    """The same dossiers under two versions of the rules; what differs is theirs alone."""
    from checker import pipeline, reports
    from checker.model import STAGES
    from checker.reports import compare, packdiff, saved

    if len(options.packs) != 2:
        raise UsageError([Problem("--pack s'écrit deux fois", todo="La version la plus ancienne d'abord.")])
    if options.stage is not None and options.stage not in STAGES:
        raise UsageError([Problem(f"étape inconnue : « {options.stage} »", todo="Connues : " + ", ".join(STAGES))])
    before, after = (_packs(folder) for folder in options.packs)
    on, day = _day(options.on), pipeline.today()
    read = []
    for folder in options.packs:
        asked = pipeline.Options(tuple(options.paths), on, options.stage, options.settings, folder, today=day)
        read.append(saved.parse(reports.render(pipeline.check(asked), "json"), folder))
    names = {pack.id for report in read for pack in report.packs}
    versions = {name: packdiff.Versions(before.get(name), after.get(name)) for name in sorted(names)}
    explained = packdiff.explain(compare.compare(*read), versions)
    first, second = (folder.as_posix() for folder in options.packs)
    return explained.found, explained, (first, second)


def _packs(folder: Path) -> dict[str, Pack]:
    """The packs of a version; their faults say which of the two has them."""
    from checker import packs

    names = packs.names(folder)
    try:
        if not names:
            raise ConfigurationError(f"aucun pack de règles dans « {folder} »")
        return {name: packs.load(folder, name) for name in names}
    except ConfigurationError as error:
        first = Problem("cette version des règles ne peut servir", str(folder))
        raise ConfigurationError([first, *error.problems]) from None


def _day(text: str | None) -> dt.date | None:
    from checker.base import values

    try:
        return None if text is None else values.date(text)
    except values.Refused as error:
        raise UsageError([Problem(f"--on {text} : {error}")]) from None


def _write(path: Path, data: bytes, given: Sequence[Path]) -> None:
    """Never over a file of what was compared."""
    from checker.base import whole

    target = path.resolve()
    if target.exists() and any(target.is_relative_to(each.resolve()) for each in given):
        raise UsageError(
            [Problem("la comparaison ne remplace pas ce qu'elle compare", str(path), todo="Choisir un autre nom.")]
        )
    whole.replace(path, data)
