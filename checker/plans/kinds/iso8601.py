"""A text is a date or a duration of ISO 8601: a date may stop early, leave a part out (« - ») or span two (« a/b »)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import tree
from checker.base.tree import Call, Literal
from checker.plans.expressions import pattern
from checker.plans.scope import Check, Fault, Scope

WORDS = {"non_conforme": "« {observed} » n'est pas {nature} d'ISO 8601."}
SCHEMA = {
    "type": "object",
    "properties": {
        "value": {"type": "string"},
        "as": {"enum": ["date", "whole_date", "duration"]},
        "excluded": {"type": "boolean"},
    },
    "required": ["value", "as"],
}
EXAMPLE = "iso8601: {value: depenses.periode, as: date}"

_YEAR, _MONTH = "[0-9]{4}", "(0[1-9]|1[0-2])"
_DAY = (  # of its month
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
_ZONE = r"(Z|(\+|-)([01][0-9]|2[0-3]):[0-5][0-9])?"
_TIME = rf"([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?)?{_ZONE}"
_WHOLE = f"({_YEAR}-{_DAY}|{_LEAP})(T{_TIME})?"
_EARLY = f"{_YEAR}(-{_MONTH})?"
_DATE = "(0[1-9]|[12][0-9]|3[01])"
_HOUR, _SIXTY = "([01][0-9]|2[0-3])", "[0-5][0-9]"
_SOME_TIME = rf"T({_HOUR}:-:{_SIXTY}|-(:({_SIXTY}|-)(:({_SIXTY}|-))?)?)"  # the hour or the minute left out
_TAIL = f"({_SOME_TIME}|T{_TIME})?"
_GAPS = (
    f"(--{{1,2}}({_MONTH}|-)(-{{1,2}}({_DATE}|-))?{_TAIL}"  # no year
    f"|{_YEAR}-{{1,2}}-(-{{1,2}}({_DATE}|-))?{_TAIL}"  # no month
    f"|{_YEAR}-{_MONTH}-{{1,2}}-{_TAIL}|{_YEAR}-{_DAY}{_SOME_TIME})"  # no day; no hour
)
_NUMBER = "[0-9]+"
_LAST = r"[0-9]+((\.|,)[0-9]+)?"


def _chain(units: str) -> str:
    """Numbers of these units in order, each once at most, at least one; a decimal only on the last one."""
    choices = []
    for index, unit in enumerate(units):
        before = "".join(f"({_NUMBER}{item})?" for item in units[:index])
        choices.append(f"{before}{_LAST}{unit}")
    return "(" + "|".join(choices) + ")"


_WHOLE_PART = "".join(f"({_NUMBER}{unit})?" for unit in "YMD")
PATTERNS = {
    "date": f"({_WHOLE}|{_EARLY}|{_GAPS})(/({_WHOLE}|{_EARLY}|{_GAPS}))?|-{{4,8}}T{_TIME}",
    "whole_date": _WHOLE,
    "duration": f"P({_chain('YMD')}|{_WHOLE_PART}T{_chain('HMS')}|{_LAST}W)",
}
_SAID = {"date": "une date", "whole_date": "une date complète", "duration": "une durée"}


def compile(options: Mapping[str, Any], scope: Scope) -> Check:
    """The whole text matches the form; `excluded`: it must not."""
    value = tree.exact(scope.expr(options["value"], "value"))
    if tree.family(value.type) != "text":
        raise Fault(f"iso8601 attend un texte, pas {value.type}", (*scope.base, "value"))
    form = str(options["as"])
    literal = Literal("string", pattern(PATTERNS[form], (*scope.base, "as")))
    found = Call("boolean", "match", (value, literal))
    words = {outcome: text.replace("{nature}", _SAID[form]) for outcome, text in WORDS.items()}
    return Check(tree.negate(found) if options.get("excluded") else found, value, about=(value,), words=words)
