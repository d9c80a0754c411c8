"""A daily run that is killed in every step ends as one that was not."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from crmkit.workspace import init_workspace
from crmkit_telecom.demo import generate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
DAY = "2026-06-30"
FILES = ("plans.csv", "customers.csv", "subscriptions.csv", "billing.csv", "events.csv")
STEPS = 9


def command(folder: Path) -> list[str]:
    tool = str(Path(sys.executable).with_name("crmkit"))
    return [tool, "-w", str(folder), "cycle", "--as-of", DAY, "--format", "json"]


def workspace(folder: Path, files: Any) -> Path:
    with init_workspace(
        folder, plugins=("telecom",), cycle_reports=("core.funnel", "telecom.churn-reasons")
    ) as crm:
        for file in files:
            if file.path.name in FILES:
                crm.import_file(file.path, profile=file.profile)
    return folder


def done(folder: Path) -> int:
    try:
        return len(json.loads((folder / "runs" / "cycle.json").read_text())["done"])
    except (FileNotFoundError, ValueError):
        return 0


def killed_after(folder: Path, steps: int, delay: float) -> bool:
    """Whether the run was killed ``delay`` seconds after so many steps were done."""
    process = subprocess.Popen(
        command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and done(folder) < steps:
        time.sleep(0.002)
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL) if process.poll() is None else None
    return process.wait() == -signal.SIGKILL


def outcome(folder: Path) -> dict[str, Any]:
    """What a day leaves in the store, by the customers' own keys."""
    queries = {
        "stages": "SELECT r.ref, s.lifecycle, s.stage FROM stage s JOIN customer_ref r ON r.customer_id = s.subject_id ORDER BY 1, 2",
        "moves": "SELECT r.ref, c.lifecycle, c.from_stage, c.to_stage FROM stage_change c JOIN customer_ref r ON r.customer_id = c.subject_id ORDER BY 1, 2, c.at, c.id",
        "fired": "SELECT r.ref, o.name, o.kind, round(o.value, 9), o.reasons FROM outcome o JOIN customer_ref r ON r.customer_id = o.subject_id ORDER BY 1, 2",
        "served": "SELECT r.ref, f.rule, f.plugin, replace(f.result, f.subject_id, r.ref) FROM firing_served f JOIN customer_ref r ON r.customer_id = f.subject_id ORDER BY 1, 2, 3",
    }  # fmt: skip
    connection = sqlite3.connect(folder / "crmkit.db")
    try:
        found = {name: connection.execute(query).fetchall() for name, query in queries.items()}
    finally:
        connection.close()
    return {**found, "pages": sorted(p.name for p in (folder / "reports").iterdir())}


def test_cycle_killed_in_every_step_ends_as_one_that_was_not(tmp_path: Path) -> None:
    made = generate(tmp_path / "files", 120, 5)
    whole = workspace(tmp_path / "whole", made.files)
    torn = workspace(tmp_path / "torn", made.files)
    first = subprocess.run(command(whole), capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    draw = random.Random(20261125)
    kills = sum(killed_after(torn, steps, draw.uniform(0, 0.4)) for steps in range(STEPS))
    assert kills >= STEPS - 2  # the last step may have ended before its kill came
    last = subprocess.run(command(torn), capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    statuses = {row["step"]: row["status"] for row in json.loads(last.stdout)}
    assert "done before" in statuses.values() and "faulty" not in statuses.values()
    expected, found = outcome(whole), outcome(torn)
    assert len(expected["fired"]) > 100 and len(expected["moves"]) > 200
    for name, rows in expected.items():
        assert found[name] == rows, name
