"""``crmkit customer export`` and ``crmkit record export``: files that import again unchanged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from .main import State
from .options import excel_option, no_guard_option, output_option
from .output import EXCEL, SUFFIXES, csv_form, emit_text, note, write_grid

if TYPE_CHECKING:
    from ..present.exports import Export

# As in ``present.exports``, which is imported late.
_FORMATS = ("csv", "jsonl", "xlsx", "parquet")


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        no_guard_option,
        excel_option,
        click.option("--profile-out", metavar="FILE", help="Write the profile here that imports the file again."),
        output_option,
        click.option("--format", type=click.Choice(_FORMATS), help="Form of the file. Default: that of the --output file's name, else csv."),
        click.option("--source", metavar="NAME", help="Whose keys name the rows. Needed where there are several sources."),
    ):  # fmt: skip
        function = option(function)
    return function


@click.command("export")
@_options
@click.pass_obj
def export_customers(
    state: State,
    source: str | None,
    format: str | None,
    output: str | None,
    profile_out: str | None,
) -> None:
    """Write customers to a file that can be imported again.

    The file has everybody with a key of one source: the customer's own fields, contact points and
    the fields of all plugins, those that are secret left out. Fields of disabled plugins, and those
    that are declared no longer, are in the file and not in the profile. Works also before an upgrade
    that is due.

    Example: crmkit customer export --output customers.csv --profile-out customers.toml
    """
    from ..policy import local_viewer
    from ..present import exports

    form = _form(format, output)
    with state.open(shows="customer export", outdated=True) as crm:
        made = exports.export_customers(
            crm.stored, crm.catalog, local_viewer(crm.actor),
            source=source, form=form, guarded=_guarded(), csv=csv_form(),
        )  # fmt: skip
    _write(made, form, output, profile_out)


@click.command("export")
@click.argument("type")
@_options
@click.pass_obj
def export_records(
    state: State,
    type: str,
    source: str | None,
    format: str | None,
    output: str | None,
    profile_out: str | None,
) -> None:
    """Write records of a type to a file that can be imported again.

    The file has every record with a key of one source, and the key of its owner; the owners have
    to be there when it is imported. Fields that are declared no longer are in the file and not in the
    profile. Works also before an upgrade that is due.

    Example: crmkit record export telecom.plan --output plans.csv --profile-out plans.toml
    """
    from ..policy import local_viewer
    from ..present import exports

    form = _form(format, output)
    with state.open(shows=f"record export {type}", outdated=True) as crm:
        made = exports.export_records(
            crm.stored, crm.catalog, local_viewer(crm.actor), type,
            source=source, form=form, guarded=_guarded(), csv=csv_form(),
        )  # fmt: skip
    _write(made, form, output, profile_out)


def _form(format: str | None, output: str | None) -> str:
    form = format or "csv"
    if format is None and output not in (None, "-"):
        form = SUFFIXES.get(Path(str(output)).suffix.lower(), "csv")
    if form not in _FORMATS:
        raise UsageError(f"an export is one of {', '.join(_FORMATS)}, not {form}.")
    if form != "csv" and click.get_current_context().meta.get(EXCEL):
        raise UsageError(
            f"--excel is for CSV, not for {form}.",
            hint="Spreadsheet programs open --format xlsx as it is.",
        )
    return form


def _guarded() -> bool:
    return bool(click.get_current_context().meta.get("crmkit.formula_guard", True))


def _write(made: Export, form: str, output: str | None, profile_out: str | None) -> None:
    write_grid(made.grid, format=form, output=output)
    if profile_out is not None:
        emit_text(made.profile, output=profile_out)
    for remark in made.remarks:
        note(remark)
