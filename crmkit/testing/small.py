"""Small worlds: a handful of rows in tables of the shape that analysis SQL sees.

For tests in which every number is worked by hand: the SQL of one feature set or report is run on rows
that the test writes itself, without a workspace. In a plugin's ``conftest.py``::

    @pytest.fixture
    def world():
        with SmallWorld(crmkit_library) as world:
            yield world

and in a test::

    def test_loans_of_half_a_year(world, day):
        world.add("library_loan", occurred_on=day(10))
        assert world.features("lending")[1]["loans_180d"] == 1
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from types import ModuleType
from typing import Any

from ..declarations import CUSTOMER, sql_name
from ..entities.field_types import FieldType
from ..entities.fields import FieldSet

# The usual as-of day, and the instant at which it is over; the tables carry UTC without a zone.
AS_OF_ON = date(2026, 3, 31)
AS_OF = datetime.combine(AS_OF_ON + timedelta(days=1), time())
CURRENCY = "USD"

SQL_TYPES = {
    FieldType.TEXT: "VARCHAR", FieldType.INTEGER: "BIGINT", FieldType.NUMBER: "DOUBLE",
    FieldType.BOOLEAN: "BOOLEAN", FieldType.DATE: "DATE", FieldType.INSTANT: "TIMESTAMP",
    FieldType.MONEY: "BIGINT", FieldType.LIST: "VARCHAR[]",
}  # fmt: skip
ROW = "subject_id BIGINT, as_of TIMESTAMP, as_of_on DATE, days_before BIGINT, customer_id BIGINT"
FACT = (
    "id BIGINT, occurred_at TIMESTAMP, occurred_on DATE, channel VARCHAR, direction VARCHAR, "
    "actor VARCHAR, source VARCHAR, amount_minor BIGINT, currency VARCHAR, record_type VARCHAR, "
    "record_id BIGINT, days_after BIGINT, amount_base_minor BIGINT GENERATED ALWAYS AS "
    f"(CASE WHEN coalesce(currency, '{CURRENCY}') = '{CURRENCY}' THEN amount_minor END) VIRTUAL"
)
CORE = {
    "customer": f"{ROW}, kind VARCHAR, region VARCHAR, owner VARCHAR, team VARCHAR, created_on DATE, "
    "merged_into BIGINT",
    "interaction": f"{ROW}, {FACT}, kind VARCHAR",
    "outcome": f"{ROW}, name VARCHAR, kind VARCHAR, run VARCHAR, value DOUBLE, "
    'band BIGINT, reasons VARCHAR, model_version VARCHAR, "at" DATE',
    "activity_cost": f"{ROW}, driver VARCHAR, kind VARCHAR, quantity DOUBLE, rate BIGINT, scale BIGINT",
    "revenue": f"{ROW}, kind VARCHAR, refund BOOLEAN, amount_minor BIGINT, amount_base_minor BIGINT",
    "stage_change": f"{ROW}, id BIGINT, lifecycle VARCHAR, from_stage VARCHAR, to_stage VARCHAR, "
    '"at" TIMESTAMP, changed_on DATE, rule VARCHAR',
}


class SmallWorld:
    """Tables with the rows of one test, on which a plugin's SQL is run.

    A row says only what matters: ``subject_id`` and a record's ``id`` are 1 where left out, facts take
    ``occurred_at`` and ``days_before`` from ``occurred_on``. Amounts without a currency are in USD, the
    currency of the world.

    Args:
        plugin: the plugin's module, whose hooks say which tables there are.
        others: modules of plugins, built-ins among them, whose tables its SQL reads too.
        as_of_on: the as-of day; rows show what had happened by its end.
    """

    def __init__(self, plugin: ModuleType, *others: ModuleType, as_of_on: date = AS_OF_ON) -> None:
        import duckdb

        self.plugin = plugin
        self.as_of_on = as_of_on
        self.as_of = datetime.combine(as_of_on + timedelta(days=1), time())
        self.db = duckdb.connect()
        self.rows = 0
        self.records: set[str] = set()
        features = []
        for name, columns in CORE.items():
            self.db.execute(f"CREATE TABLE {name} ({columns})")
        self.db.execute(
            "CREATE TABLE population (subject_id BIGINT, as_of TIMESTAMP, as_of_on DATE)"
        )
        for module in (plugin, *others):
            fields = _declared(module, "register_customer_fields")
            records = _declared(module, "register_record_types") or []
            kinds = _declared(module, "register_interaction_kinds") or []
            if fields is not None:
                prefix = _prefix(module)
                self._create(f"{prefix}_{CUSTOMER}", fields.fields, "valid_from TIMESTAMP")
            for record in records:
                self.records.add(sql_name(record.name))
                envelope = "id BIGINT, owner_id BIGINT, valid_from TIMESTAMP"
                self._create(sql_name(record.name), record.fields, envelope)
            for kind in kinds:
                self._create(sql_name(kind.name), kind.fields, FACT)
            features += [
                f for s in _declared(module, "register_features") or [] for f in s.features
            ]
        listed = "".join(f", {sql_name(f.name)} {SQL_TYPES[f.type]}" for f in features)
        self.db.execute(f"CREATE TABLE feature (subject_id BIGINT, as_of TIMESTAMP{listed})")

    def __enter__(self) -> SmallWorld:
        return self

    def __exit__(self, *exception: object) -> None:
        self.db.close()

    def _create(self, name: str, fields: FieldSet, envelope: str) -> None:
        listed = "".join(f', "{c.name}" {SQL_TYPES[c.type]}' for c in fields.columns)
        listed += "".join(
            _base(f"{f.name}_minor", f"{f.name}_currency")
            for f in fields.fields
            if f.type is FieldType.MONEY and f.currency is None
        )
        self.db.execute(f"CREATE TABLE {name} ({ROW}, {envelope}{listed})")

    def add(self, table: str, **values: Any) -> None:
        """One row of a table, by its SQL name."""
        self.rows += 1
        row = {"subject_id": 1, "as_of": self.as_of, **values}
        if table != "feature":
            row["as_of_on"] = self.as_of_on
        if "occurred_on" in row:
            on = row["occurred_on"]
            row.setdefault("id", self.rows)
            row.setdefault("occurred_at", datetime(on.year, on.month, on.day, 12))  # noqa: DTZ001
            row.setdefault("days_before", (self.as_of_on - on).days)
            row.setdefault("days_after", (on - self.as_of_on).days)
        elif table in self.records:
            row.setdefault("id", 1)
        if table != "feature" and row["subject_id"] is not None:
            row.setdefault("customer_id", row["subject_id"])
        names, marks = ", ".join(f'"{n}"' for n in row), ", ".join("?" for _ in row)
        self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608

    def customers(self, *ids: int) -> None:
        """Population rows of some customers."""
        for subject_id in ids:
            self.db.execute(
                "INSERT INTO population VALUES (?, ?, ?)", [subject_id, self.as_of, self.as_of_on]
            )

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a SELECT as dictionaries."""
        found = self.db.execute(sql, dict(parameters or {}))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def features(self, name: str) -> dict[int, dict[str, Any]]:
        """What a feature set gives: subject to values, without the plugin's prefix.

        Args:
            name: of the set, without the plugin's name.
        """
        prefix = _prefix(self.plugin)
        sets = {s.name: s for s in _declared(self.plugin, "register_features")}
        out: dict[int, dict[str, Any]] = {}
        for row in self.query(sets[f"{prefix}.{name}"].sql):
            subject = row.pop("subject_id")
            assert subject not in out, "two rows for one subject"
            assert row.pop("as_of") == self.as_of
            out[subject] = {key.removeprefix(f"{prefix}_"): value for key, value in row.items()}
        return out

    def report(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a report in order of its key, with typed parameters.

        Args:
            name: of the report, without the plugin's name.
        """
        full = f"{_prefix(self.plugin)}.{name}"
        found = {r.name: r for r in _declared(self.plugin, "register_reports")}[full]
        values = {p.name: parameters.pop(p.name, p.default) for p in found.parameters}
        assert not parameters, f"no such parameters: {parameters}"
        rows = self.query(found.sql, values)
        declared = [column.name for column in found.columns]
        assert not rows or list(rows[0]) == declared
        keys = [tuple(row[k] for k in found.key) for row in rows]
        assert len(set(keys)) == len(rows), "two rows with one key"
        order = sorted(range(len(rows)), key=lambda i: [(v is None, v) for v in keys[i]])
        return [rows[i] for i in order]


def _base(amount: str, currency: str) -> str:
    """The column that has an amount where it is in the currency of the world, as analysis SQL has it."""
    name = f"{amount.removesuffix('_minor')}_base_minor"
    is_own = f"coalesce({currency}, '{CURRENCY}') = '{CURRENCY}'"
    return f", {name} BIGINT GENERATED ALWAYS AS (CASE WHEN {is_own} THEN {amount} END) VIRTUAL"


def day(days_before: int) -> date:
    """So many days before 2026-03-31, the usual as-of day of a small world."""
    return AS_OF_ON - timedelta(days=days_before)


def _declared(module: ModuleType, hook: str) -> Any:
    made = getattr(module, hook, None)
    return made() if made is not None else None


def _prefix(module: ModuleType) -> str:
    """``crmkit_telecom`` is telecom, ``crmkit.builtin.value`` is value."""
    return module.__name__.rpartition(".")[2].removeprefix("crmkit_")
