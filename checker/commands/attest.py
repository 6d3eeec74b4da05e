"""Écrit dans dossier.yaml ce qu'une personne atteste : les décisions remplies dans un rapport au format xlsx, ou une.

Une attestation est datée, nominative, motivée, liée à une règle et à l'empreinte d'une pièce. Tout ce qui n'est pas
recevable est dit d'un coup et rien n'est alors écrit ; ce qui est déjà dans dossier.yaml y reste à l'octet près.
Les chemins du classeur partent du répertoire où le contrôle a été lancé : celui d'ici, ou --root.

Codes de sortie : 0 écrit, ou déjà écrit ; 64 quelque chose est refusé ; 66 aucune décision n'est remplie.

Exemples :
  quitus attest --from rapport.xlsx
  quitus attest --from rapport.xlsx depot --dry-run
  quitus attest mon-dossier --rule A5-1-SIGN --constat conforme --by "Nadia CONTROLE" --on 2019-05-02 \\
      --reason "Signature comparée au spécimen" --piece etat-liquidatif.pdf
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from checker.errors import NothingToCheck, Problem, QuitusError, UsageError

if TYPE_CHECKING:
    from checker.model import Dossier, Pack
    from checker.proposals.attesting import Attestation, Change, Decision
    from checker.proposals.filled import Filled

HELP = "écrire ce qu'une personne atteste"
_MANIFEST = "dossier.yaml"
_OWN = ("rule", "constat", "by", "on", "reason")  # the options of one attestation, with `piece`
_ZIP = "L'extraire : une attestation s'écrit dans le dossier.yaml d'un répertoire."


class Job(NamedTuple):
    """What to write in a dossier; `seen`: the digests of its files when the report was made (none: no report)."""

    folder: Path
    decisions: Sequence[Decision]
    seen: Mapping[str, str]
    pack: str = ""


class Done(NamedTuple):
    """A file of a dossier, its new text and what it gains."""

    path: Path
    change: Change
    folder: Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("paths", nargs="*", metavar="CHEMIN", type=Path, help="les dossiers (à défaut, du classeur)")
    parser.add_argument("--from", dest="workbook", metavar="CLASSEUR.xlsx", type=Path, help="le rapport rempli")
    parser.add_argument(
        "--root", metavar="REPERTOIRE", type=Path, default=Path(), help="d'où partent les chemins du classeur"
    )
    parser.add_argument("--dry-run", action="store_true", help="dire ce qui serait écrit, ne rien écrire")
    parser.add_argument("--rule", metavar="REGLE", help="une attestation : la règle attestée")
    parser.add_argument("--constat", metavar="CONSTAT", help="conforme ou non_conforme")
    parser.add_argument("--by", metavar="NOM", help="qui atteste : nom et service")
    parser.add_argument("--on", metavar="DATE", help="le jour du jugement, AAAA-MM-JJ ou JJ/MM/AAAA")
    parser.add_argument("--reason", metavar="MOTIF", help="ce qui a été vu")
    parser.add_argument("--piece", metavar="FICHIER", help="la pièce jugée (à défaut l'acte dont la règle part)")
    parser.add_argument("--rules", metavar="REPERTOIRE", type=Path, help="répertoire de packs (à défaut ceux livrés)")


def run(options: argparse.Namespace) -> int:
    """0: written, or already there. UsageError (64): something is refused. NothingToCheck (66): nothing is decided."""
    from checker.base import whole

    _one_form(options)
    problems: list[Problem] = []
    jobs = _from_workbook(options, problems) if options.workbook else [_from_options(options)]
    if not jobs and not problems:
        todo = "Remplir la décision, le nom, la date, le motif et la pièce d'une ligne, enregistrer, recommencer."
        raise NothingToCheck([Problem("aucune décision n'est remplie", str(options.workbook), todo=todo)])
    done = [item for job in jobs for item in _done(job, options.rules, problems)]
    if problems:
        raise UsageError([*problems, Problem("rien n'a été écrit")])
    for item in done:
        if item.change.added and not options.dry_run:
            whole.replace(item.path, item.change.text.encode(), keep=True)
    _tell(done, options.dry_run)
    return 0


def _one_form(options: argparse.Namespace) -> None:
    """A workbook, or one attestation with all it needs; never both."""
    given = [f"--{name}" for name in (*_OWN, "piece") if getattr(options, name) is not None]
    if options.workbook is not None and given:
        raise UsageError([Problem(f"--from ou {', '.join(given)} : l'un ou l'autre")])
    if options.workbook is None:
        lost = [f"--{name}" for name in _OWN if getattr(options, name) is None]
        if len(lost) == len(_OWN):
            raise UsageError([Problem("rien à attester", todo="Donner --from CLASSEUR.xlsx, ou --rule et la suite.")])
        if lost or not options.paths:
            raise UsageError([Problem(f"il manque {', '.join(lost or ['le dossier'])}", todo="Voir quitus attest -h.")])
    if not options.root.is_dir():
        raise UsageError([Problem("ce n'est pas un répertoire", str(options.root), todo="Vérifier le nom.")])


def _from_options(options: argparse.Namespace) -> Job:
    """The only attestation of the call."""
    from checker import dossiers
    from checker.proposals.attesting import Decision

    found = dossiers.find(tuple(options.paths))
    if len(found) != 1:
        raise UsageError([Problem(f"{len(found)} dossiers sous ce chemin : une attestation est d'un seul")])
    if found[0].archive is not None:
        raise UsageError([Problem("ce dossier est dans un zip", found[0].shown, todo=_ZIP)])
    said = Decision(options.rule, options.constat, options.by, options.on, options.reason, options.piece or "")
    return Job(found[0].folder, [said], {})


def _from_workbook(options: argparse.Namespace, problems: list[Problem]) -> list[Job]:
    """The filled-in sheets, each with its dossier."""
    from checker import dossiers, pipeline

    sheets, wrong = pipeline.decisions(options.workbook)
    problems += wrong
    found = dossiers.find(tuple(options.paths)) if options.paths else None
    jobs: dict[Path, Job] = {}
    for sheet in sheets:
        if not sheet.decisions:
            continue
        folder = _folder(sheet, options.root, found)
        if isinstance(folder, Problem):
            problems.append(folder)
            continue
        key = folder.resolve()
        earlier = jobs[key].decisions if key in jobs else ()
        jobs[key] = Job(folder, [*earlier, *sheet.decisions], sheet.digests, sheet.pack)
    return list(jobs.values())


def _folder(sheet: Filled, root: Path, found: Sequence[Dossier] | None) -> Path | Problem:
    """Where the dossier of a sheet is; a workbook leads nowhere outside the root: there its dossier is to be named."""
    from checker.reports.inert import inert

    shown = inert(f"{(sheet.reference or sheet.name)[:200]} ({sheet.path[:200]})")
    try:
        target = root / sheet.path
        resolved = target.resolve()
        archived = any(path.is_file() for path in (resolved, *resolved.parents))
    except (OSError, ValueError):
        return Problem("ce dossier n'est pas un chemin", shown)
    if found is not None:
        return _among(sheet, resolved, found, shown)
    if archived:
        return Problem("ce dossier est dans un zip", shown, todo=_ZIP)
    if not sheet.path or not resolved.is_relative_to(root.resolve()):
        return Problem("ce dossier est hors du répertoire de départ", shown, todo="Nommer son chemin après --from.")
    if not (target / _MANIFEST).is_file():
        todo = "Donner --root, le répertoire d'où le contrôle a été lancé, ou nommer le dossier."
        return Problem(f"aucun {_MANIFEST} là où le classeur le dit", shown, todo=todo)
    return target


def _among(sheet: Filled, resolved: Path, found: Sequence[Dossier], shown: str) -> Path | Problem:
    """The dossier of a sheet among those named: at its place, else of the same dossier.yaml, else of its reference."""
    here = [item for item in found if item.archive is None and item.folder.resolve() == resolved]
    folders = [item for item in found if item.archive is None]
    same = [item for item in folders if _sha256(item.folder / _MANIFEST) == sheet.digests.get(_MANIFEST, "")]
    chosen = here or same or [item for item in folders if _reference(item.folder) == sheet.reference]
    if len(chosen) == 1:
        return chosen[0].folder
    if chosen:
        return Problem("plusieurs dossiers ont cette référence", shown, todo="Nommer celui du classeur.")
    if any(item.archive is not None for item in found):
        return Problem("ce dossier est dans un zip, ou n'est pas sous ces chemins", shown, todo=_ZIP)
    return Problem("ce dossier n'est pas sous ces chemins", shown, todo="Vérifier les chemins donnés.")


def _reference(folder: Path) -> str:
    from checker.base import yamlfile

    try:
        data = yamlfile.load_data(folder / _MANIFEST)
    except QuitusError:
        return ""
    return str(data.get("reference") or "").strip() if isinstance(data, dict) else ""


def _done(job: Job, rules: Path | None, problems: list[Problem]) -> Iterator[Done]:
    """The change of a dossier; nothing, and why, when it is refused."""
    from checker import pipeline
    from checker.base import yamlfile
    from checker.proposals import attesting

    path = job.folder / _MANIFEST
    try:
        raw = path.read_bytes()
        text = raw.decode()
        data = yamlfile.parse(text.removeprefix("\ufeff"), str(path)).data
        pack = _pack(data, rules)
    except yamlfile.YamlError as error:
        problems += error.problems
        return
    except QuitusError as error:
        problems += [Problem(item.what, str(path), todo=item.todo) for item in error.problems]
        return
    except (OSError, UnicodeDecodeError):
        problems.append(Problem("ce fichier ne peut être lu", str(path), todo="L'enregistrer en UTF-8."))
        return
    bounds = attesting.Bounds(pack.rules, data, lambda name: _digest(job.folder, name), pipeline.today(), job.seen)
    judged = [attesting.attestation(item, bounds) for item in job.decisions]
    refused = [fault for found in judged if isinstance(found, list) for fault in found]
    kept: list[Attestation] = [found for found in judged if not isinstance(found, list)]
    change = attesting.write(text, str(path), kept)
    refused += change if isinstance(change, list) else []
    gains = refused or isinstance(change, list) or change.added
    if gains and job.seen and job.seen.get(_MANIFEST) != hashlib.sha256(raw).hexdigest():
        todo = "Refaire le rapport, et en juger de nouveau."
        refused.insert(0, Problem("ce dossier.yaml a changé depuis le rapport", str(path), todo=todo))
    problems += refused
    if isinstance(change, list) or refused:
        return
    if job.pack and pack.sha256 not in job.pack:
        said = f"le rapport a été fait avec d'autres règles que celles d'ici ({pack.id} {pack.version})"
        print(f"quitus : {path} : {said}.", file=sys.stderr)
    yield Done(path, change, job.folder)


def _pack(data: object, rules: Path | None) -> Pack:
    """The convention that the dossier names."""
    from checker import packs
    from checker.base import home

    folder = rules or home.rules()
    name = str(data.get("convention") or "") if isinstance(data, dict) else ""
    if name not in packs.names(folder):
        raise UsageError([Problem(f"convention inconnue : « {name[:60]} »", todo="`quitus check` dira ce qui manque.")])
    return packs.load(folder, name)


def _digest(folder: Path, name: str) -> str | None:
    """The SHA-256 of a file of the dossier; None: there is no such file in it."""
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name or "\x00" in name:
        return None
    target = folder / pure
    try:
        return _sha256(target) or None if target.resolve().is_relative_to(folder.resolve()) else None
    except (OSError, ValueError):
        return None


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _tell(done: Sequence[Done], dry: bool) -> None:
    """What was written, or would be; what was there already."""
    from checker.reports.inert import inert, phrase

    verb = "serait écrit" if dry else "écrit"
    for item in done:
        said = [*((verb, found) for found in item.change.added), *(("déjà là", found) for found in item.change.held)]
        print(f"{inert(str(item.path), 300)} :")
        for how, found in said:
            line = f"{found.regle} {found.constat}, par {found.par}, le {found.date.isoformat()}, pièce {found.piece}"
            print(f"  {how} : {phrase(line, 400)}")
            if dry and how == verb:
                print(f"    - {inert(found.text())}")
    paths = " ".join(dict.fromkeys(inert(str(item.folder), 200) for item in done[:5]))
    if any(item.change.added for item in done) and not dry:
        print(f"Ensuite : `quitus check {paths}{' …' if len(done) > 5 else ''}`.")
