"""The Parquet format: the rows of `csv`, typed, as pyarrow and DuckDB read them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Quitus
from test_reports import BREACH, CASES, GREEN, HOSTILE, PACK, a_dossier, a_result, a_run

from checker import reports
from checker.errors import UsageError
from checker.model import Clause, Finding, Place, Remedy, Verdicts
from checker.reports import flat
from checker.reports.formats import parquet

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ("fixtures/conforme", "fixtures/fautif")
ANSWERS = {True: "oui", False: "non", None: ""}
LONG = "n" * 10_000
EVIL = [*HOSTILE, "=HYPERLINK(1)", "'=1", "a\x00b", "\ud800", "\u202e", "<script>", LONG]


def rows(data: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(pa.BufferReader(data)).to_pylist()
    return found


def written(row: dict[str, Any]) -> dict[str, str]:
    """A row as `csv` writes it."""
    day = row["date_controle"]
    return row | {"date_controle": day.isoformat() if day else "", "deroge": ANSWERS[row["deroge"]]}


def of_csv(data: bytes) -> list[dict[str, str]]:
    found = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    return [{key: cell.removeprefix("'") for key, cell in line.items()} for line in found]


@pytest.mark.parametrize("fixture", FIXTURES)
def test_the_rows_are_those_of_csv(quitus: Quitus, fixture: str, tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    done = quitus("check", fixture, "-f", f"parquet:{file}", "-f", f"csv:{tmp_path / 'x.csv'}")
    assert done.returncode in (0, 1, 2), done.stderr
    expected = of_csv((tmp_path / "x.csv").read_bytes())
    assert len(expected) > 50
    assert [written(row) for row in rows(file.read_bytes())] == expected
    with duckdb.connect() as base:
        read = base.execute("SELECT * FROM read_parquet(?)", [str(file)])
        names = [column[0] for column in read.description]
        assert [written(dict(zip(names, line, strict=True))) for line in read.fetchall()] == expected
        kinds = dict(base.execute("SELECT name, logical_type FROM parquet_schema(?)", [str(file)]).fetchall())
        assert kinds["date_controle"] == "DateType()"
        pairs = base.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(file)]).fetchall()
    said = {bytes(key): bytes(value) for key, value in pairs}
    (pack,) = json.loads(said[b"quitus.packs"])
    assert len(pack["sha256"]) == 64
    assert json.loads(said[b"quitus.settings"])["path"] == f"{fixture}/quitus.yaml"


def test_columns_have_their_types() -> None:
    schema = pq.read_schema(pa.BufferReader(reports.render(CASES["non_conforme"], "parquet")))
    assert tuple(schema.names) == flat.Line._fields
    kinds = {field.name: field.type for field in schema if field.type != pa.string()}
    assert kinds == {"date_controle": pa.date32(), "deroge": pa.bool_()}
    said = schema.metadata
    assert said[b"quitus.version"] == b"0.1.0"
    assert json.loads(said[b"quitus.packs"]) == [{key: PACK[key] for key in ("id", "version", "sha256")}]


def test_a_date_is_a_date_and_no_date_is_null() -> None:
    run = a_run(a_dossier(*GREEN), a_dossier(*GREEN, control_date=None))
    days = {row["date_controle"] for row in rows(reports.render(run, "parquet"))}
    assert days == {dt.date(2019, 5, 20), None}
    assert [row["deroge"] for row in rows(reports.render(a_run(), "parquet"))] == [None]


@pytest.mark.parametrize("value", EVIL)
def test_hostile_values_are_whole_and_inert(value: str) -> None:
    spot = Place(value, 1, 1, 1, value)
    finding = Finding("R", value, BREACH, value, value, value, value, (value,), (spot,), (value,))
    result = a_result("R", BREACH, finding, title=value, clause=Clause(value, value), remedy=Remedy(value, value))
    run = a_run(a_dossier(result, reference=value, stage=value, pack={**PACK, "version": value}), version=value)
    data = reports.render(run, "parquet")
    (row,) = rows(data)
    (item,) = list(flat.items(run, {"list.comma": ", ", "text.page": "{page}"}))
    assert row["dossier"] == item.line.dossier
    assert row["observe"] == item.line.observe
    assert not {"\x00", "\u202e", "\x1b"} & set("".join(text for text in (row["dossier"], row["message"])))
    if value == LONG:
        assert row["observe"] == LONG


def big() -> Verdicts:
    return a_run(*(a_dossier(*GREEN, reference=f"EX-{number}") for number in range(40)))


def test_many_rows_go_group_by_group(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows(reports.render(big(), "parquet"))
    monkeypatch.setattr(parquet, "GROUP", 7)
    data = reports.render(big(), "parquet")
    assert pq.read_metadata(pa.BufferReader(data)).num_row_groups == -(-len(whole) // 7) > 1
    assert rows(data) == whole


def test_the_bytes_depend_on_nothing_else(tmp_path: Path) -> None:
    found = set()
    for seed, zone in (("0", "UTC"), ("1", "Pacific/Kiritimati")):
        target = tmp_path / f"{seed}.parquet"
        command = [sys.executable, "-m", "checker", "check", "fixtures/fautif", "-f", f"parquet:{target}"]
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False)
        found.add(target.read_bytes())
    assert len(found) == 1


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"quitus\[parquet\]"):
        reports.render(CASES["conforme"], "parquet")
