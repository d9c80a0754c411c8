"""Names that plugins share freely, and what happens when two claim one.

Apart from the declarations, so that ``plugin list`` need not import those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from .faults import PluginFault

# What a message calls each kind of shared name.
SHARED_NOUNS = {"profiles": "import profile", "demos": "demo", "commands": "command"}


def shared_claims(claims: Mapping[str, Mapping[str, Iterable[str]]]) -> list[PluginFault]:
    """One fault per plugin and name where two plugins claim one shared name.

    Args:
        claims: by plugin, the names it claims by kind, as ``{"shop": {"profiles": ["till"]}}``.
    """
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for plugin, kinds in sorted(claims.items()):
        for kind, names in kinds.items():
            for name in names:
                holders[kind, name].append(plugin)
    out = []
    for (kind, name), plugins in sorted(holders.items()):
        if len(plugins) < 2:
            continue
        message = (
            f"{SHARED_NOUNS[kind]} {name!r} is claimed by the plugins {' and '.join(plugins)}; "
            "disable one of them"
        )
        out += [PluginFault(plugin, "conflict", message) for plugin in plugins]
    return out
