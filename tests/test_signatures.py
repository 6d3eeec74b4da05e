"""Electronic signatures: PDF and XML files signed by a PKI made here, then altered. The cases are data."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import io
import pickle
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pki
import pytest
from reportlab.pdfgen import canvas

from checker.base.certificates import Proofs, Root, Roots, judge
from checker.facts import trust
from checker.facts.readers import pades, xades
from checker.model import Place, Row

ROOT = Path(__file__).resolve().parent.parent
FACTS = ("integre", "couvre_tout", "modifie_apres", "de_confiance", "certificat_valide", "revoque")
GOOD = {"integre": "true", "couvre_tout": "true", "modifie_apres": "false", "certificat_valide": "true"}
XML = '<?xml version="1.0"?><etat Id="e"><total>100.00</total><note>Fait à Caen</note></etat>'.encode()
P = pki.people()


def roots(*crls: bytes) -> Roots:
    return Roots((Root(P["racine"].der),), crls)


def pdf(form: bool = False) -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out, invariant=1, pagesize=(600, 800))
    page.drawString(72, 720, "État liquidatif : 84 000,10 €")
    if form:
        page.acroForm.textfield(name="montant", value="100", x=72, y=600, width=100, height=20)
    page.showPage()
    page.save()
    return out.getvalue()


def signed(who: str = "signataire", **options: object) -> bytes:
    return pki.sign(pdf(), P[who], **options)  # type: ignore[arg-type]


def told(data: bytes, trusted: Roots | None = None, moment: dt.date | None = None) -> list[Row]:
    plug = pades if data.startswith(b"%PDF") else xades
    given = roots() if trusted is None else trusted
    tables = plug.tell(data, Place("piece"), "etat_liquidatif", given, moment).tables
    assert set(tables) <= {"signature_lue"}
    return [row for parent, row in tables.get("signature_lue", []) if parent == 0]


def said(row: Row) -> dict[str, str | None]:
    """Each value; « ? » when the reader says why it cannot tell."""
    return {name: "?" if cell.fault else cell.raw for name, cell in row.items()}


def page_changed(data: bytes, text: bytes = b"BT /F1 12 Tf 72 600 Td (900 000 EUR) Tj ET") -> bytes:
    """A later revision that replaces what the first page draws."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    update = IncrementalPdfFileWriter(io.BytesIO(data))
    page = update.root["/Pages"]["/Kids"][0]
    page[generic.NameObject("/Contents")] = update.add_object(generic.StreamObject(stream_data=text))
    update.update_container(page)
    out = io.BytesIO()
    update.write(out)
    return out.getvalue()


def filled(data: bytes) -> bytes:
    """A later revision that fills the text field « montant »."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    update = IncrementalPdfFileWriter(io.BytesIO(data))
    fields = [item.get_object() for item in update.root["/AcroForm"]["/Fields"]]
    field = next(item for item in fields if item["/T"] == "montant")
    field[generic.NameObject("/V")] = generic.TextStringObject("900")
    update.update_container(field)
    out = io.BytesIO()
    update.write(out)
    return out.getvalue()


def altered(data: bytes) -> bytes:
    """One byte of the signed content, changed in place."""
    at = data.index(b"/MediaBox") + 20
    at = data.index(b"600", at)
    return data[:at] + b"5" + data[at + 1 :]


def ranged(data: bytes, *numbers: int) -> bytes:
    """Another ByteRange in the place of the first."""
    found = re.search(rb"/ByteRange\s*\[[^\]]*\]\s*", data)
    assert found
    new = b"/ByteRange [" + b" ".join(str(number).encode() for number in numbers) + b"]"
    return data[: found.start()] + new.ljust(len(found[0])) + data[found.end() :]


def resigned(data: bytes, gap: int = 0, end: int = 0) -> bytes:
    """What a signer of bad faith makes: a range that leaves out more, and a signature of exactly that."""
    found = re.search(rb"/ByteRange\s*\[\s*(\d+) (\d+) (\d+) (\d+)", data)
    assert found
    _, length, after, rest = map(int, found.groups())
    data = ranged(data, 0, length, after + gap, rest - gap - end)
    covered = data[:length] + data[after + gap : len(data) - end]
    made = asyncio.run(pki.author(P["signataire"]).async_sign(hashlib.sha256(covered).digest(), "sha256"))
    cms = made.dump().hex().encode()
    return data[: length + 1] + cms.ljust(after - length - 2, b"0") + data[after - 1 :]


def saved(data: bytes, user: str | None = None) -> bytes:
    """Written again by another program, encrypted if there is a password (an empty one opens)."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as document:
        document.save(out, encryption=False if user is None else pikepdf.Encryption(owner="o", user=user, R=6))
    return out.getvalue()


