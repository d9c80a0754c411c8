"""The arrivals sheet of each department, and what the house is to expect (H3)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, day, detail, flag, integer, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

from ..preference.catalogue import catalogue, rows

DEPARTMENTS = (
    "front_office", "housekeeping", "kitchen", "food_beverage", "concierge", "engineering",
    "guest_relations",
)  # fmt: skip
SOURCE = "Hotel brief, sections 3 and 7 (H2, H3, rules H-R2, H-R5, H-R8, H-R15)."
COLUMNS = (
    CUSTOMER,
    detail(integer("reservation_id", "Reservation", "预订", None)),
    day("arrival_on", "Arrival", "到店日"),
    detail(text("eta", "Expected at", "预计到达")),
    detail(text("property", "Property", "酒店")),
    detail(text("purpose", "Trip purpose", "出行目的")),
    text("vip", "VIP", "贵宾级别"),
    text("tier", "Tier", "会员等级"),
    detail(count("stays", "Earlier stays", "既往入住", "stay")),
    detail(day("last_stay_on", "Last stay", "上次离店")),
    detail(count("open_cases", "Open complaints", "未结投诉", "case")),
    detail(text("privacy", "Privacy", "隐私级别")),
    text("department", "Department", "部门"),
    detail(text("code", "Code", "代码")),
    text("title", "What", "事项"),
    text("val", "Value", "取值"),
    detail(text("origin", "Comes from", "来源")),
    detail(number("confidence", "Confidence", "置信度")),
    detail(flag("required", "Required", "必须")),
    flag("can_be_met", "Can be met", "可满足"),
    detail(text("stand_in", "Substitute", "替代")),
    text("result", "Done", "完成情况"),
)


def arrivals_reports() -> list[Report]:
    """The sheet and the expectation: one statement, two questions."""
    sql = lines_sql()
    return [_arrivals(sql), _expectation(sql), _fulfilment()]


def lines_sql() -> str:
    """The statement with the tables of the catalogue written into it."""

    def quoted(value: object) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"

    def listed(lines: list[tuple[object, ...]]) -> str:
        return "VALUES " + ", ".join("(" + ", ".join(map(quoted, line)) + ")" for line in lines)

    codes = [
        (c.code, c.group, c.most, c.department, c.room, c.sensitive, c.required, c.many, c.title)
        for c in catalogue().values()
    ]
    others = [(r["code"], r["value"], r["substitute"]) for r in rows("substitutes.csv")]
    given = [
        (r["tier"], r["benefit"].upper(), r["department"], r["title"]) for r in rows("benefits.csv")
    ]
    text_ = resource_text(__package__, "lines.sql")
    for name, lines in (("catalogue", codes), ("substitutes", others), ("benefits", given)):
        text_ = text_.replace("{" + name + "}", listed(lines))
    return text_


def _parameters(days: int) -> tuple[Parameter, ...]:
    return (
        Parameter(name="date", type=FieldType.DATE, title="First day of arrival; the day after the as-of day where none is given", title_zh="到店日"),
        Parameter(name="days", type=FieldType.INTEGER, default=days, unit="day", title="Days of arrival", title_zh="天数"),
        Parameter(name="department", type=FieldType.TEXT, default="all", choices=("all", *DEPARTMENTS), title="Department whose lines are shown; sensitive values are shown to it alone", title_zh="部门"),
        Parameter(name="property", type=FieldType.TEXT, default="", title="Only this house", title_zh="酒店"),
    )  # fmt: skip


METHOD = (
    "Every arrival with what the guest said and what was learnt for such a trip (confidence on the "
    "day of arrival at least 0.6; from 0.4 it is asked), what the booking promised, what the tier "
    "gives, what is owed after a complaint, and occasions within three days. The front office is told "
    "of another booking of the guest for the same days. What the house tracks "
    "(hotel.supply) goes to required lines first, then by VIP level, tier and day of booking; where "
    "it runs out a substitute is named, and never one that the guest wants avoided."
)


def _arrivals(sql: str) -> Report:
    return Report(
        name="hotel.arrivals", title="Arrivals sheet", title_zh="到店准备单", sql=sql,
        columns=COLUMNS, key=("reservation_id", "department", "code", "val", "origin"),
        order=("arrival_on", "property", "reservation_id", "department"),
        parameters=_parameters(1), method=METHOD, source=SOURCE,
        notes="Guests who keep their presence or room secret are on it for those with the right "
        "hotel.presence alone; allergies, needs for access and wishes for privacy for those with "
        "hotel.care.",
    )  # fmt: skip


def _expectation(sql: str) -> Report:
    return Report(
        name="hotel.expectation", title="What guests expect in the next two days",
        title_zh="未来两日客人期望", sql=sql, columns=COLUMNS,
        key=("reservation_id", "department", "code", "val", "origin"),
        order=("arrival_on", "property", "reservation_id", "department"),
        parameters=_parameters(2), method=METHOD, source=SOURCE,
    )  # fmt: skip


def _fulfilment() -> Report:
    return Report(
        name="hotel.fulfilment", title="Preferences fulfilled by department and code",
        title_zh="偏好兑现率", sql=resource_text(__package__, "fulfilment.sql"),
        columns=(
            text("department", "Department", "部门"), text("code", "Code", "代码"),
            count("n", "Lines", "项数", "line"), count("met", "Met", "已满足", "line"),
            count("partly", "Partly", "部分满足", "line"), count("not_met", "Not met", "未满足", "line"),
            number("rate", "Fulfilled", "兑现率"), number("low", "From", "下限"),
            number("high", "To", "上限"),
        ),
        key=("department", "code"), order=("rate",),
        parameters=(
            Parameter(name="days", type=FieldType.INTEGER, default=90, unit="day", title="Arrivals within", title_zh="天数"),
        ),
        charts=(
            Chart(kind="bar", x="code", y="rate", color="department", title="Fulfilled", title_zh="兑现率"),
        ),
        headline=Headline(column="met", total=True),
        method="Lines of arrivals in the window that were marked, without those of bookings that were "
        "cancelled or not kept; a line that is partly met counts half. The interval is Wilson's at 95 %.",
        source="Hotel brief, section 7. Wilson (1927), JASA 22, 10.1080/01621459.1927.10502953.",
    )  # fmt: skip
