"""Reports on cases by product and responsible department together."""

from __future__ import annotations

from datetime import datetime

from crmkit.builtin import service
from crmkit.testing.small import SmallWorld

BEGUN, ANSWERED = datetime(2026, 3, 1), datetime(2026, 3, 2)  # noqa: DTZ001


def test_promises_by_product_and_department() -> None:
    """Of three answers on cards two were given by billing, one of them late, and one by fraud."""
    with SmallWorld(service) as world:
        for number, department, late in ((1, "billing", False), (2, "billing", True), (3, "fraud", False)):  # fmt: skip
            world.add("service_case", id=number, product="card", department=department)
            world.add("service_clock", id=number, owner_id=number, clock="answer", late=late,
                      state="fulfilled", started_at=BEGUN, due_at=ANSWERED, stopped_at=ANSWERED)  # fmt: skip
        rows = world.report("kept-promises", by="product-department", clock="answer")
    found = {row["part"]: (row["promises"], row["kept"]) for row in rows}
    assert found == {"card / billing": (2, 1), "card / fraud": (1, 1)}
