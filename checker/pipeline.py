"""The corridor: the only module that knows the order of the rooms. Doors: `check`, `examples`."""

from __future__ import annotations

import datetime as dt
import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker import __version__, dossiers, facts, findings, packs, plans, tables, verdicts
from checker.base import clock, home, values
from checker.base import dictionary as dictionaries
from checker.base.dictionary import ROOT, Dictionary
from checker.base.frames import Frames
from checker.base.tree import Plan
from checker.base.words import words
from checker.errors import ConfigurationError, NothingToCheck, Problem, UsageError
from checker.model import Dossier, DossierVerdict, Pack, Partial, Settings, Submitted, Verdicts
from checker.model.frozen import frozen

if TYPE_CHECKING:
    from checker.proposals import Proposal
    from checker.proposals.filled import Filled

Progress = Callable[[str, int, int], None]


@frozen
class Options:
    """What a run is asked. `on`: the control date for all; `today`: the clock, read once."""

    paths: tuple[Path, ...]
    on: dt.date | None = None
    stage: str | None = None
    settings: Path | None = None
    rules: Path | None = None
    engine: str = "auto"
    fail_on: str = ""
    today: dt.date | None = None
    manifest: Path | None = None  # of the only path, when it stands elsewhere
    ocr: bool = False  # read scans too
    drawn: bool = False  # with what a report draws and cites: figures, agreements, letterhead
    private: bool = False  # with the names of persons, to be masked
    lang: str = "fr"  # of the program's own sentences; those of the rules stay as they are
    roots: Path | None = None  # a folder of trusted certificates, beside those of the settings
    jobs: int = 0  # processes that read; 0: as many as there are cores, one for few dossiers
    keep: bool = True  # facts between runs, where there is a cache
    since: str | None = None  # a revision: the verdicts of what changed since only


@frozen
class Group:
    """The dossiers of a run under one convention."""

    pack: Pack
    dictionary: Dictionary
    plans: tuple[Plan, ...]
    frames: Frames


