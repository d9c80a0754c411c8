"""A built-in can be left out, and those that do not require it go on."""

from __future__ import annotations

import pytest

import crmkit

# Built-ins and those that require them.
LEFT_OUT = {
    "contact": ("outreach",), "desk": (), "outreach": (), "relation": (), "service": (), "value": (),
    "work": (),
}  # fmt: skip
NOUNS = {
    "contact": "contact purpose",
    "outreach": "list list",
    "service": "case list",
    "value": "value costs",
    "work": "task list",
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_workspace_runs_without_it(tmp_path, name) -> None:
    gone = (name, *LEFT_OUT[name])
    with crmkit.init(tmp_path / "shop", without=gone) as crm:
        crm.store.customers.add(name="Ann")
        assert crm.host.faults == []
        for plugin, command in NOUNS.items():
            if plugin in gone:
                assert command not in crm.catalog.commands
            else:
                crm.run(command)


def test_what_requires_it_is_named_and_set_aside_with_it(tmp_path) -> None:
    with crmkit.init(tmp_path / "shop", without=("contact",)) as crm:
        assert {fault.plugin for fault in crm.host.faults} == {"outreach"}
        assert "list list" not in crm.catalog.commands
        crm.run("task list")
