"""A condition that no kind says: an SQL boolean expression, with the reason why no kind fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.plans.scope import Check, Scope

WORDS: dict[str, str] = {}
SCHEMA = {
    "type": "object",
    "properties": {
        "sql": {"type": "string"},
        "why": {"type": "string", "minLength": 10},
        "observed": {"type": "string"},
        "expected": {"type": "string"},
    },
    "required": ["sql", "why"],
}
EXAMPLE = """
expression:
  sql: left(cedant.centre_financier, 4) = left(cedant.domaine_fonctionnel, 4)
  why: compare des debuts de codes
"""


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """The condition as written."""
    ok = scope.boolean(options["sql"], "sql")
    observed = scope.expr(options["observed"], "observed") if "observed" in options else None
    expected = scope.expr(options["expected"], "expected") if "expected" in options else None
    return Check(ok, observed, expected, about=(ok,))
