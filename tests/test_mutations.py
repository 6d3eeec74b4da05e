"""Each mutation of the reference dossier causes the findings it lists, and no others (fixtures/mutations.yaml)."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from checker import facts, findings, packs, plans, tables, verdicts
from checker.base import dictionary as dictionaries
from checker.base import yamlfile
from checker.base.tree import Plan
from checker.model import DossierVerdict, Evaluated, Outcome, Pack, Place, Settings, Submitted
from tests.conftest import Quitus

ROOT = Path(__file__).resolve().parent.parent
CONFORME = ROOT / "fixtures" / "conforme"
PACK = "dinsic-calvados-2018"
KEYS = {"row", "title", "edit", "settings", "others", "on", "decision", "findings"}
WRONG = (Outcome.NON_CONFORME, Outcome.INDETERMINE)

# The table of `domain.md` §6 on facts of this issue: row, what is expected (AV: non_conforme of a reserve), the rules
# that say it (« / »: either, « + »: each).
DOMAIN = """
2 conforme A4-PLAFOND              | 3 NC A4-PLAFOND                 | 5 conforme A7-AVENANT+A4-PLAFOND
6 NC A7-AVENANT                    | 8 NC A4-PLAFOND                 | 9 NC A5-1-DATE
10 NC A5-1-DATE                    | 11 NC A5-1-SIGN                 | 12 IND A5-1-SIGN
16 NC A5-1-PCE                     | 17 NC A5-1-PCE                  | 18 NC A5-1-PCE/A4-ELIGIBLE
19 IND A4-ELIGIBLE                 | 20 NC A5-1-PCE                  | 21 NC A5-1-RAPP
22 AV CP-LETTRES                   | 24 NC A5-1-RAPP                 | 25 NC A5-1-PV
26 AV CP-EJ-SF                     | 27 NC CP-SF-PAIEMENT            | 30 NC A5-1-FACT
31 NC CP-FACT-MENTIONS             | 33 NC CP-SIRET                  | 35 NC A5-1-RAPP
36 NC CP-TVA-TAUX                  | 37 AV CP-TVA-EXO                | 38 NC A1-REMB
39 NC A1-REMB                      | 40 NC A5-1-FACT                 | 41 NC A4-REMB-REEL
43 AV CP-DOUBLON-PROBABLE          | 44 AV CP-DOUBLON-PROBABLE       | 46 IND A5-1-RAPP
47 NC CP-DEVISE                    | 48 NC A5-1-PAIE                 | 49 IND A5-1-PAIE
50 NC A4-REMB-REEL                 | 52 NC A5-1-RAPP                 | 53 conforme A5-1-RAPP
54 NC A2-EFFET                     | 58 NC A7-SOLDE                  | 60 NC A4-ELIGIBLE
62 IND A4-ELIGIBLE                 | 63 IND A4-ELIGIBLE              | 64 NC A4-ELIGIBLE
65 NC A4-PROJET                    | 66 IND A4-PROJET                | 68 NC A4-REMB-REEL
71 NC A5-2-HABIL                   | 72 conforme A5-2-HABIL          | 73 NC A5-2-HABIL
74 NC A5-2-HABIL                   | 75 NC A5-2-HABIL                | 76 NC CP-DELEG-EXEC
77 conforme A5-2-HABIL             | 79 NC A5-2-HABIL                | 80 NC A5-2-DATE
81 NC A5-2-DATE                    | 85 NC A5-2-RETOUR               | 87 IND A5-2-SERV
88 AV A5-2-SERV-CHOIX              | 89 NC A5-2-SIRET                | 90 NC A5-2-SIRET
91 conforme A5-2-SIRET             | 92 NC A5-3-TP                   | 94 NC A5-3-ORDRE
95 NC CP-TP-BASES                  | 96 NC CP-TP-EMETTEUR            | 98 AV P-CEDANT-SUCC
99 NC A5-3-ORDRE                   | 102 AV A5-4-PARTIEL             | 103 NC A5-C-CF
105 NC A5-C-SE                     | 107 NC A5-C-CP+A5-C-SE          | 108 NC A5-C-DF
110 NC A5-C-COHER                  | 111 NC A5-C-TIERS               | 112 NC A5-C-SOCIETE
113 NC A5-C-COMPT                  | 114 NC A5-4-REFS                | 118 AV A5-ISSUE
119 NC CP-EL-NUMERO                | 121 NC A7-SOLDE                 | 122 NC A7-SOLDE
123 NC P-DELIB                     | 125 NC CP-PRESCRIPTION          | 127 AV CP-RETABLISSEMENT
128 NC A5-COMPLET                  | 134 IND CP-MONTANT              | 135 NC CP-QUOTE-PART
137 NC A4-REMB-REEL                | 138 NC DEROGATION-VALIDE        | 140 NC A5-COMPLET
143 NC CP-CREDITS                  | 145 NC A5-1-PCE/A4-ELIGIBLE     | 146 AV A5-1-PCE-GM
147 NC A4-REMB-REEL                | 148 NC A5-4-PAIE                | 150 NC CP-SUSPENSION
 13 NC A5-1-SIGN                   |  14 NC A5-1-SIGN                |  15 IND A5-1-SIGN
