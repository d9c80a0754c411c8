"""``crmkit customer``: list, search, show, add and edit customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..entities.customer import CONTACT_KINDS, CUSTOMER_KINDS, ContactPoint, Customer, CustomerRef
from ..errors import NotFound, UsageError
from . import duplicates, merges
from .assign import COMMANDS
from .export import export_customers
from .main import State
from .options import (
    COUNT,
    POSITIVE,
    Zone,
    columns_option,
    format_option,
    limit_option,
    list_options,
    output_option,
)
from .output import emit, emit_blocks, emit_nested, emit_record, emit_text, form, note
from .pager import terminal_width

if TYPE_CHECKING:
    from ..present.grid import Column
    from ..workspace import Crm

COLUMNS = (
    "ref", "name", "kind", "locale", "time_zone", "region", "owner", "team", "created_at",
    "updated_at", "version",
)  # fmt: skip
# The columns of `list` that the store does not sort or filter by.
_SHOWN_ONLY = ("ref",)
# Those that a narrow terminal leaves out first.
_DETAIL = ("version", "updated_at", "time_zone", "locale", "team", "created_at")


@click.group("customer")
def command() -> None:
    """List, search, show, add, edit and hand over customers."""


for _made in COMMANDS:
    command.add_command(_made)
command.add_command(export_customers)


def _pairs(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text in value:
        name, equals, given = text.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{text!r} is not of the form name=value.")
        found[name.strip()] = given.strip() or None
    return found


@command.command("list")
@click.option("--where", multiple=True, metavar="NAME=VALUE", callback=_pairs, help="Only customers with this value; several must all hold. An empty value means missing.")  # fmt: skip
@list_options
@click.pass_obj
def list_customers(
    state: State,
    where: dict[str, str | None],
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List customers, those merged into another one left out.

    --columns, --sort and --where also take fields of plugins, as telecom.tenure_months.

    Example: crmkit customer list --where region=north --sort -created_at --limit 10
    """
    with state.open(shows="customer list") as crm:
        wanted = _listable(crm, columns)
        typed = {name: _typed_value(crm, name, text) for name, text in where.items()}
        found = crm.store.customers.list(limit=limit, sort=sort or (), where=typed)
        rows = _rows(crm, found, wanted)
    emit(rows, format=format, output=output, fields=_shown(wanted))


def _shown(names: Iterable[str]) -> list[Column]:
    from ..present.grid import Column

    return [Column(name=name, detail=name in _DETAIL) for name in names]


