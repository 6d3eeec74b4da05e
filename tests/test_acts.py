"""The reading of acts: what a piece prints, from real PDF in several layouts. One test a sort of thing."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from checker.base import dictionary, values
from checker.base.page import MAX_WORDS, Page, Word
from checker.facts import acts
from checker.facts.acts import layout
from checker.facts.readers import ocr, pdftext
from checker.model import Place, Row

ROOT = Path(__file__).resolve().parent.parent
CONFORME = ROOT / "fixtures/conforme"
SIZE, LEADING = 10, 16


def pdf(*pages: str, invisible: bool = False) -> bytes:
    """Pages as drawn: a line a line; « 300 text » at that x in points, « 500> text » ends there, « || » between cells.

    A line that begins with « # » is a title. An empty line is a gap.
    """
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(595, 842), invariant=1)
    for drawn in pages:
        y = 790.0
        for line in drawn.strip("\n").split("\n"):
            title = line.startswith("#")
            page.setFont("Helvetica-Bold" if title else "Helvetica", 18 if title else SIZE)
            for cell in line.lstrip("# ").split(" || "):
                edge, _, text = cell.strip().partition(" ")
                if not text:
                    continue
                if edge.endswith(">"):
                    page.drawRightString(float(edge[:-1]), y, text)
                elif invisible:
                    shape = page.beginText(float(edge), y)
                    shape.setTextRenderMode(3)
                    shape.textLine(text)
                    page.drawText(shape)
                else:
                    page.drawString(float(edge), y, text)
            y -= 26 if title else LEADING
        page.showPage()
    page.save()
    return out.getvalue()


def read(data: bytes, nature: str, source: str = "texte") -> Row:
    told = acts.tell(pdftext.pages(data), Place("a.pdf"), nature, source)
    ((parent, row),) = told.tables["facture_lue" if nature in ("facture", "avoir") else "acte_lu"]
    assert parent == 0
    return row


def compare(row: Row, expected: dict[str, str | None]) -> None:
    """« ! » begins a fault; every other column of the row must be absent."""
    shown = {name: f"! {value.fault}" if value.fault else value.raw for name, value in row.items()}
    said = {name: text for name, text in shown.items() if text is not None}
    for name in ("fichier", "source", "nature", "vendeur", "acheteur"):
        said.pop(name, None)
    assert said == {name: text for name, text in expected.items() if text is not None}


LETTERHEAD = """
50 ACME Numérique SARL
50 12 rue des Exemples, 75011 Paris
50 SIRET 999 000 110 00018 - TVA intracommunautaire FR 72 999000110 - RCS Paris
"""
TOTALS = """
350 Total HT || 540> 50 000,00 €
350 TVA 20 % || 540> 10 000,00 €
350 Total TTC || 540> 60 000,00 €
350 Net à payer || 540> 60 000,00 €
"""
SELLER = {"vendeur.siret": "999 000 110 00018", "vendeur.tva": "FR 72 999000110"}
SUMS = {
    "montant_ht": "50 000,00 €",
    "montant_tva": "10 000,00 €",
    "montant_ttc": "60 000,00 €",
    "net_a_payer": "60 000,00 €",
    "devise": "EUR",
}
FIRST = {"type": "facture", "numero": "F-2018-118", "date": "2018-12-14"}
# title, nature, page, what is read
CASES: list[tuple[str, str, str, dict[str, str | None]]] = [
    (
        "deux colonnes : vendeur à gauche, acheteur à droite",
        "facture",
        """
# 50 FACTURE
50 Émetteur || 320 Client
50 ACME Numérique || 320 Services du Premier ministre
50 12 rue des Exemples || 320 20 avenue de Ségur
50 75011 Paris || 320 75007 Paris
50 SIRET : 99900011000018 || 320 SIRET : 110 020 013 00014
50 N° TVA : FR72999000110

50 Numéro de facture : F-2018-118 || 320 Date de facturation : 14/12/2018
50 N° d'engagement : 2104453606 || 320 Échéance : 13/01/2019

