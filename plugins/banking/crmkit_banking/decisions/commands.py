"""The verbs of ``crmkit decision`` and ``crmkit scorecard``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import asdict

from crmkit.columns import count, day, flag, instant, integer, items, number, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType, Money
from crmkit.errors import NotFound, UsageError

from .policy import NEEDED

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm

T = FieldType
MINOR_UNITS = "minor units"
NOTHING = "nothing"
APPLICATION = Parameter(
    name="application", type=T.TEXT, positional=True, required=True, title="Ref of the application",
    title_zh="申请编号",
)  # fmt: skip
DECIDED = (
    text("application", "Application", "申请"), instant("decided_at", "Decided at", "决策时间"),
    text("role", "Role", "角色"), integer("card_version", "Card version", "评分卡版本"),
    integer("points", "Points", "分数", "point"), number("pd", "PD", "违约概率"),
    text("grade", "Grade", "等级"), text("proposed", "Proposed", "系统建议"),
    text("outcome", "Decision", "决策"), items("reasons", "Reasons", "原因"),
    text("decided_by", "Decided by", "决策人"), text("seconded_by", "Second officer", "复核人"),
    text("override_reason", "Reason of a person", "人工理由"),
)  # fmt: skip


def list_decisions(crm: Crm, application: str) -> Answer:
    """Every decision of an application, oldest first."""
    from .person import of_application, outgrown

    rows = of_application(crm, application)
    remarks = ()
    if outgrown(crm, application):
        remarks = (f"More is applied for in {application} now than was decided on: score it anew.",)
    return Answer(rows=[{"application": application, **row} for row in rows], remarks=remarks)


def take_decision(
    crm: Crm, application: str, outcome: str, reason: str | None, second: str | None
) -> Answer:
    """The decision of a person."""
    from .person import take

    return Answer(rows=[take(crm, application, outcome, reason, second)])


def set_policy(crm: Crm, may_be_unknown: Sequence[str], **given: Any) -> Answer:
    """Sets what is given of the credit policy, and shows the policy in force."""
    from .take import change_policy, policy_at

    values = {name: value for name, value in given.items() if value is not None}
    if may_be_unknown:
        values["may_be_unknown"] = [name for name in may_be_unknown if name != NOTHING]
    policy = change_policy(crm, values) if values else policy_at(crm)
    return Answer(rows=[asdict(policy)])


def explain_decisions(crm: Crm, application: str) -> Answer:
    """Every filed decision of an application, recomputed from card, policy and inputs of its time."""
    from .explain import recomputed

    found = [recomputed(crm, row["id"]) for row in _held(crm, application)]
    strayed = [row["decision"] for row in found if not row["same"]]
    return Answer(
        rows=[{"application": application, **row} for row in found],
        remarks=tuple(f"decision {ref} does not recompute to what was filed." for ref in strayed),
    )


def show_points(crm: Crm, application: str) -> Answer:
    """What every input gave in the decision that stands; the points sum exactly to the score."""
    import json

    held = [row for row in _held(crm, application) if row["role"] == "champion"][-1]
    lines = json.loads(held["points_by_input"])
    return Answer(
        rows=[
            {**line, "value": _shown(crm, line), "bin": in_currency(line["bin"], crm)}
            for line in lines
        ],
        remarks=(
            f"{sum(line['points'] for line in lines)} points in all, by card version "
            f"{held['card_version']}.",
        ),
    )


def file_outcomes(crm: Crm, as_of: AsOf, days: int) -> Answer:
    """How the loans went, filed with the applications that led to them."""
    from .outcomes import file_outcomes as file

    if days < 90:
        raise UsageError(f"--days is {days}: a default takes 90 at least.")
    rows = file(crm, as_of, days)
    bads = sum(row["bad"] for row in rows)
    return Answer(rows=rows, remarks=(f"{len(rows)} outcomes filed, {bads} of them bad.",))


def in_currency(label: str, crm: Crm) -> str:
    """The label of a bin of amounts with its bounds in the workspace's currency."""
    if not label.endswith(MINOR_UNITS):
        return label
    currency = crm.settings.currency
    bounds = re.sub(r"[0-9.]+", lambda m: str(Money(round(float(m[0])), currency)), label)
    return bounds.removesuffix(MINOR_UNITS) + currency


def _shown(crm: Crm, line: dict[str, Any]) -> str | None:
    value, feature = line["value"], crm.catalog.features.get(line["input"])
    if value is None:
        return None
    if feature is not None and feature.type is T.MONEY:
        return f"{Money(value, crm.settings.currency)} {crm.settings.currency}"
    return str(value)


