"""Misspelt names get a suggestion, and times say which instant they are taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Crmkit


@pytest.fixture
def berlin(crmkit: Crmkit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "berlin"
    crmkit("init", str(folder), "--time-zone", "Europe/Berlin")
    monkeypatch.chdir(folder)
    crmkit("customer", "add", "Ann", "--ref", "billing:1042")
    return folder


MISSPELT = [
    (["score", "run", "value.chrun"], "there is no score 'value.chrun'"),
    (["report", "run", "core.funel"], "Did you mean core.funnel?"),
    (["lifecycle", "show", "core.custmer"], "Did you mean core.customer?"),
    (["lifecycle", "advance", "1042", "prospct"], "Did you mean prospect?"),
    (["interaction", "list", "1042", "--kind", "core.ordr"], "Did you mean core.order"),
    (["interaction", "log", "1042", "core.ordr"], "Did you mean core.order"),
    (["record", "list", "work.tsk"], "Did you mean work.task"),
    (["feature", "list", "--subject", "custmer"], "Did you mean customer?"),
    (["report", "run", "core.customers", "--engine", "duckd"], "Did you mean duckdb?"),
    (["task", "list", "--state", "opn"], "Did you mean open?"),
    (["customer", "add", "Bo", "--time-zone", "Europe/Berln"], "Did you mean Europe/Berlin?"),
    (["task", "add", "x", "--due", "2026-04-01", "--time-zone", "Berlin"], "Did you mean Europe/Berlin?"),
    (["init", "x", "--time-zone", "Europe/Berln"], "Did you mean Europe/Berlin?"),
    (["customer", "list", "--columns", "nmae"], "Did you mean name?"),
    (["demo", "telecm", "x"], "Did you mean telecom?"),
]  # fmt: skip


def test_every_name_that_is_misspelt_gets_a_suggestion(crmkit: Crmkit, berlin: Path) -> None:
    for args, words in MISSPELT:
        assert words in crmkit(*args, code=2).err, args


def test_a_misspelt_list_is_suggested_from_those_there_are(crmkit: Crmkit, berlin: Path) -> None:
    crmkit("list", "make", "spring", "--report", "core.customers", "--purpose", "service")
    assert "Did you mean spring?" in crmkit("list", "show", "sprng", code=2).err


def test_a_workspace_that_is_not_there_is_said_before_an_unknown_command(crmkit: Crmkit) -> None:
    for noun in ("cse", "waybill", "case"):
        done = crmkit("-w", "/nonexistent", noun, "list", code=2)
        assert "there is no workspace '/nonexistent'" in done.err


def test_a_command_of_a_plugin_that_is_not_enabled_says_so(crmkit: Crmkit, berlin: Path) -> None:
    done = crmkit("waybill", "track", "W1", code=2)
    assert "command of the plugin delivery, which is not enabled here" in done.err
    assert "crmkit plugin enable delivery" in done.err


def test_a_search_that_finds_nothing_says_so(crmkit: Crmkit, berlin: Path) -> None:
    assert (
        "nobody was found by 'zzqq'" in crmkit("customer", "search", "zzqq", "--format", "json").err
    )


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["why", "1042", "core.customer", "--at", "2026-03-31"], "at: 2026-03-31T22:00:00Z (the end of"),
        (["why", "1042", "core.customer", "--at", "2026-03-31 14:30"], "at: 2026-03-31T12:30:00Z (2026-03-31 14:30 in"),
        (["why", "1042", "core.customer", "--at", "2026-03-31T12:30:00Z"], "at: 2026-03-31T12:30:00Z\n"),
        (["interaction", "log", "1042", "core.note", "--at", "2026-03-31", "--set", "text=x"], "at: 2026-03-30T22:00:00Z (the beginning of"),
        (["interaction", "list", "1042", "--as-of", "2026-03-31"], "as-of: 2026-03-31T22:00:00Z (the end of"),
        (["consent", "give", "1042", "--channel", "phone", "--at", "2026-03-31 14:30"], "at: 2026-03-31T12:30:00Z"),
        (["contact", "check", "1042", "--at", "2099-03-31"], "at: 2099-03-30T22:00:00Z"),
        (["contact", "block", "1042", "--reason", "x", "--until", "2099-03-31"], "until: 2099-03-31T22:00:00Z (the end of"),
        (["case", "open", "1042", "--received", "2026-03-31 14:30"], "received: 2026-03-31T12:30:00Z"),
        (["feature", "build", "--as-of", "2026-03-31", "--as-of", "2026-04-01 00:00", "--name", "core.contacts_90d"], "as-of: 2026-03-31T22:00:00Z (2026-04-01 00:00 in"),
    ],
)  # fmt: skip
def test_every_time_is_taken_in_three_forms_and_said(
    crmkit: Crmkit, berlin: Path, args: list[str], told: str
) -> None:
    assert told in crmkit(*args).err


def test_a_time_that_the_clocks_left_out_is_refused_before_the_work(
    crmkit: Crmkit, berlin: Path
) -> None:
    done = crmkit("why", "1042", "core.customer", "--at", "2026-03-29 02:30", code=2)
    assert "did not exist in Europe/Berlin" in done.err


def test_an_answer_filed_afterwards_counts_from_when_it_was_given(
    crmkit: Crmkit, berlin: Path
) -> None:
    (case,) = crmkit(
        "case", "open", "1042", "--received", "2026-03-02 09:00", "--format", "json"
    ).rows
    crmkit("case", "answer", case["case"], "--at", "2026-03-03 10:00")
    (shown,) = crmkit("case", "show", case["case"], "--format", "json").rows
    assert shown["answered_at"] == "2026-03-03T09:00:00Z"
    early = crmkit("case", "answer", case["case"], "--at", "2026-03-02 09:30", code=2)
    assert "is before its last step" in early.err
    late = crmkit("case", "answer", case["case"], "--at", "2999-01-01", code=2)
    assert "is still to come" in late.err
