"""Kinds of case with their clocks and routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from .names import texts


def _routes(values: Iterable[CaseRoute]) -> tuple[CaseRoute, ...]:
    return tuple(values)


def _clocks(values: Iterable[CaseClock]) -> tuple[CaseClock, ...]:
    return tuple(values)


# What the verbs of ``crmkit case`` do to a case of a kind that says nothing else: the states that
# each may lead to, of which the first that is allowed from the state now is taken.
CASE_VERBS: Mapping[str, tuple[str, ...]] = {
    "acknowledge": ("acknowledged",),
    "assign": ("assigned",),
    "start": ("in_progress",),
    "wait": ("waiting_customer",),
    "answer": ("answered",),
    "escalate": ("escalated",),
    "dispute": ("disputed",),
    "resolve": ("resolved",),
    "close": ("closed", "closed_no_reply"),
    "reopen": ("reopened",),
    "merge": ("merged",),
    "discard": ("spam",),
}


@frozen(kw_only=True)
class CaseClock:
    """A promise of time on every case of a kind.

    Entering a state starts, stops, pauses or cancels it; leaving a pausing state for one that does
    not lets it run again. It is in time if it is stopped before its time is used up.

    Args:
        name: ``answer``; unique within the kind.
        starts: states that start it if it does not run, and anew once it has ended.
        stops: states that fulfil it, in time or late.
        pauses: states in which it stands.
        cancels: states that end it with no judgement (spam, merged into another case).
        targets: time by severity, as ``{"S1": "4 h", "S3": "3 working days", "": "24 h"}``; the
            empty severity is for those not named. Operators may replace them: record type
            ``service.target``.
        calendar: key of the ``service.calendar`` in whose time working hours and working days are
            counted; minutes and hours are wall-clock time whatever it says.
        renewed: telling the customer how things stand fulfils it and starts it anew.
        started_on, stopped_on: fields of the case that hold the instants from which the clock of an
            imported case is made; empty makes none.
    """

    name: str
    title: str = ""
    title_zh: str = ""
    starts: tuple[str, ...] = field(converter=texts)
    stops: tuple[str, ...] = field(converter=texts)
    pauses: tuple[str, ...] = field(default=(), converter=texts)
    cancels: tuple[str, ...] = field(default=(), converter=texts)
    targets: Mapping[str, str] = field(hash=False)
    calendar: str = "office"
    renewed: bool = False
    started_on: str = ""
    stopped_on: str = ""


@frozen(kw_only=True)
class CaseRoute:
    """Which department takes a case: empty means any; the route that names most things wins."""

    department: str
    topic: str = ""
    region: str = ""
    product: str = ""


@frozen(kw_only=True)
class CaseKind:
    """A kind of case: complaints, claims, recoveries; the built-in ``service`` keeps the cases.

    Args:
        name: ``delivery.claim``.
        lifecycle: a lifecycle of the same plugin whose subject is ``service.case``.
        clocks: the promises; the one that is due first orders the list of open cases.
        severities: from the gravest on; empty for a kind that knows none.
        severity: of a case that names none.
        severe: severities of which an open case stops selling to its customer.
        verbs: the states that a verb of ``crmkit case`` may lead to, where CASE_VERBS does not fit.
        implied: states that a later one implies: a case that is answered was acknowledged.
        routes: departments by topic, region and product; operators may add to them: record type
            ``service.route``.
        escalation_levels: how often a case can be escalated.
        reminders, no_reply_days: a waiting case is closed for want of a reply after so many
            reminders and days.
        silence_days: an answer that the customer does not contradict for so long counts as agreed.
        reopen_days: for so long after closing a case can be reopened.
        compensation_limit: above it a second person decides; decimal text in the workspace's
            currency. It and the four numbers before may be replaced: record type ``service.policy``.
        opened_by: interaction kinds from which ``case open --interaction`` makes such a case.
    """

    name: str
    title: str
    title_zh: str = ""
    lifecycle: str
    clocks: tuple[CaseClock, ...] = field(converter=_clocks)
    severities: tuple[str, ...] = field(default=(), converter=texts)
    severity: str = ""
    severe: tuple[str, ...] = field(default=(), converter=texts)
    verbs: Mapping[str, tuple[str, ...]] = field(factory=dict, hash=False)
    implied: tuple[str, ...] = field(default=(), converter=texts)
    routes: tuple[CaseRoute, ...] = field(default=(), converter=_routes)
    escalation_levels: int = 3
    reminders: int = 3
    no_reply_days: int = 14
    silence_days: int = 7
    reopen_days: int = 30
    compensation_limit: str = "100"
    opened_by: tuple[str, ...] = field(default=(), converter=texts)

    def states_of(self, verb: str) -> tuple[str, ...]:
        """The states that a verb may lead to; none for a verb that this kind does not know."""
        return tuple(self.verbs.get(verb, CASE_VERBS.get(verb, ())))
