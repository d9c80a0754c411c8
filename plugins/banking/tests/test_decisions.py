"""Decisions of people, and what card and policy say of the German file when life goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import crmkit
from crmkit.cli.main import main
from crmkit.entities import Money
from crmkit.errors import ConfigError, UsageError
from crmkit.testing.clock import SettableClock
from crmkit.workspace import Crm
from crmkit_banking.decisions.explain import recomputed
from crmkit_banking.decisions.person import of_application, take
from crmkit_banking.decisions.take import change_policy, compute, latest_decisions, policy_at

FILE = Path(os.environ["CRMKIT_DATA"]) / "german_credit" / "german_credit.csv"
SCORE = APPLICATION = "banking.application"
FILED_BY_ONE_COMMAND = [
    ("banking.decision", "decision take"), ("banking.credit_policy", "decision policy"),
    ("banking.scorecard_line", "score run"), ("banking.model_check", "scorecard monitor"),
    ("banking.impairment", "impairment file"), ("ledger.entry", "ledger post"),
    ("service.compensation", "case compensate"),
]  # fmt: skip

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the public data are not here")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """The file imported, a card trained and everybody decided; what the file does not know is let be."""
    clock = SettableClock()
    folder = tmp_path_factory.mktemp("decisions") / "w"
    with crmkit.init(folder, plugins=("banking",), currency="DEM", clock=clock, actor="ann") as crm:
        crm.import_file(FILE, profile="german-credit")
        clock.advance(days=1)
        crm.scores.train(SCORE)
        change_policy(crm, {"may_be_unknown": ["dsti", "kyc_status"]})
        score(crm)
        yield crm


def score(crm: Crm) -> None:
    """Scores everybody an hour later, and decides."""
    crm.clock.advance(hours=1)
    now = crm.as_of()
    crm.scores.run(SCORE, now)
    assert crm.serve_scores(SCORE, now) == ()
    crm.clock.advance(hours=1)


def last(crm: Crm, ref: str) -> dict[str, Any]:
    """The last decision of an application."""
    record = crm.store.records.find(APPLICATION, ref)
    return latest_decisions(crm, [record.id])[record.id]


def change(crm: Crm, ref: str, **values: object) -> None:
    """Changes an application."""
    held = crm.store.records.find(APPLICATION, ref)
    crm.store.records.set(APPLICATION, source=held.source, ref=ref, values=values)


def decided(crm: Crm, outcome: str, **values: object) -> str:
    """The key of a new application, like the plainest of the file that was decided so, with other values."""
    records = crm.store.records
    points = {i: one["points"] for i, one in latest_decisions(crm, _ids(crm)).items()
              if one["outcome"] == outcome and one["decided_by"] == "system"}  # fmt: skip
    plainest = max if outcome == "approve" else min
    like = records.get(APPLICATION, plainest(points, key=lambda i: (points[i], i)))
    ref = f"A-{len(_ids(crm))}"
    records.set(APPLICATION, source="crmkit", ref=ref, owner_id=like.owner_id,
                values={**like.values, "bad": None, **values})  # fmt: skip
    score(crm)
    return ref


def _ids(crm: Crm) -> list[int]:
    return [row[0] for row in crm.store.records.read(APPLICATION, ["id"])]


def approved(crm: Crm) -> int:
    """How many approvals stand, by the report."""
    table = crm.reports.run("banking.approval-by-band", as_of=crm.as_of()).table
    return sum(row["approved"] for row in table.to_pylist())


def test_an_approval_does_not_stand_once_more_is_applied_for(bank: Crm) -> None:
    """Thirty times the amount: the approval counts no more, nobody can take a decision on the old
    points, and the card decides anew. Less than was approved leaves the approval as it is."""
    ref = decided(bank, "approve")
    before = approved(bank)
    amount = last(bank, ref)["amount"]
    change(bank, ref, amount=Money(amount.minor // 2, "DEM"))
    bank.clock.advance(hours=1)
    assert (last(bank, ref)["outgrown"], approved(bank)) == (False, before)
    change(bank, ref, amount=Money(amount.minor * 30, "DEM"))
    bank.clock.advance(hours=1)
    assert (last(bank, ref)["outgrown"], approved(bank)) == (True, before - 1)
    for outcome in ("approve", "decline"):
        with pytest.raises(UsageError, match=r"more is applied for in A-[0-9]+ now") as caught:
            take(bank, ref, outcome, "as before")
        assert caught.value.hint == f"Score it anew: crmkit score run banking.application {ref}"
    score(bank)
    held = of_application(bank, ref)
    assert [row["outcome"] for row in held][:1] == ["approve"]
    assert len(held) == 2
    assert last(bank, ref)["amount"] == Money(amount.minor * 30, "DEM")
    assert last(bank, ref)["outgrown"] is False
    assert all(recomputed(bank, row["id"])["same"] for row in held)


def test_a_declined_application_that_is_raised_has_to_be_filed_anew(bank: Crm) -> None:
    """The card decides no more of it, so that scoring it anew would help nobody; what is declined or
    withdrawn is so once, however much more is applied for."""
    ref = decided(bank, "decline", amount=Money(100_000, "DEM"))
    change(bank, ref, amount=Money(200_000, "DEM"))
    bank.clock.advance(hours=1)
    with pytest.raises(UsageError, match="more is applied for") as caught:
        take(bank, ref, "approve", "guarantor found")
    assert "as an application of its own" in caught.value.hint
    with pytest.raises(UsageError, match="decided so already: decline"):
        take(bank, ref, "decline", "no")
    take(bank, ref, "withdrawn", None)
    bank.clock.advance(hours=1)
    with pytest.raises(UsageError, match="decided so already: withdrawn"):
        take(bank, ref, "withdrawn", None)


def test_a_longer_term_is_more_than_was_approved(bank: Crm) -> None:
    ref = decided(bank, "approve", term_months=12)
    change(bank, ref, term_months=13)
    assert last(bank, ref)["outgrown"] is True


def test_a_referral_is_decided_anew_when_what_was_unknown_is_known(bank: Crm) -> None:
    """The policy asks for debt service again: 30 % is stated then, and the card approves."""
    change_policy(bank, {"may_be_unknown": ["kyc_status"]})
    ref = decided(bank, "approve")
    words = "the share of the income that debt service takes is not known"
    assert (last(bank, ref)["outcome"], last(bank, ref)["reasons"]) == ("refer", [words])
    score(bank)
    assert len(of_application(bank, ref)) == 1, "nothing has changed since"
    change(bank, ref, dsti=0.3)
    score(bank)
    assert last(bank, ref)["outcome"] == "approve"
    change_policy(bank, {"may_be_unknown": ["dsti", "kyc_status"]})


@pytest.mark.parametrize("outcome", ["approve", "decline"])
@pytest.mark.parametrize("reason", [None, "", "  "])
def test_nobody_decides_without_a_reason(bank: Crm, outcome: str, reason: str | None) -> None:
    refs = dict(bank.store.records.read(APPLICATION, ["id", "ref"]))
    referred = next(
        i for i, d in latest_decisions(bank, _ids(bank)).items() if d["outcome"] == "refer"
    )
    with pytest.raises(UsageError, match="takes a reason"):
        take(bank, refs[referred], outcome, reason)


def test_an_applicant_whom_a_person_refuses_is_told_why(bank: Crm) -> None:
    """The card approved, so that it has no reasons of its own."""
    ref = decided(bank, "approve")
    done = take(bank, ref, "decline", "the employer does not confirm the income")
    assert done["reasons"] == ["the employer does not confirm the income"]
    assert recomputed(bank, done["id"])["same"] is True


def test_a_decline_of_the_policy_is_overridden_by_two_officers(bank: Crm) -> None:
    """60 % of the income would go into debts. The same person twice is one."""
    ref = decided(bank, "approve", dsti=0.6)
    assert last(bank, ref)["outcome"] == "decline"
    with pytest.raises(UsageError, match="takes a second officer"):
        take(bank, ref, "approve", "guarantor found")
    for same in ("ann", " Ann "):
        with pytest.raises(UsageError, match="is the one who decides"):
            take(bank, ref, "approve", "guarantor found", same)
    with pytest.raises(UsageError, match="'System' stands for the card and the policy"):
        take(bank, ref, "approve", "guarantor found", "System")
    done = take(bank, ref, "approve", "guarantor found", "ben")
    assert (done["outcome"], done["decided_by"], done["seconded_by"]) == ("approve", "ann", "ben")
    bank.clock.advance(hours=1)
    log = bank.reports.run("banking.decision-log", as_of=bank.as_of()).table.to_pylist()
    (row,) = [row for row in log if row["application"] == ref and row["decided_by"] == "ann"]
    assert (row["seconded_by"], row["override_reason"], row["override"]) == ("ben", "guarantor found", True)  # fmt: skip


def test_nobody_decides_in_the_name_of_the_system(
    bank: Crm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the system decides is recomputed, and has no officer who answers for it."""
    ref = decided(bank, "approve")
    monkeypatch.setenv("CRMKIT_ACTOR", "System")
    line = ["decision", "take", ref, "decline", "--reason", "no"]
    assert main(["-w", str(bank.settings.folder), *line]) == 2
    assert "stands for the card and the policy" in capsys.readouterr().err
    assert last(bank, ref)["outcome"] == "approve"


