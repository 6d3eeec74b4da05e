"""Montre les règles, une règle, un genre de contrôle, ou le calcul d'une règle sur un dossier.

Avec --all, toutes les règles en entier ; en html, le texte signé phrase par phrase, chacune avec ses règles.

Exemples :
  quitus explain
  quitus explain A4-PLAFOND --on 2020-02-01
  quitus explain A4-PLAFOND --dossier mon-dossier
  quitus explain at_most
  quitus explain --all --format html --output recueil.html
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.errors import Problem, UsageError

if TYPE_CHECKING:
    from checker.model import Pack, Rule
    from checker.plans.describe import Kind

HELP = "montrer les règles, une règle, ou son calcul"
WIDTH = 100
_LABEL = 16


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("targets", nargs="*", metavar="REGLE|PACK|GENRE", help="rien : la liste des règles")
    parser.add_argument("--on", metavar="DATE", help="les paramètres à cette date AAAA-MM-JJ (à défaut aujourd'hui)")
    parser.add_argument("--dossier", metavar="CHEMIN", type=Path, help="le calcul de la règle sur ce dossier")
    parser.add_argument("--settings", metavar="FICHIER", type=Path, help="réglages posés sur la convention")
    parser.add_argument("--rules", metavar="REPERTOIRE", type=Path, help="répertoire de packs (à défaut ceux livrés)")
    parser.add_argument("--all", action="store_true", help="toutes les règles, en entier")
    parser.add_argument(
        "--format", choices=("text", "html"), default="text", help="avec --all : text (par défaut), html (le recueil)"
    )
    parser.add_argument("--lang", choices=("fr", "en"), default="fr", help="langue du recueil html")
    parser.add_argument("--output", metavar="FICHIER", type=Path, help="avec --all : écrire là plutôt qu'à l'écran")


def run(options: argparse.Namespace) -> int:
    """0; UsageError (64) for a rule, a pack or a kind that does not exist."""
    from checker import pipeline
    from checker.base import home

    day = _day(options.on)
    folders = [Path(item) for item in options.targets if Path(item).is_dir()]
    words = [item for item in options.targets if not Path(item).is_dir()]
    _agree(options, words)
    roots = folders or [options.rules or home.rules()]
    packs = _packs(roots, options.settings if options.dossier is None else None)
    if options.all:
        _write(options.output, _all(packs, options, day or pipeline.today()), roots)
        return 0
    if options.dossier is not None:
        if not words:
            raise UsageError("--dossier va avec une règle : `quitus explain REGLE --dossier CHEMIN`")
        for word in words:
            _known(word, packs, ())
        lines = list(_computation(words, packs, options, day))
    elif words:
        lines = [line for word in words for line in _page(word, packs, day or pipeline.today())]
    else:
        lines = list(_list(packs))
    print("\n".join(lines))
    return 0


def _day(text: str | None) -> dt.date | None:
    from checker.base import values

    try:
        return None if text is None else values.date(text)
    except values.Refused as error:
        raise UsageError(f"--on {text} : {error}") from None


def _packs(folders: Sequence[Path], settings: Path | None) -> list[Pack]:
    """The packs of these folders, under the settings if any, those that no other imports first."""
    from checker import packs
    from checker.packs import describe

    names = [(folder, name) for folder in folders for name in packs.names(folder)]
    if not names:
        raise UsageError([Problem("aucun pack de règles ici", str(folder)) for folder in folders])
    loaded = [packs.load(folder, name) for folder, name in names]
    if settings is not None:
        given, names_of = packs.read_settings([], settings), [pack.parameters for pack in loaded]
        loaded = [packs.overlay(pack, given, lambda name: any(name in known for known in names_of)) for pack in loaded]
    first = [pack.id for pack in describe.conventions(loaded)]
    return sorted(loaded, key=lambda pack: (pack.id not in first, pack.id))


def _agree(options: argparse.Namespace, words: Sequence[str]) -> None:
    """UsageError for options that do not go together."""
    if options.all and (words or options.dossier is not None):
        raise UsageError("--all montre toutes les règles : il ne va ni avec une règle, ni avec --dossier")
    if options.lang != "fr" and options.format != "html":
        raise UsageError(
            [Problem("--lang vaut pour le recueil html", todo="quitus explain --all --format html --lang en")]
        )
    if not options.all and (options.format != "text" or options.output is not None):
        raise UsageError([Problem("--format et --output vont avec --all", todo="quitus explain --all --format html")])


# All the rules


def _all(packs: Sequence[Pack], options: argparse.Namespace, day: dt.date) -> bytes:
    from checker import packs as room
    from checker.base.words import words
    from checker.reports import annotatedpage

    own = _own(packs)
    if options.format == "html":
        written = [(room.agreement(pack), rules) for pack, rules in own]
        notes = [(str(item["id"]), str(item["text"])) for pack, _ in own for item in pack.defects]
        return annotatedpage.rulebook(written, words(options.lang), notes)
    pages = [line for _, rules in own for rule in rules for line in _page(rule.id, packs, day)]
    return ("\n".join(pages) + "\n").encode()


def _own(packs: Sequence[Pack]) -> list[tuple[Pack, Sequence[Rule]]]:
    """Each convention with its rules and those that it imports; then a pack of which no convention shows every rule."""
    from checker.packs import describe

    first = describe.conventions(packs)
    seen = {(rule.place.file, rule.id) for pack in first for rule in pack.rules}
    rest = [
        (pack, [rule for rule in pack.rules if (rule.place.file, rule.id) not in seen])
        for pack in packs
        if pack not in first
    ]
    return [*((pack, pack.rules) for pack in first), *((pack, rules) for pack, rules in rest if rules)]


def _write(path: Path | None, data: bytes, roots: Sequence[Path]) -> None:
    """On the screen or in a file, never over one of the rules."""
    from checker.base import whole

    if path is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    target = path.resolve()
    if target.exists() and any(target.is_relative_to(root.resolve()) for root in roots):
        raise UsageError([Problem("un recueil ne remplace pas un fichier de règles", str(path))])
    whole.replace(path, data)


def _wrap(text: str, indent: int = 0, hang: int | None = None) -> list[str]:
    after = " " * (indent if hang is None else hang)
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=after, break_long_words=False) or [
        ""
    ]


def _labelled(label: str, text: str) -> list[str]:
    return _wrap(f"{label:{_LABEL - 1}} {text}", 0, _LABEL)


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield ""
        yield title
        yield from found


# The list


def _list(packs: Sequence[Pack]) -> Iterator[str]:
    from checker.plans import describe

    seen: set[str] = set()
    for pack in packs:
        own = [rule for rule in pack.rules if rule.id not in seen and rule.place.file.startswith(f"{pack.id}/")]
        seen |= {rule.id for rule in own}
        yield from _wrap(f"{pack.title} ({pack.id}, version {pack.version}) : {len(own)} règles")
        yield f"  {'règle':20} {'article':10} {'gravité':11} {'due à partir de':19} titre"
        for rule in sorted(own, key=lambda item: item.id):
            yield from _row(rule)
        yield ""
    names = ", ".join(kind.name for kind in describe.kinds())
    yield from _wrap(f"Genres de contrôle (`quitus explain GENRE`) : {names}", 0, 2)


def _row(rule: Rule) -> list[str]:
    from checker.base.words import words

    said = words("fr")
    article = rule.clause.article if len(rule.clause.article) <= 10 else rule.clause.article[:9] + "…"
    stage, severity = said[f"stage.{rule.stage}"], said[f"severity.{rule.severity}"]
    head = f"  {rule.id:20} {article:10} {severity:11} {stage:19} "
    room = WIDTH - len(head)
    title = textwrap.wrap(rule.title, room)
    return [head + title[0], *(" " * len(head) + line for line in title[1:])]


# A page


def _known(word: str, packs: Sequence[Pack], kinds: Sequence[Kind]) -> None:
    from checker.base.plugs import nearest

    ids = [rule.id for pack in packs for rule in pack.rules] + list(_ENGINE)
    names = [*ids, *(kind.name for kind in kinds)]
    if word in names:
        return
    close = nearest(word.upper(), ids) or nearest(word, names)
    todo = f"Écrire « {close} » ?" if close else "`quitus explain` les nomme."
    raise UsageError([Problem(f"règle inconnue : « {word} »", todo=todo)])


_ENGINE = ("DOSSIER-LISIBLE", "DEROGATION-VALIDE")


def _page(word: str, packs: Sequence[Pack], day: dt.date) -> Iterator[str]:
    from checker.base.words import words
    from checker.packs import describe as folders
    from checker.plans import describe

    kinds = describe.kinds()
    _known(word, packs, kinds)
    for kind in kinds:
        if kind.name == word:
            for depth, text in describe.page(kind):
                yield from [text] if not depth else [f"{'  ' * depth}{text}"] if "{" in text else _wrap(text, 2 * depth)
            yield ""
            return
    if word in _ENGINE:
        said = words("fr")
        yield f"{word} : {said[f'engine.{word}.title']}"
        yield from _wrap(f"« {said[f'engine.{word}.quote']} »", 2)
        return
    holders = [pack for pack in packs if any(rule.id == word for rule in pack.rules)]
    rule = next(rule for rule in holders[0].rules if rule.id == word)
    conventions = folders.conventions(holders)
    yield from _rule(rule)
    for pack in conventions:
        shown = f" ({pack.id})" if len(conventions) > 1 else ""
        yield from _section(f"Paramètres lus{shown}, au {day:%d/%m/%Y}", _parameters(rule, pack, day))
    yield from _duty(rule)
    yield ""


def _rule(rule: Rule) -> Iterator[str]:
    from checker.base.words import words

    said = words("fr")
    yield from _wrap(f"{rule.id} : {rule.title}")
    yield f"  {rule.place.file}:{rule.place.line}"
    yield ""
    yield from _labelled("Clause", f"article {rule.clause.article} ({said[f'source.{rule.source}']})")
    for quote in (rule.clause.quote, *(str(item.get("quote", "")) for item in rule.body.get("quotes", []))):
        yield from _wrap(f"« {quote} »", _LABEL)
    yield from _labelled("Gravité", said[f"severity.{rule.severity}"])
    yield from _labelled("Due à partir de", said[f"stage.{rule.stage}"])
    yield from _labelled("Automatisation", rule.automation)
    span = rule.body.get("in_force") or {}
    bounds = [f"{word} {span[key]}" for key, word in (("from", "du"), ("to", "au")) if span.get(key)]
    for label, text in (
        ("Note", rule.note),
        ("Pour chaque", rule.body.get("for_each")),
        ("Si", rule.body.get("when")),
        ("Lue au", rule.body.get("at")),
        ("En vigueur", " ".join(bounds)),
    ):
        if text:
            yield from _labelled(label, str(text))


def _duty(rule: Rule) -> Iterator[str]:
    from checker.base.words import words
    from checker.plans import describe

    said, body = words("fr"), rule.body
    named = (
        line
        for name, value in (body.get("let") or {}).items()
        for line in _wrap(f"{name} = {describe.flat(value)}", 2, 4)
    )
    yield from _section("Valeurs nommées", named)
    demands = [line for name in body.get("demands", []) for line in _wrap(f"{name} est indiqué", 2)]
    check = [
        line
        for depth, text in describe.lines(body.get("check"), 0)
        for line in _wrap(text, 2 + 4 * depth, 6 + 4 * depth)
    ]
    yield from _section("Contrôle", [*demands, *check])
    messages = body.get("messages") or {}
    yield from _section(
        "Messages", (line for key, text in messages.items() for line in _labelled(f"  {said[f'outcome.{key}']}", text))
    )
    if rule.remedy is not None:
        yield from _section("À faire", _labelled(f"  {said[f'actor.{rule.remedy.to}']}", rule.remedy.text))
    examples = (
        line for item in rule.examples for line in _labelled(f"  {said[f'outcome.{item.expect.word}']}", item.title)
    )
    yield from _section("Exemples", examples)


# Parameters


def _parameters(rule: Rule, pack: Pack, day: dt.date | None) -> Iterator[str]:
    """Each parameter that the rule reads: its value on that day, or all its values when there are several."""
    from checker.packs import describe

    for name in describe.parameters(rule, pack):
        found = pack.parameters[name]
        chosen = describe.at(found, day) if day is not None else None
        yield from _wrap(f"${name} : {found.title}", 2, 4)
        if len(found.values) < 2:
            yield from _wrap(describe.said(found, found.values[0] if found.values else None), 6, 8)
            continue
        for item in found.values:
            yield from _wrap(f"{'→' if item is chosen else ' '} {describe.said(found, item)}", 4, 8)


# The computation of a dossier


def _computation(
    words: Sequence[str], packs: Sequence[Pack], options: argparse.Namespace, on: dt.date | None
) -> Iterator[str]:
    from checker import packs as room
    from checker import pipeline
    from checker.reports import trace

    asked = pipeline.Options(paths=(options.dossier,), on=on, settings=options.settings, rules=options.rules)
    verdicts = pipeline.check(asked)
    settings = (
        room.read_settings([], _settings_path(verdicts.settings, options.settings)) if verdicts.settings else None
    )
    by_id = {pack.id: pack for pack in packs}
    for verdict in verdicts.dossiers:
        yield f"Dossier {verdict.reference or '?'} ({verdict.path})"
        for result in verdict.results:
            if result.rule not in words:
                continue
            yield ""
            yield from _wrap(f"{result.rule} : {result.title}")
            for label, text in trace.result(result):
                yield from _labelled(label, text)
            pack = by_id.get(verdict.pack["id"])
            rule = next((item for item in pack.rules if item.id == result.rule), None) if pack else None
            if pack is not None and rule is not None:
                laid = room.overlay(pack, settings) if settings else pack
                day = None if rule.body.get("at") else verdict.control_date
                at = f", lus au jour de {rule.body['at']}" if rule.body.get("at") else ""
                yield from _section(f"Paramètres{at}", _parameters(rule, laid, day))
        yield ""


def _settings_path(found: Mapping[str, str], chosen: Path | None) -> Path:
    return chosen or Path(found["path"])
