"""The built-in plugins pass the suite that every plugin passes."""

from crmkit.testing.conformance import PluginConformance


class TestContact(PluginConformance):
    plugin = "contact"


class TestOutreach(PluginConformance):
    plugin = "outreach"
