"""Workspaces of earlier versions, upgraded: nothing is lost, and nothing is allowed that was refused.

``upgrades/make.py`` made the databases with the code of those versions and says how.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from crmkit.cli.main import main
from crmkit.entities import ContactRequest
from crmkit.testing.clock import SettableClock
from crmkit.testing.postgresql import fresh_database
from crmkit.workspace import Crm, open_workspace

FOLDER = Path(__file__).parent / "upgrades"
# Their checkouts in the history; the last is that of version 0.1.0 before its core was mended.
VERSIONS = ("f54622b", "e996501", "d144421")
ASKED = datetime(2026, 3, 2, 11, tzinfo=UTC)
CHANNELS = ("phone", "email", "letter")
TOML = """plugins = ["telecom", "hotel", "delivery", "banking"]
database = "{database}"
currency = "EUR"
time_zone = "Europe/Berlin"
language = "en"
"""


@frozen
class Earlier:
    """A workspace of an earlier version, and what that version said of it."""

    version: str
    folder: Path
    url: str
    known: dict[str, Any]

    def open(self, **options: Any) -> Crm:
        """The workspace, opened at the noon at which the earlier version was asked."""
        return open_workspace(self.folder, clock=SettableClock(ASKED), actor="tester", **options)


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def earlier(
    request: pytest.FixtureRequest, version: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Earlier]:
    """The workspace as the earlier version left it; a test that upgrades it copies it first."""
    dialect = str(request.param)
    folder = tmp_path_factory.mktemp(version)
    known = json.loads((FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    if dialect == "sqlite":
        yield made_on_sqlite(version, folder)
        return
    with fresh_database(request.getfixturevalue("postgresql_server")) as url:
        restore_postgresql(version, url)
        (folder / "crmkit.toml").write_text(TOML.format(database=url), encoding="utf-8")
        yield Earlier(version, folder, url, known)


def statements(version: str, dialect: str) -> str:
    return gzip.decompress((FOLDER / f"{version}.{dialect}.sql.gz").read_bytes()).decode()


def made_on_sqlite(version: str, folder: Path) -> Earlier:
    """The workspace of a version in a folder of its own."""
    with sqlite3.connect(folder / "crmkit.db") as connection:
        connection.executescript(statements(version, "sqlite"))
    connection.close()
    url = f"sqlite:///{folder / 'crmkit.db'}"
    (folder / "crmkit.toml").write_text(TOML.format(database=url), encoding="utf-8")
    known = json.loads((FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    return Earlier(version, folder, url, known)


def restore_postgresql(version: str, url: str) -> None:
    import psycopg

    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1)) as connection:
        connection.execute(statements(version, "postgresql"))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def upgraded(earlier: Earlier) -> Iterator[Crm]:
    """The workspace after ``crmkit db upgrade`` without any flag."""
    with earlier.open() as crm:
        crm.unchecked_store.upgrade()
        yield crm


def decisions(
    crm: Crm, ids: dict[str, int], purposes: list[str], at: datetime = ASKED
) -> dict[tuple[str, str], str]:
    """The policy's code by customer and by purpose and channel."""
    asked = [(ref, channel, purpose) for ref in ids for channel in CHANNELS for purpose in purposes]
    requests = [
        ContactRequest(customer_id=ids[ref], channel=channel, purpose=purpose, at=at)
        for ref, channel, purpose in asked
    ]
    answers = crm.service("contact.policy").ask(requests)
    return {
        (ref, f"{purpose} by {channel}"): answer.code
        for (ref, channel, purpose), answer in zip(asked, answers, strict=True)
    }


@pytest.mark.parametrize("version", ["e996501", "d144421"], indirect=True, scope="module")
def test_no_contact_is_allowed_that_the_earlier_version_refused(
    earlier: Earlier, upgraded: Crm
) -> None:
    before: dict[str, dict[str, str]] = earlier.known["verdicts"]
    purposes = sorted({what.split(" by ")[0] for said in before.values() for what in said})
    after = decisions(upgraded, earlier.known["ids"], purposes)
    refused = [
        (r, w) for r, said in before.items() for w, code in said.items() if code != "allowed"
    ]
    assert len(refused) > 50
    assert [(*where, after[where]) for where in refused if after[where] == "allowed"] == []


# What the fields say of each customer, by ``upgrades/make.py``, SAID and MERGED: nobody to whom a field
# says no may be contacted with offers, and nobody who said "do not contact" at all, but for notices.
NOT_AT_ALL = {"C-02", "C-03", "C-14", "C-16", "C-17"}
NO_OFFERS = {
    "f54622b": {"C-06", "C-09", "C-10", "C-11", "C-15", "C-18"},
    "e996501": {"C-09", "C-10", "C-11", "C-15", "C-18"},
}


