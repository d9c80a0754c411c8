"""``crmkit cycle``: the daily run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import PluginError
from .main import State
from .options import as_of_option, format_option, output_option
from .output import emit, note

if TYPE_CHECKING:
    from ..cycle import Step

FIELDS = ("step", "status", "seconds", "counts", "faults")


def _listed(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


@click.command("cycle")
@as_of_option
@click.option("--only", callback=_listed, metavar="A,B", help="Only these steps.")
@click.option("--skip", callback=_listed, metavar="A,B", help="Not these steps.")
@click.option("--again", is_flag=True, help="Repeat steps that are done for the as-of.")
@click.option("--dry-run", is_flag=True, help="Show which steps would run.")
@output_option
@format_option
@click.pass_obj
def command(
    state: State,
    as_of: str | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    again: bool,
    dry_run: bool,
    format: str,
    output: str | None,
) -> None:
    """Run the day: snapshot, upkeep, features, lifecycle, scores, segments, rules, actions, reports.

    Steps that are done for an as-of are not repeated, so the same command after a kill goes on at
    the step that was under way; without --as-of an unfinished run of the last 24 hours goes on with
    its own. What a plugin does wrong is named, the rest goes on, and the command ends with exit
    code 7; the next one repeats the faulty steps. Reports are those of cycle_reports in
    crmkit.toml, written into the workspace's folder reports with an index page.

    Example: crmkit cycle --as-of 2026-06-30
    """
    from ..cycle import Cycle, has_faults

    with state.open() as crm:
        at = None if as_of is None else crm.as_of(as_of)
        used, steps = Cycle(crm).run(
            at, only=only, skip=skip, again=again, dry_run=dry_run, told=_tell
        )
    note(f"as of {used}")
    emit([_row(step) for step in steps], format=format, output=output, fields=FIELDS)
    if has_faults(steps):
        click.get_current_context().exit(PluginError.exit_code)


def _tell(step: Step) -> None:
    note(f"{step.name}: {step.status}" + (f", {step.seconds:.1f} s" if step.seconds else ""))
    for said in (*step.remarks, *step.faults):
        note(f"{step.name}: {said}")


def _row(step: Step) -> dict[str, Any]:
    return {
        "step": step.name,
        "status": step.status,
        "seconds": round(step.seconds, 3),
        "counts": ", ".join(f"{count} {word}" for word, count in step.counts.items()) or None,
        "faults": len(step.faults),
    }
