"""Service: complaints and other cases with clocks, for every industry (S1, S2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crmkit import hookimpl, resource_text
from crmkit.declarations import (
    Batch,
    CaseKind,
    Command,
    Firing,
    ImportProfile,
    InteractionKind,
    Panel,
    RecordType,
    Report,
    RowFault,
    Served,
    Service,
    StageMove,
    StageVeto,
)
from crmkit.entities import ContactBatch, ContactBlock, Lifecycle

from . import blocks, commands, complaint, imported, moving, panels, records, reports, serving
from .cases import Cases
from .records import CASE

if TYPE_CHECKING:
    from crmkit.hosting.catalog import Catalog
    from crmkit.store.store import Store, Tx
    from crmkit.workspace import Crm


@hookimpl
def register_record_types() -> list[RecordType]:
    """Cases, their clocks and compensations; calendars, targets, routes and policies."""
    return records.record_types()


@hookimpl
def register_interaction_kinds() -> list[InteractionKind]:
    """What was done about a case."""
    return records.interaction_kinds()


@hookimpl
def register_lifecycles() -> list[Lifecycle]:
    """The states of complaints."""
    return complaint.lifecycles()


@hookimpl
def register_case_kinds() -> list[CaseKind]:
    """Complaints and enquiries, and complaints passed on by a regulator."""
    return complaint.case_kinds()


@hookimpl
def register_profiles() -> list[ImportProfile]:
    """The complaints that a regulator publishes."""
    text = resource_text(__name__, "profiles/cfpb-complaints.toml")
    return [ImportProfile(name="cfpb-complaints", text=text, title="CFPB consumer complaints")]


@hookimpl
def register_reports() -> list[Report]:
    """Promises kept, breaches, ageing, outcomes, compensation and the early warning."""
    return reports.reports()


@hookimpl
def register_panels() -> list[Panel]:
    """Open cases."""
    return panels.panels()


@hookimpl
def register_commands() -> list[Command]:
    """``crmkit case``."""
    return commands.commands()


@hookimpl
def register_services() -> list[Service]:
    """Cases, for other plugins and embedding programs."""
    return [
        Service(
            name="service.cases", make=lambda crm: Cases(crm.store, crm.lifecycles), title="Cases"
        )
    ]


@hookimpl
def before_stage_moves(moves: Sequence[StageMove]) -> list[StageVeto]:
    """Keeps cases from being moved past their clocks."""
    return moving.vetoes(moves)


@hookimpl
def serve_firings(firings: Sequence[Firing], store: Store, tx: Tx) -> list[Served]:
    """Opens the cases that rules ask for."""
    return serving.open_cases(firings, store, tx)


@hookimpl
def check_rows(batch: Batch, catalog: Catalog) -> list[RowFault]:
    """Refuses cases of unknown kinds, states and severities."""
    return imported.row_faults(batch, catalog)


@hookimpl
def settle_records(entity: str, ids: Sequence[int], store: Store, tx: Tx) -> None:
    """Gives imported cases their state, times and clocks."""
    if entity == CASE:
        Cases(store).settle(ids, tx=tx)


@hookimpl
def block_contacts(crm: Crm, batch: ContactBatch) -> list[ContactBlock]:
    """Nobody sells to a customer whose grave complaint is open."""
    return blocks.severe_cases(crm, batch)
