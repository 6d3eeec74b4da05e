"""The clause is quoted verbatim, and every unit of the signed text is accounted for."""

from __future__ import annotations

import re

from checker.errors import Problem
from checker.model import Pack
from checker.model.frozen import frozen

_CUT = re.compile(r"(?<=\.)\s+(?=[A-ZÀÂÄÇÉÈÊËÎÏÔÖÙÛÜ])")


@frozen
class Unit:
    """A unit of the text: a non-blank line, cut after a full stop followed by a capital.

    `rules` quote it; `kind` and `reason` classify it when no rule does; `rest` is what no quote covers of it.
    """

    line: int
    text: str
    rules: tuple[str, ...]
    kind: str
    reason: str
    rest: str


def units(text: str) -> list[tuple[int, str]]:
    """(line from 1, unit) of a text, in order."""
    return [
        (number, piece.strip())
        for number, line in enumerate(text.splitlines(), start=1)
        for piece in _CUT.split(line.strip())
        if piece.strip()
    ]


def coverage(pack: Pack) -> tuple[list[Unit], list[Problem]]:
    """Every unit with what accounts for it, and the faults: quotes not found or found twice, units left alone."""
    lines = pack.text.splitlines()
    problems: list[Problem] = []
    quotes: list[tuple[int, str, str]] = []
    for rule in pack.rules:
        document = pack.sources[rule.place.file]
        if rule.source != "convention" or not pack.text or not rule.place.file.startswith(pack.folder.name + "/"):
            continue
        extra = [(str(item.get("quote", "")), item.get("line")) for item in rule.body.get("quotes", [])]
        for quote, wanted in [(rule.clause.quote, rule.clause.line), *extra]:
            found = [number for number, line in enumerate(lines, start=1) if quote in line]
            where = (*rule.key, "clause", "quote")
            if not found:
                problems.append(
                    document.problem(f"{rule.id} : la citation n'est pas dans le texte : « {quote} »", where)
                )
            elif wanted is not None and wanted not in found:
                problems.append(
                    document.problem(
                        f"{rule.id} : la citation n'est pas à la ligne {wanted}",
                        where,
                        todo=f"Elle est aux lignes {found}.",
                    )
                )
            elif len(found) > 1 and wanted is None:
                problems.append(
                    document.problem(
                        f"{rule.id} : la citation est aux lignes {found}", where, todo="Dire laquelle par `line:`."
                    )
                )
            else:
                quotes.append((wanted or found[0], quote, rule.id))
    found_units = [_unit(line, text, quotes, pack) for line, text in units(pack.text)]
    document = pack.sources[f"{pack.folder.name}/pack.yaml"]
    for index, entry in enumerate(pack.units):
        if not any(
            str(entry.get("quote")) in unit.text and entry.get("line", unit.line) == unit.line for unit in found_units
        ):
            problems.append(document.problem(f"unité classée introuvable : « {entry.get('quote')} »", ("units", index)))
    for unit in found_units:
        if not unit.rules and not unit.kind:
            problems.append(
                Problem(
                    "cette phrase n'est ni citée ni classée", f"{pack.folder.name}/texte", unit.line, 1, unit.text[:120]
                )
            )
    return found_units, problems


def _unit(line: int, text: str, quotes: list[tuple[int, str, str]], pack: Pack) -> Unit:
    rest = text
    rules: dict[str, None] = {}
    for number, quote, rule in sorted(quotes, key=lambda item: -len(item[1])):
        if number == line and quote in text:
            rest = rest.replace(quote, "·")
            rules[rule] = None
        elif number == line and text in quote:
            rest, rules[rule] = "", None
    kind = reason = ""
    for entry in pack.units:
        if str(entry.get("quote")) in text and entry.get("line", line) == line:
            kind, reason = str(entry.get("kind", "")), str(entry.get("reason", ""))
            rest = rest.replace(str(entry["quote"]), "·")
    return Unit(line, text, tuple(sorted(rules)), kind, reason, rest.strip(" ·,;:.-"))
