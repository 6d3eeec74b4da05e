"""`diff` and `report verify` as a person runs them: what changed between two runs, and since one."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Quitus

ROOT = Path(__file__).resolve().parent.parent
DAY = ("--on", "2019-05-20")
PIECE = "pieces/pv-1.pdf"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with the compliant dossier in it."""
    shutil.copytree(ROOT / "fixtures/conforme", tmp_path / "dossier")
    return tmp_path


@pytest.fixture
def check(quitus: Quitus, work: Path) -> Callable[..., Path]:
    """A run written as a JSON report: `check("a.json")`."""

    def run(name: str, *arguments: object, path: str = "dossier") -> Path:
        done = quitus("check", path, *DAY, "--format", "json", "--output", name, *arguments, cwd=work)
        assert done.returncode in (0, 1, 2), done.stderr
        return work / name

    return run


def spoil(path: Path) -> None:
    """One byte more at the end: a PDF reads as before."""
    path.write_bytes(path.read_bytes() + b"\n")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def rewritten(path: Path, change: Callable[[Any], object], name: str = "c.json") -> Path:
    """The report with an edit of its data."""
    data = json.loads(path.read_text("utf-8"))
    change(data)
    target = path.with_name(name)
    target.write_text(json.dumps(data), "utf-8")
    return target


def compared(quitus: Quitus, before: Path, after: Path) -> Any:
    done = quitus("diff", before, after, "--format", "json")
    data = json.loads(done.stdout)
    assert data["exit_code"] == done.returncode
    assert data["worse"] == bool(done.returncode)
    return data


# Two runs


def test_two_runs_equal(quitus: Quitus, check: Callable[..., Path]) -> None:
    before, after = check("a.json"), check("b.json")
    data = compared(quitus, before, after)
    assert data["exit_code"] == 0
    assert data["causes"] == {}
    (dossier,) = data["dossiers"]
    assert (dossier["change"], dossier["results"]) == ("unchanged", [])
    assert len(dossier["unchanged"]) == len(json.loads(before.read_text("utf-8"))["dossiers"][0]["results"])
    text = quitus("diff", before, after).stdout
    assert "1 dossier inchangé" in text
    assert text.endswith("Aucun résultat n'est pire.\n")


def test_a_fact_changes_a_rule_and_says_which_file(quitus: Quitus, check: Callable[..., Path], work: Path) -> None:
    before = check("a.json")
    (work / "dossier" / PIECE).unlink()
    after = check("b.json")
    data = compared(quitus, before, after)
    assert data["exit_code"] == 1
    (dossier,) = data["dossiers"]
    assert dossier["decision"] == ["conforme", "non_conforme"]
    assert [(item["name"], item["change"]) for item in dossier["causes"]["facts"]] == [(PIECE, "removed")]
    worse = [item for item in dossier["results"] if item["worse"]]
    assert worse
    assert all(item["change"] == "new" and item["reasons"] == ["facts"] for item in worse)
    assert any(item["outcome"] == ["conforme", "non_conforme"] for item in worse)
    text = quitus("diff", before, after).stdout
    assert f"{PIECE} retiré" in text
    assert "conforme → non conforme" in text
    assert text.endswith("est pire (« ! »).\n")
    back = compared(quitus, after, before)
    assert back["exit_code"] == 0
    assert back["summary"]["resolved"] == data["summary"]["new"]
    assert back["dossiers"][0]["causes"]["facts"][0]["change"] == "added"


def test_a_piece_that_says_the_same_changes_no_result(quitus: Quitus, check: Callable[..., Path], work: Path) -> None:
    before = check("a.json")
    spoil(work / "dossier" / PIECE)
    data = compared(quitus, before, check("b.json"))
    assert data["exit_code"] == 0
    assert [item["name"] for item in data["dossiers"][0]["causes"]["facts"]] == [PIECE]


def test_settings_and_date_are_reasons(quitus: Quitus, check: Callable[..., Path], work: Path) -> None:
    before = check("a.json")
    edit(work / "dossier/quitus.yaml", '"6113110000", ', "")
    data = compared(quitus, before, check("b.json"))
    assert data["exit_code"] == 1
    assert [item["change"] for item in data["causes"]["settings"]] == ["changed"]
    assert {reason for item in data["dossiers"][0]["results"] for reason in item["reasons"]} == {"settings"}
    later = compared(quitus, work / "b.json", check("c.json", "--on", "2021-05-20"))
    (edited,) = later["dossiers"][0]["causes"]["date"]
    assert (edited["before"], edited["after"]) == ("2019-05-20", "2021-05-20")