50 Désignation || 300 Quantité || 400 PU HT || 480 Total HT
50 Développement || 320> 60 || 440> 500,00 || 540> 30 000,00
50 Conception || 320> 40 || 440> 500,00 || 540> 20 000,00
"""
        + TOTALS,
        SUMS
        | {
            "type": "facture",
            "numero": "F-2018-118",
            "date": "14/12/2018",
            "commande": "2104453606",
            "vendeur.nom": "ACME Numérique",
            "vendeur.siret": "99900011000018",
            "vendeur.tva": "FR72999000110",
            "acheteur.nom": "Services du Premier ministre",
            "acheteur.siret": "110 020 013 00014",
        },
    ),
    (
        "en-têtes au-dessus des valeurs, total au pied d'un tableau",
        "facture",
        LETTERHEAD
        + """

50 Facture n° || 180 Date de facture || 320 Bon de commande || 450 Devise
50 F-2018-118 || 180 14 décembre 2018 || 320 2104453606 || 450 EUR

50 Désignation || 300> Montant HT || 420> TVA || 540> Montant TTC
50 Sprint 1 || 300> 30 000,00 || 420> 6 000,00 || 540> 36 000,00
50 Sprint 2 || 300> 20 000,00 || 420> 4 000,00 || 540> 24 000,00
50 Total || 300> 50 000,00 || 420> 10 000,00 || 540> 60 000,00
""",
        SELLER
        | FIRST
        | {
            "commande": "2104453606",
            "devise": None,
            "montant_ht": "50 000,00",
            "montant_tva": "10 000,00",
            "montant_ttc": "60 000,00",
        },
    ),
    (
        "lettre, points de conduite, valeurs à la ligne",
        "facture",
        LETTERHEAD
        + """

50 Paris, le 14 décembre 2018

50 Veuillez trouver, en exécution du bon de commande n° 2104453606, notre facture n°
50 F-2018-118 relative au développement du service numérique.

50 Total hors taxes .................. : 50 000,00 EUR
50 TVA (20,00 %) .................. : 10 000,00 EUR
50 Montant total T.T.C. .................. : 60 000,00 EUR
50 Total à payer (en euros) : 60.000,00
""",
        SELLER
        | {
            "numero": "F-2018-118",
            "date": "2018-12-14",
            "commande": "2104453606",
            "montant_ht": "50 000,00 EUR",
            "montant_tva": "10 000,00 EUR",
            "montant_ttc": "60 000,00 EUR",
            "net_a_payer": "60.000,00",
            "devise": "EUR",
        },
    ),
    (
        "deux totaux qui se contredisent, deux dates",
        "facture",
        """
# 50 Facture n° F-2018-118
50 Date de facture : 14/12/2018
50 Total TTC : 60 000,00 €
50 Date de facture : 15/12/2018
50 Total TTC : 61 000,00 €
""",
        {
            "type": "facture",
            "numero": "F-2018-118",
            "date": "! ambigu : 14/12/2018 et 15/12/2018",
            "montant_ttc": "! ambigu : 60 000,00 € et 61 000,00 €",
            "devise": "EUR",
        },
    ),
    (
        "deux fois la même valeur, écrite autrement",
        "facture",
        """
# 50 Facture n° F-2018-118
50 Date de facture : 14/12/2018 || 300 Réf. facture : F-2018-118
50 Facture émise le 14 décembre 2018
50 Total TTC : 60 000,00 € || 300 Total TTC 60000,00
""",
        FIRST | {"date": "14/12/2018", "montant_ttc": "60 000,00 €", "devise": "EUR"},
    ),
    (
        "un SIRET que rien n'attribue, un autre en pied avec le RCS",
        "facture",
        """
# 50 Facture n° F-2018-118
50 DINSIC, 20 avenue de Ségur
50 SIRET 110 020 013 00014
""",
        {
            "type": "facture",
            "numero": "F-2018-118",
            "vendeur.siret": "! rien ne dit si 110 020 013 00014 est celui du vendeur ou de l'acheteur",
        },
    ),
    (
        "SIREN sans SIRET, devise étrangère, année à deux chiffres",
        "facture",
        """
# 50 Facture n° F-2018-118
50 ACME, RCS Paris 999 000 110
50 Date de facture : 14/12/18
50 Total TTC : 1.234 $
""",
        {
            "type": "facture",
            "numero": "F-2018-118",
            "date": "14/12/18",
            "montant_ttc": "1.234",
            "devise": "USD",
            "vendeur.siret": "! SIREN sans SIRET : 999 000 110",
        },
    ),
    (
        "plusieurs taux de TVA sans total de TVA",
        "facture",
        """
