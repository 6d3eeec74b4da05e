"""The settings laid over a pack: parameters, persons, amendments. An amendment is one more dated value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from checker.base import values, yamlfile
from checker.base.plugs import nearest
from checker.base.yamlfile import Document, Key
from checker.errors import ConfigurationError, Problem
from checker.model import Amendment, DatedValue, Pack, Parameter, Person, Settings
from checker.model.frozen import replace
from checker.packs.dated import dated_value, day, person

FIRST = "premier_etat_liquidatif"


Elsewhere = Callable[[str], bool]


def _nowhere(name: str) -> bool:
    del name
    return False


def overlay(pack: Pack, settings: Settings, elsewhere: Elsewhere = _nowhere) -> Pack:
    """The pack as this organisation applies it (ConfigurationError with every fault).

    `elsewhere`: whether another pack has a parameter of that name; then it is not this one's matter.
    """
    if not settings.data:
        return pack
    document: Document = settings.data["__document__"]
    problems: list[Problem] = []
    parameters = _parameters(pack, settings, document, problems, elsewhere)
    persons = list(pack.persons)
    for index, entry in enumerate(settings.data.get("personnes") or []):
        found = person(document, entry, ("personnes", index), problems)
        if found is not None:
            persons = [item for item in persons if _key(item) != _key(found)] + [found]
    folder = settings.path.parent if settings.path else Path()
    parties = tuple(str(row["cle"]) for row in pack.tables.get("parties", ()) if "cle" in row)
    declared = [
        item
        for index, entry in enumerate(settings.data.get("avenants") or [])
        if (item := _amendment(document, entry, index, folder, parties, problems))
    ]
    declared = [item for item in declared if _concerns(item[0], parameters, elsewhere)]
    for amendment, source, path in declared:
        _amend(parameters, amendment, source, path, problems)
    if problems:
        raise ConfigurationError(problems)
    return replace(
        pack, parameters=parameters, persons=tuple(persons), amendments=tuple(item for item, _, _ in declared)
    )


def _key(item: Person) -> tuple[str, str, str]:
    return values.person(item.name), values.organisation(item.direction), item.role


def _parameters(
    pack: Pack, settings: Settings, document: Document, problems: list[Problem], elsewhere: Elsewhere
) -> dict[str, Parameter]:
    parameters = dict(pack.parameters)
    for name, entry in (settings.data.get("parametres") or {}).items():
        known = parameters.get(name)
        path = ("parametres", name)
        if known is None:
            if elsewhere(name):
                continue
            close = nearest(name, list(parameters))
            problems.append(
                document.problem(f"paramètre inconnu : « {name} »", path, todo=f"Écrire « {close} » ?" if close else "")
            )
            continue
        entries = entry if isinstance(entry, list) else [entry]
        if not all(isinstance(item, Mapping) for item in entries):
            problems.append(document.problem("un paramètre a `valeur` et `source`", path))
            continue
        for item in entries:
            for key in item:
                if key not in ("valeur", "source", "du", "au"):
                    problems.append(
                        document.problem(
                            f"clé inconnue : « {key} »", (*path, key), todo="Connues : valeur, source, du, au"
                        )
                    )
        if all(item.get("valeur") is None for item in entries):
            continue
        dated = [dated_value(document, item, known.type, known.many, path, problems) for item in entries]
        kept = [_bounded(item, known) for item in dated if item]
        parameters[name] = replace(known, values=tuple(kept))
    first = settings.data.get(FIRST)
    if first not in (None, "") and FIRST in parameters:
        parameters[FIRST] = replace(
            parameters[FIRST], values=(DatedValue(values.reference(str(first)), source="quitus.yaml"),)
        )
    return parameters


def _bounded(item: DatedValue, known: Parameter) -> DatedValue:
    """A blank value keeps the pack's bounds: what they refute stays refuted."""
    if item.value is not None or not item.blank or not known.values:
        return item
    return replace(item, not_before=known.values[0].not_before, not_after=known.values[0].not_after)


def _amendment(
    document: Document, entry: Any, index: int, folder: Path, parties: tuple[str, ...], problems: list[Problem]
) -> tuple[Amendment, Document, Key] | None:
    path: Key = ("avenants", index)
    sha256 = ""
    if isinstance(entry, str):
        target = folder / entry
        if not target.is_file():
            problems.append(document.problem(f"avenant introuvable : « {entry} »", path))
            return None
        try:
            document = yamlfile.load(target, entry)
        except yamlfile.YamlError as error:
            problems += error.problems
            return None
        sha256 = hashlib.sha256(target.read_bytes()).hexdigest()
        entry, path = document.data, ()
    keys = ("avenant", "date_effet", "signatures", "deliberation", "fichier", "texte", "modifie")
    if not isinstance(entry, Mapping) or any(key not in keys for key in entry):
        odd = next((key for key in entry if key not in keys), "") if isinstance(entry, Mapping) else ""
        problems.append(
            document.problem(
                f"avenant mal formé : « {odd} »", (*path, odd) if odd else path, todo="Connues : " + ", ".join(keys)
            )
        )
        return None
    signatures = entry.get("signatures") or {}
    changes = []
    for number, change in enumerate(entry.get("modifie") or []):
        where = (*path, "modifie", number)
        if not isinstance(change, Mapping) or "parametre" not in change or "valeur" not in change:
            problems.append(document.problem("une modification a `parametre`, `valeur` et `quote`", where))
            continue
        if change.get("quote") and str(change["quote"]) not in str(entry.get("texte") or ""):
            problems.append(
                document.problem(
                    f"la citation « {change['quote']} » n'est pas dans le texte de l'avenant", (*where, "quote")
                )
            )
        changes.append((str(change["parametre"]), change["valeur"]))
    found = Amendment(
        file=str(entry.get("fichier") or f"avenant {entry.get('avenant', index + 1)}"),
        effect=day(document, entry.get("date_effet"), (*path, "date_effet"), problems),
        signatures={
            party: day(document, signatures.get(party), (*path, "signatures", party), problems)
            for party in dict.fromkeys([*parties, *signatures])
        },
        deliberation=day(document, entry.get("deliberation"), (*path, "deliberation"), problems),
        text=str(entry.get("texte") or ""),
        changes=tuple(changes),
        sha256=sha256,
    )
    return found, document, path


def _concerns(item: Amendment, parameters: Mapping[str, Parameter], elsewhere: Elsewhere) -> bool:
    """Whether an amendment is one of this pack: not when all that it changes is another pack's."""
    names = [name for name, _ in item.changes]
    return not names or not all(name not in parameters and elsewhere(name) for name in names)


def _amend(
    parameters: dict[str, Parameter], item: Amendment, document: Document, path: Key, problems: list[Problem]
) -> None:
    for index, (name, raw) in enumerate(item.changes):
        known = parameters.get(name)
        where = (*path, "modifie", index)
        if known is None:
            close = nearest(name, list(parameters))
            what = f"l'avenant modifie un paramètre inconnu : « {name} »"
            todo = f"Écrire « {close} » ?" if close else ""
            problems.append(document.problem(what, (*where, "parametre"), todo=todo))
            continue
        if item.applies_from is None:
            continue
        entry = {"valeur": raw, "du": item.applies_from.isoformat(), "source": item.file}
        value = dated_value(document, entry, known.type, known.many, where, problems)
        if value is not None:
            ordered = sorted([*known.values, value], key=lambda dated: dated.start.toordinal() if dated.start else 0)
            parameters[name] = replace(known, values=tuple(ordered))
