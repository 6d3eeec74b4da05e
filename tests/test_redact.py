"""`--redact`: no name, IBAN or e-mail address is left in any format, and nothing that decides moves."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_reports import a_dossier, a_result, a_run, runs

from checker import pipeline, reports
from checker.base import names
from checker.base.words import words
from checker.cli import run as main
from checker.model import Clause, FileDigest, Finding, Outcome, Place, Verdicts
from checker.reports.redact import redact

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
ZIPPED = ("xlsx", "docx", "odt", "ods")
IBAN = "FR76 3000 6000 0112 3456 7890 189"
PEOPLE = ("Anne EMETTRICE", "Jean MODELE", "Luc REMPLACANT", "Paul TEMOIN", "Nadia CONTROLE", "Zoé GRANTING")
ALONE = ("EMETTRICE", "REMPLACANT", "GRANTING", "TEMOIN")
EMAIL = re.compile(r"[\w.-]+@[\w-]+\.\w+")
SPACED = re.compile(r"FR\s*76(?:\s*[0-9]){20}")
TODAY = "1700000000"
EDITS = {
    "dossier.yaml": (
        ("iban: null", f'iban: "{IBAN[:-1]}8"'),
        ("pieces/pv-1.pdf", "pieces/pv_Emettrice-anne.pdf"),
        (
            "Signature comparée au spécimen déposé",
            "Vu avec M. MODELE, Mme Émettrice, a. emettrice et zoe.granting@exemple.gouv.fr",
        ),
        ('code_service: "155"', 'code_service: "Emettrice, Anne"'),
        ('crediteur: "État"', f'crediteur: "{IBAN}"'),
        ('activite: "012900120611"', f'activite: "EMETTRICE ANNE {IBAN}"'),
    ),
    "quitus.yaml": (('accordee_par: "Payeur"', 'accordee_par: "Zoé GRANTING"'),),
}


def planted(source: str, folder: Path) -> Path:
    """A fixture with people in every corner: a name as a code, in a path, in a reason, in a waiver."""
    target = folder / source
    shutil.copytree(FIXTURES / source, target)
    for name, edits in EDITS.items():
        text = (target / name).read_text(encoding="utf-8")
        for before, after in edits:
            text = text.replace(before, after)
        (target / name).write_text(text, encoding="utf-8")
    (target / "pieces/pv-1.pdf").rename(target / "pieces/pv_Emettrice-anne.pdf")
    return target


def checked(dossier: Path, output: Path, *options: str) -> Path:
    """The JSON report of the command."""
    main(["check", str(dossier), "--format", "json", "--output", str(output), *options])
    return output


def shown(name: str, data: bytes) -> str:
    """All that a reader, or who unpacks the file, can see."""
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return "\n".join([*packed.namelist(), *(re.sub(r"<[^>]+>", "", packed.read(each).decode(errors="replace"))
                                                    for each in packed.namelist())])  # fmt: skip
    if data[:4] == b"%PDF":
        pdfium = pytest.importorskip("pypdfium2")
        document = pdfium.PdfDocument(data)
        return "\n".join(
            [str(document.get_metadata_dict()), *(page.get_textpage().get_text_range() for page in document)]
        )
    if data[:4] == b"PAR1":
        parquet = pytest.importorskip("pyarrow.parquet")
        return json.dumps(parquet.read_table(io.BytesIO(data)).to_pylist(), default=str, ensure_ascii=False)
    return data.decode()


def left(text: str) -> list[str]:
    """The names, IBAN and addresses that a text still holds."""
    plain = " ".join(names.pieces(text))
    whole = [name for name in PEOPLE for order in (1, -1) if " ".join(names.pieces(name)[::order]) in plain]
    alone = [name for name in ALONE if re.search(rf"\b{name}\b", plain, re.IGNORECASE)]
    return [*whole, *alone, *EMAIL.findall(text), *SPACED.findall(text)]


class Case(NamedTuple):
    """A planted dossier checked by the command, and its verdicts as the command would render them in any format."""

    plain: Path
    hidden: Path
    masked: Verdicts


@pytest.fixture(scope="module", params=["conforme", "fautif"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """One fixture with people in it."""
    folder = tmp_path_factory.mktemp("redact")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", TODAY)
        patch.chdir(folder)
        dossier = planted(request.param, folder).relative_to(folder)
        found = pipeline.check(pipeline.Options(paths=(dossier,), drawn=True, private=True))
        hidden = checked(dossier, folder / "hidden.json", "--redact")
        return Case(checked(dossier, folder / "plain.json"), hidden, redact(found, words("fr")))


@pytest.mark.parametrize("name", reports.formats())
def test_nothing_private_is_left(name: str, case: Case) -> None:
    assert left(shown(name, reports.render(case.masked, name))) == []


def test_the_command_masks(case: Case) -> None:
    assert left(case.hidden.read_text(encoding="utf-8")) == []


def test_what_is_masked_was_there_and_nothing_else_moved(case: Case) -> None:
    plain, hidden = (json.loads(each.read_text(encoding="utf-8")) for each in (case.plain, case.hidden))
    assert {"Anne EMETTRICE", "EMETTRICE"} <= set(left(json.dumps(plain, ensure_ascii=False)))
    assert hidden.pop("redacted") is True
    assert "redacted" not in plain
    kept = re.compile("nom|IBAN|courriel")

    def same(before: object, after: object) -> bool:
        if isinstance(before, dict) and isinstance(after, dict):
            return list(before) == list(after) and all(same(before[key], after[key]) for key in before)
        if isinstance(before, list) and isinstance(after, list):
            return len(before) == len(after) and all(map(same, before, after))
        return before == after or (isinstance(after, str) and kept.search(after) is not None)

    assert same(plain, hidden)
    siret = "22140118500014"
    assert json.dumps(plain).count(siret) == json.dumps(hidden).count(siret)


NAMED = (
    "Jean-Léonce DUPONT",
    "DUPONT",
    "VERDIER Henri",
    "VERDIER",
    "Rose BLANC",
    "LA TOUR Anne",
    "王小明",
    "Ünal ŒUVRARD",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("signé par Jean-Léonce DUPONT.", "signé par [nom]."),
        ("« Dupont, Jean Leonce »", "« [nom] »"),
        ("dupont jean leonce", "[nom]"),
        ("M. Verdier et Mme  VERDIER", "M. [nom] et Mme  [nom]"),
        ("J.-L. Dupont", "[nom]"),
        ("Henri\u00a0Verdier, HENRI  VERDIER", "[nom], [nom]"),
        ("Henri Ver\u00addier, Henri Verdie\u0301r", "[nom], [nom]"),
        ("pieces/pv_dupont-jean-leonce.pdf", "pieces/pv_[nom].pdf"),
        ("pieces/facture-verdier.pdf", "pieces/facture-[nom].pdf"),
        ("les Verdiers de dupontel", "les Verdiers de dupontel"),
        ("M. Blanc, R. Blanc, Rose Blanc", "M. [nom], [nom], [nom]"),
        ("le papier blanc ; Blanc", "le papier blanc ; Blanc"),
        ("la tour ; Anne La Tour", "la tour ; [nom]"),
        ("vu par 王小明", "vu par [nom]"),
        ("Unal Oeuvrard", "[nom]"),
        ("A5-DUPONT vaut, DUPONT-2 aussi", "A5-DUPONT vaut, [nom]-2 aussi"),
        ("écrire à jean.dupont@pm.gouv.fr.", "écrire à [courriel]."),
        ("FR7630006000011234567890189", "[IBAN]"),
        ("IBAN FR76 3000 6000 0112 3456 7890 189 au lieu", "IBAN [IBAN] au lieu"),
        ("fr76\u00a03000\u202f6000\u00a00112 3456 7890 180", "[IBAN]"),
        ("FR76 30006 00001 12345678901 89", "[IBAN]"),
        ("DE89 3704 0044 0532 0130 00", "[IBAN]"),
        ("SIRET 221 401 185 00014", "SIRET 221 401 185 00014"),
        ("FR40303265045 22140118500014", "FR40303265045 22140118500014"),
        ("FR40303265045", "FR40303265045"),
        ("DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 01"),
        ("0129-CAHC-DISI, 6113110000", "0129-CAHC-DISI, 6113110000"),
    ],
)
def test_masked(text: str, expected: str) -> None:
    result = a_result("A5-DUPONT", Outcome.NON_CONFORME, Finding("A5-DUPONT", "x", Outcome.NON_CONFORME, text))
    found = redact(a_run(a_dossier(result, private=NAMED)), words("fr"))
    assert found.dossiers[0].results[0].findings[0].message == expected
    assert found.dossiers[0].results[0].rule == "A5-DUPONT"
    assert found.redacted


def test_masked_paths_stay_apart() -> None:
    files = tuple(FileDigest(f"{name}.pdf", "00" * 32, 1) for name in ("Henri VERDIER", "VERDIER Henri", "x"))
    alike = [a_dossier(a_result("R"), reference="", path=name, files=files, private=NAMED) for name in NAMED[2:4]]
    found = redact(a_run(*alike), words("fr"))
    assert [item.path for item in found.dossiers[0].files] == ["[nom].pdf", "[nom].pdf (2)", "x.pdf"]
    assert [item.path for item in found.dossiers] == ["[nom]", "[nom] (2)"]


def test_an_unread_dossier_shows_no_line() -> None:
    finding = Finding("DOSSIER-LISIBLE", "dossier", Outcome.INDETERMINE, "clé inconnue", excerpts=("nom: Anne X",),
                      locations=(Place("dossier.yaml", 3),))  # fmt: skip
    found = redact(a_run(a_dossier(a_result("DOSSIER-LISIBLE", Outcome.INDETERMINE, finding))), words("fr"))
    assert found.dossiers[0].results[0].findings[0].excerpts == ("[extrait]",)


def test_every_text_of_every_object_is_looked_at() -> None:
    """A field added to the model is masked without an edit here, unless it is a code by its name."""
    result = a_result(
        "R", Outcome.CONFORME, clause=Clause("5", "par Henri VERDIER"), note="VERDIER", title="Henri Verdier"
    )
    run = a_run(
        a_dossier(result, private=NAMED, upcoming=(("R", "VERDIER"),), paste=("# VERDIER",)), unused=("VERDIER",)
    )
    assert "verdier" not in repr(redact(run, words("fr"))).casefold()


@given(run=runs(), private=st.lists(st.text(min_size=1, max_size=12), max_size=3), lang=st.sampled_from(["fr", "en"]))
def test_nothing_that_decides_moves_and_twice_is_once(run: Verdicts, private: list[str], lang: str) -> None:
    held = [result.title.partition(" ")[2] for verdict in run.dossiers for result in verdict.results]
    named = (*private, *held)
    run = dataclasses.replace(
        run, dossiers=tuple(dataclasses.replace(verdict, private=named) for verdict in run.dossiers)
    )
    once = redact(run, words(lang))
    assert redact(once, words(lang)) == once
    assert decided(once) == decided(run)


def decided(run: Verdicts) -> object:
    """What no mask may move."""
    return run.decision, run.exit_code(), [
        (verdict.reference, verdict.decision, verdict.control_date, [file.sha256 for file in verdict.files],
         [(result.rule, result.outcome, result.counts, result.severity, result.waiver is None,
           [(finding.outcome, len(finding.locations)) for finding in result.findings]) for result in verdict.results])
        for verdict in run.dossiers
    ]  # fmt: skip


def test_until_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(FIXTURES / "conforme"), "--redact", "--until", "facts"]) == 64
    assert "--redact" in capsys.readouterr().err


def test_verify_says_what_a_mask_hides(case: Case, capsys: pytest.CaptureFixture[str],
                                       monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    report = case.hidden
    monkeypatch.chdir(report.parent)
    assert main(["report", "verify", str(report)]) == 2
    said = capsys.readouterr().out
    assert words("fr")["redact.path"] in said
    assert words("fr")["verify.count_intact"].partition(" ")[2].partition("|")[0] in said