# 50 Facture n° F-2018-118
350 Total HT || 540> 300,00 €
350 TVA 20 % || 540> 40,00 €
350 TVA 5,5 % || 540> 5,50 €
350 Total TTC || 540> 345,50 €
""",
        {
            "type": "facture",
            "numero": "F-2018-118",
            "montant_ht": "300,00 €",
            "montant_tva": "! ambigu : 40,00 € et 5,50 €",
            "montant_ttc": "345,50 €",
            "devise": "EUR",
        },
    ),
    (
        "facture qui en remplace une autre",
        "facture",
        """
# 50 Facture n° F-2018-119
50 Annule et remplace la facture n° F-2018-118 du 14 décembre 2018
50 Date : 20/12/2018
""",
        {
            "type": "facture",
            "numero": "F-2018-119",
            "facture_precedente": "F-2018-118",
            "date": "20/12/2018",
        },
    ),
    (
        "avoir",
        "avoir",
        """
# 50 Avoir n° A-2019-3
50 Date d'émission : 1er février 2019
50 En déduction de la facture n° F-2018-118
50 Total TTC || 540> -1 200,00 €
""",
        {
            "type": "avoir",
            "numero": "A-2019-3",
            "facture_precedente": "F-2018-118",
            "date": "2019-02-01",
            "montant_ttc": "-1 200,00 €",
            "devise": "EUR",
        },
    ),
    (
        "facture pro forma",
        "facture",
        "# 50 Facture pro forma\n50 N° : PF-12\n50 Date : 14/12/2018",
        {"type": "proforma", "numero": "PF-12", "date": "14/12/2018"},
    ),
    (
        "facture qui cite un devis",
        "facture",
        "# 50 FACTURE\n50 Facture F-2018-118\n50 Devis n° D-2018-4",
        {"type": "facture", "numero": "F-2018-118"},
    ),
    (
        "numéro en plusieurs groupes, suivi d'une date ou d'un montant",
        "facture",
        "# 50 FACTURE\n50 Facture n° FA 2018 118 du 14/12/2018\n50 Facture n° : FA 2018 118 14/12/2018",
        {"type": "facture", "numero": "FA 2018 118", "date": "14/12/2018"},
    ),
    (
        "un bandeau d'en-têtes, totaux compris",
        "facture",
        """
# 50 FACTURE
50 N° facture || 150 Date || 250 Client || 350 Total HT || 440 TVA || 500 Total TTC
50 118 || 150 14/12/2018 || 250 DINSIC || 350 50 000,00 || 440 10 000,00 || 500 60 000,00
""",
        {
            "type": "facture",
            "numero": "118",
            "date": "14/12/2018",
            "acheteur.nom": "DINSIC",
            "montant_ht": "50 000,00",
            "montant_tva": "10 000,00",
            "montant_ttc": "60 000,00",
        },
    ),
    (
        "taux, acompte déduit, sous-total",
        "facture",
        """
# 50 Facture n° F-2018-118
50 Taux || 150> Base HT || 260> Montant TVA
50 20 % || 150> 40 000,00 || 260> 8 000,00
50 5,5 % || 150> 10 000,00 || 260> 550,00
50 Total || 150> 50 000,00 || 260> 8 550,00
50 Sous-total HT 40 000,00 €
50 Total HT 50 000,00 €
50 Total TTC 58 550,00 €
50 Déduction de l'acompte facture n° AC-11 : -5 000,00 €
50 Net à payer : 53 550,00 €
""",
        {
            "type": "facture",
            "numero": "F-2018-118",
            "montant_ht": "50 000,00 €",
            "montant_tva": "8 550,00",
            "montant_ttc": "58 550,00 €",
            "net_a_payer": "53 550,00 €",
            "facture_precedente": "AC-11",
            "devise": "EUR",
        },
    ),
    (
        "chaque valeur sous son libellé",
        "facture",
        """
# 50 Facture
50 Numéro
50 F-2018-118
50 Date d'émission
50 14 déc. 2018
50 Vendeur
50 ACME Numérique
50 SIRET 999 000 110 00018
50 Acheteur
50 DINSIC
50 SIRET 110 020 013 00014
50 Total TTC
50 60 000,00 €
""",
        FIRST
        | {
            "vendeur.nom": "ACME Numérique",
            "vendeur.siret": "999 000 110 00018",
            "acheteur.nom": "DINSIC",
            "acheteur.siret": "110 020 013 00014",
            "montant_ttc": "60 000,00 €",
            "devise": "EUR",
        },
    ),
    (
        "titre dont le numéro est dans la case d'à côté, signé électroniquement",
        "titre_de_perception",
        """
