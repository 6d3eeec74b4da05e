"""`quitus prepare`: which lines a piece supports, what a person wrote stays, folders end to end. Cases are data."""

from __future__ import annotations

import difflib
import functools
import json
import re
import shutil
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.base import dictionary, yamlfile
from checker.base.piece import Piece
from checker.model import Place, Row, Told, Value
from checker.proposals import keep, propose, support, yamltext
from checker.proposals.settle import settle

HERE = Path(__file__).parent / "prepare"
DICTIONARY = dictionary.load()
COLUMNS = (
    "facture.numero",
    "engagement.numero",
    "paiement.numero",
    "fournisseur.nom",
    "fournisseur.siret",
    "facture.montant_ttc",
    "montant",
)


def cases(name: str) -> list[Any]:
    return [pytest.param(case, id=case["title"]) for case in yamlfile.load_data(HERE / f"{name}.yaml")]


def row(said: Mapping[str, Any], place: Place) -> Row:
    return {name: Value(str(raw), place) for name, raw in said.items()}


def piece(path: str, nature: str | None, said: Mapping[str, Any] | None = None, **more: Any) -> Piece:
    table = "facture_lue" if nature in ("facture", "avoir") else "acte_lu"
    told = Told({table: [(0, row(said, Place(path, page=1)))]} if said else {})
    return Piece(path, nature, "titre « Facture »", "forte", told, **more)


@pytest.mark.parametrize("case", cases("links"))
def test_links(case: Mapping[str, Any]) -> None:
    rows = [
        {name: Value(text or None, Place("lignes.csv", line=at)) for name, text in zip(COLUMNS, line, strict=True)}
        for at, line in enumerate(case["lines"], 2)
    ]
    pieces = [
        piece(
            wanted.get("path", f"{at}.pdf"),
            wanted["nature"],
            wanted.get("told"),
            text=wanted.get("text", ""),
            mute=wanted.get("mute", False),
            fault=wanted.get("fault", ""),
        )
        for at, wanted in enumerate(case["pieces"])
    ]
    found = support.links(pieces, rows)
    for wanted, each in zip(case["pieces"], pieces, strict=True):
        link = found[each.path]
        if isinstance(wanted["lines"], list):
            assert list(link.lines) == wanted["lines"], link
            assert link.reason
            assert not link.left
        else:
            assert link.lines == ()
            assert link.left.startswith(wanted["lines"]), link


TITLE = Told(
    {
        "acte_lu": [
            (
                0,
                {
                    "numero": Value("??", Place("titre.pdf", page=1), "brouillé"),
                    **row({"date": "02/04/2019", "montant": "84 000,00 €"}, Place("titre.pdf", page=1)),
                },
            )
        ]
    }
)
PIECES = (
    piece("f.pdf", "facture", {"numero": "F-1234"}),
    Piece(
        "lignes.csv",
        None,
        lines=(row({"ligne": 1, "montant": "10,00", "facture.numero": "F-1234"}, Place("lignes.csv", line=2)),),
    ),
    Piece("titre.pdf", "titre_de_perception", "titre", "forte", TITLE),
)


