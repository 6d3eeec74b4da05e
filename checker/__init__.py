"""Quitus checks reimbursement dossiers against the convention that governs them.

Python API: `check(paths, on=…, settings=…, rules=…, engine=…) -> Verdicts`, with `Verdicts.to_pandas()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from checker.model import Verdicts

__version__ = "0.1.0"


def check(
    paths: Sequence[str | Path] | str | Path,
    *,
    on: dt.date | None = None,
    stage: str | None = None,
    settings: str | Path | None = None,
    rules: str | Path | None = None,
    engine: str = "auto",
    fail_on: str = "",
) -> Verdicts:
    """Check dossiers, zips or trees of dossiers; errors are those of `checker.errors`."""
    from pathlib import Path as P

    from checker import pipeline

    listed = [paths] if isinstance(paths, str | P) else list(paths)
    return pipeline.check(
        pipeline.Options(
            paths=tuple(P(path) for path in listed),
            on=on,
            stage=stage,
            settings=P(settings) if settings else None,
            rules=P(rules) if rules else None,
            engine=engine,
            fail_on=fail_on,
        )
    )
