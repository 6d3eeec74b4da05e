"""A fact or an act that must be there: blank is a breach, absent or unreadable is unknown; an act must be given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.tree import Column, Literal, StateOf
from checker.model import State
from checker.plans.scope import Check, Fault, Scope, present

WORDS = {"non_conforme": "{titre} : rien n'est indiqué.", "indetermine": "{titre} : inconnu ou illisible."}
SCHEMA = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "only_blank": {"type": "boolean"}},
    "required": ["value"],
}
EXAMPLE = "required: {value: certification}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """present(value); of a parameter (`$name`): it is given; of a list of the dossier: it has rows.

    `only_blank`: only a parameter written blank is a breach, an unknown one is another rule's matter.
    """
    source = str(options["value"])
    if source.startswith("$"):
        return _parameter(source[1:], scope, bool(options.get("only_blank")))
    if source in scope.dictionary.tables:
        return _list(source, scope)
    node = scope.expr(source, "value")
    if not isinstance(node, Column):
        raise Fault("required attend une colonne, un bloc ou un paramètre", (*scope.base, "value"))
    words = _said(scope.field(node).title)
    return Check(present(scope, node), observed=None if node.type == "block" else node, about=(node,), words=words)


def _said(title: str) -> dict[str, str]:
    return {
        outcome: text.replace("{titre}", title.replace("{", "(").replace("}", ")")) for outcome, text in WORDS.items()
    }


def _list(name: str, scope: Scope) -> Check:
    table = scope.dictionary.tables[name]
    state = StateOf("number", table.parent or ROOT, f"{name}[]")
    given = tree.Call("boolean", "eq", (state, Literal("number", int(State.KNOWN))))
    unreadable = tree.Call("boolean", "eq", (state, Literal("number", int(State.UNREADABLE))))
    ok = tree.Call("boolean", "case", (given, tree.TRUE, unreadable, tree.UNKNOWN, tree.FALSE))
    return Check(ok, subject=table.parent, words=_said(table.title))


def _parameter(name: str, scope: Scope, only_blank: bool) -> Check:
    found = scope.parameter(name, (*scope.base, "value"))
    words = _said(found.title or name)
    if any(item.blank for item in found.values):
        return Check(tree.FALSE, words=words)
    if only_blank:
        return Check(tree.TRUE, words=words)
    if not any(item.value is not None for item in found.values):
        scope.waits_for.append(name)
        return Check(tree.UNKNOWN, words=words)
    return Check(tree.TRUE, observed=None if found.many else tree.exact(scope.value_of(name)), words=words)
