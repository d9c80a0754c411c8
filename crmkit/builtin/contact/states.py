"""The words of the consent ledger: what an entry says, and what follows from all of them."""

from __future__ import annotations

ANY = "any"
GIVEN, WITHDRAWN, DO_NOT_CONTACT, UNKNOWN = "given", "withdrawn", "do_not_contact", "unknown"
