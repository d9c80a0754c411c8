"""Two processes make lists at once: nobody is above a cap, by a count that the policy has no part in."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter

import pytest
from sqlalchemy import text

import crmkit

PEOPLE, LISTS, DAYS = 60, 14, 40
# Each process makes its lists one after the other, as fast as it can, over the same customers.
SCRIPT = """
import json, sys
from collections import Counter
from datetime import datetime, timedelta, UTC
import crmkit
from crmkit.entities import ContactRequest

folder, name = sys.argv[1:]
with crmkit.open(folder) as crm:
    policy = crm.service("contact.policy")
    policy.ask([])
    print("ready", flush=True)
    blocked = Counter()
    for line in sys.stdin:
        requests = [
            ContactRequest(customer_id=i, channel="email", purpose="marketing",
                           at=datetime(2026, 4, 1, 12, tzinfo=UTC) + timedelta(days=day))
            for i, day in json.loads(line)
        ]
        with crm.store.begin("list make") as tx:
            blocked.update(d.code for d in policy.reserve(requests, taken_by=name, tx=tx))
    print(json.dumps(blocked))
"""
# Every window of days begins, without loss, with a contact: how many contacts does the fullest hold?
FULLEST = """
    select max(held) from (
        select a.id, count(*) as held from contact_slot a
        join contact_slot b on b.owner_id = a.owner_id and {ahead} between 0 and {days} - 1
        where a.state in ('reserved', 'made') and b.state in ('reserved', 'made') group by a.id
    ) counted
"""
AHEAD = {"sqlite": "julianday(b.day) - julianday(a.day)", "postgresql": "b.day - a.day"}


@pytest.mark.parametrize("seed", [1])
def test_no_customer_is_above_any_cap(tmp_path, database_url, seed) -> None:
    """The caps are those of marketing: 1 a day, 2 in 7 days, 6 in 30 days."""
    folder = tmp_path / "shop"
    with crmkit.init(folder, database=database_url) as crm:
        with crm.store.begin("test") as tx:
            people = [crm.store.customers.add(tx=tx).id for _ in range(PEOPLE)]
        consents = {"channel": "any", "purpose": "any", "state": "given", "at": crm.clock()}
        crm.store.records.put(
            "contact.consent", source="test", refs=[str(i) for i in people], owners=people,
            values={name: [value] * PEOPLE for name, value in consents.items()},
        )  # fmt: skip
    asked = 0
    processes = []
    for name in ("north", "south"):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
    draw = random.Random(seed)
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for _ in range(LISTS):
        for process in processes:
            wanted = [(i, draw.randrange(DAYS)) for i in draw.sample(people, PEOPLE * 4 // 5)]
            asked += len(wanted)
            assert process.stdin is not None
            process.stdin.write(json.dumps(wanted) + "\n")
            process.stdin.flush()
    counted: Counter[str] = Counter()
    for process in processes:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        counted.update(json.loads(out))
    with crmkit.open(folder) as crm, crm.store.read() as connection:
        fullest = {
            days: connection.scalar(text(FULLEST.format(ahead=AHEAD[crm.store.dialect], days=days)))
            for days in (1, 7, 30)
        }
        taken = dict(
            connection.execute(text("select taken_by, count(*) from contact_slot group by 1")).all()
        )
    # So many were asked for that every cap is reached and none is passed.
    assert fullest == {1: 1, 7: 2, 30: 6}
    assert set(taken) == {"north", "south"}
    assert counted["allowed"] == sum(taken.values())
    # Every refusal is counted by its reason.
    assert set(counted) == {"allowed", "cap_1", "cap_7", "cap_30"}
    assert counted.total() == asked
