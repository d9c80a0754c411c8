"""Import profiles that ship with the plugin, one TOML file each."""

from __future__ import annotations

import tomllib

from crmkit import resource_text
from crmkit.declarations import ImportProfile

NAMES = (
    "ibm-telco",
    "ibm-telco-reasons",
    "telecom-plans",
    "telecom-customers",
    "telecom-subscriptions",
    "telecom-billing",
    "telecom-payments",
    "telecom-usage",
    "telecom-events",
)


def profiles() -> list[ImportProfile]:
    """Every shipped profile, with the title that its file states."""
    out = []
    for name in NAMES:
        text = resource_text(__package__, f"{name}.toml")
        out.append(ImportProfile(name=name, text=text, title=tomllib.loads(text)["title"]))
    return out
