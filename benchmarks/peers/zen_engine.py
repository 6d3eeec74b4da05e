"""zen-engine: one expression of its language for the lines of a dossier, one for the dossier.

It sees one dossier: what is counted across dossiers (invoice numbers, running totals) is prepared by Python.
"""

from __future__ import annotations

import json
from pathlib import Path

import zen

from benchmarks.tables import CEILING, CODES, NATURE, Finding, documents, luhn, prepared

LIBRARY = "zen-engine"
PREPARED = ("CUMUL", "UNIQUE")
LINE = ("PIECE", "SIRET", "ORDRE", "UNIQUE", "REQUIS", "CODE", "TVA", "TTC", "LIGNE")


def _digit(place: int) -> str:
    return f"number(#.siret[{place}:{place}])"


def _codes() -> str:
    always = json.dumps([item for item, start, end in CODES if start is None and end is None])
    text = f'#.code in {always} ? "" : '
    for item, start, end in CODES:
        if start or end:
            op, day = (">=", start) if start else ("<=", end)
            text += f'#.code == "{item}" ? (#.date == null ? "I" : date(#.date) {op} date("{day}") ? "" : "N") : '
    return text + '"N"'


def _lines() -> str:
    order = (
        '(#.engagement != null and #.date != null and date(#.engagement) > date(#.date)) ? "N" : '
        '(#.paiement != null and #.date != null and date(#.date) > date(#.paiement)) ? "N" : '
        '(#.engagement == null or #.date == null or #.paiement == null) ? "I" : ""'
    )
    given = f'map(filter($root.pieces, #.nature == "{NATURE}"), #.ligne)'
    said = (
        f'#.ligne in {given} ? "" : "N"',
        f'#.siret == null ? "I" : (len(#.siret) == 14 and {luhn(14, _digit)} and {luhn(9, _digit)}) ? "" : "N"',
        order,
        '#.siret == null ? "I" : #.fois == 1 ? "" : "N"',
        '#.objet == null ? "I" : trim(#.objet) == "" ? "N" : ""',
        f'#.code == null ? "I" : {_codes()}',
        '#.tva == null ? "I" : floor((#.ht * #.taux + 500000) / 1000000) == #.tva ? "" : "N"',
        '#.tva == null ? "I" : #.ht + #.tva == #.ttc ? "" : "N"',
        '(#.montant == null or #.fait == null) ? "I" : #.montant <= #.fait ? "" : "N"',
    )
    return f"map(lignes, [{', '.join(f'({text})' for text in said)}])"


_DOSSIER = (
    f'[(cumul > {int(CEILING * 100)} ? "N" : cumul_inconnu ? "I" : ""), '
    '((total == null or some(lignes, #.montant == null)) ? "I" : sum(map(lignes, #.montant)) == total ? "" : "N")]'
)


def findings(folder: Path) -> set[Finding]:
    """Each dossier is one context, evaluated twice."""
    lines, whole = zen.compile_expression(_lines()), zen.compile_expression(_DOSSIER)
    found: set[Finding] = set()
    for item in prepared(list(documents(folder))):
        key = item["dossier"]
        for line, said in zip(item["lignes"], lines.evaluate(item), strict=True):
            found.update((rule, key, line["ligne"], word) for rule, word in zip(LINE, said, strict=True) if word)
        said = whole.evaluate(item)
        found.update((rule, key, 0, word) for rule, word in zip(("CUMUL", "TOTAL"), said, strict=True) if word)
    return found
