"""``crmkit document``: files attached to customers and records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from ..errors import CrmkitError, NotConfirmed
from .main import State
from .options import DAYS, WHOLE, format_option, listed, output_option
from .output import emit, emit_record, named, note, result_stream

if TYPE_CHECKING:
    from ..store.documents import Document
    from ..workspace import Crm

SHOWN = (
    "id", "customer_id", "record_type", "record", "type", "expires_on", "days_left", "file_name",
    "size", "media_type",
)  # fmt: skip
ALL_FIELDS = (*SHOWN, "sha256", "removed")

_day = click.DateTime(formats=["%Y-%m-%d"])


@click.group("document")
def command() -> None:
    """Attach files to customers and records, and see which expire."""


def _rows(crm: Crm, found: Iterable[Document], columns: Iterable[str]) -> list[dict[str, Any]]:
    today = crm.clock().astimezone(crm.store.time_zone).date()
    out = []
    for document in found:
        left = None if document.expires_on is None else (document.expires_on - today).days
        values = {
            "id": str(document.id), "days_left": left,
            "record": None if document.record_id is None else str(document.record_id),
        }  # fmt: skip
        out.append({n: values[n] if n in values else getattr(document, n) for n in columns})
    return out


@command.command("add")
@click.argument("customer", metavar="REF")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--type", required=True, metavar="TEXT", help="What it is, as contract.")
@click.option("--expires", type=_day, metavar="DATE", help="Last day on which it holds.")
@click.option("--record", metavar="TYPE", help="REF is the key of a record of this type, as telecom.contract.")  # fmt: skip
@format_option
@output_option
@click.pass_obj
def add_document(
    state: State, /, customer: str, file: str, type: str, expires: datetime | None,
    record: str | None, format: str, output: str | None,
) -> None:  # fmt: skip
    """Attach a file to a customer or, with --record, to a record.

    The file is copied into documents/ under the hash of what it holds. Its ending and its content
    must agree; document_megabytes of crmkit.toml limits its size.

    Example: crmkit document add 1042 contract.pdf --type contract --expires 2027-01-31
    """
    with state.open() as crm:
        whose: dict[str, Any] = {}
        if record is None:
            whose["customer_id"] = crm.store.customers.find(customer).id
        else:
            whose["record"] = (record, crm.store.records.find(record, customer).id)
        last = None if expires is None else expires.date()
        made = crm.documents.add(file, type=type, expires_on=last, **whose)
        grid = named(crm, _rows(crm, [made], SHOWN), SHOWN)
    emit(grid, format=format, output=output)


@command.command("list")
@click.argument("customer", metavar="[REF]", required=False)
@click.option("--record", metavar="TYPE", help="REF is the key of a record of this type.")
@click.option("--type", metavar="TEXT", help="Only documents of this type.")
@click.option("--expiring", type=DAYS, metavar="DAYS", help="Only those that end within DAYS days, or have ended.")  # fmt: skip
@listed(SHOWN, detail=("media_type", "size", "record_type"))
@click.pass_obj
def list_documents(
    state: State, customer: str | None, record: str | None, type: str | None,
    expiring: int | None, limit: int | None, columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None, format: str, output: str | None,
) -> None:  # fmt: skip
    """List documents, the next to expire first; of one customer or of all.

    Example: crmkit document list --expiring 30
    """
    with state.open() as crm:
        whose: dict[str, Any] = {}
        if record is not None:
            if customer is None:
                raise click.UsageError("--record needs the key of the record as REF.")
            whose["record"] = (record, crm.store.records.find(record, customer).id)
        elif customer is not None:
            whose["customer_id"] = crm.store.customers.find(customer).id
        if expiring is not None:
            today = crm.clock().astimezone(crm.store.time_zone).date()
            whose["expires_by"] = today + timedelta(days=expiring)
        found = crm.documents.list(type=type, limit=None if sort else limit, **whose)
        grid = named(crm, _rows(crm, found, SHOWN), SHOWN)
    emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)


@command.command("show")
@click.argument("document", metavar="ID", type=WHOLE)
@format_option
@output_option
@click.pass_obj
def show_document(state: State, document: int, format: str, output: str | None) -> None:
    """Show what is known of a document; its file is written by export.

    Example: crmkit document show 250182423776591872
    """
    with state.open() as crm:
        (row,) = _rows(crm, [crm.documents.get(document)], ALL_FIELDS)
        whose = row.pop("customer_id")
        if whose is not None:
            from ..present.people import shown_refs

            row = {"ref": shown_refs(crm.store, [whose])[whose], **row}
    emit_record(row, format=format, output=output)


@command.command("export")
@click.argument("document", metavar="ID", type=WHOLE)
@output_option
@click.pass_obj
def export_document(state: State, document: int, output: str | None) -> None:
    """Write the file of a document, after checking that it is what was attached.

    Example: crmkit document export 250182423776591872 --output contract.pdf
    """
    with state.open() as crm:
        content = crm.documents.read(document)
    with result_stream(output, form="document") as out:
        out.write(content)


@command.command("remove")
@click.argument("document", metavar="ID", type=WHOLE)
@click.option("--yes", is_flag=True, help="Confirm: the file is deleted for good.")
@click.pass_obj
def remove_document(state: State, document: int, yes: bool) -> None:
    """Remove a document and, unless another document has the same, its file.

    That it was there, of which type and until when, stays in the history.

    Example: crmkit document remove 250182423776591872 --yes
    """
    with state.open() as crm:
        found = crm.documents.get(document)
        if not yes and not found.removed:
            raise NotConfirmed(
                f"document {document} ({found.type}) and its file would be deleted for good.",
                hint="Do it with --yes.",
            )
        crm.documents.remove(document)
    note(f"removed document {document}.")


@command.command("check")
@format_option
@output_option
@click.pass_obj
def check_documents(state: State, format: str, output: str | None) -> None:
    """Compare every file with its hash, and name files that no document has.

    Exits with 1 if a file is missing or was changed. A file that no document has is what a process
    left that was killed; it can be deleted while nobody attaches documents.

    Example: crmkit document check
    """
    with state.open() as crm:
        found = crm.documents.check()
    rows = [{"fault": fault, "file": file} for fault, file in found]
    emit(rows, format=format, output=output, fields=("fault", "file"))
    lost = sum(fault != "unknown" for fault, _ in found)
    if lost:
        raise CrmkitError(
            f"{lost} files are missing or were changed.", code="E_DAMAGED",
            hint="Restore documents/ from a backup.",
        )  # fmt: skip
