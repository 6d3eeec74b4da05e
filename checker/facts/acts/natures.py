"""What a piece is, by the words of its title and of its file name, with the reason and a confidence in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from checker.base.page import Page
from checker.facts.acts import layout
from checker.facts.acts.layout import Run
from checker.facts.acts.printed import compiled

SURE, PROBABLE, UNCERTAIN = "sûr", "probable", "incertain"
_TALL: Final = 1.15  # a title is that much higher than the words of the page
_TOP: Final = 0.45  # part of the page where a title stands
_SERVICE = r"(?:de |du |d')?(?:service fait|reception|recette|livraison|constat\w*|admission|verification)"

# The first that matches a line wins: the narrower before the wider.
TITLES: Final = (
    ("resiliation", r"(?:lettre de |decision de |notification de )?(?:resiliation|denonciation)\b"),
    ("avenant", r"(?:projet d')?avenant\b"),
    ("etat_liquidatif", r"etat liquidatif\b"),
    ("pv_service_fait", rf"(?:proces[- ]verbal|p\.?v\.?) {_SERVICE}|proces[- ]verbal\b|p\.?v\.? (?:de )?sf\b"),
    (
        "certification",
        r"(?:attestation (?:et|ou) )?(?:certification|certificat) (?:du |de )?service fait|certification\b",
    ),
    ("certification", r"attestation (?:du |de )service fait"),
    (
        "titre_de_perception",
        r"(?:avis de )?titre (?:de perception|executoire|de recettes?)\b|ordre de recouvrer\b"
        r"|avis des? sommes? a payer",
    ),
    (
        "justificatif_paiement",
        r"(?:justificatif|certificat|preuve|attestation|avis|etat|releve|ordre) (?:de |du |des )?"
        r"(?:paiements?|virements?|reglements?)\b|releve de compte\b"
        r"|restitution chorus : demandes? de paiement soldees",
    ),
    ("demande_de_paiement", r"demande de paiement\b|notification (?:du|de) titre\b"),
    (
        "mandat",
        r"mandat (?:de paiement|administratif|de depense)\b|mandat(?: n\b| n ?[°o*]|\Z)"
        r"|bordereau (?:de|des) mandats?\b",
    ),
    ("deliberation", r"(?:extrait (?:du registre )?des )?deliberations?\b"),
    (
        "delegation",
        r"(?:(?:arrete|decision|acte)(?: n\S{0,3} ?\S{1,20})?(?: portant| de)? )?delegations? "
        r"(?:permanente |temporaire )?de (?:signature|pouvoirs?|fonctions?)",
    ),
    ("convention", r"convention\b|delegation de gestion\b"),
    ("avoir", r"(?:facture d')?avoir\b(?! (?:ete|lieu|fait|pris|la|le|les|un|une)\b)|note de credit\b"),
    ("autre", r"devis\b|bon de commande\b|bon de livraison\b|contrat\b|rapport\b|releve d'identite bancaire|rib\b"),
    ("facture", r"factures?\b(?! (?:a|au|aux|le|par)\b)|facture pro[- ]?forma\b|pro[- ]?forma\b"),
    ("attestation", r"attestation\b"),
)
# Words of a file name, in the same order of preference.
NAMES: Final = tuple(
    (nature, rf"(?<![a-z])(?:{pattern})(?![a-z])")
    for nature, pattern in (
        ("resiliation", "resiliation|denonciation"),
        ("avenant", "avenant"),
        ("etat_liquidatif", "etat ?liquidatif|el"),
        ("pv_service_fait", "pv|proces ?verbal|service ?fait|sf"),
        ("certification", "certification|certificat ?service ?fait|certificat"),
        ("titre_de_perception", "titres?|titre ?de ?perception|tp"),
        (
            "justificatif_paiement",
            "justificatif ?(?:de )?paiement|paiements?|virements?|preuve ?(?:de )?paiement|releve|reglement",
        ),
        ("demande_de_paiement", "demande ?(?:de )?paiement|dp|notification"),
        ("mandat", "mandats?|mandatement"),
        ("deliberation", "deliberation|delib"),
        ("delegation", "delegation|arrete"),
        ("convention", "convention"),
        ("avoir", "avoir|note ?de ?credit"),
        ("autre", "devis|bon ?de ?commande|bdc|rib|rapport|contrat|bon ?de ?livraison"),
        ("facture", "factures?|fact?|invoice|facturx"),
        ("attestation", "attestation"),
    )
)


class _Title(NamedTuple):
    """A line of the first page that says a nature; `rank`: how high its words are, against the others."""

    nature: str
    text: str
    rank: float
    top: bool


def classify(pages: Sequence[Page], name: str) -> tuple[str, str, str]:
    """Nature (a word of `pieces.nature`), the reason in French, « sûr », « probable » or « incertain ».

    Sure: one title, larger than the rest or confirmed by the file name. Uncertain: title and name differ, two titles,
    or nothing at all (`autre`).
    """
    told = _by_name(name)
    titles = _titles(pages)
    natures = list(dict.fromkeys(title.nature for title in titles))
    scan = not any(page.words for page in pages)
    if not titles:
        where = "la page n'a pas de texte" if scan and pages else "aucun titre reconnu"
        if told is None:
            return "autre", f"{where}, et le nom du fichier ne dit rien", UNCERTAIN
        return told[0], f"nom du fichier : « {told[1]} » ; {where}", PROBABLE if scan else UNCERTAIN
    first = titles[0]
    reason = f"titre : « {first.text} »"
    if told is not None and told[0] == first.nature:
        return first.nature, f"{reason} ; nom du fichier : « {told[1]} »", SURE
    if told is not None and told[0] in natures:
        return first.nature, f"{reason}, mais le nom du fichier dit « {told[1]} »", UNCERTAIN
    if told is not None and told[0] != "autre":
        return first.nature, f"{reason}, mais le nom du fichier dit « {told[1]} »", UNCERTAIN
    if len(natures) > 1 and titles[1].rank >= first.rank * 0.95:
        return first.nature, f"{reason}, mais aussi « {titles[1].text} »", UNCERTAIN
    sure = first.top and first.rank >= _TALL
    return first.nature, reason, SURE if sure else PROBABLE


def _titles(pages: Sequence[Page]) -> list[_Title]:
    """The lines of the first page that begin with a title, the highest words first, then from the top."""
    page = next((page for page in pages if page.words), None)
    if page is None:
        return []
    sheet = layout.sheet(page)
    runs = [run for row in sheet.rows for run in row if len(run.words) <= 20]
    usual = sorted(_height(run) for row in sheet.rows for run in row)
    middle = usual[len(usual) // 2] or 1.0
    found: list[_Title] = []
    for run in runs:
        nature = next((nature for nature, pattern in TITLES if compiled(pattern).match(run.plain)), None)
        if nature is not None:
            found.append(_Title(nature, run.text[:80], _height(run) / middle, run.edges[1] <= page.height * _TOP))
    top = [title for title in found if title.top or title.rank >= _TALL]
    return sorted(top, key=lambda title: -round(title.rank, 1))


def _height(run: Run) -> float:
    return run.edges[3] - run.edges[1]


def _by_name(name: str) -> tuple[str, str] | None:
    """The nature that the last part of a path says, and the word that says it."""
    last = name.replace("\\", "/").rpartition("/")[2].rpartition(".")
    stem = layout.plain((last[0] or last[2])[:200])
    words = re.sub(r"[^a-z0-9]+", " ", stem)
    for nature, pattern in NAMES:
        found = compiled(pattern).search(words)
        if found:
            return nature, found[0]
    return None
