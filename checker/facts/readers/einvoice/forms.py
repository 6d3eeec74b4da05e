"""Where the formats keep what EN 16931-1 names (BT-n): CII D22B (Factur-X), UBL 2.1 (EN 16931-3-2), ZUGFeRD 1.0.

A path is an XPath 1.0 relative to the root; several, by order of preference. A form is data: a format more is a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Paths = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A format. `texts`, `dates`, `amounts`: column -> paths; `lines`, `vat`: path of the rows, then their columns.

    `ids`: party -> (paths of identifiers with the scheme 0009, a SIRET; those of the legal registration, BT-30, BT-47).
    """

    name: str  # cii or ubl
    root: str
    namespaces: Mapping[str, str]
    guideline: str  # BT-24
    country: str  # BT-40
    currency: str  # BT-5
    texts: Mapping[str, Paths]
    dates: Mapping[str, Paths]
    amounts: Mapping[str, Paths]
    ids: Mapping[str, tuple[Paths, Paths]]
    lines: tuple[str, Mapping[str, str]]
    vat: tuple[str, Mapping[str, str]]
    credit: bool = False  # the root itself says that it is a credit note

    @property
    def qualified(self) -> str:
        """« namespace name » of the root, as expat says it."""
        prefix, _, name = self.root.partition(":")
        return f"{self.namespaces[prefix]} {name}"


def _cii_party(agreement: str, party: str) -> tuple[Paths, Paths]:
    legal = f"{agreement}/ram:{party}/ram:SpecifiedLegalOrganization/ram:ID"
    own = f"{agreement}/ram:{party}"
    return (
        (f"{own}/ram:GlobalID[@schemeID='0009']", f"{own}/ram:ID[@schemeID='0009']", f"{legal}[@schemeID='0009']"),
        (f"{legal}[@schemeID='0002']", f"{legal}[not(@schemeID)]"),
    )


def _cii() -> Form:
    deal = "rsm:SupplyChainTradeTransaction"
    agreement = f"{deal}/ram:ApplicableHeaderTradeAgreement"
    settlement = f"{deal}/ram:ApplicableHeaderTradeSettlement"
    totals = f"{settlement}/ram:SpecifiedTradeSettlementHeaderMonetarySummation"
    seller, buyer = f"{agreement}/ram:SellerTradeParty", f"{agreement}/ram:BuyerTradeParty"
    status = "ram:AssociatedDocumentLineDocument/ram:LineStatusReasonCode"
    return Form(
        name="cii",
        root="rsm:CrossIndustryInvoice",
        namespaces={
            "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
            "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
            "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
            "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
        },
        guideline="rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID",
        country=f"{seller}/ram:PostalTradeAddress/ram:CountryID",
        currency=f"{settlement}/ram:InvoiceCurrencyCode",
        texts={
            "numero": ("rsm:ExchangedDocument/ram:ID",),
            "code_type": ("rsm:ExchangedDocument/ram:TypeCode",),
            "vendeur.nom": (f"{seller}/ram:Name",),
            "vendeur.tva": (f"{seller}/ram:SpecifiedTaxRegistration/ram:ID[@schemeID='VA']",),
            "acheteur.nom": (f"{buyer}/ram:Name",),
            "commande": (f"{agreement}/ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID",),
            "facture_precedente": (f"{settlement}/ram:InvoiceReferencedDocument/ram:IssuerAssignedID",),
        },
        dates={
            "date": ("rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString",),
            "date_livraison": (
                f"{deal}/ram:ApplicableHeaderTradeDelivery/ram:ActualDeliverySupplyChainEvent"
                "/ram:OccurrenceDateTime/udt:DateTimeString",
            ),
        },
        amounts={
            "montant_ht": (f"{totals}/ram:TaxBasisTotalAmount",),
            "montant_tva": (f"{totals}/ram:TaxTotalAmount",),
            "montant_ttc": (f"{totals}/ram:GrandTotalAmount",),
            "net_a_payer": (f"{totals}/ram:DuePayableAmount",),
        },
        ids={
            "vendeur.siret": _cii_party(agreement, "SellerTradeParty"),
            "acheteur.siret": _cii_party(agreement, "BuyerTradeParty"),
        },
        lines=(  # EXTENDED: a group repeats its details, an information line counts for nothing
            f"{deal}/ram:IncludedSupplyChainTradeLineItem[not({status}) or {status}='DETAIL']",
            {
                "numero": "ram:AssociatedDocumentLineDocument/ram:LineID",
                "libelle": "ram:SpecifiedTradeProduct/ram:Name",
                "montant": "ram:SpecifiedLineTradeSettlement/ram:SpecifiedTradeSettlementLineMonetarySummation"
                "/ram:LineTotalAmount",
            },
        ),
        vat=(
            f"{settlement}/ram:ApplicableTradeTax",
            {"taux": "ram:RateApplicablePercent", "base": "ram:BasisAmount", "montant": "ram:CalculatedAmount"},
        ),
    )


def _ubl_party(role: str) -> tuple[Paths, Paths]:
    party = f"cac:{role}/cac:Party"
    legal = f"{party}/cac:PartyLegalEntity/cbc:CompanyID"
    return (
        (f"{party}/cac:PartyIdentification/cbc:ID[@schemeID='0009']", f"{legal}[@schemeID='0009']"),
        (f"{legal}[@schemeID='0002']", f"{legal}[not(@schemeID)]"),
    )


