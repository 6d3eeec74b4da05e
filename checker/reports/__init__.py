"""Verdicts -> bytes. One file in `formats/` is one format; only the asked one is imported."""

from __future__ import annotations

from collections.abc import Iterator

from checker.base import plugs
from checker.base.words import words
from checker.model import Verdicts
from checker.reports import formats as _folder  # imported before the function that takes its name here

_SOCKET = _folder.__name__


def formats() -> tuple[str, ...]:
    """The public names of the formats."""
    return plugs.names(_SOCKET)


def drawn(format: str) -> bool:
    """Whether the format shows more than verdicts: figures, the text of the conventions, letters."""
    return bool(getattr(plugs.load(_SOCKET, format), "DRAWN", False))


def render(verdicts: Verdicts, format: str, *, lang: str = "fr", color: bool = False, width: int = 100) -> bytes:
    """The report of a run in that format; ValueError, naming the nearest, for a format that does not exist."""
    return b"".join(stream(verdicts, format, lang=lang, color=color, width=width))


def stream(
    verdicts: Verdicts, format: str, *, lang: str = "fr", color: bool = False, width: int = 100
) -> Iterator[bytes]:
    """The same in parts, where the format is written as it is made."""
    if format not in formats():
        near = plugs.nearest(format, formats())
        raise ValueError(f"{format!r}: {f'{near} ?' if near else ', '.join(formats())}")
    plug = plugs.load(_SOCKET, format)
    if hasattr(plug, "stream"):
        yield from plug.stream(verdicts, words(lang), color=color, width=width)
    else:
        yield plug.render(verdicts, words(lang), color=color, width=width)
