"""Reports of the delivery plugin: one SQL file each, declared by subject."""

from __future__ import annotations

from crmkit.declarations import Report

from .ills import ills_reports
from .money import money_reports
from .rounds import round_reports
from .service import service_reports


def reports() -> list[Report]:
    """Every delivery report."""
    return [*ills_reports(), *service_reports(), *money_reports(), *round_reports()]
