"""`explain`, `schema`, `new` as a person runs them, and the published schemas beside the readers that they describe."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from conftest import Quitus

from checker.base import dictionary, yamlfile
from checker.errors import ConfigurationError, UsageError
from checker.packs import describe, load, overlay, read, settings
from checker.packs.validate import validate
from checker.plans import describe as plans
from checker.plans import kind_names

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "rules/dinsic-calvados-2018/reference"


# Schemas


def schema(name: str) -> Any:
    return json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text("utf-8"))


def test_rule_schema_is_what_the_kinds_give() -> None:
    wanted = describe.dump(describe.rule_schema(plans.definitions()))
    assert (ROOT / "schemas/rule.schema.json").read_text("utf-8") == wanted, "`quitus schema` writes it"


def test_rule_schema_has_a_branch_a_kind() -> None:
    part = schema("rule")["$defs"]["part"]["properties"]
    assert set(kind_names()) < set(part)
    for kind in plans.kinds():
        assert part[kind.name]["description"].startswith(kind.doc)
        example = yamlfile.parse(f"{RULE}check:\n{textwrap.indent(kind.example, chr(32) * 2)}\n", "exemple")
        assert not validate(example, "rule"), kind.name


@pytest.mark.parametrize("name", ["rule", "pack", "quitus"])
def test_schemas_are_schemas(name: str) -> None:
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_every_shipped_file_holds_to_its_schema() -> None:
    authored = [path for path in (ROOT / "rules").rglob("*.yaml") if path.parent.name != "reference"]
    files = [(path, "pack" if path.name == "pack.yaml" else "rule") for path in sorted(authored)]
    files += [(read.ENGINE, "rule"), *((path, "quitus") for path in ROOT.rglob("reference/quitus.yaml"))]
    found = [problem for path, name in files for problem in validate(yamlfile.load(path, str(path)), name)]
    assert len(files) > 50
    assert not found, "\n".join(map(str, found))


def refused(tmp_path: Path, text: str) -> str:
    """What the reader of packs says of that pack."""
    (tmp_path / "essai").mkdir()
    (tmp_path / "essai/pack.yaml").write_text(f"id: essai\ntitle: t\nversion: '1'\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, "essai")
    return str(caught.value)


def listed(said: str, after: str) -> set[str]:
    found = re.search(rf"{after} : ([a-z_, ]+)", said)
    assert found, said
    return set(found[1].split(", "))


def test_pack_schema_agrees_with_its_reader(tmp_path: Path) -> None:
    found = schema("pack")
    assert set(found["properties"]) == set(read._PACK_KEYS)
    said = refused(tmp_path, "parametres: {x: {type: money, zzzzzzzz: 1}}\npersonnes: [{nom: a, role: b, zzzzzzzz: 1}]")
    assert set(found["$defs"]["parametre"]["properties"]) == listed(said, "Connues")
    assert set(found["$defs"]["personne"]["properties"]) == listed(said, "au plus")


def test_settings_schema_agrees_with_its_reader() -> None:
    found = schema("quitus")
    assert set(found["properties"]) == set(settings._KEYS)
    assert set(found["$defs"]["derogation"]["properties"]) == set(settings._WAIVER_KEYS)
    assert found["$defs"]["personne"]["properties"].keys() == schema("pack")["$defs"]["personne"]["properties"].keys()
    pack = load(ROOT / "rules", "dinsic-calvados-2018")
    texts = {"parametre": "parametres: {plafond: {zzzzzzzz: 1}}", "avenant": "avenants: [{zzzzzzzz: 1}]"}
    for name, text in texts.items():
        document = yamlfile.parse(text, "quitus.yaml")
        with pytest.raises(ConfigurationError) as caught:
            overlay(pack, settings.from_document(document, None, ""))
        assert set(found["$defs"][name]["properties"]) == listed(str(caught.value), "Connues")


RULE = 'id: X-1\ntitle: t\nclause: {article: "1", quote: q}\nsource: loi\nstage: certification\nseverity: bloquant\n'
CHECK = "check: {at_most: {value: 1.005, limit: 2}}\n"
WRONG = [
    ("rule", RULE + CHECK, []),
    ("rule", RULE + "check: {at_mots: {value: 1, limit: 2}}", ["7:", "« at_mots »", "Écrire « at_most » ?"]),
    ("rule", RULE + "check: {at_most: {value: 1}}", ["7:", "la clé « limit » manque"]),
    ("rule", RULE + "check: {at_most: {value: [1], limit: 2}}", ["une liste : un texte ou un nombre est attendu"]),
    ("rule", RULE + "check: {required: {value: a}, equals: {value: a, expected: b}}", ["une seule", "required"]),
    ("rule", RULE, ["une de ces clés est attendue : check, demands"]),
    ("rule", RULE + CHECK + "let: {a: {sum: b, wher: c}}", ["8:", "« wher »", "Écrire « where » ?"]),
    ("rule", "id: X-1\n" + CHECK, [f"la clé « {name} » manque" for name in ("title", "clause", "severity")]),
    ("rule", RULE.replace("loi", "loy") + CHECK, ["4:9", "« loy » n'est pas une valeur connue", "Écrire « loi » ?"]),
    ("rule", "rules: []", ["une liste d'au moins 1 élément(s)"]),
    ("rule", f"rules:\n  - {RULE.replace(chr(10), chr(10) + '    ')}note: 3", ["8:", "« 3 » : un texte est attendu"]),
    ("pack", "id: essai\ntitle: t\nversion: 1.10", ["3:10", "« 1.10 » : un texte est attendu"]),
    ("quitus", "derogations: [{regle: A, du: 2019-1-1}]", ["« 2019-1-1 » n'a pas la forme attendue"]),
    ("quitus", "registre: sqlite:///r.db", ["rien est attendu"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "said"), WRONG)
def test_faults_of_a_file_are_said_in_french_all_at_once(name: str, text: str, said: list[str]) -> None:
    found = "\n".join(map(str, validate(yamlfile.parse(text, "f.yaml"), name)))
    assert [words for words in said if words not in found] == [], found
    assert bool(found) == bool(said)


def test_schema_check(quitus: Quitus) -> None:
    done = quitus("schema", "--check")
    assert done.returncode == 0, done.stderr


# explain


def test_explain_lists_rules_and_kinds(quitus: Quitus) -> None:
    done = quitus("explain")
    assert done.returncode == 0, done.stderr
    rules = {rule.id: rule for name in ("dinsic-calvados-2018",) for rule in load(ROOT / "rules", name).rules}
    first = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ") and line.strip()}
    assert {rule for rule in rules if rule != "ATTESTATION-VALIDE"} <= first
    assert all(name in done.stdout for name in kind_names())
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_explain_a_rule_at_a_date(quitus: Quitus) -> None:
    done = quitus("explain", "A4-PLAFOND", "no_gap", "--on", "2019-05-20", "--settings", REFERENCE / "quitus.yaml")
    assert done.returncode == 0, done.stderr
    for words in ("« une participation maximum de 200 000€ »", "bloquant", "état liquidatif", "20/05/2019",
                  "EL-2019-01",
                  "at_most : A value does not exceed", "limit: $plafond", "un centime de trop", "a4-plafond.yaml",
                  "rows: interruptions_prescription.date"):  # fmt: skip
        assert words in done.stdout, words
    assert re.search(r"200.000,00.€ +\[article 4\]", done.stdout)


def test_explain_the_computation_of_a_dossier(quitus: Quitus) -> None:
    done = quitus("explain", "A4-PLAFOND", "--dossier", "fixtures/conforme")
    assert done.returncode == 0, done.stderr
    for words in ("CALV-2019-01", "conforme", "cumul", "84000.00", "200000.00", "dossier.yaml", "$plafond"):
        assert words in done.stdout, words


@pytest.mark.parametrize(
    ("asked", "said"),
    [(["A4-PLAFON"], "« A4-PLAFOND »"), (["at_mots"], "« at_most »"), (["--dossier", "fixtures/conforme"], "REGLE"),
     (["A4-PLAFOND", "--on", "2019-02-30"], "2019-02-30")],
)  # fmt: skip
def test_explain_refuses(asked: list[str], said: str) -> None:
    import argparse

    from checker.commands import explain

    parser = argparse.ArgumentParser()
    explain.arguments(parser)
    with pytest.raises(UsageError, match=said):
        explain.run(parser.parse_args(asked))


# new


def test_new_pack_passes_lint_and_test(quitus: Quitus, tmp_path: Path) -> None:
    assert quitus("new", "pack", "ma-convention", cwd=tmp_path).returncode == 0
    pack = tmp_path / "rules/ma-convention"
    assert not validate(yamlfile.load(pack / "pack.yaml"), "pack")
    for verb in ("lint", "test"):
        done = quitus(verb, pack, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    rule = quitus("new", "rule", "A2-ESSAI", "--pack", pack, "--article", "2", cwd=tmp_path)
    assert rule.returncode == 0, rule.stderr
    done = quitus("test", pack, "A2-ESSAI", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    told = quitus("lint", pack, cwd=tmp_path)
    assert told.returncode == 65
    assert "a2-essai.yaml:7" in told.stderr  # the quote is still to be written
    again = quitus("new", "pack", "ma-convention", cwd=tmp_path)
    assert again.returncode == 64
    assert "existe déjà" in again.stderr


def test_new_rule_says_every_key(tmp_path: Path) -> None:
    text = (ROOT / "checker/commands/new_templates/rule.yaml").read_text("utf-8")
    keys = set(re.findall(r"^(?:# )?([a-z_]+):", text, re.M))
    assert keys == set(read._RULE_KEYS)
    assert not validate(yamlfile.parse(text.replace("__ID__", "A1"), "r.yaml"), "rule")


def test_new_dossier_has_every_key_and_no_value(quitus: Quitus, tmp_path: Path) -> None:
    done = quitus("new", "dossier", tmp_path / "D-1", "--convention", "dinsic-calvados-2018")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "D-1/dossier.yaml").read_text("utf-8")
    for table in dictionary.load().tables.values():
        for field in table.fields.values():
            last = field.name.rpartition(".")[2]
            if not field.computed and table.kind == "objects" and table.name != "tableur":
                assert re.search(rf"^[ #-]*{last}:.*# .*{re.escape(field.title)}", text, re.M), (
                    f"{table.name} {field.name}"
                )
    for written in (text, uncommented(text)):
        (tmp_path / "D-1/dossier.yaml").write_text(written, encoding="utf-8")
        checked = quitus("check", tmp_path / "D-1", "--format", "json")
        assert checked.returncode in (1, 2), checked.stderr
        results = json.loads(checked.stdout)["dossiers"][0]["results"]
        assert next(item for item in results if item["rule"] == "DOSSIER-LISIBLE")["outcome"] == "conforme"


def uncommented(text: str) -> str:
    """The same with the keys given as comments written out, as a person would."""
    lines = text.splitlines()
    found = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if after.lstrip().startswith("# ") and not line.lstrip().startswith("#"):
            line = re.sub(r": (\[\]|null) ", ":  ", line)
        found.append(re.sub(r"^( *)# ( +)", r"\1\2", line))
    return "\n".join(found) + "\n"


def test_new_settings_are_settings_that_say_nothing(quitus: Quitus, tmp_path: Path) -> None:
    assert quitus("new", "settings", "--convention", "dinsic-calvados-2018", cwd=tmp_path).returncode == 0
    path = tmp_path / "quitus.yaml"
    assert not validate(yamlfile.load(path), "quitus")
    assert settings.read_settings([], path).waivers == ()
    assert "#   comptes_eligibles: {valeur: [], source:" in path.read_text("utf-8")
    assert quitus("new", "settings", cwd=tmp_path).returncode == 64
