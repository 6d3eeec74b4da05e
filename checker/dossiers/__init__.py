"""Paths -> dossiers. Doors: `find`; `unpacked` and `opened`, which hold a zip open as a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from checker.errors import NothingToCheck, Problem, UsageError
from checker.model import Dossier, Limits
from checker.model.frozen import replace

MANIFEST = "dossier.yaml"
_SKIPPED = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", "venv"})


def find(paths: Sequence[Path], written: Path | None = None) -> list[Dossier]:
    """Every folder that holds `dossier.yaml` at or below these paths, and every zip that does, sorted, each once.

    A zip inside a dossier is one of its pieces. `written`: the manifest of the only path, when it stands elsewhere.
    UsageError (64): a path does not exist. NothingToCheck (66): no dossier anywhere below.
    """
    missing = [path for path in (*paths, *([written] if written else ())) if not path.exists()]
    if missing:
        raise UsageError([Problem("ce chemin n'existe pas", str(path), todo="Vérifier le nom.") for path in missing])
    if written is not None:
        return [_with(written, paths)]
    found: dict[str, Dossier] = {}
    files = False
    for path in paths:
        if path.is_file() and path.name != MANIFEST:
            _archives(path, found, asked=True)
            files = True
            continue
        files = _below(path.parent if path.is_file() else path, found) or files
    if not found:
        advice = (
            "Des fichiers s'y trouvent : `quitus prepare` proposera un dossier.yaml."
            if files
            else "`quitus new dossier` en commence un."
        )
        raise NothingToCheck([Problem(f"aucun {MANIFEST} sous ce chemin", str(path), todo=advice) for path in paths])
    return sorted(found.values(), key=lambda dossier: dossier.shown)


def _below(root: Path, found: dict[str, Dossier]) -> bool:
    """Add the dossiers of a tree; whether it holds any file."""
    files = False
    dossiers: set[str] = set()
    top, real, here = os.fspath(root), os.path.realpath(root), os.path.realpath(Path.cwd())
    for folder, below, names in os.walk(root):  # it follows no link: what is below `root` is below `real`
        below[:] = sorted(name for name in below if name not in _SKIPPED)
        files = files or bool(names)
        inside = os.path.dirname(folder) in dossiers  # noqa: PTH120
        if MANIFEST in names:
            path = Path(folder)
            where = os.path.join(real, folder[len(top) :].lstrip(os.sep)) if folder != top else real  # noqa: PTH118
            found.setdefault(where, Dossier(path, _relative(where, here) or path.as_posix()))
        if inside or MANIFEST in names:
            dossiers.add(folder)
            continue
        for name in names:
            if name.lower().endswith(".zip"):
                _archives(Path(folder, name), found)
    return files


def _archives(path: Path, found: dict[str, Dossier], asked: bool = False) -> None:
    """Add the dossiers of an archive. One that cannot be listed may hold a dossier: it is one that cannot be read."""
    from checker.dossiers import zips

    if not path.is_file() or not (path.suffix.lower() == ".zip" or _is_zip(path)):
        if asked:
            todo = f"Donner un zip, ou le répertoire qui contient {MANIFEST}."
            raise UsageError([Problem("ce fichier n'est pas un dossier", str(path), todo=todo)])
        return
    base = Dossier(path.parent, _shown(path), archive=path)
    where = os.fspath(path.resolve())
    try:
        held = zips.folders(path, MANIFEST)
    except zips.Refused as refused:
        found.setdefault(where, replace(base, faults=(refused.fault(path),)))
        return
    for inside in held:
        shown = base.shown if len(held) == 1 else f"{base.shown}/{inside}"
        found.setdefault(f"{where}/{inside}", replace(base, shown=shown, inside=inside))


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError:
        return False


def _with(written: Path, paths: Sequence[Path]) -> Dossier:
    """The only path under the manifest that stands elsewhere; a folder, or a zip."""
    if len(paths) != 1 or not written.is_file():
        what = "un manifeste à part vaut pour un seul dossier" if written.is_file() else "ce n'est pas un fichier"
        raise UsageError([Problem(what, str(written), todo="Donner un répertoire ou un zip, et son dossier.yaml.")])
    path = paths[0]
    if path.is_dir():
        return Dossier(path, _shown(path), written.name, written=written)
    if not _is_zip(path) and path.suffix.lower() != ".zip":
        raise UsageError([Problem("ce fichier n'est ni un zip ni un répertoire", str(path))])
    return Dossier(path.parent, _shown(path), written.name, path, written=written)


@contextlib.contextmanager
def unpacked(dossier: Dossier, limits: Limits) -> Iterator[Dossier]:
    """The dossier with a folder to read: that of a zip is a temporary one, removed at the end. Refused: faults."""
    if dossier.archive is None or dossier.faults:
        yield dossier
        return
    from checker.dossiers import zips

    with _folder(dossier.archive) as folder:
        try:
            zips.unpack(dossier.archive, folder, limits)
        except zips.Refused as refused:
            yield replace(dossier, faults=(refused.fault(dossier.archive),))
            return
        yield replace(dossier, folder=folder / dossier.inside)


@contextlib.contextmanager
def opened(path: Path, limits: Limits | None = None) -> Iterator[Path]:
    """The folder itself, or a zip unpacked into one that is removed at the end; UsageError (64) for a refused zip."""
    if path.is_dir():
        yield path
        return
    from checker.dossiers import zips

    with _folder(path) as folder:
        try:
            zips.unpack(path, folder, limits or Limits())
        except zips.Refused as refused:
            what, place, _, todo = refused.fault(path)
            raise UsageError([Problem(what, str(path), excerpt=place.place or "", todo=todo)]) from None
        yield folder


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[Path]:
    import tempfile

    try:
        holder = tempfile.TemporaryDirectory(prefix="quitus-", ignore_cleanup_errors=True)
    except OSError as error:
        raise UsageError([Problem(f"aucun répertoire temporaire : {error.strerror}", str(path))]) from None
    with holder as name:
        yield Path(name)


def _relative(where: str, here: str) -> str:
    """The path of a folder below another, both real; "" : it is not below."""
    if where == here:
        return "."
    above = os.path.join(here, "")  # noqa: PTH118
    return where[len(above) :].replace(os.sep, "/") if where.startswith(above) else ""


def _shown(path: Path) -> str:
    """The path as given, with forward slashes; relative to the working folder when it is below it."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return path.as_posix()
