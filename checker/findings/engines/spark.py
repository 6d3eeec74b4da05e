"""Apache Spark: this machine (`local[*]`), a standalone cluster (`spark://…`) or a Spark Connect server (`sc://…`).

Spark reads the statements of the other engines under ANSI mode with quoted identifiers; what it would understand
otherwise is in TEMPLATES. The process keeps one Spark; each batch has a session of its own, with its own tables.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from checker.base import tree
from checker.base.dictionary import ROOT, Dictionary
from checker.base.frames import Frame, Frames
from checker.errors import Problem, UsageError
from checker.findings.dialect import COMMON, iban, siren, siret, until_9999, vat
from checker.findings.sql import Emitter, Statement, state_name, table_sql

MASTER = "local[*]"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def _full(text: str, pattern: str) -> str:
    r"""A match of the whole text: `$` would let a final newline through; (?d): `.` stops at \n alone."""
    return f"({text} RLIKE '(?d)\\\\A(?:{pattern})\\\\z')"


def _digit(text: str, position: int) -> str:
    return f"TRY_CAST(substr({text}, {position}, 1) AS INT)"


_REST = (  # modulo 97, sign after sign, a letter being two digits
    "aggregate(transform(sequence(1, length({0})), i -> ascii(substr(concat(substr({0}, 5), left({0}, 4)), i, 1))), 0, "
    "(a, c) -> CASE WHEN c >= 65 THEN (a * 100 + c - 55) % 97 ELSE (a * 10 + c - 48) % 97 END)"
)

TEMPLATES: Mapping[str, str] = {
    **COMMON,
    # A product of 8 decimals would lose the last one: rounded where it still has 6, then made cents.
    "part": "CAST(ROUND(CAST({0} AS DECIMAL(26,2)) * CAST({1} AS DECIMAL(9,4)), 0) * 0.01 AS DECIMAL(26,2))",
    "match": "({0} RLIKE concat('(?d)\\\\A(?:', {1}, ')\\\\z'))",
    "starts": "startswith({0}, {1})",
    "contains": "contains({0}, {1})",
    "left": "left({0}, {1})",
    "year": "CAST(year({0}) AS BIGINT)",
    "month": "CAST(month({0}) AS BIGINT)",
    "add_years": until_9999("add_months({0}, CAST(12 * {1} AS INT))"),
    "add_months": until_9999("add_months({0}, CAST({1} AS INT))"),
    "add_days": until_9999("date_add({0}, CAST({1} AS INT))"),
    "year_end": until_9999("make_date(CAST(year({0}) + {1} AS INT), 12, 31)"),
    "siren": siren(_full, _digit),
    "siret": siret(_full, _digit),
    "vat": vat(_full, "TRY_CAST"),
    "iban": iban(_full, _REST),
    "backslash": "\\\\",
    "null_text": "CAST(NULL AS STRING)",
}

SQL: Mapping[str, str] = {  # of the session, wherever it runs
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.legacy.consecutiveStringLiterals.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.variable.substitute": "false",  # "${…}" of a rule is text
    "spark.sql.constraintPropagation.enabled": "false",  # it grows as a power of the columns
    # It computes what reads tables sent by the driver, in one thread of the driver.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation",
}
SMALL = 200_000  # rows of a batch below which a partition more, or Java to compile, costs more than it gives
SMALL_SQL: Mapping[str, str] = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
CORE: Mapping[str, str] = {  # of the driver of this process
    "spark.buffer.pageSize": "2m",  # each table sent to all takes one: 64 MB by default
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.catalogImplementation": "in-memory",
}

_READ = re.compile(r"(?:FROM|JOIN) (f[0-9]+)\b")


class Session:
    """The tables of one batch that plans read, as views of a session of Spark."""

    def __init__(
        self, frames: Frames, columns: Mapping[str, set[tuple[str, bool]]], dictionary: Dictionary, master: str
    ) -> None:
        rows = sum(len(frame) for frame in frames.tables.values())
        self._spark = opened(master, rows < SMALL)
        self._remote = master.startswith("sc://")
        self.emitter = Emitter(TEMPLATES, dictionary)
        tables = set(columns)
        for name in list(tables):
            while (parent := dictionary.tables[name].parent) is not None:
                tables.add(parent)
                name = parent
        self._views = sorted(tables)
        for name in self._views:
            table = _table(frames, frames.tables[name], sorted(columns.get(name, ())), dictionary)
            self._spark.createDataFrame(table).createOrReplaceTempView(_view(name))

    def run(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows of a statement (RuntimeError with the engine's words when it refuses it)."""
        kept = []
        once: dict[str, str] = {}
        try:
            for name, text in statement.frames:
                if statement.readings(name) < 2:
                    once[name] = text
                    continue
                frame = leaf(self._spark, self._spark.sql(_with(text, once)))
                kept.append(frame)
                frame.createOrReplaceTempView(name)
            columns = self._spark.sql(_with(statement.select, once)).toArrow().columns
            return list(zip(*(column.to_pylist() for column in columns), strict=True))
        except Exception as error:
            raise RuntimeError(str(error).strip()) from error
        finally:
            for frame in kept:
                frame.unpersist()

    def close(self) -> None:
        """Drop the tables; the process keeps its Spark, which takes seconds to start."""
        for name in self._views:
            self._spark.catalog.dropTempView(table_sql(name))
        if self._remote:
            self._spark.stop()
            os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)  # else any later Spark of this process is a remote one


def session(
    frames: Frames,
    columns: Mapping[str, set[tuple[str, bool]]],
    dictionary: Dictionary,
    master: str = MASTER,
) -> Session:
    """A session loaded with what these plans read; UsageError (64): no Spark there."""
    return Session(frames, columns, dictionary, master)


