"""A repository of dossiers for the gate: each a `dossier.yaml` with its lines in clear, and a small CSV.

`python -m benchmarks.dossiers FOLDER COUNT` writes them. Dossier i depends on i only: a larger repository holds the
smaller one. One in a hundred has an anomaly: a total off by a cent, a blank date, a paid amount that is no number.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_REFERENCE = ROOT / "rules" / "dinsic-calvados-2018" / "reference"
EVERY = 100  # dossiers between two anomalies
_PIECES = ("etat_liquidatif", "certification", "titre_de_perception", "deliberation")
_LINES = ("facture", "pv_service_fait", "justificatif_paiement")
ANOMALIES = (
    ("  total: 8.40 ", "  total: 8.41 "),
    ("date_reception: 2019-03-06", 'date_reception: ""'),
    ("montant: 6.00, beneficiaire", "montant: sept cents, beneficiaire"),
)


def _template() -> str:
    text = (_REFERENCE / "dossier.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(\d+)000\.00", lambda found: f"{int(found[1]) / 10:.2f}", text)  # many under one ceiling
    text = text.replace('"quatre-vingt-quatre mille euros"', '"huit euros et quarante centimes"')
    text = text.replace("fichier: etat-liquidatif.pdf", "fichier: lignes.csv").replace(
        "piece: certification.pdf", "piece: lignes.csv"
    )
    text = text.replace("piece: etat-liquidatif.pdf", "piece: lignes.csv")
    pieces = [f"  - {{nature: {nature}, fichier: lignes.csv}}" for nature in _PIECES]
    pieces += [
        f"  - {{nature: {nature}, lignes: [{line}], fichier: lignes.csv}}" for line in (1, 2) for nature in _LINES
    ]
    return re.sub(r"(?m)^pieces:\n(?: .*\n)+", "pieces:\n" + "\n".join(pieces) + "\n", text)


def _numbered(text: str, number: int) -> str:
    """The text with the identifiers of that dossier."""
    for name, own in (
        ("CALV-2019-01", f"CALV-2019-{number:05}"),
        ("EL-2019-01", f"EL-2019-{number:05}"),
        ("F-2018-118", f"F-2018-{number:05}"),
        ("2019/0042", f"2019/{number:05}"),
        ("TP-2019-000123", f"TP-2019-{number:06}"),
        ("DP-2019-77", f"DP-2019-{number:05}"),
        ("2019-4512", f"2019-{number:06}"),
        ("100241599", f"1{number:08}"),
        ("100241702", f"2{number:08}"),
        ("2104453606", f"21{number:08}"),
        ("2104453607", f"22{number:08}"),
    ):
        text = text.replace(name, own)
    return text


def write(folder: Path, count: int) -> int:
    """Write `count` dossiers below `folder`, and their settings; how many have an anomaly."""
    template = _template()
    folder.mkdir(parents=True, exist_ok=True)
    settings = (_REFERENCE / "quitus.yaml").read_text(encoding="utf-8")
    (folder / "quitus.yaml").write_text(_numbered(settings, 0), encoding="utf-8")
    odd = 0
    for number in range(count):
        text = _numbered(template, number)
        if number % EVERY == EVERY - 1:
            before, after = ANOMALIES[odd % len(ANOMALIES)]
            text, odd = text.replace(before, after), odd + 1
        own = folder / f"{number // 1000:03}" / f"d{number:06}"
        own.mkdir(parents=True, exist_ok=True)
        (own / "dossier.yaml").write_text(text, encoding="utf-8")
        day = dt.date(2018, 12, 14).isoformat()
        lines = f"ligne;facture;date;montant\n1;F-2018-{number:05};{day};6,00\n2;2019/{number:05};2019-01-31;2,40\n"
        (own / "lignes.csv").write_text(lines, encoding="utf-8")
    return odd


def write_with_pieces(folder: Path, count: int) -> None:
    """The contract's dossier as it is, each of its pieces a real file."""
    text = (_REFERENCE / "dossier.yaml").read_text(encoding="utf-8")
    pieces = ROOT / "fixtures" / "conforme"
    for number in range(count):
        own = folder / f"d{number:06}"
        shutil.copytree(pieces, own, ignore=shutil.ignore_patterns("*.yaml"))
        (own / "dossier.yaml").write_text(_numbered(text, number), encoding="utf-8")
    settings = (_REFERENCE / "quitus.yaml").read_text(encoding="utf-8")
    (folder / "quitus.yaml").write_text(_numbered(settings, 0), encoding="utf-8")


def main() -> int:
    """Write a repository anew."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{count} dossiers, {write(folder, count)} with an anomaly")
    return 0


if __name__ == "__main__":
    sys.exit(main())
