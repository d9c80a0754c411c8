"""Whom a list could be about: the customers of a report, a segment or a rule, each with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from crmkit.declarations import CUSTOMER
from crmkit.entities import Money
from crmkit.errors import NotFound, PluginError, UsageError

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm


@frozen(kw_only=True)
class Candidate:
    """A customer with the reason to contact it.

    Args:
        why: in words; source: ``report:telecom.retention-list``, a segment or a rule.
        value: what the contact is expected to bring, if that is known.
        stratum: group within which the control group is drawn.
    """

    customer_id: int
    why: str
    source: str
    value: Money | None = None
    stratum: str = ""


def of_report(
    crm: Crm, name: str, parameters: Mapping[str, str], as_of: AsOf, *, why: str | None = None,
    value: str | None = None, stratum: str | None = None,
) -> list[Candidate]:  # fmt: skip
    """The customers of a report's rows, in their order.

    Args:
        why: the column with the reason; None takes the report's title.
        value: a column of money or of whole minor units. stratum: any column.

    Raises:
        UsageError: if the report is not about customers, or has no such column.
    """
    columns = {c.name: c for c in crm.reports.get(name).columns}
    if "customer_id" not in columns:
        raise UsageError(f"report {name} is not about customers: it has no column customer_id.")
    for column in (why, value, stratum):
        if column is not None and column not in columns:
            raise NotFound(f"column of report {name}", column, columns)
    result = crm.reports.run(name, parameters, as_of)
    found = []
    for row in result.table.to_pylist():
        amount = None if value is None else row[value]
        found.append(
            Candidate(
                customer_id=row["customer_id"],
                why=str(row[why]) if why else result.report.title,
                source=f"report:{name}",
                value=None if amount is None else Money(int(amount), result.currency),
                stratum="" if stratum is None else str(row[stratum]),
            )
        )
    return found


def of_segment(crm: Crm, name: str, as_of: AsOf) -> list[Candidate]:
    """The members of a segment, asked anew."""
    segment = crm.segments.get(name)
    answers = crm.segments.ask(as_of, [name])[segment.subject]
    if name in answers.faults:
        raise PluginError(crm.catalog.owner(name), f"segment {name}", answers.faults[name])
    ids = answers.found[name].column("subject_id").to_pylist()
    why = segment.title or name
    subjects = [(i, why) for i in ids]
    return _of_subjects(crm, segment.subject, subjects, f"segment:{name}")


def of_rule(crm: Crm, name: str) -> list[Candidate]:
    """Those on whom a rule fired when it ran last, with its message.

    Raises:
        UsageError: if the rule does not propose a list, or has fired on nobody.
    """
    rule = crm.rules.get(name)
    if rule.action != "list":
        raise UsageError(f"rule {name} proposes {rule.action} and not a list.")
    fired = crm.store.outcomes.list(name)
    if not fired:
        raise UsageError(f"rule {name} has fired on nobody.", hint="Run it: crmkit rule run")
    subjects = [(o.subject_id, o.reasons[0] if o.reasons else rule.title or name) for o in fired]
    return _of_subjects(crm, rule.subject, subjects, f"rule:{name}")


def _of_subjects(
    crm: Crm, subject: str, found: Sequence[tuple[int, str]], source: str
) -> list[Candidate]:
    owners = {i: i for i, _ in found}
    if subject != CUSTOMER:
        if crm.catalog.record_types[subject].owner != CUSTOMER:
            raise UsageError(f"{source} is about {subject}, which belongs to no customer.")
        rows = crm.store.records.read(subject, ("id", "owner_id"), among={"id": owners})
        owners = {i: owner for i, owner in rows if owner is not None}
    return [
        Candidate(customer_id=owners[i], why=why, source=source) for i, why in found if i in owners
    ]


def one_each(candidates: Iterable[Candidate], survivors: Mapping[int, int]) -> list[Candidate]:
    """The candidates as the customers that they stand for now, each once with its first reason."""
    out: dict[int, Candidate] = {}
    for candidate in candidates:
        person = survivors.get(candidate.customer_id)
        if person is not None:
            out.setdefault(person, evolve(candidate, customer_id=person))
    return list(out.values())
