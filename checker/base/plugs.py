"""Sockets: a folder where one file is one plug; its module name, dashes for underscores, is its public name."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType


@functools.cache
def names(package: str) -> tuple[str, ...]:
    """The public names of the plugs of a package, sorted; no plug is imported."""
    path = importlib.import_module(package).__path__
    return tuple(sorted(info.name.replace("_", "-") for info in pkgutil.iter_modules(path)))


def load(package: str, name: str) -> ModuleType:
    """The plug of that public name (KeyError with the nearest name when there is none)."""
    if name not in names(package):
        raise KeyError(nearest(name, names(package)))
    return importlib.import_module(f"{package}.{name.replace('-', '_')}")


def nearest(word: str, known: tuple[str, ...] | list[str] | frozenset[str]) -> str:
    """The known word that looks most like this one, or ""."""
    import difflib

    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.5)
    return found[0] if found else ""
