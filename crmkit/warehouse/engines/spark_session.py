"""The one Spark session of a process: started when first asked for, shared, ended with it."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import Busy, ConfigError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# How long a master may take to answer, and workers to take up work: on loopback both are there in
# a second, and a cluster that is full should be told from one that is not there.
ANSWER_SECONDS, WORKER_SECONDS = 5, 60
SETTINGS = {
    # Times in the files are UTC without zone, and TIMESTAMP in SQL means such a time.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    # Overflow and casts that fail are errors, as in DuckDB, and not missing values.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    # No metastore and its files: tables are views of this process.
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    # The driver reads and plans SQL, which is over before a second compiler has paid for itself.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
}
# In this process Spark checks and tries out what a cluster is for: few rows, many statements. Most
# of the time would go into starting tasks and into compiling what runs once.
LOCAL = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
}
# Spark's own default of 200 would send 200 tasks for every join of a few thousand rows; its tuning
# guide advises two to three a core. Who sets it in spark-defaults.conf is obeyed.
PARTITIONS, TASKS_PER_CORE = "spark.sql.shuffle.partitions", 3
LOOPBACK = "127.0.0.1"

_started: dict[str, SparkSession] = {}


def spark_missing() -> str | None:
    """What is not installed that Spark needs, as a sentence; None if all is there."""
    from importlib.util import find_spec

    if find_spec("pyspark") is None:
        return "the engine spark needs pyspark; install it with: pip install 'crmkit[spark]'"
    home = os.environ.get("JAVA_HOME")
    if not (home and (Path(home) / "bin" / "java").exists()) and shutil.which("java") is None:
        return "Spark needs Java 17 or later; install it (Debian: default-jre-headless)"
    return None


def spark_session(master: str) -> SparkSession:
    """A session of its own, over the one connection of this process to a master.

    Args:
        master: ``local[2]`` or ``spark://HOST:PORT``.

    Raises:
        ConfigError: if pyspark or Java is not installed, no master answers, or Spark does not start.
        UsageError: if this process already works with another master.
        Busy: if no worker takes up work.
    """
    if not _started:
        missing = spark_missing()
        if missing:
            raise ConfigError(f"{missing}.")
        _started[master] = _start(master)
    if master not in _started:
        raise UsageError(
            f"this process already runs Spark on {', '.join(_started)}, not on {master}.",
            hint="Use one master in one process.",
        )
    session = _started[master].newSession()
    context: Any = session.sparkContext
    if not context.getConf().contains(PARTITIONS):
        session.conf.set(PARTITIONS, TASKS_PER_CORE * context.defaultParallelism)
    return session


def _start(master: str) -> SparkSession:
    from pyspark import SparkConf
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    # It repeats every failed statement as a page of JSON on stderr.
    logging.getLogger("SQLQueryContextLogger").disabled = True
    conf = SparkConf()
    for name, value in {**SETTINGS, **_placed(master)}.items():
        conf.set(name, value)
    # Where tables would be kept that nobody makes; the default is the folder one stands in.
    conf.setIfMissing("spark.sql.warehouse.dir", str(Path(tempfile.gettempdir()) / "crmkit-spark"))
    builder: Any = SparkSession.builder
    with _own_stderr() as said:
        try:
            session: SparkSession = builder.master(master).config(conf=conf).getOrCreate()
        except (PySparkException, OSError, RuntimeError) as error:
            tail = " ".join(said().split())[-300:]
            raise ConfigError(f"Spark does not start on {master}: {tail or error}.") from error
        except Exception as error:
            # py4j passes on whatever the JVM threw; its first line says what.
            raise ConfigError(
                f"Spark does not start on {master}: {str(error).splitlines()[0]}."
            ) from error
    if master.startswith("spark://"):
        _await_worker(session, master)
    return session


def _placed(master: str) -> dict[str, str]:
    """Settings that follow from where the master is."""
    if master.startswith("local"):
        local = LOCAL
    else:
        local = {}
        places = [place.rpartition(":") for place in master.removeprefix("spark://").split(",")]
        _check_answer(master, [(host, int(port)) for host, _, port in places])
        if any(host not in (LOOPBACK, "localhost") for host, _, _ in places):
            return local
    os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
    return {**local, "spark.driver.host": LOOPBACK, "spark.driver.bindAddress": LOOPBACK}


def _check_answer(master: str, places: list[tuple[str, int]]) -> None:
    # Asked by itself, Spark tries for a minute and then ends its process.
    for host, port in places:
        try:
            socket.create_connection((host, port), ANSWER_SECONDS).close()
            return
        except OSError:
            continue
    raise ConfigError(
        f"no Spark master answers at {master}.",
        hint="Start one (sbin/start-master.sh), or leave the address out to run in this process.",
    )


def _await_worker(session: SparkSession, master: str) -> None:
    """Waits for a worker; without one the first question would wait for ever, and say so to nobody."""
    context: Any = session.sparkContext
    until = time.monotonic() + WORKER_SECONDS
    # The driver counts as one.
    while context._jsc.sc().getExecutorMemoryStatus().size() < 2:
        if time.monotonic() > until:
            session.stop()
            raise Busy(f"no worker of {master} has taken up work within {WORKER_SECONDS} seconds.")
        time.sleep(0.2)


@contextmanager
def _own_stderr() -> Iterator[Any]:
    """Gives the JVM that is started within a file for its stderr, so that ours stays readable.

    Yields:
        A function that returns what was written so far.
    """
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)

        def said() -> str:
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
