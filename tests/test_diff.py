"""`diff` as a page, and `diff --pack`: two versions of the rules over the same dossiers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Quitus
from test_compare import put, rewritten
from test_html import sound

from checker.base.words import languages

ROOT = Path(__file__).resolve().parent.parent
OWN = "dinsic-calvados-2018"
CEILING = f"{OWN}/a4-plafond.yaml"
PACK = f"{OWN}/pack.yaml"
TABLES = f"{OWN}/a5-1-rapp.yaml"
HOSTILE = "\x1b[31m\u202e<script>alert(1)</script>{{ 7*7 }}"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Two versions of the rules, and three dossiers of which the ceiling tells one apart."""
    for name in ("v1", "v2"):
        shutil.copytree(ROOT / "rules", tmp_path / name)
    for number, reference in enumerate(("A", "B"), 1):
        shutil.copytree(ROOT / "fixtures/conforme", tmp_path / f"lot/{reference}")
        edit(tmp_path / f"lot/{reference}/dossier.yaml", "CALV-2019-01", f"CALV-{number}")
        (tmp_path / f"lot/{reference}/quitus.yaml").unlink()
    shutil.copy(ROOT / "fixtures/conforme/quitus.yaml", tmp_path / "lot/quitus.yaml")
    edit(tmp_path / "lot/B/dossier.yaml", "date: 2019-03-04", "date: 2018-01-04")
    return tmp_path


def ceiling(work: Path) -> None:
    edit(work / "v2" / PACK, "valeur: 200000.00", "valeur: 1000.00")


def dated_ceiling(work: Path) -> None:
    """Lower from a day that only one of the dossiers reaches."""
    edit(
        work / "v2" / PACK,
        'valeur: 200000.00, source: "article 4"}',
        'valeurs: [{valeur: 200000.00, au: 2018-12-31, source: "article 4"}, '
        '{valeur: 1000.00, du: 2019-01-01, source: "article 4"}]}',
    )


def limit(work: Path) -> None:
    edit(work / "v2" / CEILING, "limit: $plafond}", "limit: 2000.00}")


def severity(work: Path) -> None:
    edit(work / "v2" / CEILING, "severity: bloquant", "severity: reserve")


def removed(work: Path) -> None:
    (work / "v2" / TABLES).unlink()


def person(work: Path) -> None:
    edit(work / "v2" / PACK, 'nom: "Amélie BRUN"', 'nom: "Anne AUTRE"')


def title(work: Path) -> None:
    edit(work / "v2" / CEILING, "title: La", "title: Ici, la")


def nothing(work: Path) -> None:
    edit(work / "v2" / PACK, 'version: "1.0.0"', 'version: "1.0.1"')


# change of the second version -> what is said to have changed, what moves in each dossier, exit code
CASES: dict[str, tuple[Callable[[Path], None], set[tuple[str, str]], set[tuple[str, str, str]], int]] = {
    "ceiling": (ceiling, {("parameter", "plafond")}, {("A4-PLAFOND", "parameter", "plafond")}, 1),
    "limit": (limit, {("rule_text", "A4-PLAFOND")}, {("A4-PLAFOND", "rule_text", "A4-PLAFOND")}, 1),
    "removed": (removed, {("rule_removed", "A5-1-RAPP")}, {("A5-1-RAPP", "rule_removed", "A5-1-RAPP")}, 1),
    "title": (title, {("rule_text", "A4-PLAFOND")}, set(), 0),
    "nothing": (nothing, set(), set(), 0),
}


def compared(quitus: Quitus, work: Path, *arguments: object) -> tuple[Any, int]:
    done = quitus(
        "diff", "--pack", "v1", "--pack", "v2", "--on", "2019-05-20", *arguments, "--format", "json", cwd=work
    )
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout), done.returncode


def reasons(data: Any) -> dict[str, set[tuple[str, str, str]]]:
    return {
        dossier["reference"]: {
            (item["rule"], why["reason"], why["name"]) for item in dossier["results"] for why in item["why"]
        }
        for dossier in data["dossiers"]
    }


