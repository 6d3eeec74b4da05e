"""What a person has decided -> attestations of `dossier.yaml`. Doors: `attestation` (one), `write` (the new text).

A decision is four words and a piece, as text: each is judged here, and all that is wrong with it is said at once. The
form and the meaning are the contract's: an attestation that the check would hold void is refused, never written.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from checker.base import french, plugs, values, yamlfile
from checker.base.words import languages, words
from checker.errors import Problem
from checker.model import Rule
from checker.proposals.insert import Refused, inserted
from checker.proposals.yamltext import inert, quoted

KEY = "attestations"
OUTCOMES = ("conforme", "non_conforme")
_LONGEST = {"par": 200, "motif": 2_000}  # characters
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+\Z")
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


class Decision(NamedTuple):
    """What a person wrote of one rule, as read; `place`: where it is written (a cell, or the option)."""

    rule: str
    outcome: str
    by: str
    date: str
    reason: str
    piece: str
    place: str = ""


class Bounds(NamedTuple):
    """What a decision is judged by: the rules of the convention, the dossier as it is now, the last day.

    `digest`: the SHA-256 of a piece, None when it is no file of the dossier; `seen`: those of the report.
    """

    rules: Sequence[Rule]
    data: Mapping[str, Any]  # of dossier.yaml
    digest: Callable[[str], str | None]
    today: dt.date
    seen: Mapping[str, str] = MappingProxyType({})


class Attestation(NamedTuple):
    """One object of `attestations`, in the order and the words of the contract."""

    regle: str
    constat: str
    par: str
    date: dt.date
    motif: str
    piece: str
    sha256: str

    def data(self) -> dict[str, Any]:
        """As `yamlfile` reads it."""
        return {**self._asdict(), "date": self.date.isoformat()}

    def text(self) -> str:
        """As one line of YAML; what a person wrote stays text, whatever it holds."""
        shown = {
            "regle": self.regle if _BARE.match(self.regle) else quoted(self.regle),
            "constat": self.constat,
            "par": quoted(self.par),
            "date": self.date.isoformat(),
            "motif": quoted(self.motif),
            "piece": quoted(self.piece),
            "sha256": quoted(self.sha256),
        }
        return "{" + ", ".join(f"{key}: {value}" for key, value in shown.items()) + "}"


def attestable(rules: Sequence[Rule]) -> list[str]:
    """The rules whose check a person may attest, whole or in part."""
    return [rule.id for rule in rules if _attests(rule.body.get("check"))]


def _attests(check: Any) -> bool:
    if isinstance(check, Mapping):
        return "attested" in check or any(_attests(check.get(key)) for key in ("all", "any"))
    return isinstance(check, list | tuple) and any(_attests(part) for part in check)


def attestation(decision: Decision, bounds: Bounds) -> Attestation | list[Problem]:
    """The attestation of a decision, or everything that is wrong with it."""
    problems: list[Problem] = []

    def fault(what: str, todo: str = "", why: str = "") -> None:
        said = inert(f"{decision.rule[:60] or '(sans règle)'} : {what}")
        problems.append(Problem(said, decision.place, why=inert(why), todo=inert(todo)))

    rule = _rule(decision.rule, bounds.rules, fault)
    outcome = _outcome(decision.outcome, fault)
    texts = {"par": _text("par", decision.by, fault), "motif": _text("motif", decision.reason, fault)}
    day = _day(decision.date, bounds, fault)
    piece, digest = _piece(decision, bounds, fault)
    if problems or day is None:
        return problems
    return Attestation(rule, outcome, texts["par"], day, texts["motif"], piece, digest)


def _rule(name: str, rules: Sequence[Rule], fault: Any) -> str:
    known = [rule.id for rule in rules]
    allowed = attestable(rules)
    if name not in known:
        close = plugs.nearest(name, known)
        fault("règle inconnue de la convention", f"Écrire « {close} » ?" if close else "`quitus explain` les liste.")
    elif name not in allowed:
        fault("aucune personne n'atteste cette règle : la machine en juge, ou personne", _named(allowed))
    return name


def _outcome(text: str, fault: Any) -> str:
    said = values.fold(text)
    known = {values.fold(words(lang)[f"outcome.{word}"]): word for word in OUTCOMES for lang in languages()}
    known |= {values.fold(word): word for word in OUTCOMES}
    if said in known:
        return known[said]
    if not said:
        fault("la décision manque", "Écrire « conforme » ou « non conforme ».")
        return ""
    close = known.get(plugs.nearest(said, list(known)), "")
    todo = f"Écrire « {words('fr')[f'outcome.{close}']} » ?" if close else "Écrire « conforme » ou « non conforme »."
    fault(f"décision inconnue : « {text[:40]} »", todo)
    return ""


def _text(key: str, text: str, fault: Any) -> str:
    """A name or a reason: trimmed, its line ends those of every system."""
    found = re.sub(r"\r\n?", "\n", text).strip()
    title = words("fr")[f"attest.{'by' if key == 'par' else 'reason'}"]
    if not values.fold(found):
        fault(f"« {title} » manque", "Une attestation est nominative, datée et motivée.")
    elif len(found) > _LONGEST[key]:
        fault(f"« {title} » a plus de {_LONGEST[key]} signes", "L'abréger.")
    elif _NO_TEXT.search(found):
        fault(f"« {title} » porte un signe qui n'est pas du texte", "Le récrire.")
    return found


def _day(text: str, bounds: Bounds, fault: Any) -> dt.date | None:
    if not text.strip():
        fault("la date manque", "Écrire le jour du jugement, JJ/MM/AAAA.")
        return None
    try:
        found = values.date(text)
    except values.Refused as refused:
        fault(f"date illisible : « {text.strip()[:40]} »", "Écrire le jour du jugement, JJ/MM/AAAA.", f"{refused}.")
        return None
    if found > bounds.today:
        fault(f"la date est à venir : {french.day(found)}", "Écrire le jour du jugement.")
        return None
    control = _date(bounds.data.get("date_controle"))
    if control is not None and found > control:
        fault(
            f"la date suit le contrôle : {french.day(found)}",
            "Une attestation vaut du jour de l'acte au jour du contrôle ; ou changer `date_controle`.",
            f"`date_controle` du dossier : {french.day(control)}.",
        )
        return None
    return found


def _piece(decision: Decision, bounds: Bounds, fault: Any) -> tuple[str, str]:
    """The piece judged and its digest; when nobody names it, the act that the rule's judgement starts from."""
    name = decision.piece.strip() or _act(decision.rule, bounds)
    listed = pieces(bounds.data)
    if not name:
        fault("la pièce jugée manque", "Nommer une pièce du dossier.")
        return "", ""
    digest = bounds.digest(name) if name in listed else None
    if name not in listed:
        close = plugs.nearest(name, listed)
        fault(f"ce n'est pas une pièce du dossier : « {name[:120]} »", f"Écrire « {close} » ?" if close else "")
    elif digest is None:
        fault(f"cette pièce ne peut être lue : « {name[:120]} »", "La remettre dans le dossier.")
    elif bounds.seen and bounds.seen.get(name) != digest:
        fault(f"la pièce « {name[:120]} » a changé depuis le rapport", "Refaire le rapport, et en juger de nouveau.")
    return name, digest or ""


