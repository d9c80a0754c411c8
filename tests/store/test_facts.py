"""Records, interactions, stages, outcomes and imports through their gateways."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import select

from crmkit.declarations import StageMove
from crmkit.entities import CustomerRef, Money, NewInteraction
from crmkit.errors import EditConflict, MoveRefused, NotFound, UsageError
from crmkit.store.imports import ImportReject
from crmkit.store.outcomes import Outcome
from crmkit.store.store import Store

AT = datetime(2026, 3, 31, 17, 30, tzinfo=UTC)


@pytest.fixture
def ann(store: Store) -> int:
    return store.customers.add(name="Ann", refs=[CustomerRef("crm", "1")]).id


# --- records --------------------------------------------------------------------------------------


def test_a_record_keeps_every_version_and_can_be_read_as_it_was(store: Store, ann: int) -> None:
    january, march = (datetime(2026, m, 1, tzinfo=UTC) for m in (1, 3))
    key: dict[str, Any] = {"source": "net", "ref": "L1"}
    first = store.records.set(
        "shop.line", **key, owner_id=ann, values={"active": True}, effective=january
    )
    second = store.records.set("shop.line", **key, values={"active": False}, effective=march)
    assert (first.id, first.version, second.id, second.version) == (first.id, 1, first.id, 2)
    assert second.owner_id == ann
    at = store.records.at
    assert at("shop.line", first.id, january) is None
    assert at("shop.line", first.id, january + timedelta(days=1)) == first
    assert at("shop.line", first.id, march) == first
    assert at("shop.line", first.id, march + timedelta(days=1)) == second
    assert store.records.versions("shop.line", first.id) == [first, second]


def test_setting_equal_values_is_no_new_version(store: Store) -> None:
    for _ in range(2):
        made = store.records.set("shop.plan", source="s", ref="p", values={"title": "A"})
    assert made.version == 1


def test_a_first_load_writes_no_history(store: Store) -> None:
    store.records.set("shop.plan", source="s", ref="p", values={"title": "A"})
    with store.read() as connection:
        assert connection.execute(select(store.tables["shop_plan_history"])).all() == []


def test_a_change_cannot_begin_before_the_version_that_it_ends(store: Store) -> None:
    first = store.records.set("shop.plan", source="s", ref="p", values={"title": "A"})
    early = first.valid_from - timedelta(days=400)
    late = store.records.set(
        "shop.plan", source="s", ref="p", values={"title": "B"}, effective=early
    )
    assert late.valid_from == first.valid_from
    after = first.valid_from + timedelta(days=1)
    assert store.records.at("shop.plan", first.id, after) == late


def test_a_stale_record_edit_is_refused(store: Store) -> None:
    store.records.set("shop.plan", source="s", ref="p", values={"title": "A"})
    store.records.set("shop.plan", source="s", ref="p", values={"title": "B"}, version=1)
    with pytest.raises(EditConflict, match=r"shop\.plan s:p was changed in between") as caught:
        store.records.set("shop.plan", source="s", ref="p", values={"title": "C"}, version=1)
    assert caught.value.found == 2


def test_records_are_found_by_key_and_listed_by_fields(store: Store) -> None:
    for ref, title, fee in (("p1", "B", "2.00"), ("p2", "A", "1.00"), ("p3", None, "3.00")):
        values = {"title": title, "monthly_fee": fee}
        store.records.set("shop.plan", source="s", ref=ref, values=values)
    refs = lambda found: [r.ref for r in found]  # noqa: E731
    assert refs(store.records.list("shop.plan", sort=["title"])) == ["p2", "p1", "p3"]
    assert refs(store.records.list("shop.plan", sort=["-monthly_fee"], limit=1)) == ["p3"]
    fee = Money(100, "USD")
    assert refs(store.records.list("shop.plan", where={"monthly_fee": fee})) == ["p2"]
    assert store.records.find("shop.plan", "s:p1").ref == "p1"
    store.records.set("shop.plan", source="t", ref="p1", values={})
    with pytest.raises(UsageError, match="s:p1, t:p1"):
        store.records.find("shop.plan", "p1")
    with pytest.raises(NotFound, match=r"record type 'shop\.pln'. Did you mean shop\.plan"):
        store.records.list("shop.pln")
    with pytest.raises(NotFound, match=r"column of shop\.plan 'titel'. Did you mean title"):
        store.records.list("shop.plan", sort=["titel"])


def test_an_owner_must_exist_and_reference_data_have_none(store: Store) -> None:
    with pytest.raises(NotFound, match="customer '5'"):
        store.records.set("shop.line", source="s", ref="l", owner_id=5, values={})
    with pytest.raises(UsageError, match=r"records of shop\.plan have no owner"):
        store.records.set("shop.plan", source="s", ref="p", owner_id=5, values={})


def test_records_of_a_customers_records_are_the_customers_too(store: Store, ann: int) -> None:
    line = store.records.set("shop.line", source="s", ref="l", owner_id=ann, values={})
    store.records.set("shop.card", source="s", ref="c", owner_id=line.id, values={})
    store.records.set("shop.plan", source="s", ref="p", values={})
    found = store.records.list_for(ann)
    assert [(r.type, r.ref) for r in found] == [("shop.card", "c"), ("shop.line", "l")]


def test_a_hidden_value_is_not_in_the_message(sqlite_store: Store) -> None:
    with pytest.raises(UsageError, match="field 'number': the value is not text") as caught:
        sqlite_store.records.set("shop.line", source="s", ref="l", values={"number": 13800138000})
    assert "138" not in str(caught.value)


# --- interactions ---------------------------------------------------------------------------------


def bill(ann: int, **changes: Any) -> NewInteraction:
    given: dict[str, Any] = {
        "kind": "shop.bill", "customer_id": ann, "occurred_at": AT, "source": "billing",
        "ref": "b1", "payload": {"amount": "10.50", "due_on": "2026-04-15", "lines": 2}, **changes,
    }  # fmt: skip
    return NewInteraction(**given)


def test_an_interaction_is_typed_and_stored_by_columns(store: Store, ann: int) -> None:
    (logged,) = store.interactions.log(bill(ann, channel="web", amount=Money(1050, "USD")))
    assert logged.payload == {
        "amount": Money(1050, "USD"), "due_on": date(2026, 4, 15), "lines": 2,
    }  # fmt: skip
    assert store.interactions.list_for(ann) == [logged]
    i = store.tables["interaction"]
    with store.read() as connection:
        row = connection.execute(select(i)).one()
    assert row.payload == {
        "amount_minor": 1050, "amount_currency": "USD", "due_on": "2026-04-15", "lines": 2,
    }  # fmt: skip
    # 17:30 UTC is half past one in the night of the next day in Shanghai.
    assert row.occurred_on == date(2026, 4, 1)


def test_the_same_fact_again_is_no_new_one_and_another_is_a_revision(
    store: Store, ann: int
) -> None:
    (first,) = store.interactions.log(bill(ann))
    assert store.interactions.log(bill(ann)) == [first]
    (second,) = store.interactions.log(bill(ann, payload={"amount": "11.00"}))
    assert (second.revision, second.payload) == (2, {"amount": Money(1100, "USD")})
    assert store.interactions.list_for(ann) == [second]
    assert store.interactions.get(first.id) == first


def test_facts_without_a_key_are_always_new(store: Store, ann: int) -> None:
    visit = NewInteraction(kind="shop.visit", occurred_at=AT, customer_id=ann)
    logged = store.interactions.log([visit, visit])
    assert len({x.ref for x in logged}) == 2


def test_facts_are_listed_latest_first_by_kind_and_before_an_instant(
    store: Store, ann: int
) -> None:
    for day in range(3):
        store.interactions.log(
            [
                bill(ann, ref=f"b{day}", occurred_at=AT + timedelta(days=day)),
                NewInteraction(kind="shop.visit", customer_id=ann, occurred_at=AT),
            ]
        )
    listed = store.interactions.list_for
    assert [x.ref for x in listed(ann, kinds=["shop.bill"])] == ["b2", "b1", "b0"]
    assert [x.ref for x in listed(ann, limit=2)] == ["b2", "b1"]
    assert {x.kind for x in listed(ann, before=AT + timedelta(days=1))} == {
        "shop.bill",
        "shop.visit",
    }


BAD_FACTS = [
    ({"kind": "shop.bil"}, r"interaction kind 'shop\.bil'. Did you mean shop\.bill"),
    ({"customer_id": None}, r"kind shop\.bill needs a customer"),
    ({"customer_id": 5}, "customer '5'"),
    ({"channel": "fone"}, "channel 'fone'. Did you mean phone"),
    ({"direction": "up"}, "direction 'up'"),
    ({"payload": {}}, r"shop\.bill, 'amount' is a required property"),
    ({"payload": {"amount": "1", "lines": -1}}, "field 'lines': -1 is less than the minimum of 0"),
    ({"payload": {"amount": "1", "line": 1}}, "'line'. Did you mean lines"),
    ({"occurred_at": datetime(2026, 3, 31)}, "has no time zone"),  # noqa: DTZ001
    ({"subject_id": 7}, r"kind shop\.bill are about no record"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), BAD_FACTS)
def test_one_bad_fact_stops_the_whole_batch(
    sqlite_store: Store, change: dict[str, Any], words: str
) -> None:
    ann = sqlite_store.customers.add(name="Ann").id
    with pytest.raises(UsageError, match=words):
        sqlite_store.interactions.log([bill(ann), bill(ann, ref="b2", **change)])
    assert sqlite_store.interactions.list_for(ann) == []


def test_an_anonymous_kind_needs_no_customer(store: Store) -> None:
    (logged,) = store.interactions.log(NewInteraction(kind="shop.visit", occurred_at=AT))
    assert logged.customer_id is None


# --- stages ---------------------------------------------------------------------------------------


def move(ann: int, old: str | None, new: str, **changes: Any) -> StageMove:
    return StageMove(
        lifecycle="core.customer", subject_type="customer", subject_id=ann, from_stage=old,
        to_stage=new, **changes,
    )  # fmt: skip


def test_moves_are_logged_and_the_last_one_is_where_it_stands(store: Store, ann: int) -> None:
    store.stages.move([move(ann, None, "prospect")], at=AT)
    later = AT + timedelta(days=2)
    (change,) = store.stages.move(
        [move(ann, "prospect", "growth", reason="second order")], at={ann: later}, rule="shop.r"
    )
    assert store.stages.current("core.customer") == {ann: "growth"}
    assert store.stages.current("core.customer", [5]) == {}
    assert store.stages.counts("core.customer") == {"growth": 1}
    (standing,) = store.stages.standing(ann)
    assert (standing.stage, standing.since) == ("growth", later)
    history = store.stages.history(ann)
    assert [(c.from_stage, c.to_stage, c.at) for c in history] == [
        (None, "prospect", AT), ("prospect", "growth", later),
    ]  # fmt: skip
    assert (change.reason, change.rule, change.actor) == ("second order", "shop.r", "tester")
    assert history[1] == change


def test_a_move_from_where_the_subject_does_not_stand_stops_the_batch(
    store: Store, ann: int
) -> None:
    bob = store.customers.add(name="Bob").id
    store.stages.move([move(ann, None, "prospect")])
    with pytest.raises(MoveRefused, match="stands in prospect, not in growth"):
        store.stages.move([move(bob, None, "prospect"), move(ann, "growth", "maturity")])
    assert store.stages.current("core.customer") == {ann: "prospect"}
    with pytest.raises(MoveRefused, match="moved twice"):
        store.stages.move([move(bob, None, "prospect"), move(bob, None, "growth")])


def test_thousands_of_moves_are_one_batch(store: Store) -> None:
    ids = range(1, 3001)
    store.stages.move([move(i, None, "prospect") for i in ids])
    store.stages.move([move(i, "prospect", "growth") for i in ids])
    assert store.stages.counts("core.customer") == {"growth": 3000}


def test_many_moves_of_one_lifecycle_are_made_and_logged_as_single_ones_are(store: Store) -> None:
    who = [store.customers.add().id for _ in range(3)]
    ann, bob, cid = who
    store.stages.move([move(ann, None, "growth", reason="came"), move(bob, None, "growth")], at=AT)
    later = AT + timedelta(days=2)
    rows = [
        (ann, "growth", "maturity", "third order", "shop.r"),
        (bob, "growth", "termination", "gone", None),
        (cid, None, "prospect", "first seen", "core.customer"),
    ]
    store.stages.move_many("core.customer", "customer", rows, at=later)
    assert store.stages.current("core.customer") == {
        ann: "maturity", bob: "termination", cid: "prospect",
    }  # fmt: skip
    for subject, left, entered, reason, rule in rows:
        (standing,) = store.stages.standing(subject)
        assert (standing.subject_type, standing.since) == ("customer", later)
        change = store.stages.history(subject)[-1]
        assert (change.from_stage, change.to_stage, change.reason) == (left, entered, reason)
        assert (change.rule, change.actor, change.at) == (rule, "tester", later)


def test_one_move_of_many_that_does_not_fit_stops_them_all(store: Store, ann: int) -> None:
    bob = store.customers.add(name="Bob").id
    store.stages.move([move(ann, None, "prospect")])
    moves = [(bob, None, "prospect", "", None), (ann, "growth", "maturity", "", None)]
    with pytest.raises(MoveRefused, match="stands in prospect, not in growth"):
        store.stages.move_many("core.customer", "customer", moves)
    with pytest.raises(MoveRefused, match="moved twice"):
        store.stages.move_many("core.customer", "customer", [moves[0], moves[0]])
    assert store.stages.current("core.customer") == {ann: "prospect"}


# --- outcomes -------------------------------------------------------------------------------------


def test_a_run_replaces_all_outcomes_of_its_name_and_no_others(store: Store, ann: int) -> None:
    score = Outcome(
        name="shop.churn", kind="score", subject_id=ann, as_of=AT, run="r1", value=0.25, band=3,
        reasons=["long contract"], evidence={"tenure": 3}, model_version="1", inputs_hash="h",
    )  # fmt: skip
    segment = Outcome(name="shop.vip", kind="segment", subject_id=ann, as_of=AT, run="r1")
    assert store.outcomes.replace("shop.churn", [score, evolve(score, subject_id=5)]) == 2
    assert store.outcomes.replace("shop.vip", [segment]) == 1
    assert store.outcomes.for_subject(ann) == [score, segment]
    newer = evolve(score, run="r2", value=0.5)
    assert store.outcomes.replace("shop.churn", [newer]) == 1
    assert store.outcomes.for_subject(ann) == [newer, segment]
    assert store.outcomes.for_subject(5) == []
    assert store.outcomes.list("shop.churn") == [newer]


def test_a_row_of_a_runs_file_is_taken_as_it_is(store: Store, ann: int) -> None:
    row = {
        "name": "shop.churn", "kind": "score", "subject_id": ann, "as_of": AT.replace(tzinfo=None),
        "run": "r", "value": 0.5, "band": None, "reasons": '["late", "rude"]', "evidence": None,
        "subject_type": "customer", "model_version": None, "inputs_hash": None,
    }  # fmt: skip
    store.outcomes.replace("shop.churn", [row])
    (found,) = store.outcomes.for_subject(ann)
    assert (found.reasons, found.evidence, found.as_of) == (("late", "rude"), {}, AT)


def test_an_outcome_of_another_name_stops_the_replacement(store: Store, ann: int) -> None:
    good = Outcome(name="shop.churn", kind="score", subject_id=ann, as_of=AT, run="r", value=0.5)
    store.outcomes.replace("shop.churn", [good])
    with pytest.raises(UsageError, match=r"shop\.vip stands among those of shop\.churn"):
        store.outcomes.replace("shop.churn", [evolve(good, name="shop.vip")])
    assert store.outcomes.for_subject(ann) == [good]


def test_two_runs_of_one_name_at_once_leave_one_of_them(store: Store) -> None:
    results: list[int] = []
    gate = threading.Barrier(4)

    def replace(run: int) -> None:
        rows = [
            Outcome(name="shop.churn", kind="score", subject_id=i, as_of=AT, run=str(run))
            for i in range(500)
        ]
        gate.wait()
        results.append(store.outcomes.replace("shop.churn", rows))

    threads = [threading.Thread(target=replace, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [500] * 4
    found = store.outcomes.list("shop.churn")
    assert len(found) == 500 and len({o.run for o in found}) == 1


# --- imports --------------------------------------------------------------------------------------


def test_an_import_saves_progress_with_its_batch_and_is_resumed_by_hashes(store: Store) -> None:
    run = store.imports.start(
        file_name="a.csv", file_hash="h", profile="p", profile_hash="q", source="s"
    )
    reject = ImportReject(
        line=3, code="E_TYPE", message="not a number", field="age", value="x", allowed="a number",
        row={"id": "7", "age": "x"},
    )  # fmt: skip
    with store.begin("import") as tx:
        counts = {"read": 4, "created": 3, "rejected": 1}
        store.imports.save_progress(tx, run.id, next_line=6, rejects=[reject], **counts)
    with pytest.raises(RuntimeError), store.begin("import") as tx:
        store.imports.save_progress(tx, run.id, next_line=9, read=3, created=3)
        raise RuntimeError("killed")
    found = store.imports.find_resumable("h", "q")
    assert found is not None and found.id == run.id
    assert (found.next_line, found.read, found.created, found.rejected) == (6, 4, 3, 1)
    assert store.imports.find_resumable("h", "other profile") is None
    assert store.imports.rejects(run.id) == [reject]
    done = store.imports.finish(run.id, seconds=1.5, rejects_file="r.csv")
    assert (done.status, done.seconds, done.rejects_file) == ("done", 1.5, "r.csv")
    assert store.imports.find_resumable("h", "q") is None
    assert store.imports.runs() == [store.imports.get(run.id)] == [done]


def test_an_unknown_import_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match=r"import '5'\. See: crmkit batch list"):
        store.imports.get(5)


def test_a_batch_of_interactions_is_logged_as_one_by_one(store: Store, ann: int) -> None:
    """Two of one key in a batch are two revisions; one that says the same is none."""
    visits = [
        NewInteraction(kind="shop.visit", occurred_at=AT, customer_id=ann, ref=ref, payload={"note": note})
        for ref, note in (("v1", "a"), ("v2", "b"), ("v1", "c"), ("v1", "c"), (None, "d"))
    ]  # fmt: skip
    logged = store.interactions.log(visits)
    assert [(i.revision, i.payload["note"]) for i in logged] == [
        (1, "a"), (1, "b"), (2, "c"), (2, "c"), (1, "d"),
    ]  # fmt: skip
    again = store.interactions.log(visits[1:3])
    assert [i.id for i in again] == [logged[1].id, logged[2].id]
    assert len(store.interactions.list_for(ann)) == 3
