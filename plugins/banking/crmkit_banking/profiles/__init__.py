"""Import profiles that ship with the plugin, one TOML file each."""

from __future__ import annotations

import tomllib

from crmkit import resource_text
from crmkit.declarations import ImportProfile

NAMES = (
    "german-credit",
    "bank-marketing",
    # The Berka files, in the order in which they have to be imported.
    "berka-districts",
    "berka-clients",
    "berka-dispositions",
    "berka-accounts",
    "berka-loans",
    "berka-cards",
    "berka-orders",
    "berka-transactions",
    # The files of a bank's own systems, as `crmkit demo banking` makes them, in order of import.
    "bank-branches",
    "bank-customers",
    "bank-accounts",
    "bank-standing-orders",
    "bank-deposits",
    "bank-loans",
    "bank-collaterals",
    "bank-cards",
    "bank-transactions",
    "bank-repayments",
    "bank-loan-statements",
    "bank-card-statements",
    "bank-bureau",
    "bank-events",
    "bank-cash-days",
)


def profiles() -> list[ImportProfile]:
    """Every shipped profile, with the title that its file states."""
    out = []
    for name in NAMES:
        text = resource_text(__package__, f"{name}.toml")
        out.append(ImportProfile(name=name, text=text, title=tomllib.loads(text)["title"]))
    return out
