"""What is filed of decisions, shown and recomputed, with a card that says what the test lets it say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve

import crmkit
from crmkit.declarations import Scored
from crmkit.entities import CustomerRef, Money
from crmkit.entities.asof import AsOf
from crmkit.errors import NotFound, UsageError
from crmkit.testing.clock import SettableClock
from crmkit.workspace import Crm
from crmkit_banking.decisions import explain, person
from crmkit_banking.decisions import take as taking
from crmkit_banking.decisions.policy import Policy
from crmkit_banking.decisions.take import Computed, change_policy, latest_decisions, policy_at

SCORE = APPLICATION = "banking.application"
LINES = [
    {"input": "base", "value": None, "bin": "everybody", "points": 400, "lost": 0},
    {"input": "banking.gone", "value": 7, "bin": "5 to 9", "points": 120, "lost": 5},
    {
        "input": "banking.application_amount",
        "value": 150_050,
        "bin": "above 100000.0 minor units",
        "points": 20,
        "lost": 0,
    },
]
REFER = Computed(
    points=540,
    pd=0.1,
    grade="F",
    outcome="refer",
    by_policy=None,
    reasons=("low income", "new here"),
    points_by_input=json.dumps(LINES),
)
APPROVE = evolve(REFER, outcome="approve", reasons=(), points=600)
DECLINE = evolve(REFER, outcome="decline", points=500)
HASH = "0" * 64


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """A bank with one customer and no card."""
    folder = tmp_path_factory.mktemp("filing") / "w"
    clock = SettableClock()
    with crmkit.init(folder, plugins=("banking",), currency="EUR", clock=clock, actor="ann") as crm:
        crm.store.customers.add(refs=[CustomerRef("core", "C1")])
        yield crm


class Desk:
    """One application, with a card that says what it is told to."""

    def __init__(self, crm: Crm, ref: str, patch: pytest.MonkeyPatch) -> None:
        self.crm, self.ref, self.patch = crm, ref, patch
        self.apply(amount=Money(100_000, "EUR"), term_months=12)

    def apply(self, **values: Any) -> None:
        """Files what is applied for."""
        customer = self.crm.store.customers.find("core:C1")
        self.crm.store.records.set(
            APPLICATION, source="core", ref=self.ref, owner_id=customer.id, values=values
        )

    @property
    def id(self) -> int:
        return self.crm.store.records.find(APPLICATION, self.ref).id

    @property
    def last(self) -> dict[str, Any]:
        """The decision that stands."""
        return latest_decisions(self.crm, [self.id])[self.id]

    @property
    def filed(self) -> list[dict[str, Any]]:
        """All decisions, oldest first."""
        return person.of_application(self.crm, self.ref)

    def decide(
        self,
        said: Mapping[int, Computed] | Computed,
        *,
        version: int = 1,
        inputs: str = HASH,
        as_of: AsOf | None = None,
        policy: Policy | None = None,
    ) -> None:
        """Decides an hour later; ``said`` is what each version of the card says, or all of them."""
        self.crm.clock.advance(hours=1)
        by_version = said if isinstance(said, Mapping) else {1: said, 2: said}
        scored = Scored(
            score=SCORE,
            version=version,
            subject_type=APPLICATION,
            as_of=as_of or self.crm.as_of(),
            subjects=(self.id,),
            values=(0.1,),
            inputs_hashes=(inputs,),
        )
        desk: Any = SimpleNamespace(
            store=self.crm.store,
            clock=self.crm.clock,
            scores=SimpleNamespace(model=lambda score, version: SimpleNamespace(hash=HASH)),
        )
        with self.patch.context() as patch, self.crm.store.begin("test") as tx:
            patch.setattr(
                taking,
                "compute",
                lambda crm, subjects, at, version, policy: {
                    s: by_version[version] for s in subjects
                },
            )
            if policy is not None:
                patch.setattr(taking, "policy_at", lambda crm, tx: policy)
            taking.decide(desk, scored, tx)
        self.crm.clock.advance(hours=1)


@pytest.fixture
def desk(bank: Crm, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An application of 1000.00 over 12 months, not decided yet."""
    return Desk(bank, f"A-{len(bank.store.records.read(APPLICATION, ['id']))}", monkeypatch)


