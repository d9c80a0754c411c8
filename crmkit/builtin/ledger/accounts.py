"""Accounts: entries are posted in batches, and a balance is nothing but the sum of its entries.

A posting names its reference, so that the same posting again does nothing; another posting under
the same reference is refused, or settled, which posts the difference. Everything of a batch is one
transaction that holds the customers' locks, so two processes cannot spend one balance twice.

A customer who was merged into another keeps the account. What the other spends is taken from both,
their own first, so that taking the merge back leaves each with what is theirs.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attrs import define, evolve, field, frozen
from attrs.validators import in_

from crmkit.declarations import Ledger
from crmkit.errors import NotFound, UsageError

from .records import KINDS

if TYPE_CHECKING:
    from crmkit.workspace import Crm

SOURCE = "crmkit"
ACCOUNT, ENTRY = "ledger.account", "ledger.entry"
# Rows in one transaction of a step over all accounts.
BATCH = 10_000


@frozen(kw_only=True)
class Posting:
    """One change of a customer's balance.

    Attributes:
        amount: in the ledger's unit, of money in whole minor units: positive adds, negative takes
            away. ``earn`` only adds, ``burn`` and ``expire`` only take.
        reference: what it is for, unique in the ledger (``stay-4711``); the same posting with the
            same reference is made once. None is never the same as another.
        at: when it happened (aware); None is now.
        expires_on: last day on which what it adds can be spent; None follows the ledger.
    """

    customer_id: int
    amount: int
    kind: str = field(default="earn", validator=in_(KINDS))
    reference: str | None = None
    reason: str | None = None
    at: datetime | None = None
    expires_on: date | None = None


@frozen(kw_only=True)
class Posted:
    """What became of a posting: the customer's balance after it, and whether it was new."""

    customer_id: int
    amount: int
    balance: int
    new: bool


@frozen(kw_only=True)
class Unposted:
    """A posting that was not made, and the words why."""

    posting: Posting
    why: str


@define
class _Account:
    """An account while a batch is worked out; ``id`` is 0 while it is not filed."""

    owner: int
    id: int
    balance: int
    entries: int
    active_on: date | None
    touched: bool = False


@frozen(kw_only=True)
class _Entry:
    owner: int
    ref: str
    posting: Posting
    amount: int
    balance: int
    number: int


