"""Relit un rapport (`verify`), ou le signe (`sign`).

Exemples :
  quitus report verify rapport.json
  quitus report verify rapport.json --root depot
  quitus report sign rapport.pdf --key cle.pem
  quitus report verify rapport.pdf --signature rapport.pdf.intoto.json --public-key cle.pub
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from checker import __version__
from checker.errors import Problem, QuitusError, UsageError

if TYPE_CHECKING:
    from checker.base.words import Words
    from checker.model import Limits
    from checker.reports.envelope import PrivateKey
    from checker.reports.saved import Checked, Report
    from checker.reports.verify import Item

HELP = "relire un rapport : verify ; le signer : sign"
PASSWORD = "QUITUS_KEY_PASSWORD"
_VERIFY = """Recalcule le SHA-256 de chaque fichier que le rapport nomme, des réglages et des règles, et dit ce qui a
changé depuis.

Les chemins du rapport partent du répertoire où le contrôle a été lancé : celui d'ici, ou --root. Un fichier que le
rapport ne nomme pas n'est pas regardé. Sans signature, rien ne dit que le rapport lui-même n'a pas été retouché ; avec
--signature et --public-key, un rapport de tout format est d'abord comparé à ce qui a été signé, puis, s'il est au
format json, à ce qu'il nomme. Une signature ne vaut que ce que vaut la clé publique : l'obtenir de son signataire.

Codes de sortie : 0 tout est intact, 1 quelque chose a changé ou n'est plus là, ou la signature est mauvaise,
2 on ne peut le dire (une autre clé a signé, un fichier est introuvable), 64 appel.
"""
_SIGN = f"""Signe un rapport de tout format (json, pdf, xlsx…), sans y toucher : la signature est un fichier à côté.

C'est une déclaration in-toto (le SHA-256 du rapport et, s'il est au format json, ceux de ses pièces, de ses règles et
de ses réglages) dans une enveloppe DSSE, signée par une clé Ed25519.

La clé se fait une fois ; la publique se donne à qui vérifie, l'autre à personne :
  openssl genpkey -algorithm ed25519 -aes-256-cbc -out cle.pem
  openssl pkey -in cle.pem -pubout -out cle.pub
La phrase secrète est demandée, ou lue dans {PASSWORD}. Sans -aes-256-cbc, il n'y en a pas.

Codes de sortie : 0 signé, 64 appel, clé refusée, mauvaise phrase secrète.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    raw = argparse.RawDescriptionHelpFormatter
    verify = actions.add_parser(
        "verify", help="dire ce qui a changé depuis un rapport", description=_VERIFY, formatter_class=raw
    )
    verify.add_argument("report", metavar="RAPPORT", type=Path, help="le rapport ; au format json sans --signature")
    verify.add_argument("--signature", metavar="FICHIER", type=Path, help="l'enveloppe que `sign` a écrite")
    verify.add_argument("--public-key", metavar="CLE.pub", type=Path, help="la clé publique du signataire (PEM)")
    verify.add_argument(
        "--root", metavar="REPERTOIRE", type=Path, default=Path(), help="d'où partent les chemins du rapport"
    )
    verify.add_argument(
        "--dossier", metavar="FICHIER", type=Path, help="le dossier.yaml, resté hors du répertoire ou du zip"
    )
    verify.add_argument("--rules", metavar="REPERTOIRE", type=Path, help="répertoire de packs (à défaut ceux livrés)")
    sign = actions.add_parser("sign", help="signer un rapport", description=_SIGN, formatter_class=raw)
    sign.add_argument("report", metavar="RAPPORT", type=Path, help="le rapport, de tout format")
    sign.add_argument("--key", metavar="CLE.pem", type=Path, required=True, help="la clé privée Ed25519 (PEM)")
    sign.add_argument("--output", metavar="FICHIER", type=Path, help="à défaut RAPPORT.intoto.json")
    for action in (verify, sign):
        action.add_argument("--lang", choices=("fr", "en"), default="fr", help="langue des mots du programme")


def run(options: argparse.Namespace) -> int:
    """0: intact, or signed; 1: changed; 2: cannot be told. UsageError (64): no report, no key, no such folder."""
    from checker.base.words import words

    said = words(options.lang)
    return _sign(options, said) if options.action == "sign" else _verify(options, said)


