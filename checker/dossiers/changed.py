"""What changed since a revision, asked of git. Door: `since`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from checker.errors import Problem, UsageError
from checker.model import Dossier

_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.quotepath=false")  # no program that the repository names


class Changed(NamedTuple):
    """`dossier`: whether a dossier changed; `below`: whether anything at or below a path did."""

    dossier: Callable[[Dossier], bool]
    below: Callable[[Path], bool]


def since(paths: Sequence[Path], revision: str) -> Changed:
    """What changed since `revision` left this branch.

    Counted from the common ancestor with HEAD: commits, what is staged, not staged, and new files that are not ignored.
    UsageError (64): a path is in no git repository, or the revision is unknown there, or there is no git.
    """
    files: set[str] = set()
    tops: set[str] = set()
    for path in paths:
        where = path if path.is_dir() else path.parent
        top = _git(where, "rev-parse", "--show-toplevel", todo="Donner un chemin d'un dépôt git, ou ôter l'option.")
        if top not in tops:
            tops.add(top)
            files.update(os.path.join(top, name) for name in _names(Path(top), revision))  # noqa: PTH118
    above: set[str] = set()
    for name in files:
        while name not in above and name not in tops:
            above.add(name)
            name = os.path.dirname(name)  # noqa: PTH120
        above.add(name)

    def below(path: Path) -> bool:
        return os.path.realpath(path) in above

    def changed(dossier: Dossier) -> bool:
        own = [dossier.archive or dossier.folder, *([dossier.written] if dossier.written else [])]
        return any(below(path) for path in own)

    return Changed(changed, below)


def _names(top: Path, revision: str) -> list[str]:
    todo = "En CI, récupérer l'historique (`git fetch --unshallow`, ou `fetch-depth: 0`), ou nommer une autre révision."
    commit = _git(
        top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", about=revision, todo=todo
    )
    base = _run(top, "merge-base", commit, "HEAD")
    start = base.stdout.decode().strip() if base.returncode == 0 else commit
    listed = (
        _run(top, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", start, "--"),
        _run(top, "ls-files", "--others", "--exclude-standard", "-z"),
    )
    for done in listed:
        if done.returncode != 0:
            raise _refused(f"git ne dit pas ce qui a changé depuis « {revision} »", done, todo)
    return [os.fsdecode(name) for done in listed for name in done.stdout.split(b"\0") if name]


def _git(where: Path, *words: str, about: str = "", todo: str = "") -> str:
    done = _run(where, *words)
    if done.returncode != 0:
        what = f"révision inconnue : « {about} »" if about else f"« {where} » n'est pas dans un dépôt git lisible"
        raise _refused(what, done, todo)
    return os.fsdecode(done.stdout).rstrip("\n")


def _run(where: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", os.fspath(where), *_QUIET, *words],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except OSError as error:
        raise UsageError([Problem(f"git ne peut être lancé : {error.strerror}", todo="L'installer.")]) from None


def _refused(what: str, done: subprocess.CompletedProcess[bytes], todo: str) -> UsageError:
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return UsageError([Problem(f"--changed-since : {what}", why=said[0][:200] if said else "", todo=todo)])
