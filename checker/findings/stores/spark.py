"""Spark over Parquet in storage that driver and workers share: what statements give is written there and read back.

A table that is read back has no history: plans stay small, and a lost worker costs what it was computing.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.base import plugs
from checker.errors import Problem, UsageError
from checker.findings.archive_sql import CODES
from checker.findings.sql import Emitter, Statement, quote

if TYPE_CHECKING:
    from checker.findings.archive_run import Asked

SLICE = 1 << 62  # Spark slices by itself
SMALL = 2_000  # dossiers of an archive below which a partition more costs more than it gives
DIALECT: Mapping[str, str] = {
    "list": "array({0})",
    "keep": "filter({0}, i -> {1})",
    "each": "explode({0})",
    "has": "array_contains({0}, {1})",
    "gather": "collect_list({0})",
    "size": "size({0})",
    "div": "({0} div {1})",
    "full": "({0} RLIKE '(?d)\\\\A(?:{1})\\\\z')",
    "struct": "named_struct({0})",
    "field": "'{0}', {1}",
    "backslash": "\\\\",
    "texts": "ARRAY<STRING>",
    "numbers": "ARRAY<INT>",
    "pairs": "ARRAY<STRUCT<name: STRING, value: STRING>>",
}


class Store:
    """The tables of an audit. RuntimeError: a statement is refused; UsageError: there is no Spark, or it is lost."""

    def __init__(self, work: Path, asked: Asked) -> None:
        plug = plugs.load("checker.findings.engines", "spark")
        self._spark = plug.opened(asked.master or plug.MASTER, asked.archive.dossiers < SMALL)
        self._refused = plug.refusals()
        self._leaf = plug.leaf
        self.emitter = Emitter(plug.TEMPLATES, asked.dictionary, CODES)
        self._tables = work / "tables"
        self._tables.mkdir(parents=True, exist_ok=True)
        self._kept: list[Any] = []
        self._read: dict[tuple[str, ...], Any] = {}
        self._count = 0

    def view(self, name: str, files: Sequence[str], where: str = "") -> None:
        """Show Parquet files under a name."""
        key = tuple(files)
        if key not in self._read:  # it opens a file to know its columns
            self._read[key] = self._spark.read.parquet(*files)
        frame = self._read[key]
        (frame.where(where) if where else frame).createOrReplaceTempView(quote(name))

    def source(self, statement: Statement) -> str:
        """A statement of rules as a query; the frames that it reads more than once are kept until the next one."""
        self._drop()
        try:
            for name, query in statement.frames:
                frame = self._spark.sql(query)
                if statement.readings(name) > 1:
                    frame = self._leaf(self._spark, frame)
                    self._kept.append(frame)
                frame.createOrReplaceTempView(name)
        except self._refused as error:
            raise RuntimeError(str(error).strip()) from error
        return statement.select

    def table(self, name: str, query: str) -> None:
        """Keep the rows of a query under a name."""
        self._count += 1
        target = self._tables / f"{self._count:05d}"
        schema = self._written(query, target)
        self._spark.read.schema(schema).parquet(str(target)).createOrReplaceTempView(quote(name))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return [tuple(row) for row in self._do(query).collect()]

    def write(self, query: str, target: Path) -> None:
        """The rows of a query as a folder of Parquet files: whole, or not there."""
        self._written(query, target)

    def close(self) -> None:
        """Release memory and disk; the process keeps its Spark."""
        self._drop()
        shutil.rmtree(self._tables, ignore_errors=True)

    def _written(self, query: str, target: Path) -> Any:
        """Write, and say the columns."""
        new = target.with_name(target.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        frame = self._do(query)
        try:
            frame.write.parquet(str(new))
        except self._refused as error:
            raise RuntimeError(str(error).strip()) from error
        for number, path in enumerate(sorted(new.glob("part-*.parquet"))):
            path.rename(new / f"part-{number:05d}.parquet")
        for path in (*new.glob(".*"), *new.glob("_*")):
            path.unlink()
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)
        return frame.schema

    def _drop(self) -> None:
        for frame in self._kept:
            frame.unpersist()
        self._kept = []

    def _do(self, query: str) -> Any:
        try:
            return self._spark.sql(query)
        except self._refused as error:
            raise RuntimeError(str(error).strip()) from error
        except Exception as error:
            what = f"le moteur s'arrête : {(str(error).splitlines() or [''])[0][:300]}"
            raise UsageError([Problem(what, todo="Voir l'état du cluster.")]) from None
