"""Plans x Parquet -> outcomes, findings and decisions as Parquet, one statement after another. Door: `audit`.

A statement whose rules read across dossiers is run once over all parts; the others slice after slice of parts, so that
memory holds one slice. What a statement gave is kept in the work folder: an audit that was killed goes on from there.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checker.base import plugs
from checker.base.dictionary import ROOT, Dictionary
from checker.base.tree import Plan
from checker.errors import UsageError
from checker.findings import archive_fold as fold
from checker.findings import archive_sql as sql
from checker.findings.archive import FAULTS, Archive, text
from checker.findings.sql import table_sql

STORES = "checker.findings.stores"
OFTEN = 10  # a rule at fault in more than one dossier out of so many is told apart from the rare ones
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an audit of one pack is asked. `rules`: (id, severity) in the order of the plans.

    `waivers`: (rule, reference, start, end, whether it is void whatever the day).
    """

    archive: Archive
    dictionary: Dictionary
    plans: Sequence[Plan]
    rules: Sequence[tuple[str, str]]
    waivers: Sequence[tuple[str, str, dt.date | None, dt.date | None, bool]]
    today: dt.date
    before: Sequence[Archive] = ()  # packs already judged: a dossier that stands there too is not judged again
    memory: str = ""
    threads: int = 1
    engine: str = "duckdb"
    master: str = ""


@dataclass
class _Run:
    asked: Asked
    work: Path
    store: Any  # see `stores/*`
    dialect: sql.Dialect
    faults: dict[int, str] = field(default_factory=dict)

    def source(self, batch: sql.Batch) -> str:
        return str(self.store.source(self.store.emitter.statement(batch.subject, batch.parts)))

    def views(self, parts: Sequence[int], only: str = "") -> None:
        """Show the tables of these parts to the statements; `only`: a table of the dossiers to be seen."""
        where = f"dossier_ IN (SELECT dossier_ FROM {only})" if only else ""
        for name in (*self.asked.dictionary.tables, FAULTS):
            self.store.view(table_sql(name), self.asked.archive.files(name, parts), where)


def audit(asked: Asked, work: Path, tell: Tell) -> dict[str, str]:
    """Write `outcomes`, `findings` and `decisions` in `work/done`, part after part; rule -> why it was refused."""
    plug = plugs.load(STORES, asked.engine)
    store = plug.Store(work, asked)
    run = _Run(asked, work, store, plug.DIALECT)
    try:
        found = sql.batches(asked.plans)
        far, near = [item for item in found if item.far], [item for item in found if not item.far]
        slices = list(_slices(asked.archive, plug.SLICE))
        total = len(far) + len(slices)
        run.views(range(asked.archive.parts))
        store.table("twins_", fold.twins())
        if asked.before:
            store.view("earlier_", [path for item in asked.before for path in item.files(ROOT, range(item.parts))])
        for index, batch in enumerate(far):
            tell(index, total)
            _far(run, batch)
        for index, parts in enumerate(slices):
            tell(len(far) + index, total)
            _slice(run, index, parts, near, far)
        tell(total, total)
    finally:
        store.close()
    return {asked.rules[rule][0]: reason for rule, reason in sorted(run.faults.items())}


