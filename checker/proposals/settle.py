"""What several sources say of one value -> that value, or null and why. Never a choice between two. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from checker.base import values
from checker.base.dictionary import Field
from checker.model import Place, Scalar, Value
from checker.proposals.yamltext import Leaf, quoted, word

UNREAD = "non lu"
NONE = "non lu : null vaut « aucun »"
_REGION = re.compile(r"-?[0-9.]+(?:,-?[0-9.]+){3}\Z")
_EXCERPT = 80  # characters
_PLACES = 3  # that a comment names


def where(place: Place) -> str:
    """« etat-liquidatif.xlsx, Feuil1!F14 », « facture.pdf, page 1 [72,100,200,112] »."""
    said = [place.file]
    if place.page is not None:
        said.append(f"page {place.page}")
    elif place.line is not None:
        said.append(f"ligne {place.line}" + (f", colonne {place.column}" if place.column is not None else ""))
    if place.place and _REGION.match(place.place):
        return f"{', '.join(said)} [{place.place}]"
    return ", ".join([*said, *([_short(place.place)] if place.place else [])])


def _short(place: str) -> str:
    """The last two steps of an XPath, whose line says the rest; any other place whole."""
    steps = place.split("/")
    return place if not place.startswith("/") or len(steps) < 4 else "\u2026/" + "/".join(steps[-2:])


def settle(field: Field, found: Sequence[Value], missing: str = "", strict: bool = False) -> Leaf:
    """The value that all readable sources say. `missing`: why it is not there though its piece is ("": nobody says it).

    Null when they differ (ambiguous), when none is readable, when there is none. `strict`: also when one is not
    readable, for what an act says: the sheet that goes with it does not speak in its place.
    """
    known: list[tuple[Scalar, str, Value]] = []
    faults: list[tuple[Value, str]] = []
    for value in found:
        if value.fault is not None:
            faults.append((value, value.fault))
        elif value.raw is not None and value.raw.strip():
            try:
                known.append((*_read(field, value.raw), value))
            except values.Refused as error:
                faults.append((value, str(error)))
    if len({canonical for canonical, _, _ in known}) > 1:
        return _ambiguous(field, known)
    if known and not (faults and strict):
        _, text, first = known[0]
        places = [place for place in dict.fromkeys(where(value.place) for _, _, value in known) if place != first.raw]
        more = f" ; et {len(places) - _PLACES} autres" if len(places) > _PLACES else ""
        return Leaf(text, " ; ".join(places[:_PLACES]) + more, kind=field.type, raw=first.raw or "")
    if faults:
        value, why = faults[0]
        seen = f"« {_cut(value.raw)} », " if value.raw else ""
        said = f"illisible : {seen}{where(value.place)} : {why[:1].lower()}{why[1:]}"
        said = f"{why} ({where(value.place)})" if why.startswith("ambigu") else said
        return Leaf(None, said, said, field.type)
    if missing:
        return Leaf(None, missing, missing, field.type)
    empty = [value for value in found if value.raw is not None or value.place.place or value.place.line]
    if empty:
        return Leaf(None, f"cellule vide : {where(empty[0].place)}", "", field.type)
    return Leaf(None, NONE if field.none else UNREAD, "", field.type)


def _ambiguous(field: Field, known: Sequence[tuple[Scalar, str, Value]]) -> Leaf:
    said: dict[Scalar, str] = {}
    for canonical, _, value in known:
        said.setdefault(canonical, f"« {_cut(value.raw)} » ({where(value.place)})")
    text = "ambigu : " + " ou ".join(said.values())
    return Leaf(None, text, text, field.type)


def _cut(raw: str | None) -> str:
    text = " ".join((raw or "").split())
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "\u2026"


def _read(field: Field, raw: str) -> tuple[Scalar, str]:
    """The canonical value and its YAML text (values.Refused when its type refuses it)."""
    if field.enum:
        wanted = values.fold(raw)
        for known in field.enum:
            if values.fold(known) == wanted:
                return known, word(known)
        raise values.Refused("mot hors de la liste : " + ", ".join(field.enum))
    canonical = values.parse(field.type, raw)
    if isinstance(canonical, bool):
        return canonical, "true" if canonical else "false"
    if isinstance(canonical, Decimal):
        return canonical, _figures(field, canonical)
    if field.type in ("date", "number"):
        return canonical, values.show(canonical) or ""
    if field.type == "letters":
        return canonical, quoted(" ".join(raw.split()))
    return canonical, quoted(raw if field.type == "file" else " ".join(raw.split()))


def _figures(field: Field, value: Decimal) -> str:
    if field.type == "money":
        return f"{value:.2f}"
    shown = f"{value.normalize():f}"
    return shown if "." in shown else f"{shown}.0"
