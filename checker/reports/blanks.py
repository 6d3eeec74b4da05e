"""The blanks of a page that a library lays out: those where no line may end, those that end one for nothing.

rich breaks a line at any blank. For one that must not break stands a non-character: `inert` lets no text hold it.
"""

from __future__ import annotations

import re

from checker.reports.inert import inert

_KEPT = {"\u00a0": "\ufdd0", "\u202f": "\ufdd1", "\u2007": "\ufdd2", " ": "\ufdd3"}
_HIDDEN = str.maketrans({blank: mark for blank, mark in _KEPT.items() if blank != " "})
_GIVEN_BACK = str.maketrans({mark: blank for blank, mark in _KEPT.items()})
_FRENCH = re.compile("(?<=\u00ab) |(?<=art\\.) | (?=[:;?!%\u20ac\u00bb])")  # plain spaces that French never breaks
_ENDS = re.compile(r"(?: |\x1b\[[\d;]*m)+$", re.MULTILINE)


class Whole(str):
    """A text that no line end may cut."""

    __slots__ = ()


def held(text: str) -> str:
    """The text made inert, its blanks that must not break hidden."""
    blank = " " if isinstance(text, Whole) else _FRENCH
    return re.sub(blank, _KEPT[" "], inert(text)).translate(_HIDDEN)


def given_back(page: str) -> str:
    """The page with the blanks that `held` hid."""
    return page.translate(_GIVEN_BACK)


def trimmed(page: str) -> str:
    """The page without plain spaces at the end of a line, painted or not."""
    return _ENDS.sub(lambda found: found[0].replace(" ", ""), page)
