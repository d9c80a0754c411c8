"""DuckDB: the embedded engine, in this process and without a server."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import CrmkitError, SqlRefused, StorageError
from ..engine import Limits, NoSuchColumn, quoted, quoted_text, whole_numbers, with_values

T = TypeVar("T")


class DuckDbEngine:
    """DuckDB in memory, which may read the given folders and nothing else.

    Args:
        folders: of the snapshot and of the runs; what does not fit into memory is put into a folder
            ``spill`` of the first while it is worked on.
        script: see :class:`~crmkit.warehouse.engine.Engine`.
    """

    def __init__(self, folders: Sequence[Path], script: list[str] | None = None) -> None:
        allowed = ", ".join(quoted_text(f"{folder}/") for folder in folders)
        settings = [f"allowed_directories = [{allowed}]"]
        # Without a folder of its own DuckDB would make one where the user happens to stand.
        settings.append(f"temp_directory = {quoted_text(str(folders[0] / 'spill'))}")
        self._open(settings, script)

    def _open(self, settings: Sequence[str], script: list[str] | None) -> None:
        self._script = script
        self._connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                # Names in SQL must never reach the variables of the program around it.
                "python_enable_replacements": "false",
            }
        )
        closing = ("enable_external_access = false", "lock_configuration = true")
        for setting in ("TimeZone = 'UTC'", *settings, *closing):
            self._connection.execute(f"SET {setting}")

    def bind_files(
        self, name: str, files: Sequence[Path], types: Mapping[str, str], have: frozenset[str]
    ) -> None:
        self.bind_view(name, _files_sql(files, types, have))

    def bind_rows(self, name: str, rows: pa.Table) -> None:
        self._note(f"-- {quoted(name)}: {rows.num_rows} rows from memory")
        with _translated():
            self._connection.register(name, rows)

    def bind_view(self, name: str, sql: str) -> None:
        statement = f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {sql}"
        self._note(with_values(statement, {}))
        with _translated():
            self._connection.execute(statement)

    def keep(self, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
        statement = f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS {sql}"
        self._note(with_values(statement, parameters))
        with _translated():
            self._interruptible(lambda: self._connection.execute(statement, dict(parameters)))

    def unbind(self, name: str) -> None:
        """Removes rows that were bound or kept under a name, if there are any."""
        with _translated():
            self._connection.unregister(name)
            for kind in ("VIEW", "TABLE"):
                with suppress(duckdb.CatalogException):
                    self._connection.execute(f"DROP {kind} IF EXISTS temp.{quoted(name)}")

    def types(self, name: str) -> dict[str, str]:
        with _translated():
            found = self._connection.execute(f"DESCRIBE {quoted(name)}").fetchall()
        return {row[0]: row[1] for row in found}

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        self._note(with_values(sql, parameters))
        with _translated():
            return whole_numbers(self._interruptible(lambda: self._rows(sql, parameters)))

    def close(self) -> None:
        self._connection.close()

    def _rows(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        return self._connection.sql(sql, params=dict(parameters)).to_arrow_table()

    def _interruptible(self, work: Callable[[], T]) -> T:
        """What the work gives; Ctrl-C stops it at once.

        While its other threads work, DuckDB looks for no signal. So they work for a thread of their
        own, and this one, to which Python gives the signal, waits and passes it on.
        """
        if threading.current_thread() is not threading.main_thread():
            return work()
        answer: Future[T] = Future()
        begun = threading.Lock()

        def run() -> None:
            if not begun.acquire(blocking=False):
                return
            try:
                answer.set_result(work())
            except BaseException as error:  # whatever it is, it is raised where it is waited for
                answer.set_exception(error)

        thread = threading.Thread(target=run, daemon=True)
        try:
            thread.start()
            return answer.result()
        except (
            BaseException
        ):  # Ctrl-C, or another end: a thread left at work would use what is closed
            # Whoever takes the lock first decides whether the work begins at all. An interrupt that
            # comes before the engine has begun is lost, so it is sent until the work has ended.
            if not begun.acquire(blocking=False):
                while wait([answer], timeout=0.1).not_done:
                    self._connection.interrupt()
            raise

    def _note(self, statement: str) -> None:
        if self._script is not None:
            self._script.append(statement)


class SealedEngine(DuckDbEngine):
    """DuckDB for SQL that somebody handed in: it can open no file, and it stops at its limits.

    The files of the snapshot are read outside it and handed to it as rows, at some four times the
    scan's cost. So a text that got past every check finds nothing to open.

    Args:
        limits: how long a question may take, and how much memory.
        script: see :class:`~crmkit.warehouse.engine.Engine`; it names the files all the same.
    """

    def __init__(self, limits: Limits, script: list[str] | None = None) -> None:
        self._limits = limits
        memory = [f"memory_limit = '{limits.megabytes}MB'"] if limits.megabytes else []
        self._open([*memory, "temp_directory = ''"], script)

    def bind_files(
        self, name: str, files: Sequence[Path], types: Mapping[str, str], have: frozenset[str]
    ) -> None:
        # Lazy: only SQL that was handed in reads files so.
        from pyarrow.dataset import dataset

        # Files that give the columns in one form are one relation; others, as from before a field
        # changed its type, are cast by themselves.
        forms: dict[pa.Schema, list[str]] = {}
        for file in files:
            found = pq.read_schema(file)
            form = pa.schema([part for part in found if part.name in types])
            forms.setdefault(form.remove_metadata(), []).append(str(file))
        parts = []
        for number, (form, paths) in enumerate(forms.items()):
            part = f"{PART}{number}_{name}"
            with _translated():
                self._connection.register(part, dataset(paths, schema=form, format="parquet"))
            listed = _listed(types, frozenset(form.names))
            parts.append(f"SELECT {listed} FROM {quoted(part)}")
        if not parts:
            parts.append(_files_sql((), types, have))
        statement = "CREATE OR REPLACE TEMP VIEW {} AS {}"
        self._note(with_values(statement.format(quoted(name), _files_sql(files, types, have)), {}))
        with _translated():
            self._connection.execute(statement.format(quoted(name), " UNION ALL ".join(parts)))

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            self._connection.interrupt()

        timer = threading.Timer(self._limits.seconds or threading.TIMEOUT_MAX, stop)
        timer.daemon = True
        timer.start()
        try:
            return super().query(sql, parameters)
        except CrmkitError as error:
            raise self._sealed(error, sql, stopped.is_set()) from error.__cause__
        finally:
            timer.cancel()

    def _sealed(self, error: CrmkitError, sql: str, stopped: bool) -> CrmkitError:
        """An error as the asker may read it."""
        limits, cause = self._limits, error.__cause__
        if stopped:
            return CrmkitError(
                f"the question took longer than {limits.seconds} s and was stopped.",
                code="E_SQL_TIME",
                hint="Ask for less, or raise --time-limit, or sql_seconds in crmkit.toml.",
            )
        if isinstance(cause, duckdb.OutOfMemoryException) and limits.megabytes:
            return CrmkitError(
                f"the question needs more memory than {limits.megabytes} MB.",
                code="E_SQL_MEMORY",
                hint="Ask for less, or raise --memory-limit, or sql_megabytes in crmkit.toml.",
            )
        if isinstance(cause, (duckdb.DataError, duckdb.InvalidInputException)):
            # It may quote a value of a row that the asker is not shown.
            told = VALUES.sub(
                lambda part: part[0] if part[0].strip(QUOTES) in sql else "...", _told(cause)
            )
            return SqlRefused(f"the SQL cannot run: {told}.")
        return error


PART = "base_part_"
# Texts and numbers that an error quotes.
VALUES = re.compile(r"""'.*'|".*"|\b\d[\d.]*\b""", re.DOTALL)
QUOTES = "'\""
NO_COLUMN = re.compile(r'Referenced column "(.+?)" not found')


def _files_sql(files: Sequence[Path], types: Mapping[str, str], have: frozenset[str]) -> str:
    listed = _listed(types, have if files else frozenset())
    if not files:
        return f"SELECT {listed} WHERE false"
    paths = ", ".join(quoted_text(str(path)) for path in files)
    # Opening every file for its columns is only worth it where they may differ.
    by_name = ", union_by_name = true" if len(files) > 1 else ""
    return f"SELECT {listed} FROM read_parquet([{paths}]{by_name})"


def _listed(types: Mapping[str, str], have: frozenset[str]) -> str:
    return ", ".join(
        f"CAST({quoted(column) if column in have else 'NULL'} AS {kind}) AS {quoted(column)}"
        for column, kind in types.items()
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of DuckDB as ours: first line only, for the rest is a picture of the SQL."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise CrmkitError("the question was stopped.") from error
    except duckdb.OutOfMemoryException as error:
        raise CrmkitError(
            f"the question needs more memory than there is: {_told(error)}.", code="E_SQL_MEMORY"
        ) from error
    except duckdb.IOException as error:
        raise StorageError(f"a file of the warehouse cannot be read: {_told(error)}.") from error
    except duckdb.BinderException as error:
        column = NO_COLUMN.search(str(error))
        if column:
            raise NoSuchColumn(column[1]) from error
        raise SqlRefused(f"the SQL cannot run: {_told(error)}.") from error
    except duckdb.ParserException as error:
        if "expression depth" in str(error):
            raise SqlRefused(
                "the SQL is nested too deeply: at most 1000 operators within each other can run."
            ) from error
        raise SqlRefused(f"the SQL cannot run: {_told(error)}.") from error
    except duckdb.Error as error:
        raise SqlRefused(f"the SQL cannot run: {_told(error)}.") from error
    except RuntimeError as error:
        # What DuckDB makes of Ctrl-C.
        if "interrupted" in str(error):
            raise KeyboardInterrupt from None
        raise


def _told(error: duckdb.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    kept = []
    for line in lines:
        if line.startswith("LINE "):
            break
        if line:
            kept.append(line)
    return " ".join(kept).rstrip(".")
