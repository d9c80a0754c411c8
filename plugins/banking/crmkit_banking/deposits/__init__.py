"""Closing and attrition: who left and why, and the deposits at risk (report 11)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import count, day, money, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

CLOSING = Report(
    name="banking.closing",
    title="Closing and attrition, and deposits at risk",
    title_zh="销户与存款流失",
    sql=resource_text(__package__, "closing.sql"),
    columns=[
        text("what", "What", "类别"),
        day("month_on", "Month", "月份"),
        text("reason", "Reason", "原因"),
        text("competitor", "Went to", "流向"),
        count("customers", "Customers", "客户数"),
        money("deposits", "Deposits", "存款"),
    ],
    key=("what", "month_on", "reason", "competitor"),
    parameters=(
        Parameter(name="days", type=FieldType.INTEGER, default=365, unit="day",
                  title="Closed in so many days", title_zh="统计天数"),
    ),
    charts=(
        Chart(kind="bar", x="month_on", y="customers", color="reason", where={"what": "closed"},
              title="Customers who closed", title_zh="销户客户"),
    ),
    headline=Headline(column="deposits_minor", where={"what": "at risk"}),
    method="Closures by month and the reason asked or found, with the most that the customer held in the "
    "90 days before. At risk are customers who asked to close, or whose balance fell by three fifths in "
    "30 days while the salary stopped, orders were cancelled or money went to the own name elsewhere.",
    source="Requirement B4; banking brief, section 9, rule 4 and report 11",
)  # fmt: skip
REPORTS = (CLOSING,)
