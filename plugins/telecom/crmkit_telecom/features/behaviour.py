"""Features of what a customer does and meets: bills, usage, network, contacts, top-ups, neighbours."""

from __future__ import annotations

from typing import Any

from crmkit.declarations import Feature
from crmkit.entities import FieldType

INTEGER, NUMBER = FieldType.INTEGER, FieldType.NUMBER


def _number(
    name: str, unit: str, title: str, title_zh: str, phrase: str = "", description: str = ""
) -> Feature:
    return Feature(
        name=f"telecom.{name}", type=NUMBER, unit=unit, title=title, title_zh=title_zh,
        phrase=phrase, description=description,
    )  # fmt: skip


def _count(
    name: str, unit: str, title: str, title_zh: str, phrase: Any = "", missing: int | None = 0,
    *, description: str,
) -> Feature:  # fmt: skip
    return Feature(
        name=f"telecom.{name}", type=INTEGER, unit=unit, title=title, title_zh=title_zh,
        phrase=phrase, missing=missing, description=description,
    )  # fmt: skip


def _money(
    name: str, title: str, title_zh: str, missing: int | None = None, *, description: str
) -> Feature:
    return Feature(
        name=f"telecom.{name}", type=FieldType.MONEY, unit="money", title=title, title_zh=title_zh,
        missing=missing, description=description,
    )  # fmt: skip


BILLING = (
    _number(
        "bill_shock_ratio", "1", "Last bill against the usual", "最近账单与常态之比",
        "the last bill is {value:.1f} times the usual",
        "Last bill over the mean of the three before it; missing with fewer than four bills.",
    ),
    _number(
        "bill_shock_3m", "1", "Highest recent bill against the usual", "近三月最高账单与常态之比",
        "a recent bill was {value:.1f} times the usual",
        "The greatest of the last three bills, each over the mean of the three before it.",
    ),
    _money("bill_amount", "Last bill", "最近账单", description="The amount of the latest bill, the lines added up, in minor units; a credit note (a negative bill) is not a bill."),
    _number(
        "bill_change", "1", "Change of the bill", "账单环比",
        "the bill changed by {value:+.0%} against the month before",
        "Last bill against the one before, less one.",
    ),
    _number(
        "overage_share_3m", "1", "Share of overage", "超额费用占比",
        "{value:.0%} of the last three bills is outside the allowance",
        "Charges outside the allowance over the last three bills.",
    ),
    _number(
        "spend_trend_3m", "1", "Change of spend", "消费变化",
        "spend changed by {value:+.0%} within three months",
        "Last three bills against the three before, less one.",
    ),
    _count("days_overdue", "day", "Days overdue", "逾期天数", "a bill is {value} days overdue", description="Of the oldest bill past its due date of which any amount is open: payments for the same line and due date less reversals (negative payments), then credit notes (negative bills), surpluses and payments without a due date, oldest bill first. A payment without an amount pays nothing."),
)  # fmt: skip

PAYMENTS = (
    _count(
        "late_payments_12m", "payment", "Late payments", "逾期缴费次数",
        "late payments in twelve months: {value}",
        description="Bills paid after their due date, in parts or whole, within 365 days; a late payment that was reversed does not count.",
    ),
)  # fmt: skip

USAGE = (
    _number("data_gb", "GB/month", "Data in the last month", "最近月流量", description="Of the latest monthly summary, all lines together."),
    _number("voice_min", "min/month", "Voice in the last month", "最近月主叫", description="Outgoing minutes of the latest monthly summary, all lines together."),
    _number(
        "data_use_of_allowance", "1", "Data use of the allowance", "流量额度使用率",
        "uses {value:.0%} of the data allowance",
        "Mean of the last three months; over one is paid extra, far under one is paid for nothing.",
    ),
    _number(
        "voice_use_of_allowance", "1", "Voice use of the allowance", "语音额度使用率",
        "uses {value:.0%} of the voice allowance",
        description="Mean of the last three months, lines without a limit left out.",
    ),
    _count(
        "full_months_3m", "month", "Months at the limit", "流量将满月数",
        "used up the data allowance in {value} of three months",
        description="Of the last three months, those with at least four fifths of the data allowance used.",
    ),
    _number(
        "usage_trend_3m", "1", "Change of usage", "使用量变化",
        "usage changed by {value:+.0%} against the three months before",
        "Last month against the mean of the three before it, data and voice alike; less one.",
    ),
    _count(
        "days_since_usage", "day", "Days since the last usage", "静默天数",
        "has been silent for {value} days", missing=None,
        description="Since the end of the latest month with any data, voice or messages; without one, since the oldest summary.",
    ),
    _number(
        "dropped_call_rate", "1", "Dropped calls", "掉话率", "{value:.1%} of calls break off",
        "The worse of the last two months.",
    ),
    _count(
        "outage_minutes_3m", "min", "Outage in three months", "近三月中断时长",
        "had {value} minutes of outage in three months",
        description="The worst line's minutes without service, over the last three months.",
    ),
    _count("outage_minutes", "min", "Outage in the last month", "最近月中断时长", description="The worst line's minutes without service in the latest month."),
    _number("downlink_mbps", "Mbit/s", "Downlink", "下行速率", "downloads at {value} Mbit/s", description="The slowest of the lines in the latest month."),
    _count("roaming_days_3m", "day", "Roaming days", "漫游天数", description="Days abroad of the last three months, all lines together."),
    _count("distinct_contacts", "person/month", "Contacts", "联系人数", missing=None, description="People called or messaged in the latest month, summed over the lines."),
    _number("offnet_share", "1", "Calls to other networks", "网间通话占比",
            "{value:.0%} of calls go to other networks", description="Mean share of calls to other networks over the last three months."),
)  # fmt: skip

