"""`quitus.yaml` -> Settings: found once a run, read whole, every fault at once (ConfigurationError, 65)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from checker.base import yamlfile
from checker.base.plugs import nearest
from checker.base.yamlfile import Document
from checker.errors import ConfigurationError, Problem, UsageError
from checker.model import ACTORS, Addressee, Letterhead, Limits, Pack, Place, Settings, Waiver
from checker.packs.dated import day

NAME = "quitus.yaml"
_KEYS = (
    "parametres premier_etat_liquidatif registre personnes avenants derogations limites racines ocr courrier".split()
)
_LIMITS = {
    "taille_piece_mo": ("piece_megabytes", 4096),
    "secondes_par_piece": ("piece_seconds", 3600),
    "memoire_lecteur_mo": ("reader_megabytes", 65536),
    "fichiers_par_zip": ("zip_files", 100_000),
    "taille_zip_mo": ("zip_megabytes", 65536),
    "taux_compression_zip": ("zip_ratio", 1100),  # deflate reaches 1,032
}
_LETTER = {
    "expediteur": "sender",
    "adresse": "address",
    "ville": "city",
    "signataire": "signatory",
    "qualite": "quality",
    "courriel": "email",
    "delai_jours": "days",
    "destinataires": "addressees",
}
_ADDRESSEE = {"nom": "name", "adresse": "address", "courriel": "email"}
_WAIVER_KEYS = "regle dossier motif demandee_par accordee_par du au".split()


def find(folders: Sequence[Path], chosen: Path | None) -> Path | None:
    """The settings of a run: `chosen`, else the nearest going up from the common folder; one more below is refused."""
    if chosen is not None:
        if not chosen.is_file():
            raise UsageError([Problem("fichier de réglages introuvable", str(chosen))])
        return chosen
    resolved = [folder.resolve() for folder in folders]
    common = Path(os.path.commonpath(resolved)) if resolved else Path.cwd()
    upward = next((parent / NAME for parent in (common, *common.parents) if (parent / NAME).is_file()), None)
    below: set[Path] = set()
    for folder in resolved:
        here = folder
        while here != common:
            if (here / NAME).is_file():
                below.add(here / NAME)
            here = here.parent
    if len(below) == 1 and upward is None and len(set(resolved)) == 1:
        return below.pop()
    if below:
        raise ConfigurationError(
            [
                Problem(
                    "ce fichier de réglages ne vaut que pour une partie des dossiers contrôlés",
                    str(path),
                    todo="Un seul quitus.yaml, au-dessus de tous les dossiers ; ou le choisir par --settings.",
                )
                for path in sorted(below)
            ]
        )
    return upward


def read_settings(folders: Sequence[Path], chosen: Path | None) -> Settings:
    """The settings of a run (empty when there is no file)."""
    path = find(folders, chosen)
    if path is None:
        return Settings()
    shown = path.name
    text = yamlfile.read_text(path, shown)
    if not text.strip() or not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        return Settings(path, hashlib.sha256(path.read_bytes()).hexdigest())
    document = yamlfile.parse(text, shown)
    return from_document(document, path, hashlib.sha256(path.read_bytes()).hexdigest())


def from_document(document: Document, path: Path | None, sha256: str) -> Settings:
    """The same from a document already read (rule examples give theirs)."""
    data = document.data
    problems: list[Problem] = []
    if not isinstance(data, dict):
        raise ConfigurationError(
            [document.problem("le fichier de réglages est un objet : des clés suivies de valeurs")]
        )
    for key in data:
        if key not in _KEYS:
            close = nearest(key, _KEYS)
            todo = f"Écrire « {close} » ?" if close else "Connues : " + ", ".join(_KEYS)
            problems.append(document.problem(f"clé inconnue : « {key} »", (key,), todo=todo))
    if data.get("registre") is not None:
        problems.append(
            document.problem(
                "le registre n'est pas encore pris en charge", ("registre",), todo="Écrire `registre: null`."
            )
        )
    for key, shape in (("parametres", dict), ("personnes", list), ("avenants", list), ("derogations", list),
                       ("limites", dict), ("racines", list), ("courrier", dict)):  # fmt: skip
        if data.get(key) is not None and not isinstance(data[key], shape):
            problems.append(document.problem(f"« {key} » est {'une liste' if shape is list else 'un objet'}", (key,)))
    if problems:
        raise ConfigurationError(problems)
    waivers = [_waiver(document, entry, index, problems) for index, entry in enumerate(data.get("derogations") or [])]
    for index, item in enumerate(data.get("racines") or []):
        if not isinstance(item, str) or not item.strip():
            problems.append(document.problem("« racines » est une liste de répertoires", ("racines", index)))
    limits = _limits(document, data.get("limites") or {}, problems)
    letter = _letterhead(document, data["courrier"], problems) if data.get("courrier") else None
    if problems:
        raise ConfigurationError(problems)
    found = tuple(item for item in waivers if item)
    return Settings(path, sha256, {**data, "__document__": document}, {}, found, limits, letter)


def _limits(document: Document, data: Mapping[str, Any], problems: list[Problem]) -> Limits:
    """The limits of the run: whole numbers from 1; what is not written is the default."""
    found: dict[str, int] = {}
    for key, value in data.items():
        path = ("limites", key)
        if key not in _LIMITS:
            close = nearest(key, list(_LIMITS))
            todo = f"Écrire « {close} » ?" if close else "Connues : " + ", ".join(_LIMITS)
            problems.append(document.problem(f"clé inconnue : « {key} »", path, todo=todo))
        elif value is not None:
            name, top = _LIMITS[key]
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= top:
                problems.append(document.problem(f"« {key} » est un nombre entier de 1 à {top}", path))
            else:
                found[name] = value
    return Limits(**found)


def _letterhead(document: Document, data: Mapping[str, Any], problems: list[Problem]) -> Letterhead:
    """Who writes the letters, and to whom; what is not written there stays to be filled in by hand."""
    path = ("courrier",)
    own = _texts(
        document,
        {key: data[key] for key in data if key not in ("delai_jours", "destinataires")},
        path,
        _LETTER,
        problems,
    )
    days, given = data.get("delai_jours"), data.get("destinataires") or {}
    if days is not None and (not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 366):
        problems.append(document.problem("« delai_jours » est un nombre entier de 1 à 366", (*path, "delai_jours")))
        days = None
    if not isinstance(given, Mapping):
        problems.append(document.problem("« destinataires » est un objet", (*path, "destinataires")))
        given = {}
    return Letterhead(**own, days=days, addressees=addressees(document, given, (*path, "destinataires"), problems))


def addressees(
    document: Document, data: Mapping[str, Any], path: tuple[str, ...], problems: list[Problem]
) -> dict[str, Addressee]:
    """Who receives letters, by actor."""
    found = {}
    for actor, entry in data.items():
        if actor not in ACTORS or not isinstance(entry, Mapping):
            what = "un destinataire est un objet" if actor in ACTORS else f"destinataire inconnu : « {actor} »"
            problems.append(document.problem(what, (*path, actor), todo="Connus : " + ", ".join(ACTORS)))
        else:
            found[actor] = Addressee(**{"name": "", **_texts(document, entry, (*path, actor), _ADDRESSEE, problems)})
    return found


def _texts(
    document: Document,
    data: Mapping[str, Any],
    path: tuple[str, ...],
    known: Mapping[str, str],
    problems: list[Problem],
) -> dict[str, str]:
    found = {}
    for key, value in data.items():
        if key not in known:
            close = nearest(key, list(known))
            todo = f"Écrire « {close} » ?" if close else "Connues : " + ", ".join(known)
            problems.append(document.problem(f"clé inconnue : « {key} »", (*path, key), todo=todo))
        elif value is not None and not isinstance(value, str):
            problems.append(document.problem(f"« {key} » est un texte", (*path, key)))
        elif value:
            found[known[key]] = value
    return found


def _waiver(document: Document, entry: Any, index: int, problems: list[Problem]) -> Waiver | None:
    path = ("derogations", index)
    if not isinstance(entry, Mapping):
        problems.append(document.problem("une dérogation est un objet", path))
        return None
    for key in entry:
        if key not in _WAIVER_KEYS:
            close = nearest(key, _WAIVER_KEYS)
            problems.append(
                document.problem(
                    f"clé inconnue : « {key} »", (*path, key), todo=f"Écrire « {close} » ?" if close else ""
                )
            )
    line, column = document.places.get(path, (1, 1))
    return Waiver(
        rule=str(entry.get("regle") or ""),
        dossier=str(entry.get("dossier") or ""),
        reason=str(entry.get("motif") or ""),
        requested_by=str(entry.get("demandee_par") or ""),
        granted_by=str(entry.get("accordee_par") or ""),
        start=day(document, entry.get("du"), (*path, "du"), problems),
        end=day(document, entry.get("au"), (*path, "au"), problems),
        place=Place(document.shown, line, column),
    )


def reference_settings(pack: Pack) -> Document:
    """The settings that stand beside the pack's reference dossier (empty when there are none)."""
    path = pack.reference.parent / NAME if pack.reference is not None else None
    if path is None or not path.is_file():
        return Document({}, {}, NAME, "")
    return yamlfile.load(path)


def laid_settings(base: Document, data: Any, place: Place) -> Settings:
    """The settings of an example, from data already laid over the reference ones; faults stand at the example."""
    document = Document(data, {(): (place.line or 1, place.column or 1)}, place.file, base.text)
    return from_document(document, None, "")
