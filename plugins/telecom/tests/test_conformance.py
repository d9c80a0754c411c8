"""What every plugin must hold, held against telecom."""

from __future__ import annotations

from crmkit.testing.conformance import PluginConformance


class TestConformance(PluginConformance):
    """The shared suite."""

    plugin = "telecom"