def today() -> dt.date:
    """The day in Paris; SOURCE_DATE_EPOCH fixes it."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = dt.datetime.fromtimestamp(int(epoch), dt.UTC) if epoch.isdigit() else dt.datetime.now(dt.UTC)
    if now.hour < 22:  # Paris is never more than two hours ahead, nor behind
        return now.date()
    from zoneinfo import ZoneInfo

    return now.astimezone(ZoneInfo("Europe/Paris")).date()


def _quiet(step: str, done: int, total: int) -> None:
    del step, done, total


def read(
    options: Options, progress: Progress = _quiet, held: Sequence[Dossier] | None = None
) -> tuple[list[Submitted], Settings, dict[str, tuple[Pack, Dictionary]]]:
    """The facts of every dossier, the settings, and the packs that the dossiers may name. `held`: of these only."""
    if (engine_ := options.engine.partition("@")[0]) not in findings.engine_names():
        raise UsageError(f"moteur inconnu : « {engine_} » (connus : {', '.join(findings.engine_names())})")
    found = list(held) if held is not None else dossiers.find(options.paths, options.manifest)
    settings = packs.read_settings([item.folder for item in found], options.settings)
    ocr = options.ocr or settings.data.get("ocr") is True
    asked = facts.Asked(settings.limits, facts.trusted(_roots(options, settings)), ocr)
    folder = options.rules or home.rules()
    known = packs.names(folder)
    if not known:
        raise ConfigurationError(f"aucun pack de règles dans « {folder} »")
    loaded: dict[str, tuple[Pack, Dictionary]] = {}
    submitted: list[Submitted] = []
    elsewhere = functools.cache(lambda name: any(name in packs.ready(folder, other).parameters for other in known))
    day = options.today or today()
    plain = dictionaries.load()

    def dictionary(name: str | None) -> Dictionary:
        if name in known and name not in loaded:
            pack = packs.ready(folder, name)
            loaded[name] = (packs.overlay(pack, settings, elsewhere), dictionaries.load(*pack.extensions))
        return loaded[name][1] if name in loaded else plain

    def one(item: Dossier, names: set[str]) -> tuple[Submitted, str | None]:
        with dossiers.unpacked(item, settings.limits) as unpacked:
            opened = facts.open_manifest(unpacked)
            fields = dictionary(opened.convention)
            read = facts.read(opened, fields, known, options.on, day, options.stage, asked, names)
            return read, opened.convention

    kept = facts.Kept(asked, known, options.on, day, options.stage, dictionary) if options.keep else None
    try:
        with clock.of("lecture", len(found)):
            for index, (item, name) in enumerate(facts.gather(found, one, kept, options.jobs)):
                progress("facts", index, len(found))
                dictionary(name)
                submitted.append(item)
    finally:
        facts.close()
    progress("facts", len(found), len(found))
    if not loaded:  # no readable dossier names a pack: the run still says so, under the first one
        for name in known:
            pack = packs.ready(folder, name)
            if pack.text or len(known) == 1:
                loaded[name] = (packs.overlay(pack, settings, elsewhere), dictionaries.load(*pack.extensions))
                break
    return submitted, settings, loaded


def _roots(options: Options, settings: Settings) -> list[Path]:
    """The folders of trusted certificates: those of the settings, relative to their file, then --roots."""
    above = settings.path.parent if settings.path else Path()
    listed = [above / str(name) for name in settings.data.get("racines") or []]
    return [*listed, *([options.roots] if options.roots else [])]


def groups(
    submitted: Sequence[Submitted], loaded: dict[str, tuple[Pack, Dictionary]], compiled: bool = True
) -> list[Group]:
    """One group a convention. A dossier that cannot be read may be of any: it stands in each, shown once."""
    found: list[Group] = []
    for name, (pack, dictionary) in sorted(loaded.items()):
        own = [item for item in submitted if pack_of(item, loaded) in (name, None)]
        if own:
            with clock.of("tables", len(own)):
                frames = tables.build(own, dictionary)
            found.append(Group(pack, dictionary, plans.ready(pack, dictionary) if compiled else (), frames))
    return found


def pack_of(item: Submitted, loaded: dict[str, tuple[Pack, Dictionary]]) -> str | None:
    """The convention of a dossier, when it names one that the run has loaded."""
    value = item.rows.tables[ROOT][0].get("convention")
    word = (value.raw or "").strip() if value is not None else ""
    return word if word in loaded else None


def check(options: Options, progress: Progress = _quiet) -> Verdicts:
    """The verdicts of a run. Errors: UsageError 64, ConfigurationError 65, NothingToCheck 66.

    With `since`: of the dossiers that changed, judged among all the others.
    """
    found = None
    if options.since is not None:
        from checker.dossiers import changed as changes

        found = changes.since(options.paths, options.since)
    submitted, settings, loaded = read(options, progress)
    day = options.today or today()
    decided: dict[str, DossierVerdict] = {}
    used: list[Pack] = []
    for group in groups(submitted, loaded):
        progress("findings", 0, len(group.plans))
        alone = len(submitted) == 1
        with clock.of("constats", len(group.plans)):
            evaluated, _ = findings.evaluate(group.plans, group.frames, options.engine, alone, options.lang)
        for verdict in verdicts.decide(
            group.pack, settings, group.frames, evaluated, day, options.drawn, options.private, options.lang
        ):
            decided.setdefault(verdict.path, verdict)
        used.append(group.pack)
    ordered = tuple(decided[item.dossier.shown] for item in submitted)
    notes = _notes(settings, ordered, used, options.lang)
    if found is not None and not any(found.below(path) for path in _governing(options, settings)):
        ordered = tuple(decided[item.dossier.shown] for item in submitted if found.dossier(item.dossier))
    return Verdicts(
        version=__version__,
        packs=tuple(
            {"id": pack.id, "title": pack.title, "version": pack.version, "sha256": pack.sha256} for pack in used
        ),
        settings={"path": _shown(settings.path), "sha256": settings.sha256} if settings.path else None,
        decision=_worst(ordered),
        dossiers=ordered,
        unused=(*notes, *_doubts(options, settings)),
        notes=tuple((str(item["id"]), str(item["text"])) for pack in used for item in pack.defects),
        fail_on=options.fail_on,
        agreements=tuple(packs.agreement(pack) for pack in used) if options.drawn else (),
        letterhead=settings.letterhead if options.drawn else None,
        partial=Partial(options.since or "", len(ordered), len(submitted)) if len(ordered) < len(submitted) else None,
    )


def _governing(options: Options, settings: Settings) -> list[Path]:
    """What governs every dossier: when it changes, all have."""
    return [options.rules or home.rules(), *([settings.path] if settings.path else []), *_roots(options, settings)]


def _shown(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return path.as_posix()


def _worst(found: Sequence[DossierVerdict]) -> str:
    for decision in ("non_conforme", "indetermine", "conforme_avec_reserves"):
        if any(verdict.decision == decision for verdict in found):
            return decision
    return "conforme"


def _doubts(options: Options, settings: Settings) -> tuple[str, ...]:
    """What the folders of trusted certificates hold and cannot be used, as sentences."""
    faults = facts.trusted(_roots(options, settings)).faults
    return tuple(f"{fault.place.file} : {fault.what}. {fault.todo}" for fault in faults)


def _notes(settings: Settings, found: Sequence[DossierVerdict], used: Sequence[Pack], lang: str) -> tuple[str, ...]:
    """Amendments of the run and waivers that served nothing, as sentences."""
    table = words(lang)
    said = []
    for pack in used:
        for item in pack.amendments:
            key = "run.amendment" if item.applies_from else "run.amendment_void"
            said.append(table[key].format(file=item.file, start=values.show(item.applies_from) or ""))
    said += [
        table["run.waiver_unused"].format(rule=item.rule, dossier=item.dossier)
        for item in verdicts.unused(settings, found)
    ]
    return tuple(dict.fromkeys(said))


def until(options: Options, step: str) -> Any:
    """What a run holds at that arrow (facts, tables, plans or findings), as plain data."""
    from checker.reports import steps

    submitted, _, loaded = read(options)
    if step == "facts":
        return {item.dossier.shown: steps.of_facts(item) for item in submitted}
    found = groups(submitted, loaded, compiled=step in ("plans", "findings"))
    if step == "tables":
        return {group.pack.id: steps.of_tables(group.frames) for group in found}
    if step == "plans":
        return {
            group.pack.id: {plan.rule: [str(part) for part in plan.parts] for plan in group.plans} for group in found
        }
    said = {group.pack.id: (findings.evaluate(group.plans, group.frames, options.engine), group) for group in found}
    return {name: steps.of_findings(*evaluated, group.frames) for name, (evaluated, group) in said.items()}


def engine(name: str, master: str | None) -> str:
    """An engine and where it runs, as `Options.engine` names them; UsageError (64): it runs nowhere else than here."""
    if master is None:
        return name
    if name not in ("spark", "postgresql"):
        raise UsageError(f"--master ne va qu'avec --engine spark ou postgresql, pas avec « {name} »")
    return f"{name}@{master}"


def propose(
    path: Path, target: Path, earlier: str | None = None, convention: str | None = None, rules: Path | None = None
) -> Proposal:
    """A proposed manifest of a raw folder or archive, to be written at `target` (`earlier`: the text there now).

    UsageError 64: no convention to choose. NothingToCheck 66: no file. yamlfile.YamlError: the text there is no YAML.
    """
    from checker import proposals
    from checker.facts import raw

    pack = _convention(rules or home.rules(), convention)
    dictionary = dictionaries.load(*pack.extensions)
    limits = packs.read_settings([path if path.is_dir() else path.parent], None).limits
    said = proposals.said(earlier)
    try:
        with dossiers.opened(path, limits) as folder:
            found, unnamed = raw.collect(folder, dictionary.tables["depenses"], said, limits, target)
    finally:
        facts.close()
    if not found and not unnamed:
        raise NothingToCheck([Problem("aucun fichier sous ce chemin", str(path))])
    name = path.resolve().name if path.is_dir() else path.stem
    beside = path.is_dir() and path.resolve() == target.resolve().parent
    root = "" if beside else "folder" if path.is_dir() else "zip"
    return proposals.propose(found, dictionary, pack.id, name, root, earlier, unnamed)


def _convention(folder: Path, name: str | None) -> Pack:
    """The pack of that name; without a name the only one that has a reference dossier of its own."""
    if name is not None:
        return packs.load(folder, name)
    own = [pack for pack in (packs.load(folder, each) for each in packs.names(folder)) if pack.own_reference]
    if len(own) != 1:
        known = ", ".join(pack.id for pack in own) or "aucune n'a de dossier de référence"
        raise UsageError([Problem("quelle convention ?", todo=f"La nommer par --convention ({known}).")])
    return own[0]


def decisions(path: Path) -> tuple[list[Filled], list[Problem]]:
    """What a person decided in a workbook of the report, by dossier; UsageError (64): it cannot be read."""
    from checker.base.unreadable import Unreadable
    from checker.facts.readers import xlsx
    from checker.proposals import filled

    try:
        return filled.sheets(*xlsx.filled(path, path.name), path.name)
    except Unreadable as error:
        raise UsageError([Problem("ce classeur ne peut être lu", str(path), why=error.reason)]) from None


def pack_digest(name: str, rules: Path | None = None) -> tuple[str, str]:
    """The version and the SHA-256 that a pack has now, as a report would say; ConfigurationError: it cannot be read."""
    folder = rules or home.rules()
    if name not in packs.names(folder):
        raise ConfigurationError(f"pack inconnu : « {name} »")
    pack = packs.load(folder, name)
    return pack.version, pack.sha256
