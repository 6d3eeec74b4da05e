"""Cases that others wrote: the published rules of CDISC, said as rules of ours, judged by our own corridor.

    python tests/conformance/cdisc.py FOLDER [--json FILE]

FOLDER holds one folder a rule: `rule.yml`, `positive/NN` and `negative/NN`. A `Check` there states the fault; ours the
duty. Nothing is evaluated here: `saying` writes a pack (pack.yaml, rules, dossier.schema.json), the loader, the
compiler and the engine of the house do the rest, all cases of a rule in one batch, a case a dossier.
Prints a line for each case that differs and, last, `N/M cases exact`.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

import saying  # noqa: E402
import yaml  # noqa: E402
from saying import Dataset, Line  # noqa: E402

from checker import findings, packs, plans, tables  # noqa: E402
from checker.base import dictionary as dictionaries  # noqa: E402
from checker.base.dictionary import ROOT  # noqa: E402
from checker.errors import ConfigurationError  # noqa: E402
from checker.model import Dossier, Evaluated, Outcome, Place, Row, Rows, Submitted, Value  # noqa: E402

PACK = "cdisc"
Cited = frozenset[tuple[str, int]]  # (data set, record from 1)


@dataclass(frozen=True, slots=True)
class Case:
    """A case on disk. `expected`: (data set, record) -> its variables."""

    name: str
    datasets: tuple[Dataset, ...]
    expected: Mapping[tuple[str, int], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A case beside what we say. `open`: records of which we say « cannot be told »; `apart`: their data sets lack
    a column that the rule reads, so that CDISC's engine skips them."""

    name: str
    missing: tuple[tuple[str, int], ...]
    extra: tuple[tuple[str, int], ...]
    variables: tuple[str, ...]
    open: tuple[tuple[str, int], ...]
    apart: bool
    fault: str = ""

    @property
    def exact(self) -> bool:
        """No finding more or less, no other variable, nothing open but what the other engine skips."""
        return not (self.missing or self.extra or self.variables or self.open or self.fault)

    def line(self) -> str:
        """What differs, on one line."""
        said = [self.name]
        said += [f"{name}={_few(found)}" for name, found in (("missing", self.missing), ("extra", self.extra)) if found]
        said += [f"variables={','.join(self.variables)}"] if self.variables else []
        said += [f"indetermine={_few(self.open)}"] if self.open else []
        return " ".join([*said, self.fault]).rstrip()


def _few(found: Sequence[tuple[str, int]]) -> str:
    shown = ",".join(f"{name}#{record}" for name, record in found[:4])
    return shown + (f" (+{len(found) - 4})" if len(found) > 4 else "")


def read(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file, by header."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [{key: value or "" for key, value in row.items() if key} for row in csv.DictReader(stream)]


def cases(folder: Path) -> list[Case]:
    """The cases of a rule that have expected findings."""
    found = []
    for path in sorted(folder.glob("*/*/results/results.csv")):
        home = path.parent.parent
        found.append(Case(f"{folder.name}/{home.parent.name}/{home.name}", _datasets(home / "data"), _expected(path)))
    return found


def _datasets(folder: Path) -> tuple[Dataset, ...]:
    files = {path.stem.lower(): path for path in sorted(folder.glob("*.csv")) if not path.name.startswith("_")}
    listed = folder / "_datasets.csv"
    names = [line["Filename"].removesuffix(".csv") for line in read(listed)] if listed.is_file() else list(files)
    found = []
    for name in names:
        if name.lower() not in files:
            continue
        with files[name.lower()].open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))
        columns = tuple(item.strip() for item in rows[0]) if rows else ()
        lines = [
            Line(name.upper(), number, dict(zip(columns, cells, strict=False)))
            for number, cells in enumerate((cells for cells in rows[1:] if cells), start=1)
        ]
        found.append(Dataset(name, columns, lines))
    return tuple(_united(found))


def _united(found: Sequence[Dataset]) -> list[Dataset]:
    """The files of one domain cut into several (LBAE, LBDS) are one data set."""
    groups: dict[str, list[Dataset]] = {}
    for item in found:
        cut = len(item.name) > 2 and item.name.upper().startswith(item.domain) and item.domain != item.name.upper()
        groups.setdefault(item.domain if cut else item.name.upper(), []).append(item)
    return [
        items[0]
        if len(items) == 1
        else Dataset(
            items[0].name,
            tuple(dict.fromkeys(column for item in items for column in item.columns)),
            [line for item in items for line in item.lines],
        )
        for items in groups.values()
    ]


def _expected(path: Path) -> dict[tuple[str, int], frozenset[str]]:
    found: dict[tuple[str, int], set[str]] = {}
    for row in read(path):
        if row.get("Record") == "":  # their mark for a data set that they skip
            continue
        if "path" in row:  # the other dialect of these files: /Activity/0
            _, name, index = row["path"].split("/")
            key, variable = (name.upper(), int(index) + 1), row["attribute"]
        else:
            key, variable = (row["Dataset"].removesuffix(".csv").upper(), int(row["Record"])), row["Variable"]
        found.setdefault(key, set()).add(variable)
    return {key: frozenset(variables) for key, variables in found.items()}


