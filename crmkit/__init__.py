"""crmkit: a pluggable CRM framework.

Plugins and embedding programs import from here, :mod:`crmkit.declarations`, :mod:`crmkit.entities`,
:mod:`crmkit.columns`, :mod:`crmkit.survival` and :mod:`crmkit.errors`; everything else may change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .hookspecs import hookimpl

if TYPE_CHECKING:
    from pathlib import Path

    from .workspace import Crm

__version__ = "0.1.0"
# Plugins name the range of this number that they were written for (D16).
API = 1

__all__ = ["API", "hookimpl", "init", "open", "resource_json", "resource_text"]


def open(path: str | Path | None = None, **options: Any) -> Crm:
    """Opens a workspace: the Python face of everything that the command line does.

    Args:
        path: folder with ``crmkit.toml``; None looks upward from the current folder.
        options: ``actor`` (who is recorded on writes), ``clock`` (returns the UTC now),
            ``safe_mode`` (true loads no plugin).

    Returns:
        The workspace with its services; also a context manager.

    Raises:
        NotFound: if there is no workspace.
        ConfigError: if ``crmkit.toml`` is not sound.

    Example::

        with crmkit.open("shop") as crm:
            crm.import_file("bills.csv", profile="billing")
    """
    # Lazy: `crmkit --version` must not pay for the store and the engine.
    from .workspace import open_workspace

    return open_workspace(path, **options)


def init(path: str | Path, **options: Any) -> Crm:
    """Makes a workspace and opens it; see :func:`crmkit.workspace.init_workspace`."""
    from .workspace import init_workspace

    return init_workspace(path, **options)


def __getattr__(name: str) -> Any:
    if name in ("resource_json", "resource_text"):
        from . import resources

        return getattr(resources, name)
    raise AttributeError(f"module 'crmkit' has no attribute {name!r}")
