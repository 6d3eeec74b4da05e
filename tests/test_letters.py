"""The letters: what is asked, of whom, by when; the same in DOCX and in PDF; nothing that is the organisation's own."""

from __future__ import annotations

import datetime as dt
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_reports import BREACH, CEILING, HOSTILE, LATE, NOWHERE, PAYER, RECEIPTS, UNKNOWN, a_dossier, a_result, a_run

from checker import reports
from checker.base.words import languages, words
from checker.errors import UsageError
from checker.model import Addressee, Clause, Finding, Letterhead, Remedy, Verdicts, Waiver
from checker.reports import letters

docx = pytest.importorskip("docx")
pdfium = pytest.importorskip("pypdfium2")
pytest.importorskip("typst")

FORMATS = ("bordereau", "bordereau-pdf", "suspension", "suspension-pdf")
GOLDEN = Path(__file__).parent / "golden" / "letters"
COURRIER = """
courrier:
  expediteur: "Département du Calvados, service des finances"
  adresse: |
    9 rue Saint-Laurent
    14000 Caen
  ville: Caen
  signataire: "Jeanne CONTROLE"
  qualite: "Cheffe du service des finances"
  courriel: finances@calvados.example
  delai_jours: 15
  destinataires:
    cessionnaire: {nom: "Direction de la Modernisation", adresse: "23 boulevard Bertrand, 14000 Caen"}
"""
HEAD = Letterhead("Service payeur", "1 rue X", "Caen", "A. B.", "Chef", "a@b.example", 15)


