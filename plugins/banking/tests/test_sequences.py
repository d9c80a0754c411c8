"""Issue 14: random legal and illegal acts in random order, and what has to hold whatever came before.

A bank of three customers with a loan and an account each: applications are filed, corrected and raised,
the card decides and officers decide against it, the policy changes, instalments are paid in parts,
reversed, corrected and filed late, consents are given and withdrawn, decisions are forged. The test keeps
its own books beside the bank's, in plain Python, and knows of every act whether it may be done. What is
refused changes nothing, one faulty record stops no other, and at the end the bank agrees with the books.
"""

from __future__ import annotations

import os
import random
import shutil
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.cli.main import main
from crmkit.entities import CustomerRef, Money, NewInteraction
from crmkit.errors import CrmkitError
from crmkit.testing.clock import SettableClock
from crmkit.warehouse.population import Population

FILE = Path(os.environ["CRMKIT_DATA"]) / "german_credit" / "german_credit.csv"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ACTS = 40
SEEDS = [
    3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(100, 130)),
    *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1_000, 2_000)),
]  # fmt: skip
SCORE = APPLICATION = "banking.application"
OFFICERS = ("ann", "ben", "System")
CURRENCY, INSTALMENT = "DEM", 10_000
KEPT = (APPLICATION, "banking.decision", "banking.credit_policy", "banking.loan", "contact.consent")
CHANNELS = ("email", "phone", "letter")
USUAL = {
    "approve_from": 548,
    "refer_from": 534,
    "dsti_limit": 0.45,
    "adult_age": 18,
    "may_be_unknown": (),
}
# On the scale of the card: the plainest good, middling and bad applicant.
GOOD = {"checking_status": "none", "savings_band": "from_1000", "credit_history": "critical"}
FAIR = {
    "checking_status": "from_200",
    "savings_band": "below_100",
    "credit_history": "paid_till_now",
}
POOR = {"checking_status": "below_0", "savings_band": "below_100", "credit_history": "none_taken"}

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the public data are not here")


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty workspace with a card that was trained on the German file in another."""
    folder = tmp_path_factory.mktemp("blank")
    clock = SettableClock(START - timedelta(days=2))
    with crmkit.init(folder / "t", plugins=("banking",), currency=CURRENCY, clock=clock) as crm:
        crm.import_file(FILE, profile="german-credit")
        clock.advance(days=1)
        crm.scores.train(SCORE)
    crmkit.init(folder / "w", plugins=("banking",), currency=CURRENCY, clock=clock).close()
    shutil.copytree(folder / "t" / "models", folder / "w" / "models", dirs_exist_ok=True)
    return folder / "w"


class Bank:
    """A workspace with its officers, the dice, and what the test knows to be true."""

    def __init__(self, crms: dict[str, Any], folder: Path, seed: int) -> None:
        self.crms, self.crm, self.folder = crms, crms["ann"], folder
        self.clock, self.dice = self.crm.clock, random.Random(seed)
        store = self.crm.store
        self.people = [
            store.customers.add(kind="person", name=f"C{n}", refs=[CustomerRef("corebank", f"C{n}")]).id
            for n in range(3)
        ]  # fmt: skip
        self.facts: list[dict[str, Any]] = [{}, {}, {}]
        self.days = [self.dice.choice((15, 28, 29, 30, 31)) for _ in self.people]
        self.loans, self.accounts = [], []
        for n, owner in enumerate(self.people):
            self.loans.append(store.records.set(
                "banking.loan", source="corebank", ref=f"L{n}", owner_id=owner,
                values={"granted_on": date(2025, 11, 1), "next_due_on": self.due(n, 0)},
                effective=datetime(2025, 11, 1, tzinfo=UTC),
            ).id)  # fmt: skip
            self.accounts.append(store.records.set(
                "banking.account", source="corebank", ref=f"N{n}", owner_id=owner,
                values={"type": "current"}, effective=datetime(2025, 11, 1, tzinfo=UTC),
            ).id)  # fmt: skip
        # Versions of each application (since, values), its decisions, and versions of the policy.
        self.asked: dict[str, list[tuple[datetime, dict[str, Any]]]] = {}
        self.owner: dict[str, int] = {}
        self.decided: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.policies: list[tuple[datetime, dict[str, Any]]] = [(START, dict(USUAL))]
        # Payments by key: (loan, due, paid, currency); month-end statements; what customers said.
        self.paid: dict[str, tuple[int, date, int, str]] = {}
        self.stated: list[tuple[int, datetime, int, int, bool]] = []
        self.said: list[tuple[int, str, str, bool, datetime]] = []
        self.moved: list[dict[date, tuple[int, int]]] = [{}, {}, {}]
        self.made = 0

    @property
    def now(self) -> datetime:
        return self.clock()

    def due(self, loan: int, number: int) -> date:
        """The instalment of that number, from December on."""
        year, month = divmod(2025 * 12 + 11 + number, 12)
        return date(year, month + 1, min(self.days[loan], monthrange(year, month + 1)[1]))

    def key(self, letter: str) -> str:
        self.made += 1
        return f"{letter}{self.made}"

    def state(self) -> Any:
        store = self.crm.store
        kept = {t: sorted(store.records.read(t, ["id", "version"])) for t in KEPT}
        logged = sorted(store.interactions.read(["id"], customers=self.people))
        return kept, logged, [store.customers.fields(i) for i in self.people]

    def attempt(self, legal: bool, act: Callable[[], Any]) -> bool:
        """Does what is legal; what is not is refused and leaves everything as it was."""
        if legal:
            act()
            return True
        before = self.state()
        with pytest.raises(CrmkitError):
            act()
        assert self.state() == before
        return False

    # --- applications ---------------------------------------------------------------------------

    def terms(self) -> tuple[dict[str, Any], bool]:
        """Some values of an application, and whether they may be."""
        roll = self.dice.random()
        if roll < 0.15:
            wrong = {
                "amount": "-5.00",
                "term_months": 0,
                "product": "gold",
                "dsti": -0.1,
                "colour": "red",
            }
            name = self.dice.choice(sorted(wrong))
            return {name: wrong[name]}, False
        if roll < 0.4:
            return {"dsti": self.dice.choice((None, 0.2, 0.4, 0.7))}, True
        if roll < 0.6:
            service = Money(
                self.dice.choice((200_00, 500_00, 800_00)),
                self.dice.choice((CURRENCY, CURRENCY, "JPY")),
            )
            return {"income": Money(1_000_00, CURRENCY), "debt_service": service}, True
        if roll < 0.8:
            return dict(self.dice.choice((GOOD, FAIR, POOR))), True
        # An amount without a rate on file is a record that the card cannot weigh.
        currency = self.dice.choice((CURRENCY, CURRENCY, CURRENCY, "JPY"))
        amount = Money(self.dice.choice((1_000_00, 2_000_00, 30_000_00)), currency)
        return {"amount": amount, "term_months": self.dice.choice((12, 24))}, True

    def apply(self) -> None:
        if len(self.asked) == 5:
            return self.correct()
        values, legal = self.terms()
        values = {
            "amount": Money(1_000_00, CURRENCY),
            "term_months": 12,
            **GOOD,
            "dsti": 0.3,
        } | values
        ref, person = f"A{len(self.asked)}", self.dice.randrange(3)
        since = self.now - timedelta(hours=self.dice.choice((0, 30, 300)))
        if self.attempt(legal, lambda: self.crm.store.records.set(
            APPLICATION, source="desk", ref=ref, owner_id=self.people[person], values=values, effective=since,
        )):  # fmt: skip
            self.asked[ref], self.owner[ref] = [(since, values)], person
        return None

    def correct(self) -> None:
        if not self.asked:
            return
        ref = self.dice.choice(sorted(self.asked))
        values, legal = self.terms()
        since = self.now - timedelta(hours=self.dice.choice((0, 0, 30, 300)))
        if self.attempt(legal, lambda: self.crm.store.records.set(
            APPLICATION, source="desk", ref=ref, values=values, effective=since
        )):  # fmt: skip
            before, known = self.asked[ref][-1]
            if known | values != known:
                # A change cannot begin before the version that it ends.
                self.asked[ref].append((max(since, before), known | values))

    def learn(self) -> None:
        """Something becomes known of a customer, for the policy."""
        person = self.dice.randrange(3)
        values, legal = self.dice.choice((
            ({"age_years": 17}, True), ({"age_years": 40}, True), ({"age_years": 40}, True), ({"age_years": -1}, False),
            ({"kyc_status": "valid"}, True), ({"kyc_status": "valid"}, True), ({"kyc_status": "expired"}, True),
            ({"kyc_status": "perhaps"}, False), ({"bankrupt": True}, True), ({"bankrupt": False}, True),
        ))  # fmt: skip
        if self.attempt(legal, lambda: self.crm.store.customers.edit(
            self.people[person], fields={"banking": values},
            version=self.crm.store.customers.get(self.people[person]).version,
        )):  # fmt: skip
            self.facts[person] |= values

    def set_policy(self) -> None:
        choices = (
            {"approve_from": self.dice.choice((500, 548, 580))}, {"refer_from": self.dice.choice((480, 534, 570))},
            {"dsti_limit": self.dice.choice((0.3, 0.45, 0.6))}, {"dsti_limit": -1.0}, {"adult_age": self.dice.choice((18, 50))},
            {"may_be_unknown": self.dice.choice((("nothing",), ("dsti",), ("age", "kyc_status"), ("kyc_status",)))},
            {"challenger_version": self.dice.choice((0, 1, 7))}, {"real_bad_rate": self.dice.choice((0.05, 1.5))},
        )  # fmt: skip
        values = self.dice.choice(choices)
        new = self.policies[-1][1] | values
        legal = (
            new["approve_from"] >= new["refer_from"] and new["dsti_limit"] >= 0
            and values.get("challenger_version") != 7 and values.get("real_bad_rate") != 1.5
        )  # fmt: skip
        if self.attempt(legal, lambda: self.crm.run("decision policy", **values)):
            new["may_be_unknown"] = tuple(n for n in new["may_be_unknown"] if n != "nothing")
            self.policies.append((self.now, new))

    # --- decisions ------------------------------------------------------------------------------

    def against(self, ref: str, at: datetime | None = None) -> set[str]:
        """What the policy has against an application: decline and refer.

        By what is known now of the instant ``at``; of customers it asks for the present alone.
        """
        policy = [p for since, p in self.policies if at is None or since <= at][-1]
        asked = [v for since, v in self.asked[ref] if at is None or since <= at][-1]
        facts = self.facts[self.owner[ref]]
        age, kyc, dsti = facts.get("age_years"), facts.get("kyc_status"), asked.get("dsti")
        income, service = asked.get("income"), asked.get("debt_service")
        if income and service and income.currency == service.currency:
            dsti = service.minor / income.minor
        found = set()
        if (age is not None and age < policy["adult_age"]) or facts.get("bankrupt") or (
            dsti is not None and dsti > policy["dsti_limit"]
        ):  # fmt: skip
            found.add("decline")
        lacking = {
            name
            for name, value in (("age", age), ("kyc_status", kyc), ("dsti", dsti))
            if value is None
        }
        if kyc == "expired" or lacking - set(policy["may_be_unknown"]):
            found.add("refer")
        return found

    def outcome(self, ref: str, points: int) -> str:
        """What card and policy say now."""
        policy, found = self.policies[-1][1], self.against(ref)
        if "decline" in found or points < policy["refer_from"]:
            return "decline"
        return "refer" if "refer" in found or points < policy["approve_from"] else "approve"

    def outgrown(self, ref: str) -> bool:
        """Whether more is asked for now than the last decision was of."""
        asked, last = self.asked[ref][-1][1], self.decided[ref][-1]
        return (
            asked["amount"].currency != last["amount"].currency
            or asked["amount"].minor > last["amount"].minor or asked["term_months"] > last["term_months"]
        )  # fmt: skip

    def score(self) -> None:
        """The card decides what nobody has decided, what was referred, and approvals of less."""
        if not self.asked:
            return
        now = self.crm.as_of()
        self.crm.scores.run(SCORE, now)
        assert self.crm.serve_scores(SCORE, now) == ()
        for ref, held in self.decided_by_crmkit().items():
            mine = self.decided[ref]
            new = held[len(mine) :]
            assert len(new) <= 1
            if not new:
                last = mine[-1]
                # What was referred stays so where card and policy say the same.
                still = last["outcome"] == "refer" and self.outcome(ref, last["points"]) == "refer"
                over = last["outcome"] == "approve" and self.outgrown(ref)
                assert not over and (last["outcome"] != "refer" or still), ref
                continue
            one = new[0]
            assert not mine or mine[-1]["outcome"] == "refer" or (
                mine[-1]["outcome"] == "approve" and self.outgrown(ref)
            ), ref  # fmt: skip
            assert one["outcome"] == self.outcome(ref, one["points"]), ref
            assert (one["outcome"] == "approve") == (not one["reasons"])
            asked = self.asked[ref][-1][1]
            mine.append({
                "decided_at": self.now, "outcome": one["outcome"], "decided_by": "system", "seconded_by": None,
                "override_reason": None, "points": one["points"], "proposed": one["outcome"],
                "amount": asked["amount"], "term_months": asked["term_months"], "as_of": self.now,
                "reasons": one["reasons"],
            })  # fmt: skip

    def take(self) -> None:
        """An officer decides, with and without what it takes."""
        held = [ref for ref in self.asked if self.decided[ref]]
        ref = self.dice.choice([*held, *held, *self.asked, "A-99"])
        outcome = self.dice.choice(("approve", "approve", "decline", "withdrawn"))
        good = (
            "guarantor found",
            "the file is complete",
            "the employer does not confirm the income",
        )
        reason = self.dice.choice((*good, *good, None, " ", "x" * 61))
        second = self.dice.choice((None, None, None, "cleo", "cleo", "ben", " Ann ", "system"))
        officer = self.dice.choice(("ann", "ann", "ben", "ben", "System"))
        legal = self.may_take(ref, outcome, reason, second, officer)
        if self.attempt(legal, lambda: self.crms[officer].run(
            "decision take", application=ref, outcome=outcome, reason=reason, second=second
        )):  # fmt: skip
            last, said = self.decided[ref][-1], (reason or "").strip()
            given = next(
                one["reasons"]
                for one in reversed(self.decided[ref])
                if one["decided_by"] == "system"
            )
            self.decided[ref].append(last | {
                "decided_at": self.now, "outcome": outcome, "decided_by": officer,
                "seconded_by": (second or "").strip() or None, "override_reason": said or None,
                "reasons": [said, *given][:4] if outcome == "decline" else [],
            })  # fmt: skip

    def may_take(
        self, ref: str, outcome: str, reason: str | None, second: str | None, officer: str
    ) -> bool:
        said, other = (reason or "").strip(), (second or "").strip().lower()
        if officer == "System" or not self.decided.get(ref) or len(said) > 60:
            return False
        if other in ("system", officer):
            return False
        last = self.decided[ref][-1]
        if last["outcome"] == outcome != "approve":
            return False
        if outcome == "withdrawn":
            return True
        if not said or self.outgrown(ref) or last["outcome"] == outcome:
            return False
        overrides = last["proposed"] == "decline" and outcome == "approve"
        return not overrides or bool(other) or "decline" not in self.against(ref, last["as_of"])

    def forge(self) -> None:
        """A decision typed in, or one that was filed changed."""
        if not self.asked:
            return
        ref = self.dice.choice(sorted(self.asked))
        kind = self.dice.choice(("banking.decision", "banking.credit_policy"))
        before = self.state()
        filed = self.crm.store.records.read("banking.decision", ["source", "ref", "outcome"])
        if filed and self.dice.random() < 0.5:
            source, key, outcome = self.dice.choice(sorted(filed))
            other = "approve" if outcome != "approve" else "decline"
            with pytest.raises(CrmkitError, match="never changed"):
                self.crm.store.records.set(
                    "banking.decision", source=source, ref=key, values={"outcome": other}
                )
        else:
            line = [
                "record",
                "set",
                kind,
                f"{ref}-forged",
                "--owner",
                ref,
                "outcome=approve",
                "decided_by=ann",
            ]
            assert main(["-w", str(self.folder), *line]) == 2
        assert self.state() == before

    def decided_by_crmkit(self) -> dict[str, list[dict[str, Any]]]:
        """The decisions of each application as crmkit lists them, oldest first."""
        return {
            ref: list(self.crm.run("decision list", application=ref).rows) for ref in self.asked
        }

    # --- loans ----------------------------------------------------------------------------------

    def log(self, kind: str, n: int, subject: int, at: datetime, ref: str, payload: dict[str, Any], amount: Money | None = None) -> None:  # fmt: skip
        self.crm.store.interactions.log(NewInteraction(
            kind=f"banking.{kind}", customer_id=self.people[n], subject_id=subject, occurred_at=at,
            source="corebank", ref=ref, payload=payload, amount=amount,
        ))  # fmt: skip

    def pay(self) -> None:
        """A part of an instalment, up to the first of which nothing was paid; some are refused."""
        loan = self.dice.randrange(3)
        begun = {due for n, due, *_ in self.paid.values() if n == loan}
        first = next(k for k in range(20) if self.due(loan, k) not in begun)
        number = max(0, first - self.dice.choice((0, 0, 1, 1, 2)))
        paid = self.dice.choice((INSTALMENT, INSTALMENT, 5_000, 2_500))
        currency = self.dice.choice((CURRENCY,) * 5 + ("USD",))
        self.file_payment(self.key("P"), (loan, self.due(loan, number), paid, currency))

    def file_payment(self, ref: str, payment: tuple[int, date, int, str]) -> None:
        loan, due, paid, currency = payment
        payload = {"due_on": due, "due": Money(INSTALMENT, CURRENCY), "paid": Money(paid, currency)}
        legal = self.dice.random() > 0.1
        if not legal:
            payload |= self.dice.choice(
                ({"days_late": -1}, {"colour": "red"}, {"due_on": "2026-02-30"})
            )
        at = self.now - timedelta(hours=self.dice.choice((0, 0, 20, 200, 1000)))
        if self.attempt(
            legal, lambda: self.log("repayment", loan, self.loans[loan], at, ref, payload)
        ):
            self.paid[ref] = payment

    def reverse(self) -> None:
        """A payment comes back, or turns out to have been another amount."""
        if not self.paid:
            return
        ref = self.dice.choice(sorted(self.paid))
        loan, due, paid, currency = self.paid[ref]
        if self.dice.random() < 0.5:
            self.file_payment(self.key("P"), (loan, due, -abs(paid), currency))
        else:
            self.file_payment(ref, (loan, due, self.dice.choice((INSTALMENT, 5_000, 0)), currency))

    def import_payments(self) -> None:
        """A file in which one row of three is no payment: the two others are in."""
        loan = self.dice.randrange(3)
        refs = [self.key("F") for _ in range(3)]
        today = self.now.date()
        rows = [f"{ref},L{loan},{self.due(loan, 0)},{today},50.00,0" for ref in refs]
        rows[1] = self.dice.choice((
            f"{refs[1]},L{loan},2026-02-30,{today},50.00,0", f"{refs[1]},L9,{self.due(loan, 0)},{today},50.00,0",
            f"{refs[1]},L{loan},{self.due(loan, 0)},{today},fifty,0",
        ))  # fmt: skip
        file = self.folder.parent / f"{refs[0]}.csv"
        file.write_text("\n".join(["repayment,loan,due_on,paid_on,amount,days_late", *rows]) + "\n")
        done = self.crm.import_file(file, profile="bank-repayments")
        assert (done.read, done.rejected) == (3, 1)
        # A row of the file states what it paid as what was due.
        for ref in (refs[0], refs[2]):
            self.paid[ref] = (loan, self.due(loan, 0), 5_000, CURRENCY)

    def state_loan(self) -> None:
        loan = self.dice.randrange(3)
        at = self.now - timedelta(hours=self.dice.choice((0, 0, 24, 240, 2000)))
        owed, past = (
            self.dice.choice((0, 100_000, 100_000, 100_000)),
            self.dice.choice((0, 0, 5, 40)),
        )
        lost = self.dice.random() < 0.1
        payload = {"outstanding": Money(owed, CURRENCY), "days_past_due": past, "written_off": lost}
        self.log("loan_statement", loan, self.loans[loan], at, self.key("S"), payload)
        self.stated.append((loan, at, owed, past, lost))

    def past_due(self, loan: int) -> int:
        """Days since the oldest unpaid instalment was due, by hand."""
        today = self.crm.as_of().on
        stated = [
            (at, k, owed, past, lost)
            for k, (n, at, owed, past, lost) in enumerate(self.stated)
            if n == loan
        ]
        if not stated:
            return 0
        at, _, owed, past, lost = max(stated)
        if (today - at.date()).days > 45 or owed <= 0 or lost:
            return 0
        paid: dict[date, int] = defaultdict(int)
        for n, due, amount, currency in self.paid.values():
            if n == loan:
                paid[due] += amount if currency == CURRENCY else 0
        if not paid:
            return past + (today - at.date()).days if past else 0
        oldest = next(k for k in range(20) if paid[self.due(loan, k)] < INSTALMENT)
        return max(0, (today - self.due(loan, oldest)).days)

    # --- consents and balances ------------------------------------------------------------------

    def say(self) -> None:
        person, given = self.dice.randrange(3), self.dice.random() < 0.55
        channel = self.dice.choice(("any", *CHANNELS, "pigeon"))
        purpose = self.dice.choice(("any", "marketing", "marketing"))
        at = self.now - timedelta(hours=self.dice.choice((0, 0, 40, 400, -5)))
        legal = channel != "pigeon" and at <= self.now
        verb = "consent give" if given else "consent withdraw"
        if self.attempt(legal, lambda: self.crm.run(
            verb, customer=f"C{person}", channel=channel, purpose=purpose, at=at
        )):  # fmt: skip
            self.said.append((person, channel, purpose, given, at))

    def holds(self, person: int, channel: str) -> str:
        """What holds for offers by a channel: a withdrawal until a later word at least as particular."""
        said = [
            (ch, pu, given, at) for n, ch, pu, given, at in self.said
            if n == person and ch in (channel, "any")
        ]  # fmt: skip
        for ch, pu, given, at in said:
            if not given and not any(
                yes and later > at and (c == channel or ch == "any") and (p == "marketing" or pu == "any")
                for c, p, yes, later in said
            ):  # fmt: skip
                return "withdrawn"
        return "given" if any(given for _, _, given, _ in said) else "unknown"

    def move(self) -> None:
        """A movement of an account on a day without one; sometimes the balance after it is wrong."""
        n = self.dice.randrange(3)
        day = self.now.date() - timedelta(days=self.dice.randrange(60))
        if day in self.moved[n]:
            return
        amount = self.dice.choice((5_000, -2_000, 10_000))
        before = 50_000 + sum(moved for on, (moved, _) in self.moved[n].items() if on < day)
        after = before + amount + self.dice.choice((0, 0, 0, 2_500))
        self.log(
            "transaction", n, self.accounts[n], datetime(day.year, day.month, day.day, 1, tzinfo=UTC), self.key("T"),
            {"balance_after": Money(after, CURRENCY)}, Money(amount, CURRENCY),
        )  # fmt: skip
        self.moved[n][day] = (amount, after)

    def parted(self) -> list[tuple[int, date, int]]:
        """Days on which a stated balance parts from what the movements make of the first, by hand."""
        found = []
        for n, moved in enumerate(self.moved):
            days = sorted(moved)
            if days:
                running = moved[days[0]][1] - moved[days[0]][0]
            apart = 0
            for day in days:
                running += moved[day][0]
                if moved[day][1] - running != apart:
                    apart = moved[day][1] - running
                    found.append((self.accounts[n], day, apart))
        return sorted(found)

    # --- what holds -----------------------------------------------------------------------------

    def act(self) -> None:
        self.dice.choice((
            self.apply, self.apply, self.correct, self.correct, self.learn, self.learn, self.set_policy,
            self.take, self.take, self.take, self.take, self.forge, self.pay, self.pay, self.pay, self.pay,
            self.reverse, self.reverse, self.state_loan, self.say, self.say, self.say, self.move, self.move,
        ))()  # fmt: skip

    def check(self) -> None:
        names = (
            "decided_at",
            "outcome",
            "decided_by",
            "seconded_by",
            "override_reason",
            "reasons",
            "points",
            "proposed",
        )
        for ref, held in self.decided_by_crmkit().items():
            assert [[row[n] for n in names] for row in held] == [
                [one[n] for n in names] for one in self.decided[ref]
            ], ref
        names = ["banking.days_past_due", "banking.consent_marketing"]
        table = self.crm.features.build(
            "customer", names, Population.of(self.people, self.crm.as_of())
        )
        consents = self.crm.service("contact.consents")
        for row in table.to_pylist():
            n = self.people.index(row["subject_id"])
            assert row["banking_days_past_due"] == self.past_due(n), n
            states = {channel: self.holds(n, channel) for channel in CHANNELS}
            for channel, state in states.items():
                state_there = consents.state(self.people[n], channel, "marketing")
                assert state_there.replace("do_not_contact", "withdrawn") == state, (n, channel)
            offers = "given" in (*states.values(), self.holds(n, "web"))
            assert row["banking_consent_marketing"] == offers, n
        findings = self.crm.reports.run(
            "banking.balance-findings", {}, self.crm.as_of()
        ).table.to_pylist()
        assert (
            sorted((r["account_id"], r["day_on"], r["difference_minor"]) for r in findings)
            == self.parted()
        )
        bands = self.crm.reports.run(
            "banking.approval-by-band", {}, self.crm.as_of()
        ).table.to_pylist()
        stand = [
            ref for ref, held in self.decided.items() if held and held[-1]["outcome"] == "approve"
        ]
        assert sum(row["approved"] for row in bands) == sum(not self.outgrown(ref) for ref in stand)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_bank_agrees_with_the_books(
    seed: int, tmp_path: Path, blank: Path
) -> None:
    shutil.copytree(blank, tmp_path / "w")
    clock = SettableClock(START)
    with ExitStack() as stack:
        crms = {
            name: stack.enter_context(crmkit.open(tmp_path / "w", clock=clock, actor=name))
            for name in OFFICERS
        }
        bank = Bank(crms, tmp_path / "w", seed)
        for number in range(ACTS):
            clock.advance(hours=bank.dice.randint(1, 40))
            bank.act()
            if number % 13 == 5:
                clock.advance(hours=1)
                bank.score()
        clock.advance(hours=1)
        bank.import_payments()
        clock.advance(hours=1)
        bank.check()
