"""Sales: life situation, next product, cross-sell (rule 11, report 12)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, detail, integer, number, text
from crmkit.declarations import FeatureSet, Parameter, Report, Rule, Segment
from crmkit.entities import FieldType

from ..measures import flag, whole, word
from ..measures import number as fraction
from ..statements import composed

# (package, name of the file): the customers whose consent to offers holds.
CONSENTED = (__package__, "consented")
PERSON = FeatureSet(
    name="banking.person",
    sql=composed(CONSENTED, (__package__, "person")),
    source="Requirement B3; banking brief, section 9, fields 1, 4 and 32",
    features=(
        word("life_situation", "Life situation", "人生阶段",
             description="Stage of life as the bank knows it."),
        word("customer_type", "Type of customer", "客户类型",
             description="Retail where the bank does not say otherwise; sole trader, small firm or corporate."),
        word("education", "Education", "教育程度", description="Highest education."),
        fraction("share_of_wallet", "1", "Share of wallet", "钱包份额",
                 description="Share of the customer's assets that is with the bank, as asked or "
                 "estimated by the bank; missing where it is not known."),
        flag("consent_marketing", "May be contacted with offers", "同意营销", missing=False,
             description="A consent to offers holds in the ledger of consents, by any channel."),
        whole("relationship_months", "month", "Months as a customer", "客龄", missing=None,
              description="Full months since the relation began."),
    ),
)  # fmt: skip
RELATION = FeatureSet(
    name="banking.relation",
    sql=resource_text(__package__, "relation.sql"),
    window_days=215,
    source="Requirements B3 and B5; banking brief, section 9, rule 11",
    features=(
        flag("wish_to_invest", "Wishes to invest", "投资意愿", missing=False,
             description="A talk or an appointment about investing, or an investment taken, within a year."),
        word("life_event", "Change in life", "人生事件",
             description="What has changed: an inquiry about a home loan within 60 days, else a first "
             "pension, child benefit or salary within 31 days of a customer whom the quarter "
             "before saw."),
        flag("on_watch", "On the watch list", "在关注名单", missing=False,
             description="A watch item that is not cleared, or an open watch case."),
        flag("open_complaint", "Complaint not yet solved", "有未结投诉", missing=False,
             description="A complaint within 30 days that is not resolved."),
        whole("products", "product", "Products beside the current account", "持有产品数",
              description="How many of savings account, term deposit, mortgage, other loan and credit "
              "card are held."),
        word("next_product", "Next product", "下一产品",
             description="By what has changed in life, else by stage of life: the first product that is "
             "not held; missing where all are."),
    ),
)  # fmt: skip
FEATURES = (PERSON, RELATION)

# Nobody is sold anything while in trouble: past due, on watch, with a complaint or an income that fell.
FREE = (
    "banking_consent_marketing AND banking_days_past_due = 0 AND NOT banking_on_watch "
    "AND NOT banking_open_complaint AND coalesce(banking_income_change_3m, 0) > -0.4 "
    "AND NOT banking_unusual_withdrawal AND NOT banking_unusual_card_payment"
)
RULES = (
    Rule(
        name="banking.life-event",
        title="Change in the customer's life",
        title_zh="人生事件营销",
        when=f"banking_life_event IS NOT NULL AND banking_next_product IS NOT NULL AND {FREE}",
        action="list",
        target="next-product",
        message="{banking_life_event}: offer {banking_next_product}",
        evidence=("banking_life_situation", "banking_products"),
        cooldown_days=90,
        source="Banking brief, section 9, rule 11",
    ),
)
SEGMENTS = (
    Segment(
        name="banking.next-product",
        where=f"banking_next_product IS NOT NULL AND banking_open_accounts >= 1 AND {FREE}",
        title="Has a next product and may be asked",
        title_zh="可推荐下一产品",
        description="By life situation; not past due, on watch, complaining or without consent.",
    ),
    Segment(
        name="banking.high-end-person",
        # By income and by what goes with wealth; who lets others invest already has the band "affluent".
        where="banking_customer_type IN ('retail', 'sole_trader') AND banking_open_accounts >= 1 "
        "AND (banking_wealth_band <> 'mass' OR banking_capacity_to_affluent >= 0.75 "
        "AND (banking_education = 'tertiary' OR banking_wish_to_invest))",
        title="High-end person",
        title_zh="高端个人客户",
        description="Affluent or private by assets or income; or earns three quarters of what makes one "
        "affluent and has a tertiary education or wishes to invest (requirement B3).",
    ),
    Segment(
        name="banking.high-end-firm",
        where="banking_customer_type IN ('sme', 'corporate') AND banking_open_accounts >= 1 "
        "AND banking_contribution_minor > 0 "
        "AND (banking_contribution_place <= 0.05 OR banking_assets_to_private >= 1)",
        title="High-end firm",
        title_zh="高端企业客户",
        description="A firm among the first twentieth by contribution, or with assets of the private band, "
        "that brings more than it costs (requirement B3).",
    ),
    Segment(
        name="banking.single-product",
        where="banking_products = 0 AND banking_open_accounts >= 1",
        title="Current account alone",
        title_zh="仅持有活期账户",
        description="An open account, and neither savings, deposit, loan nor credit card.",
    ),
)
NEXT_PRODUCT = Report(
    name="banking.next-product",
    title="Whom to offer which product",
    title_zh="下一产品推荐名单",
    sql=resource_text(__package__, "next_product.sql"),
    columns=[
        integer("place_in_list", "Place", "名次"),
        CUSTOMER,
        text("product", "Product", "产品"),
        detail(text("life_situation", "Life situation", "人生阶段")),
        detail(text("event", "Change in life", "人生事件")),
        detail(count("offers_to_peers", "Offers to customers alike", "同类邀约数", "offer")),
        number("propensity", "Propensity", "接受倾向"),
    ],
    key=("place_in_list",),
    parameters=(
        Parameter(name="most", type=FieldType.INTEGER, default=100, unit="customer", title="At most",
                  title_zh="最多"),
    ),
    method="The product by life situation and by what has changed in it, of those not yet held. The "
    "propensity is the share of offers that customers of the same life situation and third of income "
    "accepted in a year and a half, drawn towards the product's own share with the weight of twenty "
    "offers. Who has a change in life comes first.",
    source="Requirement B5; banking brief, section 9, rule 11",
    notes="Nobody past due, on watch, with an open complaint, an income that fell by two fifths, or "
    "without consent is listed. crmkit list make asks the contact policy for each of the others.",
)  # fmt: skip
CROSS_SELL = Report(
    name="banking.cross-sell",
    title="Cross-sell: holdings, propensity and uplift",
    title_zh="交叉销售",
    sql=resource_text(__package__, "cross_sell.sql"),
    columns=[
        text("product", "Product", "产品"),
        integer("propensity_tenth", "Tenth of propensity", "倾向十分位"),
        count("holders", "Holders", "持有客户"),
        number("penetration", "Share of customers", "渗透率"),
        count("offers", "Customers offered it", "邀约客户"),
        count("accepted", "Accepted", "接受"),
        number("acceptance", "Share that accepted", "接受率"),
        number("uplift", "Uplift over the control group", "较对照组提升"),
    ],
    key=("product", "propensity_tenth"),
    parameters=(
        Parameter(name="days", type=FieldType.INTEGER, default=365, unit="day",
                  title="Offers of so many days", title_zh="统计天数"),
    ),
    method="The first offer of a product to each customer in the period. Tenths are by what the last run of "
    "the score banking.acceptance before the offer said, 1 the highest; 0 is without a score. The uplift is the share of takers among "
    "those contacted from outreach lists for the product, less that of their control group.",
    source="Banking brief, section 9, report 12",
    notes="The interval of an uplift is in crmkit list uplift.",
)  # fmt: skip
REPORTS = (NEXT_PRODUCT, CROSS_SELL)