def _ubl(document: str) -> Form:
    seller, buyer = "cac:AccountingSupplierParty/cac:Party", "cac:AccountingCustomerParty/cac:Party"
    return Form(
        name="ubl",
        root=f"ubl:{document}",
        namespaces={
            "ubl": f"urn:oasis:names:specification:ubl:schema:xsd:{document}-2",
            "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
            "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
        },
        guideline="cbc:CustomizationID",
        country=f"{seller}/cac:PostalAddress/cac:Country/cbc:IdentificationCode",
        currency="cbc:DocumentCurrencyCode",
        texts={
            "numero": ("cbc:ID",),
            "code_type": (f"cbc:{document}TypeCode",),
            "vendeur.nom": (f"{seller}/cac:PartyLegalEntity/cbc:RegistrationName", f"{seller}/cac:PartyName/cbc:Name"),
            "vendeur.tva": (f"{seller}/cac:PartyTaxScheme[cac:TaxScheme/cbc:ID='VAT']/cbc:CompanyID",),
            "acheteur.nom": (f"{buyer}/cac:PartyLegalEntity/cbc:RegistrationName", f"{buyer}/cac:PartyName/cbc:Name"),
            "commande": ("cac:OrderReference/cbc:ID",),
            "facture_precedente": ("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID",),
        },
        dates={"date": ("cbc:IssueDate",), "date_livraison": ("cac:Delivery/cbc:ActualDeliveryDate",)},
        amounts={
            "montant_ht": ("cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount",),
            "montant_tva": ("cac:TaxTotal/cbc:TaxAmount",),
            "montant_ttc": ("cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount",),
            "net_a_payer": ("cac:LegalMonetaryTotal/cbc:PayableAmount",),
        },
        ids={
            "vendeur.siret": _ubl_party("AccountingSupplierParty"),
            "acheteur.siret": _ubl_party("AccountingCustomerParty"),
        },
        lines=(
            f"cac:{document}Line",
            {"numero": "cbc:ID", "libelle": "cac:Item/cbc:Name", "montant": "cbc:LineExtensionAmount"},
        ),
        vat=(
            "cac:TaxTotal/cac:TaxSubtotal",
            {"taux": "cac:TaxCategory/cbc:Percent", "base": "cbc:TaxableAmount", "montant": "cbc:TaxAmount"},
        ),
        credit=document == "CreditNote",
    )


def _zugferd1() -> Form:
    """The format of 2014, before EN 16931: other names for the same places, no legal registration of the parties."""
    deal = "rsm:SpecifiedSupplyChainTradeTransaction"
    agreement = f"{deal}/ram:ApplicableSupplyChainTradeAgreement"
    settlement = f"{deal}/ram:ApplicableSupplyChainTradeSettlement"
    totals = f"{settlement}/ram:SpecifiedTradeSettlementMonetarySummation"
    seller, buyer = f"{agreement}/ram:SellerTradeParty", f"{agreement}/ram:BuyerTradeParty"
    line = "ram:SpecifiedSupplyChainTradeSettlement/ram:SpecifiedTradeSettlementMonetarySummation"
    return Form(
        name="cii",
        root="rsm:CrossIndustryDocument",
        namespaces={
            "rsm": "urn:ferd:CrossIndustryDocument:invoice:1p0",
            "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:12",
            "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:15",
        },
        guideline="rsm:SpecifiedExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID",
        country=f"{seller}/ram:PostalTradeAddress/ram:CountryID",
        currency=f"{settlement}/ram:InvoiceCurrencyCode",
        texts={
            "numero": ("rsm:HeaderExchangedDocument/ram:ID",),
            "code_type": ("rsm:HeaderExchangedDocument/ram:TypeCode",),
            "vendeur.nom": (f"{seller}/ram:Name",),
            "vendeur.tva": (f"{seller}/ram:SpecifiedTaxRegistration/ram:ID[@schemeID='VA']",),
            "acheteur.nom": (f"{buyer}/ram:Name",),
            "commande": (f"{agreement}/ram:BuyerOrderReferencedDocument/ram:ID",),
            "facture_precedente": (f"{settlement}/ram:InvoiceReferencedDocument/ram:ID",),
        },
        dates={
            "date": ("rsm:HeaderExchangedDocument/ram:IssueDateTime/udt:DateTimeString",),
            "date_livraison": (
                f"{deal}/ram:ApplicableSupplyChainTradeDelivery/ram:ActualDeliverySupplyChainEvent"
                "/ram:OccurrenceDateTime/udt:DateTimeString",
            ),
        },
        amounts={
            "montant_ht": (f"{totals}/ram:TaxBasisTotalAmount",),
            "montant_tva": (f"{totals}/ram:TaxTotalAmount",),
            "montant_ttc": (f"{totals}/ram:GrandTotalAmount",),
            "net_a_payer": (f"{totals}/ram:DuePayableAmount",),
        },
        ids={
            f"{party}.siret": ((f"{path}/ram:GlobalID[@schemeID='0009']",), ())
            for party, path in (("vendeur", seller), ("acheteur", buyer))
        },
        lines=(
            f"{deal}/ram:IncludedSupplyChainTradeLineItem[{line}/ram:LineTotalAmount]",  # else a comment
            {
                "numero": "ram:AssociatedDocumentLineDocument/ram:LineID",
                "libelle": "ram:SpecifiedTradeProduct/ram:Name",
                "montant": f"{line}/ram:LineTotalAmount",
            },
        ),
        vat=(
            f"{settlement}/ram:ApplicableTradeTax",
            {"taux": "ram:ApplicablePercent", "base": "ram:BasisAmount", "montant": "ram:CalculatedAmount"},
        ),
    )


FORMS: Final = {form.qualified: form for form in (_cii(), _ubl("Invoice"), _ubl("CreditNote"), _zugferd1())}
ORDER: Final = "urn:un:unece:uncefact:data:SCRDMCCBDACIOMessageStructure:100 SCRDMCCBDACIOMessageStructure"  # Order-X
