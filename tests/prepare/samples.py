"""Raw folders made at test time: what a controller receives, in two layouts. No manifest, names as they come.

`chorus`: an XLSX export (title lines, prefixes, « # »), two Factur-X, a plain PDF, a scan, a signed PDF. `office`: an
ODS or a CSV in Windows-1252, invoices in UBL.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "fixtures"), str(ROOT / "tests")]

import acts  # noqa: E402
import facturx  # noqa: E402
import pki  # noqa: E402
import xlsxwriter  # noqa: E402
from make import LINES, Line  # noqa: E402
from pypdfium2 import PdfDocument  # noqa: E402
from reportlab.lib.utils import ImageReader  # noqa: E402
from reportlab.pdfgen import canvas  # noqa: E402

GAMMA = replace(
    LINES[0],
    number=2,
    object="Hébergement de la recette, sprint 7",
    order="2104453999",
    supplier="Gamma Logiciel",
    siret="99900033400014",
    invoice="G/2019-7",
    invoiced="2019-01-15",
    due="2019-02-14",
    days=10,
    delivered="2019-01-10",
    payment="100241650",
    paid="2019-02-01",
)
CHORUS = (LINES[0], GAMMA, replace(LINES[1], number=3))
HEADER = ("N° EJ", "Poste", "Compte général", "Groupe de marchandises", "Fournisseur", "SIRET", "N° facture",
          "Date facture", "Montant TTC", "N° DP", "Date dernière opération sur la DP", "Montant imputé")  # fmt: skip


def day(iso: str) -> dt.date:
    return dt.date.fromisoformat(iso)


def cells(line: Line) -> list[Any]:
    """A line as Chorus exports it."""
    return [line.order, "1", f"PCE/{line.account}", "#", line.supplier, line.siret, line.invoice, day(line.invoiced),
            line.gross, line.payment, day(line.paid), line.gross]  # fmt: skip


def export(path: Path, lines: Sequence[Line]) -> None:
    """An XLSX with three title lines, a header, the lines, a total."""
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Feuil1")
    form = book.add_format({"num_format": "dd/mm/yyyy"})
    for row, text in enumerate(("Export Chorus", "Centre financier : BG00/0129-CAHC-DISI", "Édité le 04.03.2019")):
        sheet.write_string(row, 0, text)
    for row, values in enumerate([list(HEADER), *map(cells, lines)], 4):
        for column, value in enumerate(values):
            if isinstance(value, dt.date):
                sheet.write_datetime(row, column, dt.datetime.combine(value, dt.time()), form)
            elif isinstance(value, Decimal):
                sheet.write_number(row, column, float(value))
            else:
                sheet.write_string(row, column, value)
    sheet.write_string(5 + len(lines), 4, "Total général")
    sheet.write_number(5 + len(lines), 11, float(sum(line.gross for line in lines)))
    book.close()


def electronic(line: Line) -> bytes:
    """A Factur-X: the XML of the example invoice, its values replaced."""
    xml = (ROOT / "fixtures/facture-F-2018-118.xml").read_text(encoding="utf-8")
    first = LINES[0]
    for old, new in (
        (first.invoice, line.invoice),
        ("20181214", line.invoiced.replace("-", "")),
        ("20181210", line.delivered.replace("-", "")),
        ("20190113", line.due.replace("-", "")),
        (first.supplier, line.supplier),
        (first.siret, line.siret),
        (first.vat_number, line.vat_number),
        (first.order, line.order),
        (first.object, line.object),
        ("50000.00", f"{line.net:.2f}"),
        ("10000.00", f"{line.vat:.2f}"),
        ("60000.00", f"{line.gross:.2f}"),
        (">100<", f">{line.days}<"),
    ):
        xml = xml.replace(old, new)
    made: bytes = facturx.generate_from_binary(
        acts.invoice(line, "Vera"), xml.encode(), flavor="factur-x", level="en16931", check_xsd=True, lang="fr-FR"
    )
    return made


def scanned(data: bytes) -> bytes:
    """The same page as a picture."""
    page = PdfDocument(data)[0].render(scale=1.2).to_pil()
    out = io.BytesIO()
    drawn = canvas.Canvas(out, invariant=1)
    drawn.drawImage(ImageReader(page), 0, 0, 595, 842)
    drawn.save()
    return out.getvalue()


def chorus(folder: Path) -> None:
    """Three lines; the proof of payment of the third is a scan, the état liquidatif carries a signature.

    It is drawn up for 84,000 euros in letters and 90,000 in figures: which one is for a person to say.
    """
    total = sum((line.gross for line in CHORUS), Decimal(0))
    export(folder / "EXPORT_CHORUS.xlsx", CHORUS)
    state = acts.state_of_expenses(CHORUS, total)
    (folder / "EL.pdf").write_bytes(pki.sign(state, pki.people()["second"]))
    (folder / "F1.pdf").write_bytes(electronic(CHORUS[0]))
    (folder / "F2.pdf").write_bytes(electronic(CHORUS[1]))
    (folder / "F3.pdf").write_bytes(acts.invoice(CHORUS[2]))
    for line in CHORUS:
        (folder / f"doc {line.number}a.pdf").write_bytes(acts.service_report(line))
        proof = acts.payment_proof(line)
        name = f"paiement {line.invoice.replace('/', '-')}.pdf" if line.number == 3 else f"doc {line.number}b.pdf"
        (folder / name).write_bytes(scanned(proof) if line.number == 3 else proof)


def ubl(line: Line) -> str:
    """A UBL invoice, as EN 16931 wants it."""
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:specification:ubl:schema:xsd:{what}-2"'
        for name, what in (("cac", "CommonAggregateComponents"), ("cbc", "CommonBasicComponents"))
    )

    def money(name: str, value: Decimal) -> str:
        return f'<cbc:{name} currencyID="EUR">{value:.2f}</cbc:{name}>'

    category = "<cbc:ID>S</cbc:ID><cbc:Percent>20</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"

    def party(name: str, siret: str) -> str:
        legal = f'<cbc:CompanyID schemeID="0009">{siret}</cbc:CompanyID>' if siret else ""
        vat = (
            f"<cac:PartyTaxScheme><cbc:CompanyID>{line.vat_number}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID>"
            "</cac:TaxScheme></cac:PartyTaxScheme>"
        )
        return (
            f"<cac:Party><cac:PostalAddress><cac:Country><cbc:IdentificationCode>FR</cbc:IdentificationCode></cac:Country>"
            f"</cac:PostalAddress>{vat if siret else ''}<cac:PartyLegalEntity>"
            f"<cbc:RegistrationName>{name}</cbc:RegistrationName>{legal}</cac:PartyLegalEntity></cac:Party>"
        )

    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" {spaces}>
<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
<cbc:ID>{line.invoice}</cbc:ID><cbc:IssueDate>{line.invoiced}</cbc:IssueDate><cbc:DueDate>{line.due}</cbc:DueDate>
<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cac:OrderReference><cbc:ID>{line.order}</cbc:ID></cac:OrderReference>
<cac:AccountingSupplierParty>{party(line.supplier, line.siret)}</cac:AccountingSupplierParty>
<cac:AccountingCustomerParty>{party("Services du Premier ministre - DINSIC", "")}</cac:AccountingCustomerParty>
<cac:TaxTotal>{money("TaxAmount", line.vat)}
<cac:TaxSubtotal>{money("TaxableAmount", line.net)}{money("TaxAmount", line.vat)}
<cac:TaxCategory>{category}</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
<cac:LegalMonetaryTotal>{money("LineExtensionAmount", line.net)}{money("TaxExclusiveAmount", line.net)}
{money("TaxInclusiveAmount", line.gross)}{money("PayableAmount", line.gross)}</cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="DAY">{line.days}</cbc:InvoicedQuantity>
{money("LineExtensionAmount", line.net)}<cac:Item><cbc:Name>{line.object}</cbc:Name>
<cac:ClassifiedTaxCategory>{category}</cac:ClassifiedTaxCategory></cac:Item>
<cac:Price>{money("PriceAmount", Decimal(500))}</cac:Price></cac:InvoiceLine>
</Invoice>
"""


