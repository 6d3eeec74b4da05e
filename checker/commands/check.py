"""Contrôle un dossier, ou tous ceux d'une arborescence.

Exemples :
  quitus check mon-dossier
  quitus check recu.zip --dossier recu.yaml
  quitus check depot --format json --output rapport.json
  quitus check depot --changed-since origin/main --format github
  quitus check depot -f sarif:quitus.sarif -f junit:quitus.xml --fail-on reserve
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import gc
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.commands import reading
from checker.errors import Problem, UsageError

if TYPE_CHECKING:
    from checker import pipeline
    from checker.model import Verdicts

HELP = "contrôler des dossiers"
STEPS = ("facts", "tables", "plans", "findings")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument(
        "paths", nargs="+", metavar="CHEMIN", type=Path, help="un dossier, un zip, ou une arborescence de dossiers"
    )
    parser.add_argument(
        "--dossier", metavar="FICHIER", type=Path, help="le dossier.yaml, resté hors du répertoire ou du zip"
    )
    reading(parser, "juger comme si le dossier en était à cette étape")
    parser.add_argument("--format", metavar="FORMAT", default="terminal", help="terminal, json, sarif, junit, github…")
    parser.add_argument("--output", metavar="FICHIER", type=Path, help="écrire là plutôt qu'à l'écran")
    parser.add_argument(
        "-f", dest="also", metavar="FORMAT:FICHIER", action="append", default=[], help="un rapport de plus"
    )
    parser.add_argument("--engine", default="auto", metavar="MOTEUR", help="auto, duckdb, postgresql, python, spark")
    parser.add_argument("--master", metavar="ADRESSE", help="où est le moteur : local[*], spark://…, sc://… ; dbname=…")
    parser.add_argument(
        "--fail-on", choices=("reserve", "non_conforme"), default="", help="ce qui fait échouer la commande"
    )
    parser.add_argument(
        "--jobs", metavar="N", type=int, default=0, help="processus de lecture (à défaut un par cœur, un seul si peu)"
    )
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="relire tous les fichiers ; à défaut les faits (jamais les résultats) d'un dossier dont aucun fichier n'a "
        "changé viennent du cache (XDG_CACHE_HOME/quitus ; QUITUS_CACHE=0 l'éteint)",
    )
    parser.add_argument(
        "--changed-since",
        metavar="REV",
        help="ne rapporter que les dossiers changés depuis REV (depuis l'ancêtre commun avec HEAD, et ce qui n'est pas "
        "commité) ; le code de sortie est le leur ; tous sont lus, pour les règles entre dossiers ; si les réglages ou "
        "les règles ont changé : tous",
    )
    parser.add_argument("--timing", action="store_true", help="dire ce qui prend du temps")
    parser.add_argument("--until", choices=STEPS, help="s'arrêter à cette étape du calcul et la montrer en JSON")
    parser.add_argument("--redact", action="store_true", help="masquer les noms de personnes, IBAN et courriels")
    parser.add_argument("--lang", default="fr", help="langue des mots du programme")


def run(options: argparse.Namespace) -> int:
    """Check, write the reports, return the exit code of the worst dossier."""
    from checker import pipeline, reports
    from checker.base import clock, plugs
    from checker.model import STAGES
    from checker.reports.progress import progress

    wanted = [(options.format, options.output), *(_pair(text) for text in options.also)]
    for name, _ in wanted:
        if name not in reports.formats():
            close = plugs.nearest(name, reports.formats())
            raise UsageError(
                [
                    Problem(
                        f"format inconnu : « {name} »",
                        todo=f"Écrire « {close} » ?" if close else "Connus : " + ", ".join(reports.formats()),
                    )
                ]
            )
    if options.redact and options.until:
        raise UsageError("--until montre ce qui a été lu, sans masque : il ne va pas avec --redact")
    if options.jobs < 0:
        raise UsageError([Problem(f"--jobs {options.jobs} : un nombre de processus est attendu")])
    if options.stage is not None and options.stage not in STAGES:
        raise UsageError([Problem(f"étape inconnue : « {options.stage} »", todo="Connues : " + ", ".join(STAGES))])
    asked = pipeline.Options(
        paths=tuple(options.paths),
        on=_day(options.on),
        stage=options.stage,
        settings=options.settings,
        rules=options.rules,
        engine=pipeline.engine(options.engine, options.master),
        fail_on=options.fail_on,
        manifest=options.dossier,
        roots=options.roots,
        ocr=options.ocr,
        drawn=any(reports.drawn(name) for name, _ in wanted),
        private=options.redact,
        lang=options.lang,
        jobs=options.jobs,
        keep=not options.no_cache,
        since=options.changed_since,
    )
    _refuse_overwrite(asked, [path for _, path in wanted if path is not None])
    if options.until:
        print(json.dumps(pipeline.until(asked, options.until), ensure_ascii=False, indent=1, default=str))
        return 0
    clock.taken()
    with progress(sys.stderr) as tell, _few_collections(), clock.of("contrôle entier"):
        verdicts = pipeline.check(asked, tell)
        if not verdicts.dossiers:
            print(f"aucun dossier n'a changé depuis {options.changed_since!a}", file=sys.stderr)
        with clock.of("rapports", len(wanted)):
            _write(verdicts, wanted, options.lang, options.redact)
    if options.timing:
        print(_timing(), file=sys.stderr)
    return verdicts.exit_code()


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Facts, findings and reports have no cycle: looking for some among millions of them takes as long as the rest."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 1000)
    try:
        yield
    finally:
        gc.freeze()  # all of it is old now: with fewer allowed, the next allocation would look for cycles among them
        gc.unfreeze()
        gc.set_threshold(*before)


def _timing() -> str:
    """What took what: seconds add up over processes."""
    from checker.base import clock

    listed = clock.taken()
    width = max(len(name) for name in listed)
    return "\n".join(f"{name:<{width}} {many:>9} {seconds:>9.3f} s" for name, (many, seconds) in listed.items())


def _pair(text: str) -> tuple[str, Path]:
    name, colon, path = text.partition(":")
    if not colon or not path:
        raise UsageError([Problem(f"-f attend FORMAT:FICHIER, pas « {text} »")])
    return name, Path(path)


def _day(text: str | None) -> dt.date | None:
    if text is None:
        return None
    from checker.base import values

    try:
        return values.date(text)
    except values.Refused as error:
        raise UsageError([Problem(f"--on {text} : {error}")]) from None


def _refuse_overwrite(asked: pipeline.Options, outputs: Sequence[Path]) -> None:
    """A report never replaces a file of a dossier."""
    from checker import dossiers

    outputs = [path for path in outputs if path.exists()]
    if not outputs:
        return
    found = dossiers.find(asked.paths, asked.manifest)
    theirs = [path for path in outputs if not _ours(path)]
    folders = {item.folder.resolve() for item in found if item.archive is None} if theirs else set()
    alone = {path.resolve() for item in found for path in (item.archive, item.written) if path is not None}
    for path in outputs:
        target = path.resolve()
        held = path in theirs and not folders.isdisjoint((target, *target.parents))
        if held or target in alone:
            raise UsageError(
                [Problem("un rapport ne remplace pas un fichier d'un dossier", str(path), todo="Choisir un autre nom.")]
            )


def _width() -> int:
    """As `shutil.get_terminal_size` says it, with 100 for a stream that is no terminal."""
    with contextlib.suppress(KeyError, ValueError):
        if (columns := int(os.environ["COLUMNS"])) > 0:
            return columns
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 100  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 100


def _ours(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return b"quitus-report/" in stream.read(200)
    except OSError:
        return False


def _write(verdicts: Verdicts, wanted: Sequence[tuple[str, Path | None]], lang: str, redacted: bool) -> None:
    from checker import reports
    from checker.base import whole

    if redacted:
        from checker.base.words import words
        from checker.reports.redact import redact

        verdicts = redact(verdicts, words(lang))
    for name, path in wanted:
        if path is None:
            color = name == "terminal" and sys.stdout.isatty() and "NO_COLOR" not in os.environ
            width = _width() if name == "terminal" else 100
            sys.stdout.buffer.writelines(reports.stream(verdicts, name, lang=lang, color=color, width=width))
            sys.stdout.buffer.flush()
        else:
            whole.replace(path, reports.stream(verdicts, name, lang=lang))
