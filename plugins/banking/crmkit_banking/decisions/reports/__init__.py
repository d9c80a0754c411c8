"""Reports on cards and decisions (the brief, section 9, reports 1, 2, 3, 7 and 14)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, day, detail, flag, instant, integer, items, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

SIDDIQI = "N. Siddiqi 2006, Credit Risk Scorecards"
REJECTS = (
    "What would have become of those who were declined is not known: rates of bads are of those "
    "whose outcome is known, and the share declined stands beside them."
)
OUTCOMES = (count("outcomes_known", "Outcomes known", "已知结果", "application"),)


def _sql(name: str) -> str:
    return resource_text(__package__, f"{name}.sql")


def _standing(name: str) -> str:
    return _sql("standing").rstrip() + "\n" + _sql(name)


SHEET = Report(
    name="banking.scorecard-sheet",
    title="Scorecard sheet",
    title_zh="评分卡明细表",
    sql=_sql("scorecard_sheet"),
    columns=[
        text("score", "Score", "评分"), integer("card_version", "Version", "版本", None),
        integer("line", "Line", "行号", None), text("input", "Input", "变量"), text("bin", "Bin", "分箱"),
        count("training_rows", "Rows", "样本数", "row"), count("bads", "Bads", "坏样本", "row"),
        number("bad_rate", "Bad rate", "坏账率"), number("woe", "WOE", "证据权重"),
        number("iv", "IV of the bin", "分箱信息值"), number("iv_of_input", "IV of the input", "变量信息值"),
        integer("points", "Points", "分数", "point"),
    ],
    key=("score", "card_version", "line"),
    parameters=[Parameter(name="version", type=FieldType.INTEGER, default=0, unit="1", title="Version; 0 is the latest", title_zh="版本")],
    charts=[Chart(kind="bar", x="bin", y="points", title="Points by bin", title_zh="各分箱得分", horizontal=True)],
    method="The lines of the card as filed when it first decided: the points that everybody has, then "
    "every bin of every input. WOE is ln of the share of goods over the share of bads; the score is "
    "the sum of one bin of each input and the base, in whole points.",
    source=f"{SIDDIQI}, chapter 6; binning: G. Navas-Palencia 2020, arXiv 2001.08025.",
    notes="Amounts are binned in minor units.",
)  # fmt: skip

QUALITY = Report(
    name="banking.scorecard-quality",
    title="Did the scorecard tell the truth",
    title_zh="评分卡质量（按等级）",
    sql=_standing("quality_by_grade"),
    columns=[
        text("sample", "Outcome known", "结果已知"), text("grade", "Grade", "等级"), count("loans", "Loans", "贷款数", "loan"),
        count("bads", "Bads", "坏账数", "loan"), number("expected", "Expected", "预期违约率"),
        number("observed", "Observed", "实际违约率"), number("low", "From", "区间下限"),
        number("high", "To", "区间上限"),
        number("observed_expected", "Observed over expected", "实际预期比"),
        number("brier", "Brier score", "Brier 分数"), number("gini", "Gini", "基尼系数"),
        number("gini_low", "Gini from", "基尼下限"), number("gini_high", "Gini to", "基尼上限"),
        number("ks", "KS", "KS"),
    ],
    key=("sample", "grade"),
    headline=Headline(column="gini"),
    charts=[Chart(kind="point", x="expected", y="observed", title="Expected and observed", title_zh="预期与实际")],
    method="Applications whose outcome is known, by the grade of the decision that stands, with the "
    "95 % interval of the observed rate (Wilson 1927). A card may have learnt from outcomes that were "
    "known before the decision, which flatter it: those known after it prove it. Gini, KS and the Brier "
    "score are of all grades together; the interval of Gini is that of Hanley & McNeil 1982. Gini is twice the share of pairs of a good and a bad in which the good has more "
    "points, less one.",
    source=f"{SIDDIQI}, chapters 6 and 8.",
    notes=REJECTS,
)  # fmt: skip

LOG = Report(
    name="banking.decision-log",
    title="Decision log",
    title_zh="决策日志",
    sql=_sql("decision_log"),
    columns=[
        integer("decision_id", "Decision", "决策编号", None), text("application", "Application", "申请"), CUSTOMER,
        instant("decided_at", "Decided at", "决策时间"), detail(instant("as_of_at", "Inputs as of", "数据时点")),
        detail(text("role", "Role", "角色")), detail(integer("card_version", "Card version", "评分卡版本", None)),
        integer("points", "Points", "分数", "point"), number("pd", "PD", "违约概率"),
        text("grade", "Grade", "等级"), text("proposed", "Proposed", "系统建议"),
        text("outcome", "Decision", "决策"), items("reasons", "Reasons", "原因"),
        text("decided_by", "Decided by", "决策人"), detail(text("seconded_by", "Second officer", "复核人")),
        detail(text("override_reason", "Reason of a person", "人工理由")),
        flag("override", "Overridden", "已改判"), detail(text("points_by_input", "Points by input", "逐项得分")),
        detail(text("inputs_hash", "Hash of the inputs", "输入哈希")),
    ],
    key=("decision_id",),
    order=("-decided_at",),
    method="Every decision as filed; none is ever changed. Points by input sum exactly to the points.",
    source="12 CFR 1002.9 (Regulation B); GDPR Art. 15 and 22; CJEU C-634/21.",
    notes="crmkit decision explain APPLICATION computes them again.",
)  # fmt: skip

BANDS = Report(
    name="banking.approval-by-band",
    title="Approval and bad rate by score band",
    title_zh="分数段通过率与坏账率",
    sql=_standing("approval_by_band"),
    columns=[
        integer("points_from", "From", "分数下限", "point"), integer("points_to", "To", "分数上限", "point"),
        count("applications", "Applications", "申请数", "application"),
        count("approved", "Approved", "通过", "application"), count("referred", "Referred", "转人工", "application"),
        count("declined", "Declined", "拒绝", "application"), number("approval_rate", "Approval rate", "通过率"),
        *OUTCOMES, count("bads", "Bads", "坏账数", "application"), number("bad_rate", "Bad rate", "坏账率"),
        number("bad_rate_approved", "Bad rate of the approved", "通过者坏账率"),
        number("reject_share", "Declined of all", "总拒绝率"),
    ],
    key=("points_from",),
    charts=[Chart(kind="line", x="points_from", y="bad_rate", title="Bad rate by band", title_zh="各分数段坏账率")],
    method="The decision that stands of each application, in bands of 20 points, which is once the odds.",
    source=f"{SIDDIQI}, chapter 7.",
    notes=REJECTS,
)  # fmt: skip

SWAPS = Report(
    name="banking.swap-set",
    title="Champion and challenger: the swap set",
    title_zh="冠军挑战者互换集",
    sql=_sql("swap_set"),
    columns=[
        text("champion", "Champion", "冠军"), text("challenger", "Challenger", "挑战者"),
        text("swap", "Swap", "互换"), count("applications", "Applications", "申请数", "application"),
        number("share", "Share", "占比"), *OUTCOMES, number("bad_rate", "Bad rate", "坏账率"),
    ],
    key=("champion", "challenger"),
    method="Applications that both cards have scored: what each proposed, and what became of them.",
    source=f"{SIDDIQI}, chapter 8.",
    notes=f"crmkit decision policy names a challenger. {REJECTS}",
)  # fmt: skip

MIGRATION = Report(
    name="banking.grade-migration",
    title="Migration between grades",
    title_zh="等级迁徙",
    sql=_sql("grade_migration"),
    columns=[
        text("from_grade", "From", "原等级"), text("to_grade", "To", "新等级"),
        count("moves", "Moves", "次数", "application"), number("share", "Share", "占比"),
    ],
    key=("from_grade", "to_grade"),
    charts=[Chart(kind="heat", x="from_grade", y="to_grade", color="share", title="Grade migration", title_zh="等级迁徙")],
    method="The grades of one application and the next of the same customer.",
    source="Basel Committee 2005, Studies on the validation of internal rating systems.",
)  # fmt: skip

FAIRNESS = Report(
    name="banking.fairness",
    title="Fairness: approval and error rates by protected group",
    title_zh="公平性：受保护群体通过率与误判率",
    sql=_standing("fairness"),
    columns=[
        text("attribute", "Attribute", "属性"), text("member", "Group", "群体"),
        count("applications", "Applications", "申请数", "application"),
        count("approved", "Approved", "通过", "application"), count("declined", "Declined", "拒绝", "application"),
        number("approval_rate", "Approval rate", "通过率"), *OUTCOMES, number("bad_rate", "Bad rate", "坏账率"),
        number("goods_not_approved", "Goods not approved", "好客户未通过率"),
        number("bads_approved", "Bads approved", "坏客户通过率"),
        number("impact_ratio", "Impact ratio", "影响比"),
    ],
    key=("attribute", "member"),
    charts=[Chart(kind="bar", x="member", y="approval_rate", color="attribute", title="Approval rate by group", title_zh="各群体通过率")],
    method="The decision that stands of each application, by attributes that are no inputs of the "
    "card. The impact ratio is the approval rate over the highest one of a group of 30 or more "
    "applications with the same attribute; below 0.8 it is looked into (four-fifths rule).",
    source="29 CFR 1607.4(D); M. Hardt et al. 2016, Equality of Opportunity in Supervised Learning.",
    notes="An equal rate is no proof of fairness and an unequal one none of the contrary: the bad rate "
    f"of the groups stands beside it. {REJECTS}",
)  # fmt: skip

WATCH = Report(
    name="banking.model-watch",
    title="Cards in use and whether they drift",
    title_zh="在用评分卡监控",
    sql=_sql("model_watch"),
    columns=[
        text("score", "Score", "评分"), integer("card_version", "Version", "版本", None),
        detail(day("checked_on", "Checked on", "监控日")), count("decisions", "Decisions", "决策数", "decision"),
        number("psi", "PSI", "群体稳定性"), detail(number("psi_by_chance", "PSI by chance", "随机波动上限")), detail(number("csi_worst", "Worst CSI", "最大变量稳定性")),
        detail(text("csi_input", "Of input", "变量")), number("observed_expected", "Observed over expected", "实际预期比"),
        detail(number("override_rate", "Override rate", "改判率")), text("verdict", "Verdict", "结论"),
        flag("alarm", "Alarm", "预警"),
    ],
    key=("score", "card_version"),
    method="As filed by crmkit scorecard monitor. Alarm: PSI over 0.25, observed over expected bads "
    "outside 0.8 to 1.25, or more than a tenth of the proposals overridden. An index that 95 of 100 "
    "samples of that size would stay below by chance asks for nothing; of fewer than 100 decisions or "
    "expected bads nothing is said.",
    source=f"{SIDDIQI}, chapter 8; SR 11-7.",
)  # fmt: skip

REPORTS = (SHEET, QUALITY, LOG, BANDS, SWAPS, MIGRATION, FAIRNESS, WATCH)
