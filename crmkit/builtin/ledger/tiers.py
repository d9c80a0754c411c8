"""Tiers: who stands where in a scheme, reviewed for everybody in one pass.

Up at once; down only after grace, a step at a time where the scheme lands softly, and not again
before the time of rest is over. Every change is logged on the customer's timeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from crmkit.declarations import TierScheme
from crmkit.entities import NewInteraction
from crmkit.entities.asof import AsOf
from crmkit.errors import NotFound, UsageError

if TYPE_CHECKING:
    from crmkit.workspace import Crm

SOURCE = "crmkit"
STANDING, TIER_CHANGE = "ledger.standing", "ledger.tier_change"
BATCH = 10_000


@frozen(kw_only=True)
class Standing:
    """Where a customer stands in a scheme.

    Attributes:
        rank: of the tier, 0 the lowest.
        since_on: first day in it.
        grace_until: last day on which it is kept although its condition does not hold; None while
            it holds.
        lowered_on: day of the last step down, if any.
    """

    rank: int
    since_on: date
    grace_until: date | None = None
    lowered_on: date | None = None


def review(
    scheme: TierScheme, now: Standing | None, entered: int, kept: int, on: date
) -> tuple[Standing, str | None]:
    """The standing after a review, and the move: enter, up, grace, saved, down, or None.

    Args:
        now: the standing before; None for a customer who is new to the scheme.
        entered: highest rank whose condition to enter holds; 0 where none does.
        kept: highest rank whose condition to stay holds; at least ``entered``.
        on: day of the review.
    """
    if now is None:
        return Standing(rank=entered, since_on=on), "enter"
    if entered > now.rank:
        up = Standing(rank=entered, since_on=on, lowered_on=now.lowered_on)
        return up, "up"
    if kept >= now.rank:
        if now.grace_until is None:
            return now, None
        return evolve(now, grace_until=None), "saved"
    if now.grace_until is None and scheme.grace_days:
        return evolve(now, grace_until=on + timedelta(days=scheme.grace_days)), "grace"
    if now.grace_until is not None and on <= now.grace_until:
        return now, None
    if now.lowered_on is not None and on < now.lowered_on + timedelta(days=scheme.rest_days):
        return now, None
    lower = now.rank - 1 if scheme.soft_landing else max(entered, kept)
    return Standing(rank=lower, since_on=on, lowered_on=on), "down"


class Tiers:
    """Tier schemes and who stands where: the service ``ledger.tiers``."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def scheme(self, name: str) -> TierScheme:
        """The declared scheme.

        Raises:
            NotFound: naming those that exist.
        """
        try:
            return self._crm.catalog.tier_schemes[name]
        except KeyError:
            raise NotFound("tier scheme", name, self._crm.catalog.tier_schemes) from None

    def standings(
        self, scheme: str, customers: Iterable[int] | None = None, *, tx: Any = None
    ) -> dict[int, Standing]:
        """Standing by customer; who was never reviewed is absent.

        Of two standings, from before records were merged, the higher one counts.
        """
        self.scheme(scheme)
        return {owner: found for owner, (_, found) in self._held(scheme, customers, tx).items()}

    def _held(
        self, scheme: str, customers: Iterable[int] | None, tx: Any
    ) -> dict[int, tuple[str, Standing]]:
        """The record of each customer's standing: its ref, and what it says."""
        people = self._crm.store.customers
        into = {} if customers is None else people.members(customers, tx=tx)
        among = {} if customers is None else {"owner_id": into}
        names = ["owner_id", "ref", "rank", "since_on", "grace_until", "lowered_on"]
        rows = self._crm.store.records.read(
            STANDING, names, where={"scheme": scheme}, among=among, sort=["rank", "ref"], tx=tx
        )
        if customers is None:
            into = people.survivors({row[0] for row in rows}, tx=tx)
        return {
            into[owner]: (
                ref,
                Standing(rank=rank, since_on=since, grace_until=grace, lowered_on=lowered),
            )
            for owner, ref, rank, since, grace, lowered in rows
        }

    def review(self, name: str, as_of: AsOf) -> list[dict[str, Any]]:
        """Reviews everybody in a scheme as of a day and files what changes.

        A second review of the day changes nothing. A day before the last change is refused, because
        standings are not rewritten.

        Returns:
            One row a change: customer_id, move, from_tier, to_tier, grace_until.

        Raises:
            NotFound: if there is no such scheme.
            SqlRefused: if a condition cannot be answered.
            UsageError: if the day is before a standing's last change (``E_PAST``).
        """
        scheme = self.scheme(name)
        ranks = self._ranks(scheme, as_of)
        out: list[dict[str, Any]] = []
        customers = sorted(ranks)
        for start in range(0, len(customers), BATCH):
            out += self._review(scheme, customers[start : start + BATCH], ranks, as_of)
        return out

    def _ranks(self, scheme: TierScheme, as_of: AsOf) -> dict[int, tuple[int, int]]:
        """Highest rank that each customer of the scheme enters, and that each keeps."""
        conditions = {"population": scheme.population or "1 = 1"}
        for rank, tier in enumerate(scheme.tiers):
            if rank:
                conditions[f"enter {rank}"] = tier.enter
                conditions[f"keep {rank}"] = tier.keep or tier.enter
        held = self._crm.subjects_where(conditions, as_of)
        entered = dict.fromkeys(held["population"], 0)
        kept = dict(entered)
        for rank in range(1, len(scheme.tiers)):
            for customer in held[f"enter {rank}"]:
                if customer in entered:
                    entered[customer] = kept[customer] = rank
            for customer in held[f"keep {rank}"]:
                if customer in kept:
                    kept[customer] = max(kept[customer], rank)
        return {customer: (entered[customer], kept[customer]) for customer in entered}

    def _review(
        self, scheme: TierScheme, customers: Sequence[int],
        ranks: Mapping[int, tuple[int, int]], as_of: AsOf,
    ) -> list[dict[str, Any]]:  # fmt: skip
        with self._crm.store.begin("tier review") as tx:
            tx.lock_customers(customers)
            before = self._held(scheme.name, customers, tx)
            rows, after = [], {}
            for customer in customers:
                ref, now = before.get(customer, (f"{scheme.name}:{customer}", None))
                if now is not None and now.since_on > as_of.on:
                    raise UsageError(
                        f"{scheme.name}: a standing of {now.since_on} is there, so {as_of.on} cannot "
                        "be reviewed any more.",
                        code="E_PAST",
                    )
                found, move = review(scheme, now, *ranks[customer], as_of.on)
                if move is not None:
                    after[customer] = ref, found
                    rows.append(_row(scheme, customer, now, found, move))
            if after:
                self._write(scheme, after, rows, as_of, tx)
        return rows

    def _write(
        self, scheme: TierScheme, after: Mapping[int, tuple[str, Standing]],
        rows: Sequence[Mapping[str, Any]], as_of: AsOf, tx: Any,
    ) -> None:  # fmt: skip
        refs, found = zip(*after.values(), strict=True)
        # From the last moment of the day on, which an as-of of that day sees.
        at = min(as_of.instant - timedelta(microseconds=1), tx.at)
        held = dict(
            self._crm.store.records.read(
                STANDING, ["ref", "valid_from"], among={"ref": refs}, tx=tx
            )
        )
        self._crm.store.records.put(
            STANDING, source=SOURCE, tx=tx, owners=list(after), refs=refs,
            # A standing may have been filed later than its day; its successor begins after it.
            effective=[max(at, held.get(ref, at)) for ref in refs],
            values={
                "scheme": [scheme.name] * len(found),
                "tier": [scheme.tiers[s.rank].name for s in found],
                "rank": [s.rank for s in found],
                "since_on": [s.since_on for s in found],
                "grace_until": [s.grace_until for s in found],
                "lowered_on": [s.lowered_on for s in found],
            },
        )  # fmt: skip
        names = ("move", "from_tier", "to_tier", "grace_until")
        self._crm.store.interactions.log(
            [
                NewInteraction(
                    kind=TIER_CHANGE, customer_id=row["customer_id"], occurred_at=at,
                    channel="system",
                    # Corrected points may move a customer twice on one day.
                    ref=f"{scheme.name}:{row['customer_id']}:{as_of.on}:{row['move']}:{row['to_tier']}",
                    payload={"scheme": scheme.name, **{name: row[name] for name in names}},
                )
                for row in rows
            ],
            tx=tx,
        )  # fmt: skip


def _row(
    scheme: TierScheme, customer: int, before: Standing | None, after: Standing, move: str
) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "move": move,
        "from_tier": None if before is None else scheme.tiers[before.rank].name,
        "to_tier": scheme.tiers[after.rank].name,
        "grace_until": after.grace_until,
    }