def _verify(options: argparse.Namespace, words: Words) -> int:
    from checker.reports import saved, verify

    for path in (options.root, options.dossier):
        if path is not None and not path.exists():
            raise UsageError([Problem("ce chemin n'existe pas", str(path), todo="Vérifier le nom.")])
    if (options.signature is None) != (options.public_key is None):
        raise UsageError("--signature et --public-key vont ensemble")
    data = saved.read_bytes(options.report)
    text, code = _sealed(data, options, words) if options.signature is not None else ("", 0)
    report = _parsed(data, options.report) if text else saved.parse(data, options.report)
    if options.dossier is not None and (report is None or len(report.dossiers) != 1):
        raise UsageError("--dossier vaut pour le rapport d'un seul dossier")
    if report is None:
        text += f"{words['envelope.bare']}\n"
    else:
        items = list(_items(report, options))
        text += verify.as_text(items, words)
        codes = {code, verify.exit_code(items)}
        code = 1 if 1 in codes else max(codes)
    _say(text)
    return code


def _say(text: str) -> None:
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _parsed(data: bytes, path: Path) -> Report | None:
    """The report, when it is a JSON one."""
    from checker.reports import saved

    try:
        return saved.parse(data, path)
    except UsageError:
        return None


def _sealed(data: bytes, options: argparse.Namespace, words: Words) -> tuple[str, int]:
    """What the signature says of these bytes, and the exit code of that alone."""
    from checker.reports import envelope, saved
    from checker.reports.envelope import Sign
    from checker.reports.inert import inert

    key = envelope.public_key(saved.read_bytes(options.public_key), str(options.public_key))
    found = envelope.checked(saved.read_bytes(options.signature), str(options.signature), key)
    signers = words["list.comma"].join(inert(name, 64) for name in found.signers)
    lines = [words[f"envelope.{found.sign.value}"].format(key=found.key, signers=signers)]
    code = {Sign.GOOD: 0, Sign.BAD: 1, Sign.OTHER: 2}[found.sign]
    if found.sign is Sign.GOOD:
        digest = hashlib.sha256(data).hexdigest()
        names = [name for name, sha256 in found.digests.items() if sha256 == digest]
        named = inert((names or [*found.digests, "?"])[0], 200)
        lines.append(words["envelope.same" if names else "envelope.changed"].format(name=named))
        code = 0 if names else 1
    return "".join(f"{line}\n" for line in lines), code


def _sign(options: argparse.Namespace, words: Words) -> int:
    from checker.base import whole
    from checker.reports import envelope, saved

    target = options.output or options.report.with_name(f"{options.report.name}.intoto.json")
    if target.resolve() in (options.report.resolve(), options.key.resolve()):
        raise UsageError(
            [Problem("la signature ne remplace ni le rapport ni la clé", str(target), todo="Choisir un autre nom.")]
        )
    data = saved.read_bytes(options.report)
    key = _key(options.key)
    said = envelope.statement(options.report.name, data, _parsed(data, options.report), __version__)
    whole.replace(target, envelope.signed(said, key))
    name = envelope.fingerprint(key.public_key())
    _say(words["envelope.written"].format(path=target.as_posix(), key=name) + "\n")
    return 0


def _key(path: Path) -> PrivateKey:
    """The private key, its passphrase from the environment or from whoever is there."""
    from checker.reports import envelope, saved

    data, name = saved.read_bytes(path), str(path)
    given = os.environ.get(PASSWORD)
    try:
        return envelope.private_key(data, name, given.encode() if given else None)
    except envelope.Locked:
        if not sys.stdin.isatty():
            todo = f"La donner dans {PASSWORD}, ou lancer la commande dans un terminal."
            raise UsageError([Problem("cette clé a une phrase secrète", name, todo=todo)]) from None
    import getpass

    return envelope.private_key(data, name, getpass.getpass("Phrase secrète de la clé : ").encode() or b"?")


def _items(report: Report, options: argparse.Namespace) -> Iterator[Item]:
    """Everything that the report rests on."""
    from checker.reports import verify

    if report.settings is not None:
        if report.redacted and verify.masked(report.settings.path):
            yield verify.Item("settings", report.settings.path, verify.State.UNKNOWN, why="redact.path")
        else:
            yield verify.settings(report.settings, options.root / report.settings.path)
    yield from _packs(report, options.rules)
    limits = _limits(report, options.root)
    for found in report.dossiers:
        if report.redacted and verify.masked(found.path):
            yield verify.Item("dossier", found.path, verify.State.UNKNOWN, why="redact.path")
            continue
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
