"""What a bank's customers say to offers reaches the contact policy (issue 14)."""

from __future__ import annotations

from pathlib import Path

import crmkit
from crmkit.entities import ContactRequest
from crmkit.testing.clock import SettableClock

FILE = """\
customer,name,since_on,consent_marketing,consent_on
C1,Ann Abel,2024-05-01,true,2025-03-01
C2,Ben Bold,2024-05-01,false,2025-03-01
C3,Cleo Carr,2024-05-01,,
"""
COLUMNS = (
    "phone", "email", "region", "branch", "district", "kyc_status", "income", "employment", "housing",
    "dependants", "life_situation", "gender", "born_on",
)  # fmt: skip


def test_the_policy_knows_the_consents_of_the_customer_file(tmp_path: Path) -> None:
    """Ann consented, Ben refused, and Cleo was not asked."""
    head, *rows = FILE.splitlines()
    lines = [head + "," + ",".join(COLUMNS)] + [row + "," * len(COLUMNS) for row in rows]
    (tmp_path / "customers.csv").write_text("\n".join(lines) + "\n")
    with crmkit.init(tmp_path / "w", plugins=("banking",), clock=SettableClock()) as crm:
        done = crm.import_file(tmp_path / "customers.csv", profile="bank-customers")
        assert (done.read, done.rejected) == (3, 0)
        ids = {f"C{n}": crm.store.customers.find(f"C{n}").id for n in (1, 2, 3)}
        asked = [
            ContactRequest(customer_id=i, channel="letter", purpose="marketing", at=crm.clock())
            for i in ids.values()
        ]
        found = [answer.code for answer in crm.service("contact.policy").ask(asked)]
    assert found == ["allowed", "withdrawn", "no_consent"]
