"""A real Spark on this machine, from the jars of pyspark: a master, two workers, a Spark Connect server.

`with standalone() as cluster:` gives `cluster.master` (`spark://127.0.0.1:…`); `with connect() as place:` gives
`sc://127.0.0.1:…`. By hand: `python tests/cluster.py` starts both, says where they are and waits for Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

WORKERS = 2
PATIENCE = 90  # seconds for a process to answer


def missing() -> str:
    """What Spark needs and this machine has not, or ""."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed"
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "there is no Java"
    return ""


def home() -> Path:
    """The Spark inside pyspark."""
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@dataclass(frozen=True)
class Cluster:
    """A standalone cluster: where its master is, the processes of its workers, its folder (logs, work)."""

    master: str
    workers: tuple[subprocess.Popen[bytes], ...]
    folder: Path

    def executor(self, number: str) -> tuple[subprocess.Popen[bytes], int]:
        """The worker that runs an executor of that number, and the process of the executor."""
        for worker in self.workers:
            for pid in children(worker.pid):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                if "--executor-id" in words and words[words.index("--executor-id") + 1] == number:
                    return worker, pid
        raise LookupError(f"no executor {number}")


def children(parent: int) -> list[int]:
    """The processes that a process started (Linux)."""
    found = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        found += [int(pid) for pid in task.read_text().split()]
    return found


def free_port() -> int:
    """A port of the loopback that nobody listens to."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def standalone() -> Iterator[Cluster]:
    """A master and its workers on the loopback, one core each; they end with the block."""
    with _folder() as folder, contextlib.ExitStack() as stack:
        port = free_port()
        master = f"spark://127.0.0.1:{port}"
        where = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"]
        stack.enter_context(_process("org.apache.spark.deploy.master.Master", where, folder / "master.log"))
        _answers(port)
        workers = []
        for number in range(WORKERS):
            asked = ["--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "1g"]
            asked += ["--work-dir", str(folder / f"work{number}"), master]
            log = folder / f"worker{number}.log"
            workers.append(stack.enter_context(_process("org.apache.spark.deploy.worker.Worker", asked, log)))
        for number in range(WORKERS):
            _says(folder / f"worker{number}.log", "Successfully registered with master")
        yield Cluster(master, tuple(workers), folder)


@contextlib.contextmanager
def connect(master: str = "local[2]") -> Iterator[str]:
    """A Spark Connect server on the loopback, over a master."""
    with _folder() as folder:
        port = free_port()
        conf = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(port),
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.buffer.pageSize": "2m",
            "spark.ui.enabled": "false",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
        }
        asked = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--master", master]
        for name, value in conf.items():
            asked += ["--conf", f"{name}={value}"]
        with _process("org.apache.spark.deploy.SparkSubmit", [*asked, "spark-internal"], folder / "connect.log"):
            _answers(port)
            yield f"sc://127.0.0.1:{port}"


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="quitus-spark-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextlib.contextmanager
def _process(main: str, arguments: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Spark, with all that it starts: one group, ended with the block."""
    environment = {**os.environ, "SPARK_HOME": str(home()), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1"}
    environment |= {"SPARK_LOCAL_DIRS": str(log.parent / "local"), "SPARK_LOG_DIR": str(log.parent)}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [str(home() / "bin" / "spark-class"), main, *arguments],
            stdout=stream, stderr=stream, stdin=subprocess.DEVNULL, env=environment, cwd=log.parent,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise TimeoutError(f"nobody answers on port {port}")


def _says(log: Path, words: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if words in log.read_text(errors="replace"):
            return
        time.sleep(0.2)
    raise TimeoutError(f"{log.name} does not say « {words} »:\n{log.read_text(errors='replace')[-2000:]}")


def main() -> None:
    """Start a cluster and a Spark Connect server, say where they are, wait for Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with standalone() as cluster, connect() as place, contextlib.suppress(KeyboardInterrupt):
        print(f"{cluster.master}\n{place}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
