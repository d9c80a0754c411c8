"""Panels of the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from .reports import ReportColumn, _report_columns

if TYPE_CHECKING:
    from ..workspace import Crm


@frozen(kw_only=True)
class Panel:
    """What somebody who has a customer on the line should see: a part of ``crmkit desk``.

    Args:
        name: ``hotel.stays``.
        rows: called with the workspace and the ids of customers, those merged into them among them;
            returns rows with ``customer_id`` and the columns, the most important first. It is asked
            once for all of them, reads the store and not the warehouse, and is done in a few
            milliseconds.
        columns: what is shown of each row, in order.
        pii: PII class by column, where it is not ``none``; the policy masks by it.
        order: lower comes first.
    """

    name: str
    rows: Callable[[Crm, Sequence[int]], Iterable[Mapping[str, Any]]]
    columns: tuple[ReportColumn, ...] = field(converter=_report_columns)
    pii: Mapping[str, str] = field(factory=dict, hash=False)
    order: int = 100
    title: str = ""
    title_zh: str = ""