def _held(crm: Crm, application: str) -> list[dict[str, Any]]:
    from .person import of_application

    held = of_application(crm, application)
    if not held:
        raise NotFound(
            "decision of application", application,
            hint=f"Score it first: crmkit score run banking.application {application}",
        )  # fmt: skip
    return held


def show_scorecard(crm: Crm, version: int | None) -> Answer:
    """The sheet of a card: every bin with its counts, weight of evidence and points."""
    from ..cards.card import Card
    from ..cards.filing import sheet_rows
    from .take import SCORE

    model = crm.scores.model(SCORE, version)
    card = Card(model)
    remark = (
        f"version {model.version}: {card.base} points for everybody and those of one bin of each "
        f"input; {card.scale.points:g} points are odds of {card.scale.odds:g} to 1, and "
        f"{card.scale.pdo:g} more double them. Hash {model.hash}."
    )
    rows = [{**row, "bin": in_currency(row["bin"], crm)} for row in sheet_rows(model)]
    return Answer(rows=rows, remarks=(remark,))


def monitor(crm: Crm, days: int) -> Answer:
    """Stability, observed over expected and overrides of the last days; files the figures."""
    from ..monitoring.behaviour import check_runs
    from ..monitoring.bounds import LEAST
    from ..monitoring.check import check, file_check

    if days < 1:
        raise UsageError(f"--days is {days}, not 1 or more.")
    rows = [*check(crm, days), *check_runs(crm)]
    file_check(crm, rows)
    few = [row for row in rows if row["psi"] is None]
    remarks = tuple(
        f"{row['score']} version {row['card_version']}: {row['decisions']} are too few to tell "
        f"chance from drift; {LEAST} are needed."
        for row in few
    )
    return Answer(rows=rows, remarks=remarks)


def stability(crm: Crm, days: int) -> Answer:
    """The stability index of every input."""
    from ..monitoring.check import check

    rows: list[dict[str, Any]] = [
        {"card_version": row["card_version"], "input": name, "csi": value}
        for row in check(crm, days)
        for name, value in sorted(row["csi"].items(), key=lambda item: (-item[1], item[0]))
    ]
    return Answer(rows=rows)


DAYS = Parameter(
    name="days", type=T.INTEGER, default=90, title="Decisions of so many days", title_zh="天数"
)

