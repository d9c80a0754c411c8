"""Impairment: IFRS 9 stages and expected loss, their walk, their filing, and concentration (reports 6, 7)."""

from __future__ import annotations

from crmkit.columns import CUSTOMER, count, detail, integer, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

from ..statements import composed

ASSUMED = ("crmkit_banking", "assumed")
EXPOSURE, MOVES = (__package__, "exposure"), (__package__, "moves")
LOSSES = (__package__, "losses")
STAGES = (
    "Stage 3 at 90 days past due; stage 2 at 30 days past due, with eased terms, on a watch list or at a "
    "twelve-month probability of default of sicr_pd or more; else stage 1. "
)
RATING = (
    "The probability is that of the score banking.behaviour of the last 62 days, brought from 184 days to "
    "a year, else the bank's assumption by days past due; the loss given default is what the collateral "
    "less its haircut leaves uncovered, or lgd_unsecured. "
)
LOSS = (
    "Stage 1 counts default within a year, stage 2 in any year that is left of an exposure that falls in "
    "equal steps, stage 3 default now; each discounted by the loan's own rate. Scenarios scale both, the "
    "weighted one is their mean by weight, loan by loan."
)
SOURCE = "IFRS 9 paragraphs 5.5.1 to 5.5.20 and B5.5.28; banking brief, section 9, report 7"
NOTES = "Assumptions are records: crmkit record set banking.assumption; see the how-to."
BY = Parameter(
    name="by", type=FieldType.TEXT, default="product", choices=("all", "product", "branch", "region"),
    title="Split by", title_zh="分组",
)  # fmt: skip
MONTHS = Parameter(
    name="months", type=FieldType.INTEGER, default=1, unit="month", title="Months between the two ends",
    title_zh="间隔月数",
)  # fmt: skip

EXPECTED_LOSS = Report(
    name="banking.expected-loss",
    title="Expected credit loss under three scenarios",
    title_zh="三情景预期信用损失",
    sql=composed(ASSUMED, EXPOSURE, LOSSES, (__package__, "expected_loss")),
    columns=[
        text("scenario", "Scenario", "情景"),
        text("part", "Part", "分组"),
        integer("stage", "Stage", "阶段"),
        count("loans", "Loans", "贷款数", "loan"),
        money("ead", "Exposure", "风险敞口"),
        number("mean_pd", "Mean probability of default", "平均违约概率"),
        number("mean_lgd", "Mean loss given default", "平均违约损失率"),
        money("ecl", "Expected credit loss", "预期信用损失"),
        number("coverage", "Coverage", "拨备覆盖率"),
    ],
    key=("scenario", "part", "stage"),
    parameters=(BY,),
    headline=Headline(column="ecl_minor", total=True, where={"scenario": "weighted"}),
    method=STAGES + RATING + LOSS,
    source=SOURCE,
    notes=NOTES,
)  # fmt: skip
BY_LOAN = Report(
    name="banking.impairment",
    title="Stage and expected loss of each loan",
    title_zh="逐笔减值明细",
    sql=composed(ASSUMED, EXPOSURE, LOSSES, (__package__, "by_loan")),
    columns=[
        count("loan_id", "Loan", "贷款", "id"),
        CUSTOMER,
        text("product", "Product", "产品"),
        detail(text("branch", "Branch", "网点")),
        integer("stage", "Stage", "阶段"),
        detail(money("ead", "Exposure", "风险敞口")),
        detail(number("pd_12m", "Probability of default in a year", "一年违约概率")),
        detail(number("pd_life", "Probability of default until the end", "存续期违约概率")),
        detail(number("lgd", "Loss given default", "违约损失率")),
        money("ecl", "Expected credit loss", "预期信用损失"),
        detail(number("coverage", "Coverage", "拨备覆盖率")),
    ],
    key=("loan_id",),
    order=("-ecl_minor",),
    headline=Headline(column="ecl_minor", total=True),
    method=STAGES
    + RATING
    + LOSS
    + " Shown is the weighted loss; the probabilities and the loss given "
    "default are those before the scenarios.",
    source=SOURCE,
    notes=NOTES + " crmkit impairment file keeps the figures with the loans.",
)
WALK = Report(
    name="banking.expected-loss-walk",
    title="Expected loss from one month end to another",
    title_zh="预期损失变动表",
    sql=composed(ASSUMED, MOVES, (__package__, "walk")),
    columns=[
        text("step", "Step", "项目"),
        count("loans", "Loans", "贷款数", "loan"),
        money("amount", "Amount", "金额"),
    ],
    key=("step",),
    parameters=(MONTHS,),
    headline=Headline(column="amount_minor", where={"step": "8 closing"}),
    method="Both month ends are measured alike, by days past due, collateral and assumptions, so that a "
    "movement is the loans' own. Opening and steps 2 to 7 sum to closing.",
    source="IFRS 7 paragraph 35H; banking brief, section 9, report 7",
    notes=NOTES + " The score is left out here, for its past values may be missing.",
)
MIGRATION = Report(
    name="banking.migration",
    title="Migration of stages and grades",
    title_zh="阶段与评级迁徙",
    sql=composed(ASSUMED, MOVES, (__package__, "migration")),
    columns=[
        text("from_class", "From", "期初"),
        text("to_class", "To", "期末"),
        count("loans", "Loans", "贷款数", "loan"),
        number("share", "Share", "占比"),
        money("from_ead", "Exposure before", "期初敞口"),
        money("to_ead", "Exposure", "期末敞口"),
        money("ecl_change", "Change of expected loss", "预期损失变化"),
    ],
    key=("from_class", "to_class"),
    parameters=(
        MONTHS,
        Parameter(name="by", type=FieldType.TEXT, default="stage", choices=("stage", "grade"),
                  title="Classes are", title_zh="分类"),
    ),
    charts=(
        Chart(kind="heat", x="to_class", y="from_class", color="share", title="Share", title_zh="占比"),
    ),
    method="Loans by class at the month end some months before and at the last one; a grade is the "
    "eighth part of the scale of probabilities into which the behaviour score falls (bounds 0.5, 1, 2, 4, "
    "8, 16 and 32 percent).",
    source="Requirement B8; banking brief, section 9, report 7",
)  # fmt: skip
CONCENTRATION = Report(
    name="banking.concentration",
    title="Concentration of lending",
    title_zh="贷款集中度",
    sql=composed(ASSUMED, EXPOSURE, (__package__, "concentration")),
    columns=[
        integer("place", "Place", "名次"),
        text("part", "Part", "分组"),
        CUSTOMER,
        count("loans", "Loans", "贷款数", "loan"),
        money("ead", "Exposure", "风险敞口"),
        number("share", "Share", "占比"),
        number("bad_share", "Of it in stage 3", "不良占比"),
        number("hhi", "Herfindahl index of all parts", "赫芬达尔指数"),
    ],
    key=("place",),
    parameters=(
        Parameter(name="by", type=FieldType.TEXT, default="product",
                  choices=("product", "branch", "region", "sector", "customer"), title="Parts are",
                  title_zh="分组"),
        Parameter(name="most", type=FieldType.INTEGER, default=20, unit="part", title="At most",
                  title_zh="最多"),
    ),
    headline=Headline(column="hhi"),
    method="Shares of what is owed; the index is the sum of the squared shares of all parts, 1 where one "
    "part has everything. By customer the list is of the largest names.",
    source="O. C. Herfindahl 1950; banking brief, section 9, report 6",
)  # fmt: skip
REPORTS = (EXPECTED_LOSS, BY_LOAN, WALK, MIGRATION, CONCENTRATION)
