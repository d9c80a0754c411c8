"""Who may see what."""

from __future__ import annotations

import pytest

from crmkit.declarations import PrivacyGuard
from crmkit.entities.fields import FieldSet
from crmkit.policy import MASK, Viewer, guards_on, local_viewer, masked, viewer_with
from crmkit.present.customer_view import _masked_values


@pytest.mark.parametrize(
    ("pii", "wanted"), [("none", "x"), ("quasi", "x"), ("direct", "x"), ("secret", MASK)]
)
def test_the_local_user_sees_all_but_secrets(pii: str, wanted: str) -> None:
    assert masked("x", pii, local_viewer("ann")) == wanted


def test_a_viewer_with_fewer_rights_sees_less() -> None:
    analyst = Viewer("eve", sees=frozenset(("none",)))
    assert [masked("x", pii, analyst) for pii in ("none", "quasi", "direct")] == ["x", MASK, MASK]


def test_a_missing_value_stays_missing_and_the_mask_tells_no_length() -> None:
    viewer = local_viewer("ann")
    assert masked(None, "secret", viewer) is None
    assert masked("1", "secret", viewer) == masked("1234567890", "secret", viewer) == MASK


def test_a_right_is_its_owners_alone_and_lifts_its_own_guard() -> None:
    granted = ["ann:hotel.presence", "bob:hotel.health", "ann:hotel.diet", "anna:hotel.names"]
    viewers = {name: viewer_with(name, granted) for name in ("ann", "bob", "eve")}
    assert {name: viewer.rights for name, viewer in viewers.items()} == {
        "ann": {"hotel.presence", "hotel.diet"},
        "bob": {"hotel.health"},
        "eve": set(),
    }
    guards = [
        PrivacyGuard(name=f"hotel.{name}", field=name, values=("x",), rows=("hotel.stay",))
        for name in ("presence", "health")
    ]
    left = {name: [g.name for g in guards_on(guards, v)] for name, v in viewers.items()}
    assert left == {
        "ann": ["hotel.health"],
        "bob": ["hotel.presence"],
        "eve": ["hotel.presence", "hotel.health"],
    }


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(ValueError, match="sekret"):
        Viewer("ann", sees=frozenset(("none", "sekret")))


def test_fields_are_masked_by_their_declared_class() -> None:
    fields = FieldSet(
        {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "unit": "1"},
                "pin": {"type": "string", "pii": "secret"},
            },
        }
    )
    shown = _masked_values(fields, {"size": 3, "pin": "0000"}, local_viewer("ann"))
    assert shown == {"size": 3, "pin": MASK}
    assert _masked_values(fields, {}, local_viewer("ann")) == {"size": None, "pin": None}
