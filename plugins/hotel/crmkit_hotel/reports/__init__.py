"""Reports of the hotel: one SQL file each, declared by subject."""

from __future__ import annotations

from crmkit.declarations import Report

from .arrivals import arrivals_reports
from .guests import guests_reports


def reports() -> list[Report]:
    """Every report."""
    return [*arrivals_reports(), *guests_reports()]
