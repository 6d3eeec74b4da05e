"""DuckDB, embedded: the light core is loaded when it is there, rows go in by its appender."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from checker.base import tree
from checker.base.dictionary import ROOT, Dictionary
from checker.base.frames import Frame, Frames
from checker.findings.dialect import COMMON, iban, letters_spelt, until_9999, vat
from checker.findings.sql import Emitter, Statement, quote, state_name, table_sql

TYPES = {"money": "DECIMAL(18,2)", "letters": "DECIMAL(18,2)", "percent": "DECIMAL(9,4)", "number": "BIGINT"}
FAMILIES = {"text": "VARCHAR", "date": "DATE", "boolean": "BOOLEAN"}


_PAIRS = "[" + ", ".join(str(low + (2 * high - 9 * (high > 4))) for high in range(10) for low in range(10)) + "]"


def _luhn(first: int, length: int) -> str:
    """Luhn's sum of the digits of n from the power `first` of ten on, two at a time: the second of two is doubled."""
    pairs = (f"{_PAIRS}[1 + (n // {10 ** (first + place)}) % 100]" for place in range(0, length, 2))
    return f"({' + '.join(pairs)}) % 10"


def _of_number(text: str, body: str) -> str:
    """A condition on the number n that a text spells, read once: inside CASE no engine sees what is repeated."""
    return f"list_transform([TRY_CAST({text} AS BIGINT)], lambda n: {body})[1]"


_SUM14 = " + ".join(f"(n // {10**place}) % 10" for place in range(14))
_SIREN = f"(regexp_full_match({{0}}, '[0-9]{{{{9}}}}') AND {_of_number('{0}', f'{_luhn(0, 9)} = 0')})"
_POSTE = f"(n // 100000 = 356000000 AND ({_SUM14}) % 5 = 0)"
_SIRET = (
    "(regexp_full_match({0}, '[0-9]{{14}}') AND "
    f"{_of_number('{0}', f'({_luhn(0, 14)} + {_luhn(5, 9)} = 0 OR {_POSTE})')})"
)


def _full(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, '{pattern}')"


# Modulo 97, digit after digit.
_DIGITS = f"list_transform(string_split({letters_spelt()}, ''), lambda c: TRY_CAST(c AS BIGINT))"
_REST = f"list_reduce({_DIGITS}, lambda a, c: (a * 10 + c) % 97, 0)"

TEMPLATES: Mapping[str, str] = {
    **COMMON,
    "apart": "",  # a window sorts texts; a hash of the keys tells most rows that they are alone
    "part": "CAST(ROUND(CAST({0} AS DECIMAL(26,2)) * CAST({1} AS DECIMAL(9,4)) * 0.01, 2) AS DECIMAL(26,2))",
    "match": "regexp_full_match({0}, {1})",
    "starts": "starts_with({0}, {1})",
    "contains": "contains({0}, {1})",
    "left": "left({0}, {1})",
    "length": "length({0})",
    "year": "CAST(year({0}) AS BIGINT)",
    "month": "CAST(month({0}) AS BIGINT)",
    "add_years": until_9999("CAST({0} + to_years(CAST({1} AS INTEGER)) AS DATE)"),
    "add_months": until_9999("CAST({0} + to_months(CAST({1} AS INTEGER)) AS DATE)"),
    "add_days": until_9999("CAST({0} + CAST({1} AS INTEGER) AS DATE)"),
    "year_end": until_9999("make_date(CAST(year({0}) + {1} AS INTEGER), 12, 31)"),
    "siren": _SIREN,
    "siret": _SIRET,
    "vat": vat(_full, "TRY_CAST"),
    "iban": iban(_full, _REST),
    "null_text": "CAST(NULL AS VARCHAR)",
}


SMALL = 20_000  # rows of a batch below which a second thread costs more than it gives
FEW = 1_000  # rows of a batch below which a plan costs more to optimise than to run as it is written


class Session:
    """A database that holds the columns that plans read, of one batch."""

    def __init__(self, frames: Frames, columns: Mapping[str, set[tuple[str, bool]]], dictionary: Dictionary) -> None:
        self._core = _core()
        rows = sum(len(frame) for frame in frames.tables.values())
        self._connection = self._core.connect(":memory:", config={"threads": 1 if rows < SMALL else 2})
        self._connection.execute("SET TimeZone = 'UTC'")
        if rows < FEW:
            self._connection.execute("PRAGMA disable_optimizer")
        self.emitter = Emitter(TEMPLATES, dictionary)
        tables = set(columns)
        for name in list(tables):
            while (parent := dictionary.tables[name].parent) is not None:
                tables.add(parent)
                name = parent
        for name in sorted(tables):
            self._load(frames, frames.tables[name], sorted(columns.get(name, ())), dictionary)

    def _load(self, frames: Frames, frame: Frame, columns: Sequence[tuple[str, bool]], dictionary: Dictionary) -> None:
        fields = dictionary.tables[frame.name].fields
        size = len(frame)
        listed: list[tuple[str, str, Sequence[Any]]] = [
            ("row_", "BIGINT", range(size)),
            ("parent_", "BIGINT", frame.parents),
        ]
        if frame.name == ROOT:
            listed += [
                ("run_", "BIGINT", [item.run for item in frames.submitted]),
                ("stage_", "BIGINT", [frames.stage(index) for index in range(size)]),
                ("reference_", "VARCHAR", [str(value or "") for value in frame.values["reference"]]),
            ]
        states = {name for name, is_state in columns if is_state}
        nested = [f"{name}[]" for name, table in dictionary.tables.items() if table.parent == frame.name]
        for name, is_state in columns:
            if not is_state:
                kind = fields[name].type
                listed.append((name, TYPES.get(kind) or FAMILIES[tree.family(kind)], frame.values[name]))
        for name in sorted(states | set(nested)):
            listed.append((state_name(name), "TINYINT", frame.states[name]))
        spelled = ", ".join(f"{quote(name)} {kind}" for name, kind, _ in listed)
        self._connection.execute(f"CREATE TABLE {quote(table_sql(frame.name))} ({spelled})")
        if size:
            appender = self._connection.appender(table_sql(frame.name))
            appender.append_rows(zip(*(values for _, _, values in listed), strict=True))
            appender.flush()

    def run(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows of a statement (RuntimeError with the engine's words when it refuses it)."""
        try:
            rows: list[tuple[Any, ...]] = self._connection.execute(statement.sql).fetchall()
        except Exception as error:
            if "interrupted" in str(error).lower():  # Ctrl-C reaches the engine first
                raise KeyboardInterrupt from None
            raise RuntimeError(str(error)) from error
        return rows

    def close(self) -> None:
        """Release the memory."""
        self._connection.close()


def session(frames: Frames, columns: Mapping[str, set[tuple[str, bool]]], dictionary: Dictionary) -> Session:
    """A database loaded with what these plans read."""
    return Session(frames, columns, dictionary)


def connect(folder: Path | None = None, memory: str = "", threads: int = 1) -> Any:
    """A bare database, in UTC: rows in no order of their own, what exceeds `memory` spilt under `folder`."""
    config: dict[str, Any] = {"threads": threads, "preserve_insertion_order": folder is None}
    if memory:
        config["memory_limit"] = memory
    if folder is not None:
        config["temp_directory"] = str(folder)
    connection = _core().connect(":memory:", config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _core() -> Any:
    try:
        return importlib.import_module("_duckdb")
    except ImportError:
        return importlib.import_module("duckdb")
