"""The computation of a result, as labels and texts: what was seen, what was expected, each term, each place."""

from __future__ import annotations

from collections.abc import Iterator

from checker.base.words import words
from checker.model import Finding, Place, Result

Pair = tuple[str, str]


def result(found: Result) -> Iterator[Pair]:
    """The result itself, then each of its findings (an empty pair between two)."""
    said = words("fr")
    counts = ", ".join(f"{count} {said[f'outcome.{outcome.word}']}" for outcome, count in sorted(found.counts.items()))
    yield "Résultat", f"{said[f'outcome.{found.outcome.word}']} ({counts})"
    yield "Clause", f"article {found.clause.article} : « {found.clause.quote} »"
    for item in found.findings:
        yield "", ""
        yield from _finding(item)


def _finding(item: Finding) -> Iterator[Pair]:
    yield item.subject, words("fr")[f"outcome.{item.outcome.word}"]
    texts = (
        ("constaté", item.observed),
        ("attendu", item.expected),
        ("message", item.message),
        ("raison", item.reason),
        ("manque", ", ".join(item.missing)),
        *item.trace,
    )
    yield from ((f"  {label}", text) for label, text in texts if text)
    excerpts = item.excerpts or ("",) * len(item.locations)
    for place, excerpt in zip(item.locations, excerpts, strict=False):
        yield "  lu", f"{_where(place)}  « {excerpt} »" if excerpt else _where(place)


def _where(place: Place) -> str:
    return ":".join(str(part) for part in (place.file, place.place, place.line, place.column) if part is not None)
