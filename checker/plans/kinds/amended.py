"""The amendments can be applied on that date: both signatures, the deliberation, not before the last signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Expr, Literal
from checker.model import Amendment
from checker.plans.scope import Check, Scope

WORDS = {
    "non_conforme": "Un avenant dont l'effet est antérieur ne s'applique pas : {avenants}.",
    "indetermine": "Il ne peut être dit si les avenants s'appliquent : {avenants}.",
}
SCHEMA = {"type": "object", "properties": {"on": {"type": "string"}}, "required": ["on"]}
EXAMPLE = "amended: {on: etat_liquidatif.date}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """AND over the amendments; judged only on the days that come after the effect of one of them."""
    on = tree.exact(scope.expr(options["on"], "on"))
    amendments = scope.pack.amendments
    due = tree.either(*[_due(item, on) for item in amendments]) if amendments else tree.FALSE
    ok = tree.both(*[_applies(item, on) for item in amendments]) if amendments else tree.TRUE
    said = "; ".join(
        f"{item.file} ({_lacks(item)})" for item in amendments if not item.complete or item.applies_from != item.effect
    )
    words = {
        outcome: text.replace("{avenants}", (said or "-").replace("{", "(").replace("}", ")"))
        for outcome, text in WORDS.items()
    }
    return Check(ok, on, when=due, about=(on,), words=words)


def _due(item: Amendment, on: Expr) -> Expr:
    return tree.UNKNOWN if item.effect is None else tree.compare("ge", on, Literal("date", item.effect))


def _applies(item: Amendment, on: Expr) -> Expr:
    if item.effect is None:
        return tree.UNKNOWN
    before = tree.compare("lt", on, Literal("date", item.effect))
    if item.applies_from is None:
        return before
    return tree.either(before, tree.compare("ge", on, Literal("date", item.applies_from)))


def _lacks(item: Amendment) -> str:
    missing = [f"signature {party}" for party, day in item.signatures.items() if day is None]
    missing += [] if item.deliberation else ["délibération"]
    missing += [] if item.effect else ["date d'effet"]
    return ", ".join(missing) or f"en vigueur depuis le {item.applies_from:%d/%m/%Y}"
