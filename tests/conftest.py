"""What crmkit's own tests share beside the fixtures of :mod:`crmkit.testing`."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def cached_checks(crm_cache: Path) -> None:
    """No test reads what an earlier run found of plugins."""