def test_a_pack_that_changed(quitus: Quitus, check: Callable[..., Path], work: Path) -> None:
    before = check("a.json")
    rules = work / "packs"
    shutil.copytree(ROOT / "rules", rules)
    edit(rules / "dinsic-calvados-2018/a4-plafond.yaml", "severity: bloquant", "severity: reserve")
    after = check("b.json", "--rules", rules)
    data = compared(quitus, before, after)
    assert [item["name"] for item in data["causes"]["rule"]] == ["dinsic-calvados-2018"]
    (moved,) = data["dossiers"][0]["results"]
    assert (moved["rule"], moved["change"], moved["reasons"]) == ("A4-PLAFOND", "changed", ["rule"])
    assert data["exit_code"] == 0
    assert "(règles)" in quitus("diff", before, after).stdout
    done = quitus("report", "verify", before, "--rules", rules, cwd=work)
    assert done.returncode == 1
    assert "A changé, règles dinsic-calvados-2018" in done.stdout
    assert quitus("report", "verify", after, "--rules", rules, cwd=work).returncode == 0
    (rules / "dinsic-calvados-2018/pack.yaml").unlink()
    done = quitus("report", "verify", before, "--rules", rules, cwd=work)
    assert done.returncode == 2
    assert "pack inconnu" in done.stdout


def test_dossiers_come_and_go(quitus: Quitus, work: Path) -> None:
    def run(name: str) -> Path:
        done = quitus(
            "check", "lot", *DAY, "--settings", "reglages.yaml", "--format", "json", "--output", name, cwd=work
        )
        assert done.returncode in (0, 1, 2), done.stderr
        return work / name

    shutil.move(work / "dossier/quitus.yaml", work / "reglages.yaml")
    for name in ("un", "deux"):
        shutil.copytree(work / "dossier", work / "lot" / name)
    edit(work / "lot/deux/dossier.yaml", "CALV-2019-01", "CALV-2019-02")
    before = run("a.json")
    (work / "lot/deux").rename(work / "lot/trois")
    shutil.rmtree(work / "lot/un")
    after = run("b.json")
    data = compared(quitus, before, after)
    assert {item["reference"]: item["change"] for item in data["dossiers"]}["CALV-2019-01"] == "removed"
    moved = data["dossiers"][1]
    assert (moved["reference"], moved["path"]) == ("CALV-2019-02", ["lot/deux", "lot/trois"])
    assert not moved["causes"]
    assert all(item["reasons"] == ["batch"] for item in moved["results"])
    text = quitus("diff", after, before).stdout
    assert "dossier ajouté" in text
    assert "auparavant à lot/trois" in text


# What is worse, on hand-made edits of a report


def judged(data: Any, rule: str) -> Any:
    return next(item for item in data["dossiers"][0]["results"] if item["rule"] == rule)


def finding(subject: str, outcome: str = "non_conforme", message: str = "m") -> dict[str, Any]:
    plain = {"observed": None, "expected": None, "reason": "", "missing": [], "locations": []}
    return {"subject": subject, "outcome": outcome, "message": message, **plain}


def put(
    outcome: str, *subjects: str, rule: str = "A4-PLAFOND", message: str = "m", **more: Any
) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        found = [finding(subject, outcome, message) for subject in subjects]
        judged(data, rule).update(outcome=outcome, findings=found, **more)

    return change


def gone(data: Any) -> None:
    data["dossiers"][0]["results"].remove(judged(data, "A4-PLAFOND"))


WAIVED = {"reason": "r", "requested_by": "a", "granted_by": "b", "from": None, "to": None}
STEPS = [
    (put("conforme"), put("non_conforme", "a"), "new", True),
    (put("conforme"), put("sans_objet"), "changed", False),
    (put("indetermine", "a"), put("non_conforme", "a"), "changed", True),
    (put("non_conforme", "a"), put("indetermine", "a"), "changed", False),
    (put("non_conforme", "a"), put("non_conforme", "a", "b"), "changed", True),
    (put("non_conforme", "a", "b"), put("non_conforme", "b"), "changed", False),
    (put("non_conforme", "a", "b"), put("non_conforme", "a", "c"), "changed", True),
    (put("non_conforme", "a"), put("non_conforme", "a", "a"), "changed", True),
    (put("non_conforme", "a"), put("non_conforme", "a", message="autre"), "changed", False),
    (put("non_conforme", "a"), put("non_conforme", "a", waived=WAIVED), "changed", False),
    (put("non_conforme", "a", waived=WAIVED), put("non_conforme", "a"), "changed", True),
    (put("conforme", severity="reserve"), put("indetermine", "a", severity="reserve"), "new", True),
    (put("non_conforme", "a"), put("conforme"), "resolved", False),
    (put("non_conforme", "a"), gone, "removed", True),
    (put("conforme"), gone, "removed", True),
    (gone, put("conforme"), "added", False),
    (gone, put("indetermine"), "new", True),
]


