"""The alarm on a card or score that drifts, to the model owner (the brief, section 9, rule 12)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Feature, FeatureSet, Rule
from crmkit.entities import FieldType

from ..measures import field_descriptions
from .bounds import ACT, CHECK, HIGH, LOW, OVERRIDES

WORDS = field_descriptions("model_check") | {"age": "Days since the day up to which was checked."}


def _number(name: str, title: str, title_zh: str, kind: FieldType, unit: str) -> Feature:
    return Feature(
        name=f"banking.check_{name}", type=kind, unit=unit, title=title, title_zh=title_zh,
        description=WORDS[name],
    )  # fmt: skip


FEATURE_SETS = (
    FeatureSet(
        name="banking.check",
        sql=resource_text(__package__, "features.sql"),
        subject=CHECK,
        features=(
            _number("psi", "Stability index", "稳定性指数", FieldType.NUMBER, "1"),
            _number("observed_expected", "Observed over expected", "实际预期比", FieldType.NUMBER, "1"),
            _number("override_rate", "Override rate", "改判率", FieldType.NUMBER, "1"),
            _number("csi_worst", "Worst stability index of an input", "最大变量指数", FieldType.NUMBER, "1"),
            _number("age", "Days since the check", "距监控天数", FieldType.INTEGER, "day"),
        ),
        source="Siddiqi 2006, chapter 8; SR 11-7",
        owner="model owner",
    ),
)  # fmt: skip

RULES = (
    Rule(
        name="banking.model-alarm",
        title="The model drifts",
        title_zh="模型漂移",
        subject=CHECK,
        when=f"banking_check_psi > {ACT} OR banking_check_observed_expected < {LOW} "
        f"OR banking_check_observed_expected > {HIGH} OR banking_check_override_rate > {OVERRIDES}",
        action="alert",
        target="model-owner",
        message="the model drifts (stability index, observed over expected or overrides out of "
        "bounds): look into it and train it anew",
        evidence=("banking_check_csi_worst", "banking_check_age"),
        cooldown_days=30,
        source="Banking brief, section 9, rule 12",
    ),
)
