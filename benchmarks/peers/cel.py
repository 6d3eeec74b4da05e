"""CEL by its Rust implementation: one expression for the lines of a dossier, one for the dossier.

CEL folds no list and cuts no text: sums, digits, and what is counted across dossiers are prepared by Python.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.tables import CEILING, CODES, NATURE, Finding, documents, luhn, prepared

LIBRARY = "common-expression-language"
PREPARED = ("CUMUL", "UNIQUE", "TOTAL", "SIRET")
LINE = ("PIECE", "SIRET", "ORDRE", "UNIQUE", "REQUIS", "CODE", "TVA", "TTC", "LIGNE")


def _digit(place: int) -> str:
    return f"l.chiffres[{place}]"


def _codes() -> str:
    always = json.dumps([item for item, start, end in CODES if start is None and end is None])
    text = f'l.code in {always} ? "" : '
    for item, start, end in CODES:
        if start or end:
            op, day = (">=", start) if start else ("<=", end)
            text += f'l.code == "{item}" ? (l.date == null ? "I" : l.date {op} "{day}" ? "" : "N") : '
    return text + '"N"'


def line_expression() -> str:
    """A list of lists: for each line, what each rule of LINE says."""
    order = (
        '(l.engagement != null && l.date != null && l.engagement > l.date) ? "N" : '
        '(l.paiement != null && l.date != null && l.date > l.paiement) ? "N" : '
        '(l.engagement == null || l.date == null || l.paiement == null) ? "I" : ""'
    )
    said = (
        f'pieces.exists(p, p.nature == "{NATURE}" && p.ligne == l.ligne) ? "" : "N"',
        f'l.siret == null ? "I" : (size(l.chiffres) == 14 && {luhn(14, _digit)} && {luhn(9, _digit)}) ? "" : "N"',
        order,
        'l.siret == null ? "I" : l.fois == 1 ? "" : "N"',
        'l.objet == null ? "I" : l.objet.matches("[^ ]") ? "" : "N"',
        f'l.code == null ? "I" : {_codes()}',
        'l.tva == null ? "I" : (l.ht * l.taux + 500000) / 1000000 == l.tva ? "" : "N"',
        'l.tva == null ? "I" : l.ht + l.tva == l.ttc ? "" : "N"',
        '(l.montant == null || l.fait == null) ? "I" : l.montant <= l.fait ? "" : "N"',
    )
    return f"lignes.map(l, [{', '.join(f'({text})' for text in said)}])"


DOSSIER = (
    f'[(cumul > {int(CEILING * 100)} ? "N" : cumul_inconnu ? "I" : ""), '
    '((total == null || lignes.exists(l, l.montant == null)) ? "I" : somme == total ? "" : "N")]'
)
NAMES = ("total", "lignes", "pieces", "somme", "cumul", "cumul_inconnu")


def judge(folder: Path, lines: Callable[[dict[str, Any]], Any], whole: Callable[[dict[str, Any]], Any]) -> set[Finding]:
    """Each dossier is one activation, evaluated twice."""
    found: set[Finding] = set()
    for item in prepared(list(documents(folder))):
        key, given = item["dossier"], {name: item[name] for name in NAMES}
        for line, said in zip(item["lignes"], lines(given), strict=True):
            found.update((rule, key, line["ligne"], str(word)) for rule, word in zip(LINE, said, strict=True) if word)
        said = whole(given)
        found.update((rule, key, 0, str(word)) for rule, word in zip(("CUMUL", "TOTAL"), said, strict=True) if word)
    return found


def findings(folder: Path) -> set[Finding]:
    """Compiled once, executed a dossier at a time."""
    import cel

    return judge(folder, cel.compile(line_expression()).execute, cel.compile(DOSSIER).execute)
