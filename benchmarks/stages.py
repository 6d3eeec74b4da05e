"""One check in a process of its own, and where its time goes: `python -m benchmarks.stages START DOSSIER`.

START is the clock of the parent when it started this process. Prints JSON: stage -> seconds, in order.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

ORDER = (
    "interpreter",
    "imports",
    "YAML of the dossier, pieces",
    "packs",
    "plans",
    "tables",
    "duties: judged",
    "duties: told",
    "verdict",
    "report",
    "rest",
)


def main(start: float, path: str) -> dict[str, float]:
    """The seconds of each stage; a stage inside another is counted once, as itself."""
    spent = dict.fromkeys(ORDER, 0.0)
    spent["interpreter"] = time.perf_counter() - start
    mark = time.perf_counter()
    from checker import facts, findings, packs, pipeline, plans, tables, verdicts
    from checker.commands import check
    from checker.findings.engines import python
    from checker.reports.formats import terminal

    spent["imports"] = time.perf_counter() - mark
    inside: list[float] = []

    def timed(holder: Any, name: str, stage: str) -> None:
        plain: Callable[..., Any] = getattr(holder, name)

        def run(*args: Any, **named: Any) -> Any:
            mark = time.perf_counter()
            inside.append(0.0)
            try:
                return plain(*args, **named)
            finally:
                whole = time.perf_counter() - mark
                spent[stage] += whole - inside.pop()
                if inside:
                    inside[-1] += whole

        setattr(holder, name, run)

    for holder, name, stage in (
        (packs, "read_settings", "YAML of the dossier, pieces"),
        (facts, "open_manifest", "YAML of the dossier, pieces"),
        (facts, "read", "YAML of the dossier, pieces"),
        (packs, "ready", "packs"),
        (plans, "ready", "plans"),
        (tables, "build", "tables"),
        (python, "session", "duties: judged"),
        (python.Session, "run", "duties: judged"),
        (findings, "evaluate", "duties: told"),
        (verdicts, "decide", "verdict"),
        (terminal, "render", "report"),
        (facts.Kept, "get", "YAML of the dossier, pieces"),
        (facts.Kept, "put", "YAML of the dossier, pieces"),
        (pipeline, "check", "rest"),
        (check, "_write", "rest"),
    ):
        timed(holder, name, stage)
    from checker import cli

    timed(cli, "run", "rest")
    cli.run(["check", path] if os.environ.get("QUITUS_STAGES_KEEP") else ["check", path, "--no-cache"])
    return spent


if __name__ == "__main__":
    import json

    from checker import __main__

    print(json.dumps(main(float(sys.argv[1]), sys.argv[2])), file=sys.stderr)
    __main__._end(0)
