"""PostgreSQL (12 or later, UTF-8): the rows of a batch in temporary tables of one connection, nothing left behind.

`place` is what libpq reads (« host=… dbname=… », « postgresql://… »), "" its environment (PGHOST, PGDATABASE…).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from checker.base import tree
from checker.base.dictionary import ROOT, Dictionary
from checker.base.frames import Frame, Frames
from checker.base.tree import Call, Literal, Part
from checker.errors import Problem, UsageError
from checker.findings.dialect import COMMON, iban, letters_spelt, siren, siret, until_9999, vat
from checker.findings.reads import PER_PART
from checker.findings.sql import Emitter, Statement, quote, state_name, table_sql

TEXT = 'TEXT COLLATE "C"'  # by code points, whatever the database sorts by
TYPES = {"money": "NUMERIC(18,2)", "letters": "NUMERIC(18,2)", "percent": "NUMERIC(9,4)", "number": "BIGINT"}
FAMILIES = {"text": TEXT, "date": "DATE", "boolean": "BOOLEAN"}
LONGEST = 63  # bytes of a name: a longer one is cut without a word, and two may become one
SYSTEM = frozenset("cmax cmin ctid tableoid xmax xmin".split())  # columns that every table has
WIDEST = 1_200  # columns of a statement; PostgreSQL refuses 1,665 in one SELECT, whichever of its frames
OLDEST = 120_000
SETTINGS = (
    "SET client_encoding TO 'UTF8'; SET standard_conforming_strings TO on; SET search_path TO pg_catalog, pg_temp; "
    "SET TimeZone TO 'UTC'; SET DateStyle TO 'ISO, YMD'; SET jit TO off"
)


def _digit(text: str, position: int) -> str:
    """A digit as a number; of anything else, some number: nothing is refused."""
    return f"(ascii(substr({text}, {position}, 1)) - 48)"


def _full(text: str, pattern: str) -> str:
    return f"({text} ~ '\\A(?:{pattern})\\Z')"


TEMPLATES: Mapping[str, str] = {
    **COMMON,
    "integer": "INTEGER",  # a boolean is made no other number
    "part": "ROUND(CAST({0} AS NUMERIC(26,2)) * CAST({1} AS NUMERIC(9,4)) * 0.01, 2)",
    "match": "({0} ~ ('\\A(?:' || {1} || ')\\Z'))",
    "starts": "starts_with({0}, {1})",
    "contains": "(strpos({0}, {1}) > 0)",
    "left": "left({0}, CAST({1} AS INTEGER))",
    "year": "CAST(EXTRACT(YEAR FROM {0}) AS BIGINT)",
    "month": "CAST(EXTRACT(MONTH FROM {0}) AS BIGINT)",
    "add_years": until_9999("CAST({0} + make_interval(years => CAST({1} AS INTEGER)) AS DATE)"),
    "add_months": until_9999("CAST({0} + make_interval(months => CAST({1} AS INTEGER)) AS DATE)"),
    "add_days": until_9999("({0} + CAST({1} AS INTEGER))"),
    "year_end": until_9999("make_date(CAST(EXTRACT(YEAR FROM {0}) + {1} AS INTEGER), 12, 31)"),
    "siren": siren(_full, _digit),
    "siret": siret(_full, _digit),
    "vat": vat(_full, "CAST"),
    "iban": iban(_full, f"CAST({letters_spelt()} AS NUMERIC) % 97"),
    "text": "TEXT '{0}'",
    "null_text": "CAST(NULL AS TEXT)",
}
FULL = "PostgreSQL n'a pas de caractère U+0000, et U+0001 à U+0008 ne peuvent en tenir lieu : ils y sont aussi"
LOW = "".join(map(chr, range(9)))  # before those that part lines and words
_LOW = re.compile(f"[{LOW}]")
_TOKENS = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])*\]|\.", re.DOTALL)


class Dialect(Emitter):
    """What templates alone cannot say: names that fit, the type of what is unknown, `.` that stops at a new line."""

    def spell(self, name: str) -> str:
        """A name, quoted; one that is too long keeps its beginning and the hash of all of it."""
        whole = name.encode()
        if len(whole) > LONGEST or name in SYSTEM or _LOW.search(name):
            mark = "~" + hashlib.blake2b(whole, digest_size=16).hexdigest()
            name = _LOW.sub("", whole[: LONGEST - len(mark)].decode(errors="ignore")) + mark
        return quote(name)

    def nothing(self, kind: str) -> str:
        """A typed NULL: a SELECT DISTINCT makes text of one without a type."""
        return self.literal(Literal(kind, None))

    def _call(self, node: Call, args: list[str]) -> str:
        if node.op == "match" and isinstance(node.args[1], Literal) and node.args[1].value is not None:
            lines = _TOKENS.sub(lambda found: r"[^\n]" if found[0] == "." else found[0], str(node.args[1].value))
            args = [args[0], self.literal(Literal("string", lines))]
        return super()._call(node, args)


class Session:
    """A connection that holds the columns that plans read, of one batch."""

    def __init__(
        self, frames: Frames, columns: Mapping[str, set[tuple[str, bool]]], dictionary: Dictionary, place: str
    ) -> None:
        self._psycopg, self._connection = connected(place)
        self.emitter = Dialect(TEMPLATES, dictionary)
        tables = set(columns)
        for name in list(tables):
            while (parent := dictionary.tables[name].parent) is not None:
                tables.add(parent)
                name = parent
        listed = {
            name: _listed(frames, frames.tables[name], sorted(columns.get(name, ())), dictionary) for name in tables
        }
        used = set().union(*(text for text in _texts(listed) if _LOW.search(text)))
        self._low = not used.isdisjoint(LOW)
        self._shift, self._refused = _shift(used)
        self._back = {code: before for before, code in self._shift.items()}
        try:
            for name in sorted(tables):
                self._load(table_sql(name), listed[name])
        except (self._psycopg.DataError, UnicodeError) as error:
            self._refused = self._refused or _words(error)
        except self._psycopg.Error as error:
            self.close()
            what = "PostgreSQL ne prend pas les lignes du lot"
            raise UsageError([Problem(what, why=_words(error), todo="Y permettre les tables temporaires.")]) from error

    def _load(self, name: str, listed: Mapping[str, tuple[str, Sequence[Any]]]) -> None:
        cursor, spell = self._connection.cursor(), self.emitter.spell
        spelled = ", ".join(f"{spell(column)} {kind}" for column, (kind, _) in listed.items())
        cursor.execute(f"CREATE TEMPORARY TABLE {spell(name)} ({spelled})")
        columns = [
            [_moved(value, self._shift) for value in values] if kind == TEXT else values
            for kind, values in listed.values()
        ]
        with cursor.copy(f"COPY {spell(name)} FROM STDIN") as copy:
            for row in zip(*columns, strict=True):
                copy.write_row(row)
        cursor.execute(f"ANALYZE {spell(name)}")

    def run(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows of a statement (RuntimeError with the engine's words when it refuses it; UsageError: it is gone)."""
        chunks = _chunks(statement.parts)
        if len(chunks) < 2:
            return self._run(statement)
        asked = [self._run(self.emitter.statement(statement.subject, chunk)) for chunk in chunks]
        for rows in asked:
            rows.sort(key=lambda row: int(row[1]))
        return [(*rows[0], *(value for row in rows[1:] for value in row[2:])) for rows in zip(*asked, strict=True)]

    def _run(self, statement: Statement) -> list[tuple[Any, ...]]:
        # As views of one text, frames read twice would be written twice, and ten levels a thousand times.
        frames = ",\n".join(f"{name} AS MATERIALIZED ({text})" for name, text in statement.frames)
        return self.ask(f"WITH {frames}\n{statement.select}")

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a text of SQL, as `run` says."""
        if self._refused:
            raise RuntimeError(self._refused)
        low = _LOW.search(sql)
        if low:
            if not self._shift or chr(len(self._shift)) in sql:
                raise RuntimeError(FULL)
            sql = sql.translate(self._shift)
        try:
            rows: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        except (self._psycopg.Error, UnicodeError) as error:
            if self._connection.broken:
                raise UsageError([Problem("PostgreSQL a cessé de répondre", why=_words(error))]) from error
            raise RuntimeError(_words(error)) from error
        return [tuple(_moved(value, self._back) for value in row) for row in rows] if low or self._low else rows

    def close(self) -> None:
        """Leave: temporary tables go with their connection."""
        self._connection.close()


def session(
    frames: Frames, columns: Mapping[str, set[tuple[str, bool]]], dictionary: Dictionary, place: str = ""
) -> Session:
    """A connection loaded with what these plans read; UsageError (64): no psycopg, no server there."""
    return Session(frames, columns, dictionary, place)


def connected(place: str) -> tuple[Any, Any]:
    """(psycopg, a connection that reads statements as the other engines do); UsageError (64): none there.

    What `place` holds is not said again: it may hold a password.
    """
    try:
        import psycopg
    except ImportError as error:
        raise UsageError([Problem("le moteur PostgreSQL manque", todo="Installer quitus[postgresql].")]) from error
    told = 'Dire où il est : --engine "postgresql@host=… dbname=… user=…", ou PGHOST, PGDATABASE, PGUSER.'
    try:
        connection = psycopg.connect(place, autocommit=True, prepare_threshold=None)
    except psycopg.OperationalError as error:
        raise UsageError([Problem("on ne peut atteindre PostgreSQL", why=_words(error), todo=told)]) from error
    except psycopg.Error as error:
        raise UsageError([Problem("l'adresse de PostgreSQL est mal formée", todo=told)]) from error
    if connection.info.server_version < OLDEST or connection.info.parameter_status("server_encoding") != "UTF8":
        connection.close()
        raise UsageError([Problem("il faut PostgreSQL 12 ou plus récent, et une base en UTF-8", todo=told)])
    connection.execute(SETTINGS)
    return psycopg, connection


def _listed(
    frames: Frames, frame: Frame, columns: Sequence[tuple[str, bool]], dictionary: Dictionary
) -> dict[str, tuple[str, Sequence[Any]]]:
    """column -> (its type, its values), of what plans read of a table."""
    fields = dictionary.tables[frame.name].fields
    size = len(frame)
    listed: dict[str, tuple[str, Sequence[Any]]] = {
        "row_": ("BIGINT", range(size)),
        "parent_": ("BIGINT", frame.parents),
    }
    if frame.name == ROOT:
        listed["run_"] = ("BIGINT", [item.run for item in frames.submitted])
        listed["stage_"] = ("BIGINT", [frames.stage(index) for index in range(size)])
        listed["reference_"] = (TEXT, [str(value or "") for value in frame.values["reference"]])
    for name, is_state in columns:
        if not is_state:
            kind = fields[name].type
            listed[name] = (TYPES.get(kind) or FAMILIES[tree.family(kind)], frame.values[name])
    states = {name for name, is_state in columns if is_state}
    nested = {f"{name}[]" for name, table in dictionary.tables.items() if table.parent == frame.name}
    for name in sorted(states | nested):
        listed[state_name(name)] = ("SMALLINT", [int(state) for state in frame.states[name]])
    return listed


def _chunks(parts: Sequence[Part]) -> list[list[Part]]:
    """The parts, in lists that make no SELECT too wide: a named value has up to twenty columns while it is made."""
    found: list[list[Part]] = [[]]
    wide = 0
    for part in parts:
        own = PER_PART + len(part.shows) + 20 * len(part.lets)
        if found[-1] and wide + own > WIDEST:
            found.append([])
            wide = 0
        found[-1].append(part)
        wide += own
    return found


def _shift(used: Set[str]) -> tuple[dict[int, int], str]:
    """(code points to others, why the batch is refused): PostgreSQL has no U+0000; a rule may have one, or a text.

    It and those after it move up by one, up to one that no text of the batch has (`used`: what they have): what differs
    differs still, in the same order, of the same length, and no pattern tells them apart.
    """
    free = next((code for code in range(1, len(LOW)) if LOW[code] not in used), None)
    if free is None:
        return {}, FULL if "\0" in used else ""
    return {code: code + 1 for code in range(free)}, ""


def _texts(listed: Mapping[str, Mapping[str, tuple[str, Sequence[Any]]]]) -> Iterator[str]:
    for columns in listed.values():
        for kind, values in columns.values():
            if kind == TEXT:
                yield from (value for value in values if value is not None)


def _moved(value: Any, codes: Mapping[int, int]) -> Any:
    return value.translate(codes) if isinstance(value, str) and _LOW.search(value) else value


def _words(error: Exception) -> str:
    """The first line of what it says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
