"""Where the shipped `rules/` and `schemas/` are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import functools
import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


@functools.cache
def _shipped(name: str) -> Path:
    inside = _PACKAGE / "_shipped" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def schemas() -> Path:
    """The folder of the published schemas."""
    return _shipped("schemas")


def rules() -> Path:
    """The folder of packs: QUITUS_RULES, else the shipped ones."""
    chosen = os.environ.get("QUITUS_RULES")
    return Path(chosen) if chosen else _shipped("rules")
