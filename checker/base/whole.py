"""A file written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from checker.errors import Problem, UsageError


def replace(path: Path, data: bytes) -> None:
    """Write there, atomically; UsageError (64): nothing can be written there."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError([Problem(f"on ne peut écrire là : {error.strerror}", str(path))]) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
