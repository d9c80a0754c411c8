"""A PostgreSQL server of one's own for the length of a test run, and a database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "crmkit"
_numbers = itertools.count(1)


def find_server_programs() -> Path | None:
    """The folder with ``initdb`` and ``postgres``: Debian's newest, else that on PATH, else None."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]) if path.parts[-3].isdigit() else 0,
    )
    if debian:
        return debian[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _account() -> str | None:
    """The account that the server runs under: PostgreSQL refuses to run as root."""
    return "postgres" if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def run_server(programs: Path) -> Iterator[str]:
    """Makes and starts a server on loopback; stops and removes it at the end.

    Args:
        programs: folder with ``initdb`` and ``postgres``.

    Yields:
        The SQLAlchemy URL of its ``postgres`` database. No password: it listens on loopback only,
        for as long as the tests run.

    Raises:
        RuntimeError: if it does not start within 30 seconds, with the end of its log.
    """
    folder = Path(tempfile.mkdtemp(prefix="crmkit-postgresql-"))
    account = _account()
    if account:
        shutil.chown(folder, account)
    try:
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", USER, "-A", "trust",
             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, capture_output=True, user=account, cwd=folder,
        )  # fmt: skip
        port = _free_port()
        process = _start(programs, folder, port, account)
        try:
            _wait(programs, process, port, folder / "log")
            yield f"postgresql+psycopg://{USER}@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGINT)  # "fast": ends sessions, then stops
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(programs: Path, folder: Path, port: int, account: str | None) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [
        programs / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port),
        "-k", folder,
        # The data are thrown away, so nothing is gained by waiting for the disk.
        "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=60",
    ]  # fmt: skip
    setpriv = shutil.which("setpriv")
    if setpriv:
        # A test run that is killed takes its server with it.
        command = [setpriv, "--pdeathsig", "INT", "--", *command]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, user=account, cwd=folder
        )


def _wait(programs: Path, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ready: list[str | Path] = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    end = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < end:
        if subprocess.run(ready, check=False).returncode == 0:
            return
        time.sleep(0.05)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"PostgreSQL did not start on port {port}. Its log ends:\n{tail}")


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Makes an empty database on the server and drops it at the end, sessions or not.

    Args:
        server_url: SQLAlchemy URL of a database from which others may be created.

    Yields:
        The SQLAlchemy URL of the new database.
    """
    import psycopg

    base, _, _ = server_url.rpartition("/")
    name = f"crmkit_test_{os.getpid()}_{next(_numbers)}"
    admin = server_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
        try:
            yield f"{base}/{name}"
        finally:
            connection.execute(f'drop database if exists "{name}" with (force)')