@pytest.mark.parametrize(
    ("altered", "same"),
    [
        ({}, True),
        # How the lines are written, and what a person decided on them and why, is no other decision.
        ({"points_by_input": json.dumps(LINES, indent=1)}, True),
        ({"decided_by": "ben", "outcome": "approve", "reasons": []}, True),
        ({"points": 541}, False),
        ({"points_by_input": json.dumps(LINES[:2])}, False),
        ({"proposed": "approve"}, False),
        ({"card_hash": "1" * 64}, False),
        ({"reasons": ["low income"]}, False),
        ({"reasons": None}, False),
    ],
)
def test_a_decision_recomputes_only_if_all_that_was_filed_is_the_same(
    monkeypatch: pytest.MonkeyPatch, altered: dict[str, Any], same: bool
) -> None:
    """Points, bins, the proposal, the card and the reasons of the system: each alone makes it another."""
    held = {
        "points": 540,
        "points_by_input": REFER.points_by_input,
        "proposed": "refer",
        "outcome": "refer",
        "decided_by": "system",
        "reasons": list(REFER.reasons),
        "card_hash": HASH,
        "card_version": 1,
        **altered,
    }
    record = SimpleNamespace(values=held, owner_id=1, ref="A-1:1")
    crm: Any = SimpleNamespace(
        store=SimpleNamespace(records=SimpleNamespace(get=lambda type, id: record)),
        scores=SimpleNamespace(model=lambda score, version: SimpleNamespace(hash=HASH)),
    )
    monkeypatch.setattr(explain, "computed_again", lambda crm, application, held: REFER)
    found = explain.recomputed(crm, 1)
    assert (found["same"], found["recomputed_points"], found["recomputed_outcome"]) == (
        same,
        540,
        "refer",
    )


def test_a_decision_recomputes_without_reasons_where_it_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = {
        "points": 600,
        "points_by_input": APPROVE.points_by_input,
        "proposed": "approve",
        "decided_by": "system",
        "reasons": None,
        "card_hash": HASH,
        "card_version": 1,
    }
    record = SimpleNamespace(values=held, owner_id=1, ref="A-1:1")
    crm: Any = SimpleNamespace(
        store=SimpleNamespace(records=SimpleNamespace(get=lambda type, id: record)),
        scores=SimpleNamespace(model=lambda score, version: SimpleNamespace(hash=HASH)),
    )
    monkeypatch.setattr(explain, "computed_again", lambda crm, application, held: APPROVE)
    assert explain.recomputed(crm, 1)["same"] is True


