from crmkit.testing.conformance import PluginConformance


class TestConformance(PluginConformance):
    plugin = "delivery"
