"""Run a function where its crash, its hang or its hunger cannot take the run down. Doors: `call`, `close`, `Apart`.

A child answers one call at a time and lives for many: forked from this process (a millisecond; it has what is already
imported), or a new interpreter (a tenth of a second) where there is no fork or where another thread may hold a lock.
A child that dies, hangs or grows beyond its limits is killed, the call is `Failed`, the next one starts another.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from checker.facts import child
from checker.facts.child import Gone, Late

if TYPE_CHECKING:
    import pickle
    import subprocess

SECONDS: Final = 20.0
MEGABYTES: Final = 1024
_ANSWER: Final = 256 * 2**20  # bytes: no reader has more to say
_RAW: Final = 65536  # bytes from which an argument goes as it is, beside the pickle
_FORK: Final = sys.platform.startswith(("linux", "darwin"))
_ALARM: Final = getattr(signal, "SIGALRM", None)
_SAID: Final = frozenset({"Fault", "Place", "Told", "Value"})  # names of `checker.model.submitted` in an answer


class Failed(NamedTuple):
    """The call gave nothing; why, in French."""

    reason: str


@functools.cache
def _answers() -> type[pickle.Unpickler]:
    """What a child may say: plain data and the named tuples of the model.

    The child has the rights of its parent, so that reading its pickle gives it none that it has not; but a document
    that took hold of a reader would find here nothing to call.
    """
    import pickle

    class Answer(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            """The named tuple; any other name is refused."""
            if module == "checker.model.submitted" and name in _SAID:
                return getattr(importlib.import_module(module), name)
            raise pickle.UnpicklingError(f"{module}.{name}")

    return Answer


class Apart:
    """One child, started when it is needed. Threads take turns."""

    def __init__(self, fork: bool | None = None) -> None:
        """`fork` None: wherever it is safe."""
        self._fork = fork
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._bound = False

    def run(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        seconds: float = SECONDS,
        megabytes: int = MEGABYTES,
    ) -> Any | Failed:
        """The result of a function of a module for these arguments: plain data, or named tuples of the model.

        Failed: it raised, took more than `seconds`, grew by more than `megabytes` (Linux), or ended its process. What
        a child that has served before cannot do is asked once more of a new one: an answer owes nothing to the past.
        """
        if child.inside:
            return function(*arguments)
        parts = _parts((function, arguments, seconds, megabytes))
        reason = ""
        with self._lock:
            for _ in range(2):
                try:
                    worker = self._ready()
                except OSError as error:
                    return Failed(f"le lecteur ne démarre pas ({error.strerror})")
                used = worker.calls > 0
                answer = self._ask(worker, parts, seconds, megabytes)
                if isinstance(answer, bytes):
                    return _understood(answer, megabytes)
                reason, again = answer
                if not (again and used):
                    break
        return Failed(reason)

    def start(self, first: Callable[[], object]) -> None:
        """Have the child now, where a fork is safe, and let it do something as it waits: import what it will need."""
        with self._lock, contextlib.suppress(OSError):
            if not child.inside and self._worker is None and self._fork is not False and _forkable():
                self._keep(_forked(first))

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._drop()

    def _drop(self) -> int:
        worker, self._worker = self._worker, None
        return worker.stop() if worker is not None else 0

    def _ready(self) -> _Worker:
        if self._worker is not None and self._worker.owner != os.getpid():
            self._drop()
        if self._worker is None:
            fork = _forkable() if self._fork is None else self._fork
            return self._keep(_forked() if fork else _spawned())
        return self._worker

    def _keep(self, worker: _Worker) -> _Worker:
        self._worker = worker
        if not self._bound:
            atexit.register(self._drop)
            self._bound = True
        return worker

    def _ask(
        self, worker: _Worker, parts: Sequence[bytes | memoryview], seconds: float, megabytes: int
    ) -> bytes | tuple[str, bool]:
        """The bytes of the answer, or why there is none and whether another child might have one."""
        end = time.monotonic() + seconds
        clock = None if child.POLL else threading.Timer(seconds, worker.kill)
        try:
            if clock is not None:
                clock.start()
            for part in parts:
                child.write(worker.to, part, end)
            length = child.LENGTH.unpack(child.read(worker.back, child.LENGTH.size, end))[0]
            if length > _ANSWER:
                self._drop()
                return "la réponse du lecteur est démesurée", False
            answer = child.read(worker.back, length, end)
            worker.calls += 1
            if answer == child.HUNGRY:
                self._drop()
                return _hungry(megabytes), True
            return answer
        except Late:
            self._drop()
            return _slow(seconds), False
        except Gone:
            code = self._drop()
            if time.monotonic() >= end or (_ALARM is not None and code == -_ALARM):
                return _slow(seconds), False
            return f"le lecteur s'est arrêté ({f'signal {-code}' if code < 0 else f'code {code}'})", True
        except BaseException:  # Ctrl-C: what this child would still answer is nobody's
            self._drop()
            raise
        finally:
            if clock is not None:
                clock.cancel()


def _parts(call: tuple[Callable[..., Any], Sequence[Any], float, int]) -> list[bytes | memoryview]:
    """A call as it goes through the pipe: count, then length and bytes of its pickle and of each large argument."""
    import pickle

    function, arguments, seconds, megabytes = call
    raw: list[pickle.PickleBuffer] = []
    listed = [pickle.PickleBuffer(item) if isinstance(item, bytes) and len(item) > _RAW else item for item in arguments]
    head = pickle.dumps((function, listed, seconds, megabytes), 5, buffer_callback=raw.append)
    parts: list[bytes | memoryview] = [child.LENGTH.pack(len(raw))]
    for item in (memoryview(head), *(item.raw() for item in raw)):
        parts += [child.LENGTH.pack(item.nbytes), item]
    return parts


def _slow(seconds: float) -> str:
    return f"le lecteur a dépassé {seconds:g} secondes"


def _hungry(megabytes: int) -> str:
    return f"le lecteur a dépassé {megabytes} Mo de mémoire"


def _understood(answer: bytes, megabytes: int) -> Any | Failed:
    """The value of an answer."""
    try:
        state, value = _answers()(io.BytesIO(answer)).load()
    except MemoryError:
        return Failed(_hungry(megabytes))
    except Exception:
        return Failed("la réponse du lecteur est incompréhensible")
    return value if state == "value" else Failed(f"le lecteur a échoué : {value}")


_SHARED: Final = Apart()
_FAILED: Final[list[Failed]] = []


def call(function: Callable[..., Any], *arguments: Any, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> Any:
    """`Apart.run` in the child that the whole process shares."""
    said = _SHARED.run(function, arguments, seconds, megabytes)
    _FAILED.extend([said] if isinstance(said, Failed) else [])
    return said


def failures() -> int:
    """How many calls of `call` have failed: what was read meanwhile may be read otherwise another day."""
    return len(_FAILED)


def start(first: Callable[[], object]) -> None:
    """`Apart.start` of the shared child."""
    _SHARED.start(first)


def close() -> None:
    """End the shared child, when a run has read all that it reads."""
    _SHARED.close()


class _Worker:
    """A child and the two pipes to it."""

    def __init__(self, pid: int, to: int, back: int, process: subprocess.Popen[bytes] | None = None) -> None:
        self.pid, self.to, self.back, self.process = pid, to, back, process
        self.owner, self.calls = os.getpid(), 0
        if child.POLL:
            os.set_blocking(to, False)
            os.set_blocking(back, False)

    def kill(self) -> None:
        """Kill the child and what it started."""
        if self.process is not None:
            self.process.kill()
        if hasattr(os, "killpg"):
            for send in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    send(self.pid, signal.SIGKILL)

    def stop(self) -> int:
        """Kill, wait for the end; the exit code, minus a signal. A process that did not start it only lets it go."""
        for stream in (self.process.stdin, self.process.stdout) if self.process else ():
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        if self.process is None:
            os.close(self.to)
            os.close(self.back)
        if self.owner != os.getpid():
            return 0
        self.kill()
        if self.process is not None:
            return self.process.wait()
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:  # somebody waited for it
            return 0


def _forkable() -> bool:
    """Whether a fork is safe: no other thread runs that may hold a lock (a timer sleeps)."""
    mine = threading.current_thread()
    return _FORK and all(item is mine or isinstance(item, threading.Timer) for item in threading.enumerate())


def _forked(first: Callable[[], object] | None = None) -> _Worker:
    inward, to = os.pipe()
    back, outward = os.pipe()
    parent = os.getpid() if threading.current_thread() is threading.main_thread() else 0
    try:
        pid = os.fork()
    except OSError:
        os.close(to)
        os.close(back)
        raise
    else:
        if pid == 0:
            child.forked(inward, outward, parent, first)
    finally:
        os.close(inward)
        os.close(outward)
    with contextlib.suppress(OSError):  # both sides say it: neither waits for the other
        os.setpgid(pid, pid)
    return _Worker(pid, to, back)


def _spawned() -> _Worker:
    import subprocess

    process = subprocess.Popen(
        [sys.executable, "-c", "from checker.facts import child; child.spawned()"],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        process_group=0 if _FORK else None,
    )
    if process.stdin is None or process.stdout is None:
        raise OSError(0, "sans tuyau")
    return _Worker(process.pid, process.stdin.fileno(), process.stdout.fileno(), process)