def _slices(archive: Archive, dossiers: int) -> Iterator[range]:
    """Runs of parts that hold about so many dossiers."""
    each = max(1, dossiers * archive.parts // max(1, archive.dossiers))
    for start in range(0, archive.parts, each):
        yield range(start, min(start + each, archive.parts))


def _far(run: _Run, batch: sql.Batch) -> None:
    """Keep what a rule that reads across dossiers says of each: its counts, and its findings."""
    (rule,) = batch.rules
    counts, findings = _files(run, batch)
    refused = run.work / f"far{rule}.refused"
    if refused.is_file():
        run.faults[rule] = refused.read_text("utf-8")
    if refused.is_file() or (counts.exists() and findings.exists()):
        return
    rows = run.work / f"far{rule}.rows.parquet"
    try:
        run.store.write(sql.weighed(batch, run.source(batch), run.dialect), rows)
    except RuntimeError as error:
        run.faults[rule] = str(error)
        refused.write_text(str(error), "utf-8")
        return
    run.store.view("far_", [str(rows)])
    grouped = f"SELECT dossier_, COUNT(*) AS n_, CAST(SUM(w) AS BIGINT) AS p{rule} FROM far_ GROUP BY dossier_"
    run.store.write(f"{grouped} ORDER BY dossier_", counts)
    run.store.write("SELECT dossier_, row_, x FROM far_ WHERE x IS NOT NULL ORDER BY dossier_, row_", findings)
    shutil.rmtree(rows) if rows.is_dir() else rows.unlink()


def _files(run: _Run, batch: sql.Batch) -> tuple[Path, Path]:
    (rule,) = batch.rules
    return run.work / f"far{rule}.counts.parquet", run.work / f"far{rule}.findings.parquet"


def _slice(run: _Run, index: int, parts: Sequence[int], near: Sequence[sql.Batch], far: Sequence[sql.Batch]) -> None:
    done = run.work / "done"
    done.mkdir(exist_ok=True)
    mark = run.work / f"slice{index:05d}.done"
    if mark.is_file():
        run.faults.update(_refused(mark))
        return
    run.views(parts)
    run.store.table("d_", fold.dossiers(run.asked, run.dialect))
    before = dict(run.faults)
    held = _counted(run, near)
    held = [(item.only([rule for rule in item.rules if rule not in run.faults]), name) for item, name in held]
    held += [(item, _window(run, item)) for item in far if not set(item.rules) & set(run.faults)]
    held = [(item, name) for item, name in held if item.rules]
    gates = fold.gates(run.asked.plans)
    if gates and run.store.rows(fold.any_hidden(run.asked.plans))[0][0]:
        emitted = run.store.source(run.store.emitter.statement(ROOT, [gate for _, gate in gates]))
        run.store.table("g_", fold.gate_columns(gates, emitted))
        gated = frozenset(key for key, _ in gates)
    else:
        run.store.table("g_", "SELECT dossier_ FROM d_ WHERE FALSE")
        gated = frozenset()
    run.store.table("wide_", fold.wide(run.asked, held, run.faults, gated, run.dialect))
    top = run.store.rows("SELECT MAX(most_) FROM wide_")[0][0]
    if top is not None and top > sql.TOP:
        raise UsageError(f"un dossier a {top} lignes dans une table : au-delà de {sql.TOP}, on ne les compte pas")
    _findings(run, parts, held)
    run.views(parts)
    name = f"part-{index:05d}.parquet"
    for dataset, query in (("outcomes", fold.outcomes), ("findings", fold.told), ("decisions", fold.decisions)):
        (done / dataset).mkdir(exist_ok=True)
        run.store.write(query(run.asked, run.dialect), done / dataset / name)
    new = {rule: reason for rule, reason in run.faults.items() if rule not in before}
    mark.with_suffix(".new").write_text("\n".join(f"{rule} {_line(reason)}" for rule, reason in new.items()), "utf-8")
    mark.with_suffix(".new").replace(mark)


def _line(reason: str) -> str:
    return reason.splitlines()[0][:300] if reason else ""


def _refused(mark: Path) -> dict[int, str]:
    pairs = (line.partition(" ") for line in mark.read_text("utf-8").splitlines())
    return {int(rule): reason for rule, _, reason in pairs}


def _counted(run: _Run, near: Sequence[sql.Batch]) -> list[tuple[sql.Batch, str]]:
    """A table of counts for each statement of the slice; one that is refused is tried again rule by rule."""
    found: list[tuple[sql.Batch, str]] = []
    for batch in near:
        wanted = [rule for rule in batch.rules if rule not in run.faults]
        if not wanted:
            continue
        try:
            found.append(_count(run, batch.only(wanted), f"b{len(found)}"))
        except RuntimeError:
            for rule in wanted:
                try:
                    found.append(_count(run, batch.only([rule]), f"b{len(found)}"))
                except RuntimeError as error:
                    run.faults[rule] = str(error)
    return found


def _count(run: _Run, batch: sql.Batch, name: str) -> tuple[sql.Batch, str]:
    run.store.table(name, sql.counted(batch, run.source(batch)))
    return batch, name


def _window(run: _Run, batch: sql.Batch) -> str:
    """The counts, in this slice, of a rule that reads across dossiers."""
    (rule,) = batch.rules
    counts, _ = _files(run, batch)
    within = "dossier_ BETWEEN (SELECT MIN(dossier_) FROM d_) AND (SELECT MAX(dossier_) FROM d_)"
    run.store.view("far_", [str(counts)])
    run.store.table(f"b_far{rule}", f"SELECT * FROM far_ WHERE {within}")
    return f"b_far{rule}"


def _findings(run: _Run, parts: Sequence[int], held: Sequence[tuple[sql.Batch, str]]) -> None:
    """Fill `told_`: statements are run again for the rules at fault only, over the dossiers at fault only."""
    told = [fold.told_columns(run.dialect)]
    total = run.store.rows("SELECT COUNT(*) FROM d_")[0][0]
    for batch, name in sorted(held, key=lambda item: not item[0].far):
        rules = list(batch.rules)
        counts = ", ".join(f"COUNT(*) FILTER (WHERE p{rule} >= {sql.IND})" for rule in rules)
        (bad,) = run.store.rows(
            f"SELECT {counts} FROM {name} WHERE dossier_ NOT IN (SELECT dossier_ FROM d_ WHERE faulty_)"
        )
        numbers = dict(zip(rules, bad, strict=True))
        often = [rule for rule in rules if numbers[rule] * OFTEN > total]
        rare = [rule for rule in rules if 0 < numbers[rule] * OFTEN <= total]
        for group in (often, rare):
            if group:
                kept = f"told{len(told)}_"
                run.store.table(kept, _retold(run, parts, batch.only(group), name))
                told.append(f"SELECT * FROM {kept}")
    run.store.table("told_", " UNION ALL ".join(told))


def _retold(run: _Run, parts: Sequence[int], batch: sql.Batch, name: str) -> str:
    """The findings of these rules, as a query."""
    wanted = " OR ".join(f"p{rule} >= {sql.IND}" for rule in batch.rules)
    readable = "dossier_ NOT IN (SELECT dossier_ FROM d_ WHERE faulty_)"
    run.store.table("bad_", f"SELECT dossier_ FROM {name} WHERE ({wanted}) AND {readable}")
    run.views(parts, "bad_")
    if batch.far:
        _, kept = _files(run, batch)
        run.store.view("far_", [str(kept)], "dossier_ IN (SELECT dossier_ FROM bad_)")
        return sql.placed("SELECT * FROM far_", batch.subject)
    return sql.placed(sql.findings(batch, run.source(batch), run.dialect), batch.subject)


def summed(folder: Path) -> dict[str, Any]:
    """The decision of a run, its dossiers by decision, and of each rule the dossiers by outcome and its findings."""
    connection = plugs.load("checker.findings.engines", "duckdb").connect()
    try:

        def rows(query: str, dataset: str) -> list[tuple[Any, ...]]:
            files = text(f"{folder}/{dataset}/**/*.parquet")
            found: list[tuple[Any, ...]] = connection.execute(query.format(f"read_parquet({files})")).fetchall()
            return found

        decided = dict(rows("SELECT decision, COUNT(*) FROM {} GROUP BY 1", "decisions"))
        rules: dict[str, dict[str, int]] = {}
        for rule, outcome, number in rows(
            "SELECT rule, outcome, COUNT(*) FROM {} GROUP BY 1, 2 ORDER BY 1, 2", "outcomes"
        ):
            rules.setdefault(rule, {})[outcome] = number
        for rule, number in rows("SELECT rule, COUNT(*) FROM {} GROUP BY 1 ORDER BY 1", "findings"):
            rules.setdefault(rule, {})["findings"] = number
    finally:
        connection.close()
    order = ("non_conforme", "indetermine", "conforme_avec_reserves", "conforme")
    counts = {word: decided[word] for word in order if word in decided}
    decision = next(iter(counts), "conforme")
    return {"decision": decision, "summary": {"dossiers": sum(counts.values()), **counts}, "rules": rules}
