"""One row a finding, green results too: what the formats that are tables share.

A result without findings has one row; so has a dossier without results, and a run without anything: nothing that was
decided is missing from a table. Codes are those of the JSON report, whatever the language; texts are one line each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from checker.base.words import Words
from checker.model import DossierVerdict, Finding, Place, Result, Verdicts
from checker.reports import rows
from checker.reports.inert import inert, phrase
from checker.reports.rows import Weight

NOWHERE = Place("")


class Line(NamedTuple):
    """A row; its names are the columns of `csv`. `resultat`: of the rule; `constat`: of this row of its subject."""

    decision_execution: str
    dossier: str
    chemin: str
    etape: str
    date_controle: str
    decision: str
    regle: str
    titre: str
    article: str
    source: str
    severite: str
    automatisation: str
    resultat: str
    deroge: str
    sujet: str
    constat: str
    message: str
    observe: str
    attendu: str
    raison: str
    manque: str
    fichier: str
    endroit: str
    lu: str
    destinataire: str
    a_faire: str


class Item(NamedTuple):
    """A row and what it was made of; `weight` None: it belongs to no result."""

    line: Line
    weight: Weight | None
    place: Place
    verdict: DossierVerdict | None


def items(verdicts: Verdicts, words: Words) -> Iterator[Item]:
    """Every row of the run: the run's own findings, then dossier by dossier, rule by rule, as the JSON report."""
    empty = True
    for finding in verdicts.findings:
        empty = False
        yield _item(verdicts, None, None, finding, words)
    for verdict in verdicts.dossiers:
        empty = False
        alone = rows.orphan(verdict, words)
        if alone is not None or not verdict.results:
            yield _item(verdicts, verdict, None, alone, words)
        for result in verdict.results:
            for found in result.findings or (None,):
                yield _item(verdicts, verdict, result, found, words)
    if empty:
        yield _item(verdicts, None, None, Finding("", "", rows.BAD[1], words["text.nothing"]), words)


def _item(
    verdicts: Verdicts, verdict: DossierVerdict | None, result: Result | None, finding: Finding | None, words: Words
) -> Item:
    place = finding.locations[0] if finding and finding.locations else NOWHERE
    texts = {**_of_dossier(verdict), **_of_result(result), **_of_finding(finding, words)}
    line = Line(**{name: texts.get(name, "") for name in Line._fields} | {"decision_execution": verdicts.decision})
    return Item(line, rows.weigh(result) if result else None, place, verdict)


def _of_dossier(verdict: DossierVerdict | None) -> dict[str, str]:
    if verdict is None:
        return {}
    return {
        "dossier": inert(verdict.reference),
        "chemin": inert(verdict.path),
        "etape": verdict.stage,
        "date_controle": verdict.control_date.isoformat() if verdict.control_date else "",
        "decision": verdict.decision,
    }


def _of_result(result: Result | None) -> dict[str, str]:
    if result is None:
        return {}
    remedy = result.remedy if result.outcome in rows.BAD else None
    return {
        "regle": inert(result.rule),
        "titre": phrase(result.title),
        "article": phrase(result.clause.article),
        "source": result.source,
        "severite": result.severity,
        "automatisation": result.automation,
        "resultat": result.outcome.word,
        "deroge": "oui" if result.waiver else "non",
        "destinataire": phrase(remedy.to) if remedy else "",
        "a_faire": phrase(remedy.text) if remedy else "",
    }


def _of_finding(finding: Finding | None, words: Words) -> dict[str, str]:
    if finding is None:
        return {}
    place = finding.locations[0] if finding.locations else None
    return {
        "regle": inert(finding.rule),
        "sujet": inert(finding.subject),
        "constat": finding.outcome.word,
        "message": phrase(finding.message),
        "observe": inert(finding.observed or ""),
        "attendu": inert(finding.expected or ""),
        "raison": phrase(finding.reason),
        "manque": words["list.comma"].join(inert(name) for name in finding.missing),
        "fichier": inert(place.file) if place else "",
        "endroit": rows.where(place, words) if place else "",
        "lu": inert(finding.excerpts[0]) if finding.excerpts else "",
    }
