"""What a table name shows at a date; every expected value is worked by hand from the writes above it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from crmkit.entities.asof import AsOf
from crmkit.errors import NotFound, SqlRefused, UsageError
from crmkit.warehouse.runs import write_run


def test_a_day_ends_at_local_midnight(world: Any, at: Any) -> None:
    ann = world.customer("2026-01-01")
    world.visit(ann, "2026-03-31 15:59:59.999999", minutes=1.0)
    world.visit(ann, "2026-03-31 16:00:00.000000", minutes=2.0)
    sql = "SELECT minutes, days_before, occurred_on FROM gym_visit ORDER BY minutes"
    # Shanghai is UTC+8: 16:00 UTC is already the first of April there.
    assert world.ask(sql, "2026-03-31") == [(1.0, 0, date(2026, 3, 31))]
    assert world.ask(sql, "2026-04-01") == [
        (1.0, 1, date(2026, 3, 31)), (2.0, 0, date(2026, 4, 1)),
    ]  # fmt: skip
    assert world.ask(sql, "2026-03-31T15:59:59.999999+00:00") == []


def test_a_customer_exists_from_the_first_that_is_known_of_them(any_world: Any, at: Any) -> None:
    """Filed in June without a date, with a visit of January, a contract of February, one of May."""
    world = any_world
    ann, bob, eve = (world.customer("2026-06-01", region="n") for _ in range(3))
    world.visit(ann, "2026-01-10 10:00", minutes=30.0)
    world.record("gym.contract", "K1", "2026-02-01", bob, tier="gold")
    people = "SELECT subject_id, kind, region FROM customer ORDER BY subject_id"
    assert world.ask(people, "2026-01-09") == []
    assert world.ask(people, "2026-01-10") == [(ann, "person", None)]
    assert world.ask(people, "2026-02-01") == [(ann, "person", None), (bob, "person", None)]
    visits = (
        "SELECT p.subject_id, count(v.id) AS n FROM population p "
        "LEFT JOIN gym_visit v ON v.subject_id = p.subject_id GROUP BY p.subject_id ORDER BY 1"
    )
    assert world.ask(visits, "2026-03-01") == [(ann, 1), (bob, 0)]
    known = [(one, "person", "n") for one in (ann, bob, eve)]
    assert world.ask(people, "2026-06-01") == known
    # Something older still comes later, and then a merge: what is known of both is known of one.
    world.visit(bob, "2025-12-24 10:00", minutes=5.0)
    assert world.ask(people, "2025-12-24") == [(bob, "person", None)]
    world.merge(bob, into=eve)
    assert world.ask(people, "2025-12-24") == [(eve, "person", None)]
    assert world.ask(people, "2026-06-01")[-1][0] == eve
    for one, day in ((ann, "2026-01-10"), (eve, "2025-12-24")):
        with world.warehouse.live(one) as session:
            found = session.frame(at(day)).query(people).to_pylist()
        assert found == [{"subject_id": one, "kind": "person", "region": None}]
    assert world.warehouse.verify() == []


def test_a_row_shows_the_version_that_held_at_the_date(world: Any) -> None:
    ann = world.customer("2026-01-01")
    desk = {"ref": "K1", "owner": ann}
    world.record("gym.contract", on="2026-01-05", tier="basic", signed_on="2025-12-31", **desk)
    world.record("gym.contract", on="2026-03-01", tier="gold", paused=True, **desk)
    sql = "SELECT tier, paused, signed_on, days_before FROM gym_contract"
    signed = date(2025, 12, 31)
    # Before its first version a row shows what holds for all time, and nothing else.
    assert world.ask(sql, "2026-01-04") == [(None, None, signed, None)]
    assert world.ask(sql, "2026-01-05") == [("basic", None, signed, 0)]
    assert world.ask(sql, "2026-02-28") == [("basic", None, signed, 54)]
    assert world.ask(sql, "2026-03-01") == [("gold", True, signed, 0)]


def test_a_version_that_begins_at_the_very_instant_is_not_yet_visible(world: Any) -> None:
    """Visible is what holds before the as-of instant; one microsecond later the version shows."""
    ann = world.customer("2026-01-01")
    world.record(
        "gym.contract", "K1", "2026-03-01T10:00:00", ann, tier="gold", signed_on="2026-01-01"
    )
    sql = "SELECT tier, signed_on FROM gym_contract"
    signed = date(2026, 1, 1)
    assert world.ask(sql, "2026-03-01T10:00:00+00:00") == [(None, signed)]
    assert world.ask(sql, "2026-03-01T10:00:00.000001+00:00") == [("gold", signed)]


def test_a_timeless_field_that_came_later_holds_earlier_too(world: Any) -> None:
    ann = world.customer("2026-01-01")
    desk = {"ref": "K1", "owner": ann}
    world.record("gym.contract", on="2026-01-05", tier="basic", **desk)
    world.record("gym.contract", on="2026-03-01", signed_on="2025-12-31", **desk)
    sql = "SELECT tier, signed_on FROM gym_contract"
    assert world.ask(sql, "2026-02-01") == [("basic", date(2025, 12, 31))]


def test_a_type_without_timeless_fields_is_not_there_before_its_first_version(world: Any) -> None:
    world.record("gym.room", "R1", "2026-02-01", code="A", places=9)
    assert world.ask("SELECT code FROM gym_room", "2026-01-31") == []
    assert world.ask("SELECT code, subject_id FROM gym_room", "2026-02-01") == [("A", None)]


def test_only_the_latest_visible_revision_counts(world: Any) -> None:
    ann = world.customer("2026-01-01")
    world.visit(ann, "2026-02-01 10:00", ref="v1", minutes=30.0)
    world.visit(ann, "2026-02-01 10:00", ref="v1", minutes=45.0)
    world.visit(ann, "2026-02-02 10:00", ref="v2", minutes=5.0)
    assert world.ask("SELECT minutes FROM gym_visit ORDER BY minutes") == [(5.0,), (45.0,)]
    # A correction that moves the fact: until the new instant the old word stands.
    world.visit(ann, "2026-05-01 10:00", ref="v2", minutes=6.0)
    assert world.ask("SELECT sum(minutes) AS m FROM gym_visit", "2026-03-01") == [(50.0,)]
    assert world.ask("SELECT sum(minutes) AS m FROM gym_visit", "2026-06-01") == [(51.0,)]
    assert world.ask("SELECT count(*) AS n FROM interaction", "2026-06-01") == [(2,)]


def test_a_corrected_customer_takes_the_fact_along(world: Any, these: Any) -> None:
    ann, bob = world.customer("2026-01-01"), world.customer("2026-01-01")
    world.visit(ann, "2026-02-01 10:00", ref="v1", minutes=30.0)
    world.visit(bob, "2026-02-01 10:00", ref="v1", minutes=30.0)
    sql = "SELECT subject_id FROM gym_visit"
    assert world.ask(sql, "2026-03-01") == [(bob,)]
    assert world.ask(sql, these((ann, "2026-03-01"), (bob, "2026-03-01"))) == [(bob,)]


def test_outcome_fields_are_hidden_from_features_alone(world: Any) -> None:
    world.customer("2026-01-01", fields={"gym": {"goal": "run", "left_because": "moved"}})
    sql = "SELECT left_because FROM gym_customer"
    for purpose in ("population", "target", "report"):
        assert world.ask(sql, purpose=purpose) == [("moved",)]
    with pytest.raises(SqlRefused, match="left_because"):
        world.ask(sql, purpose="feature")


def test_target_sql_sees_facts_from_the_date_on(world: Any) -> None:
    ann = world.customer("2026-01-01")
    world.visit(ann, "2026-03-31 15:59:59", minutes=1.0)
    world.visit(ann, "2026-03-31 16:00:00", minutes=2.0)
    world.visit(ann, "2026-04-30 10:00:00", minutes=3.0)
    sql = "SELECT minutes, days_after FROM gym_visit ORDER BY minutes"
    assert world.ask(sql, "2026-03-31", purpose="target") == [(2.0, 1), (3.0, 30)]
    assert world.ask(sql, "2026-03-31", purpose="target", window_days=29) == [(2.0, 1)]


def test_a_window_leaves_older_facts_out(world: Any, these: Any) -> None:
    ann = world.customer("2026-01-01")
    for day in ("2026-03-01", "2026-03-21", "2026-03-31"):
        world.visit(ann, f"{day} 10:00", minutes=1.0)
    sql = "SELECT days_before FROM gym_visit ORDER BY days_before"
    assert world.ask(sql, "2026-03-31", window_days=10) == [(0,), (10,)]
    both = these((ann, "2026-03-31"), (ann, "2026-03-11"))
    sql = "SELECT as_of_on, days_before FROM gym_visit ORDER BY as_of_on, days_before"
    assert world.ask(sql, both, window_days=10) == [
        (date(2026, 3, 11), 10), (date(2026, 3, 31), 0), (date(2026, 3, 31), 10),
    ]  # fmt: skip


def test_records_of_records_belong_to_the_customer_at_the_top(world: Any, these: Any) -> None:
    ann, bob = world.customer("2026-01-01"), world.customer("2026-01-01")
    contract = world.record("gym.contract", "K1", "2026-01-05", ann, tier="basic")
    world.record("gym.locker", "L1", "2026-01-06", contract, size=2.0)
    sql = "SELECT subject_id, customer_id, owner_id, size FROM gym_locker"
    assert world.ask(sql) == [(ann, ann, contract, 2.0)]
    # The contract passes to somebody else: the locker goes with it, from that day.
    world.record("gym.contract", "K1", "2026-03-01", bob, tier="basic")
    assert world.ask(sql, "2026-02-28") == [(ann, ann, contract, 2.0)]
    assert world.ask(sql, "2026-03-01") == [(bob, bob, contract, 2.0)]
    everyone = [(who, day) for who in (ann, bob) for day in ("2026-02-28", "2026-03-01")]
    sql = "SELECT subject_id, as_of_on, size FROM gym_locker ORDER BY as_of_on"
    assert world.ask(sql, these(*everyone)) == [
        (ann, date(2026, 2, 28), 2.0), (bob, date(2026, 3, 1), 2.0),
    ]  # fmt: skip


def test_a_record_type_as_subject_sees_its_own_facts_and_its_customer(
    world: Any, these: Any
) -> None:
    ann = world.customer("2026-01-01", region="north")
    first = world.record("gym.contract", "K1", "2026-01-05", ann, tier="basic")
    second = world.record("gym.contract", "K2", "2026-01-06", ann, tier="gold")
    locker = world.record("gym.locker", "L1", "2026-01-06", second, size=2.0)
    world.visit(ann, "2026-02-01 10:00", minutes=30.0, subject_id=first)
    world.log("gym.sale", ann, "2026-02-02 10:00", payload={"item": "water"})
    either = ("2026-03-01", these((first, "2026-03-01"), (second, "2026-03-01")))
    for population in either:
        asked: dict[str, Any] = {"as_of": population, "subject": "gym.contract"}
        assert world.ask("SELECT subject_id FROM population ORDER BY 1", **asked) == [
            (first,), (second,),
        ]  # fmt: skip
        assert world.ask("SELECT subject_id, customer_id, minutes FROM gym_visit", **asked) == [
            (first, ann, 30.0)
        ]
        assert world.ask("SELECT subject_id, region FROM customer ORDER BY 1", **asked) == [
            (first, "north"), (second, "north"),
        ]  # fmt: skip
        assert world.ask("SELECT subject_id, item FROM gym_sale ORDER BY 1", **asked) == [
            (first, "water"), (second, "water"),
        ]  # fmt: skip
        assert world.ask("SELECT subject_id, id FROM gym_locker", **asked) == [(second, locker)]
    assert world.ask("SELECT subject_id, customer_id FROM gym_locker", subject="gym.locker") == [
        (locker, ann)
    ]


def test_merged_customers_are_the_one_that_remains(world: Any, these: Any) -> None:
    ann, anna, annie = (world.customer("2026-01-01", region=r) for r in ("n", "s", "e"))
    for who, minutes in ((ann, 1.0), (anna, 2.0), (annie, 4.0)):
        world.visit(who, "2026-02-01 10:00", minutes=minutes)
    world.record("gym.contract", "K1", "2026-01-05", annie, tier="gold")
    world.merge(annie, anna)
    world.merge(anna, ann)
    for population in ("2026-03-01", these((ann, "2026-03-01"))):
        assert world.ask("SELECT subject_id FROM population", population) == [(ann,)]
        assert world.ask("SELECT subject_id, region FROM customer", population) == [(ann, "n")]
        assert world.ask("SELECT subject_id, owner_id FROM gym_contract", population) == [
            (ann, ann)
        ]
        sql = "SELECT subject_id, customer_id, sum(minutes) AS m FROM gym_visit GROUP BY ALL"
        assert world.ask(sql, population) == [(ann, ann, 7.0)]


def test_stage_changes_are_facts(world: Any, move: Any) -> None:
    ann = world.customer("2026-01-01")
    for day, stage, before in ((5, "trial", None), (20, "member", "trial")):
        world.store.stages.move(
            [move(ann, stage, before)], at=datetime(2026, 2, day, 10, tzinfo=UTC)
        )
    sql = "SELECT subject_id, from_stage, to_stage, days_before FROM stage_change c ORDER BY c.at"
    assert world.ask(sql, "2026-02-19") == [(ann, None, "trial", 14)]
    assert world.ask(sql, "2026-02-20")[1] == (ann, "trial", "member", 0)


def test_outcomes_of_the_last_run_for_a_date_are_seen_from_that_date_on(world: Any) -> None:
    ann = world.customer("2026-01-01")
    day = AsOf.end_of(date(2026, 2, 10), "Asia/Shanghai")
    for run, value in (("r1", 0.25), ("r2", 0.5)):
        write_run(
            world.folder / "runs", name="gym.leave", kind="score", subject="customer", as_of=day,
            run=run, columns={"subject_id": [ann], "value": [value], "band": [1]},
        )  # fmt: skip
    sql = "SELECT subject_id, name, kind, run, value, band, days_before FROM outcome"
    assert world.ask(sql, "2026-02-09") == []
    assert world.ask(sql, "2026-02-10") == [(ann, "gym.leave", "score", "r2", 0.5, 1, 0)]
    assert world.ask(sql, "2026-02-12")[0][-1] == 2


def test_a_later_run_that_found_nobody_leaves_no_outcome_of_the_earlier_one(world: Any) -> None:
    ann = world.customer("2026-01-01")
    days = [AsOf.end_of(date(2026, 2, day), "Asia/Shanghai") for day in (9, 10)]
    said = {"name": "gym.idle", "kind": "rule", "subject": "customer"}
    for day in days:
        write_run(world.folder / "runs", as_of=day, run="r1", columns={"subject_id": [ann]}, **said)
    write_run(world.folder / "runs", as_of=days[1], run="r2", columns={"subject_id": []}, **said)
    # A segment of the same name is another thing, and so is the day before.
    write_run(
        world.folder / "runs", as_of=days[1], run="r0", columns={"subject_id": [ann]},
        **{**said, "kind": "segment"},
    )  # fmt: skip
    sql = "SELECT kind, as_of_on, days_before FROM outcome ORDER BY kind"
    assert [(kind, before) for kind, _, before in world.ask(sql, "2026-02-10")] == [
        ("rule", 1), ("segment", 0),
    ]  # fmt: skip


def test_population_is_who_was_there_by_the_date(world: Any) -> None:
    ann = world.customer("2026-01-01")
    bob = world.customer("2026-02-01")
    assert world.ask("SELECT subject_id FROM population", "2025-12-31") == []
    assert world.ask("SELECT subject_id FROM population", "2026-01-31") == [(ann,)]
    assert world.ask("SELECT subject_id FROM population ORDER BY 1", "2026-02-01") == [
        (ann,),
        (bob,),
    ]


def test_many_dates_in_one_join_equal_one_after_the_other(world: Any, these: Any) -> None:
    """Twelve month-ends, with versions, revisions and a change of owner among the rows."""
    people = [world.customer("2026-01-01") for _ in range(4)]
    for month in range(1, 13):
        for n, who in enumerate(people):
            if (month + n) % 3:
                world.visit(
                    who, f"2026-{month:02}-1{n} 20:00", ref=f"{month}-{n}", minutes=float(n)
                )
            if (month * n) % 4 == 1:
                world.visit(who, f"2026-{month:02}-1{n} 20:00", ref=f"{month}-{n}", minutes=9.5)
    for month in (1, 4, 7):
        owner = people[month % 4]
        world.record("gym.contract", "K", f"2026-{month:02}-15", owner, tier=f"t{month}")
    days = ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30",
            "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30", "2026-12-31"]  # fmt: skip
    together = these(*((who, day) for who in people for day in days))
    for sql in (
        "SELECT as_of_on, subject_id, count(*) AS n, sum(minutes) AS m, min(days_before) AS d "
        "FROM gym_visit GROUP BY ALL ORDER BY ALL",
        "SELECT as_of_on, subject_id, tier, days_before FROM gym_contract ORDER BY ALL",
        "SELECT as_of_on, subject_id, count(*) AS n FROM interaction GROUP BY ALL ORDER BY ALL",
        "SELECT as_of_on, subject_id, created_on FROM customer ORDER BY ALL",
    ):
        one_by_one = [row for day in days for row in world.ask(sql, day)]
        assert len(one_by_one) > 12 - 4
        assert world.ask(sql, together) == one_by_one


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant in January 2026 as the warehouse has it: UTC without zone."""
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC).replace(tzinfo=None)