def test_the_remarks_name_the_decisions_that_do_not_recompute(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two was filed with a point more than the card says."""
    desk.decide(REFER)
    desk.decide(evolve(REFER, points=541), inputs="1" * 64)
    model = SimpleNamespace(hash=HASH)
    monkeypatch.setattr(type(desk.crm.scores), "model", lambda self, score, version: model)
    monkeypatch.setattr(explain, "computed_again", lambda crm, application, held: REFER)
    answer = desk.crm.run("decision explain", application=desk.ref)
    assert [row["same"] for row in answer.rows] == [True, False]
    strayed = answer.rows[1]["decision"]
    assert answer.remarks == (f"decision {strayed} does not recompute to what was filed.",)


def test_the_points_shown_are_those_of_the_decision_that_stands(desk: Desk) -> None:
    """A challenger's are not, nor those of a decision before. An input that no plugin declares any more
    shows as it is, an amount in its currency."""
    desk.decide(evolve(REFER, points=520, points_by_input=json.dumps(LINES[:2])))
    shown = desk.crm.run("decision points", application=desk.ref)
    assert [row["points"] for row in shown.rows] == [400, 120]
    challenger = evolve(REFER, points=400, points_by_input=json.dumps(LINES[:1]))
    desk.decide({1: REFER, 2: challenger}, policy=Policy(challenger_version=2), inputs="1" * 64)
    shown = desk.crm.run("decision points", application=desk.ref)
    assert [(row["value"], row["bin"], row["points"], row["lost"]) for row in shown.rows] == [
        (None, "everybody", 400, 0),
        ("7", "5 to 9", 120, 5),
        ("1500.50 EUR", "above 1000.00 EUR", 20, 0),
    ]
    assert shown.remarks == ("540 points in all, by card version 1.",)


def test_the_challenger_is_filed_beside_the_card_that_decides(desk: Desk) -> None:
    """Unless it is the same card."""
    said = {1: REFER, 2: evolve(APPROVE, points=601)}
    desk.decide(said, policy=Policy(challenger_version=1))
    assert [(row["role"], row["card_version"]) for row in desk.filed] == [("champion", 1)]
    desk.decide(said, policy=Policy(challenger_version=2), inputs="1" * 64)
    assert [(row["role"], row["card_version"], row["points"]) for row in desk.filed[1:]] == [
        ("challenger", 2, 601),
        ("champion", 1, 540),
    ]
    assert desk.last["outcome"] == "refer"


def test_an_application_that_was_not_scored_has_no_decision_and_no_remark(desk: Desk) -> None:
    listed = desk.crm.run("decision list", application=desk.ref)
    assert (listed.rows, listed.remarks) == ([], ())
    for command in ("decision points", "decision explain"):
        with pytest.raises(NotFound) as caught:
            desk.crm.run(command, application=desk.ref)
        assert f"crmkit score run banking.application {desk.ref}" in (caught.value.hint or "")
    with pytest.raises(NotFound):
        person.take(desk.crm, desk.ref, "decline", "no")


@pytest.mark.parametrize(
    ("said", "cents", "told"),
    [
        (APPROVE, 1, True),
        (APPROVE, 0, False),
        (APPROVE, -1, False),
        (DECLINE, 1, False),
        (REFER, 1, True),
    ],
)
def test_that_more_is_applied_for_is_told_where_scoring_anew_helps(
    desk: Desk, said: Computed, cents: int, told: bool
) -> None:
    desk.decide(said)
    desk.apply(amount=Money(100_000 + cents, "EUR"))
    assert desk.last["outgrown"] is (cents > 0)
    assert bool(desk.crm.run("decision list", application=desk.ref).remarks) is told


def test_a_longer_term_alone_is_more_than_was_decided_on(desk: Desk) -> None:
    desk.decide(APPROVE)
    desk.apply(term_months=13)
    assert desk.last["outgrown"] is True
    desk.decide(APPROVE)
    assert (len(desk.filed), desk.last["term_months"], desk.last["outgrown"]) == (2, 13, False)


@pytest.mark.parametrize(
    ("first", "then", "inputs", "version", "anew"),
    [
        (REFER, REFER, HASH, 1, False),
        (REFER, REFER, "1" * 64, 1, True),
        (REFER, REFER, HASH, 2, True),
        (REFER, APPROVE, HASH, 1, True),
        (REFER, evolve(REFER, reasons=("low income",)), HASH, 1, True),
        (REFER, evolve(REFER, points=541), HASH, 1, False),
        (APPROVE, REFER, "1" * 64, 2, False),
        (DECLINE, APPROVE, "1" * 64, 2, False),
    ],
)
def test_a_referral_is_decided_anew_by_other_inputs_card_outcome_or_reasons(
    desk: Desk, first: Computed, then: Computed, inputs: str, version: int, anew: bool
) -> None:
    """What was approved or declined stays, whatever is scored later."""
    desk.decide(first)
    desk.decide(then, inputs=inputs, version=version)
    assert len(desk.filed) == (2 if anew else 1)


def test_a_decision_is_of_the_terms_that_its_inputs_had(desk: Desk) -> None:
    """What is changed at the very instant of the run is not among its inputs: the decision is of the
    amount before, and more is applied for since."""
    desk.crm.clock.advance(hours=1)
    at = desk.crm.as_of()
    desk.apply(amount=Money(100_001, "EUR"), term_months=12)
    desk.decide(APPROVE, as_of=at)
    assert (desk.last["amount"], desk.last["outgrown"]) == (Money(100_000, "EUR"), True)
    desk.decide(APPROVE)
    assert (desk.last["amount"], desk.last["outgrown"]) == (Money(100_001, "EUR"), False)


def test_whether_the_outcome_was_known_is_filed_with_the_decision(desk: Desk) -> None:
    """A loan that went well is known as much as one that went bad."""
    desk.decide(REFER)
    assert desk.last["outcome_known"] is False
    desk.apply(bad=False)
    desk.decide(REFER, inputs="1" * 64)
    assert desk.last["outcome_known"] is True


def test_a_person_who_refuses_gives_own_reasons_before_the_cards(desk: Desk) -> None:
    """Four at the most; what a challenger said is none of them. Who withdraws needs no reason."""
    first = evolve(REFER, reasons=("of before",))
    last = evolve(REFER, reasons=("a", "b", "c", "d"))
    other = evolve(REFER, reasons=("of the challenger",))
    desk.decide(first)
    desk.decide({1: last, 2: other}, policy=Policy(challenger_version=2))
    done = person.take(desk.crm, desk.ref, "decline", " not convincing ")
    assert done["reasons"] == ["not convincing", "a", "b", "c"]
    assert (done["override_reason"], done["seconded_by"]) == ("not convincing", None)
    assert (done["decided_by"], done["proposed"]) == ("ann", "refer")
    desk.crm.clock.advance(hours=1)
    done = person.take(desk.crm, desk.ref, "withdrawn", None)
    assert (done["reasons"], done["override_reason"]) == ([], None)


@pytest.mark.parametrize(
    ("said", "by_policy", "second", "refused"),
    [
        (DECLINE, "decline", None, "takes a second officer"),
        (DECLINE, "decline", "ben", None),
        (DECLINE, None, None, None),
        (DECLINE, "refer", None, None),
        (REFER, "decline", None, None),
        (DECLINE, "decline", "Ann", "is the one who decides"),
        (REFER, None, "SYSTEM", "no second officer"),
    ],
)
def test_what_the_policy_declines_is_approved_by_two_officers(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    said: Computed,
    by_policy: str | None,
    second: str | None,
    refused: str | None,
) -> None:
    """A decline of the card alone, and a referral, is approved by one."""
    monkeypatch.setattr(person, "computed_again", lambda *_: evolve(said, by_policy=by_policy))
    desk.decide(said)
    if refused is None:
        done = person.take(desk.crm, desk.ref, "approve", "guarantor found", second)
        assert (done["outcome"], done["seconded_by"], done["reasons"]) == ("approve", second, [])
    else:
        with pytest.raises(UsageError, match=refused):
            person.take(desk.crm, desk.ref, "approve", "guarantor found", second)
        assert len(desk.filed) == 1


def test_a_challenger_has_to_be_a_stored_card_and_0_is_none(
    bank: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert policy_at(bank) == Policy()
    with pytest.raises(UsageError, match=r"no card version 1 .*\(stored: none yet; crmkit score"):
        change_policy(bank, {"challenger_version": 1})
    monkeypatch.setattr(type(bank.scores), "versions", lambda self, score: (1, 2))
    with pytest.raises(UsageError, match=r"no card version 3 .*\(stored: 1, 2\)"):
        change_policy(bank, {"challenger_version": 3})
    assert change_policy(bank, {"challenger_version": 2}).challenger_version == 2
    assert change_policy(bank, {"adult_age": 18}).challenger_version == 2
    assert change_policy(bank, {"challenger_version": 0}) == Policy()


def test_inputs_that_moved_most_stand_first(bank: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that moved as much stand by their name. A day is the least that is looked at."""
    row = {"card_version": 1, "csi": {"b": 0.1, "c": 0.3, "a": 0.1}}
    monkeypatch.setattr("crmkit_banking.monitoring.check.check", lambda crm, days: [row])
    assert [r["input"] for r in bank.run("scorecard stability").rows] == ["c", "a", "b"]
    with pytest.raises(UsageError, match="--days is 0, not 1 or more"):
        bank.run("scorecard monitor", days=0)
    monkeypatch.setattr("crmkit_banking.monitoring.check.check", lambda crm, days: [])
    assert bank.run("scorecard monitor", days=1).remarks == ()
