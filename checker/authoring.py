"""What an author of rules asks: whether their examples come out, what is wrong with them. Doors: `examples`, `lint`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checker import facts, findings, packs, plans, tables
from checker.base import dictionary as dictionaries
from checker.base import yamlfile
from checker.errors import ConfigurationError, Problem
from checker.model import Example, Outcome, Pack, Place, Rule, Submitted


@dataclass(frozen=True, slots=True)
class Tried:
    """An example run: what it expects, what its rule said, and why."""

    rule: str
    example: Example
    found: Outcome
    message: str


def examples(folder: Path, name: str, only: Sequence[str] = (), engine: str = "auto") -> tuple[Pack, list[Tried]]:
    """Every example of every rule of a pack (or of the rules in `only`), those of equal settings in one batch."""
    pack = packs.load(folder, name)
    dictionary = dictionaries.load(*pack.extensions)
    if pack.reference is None or not pack.own_reference:
        raise ConfigurationError(
            f"le pack « {name} » n'a pas de dossier de référence : ses exemples s'essaient par un pack qui l'importe"
        )
    node = yamlfile.compose(yamlfile.read_text(pack.reference, "dossier.yaml"), "dossier.yaml")
    base = packs.reference_settings(pack)
    own = [rule for rule in pack.rules if rule.place.file.split("/")[0] in pack.examples_of]
    wanted = [(rule, item) for rule in own for item in rule.examples if not only or rule.id in only]
    batches: dict[str, list[tuple[Rule, Example]]] = {}
    for rule, item in wanted:
        batches.setdefault(repr(item.settings), []).append((rule, item))
    tried: list[Tried] = []
    for batch in batches.values():
        settings = packs.laid_settings(base, facts.given.merge(base.data, batch[0][1].settings), batch[0][1].place)
        laid = packs.overlay(pack, settings)
        submitted: list[Submitted] = []
        starts: list[int] = []
        for run, (_, item) in enumerate(batch):
            starts.append(len(submitted))
            for data in (item.given, *item.others):
                submitted.append(facts.example(node, data, dictionary, (pack.id,), item.on, run))
        compiled = plans.compile_pack(laid, dictionary, {rule.id for rule, _ in batch})
        evaluated, _ = findings.evaluate(compiled, tables.build(submitted, dictionary), engine)
        for start, (rule, item) in zip(starts, batch, strict=True):
            said = evaluated[rule.id][start]
            fault = submitted[start].rows.faults
            found = Outcome.INDETERMINE if fault else said.outcome
            message = fault[0].what if fault else "; ".join(finding.message for finding in said.findings)
            tried.append(Tried(rule.id, item, found, message))
    return pack, tried


def _settled(pack: Pack) -> Pack:
    """The pack under the settings of its reference dossier, when it has one."""
    if not pack.own_reference:
        return pack
    base = packs.reference_settings(pack)
    return packs.overlay(pack, packs.laid_settings(base, base.data, Place(base.shown)))


def lint(folder: Path, name: str, engine: str = "duckdb") -> tuple[Pack, list[Problem]]:
    """A pack and what is wrong with its rules beyond what its loading refuses (ConfigurationError)."""
    pack = packs.load(folder, name)
    dictionary = dictionaries.load(*pack.extensions)
    problems: list[Problem] = []
    compiled = plans.compile_pack(pack, dictionary)
    rules = {rule.id: rule for rule in pack.rules}
    demanded: dict[str, str] = {}
    settled = _settled(pack)
    given = {plan.rule: plans.outcomes(plan, dictionary) for plan in plans.compile_pack(settled, dictionary)}
    for plan in compiled:
        rule = rules[plan.rule]
        document = pack.sources[rule.place.file]
        possible = plans.outcomes(plan, dictionary) | given[plan.rule]
        for index, item in enumerate(rule.examples):
            if settled is not pack and item.expect not in possible and not item.settings:
                what = f"{rule.id} : « {item.title} » ne peut atteindre « {item.expect.word} »"
                problems.append(document.problem(what, (*rule.key, "examples", index, "expect")))
        for column in rule.body.get("demands", []):
            if demanded.setdefault(column, rule.id) != rule.id:
                problems.append(
                    document.problem(
                        f"{rule.id} : « {column} » est déjà demandé par {demanded[column]}", (*rule.key, "demands")
                    )
                )
    _, faults = findings.evaluate(compiled, tables.build([], dictionary), engine)
    problems += [Problem(f"le moteur refuse {fault}") for fault in faults]
    return pack, problems