50 TITRE DE PERCEPTION || 400 N° TP-2019-000123
50 Émis et rendu exécutoire le 02/04/2019
50 Somme à payer || 400 84 000,00 €
50 N° tiers client : 1700002288 || 400 N° EJ 2104453606
50 Signé électroniquement par Anne EMETTRICE le 02/04/2019
""",
        {
            "numero": "TP-2019-000123",
            "date": "02/04/2019",
            "montant": "84 000,00 €",
            "signataire": "Anne EMETTRICE",
        },
    ),
    (
        "avis de virement",
        "justificatif_paiement",
        """
# 50 Avis de virement
50 Date d'exécution : 12/01/2019
50 Montant : 60 000,00 EUR
50 Référence : facture F-2018-118, EJ 2104453606
""",
        {"date": "12/01/2019", "montant": "60 000,00 EUR", "facture": "F-2018-118", "engagement": "2104453606"},
    ),
    ("rien de connu", "facture", "50 Bonjour\n50 Merci de votre visite", {}),
    (
        "état liquidatif : chiffres et lettres d'accord",
        "etat_liquidatif",
        """
# 100 État liquidatif n° EL-2019-01
50 Arrêté à la somme de quatre-vingt-quatre mille euros, soit 84 000,00 €.
300 Fait à Paris, le 4 mars 2019
300 Le directeur interministériel par intérim

300 Jean MODELE
""",
        {"numero": "EL-2019-01", "montant": "84 000,00 €", "date": "2019-03-04", "signataire": "Jean MODELE"},
    ),
    (
        "état liquidatif : chiffres et lettres en désaccord, deux signataires",
        "etat_liquidatif",
        """
# 100 État liquidatif n° EL-2019-01
50 Arrêté à la somme de quatre-vingt-quatre mille euros, soit 85 000,00 €.
300 Fait à Paris, le 4 mars 2019
300 Pour le directeur
300 Jean MODELE
300 Anne EXEMPLE
""",
        {
            "numero": "EL-2019-01",
            "montant": "! ambigu : 85 000,00 € et quatre-vingt-quatre mille euros",
            "date": "2019-03-04",
            "signataire": "! ambigu : Jean MODELE et Anne EXEMPLE",
        },
    ),
    (
        "signé : le nom est à côté ou dessous",
        "certification",
        """
50 Montant certifié : 84 000 €
50 Fait à Caen, le 18/03/2019
50 Signé : Mme Amélie Brun, cheffe de service
""",
        {"montant": "84 000 €", "date": "18/03/2019", "signataire": "Mme Amélie Brun"},
    ),
    (
        "un nom sans qualité ni libellé n'est pas un signataire",
        "certification",
        "50 Fait à Caen, le 18 mars 2019\n50 Jean MODELE",
        {"date": "2019-03-18"},
    ),
    (
        "restitution Chorus de plusieurs lignes",
        "justificatif_paiement",
        """
50 N° DP || 150 N° EJ || 250 N° facture || 350 Date de paiement || 540> Montant payé
50 100241599 || 150 2104453606 || 250 F-2018-118 || 350 12/01/2019 || 540> 60 000,00
50 100241702 || 150 2104453606 || 250 2019/0042 || 350 12/01/2019 || 540> 24 000,00
""",
        {
            "numero": "! ambigu : 100241599 et 100241702",
            "engagement": "2104453606",
            "facture": "! ambigu : F-2018-118 et 2019/0042",
            "date": "12/01/2019",
            "montant": "! ambigu : 60 000,00 et 24 000,00",
        },
    ),
    (
        "mandat",
        "mandat",
        """
# 50 Mandat n° 2019-4512
50 Date d'émission : 06.05.2019
50 Montant du mandat || 300 84 000,00 €
50 Facture n° F-2018-118, engagement n° 2104453606
""",
        {
            "numero": "2019-4512",
            "date": "06.05.2019",
            "montant": "84 000,00 €",
            "facture": "F-2018-118",
            "engagement": "2104453606",
        },
    ),
    (
        "avenant signé à deux dates",
        "avenant",
        """
