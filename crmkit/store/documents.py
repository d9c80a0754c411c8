"""Documents: files attached to customers and records, with a type and a day of expiry (C10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, fields, frozen
from sqlalchemy import false, func, select

from ..errors import EditConflict, NotFound, StorageError, UsageError
from .document_files import DocumentFiles, safe_name
from .family import members_of
from .gateway import Gateway
from .history import Versions
from .rows import is_in

if TYPE_CHECKING:
    from .store import Store, Tx

CUSTOMER = "customer"
# Any number that nothing else in the database locks.
_FILES_LOCK = 0x63726D646F63


@frozen(kw_only=True)
class Document:
    """A file attached to a customer or a record.

    Attributes:
        customer_id: whose it is; of a record, the customer that the record belonged to.
        record_type, record_id: the record, or None.
        type: what it is, as ``contract`` or ``identity card``.
        expires_on: last day on which it holds, if it ends.
        file_name: what its sender called it.
        size: bytes.
        sha256: hash of what it holds, 64 hexadecimal digits.
    """

    id: int
    customer_id: int | None
    record_type: str | None
    record_id: int | None
    type: str
    expires_on: date | None
    removed: bool
    file_name: str
    media_type: str
    size: int
    sha256: str
    version: int


COLUMNS = tuple(f.name for f in fields(Document) if f.name != "customer_id")
# Inside the class `list` is its method.
Found = list[Document]


class Documents(Gateway):
    """Documents; their files lie in ``folder`` by their hash."""

    def __init__(self, store: Store, folder: Path, *, most_bytes: int) -> None:
        super().__init__(store)
        self.files = DocumentFiles(folder, most_bytes)

    def add(
        self,
        file: str | Path,
        *,
        type: str,
        customer_id: int | None = None,
        record: tuple[str, int] | None = None,
        expires_on: date | None = None,
        tx: Tx | None = None,
    ) -> Document:
        """Takes a file in and attaches it to a customer or a record.

        The file is on disk before the row is written, so a row never lacks its file.

        Args:
            type: what it is, in the words of the business.
            customer_id: whose it is; None takes the customer of ``record``.
            record: record type and id.
            expires_on: last day on which it holds.

        Raises:
            InputRefused, StorageError: as :meth:`DocumentFiles.take`.
            NotFound: if the customer or the record does not exist.
            UsageError: without a type, customer or record.
        """
        kind = " ".join(type.split())
        if not kind:
            raise UsageError("a document needs a type, such as contract.")
        if customer_id is None and record is None:
            raise UsageError("a document belongs to a customer or a record.")
        if record is not None and customer_id is None:
            customer_id = self._customer_of(*record)
        if customer_id is not None:
            customer_id = self._store.customers.get(customer_id, tx=tx).id
        name = safe_name(Path(file).name)
        kept = self.files.take(Path(file), name)
        with self._writing(tx, "document add") as own:
            self._hold_files(own)
            record_type, record_id = record or (None, None)
            made = Document(
                id=own.take_ids(1)[0], customer_id=customer_id, record_type=record_type,
                record_id=record_id, type=kind, expires_on=expires_on, removed=False,
                file_name=name, media_type=kept.media_type, size=kept.size, sha256=kept.sha256,
                version=1,
            )  # fmt: skip
            row: dict[str, Any] = {n: getattr(made, n) for n in COLUMNS}
            row |= {"owner_id": customer_id, "valid_from": own.at, "tx": own.id}
            own.connection.execute(self._table("document").insert(), row)
            # A removal that ended in between may have taken the same file away.
            if not self.files.path(kept.sha256).exists():
                self.files.take(Path(file), name)
            own.count("document", 1)
            return made

    def get(self, document_id: int, *, tx: Tx | None = None) -> Document:
        """The document of that id; one that was removed too.

        Raises:
            NotFound: if there is none.
        """
        d = self._table("document")
        with self._reading(tx) as connection:
            row = connection.execute(select(d).where(d.c.id == document_id)).mappings().first()
        if row is None:
            raise NotFound("document", str(document_id))
        return _document(row)

    def list(
        self,
        *,
        customer_id: int | None = None,
        record: tuple[str, int] | None = None,
        type: str | None = None,
        expires_by: date | None = None,
        limit: int | None = None,
        tx: Tx | None = None,
    ) -> Found:
        """Documents that were not removed, the next to expire first.

        Args:
            customer_id: only this customer's, with those of customers merged into it.
            expires_by: only those whose last day is not after this one.
        """
        d = self._table("document")
        query = select(d).where(d.c.removed == false())
        query = query.order_by(d.c.expires_on.asc().nulls_last(), d.c.id).limit(limit)
        if record is not None:
            query = query.where(d.c.record_type == record[0], d.c.record_id == record[1])
        if type is not None:
            query = query.where(d.c.type == type)
        if expires_by is not None:
            query = query.where(d.c.expires_on <= expires_by)
        with self._reading(tx) as connection:
            if customer_id is not None:
                family = members_of(connection, self._table(CUSTOMER), [customer_id])
                query = query.where(is_in(connection, d.c.owner_id, family))
            return [_document(row) for row in connection.execute(query).mappings()]

    def read(self, document_id: int) -> bytes:
        """What a document holds, checked against its hash.

        Raises:
            NotFound: if there is none, or it was removed.
            StorageError: if its file is gone or was changed.
        """
        found = self.get(document_id)
        if found.removed:
            raise NotFound("document", str(document_id), hint="It was removed.")
        return self.files.read(found.sha256)

    def remove(self, document_id: int) -> Document:
        """Takes a document away, and its file unless another document has the same.

        That it was there stays in the history. The file goes after the commit: a process killed
        between leaves a file that :meth:`check` names.

        Raises:
            NotFound: if there is none, or it was removed already.
        """
        table = self._table("document")
        with self._store.begin("document remove") as tx:
            found = self.get(document_id, tx=tx)
            if found.removed:
                raise NotFound("document", str(document_id), hint="It was removed already.")
            versions = Versions(table, self._table("document_history"))
            versions.keep(tx.connection, table.c.id == document_id, tx.at, tx.id)
            done = tx.connection.execute(
                table.update()
                .where(table.c.id == document_id, table.c.version == found.version)
                .values(removed=True, valid_from=tx.at, version=found.version + 1, tx=tx.id)
            )
            if done.rowcount != 1:
                raise EditConflict("the document", found.version, found.version + 1)
            tx.count("document", 1)
        with self._store.begin("document remove") as tx:
            self._hold_files(tx)
            same = select(table.c.id).where(
                table.c.sha256 == found.sha256, table.c.removed == false()
            )
            if tx.connection.scalar(same.limit(1)) is None:
                self.files.drop(found.sha256)
        return evolve(found, removed=True, version=found.version + 1)

    def check(self) -> Sequence[tuple[str, str]]:
        """Every file that is missing, changed or known to no document: what it is, and where."""
        d = self._table("document")
        with self._reading(None) as connection:
            query = select(d.c.sha256).where(d.c.removed == false()).distinct()
            known = frozenset(connection.scalars(query))
        out = []
        for sha256 in sorted(known):
            if not self.files.path(sha256).exists():
                out.append(("missing", str(self.files.path(sha256))))
            elif _damaged(self.files, sha256):
                out.append(("changed", str(self.files.path(sha256))))
        return out + [("unknown", str(path)) for path in self.files.leftovers(known)]

    def _hold_files(self, tx: Tx) -> None:
        """Lets nobody else attach or drop a file until the transaction ends.

        SQLite has one writer at a time anyway.
        """
        if self._store.dialect == "postgresql":
            tx.connection.execute(select(func.pg_advisory_xact_lock(_FILES_LOCK)))

    def _customer_of(self, type: str, record_id: int) -> int | None:
        """The customer at the end of a record's owners, if there is one."""
        found = self._store.records.get(type, record_id)
        owner = self._store.entity(type).owner
        if owner is None or found.owner_id is None:
            return None
        return found.owner_id if owner == CUSTOMER else self._customer_of(owner, found.owner_id)


def _damaged(files: DocumentFiles, sha256: str) -> bool:
    try:
        files.read(sha256)
    except StorageError:
        return True
    return False


def _document(row: Any) -> Document:
    return Document(customer_id=row["owner_id"], **{name: row[name] for name in COLUMNS})