def test_a_decline_of_the_card_is_overridden_by_one_officer(bank: Crm) -> None:
    ref = decided(bank, "decline")
    assert take(bank, ref, "approve", "guarantor found")["seconded_by"] is None


def test_reasons_stand_in_the_order_of_score_explain(bank: Crm) -> None:
    """Among what both tell: a decision names inputs that are missing too, and those that lost a point."""
    declined = [i for i, one in latest_decisions(bank, _ids(bank)).items() if one["outcome"] == "decline"
                and one["decided_by"] == "system"][:40]  # fmt: skip
    for application in declined:
        filed = latest_decisions(bank, [application])[application]["reasons"]
        told = [reason.words for reason in bank.scores.explain(SCORE, application).reasons]
        assert [words for words in filed if words in told] == [
            words for words in told if words in filed
        ]
        assert len(set(filed) & set(told)) >= min(len(filed), len(told)) - 1


def test_the_points_of_the_system_begin_with_those_of_everybody(bank: Crm) -> None:
    refs = dict(bank.store.records.read(APPLICATION, ["id", "ref"]))
    ref, one = next(
        (refs[i], one)
        for i, one in latest_decisions(bank, _ids(bank)).items()
        if (one["outcome"], one["decided_by"]) == ("approve", "system")
    )
    base, *rest = bank.run("decision points", application=ref).rows
    assert (base["input"], base["value"], base["bin"], base["lost"]) == (
        "base",
        None,
        "everybody",
        0,
    )
    assert base["points"] + sum(row["points"] for row in rest) == one["points"]
    assert all(row["lost"] >= 0 for row in rest)


