"""``crmkit interaction``: log what happened with a customer, and list it."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from ..entities.interaction import CHANNELS, DIRECTIONS
from ..entities.moments import parse_moment
from ..errors import NotFound, UsageError
from .main import State
from .options import AT, as_of_option, check_columns, format_option, list_options, output_option
from .output import emit, emit_record
from .record import pairs

if TYPE_CHECKING:
    from ..entities.interaction import Interaction
    from ..entities.money import Money
    from ..workspace import Crm

COLUMNS = (
    "id", "kind", "occurred_at", "channel", "direction", "actor", "amount", "currency", "source",
    "ref", "revision", "recorded_at",
)  # fmt: skip
PAYLOAD = "payload"


@click.group("interaction")
def command() -> None:
    """Log and list interactions."""


@command.command("log")
@click.argument("customer", metavar="REF")
@click.argument("kind")
@click.option("--at", "occurred", metavar="INSTANT", type=AT, help="When it happened, such as 2026-03-31T14:30 in the workspace's time zone, or with its own. Default: now.")  # fmt: skip
@click.option("--set", "payload", multiple=True, metavar="FIELD=VALUE", callback=pairs, help="Field of the kind's payload. May be given several times.")  # fmt: skip
@click.option("--channel", type=click.Choice(CHANNELS), help="Channel.")
@click.option("--direction", type=click.Choice(DIRECTIONS), default="none", show_default=True, help="in is from the customer, out is to the customer.")  # fmt: skip
@click.option("--amount", metavar="AMOUNT", help="Amount such as 19.99, or '19.99 EUR' where it is not in the workspace's currency.")  # fmt: skip
@click.option("--source", metavar="NAME", default="crmkit", show_default=True, help="System that it comes from.")  # fmt: skip
@click.option("--ref", metavar="KEY", help="Its key in that system: logged again with the same key it is a correction, or nothing if it says the same.")  # fmt: skip
@click.option("--subject", metavar="REF", help="Key of the record that it is about.")
@format_option
@output_option
@click.pass_obj
def log(
    state: State,
    /,
    customer: str,
    kind: str,
    occurred: str | None,
    payload: dict[str, str],
    amount: str | None,
    subject: str | None,
    format: str,
    output: str | None,
    **envelope: Any,
) -> None:
    """Log an interaction of a kind, such as telecom.service-call, with a customer.

    Example: crmkit interaction log 1042 telecom.complaint --channel phone --set topic=billing
    """
    from ..entities import NewInteraction

    with state.open() as crm:
        typed = crm.store.interactions.parse(kind, payload)
        new = NewInteraction(
            kind=kind,
            customer_id=crm.store.customers.find(customer).id,
            occurred_at=_instant(crm, occurred),
            amount=None if amount is None else _money(amount, crm.settings.currency),
            payload=typed,
            subject_id=None if subject is None else _subject(crm, kind, subject),
            **envelope,
        )
        (logged,) = crm.store.interactions.log(new)
        row = _row(crm, logged, kind)
    emit_record(row, format=format, output=output)


@command.command("list")
@click.argument("customer", metavar="REF")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind; may be given several times.")  # fmt: skip
@as_of_option
@list_options
@click.pass_obj
def list_interactions(
    state: State,
    customer: str,
    kinds: tuple[str, ...],
    as_of: str | None,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List a customer's interactions, the latest first, each in its latest revision.

    With one --kind every field of its payload is a column, otherwise the payload is one, as JSON.

    Example: crmkit interaction list 1042 --kind telecom.bill --limit 12
    """
    with state.open() as crm:
        for kind in kinds:
            kept = [e.name for e in crm.store.entities if e.what == "interaction"]
            if kind not in kept:
                raise NotFound("interaction kind", kind, kept)
        only = kinds[0] if len(kinds) == 1 else None
        fields = [*COLUMNS, *_payload_columns(crm, only)]
        check_columns(fields, columns, sort)
        found = crm.store.interactions.list_for(
            crm.store.customers.find(customer).id,
            kinds=kinds or None,
            before=None if as_of is None else crm.as_of(as_of).instant,
            limit=None if sort else limit,
        )
        rows = [_row(crm, interaction, only) for interaction in found]
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=fields)


def _instant(crm: Crm, text: str | None) -> datetime:
    if text is None:
        return crm.clock()
    return parse_moment(text, crm.settings.time_zone).instant


def _money(text: str, currency: str) -> Money:
    from ..entities.money import Money

    amount, _, named = text.partition(" ")
    try:
        return Money.parse(amount, named or currency)
    except ValueError as error:
        raise UsageError(f"--amount: {error}.") from None


def _subject(crm: Crm, kind: str, text: str) -> int:
    declared = crm.catalog.interaction_kinds[kind].subject
    if declared is None:
        raise UsageError(f"interactions of kind {kind} are about no record.")
    return crm.store.records.find(declared, text).id


def _payload_columns(crm: Crm, kind: str | None) -> list[str]:
    """Columns of one kind's payload; one named as a column of the envelope is ``payload_<name>``."""
    if kind is None:
        return [PAYLOAD]
    names = (f.name for f in crm.store.entity(kind).fields.fields)
    return [f"{PAYLOAD}_{name}" if name in COLUMNS else name for name in names]


def _row(crm: Crm, interaction: Interaction, only: str | None) -> dict[str, Any]:
    row = {name: getattr(interaction, name, None) for name in COLUMNS}
    row["currency"] = None if interaction.amount is None else interaction.amount.currency
    payload = _shown(crm, interaction)
    if only is None:
        row[PAYLOAD] = json.dumps(payload, ensure_ascii=False, default=_text)
        return row
    fields = crm.store.entity(only).fields.fields
    values = (payload.get(f.name) for f in fields)
    return {**row, **dict(zip(_payload_columns(crm, only), values, strict=True))}


def _text(value: Any) -> str:
    """Instants, dates and money as they stand in JSON (design D11)."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def _shown(crm: Crm, interaction: Interaction) -> dict[str, Any]:
    """The payload with what the viewer may not see masked."""
    from ..policy import local_viewer, masked

    kinds = crm.catalog.interaction_kinds
    if interaction.kind not in kinds:
        return dict(interaction.payload)
    fields, viewer = kinds[interaction.kind].fields.by_name, local_viewer(crm.actor)
    return {name: masked(v, fields[name].pii, viewer) for name, v in interaction.payload.items()}