@pytest.mark.parametrize("version", ["f54622b", "e996501"], indirect=True, scope="module")
def test_what_the_fields_refused_is_refused(earlier: Earlier, upgraded: Crm) -> None:
    after = decisions(upgraded, earlier.known["ids"], ["marketing", "service", "notice"])
    offers = {r for (r, what), code in after.items() if "marketing" in what and code == "allowed"}
    assert offers & NO_OFFERS[earlier.version] == set()
    if earlier.version == "f54622b":
        assert offers & NOT_AT_ALL == set()
        # C-07 said no and then yes; C-04 and C-13 took their "do not contact" back.
        assert offers == {"C-05", "C-07", "C-08", "C-20"}
        served = {r for (r, what), code in after.items() if "service" in what and code == "allowed"}
        assert served == set(earlier.known["ids"]) - NOT_AT_ALL
        codes = {after[r, "service by phone"] for r in NOT_AT_ALL}
        assert codes == {"do_not_contact"}
    assert {code for (_, what), code in after.items() if "notice" in what} == {"allowed"}


@pytest.mark.parametrize("version", ["f54622b"], indirect=True, scope="module")
def test_consents_and_blocks_have_the_days_on_which_they_were_said(
    earlier: Earlier, upgraded: Crm
) -> None:
    ids: dict[str, int] = earlier.known["ids"]
    said = [
        (
            entry.given,
            entry.channel,
            entry.purpose,
            entry.at.date().isoformat(),
            entry.obtained_from,
        )
        for entry in upgraded.service("contact.consents").of_customer(ids["C-07"])
    ]
    assert said == [
        (False, "any", "marketing", "2025-01-10", "core.contact_consent"),
        (True, "any", "marketing", "2025-02-10", "core.contact_consent"),
    ]
    (block,) = [
        r for r in upgraded.store.records.list("contact.block") if r.owner_id == ids["C-04"]
    ]
    since, until = block.values["since"], block.values["until"]
    assert (since.date().isoformat(), until.date().isoformat()) == ("2025-01-10", "2025-02-10")


@pytest.mark.parametrize("version", ["e996501"], indirect=True, scope="module")
def test_a_consent_that_the_ledger_did_not_know_is_kept_and_opens_nothing(
    earlier: Earlier, upgraded: Crm
) -> None:
    """C-12 said yes to the hotel's offers in a field, and the ledger of that version refused them."""
    entries = upgraded.service("contact.consents").of_customer(earlier.known["ids"]["C-12"])
    given = [(e.purpose, e.at.date().isoformat()) for e in entries if e.given]
    assert given == [("hotel.marketing_consent", "2025-02-10")]


def test_no_row_is_lost(earlier: Earlier, upgraded: Crm) -> None:
    before: dict[str, int] = earlier.known["tables"]
    with upgraded.store.read() as connection:
        ask = connection.exec_driver_sql
        after = {t: int(ask(f"SELECT count(*) FROM {t}").scalar_one()) for t in before}
    assert {t: (before[t], after[t]) for t in before if after[t] < before[t]} == {}


def test_every_field_that_was_stored_can_be_read(earlier: Earlier, upgraded: Crm) -> None:
    stored, lost = upgraded.stored.customers, []
    for ref, plugins in earlier.known["fields"].items():
        now = stored.fields(earlier.known["ids"][ref])
        lost += [
            (ref, plugin, name)
            for plugin, values in plugins.items()
            for name, value in values.items()
            if value is not None and str(now[plugin][name]) != str(value)
        ]
    assert lost == []


def test_an_upgraded_workspace_is_up_to_date(upgraded: Crm) -> None:
    status = upgraded.unchecked_store.status()
    assert (status.pending, status.plan.faults) == (0, ())
    assert upgraded.unchecked_store.upgrade(dry_run=True).empty
    upgraded.unchecked_store.check_schema()


def test_a_merge_of_the_earlier_version_can_be_taken_back(earlier: Earlier, upgraded: Crm) -> None:
    ids: dict[str, int] = earlier.known["ids"]
    merges = upgraded.store.merges.of_customer(ids["C-17"])
    upgraded.store.merges.unmerge(merges)
    try:
        assert upgraded.store.customers.survivors([ids["C-17"]]) == {ids["C-17"]: ids["C-17"]}
    finally:
        upgraded.store.merges.merge([(ids["C-16"], ids["C-17"])])


