"""What every plugin must hold, held against the built-ins."""

from __future__ import annotations

from crmkit.hosting.manifest import find_manifests
from crmkit.testing.conformance import EmbeddedConformance


class TestContact(EmbeddedConformance):
    """Consents, caps and blocks."""

    plugin = "contact"
    demo_of = "telecom"


class TestCore(EmbeddedConformance):
    """Contacts, stages and their reports."""

    plugin = "core"
    demo_of = "telecom"


class TestDesk(EmbeddedConformance):
    """What to know with a customer on the line."""

    plugin = "desk"
    demo_of = "telecom"


class TestLedger(EmbeddedConformance):
    """Ledgers and tiers."""

    plugin = "ledger"
    demo_of = "telecom"


class TestOutreach(EmbeddedConformance):
    """Lists of whom to turn to."""

    plugin = "outreach"
    demo_of = "telecom"


class TestRelation(EmbeddedConformance):
    """Who is what to whom."""

    plugin = "relation"
    demo_of = "telecom"


class TestService(EmbeddedConformance):
    """Cases with clocks."""

    plugin = "service"
    demo_of = "telecom"


class TestValue(EmbeddedConformance):
    """Contribution, RFM, the pyramid and the concentration curve."""

    plugin = "value"
    demo_of = "telecom"


class TestWork(EmbeddedConformance):
    """Tasks, notes, tags and visits."""

    plugin = "work"
    demo_of = "telecom"


def test_every_built_in_is_held_to_the_suite() -> None:
    held = {
        case.plugin for case in EmbeddedConformance.__subclasses__() if case.__module__ == __name__
    }
    assert held == {name for name, found in find_manifests().items() if found.builtin}
