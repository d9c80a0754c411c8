"""Files the stage and expected loss of every loan, as the allowance of a reporting day."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from crmkit.columns import count, integer, money
from crmkit.declarations import Answer, Command
from crmkit.entities import Money

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm

IMPAIRMENT, LOAN, REPORT, SOURCE = (
    "banking.impairment", "banking.loan", "banking.impairment", "crmkit",
)  # fmt: skip
FIGURES = ("stage", "pd_12m", "pd_life", "lgd", "ead", "ecl")


def file_impairment(crm: Crm, as_of: AsOf) -> Answer:
    """Files what the report banking.impairment says of each loan; history keeps what was filed before.

    A loan that no longer runs keeps its last stage and has nothing left to lose: exposure and loss 0.
    """
    found = {
        row["loan_id"]: row
        for row in crm.reports.run(REPORT, {}, as_of, shown=False).table.to_pylist()
    }
    held = crm.store.records.read(IMPAIRMENT, ["owner_id", *FIGURES[:4]], where={"source": SOURCE})
    ended = [dict(zip(("loan_id", *FIGURES), (*row, 0, 0), strict=True))
             for row in held if row[0] not in found]  # fmt: skip
    rows = [*map(_figures, found.values()), *ended]
    if rows:
        loans = [row["loan_id"] for row in rows]
        refs = dict(crm.store.records.read(LOAN, ["id", "ref"], among={"id": loans}))
        instant = min(as_of.instant, crm.clock())
        crm.store.records.put(
            IMPAIRMENT,
            source=SOURCE,
            refs=[refs[loan] for loan in loans],
            owners=loans,
            values=_columns(rows, crm.settings.currency) | {"reported_on": [as_of.on] * len(rows)},
            effective=[instant] * len(rows),
        )
    return Answer(rows=_by_stage(found.values()), remarks=_ended(len(ended)))


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    named = {name: row[name] for name in FIGURES[:4]}
    return {"loan_id": row["loan_id"], **named, "ead": row["ead_minor"], "ecl": row["ecl_minor"]}


def _columns(rows: list[dict[str, Any]], currency: str) -> dict[str, list[Any]]:
    return {
        name: [Money(row[name], currency) if name in ("ead", "ecl") else row[name] for row in rows]
        for name in FIGURES
    }


def _by_stage(found: Any) -> list[dict[str, Any]]:
    summed: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in found:
        for place, value in enumerate((1, row["ead_minor"], row["ecl_minor"])):
            summed[row["stage"]][place] += value
    return [
        {"stage": stage, "loans": loans, "ead_minor": ead, "ecl_minor": ecl}
        for stage, (loans, ead, ecl) in sorted(summed.items())
    ]


def _ended(number: int) -> tuple[str, ...]:
    return (f"{number} loans that no longer run have nothing left to lose.",) if number else ()


COMMANDS = (
    Command(
        name="impairment file", run=file_impairment, writes=True, as_of=True,
        help="File the IFRS 9 stage and the expected credit loss of every loan.\n\nReads the report "
        "banking.impairment as of the reporting day and keeps its figures with the loans, as records of "
        "the type banking.impairment whose history stays.",
        example="crmkit impairment file --as-of 2026-06-30",
        columns=(
            integer("stage", "Stage", "阶段"), count("loans", "Loans", "贷款数", "loan"),
            money("ead", "Exposure", "风险敞口"), money("ecl", "Expected credit loss", "预期信用损失"),
        ),
    ),
)  # fmt: skip
