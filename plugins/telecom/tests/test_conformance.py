"""What every plugin must hold, held against telecom."""

from __future__ import annotations

from crmkit.testing.conformance import EmbeddedConformance


class TestConformance(EmbeddedConformance):
    """The shared suite."""

    plugin = "telecom"
