"""The signatory is a person of the role, of that direction, in function on the day, for the amount.

Nobody of that name: a breach. A person whose limit, dates or act is unknown: cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree, values
from checker.base.tree import Expr, Literal
from checker.model import Person
from checker.plans.scope import Check, Scope

WORDS = {
    "non_conforme": "« {observed} » n'était pas habilité(e) à signer cet acte.",
    "indetermine": "L'habilitation de « {observed} » ne peut être établie.",
}
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "role": {"type": "string"},
        "direction": {"type": "string"},
        "on": {"type": "string"},
        "amount": {"type": "string"},
        "only_named": {"type": "boolean"},
        "only_executory": {"type": "boolean"},
    },
    "required": ["name", "role", "on"],
}
EXAMPLE = """
signed_by:
  name: certification.signature.nom
  direction: certification.signature.direction
  role: certification
  on: certification.signature.date
  amount: certification.montant
"""


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """OR over the persons of the role.

    `only_named`: judged only when a person of the role has that name, else nothing to say. `only_executory`: only the
    executory flag of the act is judged, for delegates of that name.
    """
    name = tree.exact(scope.expr(options["name"], "name"))
    on = tree.exact(scope.expr(options["on"], "on"))
    direction = tree.exact(scope.expr(options["direction"], "direction")) if "direction" in options else None
    amount = tree.exact(scope.expr(options["amount"], "amount")) if "amount" in options else None
    persons = [person for person in scope.pack.persons if person.role == options["role"]]
    about = tuple(node for node in (name, direction, on) if node is not None)
    if options.get("only_executory"):
        return _executory(persons, name, about)
    matches = [_match(person, name, direction, on, amount) for person in persons]
    ok = tree.either(*matches) if matches else tree.compare("eq", name, Literal(name.type, "\u0000"))
    when = tree.either(*[_named(person, name) for person in persons]) if options.get("only_named") else None
    return Check(ok, name, when=when, about=about)


def _named(person: Person, name: Expr) -> Expr:
    return tree.compare("eq", name, Literal(name.type, values.person(person.name)))


def _match(person: Person, name: Expr, direction: Expr | None, on: Expr, amount: Expr | None) -> Expr:
    conditions = [_named(person, name)]
    if direction is not None and person.direction:
        conditions.append(tree.compare("eq", direction, Literal(direction.type, values.organisation(person.direction))))
    if person.start is not None:
        conditions.append(tree.compare("ge", on, Literal("date", person.start)))
    if person.end is not None:
        conditions.append(tree.compare("le", on, Literal("date", person.end)))
    if person.delegate and (person.start is None or person.end is None):
        conditions.append(tree.UNKNOWN)
    if person.limit is not None:
        conditions.append(
            tree.compare("le", amount, Literal("money", person.limit)) if amount is not None else tree.UNKNOWN
        )
    if person.delegate:
        acted = person.act_date
        conditions.append(tree.UNKNOWN if acted is None else tree.compare("ge", on, Literal("date", acted)))
        conditions.append(Literal("boolean", person.executory))
    return tree.both(*conditions)


def _executory(persons: list[Person], name: Expr, about: tuple[Expr, ...]) -> Check:
    holders = {(values.person(item.name), values.organisation(item.direction)) for item in persons if not item.delegate}
    delegates = [
        item
        for item in persons
        if item.delegate and (values.person(item.name), values.organisation(item.direction)) not in holders
    ]
    named = tree.either(*[_named(person, name) for person in delegates]) if delegates else tree.FALSE
    ok = (
        tree.either(*[tree.both(_named(person, name), Literal("boolean", person.executory)) for person in delegates])
        if delegates
        else tree.TRUE
    )
    return Check(ok, name, when=named, about=about)
