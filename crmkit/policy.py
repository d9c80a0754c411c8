"""Who may see what, as a pure function (design D19): store, warehouse and presentation ask here.

On a file that its user can open this is a courtesy and not a wall; it keeps secrets off screens,
exports and logs where nobody asked for them.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen
from attrs.validators import deep_iterable, in_

from .entities.fields import PII_CLASSES

MASK = "***"


@frozen
class Viewer:
    """Somebody who looks at customers.

    Args:
        name: as recorded on writes.
        sees: the PII classes shown in the clear; values of the others are masked.
    """

    name: str
    sees: frozenset[str] = field(
        default=frozenset(("none", "quasi", "direct")),
        converter=frozenset,
        validator=deep_iterable(in_(PII_CLASSES)),
    )

    def may_see(self, pii: str) -> bool:
        """Whether values of this PII class are shown in the clear."""
        return pii in self.sees


def local_viewer(name: str) -> Viewer:
    """The user of a workspace on this machine: sees names and contacts, secrets are masked."""
    return Viewer(name)


def masked(value: Any, pii: str, viewer: Viewer) -> Any:
    """The value, or ``***`` where the viewer may not see its class; missing stays missing.

    The mask has one length, so that it tells nothing of what it hides.

    Example:
        >>> masked("4111 1111", "secret", local_viewer("ann"))
        '***'
    """
    if value is None or viewer.may_see(pii):
        return value
    return MASK
