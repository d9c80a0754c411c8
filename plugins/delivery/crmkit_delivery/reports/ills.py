"""The six ills (W2)."""

from __future__ import annotations

from crmkit.columns import CUSTOMER, detail, instant, integer, number, text
from crmkit.declarations import Chart, Headline, Report

from ..sql import statement
from .asking import DEPOT, SHIPMENT, only, setting

BRIEF = "Delivery brief, section 8, rules D-R1 to D-R5 and D-R18."


def ills_reports() -> list[Report]:
    """The daily list."""
    return [
        Report(
            name="delivery.ills",
            title="The six ills: what is wrong now",
            title_zh="六大痛点日报",
            sql=statement("reports/ills", "tracking", "legs", "patience"),
            columns=[
                detail(integer("no", "Number", "序号", None)),
                text("ill", "Ill", "痛点"),
                detail(text("rule", "Rule", "规则")),
                *SHIPMENT,
                CUSTOMER,
                DEPOT,
                detail(instant("since_at", "Since", "起始时间")),
                number("hours", "For", "持续时长", "h"),
                text("must_act", "Who must act", "责任人"),
                text("say", "What to say", "答复话术"),
            ],
            key=("rule", "shipment_id"),
            order=("no", "-hours"),
            parameters=[
                only("depot", "Only this depot; empty is all", "网点，空为全部"),
                setting("out_hours", 10.0, "h", "Out for delivery longer than", "派送超时"),
                setting("trace_hours", 24.0, "h", "Traced after at least", "追查下限"),
                setting("city_hours", 4.0, "h", "Traced after at least, within a city", "同城追查下限"),
                setting("lost_days", 7.0, "day", "Proposed lost after", "拟定遗失"),
                setting("lost_days_abroad", 30.0, "day", "Proposed lost after, abroad", "国际拟定遗失"),
                setting("claim_hours", 24.0, "h", "Damage without a claim longer than", "破损未理赔"),
                setting("pay_days", 7.0, "day", "Approved and unpaid longer than", "批准未付"),
                setting("answer_hours", 24.0, "h", "Missing without an answer longer than", "遗失未答复"),
            ],
            charts=[Chart(kind="bar", x="ill", y="hours", color="rule", title="Hours by ill",
                          title_zh="各痛点时长")],
            headline=Headline(column="hours", total=True),
            method="The status of each shipment is that of its last scan, by event time, that could "
            "follow; scans count once they are recorded. A leg's 95 % point is by nearest rank over "
            "90 days of the lane. Every other open status has a number of hours after which silence is an "
            "ill (tables/statuses.csv), counted from the last scan, else from the planned collection or "
            "the order.",
            source=BRIEF,
            notes="Scans that skip steps or cannot follow are listed on the day on which they became "
            "known. `crmkit waybill recompute`, which the daily run does too, finds them.",
        )
    ]  # fmt: skip
