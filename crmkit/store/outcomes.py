"""Outcomes: the latest score, segment membership or rule firing of each subject (design D7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import field, fields, frozen
from attrs.validators import in_
from sqlalchemy import func, select

from ..declarations import CUSTOMER
from ..errors import UsageError
from .gateway import Gateway
from .history import Row
from .prepared import rows_where
from .rows import insert_rows, is_in
from .types import JsonText

if TYPE_CHECKING:
    from .store import Tx

KINDS = ("score", "segment", "rule")


@frozen(kw_only=True)
class Outcome:
    """What a run found for one subject.

    Args:
        name: of the score, segment or rule.
        as_of: UTC instant up to which the run looked.
        run: names the run, whose rows are kept under ``runs/``.
        value: a score's probability; None for the others.
        band: a score's decile, 1 is the highest.
        reasons: words, most important first.
        evidence: the inputs by name.
        inputs_hash: of everything that decided the value.
    """

    name: str
    kind: str = field(validator=in_(KINDS))
    subject_type: str = CUSTOMER
    subject_id: int
    as_of: datetime
    run: str
    value: float | None = None
    band: int | None = None
    reasons: tuple[str, ...] = field(default=(), converter=tuple)
    evidence: Mapping[str, Any] = field(factory=dict, hash=False)
    model_version: str | None = None
    inputs_hash: str | None = None


COLUMNS = tuple(f.name for f in fields(Outcome))


class Outcomes(Gateway):
    """Latest outcomes; earlier runs are in ``runs/`` and what was acted on is an interaction."""

    def replace(
        self,
        name: str,
        rows: Iterable[Outcome | Mapping[str, Any]],
        *,
        subjects: Collection[int] | None = None,
        tx: Tx | None = None,
    ) -> int:
        """Puts these rows in the place of every row of that name, in one transaction.

        Args:
            rows: at most one per subject, all of that name; read once, so a generator will do.
                A row of a run's file may come as it is: a mapping with the names of
                :class:`Outcome`, ``as_of`` in UTC without zone, reasons and evidence as JSON text.

            subjects: only what is kept of these is replaced; None is everyone's.

        Returns:
            How many rows were written.
        """
        o = self._table("outcome")
        with self._writing(tx, "outcome replace") as own:
            _take_turns(own, name)
            old = o.delete().where(o.c.name == name)
            if subjects is not None:
                old = old.where(is_in(own.connection, o.c.subject_id, sorted(subjects)))
            own.connection.execute(old)
            found = insert_rows(
                own.connection,
                o,
                [*COLUMNS, "tx"],
                ([*_row(name, row), own.id] for row in rows),
            )
            own.count(name, found)
            return found

    def for_subject(self, subject_id: int, *, tx: Tx | None = None) -> list[Outcome]:
        """Every outcome of a customer or record, by name."""
        return self.for_subjects([subject_id], tx=tx)

    def for_subjects(self, ids: Iterable[int], *, tx: Tx | None = None) -> list[Outcome]:
        """Every outcome of several customers or records, by subject and name."""
        o = self._table("outcome")
        with self._reading(tx) as connection:
            rows = rows_where(connection, o, "subject_id", ids, order=("subject_id", "name"))
            return [_outcome(row) for row in rows]

    def list(self, name: str, *, limit: int | None = None, tx: Tx | None = None) -> Found:
        """The outcomes of that name, highest value first, equal ones by subject."""
        o = self._table("outcome")
        with self._reading(tx) as connection:
            query = (
                select(o)
                .where(o.c.name == name)
                .order_by(o.c.value.desc().nulls_last(), o.c.subject_id)
                .limit(limit)
            )
            rows = connection.execute(query).mappings()
            return [_outcome(row) for row in rows]


Found = list[Outcome]


def _take_turns(tx: Tx, name: str) -> None:
    """Lets one run of a name replace at a time; on SQLite a write is alone already."""
    if tx.connection.dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock(func.hashtextextended(f"crmkit.outcome:{name}", 0))
        tx.connection.execute(select(lock))


def _row(name: str, row: Outcome | Mapping[str, Any]) -> list[Any]:
    values = {c: getattr(row, c) for c in COLUMNS} if isinstance(row, Outcome) else dict(row)
    if values.setdefault("name", name) != name:
        raise UsageError(f"an outcome of {values['name']} stands among those of {name}.")
    if values["as_of"].tzinfo is None:
        values["as_of"] = values["as_of"].replace(tzinfo=UTC)
    for document in ("reasons", "evidence"):
        given = values.get(document)
        if isinstance(given, str):
            values[document] = JsonText(given)
        elif isinstance(given, tuple):
            values[document] = list(given)
    values.setdefault("subject_type", CUSTOMER)
    return [values.get(column) for column in COLUMNS]


def _outcome(row: Row) -> Outcome:
    values = {column: row[column] for column in COLUMNS}
    values["reasons"], values["evidence"] = row["reasons"] or (), row["evidence"] or {}
    return Outcome(**values)
