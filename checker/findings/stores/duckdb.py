"""DuckDB over Parquet: one process, within a memory; what exceeds it is spilt in the work folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.base import plugs
from checker.errors import Problem, UsageError
from checker.findings.archive import copy, text
from checker.findings.archive_sql import CODES
from checker.findings.sql import Emitter, Statement, quote

if TYPE_CHECKING:
    from checker.findings.archive_run import Asked

SLICE = 50_000  # dossiers judged at a time
DIALECT: Mapping[str, str] = {
    "list": "[{0}]",
    "keep": "list_filter({0}, lambda i: {1})",
    "each": "unnest({0})",
    "has": "list_contains({0}, {1})",
    "gather": "list({0})",
    "size": "len({0})",
    "div": "({0} // {1})",
    "full": "regexp_full_match({0}, '{1}')",
    "struct": "{{{0}}}",
    "field": "'{0}': {1}",
    "backslash": "\\",
    "texts": "STRING[]",
    "numbers": "INTEGER[]",
    "pairs": "STRUCT(name VARCHAR, value VARCHAR)[]",
}
_OURS = ("OutOfMemory", "IO", "Fatal", "Internal", "Interrupt", "Permission")  # faults of the machine, not of a rule


class Store:
    """The tables of an audit. RuntimeError: a statement is refused; UsageError: the machine cannot."""

    def __init__(self, work: Path, asked: Asked) -> None:
        self._spill = work / "spill"
        self._spill.mkdir(parents=True, exist_ok=True)
        plug = plugs.load("checker.findings.engines", "duckdb")
        self._connection = plug.connect(self._spill, asked.memory, asked.threads)
        self.emitter = Emitter(plug.TEMPLATES, asked.dictionary, CODES)

    def view(self, name: str, files: Sequence[str], where: str = "") -> None:
        """Show Parquet files under a name."""
        listed = ", ".join(text(path) for path in files)
        query = f"SELECT * FROM read_parquet([{listed}]){f' WHERE {where}' if where else ''}"
        self._do(f"CREATE OR REPLACE TEMP VIEW {quote(name)} AS {query}")

    def source(self, statement: Statement) -> str:
        """A statement of rules as a query."""
        return statement.sql

    def table(self, name: str, query: str) -> None:
        """Keep the rows of a query under a name."""
        self._do(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        found: list[tuple[Any, ...]] = self._do(query).fetchall()
        return found

    def write(self, query: str, target: Path) -> None:
        """The rows of a query as Parquet: whole, or not there."""
        self._do(query, target)

    def close(self) -> None:
        """Release memory and disk."""
        self._connection.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def _do(self, query: str, target: Path | None = None) -> Any:
        try:
            return self._connection.execute(query) if target is None else copy(self._connection, query, target)
        except Exception as error:
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from None
            if type(error).__name__.startswith(_OURS):
                what = f"le moteur s'arrête : {str(error).splitlines()[0][:300]}"
                raise UsageError([Problem(what, todo="Donner plus de --memory, ou plus de place au disque.")]) from None
            raise RuntimeError(str(error)) from error
