"""Which of two names survives a merge, and what core's person fields may reveal."""

from __future__ import annotations

import pytest

from crmkit.builtin.core.person import customer_fields, match_keys, merged_names
from crmkit.declarations import MergeChoice, MergeConflict


def conflict(kept: str, merged: str, field: str = "given_name") -> MergeConflict:
    return MergeConflict(
        kept_id=1, merged_id=2, entity="core.customer", field=field, kept=kept, merged=merged
    )


@pytest.mark.parametrize(
    ("kept", "merged", "taken"),
    [
        ("A.", "Ann", True),
        ("a", "Ann", True),
        ("Ann", "A.", False),
        ("B.", "Ann", False),
        ("Ann", "Anna", False),
        ("A.", "A", False),
    ],
)
def test_a_name_written_out_survives_its_initial(kept: str, merged: str, taken: bool) -> None:
    """Of a batch, the choice names the conflict by its place."""
    others = [conflict("Bern", "Basel", "locality")]
    wanted = [MergeChoice(conflict=1, survivor="merged")] if taken else []
    assert merged_names([*others, conflict(kept, merged)]) == wanted


def test_identity_numbers_are_secret_and_names_never_enter_the_warehouse() -> None:
    fields = customer_fields().fields.by_name
    assert fields["national_id"].pii == "secret"
    inside = {name for name, f in fields.items() if f.in_warehouse}
    assert inside == {"birth_date", "locality", "postal_code"}


def test_every_match_key_of_core_is_over_a_field_that_is_there() -> None:
    fields = customer_fields().fields.by_name
    for key in match_keys():
        first, _, name = key.field.partition(".")
        assert first in ("customer", "contact") or name in fields, key.name
