"""Public complaints imported as cases, their breaches counted again by SQL over the raw file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from crmkit.builtin.service.cases import Cases
from crmkit.workspace import Crm

# Whole days that lie between the two dates; nothing of crmkit is used.
LATE = """
    SELECT "Company", "Issue", "Date received"::DATE AS received, "Date sent to company"::DATE AS sent
    FROM read_csv(?, all_varchar = true, header = true)
    WHERE date_diff('day', received, sent) > ?
    ORDER BY ALL
"""


@pytest.mark.parametrize("days", [5, 15])
def test_breaches_of_the_published_complaints_are_those_of_an_independent_query(
    crm: Crm, cases: Cases, shared_data: Path, days: int
) -> None:
    file = shared_data / "cfpb_complaints" / "cfpb_2013_2017.csv"
    if days != 5:
        crm.store.records.set(
            "service.target", source="crmkit", ref="forward",
            values={"clock": "forward", "target": f"{days} days"},
        )  # fmt: skip
    done = crm.import_file(file, profile="cfpb-complaints")
    assert (done.read, done.created, done.rejected) == (3186, 3186, 0)
    # The import has given the cases their state and clocks.
    assert cases.recompute() == (3186, 0)
    expected = duckdb.connect().execute(LATE, [str(file), days]).fetchall()
    found = cases.breaches(crm.clock())
    names = crm.store.customers.names({b["customer_id"] for b in found})
    # A promise of n days ends with the n-th day after the first.
    zone, whole = crm.store.time_zone, timedelta(days=days + 1)
    mine = sorted(
        (
            names[b["customer_id"]],
            b["topic"],
            b["due_at"].astimezone(zone).date() - whole,
            b["stopped_at"].astimezone(zone).date(),
        )
        for b in found
    )
    assert len(expected) > 50
    assert mine == expected
    kept = crm.reports.run("service.kept-promises", {"clock": "forward"}, crm.as_of()).table
    (row,) = kept.to_pylist()
    assert (row["known"], row["kept"]) == (3186, 3186 - len(expected))
    # The same file again changes nothing, and nothing is left to recompute.
    assert crm.import_file(file, profile="cfpb-complaints").unchanged == 3186
    assert cases.recompute() == (3186, 0)
