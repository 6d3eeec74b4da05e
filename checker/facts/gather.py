"""The facts of many dossiers: from what is kept, or read, by one process or several. Door: `gather`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from checker.base import clock
from checker.facts import crew, kept, packed
from checker.model import Dossier, Fault, Place

One = Callable[[Dossier, set[str]], packed.Known]


def gather(found: Sequence[Dossier], one: One, held: kept.Kept | None, jobs: int = 0) -> Iterator[packed.Known]:
    """The facts of each dossier and the convention that it names, in order, whatever the number of processes.

    `one` reads a dossier and says which files it read; `held`: what is kept between runs; `jobs` 0: by the machine.
    A dossier whose reader process crashed cannot be read, and says so.
    """

    def load(item: Dossier) -> packed.Known:
        if held is None:
            clock.count("dossiers lus")
            return one(item, set())
        known = held.get(item)
        if known is not None:
            clock.count("dossiers repris du cache")
            return known
        clock.count("dossiers lus")
        reading, names = held.reading(item), set[str]()
        read, convention = one(item, names)
        held.put(reading, read, convention, names)
        return read, convention

    if not found:
        return
    jobs = jobs or crew.cores(len(found))
    yield load(found[0])  # what it loads, the others have
    rest = found[1:]
    if jobs == 1 or len(rest) < jobs or not crew.FORK:
        yield from map(load, rest)
    else:
        with closing(crew.each(len(rest), lambda index: packed.pack(*load(rest[index])), jobs)) as answers:
            for item, answer in zip(rest, answers, strict=True):
                if isinstance(answer, bytes):
                    yield packed.unpack(answer, item)
                elif answer is None:
                    yield load(item)
                else:
                    fault = Fault(str(answer), Place(item.manifest), todo="Relancer ; le retirer si cela se répète.")
                    yield one(dataclasses.replace(item, faults=(fault,)), set())
    if held is not None:
        kept.trim()
