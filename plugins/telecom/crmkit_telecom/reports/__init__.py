"""Reports of the telecom plugin: one SQL file each, declared by subject."""

from __future__ import annotations

from crmkit.declarations import Report

from .accounts import accounts_reports
from .churn import churn_reports
from .quality import quality_reports
from .retention import retention_reports
from .usage import usage_reports
from .value import value_reports


def reports() -> list[Report]:
    """Every telecom report."""
    return [
        *churn_reports(), *quality_reports(), *retention_reports(), *value_reports(),
        *accounts_reports(), *usage_reports(),
    ]  # fmt: skip
