"""Dossiers read by several processes, handed over in order. Doors: `each`, `cores`.

A worker is forked from this process, answers the numbers that it is given one after the other, and dies with it. One
that crashes loses only the dossier in its hands: another takes its place.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import struct
import sys
from collections import deque
from collections.abc import Callable, Generator
from typing import Final, NoReturn

from checker.base import clock
from checker.facts import apart

_NUMBER: Final = struct.Struct("<I")
_FRAME: Final = struct.Struct("<cQ")
_DONE, _REFUSED, _CLOCK = b"d", b"r", b"c"
_AHEAD: Final = 16  # numbers that a worker holds: it never waits for the next one
FEW: Final = 64  # dossiers below which a process costs more than it gives
FORK: Final = hasattr(os, "fork") and sys.platform.startswith(("linux", "darwin"))


class Lost(Exception):
    """The worker that held a dossier is gone; why, in French."""


def cores(count: int) -> int:
    """How many processes read so many dossiers when nobody says."""
    if count < FEW or not FORK:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(count: int, work: Callable[[int], bytes], jobs: int) -> Generator[bytes | Lost | None]:
    """What `work` gives for 0, 1 … count - 1, in order; None where it raised: the caller will see why by itself."""
    waiting = deque(range(count))
    crew: dict[int, _Worker] = {}  # by the descriptor of their answers
    ready: dict[int, bytes | Lost | None] = {}
    turn = 0
    try:
        while turn < count:
            while waiting and len(crew) < jobs:
                worker = _Worker(work, crew)
                crew[worker.back] = worker
            for worker in list(crew.values()):
                worker.give(waiting)
            for descriptor in select.select(list(crew), [], [])[0]:
                if not crew[descriptor].hear(ready):
                    _bury(crew.pop(descriptor), waiting, ready)
            while turn in ready:
                yield ready.pop(turn)
                turn += 1
        for worker in crew.values():
            worker.finish()
    finally:
        for worker in crew.values():
            worker.kill()


def _bury(worker: _Worker, waiting: deque[int], ready: dict[int, bytes | Lost | None]) -> None:
    """A worker that stopped answering: the dossier in its hands is lost, those it had not begun are not."""
    code = worker.kill()
    if worker.held:
        why = f"signal {-code}" if code < 0 else f"code {code}"
        ready[worker.held.popleft()] = Lost(f"la lecture du dossier s'est interrompue ({why})")
        waiting.extendleft(reversed(worker.held))


class _Worker:
    """A process and the two pipes to it."""

    def __init__(self, work: Callable[[int], bytes], others: dict[int, _Worker]) -> None:
        inward, self.to = os.pipe()
        self.back, outward = os.pipe()
        self.held: deque[int] = deque()
        self._heard = bytearray()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            for other in others.values():  # else they would outlive the parent
                os.close(other.to)
                os.close(other.back)
            os.close(self.to)
            os.close(self.back)
            _work(inward, outward, work)
        os.close(inward)
        os.close(outward)

    def give(self, waiting: deque[int]) -> None:
        """As many numbers as it may hold."""
        while waiting and len(self.held) < _AHEAD:
            number = waiting.popleft()
            self.held.append(number)
            with contextlib.suppress(BrokenPipeError):  # its end is seen where it is heard
                os.write(self.to, _NUMBER.pack(number))

    def hear(self, ready: dict[int, bytes | Lost | None]) -> bool:
        """Take what it says now; False at its end."""
        chunk = os.read(self.back, 2**20)
        self._heard += chunk
        while len(self._heard) >= _FRAME.size:
            kind, size = _FRAME.unpack_from(self._heard)
            end = _FRAME.size + size
            if len(self._heard) < end:
                break
            body = bytes(self._heard[_FRAME.size : end])
            del self._heard[:end]
            if kind == _CLOCK:
                clock.add(json.loads(body))
            else:
                ready[self.held.popleft()] = body if kind == _DONE else None
        return bool(chunk)

    def finish(self) -> None:
        """No more numbers: it says what its readers took, and ends."""
        os.close(self.to)
        self.to = -1
        while self.hear({}):
            pass

    def kill(self) -> int:
        """End it and wait; its exit code, minus a signal."""
        with contextlib.suppress(ProcessLookupError):
            if self.to >= 0:
                os.kill(self.pid, signal.SIGTERM)
        for descriptor in (self.to, self.back):
            if descriptor >= 0:
                os.close(descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _work(inward: int, outward: int, work: Callable[[int], bytes]) -> NoReturn:
    """The life of a worker. Ctrl-C is its parent's business: the end of the pipe is the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    clock.taken()
    code = 0
    try:
        with os.fdopen(inward, "rb", buffering=0) as numbers:
            while len(asked := numbers.read(_NUMBER.size) or b"") == _NUMBER.size:
                try:
                    kind, body = _DONE, work(*_NUMBER.unpack(asked))
                except Exception:
                    kind, body = _REFUSED, b""
                _say(outward, kind, body)
        apart.close()
        _say(outward, _CLOCK, json.dumps(clock.taken()).encode())
    except BaseException:
        code = 1
    finally:
        os._exit(code)


def _say(outward: int, kind: bytes, body: bytes) -> None:
    view = memoryview(_FRAME.pack(kind, len(body)) + body)
    while view:
        view = view[os.write(outward, view) :]
