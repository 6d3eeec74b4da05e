"""A JSON report read back: what two runs are compared by, what a run rested on; whatever is no report is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from checker.errors import Problem, UsageError
from checker.model import DECISIONS, SEVERITIES, Outcome
from checker.reports.inert import inert
from checker.reports.rows import Weight

SCHEMA = "quitus-report/1"
_OUTCOMES = {outcome.word: outcome for outcome in Outcome}
_BAD = (Outcome.NON_CONFORME, Outcome.INDETERMINE)
_AGAIN = "Le refaire : `quitus check CHEMIN --format json --output RAPPORT.json`."


class Pack(NamedTuple):
    """A pack as the report names it; all empty for a dossier that could not be read up to its convention."""

    id: str
    version: str
    sha256: str


class File(NamedTuple):
    """The settings file, or a file of a dossier."""

    path: str
    sha256: str


class Seen(NamedTuple):
    """One row that is not in order; `said` is all that the report says of it, its places left out."""

    subject: str
    outcome: Outcome
    message: str
    said: tuple[Any, ...]


class Judged(NamedTuple):
    """One rule on one dossier."""

    rule: str
    title: str
    severity: str
    outcome: Outcome
    waived: bool
    findings: tuple[Seen, ...]

    @property
    def weight(self) -> Weight:
        """As `rows.weigh` says of the result itself."""
        if self.outcome not in _BAD:
            return Weight.GREEN
        if self.waived:
            return Weight.WAIVED
        if self.severity != "bloquant":
            return Weight.RESERVE if self.severity == "reserve" else Weight.INFORMATION
        return Weight.BREACH if self.outcome is Outcome.NON_CONFORME else Weight.UNKNOWN


class Checked(NamedTuple):
    """One dossier of a report."""

    reference: str
    path: str
    pack: Pack
    control_date: str
    stage: str
    decision: str
    files: Mapping[str, str]  # path -> SHA-256
    results: Mapping[str, Judged]  # by rule
    redacted: bool = False  # its paths may hold masks


class Report(NamedTuple):
    """A whole report."""

    version: str
    packs: tuple[Pack, ...]
    settings: File | None
    decision: str
    dossiers: tuple[Checked, ...]
    findings: Mapping[str, Judged]  # of the run, by rule
    redacted: bool = False


class _Wrong(Exception):
    """What the report lacks, and at which key."""


def read(path: Path) -> Report:
    """The report of that file; UsageError (64) for a file that cannot be read, or that is no report."""
    return parse(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that a call names; UsageError (64) when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError([Problem("ce fichier ne peut être lu", str(path), why=error.strerror or "")]) from None


def parse(data: bytes, path: Path) -> Report:
    """The report that these bytes are; UsageError (64) when they are none, said of that file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(path, "il n'est pas en UTF-8") from None
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        cut = not text[error.pos :].strip() or error.msg.startswith("Unterminated")
        why = "le texte s'arrête avant la fin : le rapport est coupé" if cut else "ce n'est pas du JSON"
        raise _refused(path, why, error.lineno, error.colno) from None
    except (_Wrong, RecursionError, ValueError) as error:
        raise _refused(path, str(error) if isinstance(error, _Wrong) else "ce n'est pas du JSON") from None
    try:
        return _report(data)
    except _Wrong as error:
        raise _refused(path, str(error)) from None


def _refused(path: Path, why: str, line: int | None = None, column: int | None = None) -> UsageError:
    return UsageError([Problem("ce fichier n'est pas un rapport de quitus", str(path), line, column, "", why, _AGAIN)])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Wrong("une clé y est écrite deux fois")
    return found


