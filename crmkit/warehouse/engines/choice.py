"""Which engine a name means: ``duckdb``, ``spark``, or the address of a Spark master."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ...errors import UsageError, did_you_mean
from ..engine import Engine, Limits
from .duckdb import DuckDbEngine, SealedEngine

DUCKDB, SPARK = "duckdb", "spark"
# Two threads: enough to run what a cluster runs, on a machine that has other work too.
LOCAL_MASTER = "local[2]"
_MASTER = re.compile(r"spark://[A-Za-z0-9_.\-]+:\d{1,5}(,[A-Za-z0-9_.\-]+:\d{1,5})*")


def check_engine(name: str) -> str:
    """The name, if it means an engine.

    Raises:
        UsageError: if it does not.
    """
    if name in (DUCKDB, SPARK) or _MASTER.fullmatch(name):
        return name
    raise UsageError(
        f"there is no engine {name!r}.",
        hint=f"{did_you_mean(name, (DUCKDB, SPARK))} Known: {DUCKDB}, {SPARK} (in this process) and spark://HOST:PORT (a cluster).",
    )


def open_engine(
    name: str,
    folders: Sequence[Path],
    script: list[str] | None = None,
    sealed: Limits | None = None,
) -> Engine:
    """The engine of that name.

    Args:
        name: as :func:`check_engine` takes it.
        folders: that the embedded engine may read; a cluster reads by its own rights.
        script: what runs is added to it, in the engine's dialect.
        sealed: for SQL that somebody handed in: the embedded engine then opens no file itself and
            stops at these limits. A cluster has limits of its own.

    Raises:
        UsageError: for a name that means no engine.
        ConfigError: if pyspark or Java is not installed, or no master answers.
    """
    if check_engine(name) == DUCKDB:
        return SealedEngine(sealed, script) if sealed else DuckDbEngine(folders, script)
    # Lazy: pyspark is an extra, and takes half a second to import.
    from .spark import SparkEngine

    return SparkEngine(LOCAL_MASTER if name == SPARK else name, script)
