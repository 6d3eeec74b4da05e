"""CEL by its pure Python implementation, with the expressions of `cel`; it compares no number with null, only types."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import celpy

from benchmarks.peers import cel
from benchmarks.tables import Finding

LIBRARY = "cel-python"
PREPARED = cel.PREPARED


def _program(text: str) -> Callable[[dict[str, Any]], Any]:
    environment = celpy.Environment()
    program = environment.program(environment.compile(re.sub(r"([\w.]+) (==|!=) null", r"type(\1) \2 null_type", text)))
    return lambda given: program.evaluate({name: celpy.json_to_cel(value) for name, value in given.items()})


def findings(folder: Path) -> set[Finding]:
    """Compiled once, evaluated a dossier at a time."""
    return cel.judge(folder, _program(cel.line_expression()), _program(cel.DOSSIER))
