"""Repeat guests, value, channels, recovery, satisfaction, loyalty and coverage (H6)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, day, flag, integer, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report, ReportColumn
from crmkit.entities import FieldType

from ..visits import with_visits

SOURCE = "Hotel brief, section 7, reports (H6)."
N, SHARE = "guest", "1"


def _report(
    name: str, title: str, title_zh: str, columns: tuple[ReportColumn, ...], key: str, *, days: int = 0,
    method: str = "", source: str = SOURCE, order: tuple[str, ...] = (), chart: Chart | None = None,
    headline: Headline | None = None, more: tuple[Parameter, ...] = (), notes: str = "",
    scores: tuple[str, ...] = (),
) -> Report:  # fmt: skip
    window = (
        (Parameter(name="days", type=FieldType.INTEGER, default=days, unit="day", title="Within", title_zh="天数"),)
        if days
        else ()
    )  # fmt: skip
    return Report(
        name=f"hotel.{name}", title=title, title_zh=title_zh,
        sql=with_visits(resource_text(__package__, f"{name.replace('-', '_')}.sql")),
        columns=columns, key=(key,),
        order=order, parameters=(*window, *more), charts=(chart,) if chart else (),
        headline=headline, method=method, source=source, notes=notes, scores=scores,
    )  # fmt: skip


def guests_reports() -> list[Report]:
    """Ten reports."""
    return [
        _report(
            "repeat-rate", "Guests who come again, by year of the first stay", "回头率",
            (
                integer("cohort", "First stay in", "首住年份", None), count("guests", "Guests", "客人", N),
                count("again", "Came again", "再次入住", N), number("repeat_rate", "Repeat rate", "回头率"),
                number("within_year", "Within a year", "一年内"),
                integer("median_gap", "Median gap", "间隔中位数", "day"),
            ),
            "cohort", method="By the first two visits on file; stays that overlap, as two rooms of one night, are one.",
            chart=Chart(kind="bar", x="cohort", y="repeat_rate", title="Repeat rate", title_zh="回头率"),
            headline=Headline(column="again", total=True),
        ),
        _report(
            "value-segments", "What segments of guests bring", "客群价值",
            (
                text("segment", "Segment", "客群"), count("guests", "Guests", "客人", N),
                number("guest_share", "Share of guests", "人数占比"), count("nights", "Nights", "间夜", "night"),
                money("revenue", "Revenue", "收入"), number("revenue_share", "Share of revenue", "收入占比"),
                number("beside_room", "Of it beside the room", "非客房占比"),
            ),
            "segment", days=365, order=("-revenue_share",),
            more=(Parameter(name="by", type=FieldType.TEXT, default="pyramid", choices=("pyramid", "stays", "market"), title="Grouped by", title_zh="分组"),),
            method="Revenue of stays that ended in the window. beside_room is what a segment spends in "
            "our restaurants, spa and the like: what it spends elsewhere is not known here.",
            chart=Chart(kind="bar", x="segment", y="revenue_share", title="Share of revenue", title_zh="收入占比"),
        ),
        _report(
            "channels", "What channels bring and cost", "渠道成本",
            (
                text("channel", "Channel", "渠道"), count("bookings", "Bookings", "预订", "booking"),
                number("share", "Share", "占比"), number("lost_rate", "Not kept", "取消率"),
                count("nights", "Nights", "间夜", "night"), money("revenue", "Room revenue", "客房收入"),
                money("cost", "Commission", "佣金"), number("cost_rate", "Commission rate", "佣金率"),
                flag("is_direct", "Direct", "直销"),
            ),
            "channel", days=365, order=("-bookings",), method="Arrivals in the window; revenue is nights times the average daily rate.",
            chart=Chart(kind="bar", x="channel", y="share", title="Share of bookings", title_zh="预订占比"),
        ),
        _report(
            "recovery", "Complaints and who came back", "投诉挽回",
            (
                text("outcome", "Outcome", "结果"), count("guests", "Guests", "客人", N),
                count("back", "Came back", "再次入住", N), number("return_rate", "Return rate", "回头率"),
                number("first_action_minutes", "Until the first action", "首次行动用时", "minute"),
            ),
            "outcome", days=730,
            method="By the last complaint in the window; back is a stay that began after it. Who did not "
            "complain counts from the first check-out in the window. The first action is the mean over "
            "complaints that had one.",
            notes="Guests who are still travelling may yet come back; compare outcomes, not levels.",
        ),
        _report(
            "nps", "Net promoter score and satisfaction by touchpoint", "净推荐值与满意度",
            (
                text("touchpoint", "Touchpoint", "接触点"), count("n", "Answers", "答复", "answer"),
                number("promoters", "Promoters", "推荐者"), number("detractors", "Detractors", "贬损者"),
                number("nps", "NPS", "净推荐值", "point"), number("low", "From", "下限", "point"),
                number("high", "To", "上限", "point"), count("csat_n", "Ratings", "评分数", "answer"),
                number("csat", "Satisfied", "满意率"), number("csat_low", "Satisfied from", "满意率下限"),
                number("csat_high", "Satisfied to", "满意率上限"),
            ),
            "touchpoint", days=365,
            method="100 (p - d); interval of 1.96 standard errors 100 sqrt((p + d - (p - d)^2) / n). "
            "Satisfied is the share of 4 and 5 of 5, with Wilson's interval at 95 %.",
            source=f"{SOURCE} Section 1, measures; Wilson (1927), JASA 22, 10.1080/01621459.1927.10502953.",
        ),
        _report(
            "coverage", "How much is known of arriving guests", "偏好覆盖",
            (
                text("property", "Property", "酒店"), count("guests", "Guests", "客人", N),
                count("covered", "With three fresh preferences", "三项以上", N),
                number("coverage", "Share", "占比"), number("mean_fresh", "Fresh preferences", "平均有效偏好", "preference"),
                number("mean_age_days", "Mean age", "平均时长", "day"),
            ),
            "property", days=30,
            method="Guests who arrived in the window or are expected within two days. Fresh is declared or "
            "learnt, and confirmed within two years or of a kind that does not fade; the age is that of "
            "the last confirmation.",
        ),
        _report(
            "next-stay", "When guests are next expected", "预计下次入住",
            (
                CUSTOMER, count("gaps", "Gaps seen", "间隔数", "gap"), day("last_on", "Last stay", "上次离店"),
                day("from_on", "From", "最早"), day("expected_on", "Expected", "预计"), day("until_on", "Until", "最晚"),
                integer("overdue_days", "Overdue", "逾期天数", "day"),
            ),
            "customer_id", order=("-overdue_days",),
            more=(Parameter(name="gaps", type=FieldType.INTEGER, default=2, unit="gap", title="At least so many gaps seen", title_zh="至少间隔数"),),
            method="Last departure plus the quartiles, by rank, of the guest's own gaps between stays: half "
            "of the past gaps lie in the interval. Negative overdue days are days still to go.",
        ),
        _report(
            "cold-welcome", "Regulars who cool off", "常客遇冷",
            (
                CUSTOMER, text("tier", "Tier", "等级"), integer("days_since_stay", "Since the last stay", "距上次天数", "day"),
                integer("usual_gap", "Usual gap", "通常间隔", "day"), number("gap_ratio", "Ratio", "间隔比"),
                number("last_fulfilment", "Fulfilled", "上次兑现率"), flag("benefits_missed", "Benefits missed", "权益未兑现"),
                text("why", "Why", "原因"),
            ),
            "customer_id", order=("-gap_ratio",), source="Hotel brief, section 7, rule H-R7.",
            method="Gold and above: away for more than twice the usual gap, two stays fulfilled below 70 %, "
            "or benefits of the tier not given at the last stay.",
        ),
        _report(
            "loyalty", "Points owed and points that ran out", "积分负债",
            (
                text("tier", "Tier", "等级"), count("members", "Members", "会员", "member"),
                count("outstanding", "Outstanding", "未兑积分", "point"), count("earned", "Earned", "获得积分", "point"),
                count("expired", "Run out", "过期积分", "point"), number("breakage", "Breakage", "过期率"),
            ),
            "tier", headline=Headline(column="outstanding", total=True),
            method="Sums of the entries of the points ledger by the tier that members have now. Breakage is "
            "what ran out by what was earned.",
        ),
        _report(
            "calibration", "Cancellation score against what happened", "取消预测校准",
            (
                integer("band", "Tenth", "十分位", None), count("bookings", "Bookings", "预订", "booking"),
                number("expected", "Expected", "预测"), number("observed", "Observed", "实际"),
                count("ended", "Ended", "已结束", "booking"),
            ),
            "band", chart=Chart(kind="point", x="expected", y="observed", title="Expected and observed", title_zh="预测与实际"),
            method="The last score of each booking; expected is its mean in a tenth, observed the share of "
            "ended bookings that were cancelled or not kept.",
            notes="Shows nothing while the score has not been run, or none of its bookings has ended.",
        ),
    ]  # fmt: skip
