"""Juge toute une archive, depuis les tables que `quitus collect` a écrites.

Exemples :
  quitus audit tables --output audits
  quitus audit tables --output audits --memory 512MB --run-id 2026-T1 --format json
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.errors import ConfigurationError, Problem, UsageError

if TYPE_CHECKING:
    from checker import pipeline
    from checker.findings.archive import Archive
    from checker.findings.archive_run import Asked
    from checker.model import Pack, Settings

HELP = "juger une archive entière depuis ses tables"
SCHEMA = "quitus-audit/1"
FORMATS = ("terminal", "json")
DATASETS = ("outcomes", "findings", "decisions")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("tables", metavar="REPERTOIRE", type=Path, help="ce que `quitus collect` a écrit")
    parser.add_argument("--output", metavar="REPERTOIRE", type=Path, required=True, help="où écrire, par passage")
    parser.add_argument("--run-id", metavar="NOM", help="nom du passage, qu'il remplace (à défaut une empreinte)")
    parser.add_argument("--settings", metavar="FICHIER", type=Path, help="réglages (à défaut ceux des tables)")
    parser.add_argument(
        "--rules", metavar="REPERTOIRE", type=Path, help="répertoire de packs (à défaut ceux livrés, ou QUITUS_RULES)"
    )
    parser.add_argument("--engine", default="duckdb", metavar="MOTEUR", help="duckdb ou spark")
    parser.add_argument("--master", default="", metavar="URL", help="où est Spark (à défaut local[*])")
    parser.add_argument(
        "--memory", metavar="TAILLE", default="", help="mémoire du moteur (512MB), le reste va au disque"
    )
    parser.add_argument("--jobs", metavar="N", type=int, default=0, help="fils de calcul (à défaut ceux de la machine)")
    parser.add_argument("--format", metavar="FORMAT", default="terminal", choices=FORMATS, help=" ou ".join(FORMATS))
    parser.add_argument(
        "--fail-on", choices=("reserve", "non_conforme"), default="", help="ce qui fait échouer la commande"
    )
    parser.add_argument("--lang", default="fr", help="langue des mots du programme")


def run(options: argparse.Namespace) -> int:
    """Judge, write the run's folder, print its summary, return the exit code of the worst dossier."""
    from checker.base import plugs
    from checker.findings.archive_run import STORES
    from checker.reports.progress import progress

    engines = plugs.names(STORES)
    if options.engine not in engines:
        raise UsageError(f"moteur inconnu : « {options.engine} » (connus : {', '.join(engines)})")
    if options.master and options.engine != "spark":
        raise UsageError(f"--master ne va qu'avec --engine spark, pas avec « {options.engine} »")
    if options.memory and not re.fullmatch(r"[1-9][0-9]*(KB|MB|GB|TB)", options.memory):
        raise UsageError([Problem(f"--memory {options.memory} n'est pas une taille", todo="Écrire 512MB, ou 4GB.")])
    if options.run_id is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", options.run_id):
        raise UsageError([Problem(f"--run-id {options.run_id[:100]} : lettres, chiffres, points, tirets")])
    with progress(sys.stderr) as tell:
        said = audit(options, tell)
    if options.format == "json":
        print(json.dumps(said, ensure_ascii=False, indent=1))
    else:
        print(summary(said, options.lang))
    return exit_code(said["summary"], options.fail_on)


def exit_code(counts: Mapping[str, int], fail_on: str) -> int:
    """As of a check: `Verdicts.exit_code` over these numbers of dossiers."""
    from checker.model import DECISIONS, Verdicts

    worst = [word for word in DECISIONS if counts.get(word)]
    codes = {Verdicts("", (), None, word, (), fail_on=fail_on).exit_code() for word in worst}
    return 1 if 1 in codes else max(codes, default=0)


def audit(options: argparse.Namespace, tell: pipeline.Progress) -> dict[str, Any]:
    """Judge every pack of the tables, then put the run's folder in place; its summary."""
    from checker import __version__
    from checker.base.words import words
    from checker.findings import archive, archive_run
    from checker.reports import auditpage

    said, found = archive.opened(options.tables)
    settings = _settings(options, said)
    asked, packs_ = _asked(options, found, settings)
    digest = _digest(options.tables, asked, packs_, settings)
    name = options.run_id or digest[:16]
    target = options.output / f"run={name}"
    work = options.output / "work" / digest
    work.mkdir(parents=True, exist_ok=True)
    faults: dict[str, str] = {}
    for item, pack in zip(asked, packs_, strict=True):
        own = work / pack.id
        own.mkdir(exist_ok=True)
        faults |= archive_run.audit(item, own, lambda done, total: tell("findings", done, total))
    new = work / "run"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for pack in packs_:
        for dataset in DATASETS:
            held = new / dataset / f"pack={pack.id}"
            shutil.copytree(work / pack.id / "done" / dataset, held, copy_function=_link)
    body = {
        "schema": SCHEMA,
        "run": name,
        "tool": {"name": "quitus", "version": __version__},
        "packs": [{"id": pack.id, "version": pack.version, "sha256": pack.sha256} for pack in packs_],
        "settings": {"path": settings.path.name, "sha256": settings.sha256} if settings.path else None,
        "tables": said["run"]["sha256"],
        "inputs": digest,
        **archive_run.summed(new),
        "refused": faults,
    }
    (new / "summary.json").write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (new / "summary.html").write_bytes(auditpage.render(body, packs_, words(options.lang)))
    (new / "rules.json").write_text(_templates(asked, packs_), "utf-8")
    old = work / "old"
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(work)
    if not any(work.parent.iterdir()):
        work.parent.rmdir()
    return body