def test_values_arrive_with_their_types(any_world: Any, money: Any) -> None:
    """The same on both databases, which keep instants, booleans and lists differently."""
    ann = any_world.customer(
        "2026-01-01", kind="organisation", region="north", locale="zh-CN",
        fields={"gym": {"goal": "run", "born_on": "1990-01-02"}},
    )  # fmt: skip
    any_world.record(
        "gym.contract", "K1", "2026-01-05", ann, tier="basic", fee=money("12.50"),
        extras=["sauna", "pool"], paused=True,
    )  # fmt: skip
    any_world.visit(
        ann, "2026-01-10 18:00", minutes=30.5, from_on="2026-01-11", guest=False,
        left_at="2026-01-10T19:30:00+00:00", lessons=["box"],
    )  # fmt: skip
    any_world.log("gym.sale", None, "2026-01-11 10:00", payload={"amount": money("3.20")})
    ask = any_world.ask
    assert ask("SELECT kind, region, locale, created_at, created_on FROM customer") == [
        ("organisation", "north", "zh-CN", utc(1, 4), date(2026, 1, 1))
    ]
    assert ask("SELECT goal, born_on FROM gym_customer") == [("run", date(1990, 1, 2))]
    sql = "SELECT tier, fee_minor, fee_currency, extras, paused, valid_from FROM gym_contract"
    assert ask(sql) == [("basic", 1250, "CNY", ["sauna", "pool"], True, utc(5, 0))]
    sql = (
        "SELECT minutes, from_on, left_at, lessons, guest, occurred_at, occurred_on FROM gym_visit"
    )
    assert ask(sql) == [
        (30.5, date(2026, 1, 11), utc(10, 19, 30), ["box"], False,
         utc(10, 18), date(2026, 1, 11))
    ]  # fmt: skip
    assert ask("SELECT subject_id, amount_minor, item FROM gym_sale") == [(None, 320, None)]
    assert ask("SELECT kind, count(*) AS n FROM interaction GROUP BY kind ORDER BY kind") == [
        ("gym.sale", 1), ("gym.visit", 1),
    ]  # fmt: skip


