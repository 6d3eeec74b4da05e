"""Commence un pack, une règle, un dossier ou des réglages ; n'écrase jamais un fichier.

Exemples :
  quitus new pack ma-convention-2024
  quitus new rule A3-DELAI --pack rules/ma-convention-2024 --article 3
  quitus new dossier dossiers/2024-01 --convention ma-convention-2024
  quitus new settings
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.errors import Problem, UsageError

if TYPE_CHECKING:
    from checker.model import Pack

HELP = "commencer un pack, une règle, un dossier ou des réglages"
_TEMPLATES = Path(__file__).parent / "new_templates"
_PACK = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_RULE = re.compile(r"[A-Z0-9][A-Z0-9-]*\Z")
Files = dict[Path, str]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb, one sub-verb a thing."""
    things = parser.add_subparsers(dest="thing", metavar="pack|rule|dossier|settings", required=True)
    pack = things.add_parser(
        "pack", help="une convention : un répertoire avec un texte, une règle, un dossier de référence"
    )
    pack.add_argument("names", nargs="+", metavar="ID", help="identifiant : minuscules, chiffres et tirets")
    pack.add_argument("--rules", metavar="REPERTOIRE", type=Path, default=Path("rules"), help="là (à défaut rules/)")
    rule = things.add_parser("rule", help="une clause : un fichier, toutes clés dites")
    rule.add_argument("names", nargs="+", metavar="ID", help="identifiant : majuscules, chiffres et tirets")
    rule.add_argument("--pack", metavar="REPERTOIRE", type=Path, default=Path(), help="le répertoire du pack")
    rule.add_argument("--article", metavar="ARTICLE", default="À REMPLACER", help="l'article de la clause")
    dossier = things.add_parser("dossier", help="un dossier.yaml, toutes clés présentes et sans valeur")
    dossier.add_argument("names", nargs="+", metavar="REPERTOIRE")
    settings = things.add_parser("settings", help="un quitus.yaml commenté")
    settings.add_argument("names", nargs="*", metavar="FICHIER", default=["quitus.yaml"])
    for one in (dossier, settings):
        one.add_argument("--convention", metavar="ID", help="la convention (à défaut la seule qu'il y ait)")
        one.add_argument("--rules", metavar="REPERTOIRE", type=Path, help="répertoire de packs (à défaut ceux livrés)")


def run(options: argparse.Namespace) -> int:
    """0: written; UsageError (64): a file is there already, or a name will not do."""
    make = {"pack": _packs, "rule": _rules, "dossier": _dossiers, "settings": _settings}[options.thing]
    files, todo = make(options)
    _write(files)
    print(todo)
    return 0


def _template(name: str, slots: Mapping[str, str]) -> str:
    text = (_TEMPLATES / name).read_text(encoding="utf-8")
    for slot, value in slots.items():
        text = text.replace(f"__{slot}__", value)
    return text


def _write(files: Files) -> None:
    """All files, or none when one is there already."""
    there = [path for path in files if path.exists() or path.is_symlink()]
    if there:
        raise UsageError(
            [
                Problem("ce fichier existe déjà", str(path), todo="Rien n'a été écrit : choisir un autre nom.")
                for path in there
            ]
        )
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        except OSError as error:
            raise UsageError([Problem(f"on ne peut écrire là : {error.strerror}", str(path))]) from None
        print(path)


def _named(names: Sequence[str], form: re.Pattern[str], said: str) -> None:
    wrong = [name for name in names if not form.match(name)]
    if wrong:
        raise UsageError([Problem(f"« {name} » ne peut être un identifiant : {said}") for name in wrong])


def _packs(options: argparse.Namespace) -> tuple[Files, str]:
    _named(options.names, _PACK, "minuscules, chiffres et tirets")
    sources = sorted(path for path in (_TEMPLATES / "pack").rglob("*") if path.is_file())
    files = {
        options.rules / name / path.relative_to(_TEMPLATES / "pack"): _template(
            path.relative_to(_TEMPLATES).as_posix(), {"ID": name}
        )
        for name in options.names
        for path in sources
    }
    first = options.rules / options.names[0]
    return files, f"Ensuite : le texte signé dans convention.txt, puis `quitus lint {first}` et `quitus test {first}`."


def _rules(options: argparse.Namespace) -> tuple[Files, str]:
    from checker.plans import describe

    _named(options.names, _RULE, "majuscules, chiffres et tirets")
    if not (options.pack / "pack.yaml").is_file():
        raise UsageError([Problem("ce répertoire n'est pas un pack", str(options.pack), todo="Le nommer par --pack.")])
    kinds = " ".join(kind.name for kind in describe.kinds())
    article = options.article.replace("\\", "").replace('"', "'")
    files = {
        options.pack / f"{name.lower()}.yaml": _template("rule.yaml", {"ID": name, "ARTICLE": article, "KINDS": kinds})
        for name in options.names
    }
    return files, f"Ensuite : la citation, le contrôle, les exemples, puis `quitus lint {options.pack}`."


def _dossiers(options: argparse.Namespace) -> tuple[Files, str]:
    from checker.base import dictionary
    from checker.facts import blank

    pack = _convention(options.rules, options.convention)
    if pack is None:
        raise UsageError("plusieurs conventions : en nommer une par --convention")
    known = dictionary.load(*pack.extensions)
    files = {
        Path(name) / "dossier.yaml": blank.manifest(known, pack.id, Path(name).resolve().name) for name in options.names
    }
    return files, f"Ensuite : remplir ce qui est connu, puis `quitus check {options.names[0]}`."


def _settings(options: argparse.Namespace) -> tuple[Files, str]:
    from checker.packs import describe

    pack = _convention(options.rules, options.convention)
    lines = describe.to_give(pack) if pack is not None else ['nom: {valeur: null, source: ""}']
    text = _template("quitus.yaml", {"PARAMETERS": "\n".join(f"#   {line}" for line in lines)})
    return {Path(name): text for name in options.names}, "Ensuite : `quitus check DOSSIER` le trouve en remontant."


def _convention(rules: Path | None, name: str | None) -> Pack | None:
    """The pack of that name; without a name the only one that dossiers may name, else None."""
    from checker import packs
    from checker.base import home
    from checker.packs import describe

    folder = rules or home.rules()
    if name is not None:
        return packs.load(folder, name)
    found = describe.conventions([packs.load(folder, each) for each in packs.names(folder)])
    return found[0] if len(found) == 1 else None
