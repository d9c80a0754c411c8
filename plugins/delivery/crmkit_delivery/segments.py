"""Groups of customers to look after: who ships most, who drops away, whom we owe better."""

from __future__ import annotations

from crmkit.declarations import Segment

# Waybills in four weeks: about four, and one, a working day.
LARGE, REGULAR = 100, 24


def _segment(name: str, where: str, title: str, title_zh: str, description: str) -> Segment:
    return Segment(
        name=f"delivery.{name}",
        where=where,
        title=title,
        title_zh=title_zh,
        description=description,
    )


SEGMENTS = (
    _segment(
        "large-shippers", f"delivery_volume_4w >= {LARGE}", "Large shippers", "大客户",
        "Four waybills a working day and more: a visit and a contract of their own.",
    ),
    _segment(
        "regular-shippers", f"delivery_volume_4w >= {REGULAR} AND delivery_volume_4w < {LARGE}",
        "Regular shippers", "常寄客户", "About a waybill a working day: to be offered a contract.",
    ),
    _segment(
        "dropping-shippers",
        "delivery_volume_4w < 0.6 * delivery_volume_expected_4w "
        "AND delivery_volume_4w < delivery_volume_limit_4w",
        "Shippers whose volume drops", "下滑客户",
        "Below 60 % of what the twelve weeks before let expect, and beyond chance (D-R10).",
    ),
    _segment(
        "silent-shippers", "delivery_volume_4w = 0 AND delivery_volume_expected_4w > 0",
        "Shippers who fell silent", "沉默客户", "Nothing for four weeks, after waybills in the twelve before.",
    ),
    _segment(
        "owed-better-service", "delivery_months_below_sla >= 1 OR delivery_complaints_30d >= 2",
        "Shippers whom we owe better", "服务欠佳客户",
        "Below the contract last month, or with two complaints in thirty days: nothing is sold to them.",
    ),
    _segment(
        "prepaid-only", "delivery_receivable > delivery_credit_limit OR delivery_days_overdue > 30",
        "Prepaid only", "仅限预付", "Over the credit limit or more than 30 days overdue (D-R11).",
    ),
)  # fmt: skip
