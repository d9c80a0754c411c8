"""What crmkit's own tests share beside the fixtures of :mod:`crmkit.testing`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets: CRMKIT_DATA, else ``../shared/data`` beside the repository.

    They are too large to live in the repository, so a test that needs them is skipped without.
    """
    folder = Path(os.environ.get("CRMKIT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets in {folder}; CRMKIT_DATA names their folder")
    return folder


@pytest.fixture(scope="session", autouse=True)
def cached_checks(crm_cache: Path) -> None:
    """No test reads what an earlier run found of plugins."""
