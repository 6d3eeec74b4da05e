"""A table for databases and notebooks: the rows and the columns of `csv`, typed, in one Parquet file.

`date_controle` is a date and `deroge` a boolean, null where the row has none; all else is text, empty where the row has
none: what is observed or expected is as the dossier writes it, an amount, a code or a sentence. No apostrophe is put in
front of a cell as `csv` does: no program computes a text of Parquet. The schema says the version of the program, the
packs and the settings. The same run has the same bytes under one version of pyarrow. Needs the extra `parquet`.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from checker.base.words import Words
from checker.errors import Problem, UsageError
from checker.model import Verdicts
from checker.reports import flat
from checker.reports.flat import Line
from checker.reports.inert import encode

SCHEMA = "quitus-findings/1"
GROUP = 50_000  # rows held in memory, and rows of a group of the file
_DATES = ("date_controle",)
_ANSWERS = {"oui": True, "non": False, "": None}  # `deroge`


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The file of a run."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        said = words["flat.library"].format(format="parquet", library="pyarrow")
        raise UsageError([Problem(said, todo=words["parquet.install"])]) from None

    kinds = {"deroge": pa.bool_()} | dict.fromkeys(_DATES, pa.date32())
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in Line._fields], _identity(verdicts))
    file = io.BytesIO()
    with pq.ParquetWriter(file, schema, compression="snappy") as writer:
        for lines in _groups(item.line for item in flat.items(verdicts, words)):
            writer.write_table(pa.table(_columns(lines), schema=schema), row_group_size=GROUP)
    return file.getvalue()


def _groups(lines: Iterable[Line]) -> Iterator[list[Line]]:
    found = iter(lines)
    while group := list(islice(found, GROUP)):
        yield group


def _columns(lines: Sequence[Line]) -> dict[str, list[Any]]:
    return {
        name: [_value(name, text) for text in column]
        for name, column in zip(Line._fields, zip(*lines, strict=True), strict=True)
    }


def _value(name: str, text: str) -> str | bool | dt.date | None:
    if name == "deroge":
        return _ANSWERS[text]
    if name in _DATES:
        return dt.date.fromisoformat(text) if text else None
    return encode(text).decode()


def _identity(verdicts: Verdicts) -> dict[str, bytes]:
    """What produced the rows, as text: Parquet holds no other metadata."""
    packs = [{key: pack.get(key, "") for key in ("id", "version", "sha256")} for pack in verdicts.packs]
    settings = {key: (verdicts.settings or {}).get(key) or "" for key in ("path", "sha256")}
    said = {
        "quitus.schema": SCHEMA,
        "quitus.version": verdicts.version,
        "quitus.packs": json.dumps(packs),
        "quitus.settings": json.dumps(settings if verdicts.settings else None),
    }
    return {key: encode(text) for key, text in said.items()}
