"""What is dated in a pack or in the settings: days, values of parameters, persons. Faults go to `problems`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from checker.base import values
from checker.base.yamlfile import Document, Key
from checker.errors import Problem
from checker.model import DatedValue, Person


def day(document: Document, raw: Any, path: Key, problems: list[Problem]) -> dt.date | None:
    """A date of an authored file."""
    if raw in (None, ""):
        return None
    try:
        return values.date(str(raw))
    except values.Refused as error:
        problems.append(document.problem(f"date « {raw} » : {error}", path))
        return None


def dated_value(
    document: Document, entry: Mapping[str, Any], kind: str, many: bool, path: Key, problems: list[Problem]
) -> DatedValue | None:
    """A dated value of a parameter; None when it is refused."""
    raw = entry.get("valeur")
    value: Any = None
    try:
        if many and raw is not None:
            if not isinstance(raw, list):
                raise values.Refused("une liste est attendue")
            value = tuple(values.parse(kind, values.show(item) or "") for item in raw)
        elif raw not in (None, ""):
            value = values.parse(kind, values.show(raw) or "")
    except (values.Refused, KeyError) as error:
        problems.append(document.problem(f"valeur « {raw} » : {error}", (*path, "valeur")))
        return None
    return DatedValue(
        value=value,
        start=day(document, entry.get("du"), (*path, "du"), problems),
        end=day(document, entry.get("au"), (*path, "au"), problems),
        not_before=day(document, entry.get("pas_avant"), (*path, "pas_avant"), problems),
        not_after=day(document, entry.get("pas_apres"), (*path, "pas_apres"), problems),
        blank=raw == "",
        source=str(entry.get("source", "")),
        written=raw if isinstance(raw, str) else "",
    )


def person(document: Document, entry: Any, path: Key, problems: list[Problem]) -> Person | None:
    """A person of a pack or of the settings; a delegate is one who acts by an `acte`."""
    keys = ("nom", "direction", "role", "du", "au", "montant_maximum", "acte", "qualite", "source")
    if (
        not isinstance(entry, dict)
        or any(key not in keys for key in entry)
        or not entry.get("nom")
        or not entry.get("role")
    ):
        problems.append(document.problem("une personne a un nom, un rôle, et au plus : " + ", ".join(keys), path))
        return None
    act = entry.get("acte") or {}
    try:
        limit = (
            None if entry.get("montant_maximum") is None else values.money(values.show(entry["montant_maximum"]) or "")
        )
    except values.Refused as error:
        problems.append(document.problem(f"montant_maximum : {error}", (*path, "montant_maximum")))
        return None
    return Person(
        name=str(entry["nom"]),
        direction=str(entry.get("direction") or ""),
        role=str(entry["role"]),
        start=day(document, entry.get("du"), (*path, "du"), problems),
        end=day(document, entry.get("au"), (*path, "au"), problems),
        limit=limit,
        delegate=bool(act),
        act_date=day(document, act.get("date"), (*path, "acte", "date"), problems),
        executory=act.get("executoire") if isinstance(act.get("executoire"), bool) else None,
        quality=str(entry.get("qualite") or ""),
        source=str(entry.get("source") or act.get("reference") or ""),
    )
