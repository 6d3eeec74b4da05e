"""Amounts written in French words (folded text: no accents, no dashes)."""

from __future__ import annotations

from decimal import Decimal

_UNITS = {
    word: number
    for number, word in enumerate(
        "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize".split()
    )
} | {"une": 1}
_TENS = {"vingt": 20, "vingts": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60}
_TENS |= {"septante": 70, "huitante": 80, "octante": 80, "nonante": 90}
_SCALES = {"million": 10**6, "millions": 10**6, "milliard": 10**9, "milliards": 10**9}


def _whole(words: list[str]) -> int | None:
    """The number these words say, or None when a word is not one of a number."""
    total = group = 0
    for word in words:
        if word in ("et", "de", "d"):
            continue
        if word in _UNITS:
            group += _UNITS[word]
        elif word in ("vingt", "vingts") and group % 100 == 4:
            group += 76  # quatre-vingt
        elif word in _TENS:
            group += _TENS[word]
        elif word in ("cent", "cents"):
            group = max(group, 1) * 100 if group < 100 else -1
        elif word in ("mille", "mil"):
            total += max(group, 1) * 1000
            group = 0
        elif word in _SCALES:
            total += max(group, 1) * _SCALES[word]
            group = 0
        else:
            return None
        if group < 0 or group > 999:
            return None
    return total + group


def amount(folded: str) -> Decimal | None:
    """Euros and cents, or None when the text is not an amount in words."""
    words = folded.split()
    euro = next((index for index, word in enumerate(words) if word in ("euro", "euros")), None)
    head = words if euro is None else words[:euro]
    tail = [] if euro is None else [word for word in words[euro + 1 :] if word not in ("centime", "centimes", "ttc")]
    whole = _whole(head) if head else None
    cents = _whole(tail) if tail else 0
    if whole is None or cents is None or cents > 99:
        return None
    return Decimal(whole) + Decimal(cents) / 100