def text_of(data: bytes) -> str:
    """What a reader sees of a letter, blanks as one space."""
    if data[:4] == b"%PDF":
        found = [page.get_textpage().get_text_range() for page in pdfium.PdfDocument(data)]
        return squeezed("\n".join(found).replace("\ufffe\r\n", "-").replace("\ufffe", "-").replace("-\r\n", "-"))
    return squeezed("\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(data)).paragraphs))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def loose(text: str) -> str:
    """Without blanks: lines of a page end anywhere."""
    return re.sub(r"page\d+sur\d+", "", re.sub(r"[\s\u2022]", "", text))


@pytest.fixture(scope="module")
def folder(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixtures under settings that say who writes."""
    made = tmp_path_factory.mktemp("lettres")
    for name in ("conforme", "fautif"):
        shutil.copytree(root / "fixtures" / name, made / name)
        (made / name / "quitus.yaml").unlink()
    own = (root / "fixtures" / "fautif" / "quitus.yaml").read_text(encoding="utf-8")
    (made / "quitus.yaml").write_text(own, encoding="utf-8")
    (made / "courrier.yaml").write_text(own + COURRIER, encoding="utf-8")
    return made


def checked(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> tuple[dict[str, bytes], int]:
    """Each format of one run of the command, and its exit code."""
    out = folder / "sorties"
    out.mkdir(exist_ok=True)
    also = [part for name in FORMATS for part in ("-f", f"{name}:sorties/{name}")]
    command = [sys.executable, "-m", "checker", "check", *arguments, *also, "--format", "json", "--output", "sorties/j"]
    env = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, encoding="utf-8", check=False)
    assert done.stderr == ""
    return {name: (out / name).read_bytes() for name in FORMATS}, done.returncode


@pytest.fixture(scope="module")
def fautif(folder: Path) -> dict[str, bytes]:
    found, code = checked(folder, "fautif", "--settings", "courrier.yaml")
    assert code == 1
    return found


ASKED = {
    "cedant": (
        ("Joindre le justificatif de paiement", "5, point 1", "justificatifs de paiement", "ligne 2"),
        ("Donner à chaque ligne son compte PCE", "5, point 1", "détaillé par compte", "84 000,01 €"),
        ("Corriger la référence sur la demande", "5", "Centre financier cédant : 0129-CAHC- DISI", "0129-CAHC-DISC"),
        ("Joindre les pièces qui manquent", "5", "à réception des pièces", "ligne 2"),
    ),
    "cessionnaire": (
        ("Apposer la certification", "5, point 2", "apposées par la personne habilitée", "84 000,00 €"),
        ("Faire signer la personne habilitée", "5, point 2", "Amélie BRUN", "18 mars 2019"),
    ),
}
RESERVE = ("Rectifier l'état liquidatif", "arrêté à la somme de")


@pytest.mark.parametrize("name", FORMATS)
def test_each_demand_is_there_with_its_clause(name: str, fautif: dict[str, bytes]) -> None:
    text = text_of(fautif[name])
    for actor in ASKED.values():
        for todo, article, quote, found in actor:
            for part in (todo, f"Convention, article {article} :", quote, found):
                assert loose(squeezed(part)) in loose(text), part
    for part in ("Caen, le 20 mai 2019", "avant le 4 juin 2019", "Direction interministérielle du numérique",
                 "9 rue Saint-Laurent", "Jeanne CONTROLE", "Cheffe du service des finances", "CALV-2019-02-FAUTIF",
                 "article 38"):  # fmt: skip
        assert loose(part) in loose(text), part
    assert (loose(RESERVE[0]) in loose(text)) == name.startswith("bordereau")


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_inside_stays_inside(name: str, fautif: dict[str, bytes]) -> None:
    text = loose(text_of(fautif[name]))
    hidden = ("A5-C-MAILDCM", "A1-EVAL", "rapport d'évaluation", "A3-", "Un tampon", "quitus.yaml", "dossier.yaml",
              "fautif/", "pieces.lu", "faute de saisie", "Une personne doit", "None", "[")  # fmt: skip
    assert [part for part in hidden if loose(part) in text] == []


@pytest.mark.parametrize("kind", ["bordereau", "suspension"])
def test_docx_and_pdf_say_the_same(kind: str, fautif: dict[str, bytes]) -> None:
    written, typeset = (loose(text_of(fautif[name])) for name in (kind, f"{kind}-pdf"))
    typeset = typeset.replace(loose(words()["letter.title" if kind == "bordereau" else "letter.suspension"])
                              + ",CALV-2019-02-FAUTIF", "")  # fmt: skip
    bare_written, bare_typeset = (re.sub(r"(\d\.)+(?=[A-Z])", "", text) for text in (written, typeset))
    assert bare_typeset == bare_written


def test_one_letter_an_actor_and_its_own_addressee(fautif: dict[str, bytes]) -> None:
    document = docx.Document(io.BytesIO(fautif["bordereau"]))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts.count(words()["letter.title"]) == len(document.sections) == len(ASKED)
    second = texts[texts.index("Direction de la Modernisation") :]
    assert ASKED["cessionnaire"][0][0] in " ".join(second)
    assert ASKED["cedant"][0][0] not in " ".join(second)
    assert "Copie à l'ordonnateur\u00a0: Direction de la Modernisation" in text_paragraphs(fautif["suspension"])


def text_paragraphs(data: bytes) -> list[str]:
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(data)).paragraphs]


def test_real_styles_language_and_page_numbers(fautif: dict[str, bytes]) -> None:
    document = docx.Document(io.BytesIO(fautif["bordereau"]))
    styles = {paragraph.style.name for paragraph in document.paragraphs}
    assert {"Title", "List Number", "List Bullet 2"} <= styles
    about = document.core_properties
    assert (about.author, about.last_modified_by, about.language) == ("quitus", "quitus", "fr-FR")
    assert about.created.date() == about.modified.date() == dt.date(2019, 5, 20)
    with zipfile.ZipFile(io.BytesIO(fautif["bordereau"])) as packed:
        assert {item.date_time for item in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b'w:val="fr-FR"' in packed.read("word/styles.xml")
        assert any(b'w:instr="PAGE"' in packed.read(each) for each in packed.namelist() if "footer" in each)
    for name in ("bordereau-pdf", "suspension-pdf"):
        assert b"pdfaid" in fautif[name]
        assert b"pdfuaid" in fautif[name]


def test_golden(fautif: dict[str, bytes], golden: Callable[[Path, bytes], None]) -> None:
    for name in ("bordereau", "suspension"):
        golden(GOLDEN / f"fautif.{name}.txt", ("\n".join(text_paragraphs(fautif[name])) + "\n").encode())


def test_what_is_not_set_stays_to_be_filled(folder: Path) -> None:
    found, code = checked(folder, "fautif", "--settings", "quitus.yaml")
    assert code == 1
    for data in found.values():
        text = loose(text_of(data))
        for key in ("sender", "address", "city", "signatory", "quality"):
            assert loose(words()[f"letter.blank_{key}"]) in text
        assert "dansundélaide[délai]" in text


def test_batch_holds_only_dossiers_that_ask(folder: Path) -> None:
    shutil.copytree(folder / "fautif", folder / "second")
    manifest = folder / "second" / "dossier.yaml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("EL-2019-01", "EL-2019-02"), encoding="utf-8")
    found, code = checked(folder, "conforme", "second", "--settings", "courrier.yaml")
    assert code == 1
    for data in found.values():
        assert "CALV-2019-02-FAUTIF" in text_of(data)
        assert "CALV-2019-01 " not in text_of(data)


def test_nothing_to_ask_is_said(folder: Path) -> None:
    found, _ = checked(folder, "conforme", "--settings", "courrier.yaml")
    for name, data in found.items():
        key = "letter.none_asked" if name.startswith("bordereau") else "letter.none_suspended"
        assert loose(words()[key]) in loose(text_of(data))


def test_same_bytes_anywhere(folder: Path, fautif: dict[str, bytes], tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "ailleurs", ignore=shutil.ignore_patterns("sorties"))
    environment = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    found, _ = checked(tmp_path / "ailleurs", "fautif", "--settings", "courrier.yaml", environment=environment)
    assert found == fautif


def an_item(rule: str, to: str, text: str, **changes: Any) -> Any:
    found = Finding(rule, "depenses:2", BREACH, f"Constat de {rule}.")
    return a_result(rule, BREACH, *changes.pop("findings", (found,)), remedy=Remedy(to, text), **changes)


OWN = {
    "organisme": an_item("X-ORG", "organisme", "Déclarer."),
    "personne": an_item("X-PERS", "personne", "Attester."),
    "nobody": a_result("X-NOBODY", BREACH, Finding("X-NOBODY", "depenses:2", BREACH, "Constat.")),
    "information": an_item("X-INFO", "cedant", "Savoir.", severity="information"),
    "setting": an_item(
        "X-SET",
        "cedant",
        "Ramener.",
        findings=(Finding("X-SET", "depenses:1", UNKNOWN, "Le compte.", missing=("$comptes_eligibles", "x.y")),),
    ),
    "judgement": an_item(
        "X-JUDGE",
        "cedant",
        "Joindre.",
        automation="humaine",
        findings=(Finding("X-JUDGE", "dossier", UNKNOWN, "Une personne doit en juger."),),
    ),
    "waived": an_item(
        "X-WAIVED", "cedant", "Rectifier.", waiver=Waiver("X-WAIVED", "EX-2019-01", "m", "a", "b", None, None, NOWHERE)
    ),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", OWN)
def test_nothing_internal_goes_out(kind: str, name: str) -> None:
    alone, beside = (a_run(a_dossier(*found), letterhead=HEAD) for found in ((OWN[kind],), (OWN[kind], CEILING)))
    key = "letter.none_asked" if name.startswith("bordereau") else "letter.none_suspended"
    assert loose(words()[key]) in loose(text_of(reports.render(alone, name)))
    text = text_of(reports.render(beside, name))
    assert "A4-PLAFOND" in text
    assert OWN[kind].rule not in text


def test_left_inside_is_counted_where_nothing_is_asked() -> None:
    run = a_run(a_dossier(OWN["organisme"], OWN["setting"]))
    text = " ".join(letters.lines(letters.requests(run, words()).letters[0], words()))
    assert "2 points de ce dossier" in text
    assert words()["decision.non_conforme"] in text


def test_same_remedy_once_blocking_first_reserves_after() -> None:
    second = an_item("B-2", "cedant", "Joindre un procès-verbal pour chaque ligne nommée.")
    reserve = an_item("B-3", "cedant", "Préciser.", severity="reserve")
    found = letters.requests(a_run(a_dossier(reserve, RECEIPTS, second, PAYER, LATE)), words()).letters
    assert len(found) == 2
    asked, reserves = found[0].sections
    assert [len(item.grounds) for item in asked.items] == [2]
    assert [item.number for item in (*asked.items, *reserves.items)] == [1, 2]
    assert len(asked.items[0].grounds[0].points) == len(RECEIPTS.findings)
    assert found[1].sections[0].items[0].head == "Rejeter le mandat."
    assert found[1].sections[0].items[0].grounds[0].points[0].startswith("Mandat 2019-4512")


def test_names_of_facts_are_not_for_letters() -> None:
    finding = Finding("X", "depenses:12", UNKNOWN, "Ne peut être dit : pieces.lu.actif.", missing=("pieces.lu.actif",))
    run = a_run(a_dossier(an_item("X", "cedant", "Remplacer.", findings=(finding,))))
    points = letters.requests(run, words()).letters[0].sections[0].items[0].grounds[0].points
    assert points == (f"Ligne 12\u00a0: {words()['letter.unverified']}",)


def test_letterhead_wins_over_the_agreement_and_days_over_nothing() -> None:
    head = Letterhead(days=1, addressees={"cedant": Addressee("Autre service", "ligne 1\nligne 2")})
    dossier = a_dossier(CEILING, control_date=dt.date(2019, 12, 31))
    letter = letters.requests(a_run(dossier, letterhead=head), words()).letters[0]
    assert letter.addressee == ("Autre service", "ligne 1", "ligne 2")
    assert "1er janvier 2020" in letter.sections[0].lead


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", [*HOSTILE, "x" * 10_000, "\x00\x01\x1f", '#include "a" $x$ \\u{41}', "<w:t>&amp;"])
def test_hostile_values_are_text(text: str, name: str) -> None:
    result = a_result(
        "H",
        BREACH,
        Finding("H", f"pieces:{text}", BREACH, text),
        clause=Clause(text, text),
        remedy=Remedy("cedant", text or "x"),
    )
    head = Letterhead(text, text, text, text, text, text, 15, addressees={"cedant": Addressee(text, text)})
    dossier = a_dossier(result, reference=text, pack={"id": "p", "title": text, "version": "1", "sha256": "00"})
    data = reports.render(a_run(dossier, letterhead=head), name)
    assert data == reports.render(a_run(dossier, letterhead=head), name)
    text_of(data)
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            body = packed.read("word/document.xml").decode()
        assert not re.search(r"w:fldSimple|w:instrText|w:hyperlink|w:object", body)
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", body)


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("name", FORMATS)
def test_every_language_and_runs_of_nothing(name: str, lang: str) -> None:
    undated = a_dossier(CEILING, control_date=None, stage="mise_en_paiement")
    assert loose(words(lang)["letter.blank_day"]) in loose(text_of(reports.render(a_run(undated), name, lang=lang)))
    empty: Verdicts = a_run()
    assert loose(words(lang)["letter.none_dossier"]) in loose(text_of(reports.render(empty, name, lang=lang)))


@pytest.mark.parametrize("name", ["bordereau", "suspension"])
def test_without_the_library(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(UsageError) as raised:
        reports.render(a_run(a_dossier(CEILING)), name)
    assert "python-docx" in str(raised.value)
    assert name in str(raised.value)
