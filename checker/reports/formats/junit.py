"""JUnit XML: one suite a dossier, one case a rule. What blocks fails, the unknown included; nothing is skipped."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from checker.base.words import Words
from checker.model import DossierVerdict, Finding, Outcome, Result, Verdicts, Waiver
from checker.reports import rows
from checker.reports.inert import inert, phrase, xml
from checker.reports.rows import Weight

Element = ElementTree.Element
_ADDRESSES = 20  # of one finding


def render(verdicts: Verdicts, words: Words, *, color: bool = False, width: int = 100) -> bytes:
    """The JUnit report of a run."""
    suites = [_suite(verdict, verdicts, words) for verdict in verdicts.dossiers]
    run = _run(verdicts, words)
    if run is not None:
        suites.append(run)
    root = Element("testsuites", name="quitus")
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    root.extend(suites)
    ElementTree.indent(root)
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _suite(verdict: DossierVerdict, verdicts: Verdicts, words: Words) -> Element:
    strict = verdicts.fail_on == "reserve" and verdict.decision != "conforme"
    cases = [_case(result, verdict, strict, words) for result in verdict.results]
    alone = rows.orphan(verdict, words)
    if alone is not None:
        cases.append(_bare(alone, inert(verdict.reference), True, words))
    suite = _dressed(inert(verdict.reference), cases)
    properties = {
        "decision": verdict.decision,
        "path": verdict.path,
        "stage": verdict.stage,
        "control_date": verdict.control_date.isoformat() if verdict.control_date else "",
        "pack": " ".join(verdict.pack.get(key, "") for key in ("id", "version", "sha256")),
        "settings": rows.settings_path(verdicts),
        "partial": rows.partial(verdicts, words),
    }
    suite.insert(0, _properties(properties))
    return suite


def _run(verdicts: Verdicts, words: Words) -> Element | None:
    """The suite of what belongs to no dossier; in a run without dossiers it carries the decision."""
    if not verdicts.findings and verdicts.dossiers:
        return None
    strict = verdicts.fail_on == "reserve"
    failing = {id(row.finding): row.weight.blocks or strict for row in rows.of_run(verdicts)}
    cases = [_bare(finding, "quitus", failing.get(id(finding), False), words) for finding in verdicts.findings]
    if not any(failing.values()) and not verdicts.dossiers and verdicts.exit_code():
        outcome = Outcome.NON_CONFORME if verdicts.decision == "non_conforme" else Outcome.INDETERMINE
        cases.append(_bare(Finding("DOSSIER-LISIBLE", "", outcome, words["text.nothing"]), "quitus", True, words))
    suite = _dressed("quitus", cases)
    properties = {"decision": verdicts.decision, "settings": rows.settings_path(verdicts)}
    suite.insert(0, _properties({**properties, "partial": rows.partial(verdicts, words)}))
    return suite


def _dressed(name: str, cases: list[Element]) -> Element:
    failures = sum(case.find("failure") is not None for case in cases)
    suite = Element("testsuite", name=name, tests=str(len(cases)), failures=str(failures), errors="0", skipped="0")
    suite.extend(cases)
    return suite


def _properties(values: dict[str, str]) -> Element:
    found = Element("properties")
    for name, value in values.items():
        if value:
            ElementTree.SubElement(found, "property", name=name, value=inert(value))
    return found


def _case(result: Result, verdict: DossierVerdict, strict: bool, words: Words) -> Element:
    case = Element("testcase", classname=inert(verdict.reference), name=inert(result.rule))
    weight = rows.weigh(result)
    lines = [f"{phrase(result.title)} ({words['text.article'].format(article=phrase(result.clause.article))})"]
    if result.waiver is not None:
        lines.append(_waiver(result.waiver, words))
    lines += _lines(rows.shown(result), words)
    if result.remedy and weight is not Weight.GREEN:
        actor = words.get(f"actor.{result.remedy.to}", result.remedy.to)
        lines.append(phrase(words["text.pair"].format(label=actor, text=result.remedy.text)))
    if weight.blocks or (strict and weight in (Weight.RESERVE, Weight.WAIVED)):
        kind = result.outcome.word if weight.blocks else "reserve"
        _fail(case, kind, result.outcome, rows.shown(result)[0].message or result.title, lines, words)
    elif rows.attested(result):
        said = phrase(words["text.attested"])
        ElementTree.SubElement(case, "system-out").text = xml("\n".join([said, *lines]))
    elif weight is not Weight.GREEN or result.outcome is Outcome.SANS_OBJET:
        key = "waived" if weight is Weight.WAIVED else result.severity
        said = words[f"outcome.{result.outcome.word}"]
        first = (
            said
            if weight is Weight.GREEN
            else words["text.pair"].format(label=words.get(f"severity.{key}", key), text=said)
        )
        ElementTree.SubElement(case, "system-out").text = xml("\n".join([first, *lines]))
    return case


def _bare(finding: Finding, owner: str, fails: bool, words: Words) -> Element:
    """A case without a rule behind it."""
    case = Element("testcase", classname=owner, name=inert(finding.rule))
    if fails:
        _fail(case, finding.outcome.word, finding.outcome, finding.message, _lines([finding], words), words)
    else:
        said = [words[f"outcome.{finding.outcome.word}"], *_lines([finding], words)]
        ElementTree.SubElement(case, "system-out").text = xml("\n".join(said))
    return case


def _fail(case: Element, kind: str, outcome: Outcome, message: str, lines: list[str], words: Words) -> None:
    said = words["text.cannot"].format(text=message) if outcome is Outcome.INDETERMINE else message
    failure = ElementTree.SubElement(case, "failure", type=kind, message=phrase(said))
    failure.text = xml("\n".join(lines))


def _waiver(waiver: Waiver, words: Words) -> str:
    end = waiver.end.isoformat() if waiver.end else ""
    said = words["text.waiver" if end else "text.waiver_open"]
    values = {"granted_by": waiver.granted_by, "requested_by": waiver.requested_by, "reason": waiver.reason}
    return phrase(said.format(end=end, **values))


def _lines(findings: Iterable[Finding], words: Words) -> list[str]:
    found = []
    for finding in findings:
        said = words["text.pair"].format(label=finding.subject, text=finding.message)
        found.append(phrase(said if finding.subject else finding.message))
        if finding.missing:
            found.append("  " + words["text.missing"].format(items=phrase(words["list.comma"].join(finding.missing))))
        excerpts = (*finding.excerpts, *[""] * len(finding.locations))
        for place, excerpt in list(zip(finding.locations, excerpts, strict=False))[:_ADDRESSES]:
            seen = words["text.read"].format(text=inert(excerpt)) if excerpt else ""
            found.append("  " + words["list.comma"].join(part for part in (rows.where(place, words), seen) if part))
    return found
