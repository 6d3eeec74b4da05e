"""From a first date to the end, never more than so many civil years without an event (prescription).

A deadline is the 31 December of the n-th year after an event.

`events`: dates of the dossier that interrupt; `rows`: a column of dates whose rows interrupt too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Aggregate, Bounded, Call, Column, Expr, Literal, Scalar
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "Le délai s'est éteint le {expected} ; au {observed}, il était trop tard."}
SCHEMA = {
    "type": "object",
    "properties": {
        "start": {"type": "string"},
        "events": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "string"},
        "until": {"type": "string"},
        "at_most": {"type": ["integer", "string"]},
        "unit": {"enum": ["civil_years"]},
    },
    "required": ["start", "until", "at_most", "unit"],
}
EXAMPLE = """
no_gap:
  start: depenses.service_fait.date
  events: [date_reception]
  rows: interruptions_prescription.date
  until: date_controle
  at_most: 4
  unit: civil_years
"""
ROUNDS = 3  # interruptions in a chain, each in the delay that the one before opened; a longer chain is not told


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """until <= deadline, the deadline being pushed by each event that falls before it, as often as there are events.

    The deadline kept is the certain one: unknown events push nothing, and then a late `until` is unknown.
    """
    years = tree.exact(scope.expr(options["at_most"], "at_most"))
    start, until = (tree.exact(scope.expr(options[key], key)) for key in ("start", "until"))
    events = [tree.exact(scope.expr(source, "events", index)) for index, source in enumerate(options.get("events", []))]
    rows = tree.exact(scope.expr(options["rows"], "rows")) if "rows" in options else None
    if any(node.type != "date" for node in (start, until, *events)):
        raise Fault("no_gap attend des dates", scope.base)
    before = certain = _named(scope, _deadline(start, years))
    for _ in range(ROUNDS):
        before, certain = certain, _push(scope, events, rows, certain, years)
    unknown = tree.either(*[Call("boolean", "is_null", (event,)) for event in events]) if events else tree.FALSE
    if isinstance(rows, Column):
        let = Aggregate(scope.fresh("connues"), "all", rows.table, _known(scope, rows), None, (), "dossier", "boolean")
        unknown = tree.either(unknown, tree.negate(Call("boolean", "is_true", (scope.add(let),))))
    unknown = tree.either(unknown, tree.compare("gt", certain, before))
    alive = tree.compare("le", until, certain)
    ok = Call("boolean", "case", (Call("boolean", "is_true", (alive,)), tree.TRUE, unknown, tree.UNKNOWN, alive))
    return Check(ok, until, certain, about=(start, until))


def _deadline(day: Expr, years: Expr) -> Expr:
    return Call("date", "year_end", (day, years))


def _known(scope: Scope, rows: Column) -> Expr:
    state = tree.StateOf("number", rows.table, rows.name)
    return Call("boolean", "eq", (state, Literal("number", 0)))


def _named(scope: Scope, value: Expr) -> Expr:
    return scope.add(Scalar("date", scope.fresh("echeance"), value))


def _push(scope: Scope, events: list[Expr], rows: Expr | None, certain: Expr, years: Expr) -> Expr:
    """The deadline once every event that falls before it has pushed it."""
    pushes = list(events)
    if rows is not None:
        where = Call("boolean", "is_true", (tree.compare("le", rows, certain),))
        last = scope.add(
            Aggregate(scope.fresh("derniere"), "max", tree.columns(rows)[0][0], rows, where, (), "dossier", "date")
        )
        pushes.append(last.low if isinstance(last, Bounded) else last)
    pushed = certain
    for event in pushes:
        before = Call("boolean", "is_true", (tree.compare("le", event, certain),))
        later = Call("boolean", "is_true", (tree.compare("gt", _deadline(event, years), pushed),))
        pushed = Call("date", "case", (tree.both(before, later), _deadline(event, years), pushed))
    return _named(scope, pushed)
