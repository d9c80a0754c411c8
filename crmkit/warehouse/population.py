"""Populations: for whom and as of when something is computed (design D4)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen

from ..entities.asof import AsOf
from ..errors import UsageError

SCHEMA = pa.schema(
    [("subject_id", pa.int64()), ("as_of", pa.timestamp("us")), ("as_of_on", pa.date32())]
)


@frozen
class Population:
    """Either everyone at one date, or the rows of a table with a date for each.

    Attributes:
        one: the one date, or None.
        table: ``subject_id, as_of, as_of_on``, each pair once, or None.
    """

    one: AsOf | None = None
    table: pa.Table | None = field(default=None, repr=False, eq=False)

    @classmethod
    def at(cls, as_of: AsOf) -> Population:
        """Everyone who was there by a date."""
        return cls(one=as_of)

    @classmethod
    def rows(cls, table: pa.Table) -> Population:
        """The subjects and dates of an Arrow table.

        Args:
            table: ``subject_id``, ``as_of`` (UTC without zone) and ``as_of_on`` (the local day
                that contains the last visible moment). Rows that come twice count once.

        Raises:
            UsageError: if a column is missing, of another type or has missing values.
        """
        faults = [
            f"column {name} is missing" for name in SCHEMA.names if name not in table.column_names
        ]
        if faults:
            raise UsageError(
                f"a population has subject_id, as_of and as_of_on: {'; '.join(faults)}."
            )
        try:
            rows = table.select(SCHEMA.names).cast(SCHEMA)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise UsageError(f"a population cannot be read: {error}.") from error
        empty = [name for name in SCHEMA.names if rows[name].null_count]
        if empty:
            raise UsageError(f"a population has missing values in {', '.join(empty)}.")
        return cls(table=rows.group_by(SCHEMA.names, use_threads=False).aggregate([]))

    @classmethod
    def of(cls, subjects: list[int], as_of: AsOf) -> Population:
        """Some subjects at one date."""
        size = len(subjects)
        instant = as_of.instant.replace(tzinfo=None)
        return cls.rows(
            pa.table(
                {
                    "subject_id": pa.array(subjects, pa.int64()),
                    "as_of": pa.array([instant] * size, pa.timestamp("us")),
                    "as_of_on": pa.array([as_of.on] * size, pa.date32()),
                }
            )
        )

    def span(self) -> tuple[date, date] | None:
        """First and last as-of day, or None for a population without rows."""
        if self.one is not None:
            return self.one.on, self.one.on
        if self.table is None or not self.table.num_rows:
            return None
        bounds = pc.min_max(self.table["as_of_on"]).as_py()
        return bounds["min"], bounds["max"]

    def latest(self) -> datetime | None:
        """The latest as-of instant (UTC without zone), or None for a population without rows."""
        if self.one is not None:
            return self.one.instant.replace(tzinfo=None)
        if self.table is None or not self.table.num_rows:
            return None
        found: datetime = pc.max(self.table["as_of"]).as_py()
        return found

    def first_day(self, window_days: int) -> date | None:
        """The oldest day that a window of so many days before any as-of day reaches."""
        span = self.span()
        return span[0] - timedelta(days=window_days) if span else None
