"""The words by which French invoices and acts name what they print: data. Looked up in folded text (no case, accent).

A column has tiers: the first that finds anything is kept whole, and its values must agree. Patterns are compiled when a
piece needs them (`printed.compiled`).
"""

from __future__ import annotations

from typing import Final

from checker.facts.acts.printed import NO
from checker.facts.acts.seek import Label

_OF = r"(?: de| du| d'| de la| de l'| la)?"
_HT, _TTC, _VAT = r"h\.? ?t\b\.?", r"t\.? ?t\.? ?c\b\.?", r"t\.? ?v\.? ?a\b\.?"
_HT, _TTC = rf"(?:{_HT}|hors taxes?)", rf"(?:{_TTC}|toutes taxes(?: comprises)?)"
_TOTAL = r"(?:montant|total|general|net|facture|document|cumule|de la facture|a payer)"

# Before the label: the invoice is another one that this one cites.
CITES: Final = (
    r"(?:annul\w+|remplac\w+|rectifi\w+|corrig\w+|concern\w+|precedente|origine|acompte|avoir|credit|sur|relati\w+)"
    r"[ :]{0,3}(?:et remplace |la |notre |votre |a la |de la |une |cette |l'|d'){0,2}\|"
)
INVOICE_NUMBER: Final = (
    rf"\bfacture(?: electronique| d'acompte| de solde| de situation| definitive)?\s{{0,3}}{NO}",
    rf"{NO}\s{{0,2}}{_OF}\s?facture\b",
    rf"\b(?:reference|ref)s?\b\.?{_OF} ?facture\b|\bfacture (?:reference|ref)\b\.?",
)
_BARE: Final = (  # « Numéro : F-2018-118 », under a title that says what it is the number of
    Label("invoice", r"^numero(?= ?:|$)", totals=True),
    Label("invoice", rf"^{NO}(?= ?:|[ ]?\S{{0,12}}\d)", below=False),
)
FACTURE: Final[dict[str, tuple[Label, ...]]] = {
    "numero": (
        *(Label("invoice", pattern, unless=CITES) for pattern in INVOICE_NUMBER),
        Label("invoice", r"^facture(?=[ \t:]{1,4}\S{0,30}\d)", below=False),
        *_BARE,
    ),
    "date": (
        Label("date", rf"\bdate{_OF}\s?(?:facture|facturation|emission|etablissement)\b(?: de la facture)?"),
        Label("date", r"\b(?:facture|emise|etablie|facturee)(?: (?:emise|etablie))? (?:le|du)\b", unless=CITES),
        Label(
            "date",
            rf"\bfacture\s{{0,3}}{NO}[ :]{{0,3}}[^\n,;:]{{1,40}}?(?= (?:du|en date du) )",
            below=False,
            unless=CITES,
        ),
        Label("date", r"\bdate(?= ?:)|^date$"),
        Label("date", r"^[a-z][a-z' -]{1,40}, le\b", below=False),
    ),
    "date_livraison": (
        Label(
            "date",
            rf"\bdate{_OF}\s?(?:livraison|execution|realisation|service fait|(?:la )?prestation)\b"
            r"|^(?:livraison|livree?s?|prestation)[ :]{1,3}(?:service fait )?(?:le\b)?|\bservice fait le\b",
        ),
    ),
    "commande": (
        Label(
            "code",
            rf"\b(?:engagement(?: juridique)?|bons? de commande|commande|ej)\b(?: \(ej\))?[ :]{{0,3}}{NO}?"
            rf"|{NO} ?(?:de |d'|du )?(?:l')?(?:ej|engagement(?: juridique)?|(?:bon de )?commande)\b",
        ),
    ),
    "montant_ht": (
        Label("money", rf"^(?:{_TOTAL} ){{0,3}}total (?:{_TOTAL} ){{0,3}}{_HT}(?: {_TOTAL}){{0,2}}", totals=True),
        Label("money", rf"^(?:montant|net)(?: {_TOTAL}){{0,3}} {_HT}|^total {_HT}", below=False),
    ),
    "montant_tva": (
        Label("money", rf"^(?:montant |total )(?:total )?(?:de la |de |des |de l')?{_VAT}(?! ?%)", totals=True),
        Label("money", rf"^{_VAT}$", totals=True),
        Label(
            "money", rf"^(?:dont )?{_VAT}(?: (?:a|au taux de))?(?: ?\(?\d{{1,2}}(?:[.,]\d{{1,2}})? ?%\)?)?", below=False
        ),
    ),
    "montant_ttc": (
        Label("money", rf"^(?:montant|total)(?: {_TOTAL}){{0,3}} {_TTC}(?: a payer| a regler| du)?", totals=True),
        Label("money", rf"^(?:net|prix)?(?: {_TOTAL}){{0,2}} ?{_TTC}", below=False),
    ),
    "net_a_payer": (
        Label("money", rf"\bnet a (?:payer|regler)(?: {_TTC})?", totals=True),
        Label("money", r"^(?:montant|total|reste|solde)(?: net| restant)? (?:a payer|a regler|du)\b", totals=True),
    ),
}
CREDIT_NUMBER: Final = (
    Label("invoice", rf"\b(?:avoir|note de credit)\s{{0,3}}{NO}"),
    Label("invoice", rf"{NO}\s{{0,2}}(?:de |d'|du |de l'|de la )?(?:avoir|note de credit)\b"),
    Label("invoice", r"^(?:facture d')?avoir(?=[ \t:]{1,4}\S{0,30}\d)", below=False),
    *_BARE,
)
CITED: Final = (
    *(Label("invoice", pattern) for pattern in INVOICE_NUMBER),
    Label("invoice", r"\bfacture(?= \S{0,12}\d)", below=False),
)
PREVIOUS: Final = tuple(  # in an invoice: only one that it says it replaces, corrects or deducts
    Label("invoice", pattern, unless=rf"(?s)^(?!.{{0,60}}{CITES})") for pattern in INVOICE_NUMBER
)
# Headings of the columns of a row « Total »: column of `facture_lue` -> the heading.
FOOT: Final = {
    "montant_ht": (rf"(?:montant |total |prix )?(?:total )?{_HT}\Z"),
    "montant_tva": (rf"(?:montant |total )?(?:de la |de )?{_VAT}\Z"),
    "montant_ttc": (rf"(?:montant |total |prix )?(?:total )?{_TTC}\Z"),
}

