"""A plugin says whom not to contact, and the contact policy listens."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import crmkit
from crmkit.entities import ContactRequest
from crmkit.errors import PluginError

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
FAULTS = """
from datetime import UTC, datetime
from crmkit.entities import ContactBlock

@hookimpl
def block_contacts(crm, batch):
    names = crm.store.customers.names(batch.customers, tx=batch.tx)
    if "Crash" in names.values():
        raise ValueError("no network")
    return [ContactBlock(customer_id=i, code="network_trouble", words="the line was disturbed",
                         until=datetime(2026, 4, 14, 12, tzinfo=UTC))
            for i, name in names.items() if name == "Ann"]
"""


def test_hook_block_contacts(tmp_path, make_plugin, crm_clock) -> None:
    make_plugin("network", FAULTS)
    with crmkit.init(tmp_path / "shop", plugins=("network",), clock=crm_clock) as crm:
        ann, bob, crash = (crm.store.customers.add(name=n).id for n in ("Ann", "Bob", "Crash"))
        for person in (ann, bob, crash):
            crm.run("consent give", customer=str(person))
        asked = {
            i: ContactRequest(customer_id=i, channel="email", purpose="marketing", at=NOON)
            for i in (ann, bob, crash)
        }
        policy = crm.service("contact.policy")
        decided = policy.reserve([asked[ann], asked[bob]], taken_by="list")
        assert [d.code for d in decided] == ["network_trouble", "allowed"]
        assert decided[0].free_at == datetime(2026, 4, 14, 12, tzinfo=UTC)
        # What cannot be asked cannot be kept: nobody is contacted, and nothing is taken.
        with pytest.raises(PluginError, match="plugin network, block_contacts"):
            policy.reserve([asked[crash]], taken_by="list")
        assert len(crm.store.records.list("contact.slot")) == 1