# --- the command line, on the oldest workspace ---------------------------------------------------


@pytest.fixture
def oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Earlier:
    """A workspace of f54622b of its own, and the current folder inside it."""
    monkeypatch.chdir(tmp_path)
    return made_on_sqlite("f54622b", tmp_path)


@pytest.fixture
def crmkit(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """``crmkit("db", "status", code=5)`` gives stdout and stderr of a command that ends so."""

    def run(*args: str, code: int = 0) -> tuple[str, str]:
        capsys.readouterr()
        found = main(list(args))
        said = capsys.readouterr()
        assert found == code, said.err
        return said.out, said.err

    return run


def test_a_dry_run_is_short_and_says_what_the_upgrade_then_does(
    oldest: Earlier, crmkit: Any
) -> None:
    _, status = crmkit("db", "status")
    _, planned = crmkit("db", "upgrade", "--dry-run")
    assert len(planned.splitlines()) < 10
    consents = "core.contact_consent, core.do_not_contact, telecom.retention_consent"
    # C-02, C-03, C-04, C-13, C-14, C-16 after the merge, C-17: spans of "do not contact".
    assert f"{consents}: what they said of 17 customers is filed as contact.block: 7" in planned
    assert f"{consents}: what they say about contacts is filed by the upgrade." in status
    kept = "core.contact_consent: 6; core.do_not_contact: 6; telecom.retention_consent: 8"
    assert f"no longer declared, with the rows whose values are kept: {kept}." in planned
    sql, _ = crmkit("db", "upgrade", "--dry-run", "--sql")
    assert sql.count("CREATE TABLE") > 100
    # Nothing was changed by any of it, so the upgrade still has the same to do.
    _, done = crmkit("db", "upgrade")
    assert done.splitlines()[1:] == planned.splitlines()[1:]
    assert crmkit("db", "status")[1] == ""
    assert "the tables are as the enabled plugins declare" in crmkit("db", "upgrade")[1]


def test_before_the_upgrade_customers_and_records_can_be_exported(
    oldest: Earlier, crmkit: Any
) -> None:
    out, told = crmkit("customer", "export", "--source", "crm", "--format", "jsonl")
    rows = {row["ref"]: row for row in map(json.loads, out.splitlines())}
    assert rows["C-02"]["core.do_not_contact"] is True
    assert rows["C-09"]["telecom.retention_consent"] is False
    assert "does not read them: telecom.retention_consent" in told
    out, _ = crmkit("record", "export", "telecom.plan", "--format", "jsonl")
    assert json.loads(out.splitlines()[0])["ref"] == "r1"
    crmkit("db", "upgrade")
    again, _ = crmkit("customer", "export", "--source", "crm", "--format", "jsonl")
    after = {row["ref"]: row for row in map(json.loads, again.splitlines())}
    assert after["C-02"]["core.do_not_contact"] is True


def test_a_cycle_says_once_that_an_upgrade_is_due(oldest: Earlier, crmkit: Any) -> None:
    out, told = crmkit("cycle", code=5)
    assert out == ""
    assert len(told.splitlines()) == 1
    assert told.endswith("Run: crmkit db upgrade\n")
    assert not (oldest.folder / "runs" / "cycle.json").exists()


def test_safe_mode_upgrades_nothing(oldest: Earlier, crmkit: Any) -> None:
    _, told = crmkit("--safe-mode", "db", "upgrade", code=5)
    assert "their tables would stay behind: banking, delivery, hotel, telecom" in told
    assert "core.do_not_contact: what they" not in told
    assert "statements are due" in crmkit("db", "status")[1]


def test_what_a_disabled_plugin_refused_is_refused_once_it_is_enabled(
    oldest: Earlier, crmkit: Any
) -> None:
    file = oldest.folder / "crmkit.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"telecom", ', ""), encoding="utf-8")
    crmkit("db", "upgrade")
    file.write_text(
        file.read_text(encoding="utf-8").replace('["', '["telecom", "', 1), encoding="utf-8"
    )
    crmkit("db", "upgrade")
    # The commands ran at the time of the computer's clock.
    with open_workspace(oldest.folder) as crm:
        after = decisions(crm, oldest.known["ids"], ["marketing"], crm.clock())
    assert after["C-11", "marketing by phone"] == "withdrawn"
    # Yes in the field of telecom alone, and the ledger refused it since the first upgrade.
    assert after["C-20", "marketing by phone"] == "no_consent"
