"""A plugin of pytest that notes which functions each test calls: ``-p tests.soak.reach``.

Written as JSON into the file that ``CRMKIT_REACH`` names: by ``path:function`` the tests that call it,
the most particular first, which are those that call the fewest functions. Only functions of the tree
``CRMKIT_REACH_ROOT`` count, and only calls in the process of the tests.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from types import CodeType, FrameType

import pytest

OUT = os.environ.get("CRMKIT_REACH", "")
ROOT = os.environ.get("CRMKIT_REACH_ROOT", "") + os.sep
CALLED: dict[str, set[CodeType]] = {}
_now: set[CodeType] = set()


def _note(frame: FrameType, event: str, argument: object) -> None:
    _now.add(frame.f_code)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Notes what the test and its fixtures call."""
    _now.clear()
    sys.settrace(_note)
    threading.settrace(_note)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)
        CALLED[item.nodeid] = {code for code in _now if code.co_filename.startswith(ROOT)}


def pytest_sessionfinish() -> None:
    """Writes the file."""
    by_function: defaultdict[str, list[str]] = defaultdict(list)
    for test in sorted(CALLED, key=lambda test: (len(CALLED[test]), test)):
        for code in CALLED[test]:
            path = code.co_filename.removeprefix(ROOT)
            by_function[f"{path}:{code.co_qualname}"].append(test)
    if OUT:
        Path(OUT).write_text(json.dumps(by_function), encoding="utf-8")
