"""``crmkit feature``: point-in-time values of each subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..declarations import CUSTOMER, sql_name
from ..entities.asof import AsOf
from ..errors import NotFound
from .main import State
from .options import AS_OF, check_columns, engine_option, explain_option, list_options, listed
from .output import emit, emit_script, named

if TYPE_CHECKING:
    from ..declarations import Feature
    from ..present.grid import Grid
    from ..workspace import Crm

LIST_FIELDS = (
    "name", "subject", "type", "unit", "title", "description", "feature_set", "scope", "plugin",
    "owner", "source",
)  # fmt: skip


@click.group("feature")
def command() -> None:
    """List and build point-in-time features."""


@command.command("list")
@click.option("--subject", metavar="TYPE", help="Only those of customer or of a record type.")
@listed(
    LIST_FIELDS,
    detail=("source", "owner", "plugin", "scope", "feature_set", "description", "subject"),
)
@click.pass_obj
def list_features(
    state: State,
    subject: str | None,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List the features of the enabled plugins.

    Example: crmkit feature list --columns name,unit,title
    """
    with state.open() as crm:
        rows = [_listed(crm, feature, state.lang) for feature in crm.features.list()]
    if subject is not None:
        subjects = {row["subject"] for row in rows}
        if subject not in subjects:
            raise NotFound("subject with features", subject, subjects)
        rows = [row for row in rows if row["subject"] == subject]
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=LIST_FIELDS)  # fmt: skip


def _listed(crm: Crm, feature: Feature, language: str | None) -> dict[str, Any]:
    found = crm.catalog.feature_set_of(feature.name)
    title = (feature.title_zh if language == "zh" else "") or feature.title
    return {
        "name": feature.name,
        "subject": found.subject,
        "type": feature.type.value,
        "unit": feature.unit,
        "title": title,
        "description": feature.description,
        "feature_set": found.name,
        "scope": found.scope.value,
        "plugin": crm.catalog.owner(found.name),
        "owner": found.owner or crm.catalog.owner(found.name),
        "source": found.source or ", ".join(sorted(crm.features.tables(found))),
    }


@command.command("build")
@click.option(
    "--as-of",
    "dates",
    metavar="DATE",
    multiple=True,
    type=AS_OF,
    help="End of this day, or this instant; give it again for more dates. Default: now.",
)
@click.option(
    "--name",
    "names",
    metavar="FEATURE",
    multiple=True,
    help="Only this feature; may be given again. Default: all.",
)
@click.option(
    "--subject",
    default=CUSTOMER,
    metavar="TYPE",
    help="customer, or a record type. Default: customer.",
)
@click.option("--customer", metavar="REF", help="Only this customer, from the store as it is now.")
@engine_option
@explain_option
@list_options
@click.pass_obj
def build_features(
    state: State,
    dates: tuple[str, ...],
    names: tuple[str, ...],
    subject: str,
    customer: str | None,
    engine: str | None,
    explain: bool,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:  # fmt: skip
    """Build features: one row per subject and date, one column per feature.

    A feature uses nothing that happened at or after its date. Several dates are built in one pass,
    as training sets need them.

    Example: crmkit feature build --as-of 2026-03-31 --name core.days_since_last_purchase
    """
    if customer is not None and engine is not None:
        raise click.UsageError("--customer reads the store itself: leave out --engine.")
    wanted = tuple(sql_name(name) for name in columns) if columns else None
    script: list[str] | None = [] if explain else None
    with state.open() as crm:
        key = "customer_id" if subject == CUSTOMER else "subject_id"
        features = [sql_name(feature.name) for feature in crm.features.list()]
        check_columns((key, "as_of", *features), wanted, sort)
        with crm.warehouse.using(engine, script):
            grid = _built(crm, [crm.as_of(d) for d in dates or (None,)], names, subject, customer)
        if script is not None:
            emit_script(script, output=output)
            return
    emit(grid, format=format, output=output, columns=wanted, sort=sort, limit=limit)


def _built(
    crm: Crm, dates: list[AsOf], names: tuple[str, ...], subject: str, customer: str | None
) -> Grid:
    if customer is not None:
        if subject != CUSTOMER or len(dates) > 1:
            raise click.UsageError("--customer goes with one date and no --subject.")
        found = crm.store.customers.find(customer).id
        table = crm.features.build_now(found, dates[0], names or None)
    else:
        table = crm.features.build_at(subject, names or None, dates)
    if subject == CUSTOMER:
        table = table.rename_columns(["customer_id", *table.column_names[1:]])
    return named(crm, table)