def pieces(data: Mapping[str, Any]) -> list[str]:
    """The files that the dossier names as its pieces and acts."""
    listed = data.get("pieces")
    named = [item.get("fichier") for item in [*(listed if isinstance(listed, list) else []), *data.values()]
             if isinstance(item, Mapping)]  # fmt: skip
    return list(dict.fromkeys(name for name in named if isinstance(name, str) and name))


def _act(rule: str, bounds: Bounds) -> str:
    """The file of the act of `since`: as the act says it, or the only piece of that nature."""
    found = next((each for each in bounds.rules if each.id == rule), None)
    act = _since(found.body.get("check")) if found is not None else ""
    block = bounds.data.get(act)
    if isinstance(block, Mapping) and isinstance(block.get("fichier"), str):
        return str(block["fichier"])
    listed = bounds.data.get("pieces")
    same = [item.get("fichier") for item in (listed if isinstance(listed, list) else [])
            if isinstance(item, Mapping) and act and item.get("nature") == act]  # fmt: skip
    return same[0] if len(same) == 1 and isinstance(same[0], str) else ""


def _since(check: Any) -> str:
    """« etat_liquidatif », of the first `attested: {since: etat_liquidatif.date}`."""
    if isinstance(check, list | tuple):
        return next(filter(None, map(_since, check)), "")
    if not isinstance(check, Mapping):
        return ""
    own = check.get("attested")
    since = str(own.get("since") or "") if isinstance(own, Mapping) else ""
    return since.split(".")[0] or next(filter(None, (_since(check.get(key)) for key in ("all", "any"))), "")


