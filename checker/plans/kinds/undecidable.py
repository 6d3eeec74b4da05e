"""What no dossier can show: declared so, with the reason; the result is « cannot be told », never green."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.plans.scope import Check, Scope

WORDS = {"indetermine": "Non décidable sur dossier : {raison}"}
SCHEMA = {"type": "object", "properties": {"reason": {"type": "string"}}, "required": ["reason"]}
EXAMPLE = 'undecidable: {reason: "aucun terme fixe n\'est stipulé."}'


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """Always unknown."""
    del scope
    words = {outcome: text.replace("{raison}", str(options["reason"])) for outcome, text in WORDS.items()}
    return Check(tree.UNKNOWN, words=words)
