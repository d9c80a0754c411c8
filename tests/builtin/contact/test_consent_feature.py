"""The state of the consent ledger as a feature says what the policy says."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

import crmkit
from crmkit.entities import CustomerRef
from crmkit.warehouse.population import Population

SAID = [datetime(2026, 1, day, 9, tzinfo=UTC) for day in (10, 20)]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Everybody who can have said two things about channels and purposes, and what is computed."""
    words = [
        (given, channel, purpose)
        for given in (True, False)
        for channel in ("phone", "any", "email")
        for purpose in ("marketing", "any")
    ]
    entries, people, expected = [], {}, {}
    with crmkit.init(tmp_path_factory.mktemp("w") / "w") as crm:
        from crmkit.builtin.contact.consent import Consents, Entry

        with crm.store.begin("fill") as tx:
            for number, said in enumerate(product(words, words)):
                ref = CustomerRef("t", str(number))
                people[number] = crm.store.customers.add(refs=[ref], tx=tx).id
                entries += [
                    Entry(
                        customer_id=people[number],
                        given=g,
                        channel=c,
                        purpose=p,
                        at=at,
                    )
                    for at, (g, c, p) in zip(SAID, said, strict=True)
                ]
            Consents(crm).file(entries, tx=tx)
        crm.warehouse.refresh()
        build = crm.features.build(
            "customer", ["contact.marketing_by_phone"], Population.at(crm.as_of())
        )
        rows = build.to_pylist()
        values = {row["subject_id"]: row["contact_marketing_by_phone"] for row in rows}
        for number, person in people.items():
            expected[number] = Consents(crm).state(person, "phone", "marketing")
    return {n: values[i] for n, i in people.items()}, expected


def test_the_feature_is_the_ledgers_state_for_any_two_entries(found) -> None:
    """Of 144 pairs of entries, with the policy's own function as the other side (requirement S5)."""
    values, expected = found
    plain = {n: "withdrawn" if s == "do_not_contact" else s for n, s in expected.items()}
    assert values == plain
    assert set(values.values()) == {"given", "withdrawn", "unknown"}
