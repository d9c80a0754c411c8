"""Features of one booking, known when it is made."""

from __future__ import annotations

from crmkit.declarations import Feature
from crmkit.entities import FieldType

TEXT, INTEGER, BOOLEAN, MONEY = (
    FieldType.TEXT, FieldType.INTEGER, FieldType.BOOLEAN, FieldType.MONEY,
)  # fmt: skip


def _whole(name: str, title: str, title_zh: str, unit: str = "1", phrase: str = "") -> Feature:
    return Feature(
        name=f"hotel.{name}", type=INTEGER, unit=unit, title=title, title_zh=title_zh, phrase=phrase
    )


def _choice(name: str, title: str, title_zh: str, phrase: str = "") -> Feature:
    return Feature(name=f"hotel.{name}", type=TEXT, title=title, title_zh=title_zh, phrase=phrase)


def _flag(name: str, title: str, title_zh: str, yes: str = "") -> Feature:
    phrase = {"true": yes} if yes else ""
    return Feature(
        name=f"hotel.{name}", type=BOOLEAN, title=title, title_zh=title_zh, phrase=phrase
    )


BOOKING = (
    _choice("booking_property", "Property", "酒店"),
    _whole("lead_days", "Lead time", "提前天数", "day", "booked {value} days ahead"),
    _whole("arrival_month", "Month of arrival", "到店月份"),
    _whole("arrival_week", "Week of arrival", "到店周"),
    _whole("arrival_day", "Day of the month", "到店日"),
    _whole("weekend_nights", "Weekend nights", "周末间夜", "night"),
    _whole("week_nights", "Week nights", "工作日间夜", "night"),
    _whole("adults", "Adults", "成人", "person"),
    _whole("children", "Children", "儿童", "person"),
    _whole("infants", "Infants", "婴儿", "person"),
    _choice("meal", "Meal plan", "餐食"),
    _choice("market_segment", "Market segment", "细分市场", "comes from the segment {value}"),
    _choice("distribution", "Distribution channel", "分销渠道"),
    _choice("channel", "Channel", "预订渠道"),
    _flag("repeat_guest", "Repeat guest", "回头客"),
    _whole(
        "previous_cancellations", "Earlier cancellations", "既往取消", "booking",
        "earlier cancellations: {value}",
    ),
    _whole("previous_stays", "Earlier bookings kept", "既往入住", "booking"),
    _choice("room_type_booked", "Room type booked", "预订房型"),
    _choice("deposit_kind", "Deposit", "押金", "deposit: {value}"),
    _choice("agent", "Agent", "代理商"),
    _choice("booking_company", "Company", "协议公司"),
    _choice("customer_type", "Kind of booking", "预订类型"),
    Feature(
        name="hotel.adr", type=MONEY, unit="money/night", title="Average daily rate",
        title_zh="日均房价",
    ),
    _whole("days_to_arrival", "Days to arrival", "距到店天数", "day"),
    _flag("guaranteed", "Guaranteed", "担保预订"),
)  # fmt: skip
