"""Which outcomes a plan can have, from its trees alone."""

from __future__ import annotations

from checker.base import tree
from checker.base.dictionary import ROOT, Dictionary
from checker.base.tree import Call, Expr, Literal, Part, Plan
from checker.model import Outcome


def outcomes(plan: Plan, dictionary: Dictionary) -> frozenset[Outcome]:
    """The outcomes that some dossier can give this plan (never too few)."""
    found = [_part(part, dictionary) for part in plan.parts]
    every = frozenset().union(*found) if found else frozenset()
    if any(Outcome.CONFORME not in item and Outcome.SANS_OBJET not in item for item in found):
        every -= {Outcome.CONFORME}
    if any(Outcome.SANS_OBJET not in item for item in found):
        every -= {Outcome.SANS_OBJET}
    return every


def _part(part: Part, dictionary: Dictionary) -> frozenset[Outcome]:
    found = {_BY_TRUTH[value] for value in _truths(part.ok)}
    if part.soft and Outcome.NON_CONFORME in found:
        found = found - {Outcome.NON_CONFORME} | {Outcome.INDETERMINE}
    if part.when is not None:
        truths = _truths(part.when)
        if True not in truths:
            found = set()
        found |= {
            outcome for value, outcome in ((False, Outcome.SANS_OBJET), (None, Outcome.INDETERMINE)) if value in truths
        }
    if part.stage > 0:
        found.add(Outcome.SANS_OBJET)
    if part.subject != ROOT:
        found.add(Outcome.INDETERMINE if dictionary.tables[part.subject].mandatory else Outcome.SANS_OBJET)
    return frozenset(found)


_BY_TRUTH = {True: Outcome.CONFORME, False: Outcome.NON_CONFORME, None: Outcome.INDETERMINE}
_ANY = frozenset({True, False, None})


def _truths(node: Expr) -> frozenset[bool | None]:
    if isinstance(node, Literal):
        return frozenset({node.value if isinstance(node.value, bool) else None})
    if isinstance(node, tree.Column) and node.type == "block":
        return _ANY
    if isinstance(node, Call) and node.op == "case":
        values = [*node.args[1::2], node.args[-1]] if len(node.args) % 2 else list(node.args[1::2])
        return frozenset().union(*(_truths(value) for value in values)) | (
            frozenset() if len(node.args) % 2 else {None}
        )
    if isinstance(node, Call) and node.op in ("and", "or"):
        stop = node.op == "or"
        parts = [_truths(arg) for arg in node.args]
        found: set[bool | None] = set()
        if any(stop in part for part in parts):
            found.add(stop)
        if all((not stop) in part for part in parts):
            found.add(not stop)
        if any(None in part for part in parts):
            found.add(None)
        return frozenset(found)
    if isinstance(node, Call) and node.op == "not":
        return frozenset(None if value is None else not value for value in _truths(node.args[0]))
    return _ANY
