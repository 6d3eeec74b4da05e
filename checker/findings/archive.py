"""Typed tables kept as Parquet: one dataset a table, in parts of the same dossiers. Doors: `Writer`, `opened`.

`FOLDER/_schema.json` says what stands there; `FOLDER/<pack>/<table>/part-00000.parquet` holds the dossiers of part
0 of every table. Columns: `row_` (its number in the whole dataset), `parent_` (that of the row that holds it),
`dossier_`, `rank_` (its place in its dossier, from 1), `key_` (what names it, as written), `file_ line_ column_
page_ place_` (where it was read), then each fact under its name (NULL unless known) and its state under `name?`
(see `model.State`); `x[]?` is the state of the nested list `x`. `dossier` adds `order_` (its place in the run),
`path_`, `written_` (its reference as written), `run_`, `stage_` and `reference_`; `faults_` holds why dossiers
cannot be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checker.base import plugs, tree
from checker.base.dictionary import ROOT, Dictionary
from checker.base.frames import KEYS, Frame, Frames
from checker.errors import Problem, UsageError
from checker.findings.sql import quote, state_name
from checker.model import Place, Value

SCHEMA = "quitus-tables/1"
SCHEMA_FILE = "_schema.json"
FAULTS = "faults_"
PART = "part-{:05d}.parquet"
_GROUP = 100_000  # rows of a group of a file
_PLACE = (
    ("file_", "VARCHAR"),
    ("line_", "INTEGER"),
    ("column_", "INTEGER"),
    ("page_", "INTEGER"),
    ("place_", "VARCHAR"),
)
_KEYS = (("row_", "BIGINT"), ("parent_", "BIGINT"), ("dossier_", "BIGINT"), ("rank_", "INTEGER"), ("key_", "VARCHAR"))
_OF_ROOT = (
    ("order_", "BIGINT"), ("path_", "VARCHAR"), ("written_", "VARCHAR"), ("run_", "BIGINT"), ("stage_", "BIGINT"),
    ("reference_", "VARCHAR"),
)  # fmt: skip
_FAULT = (
    ("dossier_", "BIGINT"),
    ("rank_", "INTEGER"),
    ("what", "VARCHAR"),
    *_PLACE,
    ("excerpt", "VARCHAR"),
    ("todo", "VARCHAR"),
)
Listed = Sequence[tuple[str, str]]


def columns(table: str, dictionary: Dictionary) -> list[tuple[str, str]]:
    """(name, SQL type) of each column of a table, in the order of the files."""
    if table == FAULTS:
        return list(_FAULT)
    plug = plugs.load("checker.findings.engines", "duckdb")
    found = [*_KEYS, *_PLACE, *(_OF_ROOT if table == ROOT else ())]
    for name, item in dictionary.tables[table].fields.items():
        kind: str = plug.TYPES.get(item.type) or plug.FAMILIES[tree.family(item.type)]
        found += [(name, kind), (state_name(name), "TINYINT")]
    nested = [name for name, item in dictionary.tables.items() if item.parent == table]
    return found + [(state_name(f"{name}[]"), "TINYINT") for name in nested]


@dataclass
class Writer:
    """Writes batches of dossiers under one pack, part after part; `rows`: of each table, so far."""

    folder: Path
    dictionary: Dictionary
    rows: dict[str, int] = field(default_factory=dict)
    dossiers: int = 0
    parts: int = 0

    def add(self, frames: Frames, orders: Sequence[int]) -> None:
        """One part more: these dossiers, `orders`: the place of each in the run."""
        before = dict(self.rows)
        connection = plugs.load("checker.findings.engines", "duckdb").connect()
        for name, frame in frames.tables.items():
            columns_of, rows = columns(name, self.dictionary), _rows(frame, frames, before, self.dossiers, orders)
            self._write(name, columns_of, rows, connection)
            self.rows[name] = before.get(name, 0) + len(frame)
        self._write(FAULTS, _FAULT, _faults(frames, self.dossiers), connection)
        connection.close()
        self.dossiers += len(frames.submitted)
        self.parts += 1

    def _write(self, table: str, listed: Listed, rows: Iterator[tuple[Any, ...]], connection: Any) -> None:
        target = self.folder / table
        target.mkdir(parents=True, exist_ok=True)
        spelled = ", ".join(f"{quote(name)} {kind}" for name, kind in listed)
        connection.execute(f"CREATE OR REPLACE TABLE part_ ({spelled})")
        appender = connection.appender("part_")
        appender.append_rows(rows)
        appender.flush()
        copy(connection, "FROM part_", target / PART.format(self.parts))


def copy(connection: Any, query: str, target: Path) -> None:
    """The rows of a query as one Parquet file: whole, or not there."""
    new = target.with_suffix(".new")
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_GROUP}"
    connection.execute(f"COPY ({query}) TO {text(str(new))} ({options})")
    new.replace(target)


def text(value: str) -> str:
    """A text as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def _clean(value: Any) -> Any:
    """A text that UTF-8 can hold; anything else as it is."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _placed(place: Place | None) -> tuple[Any, ...]:
    if place is None:
        return (None,) * 5
    return (_clean(place.file), place.line, place.column, place.page, _clean(place.place))


def _rows(
    frame: Frame, frames: Frames, before: Mapping[str, int], first: int, orders: Sequence[int]
) -> Iterator[tuple[Any, ...]]:
    table = frames.dictionary.tables[frame.name]
    key = KEYS.get(frame.name) or ("cle" if "cle" in table.fields else "")
    above = before.get(table.parent, 0) if table.parent is not None else 0
    nested = [f"{name}[]" for name, item in frames.dictionary.tables.items() if item.parent == frame.name]
    facts: list[Sequence[Any]] = []
    for name in table.fields:
        facts += [frame.values[name], frame.states[name]]
    facts += [frame.states[name] for name in nested]
    cells = zip(*facts, strict=True) if facts else iter([()] * len(frame))
    rank, last = 0, -1
    for index, (dossier, found) in enumerate(zip(frame.dossiers, cells, strict=True)):
        rank, last = (rank + 1 if dossier == last else 1), dossier
        item = frames.submitted[dossier]
        rows = item.rows.tables.get(frame.name, [])
        row: Mapping[str, Value] = rows[rank - 1] if rank <= len(rows) else {}
        named = row.get(key) if key else None
        opening = next(iter(row.values()), None)
        place = Place(item.dossier.manifest, 1, 1) if frame.name == ROOT else opening.place if opening else None
        head: tuple[Any, ...] = (
            before.get(frame.name, 0) + index, above + frame.parents[index], first + dossier, rank,
            _clean(named.raw) if named is not None and named.raw else None, *_placed(place),
        )  # fmt: skip
        if frame.name == ROOT:
            reference = row.get("reference")
            head += (
                orders[dossier], _clean(item.dossier.shown),
                _clean((reference.raw or "").strip()) if reference is not None else "",
                item.run, frames.stage(dossier), _clean(str(frame.values["reference"][index] or "")),
            )  # fmt: skip
        yield (*head, *found)


def _faults(frames: Frames, first: int) -> Iterator[tuple[Any, ...]]:
    for index, item in enumerate(frames.submitted):
        for rank, fault in enumerate(item.rows.faults, start=1):
            yield (
                first + index,
                rank,
                *map(_clean, (fault.what,)),
                *_placed(fault.place),
                _clean(fault.excerpt),
                _clean(fault.todo),
            )


def described(pack: Mapping[str, str], writer: Writer) -> dict[str, Any]:
    """What the published schema says of one pack."""
    held = writer.dictionary.tables
    tables = {
        name: {
            "title": held[name].title if name in held else "Dossiers illisibles",
            "parent": held[name].parent if name in held else None,
            "rows": writer.rows.get(name),
            "columns": [
                _column(writer.dictionary, name, column, kind) for column, kind in columns(name, writer.dictionary)
            ],
        }
        for name in (*held, FAULTS)
    }
    return {**pack, "dossiers": writer.dossiers, "parts": writer.parts, "tables": tables}


def _column(dictionary: Dictionary, table: str, name: str, kind: str) -> dict[str, str]:
    found = dictionary.tables[table].fields.get(name) if table in dictionary.tables else None
    more = {"kind": found.type, "title": found.title} if found is not None else {}
    return {"name": name, "type": kind, **more}


@dataclass(frozen=True)
class Archive:
    """Tables of one pack that stand as Parquet."""

    folder: Path
    said: Mapping[str, Any]

    @property
    def parts(self) -> int:
        return int(self.said["parts"])

    @property
    def dossiers(self) -> int:
        return int(self.said["dossiers"])

    def files(self, table: str, parts: Sequence[int]) -> list[str]:
        """The files of a table in these parts."""
        return [str(self.folder / table / PART.format(part)) for part in parts]


def opened(folder: Path) -> tuple[Mapping[str, Any], list[Archive]]:
    """The published schema of a folder and its packs; UsageError (64): `collect` did not write it."""
    try:
        said = json.loads((folder / SCHEMA_FILE).read_text("utf-8"))
        assert said["schema"] == SCHEMA
        found = [Archive(folder / item["id"], item) for item in said["packs"]]
    except (OSError, ValueError, KeyError, TypeError, AssertionError):
        what, todo = "ce ne sont pas des tables de quitus", "Les écrire par `quitus collect`."
        raise UsageError([Problem(what, str(folder), todo=todo)]) from None
    gone = [
        path
        for item in found
        for table in item.said["tables"]
        for path in item.files(table, range(item.parts))
        if not Path(path).is_file()
    ]
    if gone:
        raise UsageError([Problem("il manque un fichier de ces tables", gone[0], todo="Refaire `quitus collect`.")])
    return said, found