CONTACTS = (
    _count("complaints_90d", "complaint", "Complaints", "投诉", "complaints in 90 days: {value}", description="Of any topic, within 90 days."),
    _count("network_complaints_90d", "complaint", "Complaints about the network", "网络投诉",
           "complaints about the network in 90 days: {value}", description="Complaints of 90 days whose topic is the network."),
    _count("service_complaints_90d", "complaint", "Complaints about service", "服务投诉",
           "complaints about service in 90 days: {value}", description="Complaints of 90 days whose topic is service."),
    _count("billing_complaints_90d", "complaint", "Complaints about bills", "账单投诉",
           "complaints about bills or price in 90 days: {value}", description="Complaints of 90 days whose topic is billing or price."),
    _count("service_calls_90d", "call", "Service calls", "客服来电",
           "calls to the service line in 90 days: {value}", description="Calls to the service line on any topic, within 90 days."),
    _count("unsolved_calls_90d", "call", "Unsolved calls", "未解决来电",
           "calls not solved in 90 days: {value}", description="Calls of 90 days that were closed without a solution."),
    _count("repeat_contacts_30d", "contact", "Repeated contacts", "重复来电",
           "contacts on one topic in 30 days: {value}", description="The most calls and complaints on one topic within 30 days."),
    _count("port_out_requests_60d", "request", "Port-out code requests", "携出授权码申请",
           "asked for the code to take the number away", description="Requests for the code with which the number goes to another operator that were not withdrawn, within 60 days."),
    _count("cancellation_requests_60d", "request", "Cancellation requests", "销户申请",
           "asked to cancel", description="Requests that were not withdrawn, within 60 days."),
    _count("network_faults_90d", "fault", "Network faults", "网络故障", description="Faults that hit the customer, within 90 days."),
    _count("plan_downgrades_180d", "change", "Moves to a smaller plan", "降档次数",
           "moved to a smaller plan", description="Within 180 days."),
    _count("retention_offers_180d", "offer", "Retention offers", "挽留次数", description="Offers made, whatever their result, without the control group; within 180 days."),
    _count("offers_accepted_180d", "offer", "Retention offers accepted", "挽留接受次数", description="Retention offers that were accepted, within 180 days."),
    _count("days_since_contact", "day", "Days since the last contact", "距上次联系天数", missing=None, description="Since the latest call, complaint or visit to a store, within 190 days."),
    _count("days_since_review", "day", "Days since the last account review", "距上次走访天数",
           missing=None, description="Since the account manager's latest review, within 190 days."),
)  # fmt: skip

TOPUP = (
    _count("days_since_topup", "day", "Days since the last top-up", "距上次充值天数",
           "has not topped up for {value} days", missing=None, description="Since the latest top-up, within 190 days."),
    _count("topups_90d", "top-up", "Top-ups", "充值次数", description="Top-ups within 90 days."),
    _money("topup_amount_90d", "Topped up", "充值金额", missing=0, description="The sum of top-ups of 90 days, in minor units."),
)  # fmt: skip

NEIGHBOURHOOD = (
    _count("household_departures_60d", "customer", "Departures in the household", "同户离网数", description="Voluntary terminations of 60 days among customers of the same household."),
    Feature(
        name="telecom.city_departure_share_60d", type=NUMBER, unit="1",
        title="Share of the city that left", title_zh="同城离网占比", missing=0.0,
        description="Voluntary terminations of 60 days over all customers of the city.",
    ),
    _number(
        "city_departure_ratio", "1", "Departures in the city against before", "同城离网环比", "",
        "Voluntary terminations of 60 days over those of the 60 days before.",
    ),
)  # fmt: skip
