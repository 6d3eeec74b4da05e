"""A piece of that nature is listed: for each line (`for: lignes`), or for the dossier (`for: dossier`).

A piece without `lignes` may belong to any line: it settles a dossier of one line only, elsewhere it cannot be told.
Two lines of one number cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.tree import Call, Literal
from checker.model import State
from checker.plans import lets
from checker.plans.scope import Check, Fault, Scope

WORDS = {
    "non_conforme": "Aucune pièce de nature « {nature} ».",
    "indetermine": "La pièce de nature « {nature} » ne peut être rattachée avec certitude.",
}
SCHEMA = {
    "type": "object",
    "properties": {"nature": {"type": "string"}, "for": {"enum": ["lignes", "dossier"]}},
    "required": ["nature", "for"],
}
EXAMPLE = "documents: {nature: facture, for: lignes}"


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """EXISTS a piece of the nature; for lines: one that names the line, or names none."""
    nature = str(options["nature"])
    known = scope.dictionary.tables["pieces"].fields["nature"].enum
    if nature not in known:
        raise Fault(
            f"nature de pièce inconnue : « {nature} »", (*scope.base, "nature"), "Connues : " + ", ".join(known)
        )
    words = {outcome: text.replace("{nature}", nature) for outcome, text in WORDS.items()}
    if options["for"] == "dossier":
        let = lets.aggregate(scope, scope.fresh("piece"), "exists", "pieces", where=f"pieces.nature = '{nature}'")
        return Check(_listed(scope.add(let)), subject=ROOT, words=words)
    if scope.subject != "depenses":
        raise Fault("`for: lignes` va avec `for_each: depenses`", scope.base)
    lines = scope.fresh("lignes")
    scope.names[lines] = scope.add(lets.aggregate(scope, lines, "count", "depenses"))
    condition = f"pieces.nature = '{nature}' and (pieces.lignes.valeur = depenses.ligne or {lines} = 1)"
    let = lets.aggregate(scope, scope.fresh("piece"), "exists", "pieces.lignes", where=condition)
    found = scope.add(let)
    twins = lets.aggregate(scope, scope.fresh("lignes"), "count", "depenses", by="depenses.ligne")
    alone = tree.compare("le", tree.exact(scope.add(twins)), Literal("number", 1))
    ok = Call("boolean", "case", (alone, found, tree.UNKNOWN))
    return Check(_listed(ok), about=(scope.column("depenses.ligne"),), words=words)


def _listed(found: tree.Expr) -> tree.Expr:
    """No list of pieces is no piece: a nature that no entry has is a breach."""
    state = tree.StateOf("number", ROOT, "pieces[]")
    without = Call("boolean", "in", (state, *(Literal("number", int(item)) for item in (State.BLANK, State.ABSENT))))
    return Call("boolean", "case", (without, tree.FALSE, found))
