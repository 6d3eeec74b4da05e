"""The computation of a result, as labels and texts: what was seen, what was expected, each term, each place."""

from __future__ import annotations

from collections.abc import Iterator

from checker.base.words import Words, words
from checker.model import Finding, Place, Result

Pair = tuple[str, str]


def result(found: Result, said: Words | None = None) -> Iterator[Pair]:
    """The result itself, then each of its findings (an empty pair between two); in French when no words are given."""
    said = said or words("fr")
    counts = ", ".join(f"{count} {said[f'outcome.{outcome.word}']}" for outcome, count in sorted(found.counts.items()))
    yield said["trace.outcome"], f"{said[f'outcome.{found.outcome.word}']} ({counts})"
    clause = said["text.article_of"].format(article=found.clause.article, quote=found.clause.quote)
    yield said["trace.clause"], clause
    for item in found.findings:
        yield "", ""
        yield from _finding(item, said)


def _finding(item: Finding, said: Words) -> Iterator[Pair]:
    yield item.subject, said[f"outcome.{item.outcome.word}"]
    texts = (
        (said["trace.observed"], item.observed),
        (said["trace.expected"], item.expected),
        (said["trace.message"], item.message),
        (said["trace.reason"], item.reason),
        (said["trace.missing"], said["list.comma"].join(item.missing)),
        *item.trace,
    )
    yield from ((f"  {label}", text) for label, text in texts if text)
    excerpts = item.excerpts or ("",) * len(item.locations)
    for place, excerpt in zip(item.locations, excerpts, strict=False):
        seen = said["trace.quoted"].format(text=excerpt) if excerpt else ""
        yield f"  {said['trace.read']}", "  ".join(part for part in (_where(place), seen) if part)


def _where(place: Place) -> str:
    return ":".join(str(part) for part in (place.file, place.place, place.line, place.column) if part is not None)