def _named(names: Sequence[str]) -> str:
    return f"Celles qu'une personne atteste : {', '.join(names) or 'aucune'}."


# Writing


class Change(NamedTuple):
    """The new text of a dossier's file, and what it gains; nothing when all was already there."""

    text: str
    added: tuple[Attestation, ...]
    held: tuple[Attestation, ...]  # already there, word for word


def write(text: str, shown: str, wanted: Sequence[Attestation]) -> Change | list[Problem]:
    """The file with these attestations too, every other byte kept; or why not: all reasons at once."""
    try:
        document = yamlfile.parse(text.removeprefix("\ufeff"), shown)
    except yamlfile.YamlError as error:
        return list(error.problems)
    listed = document.data.get(KEY) if isinstance(document.data, dict) else None
    there = [(at, old) for at, old in enumerate(listed if isinstance(listed, list) else []) if isinstance(old, dict)]
    problems: list[Problem] = []
    added: list[Attestation] = []
    held: list[Attestation] = []
    for item in dict.fromkeys(wanted):
        said = [(at, old) for at, old in there if _plain(old.get("regle")) == item.regle]
        if any(_same(old, item) for _, old in said):
            held.append(item)
            continue
        for at, old in said:
            problems.append(
                document.problem(
                    f"{item.regle} est déjà attesté : {_said(old)}",
                    (KEY, at),
                    why=f"On voudrait écrire : {_said(item.data())}.",
                    todo="Retirer la première de dossier.yaml si elle ne vaut plus, puis recommencer.",
                )
            )
        added += [] if said else [item]
    problems += _contrary(added, shown)
    if problems:
        return problems
    if not added:
        return Change(text, (), tuple(held))
    try:
        new = inserted(text, KEY, [item.data() for item in added], [item.text() for item in added])
    except Refused as refused:
        todo = f"Y écrire à la main, sous `{KEY}:` : - {added[0].text()}"
        return [Problem("les attestations n'ont pas pu y être ajoutées", shown, why=f"{refused}.", todo=todo)]
    except yamlfile.YamlError as error:
        return list(error.problems)
    return Change(new, tuple(added), tuple(held))


def _contrary(added: Sequence[Attestation], shown: str) -> list[Problem]:
    """A rule decided twice, otherwise."""
    seen: dict[str, Attestation] = {}
    problems = []
    for item in added:
        first = seen.setdefault(item.regle, item)
        if first is not item:
            why = f"{_said(first.data())} ; {_said(item.data())}."
            what = f"{item.regle} : deux décisions différentes"
            problems.append(Problem(what, shown, why=why, todo="N'en garder qu'une."))
    return problems


def _same(old: Mapping[str, Any], new: Attestation) -> bool:
    """Whether the attestation is there, its digest or none."""
    said = {key: _plain(old.get(key)) for key in Attestation._fields} | {"date": _iso(_plain(old.get("date")))}
    wanted = {key: _plain(value) for key, value in new.data().items()}
    return said | {"sha256": said["sha256"].lower() or wanted["sha256"]} == wanted


def _said(item: Mapping[str, Any]) -> str:
    outcome, by, day = (_plain(item.get(key))[:80] for key in ("constat", "par", "date"))
    return inert(f"{outcome}, par {by}, le {day}")


def _plain(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _iso(text: str) -> str:
    found = _date(text)
    return text if found is None else found.isoformat()


def _date(value: Any) -> dt.date | None:
    try:
        return None if value is None else values.date(str(value))
    except values.Refused:
        return None
