"""Small worlds: a handful of rows put into tables of the shape that analysis SQL sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest

import crmkit_telecom
from crmkit.declarations import CUSTOMER, sql_name
from crmkit.entities import FieldSet, FieldType

AS_OF_ON = date(2026, 3, 31)
AS_OF = datetime(2026, 4, 1)  # noqa: DTZ001  the tables carry UTC without a zone

SQL_TYPES = {
    FieldType.TEXT: "VARCHAR", FieldType.INTEGER: "BIGINT", FieldType.NUMBER: "DOUBLE",
    FieldType.BOOLEAN: "BOOLEAN", FieldType.DATE: "DATE", FieldType.INSTANT: "TIMESTAMP",
    FieldType.MONEY: "BIGINT", FieldType.LIST: "VARCHAR[]",
}  # fmt: skip
ROW = "subject_id BIGINT, as_of TIMESTAMP, as_of_on DATE, days_before BIGINT, customer_id BIGINT"
FACT = (
    "id BIGINT, occurred_at TIMESTAMP, occurred_on DATE, channel VARCHAR, direction VARCHAR, "
    "actor VARCHAR, source VARCHAR, amount_minor BIGINT, currency VARCHAR, record_type VARCHAR, "
    "record_id BIGINT, days_after BIGINT"
)
CORE = {
    "customer": f"{ROW}, kind VARCHAR, region VARCHAR, created_on DATE",
    "interaction": f"{ROW}, {FACT}, kind VARCHAR",
    "outcome": f"{ROW}, name VARCHAR, kind VARCHAR, run VARCHAR, value DOUBLE, "
    "band BIGINT, reasons VARCHAR, model_version VARCHAR",
}


class SmallWorld:
    """Tables with the rows of one test, as of 2026-03-31, on which telecom's SQL is run.

    A row says only what matters: ``id`` and ``subject_id`` are 1 where left out, facts take
    ``occurred_at`` and ``days_before`` from ``occurred_on``.
    """

    def __init__(self) -> None:
        self.db = duckdb.connect()
        self.rows = 0
        for name, columns in CORE.items():
            self.db.execute(f"CREATE TABLE {name} ({columns})")
        self.db.execute(
            "CREATE TABLE population (subject_id BIGINT, as_of TIMESTAMP, as_of_on DATE)"
        )
        self._create(
            CUSTOMER_TABLE, crmkit_telecom.register_customer_fields().fields, "valid_from TIMESTAMP"
        )
        for record in crmkit_telecom.register_record_types():
            envelope = "id BIGINT, owner_id BIGINT, valid_from TIMESTAMP"
            self._create(sql_name(record.name), record.fields, envelope)
        for kind in crmkit_telecom.register_interaction_kinds():
            self._create(sql_name(kind.name), kind.fields, FACT)
        features = [f for s in crmkit_telecom.register_features() for f in s.features]
        listed = ", ".join(f"{sql_name(f.name)} {SQL_TYPES[f.type]}" for f in features)
        self.db.execute(f"CREATE TABLE feature (subject_id BIGINT, as_of TIMESTAMP, {listed})")

    def _create(self, name: str, fields: FieldSet, envelope: str) -> None:
        listed = ", ".join(f'"{c.name}" {SQL_TYPES[c.type]}' for c in fields.columns)
        self.db.execute(f"CREATE TABLE {name} ({ROW}, {envelope}, {listed})")

    def add(self, table: str, **values: Any) -> None:
        """One row of a table, by its SQL name."""
        self.rows += 1
        row = {"subject_id": 1, "as_of": AS_OF, **values}
        if table != "feature":
            row["as_of_on"] = AS_OF_ON
        if "occurred_on" in row:
            on = row["occurred_on"]
            row.setdefault("id", self.rows)
            row.setdefault("occurred_at", datetime(on.year, on.month, on.day, 12))  # noqa: DTZ001
            row.setdefault("days_before", (AS_OF_ON - on).days)
            row.setdefault("days_after", (on - AS_OF_ON).days)
        elif table in RECORD_TABLES:
            row.setdefault("id", 1)
        names, marks = ", ".join(f'"{n}"' for n in row), ", ".join("?" for _ in row)
        self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))

    def customers(self, *ids: int) -> None:
        """Population rows of some customers."""
        for subject_id in ids:
            self.db.execute(
                "INSERT INTO population VALUES (?, ?, ?)", [subject_id, AS_OF, AS_OF_ON]
            )

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a SELECT as dictionaries."""
        found = self.db.execute(sql, dict(parameters or {}))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def features(self, name: str) -> dict[int, dict[str, Any]]:
        """What a feature set gives: subject to values, without the plugin's prefix."""
        sets = {s.name: s for s in crmkit_telecom.register_features()}
        out = {}
        for row in self.query(sets[f"telecom.{name}"].sql):
            subject = row.pop("subject_id")
            assert subject not in out, "two rows for one subject"
            assert row.pop("as_of") == AS_OF
            out[subject] = {key.removeprefix("telecom_"): value for key, value in row.items()}
        return out

    def report(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a report in order of its key, with typed parameters."""
        found = {r.name: r for r in crmkit_telecom.register_reports()}[f"telecom.{name}"]
        values = {p.name: parameters.pop(p.name, p.default) for p in found.parameters}
        assert not parameters, f"no such parameters: {parameters}"
        rows = self.query(found.sql, values)
        declared = [column.name for column in found.columns]
        assert not rows or list(rows[0]) == declared
        assert len({tuple(row[k] for k in found.key) for row in rows}) == len(rows)
        return sorted(rows, key=lambda row: tuple(row[k] for k in found.key))


CUSTOMER_TABLE = f"telecom_{CUSTOMER}"
RECORD_TABLES = ("telecom_subscription", "telecom_plan", "telecom_contract", "telecom_device")


def day(days_before: int) -> date:
    """So many days before the as-of day."""
    return AS_OF_ON - timedelta(days=days_before)


@pytest.fixture
def world() -> Iterator[SmallWorld]:
    """An empty small world."""
    made = SmallWorld()
    yield made
    made.db.close()


@pytest.fixture(name="day")
def day_fixture() -> Any:
    """The function that gives the day so many days before the as-of day, 2026-03-31."""
    return day
