"""rules/<pack>/ -> Pack. Doors: `load` (with its imports), `ready` (the same, kept between runs, without examples),
`names`, `overlay` (the settings laid over).
"""

from __future__ import annotations

from checker.packs.agreement import agreement
from checker.packs.overlay import overlay
from checker.packs.quotes import Unit, coverage
from checker.packs.read import load, names, ready
from checker.packs.settings import laid_settings, read_settings, reference_settings

__all__ = [
    "Unit",
    "agreement",
    "coverage",
    "laid_settings",
    "load",
    "names",
    "overlay",
    "read_settings",
    "ready",
    "reference_settings",
]
