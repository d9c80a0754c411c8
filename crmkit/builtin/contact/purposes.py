"""Purposes of contacts with their caps and quiet hours: built-in ones, changed and added to by data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from crmkit.errors import UsageError

from .data import PURPOSE, SOURCE

if TYPE_CHECKING:
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm


def _caps(values: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(values, key=lambda cap: (cap[1], cap[0])))


@frozen(kw_only=True)
class Purpose:
    """What a contact is for, and what holds for all contacts of that purpose.

    Args:
        needs: ``consent`` (it must have been given), ``no_objection`` (it must not have been
            withdrawn) or ``nothing``.
        caps: pairs (most, days): at most so many contacts, of every purpose together, in any so
            many local days on end; the shortest first.
        quiet_from, quiet_until: local time of day; equal ones mean no quiet hours.
        blockable: whether blocks that name no purpose stop it.
        protected: whether it works renewals, which are the owner's alone for a time.
    """

    name: str
    needs: str = "consent"
    caps: tuple[tuple[int, int], ...] = field(default=(), converter=_caps)
    quiet_from: time = time(21)
    quiet_until: time = time(8)
    blockable: bool = True
    protected: bool = True


# The figures for marketing are common practice and a starting point, not law: every workspace can
# set its own. A notice is what the contract or the law has to be told, so nothing stops it.
DEFAULTS = {
    purpose.name: purpose
    for purpose in (
        Purpose(name="marketing", caps=((1, 1), (2, 7), (6, 30))),
        Purpose(name="service", needs="no_objection", blockable=False, protected=False),
        Purpose(
            name="notice", needs="nothing", quiet_from=time(0), quiet_until=time(0),
            blockable=False, protected=False,
        ),
    )
}  # fmt: skip


def read_purposes(crm: Crm, tx: Tx | None = None) -> dict[str, Purpose]:
    """Every purpose by name; what the workspace has set stands in the place of the built-in value."""
    found = dict(DEFAULTS)
    for record in crm.store.records.list(PURPOSE, tx=tx):
        # One that the workspace adds is as careful as can be until it says otherwise.
        found[record.ref] = _with(found.get(record.ref, Purpose(name=record.ref)), record.values)
    return found


def set_purpose(crm: Crm, name: str, values: Mapping[str, Any]) -> Purpose:
    """Changes or adds a purpose; what ``values`` leaves out stays as it is."""
    if not values:
        raise UsageError(f"nothing to change of the purpose {name}.", hint="Give an option.")
    with crm.store.begin("contact purpose") as tx:
        crm.store.records.set(PURPOSE, source=SOURCE, ref=name, values=values, tx=tx)
        return read_purposes(crm, tx)[name]


def _with(purpose: Purpose, values: Mapping[str, Any]) -> Purpose:
    changes: dict[str, Any] = {n: v for n, v in values.items() if v is not None}
    for name in ("quiet_from", "quiet_until"):
        if name in changes:
            changes[name] = time.fromisoformat(changes[name])
    if "caps" in changes:
        changes["caps"] = [parse_cap(text) for text in changes["caps"]]
    return evolve(purpose, **changes)


def parse_cap(text: str) -> tuple[int, int]:
    """``2/7`` as (2, 7): at most two in seven days; the field's pattern has been checked."""
    most, _, days = text.partition("/")
    return int(most), int(days)