def _get(data: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    if not isinstance(data, dict):
        raise _Wrong(f"{where or 'le document'} : un objet est attendu")
    at = f"{where}.{key}" if where else key
    if key not in data:
        raise _Wrong(f"la clé « {at} » manque")
    if not isinstance(data[key], kind) or isinstance(data[key], bool):
        raise _Wrong(f"« {at} » n'a pas la forme attendue")
    return data[key]


def _word(data: Any, key: str, known: Iterable[str], where: str) -> str:
    found: str = _get(data, key, str, where)
    if found not in known:
        raise _Wrong(f"« {where}.{key} » : « {inert(found, 40)} » n'est pas une valeur connue")
    return found


def _report(data: Any) -> Report:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise _Wrong(f"il ne commence pas par « schema : {SCHEMA} »")
    settings = _get(data, "settings", (dict, type(None)), "")
    hidden = data.get("redacted") is True
    dossiers = [_dossier(item, f"dossiers[{at}]", hidden) for at, item in enumerate(_get(data, "dossiers", list, ""))]
    if len({(item.reference, item.path) for item in dossiers}) != len(dossiers):
        raise _Wrong("un dossier y figure deux fois")
    return Report(
        version=_get(_get(data, "tool", dict, ""), "version", str, "tool"),
        packs=tuple(_pack(item, f"packs[{at}]") for at, item in enumerate(_get(data, "packs", list, ""))),
        settings=None if settings is None else _file(settings, "settings"),
        decision=_word(data, "decision", DECISIONS, ""),
        dossiers=tuple(dossiers),
        findings=_of_run(_get(data, "findings", list, "")),
        redacted=hidden,
    )


def _pack(data: Any, where: str) -> Pack:
    return Pack(*(_get(data, key, str, where) for key in Pack._fields))


def _file(data: Any, where: str) -> File:
    return File(_get(data, "path", str, where), _get(data, "sha256", str, where))


def _dossier(data: Any, where: str, redacted: bool) -> Checked:
    files = [_file(item, f"{where}.files[{at}]") for at, item in enumerate(_get(data, "files", list, where))]
    results = [_result(item, f"{where}.results[{at}]") for at, item in enumerate(_get(data, "results", list, where))]
    by_rule = {item.rule: item for item in results}
    if len(by_rule) != len(results) or len({item.path for item in files}) != len(files):
        raise _Wrong(f"« {where} » : une règle ou un fichier y figure deux fois")
    pack = _get(data, "pack", dict, where)
    return Checked(
        reference=_get(data, "reference", str, where),
        path=_get(data, "path", str, where),
        pack=_pack(pack, f"{where}.pack") if pack else Pack("", "", ""),
        control_date=_get(data, "control_date", (str, type(None)), where) or "",
        stage=_get(data, "stage", str, where),
        decision=_word(data, "decision", DECISIONS, where),
        files={item.path: item.sha256 for item in files},
        results=by_rule,
        redacted=redacted,
    )


def _result(data: Any, where: str) -> Judged:
    listed = _get(data, "findings", list, where)
    found = [_finding(item, f"{where}.findings[{at}]") for at, item in enumerate(listed)]
    title = data.get("title")
    return Judged(
        rule=_get(data, "rule", str, where),
        title=title if isinstance(title, str) else "",
        severity=_word(data, "severity", SEVERITIES, where),
        outcome=_OUTCOMES[_word(data, "outcome", _OUTCOMES, where)],
        waived=_get(data, "waived", (dict, type(None)), where) is not None,
        findings=tuple(item for item in found if item.outcome in _BAD),
    )


def _finding(data: Any, where: str) -> Seen:
    said = [_get(data, key, (str, type(None)), where) for key in ("observed", "expected", "reason")]
    missing = [str(item) for item in _get(data, "missing", list, where)]
    message = _get(data, "message", str, where)
    outcome = _OUTCOMES[_word(data, "outcome", _OUTCOMES, where)]
    return Seen(_get(data, "subject", str, where), outcome, message, (message, *said, *missing))


def _of_run(listed: list[Any]) -> dict[str, Judged]:
    """The findings that belong to no dossier, as results: a reserve, the worst outcome of each rule."""
    found: dict[str, Judged] = {}
    for at, item in enumerate(listed):
        rule, seen = _get(item, "rule", str, f"findings[{at}]"), _finding(item, f"findings[{at}]")
        before = found.get(rule, Judged(rule, "", "reserve", Outcome.CONFORME, False, ()))
        if seen.outcome in _BAD:
            worst = Outcome.NON_CONFORME if Outcome.NON_CONFORME in (before.outcome, seen.outcome) else seen.outcome
            before = before._replace(outcome=worst, findings=(*before.findings, seen))
        found[rule] = before
    return found
