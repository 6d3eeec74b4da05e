"""The house grows by files: a clause, a kind, a format, a convention, each added to a copy of it, no file edited."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import Quitus

ROOT = Path(__file__).resolve().parent.parent
PARTS = Path(__file__).parent / "extend"
PACK = "rules/dinsic-calvados-2018"
OTHER = "rules/partenariat-2024"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project, from which the command then runs."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in ("checker", "rules", "schemas", "fixtures/conforme"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def report(quitus: Quitus, house: Path, *arguments: object) -> Any:
    """The JSON report of a check."""
    done = quitus("check", *arguments, "--format", "json", cwd=house)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def outcomes(dossier: Any) -> dict[str, str]:
    return {item["rule"]: item["outcome"] for item in dossier["results"]}


def ok(done: Any) -> None:
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_clause_is_one_yaml_file(quitus: Quitus, house: Path) -> None:
    ok(quitus("new", "rule", "A5-ESSAI-DATE", "--pack", PACK, "--article", "5, point 1", cwd=house))
    path = house / PACK / "a5-essai-date.yaml"
    text = path.read_text("utf-8").replace(
        "À REMPLACER : la citation, mot pour mot", "un état liquidatif daté et signé"
    )
    path.write_text(text, encoding="utf-8")
    ok(quitus("test", PACK, "A5-ESSAI-DATE", cwd=house))
    found = outcomes(report(quitus, house, "fixtures/conforme")["dossiers"][0])
    assert found["A5-ESSAI-DATE"] == "conforme"


def test_a_kind_is_one_python_file(quitus: Quitus, house: Path) -> None:
    shutil.copy(PARTS / "kinds/ends_with.py", house / "checker/plans/kinds")
    shutil.copy(PARTS / "kinds/a5-essai-numero.yaml", house / PACK)
    assert quitus("schema", "--check", cwd=house).returncode == 1
    ok(quitus("schema", cwd=house))
    ok(quitus("schema", "--check", cwd=house))
    written = json.loads((house / "schemas/rule.schema.json").read_text("utf-8"))
    assert written["$defs"]["part"]["properties"]["ends_with"]["required"] == ["value", "end"]
    ok(quitus("test", PACK, "A5-ESSAI-NUMERO", cwd=house))
    page = quitus("explain", "ends_with", cwd=house)
    assert "A text ends with another one" in page.stdout


def test_a_format_is_one_python_file(quitus: Quitus, house: Path) -> None:
    shutil.copy(PARTS / "formats/lignes.py", house / "checker/reports/formats")
    done = quitus("check", "fixtures/conforme", "--format", "lignes", cwd=house)
    ok(done)
    assert done.stdout == "CALV-2019-01;conforme\n"


@pytest.fixture
def partnership(quitus: Quitus, house: Path) -> Path:
    """Another convention, paid in advance on fonds de concours: `quitus new pack`, then its folder over the stub."""
    ok(quitus("new", "pack", "partenariat-2024", cwd=house))
    (house / OTHER / "a2-montant.yaml").unlink()
    shutil.copytree(PARTS / "partenariat", house / OTHER, dirs_exist_ok=True)
    assert not list((house / OTHER).rglob("*.py"))
    return house


def test_a_convention_with_facts_of_its_own_is_one_folder(quitus: Quitus, partnership: Path) -> None:
    ok(quitus("lint", OTHER, cwd=partnership))
    tried = quitus("test", OTHER, cwd=partnership)
    ok(tried)
    assert "FC-SOLDE                 conforme, indetermine, non_conforme, sans_objet" in tried.stdout
    ok(quitus("new", "dossier", "d/nouveau", "--convention", "partenariat-2024", cwd=partnership))
    text = (partnership / "d/nouveau/dossier.yaml").read_text("utf-8")
    assert "Fonds de concours crédité" in text


def submit(house: Path, name: str, old: str = "", new: str = "") -> None:
    """The reference dossier of the partnership under another reference, one thing changed."""
    text = (house / OTHER / "reference/dossier.yaml").read_text("utf-8").replace("FC-2024-01", name)
    assert old in text
    (house / "d" / name).mkdir(parents=True)
    (house / "d" / name / "dossier.yaml").write_text(text.replace(old, new) if old else text, encoding="utf-8")


def test_its_dossiers_are_decided(quitus: Quitus, partnership: Path) -> None:
    submit(partnership, "BON")
    submit(partnership, "TARD", "2024-02-20", "2024-03-15")
    submit(partnership, "FLOU", "date: 2024-02-20", "date: 2024-02-30")
    submit(partnership, "FAUTE", "versement:", "versment:")
    text = (PARTS / "partenariat/reference/dossier.yaml").read_text("utf-8")
    items = text[text.index("emplois:") : text.index("reversement:")]
    submit(partnership, "TABLEUR", items, "emplois: {fichier: emplois.csv}\n")
    lines = "Objet;Date;Montant\nAteliers;03/06/2024;25000,00\nHébergement;02/09/2024;15000,00\n"
    (partnership / "d/TABLEUR/emplois.csv").write_text(lines, encoding="utf-8")
    found = report(quitus, partnership, "d")
    decided = {Path(item["path"]).name: item for item in found["dossiers"]}
    assert {name: item["decision"] for name, item in decided.items()} == {
        "BON": "conforme",
        "TABLEUR": "conforme",
        "TARD": "non_conforme",
        "FLOU": "indetermine",
        "FAUTE": "indetermine",
    }
    assert outcomes(decided["TARD"])["FC-DELAI"] == "non_conforme"
    (late,) = (item for item in decided["TARD"]["results"] if item["rule"] == "FC-DELAI")
    assert late["findings"][0]["locations"][0]["line"] == 7
    assert "2 mars 2024" in late["findings"][0]["message"]


def test_both_conventions_in_a_run(quitus: Quitus, partnership: Path) -> None:
    """One run, one settings file: each dossier is decided by its own convention, as if alone."""
    shutil.copytree(partnership / "fixtures/conforme", partnership / "d/CALV")
    (partnership / "d/CALV/quitus.yaml").replace(partnership / "d/quitus.yaml")
    submit(partnership, "BON")
    found = report(quitus, partnership, "d")
    decided = {Path(item["path"]).name: item for item in found["dossiers"]}
    assert {pack["id"] for pack in found["packs"]} == {"dinsic-calvados-2018", "partenariat-2024"}
    assert {name: (item["pack"]["id"], item["decision"]) for name, item in decided.items()} == {
        "CALV": ("dinsic-calvados-2018", "conforme"),
        "BON": ("partenariat-2024", "conforme"),
    }
    for name, item in decided.items():
        alone = report(quitus, partnership, f"d/{name}")["dossiers"][0]
        assert outcomes(alone) == outcomes(item)
