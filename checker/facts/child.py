"""The child of `apart`: it leaves what its parent holds, then answers one call after the other, within limits."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Callable
from typing import Final, NoReturn

LENGTH: Final = struct.Struct("<Q")
HUNGRY: Final = b"!"  # the answer of a child that has no memory left
POLL: Final = hasattr(select, "poll")
_CHUNK: Final = 2**20

inside = False  # whether this process is such a child: what it would run apart, it runs


class Gone(Exception):
    """The other side has closed its end of the pipe."""


class Late(Exception):
    """The time of the call is over."""


# The pipes, on both sides. `end`: the instant (monotonic seconds) after which the other side is waited for no more.


def write(descriptor: int, data: bytes | memoryview, end: float | None = None) -> None:
    """Every byte, or Gone, or Late."""
    view = memoryview(data)
    while view:
        _wait(descriptor, "POLLOUT", end)
        try:
            view = view[os.write(descriptor, view[:_CHUNK]) :]
        except BlockingIOError:
            continue
        except OSError:
            raise Gone from None


def read(descriptor: int, size: int, end: float | None = None) -> bytes:
    """So many bytes, or Gone, or Late."""
    chunks: list[bytes] = []
    left = size
    while left:
        _wait(descriptor, "POLLIN", end)
        try:
            chunk = os.read(descriptor, min(left, _CHUNK))
        except BlockingIOError:
            continue
        except OSError:
            raise Gone from None
        if not chunk:
            raise Gone
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def _wait(descriptor: int, event: str, end: float | None) -> None:
    """Return when the pipe is ready or closed; without `poll` it blocks, and a timer of the parent ends it."""
    if end is None or not POLL:
        return
    poll = select.poll()
    poll.register(descriptor, getattr(select, event))
    left = end - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise Late


# The child


def forked(inward: int, outward: int, parent: int, first: Callable[[], object] | None) -> NoReturn:
    """What a fork runs. `parent`: its process, 0 when it was forked by a thread that may end before it."""
    try:
        _leave({0, 1, 2, inward, outward})
        if first is not None:
            with contextlib.suppress(Exception):
                first()
        _serve(inward, outward, parent)
    finally:
        os._exit(70)


def spawned() -> NoReturn:
    """What a new interpreter runs: the calls come by its standard input."""
    inward, outward = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (inward, outward):
            msvcrt.setmode(descriptor, os.O_BINARY)
    _mute(0, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(inward, outward, 0)


def _leave(kept: set[int]) -> None:
    """Let go of the terminal, the files and the handlers of signals of the parent."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(ValueError):
        signal.set_wakeup_fd(-1)
    if "faulthandler" in sys.modules:
        sys.modules["faulthandler"].disable()
    _mute(0, 1, 2)
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 -- names, not paths
        if int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))
    sys.settrace(None)
    gc.freeze()  # what is inherited is never collected, thus never copied


def _mute(*descriptors: int) -> None:
    """What a native library prints is for nobody."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _serve(inward: int, outward: int, parent: int) -> NoReturn:
    """Answer until the parent is gone."""
    global inside  # noqa: PLW0603
    inside = True
    base = _held()
    while True:
        try:
            count = _length(inward)
            head, *raw = [read(inward, _length(inward)) for _ in range(count + 1)]
            answer = _answer(head, raw, base)
            del head, raw
            write(outward, LENGTH.pack(len(answer)))
            write(outward, answer)
        except Gone:
            os._exit(0)
        if answer == HUNGRY:
            os._exit(0)
        if parent:  # after the first answer: nobody waits for it
            _die_with(parent)
            parent = 0


def _length(inward: int) -> int:
    return int(LENGTH.unpack(read(inward, LENGTH.size))[0])


def _answer(head: bytes, raw: list[bytes], base: int) -> bytes:
    """The pickle of what the function gives, or of the name of what it raises."""
    import pickle

    try:
        function, arguments, seconds, megabytes = pickle.loads(head, buffers=raw)
        _limit(base, seconds, megabytes)
        return pickle.dumps(("value", function(*arguments)), 5)
    except MemoryError:
        return HUNGRY
    except BaseException as error:  # a panic of a Rust library is no Exception
        return pickle.dumps(("raised", type(error).__name__), 5)
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)


def _limit(base: int, seconds: float, megabytes: int) -> None:
    """Bound this process: its life, the memory that it may write, no dump when it dies.

    RLIMIT_DATA, not RLIMIT_AS: a library may reserve gigabytes of addresses (Saxon's) without ever writing there.
    """
    if hasattr(signal, "setitimer"):  # should the parent no longer be there to count
        signal.setitimer(signal.ITIMER_REAL, seconds + 1)
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    soft = base + megabytes * 2**20
    if base:
        resource.setrlimit(resource.RLIMIT_DATA, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _held() -> int:
    """The bytes of data that this process has mapped; 0 where nothing says."""
    try:
        with open("/proc/self/statm", "rb") as stream:  # noqa: PTH123
            return int(stream.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when its parent dies, however it dies; elsewhere the closed pipe says it."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)
