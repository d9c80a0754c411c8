"""``crmkit record``: rows of the record types that plugins declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from ..declarations import CUSTOMER
from ..errors import NotFound, UsageError
from .export import export_records
from .main import State
from .options import COUNT, as_of_option, check_columns, format_option, list_options, output_option
from .output import emit, emit_record, note

if TYPE_CHECKING:
    from ..entities.record import Record
    from ..store.domain import Entity
    from ..workspace import Crm

# The source of records that people make in crmkit itself.
OWN_SOURCE = "crmkit"


@click.group("record")
def command() -> None:
    """List, show, set and export plugins' records."""


command.add_command(export_records)


def pairs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    """``NAME=VALUE`` texts by name, for an option that may be given several times."""
    found: dict[str, str] = {}
    for text in value:
        name, equals, given = text.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE.")
        found[name.strip()] = given.strip()
    return found


@command.command("list")
@click.argument("type")
@click.option("--where", multiple=True, metavar="FIELD=VALUE", callback=pairs, help="Only records with this value; several must all hold. An empty value means missing.")  # fmt: skip
@click.option("--customer", metavar="REF", help="Only records that belong to this customer.")
@list_options
@click.pass_obj
def list_records(
    state: State,
    type: str,
    where: dict[str, str],
    customer: str | None,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List records of a type, such as telecom.plan.

    Types of disabled plugins can be listed too. Sorted by fields, else in order of filing.

    Example: crmkit record list telecom.subscription --where status=active --limit 10
    """
    with state.open(shows="record list") as crm:
        records, entity = crm.store.records, crm.store.records.entity(type)
        check_columns([c.name for c in _columns(entity)], columns)
        wanted = records.parse(type, where)
        if customer is None:
            found: Sequence[Record] = records.list(type, where=wanted, sort=sort or (), limit=limit)
        else:
            if where or sort:
                raise UsageError("--customer cannot be combined with --where or --sort.")
            owner = crm.store.customers.find(customer).id
            found = [r for r in records.list_for(owner) if r.type == type][:limit]
        rows = _rows(crm, entity, found)
    emit(rows, format=format, output=output, columns=columns, fields=_columns(entity))


@command.command("show")
@click.argument("type")
@click.argument("record", metavar="REF")
@click.option("--history", is_flag=True, help="Show every version, oldest first.")
@as_of_option
@format_option
@output_option
@click.pass_obj
def show_record(
    state: State,
    type: str,
    record: str,
    history: bool,
    as_of: str | None,
    format: str,
    output: str | None,
) -> None:
    """Show one record, as it stands or as it stood.

    REF is its business key, or source:key where several sources have it.

    Example: crmkit record show telecom.subscription S-1042 --as-of 2026-01-31
    """
    with state.open(shows="record show") as crm:
        records, entity = crm.store.records, crm.store.records.entity(type)
        found = records.find(type, record)
        if history:
            rows = _rows(crm, entity, records.versions(type, found.id))
            emit(rows, format=format, output=output, fields=_columns(entity))
            return
        shown = found if as_of is None else _at(crm, found, as_of)
        (row,) = _rows(crm, entity, [shown])
    emit_record(row, format=format, output=output)


@command.command("set")
@click.argument("type")
@click.argument("record", metavar="[REF]", required=False)
@click.option("--where", multiple=True, metavar="FIELD=VALUE", callback=pairs, help="In place of REF: change every record with this value; several must all hold. An empty value means missing.")  # fmt: skip
@click.option("--set", "fields", multiple=True, metavar="FIELD=VALUE", callback=pairs, help="New value of a field; an empty value makes it missing. May be given several times.")  # fmt: skip
@click.option("--source", metavar="NAME", help="System that the key is from. Default: that of the record, else crmkit.")  # fmt: skip
@click.option("--owner", metavar="REF", help="The customer, or the owning record, by its key.")
@click.option("--version", type=COUNT, metavar="N", help="Refuse if the record is no longer at this version; 0 is one that does not exist. Default: whatever it is now.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="With --where: say how many would change, and change nothing.")  # fmt: skip
@format_option
@output_option
@click.pass_obj
def set_record(
    state: State,
    type: str,
    record: str | None,
    where: dict[str, str],
    fields: dict[str, str],
    source: str | None,
    owner: str | None,
    version: int | None,
    dry_run: bool,
    format: str,
    output: str | None,
) -> None:
    """Make a record, or change it and keep its earlier version; with --where change many.

    Fields that are not given stay as they are. A change of many is one transaction, whose id it
    shows: crmkit record undo takes it back.

    Example: crmkit record set telecom.plan P-9 --set monthly_fee=19.99
    """
    if bool(where) == (record is not None):
        raise UsageError("give either REF or --where.")
    if record is None and (source, owner, version) != (None, None, None):
        raise UsageError("--source, --owner and --version are of one record: give REF.")
    if record is not None and dry_run:
        raise UsageError("--dry-run is for a change of many: give --where.")
    with state.open() as crm:
        records, entity = crm.store.records, crm.store.records.entity(type)
        _refuse_filed(crm, type)
        if record is None:
            with crm.store.rehearsal() if dry_run else nullcontext():
                done = records.change(type, records.parse(type, fields), records.parse(type, where))
            if dry_run:
                note("dry run: nothing was changed.")
            shown = {"transaction": None if dry_run else str(done.tx_id), "matched": done.matched, "changed": done.changed}  # fmt: skip
            emit_record(shown, format=format, output=output)
            return
        key = _key(crm, type, record, source)
        made = records.set(
            type,
            source=key[0],
            ref=key[1],
            owner_id=None if owner is None else _owner(crm, entity, owner),
            values=records.parse(type, fields),
            version=version,
        )
        (row,) = _rows(crm, entity, [made])
    emit_record(row, format=format, output=output)


@command.command("undo")
@click.argument("transaction", metavar="ID")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@format_option
@output_option
@click.pass_obj
def undo_change(
    state: State, transaction: str, dry_run: bool, format: str, output: str | None
) -> None:
    """Take a change of records back: what it changed is again as it was.

    It is refused, and nothing changed, where somebody has changed one of the records since. Within
    revert_days of crmkit.toml (30) only.

    Example: crmkit record undo 250166919359889409 --dry-run
    """
    from ..store.revert import undo

    if not transaction.isascii() or not transaction.isdigit():
        raise UsageError(f"{transaction!r} is no id of a transaction.")
    with state.open() as crm:
        days = crm.settings.revert_days
        done = undo(crm.store, int(transaction), window_days=days, dry_run=dry_run)
    if done.already:
        note("nothing of it is left to undo; nothing was done.")
    if dry_run:
        note("dry run: nothing was changed.")
    emit_record(done.as_dict(), format=format, output=output)


def _at(crm: Crm, record: Record, as_of: str) -> Record:
    at = crm.as_of(as_of)
    past = crm.store.records.at(record.type, record.id, at.instant)
    if past is None:
        raise NotFound(record.type, record.ref, hint=f"It was not known yet before {at}.")
    return past


def _key(crm: Crm, type: str, text: str, source: str | None) -> tuple[str, str]:
    """Source and ref of the record that is meant, whether it exists or not."""
    if source is not None:
        return source, text
    try:
        found = crm.store.records.find(type, text)
    except NotFound:
        return OWN_SOURCE, text
    return found.source, found.ref


def _refuse_filed(crm: Crm, type: str) -> None:
    declared = crm.catalog.record_types.get(type)
    if declared is not None and declared.filed_by:
        raise UsageError(
            f"records of {type} are filed by crmkit {declared.filed_by} alone.",
            code="E_FILED_BY",
            hint=f"See crmkit {declared.filed_by} --help.",
        )


def _owner(crm: Crm, entity: Entity, text: str) -> int:
    if entity.owner == CUSTOMER:
        return crm.store.customers.find(text).id
    if entity.owner is None:
        raise UsageError(f"records of {entity.name} have no owner.")
    return crm.store.records.find(entity.owner, text).id


def _columns(entity: Entity) -> list[Any]:
    from ..present.grid import Column

    owner = [] if entity.owner is None else [Column(name="owner")]
    fields = [
        Column(
            name=f.name, type=f.type, unit=f.unit, title=f.title, title_zh=f.title_zh,
            currency=f.currency,
        )
        for f in entity.fields.fields
    ]  # fmt: skip
    ends = [Column(name="valid_from"), Column(name="version")]
    return [Column(name="ref"), Column(name="source"), *owner, *fields, *ends]


def _rows(crm: Crm, entity: Entity, found: Sequence[Record]) -> list[dict[str, Any]]:
    from ..policy import local_viewer, masked

    viewer, owners = local_viewer(crm.actor), _owner_refs(crm, entity, found)
    rows = []
    for record in found:
        row: dict[str, Any] = {"ref": record.ref, "source": record.source}
        if entity.owner is not None:
            row["owner"] = owners.get(record.owner_id or 0)
        for f in entity.fields.fields:
            row[f.name] = masked(record.values[f.name], f.pii, viewer)
        rows.append({**row, "valid_from": record.valid_from, "version": record.version})
    return rows


def _owner_refs(crm: Crm, entity: Entity, found: Sequence[Record]) -> Mapping[int, str]:
    ids = {r.owner_id for r in found if r.owner_id is not None}
    if entity.owner == CUSTOMER:
        from ..present.people import shown_refs

        return shown_refs(crm.store, ids)
    return {i: crm.store.records.get(str(entity.owner), i).ref for i in ids}
