"""The fixtures that plugin authors use."""

from __future__ import annotations

import pytest


def test_the_workspace_is_open_and_its_clock_stands(workspace, crm_clock):
    assert workspace.clock() == crm_clock()
    assert workspace.actor == "tester"
    workspace.store.check_schema()


def test_the_workspace_is_on_each_database(workspace, database_url):
    assert workspace.store.dialect == database_url.partition(":")[0].partition("+")[0]


class TestChosenPlugins:
    @pytest.fixture
    def crm_plugins(self):
        return ("hotel", "banking")

    @pytest.fixture
    def crm_settings(self):
        return {"currency": "CNY", "time_zone": "Asia/Shanghai"}

    def test_the_workspace_has_them(self, workspace):
        assert {"hotel", "banking"} <= set(workspace.catalog.plugins)
        assert workspace.settings.currency == "CNY"
        assert workspace.settings.time_zone == "Asia/Shanghai"


def test_the_sample_customers_can_be_found(workspace, sample_customers):
    assert sample_customers == [f"C0000000{number}" for number in range(5)]
    found = [workspace.store.customers.find(ref) for ref in sample_customers]
    assert len({customer.id for customer in found}) == 5
    assert all(customer.name and len(customer.contact_points) == 2 for customer in found)
