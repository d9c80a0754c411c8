"""Takes decisions for scored applications and files them, each once, never to be changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from crmkit.declarations import sql_name
from crmkit.entities import Money
from crmkit.errors import UsageError
from crmkit.learning import describe

from ..application.features import SUBJECT
from ..cards.card import Card
from ..cards.lines import Line
from ..cards.points import shifted
from .grades import FLOOR, grade_of
from .policy import APPROVE, KEY, RECORD, REFER, Applicant, Policy, propose

if TYPE_CHECKING:
    from crmkit.declarations import Scored
    from crmkit.entities.asof import AsOf
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

SCORE, DECISION, SOURCE = "banking.application", "banking.decision", "crmkit"
CHAMPION, CHALLENGER, SYSTEM = "champion", "challenger", "system"
# What is applied for; an approval holds for no more.
TERMS = ("amount", "term_months")
# What policy looks at, by the argument of Applicant.
LOOKED_AT = {
    "age": "banking.applicant_age",
    "bankrupt": "banking.applicant_bankrupt",
    "kyc_status": "banking.applicant_kyc_status",
    "dsti": "banking.application_dsti",
}


def change_policy(crm: Crm, values: Mapping[str, Any]) -> Policy:
    """Changes what is given of the bank's policy, and gives the policy that is then in force.

    Raises:
        UsageError: if it would approve below where it refers, or name a challenger that is not stored.
    """
    challenger = values.get("challenger_version")
    stored = crm.scores.versions(SCORE)
    if challenger and challenger not in stored:
        known = ", ".join(map(str, stored)) or "none yet; crmkit score train banking.application"
        raise UsageError(f"there is no card version {challenger} of {SCORE} (stored: {known}).")
    values = {**values, **({"challenger_version": None} if challenger == 0 else {})}
    with crm.store.begin("decision policy") as tx:
        made = crm.store.records.set(RECORD, source=SOURCE, ref=KEY, values=values, tx=tx)
        return Policy.of(made.values)


@frozen(kw_only=True)
class Computed:
    """A decision as computed from card, inputs and policy, before it is filed."""

    points: int
    pd: float
    grade: str
    outcome: str
    by_policy: str | None
    reasons: tuple[str, ...]
    points_by_input: str


def policy_at(crm: Crm, as_of: AsOf | None = None, tx: Tx | None = None) -> Policy:
    """The policy in force, now or at an instant; the usual one where the bank has filed none."""
    rows = crm.store.records.read(RECORD, ["id"], where={"ref": KEY}, tx=tx)
    if not rows:
        return Policy()
    record = (
        crm.store.records.get(RECORD, rows[0][0], tx=tx)
        if as_of is None
        else crm.store.records.at(RECORD, rows[0][0], as_of.instant)
    )
    return Policy() if record is None else Policy.of(record.values)


def compute(
    crm: Crm, subjects: Sequence[int], as_of: AsOf, version: int, policy: Policy
) -> dict[int, Computed]:
    """What a card and a policy say of applications as they stood at an instant, by id."""
    model = crm.scores.model(SCORE, version)
    card = Card(model)
    table = crm.scores.inputs(
        SCORE, subjects, as_of, version=version, also=tuple(LOOKED_AT.values())
    )
    found = {}
    lines = card.lines(table)
    values = model.predict(table)
    looked = {key: table.column(sql_name(name)).to_pylist() for key, name in LOOKED_AT.items()}
    for row, subject in enumerate(table.column("subject_id").to_pylist()):
        points = card.base + sum(line.points for line in lines[row])
        applicant = Applicant(**{key: column[row] for key, column in looked.items()})
        words = {line.feature: _words(crm, line) for line in lines[row]}
        proposal = propose(points, lines[row], words, applicant, policy)
        pd = float(values[row])
        if policy.real_bad_rate is not None:
            pd = shifted(pd, card.sheet["sample_bad_rate"], policy.real_bad_rate)
        pd = max(pd, FLOOR)
        found[subject] = Computed(
            points=points, pd=pd, grade=grade_of(pd), outcome=proposal.outcome,
            by_policy=proposal.by_policy, reasons=proposal.reasons, points_by_input=_as_json(card.base, lines[row]),
        )  # fmt: skip
    return found


def decide(crm: Crm, scored: Scored, tx: Tx) -> None:
    """Files a decision for every scored application that has none yet.

    One that was referred is decided anew when card or policy say something else of it or by other
    inputs, and one that was referred or approved when more is applied for than was decided on; else a
    decision stays as it is, whatever is scored later.
    """
    policy = policy_at(crm, tx=tx)
    last = latest_decisions(crm, scored.subjects, tx=tx)
    hashes = dict(zip(scored.subjects, scored.inputs_hashes, strict=True))
    asked = [s for s in scored.subjects if s not in last or is_open(last[s])]
    if not asked:
        return
    said = compute(crm, asked, scored.as_of, scored.version, policy)
    wanted = [
        s for s in asked if s not in last or _differs(last[s], said[s], hashes[s], scored.version)
    ]
    if not wanted:
        return
    roles = [(CHAMPION, scored.version)]
    challenger = policy.challenger_version
    if challenger is not None and challenger != scored.version:
        roles.append((CHALLENGER, challenger))
    for role, version in roles:
        found = (
            {s: said[s] for s in wanted}
            if role == CHAMPION
            else compute(crm, wanted, scored.as_of, version, policy)
        )
        card_hash = crm.scores.model(SCORE, version).hash
        terms = _terms(crm, wanted, scored.as_of, tx)
        rows = [
            {
                "as_of_at": scored.as_of.instant, "card_version": version, "card_hash": card_hash,
                "role": role, "points": one.points, "pd": one.pd, "grade": one.grade,
                "proposed": one.outcome, "outcome": one.outcome, "reasons": list(one.reasons),
                "points_by_input": one.points_by_input, "inputs_hash": hashes[subject],
                "decided_by": SYSTEM, "override_reason": None, "seconded_by": None,
                **terms[subject],
            }
            for subject, one in found.items()
        ]  # fmt: skip
        file(crm, list(found), rows, tx)


def file(crm: Crm, applications: Sequence[int], rows: Sequence[Mapping[str, Any]], tx: Tx) -> None:
    """Files decisions of some applications, in one go."""
    refs = dict(crm.store.records.read(SUBJECT, ["id", "ref"], among={"id": applications}, tx=tx))
    now = crm.clock()
    stamp = now.strftime("%Y%m%dT%H%M%S%f")
    names = list(rows[0])
    crm.store.records.put(
        DECISION,
        source=SOURCE,
        refs=[
            f"{refs[application]}:{stamp}:{row['role']}"
            for application, row in zip(applications, rows, strict=True)
        ],
        values={
            "decided_at": [now] * len(rows),
            "score": [SCORE] * len(rows),
            "application": [refs[application] for application in applications],
            **{name: [row[name] for row in rows] for name in names},
        },
        owners=list(applications),
        tx=tx,
    )


def latest_decisions(
    crm: Crm, applications: Sequence[int], *, tx: Tx | None = None
) -> dict[int, dict[str, Any]]:
    """The last decision of each application, by its id; those without one are left out.

    ``outgrown`` says whether more is applied for now than it decided on, in amount or term or in
    another currency: then an approval stands no more.
    """
    names = [
        "owner_id", "id", "ref", "decided_at", "as_of_at", "card_version", "card_hash", "role",
        "points", "pd", "grade", "proposed", "outcome", "reasons", "points_by_input", "inputs_hash",
        "decided_by", "seconded_by", "override_reason", "outcome_known", *TERMS,
    ]  # fmt: skip
    asked = {
        application: terms
        for application, *terms in crm.store.records.read(
            SUBJECT, ["id", *TERMS], among={"id": applications}, tx=tx
        )
    }
    rows = crm.store.records.read(
        DECISION, names, among={"owner_id": applications}, where={"role": CHAMPION},
        sort=["decided_at"], tx=tx,
    )  # fmt: skip
    found = {}
    for row in rows:
        one = dict(zip(names, row, strict=True))
        one["outgrown"] = any(
            is_more(now, then)
            for now, then in zip(asked[one["owner_id"]], (one[t] for t in TERMS), strict=True)
        )
        found[one["owner_id"]] = one
    return found


def is_open(last: Mapping[str, Any]) -> bool:
    """Whether the card may decide anew after this decision: a referral, or an approval of less."""
    return last["outcome"] == REFER or (last["outcome"] == APPROVE and last["outgrown"])


def _differs(last: Mapping[str, Any], said: Computed, inputs_hash: str, version: int) -> bool:
    before = (
        last["inputs_hash"],
        last["card_version"],
        last["outcome"],
        list(last["reasons"] or ()),
    )
    now = (inputs_hash, version, said.outcome, list(said.reasons))
    return bool(last["outgrown"]) or before != now


def _terms(crm: Crm, applications: Sequence[int], as_of: AsOf, tx: Tx) -> dict[int, dict[str, Any]]:
    """What each application asked for at its inputs' instant, and whether its outcome is known, by id."""
    found = {}
    for application, since, bad, *terms in crm.store.records.read(
        SUBJECT, ["id", "valid_from", "bad", *TERMS], among={"id": applications}, tx=tx
    ):
        values: Mapping[str, Any] = dict(zip(TERMS, terms, strict=True))
        if since >= as_of.instant and (
            then := crm.store.records.at(SUBJECT, application, as_of.instant, tx=tx)
        ):
            values = then.values
        found[application] = {
            "outcome_known": bad is not None,
            **{name: values.get(name) for name in TERMS},
        }
    return found


def is_more(now: Money | int | None, then: Money | int | None) -> bool:
    """Whether more is applied for; what a decision did not state, as those of earlier versions, is not."""
    if isinstance(now, Money) and isinstance(then, Money):
        return now.currency != then.currency or now.minor > then.minor
    return isinstance(now, int) and isinstance(then, int) and now > then


def _words(crm: Crm, line: Line) -> str:
    feature = crm.catalog.features[line.feature]
    special = feature.special.get(line.value) if isinstance(line.value, (int, float)) else None
    if special is not None:
        return f"{feature.title}: {special}"
    if line.value is None:
        return f"{feature.title} is not known"
    return describe(feature, line.value, crm.settings.currency)


def _as_json(base: int, lines: Sequence[Line]) -> str:
    held = [{"input": "base", "value": None, "bin": "everybody", "points": base, "lost": 0}]
    held += [
        {"input": line.feature, "value": line.value, "bin": line.bin, "points": line.points,
         "lost": line.lost}
        for line in lines
    ]  # fmt: skip
    return json.dumps(held, ensure_ascii=False, default=str)
