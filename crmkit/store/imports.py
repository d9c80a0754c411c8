"""Imports: what was read, how far, and what was rejected (design D10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
from attrs import evolve, fields, frozen
from attrs.validators import in_
from sqlalchemy import func, select

from ..errors import NotFound
from .gateway import Gateway
from .history import Row
from .rows import insert_rows, is_in

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from .store import Store, Tx

STATUSES = ("running", "done", "failed", "reverted")
COUNTS = ("read", "created", "updated", "unchanged", "rejected")


@frozen(kw_only=True)
class ImportRun:
    """One import of one file through one profile.

    ``read`` is the sum of ``created``, ``updated``, ``unchanged`` and ``rejected``. ``next_line``
    is the line at which an unfinished import goes on. Of a reverted one nothing is stored any more.
    ``rejects_of`` is the earlier import of the same file that rejected the very same rows, or None:
    they are kept once.
    """

    id: int
    file_name: str
    file_hash: str
    profile: str
    profile_hash: str
    source: str
    status: str = attrs.field(default="running", validator=in_(STATUSES))
    next_line: int = 1
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    started_at: datetime
    finished_at: datetime | None = None
    seconds: float | None = None
    rejects_file: str | None = None
    rejects_of: int | None = None


IMPORT = "import "


def import_command(run_id: int) -> str:
    """What a batch's transaction says that it does, so that an import's rows can be found again."""
    return f"{IMPORT}{run_id}"


def imported_by(store: Store, connection: Connection, txs: Iterable[int], source: str) -> set[int]:
    """Those of some transactions in which an import of this source wrote."""
    t = store.tables["tx"].c
    asked = select(t.id).where(
        is_in(connection, t.id, txs), t.source == source, t.command.startswith(IMPORT)
    )
    return set(connection.scalars(asked))


@frozen(kw_only=True)
class ImportReject:
    """A row that was not taken: why, and the row itself as the file had it."""

    line: int
    code: str
    message: str
    field: str | None = None
    value: str | None = None
    allowed: str | None = None
    row: Mapping[str, Any] = attrs.field(factory=dict, hash=False)


RUN = tuple(f.name for f in fields(ImportRun))
REJECT = tuple(f.name for f in fields(ImportReject))


class Imports(Gateway):
    """Runs and rejects. A batch saves its rows, its rejects and its progress in one transaction."""

    def start(
        self,
        *,
        file_name: str,
        file_hash: str,
        profile: str,
        profile_hash: str,
        source: str,
        next_line: int = 1,
        rejects_file: str | None = None,
        tx: Tx | None = None,
    ) -> ImportRun:
        """Opens a run that stands at ``next_line``."""
        with self._writing(tx, "import start") as own:
            run = ImportRun(
                id=own.take_ids(1)[0], file_name=file_name, file_hash=file_hash, profile=profile,
                profile_hash=profile_hash, source=source, next_line=next_line,
                started_at=own.at, rejects_file=rejects_file,
            )  # fmt: skip
            row = {name: getattr(run, name) for name in RUN}
            own.connection.execute(self._table("import_run").insert(), row)
            return run

    def find_resumable(self, file_hash: str, profile_hash: str) -> ImportRun | None:
        """The unfinished run of that very file and profile, or None."""
        r = self._table("import_run")
        query = (
            select(r)
            .where(
                r.c.file_hash == file_hash,
                r.c.profile_hash == profile_hash,
                r.c.status == "running",
            )
            .order_by(r.c.id.desc())
            .limit(1)
        )
        with self._store.read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _run(row)

    def save_progress(
        self,
        tx: Tx,
        run_id: int,
        *,
        next_line: int,
        rejects: Iterable[ImportReject] = (),
        **counts: int,
    ) -> None:
        """Adds a batch's counts and rejects to the run, inside the batch's own transaction.

        Args:
            next_line: where the next batch begins.
            counts: to add, by name from COUNTS.
        """
        unknown = counts.keys() - set(COUNTS)
        if unknown:
            raise NotFound("import count", min(unknown), COUNTS)
        r = self._table("import_run")
        with self._writing(tx, "import") as own:
            added = {name: r.c[name] + count for name, count in counts.items()}
            done = own.connection.execute(
                r.update().where(r.c.id == run_id).values(next_line=next_line, **added)
            )
            if done.rowcount != 1:
                raise NotFound("import", str(run_id))
            self._keep_rejects(own, run_id, list(rejects))

    def finish(
        self,
        run_id: int,
        *,
        status: str = "done",
        seconds: float | None = None,
        rejects_file: str | None = None,
        tx: Tx | None = None,
    ) -> ImportRun:
        """Closes a run; a closed run is never resumed.

        Raises:
            NotFound: if there is no such run.
        """
        r = self._table("import_run")
        with self._writing(tx, "import finish") as own:
            run = evolve(
                self.get(run_id, tx=own), status=status, finished_at=own.at, seconds=seconds
            )
            run = run if rejects_file is None else evolve(run, rejects_file=rejects_file)
            if status == "done" and run.rejected:
                run = evolve(run, rejects_of=self._share_rejects(own, run))
            names = ("status", "finished_at", "seconds", "rejects_file", "rejects_of")
            values = {name: getattr(run, name) for name in names}
            own.connection.execute(r.update().where(r.c.id == run_id).values(**values))
            return run

    def get(self, run_id: int, *, tx: Tx | None = None) -> ImportRun:
        """The run of that id.

        Raises:
            NotFound: if there is none.
        """
        r = self._table("import_run")
        with self._reading(tx) as connection:
            row = connection.execute(select(r).where(r.c.id == run_id)).mappings().first()
        if row is None:
            raise NotFound("import", str(run_id), hint="See: crmkit batch list")
        return _run(row)

    def runs(self, *, limit: int | None = None) -> list[ImportRun]:
        """Runs, latest first."""
        r = self._table("import_run")
        with self._store.read() as connection:
            rows = connection.execute(select(r).order_by(r.c.id.desc()).limit(limit)).mappings()
            return [_run(row) for row in rows]

    def last_of_sources(self) -> list[ImportRun]:
        """The last finished import of each source and profile, by source and profile."""
        last: dict[tuple[str, str], ImportRun] = {}
        for one in self.runs():
            if one.status == "done":
                last.setdefault((one.source, one.profile), one)
        return [last[key] for key in sorted(last)]

    def rejects(self, run_id: int, *, limit: int | None = None) -> list[ImportReject]:
        """Rejects of a run, in the order of the file."""
        j = self._table("import_reject")
        r = self._table("import_run").c
        kept = select(func.coalesce(r.rejects_of, r.id)).where(r.id == run_id).scalar_subquery()
        query = select(j).where(j.c.import_id == kept).order_by(j.c.line, j.c.id).limit(limit)
        with self._store.read() as connection:
            rows = connection.execute(query).mappings()
            return [ImportReject(**{name: row[name] for name in REJECT}) for row in rows]

    def _share_rejects(self, tx: Tx, run: ImportRun) -> int | None:
        """The earlier import of this file that rejected the same rows, which then has them for both."""
        r, j = self._table("import_run").c, self._table("import_reject")
        earlier = select(r.id).where(
            r.file_hash == run.file_hash, r.profile_hash == run.profile_hash,
            r.source == run.source, r.rejected == run.rejected, r.rejects_of.is_(None),
            r.status.in_(("done", "reverted")), r.id != run.id,
        )  # fmt: skip
        before = tx.connection.scalar(earlier.order_by(r.id.desc()).limit(1))
        if before is None:
            return None
        told = [j.c[name] for name in REJECT if name != "row"]
        mine, theirs = (select(*told).where(j.c.import_id == i) for i in (run.id, before))
        if tx.connection.execute(mine.except_(theirs).limit(1)).first() is not None:
            return None
        tx.connection.execute(j.delete().where(j.c.import_id == run.id))
        return int(before)

    def _keep_rejects(self, tx: Tx, run_id: int, rejects: list[ImportReject]) -> None:
        if not rejects:
            return
        ids = tx.take_ids(len(rejects))
        rows = (
            [i, run_id, *(getattr(reject, name) for name in REJECT)]
            for i, reject in zip(ids, rejects, strict=True)
        )
        insert_rows(tx.connection, self._table("import_reject"), ["id", "import_id", *REJECT], rows)


def _run(row: Row) -> ImportRun:
    return ImportRun(**{name: row[name] for name in RUN})
