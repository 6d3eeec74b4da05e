"""What the workbook shows and what a person may fill in of it, apart from how it is written.

Read back by `quitus attest`: the titles of `DECIDED` and of `PIECES` are how it finds its columns.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

from checker.base.words import words
from checker.model import DossierVerdict, FileDigest, Outcome
from checker.reports.flat import Item
from checker.reports.inert import inert, phrase

HEIGHT, _LINES = 15, 12  # points of a line; lines of a row: what is longer is read in its cell
CELL = 8_000  # characters; Excel holds 32,767
# column -> field of a line, width
COLUMNS = {
    "dossier": ("dossier", 18),
    "rule": ("regle", 20),
    "outcome": ("resultat", 15),
    "severity": ("severite", 12),
    "waived": ("deroge", 12),
    "title": ("titre", 40),
    "article": ("article", 10),
    "subject": ("sujet", 27),
    "row": ("constat", 15),
    "message": ("message", 60),
    "observed": ("observe", 18),
    "expected": ("attendu", 18),
    "missing": ("manque", 25),
    "file": ("fichier", 28),
    "where": ("endroit", 28),
    "read": ("lu", 25),
    "actor": ("destinataire", 16),
    "todo": ("a_faire", 50),
}
# title -> width: what a person fills in, beside what is to be judged
DECIDED = {"flat.controller": 24, "attest.by": 24, "attest.date": 12, "attest.reason": 36, "attest.piece": 28}
PIECES = {"attest.pieces": 40, "attest.digest": 68}
# of the sheet of a dossier: before the columns to fill in, and after them
BEFORE = ("rule", "outcome", "severity", "title", "article", "message")
AFTER = tuple(key for key in COLUMNS if key not in ("dossier", *BEFORE))
ORDER = (BEFORE, AFTER)
CODED = {"outcome": "outcome", "row": "outcome", "severity": "severity", "actor": "actor", "waived": "value"}
ANSWERS = {"oui": "true", "non": "false"}
_SAFE_PATH = re.compile(r"[^\\:#%\x00-\x1f]{1,200}")


def cut(text: str) -> str:
    """What a cell holds of a text."""
    return inert(phrase(text, CELL), CELL * 2)


def height(shown: Iterable[tuple[int, str]]) -> int:
    """The points that a row needs, by the width and the text of its cells: not every program finds it by itself."""
    return HEIGHT * min(max((-(-len(text) * 11 // (width * 10)) for width, text in shown), default=1) or 1, _LINES)


def name(number: int, verdict: DossierVerdict) -> str:
    """« 001 EX-2019-01 »: what Excel admits, never twice."""
    kept = re.sub("[^0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff .-]+", "_", verdict.reference[:200])
    return f"{number:03} {kept}"[:31].strip()


def waiting(found: Sequence[Item]) -> frozenset[int]:
    """The rows that wait for a person's judgement, by position: of each rule the first, for a rule is attested once."""
    said = words("fr")["attest.waiting"]  # as the kind `attested` says it, whatever the language of the program
    rules: dict[str, int] = {}
    for at, item in enumerate(found):
        if item.line.constat == Outcome.INDETERMINE.word and said in item.line.message:
            rules.setdefault(item.line.regle, at)
    return frozenset(rules.values())


def pack(verdict: DossierVerdict) -> str:
    """« dinsic-calvados-2018 1.0.0, sha256 … »: by which rules the dossier was judged."""
    said = {key: verdict.pack.get(key, "") for key in ("id", "version", "sha256")}
    return "{id} {version}, sha256 {sha256}".format(**said) if said["id"] else ""


def link(item: Item) -> str:
    """The address of the piece of a finding, when it is one that the run has read."""
    verdict, path = item.verdict, item.place.file
    return address(verdict, path) if verdict and any(file.path == path for file in verdict.files) else ""


def address(verdict: DossierVerdict, path: str) -> str:
    """The address of a file of the dossier: by a path that can be nothing else, or ""."""
    full = posixpath.normpath(posixpath.join(verdict.path, path))
    inside = not path.startswith("/") and ".." not in path.split("/") and ".zip/" not in full.lower()
    plain = _SAFE_PATH.fullmatch(full) and inert(full) == full and not full.startswith("//")
    return f"external:{full}" if inside and plain else ""


def is_manifest(file: FileDigest) -> bool:
    """Whether it is the dossier.yaml, which the answer is written in: no piece to judge."""
    return "/" not in file.path and file.path.endswith((".yaml", ".yml"))


def column(number: int) -> str:
    """« $AB », of a column counted from 0."""
    text, number = "", number + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return f"${text}"
