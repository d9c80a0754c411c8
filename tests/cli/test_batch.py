"""``crmkit batch`` and ``crmkit profile guess`` as a shell sees them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from .conftest import Crmkit

ROWS = "id,name,email\n1,Ann,a@b.org\n2,Bob,\n"


@pytest.fixture
def drafted(shop: Path, crmkit: Crmkit) -> Path:
    """A file with the profile that was drafted for it."""
    (shop / "people.csv").write_text(ROWS, encoding="utf-8")
    crmkit("profile", "guess", "people.csv", "--output", "people.toml")
    return shop


def test_guess_writes_the_profile_and_tells_what_it_made_of_each_column(
    shop: Path, crmkit: Crmkit
) -> None:
    (shop / "people.csv").write_text(ROWS + "3,Cy,c@d.org\n", encoding="utf-8")
    to_stdout = crmkit("profile", "guess", "people.csv")
    assert tomllib.loads(to_stdout.out)["source"]["key"] == ["id"]
    assert "of 3 rows looked at the draft takes 3." in to_stdout.err
    told = crmkit("profile", "guess", "people.csv", "-o", "people.toml", "--format", "json")
    assert [(r["column"], r["target"]) for r in told.rows] == [
        ("id", "customer: key"), ("name", "customer: name"), ("email", "customer: email"),
    ]  # fmt: skip
    crmkit("profile", "lint", "people.toml")
    crmkit("profile", "guess", "people.csv", "--plugin", "nothing", code=2)


def test_revert_needs_a_yes_and_then_leaves_nothing(drafted: Path, crmkit: Crmkit) -> None:
    (made,) = crmkit("import", "people.csv", "--profile", "people.toml", "--format", "json").rows
    number = made["import_id"]
    assert "this was not confirmed" in crmkit("batch", "revert", number, code=2).err
    (planned,) = crmkit("batch", "revert", number, "--dry-run", "--format", "json").rows
    # Two customers with a key each, and one e-mail address.
    assert planned == {"import_id": number, "removed": 5, "restored": 0, "already": False}
    assert len(crmkit("customer", "list", "--format", "json").rows) == 2
    (done,) = crmkit("batch", "revert", number, "--yes", "--format", "json").rows
    assert done == planned
    assert crmkit("customer", "list", "--format", "json").rows == []
    again = crmkit("batch", "revert", number, "--format", "json")
    assert again.rows[0]["already"] is True
    crmkit("batch", "revert", "7", "--yes", code=2)


def test_a_worse_file_than_declared_is_refused_without_a_terminal(
    drafted: Path, crmkit: Crmkit
) -> None:
    profile = drafted / "people.toml"
    text = profile.read_text(encoding="utf-8")
    profile.write_text("quality = { max_rejected = 0.1 }\n" + text, encoding="utf-8")
    (drafted / "people.csv").write_text(ROWS + ",Eve,\n", encoding="utf-8")
    refused = crmkit("import", "people.csv", "--profile", "people.toml", code=2)
    assert "1 of 3 rows are rejected (33.33%, max_rejected is 10.00%)" in refused.err
    assert crmkit("batch", "list", "--format", "json").rows == []
    crmkit("import", "people.csv", "--profile", "people.toml", "--yes", code=3)
    (told,) = crmkit("batch", "quality", "--source", "people", "--format", "json").rows
    assert (told["read"], told["rejected"]) == (3, 1)
    assert told["rejected_share"] == told["missing_share"] == pytest.approx(1 / 3)
    crmkit("batch", "absent", told["import_id"], code=2)