OFFICE = ("N° ligne", "Projet", "Compte PCE", "Libellé", "Fournisseur", "N° facture", "Montant demandé (€)")


def office(folder: Path, kind: str) -> None:
    """Two lines in an ODS or a CSV, the invoices in UBL under names that say nothing, the acts in a folder."""
    from readers import make as sheets

    (folder / "actes").mkdir()
    rows = [
        [line.number, "SUD-01", line.account, line.object, line.supplier, line.invoice, f"{line.gross:.2f}"]
        for line in LINES
    ]
    if kind == "ods":
        header, *body = [list(OFFICE), *rows]
        sheet = [["État liquidatif EL-2019-01"], header, *[[*row[:-1], float(row[-1])] for row in body]]
        text = "".join(sheets._ods_row(row) for row in sheet)
        content = sheets.ods_content(f'<table:table table:name="Lignes">{text}</table:table>')
        (folder / "lignes.ods").write_bytes(sheets.ods_bytes(content))
    else:
        text = "État liquidatif EL-2019-01\r\n" + "".join(
            ";".join(str(cell).replace(".", ",") if at == 6 else str(cell) for at, cell in enumerate(row)) + "\r\n"
            for row in [list(OFFICE), *rows]
        )
        (folder / "lignes.csv").write_bytes(text.encode("cp1252"))
    for line, name in zip(LINES, ("0001.xml", "0002.xml"), strict=True):
        (folder / name).write_text(ubl(line), encoding="utf-8")
        (folder / "actes" / f"pv{line.number}.pdf").write_bytes(acts.service_report(line))
        (folder / "actes" / f"preuve de paiement {line.number}.pdf").write_bytes(acts.payment_proof(line))
    (folder / "actes/el.pdf").write_bytes(acts.state_of_expenses(LINES, Decimal(84000)))
    (folder / "actes/certification.pdf").write_bytes(acts.certification("Amélie BRUN", real=True))
    (folder / ".DS_Store").write_bytes(b"\0")
