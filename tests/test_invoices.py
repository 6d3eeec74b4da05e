"""Electronic invoices. Samples: the test corpus of factur-x 7.8 (its sdist, BSD licence beside), the invoices that its
generator writes from a dict, and edits of them; its parser is the independent reading of what ours says.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import re
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import facturx
import pikepdf
import pytest
from lxml import etree
from reportlab.pdfgen import canvas

from checker.base import dictionary, values
from checker.base.page import Page, Word
from checker.base.unreadable import Unreadable
from checker.facts import apart, concord, contents
from checker.facts.readers import einvoice, pdf
from checker.facts.readers.einvoice import fields, forms, rules, vet
from checker.model import Place, Row, Told, Value

SAMPLES = Path(__file__).resolve().parent / "invoices"
CORPUS = SAMPLES / "factur-x"
ROOT = SAMPLES.parent.parent
PLACE = Place("pieces/facture.xml")
CASES = json.loads((SAMPLES / "cases.json").read_text(encoding="utf-8"))
logging.getLogger("factur-x").setLevel(logging.CRITICAL)


def tell(data: bytes, nature: str = "facture") -> tuple[Row, Told]:
    told = einvoice.tell(data, PLACE, nature)
    [(parent, row)] = told.tables["facture_lue"]
    assert parent == 0
    return row, told


def rows(told: Told, table: str) -> list[dict[str, str | None]]:
    return [{name: value.raw for name, value in row.items()} for _, row in told.tables[f"facture_lue.{table}"]]


def sample(name: str) -> bytes:
    return (CORPUS / name).read_bytes()


def money(raw: str | None) -> Decimal | None:
    return None if raw is None else Decimal(raw)


def by_factur_x(data: bytes) -> dict[str, Any]:
    """What the parser of factur-x says, in our words."""
    said = facturx.parse_ubl_cii_xml(data, check_xsd=False)
    previous = {item["BT-25"] for item in said.get("BG-3", [])}
    parties = {
        f"{name}.siret": said[group].get("identifiers", {}).get("0009") or said[group].get("legal_identifier")
        for name, group in (("vendeur", "BG-4"), ("acheteur", "BG-7"))
    }
    return parties | {
        "numero": said["BT-1"],
        "code_type": said["BT-3"],
        "date": said["BT-2"].isoformat(),
        "date_livraison": said["BT-72"].isoformat() if "BT-72" in said else None,
        "devise": said["BT-5"],
        "commande": said.get("BT-13"),
        "facture_precedente": next(iter(previous), None) if len(previous) < 2 else ...,
        "vendeur.nom": said["BG-4"]["name"],
        "vendeur.tva": said["BG-4"].get("vat_identifier"),
        "acheteur.nom": said["BG-7"]["name"],
        "montant_ht": money(said["BT-109"]),
        "montant_tva": money(said.get("BT-110")),
        "montant_ttc": money(said["BT-112"]),
        "net_a_payer": money(said["BT-115"]),
        "lignes": [(line["BT-126"], line["BT-153"], money(line["BT-131"])) for line in said.get("BG-25", [])],
        "tva": [(money(item.get("BT-119")), money(item["BT-116"]), money(item["BT-117"])) for item in
                said.get("BG-23", [])],
    }  # fmt: skip


def by_us(data: bytes) -> dict[str, Any]:
    row, told = tell(data)
    said: dict[str, Any] = {name: value.raw if value.fault is None else ... for name, value in row.items()}
    for name in ("montant_ht", "montant_tva", "montant_ttc", "net_a_payer"):
        said[name] = money(said[name])
    said["lignes"] = [(line["numero"], line["libelle"], money(line["montant"])) for line in rows(told, "lignes")]
    said["tva"] = [(money(item["taux"]), money(item["base"]), money(item["montant"])) for item in rows(told, "tva")]
    return said


def agree(data: bytes) -> dict[str, Any]:
    expected, said = by_factur_x(data), by_us(data)
    assert {name: said[name] for name in expected} == expected
    return said


@pytest.mark.parametrize("name", CASES["corpus"])
def test_corpus_of_factur_x(name: str) -> None:
    said = agree(sample(name))
    expected = CASES["corpus"][name]
    assert {column: said[column] for column in expected} == expected
    assert (said["xsd"], said["schematron"]) == ("true", "true")
    assert said["avec_lignes"] == ("true" if said["lignes"] else "false")


@pytest.mark.parametrize("name", CASES["zugferd1"])
def test_corpus_of_zugferd_1(name: str) -> None:
    """No other parser of this format at hand: the figures are looked for by their names."""
    said = by_us(sample(name))
    tree = ElementTree.fromstring(sample(name))
    totals = next(item for item in tree.iter() if "ApplicableSupplyChainTradeSettlement" in item.tag)
    for column, tag in (
        ("montant_ht", "TaxBasisTotalAmount"),
        ("montant_tva", "TaxTotalAmount"),
        ("montant_ttc", "GrandTotalAmount"),
    ):
        [found] = [item.text for item in totals.iter() if item.tag.endswith("}" + tag)]
        assert said[column] == Decimal(found or "")
    assert sum(line[2] for line in said["lignes"]) == Decimal(CASES["zugferd1"][name])
    assert (said["xsd"], said["schematron"], said["profil"][:11]) == ("true", None, "ZUGFERD 1.0")


def test_every_column_is_of_the_dictionary_and_reads() -> None:
    tables = dictionary.load().tables
    for name in CASES["corpus"]:
        _, told = tell(sample(name))
        for table, found in told.tables.items():
            columns = tables[table].fields
            for _, row in found:
                assert set(row) <= set(columns)
                for column, value in row.items():
                    if value.raw and value.fault is None and columns[column].type != "block":
                        values.parse(columns[column].type, value.raw)
                        assert not columns[column].enum or value.raw in columns[column].enum
        assert set(told.tables["facture_lue"][0][1]) == set(tables["facture_lue"].fields)


@pytest.mark.parametrize("name", ["factur-x-extended.xml", "ubl-21-en16931.xml"])
def test_places_lead_to_what_was_read(name: str) -> None:
    data = sample(name)
    root = vet.tree(data)
    spaces = dict(forms.FORMS[vet.root_name(data)].namespaces)
    seen = 0
    for found in tell(data)[1].tables.values():
        for _, row in found:
            for column, value in row.items():
                if value.raw is None or value.place.place is None or column in ("profil", "type", "avec_lignes"):
                    continue
                if column in ("vendeur", "acheteur"):
                    continue
                [element] = root.xpath(value.place.place, namespaces=spaces)
                assert element.sourceline == value.place.line
                written = " ".join(element.text.split())
                if value.fault is None:
                    assert written in (value.raw, value.raw.replace("-", ""))
                seen += 1
    assert seen > 25


def generated(flavor: str, level: str, **changes: Any) -> bytes:
    """An invoice that factur-x writes of a dict of ours."""
    said = {key: dt.date.fromisoformat(item) if key in ("BT-2", "BT-9", "BT-72") else item
            for key, item in (json.loads(json.dumps(CASES["generated"])) | changes).items()}  # fmt: skip
    said["BG-3"] = [{"BT-25": item["BT-25"], "BT-26": dt.date.fromisoformat(item["BT-26"])} for item in said["BG-3"]]
    made: bytes = facturx.generate_xml(said, flavor=flavor, level=level, check_schematron=None)
    return made


@pytest.mark.parametrize(("code", "kind"), [("380", "facture"), ("381", "avoir")])
@pytest.mark.parametrize(
    ("flavor", "level"),
    [
        *[("factur-x", level) for level in ("basicwl", "en16931", "extended", "extended-ctc-fr")],
        *[("ubl-2.1", level) for level in ("en16931", "extended-ctc-fr")],
    ],
)
def test_generated(flavor: str, level: str, code: str, kind: str) -> None:
    data = generated(flavor, level, **{"BT-3": code})
    said = agree(data)
    assert said["type"] == kind
    assert said["source"] == ("ubl" if flavor == "ubl-2.1" else "cii")
    assert (said["xsd"], said["schematron"]) == ("true", "true"), rows(tell(data)[1], "erreurs")
    if flavor == "ubl-2.1":
        assert (b"CreditNote" in data) == (kind == "avoir")


@pytest.mark.parametrize("case", CASES["edits"], ids=lambda case: case["title"])
def test_edited(case: dict[str, Any]) -> None:
    """One edit, what it changes: a value, a fault, the rules that it breaks."""
    text = sample(case["sample"]).decode("utf-8-sig")
    for pattern, by in case["edit"].items():
        text, count = re.subn(pattern, by, text, count=1, flags=re.DOTALL)
        assert count, pattern
    row, told = tell(text.encode())
    for column, expected in case.get("values", {}).items():
        assert row[column].raw == expected, column
        assert row[column].fault is None
    for column, expected in case.get("faults", {}).items():
        assert expected in (row[column].fault or ""), column
    broken = {item["regle"] for item in rows(told, "erreurs") if item["origine"] == "schematron"}
    if "rules" in case:
        assert broken == set(case["rules"]), broken
    for column in ("xsd", "schematron"):
        if column in case:
            assert row[column].raw == case[column], rows(told, "erreurs")


def test_a_credit_note_with_the_code_of_an_invoice() -> None:
    data = generated("ubl-2.1", "en16931", **{"BT-3": "381"})
    row, _ = tell(data.replace(b"TypeCode>381", b"TypeCode>380"))
    assert "ne l'est pas" in (row["type"].fault or "")
    row, _ = tell(re.sub(rb"<cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>", b"", data))
    assert (row["type"].raw, row["code_type"].raw) == ("avoir", None)


def test_the_reform_only_from_its_date() -> None:
    """The number breaks a rule of the reform alone."""
    for day, number, country, expected in CASES["reform"]:
        for flavor in ("factur-x", "ubl-2.1"):
            seller = CASES["generated"]["BG-4"] | {"country_code": country}
            data = generated(flavor, "en16931", **{"BT-1": number, "BT-2": day, "BT-9": "2026-12-31", "BG-4": seller})
            row, told = tell(data)
            found = rows(told, "erreurs")
            assert (row["xsd"].raw, row["schematron"].raw) == ("true", "false" if expected else "true"), found
            assert all(str(item["regle"]).startswith("BR-FR-") for item in found)


def test_a_missing_library_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    real = rules.importlib.util.find_spec
    for hidden, xsd in (("saxonche", "true"), ("facturx", None)):
        monkeypatch.setattr(
            rules.importlib.util, "find_spec", lambda name, hid=hidden: None if name == hid else real(name)
        )
        row, _ = tell(sample("factur-x-en16931.xml"))
        assert (row["xsd"], row["schematron"]) == (Value(xsd, PLACE), Value(None, PLACE))
        assert row["montant_ttc"].raw == "104.90"
    monkeypatch.undo()
    monkeypatch.setattr(rules, "_FOLDERS", dict.fromkeys(rules._FOLDERS, "elsewhere"))
    row, _ = tell(sample("factur-x-en16931.xml"))
    assert "introuvable" in (row["xsd"].fault or "")
    assert "introuvables" in (row["schematron"].fault or "")


def test_a_rule_that_does_not_compute_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("Saxon\nest tombé")

    monkeypatch.setattr(rules, "_run", crash)
    row, _ = tell(sample("factur-x-en16931.xml"))
    assert row["schematron"].raw is None
    assert (row["schematron"].fault or "").endswith(": Saxon")


def bare() -> str:
    return sample("factur-x-minimum.xml").decode("utf-8-sig").split("?>", 1)[1]


def inside(text: str) -> str:
    """The invoice with something in the place of its number."""
    return bare().replace("F20260023", text)


def after(head: str, body: str = "", encoding: str = "utf-8") -> bytes:
    return (head + (body or bare())).encode(encoding)


def many(name: str) -> str:
    return " ".join(f'{name.format(index)}="u"' for index in range(200_000))


XML = "<?xml version='1.0' encoding='{}'?>"
LAUGHS = "<!DOCTYPE r [<!ENTITY a0 'lol'>" + "".join(
    f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 10)) + "]>"  # fmt: skip
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "billion laughs": (lambda: after(LAUGHS, inside("&a9;")), "DOCTYPE"),
    "external entity": (lambda: after("<!DOCTYPE r [<!ENTITY x SYSTEM '/etc/passwd'>]>", inside("&x;")), "DOCTYPE"),
    "external subset": (lambda: after("<!DOCTYPE r SYSTEM 'http://127.0.0.1/x.dtd'>"), "DOCTYPE"),
    "DOCTYPE in UTF-16": (lambda: after("\ufeff<!DOCTYPE x>", encoding="utf-16-le"), "DOCTYPE"),
    "depth": (lambda: after("", inside("<a>" * 1_000_000 + "</a>" * 1_000_000)), "niveaux"),
    "elements": (lambda: after("", inside("<a/>" * 4_000_000)), "éléments"),
    "attributes": (lambda: after("", inside(f"<a {many('a{}')}/>")), "attributs"),
    "namespaces": (lambda: after("", inside(f"<a {many('xmlns:a{}')}/>")), "espaces de noms"),
    "text of 15 MB": (lambda: after("", inside("A" * 15_000_000)), "10 Mo"),
    "30 MB": (lambda: after("", inside("A" * 30_000_000)), "20 Mo"),
    "cut": (lambda: after("", bare()[:1500]), "endommagé"),
    "not UTF-8": (lambda: bare().encode().replace(b"F2026", b"\xff\xfe"), "endommagé"),
    "null": (lambda: bare().encode().replace(b"F2026", b"\0"), "endommagé"),
    "encoding unknown": (lambda: after(XML.format("x-klingon")), "encodage"),
    "UTF-7": (lambda: after(XML.format("UTF-7")), "encodage"),
    "empty": (lambda: b"", "endommagé"),
    "an order": (lambda: sample("order-x-basic.xml"), "commande"),
    "a web page": (lambda: b"<page/>", "ni du CII ni de l'UBL"),
    "another namespace": (lambda: after("", bare().replace("Invoice:100", "Invoice:99")), "ni du CII"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str) -> None:
    make, reason = HOSTILE[name]
    data = make()
    start = time.perf_counter()
    row, told = tell(data)
    assert time.perf_counter() - start < 10
    assert set(told.tables) == {"facture_lue"}
    assert row["fichier"].raw == PLACE.file
    for column in fields.COLUMNS:
        if column != "concorde":
            assert row[column].raw is None
            assert reason in (row[column].fault or ""), (column, row[column])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<ram:TypeCode>380</ram:TypeCode>", "<ram:TypeCode>380</ram:TypeCode>" * 90_000),
        ("<ram:Name>LE FOURNISSEUR</ram:Name>", "<ram:Name>LE FOURNISSEUR</ram:Name>" * 90_000),
    ],
)
def test_many_of_one_stay_linear(old: str, new: str) -> None:
    start = time.perf_counter()
    row, told = tell(bare().replace(old, new).encode())
    assert time.perf_counter() - start < 15
    assert row["xsd"].raw == "false"
    assert len(told.tables["facture_lue.erreurs"]) <= 2 * rules.MAX_BREACHES


def test_what_is_not_taken_for_an_invoice_says_nothing() -> None:
    for data in (b"<page/>", b"<!DOCTYPE html><p/>", b"", sample("order-x-basic.xml")):
        assert einvoice.tell(data, PLACE, "autre") == Told({})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-15", "windows-1252"])
def test_encodings(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + bare().replace("LE FOURNISSEUR", "L'Épicerie")
    row, _ = tell(text.encode(encoding))
    assert row["vendeur.nom"].raw == "L'Épicerie"
    assert row["schematron"].raw == "true"


def test_comments_and_instructions_hide_nothing() -> None:
    row, _ = tell(inside("F2026<!-- 1 -->00<?x 2?>23").encode())
    assert row["numero"].raw == "F20260023"


# -- PDF


def page(*lines: str) -> bytes:
    out = io.BytesIO()
    sheet = canvas.Canvas(out, invariant=1)
    for index, line in enumerate(lines):
        sheet.drawString(72, 760 - 20 * index, line)
    sheet.showPage()
    sheet.save()
    return out.getvalue()


def carrying(change: Callable[[pikepdf.Pdf], None], source: bytes, **save: Any) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(source)) as document:
        change(document)
        document.save(out, **save)
    return out.getvalue()


def attach(**files: bytes) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        for name, data in files.items():
            document.attachments[name.replace("_", "-") + ".xml"] = data

    return change


def associated(document: pikepdf.Pdf) -> None:
    """The invoice among the associated files only: no tree of names."""
    attach(factur_x=sample("factur-x-minimum.xml"))(document)
    [(_, spec)] = pikepdf.NameTree(document.Root.Names.EmbeddedFiles).items()
    document.Root.AF = pikepdf.Array([document.make_indirect(spec)])
    del document.Root.Names


def odd(**entries: Any) -> Callable[[pikepdf.Pdf], None]:
    """The stream of the invoice, written otherwise."""

    def change(document: pikepdf.Pdf) -> None:
        attach(factur_x=sample("factur-x-minimum.xml"))(document)
        [(_, spec)] = pikepdf.NameTree(document.Root.Names.EmbeddedFiles).items()
        spec.EF.F.write(entries["data"], filter=entries.get("filter"))

    return change


def bomb() -> bytes:
    import zlib

    return zlib.compress(b" " * 60_000_000)


PLAIN = page("Facture F20260023")
MINIMUM = sample("factur-x-minimum.xml")
FLATE = pikepdf.Name.FlateDecode
CARRIED: dict[str, tuple[Callable[[], bytes], bytes | str | None]] = {
    "official": (lambda: sample("invoice_EN16931.pdf"), b"urn:cen.eu:en16931:2017"),
    "none": (lambda: PLAIN, None),
    "another file": (lambda: carrying(attach(releve=b"<a/>"), PLAIN), None),
    "Factur-X": (lambda: carrying(attach(factur_x=MINIMUM), PLAIN), MINIMUM),
    "ZUGFeRD": (lambda: carrying(attach(zugferd_invoice=MINIMUM), PLAIN), MINIMUM),
    "XRechnung": (lambda: carrying(attach(xrechnung=MINIMUM), PLAIN), MINIMUM),
    "owner's password": (
        lambda: carrying(attach(factur_x=MINIMUM), PLAIN, encryption=pikepdf.Encryption(owner="x", user="")), MINIMUM),
    "user's password": (
        lambda: carrying(attach(factur_x=MINIMUM), PLAIN, encryption=pikepdf.Encryption(owner="x", user="y")), None),
    "object streams": (lambda: carrying(
        attach(factur_x=MINIMUM), PLAIN, object_stream_mode=pikepdf.ObjectStreamMode.generate), MINIMUM),
    "associated only": (lambda: carrying(associated, PLAIN), MINIMUM),
    "two that differ": (lambda: carrying(attach(factur_x=MINIMUM, xrechnung=b"<a/>"), PLAIN), "plusieurs"),
    "two alike": (lambda: carrying(attach(factur_x=MINIMUM, xrechnung=MINIMUM), PLAIN), MINIMUM),
    "bomb": (lambda: carrying(odd(data=bomb(), filter=FLATE), PLAIN, compress_streams=False), "20 Mo"),
    "odd filter": (lambda: carrying(odd(data=b"00>", filter=pikepdf.Name.ASCIIHexDecode), PLAIN,
                                    compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none),
                   "inhabituelle"),
    "damaged stream": (lambda: carrying(odd(data=b"x" * 9, filter=FLATE), PLAIN, compress_streams=False), "endommagé"),
    "cut stream": (lambda: carrying(odd(data=bomb()[:2000], filter=FLATE), PLAIN, compress_streams=False), "tronquée"),
    "no file": (lambda: carrying(attach(factur_x=MINIMUM), PLAIN).replace(b"/EF ", b"/EX "), "endommagées"),
    "garbage": (lambda: b"%PDF-1.7 /EmbeddedFile", "endommagées"),
}  # fmt: skip


@pytest.mark.parametrize("name", CARRIED)
def test_attached(name: str) -> None:
    make, expected = CARRIED[name]
    data = make()
    start = time.perf_counter()
    if isinstance(expected, str):
        with pytest.raises(Unreadable) as caught:
            pdf.attached(data)
        assert expected in caught.value.reason
        told = contents.tell(data, PLACE, "facture")
        assert [(row["source"].raw, row["numero"].fault) for _, row in told.tables["facture_lue"]] == [
            ("facturx", caught.value.reason)
        ]
    else:
        found = pdf.attached(data)
        assert found is None if expected is None else expected in (found or b"")
    assert time.perf_counter() - start < 10


def test_official_pdf_and_its_page() -> None:
    data = sample("invoice_EN16931.pdf")
    [(_, row)] = contents.tell(data, Place("f.pdf"), "facture").tables["facture_lue"]
    assert {name: row[name].raw for name in CASES["pdf"]} == CASES["pdf"]
    assert row["montant_ttc"].place.file == "f.pdf"
    said = apart.call(contents.tell, data, Place("f.pdf"), "facture")
    assert isinstance(said, Told), said
    assert said.tables["facture_lue"] == [(0, row)]


def pages(*texts: str, whole: bool = True) -> list[Page]:
    return [
        Page(number, 595, 842, tuple(Word(word, 0, 0, 1, 1) for word in text.split(" ") if word), whole)
        for number, text in enumerate(texts, 1)
    ]


@pytest.mark.parametrize(("number", "day", "total", "text", "expected"), CASES["concord"])
def test_page_and_xml(number: str, day: str, total: str, text: str, expected: str) -> None:
    row = {"numero": Value(number, PLACE), "date": Value(day, PLACE), "montant_ttc": Value(total, PLACE)}
    assert concord.agrees(row, pages(text), PLACE) == Value(expected, PLACE)


def test_page_and_xml_unknown() -> None:
    row = {name: Value(raw, PLACE) for name, raw in (("numero", "F1"), ("date", "2026-01-31"), ("montant_ttc", "1.00"))}
    for wrong, shown in (
        (row, pages("")),
        (row, []),
        (row, pages("F1 du 31/01/2026", whole=False)),
        (row | {"date": Value(None, PLACE)}, pages("F1 1,00")),
        (row | {"numero": Value("--", PLACE)}, pages("F1 1,00")),
        (row | {"montant_ttc": Value("1.005", PLACE)}, pages("F1 1,00")),
        (row | {"montant_ttc": Value("1.00", PLACE, "illisible")}, pages("F1 1,00")),
    ):
        said = concord.agrees(wrong, shown, PLACE)
        assert said.raw is None
        assert said.fault


def test_a_page_that_says_otherwise() -> None:
    xml = sample("factur-x-minimum.xml")
    for line, expected in (
        ("Facture F20260023 du 31/01/2026, 104,90 €", "true"),
        ("Facture F20260023 : 999,00", "false"),
    ):
        [(_, row)] = contents.tell(carrying(attach(factur_x=xml), page(line)), PLACE, "facture").tables["facture_lue"]
        assert (row["source"].raw, row["concorde"].raw) == ("facturx", expected)


def test_merge_keeps_parents() -> None:
    one: Row = {"a": Value("1", PLACE)}
    told = Told({"facture_lue": [(0, one)], "facture_lue.tva": [(0, one)], "acte_lu": [(0, one)]})
    both = contents.merge(told, Told({}), told).tables
    assert [parent for parent, _ in both["facture_lue.tva"]] == [0, 1]
    assert [parent for parent, _ in both["facture_lue"]] == [0, 0]
    assert len(both["acte_lu"]) == 2


def test_libraries_come_with_invoices_only() -> None:
    """An XML that is no invoice imports no lxml; an invoice imports neither factur-x nor what opens sockets."""
    code = (
        "import sys; from checker.facts.readers import einvoice; from checker.model import Place;"
        "einvoice.tell({data}, Place('a'), 'facture');"
        "print(*sorted(n for n in ('lxml', 'saxonche', 'facturx', 'requests', 'pypdf') if n in sys.modules))"
    )
    for data, expected in (
        ("b'<a/>'", ""),
        (f"open({str(CORPUS / 'factur-x-minimum.xml')!r}, 'rb').read()", "lxml saxonche"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code.format(data=data)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected


def test_decimals() -> None:
    for text, expected in CASES["decimals"]:
        assert list(fields.decimal(text)) == expected


def test_schematron_reports_places_that_exist() -> None:
    text = bare().replace("<ram:TypeCode>380", "<ram:TypeCode>999")
    [error] = rows(tell(text.encode())[1], "erreurs")
    root = etree.fromstring(text.encode())
    found: Any = root.xpath(error["chemin"] or "", namespaces={key: uri for key, uri in root.nsmap.items() if key})
    assert [item.text for item in found] == ["999"]
