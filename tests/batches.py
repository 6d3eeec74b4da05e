"""What every engine must say the same of: the rules of both packs over their examples and over planted traps."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from checker import facts, packs, tables
from checker.base import dictionary as dictionaries
from checker.base.dictionary import ROOT
from checker.base.frames import Frames
from checker.base.tree import Column, Literal, Part, Plan
from checker.model import Dossier, Evaluated, Example, Finding, Place, Row, Rows, Rule, Submitted, Value
from tests import test_engine

PACK = "dinsic-calvados-2018"  # it imports the other pack, whose examples are laid on its reference dossier
SEEDS = range(30)
SLOT = 1000  # runs kept for each seed: batches do not meet
TRAPS: Sequence[dict[str, Any]] = (  # what engines are known to read each in their way
    {"depenses": {"1": {"compte_pce": "6113110000\n"}}},
    {"depenses": {"1": {"compte_pce": "\u0666\u0661\u0661\u0663\u0661\u0661\u0660\u0660\u0660\u0660"}}},
    {"depenses": {"1": {"fournisseur": {"siret": "99900011000018\n"}}}},
    {"depenses": {"1": {"fournisseur": {"siret": "\u00a099900011000018"}}}},
    {"etat_liquidatif": {"numero": "'; DROP VIEW dossier; --\\"}},
    {"etat_liquidatif": {"numero": "${spark.app.name} $x {0} \\u0041 %s"}},
    {"etat_liquidatif": {"date": "9999-12-31"}},
    {"etat_liquidatif": {"total": "119999.99"}},
    {"etat_liquidatif": {"total": "1e3"}},
    {"etat_liquidatif": {"total": "infinity"}},
    {"etat_liquidatif": {"total": "1.005"}},
    {"reference": "E\u0301tat"},
    {"reference": "\u00c9tat\u00a0"},
    {"reference": "\U0001f9fe\uffff"},
)
Batch = tuple[tuple[Plan, ...], Frames]
Said = dict[str, dict[int, Evaluated]]


def rules() -> set[str]:
    """The rules of all packs."""
    return {rule.id for name in packs.names(test_engine.RULES) for rule in packs.load(test_engine.RULES, name).rules}


def examples(settings: bool) -> list[tuple[Rule, Example]]:
    """The examples of both packs: those that have settings of their own, or the others."""
    pack, _, _ = test_engine._loaded(PACK)
    own = [rule for rule in pack.rules if rule.place.file.split("/")[0] in pack.examples_of]
    return [(rule, item) for rule in own for item in rule.examples if bool(item.settings) == settings]


@functools.cache
def whole() -> Batch:
    """All rules over every example that the reference settings judge, thirty seeds of hostile dossiers, the traps."""
    made = test_engine.world(PACK, "reference")
    asked = [item for _, item in examples(settings=False)]
    return made.plans, tables.build([*_laid(asked), *planted(SEEDS)], made.dictionary)


@functools.cache
def small() -> Batch:
    """All rules over three seeds of hostile dossiers and the traps."""
    made = test_engine.world(PACK, "reference")
    return made.plans, tables.build(planted(SEEDS[:3]), made.dictionary)


def settled() -> Iterator[Batch]:
    """The examples that have settings of their own: a batch for equal ones, with their rules."""
    pack, dictionary, _ = test_engine._loaded(PACK)
    base = packs.reference_settings(pack)
    batches: dict[str, list[tuple[Rule, Example]]] = {}
    for rule, item in examples(settings=True):
        batches.setdefault(repr(item.settings), []).append((rule, item))
    for found in batches.values():
        data = facts.given.merge(base.data, found[0][1].settings)
        made = test_engine._world(PACK, data, frozenset(rule.id for rule, _ in found))
        yield made.plans, tables.build(_laid([item for _, item in found]), dictionary)


def _laid(asked: Sequence[Example]) -> list[Submitted]:
    """The dossiers of examples, each example in a run of its own."""
    _, dictionary, node = test_engine._loaded(PACK)
    return [
        facts.example(node, data, dictionary, (PACK,), item.on, run)
        for run, item in enumerate(asked)
        for data in (item.given, *item.others)
    ]


def planted(seeds: Sequence[int]) -> list[Submitted]:
    """Seeded batches of hostile dossiers, and one of the traps above, three a run."""
    made = test_engine.world(PACK, "reference")
    found: list[Submitted] = []
    for seed in seeds:
        batch = test_engine.hostile(seed, made).submitted
        found += [replace(item, run=(seed + 1) * SLOT + item.run) for item in batch]
    base = (len(SEEDS) + 1) * SLOT
    found += [
        facts.example(made.node, data, made.dictionary, (PACK,), None, base + run // 3)
        for run, data in enumerate(TRAPS)
    ]
    return found


HOSTILE = ('a"b', "a`b", "select", "x; DROP TABLE dossier --", "Été", "{0}", "${x}", "a\\b", "%s", "row_?")
TABLE = "un tas` de; select"


def hostile_names() -> Batch:
    """A rule over columns whose names could leave their quotes, or be another thing; each shows its own text."""
    fields: dict[str, Any] = {name: {"x-type": "text"} for name in HOSTILE}
    rows = {"type": "array", "items": {"type": "object", "properties": fields}}
    dictionary = dictionaries.build(
        {"properties": {"reference": {"x-type": "text"}, "etape": {"x-type": "word"}, TABLE: rows, **fields}}
    )
    parts = []
    for table in dictionary.tables:
        shows = tuple((name, Column("text", table, name)) for name in HOSTILE)
        never = Literal("boolean", False)
        parts.append(Part(table, 0, None, never, False, Literal("date", None), (), None, None, shows, (), ()))
    here = Place("dossier.yaml", 1, 1)
    row: Row = {name: Value(f"text {rank}", here) for rank, name in enumerate(HOSTILE)}
    given: dict[str, list[Row]] = {ROOT: [{**row, "etape": Value("etat_liquidatif", here)}], TABLE: [row]}
    submitted = Submitted(Dossier(Path(), "0"), Rows(given, {name: [0] for name in given}, {}, {}))
    return (Plan("R", tuple(parts)),), tables.build([submitted], dictionary)


def flat(said: Said) -> set[tuple[str, int, Finding]]:
    """Every finding, with its texts: amounts, dates, traces, places."""
    return {
        (rule, index, finding)
        for rule, dossiers in said.items()
        for index, found in dossiers.items()
        for finding in found.findings
    }


def counted(said: Said) -> dict[tuple[str, int], Any]:
    """What each rule says of each dossier, in numbers."""
    return {(rule, index): (found.outcome, found.counts) for rule, own in said.items() for index, found in own.items()}
