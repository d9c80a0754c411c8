"""A Spark cluster of one's own on this machine: a standalone master and workers, each a process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

LOOPBACK = "127.0.0.1"
START_SECONDS, STOP_SECONDS = 60, 20
# Spark's own least for an executor is half of this.
WORKER_MEMORY = "1g"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def run_cluster(workers: int = 2) -> Iterator[str]:
    """Starts a master and workers on loopback; stops them by their process ids at the end.

    pyspark carries the programs, so nothing but the extra ``spark`` and Java is needed.

    Args:
        workers: how many, each with one core and a gigabyte.

    Yields:
        The address of the master, ``spark://127.0.0.1:PORT``.

    Raises:
        RuntimeError: if the master does not start within a minute, with the end of its log.
    """
    import pyspark

    program = Path(pyspark.__file__).parent / "bin" / "spark-class"
    folder = Path(tempfile.mkdtemp(prefix="crmkit-spark-"))
    port = _free_port()
    url = f"spark://{LOOPBACK}:{port}"
    place = ["--host", LOOPBACK, "--webui-port", "0"]
    try:
        with ExitStack() as stack:
            master = stack.enter_context(
                _process(program, folder, "master.Master", [*place, "--port", str(port)])
            )
            _await(master, port, folder / "master.Master.log")
            for number in range(workers):
                own = folder / f"worker-{number}"
                own.mkdir()
                size = ["--cores", "1", "--memory", WORKER_MEMORY, "--work-dir", str(own)]
                stack.enter_context(_process(program, own, "worker.Worker", [*place, *size, url]))
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _process(program: Path, folder: Path, name: str, arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:  # fmt: skip
    command: list[str | Path] = [program, f"org.apache.spark.deploy.{name}", *arguments]
    setpriv = shutil.which("setpriv")
    if setpriv:
        # A run that is killed takes its cluster with it.
        command = [setpriv, "--pdeathsig", "TERM", "--", *command]
    environment = {**os.environ, "SPARK_LOCAL_IP": LOOPBACK, "SPARK_DAEMON_MEMORY": "256m"}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=folder
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(master: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while master.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((LOOPBACK, port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"the Spark master did not start on port {port}. Its log ends:\n{tail}")