@pytest.mark.parametrize("case", cases("keep"))
def test_keep(case: Mapping[str, Any]) -> None:
    made = propose(PIECES, DICTIONARY, "x", "R", earlier=case["written"])
    changes = [
        line
        for line in difflib.unified_diff(case["written"].splitlines(), made.text.splitlines(), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    if case.get("ends"):
        assert all(any(line.startswith(wanted) for line in changes) for wanted in case["changes"])
        assert not any(line.startswith("-") for line in changes)
    else:
        assert changes == case["changes"]
    if "kept" in case:
        assert [re.sub(r"\[.*", "", path) for path, _ in made.kept] == case["kept"]
    if "left" in case:
        paths = [path for path, _ in made.left]
        assert [path for path in case["left"] if path not in paths] == []
    again = propose(PIECES, DICTIONARY, "x", "R", earlier=made.text)
    assert again.text == made.text


def test_twice() -> None:
    """The same bytes, the same list, whatever the order of the files."""
    made = propose(PIECES, DICTIONARY, "x", "R")
    again = propose(PIECES, DICTIONARY, "x", "R", earlier=made.text)
    assert (again.text, again.left, again.kept) == (made.text, made.left, ())


def workbook() -> Piece:
    """The lines of the example workbook."""
    from checker.facts import rows as lines
    from checker.facts.readers import xlsx

    name = "etat-liquidatif.xlsx"
    grids = xlsx.grids(HERE.parents[1] / "fixtures/conforme" / name, name)
    rows, totals, _ = lines.read(grids, DICTIONARY.tables["depenses"])
    return Piece(name, "etat_liquidatif", lines=tuple(rows), totals=tuple(totals))


FULL = (workbook(), *PIECES[::2])
FIRST = propose(FULL, DICTIONARY, "x", "R")


@given(st.data())
def test_edited(data: st.DataObject) -> None:
    """Whatever values a person changes, blanks or takes out: theirs stay, the others come back."""
    lines = FIRST.text.splitlines()
    leaves = [at for at, line in enumerate(lines) if re.match(r" +[a-z_]+: [^#]+  # ", line) and "null" not in line]
    chosen = data.draw(st.lists(st.sampled_from(leaves), unique=True, max_size=30))
    how = {at: data.draw(st.sampled_from(["mine", "null", "gone", "commented"])) for at in chosen}
    edited, wanted = [], []
    for at, line in enumerate(lines):
        head = line[: line.index(": ") + 2] if at in how else ""
        mine = {"mine": f'{head}"À moi"   # noté', "null": f"{head}null", "commented": f"{head}~ # vu"}.get(
            how.get(at, "")
        )
        edited += [] if how.get(at) == "gone" else [mine or line]
        wanted.append(mine if how.get(at) == "mine" else f"{line} ; vu" if how.get(at) == "commented" else line)
    again = propose(FULL, DICTIONARY, "x", "R", earlier="\n".join(edited) + "\n")
    assert sorted(again.text.splitlines()) == sorted(line for line in wanted if line is not None)
    assert (
        yamlfile.to_data(yamlfile.compose(again.text, "x")).keys()
        == yamlfile.to_data(yamlfile.compose(FIRST.text, "x")).keys()
    )
    assert propose(FULL, DICTIONARY, "x", "R", earlier=again.text).text == again.text


@given(st.text(), st.text())
def test_inert(value: str, comment: str) -> None:
    """Whatever a piece holds, its value comes back whole and nothing of it acts."""
    text = value.encode("utf-8", "replace").decode()
    group = yamltext.Group({"a": yamltext.Leaf(yamltext.quoted(text), comment), "b": yamltext.Leaf("1", comment)})
    document = yamltext.document(group, "# x\n")
    node = yamlfile.compose(document, "x")
    assert {key: child.data for key, child in node.data.items()} == {"a": text, "b": "1"}
    assert len(document.splitlines()) == 3
    assert document.count("\n") == 3
    assert {unicodedata.category(char) for char in document.replace("\n", "")}.isdisjoint({"Cc", "Zl", "Zp", "Cs"})
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", document)


@pytest.mark.parametrize(
    ("column", "raws", "text", "said"),
    [
        ("montant", ["60 000,00 €"], "60000.00", "a, page 1"),
        ("montant", ["60000", "60 000,00"], "60000.00", "a, page 1 ; b, page 1"),
        ("montant", ["60000", "60001"], None, "ambigu : « 60000 » (a, page 1) ou « 60001 » (b, page 1)"),
        ("montant", ["1.234"], None, "illisible : « 1.234 », a, page 1 : trois décimales"),
        ("montant", ["1.234", "5"], "5.00", "b, page 1"),
        ("montant", ["", ""], None, "cellule vide : a, page 1"),
        ("montant", [], None, "non lu"),
        ("groupe_marchandises", [], None, "non lu : null vaut « aucun »"),
        ("facture.date", ["14.12.2018"], "2018-12-14", "a, page 1"),
        ("facture.date", ["12/14/2018"], None, "illisible"),
        ("facture.taux_tva", ["5,5 %"], "5.5", "a, page 1"),
        ("fournisseur.taille", ["PME"], "pme", "a, page 1"),
        ("fournisseur.taille", ["énorme"], None, "illisible : « énorme », a, page 1 : mot hors de la liste"),
        ("fournisseur.nom", ["ACME  Numérique", "Acme numerique SAS"], '"ACME Numérique"', "a, page 1 ; b, page 1"),
        ("service_fait.signe", ["oui"], "true", "a, page 1"),
        ("ligne", ["3"], "3", "a, page 1"),
        ("objet", ['dit "oui"\\\n'], '"dit \\"oui\\"\\\\"', "a, page 1"),
    ],
)
def test_settle(column: str, raws: list[str], text: str | None, said: str) -> None:
    field = DICTIONARY.tables["depenses"].fields[column]
    leaf = settle(field, [Value(raw, Place(name, page=1)) for name, raw in zip("abc", raws, strict=False)])
    assert leaf.text == text
    assert leaf.comment.startswith(said)


def test_recognised_characters_prove_nothing() -> None:
    """What OCR alone reads is left to a person."""
    told = {"numero": "TP-1", "date": "2019-04-02", "montant": "84000", "source": "ocr"}
    made = propose([piece("t.pdf", "titre_de_perception", told)], DICTIONARY, "x", "R")
    assert "numero: null  # illisible : « TP-1 », t.pdf, page 1 : lu par reconnaissance" in made.text
    assert "titre_de_perception.montant" in dict(made.left)


@pytest.mark.parametrize(
    "text",
    ["- une liste\n", "a: [\n", "a: 1\na: 2\n", "texte\n"],
)
def test_not_a_manifest(text: str) -> None:
    with pytest.raises(yamlfile.YamlError):
        keep.merge(text, yamltext.Group({}))


# Whole folders, by the command

NO_DELIBERATION = {
    "exit": 1,
    "conforme": ["A5-1-DATE"],
    "indetermine": ["A5-2-ATT"],
    "non_conforme": ["A5-COMPLET", "P-DELIB"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A sample folder, made once."""
    from prepare import samples

    @functools.cache
    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp("raw") / "Reçu le 6 mars"
        folder.mkdir()
        samples.chorus(folder) if name == "chorus" else samples.office(folder, name)
        return folder

    return make


@pytest.fixture
def raw(made: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a sample folder."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(made(name), tmp_path / made(name).name))

    return copy


def at(node: yamlfile.Node, path: str) -> yamlfile.Node:
    for key in path.split("."):
        node = node.data[int(key) if key.isdigit() else key]
    return node


@pytest.mark.parametrize("case", cases("folders"))
def test_folders(case: Mapping[str, Any], raw: Callable[[str], Path], quitus: Any) -> None:
    folder = raw(case["sample"])
    done = quitus("prepare", folder)
    assert done.returncode == case["exit"], done.stdout + done.stderr
    assert not done.stderr
    listed = [line[2:] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert len(listed) == len(case["left"])
    assert all(line.startswith(wanted) for line, wanted in zip(listed, case["left"], strict=True)), listed
    text = (folder / "dossier.yaml").read_text(encoding="utf-8")
    node = yamlfile.compose(text, "dossier.yaml")
    lines = text.splitlines()
    shown = {path: lines[at(node, path).line - 1].strip() for path in case["says"]}
    assert {path: line[: len(case["says"][path])] for path, line in shown.items()} == case["says"]
    assert [path for path in case["null"] if at(node, path).data is not None] == []
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    for path, leaf in told(node):
        if leaf.data is not None and path not in ("convention", "reference"):
            line = lines[leaf.line - 1]
            assert any(name in line for name in files) or re.search(r"nature: .*  # ", line), f"{path} : sans origine"
    assert quitus("prepare", folder).returncode == case["exit"]
    assert (folder / "dossier.yaml").read_text(encoding="utf-8") == text
    checked(case["check"], quitus("check", folder, "--format", "json", "--on", "2019-05-20"))


def told(node: yamlfile.Node, path: str = "") -> Iterator[tuple[str, yamlfile.Node]]:
    """Every value that is written."""
    below = (
        node.data.items()
        if isinstance(node.data, dict)
        else enumerate(node.data)
        if isinstance(node.data, list)
        else None
    )
    if below is None:
        yield path, node
        return
    for key, child in below:
        yield from told(child, f"{path}.{key}" if path else str(key))


def checked(wanted: Mapping[str, Any], done: Any) -> None:
    """The manifest is one: read, judged; nothing that was not read is held against anybody."""
    assert done.returncode == wanted["exit"], done.stderr
    (dossier,) = json.loads(done.stdout)["dossiers"]
    results = {result["rule"]: result for result in dossier["results"]}
    outcomes = {rule: result["outcome"] for rule, result in results.items()}
    assert outcomes["DOSSIER-LISIBLE"] == "conforme"
    assert [rule for rule, outcome in outcomes.items() if outcome == "non_conforme"] == wanted.get("non_conforme", [])
    for outcome in ("conforme", "indetermine"):
        assert [rule for rule in wanted[outcome] if outcomes[rule] != outcome] == [], outcome


def test_a_person_says_what_a_piece_is(raw: Callable[[str], Path], quitus: Any) -> None:
    """What is unsure is null; once a person says it, the next run reads the piece as that."""
    folder = raw("csv")
    (folder / "0001.xml").rename(folder / "x.xml")
    proof = folder / "actes/preuve de paiement 1.pdf"
    proof.rename(folder / "certification bis.pdf")
    assert quitus("prepare", folder).returncode == 2
    manifest = folder / "dossier.yaml"
    text = manifest.read_text(encoding="utf-8")
    found = re.search(r"nature: null  # non reconnu : peut-être justificatif_paiement : .*\n( *)fichier", text)
    assert found, text
    manifest.write_text(
        text.replace(found[0], f"nature: justificatif_paiement  # vu\n{found[1]}fichier"), encoding="utf-8"
    )
    done = quitus("prepare", folder)
    assert done.returncode == 0, done.stdout
    text = manifest.read_text(encoding="utf-8")
    assert "nature: justificatif_paiement  # vu" in text
    assert re.search(r"lignes: \[1\]  # .*certification bis.pdf", text)
    assert re.search(r'numero: "100241599"  # certification bis.pdf, page 1', text)


def test_zip(made: Callable[[str], Path], tmp_path: Path, quitus: Any) -> None:
    """A zip: the manifest beside it, its paths from the root of the zip."""
    archive = tmp_path / "reçu.zip"
    with zipfile.ZipFile(archive, "w") as held:
        for path in sorted(made("ods").rglob("*")):
            held.write(path, path.relative_to(made("ods")))
    assert quitus("prepare", archive).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reçu.yaml", "reçu.zip"]
    text = (tmp_path / "reçu.yaml").read_text(encoding="utf-8")
    assert 'fichier: "actes/el.pdf"' in text
    assert 'reference: "reçu"' in text
    done = quitus("check", archive, "--dossier", tmp_path / "reçu.yaml", "--format", "json", "--on", "2019-05-20")
    checked(NO_DELIBERATION, done)


def test_odd_files(tmp_path: Path, quitus: Any) -> None:
    """What does not open, is no piece, or has a name that acts: said, never obeyed."""
    (tmp_path / "a\n# b\x1b[2J.pdf").write_bytes(b"%PDF-1.4 rien")
    (tmp_path / "vide.pdf").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("bonjour", encoding="utf-8")
    (tmp_path / "quitus.yaml").write_text("registre: null\n", encoding="utf-8")
    (tmp_path / "autre").mkdir()
    (tmp_path / "autre/dossier.yaml").write_text("reference: x\n", encoding="utf-8")
    (tmp_path / "autre/piece.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "lien.pdf").symlink_to("/etc/hostname")
    done = quitus("prepare", tmp_path)
    assert done.returncode == 2
    assert "\x1b" not in done.stdout
    text = (tmp_path / "dossier.yaml").read_text(encoding="utf-8")
    assert "\x1b" not in text
    pieces = at(yamlfile.compose(text, "x"), "pieces").data
    names = [item.data["fichier"].data for item in pieces]
    assert names == ["a\n# b\x1b[2J.pdf", "lien.pdf", "notes.txt", "vide.pdf"]
    assert "autre : ambigu : un dossier à part" in done.stdout
    assert "vide.pdf : illisible : fichier vide" in done.stdout
    assert "lien.pdf : illisible : " in done.stdout
    assert "depenses : non trouvé : aucun tableur ne porte de lignes de dépense" in done.stdout
    assert quitus("check", tmp_path).returncode in (1, 2)


@pytest.mark.parametrize(
    ("files", "arguments", "code", "said"),
    [
        ({}, ["absent"], 64, "n'existe pas"),
        ({}, ["."], 66, "aucun fichier"),
        ({"a.txt": "a"}, [".", "--convention", "x"], 65, "x"),
        ({"a.txt": "a"}, [".", "--output", "a.txt"], 64, "n'est pas un dossier.yaml"),
        ({"a.txt": "a"}, [".", "--output", "la/b.yaml"], 64, "on ne peut écrire"),
        ({"a.txt": "a", "dossier.yaml": "a: ["}, ["."], 64, "YAML invalide"),
        ({"a.txt": "a", "dossier.yaml": "- a"}, ["."], 64, "pas un objet"),
        ({"a.txt": "a", "quitus.yaml": "personnes: []"}, [".", "--output", "quitus.yaml"], 64, "n'est pas un dossier"),
        ({"a.txt": "a"}, ["a.txt"], 64, "zip"),
    ],
)
def test_refused(
    files: Mapping[str, str], arguments: list[str], code: int, said: str, tmp_path: Path, quitus: Any
) -> None:
    """A wrong call writes nothing."""
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = quitus("prepare", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == files


def test_output(made: Callable[[str], Path], tmp_path: Path, quitus: Any) -> None:
    """Written elsewhere, it goes with its folder all the same."""
    before = sorted(made("csv").iterdir())
    done = quitus("prepare", made("csv"), "--output", tmp_path / "propose.yaml")
    assert done.returncode == 0
    assert sorted(made("csv").iterdir()) == before
    done = quitus(
        "check", made("csv"), "--dossier", tmp_path / "propose.yaml", "--format", "json", "--on", "2019-05-20"
    )
    checked(NO_DELIBERATION, done)
