"""What was judged: findings, results, verdicts, and what a report draws and cites beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from checker.model.agreed import Clause, Letterhead, Remedy, Waiver
from checker.model.drawn import Agreement, Figures
from checker.model.frozen import frozen
from checker.model.submitted import FileDigest, Outcome, Place


@frozen
class Finding:
    """One row of a rule's subject that is not in order (or holds, when evidence is asked for)."""

    rule: str
    subject: str
    outcome: Outcome
    message: str
    observed: str | None = None
    expected: str | None = None
    reason: str = ""
    missing: tuple[str, ...] = ()
    locations: tuple[Place, ...] = ()
    excerpts: tuple[str, ...] = ()  # the value as read at each location
    trace: tuple[tuple[str, str], ...] = ()  # the computation: name, value


@frozen
class Evaluated:
    """What the engine says of one (rule, dossier)."""

    rule: str
    outcome: Outcome
    counts: Mapping[Outcome, int]
    findings: tuple[Finding, ...] = ()


@frozen
class Result:
    """One (rule, dossier) with what the report shows of the rule; `waiver` when a dérogation covers it."""

    rule: str
    title: str
    clause: Clause
    source: str
    severity: str
    automation: str
    outcome: Outcome
    counts: Mapping[Outcome, int]
    findings: tuple[Finding, ...]
    remedy: Remedy | None
    note: str = ""
    waiver: Waiver | None = None
    stage: str = ""
    attested: bool = False  # a person, not the machine alone, made it `conforme`


@frozen
class DossierVerdict:
    """The decision on one dossier and everything it rests on."""

    reference: str
    path: str
    pack: Mapping[str, str]  # id, title, version, sha256
    control_date: dt.date | None
    stage: str
    decision: str
    files: tuple[FileDigest, ...]
    results: tuple[Result, ...]
    upcoming: tuple[tuple[str, str], ...] = ()  # rule id and title that the next stage will ask
    paste: tuple[str, ...] = ()  # lines of quitus.yaml that would settle what waits for a setting
    figures: Figures | None = None  # when a format asks for them
    private: tuple[str, ...] = ()  # names of persons that the dossier holds, when they are to be masked


@frozen
class Partial:
    """A report that leaves dossiers out: those that did not change since a revision."""

    since: str
    dossiers: int  # that it holds
    of: int  # that were read, and judged together


@frozen
class Verdicts:
    """The one decision object of a run: every format and the exit code derive from it."""

    version: str
    packs: tuple[Mapping[str, str], ...]
    settings: Mapping[str, str] | None
    decision: str
    dossiers: tuple[DossierVerdict, ...]
    findings: tuple[Finding, ...] = ()  # of the run: what belongs to no dossier
    unused: tuple[str, ...] = ()  # waivers that served nothing, amendments, notes
    notes: tuple[tuple[str, str], ...] = ()  # drafting defects of the packs: id, sentence
    fail_on: str = ""
    agreements: tuple[Agreement, ...] = ()  # of each pack, when a format asks for them
    letterhead: Letterhead | None = None
    redacted: bool = False  # names of persons, IBAN and e-mail addresses are masked in its texts
    partial: Partial | None = None  # when dossiers of the run are left out

    def exit_code(self) -> int:
        """0 conforme, 1 non_conforme, 2 indetermine; moved only by `fail_on`, never the decision."""
        codes = {"conforme": 0, "conforme_avec_reserves": 0, "indetermine": 2, "non_conforme": 1}
        if self.fail_on == "reserve":
            codes["conforme_avec_reserves"] = 1
        if self.fail_on == "non_conforme":
            codes["indetermine"] = 0
        found = {codes[verdict.decision] for verdict in self.dossiers} or {codes[self.decision]}
        return 1 if 1 in found else max(found)

    def to_pandas(self) -> Any:
        """One row a result: dossier, rule, article, severity, outcome, decision, waived, findings."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "dossier": verdict.reference,
                    "chemin": verdict.path,
                    "decision": verdict.decision,
                    "regle": result.rule,
                    "article": result.clause.article,
                    "severite": result.severity,
                    "resultat": result.outcome.word,
                    "deroge": result.waiver is not None,
                    "constats": len(result.findings),
                }
                for verdict in self.dossiers
                for result in verdict.results
            ]
        )
