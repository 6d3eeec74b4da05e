"""The one door of typst: a template of `pages/` and what it shows -> the bytes of a PDF/A-2a and PDF/UA-1.

What is shown travels as JSON beside the template, never inside it: `#include`, `$` or `\\` in a value are characters.
Only the fonts of `pages/fonts/` are used; a character that they do not have is U+FFFD, which they do have.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.base.words import Words
from checker.errors import Problem, UsageError
from checker.reports.inert import inert

if TYPE_CHECKING:
    from typst import Fonts, PDFStandard

PAGES = Path(__file__).parent / "pages"
FONTS = PAGES / "fonts"
UNDATED = dt.date(1980, 1, 1)
_PARTS: list[PDFStandard] = ["a-2a", "ua-1"]


def compile(
    template: str, data: Mapping[str, Any], words: Words, *, title: str, format: str, day: dt.date | None = None
) -> bytes:
    """The document that `pages/{template}` makes of `data`, in the language of `words`; same data, same bytes.

    `data`: what JSON holds, read in the template by `given()` of common.typ. `title`: as a reader of the file shows it.
    `day`: when the file says it was made, the day of control and never the clock's. `format`: named when the library is
    missing, which is a UsageError.
    """
    try:
        import typst
    except ImportError:
        said = words["flat.library"].format(format=format, library="typst")
        raise UsageError([Problem(said, todo=words["flat.install"])]) from None

    day = day or UNDATED
    made = [day.year, day.month, day.day]
    about = {"title": title, "lang": words["lang"], "day": made, "page": words["typeset.page"]}
    return typst.compile(
        str(PAGES / template),
        root=str(PAGES),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": json.dumps(shown({**data, "document": about}), ensure_ascii=False)},
        pdf_standards=_PARTS,
        timestamp=dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC),
    )


def shown(value: Any) -> Any:
    """The value, each text of it inert and made of characters that the fonts have."""
    if isinstance(value, str):
        return _uncovered().sub("\ufffd", inert(value))
    if isinstance(value, Mapping):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    return value


@functools.cache
def _fonts() -> Fonts:
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


@functools.cache
def _uncovered() -> re.Pattern[str]:
    """A character outside `fonts/covered.txt`, which lists what the fonts have."""
    spans = [line.split("-") for line in (FONTS / "covered.txt").read_text("ascii").splitlines()]
    signs = "".join(rf"\U{int(first, 16):08x}-\U{int(last, 16):08x}" for first, last in spans)
    return re.compile(f"[^{signs}]")
