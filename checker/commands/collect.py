"""Lit des dossiers une fois et en garde les tables en Parquet, pour `quitus audit`.

Exemples :
  quitus collect depot --output tables
  quitus collect depot recu.zip --output tables --settings quitus.yaml
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.commands import reading
from checker.errors import Problem, UsageError

if TYPE_CHECKING:
    from checker import pipeline
    from checker.base.dictionary import Dictionary
    from checker.findings.archive import Writer
    from checker.model import Pack, Settings, Submitted

HELP = "garder les tables de dossiers en Parquet"
CHUNK = 2000  # dossiers read before they are written: what memory holds
SETTINGS = "quitus.yaml"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument(
        "paths", nargs="+", metavar="CHEMIN", type=Path, help="un dossier, un zip, ou une arborescence de dossiers"
    )
    parser.add_argument("--output", metavar="REPERTOIRE", type=Path, required=True, help="où écrire les tables")
    reading(parser, "lire comme si les dossiers en étaient à cette étape")


def run(options: argparse.Namespace) -> int:
    """Read, write the tables beside the target, then put them in its place."""
    from checker import pipeline
    from checker.base import values
    from checker.model import STAGES
    from checker.reports.progress import progress

    if options.stage is not None and options.stage not in STAGES:
        raise UsageError([Problem(f"étape inconnue : « {options.stage} »", todo="Connues : " + ", ".join(STAGES))])
    try:
        on = values.date(options.on) if options.on is not None else None
    except values.Refused as error:
        raise UsageError([Problem(f"--on {options.on} : {error}")]) from None
    asked = pipeline.Options(
        paths=tuple(options.paths), on=on, stage=options.stage, settings=options.settings, rules=options.rules,
        roots=options.roots, ocr=options.ocr,
    )  # fmt: skip
    with progress(sys.stderr) as tell, whole(options.output, "_schema.json") as folder:
        said = collect(asked, folder, tell)
    held = sum(item["dossiers"] for item in said["packs"])
    print(f"{held} dossiers : {options.output}")
    return 0


@contextlib.contextmanager
def whole(target: Path, mark: str) -> Iterator[Path]:
    """A folder beside the target that takes its place at the end, or is removed; `mark`: shows that one is ours."""
    if target.exists() and not (target.is_dir() and ((target / mark).is_file() or not any(target.iterdir()))):
        raise UsageError([Problem("ce répertoire tient autre chose", str(target), todo="Choisir un autre nom.")])
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as error:
        raise UsageError([Problem(f"on ne peut écrire là : {error.strerror}", str(target))]) from None
    try:
        new.chmod(0o755)
        yield new
        old = new.with_name(new.name + ".old")
        if target.exists():
            target.rename(old)
        new.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def collect(asked: pipeline.Options, folder: Path, tell: pipeline.Progress, chunk: int = CHUNK) -> dict[str, Any]:
    """Write the tables of every dossier in `folder`, chunk after chunk; what the schema published there says."""
    from checker import __version__, dossiers, packs, pipeline
    from checker.findings import archive

    found = dossiers.find(asked.paths, asked.manifest)
    settings = packs.read_settings([item.folder for item in found], asked.settings)
    asked = dataclasses.replace(asked, settings=settings.path)
    kept = _Kept(folder)
    last: dict[str, tuple[Pack, Dictionary]] = {}
    for start in range(0, len(found), chunk):
        tell("facts", start, len(found))
        submitted, _, loaded = pipeline.read(asked, held=found[start : start + chunk])
        kept.add(start, submitted, loaded)
        last = loaded
    tell("facts", len(found), len(found))
    if not kept.packs:  # no readable dossier names a pack: they stand under the one that a check would say
        kept.under(last)
    said: dict[str, Any] = {
        "schema": archive.SCHEMA,
        "version": __version__,
        "settings": _settings(settings, folder),
        "packs": [archive.described(pack, writer) for pack, writer in kept.all()],
    }
    asking = {"on": asked.on, "stage": asked.stage, "ocr": asked.ocr, "settings": settings.sha256}
    said["run"] = {**asking, "sha256": hashlib.sha256(json.dumps([said, asking], default=str).encode()).hexdigest()}
    text = json.dumps(said, ensure_ascii=False, indent=1, default=str)
    (folder / archive.SCHEMA_FILE).write_text(text + "\n", "utf-8")
    return said


def _settings(settings: Settings, folder: Path) -> dict[str, str] | None:
    """The settings and their avenants, copied beside the tables: an audit takes them unless it is told others."""
    if settings.path is None:
        return None
    shutil.copyfile(settings.path, folder / SETTINGS)
    for name in settings.data.get("avenants") or []:
        source, target = settings.path.parent / str(name), folder / str(name)
        if target.resolve().is_relative_to(folder.resolve()):  # one that stands elsewhere is asked by --settings
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return {"path": SETTINGS, "sha256": settings.sha256}


class _Kept:
    """The tables being written: one writer a pack; a dossier of no known pack stands in each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packs: dict[str, tuple[Pack, Writer]] = {}
        self._lost: list[tuple[int, Submitted]] = []

    def add(self, start: int, submitted: list[Submitted], loaded: dict[str, tuple[Pack, Dictionary]]) -> None:
        """One part more of each pack that these dossiers name, or of all known when one cannot be read."""
        from checker import pipeline

        owners = {index: pipeline.pack_of(item, loaded) for index, item in enumerate(submitted)}
        for name in dict.fromkeys(owner for owner in owners.values() if owner is not None):
            if name not in self.packs:
                self._open(name, loaded)
        for name in self.packs:
            own = [(start + index, submitted[index]) for index, owner in owners.items() if owner in (name, None)]
            self._write(name, own)
        self._lost += [(start + index, submitted[index]) for index, owner in owners.items() if owner is None]

    def under(self, loaded: dict[str, tuple[Pack, Dictionary]]) -> None:
        """Put the dossiers of no pack under these."""
        for name in loaded:
            self._open(name, loaded)

    def all(self) -> list[tuple[dict[str, str], Writer]]:
        """Each pack as reports name it, with its writer."""
        return [
            ({"id": pack.id, "title": pack.title, "version": pack.version, "sha256": pack.sha256}, writer)
            for _, (pack, writer) in sorted(self.packs.items())
        ]

    def _open(self, name: str, loaded: dict[str, tuple[Pack, Dictionary]]) -> None:
        from checker.findings.archive import Writer

        pack, dictionary = loaded[name]
        self.packs[name] = (pack, Writer(self.folder / name, dictionary))
        self._write(name, self._lost)

    def _write(self, name: str, own: list[tuple[int, Submitted]]) -> None:
        from checker import tables

        if own:
            writer = self.packs[name][1]
            frames = tables.build([item for _, item in own], writer.dictionary)
            writer.add(frames, [order for order, _ in own])
