"""What pieces say reaches the decision: signed PDFs, invoices that contradict their line, through the real command."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pki
import pytest
from conftest import Quitus
from cryptography.hazmat.primitives.serialization import Encoding

ROOT = Path(__file__).resolve().parent.parent
CONFORME = ROOT / "fixtures" / "conforme"
ACT = "etat-liquidatif.pdf"
Make = Callable[[bytes], bytes]


@functools.cache
def people() -> dict[str, pki.Holder]:
    """The signatory of the dossier, the same with an expired certificate or of an unknown root, and somebody else."""
    known = pki.people()
    return {
        "signatory": known["second"],
        "expired": pki.issue("Jean MODELE", known["autorite"], "2016-06-01", "2018-12-31", serial=80),
        "foreign": pki.issue("Jean MODELE", known["inconnue"], serial=81),
        "other": known["signataire"],
        "root": known["racine"],
    }


def of(who: str) -> Make:
    return lambda data: pki.sign(data, people()[who])


def twice(data: bytes) -> bytes:
    return pki.sign(of("signatory")(data), people()["other"], field="Signature2")


def altered(data: bytes) -> bytes:
    signed = bytearray(of("signatory")(data))
    signed[200] ^= 1
    return bytes(signed)


def changed_later(data: bytes) -> bytes:
    """A later revision that draws on the signed page."""
    import io

    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(of("signatory")(data)))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    drawn = generic.StreamObject(stream_data=b"BT /F1 12 Tf 72 600 Td (900 000 EUR) Tj ET")
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), writer.add_object(drawn)])
    writer.mark_update(writer.root["/Pages"]["/Kids"].raw_get(0))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


# The act as it is signed, whether the root is given, persons of the settings -> outcome of A5-1-SIGN.
ENDED = {"nom": "Jean MODELE", "role": "etat_liquidatif", "du": "2018-01-01", "au": "2019-03-03",
         "acte": {"reference": "Arrêté", "date": "2018-01-01", "executoire": True}}  # fmt: skip
CASES: dict[str, tuple[Make, bool, list[dict[str, Any]], str]] = {
    "valid": (of("signatory"), True, [], "conforme"),
    "no root given": (of("signatory"), False, [], "indetermine"),
    "a byte altered": (altered, True, [], "non_conforme"),
    "a page changed in a later revision": (changed_later, True, [], "non_conforme"),
    "a second signature": (twice, True, [], "conforme"),
    "an expired certificate": (of("expired"), True, [], "non_conforme"),
    "an unknown root": (of("foreign"), True, [], "non_conforme"),
    "somebody else": (of("other"), True, [], "non_conforme"),
    "a delegation that had ended": (of("signatory"), True, [ENDED], "non_conforme"),
    "not signed": (lambda data: data, True, [], "indetermine"),
}


def dossier(tmp_path: Path, make: Make, trusted: bool, persons: list[dict[str, Any]]) -> Path:
    folder = tmp_path / "dossier"
    shutil.copytree(CONFORME, folder)
    manifest = folder / "dossier.yaml"
    text = manifest.read_text("utf-8").replace("mode: manuscrite", "mode: electronique", 1)
    kept = [line for line in text.splitlines() if "regle: A5-1-SIGN" not in line]
    manifest.write_text("\n".join(kept), "utf-8")
    act = folder / ACT
    act.write_bytes(make(act.read_bytes()))
    settings = folder / "quitus.yaml"
    lines = settings.read_text("utf-8")
    if trusted:
        roots = folder / "racines"
        roots.mkdir()
        (roots / "racine.pem").write_bytes(people()["root"].certificate.public_bytes(Encoding.PEM))
        lines += "\nracines: [racines]\n"
    if persons:
        lines = lines.replace(
            "personnes:", "personnes:\n" + "\n".join(f"  - {json.dumps(item)}" for item in persons), 1
        )
    settings.write_text(lines, "utf-8")
    return folder


@pytest.mark.parametrize("case", CASES)
def test_a_signed_act_has_its_own_outcome(case: str, tmp_path: Path, quitus: Quitus) -> None:
    make, trusted, persons, expected = CASES[case]
    folder = dossier(tmp_path, make, trusted, persons)
    done = quitus("check", folder, "--format", "json")
    assert done.stdout, done.stderr
    results = {item["rule"]: item for item in json.loads(done.stdout)["dossiers"][0]["results"]}
    assert results["A5-1-SIGN"]["outcome"] == expected, results["A5-1-SIGN"]["findings"]