COMMANDS = (
    Command(
        name="decision list", run=list_decisions, parameters=[APPLICATION], columns=DECIDED,
        help="List the decisions of an application, challengers' too.",
        example="crmkit decision list A-1001",
    ),
    Command(
        name="decision take", run=take_decision, writes=True, single=True, columns=DECIDED,
        help="Take a decision in person: of what was referred, or against card and policy.\n\n"
        "Files a decision beside those before, with who took it and why: of a refusal the reason is the "
        "first that the applicant is given. To approve what the policy declines takes a second officer.",
        example="crmkit decision take A-1001 approve --reason \"guarantor found\"",
        parameters=[
            APPLICATION,
            Parameter(
                name="outcome", type=T.TEXT, positional=True, required=True, title="Decision",
                title_zh="决策", choices=("approve", "decline", "withdrawn"),
            ),
            Parameter(name="reason", type=T.TEXT, title="Why; needed to approve or decline", title_zh="理由"),
            Parameter(name="second", type=T.TEXT, title="Officer who agrees to override a decline of the policy", title_zh="复核人"),
        ],
    ),
    Command(
        name="decision policy", run=set_policy, writes=True, single=True,
        help="Show the credit policy, or change what is given of it.\n\nIt holds for decisions from then on; "
        "its history is kept, and those that are filed stay as they are.",
        example="crmkit decision policy --approve-from 560 --may-be-unknown dsti",
        parameters=[
            Parameter(name="approve_from", type=T.INTEGER, title="Points from which to approve", title_zh="通过分数线"),
            Parameter(name="refer_from", type=T.INTEGER, title="Points from which to refer to a person", title_zh="转人工分数线"),
            Parameter(name="dsti_limit", type=T.NUMBER, title="Most debt service to income; 0.45 is 45 %", title_zh="偿债收入比上限"),
            Parameter(name="adult_age", type=T.INTEGER, title="Age of majority, in years", title_zh="成年年龄"),
            Parameter(name="real_bad_rate", type=T.NUMBER, title="Rate of bads in the trade; 0.05 is 5 %", title_zh="真实坏账率"),
            Parameter(name="challenger_version", type=T.INTEGER, title="Version of the card to run beside; 0 runs none", title_zh="挑战者版本"),
            Parameter(
                name="may_be_unknown", type=T.TEXT, multiple=True, choices=(*NEEDED, NOTHING),
                title="What need not be known to approve", title_zh="允许缺失",
            ),
        ],
        columns=(
            integer("approve_from", "Approve from", "通过分数线", "point"),
            integer("refer_from", "Refer from", "转人工分数线", "point"),
            number("dsti_limit", "Limit of debt service", "偿债收入比上限"),
            integer("adult_age", "Age of majority", "成年年龄", "year"),
            number("real_bad_rate", "Real rate of bads", "真实坏账率"),
            integer("challenger_version", "Challenger", "挑战者版本", None),
            items("may_be_unknown", "May be unknown", "允许缺失"),
        ),
    ),
    Command(
        name="decision explain", run=explain_decisions, parameters=[APPLICATION],
        help="Recompute the decisions of an application from card, policy and inputs of their time.",
        example="crmkit decision explain A-1001",
        columns=(
            *DECIDED[:5], text("proposed", "Proposed", "系统建议"), text("outcome", "Decision", "决策"),
            items("reasons", "Reasons", "原因"),
            integer("recomputed_points", "Recomputed points", "复算分数", "point"),
            text("recomputed_outcome", "Recomputed", "复算结论"), flag("same", "Same", "一致"),
        ),
    ),
    Command(
        name="decision points", run=show_points, parameters=[APPLICATION],
        help="Show what every input gave in the decision that stands.",
        example="crmkit decision points A-1001",
        columns=(
            text("input", "Input", "变量"), text("value", "Value", "取值"), text("bin", "Bin", "分箱"),
            integer("points", "Points", "分数", "point"),
            integer("lost", "Lost against the best bin", "失分", "point"),
        ),
    ),
    Command(
        name="decision outcomes", run=file_outcomes, writes=True, as_of=True,
        help="File how loans went with the applications that led to them.\n\nA loan names its application; "
        "it is bad when a statement of so many days after granting shows 90 days past due or a write-off, "
        "and good when it was watched for so long without. Outcomes that are there already stay.",
        example="crmkit decision outcomes --days 365",
        parameters=[
            Parameter(name="days", type=T.INTEGER, default=365, title="Days after granting", title_zh="放款后天数"),
        ],
        columns=(text("application", "Application", "申请"), flag("bad", "Went bad", "违约")),
    ),
    Command(
        name="scorecard show", run=show_scorecard,
        help="Show a card as a person reads it: bins, counts, weights of evidence, points.",
        example="crmkit scorecard show --version 1",
        parameters=[Parameter(name="version", type=T.INTEGER, title="Version; the latest if left out", title_zh="版本")],
        columns=(
            integer("card_version", "Version", "版本", None), text("input", "Input", "变量"),
            text("bin", "Bin", "分箱"), count("training_rows", "Rows", "样本数", "row"),
            count("bads", "Bads", "坏样本", "row"), number("woe", "WOE", "证据权重"),
            number("iv", "IV", "信息值"), integer("points", "Points", "分数", "point"),
        ),
    ),
    Command(
        name="scorecard monitor", run=monitor, writes=True,
        help="Check whether card and behaviour score still hold, and file the figures for the alarm "
        "rule.\n\nOf the card the decisions of the last days are looked at, of the score its last run "
        "over everyone.",
        example="crmkit scorecard monitor --days 90",
        parameters=[DAYS],
        columns=(
            text("score", "Score", "评分"),
            integer("card_version", "Card version", "评分卡版本", None), day("checked_on", "Checked on", "监控日"),
            count("decisions", "Decisions", "决策数", "decision"), number("psi", "PSI", "群体稳定性"),
            number("psi_by_chance", "PSI by chance", "随机波动上限"), number("csi_worst", "Worst CSI", "最大变量稳定性"), text("csi_input", "Of input", "变量"),
            number("observed_expected", "Observed over expected", "实际预期比"),
            number("override_rate", "Override rate", "改判率"), text("verdict", "Verdict", "结论"),
        ),
    ),
    Command(
        name="scorecard stability", run=stability,
        help="Show how far every input has moved from the card's training rows.",
        example="crmkit scorecard stability",
        parameters=[DAYS],
        columns=(
            integer("card_version", "Card version", "评分卡版本", None), text("input", "Input", "变量"),
            number("csi", "CSI", "变量稳定性"),
        ),
    ),
)  # fmt: skip