@pytest.mark.parametrize("case", CASES)
def test_what_changed_and_what_it_moves(quitus: Quitus, work: Path, case: str) -> None:
    change, said, moved, code = CASES[case]
    change(work)
    data, returned = compared(quitus, work, "lot/A")
    assert {(item["reason"], item["name"]) for item in data["changes"]} == said
    assert reasons(data) == {"CALV-1": moved}
    (dossier,) = data["dossiers"]
    assert all(item["why"] for item in dossier["results"])
    assert returned == code == data["exit_code"]
    assert {item["dossiers"] for item in data["changes"]} == ({1} if moved else {0} if said else set())


def test_the_text_of_a_rule_says_which_words(quitus: Quitus, work: Path) -> None:
    limit(work)
    (change,) = compared(quitus, work, "lot/A")[0]["changes"]
    assert [(item["name"], item["before"], item["after"]) for item in change["edits"]] == [
        ("check.at_most.limit", "$plafond", "2000.00")
    ]
    text = quitus("diff", "--pack", "v1", "--pack", "v2", "lot/A", cwd=work).stdout
    assert "check.at_most.limit\u00a0: $plafond → 2\u202f000,00" in text


def test_several_changes_and_only_the_dossiers_that_they_touch(quitus: Quitus, work: Path) -> None:
    dated_ceiling(work)
    person(work)
    data, code = compared(quitus, work, "lot")
    found = reasons(data)
    assert ("A4-PLAFOND", "parameter", "plafond") in found["CALV-1"]
    assert not {item for item in found["CALV-2"] if item[0] == "A4-PLAFOND"}
    effect = {item["name"]: (item["reason"], item["dossiers"], item["rules"]) for item in data["changes"]}
    assert effect["plafond"] == ("parameter", 1, ["A4-PLAFOND"])
    reason, dossiers, rules = effect["personnes"]
    assert (reason, dossiers) == ("pack", 2)
    assert "A4-PLAFOND" not in rules
    assert code == 1


def test_less_severe_is_no_worse_and_the_other_way_is(quitus: Quitus, work: Path) -> None:
    ceiling(work)
    shutil.rmtree(work / "v1")
    shutil.copytree(work / "v2", work / "v1")
    severity(work)
    data, code = compared(quitus, work, "lot/A")
    assert code == 0
    assert reasons(data) == {"CALV-1": {("A4-PLAFOND", "rule_text", "A4-PLAFOND")}}
    back = quitus("diff", "--pack", "v2", "--pack", "v1", "--on", "2019-05-20", "lot/A", cwd=work)
    assert back.returncode == 1


def test_a_rule_added(quitus: Quitus, work: Path) -> None:
    (work / "v1" / TABLES).unlink()
    data, code = compared(quitus, work, "lot/A")
    assert code == 0
    assert reasons(data) == {"CALV-1": {("A5-1-RAPP", "rule_added", "A5-1-RAPP")}}


def test_the_folder_of_one_pack_is_a_version(quitus: Quitus, work: Path) -> None:
    ceiling(work)
    done = quitus("diff", "--pack", f"v1/{OWN}", "--pack", f"v2/{OWN}", "lot/A", cwd=work)
    assert done.returncode == 1, done.stderr
    assert "paramètre plafond\u00a0: 1 dossier change (A4-PLAFOND)" in done.stdout
    assert "200\u202f000,00 → 1\u202f000,00" in done.stdout


