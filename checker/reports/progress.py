"""Where a long run stands, on the terminal of who waits; rich is imported only once the wait is long."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

Progress = Callable[[str, int, int], None]  # the step, what is done of it, what it has in all

PATIENCE, PACE = 1.0, 0.1  # seconds before anything is shown, between two updates
_STEPS = {"facts": "Lecture des dossiers", "findings": "Contrôle des règles"}


@contextlib.contextmanager
def progress(stream: TextIO) -> Iterator[Progress]:
    """What a run calls as it goes. Nothing is written when the stream is no terminal, nor in the first second."""
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield _quiet
        return
    display = _Display(stream)
    try:
        yield display.update
    finally:
        display.close()


def _quiet(step: str, done: int, total: int) -> None:
    del step, done, total


class _Display:
    """A bar that a timer shows: a step may take long without a call. Erased at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = ("", 0, 0)
        self._next = 0.0
        self._start = time.monotonic()
        self._bar: Bar | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(PATIENCE, self._show)
        self._timer.daemon = True
        self._timer.start()

    def update(self, step: str, done: int, total: int) -> None:
        """Cheap: the bar is touched ten times a second, and when the step changes."""
        changed = step != self._last[0]
        self._last = (step, done, total)
        now = time.monotonic()
        if changed or now >= self._next:
            self._next = now + PACE
            with self._lock:
                self._tell()

    def close(self) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._bar is not None:
            self._bar.stop()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[count]}", markup=False),
            TimeElapsedColumn(),
            console=Console(file=self._stream, legacy_windows=False),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.add_task("", total=None, count="")
        bar.tasks[0].start_time = self._start  # the wait began before the bar was shown
        with self._lock:
            self._bar = bar
            self._tell()
        bar.start()

    def _tell(self) -> None:
        step, done, total = self._last
        if self._bar is None:
            return
        known = total > 1 and done > 0  # a step that says nothing as it goes: the bar only shows that it lives
        task = self._bar.tasks[0]
        task.total = total if known else None
        count = f"{done}/{total}" if known else ""
        self._bar.update(task.id, description=_STEPS.get(step, step), completed=done, count=count)