# 50 Avenant n° 1 à la convention
50 Fait à Paris, le 1er mars 2019 || 320 Fait à Caen, le 5 mars 2019
50 Pour l'État || 320 Pour le Département
50 Jean MODELE || 320 Anne EXEMPLE
""",
        {
            "numero": "1",
            "date": "! ambigu : 1er mars 2019 et 5 mars 2019",
            "signataire": "! ambigu : Jean MODELE et Anne EXEMPLE",
        },
    ),
    ("jour qui n'existe pas", "attestation", "50 Fait à Caen, le 31 février 2019", {"date": "2019-02-31"}),
]


@pytest.mark.parametrize(("title", "nature", "page", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_page_says(title: str, nature: str, page: str, expected: dict[str, str | None]) -> None:
    compare(read(pdf(page), nature), expected)


FIXTURES: dict[str, tuple[str, dict[str, str | None]]] = {
    "etat-liquidatif.pdf": (
        "etat_liquidatif",
        {"numero": "EL-2019-01", "date": "2019-03-04", "montant": "84 000,00 €", "signataire": "Jean MODELE"},
    ),
    "certification.pdf": (
        "certification",
        {"date": "2019-03-18", "montant": "84 000,00 €", "signataire": "Amélie BRUN"},
    ),
    "titre.pdf": (
        "titre_de_perception",
        {"numero": "TP-2019-000123", "date": "2019-04-02", "montant": "84 000,00 €", "signataire": "Anne EMETTRICE"},
    ),
    "deliberation.pdf": ("deliberation", {"date": "2018-06-29", "signataire": "Jean-Léonce DUPONT"}),
    "pieces/facture-F-2018-118.pdf": (
        "facture",
        FIRST
        | SUMS
        | {
            "net_a_payer": None,
            "date_livraison": "2018-12-10",
            "commande": "2104453606",
            "vendeur.siret": "999 000 110 00018",
            "vendeur.tva": "FR72999000110",
            "acheteur.nom": "Services du Premier ministre - DINSIC",
        },
    ),
    "pieces/facture-2019-0042.pdf": (
        "facture",
        {
            "type": "facture",
            "numero": "2019/0042",
            "date": "2019-01-31",
            "date_livraison": "2019-01-28",
            "commande": "2104453607",
            "montant_ht": "20 000,00 €",
            "montant_tva": "4 000,00 €",
            "montant_ttc": "24 000,00 €",
            "devise": "EUR",
            "vendeur.siret": "999 000 227 00010",
            "vendeur.tva": "FR35999000227",
            "acheteur.nom": "Services du Premier ministre - DINSIC",
        },
    ),
    "pieces/pv-1.pdf": (
        "pv_service_fait",
        {"date": "2018-12-10", "montant": "60 000,00 €", "engagement": "2104453606", "signataire": "Paul TEMOIN"},
    ),
    "pieces/pv-2.pdf": (
        "pv_service_fait",
        {"date": "2019-01-28", "montant": "24 000,00 €", "engagement": "2104453607", "signataire": "Paul TEMOIN"},
    ),
    "pieces/paiement-1.pdf": (
        "justificatif_paiement",
        {
            "numero": "100241599",
            "date": "12/01/2019",
            "montant": "60 000,00",
            "engagement": "2104453606",
            "facture": "F-2018-118",
        },
    ),
    "pieces/paiement-2.pdf": (
        "justificatif_paiement",
        {
            "numero": "100241702",
            "date": "26/02/2019",
            "montant": "24 000,00",
            "engagement": "2104453607",
            "facture": "2019/0042",
        },
    ),
}


@pytest.mark.parametrize("name", FIXTURES)
def test_the_example_dossier_says(name: str) -> None:
    nature, expected = FIXTURES[name]
    data = (CONFORME / name).read_bytes()
    compare(read(data, nature), expected)
    assert acts.classify(pdftext.pages(data), name)[::2] == (nature, "sûr")


def test_no_fixture_is_left_out() -> None:
    assert {str(path.relative_to(CONFORME)) for path in CONFORME.rglob("*.pdf")} == set(FIXTURES)


@pytest.mark.parametrize("name", FIXTURES)
def test_values_are_typed_and_placed(name: str) -> None:
    """Each column is in the dictionary, each value is of its type and stands inside the box that it names."""
    nature = FIXTURES[name][0]
    pages = pdftext.pages((CONFORME / name).read_bytes())
    ((table, rows),) = acts.tell(pages, Place(name), nature, "texte").tables.items()
    fields = dictionary.load().tables[table].fields
    row = rows[0][1]
    assert set(row) <= set(fields)
    assert {key for key, field in fields.items() if field.derived is None} == set(row)
    for column, value in row.items():
        if value.raw is None or column in ("fichier", "source", "nature", "vendeur", "acheteur"):
            continue
        values.parse(fields[column].type, value.raw)
        assert value.place.page == 1
        x0, y0, x1, y1 = (float(edge) for edge in (value.place.place or "").split(","))
        assert 0 <= x0 < x1 <= pages[0].width
        assert 0 <= y0 < y1 <= pages[0].height
        inside = " ".join(w.text for w in pages[0].words if w.x0 >= x0 and w.x1 <= x1 and w.y0 >= y0 and w.y1 <= y1)
        assert fields[column].type == "date" or column in ("type", "devise") or value.raw in inside


def scan(data: bytes, dots: int = 200) -> Image.Image:
    import pypdfium2

    return pypdfium2.PdfDocument(data)[0].render(scale=dots / 72, grayscale=True).to_pil()


def picture(image: Image.Image) -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(595.2756, 841.8898), invariant=1)
    page.drawImage(ImageReader(image), 0, 0, 595.2756, 841.8898)
    page.save()
    return out.getvalue()


@pytest.mark.parametrize("nature", ["facture", "avoir", "titre_de_perception", "autre"])
def test_a_scan_says_nothing(nature: str) -> None:
    """The row is there with its file and source; its values are absent."""
    data = picture(Image.new("L", (60, 80), 200))
    assert [page.words for page in pdftext.pages(data)] == [()]
    row = read(data, nature)
    compare(row, {})
    assert row["fichier"].raw == "a.pdf"
    assert acts.classify(pdftext.pages(data), "scan.pdf")[::2] == ("autre", "incertain")


NO_OCR = pytest.mark.skipif(bool(ocr.missing()), reason=f"OCR: {ocr.missing()}")


@NO_OCR
@pytest.mark.slow
@pytest.mark.parametrize("name", ["pieces/facture-F-2018-118.pdf", "pieces/paiement-1.pdf"])
@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_ocr_reads_a_scan(name: str, kind: str) -> None:
    image = scan((CONFORME / name).read_bytes())
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(200, 200))
    pages = ocr.pages(picture(image) if kind == "pdf" else out.getvalue())
    nature, expected = FIXTURES[name]
    ((_, rows),) = acts.tell(pages, Place("s.pdf"), nature, "ocr").tables.items()
    row = rows[0][1]
    assert row["source"].raw == "ocr"
    fields = dictionary.load().tables["facture_lue" if nature == "facture" else "acte_lu"].fields
    for column, raw in expected.items():
        read_value = row[column].raw
        if raw is not None and read_value is not None:  # nothing read is allowed, another value is not
            kind_of = fields[column].type
            assert values.parse(kind_of, read_value) == values.parse(kind_of, raw), column
    assert sum(row[column].raw is not None for column in expected) >= len(expected) - 2
    assert pages[0].width == pytest.approx(595, abs=2)


def test_ocr_refuses_what_is_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "missing", lambda: "")
    for data in (b"", b"%PDF-1.4 rien", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8\xff"):
        assert ocr.pages(data) == []


NAMES: list[tuple[str, str, tuple[str, str]]] = [
    ("# 50 FACTURE\n50 N° : 12", "x1.pdf", ("facture", "sûr")),
    ("# 50 Facture n° 12", "facture-12.pdf", ("facture", "sûr")),
    ("# 50 Facture n° 12", "avoir-12.pdf", ("facture", "incertain")),
    ("50 Facture n° 12", "x1.pdf", ("facture", "probable")),
    ("# 50 Avoir n° 3\n50 Sur facture n° 12", "x1.pdf", ("avoir", "sûr")),
    ("# 50 Procès-verbal de service fait", "x1.pdf", ("pv_service_fait", "sûr")),
    ("# 50 Procès-verbal de réception", "PV_2.pdf", ("pv_service_fait", "sûr")),
    ("# 50 Certificat de paiement", "x1.pdf", ("justificatif_paiement", "sûr")),
    ("# 50 Mandat de paiement n° 2019-4512", "x1.pdf", ("mandat", "sûr")),
    ("# 50 Avenant n° 1 à la convention", "x1.pdf", ("avenant", "sûr")),
    ("# 50 Résiliation de la convention", "x1.pdf", ("resiliation", "sûr")),
    ("# 50 Convention de coopération", "x1.pdf", ("convention", "sûr")),
    ("# 50 Arrêté portant délégation de signature", "x1.pdf", ("delegation", "sûr")),
    ("# 50 Demande de paiement n° DP-2019-77", "x1.pdf", ("demande_de_paiement", "sûr")),
    ("# 50 Devis n° 4", "x1.pdf", ("autre", "sûr")),
    ("50 Bonjour", "etat-liquidatif.pdf", ("etat_liquidatif", "incertain")),
    ("50 Bonjour", "x1.pdf", ("autre", "incertain")),
    ("", "deliberation du 29 juin.PDF", ("deliberation", "probable")),
    ("", "pièces/Titre TP-2019-000123.xlsx", ("titre_de_perception", "probable")),
    ("", "IMG_0001.pdf", ("autre", "incertain")),
]


BODY = "\n50 Corps du document\n50 et sa suite\n50 jusqu'à la fin"


@pytest.mark.parametrize(("page", "name", "expected"), NAMES)
def test_classify(page: str, name: str, expected: tuple[str, str]) -> None:
    nature, reason, confidence = acts.classify(pdftext.pages(pdf(page + BODY)) if page else [], name)
    assert (nature, confidence) == expected
    assert reason


def test_every_nature_is_of_the_closed_list() -> None:
    from checker.facts.acts import labels, natures

    known = set(dictionary.load().tables["acte_lu"].fields["nature"].enum)
    assert {nature for nature, _ in natures.TITLES} | {nature for nature, _ in natures.NAMES} <= known
    assert set(labels.ACTS) == known - {"facture", "avoir"}


def test_invisible_text_is_apart() -> None:
    data = pdf("50 Facture n° F-1", invisible=True)
    assert [page.words for page in pdftext.pages(data)] == [()]
    assert [word.text for word in pdftext.pages(data, hidden=True)[0].words] == ["Facture", "n°", "F-1"]
    assert pdftext.pages(pdf("50 Facture n° F-1"), hidden=True)[0].words == ()


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_turned_page_has_boxes_as_shown(turned: int) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf("50 Facture"))) as document:
        document.pages[0].Rotate = turned
        document.save(out)
    (page,) = pdftext.pages(out.getvalue())
    (word,) = page.words
    assert (page.width > page.height) == (turned != 180)
    assert 0 <= word.x0 < word.x1 <= page.width
    assert 0 <= word.y0 < word.y1 <= page.height
    plain = pdftext.pages(pdf("50 Facture"))[0].words[0]
    assert {90: word.y0, 180: page.width - word.x1, 270: page.height - word.y1}[turned] == pytest.approx(50, abs=1)
    assert plain.x0 == pytest.approx(50, abs=1)


def line(text: str, y: float = 100, x: float = 50) -> list[Word]:
    words = []
    for part in text.split(" "):
        words.append(Word(part, x, y, x + 5 * len(part), y + 10))
        x += 5 * len(part) + 3
    return words


def crowd(count: int, text: str = "facture", across: int = 97, wide: float = 7.0) -> tuple[Word, ...]:
    """Words in a grid, `across` a line, each `wide` from the next."""
    ends = ((wide * (index % across), 11.0 * (index // across)) for index in range(count))
    return tuple(Word(text, x, y, x + 5, y + 9) for x, y in ends)


def sheet(*words: Word) -> Page:
    return Page(1, 595, 842, words)


HOSTILE: dict[str, list[Page]] = {
    "un million de mots": [sheet(*crowd(1_000_000))],
    "un million de mots au même endroit": [sheet(*[Word("Total", 10, 10, 40, 20)] * 1_000_000)],
    "un tableau de dates sans fin": [sheet(*crowd(20_000, "Date", 140, 40))],
    "une colonne de montants sans fin": [sheet(*crowd(20_000, "12,00", 1), *line("Total TTC", 0, 0))],
    "une ligne de vingt mille cases": [sheet(*crowd(20_000, "Client", 20_000, 40))],
    "un tableau de titres sans fin": [sheet(*crowd(20_000, "Signé", 3, 40))],
    "des lieux et des jours sans fin": [
        sheet(*[word for row in range(3_000) for word in line("Fait à Caen, le 1/1/2019", 11.0 * row)])
    ],
    "des SIRET sans fin": [sheet(*[word for row in range(3_000) for word in line("SIRET 99900011000018", 11.0 * row)])],
    "des totaux sans fin": [
        sheet(*[w for n in range(3_000) for w in (*line("Total", 11.0 * n), *line("1,00", 11.0 * n, 200))])
    ],
    "dix mille pages": [Page(n, 595, 842, tuple(line(f"Facture n° {n}"))) for n in range(1, 10_001)],
    "un mot démesuré": [sheet(Word("F" * 1_000_000, 10, 10, 500, 20))],
    "arabe et hébreu": [sheet(*line("فاتورة رقم ١٢٣ חשבונית"))],
    "boîtes vides, retournées ou hors de la page": [
        sheet(Word("Total", 0, 0, 0, 0), Word("TTC", 50, 20, 10, 10), Word("1,00", -1e9, -1e9, 1e9, 1e9))
    ],
    "pas un nombre": [sheet(Word("Total", float("nan"), float("nan"), float("inf"), 3), *line("Total TTC 12,00"))],
    "mêmes débuts de motifs": [sheet(*line("facture n° " * 5000, x=0))],
    "chiffres sans fin": [sheet(*line("Total TTC " + "1 234 " * 5000, x=0))],
    "lettres sans fin": [sheet(*line("Arrêté à la somme de " + "quatre " * 5000))],
    "points sans fin": [sheet(*line("Total TTC " + ". " * 5000 + "12,00"))],
    "aucune page": [],
    "page sans taille": [Page(1, 0, 0, ())],
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("nature", ["facture", "etat_liquidatif", "justificatif_paiement"])
def test_hostile_pages_take_bounded_time(name: str, nature: str) -> None:
    begin = time.perf_counter()
    told = acts.tell(HOSTILE[name], Place("h.pdf"), nature, "texte")
    acts.classify(HOSTILE[name], name)
    assert time.perf_counter() - begin < 10
    assert [len(rows) for rows in told.tables.values()] == [1]


def test_what_was_left_unread_is_no_absence() -> None:
    """Beyond the pages or words read, what is not found is unreadable."""
    for pages in (HOSTILE["un million de mots"], [Page(1, 595, 842, tuple(line("Bonjour")), whole=False)]):
        row = acts.tell(pages, Place("h.pdf"), "facture", "texte").tables["facture_lue"][0][1]
        assert row["montant_ttc"].raw is None
        assert (row["montant_ttc"].fault or "").startswith("document lu en partie")


def test_signs_that_do_not_show_are_not_read() -> None:
    """Controls and marks of direction never reach a value, a report or a terminal."""
    from checker.base.page import clean

    assert clean("F-\x1b[31m1\u202e2\u200b") == "F-[31m12"
    assert clean("\x07\u2066") == ""
    assert clean("ﬁn") == "fin"
    assert clean("e\u0301") == "é"
    assert len(clean("a" * 10_000)) == 200


@pytest.mark.slow
def test_a_large_file_is_read_in_bounded_time() -> None:
    """10,000 pages: the first 50; 400,000 words on one page: MAX_WORDS of them."""
    out = io.BytesIO()
    book = canvas.Canvas(out, invariant=1, pageCompression=1)
    for number in range(10_000):
        book.drawString(50, 700, f"Facture n° {number}")
        book.showPage()
    book.save()
    begin = time.perf_counter()
    pages = pdftext.pages(out.getvalue())
    assert len(pages) == pdftext.LIMIT
    assert [page.whole for page in pages] == [True] * 49 + [False]
    dense = io.BytesIO()
    book = canvas.Canvas(dense, invariant=1, pageCompression=1)
    shape = book.beginText(10, 800)
    shape.setFont("Helvetica", 1)
    for _ in range(800):
        shape.textLine("mot " * 500)
    book.drawText(shape)
    book.save()
    (page,) = pdftext.pages(dense.getvalue())
    assert len(page.words) <= MAX_WORDS
    assert not page.whole
    assert time.perf_counter() - begin < 30


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"\x00" * 100, pdf("50 Facture n° 1")[:400]])
def test_a_damaged_pdf_has_no_page(data: bytes) -> None:
    assert all(not page.words for page in pdftext.pages(data))


def test_text_of_pages() -> None:
    pages = pdftext.pages(pdf("50 Total TTC || 300 12,00 €\n50 Merci"))
    assert layout.text(pages) == "Total TTC\t12,00 €\nMerci"
