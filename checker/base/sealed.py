"""Files that a run keeps for the next one: a line (kind, SHA-256 of the name and of what follows), then their bytes.

The digest sees faults, not malice: who can write here could decide what a run says, as who can write `__pycache__` can.
So a folder or a file that is not of the user (or of root), or that others may write, is not trusted.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

OPEN: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def ours(found: os.stat_result) -> bool:
    """Whether only this user (or root) writes there."""
    return found.st_uid in (0, os.getuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def read(path: Path | str, kind: bytes, name: str, most: int, above: int | None = None) -> bytes:
    """What a file holds; OSError, ValueError: absent, altered, of another name, too large, or open to another writer.

    `above`: the open folder that `path` is read in.
    """
    handle = os.open(path, OPEN, dir_fd=above)
    with os.fdopen(handle, "rb", buffering=0) as stream:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or not ours(found) or found.st_size > most:
            raise ValueError(name)
        data = stream.readall()
    head, _, body = data.partition(b"\n")
    if head != _head(kind, name, body):
        raise ValueError(name)
    return body


def write(path: Path, kind: bytes, name: str, body: bytes) -> None:
    """Whole or not at all (OSError); two runs that write the same file write the same bytes."""
    beside = path.with_name(f"{name}.{os.urandom(8).hex()}.new")  # two containers may share a folder, and a number
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(_head(kind, name, body) + b"\n" + body)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _head(kind: bytes, name: str, body: bytes) -> bytes:
    return kind + hashlib.sha256(name.encode() + b"\0" + body).hexdigest().encode()
