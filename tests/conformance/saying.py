"""A rule of CDISC said as a pack of ours: a table for each shape of its data sets, a rule for each table in scope.

Decided while writing: which data sets are in scope, which columns exist, which names of the rule are columns there.
All else is left to the rule. `all`, `any` and `not` of the fault become, negated, `any` and `all` of duties.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sdtm

NUMERIC = frozenset({"less_than", "less_than_or_equal_to", "greater_than", "greater_than_or_equal_to"})
SIGNS = {"less_than": "<", "less_than_or_equal_to": "<=", "greater_than": ">", "greater_than_or_equal_to": ">="}
NUMBER = r"-?[0-9]+(\.[0-9]{1,4})?"
WHY = "la regle publiee est une condition quelconque"


DUTIES = frozenset(
    "invalid_date invalid_duration is_complete_date is_incomplete_date date_greater_than date_less_than "
    "date_greater_than_or_equal_to date_less_than_or_equal_to is_not_unique_set is_not_unique_relationship "
    "is_inconsistent_across_dataset target_is_not_sorted_by does_not_have_next_corresponding_record "
    "not_present_on_multiple_rows_within empty_within_except_last_row inconsistent_enumerated_columns".split()
)


class Unsaid(Exception):
    """An operator that no kind says; its cases are not exact."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a data set: its file, its number from 1, its cells."""

    file: str
    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set: its file's name, its columns, its lines. One cut into several files (LBAE, LBDS) is one."""

    name: str
    columns: tuple[str, ...]
    lines: Sequence[Line]

    @property
    def domain(self) -> str:
        """What its DOMAIN column says first, else its name."""
        found = (line.cells.get("DOMAIN", "") for line in self.lines)
        return next((item for item in found if item), self.name.upper())

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        """Data sets of one key are one table."""
        return self.name.upper(), self.domain, self.columns


@dataclass
class Table:
    """A table of the dictionary: column -> (variable, type of the dictionary)."""

    name: str
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)

    def column(self, variable: str, kind: str = "word") -> str:
        """The full name of the column that reads a variable as that type."""
        base = re.sub(r"[^a-z0-9]+", "_", variable.lower()).strip("_") or "v"
        name = f"{base}_{kind}" if kind != "word" else f"{base}_v"
        self.columns[name] = (variable, kind)
        return f"{self.name}.{name}"


@dataclass(frozen=True, slots=True)
class Said:
    """The files of a pack, the ids of its rules and its tables; `lacking`: rules that read a column their table has
    not. `cited`: the variables that findings must show; `named`: those that the check reads."""

    files: Mapping[str, Any]
    rules: tuple[str, ...]
    tables: Mapping[tuple[str, str, tuple[str, ...]], Table]
    lacking: frozenset[str]
    cited: frozenset[str]
    named: frozenset[str]


