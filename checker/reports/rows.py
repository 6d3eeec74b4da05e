"""What every format shows of a run, in one order: the most severe first, then as the dossiers and the rules come."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from checker.base.words import Words, counted
from checker.model import ACTORS, DossierVerdict, Finding, Outcome, Place, Result, Verdicts
from checker.reports.inert import inert, phrase

READABLE = "DOSSIER-LISIBLE"
BAD = (Outcome.NON_CONFORME, Outcome.INDETERMINE)


class Weight(IntEnum):
    """How much a result weighs on the decision; only the first two stop a dossier."""

    BREACH = 0
    UNKNOWN = 1
    RESERVE = 2
    WAIVED = 3
    INFORMATION = 4
    GREEN = 5

    @property
    def blocks(self) -> bool:
        return self <= Weight.UNKNOWN


class Row(NamedTuple):
    """One finding to show, with what it belongs to (no dossier, no result: it belongs to the run)."""

    weight: Weight
    finding: Finding
    result: Result | None
    verdict: DossierVerdict | None


def weigh(result: Result) -> Weight:
    """The weight of one result: a waived one is a reserve, whatever its severity."""
    if result.outcome not in BAD:
        return Weight.GREEN
    if result.waiver is not None:
        return Weight.WAIVED
    if result.severity == "information":
        return Weight.INFORMATION
    if result.severity == "reserve":
        return Weight.RESERVE
    return Weight.BREACH if result.outcome is Outcome.NON_CONFORME else Weight.UNKNOWN


def attested(result: Result) -> bool:
    """Whether a person, not the machine, made it green."""
    return result.outcome is Outcome.CONFORME and (result.attested or result.automation == "humaine")


def shown(result: Result) -> tuple[Finding, ...]:
    """The findings of a result that are not in order, breaches first; never none when the result is not."""
    bad = [finding for finding in result.findings if finding.outcome in BAD]
    found = tuple(sorted(bad, key=lambda finding: finding.outcome))
    if found or result.outcome not in BAD:
        return found
    return (Finding(result.rule, "", result.outcome, result.title),)


def own(verdict: DossierVerdict) -> Iterator[Result]:
    """The results that have something of their own to say: of a dossier that cannot be read, the other rules do not."""
    unread = any(result.rule == READABLE and result.outcome in BAD for result in verdict.results)
    return (result for result in verdict.results if result.findings or result.outcome not in BAD or not unread)


def orphan(verdict: DossierVerdict, words: Words) -> Finding | None:
    """A finding for a decision that stops a dossier and that no result carries: the decision is never mute."""
    outcome = {"non_conforme": Outcome.NON_CONFORME, "indetermine": Outcome.INDETERMINE}.get(verdict.decision)
    if outcome is None or any(weigh(result).blocks for result in verdict.results):
        return None
    said = words["text.undecided"].format(decision=words[f"decision.{verdict.decision}"])
    return Finding(READABLE, "", outcome, said if verdict.results else words["text.unread"])


def of_dossier(verdict: DossierVerdict, words: Words) -> Iterator[Row]:
    """The rows of one dossier, as its rules come."""
    alone = orphan(verdict, words)
    if alone is not None:
        yield Row(Weight.BREACH if alone.outcome is Outcome.NON_CONFORME else Weight.UNKNOWN, alone, None, verdict)
    for result in own(verdict):
        weight = weigh(result)
        if weight is not Weight.GREEN:
            yield from (Row(weight, finding, result, verdict) for finding in shown(result))


def of_run(verdicts: Verdicts) -> Iterator[Row]:
    """What belongs to no dossier: a reserve, save in a run without dossiers, where it is all that decides."""
    stops = not verdicts.dossiers and verdicts.decision in ("non_conforme", "indetermine")
    for finding in verdicts.findings:
        if finding.outcome in BAD:
            blocking = Weight.BREACH if finding.outcome is Outcome.NON_CONFORME else Weight.UNKNOWN
            yield Row(blocking if stops else Weight.RESERVE, finding, None, None)


def all_rows(verdicts: Verdicts, words: Words) -> list[Row]:
    """Every row of the run, the most severe first."""
    found = list(of_run(verdicts))
    for verdict in verdicts.dossiers:
        found.extend(of_dossier(verdict, words))
    return sorted(found, key=lambda row: row.weight)


def tally(results: Iterable[Result]) -> dict[Outcome, int]:
    """How many rules had each outcome, in the order of the outcomes; those that occur."""
    found = Counter(result.outcome for result in results)
    return {outcome: found[outcome] for outcome in Outcome if found[outcome]}


def counts(results: Sequence[Result], words: Words) -> str:
    """« 4 règles : 3 conformes (dont 1 attestée par une personne), 1 sans objet »."""
    found = [counted(words, f"count.{outcome.word}", count) for outcome, count in tally(results).items()]
    by_a_person = sum(attested(result) for result in results)
    if by_a_person:
        found[0] += f" ({counted(words, 'count.attested', by_a_person)})"
    label = counted(words, "count.rules", len(results))
    return words["text.pair"].format(label=label, text=words["list.comma"].join(found)) if found else label


def by_actor(results: Iterable[Result], words: Words) -> list[tuple[str, list[Result]]]:
    """The results by who must act, under the name of who must; those that name nobody come last."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(result.remedy.to if result.remedy else "", []).append(result)
    order = [*ACTORS, *sorted(set(found) - {*ACTORS, ""}), ""]
    named = [(words.get(f"actor.{actor or 'nobody'}", phrase(actor, 80)), found.get(actor, [])) for actor in order]
    return [(name, group) for name, group in named if group]


def decisions(verdicts: Verdicts) -> dict[str, int]:
    """How many dossiers had each decision, the worst first; those that occur."""
    found = Counter(verdict.decision for verdict in verdicts.dossiers)
    order = ("non_conforme", "indetermine", "conforme_avec_reserves", "conforme")
    return {decision: found[decision] for decision in order if found[decision]}


def partial(verdicts: Verdicts, words: Words) -> str:
    """« Rapport partiel : les dossiers changés depuis … », "" when the report is whole."""
    left = verdicts.partial
    if left is None:
        return ""
    return words["run.partial"].format(since=phrase(left.since, 200), dossiers=left.dossiers, of=left.of)


def settings_path(verdicts: Verdicts) -> str:
    """The settings file of the run, or "" when it has none."""
    return (verdicts.settings or {}).get("path") or ""


def path_of(row: Row, place: Place | None, default: str = "quitus.yaml") -> str:
    """The path of a place as seen from where the command ran; the dossier's own file when there is no place."""
    if row.verdict is None:
        return place.file if place and place.file else default
    return posixpath.normpath(posixpath.join(row.verdict.path, place.file if place and place.file else "dossier.yaml"))


def where(place: Place, words: Words) -> str:
    """« etat-liquidatif.xlsx, Feuil1!F14, page 2 », « dossier.yaml:12:5 »."""
    spot = "".join(f":{part}" for part in (place.line, place.column if place.line else None) if part)
    parts = [inert(place.file, 200) + spot]
    if place.place:
        parts.append(inert(place.place, 120))
    if place.page:
        parts.append(words["text.page"].format(page=place.page))
    return words["list.comma"].join(part for part in parts if part)
