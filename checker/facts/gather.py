"""The facts of many dossiers: from what is kept, or read, by one process or several. Door: `gather`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from checker.base import clock
from checker.facts import crew, kept, packed
from checker.model import Dossier, Fault, Place
from checker.model.frozen import replace

One = Callable[[Dossier, set[str]], packed.Known]


def gather(found: Sequence[Dossier], one: One, held: kept.Kept | None, jobs: int = 0) -> Iterator[packed.Known]:
    """The facts of each dossier and the convention that it names, in order, whatever the number of processes.

    `one` reads a dossier and says which files it read; `held`: what is kept between runs, taken here (a process more
    would cost what it spares); `jobs` 0: by the machine, for those that are to be read.
    A dossier whose reader process crashed cannot be read, and says so.
    """

    def taken(item: Dossier) -> packed.Known | None:
        known = held.get(item) if held is not None else None
        if known is not None:
            clock.count("dossiers repris du cache")
        return known

    def read(item: Dossier, handed: bool = False) -> tuple[packed.Known, bytes]:
        """Its facts; the same packed when they are kept, or handed over."""
        clock.count("dossiers lus")
        reading, names = held.reading(item) if held is not None else None, set[str]()
        found, convention = one(item, names)
        facts = packed.compact(found)
        body = packed.pack(facts, convention) if reading is not None or handed else b""
        if held is not None:
            held.put(reading, facts, convention, names, body)
        return (facts, convention), body

    def handed(item: Dossier, answer: bytes | crew.Lost | None) -> packed.Known:
        """What a process says of a dossier; None: it could not, this one will see why."""
        if isinstance(answer, bytes):
            return packed.unpack(answer, item)
        if answer is None:
            return read(item)[0]
        fault = Fault(str(answer), Place(item.manifest), todo="Relancer ; le retirer si cela se répète.")
        return one(replace(item, faults=(fault,)), set())

    if not found:
        return
    yield taken(found[0]) or read(found[0])[0]  # what it loads, the others have
    known = {index: taken(item) for index, item in enumerate(found[1:], 1)}
    missing = [index for index, each in known.items() if each is None]
    jobs = jobs or crew.cores(len(missing))
    if jobs == 1 or len(missing) < jobs or not crew.FORK:
        for index, each in known.items():
            yield each or read(found[index])[0]
    else:
        work = crew.each(len(missing), lambda number: read(found[missing[number]], handed=True)[1], jobs)
        with closing(work) as answers:
            for index, each in known.items():
                yield each or handed(found[index], next(answers))
            next(answers, None)  # its end: what the processes took is counted
    if held is not None:
        kept.trim()
