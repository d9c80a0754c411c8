"""Issue 14: an operator's files come in any order and with faulty rows, and its desk works lists meanwhile.

Five customers, two of them with one telephone, are read from files: bills, payments, their reversals
and corrections, requests, complaints and states of lines, some filed late and some dated ahead. What
they say to marketing changes while lists are made and worked. A faulty row is rejected alone, what is
refused changes nothing, and in the end features and stages agree with what is kept by hand here.
"""

from __future__ import annotations

import random
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.entities import ContactPoint, CustomerRef
from crmkit.errors import CrmkitError
from crmkit.testing.clock import SettableClock
from crmkit.warehouse.population import Population
from crmkit_telecom.lifecycle import MOVES

from .test_sequences import Entry, overdue

# An act takes a minute: no two are at one instant, and none at midnight, at which the day before ends.
START = datetime(2026, 1, 30, 10, 15, tzinfo=UTC)
ACTS = 30
LIFECYCLE = "telecom.subscriber"
CUSTOMERS = ("C0", "C1", "C2", "C3", "C4")
# They have one telephone, so contacts count for both and a refusal of one holds for both.
SHARING = {"C0": "C1", "C1": "C0"}
PREPAID = "C3"
CAPS = ((1, 1), (2, 7), (6, 30))
KEPT = ("contact.slot", "contact.consent", "outreach.list", "outreach.row", "telecom.subscription")
# The first days of service of the five lines: the last days of months, also of a short one.
ACTIVATED = (
    date(2024, 2, 29),
    date(2025, 8, 31),
    date(2025, 11, 30),
    date(2025, 1, 28),
    date(2025, 12, 31),
)
CONTRACT_ENDS = (date(2026, 2, 28), date(2026, 4, 30), date(2026, 5, 29), date(2026, 8, 31), date(2028, 2, 29))  # fmt: skip
BILLS = ("bill", "customer", "subscription", "period_starts_on", "issued_on", "due_on", "amount",
         "recurring", "overage", "paid_on", "method")  # fmt: skip
PAYMENTS = ("payment", "customer", "subscription", "bill", "due_on", "paid_on", "amount", "method")
EVENTS = ("event", "kind", "customer", "subscription", "occurred_on", "channel", "direction", "amount",
          "method", "topic", "resolved", "wait_minutes", "severity", "cell", "outage_minutes",
          "from_plan", "to_plan", "move", "contract_type", "ends_on", "operator", "offer",
          "discount_share", "cost", "result", "step", "days_overdue", "visit", "touchpoint", "score",
          "ended_as", "reason")  # fmt: skip
LINES = tuple(
    "subscription,customer,as_of,msisdn,status,payment_model,activated_on,plan,contract_type,"
    "contract_starts_on,contract_ends_on,early_exit_fee,monthly_fee,data_allowance_gb,"
    "voice_allowance_min,line_count,internet_service,addon_security,addon_backup,"
    "addon_device_protection,addon_tech_support,addon_streaming_tv,addon_streaming_movies,"
    "addon_roaming,addon_family,payment_method,paperless,ported_from,device_model,"
    "device_acquired_on,instalment_balance,ended_on,churn_kind,churn_reason,churn_to".split(",")
)
FAULTS: dict[str, tuple[dict[str, str], ...]] = {
    "telecom-billing": (
        {"amount": "ten"}, {"issued_on": "2026-02-30"}, {"customer": "NOBODY"},
        {"period_starts_on": "2026-09-01", "due_on": "2026-08-01"},
    ),
    "telecom-payments": ({"amount": "ten"}, {"paid_on": "31.02.2026"}, {"method": "gold"}),
    "telecom-events": (
        {"occurred_on": "2026-02-29"}, {"customer": "NOBODY"},
        {"kind": "retention_offer", "result": "accepted", "discount_share": "1.5"},
        {"kind": "retention_offer", "result": "perhaps"},
    ),
    "telecom-subscriptions": (
        {"status": "asleep"}, {"ended_on": "2023-12-31"},
        {"contract_starts_on": "2026-03-01", "contract_ends_on": "2026-02-01"},
    ),
}  # fmt: skip


