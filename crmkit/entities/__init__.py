"""What crmkit knows: frozen attrs classes with no I/O, no clock and no SQL.

They are loaded when the first is asked for: a command that opens no workspace starts without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .names import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name != "__all__" and name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        # Not `from . import`, which would ask here for `names` first.
        return getattr(import_module(".names", __name__), name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
