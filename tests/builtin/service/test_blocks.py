"""Nobody sells to a customer whose grave complaint is open."""

from __future__ import annotations

from crmkit.builtin.service.cases import NewCase
from crmkit.entities import ContactRequest


def test_a_grave_open_case_stops_marketing_and_not_service(cases, crm, customer, at, do) -> None:
    now = at("2026-03-18T10:00")
    crm.run("consent give", customer="crm:1042", purpose="any")

    def asked(purpose: str) -> str:
        request = ContactRequest(customer_id=customer, channel="email", purpose=purpose, at=now)
        (decision,) = crm.service("contact.policy").ask([request])
        if not decision.allowed:
            assert decision.free_at is None
        return f"{decision.code} {decision.words}".strip()

    cases.open([NewCase(customer_id=customer, values={"severity": "S3"})])
    assert asked("marketing") == "allowed"
    (key,) = cases.open([NewCase(customer_id=customer, values={"severity": "S2"})])
    assert asked("marketing") == f"severe_case a severe case is open: {key}"
    assert asked("service") == "allowed"
    do("answer", key)
    do("resolve", key, agreed=True)
    do("close", key)
    assert asked("marketing") == "allowed"
