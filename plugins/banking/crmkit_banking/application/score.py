"""The application score: who will not repay."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Score

from .features import INPUTS, PROTECTED, SUBJECT

APPLICATION = Score(
    name="banking.application",
    title="Application score",
    title_zh="申请评分",
    subject=SUBJECT,
    features=tuple(feature.name for feature in INPUTS),
    population=resource_text(__package__, "population.sql"),
    target=resource_text(__package__, "target.sql"),
    moments=resource_text(__package__, "moments.sql"),
    cross_section=resource_text(__package__, "cross_section.sql"),
    horizon_days=365,
    estimator="banking.points",
    protected=PROTECTED,
    limits=(
        "Only for persons who apply for credit. It is high-risk AI in the EU (AI Act, Annex III 5b): "
        "a person decides what it refers, and everybody declined is told the reasons. It was learnt "
        "from applicants who were accepted; what would have become of the declined is not known "
        "(Crook & Banasik 2004, Journal of Banking & Finance 28)."
    ),
    positive="goes bad",
    description=(
        "Loan applications; positive where the loan goes bad: 90 days past due within 12 months, or "
        "as the file states it. Sex, marital status, age and nationality are not inputs; they are "
        "kept to see whether decisions are fair."
    ),
)
