"""Merging as the workspace does it: plugins asked, groups of records, and what analysis sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.declarations import MATCH_KINDS, MatchKey, MergeChoice
from crmkit.entities import CustomerRef
from crmkit.errors import PluginError
from crmkit.intake.matching.duplicates import Groups
from crmkit.intake.matching.levels import LEVELS
from crmkit.intake.matching.normalise import NORMALISERS
from crmkit.warehouse.population import Population
from crmkit.workspace import Crm


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Crm]:
    with crmkit.init(tmp_path / "w", actor="tester") as made:
        yield made


def add(crm: Crm, ref: str, name: str | None = None, **core: Any) -> int:
    fields = {"core": core} if core else None
    return crm.store.customers.add(name=name, refs=[CustomerRef("s", ref)], fields=fields).id


def test_hook_register_match_keys(crm: Crm) -> None:
    """The built-in core is a user of the hook; each kind has its levels, whose odds sum to one."""
    assert crm.catalog.match_keys["core.birth_date"] == MatchKey(
        name="core.birth_date", field="core.birth_date", kind="date", title="birth date",
        title_zh="出生日期",
    )  # fmt: skip
    assert set(LEVELS) == set(MATCH_KINDS)
    assert set(NORMALISERS) | {"name", "phone"} == set(MATCH_KINDS)
    for kind, levels in LEVELS.items():
        assert sum(level.m for level in levels) == pytest.approx(1), kind
        assert sum(level.u for level in levels) == pytest.approx(1, abs=1e-3), kind
        assert [bool(level.condition) for level in levels[-2:]] == [True, False], kind


def test_hook_choose_merged_values(crm: Crm) -> None:
    """Core lets a name written out survive its initial, and leaves all else as it was."""
    a = add(crm, "1", given_name="A.", locality="Bern")
    b = add(crm, "2", given_name="Ann", locality="Basel")
    crm.duplicates.merge([(a, b)])
    found = crm.store.customers.fields(a)["core"]
    assert (found["given_name"], found["locality"]) == ("Ann", "Bern")


def test_a_choice_in_no_conflict_is_the_plugins_fault_and_nothing_is_merged(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = add(crm, "1", locality="Bern"), add(crm, "2", locality="Basel")
    choice = [MergeChoice(conflict=3, survivor="merged")]
    monkeypatch.setattr(crm.host, "call_alone", lambda *names, **given: choice)
    with pytest.raises(PluginError, match="chose in conflict 3 of 1") as caught:
        crm.duplicates.merge([(a, b)])
    assert caught.value.plugin == "core"
    assert crm.store.customers.get(b).id == b


def test_records_of_one_person_go_into_the_oldest() -> None:
    groups = Groups(lambda a, b: False)
    assert all(groups.join(a, b) for a, b in ((5, 7), (2, 5), (8, 9)))
    assert groups.pairs() == [(2, 5), (2, 7), (8, 9)]


def test_no_third_record_brings_two_together_that_somebody_set_apart() -> None:
    groups = Groups(lambda a, b: {a, b} == {1, 3})
    assert groups.join(1, 2)
    assert not groups.join(2, 3)
    assert groups.pairs() == [(1, 2)]


def test_analysis_sees_a_merge_and_its_undoing(crm: Crm) -> None:
    """Also where the merge made the row: the snapshot learns of it by transactions alone."""
    a, b = add(crm, "1"), add(crm, "2", postal_code="10115")

    def seen() -> dict[int, str | None]:
        crm.warehouse.refresh()
        with crm.warehouse.session() as session:
            frame = session.frame(Population.at(crm.as_of()), purpose="report")
            rows = frame.query("SELECT customer_id, postal_code FROM core_customer").to_pylist()
        return {row["customer_id"]: row["postal_code"] for row in rows}

    assert seen() == {b: "10115"}
    crm.duplicates.merge([(a, b)])
    assert seen() == {a: "10115"}
    crm.duplicates.unmerge(crm.store.merges.of_customer(b))
    found = seen()
    assert (found.get(a), found[b]) == (None, "10115")
    version = crm.store.customers.get(a).version
    crm.store.customers.edit(a, version=version, fields={"core": {"postal_code": "20095"}})
    assert seen() == {a: "20095", b: "10115"}


def test_an_import_fills_a_row_that_a_merge_had_made_before(
    crm: Crm, tmp_path: Path, root: Path
) -> None:
    """Its earlier versions stay in the history, and the import's changes come after them."""
    a, b = add(crm, "1"), add(crm, "2", postal_code="10115")
    crm.duplicates.merge([(a, b)])
    crm.duplicates.unmerge(crm.store.merges.of_customer(b))
    header = "rec_id,given_name,surname,street_number,address_1,address_2,suburb,postcode,state,date_of_birth"  # fmt: skip
    for code in ("20095", "30159"):
        file = tmp_path / f"{code}.csv"
        file.write_text(f"{header}\n1,ann,example,8,stanley street,,berlin,{code},be,19610304\n")
        profile = str(root / "tests" / "profiles" / "febrl.toml")
        assert crm.import_file(file, profile=profile, source="s").rejected == 0
    assert crm.store.customers.fields(a)["core"]["postal_code"] == "30159"
