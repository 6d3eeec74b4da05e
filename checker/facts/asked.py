"""How the pieces of a run are read."""

from __future__ import annotations

from dataclasses import dataclass, field

from checker.base.certificates import NO_ROOTS, Roots
from checker.model import Limits


@dataclass(frozen=True, slots=True)
class Asked:
    """Within which limits, trusting whom, scans too or not."""

    limits: Limits = field(default_factory=Limits)
    roots: Roots = NO_ROOTS
    ocr: bool = False