def midnight(on: date) -> datetime:
    return datetime.combine(on, time(), UTC)


def months_on(start: date, months: int) -> date:
    """The same day so many months later, or the last of its month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


class Operator:
    """A workspace, the dice, and what the test knows to be true."""

    def __init__(self, crm: Any, seed: int, folder: Path) -> None:
        self.crm, self.dice, self.folder = crm, random.Random(seed), folder
        self.ids: dict[str, int] = {}
        for n, ref in enumerate(CUSTOMERS):
            telephone = ContactPoint("phone", "+49300" if ref in SHARING else f"+49301{n}")
            refs = [CustomerRef("operator", ref)]
            made = crm.store.customers.add(kind="person", refs=refs, contact_points=[telephone])
            self.ids[ref] = made.id
        # Entries by customer and key; states of a line by the day from which they hold.
        self.entries: dict[tuple[str, str], Entry] = {}
        self.states: dict[str, dict[date, dict[str, str]]] = {}
        self.owners: dict[str, str] = {}
        self.said: dict[str, list[tuple[datetime, bool, str]]] = defaultdict(list)
        self.stages: dict[str, str | None] = dict.fromkeys(CUSTOMERS)
        self.lists: list[str] = []
        self.files = 0
        rows = [
            self.state(f"L{n}", ref, ACTIVATED[n], contract_ends_on=str(self.dice.choice(CONTRACT_ENDS)))
            for n, ref in enumerate(CUSTOMERS)
        ]  # fmt: skip
        self.read("telecom-subscriptions", LINES, rows, faults=0)
        for ref in self.dice.sample(CUSTOMERS, 4):
            self.crm.run("consent give", customer=ref)
            self.said[ref].append((self.now, True, "any"))
        crm.clock.advance(minutes=1)
        self.make_list()

    @property
    def now(self) -> datetime:
        moment: datetime = self.crm.clock()
        return moment

    @property
    def today(self) -> date:
        return self.now.date()

    def day(self, back: int, ahead: int = 0) -> date:
        return self.today + timedelta(days=self.dice.randint(-back, ahead))

    def kept(self) -> Any:
        """Everything that a refused act must leave as it was."""
        store = self.crm.store
        records = {t: sorted(store.records.read(t, ["id", "version"])) for t in KEPT}
        logged = store.interactions.read(["id", "revision"], customers=self.ids.values())
        stages = store.stages.current(LIFECYCLE, list(self.ids.values()))
        return records, sorted(logged), stages

    # --- files ------------------------------------------------------------------------------------

    def read(
        self,
        profile: str,
        columns: tuple[str, ...],
        rows: list[dict[str, str]],
        faults: int | None = None,
    ) -> None:
        """Reads a file with a few faulty rows between the others: they alone are rejected."""
        if faults is None:
            faults = self.dice.randrange(3)
        every = list(rows)
        for n in range(faults):
            key = {columns[0]: f"X{self.files}-{n}"}
            bad = {**rows[0], **key, **self.dice.choice(FAULTS[profile])}
            every.insert(self.dice.randint(0, len(every)), bad)
        path = self.folder / f"{self.files}.csv"
        self.files += 1
        lines = [columns, *([row.get(name, "") for name in columns] for row in every)]
        path.write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")
        result = self.crm.import_file(path, profile=profile)
        assert (result.read, result.rejected) == (len(every), faults), result.reasons

    def line(self) -> tuple[str, str]:
        line = self.dice.choice(sorted(self.owners))
        return line, self.owners[line]

    def file(self, key: str, line: str, entry: Entry) -> dict[str, str]:
        owner = self.owners[line]
        self.entries[owner, key] = entry
        row = {"customer": owner, "subscription": line, "amount": f"{entry.amount / 100:.2f}"}
        return row | ({"due_on": str(entry.due)} if entry.due else {})

    def bill(self) -> None:
        """Bills and credit notes, dated ahead or filed late; a bill read again may be corrected."""
        rows = {}
        for _ in range(self.dice.randint(1, 3)):
            line, owner = self.line()
            # Of one amount give or take two fifths, so that none is a shock.
            amount = self.dice.choice((-500, 1000, 1000, 1200, 1400))
            key = f"B{len(self.entries)}"
            known = [k for (who, k), e in self.entries.items()
                     if who == owner and k.startswith("B") and e.line == int(line[1])]  # fmt: skip
            if known and self.dice.random() < 0.25:
                key = self.dice.choice(known)
            issued = self.day(60, 5)
            due = months_on(issued.replace(day=1), 1) - timedelta(days=1)
            entry = Entry("bill", int(line[1]), midnight(issued), amount, due=due)
            rows[key] = self.file(key, line, entry) | {"bill": key, "issued_on": str(issued)}
        self.read("telecom-billing", BILLS, list(rows.values()))

    def pay(self) -> None:
        """Whole bills, parts, too much, reversals, and payments of no bill."""
        rows = []
        for _ in range(self.dice.randint(1, 3)):
            line, owner = self.line()
            dues = [e.due for (who, _), e in self.entries.items() if who == owner and e.due]
            due = self.dice.choice([*dues, *dues, None])
            amount = self.dice.choice((-400, 1, 400, 600, 1000, 1400))
            key, paid = f"P{len(self.entries)}", self.day(60, 5)
            entry = Entry("payment", int(line[1]), midnight(paid), amount, due=due)
            rows.append(self.file(key, line, entry) | {"payment": key, "paid_on": str(paid)})
        self.read("telecom-payments", PAYMENTS, rows)

    def event(self) -> None:
        rows = []
        for _ in range(self.dice.randint(1, 3)):
            line, _ = self.line()
            kind = self.dice.choice(
                ("port_out_request", "cancellation_request", "port_out_withdrawn",
                 "cancellation_withdrawn", "complaint", "topup", "retention_offer")
            )  # fmt: skip
            on, key = self.day(80, 5), f"E{len(self.entries)}"
            row = self.file(key, line, Entry(kind, int(line[1]), midnight(on)))
            if kind != "topup":
                del row["amount"]
            result = (
                {"result": self.dice.choice(("accepted", "declined"))} if "offer" in kind else {}
            )
            rows.append(row | {"event": key, "kind": kind, "occurred_on": str(on)} | result)
        self.read("telecom-events", EVENTS, rows)

    def state(self, line: str, owner: str, on: date, **values: str) -> dict[str, str]:
        """A line from a day on."""
        states = self.states.setdefault(line, {})
        past = states[max(states)] if states else {
            "status": "active", "activated_on": str(on), "plan": "S5", "contract_type": "12m",
            "payment_model": "prepaid" if owner == PREPAID else "postpaid",
            "contract_ends_on": str(months_on(on, 12)),
        }  # fmt: skip
        self.owners[line] = owner
        states[on] = {**past, **values}
        return {"subscription": line, "customer": owner, "as_of": str(on), **states[on]}

    def later_day(self, line: str) -> date | None:
        """A day after the last state of a line, up to today."""
        free = (self.today - max(self.states[line])).days
        return None if free < 1 else self.today - timedelta(days=self.dice.randrange(min(free, 20)))

    def change(self) -> None:
        """A plan changes or a contract is renewed, for a line that is served."""
        line, owner = self.line()
        on = self.later_day(line)
        if on is None or "ended_on" in self.states[line][max(self.states[line])]:
            return
        ends = self.dice.choice(CONTRACT_ENDS)
        values = {"plan": self.dice.choice(("S5", "M15", "L40")), "contract_ends_on": str(ends)}
        self.read("telecom-subscriptions", LINES, [self.state(line, owner, on, **values)])

    def change_the_past(self) -> None:
        """A state of before the last one that says something else is stale, and changes nothing."""
        line, owner = self.line()
        before = self.kept()
        on = max(self.states[line]) - timedelta(days=1)
        row = {"subscription": line, "customer": owner, "as_of": str(on), "plan": "XXL",
               "activated_on": self.states[line][max(self.states[line])]["activated_on"]}  # fmt: skip
        path = self.folder / f"{self.files}.csv"
        self.files += 1
        path.write_text(f"{','.join(LINES)}\n{','.join(row.get(n, '') for n in LINES)}\n")
        result = self.crm.import_file(path, profile="telecom-subscriptions")
        assert (result.read, result.rejected) == (1, 1)
        assert self.kept() == before

    def end(self) -> None:
        """A line is ported out, in the file of lines and in that of events."""
        line, owner = self.line()
        on = self.later_day(line)
        if on is None or "ended_on" in self.states[line][max(self.states[line])]:
            return
        values = {"status": "ported_out", "ended_on": str(on), "churn_kind": "voluntary"}
        self.read("telecom-subscriptions", LINES, [self.state(line, owner, on, **values)])
        ended = {"event": f"T{line}", "kind": "termination", "customer": owner, "subscription": line,
                 "occurred_on": str(on), "ended_as": "voluntary"}  # fmt: skip
        self.read("telecom-events", EVENTS, [ended])

    def come_back(self) -> None:
        """Somebody takes another line, who may have left."""
        owner = self.dice.choice(CUSTOMERS)
        line = f"L{len(self.owners)}"
        if len(self.owners) < 9:
            self.read("telecom-subscriptions", LINES, [self.state(line, owner, self.day(10))])

    # --- the desk ---------------------------------------------------------------------------------

    def say(self) -> None:
        customer, channel = self.dice.choice(CUSTOMERS), self.dice.choice(("any", "phone"))
        given = self.dice.random() < 0.7
        at = self.now - timedelta(hours=self.dice.randint(-6, 200))
        verb = "give" if given else "withdraw"
        self.crm.run(f"consent {verb}", customer=customer, channel=channel, at=at)
        assert at <= self.now
        self.said[customer].append((at, given, channel))

    def make_list(self) -> None:
        fresh = f"list-{len(self.lists)}"
        name = self.dice.choice((fresh, fresh, fresh, *self.lists[:1]))
        within = self.dice.choice((0, 1, 10))
        self.crm.run("list make", name=name, segment="telecom.free-to-leave", within_days=within,
                     control=self.dice.choice((0.0, 0.3)), seed=self.dice.randrange(9))  # fmt: skip
        assert name not in self.lists
        self.lists.append(name)

    def next_on_list(self) -> None:
        for row in self.crm.run("list next", name=self.a_list()).rows:
            assert row["state"] == "todo"
            assert row["at"] <= self.now

    def a_list(self) -> str:
        return self.dice.choice([*self.lists, *self.lists[-2:] * 2, "none"])

    def done(self) -> None:
        """The next on a list, or anybody; when now, before, or still to come."""
        name = self.a_list()
        following = self.crm.run("list next", name=name).rows
        refs = {id_: ref for ref, id_ in self.ids.items()}
        customer = self.dice.choice(CUSTOMERS)
        if following and self.dice.random() < 0.7:
            customer = refs[following[0]["customer_id"]]
        outcome = self.dice.choice(("accepted", "declined", "no_answer", "not_tried"))
        at = self.dice.choice((None, None, self.now - timedelta(hours=self.dice.randint(-20, 60))))
        before = self.kept()
        try:
            self.crm.run("list done", name=name, customer=customer, outcome=outcome, at=at)
        except CrmkitError:
            assert self.kept() == before
            raise
        when = at or self.now
        assert when <= self.now
        if outcome == "not_tried":
            return
        assert 8 <= when.hour < 21
        assert self.will(customer, when) == "given"
        if customer in SHARING:
            assert self.will(SHARING[customer], when) != "withdrawn"

    def will(self, customer: str, at: datetime) -> str:
        """What a customer had said of offers by telephone: only as particular a consent lifts a no."""
        said = sorted((s for s in self.said[customer] if s[0] <= at), key=lambda s: s[0])
        for when, given, channel in said:
            lifted = any(w > when and g and (c == "phone" or channel == "any") for w, g, c in said)
            if not given and not lifted:
                return "withdrawn"
        return "given" if any(given for _, given, _ in said) else "unknown"

    def judge(self) -> None:
        """Everybody's stage is proposed and moved to, as far as the lifecycle allows."""
        self.crm.lifecycles.propose(self.crm.as_of(), apply=True, lifecycle=LIFECYCLE)
        current = self.crm.store.stages.current(LIFECYCLE, list(self.ids.values()))
        for customer, id_ in self.ids.items():
            wished, stands = self.wished(customer), self.stages[customer]
            if stands is None or (stands, wished) in MOVES:
                self.stages[customer] = wished
            assert current[id_] == self.stages[customer], customer

    def move(self) -> None:
        customer = self.dice.choice(CUSTOMERS)
        to = self.dice.choice(("prospect", "won-back", "nowhere"))
        self.crm.lifecycles.advance(LIFECYCLE, self.ids[customer], to)
        # Who stands nowhere yet may begin anywhere that is a stage.
        assert to != "nowhere"
        assert self.stages[customer] is None or (self.stages[customer], to) in MOVES
        self.stages[customer] = to

    def wait(self) -> None:
        self.crm.clock.advance(hours=self.dice.randint(1, 72))

    # --- by hand ----------------------------------------------------------------------------------

    def of(self, customer: str, *whats: str) -> list[Entry]:
        """What has happened to a customer by now."""
        return [e for (who, _), e in self.entries.items()
                if who == customer and e.what in whats and e.at <= self.now]  # fmt: skip

    def holds(self, customer: str) -> list[dict[str, str]]:
        """The last states of a customer's lines."""
        return [states[max(states)] for line, states in self.states.items()
                if self.owners[line] == customer]  # fmt: skip

    def requests(self, customer: str, what: str) -> int:
        withdrawn = self.of(customer, f"{what}_withdrawn")
        return sum(
            (self.today - asked.at.date()).days < 60
            and not any(w.line == asked.line and w.at >= asked.at for w in withdrawn)
            for asked in self.of(customer, f"{what}_request")
        )

    def tenure(self, customer: str) -> int:
        """Whole months since the first day of the oldest line that is served."""
        months = 0
        for line in self.holds(customer):
            began = date.fromisoformat(line["activated_on"])
            while "ended_on" not in line and months_on(began, months + 1) <= self.today:
                months += 1
        return months

    def complaints(self, customer: str) -> int:
        return sum((self.today - e.at.date()).days < 90 for e in self.of(customer, "complaint"))

    def wished(self, customer: str) -> str:
        lines = self.holds(customer)
        served = [line["activated_on"] for line in lines if "ended_on" not in line]
        ended = [line["ended_on"] for line in lines if "ended_on" in line]
        if not served:
            return "left"
        topups = [(self.today - e.at.date()).days for e in self.of(customer, "topup")]
        if customer == PREPAID and topups and min(topups) >= 30:
            return "dormant"
        asked = self.requests(customer, "port_out") + self.requests(customer, "cancellation")
        if asked or self.complaints(customer) >= 2:
            return "at-risk"
        tenure = self.tenure(customer)
        if ended and max(served) > max(ended) and tenure < 6:
            return "won-back"
        return "activated" if tenure < 3 else "growing" if tenure < 12 else "established"

    def contract_end(self, customer: str) -> float | None:
        """Months to the end of the contract that ends first: whole ones, and 31sts."""
        ends = [date.fromisoformat(line["contract_ends_on"])
                for line in self.holds(customer) if "ended_on" not in line]  # fmt: skip
        if not ends:
            return None
        end, today = min(ends), self.today
        whole = (end.year - today.year) * 12 + end.month - today.month
        last = [on.day == monthrange(on.year, on.month)[1] for on in (end, today)]
        return whole if all(last) else whole + (end.day - today.day) / 31

    def check(self) -> None:
        names = ["telecom.days_overdue", "telecom.port_out_requests_60d",
                 "telecom.cancellation_requests_60d", "telecom.complaints_90d",
                 "telecom.retention_offers_180d", "telecom.tenure_months", "telecom.months_to_end"]  # fmt: skip
        population = Population.of(list(self.ids.values()), self.crm.as_of())
        rows = self.crm.features.build("customer", names, population).to_pylist()
        found = {row["subject_id"]: row for row in rows}
        for customer, id_ in self.ids.items():
            row = found[id_]
            money = self.of(customer, "bill", "payment")
            assert row["telecom_days_overdue"] == overdue(money, self.today), customer
            for what in ("port_out", "cancellation"):
                assert row[f"telecom_{what}_requests_60d"] == self.requests(customer, what), (
                    customer
                )
            assert row["telecom_complaints_90d"] == self.complaints(customer), customer
            offers = self.of(customer, "retention_offer")
            assert row["telecom_retention_offers_180d"] == len(offers), customer
            if (end := self.contract_end(customer)) is not None:
                assert row["telecom_tenure_months"] == self.tenure(customer), customer
                assert row["telecom_months_to_end"] == pytest.approx(end), customer
        self.money_is_kept()
        self.contacts_keep_to_the_policy()

    def money_is_kept(self) -> None:
        """What was billed and paid is stored to the cent, also what is dated ahead."""
        kinds = {"telecom.bill": "bill", "telecom.payment": "payment"}
        stored: dict[tuple[int, str], int] = defaultdict(int)
        asked = ["customer_id", "kind", "amount_minor"]
        for id_, kind, amount in self.crm.store.interactions.read(
            asked, customers=self.ids.values(), kinds=kinds
        ):
            stored[id_, kinds[kind]] += amount
        for customer, id_ in self.ids.items():
            for what in kinds.values():
                own = [
                    e for (who, _), e in self.entries.items() if (who, e.what) == (customer, what)
                ]
                assert stored[id_, what] == sum(e.amount for e in own), (customer, what)

    def contacts_keep_to_the_policy(self) -> None:
        slots = self.crm.store.records.read(
            "contact.slot", ["owner_id", "day"], among={"state": ["reserved", "made"]}
        )
        for customer, id_ in self.ids.items():
            reached = {id_, self.ids[SHARING.get(customer, customer)]}
            days = [day for owner, day in slots if owner in reached]
            for most, length in CAPS:
                assert fullest(days, length) <= most, (customer, length)


