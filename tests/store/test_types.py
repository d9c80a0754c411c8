"""Values as the two databases hold them, and what is refused before it can be bent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from crmkit.entities import Money
from crmkit.errors import UsageError
from crmkit.store.store import Store
from crmkit.store.types import (
    Boolean,
    Date,
    Instant,
    Integer,
    Json,
    JsonText,
    Number,
    Stored,
    Text,
    instant_text,
    json_text,
)


class Sqlite:
    name = "sqlite"


REFUSED = [
    (Text(), 5, "5 is not text"),
    (Text(), "a\0b", "NUL"),
    (Integer(), 1.5, "1.5 is not a whole number"),
    (Integer(), True, "True is not a whole number"),
    (Integer(), "7", "'7' is not a whole number"),
    (Integer(), 1 << 63, "does not fit into 64 bits"),
    (Number(), float("nan"), "not a finite number"),
    (Number(), float("inf"), "not a finite number"),
    (Number(), "1.5", "'1.5' is not a number"),
    (Boolean(), 1, "neither true nor false"),
    (Instant(), datetime(2026, 3, 1), "not an instant with a time zone"),  # noqa: DTZ001
    (Date(), datetime(2026, 3, 1, tzinfo=UTC), "is not a date"),
    (Json(), {"x": float("nan")}, "not a JSON document"),
]


@pytest.mark.parametrize(("kind", "value", "words"), REFUSED)
def test_a_value_that_a_database_would_bend_is_refused(
    kind: Stored, value: Any, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        kind.process_bind_param(value, Sqlite())  # type: ignore[arg-type]
    assert caught.value.code == "E_TYPE"


def test_an_instant_is_text_in_utc_with_six_digits() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert instant_text(datetime(2026, 4, 1, 6, 0, tzinfo=shanghai)) == "2026-03-31 22:00:00.000000"
    late = datetime(2026, 4, 1, 6, 0, 0, 120_000, tzinfo=shanghai)
    assert instant_text(late) == "2026-03-31 22:00:00.120000"


def test_equal_documents_are_equal_text() -> None:
    assert (
        json_text({"b": "芳", "a": [1]}) == json_text({"a": [1], "b": "芳"}) == '{"a":[1],"b":"芳"}'
    )
    ready = JsonText('{ "a" : 1 }')
    assert Json().process_bind_param(ready, Sqlite()) == '{ "a" : 1 }'  # type: ignore[arg-type]


# Most positive and most negative 64 bits; 17 digits are more than a double keeps.
BIG = [9223372036854775807, -9223372036854775808, 12345678901234567, 0]


@pytest.mark.parametrize("minor", BIG)
def test_big_money_comes_back_to_the_last_digit(store: Store, minor: int) -> None:
    made = store.records.set(
        "shop.plan", source="s", ref="p", values={"monthly_fee": Money(minor, "JPY")}
    )
    assert store.records.get("shop.plan", made.id).values["monthly_fee"] == Money(minor, "JPY")


def test_money_text_is_exact_where_a_double_is_not(store: Store) -> None:
    """0.1 + 0.2 as doubles is 0.30000000000000004; in minor units it is 30."""
    made = store.customers.add(fields={"shop": {"spend": "92233720368547758.07"}})
    spend = store.customers.fields(made.id)["shop"]["spend"]
    assert spend == Money(9223372036854775807, "USD")
    assert str(spend) == "92233720368547758.07"


def test_money_beyond_64_bits_is_refused_naming_the_field(store: Store) -> None:
    with pytest.raises(UsageError, match=r"shop\.customer, field 'spend': .* 64 bits"):
        store.customers.add(fields={"shop": {"spend": "92233720368547758.08"}})
    assert store.customers.list() == []


def test_a_double_keeps_all_its_bits(store: Store) -> None:
    for number in (0.1, 1 / 3, 1e300, 5e-324, 123456789.123456789):
        made = store.records.set("shop.plan", source="s", ref="p", values={"data_gb": number})
        assert made.values["data_gb"] == number


def test_every_type_comes_back_as_it_went_in(store: Store) -> None:
    at = datetime(2026, 3, 31, 22, 15, 30, 7, tzinfo=UTC)
    values = {
        "number": "0013", "active": False, "opened_on": date(1900, 2, 28), "activated_at": at,
        "addons": ["数据", "a,b", ""],
    }  # fmt: skip
    made = store.records.set("shop.line", source="s", ref="1", values=values)
    assert store.records.get("shop.line", made.id).values == values


def test_numbers_are_added_by_the_database_and_not_joined(store: Store) -> None:
    """1 and 4 are 5; as texts they would be 14."""
    w = store.tables["writer"].c
    with store.begin("trial") as tx:
        tx.connection.execute(store.tables["writer"].update().values(last_ms=1))
        assert tx.connection.scalar(select(w.last_ms + 4).limit(1)) == 5


def test_no_table_takes_text_for_a_number(store: Store) -> None:
    """STRICT on SQLite; PostgreSQL never did."""
    with (
        pytest.raises(DBAPIError, match=r"(?i)integer|bigint"),
        store.engine.begin() as connection,
    ):
        connection.execute(
            text(
                "INSERT INTO writer (number, token, last_ms, leased_at)"
                " VALUES (999, NULL, 'abc', '2026-01-01 00:00:00.000000')"
            )
        )


def test_every_sqlite_table_is_strict(new_store: Callable[..., Store], tmp_path: Path) -> None:
    store = new_store(f"sqlite:///{tmp_path / 'crmkit.db'}")
    store.upgrade()
    with store.read() as connection:
        loose = connection.execute(
            text("SELECT name FROM pragma_table_list WHERE strict = 0 AND name NOT LIKE 'sqlite%'")
        ).all()
    assert loose == []
