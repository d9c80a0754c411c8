"""The five stages of a customer (L1) and the behaviour that proposes them (L3)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.entities import Lifecycle, Stage

STAGES = (
    Stage("prospect", "prospect", "Prospect", "潜在"),
    Stage("development", "development", "Development", "开发"),
    Stage("growth", "growth", "Growth", "成长"),
    Stage("maturity", "maturity", "Maturity", "成熟"),
    Stage("termination", "termination", "Termination", "终止"),
)

# Nobody becomes a prospect again. A good customer may skip stages going up and fall back going down;
# whoever left comes back as a new one (win-back).
CUSTOMER = Lifecycle(
    name="core.customer",
    title="Customer",
    title_zh="客户生命周期",
    stages=STAGES,
    moves={
        ("prospect", "development"), ("prospect", "growth"), ("prospect", "maturity"),
        ("prospect", "termination"),
        ("development", "growth"), ("development", "maturity"), ("development", "termination"),
        ("growth", "maturity"), ("growth", "development"), ("growth", "termination"),
        ("maturity", "growth"), ("maturity", "development"), ("maturity", "termination"),
        ("termination", "development"),
    },
    propose=resource_text(__package__, "sql/propose.sql"),
)  # fmt: skip