def test_empty_tables_have_their_columns(world: Any) -> None:
    assert world.ask("SELECT id, tier, fee_minor + 1 AS f, paused FROM gym_contract") == []
    assert world.ask("SELECT count(*) AS n FROM interaction") == [(0,)]
    assert world.ask("SELECT minutes FROM gym_visit WHERE from_on > left_at") == []


def test_whole_sums_are_whole_numbers(world: Any, at: Any) -> None:
    ann = world.customer("2026-01-01")
    world.visit(ann, "2026-01-10 18:00")
    with world.warehouse.session() as session:
        table = session.frame(at("2026-02-01")).query("SELECT sum(id) AS s FROM gym_visit")
    assert str(table.schema.field("s").type) == "int64"


def test_parameters_are_values(world: Any, at: Any) -> None:
    world.customer("2026-01-01", region="north")
    with world.warehouse.session() as session:
        frame = session.frame(at("2026-02-01"))
        sql = "SELECT count(*) AS n FROM customer WHERE region = $region"
        given = {"region": "x' OR '1' = '1", "unused": 1}
        assert frame.query(sql, given).to_pylist() == [{"n": 0}]
        assert frame.query(sql, {"region": "north"}).to_pylist() == [{"n": 1}]


def test_wrong_columns_are_told_in_one_line(world: Any) -> None:
    with pytest.raises(SqlRefused) as caught:
        world.ask("SELECT regoin FROM customer")
    assert "regoin" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_session_reads_nothing_but_the_snapshot(world: Any, tmp_path: Any) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with world.warehouse.session() as session:
        for sql in (f"SELECT * FROM read_csv('{secret}')", f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
                    "SET enable_external_access = true"):  # fmt: skip
            with pytest.raises(SqlRefused):
                session.engine.keep("x", sql, {}) if sql.startswith(
                    "SELECT"
                ) else session.engine.query(sql, {})
    assert not (tmp_path / "x.csv").exists()


def test_unknown_subjects_and_purposes_are_refused(world: Any) -> None:
    with pytest.raises(NotFound) as caught:
        world.ask("SELECT 1 AS one", subject="gym.contrac")
    assert "gym.contract" in str(caught.value)
    with pytest.raises(UsageError, match="'training' is not one of feature, population"):
        world.ask("SELECT 1 AS one", purpose="training")