def _link(source: str, target: str) -> str:
    """A file under a second name: nothing is copied."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target


def _settings(options: argparse.Namespace, said: Mapping[str, Any]) -> Settings:
    from checker import packs
    from checker.model import Settings

    kept = options.tables / said["settings"]["path"] if said["settings"] else None
    chosen = options.settings or kept
    return packs.read_settings([], chosen) if chosen is not None else Settings()


def _asked(options: argparse.Namespace, found: Sequence[Archive], settings: Settings) -> tuple[list[Asked], list[Pack]]:
    """Each pack compiled under the settings; ConfigurationError: the tables were not written for it."""
    import functools

    from checker import packs, pipeline, plans
    from checker.base import dictionary as dictionaries
    from checker.base import home
    from checker.findings import archive, archive_run

    folder = options.rules or home.rules()
    known = packs.names(folder)
    elsewhere = functools.cache(lambda name: any(name in packs.ready(folder, other).parameters for other in known))
    asked: list[Asked] = []
    used: list[Pack] = []
    for item in found:
        name = item.said["id"]
        if name not in known:
            raise ConfigurationError(f"pack inconnu : « {name} »")
        pack = packs.overlay(packs.ready(folder, name), settings, elsewhere)
        dictionary = dictionaries.load(*pack.extensions)
        held = {
            table: [(column["name"], column["type"]) for column in body["columns"]]
            for table, body in item.said["tables"].items()
        }
        want = {table: archive.columns(table, dictionary) for table in (*dictionary.tables, archive.FAULTS)}
        if held != want:
            odd = next(table for table in want if held.get(table) != want[table]) if want != held else ""
            what = f"la table « {odd} » n'a plus les colonnes du dictionnaire de « {name} »"
            raise UsageError([Problem(what, str(options.tables), todo="Refaire `quitus collect`.")])
        from checker import verdicts

        ids = {rule.id for rule in pack.rules}
        waivers = [
            (waiver.rule, waiver.dossier, waiver.start, waiver.end, bool(verdicts.fault(waiver, ids, dt.date.min)))
            for waiver in settings.waivers
        ]
        asked.append(
            archive_run.Asked(
                archive=item,
                dictionary=dictionary,
                plans=plans.compile_pack(pack, dictionary),
                rules=[(rule.id, rule.severity) for rule in pack.rules],
                waivers=waivers,
                today=pipeline.today(),
                before=tuple(found[: len(asked)]),
                memory=options.memory,
                threads=options.jobs or os.cpu_count() or 1,
                engine=options.engine,
                master=options.master,
            )
        )
        used.append(pack)
    return asked, used


def _digest(tables: Path, asked: Sequence[Asked], used: Sequence[Pack], settings: Settings) -> str:
    """Of all that decides what an audit says: tables, rules, settings, program, and the day if it counts."""
    from checker import __version__
    from checker.findings import archive

    made = hashlib.sha256((tables / archive.SCHEMA_FILE).read_bytes())
    for item in asked:
        for table in sorted(item.archive.said["tables"]):
            for path in item.archive.files(table, range(item.archive.parts)):
                made.update(f"{path[len(str(item.archive.folder)) :]} {Path(path).stat().st_size}\n".encode())
    rules = [(pack.id, pack.sha256, repr(item.plans)) for pack, item in zip(used, asked, strict=True)]
    facts: list[object] = [__version__, settings.sha256, rules]
    if settings.waivers:
        facts.append(dt.date.isoformat(asked[0].today))
    made.update(repr(facts).encode())
    return made.hexdigest()


def _templates(asked: Sequence[Asked], used: Sequence[Pack]) -> str:
    """The rules that the datasets name, with the sentences of their parts, which `parts` of a finding number."""
    body = {
        pack.id: [
            {
                "rule": rule.id, "title": rule.title, "severity": rule.severity, "article": rule.clause.article,
                "parts": [dict(part.messages) for part in plan.parts],
            }
            for rule, plan in zip(pack.rules, item.plans, strict=True)
        ]
        for item, pack in zip(asked, used, strict=True)
    }  # fmt: skip
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def summary(said: Mapping[str, Any], lang: str) -> str:
    """The summary for a screen."""
    from checker.base.words import counted, words

    said_, counts = words(lang), said["summary"]
    pair = said_["text.pair"].format
    decision = said_["decision." + said["decision"]]
    lines = [pair(label=counted(said_, "audit.dossiers", counts["dossiers"]), text=decision)]
    lines += [
        "  " + pair(label=said_["decision." + word], text=number)
        for word, number in counts.items()
        if word != "dossiers"
    ]
    for rule, held in said["rules"].items():
        bad = [f"{said_['outcome.' + word]} {held[word]}" for word in ("non_conforme", "indetermine") if held.get(word)]
        if bad:
            lines.append("  " + pair(label=rule, text=", ".join(bad)))
    return "\n".join([*lines, *(f"{rule} : {reason}" for rule, reason in said["refused"].items())])
