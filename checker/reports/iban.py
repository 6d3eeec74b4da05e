"""IBAN inside a text: by their country's length and their key; a French one of the right form even with a wrong key."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Country and length, as the IBAN registry (SWIFT, ISO 13616) has them.
_LENGTHS = {
    found[:2]: int(found[2:])
    for found in (
        "ad24 ae23 al28 at20 az28 ba20 be16 bg22 bh22 bi27 br29 by28 ch21 cr22 cy28 cz24 de22 dj27 dk18 do28 ee20 eg29 "
        "es24 fi18 fk18 fo18 fr27 gb22 ge22 gi23 gl18 gr27 gt28 hn28 hr21 hu28 ie22 il23 iq23 is26 it27 jo30 kw30 kz20 "
        "lb28 lc32 li21 lt20 lu20 lv21 ly25 mc27 md24 me22 mk19 mn20 mr27 mt31 mu30 ni28 nl18 no15 om23 pk24 pl28 ps29 "
        "pt25 qa29 ro24 rs22 ru33 sa24 sc31 sd18 se24 si19 sk24 sm27 so23 st25 sv28 tl23 tn24 tr26 ua29 va22 vg24 xk20 "
        "ye30"
    ).split()
}
_START = re.compile(r"(?<![0-9])[a-z]{2}[0-9]{2}")  # after letters too: a code as understood has lost its blanks
_SIGN = re.compile(r"[ .-]{0,2}([a-z0-9])")
_FRENCH = re.compile(r"[a-z]{2}[0-9]{12}[0-9a-z]{11}[0-9]{2}")
_RIB = (4, 9, 14, 25)  # bank, branch, account, key: the other way of setting groups apart


def found(plain: str) -> Iterator[tuple[int, int]]:
    """Where an IBAN starts and ends in a text of plain letters, in one piece or in groups of four (or of a RIB)."""
    at = 0
    while (start := _START.search(plain, at)) is not None:
        end = _end(plain, start.start())
        if end:
            yield start.start(), end
        at = end or start.start() + 1


def _end(plain: str, start: int) -> int:
    """Where the IBAN that starts there ends; 0: there is none."""
    length = _LENGTHS.get(plain[start : start + 2], 0)
    compact, at = "", start
    gaps = []
    while len(compact) < length:
        sign = _SIGN.match(plain, at)
        if sign is None:
            return 0
        if sign.start(1) > at:
            gaps.append(len(compact))
        compact, at = compact + sign[1], sign.end()
    grouped = all(gap % 4 == 0 for gap in gaps) or all(gap in _RIB for gap in gaps)
    if not length or not grouped or plain[at : at + 1].isalnum():
        return 0
    french = compact[:2] in ("fr", "mc") and _FRENCH.fullmatch(compact) is not None
    return at if french or _key(compact) else 0


def _key(compact: str) -> bool:
    """ISO 7064: the number that the letters and digits write is 1 modulo 97."""
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1