def _with(text: str, once: Mapping[str, str]) -> str:
    """A query, with the frames that are read once that it needs: each query of its own costs an analysis."""
    needed, todo = set[str](), [text]
    while todo:
        read = {name for name in _READ.findall(todo.pop()) if name in once}
        todo += [once[name] for name in read]
        needed |= read
    frames = ", ".join(f"{name} AS ({body})" for name, body in once.items() if name in needed)
    return f"WITH {frames} {text}" if frames else text


def opened(master: str, small: bool = False) -> Any:
    """A session of its own that reads statements as the other engines do; UsageError (64): no Spark there.

    `small`: of few rows, for which one partition is best and Java is not worth compiling.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas 3, of settings that are to be what they are
        made = _spark(master)
        for name, value in {**SQL, **(SMALL_SQL if small else {})}.items():
            made.conf.set(name, value)
    return made


def leaf(spark: Any, frame: Any) -> Any:
    """A frame that is read more than once, kept while it is: plans that read it do not hold the plan that makes it.

    Spark has no name for what it computes: plans that read a plan twice hold it twice, and ten levels a thousand times.
    What a lost worker kept is computed again, or (Connect) another one has it.
    """
    from pyspark import StorageLevel
    from pyspark.sql.classic.dataframe import DataFrame

    if not isinstance(frame, DataFrame):
        return frame.localCheckpoint(eager=False, storageLevel=StorageLevel.MEMORY_AND_DISK_2)
    rows, schema = frame._jdf.toJavaRDD(), frame._jdf.schema()
    return DataFrame(spark._jsparkSession.createDataFrame(rows, schema), spark).persist()


def refusals() -> tuple[type[Exception], ...]:
    """What Spark raises when it refuses a statement, not when it is lost."""
    from pyspark import errors

    return (
        errors.AnalysisException, errors.ArithmeticException, errors.ArrayIndexOutOfBoundsException,
        errors.DateTimeException, errors.IllegalArgumentException, errors.NumberFormatException,
        errors.SparkRuntimeException,
    )  # fmt: skip


def _view(name: str) -> str:
    return f"`{table_sql(name).replace('`', '``')}`"


def _table(frames: Frames, frame: Frame, columns: Sequence[tuple[str, bool]], dictionary: Dictionary) -> Any:
    """The columns of one table that plans read, for Spark to take whole."""
    import pyarrow as pa

    kinds = {
        "money": pa.decimal128(18, 2),
        "letters": pa.decimal128(18, 2),
        "percent": pa.decimal128(9, 4),
        "number": pa.int64(),
    }
    families = {"text": pa.string(), "date": pa.date32(), "boolean": pa.bool_()}
    fields = dictionary.tables[frame.name].fields
    size = len(frame)
    listed: dict[str, tuple[Any, Sequence[Any]]] = {
        "row_": (pa.int64(), range(size)),
        "parent_": (pa.int64(), frame.parents),
    }
    if frame.name == ROOT:
        listed["run_"] = (pa.int64(), [item.run for item in frames.submitted])
        listed["stage_"] = (pa.int64(), [frames.stage(index) for index in range(size)])
        listed["reference_"] = (pa.string(), [str(value or "") for value in frame.values["reference"]])
    states = {name for name, is_state in columns if is_state}
    nested = {f"{name}[]" for name, table in dictionary.tables.items() if table.parent == frame.name}
    for name, is_state in columns:
        if not is_state:
            kind = fields[name].type
            listed[name] = (kinds.get(kind) or families[tree.family(kind)], frame.values[name])
    for name in sorted(states | nested):
        listed[state_name(name)] = (pa.int8(), frame.states[name])
    return pa.table(
        [pa.array(values, kind) for kind, values in listed.values()],
        schema=pa.schema([(name, kind) for name, (kind, _) in listed.items()]),
    )


_RUNNING: dict[str, Any] = {}  # master -> its Spark: one at a time in a process


def _spark(master: str) -> Any:
    """A session of its own on that master; UsageError (64): no Spark, no Java, nobody there."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageError([Problem("le moteur Spark manque", todo="Installer quitus[spark].")]) from error
    try:
        if master.startswith("sc://"):
            stop()
            return SparkSession.builder.remote(master).create()
        if master not in _RUNNING:
            stop()
            _RUNNING[master] = _started(SparkSession.builder, master)
        return _RUNNING[master].newSession()
    except (PySparkException, OSError) as error:
        why = str(error).strip().splitlines()[0] if str(error).strip() else ""
        raise UsageError([Problem(f"on ne peut atteindre Spark à « {master} »", why=why)]) from error


def stop() -> None:
    """Stop the Spark of this process, if there is one."""
    while _RUNNING:
        _RUNNING.popitem()[1].stop()


def _started(builder: Any, master: str) -> Any:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        todo = "Installer Java 17 (openjdk-17-jre-headless) ou dire où par JAVA_HOME ; --master sc://… s'en passe."
        raise UsageError([Problem("Java manque : Spark en a besoin sur cette machine", todo=todo)])
    options = dict(CORE)
    if master.startswith("local") or _host(master) in LOOPBACK:
        options |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = builder.appName("quitus").master(master)
    for name, value in options.items():
        builder = builder.config(name, value)
    with _quiet():
        return builder.getOrCreate()


def _host(master: str) -> str:
    return master.partition("://")[2].rpartition(":")[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """What the Java machine says while it starts, and after, goes to a file without a name: reports have the screen."""
    with tempfile.TemporaryFile() as away:
        screen = os.dup(2)
        os.dup2(away.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(screen, 2)
            os.close(screen)