131 NC A5-1-FACT
"""
# Rows that the command itself also judges, on real files.
# What they also say: the piece, left as it is, contradicts the edited claim.
REAL = {
    "row 21": {},
    "row 71": {"CP-LU-ACTE": "non_conforme"},
    "row 103": {},
    "row 118": {},
    "row 148": {},
    "row 91": {},
}


@dataclass(frozen=True)
class Mutation:
    title: str
    row: int | None
    edit: Mapping[str, Any]
    settings: Mapping[str, Any]
    others: Sequence[Mapping[str, Any]]
    on: dt.date | None
    decision: str
    findings: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"row {self.row}: {self.title}" if self.row is not None else self.title


@dataclass(frozen=True)
class Said:
    decision: str
    findings: Mapping[str, str]
    severity: Mapping[str, str]


def _plain(text: str) -> str:
    """A name that a terminal without accents can show."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


@cache
def mutations() -> tuple[Mutation, ...]:
    """The authored entries, in the order of the file."""
    entries = yamlfile.load_data(ROOT / "fixtures" / "mutations.yaml")
    for entry in entries:
        assert set(entry) <= KEYS, f"{entry['title']}: {set(entry) - KEYS}"
    return tuple(
        Mutation(
            title=entry["title"],
            row=entry.get("row"),
            edit=entry.get("edit") or {},
            settings=entry.get("settings") or {},
            others=entry.get("others") or (),
            on=dt.date.fromisoformat(entry["on"]) if "on" in entry else None,
            decision=entry["decision"],
            findings=entry.get("findings") or {},
        )
        for entry in entries
    )


@cache
def table() -> dict[int, tuple[str, bool, tuple[str, ...]]]:
    """row -> (expected, whether each rule must say it, the rules)."""
    rows = {}
    for cell in DOMAIN.replace("\n", "|").split("|"):
        if cell.strip():
            row, outcome, ids = cell.split()
            rows[int(row)] = (outcome, "+" in ids, tuple(ids.replace("+", "/").split("/")))
    return rows


@cache
def judged() -> dict[str, Said]:
    """What a run says of each mutated dossier, as `quitus check` would, all in one batch.

    Settings change few plans: the others are evaluated once for all mutations.
    """
    pack = packs.load(ROOT / "rules", PACK)
    dictionary = dictionaries.load(*pack.extensions)
    assert pack.reference is not None
    node = yamlfile.compose(yamlfile.read_text(pack.reference, "dossier.yaml"), "dossier.yaml")
    base = packs.reference_settings(pack)
    unchanged = Mutation("", None, {}, {}, (), None, "", {})
    submitted: dict[str, list[Submitted]] = {}
    groups: dict[str, list[Mutation]] = {}
    for run, item in enumerate((unchanged, *mutations())):
        laid = (item.edit, *item.others)
        submitted[item.name] = [facts.example(node, data, dictionary, (PACK,), item.on, run) for data in laid]
        groups.setdefault(repr(item.settings), []).append(item)
    found: dict[str, DossierVerdict] = {}
    shared: dict[str, Plan] = {}
    outcomes: dict[str, dict[int, Evaluated]] = {}
    starts: dict[str, int] = {}
    for group in ([unchanged, *mutations()], *groups.values()):
        whole = not shared
        own, settings = _settled(pack, base, group[0])
        compiled = {plan.rule: plan for plan in plans.compile_pack(own, dictionary)}
        batch = [dossier for item in group for dossier in submitted[item.name]]
        frames = tables.build(batch, dictionary)
        changed = [plan for rule, plan in compiled.items() if shared.get(rule) != plan]
        evaluated, faults = findings.evaluate(changed, frames)
        assert not faults
        if whole:
            shared, outcomes = compiled, evaluated
            counts = [len(submitted[item.name]) for item in group]
            starts = {item.name: sum(counts[:index]) for index, item in enumerate(group)}
            continue
        where = [starts[item.name] + offset for item in group for offset in range(len(submitted[item.name]))]
        for rule in compiled:
            evaluated.setdefault(rule, {index: outcomes[rule][place] for index, place in enumerate(where)})
        decided = verdicts.decide(own, settings, frames, evaluated, dt.date(2019, 5, 20))
        found.update({item.name: decided[where.index(starts[item.name])] for item in group})
    usual = {
        result.rule: result.outcome for result in found.pop(unchanged.name).results if result.severity == "information"
    }
    return {name: _said(verdict, usual) for name, verdict in found.items()}


