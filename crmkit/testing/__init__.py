"""The testing kit for plugin authors: fixtures, and the conformance suite that every plugin passes.

The fixtures (:mod:`crmkit.testing.plugin`) are there as soon as crmkit is installed, as pytest finds
them by entry point. A plugin takes the conformance suite by subclassing it::

    from crmkit.testing.conformance import PluginConformance

    class TestConformance(PluginConformance):
        plugin = "telecom"
"""
