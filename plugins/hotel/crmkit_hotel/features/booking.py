"""Features of one booking, known when it is made."""

from __future__ import annotations

from crmkit.declarations import Feature
from crmkit.entities import FieldType

TEXT, INTEGER, BOOLEAN, MONEY = (
    FieldType.TEXT, FieldType.INTEGER, FieldType.BOOLEAN, FieldType.MONEY,
)  # fmt: skip


def _whole(
    name: str, title: str, title_zh: str, unit: str, description: str, phrase: str = ""
) -> Feature:
    return Feature(
        name=f"hotel.{name}", type=INTEGER, unit=unit, title=title, title_zh=title_zh,
        description=description, phrase=phrase,
    )  # fmt: skip


def _choice(name: str, title: str, title_zh: str, description: str, phrase: str = "") -> Feature:
    return Feature(
        name=f"hotel.{name}", type=TEXT, title=title, title_zh=title_zh, description=description,
        phrase=phrase,
    )  # fmt: skip


def _flag(name: str, title: str, title_zh: str, description: str) -> Feature:
    return Feature(
        name=f"hotel.{name}", type=BOOLEAN, title=title, title_zh=title_zh, description=description
    )


BOOKING = (
    _choice("booking_property", "Property", "酒店", "Key of the house that is booked."),
    _whole("lead_days", "Lead time", "提前天数", "day", "From the booking to the day of arrival.", "booked {value} days ahead"),
    _whole("arrival_month", "Month of arrival", "到店月份", "1", "1 to 12."),
    _whole("arrival_week", "Week of arrival", "到店周", "1", "Weeks of seven days from 1 January on, 1 to 53."),
    _whole("arrival_day", "Day of the month", "到店日", "1", "Of the arrival, 1 to 31."),
    _whole("weekend_nights", "Weekend nights", "周末间夜", "night", "Saturday and Sunday nights that are booked."),
    _whole("week_nights", "Week nights", "工作日间夜", "night", "Monday to Friday nights that are booked."),
    _whole("adults", "Adults", "成人", "person", "As booked."),
    _whole("children", "Children", "儿童", "person", "As booked; missing where the booking does not say."),
    _whole("infants", "Infants", "婴儿", "person", "As booked."),
    _choice("meal", "Meal plan", "餐食", "As booked."),
    _choice("market_segment", "Market segment", "细分市场", "Of the booking, in the house's own terms.", "comes from the segment {value}"),
    _choice("distribution", "Distribution channel", "分销渠道", "By which the booking came, as the booking system states it."),
    _choice("channel", "Channel", "预订渠道", "By which the booking came, in the terms of the plugin."),
    _flag("repeat_guest", "Repeat guest", "回头客", "As the booking states it, else whether it counts earlier stays."),
    _whole("previous_cancellations", "Earlier cancellations", "既往取消", "booking", "Of the guest, as the booking states them.", "earlier cancellations: {value}"),
    _whole("previous_stays", "Earlier bookings kept", "既往入住", "booking", "Of the guest, as the booking states them."),
    _choice("room_type_booked", "Room type booked", "预订房型", "The one that is assigned is known at check-in only, and is no feature."),
    _choice("deposit_kind", "Deposit", "押金", "None, refundable or not.", "deposit: {value}"),
    _choice("agent", "Agent", "代理商", "Code of the agent; none for those who book themselves."),
    _choice("booking_company", "Company", "协议公司", "Code of the company that books or pays; none without one."),
    _choice("customer_type", "Kind of booking", "预订类型", "Transient, party, contract or group."),
    Feature(
        name="hotel.adr", type=MONEY, unit="money/night", title="Average daily rate",
        title_zh="日均房价", description="Price of the room by nights, as booked.",
    ),
    _whole("days_to_arrival", "Days to arrival", "距到店天数", "day", "From the day asked about; below 0 after the arrival."),
    _flag("guaranteed", "Guaranteed", "担保预订", "As the booking states it, else whether its deposit is not given back."),
)  # fmt: skip
