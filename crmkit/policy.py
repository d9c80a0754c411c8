"""Who may see what, as a pure function (design D19): store, warehouse and presentation ask here.

On a file that its user can open this is a courtesy and not a wall; it keeps secrets off screens,
exports and logs where nobody asked for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import deep_iterable, in_

from .entities.fields import PII_CLASSES

if TYPE_CHECKING:
    from .declarations import PrivacyGuard

MASK = "***"


def _rights(names: Iterable[str]) -> frozenset[str]:
    # `converter=frozenset` would leave mypy without the type of the items.
    return frozenset(names)


@frozen
class Viewer:
    """Somebody who looks at customers.

    Args:
        name: as recorded on writes.
        sees: the PII classes shown in the clear; values of the others are masked.
        rights: names of privacy guards that are lifted for them.
    """

    name: str
    sees: frozenset[str] = field(
        default=frozenset(("none", "quasi", "direct")),
        converter=frozenset,
        validator=deep_iterable(in_(PII_CLASSES)),
    )

    rights: frozenset[str] = field(default=frozenset(), converter=_rights)

    def may_see(self, pii: str) -> bool:
        """Whether values of this PII class are shown in the clear."""
        return pii in self.sees


def local_viewer(name: str) -> Viewer:
    """The user of a workspace on this machine: sees names and contacts, secrets are masked."""
    return Viewer(name)


def viewer_with(name: str, granted: Iterable[str]) -> Viewer:
    """The user of a workspace with the rights that its settings give.

    Args:
        granted: ``who:right``, as ``ann:hotel.presence``.
    """
    pairs = (entry.partition(":") for entry in granted)
    return Viewer(name, rights=frozenset(right for who, _, right in pairs if who == name))


def guards_on(guards: Iterable[PrivacyGuard], viewer: Viewer) -> list[PrivacyGuard]:
    """The guards that hold for a viewer: those whose right they lack."""
    return [guard for guard in guards if guard.name not in viewer.rights]


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
