"""A real PostgreSQL on this machine: a server of its own in a temporary folder, on a Unix socket, without network.

`with server() as place:` gives what libpq reads. By hand: `python tests/postgres.py` starts one, says where it is and
waits for Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

OWNER = "postgres"  # a server refuses to be root's
DEBIAN = Path("/usr/lib/postgresql")  # its programs are not in PATH


def missing() -> str:
    """What PostgreSQL needs and this machine has not, or ""."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed"
    if programs() is None:
        return "there is no PostgreSQL server (initdb, pg_ctl)"
    if os.name != "posix":
        return "PostgreSQL is started on a Unix socket"
    if os.geteuid() == 0 and not known(OWNER):
        return f"root has no user {OWNER} to start PostgreSQL as"
    return ""


def programs() -> Path | None:
    """The folder of the programs of the server, the newest one."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    folders = [path.parent for path in DEBIAN.glob("*/bin/initdb")]
    return max(folders, key=lambda path: int(path.parent.name), default=None)


def known(name: str) -> bool:
    """Whether the machine has a user of that name."""
    import pwd

    return name in {entry.pw_name for entry in pwd.getpwall()}


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A server that only this machine reaches, its texts in the order of their code points; it ends with the block."""
    where = programs()
    assert where is not None
    with tempfile.TemporaryDirectory(prefix="quitus-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER)
        data, log = folder / "data", folder / "log"
        made = ("-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        _run(where / "initdb", "-D", data, *made)
        asked = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c shared_buffers=32MB"
        try:
            _run(where / "pg_ctl", "start", "-w", "-D", data, "-l", log, "-o", asked)
            yield f"host={folder} user={OWNER} dbname={OWNER}"
        finally:
            _run(where / "pg_ctl", "stop", "-m", "immediate", "-D", data, check=False)


def _run(program: Path, *arguments: str | Path, check: bool = True) -> None:
    """Run a program of the server, by the user that may; a server keeps what it is given to write to: nothing."""
    subprocess.run(
        [str(program), *map(str, arguments)], check=check, cwd=tempfile.gettempdir(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C"}, **_owner(),
    )  # fmt: skip


def _owner() -> dict[str, Any]:
    """Who the server is, when root runs this."""
    if os.geteuid() != 0:
        return {}
    import pwd

    return {"user": OWNER, "group": pwd.getpwnam(OWNER).pw_gid, "extra_groups": []}


def main() -> None:
    """Start a server, say where it is, wait for Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with server() as place, contextlib.suppress(KeyboardInterrupt):
        print(place, flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
