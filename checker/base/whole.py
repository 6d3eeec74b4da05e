"""A file written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from checker.errors import Problem, UsageError


def replace(path: Path, data: bytes | Iterable[bytes], keep: bool = False) -> None:
    """Write there, atomically; UsageError (64): nothing can be written there.

    `data`: whole, or in parts. `keep`: the file is there, a link leads to it, and it keeps who may read it.
    """
    import tempfile

    target = path.resolve() if keep else path
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise UsageError([Problem(f"on ne peut écrire là : {error.strerror}", str(path))]) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.writelines([data] if isinstance(data, bytes) else data)
            stream.flush()
            os.fsync(stream.fileno())
        if keep:
            import shutil

            shutil.copymode(target, name)
        else:
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