_DONE = Label(
    "date",
    r"\bfaite? (?:a [^\n,;:]{1,40}, ?)?le\b|\bfaite? a [^\n,;:\d]{1,40}? le\b",
    below=False,
    unless=r"service\s\|",
)
_SIGNED_ON = Label("date", r"\bsignee?s?(?: electroniquement)?(?: a [^\n,;:]{1,40},?)? le\b", below=False)
_DATED = Label("date", r"\bdate(?= ?:)|^date$")
_TOWN = Label("date", r"^(?:a )?[a-z][a-z' -]{1,40}, le\b", below=False)
_DATES: Final = (_DONE, _DATED, _TOWN, _SIGNED_ON)
_ISSUED = Label(
    "date",
    rf"\bdate{_OF} ?(?:emission|du titre|titre|mandat|du mandat|l'emission)\b"
    r"|\b(?:emise?|mandatee?)(?: et rendue? executoire)? le\b",
)
_PAID_ON = Label(
    "date",
    rf"\bdate{_OF} ?(?:paiement|reglement|virement|execution|derniere\s+operation)\b|\bderniere\s+operation\b"
    r"|\b(?:payee?|reglee?|viree?)\s+le\b",
)
ENGAGEMENT: Final = FACTURE["commande"]


def _number(*names: str) -> tuple[Label, ...]:
    """« titre de perception n° X », « n° de titre de perception : X » for each name, the exact one first.

    Last, the name alone when the cell beside or below it is « n° X ».
    """
    written = [rf"\b(?:{name})\s{{0,3}}{NO}|{NO} ?(?:de |d'|du |de l'|de la |des )?(?:{name})\b" for name in names]
    alone = Label("reference", rf"^(?:{names[0]})$", numbered=True)
    return (*(Label("reference", pattern) for pattern in written), alone)


