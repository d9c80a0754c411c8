"""What plugins hand in: frozen records that say what an industry adds.

Every ``name`` is owned: it reads ``<plugin>.<name>``. In analysis SQL the dot becomes an underscore
(``telecom.bill`` is the table ``telecom_bill``; the feature ``telecom.tenure_months`` is the column
``telecom_tenure_months`` of the table ``feature``; design D5). ``title_zh`` is the Chinese label.

Four kinds of SQL appear here, all in DuckDB's dialect within the portable subset that
``docs/reference/analysis-sql.md`` lists, one SELECT each:

================== ============================================================================
feature SQL        a table name means *the rows visible to each population row*: facts that
                   occurred before ``as_of``, customers and records as they stood at ``as_of``;
                   each row has ``subject_id, as_of, days_before`` (whole local days). Fields
                   declared ``known: outcome`` are not there. Returns ``subject_id, as_of`` and one
                   column per feature, at most one row per population row.
population SQL     the same tables, outcome fields included. Returns ``subject_id, as_of``.
target SQL         a fact table means the rows from ``as_of`` on, with ``days_after`` (1 is the day
                   after the as-of day). Returns ``subject_id, as_of, label`` (0, 1 or NULL);
                   population rows that it leaves out are labelled 0, rows labelled NULL (cannot be
                   told, or came too soon to be acted on) are neither learnt from nor tested on.
report SQL         the same tables as population SQL at one date, and ``feature``, ``outcome``,
                   ``stage_change``, ``population``; parameters are written ``$name``.
================== ============================================================================
"""

from __future__ import annotations

from ..entities.lifecycle import Lifecycle
from .acting import (
    Batch,
    Committed,
    Firing,
    MergeChoice,
    MergeConflict,
    RowFault,
    Scored,
    Served,
    StageMove,
    StageVeto,
)
from .cases import CASE_VERBS, CaseClock, CaseKind, CaseRoute
from .commands import Answer, Command, Service
from .data import (
    MATCH_KINDS,
    CustomerFields,
    EarlierConsent,
    EarlierConsents,
    ImportProfile,
    InteractionKind,
    MatchKey,
    Migration,
    RecordType,
)
from .demo import Demo, DemoCheck, DemoData, DemoFile
from .desk import Panel
from .features import (
    ACTIONS,
    ESTIMATORS,
    Estimator,
    Feature,
    FeatureSet,
    Profit,
    Rule,
    Scope,
    Score,
    Segment,
)
from .ledgers import Ledger, Tier, TierScheme
from .names import CUSTOMER, sql_name
from .privacy import PrivacyGuard
from .reports import CHARTS, Chart, Headline, Parameter, Report, ReportColumn
from .value import COST_PER, CostDriver

__all__ = [
    "ACTIONS",
    "CASE_VERBS",
    "CHARTS",
    "COST_PER",
    "CUSTOMER",
    "ESTIMATORS",
    "MATCH_KINDS",
    "Answer",
    "Batch",
    "CaseClock",
    "CaseKind",
    "CaseRoute",
    "Chart",
    "Command",
    "Committed",
    "CostDriver",
    "CustomerFields",
    "Demo",
    "DemoCheck",
    "DemoData",
    "DemoFile",
    "EarlierConsent",
    "EarlierConsents",
    "Estimator",
    "Feature",
    "FeatureSet",
    "Firing",
    "Headline",
    "ImportProfile",
    "InteractionKind",
    "Ledger",
    "Lifecycle",
    "MatchKey",
    "MergeChoice",
    "MergeConflict",
    "Migration",
    "Panel",
    "Parameter",
    "PrivacyGuard",
    "Profit",
    "RecordType",
    "Report",
    "ReportColumn",
    "RowFault",
    "Rule",
    "Scope",
    "Score",
    "Scored",
    "Segment",
    "Served",
    "Service",
    "StageMove",
    "StageVeto",
    "Tier",
    "TierScheme",
    "sql_name",
]
