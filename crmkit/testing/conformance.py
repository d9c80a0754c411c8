"""The conformance suite: what every plugin must hold, whichever industry it is for.

A plugin takes it in its own tests::

    from crmkit.testing.conformance import PluginConformance

    class TestConformance(PluginConformance):
        plugin = "telecom"

The plugin must be installed, as its entry point and manifest are part of what is checked. A plugin
without a demo is checked for what it declares; with a demo, also for what its features, reports and
profiles do on the demo's data.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from ..hosting.catalog import Catalog
from ..hosting.host import PluginHost
from ..settings import Settings
from . import declared
from .clock import SettableClock
from .worlds import World, open_empty, open_one, open_world, plugins_with

if TYPE_CHECKING:
    from ..declarations import Demo


def _told(faults: list[str]) -> str:
    """At most twenty faults in lines: the first ones tell what is wrong."""
    more = [f"... and {len(faults) - 20} more"] if len(faults) > 20 else []
    return "\n".join([*faults[:20], *more])


class EmbeddedConformance:
    """What holds on the embedded engine: :class:`PluginConformance` without its test on Spark.

    It is for plugins that another test compares on both engines, several in one workspace.

    Attributes:
        plugin: the plugin's name, as ``telecom``.
        demo_of: a plugin whose demo's data the features and reports are tried on, for a plugin that
            has no demo of its own. It must not need this plugin.
        customers: size of the demo's world. Large enough that every kind of row occurs.
        seed: seed of the demo's world.
    """

    plugin: ClassVar[str]
    demo_of: ClassVar[str] = ""
    customers: ClassVar[int] = 60
    seed: ClassVar[int] = 11

    @pytest.fixture(scope="class")
    @classmethod
    def host(cls, tmp_path_factory: pytest.TempPathFactory) -> PluginHost:
        """The plugin, loaded with what it requires."""
        folder = tmp_path_factory.mktemp("conformance")
        names = {*plugins_with(cls.plugin), *plugins_with(cls.demo_of or cls.plugin)}
        return PluginHost.load(Settings(folder=folder, plugins=tuple(sorted(names))))

    @pytest.fixture(scope="class")
    @classmethod
    def catalog(cls, host: PluginHost) -> Catalog:
        """What the plugin declares, beside the built-ins and what it requires."""
        return host.catalog

    @pytest.fixture(scope="class")
    @classmethod
    def demo(cls, catalog: Catalog) -> Demo | None:
        """The first demo by name of the plugin or of ``demo_of``, or None."""
        return next(iter(declared.owned(catalog, "demos", cls.demo_of or cls.plugin)), None)

    @pytest.fixture
    def world(self, demo: Demo | None, catalog: Catalog, tmp_path: Path) -> Iterator[World | None]:
        """A workspace with the demo's data, made anew, as the tests change it.

        None for a plugin that has no demo and nothing that would need one; one that has features
        or profiles but no demo is skipped, as nothing can be said about them.
        """
        if demo is None:
            kinds = ("feature_sets", "profiles")
            if any(declared.owned(catalog, kind, self.plugin) for kind in kinds):
                pytest.skip(f"plugin {self.plugin} has no demo to try its declarations on")
            yield None
            return
        with open_world(
            tmp_path, self.demo_of or self.plugin, demo, customers=self.customers, seed=self.seed
        ) as world:
            yield world

    def test_the_plugin_loads_and_its_declarations_are_sound_and_owned(
        self, host: PluginHost
    ) -> None:
        """It loads by its entry point, says what it is, and claims only its own names."""
        faults = [f"{f.phase}: {f.message}" for f in host.faults if f.plugin == self.plugin]
        assert not faults, _told(faults)
        assert self.plugin in host.catalog.plugins

    def test_every_number_field_has_a_unit(self, catalog: Catalog) -> None:
        """A number whose unit must be guessed will be guessed wrong."""
        faults = declared.unit_faults(catalog, self.plugin)
        assert not faults, _told(faults)

    def test_every_field_says_its_pii_class(self, catalog: Catalog) -> None:
        """Masking and the warehouse rest on it, so it is decided and not defaulted."""
        faults = declared.pii_faults(catalog, self.plugin)
        assert not faults, _told(faults)

    def test_every_number_feature_has_a_unit(self, catalog: Catalog) -> None:
        """Reasons in words are made from features."""
        faults = declared.feature_unit_faults(catalog, self.plugin)
        assert not faults, _told(faults)

    def test_every_lifecycle_reaches_an_end(self, catalog: Catalog) -> None:
        """From every stage there is a way to one that is final."""
        faults = declared.lifecycle_faults(catalog, self.plugin)
        assert not faults, _told(faults)

    def test_the_sql_is_portable(self, catalog: Catalog) -> None:
        """Features, scores, rules, segments and reports run on any engine."""
        faults = declared.sql_faults(catalog, self.plugin)
        assert not faults, _told(faults)

    def test_features_leak_no_future(self, world: World | None) -> None:
        """Data from after the as-of instant change no feature."""
        from .behaviour import leak_faults

        faults = leak_faults(world, self.plugin) if world else []
        assert not faults, _told(faults)

    def test_the_import_is_idempotent(self, world: World | None) -> None:
        """The same files again change nothing, and the demo's own profiles reject nothing."""
        from .behaviour import reimport_faults, reject_faults

        faults = reject_faults(world) + reimport_faults(world) if world else []
        assert not faults, _told(faults)

    def test_reports_run_on_no_customers(self, tmp_path: Path) -> None:
        """The first thing that an operator does is to look at a report of nothing."""
        from .behaviour import report_faults

        with open_empty(tmp_path / "workspace", self.plugin, SettableClock()) as crm:
            faults = report_faults(crm, self.plugin, crm.as_of())
        assert not faults, _told(faults)

    def test_reports_run_on_one_customer(self, demo: Demo | None, tmp_path: Path) -> None:
        """Shares, percentiles and growth rates of one must not divide by zero."""
        from .behaviour import report_faults

        with open_one(tmp_path, self.demo_of or self.plugin, demo, seed=self.seed) as (crm, as_of):
            faults = report_faults(crm, self.plugin, as_of)
        assert not faults, _told(faults)


class PluginConformance(EmbeddedConformance):
    """Subclass it and name the plugin."""

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", ["feature_sets", "conditions", "reports"])
    def test_spark_gives_the_same_rows(self, world: World | None, kind: str) -> None:
        """What runs on one machine runs on a cluster with equal answers (design D18).

        Skipped without the extra ``spark`` and Java.
        """
        from .engines import compare_engines, require_spark

        require_spark()
        if world is not None:
            found = compare_engines(world.crm, (self.plugin,), world.as_of, kinds=(kind,))
            assert not found.faults, _told(found.faults)