class Accounts:
    """Balances of customers in the declared ledgers: the service ``ledger.accounts``."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def posting(self, **values: Any) -> Posting:
        """A :class:`Posting`, for plugins that have the service alone."""
        return Posting(**values)

    def ledger(self, name: str) -> Ledger:
        """The declared ledger.

        Raises:
            NotFound: naming those that exist.
        """
        try:
            return self._crm.catalog.ledgers[name]
        except KeyError:
            raise NotFound("ledger", name, self._crm.catalog.ledgers) from None

    # --- reading ------------------------------------------------------------------------------

    def balances(self, ledger: str, customers: Iterable[int], *, tx: Any = None) -> dict[int, int]:
        """Balance by customer, merged ones included; 0 for who has no account."""
        self.ledger(ledger)
        wanted = list(customers)
        members = self._crm.store.customers.members(wanted, tx=tx)
        found = dict.fromkeys(wanted, 0)
        for account in self._accounts(ledger, members, tx).values():
            found[members[account.owner]] += account.balance
        return found

    def statement(self, ledger: str, customer: int) -> list[dict[str, Any]]:
        """Every entry of a customer, oldest first.

        Keys: at, kind, amount, balance (of its account), reference, reason, expires_on.
        """
        self.ledger(ledger)
        store = self._crm.store
        members = store.customers.members([customer])
        accounts = {a.id for a in self._accounts(ledger, members, None).values()}
        names = ["valid_from", "number", "kind", "amount", "balance", "ref", "reason", "expires_on"]
        rows = store.records.read(ENTRY, names, among={"owner_id": accounts})
        keys = ("at", "kind", "amount", "balance", "reference", "reason", "expires_on")
        rows.sort(key=lambda row: (row[0], row[1]))
        return [dict(zip(keys, (row[0], *row[2:]), strict=True)) for row in rows]

    def unbalanced(self, ledger: str) -> list[dict[str, Any]]:
        """Accounts whose balance or count is not that of their entries; nothing when all is well.

        Keys: customer_id, balance, entries, sum, count.
        """
        self.ledger(ledger)
        records = self._crm.store.records
        sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for owner, amount in records.read(ENTRY, ["owner_id", "amount"], where={"ledger": ledger}):
            sums[owner][0] += amount
            sums[owner][1] += 1
        names = ["id", "owner_id", "balance", "entries"]
        out = []
        for account, owner, balance, entries in records.read(
            ACCOUNT, names, where={"ledger": ledger}
        ):
            total, count = sums.pop(account, [0, 0])
            if (total, count) != (balance, entries):
                out.append({"customer_id": owner, "balance": balance, "entries": entries, "sum": total, "count": count})  # fmt: skip
        return out

    # --- posting ------------------------------------------------------------------------------

    def post(self, ledger: str, postings: Sequence[Posting], *, tx: Any = None) -> list[Posted]:
        """Makes a batch of postings, all or none.

        Args:
            ledger: a declared one.
            postings: in the order in which they are to be made.
            tx: the open write; None is one of its own.

        Raises:
            NotFound: for a ledger or customer that does not exist.
            UsageError: if an amount has the wrong sign (``E_VALUE``), a balance does not cover what
                is taken (``E_BALANCE``), or a reference stands for another posting (``E_DUPLICATE``).
        """
        declared = self.ledger(ledger)
        for posting in postings:
            _check_sign(posting)
        with self._writing(tx, "ledger post") as own:
            batch = _Batch(self, declared, own, postings)
            done = [batch.take(posting) for posting in postings]
            batch.write()
        return done

    def settle(
        self, ledger: str, postings: Sequence[Posting], *, tx: Any = None
    ) -> tuple[list[Posted], list[Unposted]]:
        """Makes each reference stand for one customer and amount; posts what differs from before.

        For what follows from facts that are corrected: a stay of three nights that had two, or of
        another guest. A difference is an ``adjust``; one that a balance does not cover is not made,
        and the others are.

        Args:
            ledger: a declared one.
            postings: each with its reference; ``amount`` is all that is due under it, and may be 0.
            tx: the open write; None is one of its own.

        Returns:
            What became of each posting, ``amount`` being the difference; and those that were not made.

        Raises:
            NotFound: for a ledger or customer that does not exist.
        """
        declared = self.ledger(ledger)
        done, refused = [], []
        with self._writing(tx, "ledger settle") as own:
            batch = _Batch(self, declared, own, postings)
            batch.read_settled()
            for posting in postings:
                try:
                    done.append(batch.settle(posting))
                except UsageError as error:
                    refused.append(Unposted(posting=posting, why=error.message))
            batch.write()
        return done, refused

    def transfer(
        self, ledger: str, giver: int, taker: int, amount: int, *, reference: str | None = None,
        reason: str | None = None, tx: Any = None,
    ) -> list[Posted]:  # fmt: skip
        """Moves an amount from one customer to another.

        Raises:
            UsageError: if both are one, or the amount is not positive or not covered.
        """
        if giver == taker or amount <= 0:
            raise UsageError("a transfer moves a positive amount between two customers.")
        both = [
            Posting(
                customer_id=who, amount=signed, kind="transfer", reason=reason,
                reference=reference and f"{reference}:{side}",
            )
            for who, signed, side in ((giver, -amount, "out"), (taker, amount, "in"))
        ]  # fmt: skip
        return self.post(ledger, both, tx=tx)

    def expire(
        self, ledger: str, on: date, *, customers: Iterable[int] | None = None
    ) -> list[Posted]:
        """Takes away what can no longer be spent after a day, in a write per 10,000 accounts.

        What expires first is spent first. Running it again for the day finds nothing.

        Args:
            on: the last day that is over; what could be spent until that day goes.
            customers: only these; None is everybody.
        """
        declared = self.ledger(ledger)
        records = self._crm.store.records
        among = {} if customers is None else {"owner_id": list(customers)}
        found = records.read(
            ACCOUNT, ["owner_id", "balance"], where={"ledger": ledger}, among=among
        )
        owners = [owner for owner, balance in found if balance > 0]
        out: list[Posted] = []
        for start in range(0, len(owners), BATCH):
            part = owners[start : start + BATCH]
            with self._crm.store.begin("ledger expire") as tx:
                # Looked at again behind the lock: somebody may have spent it in the meantime.
                tx.lock_customers(part)
                out += self.post(ledger, self._due(declared, on, part, tx), tx=tx)
        return out

    def _due(self, ledger: Ledger, on: date, owners: Sequence[int], tx: Any) -> list[Posting]:
        accounts = list(self._accounts(ledger.name, owners, tx).values())
        idle = {
            a.id
            for a in accounts
            if ledger.idle_months and a.active_on and months_later(a.active_on, ledger.idle_months) <= on
        }  # fmt: skip
        lapsed = self._lapsed({a.id for a in accounts} - idle, on, tx)
        out = []
        for account in accounts:
            amount = account.balance if account.id in idle else lapsed.get(account.id, 0)
            if amount > 0:
                why = "idle" if account.id in idle else "lapsed"
                out.append(
                    Posting(customer_id=account.owner, amount=-amount, kind="expire", reason=why)
                )
        return out

    def _lapsed(self, accounts: set[int], on: date, tx: Any) -> dict[int, int]:
        names = ["owner_id", "number", "amount", "expires_on"]
        entries: dict[int, list[tuple[int, int, date | None]]] = defaultdict(list)
        for owner, *entry in self._crm.store.records.read(
            ENTRY, names, among={"owner_id": accounts}, tx=tx
        ):
            entries[owner].append((entry[0], entry[1], entry[2]))
        return {owner: lapsed_amount(sorted(rows), on) for owner, rows in entries.items()}

    # --- what a batch needs -------------------------------------------------------------------

    def _accounts(self, ledger: str, owners: Iterable[int], tx: Any) -> dict[int, _Account]:
        names = ["owner_id", "id", "balance", "entries", "active_on"]
        rows = self._crm.store.records.read(
            ACCOUNT, names, where={"ledger": ledger}, among={"owner_id": set(owners)}, tx=tx
        )
        return {row[0]: _Account(*row) for row in rows}

    @contextmanager
    def _writing(self, tx: Any, command: str) -> Iterator[Any]:
        if tx is not None:
            yield tx
            return
        with self._crm.store.begin(command) as own:
            yield own


class _Batch:
    """The postings of one ledger in one write."""

    def __init__(
        self, accounts: Accounts, ledger: Ledger, tx: Any, postings: Sequence[Posting]
    ) -> None:
        self._crm, self._ledger, self._tx, self._all = accounts._crm, ledger, tx, accounts
        self._survivor: dict[int, int] = {}
        self._accounts: dict[int, _Account] = {}
        self._family: dict[int, list[int]] = {}
        self._admit({posting.customer_id for posting in postings})
        self._references = {p.reference for p in postings if p.reference is not None}
        refs = {self._ref(name) for name in self._references}
        found = self._crm.store.records.read(
            ENTRY, ["ref", "kind", "posted"], among={"ref": refs}, tx=tx
        )
        self._known: dict[str, tuple[str, int]] = {ref: (kind, n) for ref, kind, n in found}
        self._settled: dict[str, list[tuple[int, int]]] = {}
        self._given: set[str] = set()
        self._entries: list[_Entry] = []

    def _admit(self, customers: Collection[int]) -> None:
        """Locks customers and reads their accounts, before anything is posted."""
        people = self._crm.store.customers
        survivors = people.survivors(customers, tx=self._tx)
        for missing in sorted(set(customers) - survivors.keys()):
            raise NotFound("customer", str(missing))
        members = people.members(survivors.values(), tx=self._tx)
        self._tx.lock_customers(members)
        self._survivor |= survivors
        self._accounts |= self._all._accounts(self._ledger.name, members, self._tx)
        families: dict[int, list[int]] = defaultdict(list)
        # Each customer's own account before those of customers merged into it.
        for member, survivor in sorted(members.items(), key=lambda pair: pair[0] != pair[1]):
            families[survivor].append(member)
        self._family |= families

    def read_settled(self) -> None:
        """Reads what was posted under each reference, and under those of its differences."""
        records = self._crm.store.records
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        step, asked = 1, {self._ref(name): name for name in self._references}
        while asked:
            rows = records.read(
                ENTRY, ["ref", "owner_id", "posted"], among={"ref": asked}, tx=self._tx
            )
            for ref, account, amount in rows:
                found[asked[ref]].append((account, amount))
            step += 1
            asked = {self._ref(_difference(asked[row[0]], step)): asked[row[0]] for row in rows}
        accounts = {account for rows in found.values() for account, _ in rows}
        owners = dict(
            records.read(ACCOUNT, ["id", "owner_id"], among={"id": accounts}, tx=self._tx)
        )
        self._admit(set(owners.values()))
        self._settled = {
            name: [(owners[account], amount) for account, amount in rows]
            for name, rows in found.items()
        }

    def settle(self, posting: Posting) -> Posted:
        """Posts what is missing under a reference, or takes what is too much."""
        name = posting.reference
        if name is None:
            raise UsageError("a posting that is settled needs a reference.")
        if name in self._given:
            raise UsageError(
                f"{self._ledger.name}: the reference {name!r} is given twice.", code="E_DUPLICATE"
            )
        self._given.add(name)
        who, before = self._survivor[posting.customer_id], self._settled.get(name, [])
        due = defaultdict(int, {who: posting.amount})
        for customer, amount in before:
            due[self._survivor[customer]] -= amount
        kind = "adjust" if before else posting.kind
        # What is taken comes first: where a balance does not cover it, nothing has been given yet.
        by_amount = sorted(due.items(), key=lambda pair: pair[1])
        for customer, amount in by_amount:
            if amount:
                before = [*before, (customer, amount)]
                change = evolve(
                    posting, customer_id=customer, amount=amount, kind=kind,
                    reference=_difference(name, len(before)),
                )  # fmt: skip
                _check_sign(change)
                self._take(customer, change)
        return Posted(
            customer_id=who, amount=due[who], balance=self._balance(who), new=any(due.values())
        )

    def _ref(self, reference: str) -> str:
        return f"{self._ledger.name}:{reference}"

    def take(self, posting: Posting) -> Posted:
        who = self._survivor[posting.customer_id]
        new = posting.reference is None or not self._is_made(posting, self._ref(posting.reference))
        if new:
            self._take(who, posting)
        return Posted(customer_id=who, amount=posting.amount, balance=self._balance(who), new=new)

    def _take(self, customer: int, posting: Posting) -> None:
        for i, (member, amount) in enumerate(self._parts(customer, posting)):
            self._enter(member, amount, posting, i)

    def _is_made(self, posting: Posting, ref: str) -> bool:
        asked = (posting.kind, posting.amount)
        found = self._known.setdefault(ref, asked)
        if found != asked:
            raise UsageError(
                f"{self._ledger.name}: the reference {posting.reference!r} stands for "
                f"{found[0]} {found[1]:+d} already, and {asked[0]} {asked[1]:+d} was given.",
                code="E_DUPLICATE",
                hint="Give another reference, or post the difference with kind adjust.",
            )
        return found is not asked

    def _balance(self, customer: int) -> int:
        found = (self._accounts.get(member) for member in self._family[customer])
        return sum(account.balance for account in found if account)

    def _parts(self, customer: int, posting: Posting) -> list[tuple[int, int]]:
        """Which account takes how much: what is taken comes from the customer's own first."""
        if posting.kind == "expire":
            return [(posting.customer_id, posting.amount)]
        if posting.amount >= 0 or self._ledger.overdraft:
            return [(customer, posting.amount)]
        wanted, out = -posting.amount, []
        for member in self._family[customer]:
            account = self._accounts.get(member)
            part = min(wanted, max(0, account.balance if account else 0))
            if part:
                out.append((member, -part))
                wanted -= part
        if wanted:
            raise UsageError(
                f"{self._ledger.name}: the balance is {self._balance(customer)}, and {-posting.amount} "
                "was to be taken.",
                code="E_BALANCE",
            )
        return out

    def _enter(self, member: int, amount: int, posting: Posting, part: int) -> None:
        account = self._accounts.setdefault(member, _Account(member, 0, 0, 0, None))
        account.balance += amount
        account.entries += 1
        account.touched = True
        if posting.kind in ("earn", "burn"):
            day = _local_day(self._crm, posting.at or self._tx.at)
            account.active_on = max(day, account.active_on or day)
        if posting.reference is None:
            ref = f"{self._ledger.name}#{member}-{account.entries}"
        else:
            ref = self._ref(posting.reference) + (f"/{part + 1}" if part else "")
        self._entries.append(
            _Entry(owner=member, ref=ref, posting=posting, amount=amount,
                   balance=account.balance, number=account.entries)
        )  # fmt: skip

    def write(self) -> None:
        """Files the accounts that changed and the entries."""
        changed = [a for a in self._accounts.values() if a.touched]
        if not changed:
            return
        ids = self._put_accounts(changed)
        entries = self._entries
        self._crm.store.records.put(
            ENTRY, source=SOURCE, refs=[e.ref for e in entries], tx=self._tx,
            owners=[ids[e.owner] for e in entries],
            effective=[e.posting.at or self._tx.at for e in entries],
            values={
                "ledger": [self._ledger.name] * len(entries),
                "kind": [e.posting.kind for e in entries],
                "amount": [e.amount for e in entries],
                "posted": [e.posting.amount for e in entries],
                "balance": [e.balance for e in entries],
                "number": [e.number for e in entries],
                "reason": [e.posting.reason for e in entries],
                "expires_on": [self._expires_on(e) for e in entries],
            },
        )  # fmt: skip

    def _put_accounts(self, changed: Sequence[_Account]) -> Mapping[int, int]:
        written = self._crm.store.records.put(
            ACCOUNT, source=SOURCE, tx=self._tx, owners=[a.owner for a in changed],
            refs=[f"{self._ledger.name}:{a.owner}" for a in changed],
            values={
                "ledger": [self._ledger.name] * len(changed),
                "balance": [a.balance for a in changed],
                "entries": [a.entries for a in changed],
                "active_on": [a.active_on for a in changed],
            },
        )  # fmt: skip
        return dict(zip((a.owner for a in changed), written.ids, strict=True))

    def _expires_on(self, entry: _Entry) -> date | None:
        posting, months = entry.posting, self._ledger.expires_after_months
        if posting.expires_on is not None or entry.amount <= 0 or months is None:
            return posting.expires_on
        return months_later(_local_day(self._crm, posting.at or self._tx.at), months)


