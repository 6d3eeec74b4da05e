"""Paths -> dossiers. Door: `find`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from checker.errors import NothingToCheck, Problem, UsageError
from checker.model import Dossier

MANIFEST = "dossier.yaml"
_SKIPPED = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", "venv"})


def find(paths: Sequence[Path]) -> list[Dossier]:
    """Every folder that holds `dossier.yaml` at or below these paths, sorted, each once.

    UsageError (64): a path does not exist. NothingToCheck (66): no dossier anywhere below.
    """
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise UsageError([Problem("ce chemin n'existe pas", str(path), todo="Vérifier le nom.") for path in missing])
    found: dict[Path, Dossier] = {}
    files = False
    for path in paths:
        if path.is_file():
            if path.name != MANIFEST:
                raise UsageError(
                    [
                        Problem(
                            "ce fichier n'est pas un dossier",
                            str(path),
                            todo=f"Donner le répertoire qui contient {MANIFEST}.",
                        )
                    ]
                )
            path = path.parent
        for folder, names in _walk(path):
            files = files or bool(names)
            if MANIFEST in names:
                found.setdefault(folder.resolve(), Dossier(folder, _shown(folder)))
    if not found:
        advice = (
            "Des fichiers s'y trouvent : `quitus prepare` proposera un dossier.yaml."
            if files
            else "`quitus new dossier` en commence un."
        )
        raise NothingToCheck([Problem(f"aucun {MANIFEST} sous ce chemin", str(path), todo=advice) for path in paths])
    return sorted(found.values(), key=lambda dossier: dossier.shown)


def _walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if name not in _SKIPPED)
        yield Path(folder), names


def _shown(folder: Path) -> str:
    """The path as given, with forward slashes; relative to the working folder when it is below it."""
    try:
        return folder.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return folder.as_posix()
