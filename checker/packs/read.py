"""A pack's folder read: identity, parameters, persons, tables, rules; all faults at once (ConfigurationError)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from checker.base import values, yamlfile
from checker.base.plugs import nearest
from checker.base.yamlfile import Document, Key
from checker.errors import ConfigurationError, Problem
from checker.model import (
    ACTORS,
    SEVERITIES,
    SOURCES,
    STAGES,
    Clause,
    Example,
    Outcome,
    Pack,
    Parameter,
    Person,
    Place,
    Remedy,
    Rule,
)
from checker.model.frozen import replace
from checker.packs import kept
from checker.packs.dated import dated_value, day, person

ENGINE = Path(__file__).parent / "moteur.yaml"
_PACK_KEYS = "id title version text imports parametres personnes tables units defects reference report".split()
_RULE_KEYS = (
    "id title clause source stage severity automation scope at for_each when let demands check messages remedy "
    "examples in_force note"
).split()
_EXAMPLE_KEYS = "title given settings others on expect".split()
_AUTOMATION = ("complete", "partielle", "humaine")


def names(folder: Path) -> tuple[str, ...]:
    """The packs of a folder (a pack's own folder is one)."""
    if (folder / "pack.yaml").is_file():
        return (folder.name,)
    return tuple(sorted(path.parent.name for path in folder.glob("*/pack.yaml")))


def load(folder: Path, name: str) -> Pack:
    """The pack of that name below a folder of packs, with its imports (ConfigurationError with every fault)."""
    return _Reader(folder).pack(name, ())


def ready(folder: Path, name: str) -> Pack:
    """The same without the examples, from the cache when no file that it was read from has changed."""
    found = kept.get(folder, name)
    if found is None:
        reader = _Reader(folder)
        found = kept.bare(reader.pack(name, ()))
        kept.put(folder, name, found, reader.inputs)
    return replace(found, sources=kept.Late(lambda: load(folder, name).sources))


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder.parent if (folder / "pack.yaml").is_file() else folder
        self.problems: list[Problem] = []
        self.sources: dict[str, Document] = {}
        self.inputs: dict[str, str] = {}  # what was read: see `kept`

    def pack(self, name: str, above: tuple[str, ...]) -> Pack:
        home = self.folder / name
        if name in above:
            raise ConfigurationError(f"le pack « {name} » s'importe lui-même")
        if not (home / "pack.yaml").is_file():
            close = nearest(name, list(names(self.folder)))
            raise ConfigurationError(f"pack inconnu : « {name} »" + (f" ; « {close} » ?" if close else ""))
        digest = hashlib.sha256()
        document = self.document(home / "pack.yaml", f"{name}/pack.yaml", digest)
        data = document.data if isinstance(document.data, dict) else {}
        self.keys(document, data, (), _PACK_KEYS, ("id", "title", "version"))
        imported = [self.pack(str(other), (*above, name)) for other in data.get("imports", [])]
        for item in imported:
            digest.update(item.sha256.encode())
        text = ""
        if data.get("text"):
            path = home / str(data["text"])
            said = self.file(path)
            text = said.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
            if not text:
                self.problems.append(document.problem(f"texte introuvable : « {data['text']} »", ("text",)))
            digest.update(text.encode())
        rules: list[Rule] = []
        listed = sorted(home.glob("*.yaml"))
        self.inputs[f"{kept.LISTED}{home}"] = kept.names_of(listed)
        for path in listed:
            if path.name != "pack.yaml":
                rules += self.rules(path, f"{name}/{path.name}", digest)
        if not above:
            rules += self.rules(ENGINE, "moteur/moteur.yaml", digest)
        for item in imported:
            rules += item.rules
        self.unique(rules)
        extension = home / "dossier.schema.json"
        extended = extension.is_file()
        digest.update(self.file(extension))
        parameters: dict[str, Parameter] = {}
        persons: list[Person] = []
        tables: dict[str, tuple[Mapping[str, Any], ...]] = {}
        for item in imported:
            parameters.update(item.parameters)
            persons += item.persons
            tables.update(item.tables)
        parameters.update(self.parameters(document, data))
        persons += [
            found
            for index, entry in enumerate(data.get("personnes", []))
            if (found := person(document, entry, ("personnes", index), self.problems)) is not None
        ]
        for key, lines in (data.get("tables") or {}).items():
            tables[key] = (*tables.get(key, ()), *lines)
        if self.problems and not above:
            raise ConfigurationError(self.problems)
        beside = home / str(data.get("reference", "reference")) / "dossier.yaml"
        self.inputs[f"{kept.REAL}{beside}"] = kept.real(beside)
        reference = beside.resolve()
        return Pack(
            id=str(data.get("id", name)),
            title=str(data.get("title", "")),
            version=str(data.get("version", "")),
            sha256=digest.hexdigest(),
            folder=home.resolve(),
            text=text,
            rules=tuple(rules),
            parameters=parameters,
            persons=tuple(persons),
            tables=tables,
            units=tuple(data.get("units", [])),
            defects=tuple(data.get("defects", [])),
            report=data.get("report") or next((item.report for item in imported if item.report), {}),
            reference=reference if reference.is_file() else None,
            examples_of=("moteur", name, *(item.folder.name for item in imported if item.reference == reference)),
            extensions=(
                *(path for item in imported for path in item.extensions),
                *((extension,) if extended else ()),
            ),
            sources=self.sources,
        )

    def file(self, path: Path) -> bytes:
        """What a file of the pack holds; nothing when it is not there."""
        found = path.read_bytes() if path.is_file() else b""
        self.inputs[f"{kept.FILE}{path}"] = kept.digest(found) if found else ""
        return found

    def document(self, path: Path, shown: str, digest: Any) -> Document:
        try:
            found = yamlfile.load(path, shown)
        except yamlfile.YamlError as error:
            self.problems += error.problems
            found = Document({}, {}, shown, "")
        self.inputs[f"{kept.TEXT}{path}"] = kept.digest(found.text.encode())
        digest.update(shown.encode() + b"\0" + found.text.encode() + b"\0")
        self.sources[shown] = found
        return found

    def keys(self, document: Document, data: Any, path: Key, known: Sequence[str], needed: Sequence[str]) -> bool:
        if not isinstance(data, dict):
            self.problems.append(document.problem("un objet est attendu", path))
            return False
        for key in data:
            if key not in known:
                close = nearest(key, list(known))
                todo = f"Écrire « {close} » ?" if close else "Connues : " + ", ".join(known)
                self.problems.append(document.problem(f"clé inconnue : « {key} »", (*path, key), todo=todo))
        for key in needed:
            if data.get(key) in (None, ""):
                self.problems.append(document.problem(f"la clé « {key} » manque", path))
        return all(data.get(key) not in (None, "") for key in needed)

    def unique(self, rules: list[Rule]) -> None:
        seen: dict[str, Rule] = {}
        for rule in rules:
            if rule.id in seen and seen[rule.id].place != rule.place:
                document = self.sources[rule.place.file]
                self.problems.append(
                    document.problem(
                        f"deux règles « {rule.id} »", rule.key, why=f"La première est dans {seen[rule.id].place.file}."
                    )
                )
            seen[rule.id] = rule

    def rules(self, path: Path, shown: str, digest: Any) -> list[Rule]:
        document = self.document(path, shown, digest)
        data = document.data
        whole: Key = ()
        entries: list[tuple[Any, Key]]
        if isinstance(data, dict) and "rules" in data:
            self.keys(document, data, (), ("defaults", "rules"), ())
            defaults = data.get("defaults") or {}
            entries = [
                ({**defaults, **item} if isinstance(item, dict) else item, ("rules", index))
                for index, item in enumerate(data["rules"] or [])
            ]
        else:
            entries = [(data, whole)]
        return [rule for item, key in entries if (rule := self.rule(document, item, key)) is not None]

    def rule(self, document: Document, data: Any, key: Key) -> Rule | None:
        before = len(self.problems)
        if not self.keys(document, data, key, _RULE_KEYS, ("id", "title", "clause", "source", "stage", "severity")):
            return None
        for name, known in (
            ("source", SOURCES),
            ("stage", STAGES),
            ("severity", SEVERITIES),
            ("automation", _AUTOMATION),
        ):
            if data.get(name, known[0]) not in known:
                what = f"« {data[name]} » n'est pas une valeur de {name}"
                self.problems.append(document.problem(what, (*key, name), todo="Connues : " + ", ".join(known)))
        if "check" not in data and not data.get("demands"):
            self.problems.append(document.problem("la règle n'a ni `check` ni `demands`", key))
        clause = data["clause"] if isinstance(data["clause"], dict) else {}
        self.keys(document, clause, (*key, "clause"), ("article", "quote", "line", "quotes"), ("article", "quote"))
        line, column = document.places.get(key, (1, 1))
        place = Place(document.shown, line, column)
        examples = tuple(
            item
            for index, entry in enumerate(data.get("examples", []))
            if (item := self.example(document, entry, (*key, "examples", index)))
        )
        remedy = data.get("remedy")
        if (
            remedy is not None
            and self.keys(document, remedy, (*key, "remedy"), ("to", "text"), ("to", "text"))
            and remedy["to"] not in ACTORS
        ):
            self.problems.append(
                document.problem(
                    f"acteur inconnu : « {remedy['to']} »",
                    (*key, "remedy", "to"),
                    todo="Connus : " + ", ".join(ACTORS),
                )
            )
        if len(self.problems) > before:
            return None
        return Rule(
            id=str(data["id"]),
            title=str(data["title"]),
            clause=Clause(str(clause["article"]), str(clause["quote"]), clause.get("line")),
            source=data["source"],
            stage=data["stage"],
            severity=data["severity"],
            automation=data.get("automation", "complete"),
            scope=data.get("scope", "dossier"),
            body={
                name: value
                for name, value in data.items()
                if name in ("at", "for_each", "when", "let", "demands", "check", "messages", "remedy", "in_force")
            }
            | {"quotes": clause.get("quotes", [])},
            examples=examples,
            remedy=Remedy(remedy["to"], remedy["text"]) if remedy else None,
            note=str(data.get("note", "")),
            place=place,
            key=key,
        )

    def example(self, document: Document, data: Any, key: Key) -> Example | None:
        if not self.keys(document, data, key, _EXAMPLE_KEYS, ("title", "expect")):
            return None
        words = {outcome.word: outcome for outcome in Outcome}
        if data["expect"] not in words:
            self.problems.append(
                document.problem(
                    f"résultat inconnu : « {data['expect']} »", (*key, "expect"), todo="Connus : " + ", ".join(words)
                )
            )
            return None
        on = day(document, data.get("on"), (*key, "on"), self.problems)
        line, column = document.places.get(key, (1, 1))
        return Example(
            title=str(data["title"]),
            expect=words[data["expect"]],
            given=data.get("given") or {},
            settings=data.get("settings") or {},
            others=tuple(data.get("others") or ()),
            on=on,
            place=Place(document.shown, line, column),
        )

    def parameters(self, document: Document, data: Mapping[str, Any]) -> dict[str, Parameter]:
        found: dict[str, Parameter] = {}
        for name, entry in (data.get("parametres") or {}).items():
            path = ("parametres", name)
            keys = (
                "type",
                "liste",
                "titre",
                "valeur",
                "valeurs",
                "source",
                "pas_avant",
                "pas_apres",
                "du",
                "au",
                "quote",
                "line",
            )
            if not self.keys(document, entry, path, keys, ("type",)):
                continue
            if entry["type"] not in values.TYPES:
                self.problems.append(document.problem(f"type inconnu : « {entry['type']} »", (*path, "type")))
                continue
            many = bool(entry.get("liste"))
            entries = entry.get("valeurs") or [entry]
            dated = [dated_value(document, item, entry["type"], many, path, self.problems) for item in entries]
            found[name] = Parameter(
                name, entry["type"], many, str(entry.get("titre", name)), tuple(item for item in dated if item)
            )
        return found
