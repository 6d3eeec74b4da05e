"""What the engines of SQL say alike. The table of one of them adds to `COMMON` what it says in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Full = Callable[[str, str], str]  # SQL of a match of a whole text by a pattern
Digit = Callable[[str, int], str]  # SQL of a sign of a text as a number

COMMON: Mapping[str, str] = {
    "integer": "BIGINT",  # what a boolean is counted in
    "not": "(NOT ({0}))",
    "eq": "({0} = {1})",
    "ne": "({0} <> {1})",
    "lt": "({0} < {1})",
    "le": "({0} <= {1})",
    "gt": "({0} > {1})",
    "ge": "({0} >= {1})",
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "neg": "(-({0}))",
    "length": "CAST(length({0}) AS BIGINT)",
    "greatest": "(CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN {0} >= {1} THEN {0} ELSE {1} END)",
    "least": "(CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN {0} <= {1} THEN {0} ELSE {1} END)",
    "is_true": "(({0}) IS TRUE)",
    "is_null": "(({0}) IS NULL)",
    "count_if": "COUNT(CASE WHEN {0} THEN 1 END)",
    "asc": "{0} ASC NULLS LAST",
    "zero": "CAST(0 AS DECIMAL(18,2))",
    "text": "'{0}'",
    "null_date": "CAST(NULL AS DATE)",
    "null_boolean": "CAST(NULL AS BOOLEAN)",
    "null_number": "CAST(NULL AS BIGINT)",
    "null_money": "CAST(NULL AS DECIMAL(18,2))",
    "null_letters": "CAST(NULL AS DECIMAL(18,2))",
    "null_percent": "CAST(NULL AS DECIMAL(9,4))",
}


def until_9999(day: str) -> str:
    """A date that Python can hold (`least` would pass over an unknown one)."""
    return f"(CASE WHEN {day} > DATE '9999-12-31' THEN DATE '9999-12-31' ELSE {day} END)"


def luhn(text: str, length: int, digit: Digit) -> str:
    """Luhn over `length` digits: the second digit from the right, and every other one, is doubled."""
    terms = []
    for position in range(1, length + 1):
        own = digit(text, position)
        doubled = (length - position) % 2 == 1
        terms.append(f"(CASE WHEN {own} * 2 > 9 THEN {own} * 2 - 9 ELSE {own} * 2 END)" if doubled else own)
    return f"(({' + '.join(terms)}) % 10 = 0)"


def siren(full: Full, digit: Digit) -> str:
    """The template of `siren`: nine digits, Luhn."""
    ends = luhn("{0}", 9, digit)
    return f"(CASE WHEN {{0}} IS NULL THEN NULL WHEN NOT {full('{0}', '[0-9]{{9}}')} THEN FALSE ELSE {ends} END)"


def siret(full: Full, digit: Digit) -> str:
    """The template of `siret`: fourteen digits, Luhn of all and of the SIREN; La Poste's may sum to a multiple of 5."""
    total = " + ".join(digit("{0}", place) for place in range(1, 15))
    return (
        f"(CASE WHEN {{0}} IS NULL THEN NULL WHEN NOT {full('{0}', '[0-9]{{14}}')} THEN FALSE "
        f"WHEN left({{0}}, 9) = '356000000' AND ({total}) % 5 = 0 THEN TRUE "
        f"ELSE {luhn('{0}', 14, digit)} AND {luhn('left({0}, 9)', 9, digit)} END)"
    )


def vat(full: Full, cast: str) -> str:
    """The template of `vat`: the key of a French number; `cast`: the word of a cast that refuses no text."""
    return (
        f"(CASE WHEN {{0}} IS NULL THEN NULL WHEN NOT {full('{0}', 'FR[0-9A-Z]{{2}}[0-9]{{9}}')} THEN FALSE "
        f"WHEN NOT {full('substr({0}, 3, 2)', '[0-9]{{2}}')} THEN NULL "
        f"ELSE {cast}(substr({{0}}, 3, 2) AS INTEGER) = "
        f"(12 + 3 * ({cast}(substr({{0}}, 5, 9) AS BIGINT) % 97)) % 97 END)"
    )


def iban(full: Full, rest: str) -> str:
    """The template of `iban`; `rest`: SQL of the number of the rearranged text modulo 97."""
    return (
        f"(CASE WHEN {{0}} IS NULL THEN NULL WHEN NOT {full('{0}', '[A-Z]{{2}}[0-9]{{2}}[A-Z0-9]{{11,30}}')} "
        f"OR (left({{0}}, 2) = 'FR' AND length({{0}}) <> 27) THEN FALSE ELSE {rest} = 1 END)"
    )


def letters_spelt() -> str:
    """The rearranged text of an IBAN, each letter as its number."""
    digits = "substr({0}, 5) || left({0}, 4)"
    for number, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", start=10):
        digits = f"replace({digits}, '{letter}', '{number}')"
    return digits