WRONG = [
    (("--pack", "v1", "lot/A"), 64, "deux fois"),
    (("--pack", "v1", "--pack", "v1", "--pack", "v2", "lot/A"), 64, "deux fois"),
    (("--pack", "v1", "--pack", "nulle-part", "lot/A"), 65, "nulle-part: cette version"),
    (("--pack", "v1", "--pack", "faux", "lot/A"), 65, "faux: cette version"),
    (("--pack", "v1", "--pack", "v2", "vide"), 66, ""),
    (("--pack", "v1", "--pack", "v2", "--on", "hier", "lot/A"), 64, "--on hier"),
    (("--pack", "v1", "--pack", "v2", "--stage", "x", "lot/A"), 64, "étape inconnue"),
    (("lot/A",), 64, "deux rapports"),
    (("a.json", "b.json", "--on", "2019-01-01"), 64, "--on ne vaut qu'avec --pack"),
    (("--pack", "v1", "--pack", "v2", "lot/A", "--output", "lot/A/dossier.yaml"), 64, "ne remplace pas"),
    (("--pack", "v1", "--pack", "v2", "lot/A", "--output", "rien/x"), 64, "on ne peut écrire là"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG)
def test_wrong_calls(quitus: Quitus, work: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    shutil.copytree(work / "v2", work / "faux")
    edit(work / "faux" / CEILING, "severity: bloquant", "severity: grave")
    (work / "vide").mkdir()
    done = quitus("diff", *arguments, cwd=work)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert done.stdout == ""


# The page


@pytest.fixture
def report(quitus: Quitus, tmp_path: Path) -> Path:
    quitus("check", "fixtures/conforme", "--format", "json", "--output", tmp_path / "r.json")
    return tmp_path / "r.json"


@pytest.mark.parametrize("lang", languages())
def test_the_page_says_what_the_json_says(quitus: Quitus, work: Path, lang: str) -> None:
    ceiling(work)
    removed(work)
    call = ("diff", "--pack", "v1", "--pack", "v2", "--on", "2019-05-20", "lot", "--lang", lang)
    plain = json.loads(quitus(*call, "--format", "json", cwd=work).stdout)
    done = quitus(*call, "--format", "html", "--output", "x.html", cwd=work)
    assert (done.returncode, done.stdout) == (1, "")
    tree = sound((work / "x.html").read_text("utf-8"), lang)
    assert tree.xpath("//body/@data-exit-code") == ["1"]
    shown = [
        (item.get("data-rule"), item.get("data-change"), item.get("data-worse")) for item in tree.xpath("//article")
    ]
    told = [
        (item["rule"], item["change"], str(item["worse"]).lower()) for d in plain["dossiers"] for item in d["results"]
    ]
    assert shown == told
    assert len(shown) > 2
    assert len(tree.xpath("//section[@data-change]")) == 2
    assert all(cell.get("scope") for cell in tree.xpath("//th"))
    assert len(tree.xpath("//header")) == 1
    again = quitus(*call, "--format", "html", cwd=work).stdout
    assert again == (work / "x.html").read_text("utf-8")


def test_the_page_is_inert(quitus: Quitus, report: Path) -> None:
    def change(data: Any) -> None:
        put("non_conforme", HOSTILE, message=HOSTILE, title=HOSTILE)(data)
        data["dossiers"][0].update(reference=HOSTILE, path=HOSTILE, stage=HOSTILE)
        data["dossiers"][0]["files"][0]["path"] = HOSTILE
        data["packs"][0].update(id=HOSTILE, version=HOSTILE)
        data["tool"]["version"] = HOSTILE
        data["settings"]["path"] = HOSTILE

    after = rewritten(report, change)
    done = quitus("diff", report, after, "--format", "html")
    assert done.returncode == 1, done.stderr
    tree = sound(done.stdout, "fr")
    assert "{{ 7*7 }}" in tree.text_content()
    back = quitus("diff", after, report, "--format", "html")
    assert back.stderr == ""
    sound(back.stdout, "fr")


def test_two_equal_reports(quitus: Quitus, report: Path) -> None:
    done = quitus("diff", report, report, "--format", "html")
    assert done.returncode == 0
    tree = sound(done.stdout, "fr")
    assert not tree.xpath("//article")
    assert "1 dossier inchangé" in tree.text_content()