@pytest.mark.parametrize(("first", "second", "change", "worse"), STEPS)
def test_what_is_worse(
    quitus: Quitus, first: Callable[[Any], None], second: Callable[[Any], None], change: str, worse: bool, report: Path
) -> None:
    before, after = rewritten(report, first, "x.json"), rewritten(report, second, "y.json")
    data = compared(quitus, before, after)
    (moved,) = data["dossiers"][0]["results"]
    assert (moved["change"], moved["worse"], moved["reasons"]) == (change, worse, ["unknown"])
    assert data["exit_code"] == int(worse)
    assert "A4-PLAFOND" in quitus("diff", before, after).stdout


@pytest.fixture(scope="session")
def reference_report(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    from checker import check as run
    from checker import reports

    return reports.render(run(ROOT / "fixtures/conforme"), "json")


@pytest.fixture
def report(reference_report: bytes, tmp_path: Path) -> Path:
    """The report of the compliant dossier, where it is in the checkout."""
    (tmp_path / "r.json").write_bytes(reference_report)
    return tmp_path / "r.json"


def test_values_are_inert_and_both_languages_speak(quitus: Quitus, report: Path) -> None:
    evil = "\x1b[31m\u202e<script>"

    def change(data: Any) -> None:
        put("non_conforme", evil, message=evil)(data)
        data["dossiers"][0]["reference"] = evil
        data["dossiers"][0]["files"][0]["path"] = evil

    after = rewritten(report, change)
    for lang in ("fr", "en"):
        for done in (
            quitus("diff", report, after, "--lang", lang),
            quitus("diff", report, after, "--format", "json"),
            quitus("report", "verify", after, "--lang", lang),
        ):
            assert done.returncode == 1
            assert not {"\x1b", "\u202e"} & set(done.stdout)
            assert done.stderr == ""


def test_what_belongs_to_no_dossier(quitus: Quitus, report: Path) -> None:
    after = rewritten(report, lambda data: data["findings"].append({"rule": "X-1", **finding("lot")}))
    data = compared(quitus, report, after)
    assert data["exit_code"] == 1
    assert [(item["rule"], item["change"]) for item in data["run"]] == [("X-1", "new")]
    assert "Ce qui ne tient à aucun dossier" in quitus("diff", report, after).stdout
    back = compared(quitus, after, report)
    assert (back["exit_code"], back["run"][0]["change"]) == (0, "resolved")


WRONG = [
    (lambda data: data.update(schema="autre/1"), "quitus-report/1"),
    (lambda data: data.pop("dossiers"), "« dossiers » manque"),
    (lambda data: data["dossiers"][0].update(decision="parfait"), "« parfait »"),
    (lambda data: data["dossiers"].append(data["dossiers"][0]), "deux fois"),
    (lambda data: data["dossiers"][0]["files"][0].update(sha256=3), "files[0].sha256"),
    (lambda data: judged(data, "A4-PLAFOND").pop("outcome"), "outcome » manque"),
]


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_what_is_no_report_is_refused(quitus: Quitus, report: Path, change: Callable[[Any], object], said: str) -> None:
    wrong = rewritten(report, change)
    for arguments in (("diff", report, wrong), ("diff", wrong, report), ("report", "verify", wrong)):
        done = quitus(*arguments)
        assert done.returncode == 64
        assert "n'est pas un rapport de quitus" in done.stderr
        assert said in done.stderr
        assert done.stdout == ""


def test_a_report_cut_in_half_is_refused(quitus: Quitus, report: Path) -> None:
    cut = report.with_name("moitie.json")
    data = report.read_bytes()
    for size in (0, len(data) // 2, len(data) - 2):
        cut.write_bytes(data[:size])
        for arguments in (("diff", report, cut), ("report", "verify", cut)):
            done = quitus(*arguments)
            assert done.returncode == 64
            assert "le rapport est coupé" in done.stderr or "UTF-8" in done.stderr
    for text in (b"\xff", b"[" * 100000, b"[]", b'{"schema": 1, "schema": 2}'):
        cut.write_bytes(text)
        assert quitus("diff", cut, report).returncode == 64
    assert quitus("diff", cut.with_name("rien.json"), report).returncode == 64
    assert quitus("report").returncode == 64


# Since a run


def test_one_byte_of_one_piece_is_named(quitus: Quitus, check: Callable[..., Path], work: Path) -> None:
    report = check("a.json")
    done = quitus("report", "verify", report, cwd=work)
    assert done.returncode == 0, done.stdout
    assert "intact" in done.stdout
    data = bytearray((work / "dossier" / PIECE).read_bytes())
    data[len(data) // 2] ^= 1
    (work / "dossier" / PIECE).write_bytes(data)
    for arguments, cwd in (((report,), work), ((report, "--root", work), ROOT)):
        done = quitus("report", "verify", *arguments, cwd=cwd)
        assert done.returncode == 1
        assert next(line for line in done.stdout.splitlines() if "A changé" in line).startswith(
            f"A changé, fichier dossier/{PIECE}\u00a0: "
        )
        assert "1 changé, " in done.stdout
    (work / "dossier" / PIECE).unlink()
    done = quitus("report", "verify", report, cwd=work)
    assert done.returncode == 1
    assert f"N'est plus là, fichier dossier/{PIECE}" in done.stdout


def test_settings_are_looked_at(quitus: Quitus, check: Callable[..., Path], work: Path) -> None:
    report = check("a.json")
    spoil(work / "dossier/quitus.yaml")
    done = quitus("report", "verify", report, cwd=work)
    assert done.returncode == 1
    assert "A changé, réglages dossier/quitus.yaml" in done.stdout


def test_what_is_not_there_cannot_be_told(quitus: Quitus, check: Callable[..., Path], work: Path) -> None:
    report = check("a.json")
    empty = work / "vide"
    empty.mkdir()
    done = quitus("report", "verify", report, "--root", empty)
    assert done.returncode == 2
    assert "--root" in done.stdout
    assert quitus("report", "verify", report, "--root", work / "nulle-part").returncode == 64
    bare = rewritten(report, lambda data: data["dossiers"][0].update(files=[]))
    assert quitus("report", "verify", bare, cwd=work).returncode == 2
    out = rewritten(report, lambda data: data["dossiers"][0]["files"][0].update(path="../a.json"))
    done = quitus("report", "verify", out, cwd=work)
    assert done.returncode == 2
    assert "sort du dossier" in done.stdout
    piece = work / "dossier" / PIECE
    piece.rename(work / "ailleurs.pdf")
    piece.symlink_to(work / "ailleurs.pdf")
    assert quitus("report", "verify", report, cwd=work).returncode == 2


def test_a_manifest_that_stands_elsewhere(quitus: Quitus, check: Callable[..., Path], work: Path) -> None:
    shutil.move(work / "dossier/dossier.yaml", work / "recu.yaml")
    report = check("a.json", "--dossier", "recu.yaml")
    done = quitus("report", "verify", report, cwd=work)
    assert done.returncode == 2
    assert "--dossier" in done.stdout
    assert quitus("report", "verify", report, "--dossier", "recu.yaml", cwd=work).returncode == 0
    spoil(work / "recu.yaml")
    assert quitus("report", "verify", report, "--dossier", "recu.yaml", cwd=work).returncode == 1


def test_a_zip_is_looked_into(quitus: Quitus, check: Callable[..., Path], work: Path) -> None:
    def pack(*names: str) -> None:
        with zipfile.ZipFile(work / "recu.zip", "w") as archive:
            for name in names:
                for path in sorted((work / "dossier").rglob("*")):
                    if path.is_file() and path.name != "quitus.yaml":
                        archive.write(path, f"{name}/{path.relative_to(work / 'dossier')}")

    for names in (("un",), ("un", "deux")):
        pack(*names)
        report = check("a.json", "--settings", "dossier/quitus.yaml", path="recu.zip")
        done = quitus("report", "verify", report, cwd=work)
        assert done.returncode == 0, done.stdout
        spoil(work / "dossier" / PIECE)
        pack(*names)
        done = quitus("report", "verify", report, cwd=work)
        assert done.returncode == 1
        assert done.stdout.count(f"/{PIECE}\u00a0: ") == len(names)
    (work / "recu.zip").write_bytes(b"PK\x03\x04rien")
    assert quitus("report", "verify", report, cwd=work).returncode == 2
