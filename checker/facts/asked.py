"""How the pieces of a run are read."""

from __future__ import annotations

from checker.base.certificates import NO_ROOTS, Roots
from checker.model import Limits
from checker.model.frozen import field, frozen


@frozen
class Asked:
    """Within which limits, trusting whom, scans too or not."""

    limits: Limits = field(default_factory=Limits)
    roots: Roots = NO_ROOTS
    ocr: bool = False