def _listable(crm: Crm, columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        return list(COLUMNS)
    known = [*COLUMNS, *crm.store.customers.columns()]
    for name in columns:
        if name not in known:
            raise NotFound("customer column", name, known)
    return list(columns)


def _typed_value(crm: Crm, name: str, text: str | None) -> Any:
    """The text of ``--where`` as the column's type."""
    plugin, dot, field = name.partition(".")
    if text is None or not dot or plugin not in crm.catalog.customer_fields:
        return text
    from ..store.values import Codec

    fields = crm.catalog.customer_fields[plugin].fields
    codec = Codec(f"{plugin}.customer", fields, crm.settings.currency)
    return codec.typed({field: typed_text(fields.by_name, field, text)}).get(field)


def typed_text(fields: Mapping[str, Any], name: str, text: str | None) -> Any:
    """Text from the command line as a number or truth value where the field is one.

    Dates, instants and money stay text, which the store parses by itself.

    Raises:
        UsageError: if the text is not of the field's type.
    """
    from ..entities.field_types import FieldType

    if text is None or name not in fields:
        return text
    kind = fields[name].type
    try:
        if kind is FieldType.INTEGER:
            return int(text)
        if kind is FieldType.NUMBER:
            return float(text)
        if kind is FieldType.BOOLEAN:
            return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
    except (ValueError, KeyError):
        raise UsageError(f"field {name!r}: {text!r} is no {kind.value}.") from None
    return [part.strip() for part in text.split(",")] if kind is FieldType.LIST else text


def _rows(crm: Crm, found: Iterable[Customer], wanted: Sequence[str]) -> list[dict[str, Any]]:
    from ..policy import local_viewer, masked
    from ..present.people import shown_refs

    customers, viewer = list(found), local_viewer(crm.actor)
    refs = shown_refs(crm.store, [c.id for c in customers])
    plugins = {name.partition(".")[0] for name in wanted if "." in name}
    fields = crm.store.customers.fields_of([c.id for c in customers]) if plugins else {}
    pii = {
        f"{plugin}.{f.name}": f.pii
        for plugin, declared in crm.catalog.customer_fields.items()
        for f in declared.fields.fields
    }
    out = []
    for customer in customers:
        row: dict[str, Any] = {}
        for name in wanted:
            plugin, dot, field = name.partition(".")
            if dot:
                value = fields.get(customer.id, {}).get(plugin, {}).get(field)
                row[name] = masked(value, pii.get(name, "none"), viewer)
            elif name == "ref":
                row[name] = refs[customer.id]
            else:
                value = getattr(customer, name)
                row[name] = masked(value, "direct", viewer) if name == "name" else value
        out.append(row)
    return out


@command.command("search")
@click.argument("text")
@limit_option
@columns_option
@format_option
@output_option
@click.pass_obj
def search_customers(
    state: State,
    text: str,
    limit: int | None,
    columns: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Find customers by a part of a name, key or contact point.

    Accents, apostrophes and capitals do not matter, and words may come in any order. A phone number
    is found in any spelling by its digits, at least the last eight. SOURCE:REF names a key with its
    source. A part may be one character, so two-character Chinese names are found. At most 50 are
    shown unless --limit says otherwise.

    Example: crmkit customer search 李雷
    """
    with state.open(shows="customer search") as crm:
        wanted = _listable(crm, columns)
        most = 50 if limit is None else limit
        found = crm.store.customers.search(text, limit=most + 1)
        rows = _rows(crm, found[:most], wanted)
        behind = crm.store.fragments.behind()
    if not rows:
        note(f"nobody was found by {text!r}.")
    emit(rows, format=format, output=output, fields=_shown(wanted))
    if len(found) > most:
        note(f"there are more than {most}; --limit shows more.")
    if behind:
        note(
            f"the search index is {behind:,} transactions behind, so everything was read; "
            "to be faster, run: crmkit customer index"
        )


@command.command("index")
@click.pass_obj
def index_customers(state: State) -> None:
    """Bring the index that `customer search` uses up to date.

    A search takes in a few thousand new rows by itself and reads everything where more are missing,
    as after an import. Run this after a large one. It may be stopped, and goes on where it was.

    Example: crmkit customer index
    """
    with state.open() as crm:
        taken = crm.store.fragments.fill()
    note(f"transactions taken in: {taken:,}")


@command.command("show")
@click.argument("customer", metavar="REF")
@click.option("--timeline", type=COUNT, default=20, show_default=True, metavar="N", help="At most N interactions, latest first.")  # fmt: skip
@click.option("--format", type=click.Choice(["table", "json", "html"]), default="table", help="Form of the result. Default: that of the --output file's name, else table.")  # fmt: skip
@output_option
@click.pass_obj
def show_customer(
    state: State, customer: str, timeline: int, format: str, output: str | None
) -> None:
    """Show everything known about one customer.

    Fields of every plugin, records, timeline, stages, scores with their reasons, segments, the
    rules that fired, and what to do next and why. REF is a business key, or source:key where
    several sources have it.

    Example: crmkit customer show 7590-VHVEG
    """
    from ..policy import local_viewer
    from ..present.customer_view import build_view, view_blocks, view_lines

    made = form(format, output)
    if made not in ("table", "json", "html"):
        raise UsageError(
            f"customer show writes lines, json or html, not {made}.",
            hint="Many customers as rows: crmkit customer list, or crmkit customer export.",
        )
    with state.open(shows="customer show") as crm, crm.store.one_state():
        found = crm.store.customers.find(customer)
        view = build_view(
            crm.store, crm.catalog, local_viewer(crm.actor), found,
            timeline=timeline, language=crm.settings.language,
        )  # fmt: skip
    if made == "json":
        emit_nested([view], output=output)
    elif made == "html":
        emit_blocks(
            [(title, "\n".join(lines)) for title, lines in view_blocks(view, crm.catalog)],
            title=view["name"] or view["ref"], output=output,
        )  # fmt: skip
    else:
        emit_text("\n".join(view_lines(view, crm.catalog, terminal_width(output))), output=output)


# --- writing --------------------------------------------------------------------------------------


def _contacts(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> list[ContactPoint]:
    out = []
    for text in value:
        kind, colon, rest = text.partition(":")
        if not colon or kind not in CONTACT_KINDS or not rest:
            kinds = ", ".join(CONTACT_KINDS)
            raise click.BadParameter(f"{text!r} is not KIND:VALUE with a kind of {kinds}.")
        out.append(ContactPoint(kind, rest))
    return out


def _refs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> list[CustomerRef]:
    out = []
    for text in value:
        source, colon, ref = text.partition(":")
        if not colon or not source or not ref:
            raise click.BadParameter(f"{text!r} is not SOURCE:REF, as billing:1042.")
        out.append(CustomerRef(source, ref))
    return out


_PERSON = (
    click.option("--kind", type=click.Choice(CUSTOMER_KINDS), help="What the customer is."),
    click.option("--region", metavar="TEXT", help="Region."),
    click.option("--owner", metavar="NAME", help="Who looks after the customer."),
    click.option("--team", metavar="NAME", help="Team of the owner."),
    click.option("--locale", metavar="TAG", help="Language tag, as zh-CN."),
    click.option("--time-zone", metavar="ZONE", type=Zone(), help="IANA zone of the customer."),
    click.option("--ref", "refs", multiple=True, metavar="SOURCE:REF", callback=_refs, help="Key in another system; may be given several times."),
    click.option("--contact", "contacts", multiple=True, metavar="KIND:VALUE", callback=_contacts, help=f"Contact point; KIND is {', '.join(CONTACT_KINDS)}. May be given several times."),
    click.option("--set", "fields", multiple=True, metavar="PLUGIN.FIELD=VALUE", callback=_pairs, help="Field of a plugin; an empty value makes it missing. May be given several times."),
)  # fmt: skip


def _person_options(function: Any) -> Any:
    for option in reversed(_PERSON):
        function = option(function)
    return function


@command.command("add")
@click.argument("name")
@_person_options
@format_option
@output_option
@click.pass_obj
def add_customer(
    state: State,
    /,
    name: str,
    kind: str | None,
    refs: list[CustomerRef],
    contacts: list[ContactPoint],
    fields: dict[str, str | None],
    format: str,
    output: str | None,
    **columns: Any,
) -> None:
    """File a new customer.

    Without --ref the customer gets a key of crmkit's own, which is shown.

    Example: crmkit customer add "Ann Example" --ref billing:1042 --contact phone:+4930123456
    """
    with state.open() as crm:
        made = crm.store.customers.add(
            kind=kind or CUSTOMER_KINDS[0],
            name=name,
            refs=refs,
            contact_points=contacts,
            fields=_plugin_fields(crm, fields),
            **columns,
        )
        (row,) = _rows(crm, [made], COLUMNS)
    emit_record(row, format=format, output=output)


@command.command("edit")
@click.argument("customer", metavar="REF")
@click.option("--name", metavar="TEXT", help="New name.")
@_person_options
@click.option("--version", type=POSITIVE, metavar="N", help="Refuse if the customer is no longer at this version. Default: whatever it is now.")  # fmt: skip
@format_option
@output_option
@click.pass_obj
def edit_customer(
    state: State,
    /,
    customer: str,
    refs: list[CustomerRef],
    contacts: list[ContactPoint],
    fields: dict[str, str | None],
    version: int | None,
    format: str,
    output: str | None,
    **columns: Any,
) -> None:
    """Change a customer; the earlier version is kept.

    What is not given stays. --contact replaces all contact points, --ref adds a key. A new --owner is
    logged as an assignment, and refused while renewals are protected for the one that there is.

    Example: crmkit customer edit 1042 --region north --set telecom.paperless=true
    """
    changes = {key: value for key, value in columns.items() if value is not None}
    if not (changes or refs or contacts or fields):
        raise UsageError(
            "nothing to change.", hint="Give --name, --region, --set or another option."
        )
    with state.open() as crm:
        found = crm.store.customers.find(customer)
        edited = crm.store.customers.edit(
            found.id,
            version=version or found.version,
            changes=changes,
            refs=refs,
            contact_points=contacts or None,
            fields=_plugin_fields(crm, fields),
        )
        (row,) = _rows(crm, [edited], COLUMNS)
    emit_record(row, format=format, output=output)


def _plugin_fields(crm: Crm, given: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    """``{"telecom.plan": "x"}`` as fields by plugin, numbers and truth values typed."""
    out: dict[str, dict[str, Any]] = {}
    known = [
        f"{plugin}.{f.name}"
        for plugin, declared in crm.catalog.customer_fields.items()
        for f in declared.fields.fields
    ]
    for name, text in given.items():
        if name not in known:
            raise NotFound(
                "customer field", name, known, hint="" if known else "No plugin declares any."
            )
        plugin, _, field = name.partition(".")
        fields = crm.catalog.customer_fields[plugin].fields.by_name
        out.setdefault(plugin, {})[field] = typed_text(fields, field, text)
    return out


# --- one person, several records ------------------------------------------------------------------

command.add_command(duplicates.command)
command.add_command(merges.merge)
command.add_command(merges.unmerge)
