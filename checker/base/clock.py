"""What a run took: counts and seconds by stage and name, in this process and those it started.

Doors: `of`, `count`, `taken`, `add`. Nothing of it goes into a report: same inputs, same bytes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping

Taken = dict[str, tuple[int, float]]  # name -> (how many, seconds)

_found: Taken = {}


@contextlib.contextmanager
def of(name: str, many: int = 1) -> Iterator[None]:
    """Count what is done there, and its time."""
    start = time.perf_counter()
    try:
        yield
    finally:
        count(name, time.perf_counter() - start, many)


def count(name: str, seconds: float = 0.0, many: int = 1) -> None:
    """Add to what was done under that name."""
    before, spent = _found.get(name, (0, 0.0))
    _found[name] = (before + many, spent + seconds)


def add(other: Mapping[str, tuple[int, float]]) -> None:
    """Add what another process did."""
    for name, (many, seconds) in other.items():
        count(name, seconds, many)


def taken() -> Taken:
    """What was counted since the last call, in the order of its first count."""
    said = dict(_found)
    _found.clear()
    return said