def test_a_probability_of_default_is_half_a_per_mille_at_the_least(bank: Crm) -> None:
    """CRR III Art. 163(1): 0.05 %. Where one in a million goes bad, everybody is in grade A at the floor;
    with the rate of the sample itself the probability stays as the card has it."""
    now, subjects = bank.as_of(), _ids(bank)[:20]
    policy = policy_at(bank)
    model = bank.scores.model(SCORE, 1)
    found = compute(bank, subjects, now, 1, evolve(policy, real_bad_rate=1e-6))
    assert {(one.pd, one.grade) for one in found.values()} == {(0.0005, "A")}
    plain = compute(bank, subjects, now, 1, evolve(policy, real_bad_rate=None))
    same = compute(
        bank, subjects, now, 1, evolve(policy, real_bad_rate=model.positives / model.rows)
    )
    for subject, one in plain.items():
        assert one.pd > 0.0005
        assert same[subject].pd == pytest.approx(one.pd)
        # 600 points are odds of 30 to 1, and 20 more double them.
        assert one.pd == pytest.approx(1 / (1 + 30 * 2 ** ((one.points - 600) / 20)), rel=1e-6)


def test_a_policy_under_which_nothing_is_decided_is_refused(bank: Crm) -> None:
    before = policy_at(bank)
    with pytest.raises(UsageError, match="approves from 500 points, below the 534"):
        change_policy(bank, {"approve_from": 500})
    with pytest.raises(UsageError, match=r"no card version 7 of banking.application \(stored: 1\)"):
        change_policy(bank, {"challenger_version": 7})
    assert policy_at(bank) == before


@pytest.mark.parametrize(("type", "command"), FILED_BY_ONE_COMMAND)
def test_what_one_command_files_is_made_at_no_other_door(
    bank: Crm, tmp_path: Path, capsys: pytest.CaptureFixture[str], type: str, command: str
) -> None:
    """A decision with any officer and date outranked the real one."""
    before = bank.store.records.read(type, ["id"])
    code = main(["-w", str(bank.settings.folder), "record", "set", type, "X-1"])
    said = capsys.readouterr().err
    assert code == 2
    assert f"records of {type} are filed by crmkit {command} alone" in said
    (tmp_path / "f.csv").write_text("id\n1\n")
    (tmp_path / "p.toml").write_text(
        'name = "p"\n[source]\nname = "s"\nformat = "csv"\nkey = ["id"]\n'
        f'[[emit]]\nentity = "{type}"\nkey = "id"\n'
    )
    with pytest.raises(ConfigError, match=f"only crmkit {command} files {type}"):
        bank.import_file(tmp_path / "f.csv", profile=str(tmp_path / "p.toml"))
    assert bank.store.records.read(type, ["id"]) == before


def test_the_policy_is_shown_and_changed_from_the_command_line(
    bank: Crm, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(bank.settings.folder)
    line = ["-w", folder, "decision", "policy", "--format", "json"]
    assert main([*line, "--real-bad-rate", "0.05", "--may-be-unknown", "nothing"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found[0] if isinstance(found, list) else found)["may_be_unknown"] == []
    assert main([*line, "--may-be-unknown", "dsti", "--may-be-unknown", "kyc_status"]) == 0
    found = json.loads(capsys.readouterr().out)
    found = found[0] if isinstance(found, list) else found
    assert (found["real_bad_rate"], found["may_be_unknown"]) == (0.05, ["dsti", "kyc_status"])
    assert main([*line, "--approve-from", "1"]) == 2
    assert "below the 534" in capsys.readouterr().err
