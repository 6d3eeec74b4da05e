"""Verbs: one file, one command. A plug has a docstring (its help), `HELP`, `arguments(parser)`, `run(options)`."""

import argparse
from pathlib import Path


def reading(parser: argparse.ArgumentParser, stage: str) -> None:
    """The options of the verbs that read dossiers; `stage`: what `--stage` is for."""
    parser.add_argument("--stage", metavar="ETAPE", help=stage)
    parser.add_argument("--on", metavar="DATE", help="date de contrôle AAAA-MM-JJ (l'emporte sur date_controle)")
    parser.add_argument(
        "--settings", metavar="FICHIER", type=Path, help="réglages (à défaut le quitus.yaml le plus proche)"
    )
    parser.add_argument(
        "--rules", metavar="REPERTOIRE", type=Path, help="répertoire de packs (à défaut ceux livrés, ou QUITUS_RULES)"
    )
    parser.add_argument("--roots", metavar="REPERTOIRE", type=Path, help="certificats de confiance des signatures")
    parser.add_argument("--ocr", action="store_true", help="lire aussi les images numérisées (tesseract)")
