"""Text from a dossier, made harmless: what a terminal, a log or a reader's eye would obey becomes visible."""

from __future__ import annotations

import re

# Controls, soft hyphen, zero-width and direction marks, line separators, tags, lone surrogates, non-characters.
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff\ud800-\udfff]"
)
_SHORT = {"\n": "\u21b5", "\r\n": "\u21b5", "\r": "\u21b5", "\t": "\u21e5"}


def _visible(found: re.Match[str]) -> str:
    char = found[0]
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def inert(text: str, limit: int | None = None) -> str:
    """One line: a value as read, its controls and direction marks written out, cut to `limit` characters."""
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "\u2026"
    return _OBEYED.sub(_visible, text)


def phrase(text: str, limit: int | None = None) -> str:
    """One line: a sentence, its runs of blanks and line ends as one space (no-break spaces stay)."""
    return inert(re.sub(r"[ \t\r\n\f\v]+", " ", text).strip(), limit)


def xml(text: str) -> str:
    """A sentence of several lines, without what XML 1.0 forbids."""
    return "\n".join(inert(line) for line in text.split("\n"))


def encode(text: str) -> bytes:
    """UTF-8, whatever the text holds."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text).encode()
