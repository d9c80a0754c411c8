"""What people do with a case: answer, wait, resolve, close, reopen, escalate, merge, compensate."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crmkit.entities import Money
from crmkit.errors import MoveRefused, NotFound, NotPermitted, UsageError

from .change import Case, Change
from .clocks import OWN
from .records import COMPENSATION


def assign(
    change: Change, case: Case, *, to: str | None = None, department: str | None = None,
    note: str = "",
) -> None:  # fmt: skip
    """Gives the case to a person or a department; a hand-over keeps every clock."""
    if to is None and department is None:
        raise UsageError("case assign needs --to, --department or both.")
    case.values["assignee"] = to if to is not None else case.values["assignee"]
    case.values["department"] = department or case.values["department"]
    kind = case.clocks.kind
    said = note or " ".join(word for word in (department, to) if word)
    if change.way(case, kind.states_of("assign")) is not None:
        change.move(case, kind.states_of("assign"), what="assign", note=said)
    else:
        change.log(case, "assign", said)


def answer(
    change: Change, case: Case, *, note: str = "", channel: str | None = None,
    automatic: bool = False,
) -> None:  # fmt: skip
    """Answers with substance; an automatic mail is shown on the timeline and fulfils nothing."""
    if automatic:
        change.log(case, "automatic", note, direction="out", channel=channel)
        return
    change.move(case, case.clocks.kind.states_of("answer"), what="answer", note=note,
                direction="out", channel=channel)  # fmt: skip
    values = case.values
    values["answers"] = (values["answers"] or 0) + 1
    if values["answered_at"] is None:
        values["answered_at"], values["answered_by"] = change.now, change.tx.actor


def update(change: Change, case: Case, *, note: str = "", channel: str | None = None) -> None:
    """Tells the customer how things stand, which renews the promise to do so."""
    case.clocks.renew(change.now)
    change.log(case, "update", note, direction="out", channel=channel)


def wait(change: Change, case: Case, *, on: str = "customer", note: str = "") -> None:
    """Waits for the customer or a third party; asked again of the customer, it is a reminder."""
    states = {"customer": "waiting_customer", "third_party": "waiting_third_party"}
    wanted = case.clocks.kind.states_of("wait") if on == "customer" else (states[on],)
    if on == "customer" and case.values["state"] in wanted:
        case.values["reminders"] += 1
        change.log(case, "remind", note, direction="out")
        return
    known = {s.name for s in change.store.catalog.lifecycles[case.clocks.kind.lifecycle].stages}
    if not known.intersection(wanted):
        raise MoveRefused(f"cases of {case.clocks.kind.name} do not wait for a {on}.")
    change.move(case, wanted, what="wait", note=note)
    if on == "customer":
        case.values["waiting_since"], case.values["reminders"] = change.now, 0


def resume(change: Change, case: Case, *, note: str = "") -> None:
    """Goes on with a case that waited, was escalated, disputed or answered."""
    change.move(case, case.clocks.kind.states_of("start"), what="resume", note=note)


def resolve(
    change: Change, case: Case, *, agreed: bool = False, cause: str | None = None,
    root_cause: str | None = None, recovery_score: int | None = None, note: str = "",
) -> None:  # fmt: skip
    """Resolves what the customer agreed to, or has not contradicted for long enough."""
    values, now = case.values, change.now
    days = change.rules.limit(case.clocks.kind, "silence_days")
    since = values["answered_at"]
    if not agreed and (since is None or now < since + timedelta(days=days)):
        raise MoveRefused(
            f"case {case.ref}: the customer has neither agreed nor been silent for {days} days.",
            hint="Say --agreed if the customer agreed.",
        )
    change.move(case, case.clocks.kind.states_of("resolve"), what="resolve", note=note)
    values["resolved_at"] = now
    values["cause"] = cause or values["cause"]
    values["root_cause"] = root_cause or values["root_cause"]
    values["recovery_score"] = (
        values["recovery_score"] if recovery_score is None else recovery_score
    )
    values["first_contact"] = (
        values["answers"] == 1
        and not values["reopen_count"]
        and not values["escalation_level"]
        and values["waiting_since"] is None
    )


def close(change: Change, case: Case, *, note: str = "") -> None:
    """Closes a resolved case, or one whose customer does not reply to reminders."""
    values, rules, kind = case.values, change.rules, case.clocks.kind
    if values["waiting_since"] is not None and values["state"] in kind.states_of("wait"):
        reminders, days = rules.limit(kind, "reminders"), rules.limit(kind, "no_reply_days")
        until = values["waiting_since"] + timedelta(days=days)
        if values["reminders"] < reminders or change.now < until:
            raise MoveRefused(
                f"case {case.ref}: {values['reminders']} of {reminders} reminders were sent, and "
                f"it waits until {_said(until)}.",
                hint="Remind the customer: crmkit case wait.",
            )
    change.move(case, kind.states_of("close"), what="close", note=note)
    values["closed_at"] = change.now


def reopen(change: Change, case: Case, *, note: str = "") -> None:
    """Reopens a case with a new clock for its resolution."""
    values = case.values
    days = change.rules.limit(case.clocks.kind, "reopen_days")
    closed_at = values["closed_at"]
    if closed_at is not None and change.now >= closed_at + timedelta(days=days):
        raise MoveRefused(
            f"case {case.ref}: it was closed more than {days} days ago.",
            hint=f"Open another: crmkit case open ... --recurrence-of {case.ref}.",
        )
    change.move(case, case.clocks.kind.states_of("reopen"), what="reopen", note=note)
    values.update(resolved_at=None, closed_at=None, first_contact=None, waiting_since=None)
    values["reopen_count"] = (values["reopen_count"] or 0) + 1


def escalate(change: Change, case: Case, *, note: str = "") -> None:
    """Takes the case one level up."""
    most = case.clocks.kind.escalation_levels
    if case.values["escalation_level"] >= most:
        raise MoveRefused(f"case {case.ref}: it is at level {most}, the highest.")
    change.move(case, case.clocks.kind.states_of("escalate"), what="escalate", note=note)
    case.values["escalation_level"] += 1


def merge(change: Change, case: Case, into: Case) -> None:
    """Ends a case that says the same as another of the same customer."""
    if into.id == case.id:
        raise UsageError(f"case {case.ref} cannot be merged into itself.")
    if into.customer_id != case.customer_id:
        raise UsageError(f"cases {case.ref} and {into.ref} are of two customers.")
    if not into.values["is_open"]:
        raise MoveRefused(f"case {into.ref}: it is {into.values['state']} already.")
    change.move(case, case.clocks.kind.states_of("merge"), what="merge", note=into.ref)
    case.values["merged_into"] = into.ref
    change.log(into, "merged", case.ref)


def propose(change: Change, case: Case, kind: str, amount: Money) -> dict[str, Any]:
    """Offers a compensation; above the limit it stands until a second person decides."""
    if amount.minor <= 0:
        raise UsageError(f"a compensation is more than nothing, not {amount}.")
    limit = change.rules.compensation_limit(case.clocks.kind)
    if amount.currency != limit.currency:
        raise UsageError(f"the limit is in {limit.currency}, so a compensation is too.")
    spent = case.values["compensation"]
    total = amount if spent is None else spent + amount
    approved = total.minor <= limit.minor
    row = {
        "kind": kind, "amount": amount, "state": "approved" if approved else "proposed",
        "proposed_by": change.tx.actor, "decided_by": change.tx.actor if approved else None,
        "decided_at": change.now if approved else None,
    }  # fmt: skip
    number = 1 + len(change.store.records.read(COMPENSATION, ("id",), where={"owner_id": case.id}, tx=change.tx))  # fmt: skip
    _keep(change, case, f"{case.id}/{number}", row)
    if approved:
        _grant(change, case, kind, amount)
    else:
        change.log(case, "propose compensation", kind, amount=amount)
    return {**row, "number": number}


def decide(change: Change, case: Case, *, approve: bool) -> dict[str, Any]:
    """Approves or refuses what stands proposed for a case.

    Raises:
        NotFound: if nothing stands proposed.
        NotPermitted: to the person who proposed it.
    """
    found = change.store.records.list(
        COMPENSATION, where={"owner_id": case.id, "state": "proposed"}, tx=change.tx
    )
    if not found:
        raise NotFound("proposed compensation of case", case.ref)
    record = found[0]
    if record.values["proposed_by"] == change.tx.actor:
        raise NotPermitted(
            f"case {case.ref}: a second person decides what {change.tx.actor} proposed."
        )
    state = "approved" if approve else "refused"
    row = {
        **record.values,
        "state": state,
        "decided_by": change.tx.actor,
        "decided_at": change.now,
    }
    _keep(change, case, record.ref, row)
    if approve:
        _grant(change, case, row["kind"], row["amount"])
    else:
        change.log(case, "refuse compensation", row["kind"])
    return {**row, "number": int(record.ref.rpartition("/")[2])}


def _keep(change: Change, case: Case, ref: str, row: dict[str, Any]) -> None:
    change.store.records.set(
        COMPENSATION, source=OWN, ref=ref, values=row, owner_id=case.id, tx=change.tx
    )


def _grant(change: Change, case: Case, kind: str, amount: Money) -> None:
    spent = case.values["compensation"]
    case.values["compensation"] = amount if spent is None else spent + amount
    case.values["compensation_kind"] = kind
    change.log(case, "compensate", kind, direction="out", amount=amount)


def _said(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
