"""The command as a person or a machine calls it: files, a call, what comes out (fixtures/scenarios/*.yaml).

A scenario is read as text:

    title, files, run          `run`: the words of the call after `quitus`
    cwd, env                   where it is called (`/`: the checkout), and its environment
    exit, stdout, stderr       the code; texts said there and not (`contains`, `absent`), blanks folded
    report                     values of the JSON report: `dossiers.0.results.A4-PLAFOND.outcome: conforme`
    after                      files that must then exist (`contains`, `absent`) or not (`null`)
    again                      environments in which the same call, elsewhere, writes the same bytes
    agree                      the decision that the five formats and the code must all say
    interrupt                  when Ctrl-C comes, in parts of the whole run

`files` lists what the working folder holds: `copy` (a path of the checkout), `text` or `bytes`, each `to` a path,
`times` over (`{n}`: which); then `edit` (laid over dossier.yaml as the `given` of an example), `drop` (its keys left
out), `replace` (file: {text: other text}) and `remove` (files). `@sha256:PATH`: the digest of that file of the dossier.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from checker import facts
from checker.base import yamlfile
from tests.test_mutations import flow

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "fixtures" / "scenarios"
KEYS = {*"title files run cwd env exit stdout stderr report after again agree interrupt".split()}
CODES = {"conforme": 0, "conforme_avec_reserves": 0, "non_conforme": 1, "indetermine": 2}
# French words that each format must use for the decision, and no other.
DECISIONS = {
    "conforme": "CONFORME",
    "conforme_avec_reserves": "CONFORME AVEC RÉSERVES",
    "indetermine": "INDÉTERMINÉ",
    "non_conforme": "NON CONFORME",
}
FORMATS = ("json", "sarif", "junit", "github")


def _scenarios() -> Iterator[Any]:
    for path in sorted(SCENARIOS.glob("*.yaml")):
        for index, scenario in enumerate(yamlfile.load_data(path)):
            assert set(scenario) <= KEYS, f"{path.name}: {scenario['title']}: {set(scenario) - KEYS}"
            yield pytest.param(scenario, id=f"{path.stem}-{index + 1}")


@pytest.mark.parametrize("scenario", [*_scenarios()])
def test_scenario(scenario: Mapping[str, Any], tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for entry in scenario.get("files", ()):
        _lay(work, entry)
    if "interrupt" in scenario:
        _interrupted(scenario, work)
        return
    done = _call(scenario, work)
    _said(scenario, done, work)
    if "again" in scenario:
        _same_bytes(scenario, done, work, tmp_path)
    if "agree" in scenario:
        _agree(scenario["agree"], done, work)


def _call(scenario: Mapping[str, Any], work: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The call, in `cwd` of the working folder (or of the checkout, « / »)."""
    where = ROOT if scenario.get("cwd") == "/" else work / scenario.get("cwd", "")
    environment = {**os.environ, **scenario.get("env", {}), **options.pop("env", {})}
    command = [sys.executable, "-m", "checker", *scenario["run"].split()]
    return subprocess.run(command, cwd=where, env=environment, capture_output=True, check=False, **options)


# The files of a scenario


def _lay(work: Path, entry: Mapping[str, Any], number: int = 0) -> None:
    if entry.get("times") and not number:
        for each in range(1, entry["times"] + 1):
            _lay(work, entry, each)
        return
    target = work / entry["to"].replace("{n}", str(number))
    target.parent.mkdir(parents=True, exist_ok=True)
    if "copy" in entry:
        _copy(ROOT / entry["copy"], target)
    elif "text" in entry:
        target.write_text(_digests(entry["text"], target.parent), "utf-8")
    elif "bytes" in entry:
        target.write_bytes(bytes.fromhex(entry["bytes"]))
    else:
        target.mkdir(exist_ok=True)
    for name in entry.get("remove", ()):
        (target / name).unlink()
    if "edit" in entry or "drop" in entry:
        _edit(target / "dossier.yaml", entry.get("edit", {}), entry.get("drop", ()))
    for name, changes in entry.get("replace", {}).items():
        changed = (target if target.is_dir() else target.parent) / name
        text = changed.read_text("utf-8")
        for old, new in changes.items():
            assert old in text, f"{name}: « {old} » is not there"
            text = text.replace(old, _digests(new.replace("{n}", str(number)), changed.parent))
        changed.write_text(text, "utf-8")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def _digests(text: str, folder: Path) -> str:
    return re.sub(
        r"@sha256:(\S+?)(?=[\s\",}])", lambda found: hashlib.sha256((folder / found[1]).read_bytes()).hexdigest(), text
    )


def _edit(manifest: Path, edit: Mapping[str, Any], drop: list[str]) -> None:
    node = facts.given.lay(yamlfile.compose(manifest.read_text("utf-8"), "dossier.yaml"), edit)
    kept = {key: child for key, child in node.data.items() if key not in drop}
    manifest.write_text("".join(f"{key}: {flow(child)}\n" for key, child in kept.items()), "utf-8")


# What a call must say


