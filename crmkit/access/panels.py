"""Shows the panels that plugins declare, each by itself and through the policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from ..declarations import Panel
from ..errors import CrmkitError, PluginError
from ..policy import Viewer, local_viewer, masked

if TYPE_CHECKING:
    from ..workspace import Crm

CUSTOMER_ID = "customer_id"


@frozen(kw_only=True)
class ShownPanel:
    """A panel with its rows.

    Attributes:
        rows: with ``customer_id`` and the panel's columns, masked where the viewer may not see them.
        fault: why it has none, in words, where the plugin's code failed; else None.
    """

    panel: Panel
    rows: tuple[Mapping[str, Any], ...] = field(default=(), repr=False, hash=False)
    fault: str | None = None


class Panels:
    """The panels of the enabled plugins."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def show(self, customer_ids: Iterable[int], viewer: Viewer | None = None) -> list[ShownPanel]:
        """Every panel for some customers, in the panels' order.

        What belongs to a customer that was merged is shown with the one that remains.

        Args:
            viewer: whose rights decide what is masked; None is the user of this machine.
        """
        crm = self._crm
        viewer = viewer or local_viewer(crm.actor)
        family = crm.store.customers.members(customer_ids)
        panels = sorted(crm.catalog.panels.values(), key=lambda p: (p.order, p.name))
        return [self._shown(panel, family, viewer) for panel in panels]

    def _shown(self, panel: Panel, family: Mapping[int, int], viewer: Viewer) -> ShownPanel:
        def rows() -> tuple[Mapping[str, Any], ...]:
            return tuple(
                {
                    CUSTOMER_ID: family[row[CUSTOMER_ID]],
                    **{
                        c.name: masked(row.get(c.name), panel.pii.get(c.name, "none"), viewer)
                        for c in panel.columns
                    },
                }
                for row in panel.rows(self._crm, tuple(family))
            )

        try:
            # As a whole: rows may come from a generator, and what it gives may be no row.
            shown = self._crm.host.run(panel.name.partition(".")[0], panel.name, rows)
        except PluginError as error:
            return ShownPanel(panel=panel, fault=error.reason.rstrip("."))
        except CrmkitError as error:
            return ShownPanel(panel=panel, fault=str(error))
        return ShownPanel(panel=panel, rows=shown)