def judge(folder: Path, work: Path) -> list[Judged]:
    """Every case of a rule, judged in one batch by the pack that says it."""
    wanted = cases(folder)
    if not wanted:
        return []
    rule = yaml.safe_load((folder / "rule.yml").read_text("utf-8"))
    try:
        said = saying.pack(folder.name, rule, [item.datasets for item in wanted])
    except saying.Unsaid as error:
        return [_refused(item, f"no kind says « {error} »") for item in wanted]
    home = work / folder.name / PACK
    home.mkdir(parents=True)
    for name, data in said.files.items():
        (home / name).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    try:
        pack = packs.load(home.parent, PACK)
        dictionary = dictionaries.load(*pack.extensions)
        compiled = plans.compile_pack(pack, dictionary, said.rules)
    except ConfigurationError as error:
        return [_refused(item, f"refused: {error}") for item in wanted]
    submitted = [_submitted(index, item, said) for index, item in enumerate(wanted)]
    evaluated, faults = findings.evaluate(compiled, tables.build(submitted, dictionary))
    if faults:
        return [_refused(item, f"engine: {faults[0]}") for item in wanted]
    return [_compare(item, index, evaluated, said) for index, item in enumerate(wanted)]


def _refused(case: Case, reason: str) -> Judged:
    return Judged(case.name, (), (), (), (), False, " ".join(reason.split())[:300])


def _submitted(index: int, case: Case, said: saying.Said) -> Submitted:
    """A case as a dossier: its lines as facts of text, each with its data set, record and variable."""
    given = {"convention": PACK, "reference": case.name, "etape": "mise_en_paiement", "date_controle": "2026-01-01"}
    rows: dict[str, list[Row]] = {ROOT: [{name: Value(raw, Place("case")) for name, raw in given.items()}]}
    parents = {ROOT: [0]}
    for dataset in case.datasets:
        table = said.tables.get(dataset.key)
        if table is None:
            continue
        rows[table.name] = [_row(line, table) for line in dataset.lines]
        parents[table.name] = [0] * len(dataset.lines)
    return Submitted(Dossier(Path(), case.name), Rows(rows, parents, {}, {}), run=index)


def _row(line: Line, table: saying.Table) -> Row:
    return {
        column: Value(line.cells.get(variable), Place(line.file, line.number, None, None, variable))
        for column, (variable, _) in table.columns.items()
    }


def _compare(case: Case, index: int, evaluated: Mapping[str, Mapping[int, Evaluated]], said: saying.Said) -> Judged:
    faults: dict[tuple[str, int], set[str]] = {}
    doubts: dict[tuple[str, int], str] = {}
    for name, by_dossier in evaluated.items():
        for finding in by_dossier[index].findings:
            places = [place for place in finding.locations if place.line is not None]
            key = (places[0].file, int(places[0].line or 0)) if places else ("?", 0)
            if finding.outcome == Outcome.NON_CONFORME:
                faults.setdefault(key, set()).update(str(place.place) for place in places)
            elif finding.outcome == Outcome.INDETERMINE:
                doubts[key] = name
    missing = sorted(set(case.expected) - set(faults))
    extra = sorted(set(faults) - set(case.expected))
    others: set[str] = set()
    for key in set(faults) & set(case.expected):
        named, cited = said.named, said.cited
        others |= {f"-{item}" for item in case.expected[key] - faults[key]}
        others |= {f"+{item}" for item in (faults[key] & cited) - case.expected[key]}
        others |= {f"+{item}" for item in faults[key] - cited - named}
    skipped = {key for key, name in doubts.items() if name in said.lacking and key not in case.expected}
    open_ = tuple(sorted(set(doubts) - skipped))
    return Judged(case.name, tuple(missing), tuple(extra), tuple(sorted(others)), open_, bool(skipped))


def run(folder: Path) -> Iterator[Judged]:
    """The cases of every rule of the folder, in order."""
    with tempfile.TemporaryDirectory() as work:
        for path in sorted(folder.glob("*/rule.yml")):
            yield from judge(path.parent, Path(work))


def main(arguments: Sequence[str] | None = None) -> int:
    """0: the cases were judged."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="also write every case there")
    options = parser.parse_args(arguments)
    judged = list(run(options.folder))
    for item in judged:
        if not item.exact:
            print(item.line())
    if options.json:
        told = [{"case": item.name, "exact": item.exact, "skipped_there": item.apart, "difference": "" if item.exact
                 else item.line()} for item in judged]  # fmt: skip
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    apart = sum(item.exact and item.apart for item in judged)
    print(f"{apart} of the exact ones have records « cannot be told » where a column of the rule is absent")
    print(f"{sum(item.exact for item in judged)}/{len(judged)} cases exact")
    return 0


if __name__ == "__main__":
    sys.exit(main())