def _settled(pack: Pack, base: yamlfile.Document, item: Mutation) -> tuple[Pack, Settings]:
    settings = packs.laid_settings(base, facts.given.merge(base.data, item.settings), Place(base.shown))
    return packs.overlay(pack, settings), settings


def _said(verdict: DossierVerdict, usual: Mapping[str, Outcome]) -> Said:
    """Its outcomes that are not green, save those of information that the unchanged dossier has too."""
    return Said(
        verdict.decision,
        {
            result.rule: result.outcome.word
            for result in verdict.results
            if result.outcome in WRONG and usual.get(result.rule) != result.outcome
        },
        {result.rule: result.severity for result in verdict.results},
    )


@pytest.mark.parametrize("item", mutations(), ids=lambda item: _plain(item.name))
def test_a_mutation_causes_these_findings_and_no_others(item: Mutation) -> None:
    said = judged()[item.name]
    assert dict(sorted(said.findings.items())) == dict(sorted(item.findings.items()))
    assert said.decision == item.decision


def test_names_are_unique() -> None:
    names = [item.name for item in mutations()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", sorted(table()))
def test_each_row_of_the_domain_has_its_verdict(row: int) -> None:
    """Asked of the entries themselves, so that an expectation cannot drift from the table."""
    outcome, each, ids = table()[row]
    entries = [item for item in mutations() if item.row == row]
    assert entries, f"row {row} has no mutation"
    for item in entries:
        if outcome == "conforme":
            assert not set(ids) & set(item.findings), item.name
            assert item.decision == "conforme", item.name
            continue
        wanted = "indetermine" if outcome == "IND" else "non_conforme"
        hits = [rule for rule in ids if item.findings.get(rule) == wanted]
        assert hits == list(ids) if each else hits, item.name
        if outcome == "AV":
            assert {judged()[item.name].severity[rule] for rule in hits} == {"reserve"}, item.name


def test_each_rule_that_can_refuse_has_refused() -> None:
    """Every blocking or reserve rule with a machine verdict is `non_conforme` in some mutation."""
    pack = packs.load(ROOT / "rules", PACK)
    dictionary = dictionaries.load(*pack.extensions)
    able = {
        plan.rule
        for plan in plans.compile_pack(pack, dictionary)
        if Outcome.NON_CONFORME in plans.outcomes(plan, dictionary)
    }
    due = {rule.id for rule in pack.rules if rule.severity != "information" and rule.id in able}
    refused = {rule for item in mutations() for rule, outcome in item.findings.items() if outcome == "non_conforme"}
    assert not due - refused


@pytest.mark.parametrize("name", REAL)
def test_the_command_says_the_same_on_real_files(name: str, tmp_path: Path, quitus: Quitus) -> None:
    item = next(item for item in mutations() if item.name.startswith(f"{name}:"))
    folder = tmp_path / "dossier"
    shutil.copytree(CONFORME, folder)
    manifest = folder / "dossier.yaml"
    reference = ROOT / "rules" / PACK / "reference" / "dossier.yaml"
    node = facts.given.lay(yamlfile.compose(reference.read_text("utf-8"), "dossier.yaml"), item.edit)
    manifest.write_text(flow(node), "utf-8")
    done = quitus("check", folder, "--format", "json")
    report = json.loads(done.stdout)
    assert {
        entry["rule"]: entry["outcome"]
        for entry in report["dossiers"][0]["results"]
        if entry["outcome"] in ("non_conforme", "indetermine") and entry["severity"] != "information"
    } == {rule: outcome for rule, outcome in item.findings.items() if rule != "A2-TERME"} | REAL[name]
    assert report["decision"] == item.decision
    assert done.returncode == {"non_conforme": 1, "indetermine": 2}.get(item.decision, 0)


def flow(node: yamlfile.Node) -> str:
    """A tree as YAML of one line: its values are text, which the reader types as it does plain ones."""
    if isinstance(node.data, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {flow(child)}" for key, child in node.data.items()) + "}"
    if isinstance(node.data, list):
        return "[" + ", ".join(flow(child) for child in node.data) + "]"
    if node.data is None:
        return "null"
    return json.dumps(node.data, ensure_ascii=False)
