"""Which data sets a rule of CDISC is about: classes, domains and entities; SDTM's own table of domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_CLASSES = {
    "INTERVENTIONS": "AG CM EC EX ML PR SU",
    "EVENTS": "AE BE CE DS DV HO MH EM",
    "FINDINGS": (
        "BG BM BW BS CL CP CV DA DD EG FT FW GF GI GV IC IE IG IS IT LB MA MB MI MK MO MS MT NV OE OM PC PE PM PP "
        "PT QS RE RP RS SC SS TF TP TR TU UR VS IX"
    ),
    "FINDINGS ABOUT": "FA SR",
    "SPECIAL PURPOSE": "CO DM SE SJ SM SV PD IN",
    "TRIAL DESIGN": "TA TD TE TI TM TS TT TV TX",
    "RELATIONSHIP": "RELREC RELSPEC RELSUB POOLDEF RELREF DR",
    "STUDY REFERENCE": "DI OI DO TO ES",
}
DOMAINS = {name: key for key, names in _CLASSES.items() for name in names.split()}
_BY_COLUMN = (("TESTCD", "FINDINGS"), ("TERM", "EVENTS"), ("TRT", "INTERVENTIONS"))


def supplementary(name: str) -> bool:
    """Whether a data set holds supplemental qualifiers."""
    return name.upper().startswith(("SUPP", "SQ"))


def prefix(name: str, domain: str) -> str:
    """What « -- » stands for in the names of variables."""
    upper = name.upper()
    if supplementary(upper):
        return upper.removeprefix("SUPP")[:2]
    return domain if len(domain) == 2 else upper[:2]


def class_of(name: str, domain: str, columns: Sequence[str]) -> str | None:
    """The class of a data set, by its domain, else by the variables that only one class has."""
    upper = name.upper()
    if supplementary(upper):
        return "RELATIONSHIP"
    known = DOMAINS.get(upper) or DOMAINS.get(domain.upper())
    if known:
        return known
    stem = prefix(name, domain)
    if f"{stem}OBJ" in columns and f"{stem}TESTCD" in columns:
        return "FINDINGS ABOUT"
    return next((found for end, found in _BY_COLUMN if f"{stem}{end}" in columns), None)


def applies(scope: Mapping[str, Any], name: str, domain: str, columns: Sequence[str]) -> bool:
    """Whether a rule of that scope is about this data set."""
    entities = scope.get("Entities")
    if entities:
        return _listed(entities, {name})
    names = {name.upper(), domain}
    if supplementary(name) or name.upper().startswith("AP"):
        names |= {"SUPP--", "SQ--"} if supplementary(name) else {"AP--"}
    kind = class_of(name, domain, columns)
    classes = {kind or "?"} | ({"FINDINGS"} if kind == "FINDINGS ABOUT" else set())
    return _listed(scope.get("Domains") or {}, names) and _listed(scope.get("Classes") or {}, classes)


def _listed(part: Mapping[str, Any], names: set[str]) -> bool:
    include, exclude = part.get("Include"), part.get("Exclude") or []
    return (not include or "ALL" in include or bool(names & set(include))) and not names & set(exclude)
