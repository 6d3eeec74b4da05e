"""Rego by regorus, all rules over one document of the whole run."""

from __future__ import annotations

import json
from pathlib import Path

import regorus

from benchmarks.tables import CEILING, CODES, NATURE, Finding, documents

LIBRARY = "celine-regorus"
PREPARED: tuple[str, ...] = ()


def _policy() -> str:
    always = json.dumps([item for item, start, end in CODES if start is None and end is None])
    dated = json.dumps({
        item: [start.isoformat() if start else "", end.isoformat() if end else "9999"]
        for item, start, end in CODES if start or end
    })  # fmt: skip
    return f"""
package quitus
import rego.v1

always := {{code | some code in {always}}}
dated := {dated}

given[d.dossier] contains p.ligne if {{ some d in input; some p in d.pieces; p.nature == "{NATURE}" }}
used[key] contains [l.dossier, l.ligne] if {{
    some d in input; some l in d.lignes; l.siret != null; key := concat("|", [l.siret, l.facture])
}}
project[d.projet] contains i if {{ some i, d in input }}

double(n) := (n * 2) - 9 if n > 4
double(n) := n * 2 if n <= 4
luhn(s, length) if {{
    digits := [to_number(substring(s, i, 1)) | some i in numbers.range(0, length - 1)]
    plain := sum([n | some i, n in digits; (length - i) % 2 == 1])
    doubled := sum([double(n) | some i, n in digits; (length - i) % 2 == 0])
    (plain + doubled) % 10 == 0
}}
siret(s) if {{ count(s) == 14; luhn(s, 14); luhn(s, 9) }}

bad(l, "PIECE") := "N" if not given[l.dossier][l.ligne]
bad(l, "SIRET") := "I" if l.siret == null
bad(l, "SIRET") := "N" if {{ l.siret != null; not siret(l.siret) }}
disorder(l) if {{ l.engagement != null; l.date != null; l.engagement > l.date }}
disorder(l) if {{ l.paiement != null; l.date != null; l.date > l.paiement }}
bad(l, "ORDRE") := "N" if disorder(l)
bad(l, "ORDRE") := "I" if {{ not disorder(l); null in [l.engagement, l.date, l.paiement] }}
bad(l, "UNIQUE") := "I" if l.siret == null
bad(l, "UNIQUE") := "N" if {{ l.siret != null; count(used[concat("|", [l.siret, l.facture])]) > 1 }}
bad(l, "REQUIS") := "I" if l.objet == null
bad(l, "REQUIS") := "N" if {{ l.objet != null; trim_space(l.objet) == "" }}
bad(l, "CODE") := "I" if l.code == null
bad(l, "CODE") := "I" if {{ dated[l.code]; l.date == null }}
bad(l, "CODE") := "N" if {{ l.code != null; not l.code in always; not dated[l.code] }}
bad(l, "CODE") := "N" if {{ l.date != null; l.date < dated[l.code][0] }}
bad(l, "CODE") := "N" if {{ l.date != null; l.date > dated[l.code][1] }}
bad(l, "TVA") := "I" if l.tva == null
bad(l, "TVA") := "N" if {{ l.tva != null; floor(((l.ht * l.taux) + 500000) / 1000000) != l.tva }}
bad(l, "TTC") := "I" if l.tva == null
bad(l, "TTC") := "N" if {{ l.tva != null; l.ht + l.tva != l.ttc }}
bad(l, "LIGNE") := "I" if null in [l.montant, l.fait]
bad(l, "LIGNE") := "N" if {{ l.montant != null; l.fait != null; l.montant > l.fait }}

rules := ["PIECE", "SIRET", "ORDRE", "UNIQUE", "REQUIS", "CODE", "TVA", "TTC", "LIGNE"]
lines := [[rule, l.dossier, l.ligne, said] |
    some d in input; some l in d.lignes; some rule in rules; said := bad(l, rule)
]

unsure(d) if d.total == null
unsure(d) if {{ some l in d.lignes; l.montant == null }}
totals := array.concat(
    [["TOTAL", d.dossier, 0, "I"] | some d in input; unsure(d)],
    [["TOTAL", d.dossier, 0, "N"] | some d in input; not unsure(d); d.total != sum([l.montant | some l in d.lignes])]
)
upto(d) := [e.total | some i in project[d.projet]; e := input[i]; [e.date, e.numero] <= [d.date, d.numero]]
known(d) := sum([t | some t in upto(d); t != null])
cumul := array.concat(
    [["CUMUL", d.dossier, 0, "N"] | some d in input; known(d) > {int(CEILING * 100)}],
    [["CUMUL", d.dossier, 0, "I"] | some d in input; known(d) <= {int(CEILING * 100)}; null in upto(d)]
)
"""


def findings(folder: Path) -> set[Finding]:
    """One input, three queries."""
    engine = regorus.Engine()
    engine.add_policy("quitus.rego", _policy())
    engine.set_input_json(json.dumps(list(documents(folder))))
    return {tuple(row) for rule in ("lines", "totals", "cumul") for row in engine.eval_rule(f"data.quitus.{rule}")}