def fullest(days: Iterable[date], length: int) -> int:
    """The most contacts in so many days on end."""
    found = list(days)
    return max((sum(0 <= (d - first).days < length for d in found) for first in found), default=0)


@pytest.mark.parametrize(
    "seed",
    [
        7, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(100, 130)),
        *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1_000, 2_000)),
    ],
)  # fmt: skip
def test_files_and_lists_in_any_order_agree_with_what_is_kept_by_hand(
    tmp_path: Path, seed: int
) -> None:
    clock = SettableClock(START)
    with crmkit.init(tmp_path / "w", plugins=("telecom",), clock=clock, actor="ann") as crm:
        operator = Operator(crm, seed, tmp_path)
        acts: list[Callable[[], None]] = [
            operator.bill, operator.bill, operator.pay, operator.pay, operator.event, operator.event,
            operator.change, operator.change_the_past, operator.end, operator.come_back,
            operator.say, operator.say, operator.make_list, operator.make_list, operator.next_on_list,
            operator.done, operator.done, operator.done, operator.done, operator.judge, operator.move,
            operator.wait, operator.wait, operator.wait,
        ]  # fmt: skip
        for _ in range(ACTS):
            clock.advance(minutes=1)
            act = operator.dice.choice(acts)
            before = operator.kept()
            try:
                act()
            except CrmkitError:
                # Asking for the next row may have blocked some; what was refused is compared there.
                assert act == operator.done or operator.kept() == before
        clock.advance(minutes=1)
        operator.judge()
        operator.check()
