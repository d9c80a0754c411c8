"""People do things in any order, allowed or not: what is refused changes nothing, and the rest adds up."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmkit.entities import CustomerRef, Money, NewInteraction
from crmkit.errors import CrmkitError
from crmkit.testing.clock import SettableClock
from crmkit_delivery.claims import OF_GOODS
from crmkit_delivery.commands.claims import ENDED, GRANTED, KINDS
from crmkit_delivery.handover import served_by
from crmkit_delivery.posting import LEDGER
from crmkit_delivery.tables import statuses

from .test_status import plain

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
COURIERS, SUBSCRIBERS = ("C1", "C2", "C3"), ("S0", "S1", "S2")
NAMES = tuple(s.name for s in statuses())
VALUE = 10_000
ACTS = 40
SEEDS = [
    3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(100, 130)),
    *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1_000, 2_000)),
]  # fmt: skip
WATCHED = (
    "delivery.scan", "delivery.anomaly", "delivery.tracking", "delivery.claim", "delivery.subscription",
    "delivery.courier", "delivery.courier_assignment", "ledger.entry", "ledger.account", "service.case",
)  # fmt: skip


class Firm:
    """A waybill worth 100.00, three subscribers and three couriers, and what people do with them."""

    def __init__(self, crm: Any, draw: random.Random) -> None:
        self.crm, self.draw = crm, draw
        set_ = crm.store.records.set
        self.customer = crm.store.customers.add(
            kind="person", refs=[CustomerRef("delivery", "A")]
        ).id
        self.waybill = set_(
            "delivery.waybill", source="delivery", ref="W1", owner_id=self.customer, effective=START,
            values={"waybill_no": "W1", "insured_value": "100.00", "price_quoted": "9.00",
                    "product": "economy", "ordered_at": START},
        ).id  # fmt: skip
        for code in COURIERS:
            set_("delivery.courier", source="delivery", ref=code, values={"code": code})
        set_("delivery.round", source="delivery", ref="R1", values={"code": "R1"})
        set_("delivery.courier_assignment", source="delivery", ref="R1",
             values={"round": "R1", "courier": "C1", "starts_on": date(2026, 1, 1)})  # fmt: skip
        for ref in SUBSCRIBERS:
            # The price of one is in another currency than the ledger: it must not stop the others.
            price = Money.parse("2.00", "USD" if ref == "S1" else "EUR")
            set_("delivery.subscription", source="delivery", ref=ref, owner_id=self.customer,
                 effective=datetime(2026, 1, 1, tzinfo=UTC),
                 values={"round": "R1", "courier": "C1", "price": price, "quantity": 1,
                         "started_on": date(2026, 1, 1)})  # fmt: skip

    def day(self, back: int = 10, ahead: int = 40) -> date:
        today: date = self.crm.clock().date()
        return today + timedelta(days=self.draw.randint(-back, ahead))

    def moment(self) -> datetime:
        return self.crm.clock() + timedelta(hours=self.draw.randint(-72, 12))

    def claim(self) -> str:
        claims = self.crm.store.records.read("delivery.claim", ("ref",), sort=("ref",))
        return str(self.draw.choice([*(ref for (ref,) in claims), "W1-9"]))

    # --- acts -------------------------------------------------------------------------------------

    def scan(self) -> None:
        # Mostly what may follow some status, so that a shipment gets somewhere.
        status = self.draw.choice(("picked_up", "at_hub", "out_for_delivery", "delivered", *NAMES))
        self.crm.run(
            "waybill scan", waybill="W1", status=status, reason="hold", action="kept",
            at=self.moment() if self.draw.random() < 0.5 else None,
        )  # fmt: skip

    def scan_of_a_file(self) -> None:
        at = self.moment()
        self.crm.store.records.set(
            "delivery.scan", source="file", ref=f"{at}-{self.draw.random()}", owner_id=self.waybill,
            effective=at, values={"event_at": at, "status": self.draw.choice(NAMES)},
        )  # fmt: skip
        self.crm.run("waybill recompute")

    def void(self) -> None:
        scans = self.crm.store.records.read("delivery.scan", ("ref",))
        (ref,) = self.draw.choice(scans) if scans else ("none",)
        self.crm.run("waybill void", scan=ref, reason=self.draw.choice(("wrong parcel", "")))

    def file_claim(self) -> None:
        self.crm.run(
            "claim file", waybill="W1", kind=self.draw.choice((*OF_GOODS, *KINDS)),
            loss=f"{self.draw.randint(1, 120)}.00", accept_late=True,
            evidence=("proof_of_value", "photos", "packaging_kept"),
        )  # fmt: skip

    def decide(self) -> None:
        reject = "not proven" if self.draw.random() < 0.2 else None
        self.crm.run("claim decide", claim=self.claim(), share=self.draw.choice((0.1, 0.5, 1.0)),
                     refund=self.draw.random() < 0.3, reject=reject)  # fmt: skip

    def step(self) -> None:
        verb = self.draw.choice(("pay", "pay", "appeal", "withdraw", "close", "ask", "acknowledge"))
        self.crm.run(f"claim {verb}", claim=self.claim())

    def hand_over(self) -> None:
        # Mostly of somebody who is named by a subscription.
        named = self.crm.store.records.read("delivery.subscription", ("courier",), sort=("ref",))
        giver = self.draw.choice([*(courier for (courier,) in named), *COURIERS])
        taker = self.draw.choice(COURIERS)
        self.crm.run(
            "round handover", from_courier=giver, to=taker, leaving=self.draw.random() < 0.15,
            last_day=self.day(5, 40) if self.draw.random() < 0.6 else None,
        )  # fmt: skip

    def pause(self) -> None:
        self.crm.run(
            "round pause", subscription=self.draw.choice(SUBSCRIBERS),
            start=self.day() if self.draw.random() < 0.7 else None,
            until=self.day() if self.draw.random() < 0.7 else None,
        )  # fmt: skip

    def resume(self) -> None:
        self.crm.run("round resume", subscription=self.draw.choice(SUBSCRIBERS), on=self.day())

    def drop(self) -> None:
        subscription = self.crm.store.records.find(
            "delivery.subscription", self.draw.choice(SUBSCRIBERS)
        )
        at = self.crm.clock() - timedelta(hours=self.draw.randint(1, 48))
        with self.crm.store.begin("drop") as tx:
            self.crm.store.interactions.log([new_drop(subscription, at)], tx=tx)

    def price(self) -> None:
        self.crm.store.records.set(
            "delivery.subscription", source="delivery", ref=self.draw.choice(("S0", "S2")),
            values={"price": f"{self.draw.randint(1, 5)}.00"},
        )  # fmt: skip

    def credit(self) -> None:
        self.crm.run("round credit")

    def wait(self) -> None:
        self.crm.clock.advance(hours=self.draw.randint(1, 60))


def new_drop(subscription: Any, at: datetime) -> Any:
    return NewInteraction(
        kind="delivery.drop", occurred_at=at, customer_id=subscription.owner_id,
        subject_id=subscription.id, channel="visit", direction="out", payload={"result": "missed"},
    )  # fmt: skip


def kept(crm: Any) -> dict[str, list[Any]]:
    """Everything that the acts may change."""
    return {
        name: sorted(
            (r.source, r.ref, r.version, str(r.values)) for r in crm.store.records.list(name)
        )
        for name in WATCHED
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_acts_adds_up(seed: int, tmp_path: Path, fresh: Any) -> None:
    draw = random.Random(seed)
    with fresh(tmp_path / "w", clock=SettableClock(START + timedelta(days=9)), actor="ann") as crm:
        firm = Firm(crm, draw)
        acts: list[Callable[[], None]] = [
            firm.scan, firm.scan, firm.scan_of_a_file, firm.void, firm.file_claim, firm.file_claim,
            firm.decide, firm.decide, firm.step, firm.step, firm.hand_over, firm.hand_over, firm.pause, firm.resume,
            firm.drop, firm.drop, firm.drop, firm.price, firm.credit, firm.wait, firm.wait,
        ]  # fmt: skip
        for _ in range(ACTS):
            before = kept(crm)
            try:
                draw.choice(acts)()
            except CrmkitError:
                assert kept(crm) == before
        crm.run("round credit")
        statuses_follow_the_scans(crm)
        claims_add_up(crm, firm)
        rounds_are_served(crm)


def statuses_follow_the_scans(crm: Any) -> None:
    """The status is that of the scans which are not voided, in order of event time."""
    read = crm.store.records.read
    voided = {one for (one,) in read("delivery.anomaly", ("scan_id",), where={"kind": "voided"})}
    scans = sorted(
        (at, scan, status) for scan, at, status in read("delivery.scan", ("id", "event_at", "status"))
        if scan not in voided
    )  # fmt: skip
    assert all(at <= crm.clock() for at, *_ in scans)
    tracked = read("delivery.tracking", ("status", "scans"))
    status, _ = plain([status for *_, status in scans])
    assert tracked in ([], [(status, len(scans))])
    assert tracked or not scans


def claims_add_up(crm: Any, firm: Firm) -> None:
    accounts = crm.service("ledger.accounts")
    assert accounts.unbalanced(LEDGER) == []
    posted: dict[str, int] = defaultdict(int)
    for entry in accounts.statement(LEDGER, firm.customer):
        about = entry["reference"].removeprefix(f"{LEDGER}:").partition(":")[0]
        posted[about] += entry["amount"]
    claims = [
        record.values | {"ref": record.ref} for record in crm.store.records.list("delivery.claim")
    ]
    for claim in claims:
        if claim["state"] in ("approved", "partly_approved"):
            assert posted[claim["ref"]] == claim["approved"].minor
        elif claim["state"] in ENDED:
            assert posted[claim["ref"]] == 0
    open_kinds = {c["kind"] for c in claims if c["state"] not in ENDED} & set(OF_GOODS)
    assert "loss" not in open_kinds or open_kinds == {"loss"}
    settled = [
        c["approved"].minor - (c["freight_refund"].minor if c["freight_refund"] else 0)
        for c in claims
        if c["state"] in GRANTED and c["kind"] in OF_GOODS and c.get("approved")
    ]
    assert sum(settled) <= VALUE


def rounds_are_served(crm: Any) -> None:
    left = dict(crm.store.records.read("delivery.courier", ("code", "left_on")))
    today = crm.clock().date()
    for record in crm.store.records.list("delivery.subscription"):
        values = {"passes_on": None, "previous_courier": None, **record.values}
        begins, ends = values.get("paused_from"), values.get("paused_to")
        assert ends is None or (begins is not None and begins < ends)
        for ahead in range(90):
            on = today + timedelta(days=ahead)
            courier = served_by(values, on)
            assert courier in left
            assert left[courier] is None or left[courier] >= on