def _difference(reference: str, number: int) -> str:
    """The reference of the nth posting under one reference: ``stay-4711``, ``stay-4711~2``."""
    return reference if number == 1 else f"{reference}~{number}"


def lapsed_amount(entries: Sequence[tuple[int, int, date | None]], on: date) -> int:
    """How much of an account has passed its last day unspent.

    Args:
        entries: (number, signed amount, last day or None) in order of number. What takes away
            takes from the lot that expires next; lots without a last day come last.
        on: the last day that is over.
    """
    lots: list[list[Any]] = []
    # What was taken beyond all lots, where the ledger allows it; the next lot makes up for it first.
    owed = 0
    for _, amount, until in entries:
        if amount > 0:
            paid = min(owed, amount)
            lots.append([until or date.max, amount - paid])
            owed -= paid
            continue
        owed -= amount
        for lot in sorted(lots, key=lambda lot: lot[0]):
            part = min(owed, lot[1])
            lot[1] -= part
            owed -= part
    return sum(amount for until, amount in lots if until <= on)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _check_sign(posting: Posting) -> None:
    wrong: Mapping[str, Callable[[int], bool]] = {
        "earn": lambda n: n <= 0, "burn": lambda n: n >= 0, "expire": lambda n: n >= 0,
        "adjust": lambda n: n == 0, "transfer": lambda n: n == 0,
    }  # fmt: skip
    if wrong[posting.kind](posting.amount):
        allowed = {"earn": "positive", "burn": "negative", "expire": "negative"}
        wanted = allowed.get(posting.kind, "other than 0")
        raise UsageError(
            f"the amount of {posting.kind} is {posting.amount}, not {wanted}.", code="E_VALUE"
        )


def _local_day(crm: Crm, at: datetime) -> date:
    return at.astimezone(ZoneInfo(crm.settings.time_zone)).date()