MISPLACED = {"integre": "false", "couvre_tout": "false", "modifie_apres": "true"}
SERIAL = P["signataire"].certificate.serial_number
CASES: dict[str, tuple[Callable[[], bytes], Roots, dict[str, str | None]]] = {
    "valid": (signed, roots(), {**GOOD, "de_confiance": "true", "revoque": None, "signataire": "Amélie BRUN",
              "organisation": "Département du Calvados", "date": "2019-03-04", "champ": "Signature1", "format": "pades",
              "fichier": "piece", "nature": "etat_liquidatif"}),
    "no roots": (signed, Roots(), {**GOOD, "de_confiance": None, "revoque": None}),
    "unknown root": (lambda: signed("autre"), roots(), {**GOOD, "de_confiance": "false"}),
    "chain without its intermediate": (lambda: signed(embed=False), roots(), {**GOOD, "de_confiance": "false"}),
    "the intermediate is given": (lambda: signed(embed=False), Roots((Root(P["autorite"].der),)),
                                  {**GOOD, "de_confiance": "true"}),
    "the very certificate is given": (lambda: signed(embed=False), Roots((Root(P["signataire"].der),)),
                                      {**GOOD, "de_confiance": "true"}),
    "trust withdrawn before": (signed, Roots((Root(P["racine"].der, None, pki.at("2019-01-01")),)),
                               {**GOOD, "de_confiance": "false"}),
    "trust withdrawn since": (signed, Roots((Root(P["racine"].der, None, pki.at("2021-01-01")),)),
                              {**GOOD, "de_confiance": "true"}),
    "altered byte": (lambda: altered(signed()), roots(),
                     {"integre": "false", "modifie_apres": "true", "de_confiance": "true",
                      "certificat_valide": "true"}),
    "page changed in a later revision": (lambda: page_changed(signed()), roots(),
        {"integre": "true", "couvre_tout": "false", "modifie_apres": "true", "de_confiance": "true"}),
    "bytes after the end": (lambda: signed() + b"\n% et plus", roots(),
                            {"integre": "true", "couvre_tout": "false", "modifie_apres": "true"}),
    "a line end after the end": (lambda: signed() + b"\r\n", roots(), GOOD),
    "form filled later": (lambda: filled(pki.sign(pdf(form=True), P["signataire"])), roots(),
                          {"integre": "true", "couvre_tout": "false", "modifie_apres": "false"}),
    "certified, then filled": (lambda: filled(pki.sign(pdf(form=True), P["signataire"], certify=True)), roots(),
                               {"integre": "true", "couvre_tout": "false", "modifie_apres": "true"}),
    "expired": (lambda: signed("perimee"), roots(),
                {**GOOD, "certificat_valide": "false", "de_confiance": "true"}),
    "expired since": (lambda: signed(when=pki.at("2020-05-31")), roots(), GOOD),
    "signed before its certificate": (lambda: signed(when=pki.at("2018-05-31")), roots(),
                                      {**GOOD, "certificat_valide": "false", "de_confiance": "true"}),
    "not for signing": (lambda: signed("chiffrement"), roots(), {**GOOD, "de_confiance": "false"}),
    "revoked, list in the folder": (signed, roots(pki.crl(P["autorite"], {SERIAL: "2019-03-01"})),
                                    {**GOOD, "revoque": "true", "de_confiance": "true"}),
    "revoked since": (signed, roots(pki.crl(P["autorite"], {SERIAL: "2019-03-08"})), {**GOOD, "revoque": "false"}),
    "not on the list": (signed, roots(pki.crl(P["autorite"], {1: "2019-03-01"})), {**GOOD, "revoque": "false"}),
    "not on a stale list": (signed, roots(pki.crl(P["autorite"], {}, "2019-01-01", "2019-02-01")),
                            {**GOOD, "revoque": None}),
    "not on a list that has forgotten the expired": (
        signed, roots(pki.crl(P["autorite"], {}, "2021-01-01", "2021-02-01")), {**GOOD, "revoque": None}),
    "on the list of another authority": (signed, roots(pki.crl(P["racine"], {SERIAL: "2019-03-01"})),
                                         {**GOOD, "revoque": None}),
    "revoked authority": (signed, roots(pki.crl(P["racine"], {P["autorite"].certificate.serial_number: "2019-01-01"})),
                          {**GOOD, "de_confiance": "false", "revoque": None}),
    "list inside": (lambda: pki.store(signed(), crls=(pki.crl(P["autorite"], {}),)), roots(),
                    {**GOOD, "revoque": "false"}),
    "revoked, answer inside": (
        lambda: pki.store(signed(), ocsps=(pki.answer(P["signataire"], P["autorite"], P["repondeur"], "2019-03-02"),)),
        Roots(), {**GOOD, "revoque": "true", "de_confiance": None}),
    "answer inside": (
        lambda: pki.store(signed(), ocsps=(pki.answer(P["signataire"], P["autorite"], P["autorite"]),)),
        roots(), {**GOOD, "revoque": "false"}),
    "answer of nobody": (
        lambda: pki.store(signed(), ocsps=(pki.answer(P["signataire"], P["autorite"], P["autre"], "2019-03-02"),)),
        roots(), {**GOOD, "revoque": None}),
    "timestamped": (lambda: signed(stamp=(P["horodatage"], pki.at("2019-03-06"))), roots(),
                    {**GOOD, "date": "2019-03-06", "de_confiance": "true"}),
    "timestamp after the expiry": (lambda: signed(stamp=(P["horodatage"], pki.at("2021-03-06"))), roots(),
                                   {**GOOD, "date": "2021-03-06", "certificat_valide": "false"}),
    "timestamp that nobody trusts": (lambda: signed(stamp=(P["horodatage"], pki.at("2019-03-06"))),
                                     Roots((Root(P["autorite"].der),)), {**GOOD, "date": "2019-03-04"}),
    "late in the evening of Paris": (lambda: signed(when=dt.datetime(2019, 3, 4, 23, 30, tzinfo=dt.UTC)), roots(),
                                     {"date": "2019-03-05"}),
    "given name and surname": (lambda: signed("nomme"), roots(), {**GOOD, "signataire": "Amélie BRUN"}),
    "weak digest": (lambda: signed(digest="sha1"), roots(), {"integre": "?"}),
    "huge ByteRange": (lambda: ranged(signed(), 0, 10**15, 10**16, 10**17), roots(), MISPLACED),
    "overlapping ranges": (lambda: ranged(signed(), 0, 900, 800, 100), roots(), MISPLACED),
    "negative ranges": (lambda: ranged(signed(), 0, -5, 5, 10), roots(), MISPLACED),
    "range that starts later": (lambda: ranged(signed(), 9, 100, 200, 10), roots(), MISPLACED),
    "range that leaves out more, and holds": (lambda: resigned(signed(), gap=60), roots(),
                                              {"integre": "?", "couvre_tout": "false", "modifie_apres": "?"}),
    "range that leaves out the end, and holds": (lambda: resigned(signed(), end=60), roots(),
                                                 {"integre": "true", "couvre_tout": "false", "modifie_apres": "true"}),
    "same range, signed again": (lambda: resigned(signed()), roots(), {"integre": "true", "couvre_tout": "true"}),
    "saved again by another program": (lambda: saved(signed()), roots(), MISPLACED),
    "encrypted without a password": (lambda: pki.sign(saved(pdf(), user=""), P["signataire"], password=""), roots(),
                                     GOOD),
    "encrypted": (lambda: pki.sign(saved(pdf(), user="u"), P["signataire"], password="u"), roots(), {"integre": "?"}),
    "range of three numbers": (lambda: ranged(signed(), 0, 100, 200), roots(), dict.fromkeys(FACTS, "?")),
    "damaged signature": (lambda: signed().replace(b"<3082", b"<3182", 1), roots(), dict.fromkeys(FACTS, "?")),
    "truncated": (lambda: signed()[:-400], roots(), {"integre": "?"}),
    "xml": (lambda: pki.sign_xml(XML, P["signataire"]), roots(),
            {**GOOD, "de_confiance": "true", "revoque": None, "date": "2019-03-04", "signataire": "Amélie BRUN",
             "format": "xades"}),
    "xml, no roots": (lambda: pki.sign_xml(XML, P["signataire"]), Roots(), {**GOOD, "de_confiance": None}),
    "xml, unknown root": (lambda: pki.sign_xml(XML, P["autre"]), roots(), {**GOOD, "de_confiance": "false"}),
    "xml, expired": (lambda: pki.sign_xml(XML, P["perimee"]), roots(), {**GOOD, "certificat_valide": "false"}),
    "xml, revoked": (lambda: pki.sign_xml(XML, P["signataire"]),
                     roots(pki.crl(P["autorite"], {SERIAL: "2019-03-01"})), {**GOOD, "revoque": "true"}),
    "xml, altered": (lambda: pki.sign_xml(XML, P["signataire"]).replace(b"100.00", b"900.00"), roots(),
                     {"integre": "false", "modifie_apres": "true"}),
    "xml, another date": (lambda: pki.sign_xml(XML, P["signataire"]).replace(b"2019-03-04T", b"2019-03-05T"), roots(),
                          {"integre": "false", "date": "?"}),
    "xml, part of it": (
        lambda: pki.sign_xml(XML.replace(b"<total", b'<total Id="t"'), P["signataire"], reference_uri="t"), roots(),
        {"integre": "true", "couvre_tout": "false", "modifie_apres": None}),
    "xml, its root": (lambda: pki.sign_xml(XML, P["signataire"], reference_uri="e"), roots(), GOOD),
    "xml, doctype": (lambda: pki.sign_xml(XML, P["signataire"]).replace(b"<etat", b"<!DOCTYPE etat><etat", 1), roots(),
                     dict.fromkeys(FACTS, "?")),
    "xml, transform": (lambda: pki.sign_xml(XML, P["signataire"]).replace(
        b"http://www.w3.org/2000/09/xmldsig#enveloped-signature", b"http://www.w3.org/TR/1999/REC-xslt-19991116"),
        roots(), {"integre": "?"}),
    "xml, damaged": (lambda: pki.sign_xml(XML, P["signataire"])[:-30], roots(), dict.fromkeys(FACTS, "?")),
    "xml, no certificate": (lambda: re.sub(rb"<ds:X509Certificate>[^<]*</ds:X509Certificate>", b"",
                            pki.sign_xml(XML, P["signataire"])), roots(), dict.fromkeys(FACTS, "?")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_signature(name: str) -> None:
    make, trusted, expected = CASES[name]
    rows = told(make(), trusted)
    assert len(rows) == 1
    assert {key: said(rows[0])[key] for key in expected} == expected


@pytest.mark.parametrize("data", [pdf(), pdf(form=True), XML, b"", b"%PDF-1.4 /ByteRange", b"/ByteRange", b"\xff\xfe"])
def test_no_signature_no_row(data: bytes) -> None:
    rows = told(data)
    assert not rows or all(said(row)["integre"] == "?" for row in rows)
    assert not rows or data.startswith(b"%PDF-1.4 /")


def test_second_signature_keeps_the_first() -> None:
    """Two signatures, two rows; the second covers what the first does."""
    first = signed(box=(300, 50, 500, 120))
    rows = [said(row) for row in told(pki.sign(first, P["second"], "Visa", pki.at("2019-03-05")))]
    assert [(row["champ"], row["signataire"], row["date"]) for row in rows] == [
        ("Signature1", "Amélie BRUN", "2019-03-04"), ("Visa", "Jean MODELE", "2019-03-05")]  # fmt: skip
    assert all(row[name] == value for row in rows for name, value in GOOD.items())
    changed = [said(row) for row in told(page_changed(pki.sign(first, P["second"], "Visa")))]
    assert [(row["integre"], row["modifie_apres"]) for row in changed] == [("true", "true")] * 2
    between = [said(row) for row in told(pki.sign(page_changed(first), P["second"], "Visa"))]
    assert [row["modifie_apres"] for row in between] == ["true", "false"]


def test_second_xml_signature_covers_the_first() -> None:
    rows = [said(row) for row in told(pki.sign_xml(pki.sign_xml(XML, P["signataire"]), P["second"]))]
    assert [row["signataire"] for row in rows] == ["Amélie BRUN", "Jean MODELE"]
    assert [row["integre"] for row in rows] == ["false", "true"]


def test_place() -> None:
    """A visible signature has its page and its region from the top left; an invisible one has neither."""
    seen, unseen = told(signed(box=(300, 50, 500, 120)))[0], told(signed())[0]
    assert seen["integre"].place == Place("piece", page=1, place="300,680,500,750")
    assert unseen["integre"].place == Place("piece")
    assert told(pki.sign_xml(XML, P["signataire"]))[0]["integre"].place.place == "/etat/ds:Signature"


def test_moment_serves_a_signature_without_date() -> None:
    from signxml import XMLSigner

    plain = pki.sign_xml(XML, P["signataire"], signer=XMLSigner)
    assert [said(told(plain, moment=day)[0])["certificat_valide"] for day in (None, dt.date(2019, 3, 4))] == [
        "?",
        "true",
    ]
    assert said(told(plain)[0])["integre"] == "true"


def with_fields(data: bytes, number: int, loop: bool = False) -> bytes:
    """A later revision whose form has that many signature fields, all with the value of the first (or in a loop)."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    update = IncrementalPdfFileWriter(io.BytesIO(data))
    fields = update.root["/AcroForm"]["/Fields"]
    value = dict.get(fields[0], "/V")
    for rank in range(number):
        made = generic.DictionaryObject(
            {"/FT": generic.NameObject("/Sig"), "/T": generic.TextStringObject(f"champ{rank}"), "/V": value}
        )
        reference = update.add_object(made)
        if loop:
            made[generic.NameObject("/Kids")] = generic.ArrayObject([reference])
        fields.append(reference)
    update.update_container(fields)
    out = io.BytesIO()
    update.write(out)
    return out.getvalue()


def mesh(size: int = 8) -> tuple[bytes, Proofs]:
    """A leaf, and authorities of one name that certified one another: as many chains as there are orders."""
    dates = ("2015-01-01", "2030-01-01")
    made = [pki.issue("Maille", None, *dates, authority=True, serial=rank + 1) for rank in range(size)]
    crossed = [
        pki.issue("Maille", by, *dates, authority=True, serial=rank + 100, key=of.key)
        for rank, (by, of) in enumerate((by, of) for by in made for of in made if by is not of)
    ]
    return pki.issue("Feuille", made[0]).der, Proofs(tuple(item.der for item in crossed))


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a thousand fields": lambda: with_fields(signed(), 1000),
    "fields in a loop": lambda: with_fields(signed(), 2, loop=True),
    "a thousand revisions": lambda: signed() + b"\nstartxref\n0\n%%EOF" * 1000,
    "a range of many numbers": lambda: signed().replace(b"/ByteRange [", b"/ByteRange [" + b"0 1 " * 50_000, 1),
    "a store of nothing": lambda: pki.store(signed(), crls=(pki.crl(P["autorite"], {}),)).replace(b"/CRLs", b"/Crls"),
    "deep arrays": lambda: signed().replace(b"/ByteRange [", b"/ByteRange " + b"[" * 5000, 1),
    "many signatures, xml": lambda: XML.replace(b"</etat>", pki.sign_xml(XML, P["signataire"]).partition(b"</note>")[2]
        .removesuffix(b"</etat>") * 40 + b"</etat>"),
    "deep xml": lambda: pki.sign_xml(XML, P["signataire"]).replace(b"<total>", b"<a>" * 100_000 + b"<total>", 1),
    "many references": lambda: re.sub(rb"(<ds:Reference .*?</ds:Reference>)", lambda found: found[0] * 2000,
                                      pki.sign_xml(XML, P["signataire"]), count=1, flags=re.DOTALL),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str) -> None:
    """Told in bounded time, never as a good signature that covers all."""
    data = HOSTILE[name]()
    start = time.perf_counter()
    rows = [said(row) for row in told(data)]
    assert time.perf_counter() - start < 10
    assert 0 < len(rows) <= 33
    if name != "a store of nothing":
        assert not any(row["integre"] == "true" and row["couvre_tout"] == "true" for row in rows)


def test_mesh_of_authorities() -> None:
    start = time.perf_counter()
    assert judge(*mesh(), roots(), pki.SIGNED) == (False, True, None)
    assert time.perf_counter() - start < 10


def test_no_byte_changes_unseen() -> None:
    """A bit of a signed PDF, outside the signature itself: never intact and unmodified."""
    data = signed()
    chance = random.Random(5)
    gap = re.search(rb"<[0-9A-Fa-f]{1000,}>", data)
    assert gap
    for _ in range(120):
        at = chance.randrange(len(data))
        if gap.start() <= at < gap.end():
            continue
        changed = data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
        for row in map(said, told(changed)):
            assert not (row["integre"] == "true" and row["modifie_apres"] == "false"), at


def test_nothing_heavy_without_a_signature() -> None:
    code = (
        "import sys; from checker.model import Place; from checker.facts.readers import pades, xades\n"
        "pades.tell(b'%PDF-1.7 rien', Place('a'), 'autre'); xades.tell(b'<a/>', Place('a'), 'autre')\n"
        "print([name for name in ('pyhanko', 'signxml', 'lxml', 'cryptography', 'asn1crypto') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "[]\n"


def trust_list(statuses: str) -> bytes:
    import base64

    der = base64.b64encode(P["racine"].der).decode()
    return f"""<?xml version="1.0"?><TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#"><TSPService>
      <ServiceInformation><ServiceTypeIdentifier>http://uri.etsi.org/TrstSvc/Svctype/CA/QC</ServiceTypeIdentifier>
      <ServiceDigitalIdentity><DigitalId><X509Certificate>{der}</X509Certificate></DigitalId></ServiceDigitalIdentity>
      {statuses}</TSPService></TrustServiceStatusList>""".encode()


def status(word: str, since: str) -> str:
    return (
        f"<ServiceStatus>http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/{word}</ServiceStatus>"
        f"<StatusStartingTime>{since}T00:00:00Z</StatusStartingTime>"
    )


HISTORY = "</ServiceInformation><ServiceHistory><ServiceHistoryInstance>{}</ServiceHistoryInstance></ServiceHistory>"
GRANTED = status("granted", "2016-07-01") + "</ServiceInformation>"
WITHDRAWN = status("withdrawn", "2021-01-01") + HISTORY.format(status("granted", "2016-07-01"))
NEVER = status("withdrawn", "2016-07-01") + "</ServiceInformation>"
FOLDERS: dict[str, tuple[dict[str, bytes], int, int, int, str | None]] = {
    # files -> certificates, lists, faults, de_confiance of a signature of March 2019
    "one pem": ({"racine.pem": P["racine"].pem}, 1, 0, 0, "true"),
    "one der": ({"racine.CER": P["racine"].der}, 1, 0, 0, "true"),
    "bundle": ({"a.pem": P["racine"].pem + P["inconnue"].pem}, 2, 0, 0, "true"),
    "twice the same": ({"a.pem": P["racine"].pem, "b.crt": P["racine"].der}, 1, 0, 0, "true"),
    "another": ({"a.crt": P["inconnue"].der}, 1, 0, 0, "false"),
    "with lists": ({"a.pem": P["racine"].pem, "b.crl": pki.crl(P["autorite"], {}),
                    "c.crl": pki.crl(P["racine"], {}, pem=True)}, 1, 2, 0, "true"),
    "trust list": ({"fr.xml": trust_list(GRANTED)}, 1, 0, 0, "true"),
    "trust list, withdrawn since": ({"fr.xml": trust_list(WITHDRAWN)}, 1, 0, 0, "true"),
    "trust list, withdrawn before": ({"fr.xml": trust_list(NEVER)}, 0, 0, 1, None),
    "doctype": ({"fr.xml": trust_list(GRANTED).replace(b"<Trust", b"<!DOCTYPE a><Trust", 1)}, 0, 0, 1, None),
    "another xml": ({"fr.xml": b"<a/>"}, 0, 0, 1, None),
    "damaged": ({"a.pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "b.crl": b"rien",
                 "c.xml": b"<"}, 0, 0, 3, None),
    "a key": ({"a.pem": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, 0, 0, 1, None),
    "other names": ({"lisez-moi.txt": b"rien"}, 0, 0, 1, None),
    "empty": ({}, 0, 0, 1, None),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_of_roots(name: str, tmp_path: Path) -> None:
    files, certificates, crls, faults, trusted = FOLDERS[name]
    for file, data in files.items():
        (tmp_path / file).write_bytes(data)
    found = trust.load(tmp_path)
    assert (len(found.certificates), len(found.crls), len(found.faults)) == (certificates, crls, faults)
    assert all(fault.what and fault.todo for fault in found.faults)
    assert pickle.loads(pickle.dumps(found)) == found
    assert said(told(signed(), found)[0])["de_confiance"] == trusted


def test_no_folder_of_roots(tmp_path: Path) -> None:
    assert len(trust.load(tmp_path / "absent").faults) == 1