def _said(scenario: Mapping[str, Any], done: subprocess.CompletedProcess[bytes], work: Path) -> None:
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == scenario["exit"], f"{scenario['title']}\n{out}\n{err}"
    _texts(out, scenario.get("stdout", {}), "stdout")
    _texts(err, scenario.get("stderr", {}), "stderr")
    if "stderr" not in scenario:
        assert err == "", err
    if "report" in scenario:
        report = json.loads(out)
        jsonschema.validate(report, json.loads((ROOT / "schemas" / "report.schema.json").read_text("utf-8")))
        for path, wanted in scenario["report"].items():
            assert _at(report, path) == wanted, f"{path}: {_at(report, path)!r}"
    for name, wanted in scenario.get("after", {}).items():
        found = (work / name).exists()
        assert found == (wanted is not None), f"{name}: {'there' if found else 'missing'}"
        if wanted:
            _texts((work / name).read_text("utf-8"), wanted, name)
    assert not [path for path in work.rglob(".*.*") if path.is_file()], "a temporary file is left"


def _texts(text: str, wanted: Mapping[str, Any], where: str) -> None:
    folded = " ".join(text.split())
    for line in wanted.get("contains", ()):
        assert " ".join(line.split()) in folded, f"{where}: « {line} » is missing from\n{text}"
    for line in wanted.get("absent", ()):
        assert " ".join(line.split()) not in folded, f"{where}: « {line} » is in\n{text}"
    if wanted.get("json"):
        json.loads(text)
    if wanted.get("empty"):
        assert text == "", f"{where}:\n{text}"


def _at(data: Any, path: str) -> Any:
    """The value at a path; a step names a key, an index, or the item of a list whose rule it is."""
    for step in path.split("."):
        if isinstance(data, list) and not step.isdigit():
            data = next(item for item in data if item.get("rule") == step or item.get("reference") == step)
        else:
            data = data[int(step)] if isinstance(data, list) else data[step]
    return data


def _same_bytes(
    scenario: Mapping[str, Any], first: subprocess.CompletedProcess[bytes], work: Path, tmp_path: Path
) -> None:
    """The same inputs elsewhere, in another zone, another language and another order of hashing: the same bytes."""
    elsewhere = tmp_path / "elsewhere" / "much deeper"
    shutil.copytree(work, elsewhere)
    for number, environment in enumerate(scenario["again"]):
        again = _call(scenario, elsewhere, env=environment)
        assert again.stdout == first.stdout, f"run {number + 2}: stdout"
        for name in scenario.get("after", {}):
            assert (elsewhere / name).read_bytes() == (work / name).read_bytes(), f"run {number + 2}: {name}"


def _agree(decision: str, done: subprocess.CompletedProcess[bytes], work: Path) -> None:
    """The five formats of one run, and its code, say one decision and the same rules at fault."""
    assert done.returncode == CODES[decision]
    screen = " ".join(done.stdout.decode().split())
    assert DECISIONS[decision] in screen
    assert f"(code de sortie {CODES[decision]})" in screen
    report = json.loads((work / "r.json").read_bytes())
    jsonschema.validate(report, json.loads((ROOT / "schemas" / "report.schema.json").read_text("utf-8")))
    assert report["decision"] == decision == report["dossiers"][0]["decision"]
    results = report["dossiers"][0]["results"]
    held = {
        outcome: {
            item["rule"]
            for item in results
            if item["outcome"] == outcome and item["severity"] == "bloquant" and not item["waived"]
        }
        for outcome in ("non_conforme", "indetermine")
    }
    blocking = held["non_conforme"] | held["indetermine"]
    spoken = blocking & {"DOSSIER-LISIBLE"} or blocking  # of a dossier that cannot be read, the cause alone is told
    sarif = json.loads((work / "r.sarif").read_bytes())["runs"][0]["results"]
    assert {
        item["ruleId"] for item in sarif if item.get("level") == "error" and item.get("kind", "fail") == "fail"
    } == spoken
    suites = ET.fromstring((work / "r.xml").read_bytes())
    failed = {
        case for case in suites.iter("testcase") if case.find("failure") is not None or case.find("error") is not None
    }
    assert len(failed) == len(blocking), [case.attrib for case in failed]
    assert all(any(rule in str(case.attrib) for rule in blocking) for case in failed)
    errors = [line for line in (work / "r.txt").read_text("utf-8").splitlines() if line.startswith("::error")]
    assert bool(errors) == bool(blocking)
    for rule in spoken:
        assert rule in screen, rule


def _interrupted(scenario: Mapping[str, Any], work: Path) -> None:
    """Ctrl-C at several moments of a run, as parts of the time that it takes: the former report is as it was."""
    report = work / "report.json"
    command = [sys.executable, "-m", "checker", *scenario["run"].split()]
    subprocess.run(command, cwd=work, capture_output=True, check=False)  # what it keeps spares time to the next ones
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=work, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    for part in scenario["interrupt"]:
        report.write_text("before", "utf-8")
        process = subprocess.Popen(command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None and _spent(process.pid) < whole * float(part):
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == scenario["exit"], f"at {part} of the run\n{err.decode()}"
        assert out == err == b""
        assert report.read_text("utf-8") == "before"
        assert not [path for path in work.iterdir() if path.name.startswith(".")], "a temporary file is left"


def _spent(pid: int) -> float:
    """Seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