class Writer:
    """One check over one data set -> the duty, as a part of a rule."""

    def __init__(self, table: Table, dataset: Dataset, lines: Sequence[Line]) -> None:
        self.table, self.dataset, self.lines = table, dataset, lines
        self.prefix = sdtm.prefix(dataset.name, dataset.domain)
        self.named: dict[str, None] = {}
        self.lacks = False
        self.let: dict[str, Any] = {}

    def variable(self, name: str) -> str:
        """The name with its wildcard replaced."""
        return name.replace("--", self.prefix, 1)

    def col(self, name: str, kind: str = "word") -> str:
        """The column of a name of the rule."""
        variable = self.variable(name)
        self.lacks |= variable not in self.dataset.columns
        return self.table.column(variable, kind)

    def number(self, name: str) -> str:
        """The same as an exact number: of two decimals, or of four where a cell has more."""
        variable = self.variable(name)
        fine = any(re.search(r"\.[0-9]{3}", line.cells.get(variable, "")) for line in self.lines)
        return self.col(name, "percent" if fine else "money")

    def there(self, name: Any) -> bool:
        """Whether a name of the rule is a column here."""
        return isinstance(name, str) and self.variable(name) in self.dataset.columns

    def refers(self, value: Any) -> bool:
        """Whether a value names a column: one that is here, or one said by a wildcard (then it may be absent)."""
        return self.there(value) or (isinstance(value, str) and value.startswith("--"))

    def duty(self, node: Mapping[str, Any], fault: bool = True) -> dict[str, Any]:
        """The part that holds when the check does not (or, `fault` false, when it does)."""
        for key in ("all", "any"):
            if key in node:
                parts = [self.duty(item, fault) for item in node[key]]
                return _joined("any" if (key == "all") == fault else "all", parts)
        if "not" in node:
            return self.duty(node["not"], not fault)
        self.named[self.variable(node["name"])] = None
        operator = node["operator"]
        special = getattr(self, f"_{operator}", None) if operator in DUTIES else None
        if special is not None:
            if not fault:
                raise Unsaid(f"not {operator}")
            return special(node)
        condition = getattr(self, f"sql_{operator}", None)
        if condition is None:
            raise Unsaid(operator)
        sql = condition(node)
        if isinstance(sql, bool):
            return {"sql": "true" if sql != fault else "false"}
        return {"sql": f"not ({sql})" if fault else f"({sql})"}

    # --- conditions: the fault as SQL; a blank is a value that equals nothing ---------------------------------------

    def sql_exists(self, node: Mapping[str, Any]) -> bool:
        return self.there(node["name"])

    def sql_not_exists(self, node: Mapping[str, Any]) -> bool:
        return not self.there(node["name"])

    def sql_empty(self, node: Mapping[str, Any]) -> str:
        return f"not present({self.col(node['name'])})"

    def sql_non_empty(self, node: Mapping[str, Any]) -> str:
        return f"present({self.col(node['name'])})"

    def _other(self, node: Mapping[str, Any], kind: str = "word") -> tuple[str, bool]:
        """What a value is compared with: a column, or a constant."""
        value = node["value"]
        if not node.get("value_is_literal") and self.refers(value):
            return self.col(value, kind), True
        if isinstance(value, bool):
            value = str(value).lower()
        return _text(self.variable(str(value)) if isinstance(value, str) else str(value)), False

    def _equal(self, node: Mapping[str, Any], kind: str) -> str:
        kind = "text" if isinstance(node["value"], bool) else kind
        one, shown = self.col(node["name"], kind), self.col(node["name"])
        other, is_column = self._other(node, kind)
        if not is_column:
            return f"present({shown}) and {one} = {other}"
        return f"present({shown}) and present({self.col(node['value'])}) and {one} = {other}"

    def sql_equal_to(self, node: Mapping[str, Any]) -> str:
        return self._equal(node, "word")

    def sql_equal_to_case_insensitive(self, node: Mapping[str, Any]) -> str:
        return self._equal(node, "text")

    def sql_not_equal_to(self, node: Mapping[str, Any]) -> str:
        same = self._equal(node, "word")
        if node.get("type_insensitive"):  # 200.00 is 200
            both = [f"matches({self.col(node[key])}, {_text(NUMBER)})" for key in ("name", "value")]
            one, two = (self.number(node[key]) for key in ("name", "value"))
            same = f"({same}) or ({' and '.join(both)} and {one} = {two})"
        if node.get("value_is_literal") or not self.refers(node["value"]):
            return f"not ({same})"
        return f"not ({same}) and (present({self.col(node['name'])}) or present({self.col(node['value'])}))"

    def sql_is_contained_by(self, node: Mapping[str, Any]) -> str:
        column = self.col(node["name"])
        return f"present({column}) and {column} in ({', '.join(_text(str(item)) for item in node['value'])})"

    def sql_is_not_contained_by(self, node: Mapping[str, Any]) -> str:
        return f"not ({self.sql_is_contained_by(node)})"

    def sql_contains(self, node: Mapping[str, Any]) -> str:
        column = self.col(node["name"])
        return f"present({column}) and contains({column}, {_text(node['value'])})"

    def sql_does_not_contain(self, node: Mapping[str, Any]) -> str:
        return f"not ({self.sql_contains(node)})"

    def sql_starts_with(self, node: Mapping[str, Any]) -> str:
        column = self.col(node["name"])
        return f"present({column}) and starts_with({column}, {_text(str(node['value']))})"

    def sql_prefix_equal_to(self, node: Mapping[str, Any]) -> str:
        column = self.col(node["name"])
        return f"present({column}) and left({column}, {int(node['prefix'])}) = {self._other(node)[0]}"

    def sql_prefix_not_equal_to(self, node: Mapping[str, Any]) -> str:
        return f"not ({self.sql_prefix_equal_to(node)})"

    def sql_not_equal_to_case_insensitive(self, node: Mapping[str, Any]) -> str:
        return f"not ({self._equal(node, 'text')})"

    def sql_is_contained_by_case_insensitive(self, node: Mapping[str, Any]) -> str:
        column, folded = self.col(node["name"]), self.col(node["name"], "text")
        return f"present({column}) and {folded} in ({', '.join(_text(str(item)) for item in node['value'])})"

    def sql_is_not_contained_by_case_insensitive(self, node: Mapping[str, Any]) -> str:
        return f"not ({self.sql_is_contained_by_case_insensitive(node)})"

    def _length(self, node: Mapping[str, Any], sign: str) -> str:
        column = self.col(node["name"])
        return f"present({column}) and length({column}) {sign} {int(node['value'])}"

    def sql_longer_than_or_equal_to(self, node: Mapping[str, Any]) -> str:
        return self._length(node, ">=")

    def sql_shorter_than(self, node: Mapping[str, Any]) -> str:
        return self._length(node, "<")

    def sql_shorter_than_or_equal_to(self, node: Mapping[str, Any]) -> str:
        return self._length(node, "<=")

    def sql_has_equal_length(self, node: Mapping[str, Any]) -> str:
        return self._length(node, "=")

    def sql_has_not_equal_length(self, node: Mapping[str, Any]) -> str:
        return self._length(node, "<>")

    def sql_longer_than(self, node: Mapping[str, Any]) -> str:
        return self._length(node, ">")

    def sql_matches_regex(self, node: Mapping[str, Any]) -> str:
        column = self.col(node["name"])
        return f"present({column}) and matches({column}, {_text(pattern(node['value']))})"

    def sql_not_matches_regex(self, node: Mapping[str, Any]) -> str:
        column = self.col(node["name"])
        return f"present({column}) and not matches({column}, {_text(pattern(node['value']))})"

    def sql_suffix_matches_regex(self, node: Mapping[str, Any]) -> str:
        column, end = self.col(node["name"]), pattern(node["value"])
        return f"present({column}) and matches({column}, {_text(f'.*{end}')})"

    def _order(self, node: Mapping[str, Any]) -> str:
        column, number = self.col(node["name"]), self.number(node["name"])
        guard = f"present({column}) and matches({column}, {_text(NUMBER)})"
        other = node["value"]
        if isinstance(other, str):
            shown = self.col(other)
            guard += f" and present({shown}) and matches({shown}, {_text(NUMBER)})"
            other = self.number(other)
        return f"{guard} and {number} {SIGNS[node['operator']]} {other}"

    sql_less_than = sql_less_than_or_equal_to = sql_greater_than = sql_greater_than_or_equal_to = _order

    def sql_date_equal_to(self, node: Mapping[str, Any]) -> str:
        return self._equal(node, "word")

    # --- kinds: the duty -------------------------------------------------------------------------------------------

    def _invalid_date(self, node: Mapping[str, Any]) -> dict[str, Any]:
        return self._iso(node, "date")

    def _invalid_duration(self, node: Mapping[str, Any]) -> dict[str, Any]:
        return self._iso(node, "duration")

    def _iso(self, node: Mapping[str, Any], form: str) -> dict[str, Any]:
        column = self.col(node["name"])
        return _joined("all", [{"sql": f"present({column})"}, {"iso8601": {"value": column, "as": form}}])

    def _is_complete_date(self, node: Mapping[str, Any]) -> dict[str, Any]:
        column = self.col(node["name"])
        whole = {"iso8601": {"value": column, "as": "whole_date", "excluded": True}}
        return _joined("any", [{"sql": f"not present({column})"}, whole])

    def _is_incomplete_date(self, node: Mapping[str, Any]) -> dict[str, Any]:
        return self._iso(node, "whole_date")

    def _dates(self, node: Mapping[str, Any], first: str, then: str, strict: bool) -> dict[str, Any]:
        one, two = self.col(first), self.col(then)
        loose = [{"iso8601": {"value": item, "as": "date", "excluded": True}} for item in (one, two)]
        blank = {"sql": f"not (present({one}) and present({two}))"}
        return _joined("any", [blank, *loose, {"partial_order": {"first": one, "then": two, "strict": strict}}])

    def _date_greater_than(self, node: Mapping[str, Any]) -> dict[str, Any]:
        return self._dates(node, node["name"], node["value"], False)

    def _date_greater_than_or_equal_to(self, node: Mapping[str, Any]) -> dict[str, Any]:
        return self._dates(node, node["name"], node["value"], True)

    def _date_less_than(self, node: Mapping[str, Any]) -> dict[str, Any]:
        return self._dates(node, node["value"], node["name"], False)

    def _date_less_than_or_equal_to(self, node: Mapping[str, Any]) -> dict[str, Any]:
        return self._dates(node, node["value"], node["name"], True)

    def _is_not_unique_set(self, node: Mapping[str, Any]) -> dict[str, Any]:
        value = node["value"]
        names = [node["name"], *(value if isinstance(value, list) else [value])]
        columns = list(dict.fromkeys(self.col(name) for name in names if self.there(name)))
        options: dict[str, Any] = {"value": columns[0], "blanks_count": True}
        return {"unique": options | ({"by": columns[1:]} if columns[1:] else {})}

    def _is_not_unique_relationship(self, node: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(node["value"], str):
            raise Unsaid("is_not_unique_relationship of several columns")
        return {"one_to_one": {"value": self.col(node["name"]), "with": self.col(node["value"])}}

    def _is_inconsistent_across_dataset(self, node: Mapping[str, Any]) -> dict[str, Any]:
        value = node["value"]
        names = value if isinstance(value, list) else [value]
        by = [self.col(name) for name in names if self.there(name)]
        return {"same_within": {"value": self.col(node["name"]), "by": by}}

    def _target_is_not_sorted_by(self, node: Mapping[str, Any]) -> dict[str, Any]:
        (order,) = node["value"]
        return {
            "in_step": {
                "value": self.col(node["name"], "number"),
                "dates": self.col(order["name"]),
                "by": [self.col(node["within"])],
            }
        }

    def _does_not_have_next_corresponding_record(self, node: Mapping[str, Any]) -> dict[str, Any]:
        options = {"value": self.col(node["name"]), "next": self.col(node["value"])}
        return {
            "followed_by": {**options, "order": self.col(node["ordering"], "number"), "by": [self.col(node["within"])]}
        }

    def _not_present_on_multiple_rows_within(self, node: Mapping[str, Any]) -> dict[str, Any]:
        return {"repeated": {"value": self.col(node["name"]), "by": [self.col(node["within"])]}}

    def _empty_within_except_last_row(self, node: Mapping[str, Any]) -> dict[str, Any]:
        order, name = self.col(node["ordering"]), f"last_{len(self.let)}"
        self.let[name] = {"max": order, "by": [self.col(node["value"])]}
        return {"sql": f"present({self.col(node['name'])}) or {order} = {name}"}

    def _inconsistent_enumerated_columns(self, node: Mapping[str, Any]) -> dict[str, Any]:
        stem = self.variable(node["name"])
        numbered = [item for item in self.dataset.columns if re.fullmatch(rf"{re.escape(stem)}[0-9]*", item)]
        numbered.sort(key=lambda item: (len(item), item))
        pairs = [
            f"(present({self.col(one)}) or not present({self.col(two)}))" for one, two in itertools.pairwise(numbered)
        ]
        return {"sql": " and ".join(pairs) or "true"}


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _joined(kind: str, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Parts under `any` or `all`; conditions of SQL are one."""
    word = " or " if kind == "any" else " and "
    conditions = [item["sql"] for item in parts if "sql" in item]
    rest = [item for item in parts if "sql" not in item]
    merged = [{"sql": word.join(f"({item})" for item in conditions)}] if conditions else []
    found = [*merged, *rest]
    return found[0] if len(found) == 1 else {kind: found}


def _spelled(part: dict[str, Any]) -> dict[str, Any]:
    """The part with its conditions as the kind `expression`."""
    if "sql" in part:
        return {"expression": {"sql": part["sql"], "why": WHY}}
    for kind in ("all", "any"):
        if kind in part:
            return {kind: [_spelled(item) for item in part[kind]]}
    return part


def pattern(regex: str) -> str:
    """A Python pattern, matched from the start, in the subset of ours, where the whole text matches."""
    branches = [regex]
    if regex.startswith("^-?(\\d+(\\.\\d+)?$)|"):  # two branches, each with anchors of its own
        branches = ["^-?\\d+(\\.\\d+)?$", "^\\.\\d+$"]
    found = []
    for branch in branches:
        whole = branch.endswith("$")
        bare = branch.removeprefix("^").removesuffix("$")
        bare = bare.replace("(?:", "(").replace("[^\\d\\s\\w]", "[^0-9A-Za-z_ ]")
        bare = bare.replace("\\d", "[0-9]").replace("\\s", " ").replace("[+-]", "(\\+|-)").replace("[.]", "\\.")
        found.append(bare if whole else f"({bare}).*")
    return "|".join(f"({item})" for item in found) if len(found) > 1 else found[0]


def pack(rule_id: str, rule: Mapping[str, Any], batch: Sequence[Sequence[Dataset]]) -> Said:
    """The pack that says a rule for all data sets of its cases."""
    tables: dict[tuple[str, str, tuple[str, ...]], Table] = {}
    rules: list[dict[str, Any]] = []
    lacking: set[str] = set()
    cited: set[str] = set()
    named: set[str] = set()
    for dataset in (item for case in batch for item in case):
        if dataset.key in tables or not sdtm.applies(rule["Scope"], dataset.name, dataset.domain, dataset.columns):
            continue
        table = tables[dataset.key] = Table(f"d{len(tables)}_{re.sub('[^a-z0-9]+', '_', dataset.name.lower())}")
        alike = [item for case in batch for item in case if item.key == dataset.key]
        writer = Writer(table, dataset, [line for item in alike for line in item.lines])
        duty = _spelled(writer.duty(rule["Check"]))
        shown = rule["Outcome"].get("Output Variables")
        variables = [writer.variable(item) for item in shown] if shown else list(writer.named)
        about = [table.column(item) for item in variables]
        name = f"{rule_id}-{len(tables)}"
        if writer.lacks:
            lacking.add(name)
        rules.append(_rule(name, rule, table.name, {**duty, "about": about}, writer.let))
        cited |= set(variables)
        named |= {variable for variable, _ in table.columns.values()}
    files = {
        "pack.yaml": {"id": "cdisc", "title": rule_id, "version": "1"},
        "rules.yaml": {"rules": rules},
        "dossier.schema.json": {"properties": {table.name: _schema(table) for table in tables.values()}},
    }
    return Said(
        files, tuple(item["id"] for item in rules), tables, frozenset(lacking), frozenset(cited), frozenset(named)
    )


def _rule(
    name: str, rule: Mapping[str, Any], table: str, part: dict[str, Any], let: Mapping[str, Any]
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": name,
        "title": rule["Outcome"].get("Message") or name,
        "clause": {"article": name, "quote": rule.get("Description") or name},
        "source": "referentiel",
        "stage": "etat_liquidatif",
        "severity": "bloquant",
        "for_each": table,
        "check": {"all": [part]},
    }
    return made | ({"let": dict(let)} if let else {})


def _schema(table: Table) -> dict[str, Any]:
    properties = {name: {"title": variable, "x-type": kind} for name, (variable, kind) in table.columns.items()}
    items = {"type": "object", "title": table.name, "properties": properties}
    return {"type": "array", "title": table.name, "x-absence": "aucun", "items": items}