# nature -> column of `acte_lu` -> tiers
ACTS: Final[dict[str, dict[str, tuple[Label, ...]]]] = {
    "etat_liquidatif": {
        "numero": _number("etat liquidatif", "el"),
        "date": (_DONE, Label("date", r"\bdate de l'etat(?: liquidatif)?\b"), *_DATES),
        "montant": (
            Label("money", rf"^(?:montant|total)(?: general)? (?:de l'etat(?: liquidatif)?|demande)(?: {_TTC})?"),
            Label("money", rf"^total(?: general)?(?: {_TTC})?"),
        ),
    },
    "certification": {
        "numero": _number("certification", "certificat"),
        "date": _DATES,
        "montant": (Label("money", r"\bmontant (?:total )?certifie\b"),),
    },
    "pv_service_fait": {
        "numero": _number("proces-verbal", "p\\.?v\\.?", "service fait|sf"),
        "date": (*_DATES, Label("date", rf"\bdate{_OF} ?(?:service fait|livraison|reception|proces-verbal)\b")),
        "montant": (Label("money", r"\bmontant (?:a facturer|receptionne|du service fait)\b"),),
        "engagement": ENGAGEMENT,
        "facture": CITED,
    },
    "justificatif_paiement": {
        "numero": _number("demande de paiement|dp", "virement|paiement|mandat"),
        "date": (_PAID_ON, *_DATES),
        "montant": (
            Label("money", r"\bmontant (?:net )?(?:paye|regle|vire|du virement|du paiement|du reglement)\b"),
            Label("money", r"^montant(?: total| net)?(?: ttc)?(?= ?:|$)"),
        ),
        "engagement": ENGAGEMENT,
        "facture": CITED,
    },
    "titre_de_perception": {
        "numero": _number("titre de perception|titre executoire|titre de recettes?|ordre de recouvrer", "titre"),
        "date": (_ISSUED, *_DATES),
        "montant": (
            Label(
                "money", r"\bmontant (?:total )?(?:du titre|de la creance|a payer|du)\b|\b(?:somme|total|net) a payer\b"
            ),
            Label("money", r"^montant(?: total)?(?: ttc)?(?= ?:|$)"),
        ),
    },
    "demande_de_paiement": {
        "numero": _number("demande de paiement|dp"),
        "date": (Label("date", rf"\bdate{_OF} ?(?:demande|la demande)\b"), _ISSUED, *_DATES),
        "montant": (
            Label(
                "money", r"\bmontant (?:total )?(?:demande|de la demande|a payer|du)\b|\b(?:somme|total|net) a payer\b"
            ),
            Label("money", r"^montant(?: total)?(?: ttc)?(?= ?:|$)"),
        ),
    },
    "mandat": {
        "numero": _number("mandat(?: de paiement| administratif)?"),
        "date": (_ISSUED, *_DATES),
        "montant": (
            Label("money", r"\bmontant (?:total |net )?(?:du mandat|mandate|a payer)\b|\bnet a payer\b"),
            Label("money", r"^montant(?: total| net)?(?: ttc)?(?= ?:|$)"),
        ),
        "engagement": ENGAGEMENT,
        "facture": CITED,
    },
    "deliberation": {
        "numero": _number("deliberation"),
        "date": (Label("date", r"\bseance(?: publique)? du\b|\bdeliberation du\b|\breunie? le\b"), *_DATES),
    },
    "delegation": {"numero": _number("arrete|decision", "delegation"), "date": _DATES},
    "convention": {"numero": _number("convention"), "date": (_DONE, _SIGNED_ON, _DATED)},
    "avenant": {"numero": _number("avenant"), "date": (_DONE, _SIGNED_ON, _DATED)},
    "resiliation": {"date": _DATES},
    "attestation": {"numero": _number("attestation"), "date": _DATES},
    "autre": {"date": _DATES},
}
# A sentence that ends on the amount: « à la somme de quatre-vingt-quatre mille euros …, soit 84 000,00 € ».
SENTENCES: Final = {
    "etat_liquidatif": (r"\barrete[^.]{0,160}?a la\s+somme\s+de\s"),
    "certification": (r"\bcertifi[^.]{0,160}?(?:pour\s+la|a\s+la|de\s+la)\s+somme\s+de\s"),
    "pv_service_fait": (r"\bservice\s+fait[^.]{0,80}?(?:a\s+hauteur\s+de|pour\s+la\s+somme\s+de)\s"),
    "titre_de_perception": (r"\barrete[^.]{0,160}?a la\s+somme\s+de\s"),
    "mandat": (r"\barrete[^.]{0,160}?a la\s+somme\s+de\s"),
}
_BY = r"signee?s?(?: electroniquement| numeriquement)?"
SIGNED: Final = Label("person", rf"\b{_BY} par\b|\b{_BY}(?= ?:|$)|^(?:nom du )?signataire\b")
HEADS: Final = (_DONE, _TOWN, _SIGNED_ON)  # what opens the block of a signature
QUALITY: Final = (
    r"^(?:(?:le|la|l'|pour|p/o|p\.o\.)\b|(?:vice-)?president|direct(?:eur|rice|ion)|chef|responsable|secretaire|payeur|"
    r"comptable|ordonnateur|maire|prefet|ministre|adjoint|par delegation)"
)
# Parties of an invoice, looked up in lower case with accents: « facturé à » is no « facture à régler ».
SELLER: Final = (
    r"^(?:fournisseur|[ée]metteur|vendeur|prestataire|titulaire|cr[ée]ancier)(?: de la facture)?(?=\s{0,2}(?::|$)|\s)"
)
BUYER: Final = (
    r"^(?:client|acheteur|destinataire|d[ée]biteur|factur[ée]e? (?:à|au|aux)(?! r[ée]gler)|facture a(?=\s{0,2}(?::|$))|"
    r"adress[ée]+ (?:à|a|au|aux)|adresse de facturation|service destinataire)(?: de la facture)?(?=\s{0,2}(?::|$)|\s)"
)
ORIGIN: Final = (
    r"\b(?:rcs|r\.c\.s|capital|ape|naf)\b"
    rf"|\b{_VAT}[ :.]{{0,3}}(?:intra\w{{0,20}})?[ :.]{{0,3}}(?:n\u00b0)?[ :.]{{0,3}}fr"
    rf"|\b{_VAT} intra"
)
CURRENCIES: Final = (
    (
        "EUR",
        (
            r"\d ?(?:\u20ac|eur\b|euros?\b)|\b(?:devise|monnaie)\b[ :]{0,3}(?:eur|\u20ac)"
            r"|(?:\(|\ben )(?:eur|euros?|\u20ac)(?:\b|\))"
        ),
    ),
    (
        "USD",
        (r"\d ?(?:\$|usd\b|dollars?\b)|\$ ?\d|\b(?:devise|monnaie)\b[ :]{0,3}(?:usd|\$)|(?:\(|\ben )(?:usd|\$)"),
    ),
    ("GBP", (r"\d ?(?:\u00a3|gbp\b)|\u00a3 ?\d|\b(?:devise|monnaie)\b[ :]{0,3}(?:gbp|\u00a3)")),
    ("CHF", (r"\d ?chf\b|\bchf ?\d|\b(?:devise|monnaie)\b[ :]{0,3}chf")),
)
TYPES: Final = (
    ("proforma", (r"^(?:facture )?pro[- ]?forma\b")),
    (
        "avoir",
        (r"^(?:facture d'avoir|avoir|note de credit)\b(?! (?:ete|lieu|fait|pris|la|le|les|un|une)\b)"),
    ),
    ("devis", (r"^(?:devis|proposition commerciale|offre de prix)\b")),
    ("facture", (r"^facture\b(?! (?:pro[- ]?forma|d'avoir|a\b|au\b|aux\b|le\b|par\b))")),
)
SIREN: Final = r"\b(?:siren|rcs [a-z' -]{1,30}?)[ :.]{0,3}(\d{3}[ .]?\d{3}[ .]?\d{3})(?![ .]?\d)"
