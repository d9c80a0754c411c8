"""A plugin declares its own kind of case, and every command works for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import crmkit
from crmkit.builtin.service.cases import NewCase
from crmkit.errors import MoveRefused

CLAIMS = """
CLAIM = Lifecycle(
    name="parcel.claim", subject="service.case",
    stages=[Stage("submitted", "open"), Stage("info_needed", "waiting"), Stage("approved", "done"),
            Stage("rejected", "failed")],
    moves=[("submitted", "info_needed"), ("info_needed", "submitted"),
           ("submitted", "approved"), ("submitted", "rejected")])

@hookimpl
def register_lifecycles():
    return [CLAIM]

@hookimpl
def register_case_kinds():
    return [CaseKind(
        name="parcel.claim", title="Claim", lifecycle="parcel.claim", severities=["high", "low"], severity="low",
        clocks=[CaseClock(name="decide", starts=["submitted"], stops=["approved", "rejected"],
                          pauses=["info_needed"], targets={"high": "24 h", "": "48 h"})],
        verbs={"answer": ("approved", "rejected"), "wait": ("info_needed",), "start": ("submitted",)},
        routes=[CaseRoute(topic="loss", department="claims desk")])]
"""


def test_hook_register_case_kinds(tmp_path, make_plugin, crm_clock) -> None:
    make_plugin("parcel", CLAIMS, requires=["service"])
    with crmkit.init(tmp_path / "shop", plugins=("parcel",), clock=crm_clock) as crm:
        start = datetime(2026, 3, 31, 12, tzinfo=UTC)
        cases = crm.service("service.cases")
        customer = crm.store.customers.add(name="Ann").id
        values = {"topic": "loss", "severity": "high"}
        (key,) = cases.open([NewCase(customer_id=customer, kind="parcel.claim", values=values)])
        (due,) = cases.due(start)
        assert (due.clock, due.state, due.department) == ("decide", "submitted", "claims desk")
        assert due.left == timedelta(hours=24)
        crm_clock.set(start + timedelta(hours=10))
        crm.run("case wait", case=key)
        assert cases.due(crm.clock()) == []  # its only clock stands
        crm_clock.set(start + timedelta(hours=50))
        crm.run("case resume", case=key)
        assert cases.due(crm.clock())[0].left == timedelta(hours=14)
        with pytest.raises(MoveRefused, match="know no 'escalate'"):
            crm.run("case escalate", case=key)
        crm_clock.set(start + timedelta(hours=64))
        row = crm.run("case answer", case=key).rows[0]
        assert row["state"] == "approved"
        (breach,) = cases.breaches(crm.clock())
        assert (breach["clock"], breach["late_minutes"]) == ("decide", 0)
