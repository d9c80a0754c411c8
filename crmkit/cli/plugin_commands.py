"""Commands that plugins declare, as click commands.

A noun is known from the manifest; only when it is used is the plugin imported and its commands
made. So ``--help`` stays fast, and a plugin that hangs at import hangs nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ..declarations import Answer, Command, Parameter
from ..entities.field_types import FieldType
from .main import State
from .options import WHOLE, Number, When, as_of_option, list_options, listed
from .output import emit, emit_record, named, note

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..present.grid import Column

_CLICK: dict[FieldType, click.ParamType[Any]] = {
    FieldType.INTEGER: WHOLE,
    FieldType.NUMBER: Number(),
}
_METAVARS = {
    FieldType.DATE: "DATE",
    FieldType.INSTANT: "INSTANT",
    FieldType.MONEY: "AMOUNT",
    FieldType.LIST: "A,B",
}


def noun_command(noun: str, text: str, catalog: Catalog) -> click.Command:
    """The command or the group of a noun.

    Args:
        text: its line of help. catalog: what the sound plugins declare.
    """
    if noun in catalog.commands:
        return click_command(catalog.commands[noun], noun)
    group = click.Group(noun, help=text)
    for name, command in catalog.commands.items():
        first, _, verb = name.partition(" ")
        if first == noun:
            group.add_command(click_command(command, verb))
    return group


def click_command(command: Command, name: str) -> click.Command:
    """The click command of a declared one."""

    @click.pass_obj
    def run(state: State, /, **values: Any) -> None:
        options = {key: values.pop(key) for key in _SHARED if key in values}
        dry_run = values.pop("dry_run", False)
        given = {key: _split(command, key, value) for key, value in values.items()}
        if command.limit and not options["sort"]:
            given["limit"] = options["limit"]
        with state.open() as crm:
            answer = crm.commands.run(command.name, given, dry_run=dry_run)
            currency = crm.settings.currency
            grid = named(crm, _money(command, answer, currency), _columns(command, currency))
        for remark in answer.remarks:
            note(remark)
        if dry_run:
            note("dry run: nothing was changed.")
        if command.single and len(grid):
            (row,) = list(grid.head(1).rows())
            record = dict(zip(grid.names, row, strict=True))
            emit_record(record, format=options["format"], output=options["output"])
        elif command.columns:
            emit(grid, **options)

    made: Any = run
    if command.writes:
        made = click.option("--dry-run", is_flag=True, help="Show what would be done and change nothing.")(made)  # fmt: skip
    detail = [c.shown_name for c in command.columns if c.detail]
    made = (
        listed([c.shown_name for c in command.columns], detail=detail)
        if command.columns
        else list_options
    )(made)
    if command.as_of:
        made = as_of_option(made)
    for parameter in reversed(command.parameters):
        made = _parameter(parameter)(made)
    text = f"{command.help.strip()}\n\nExample: {command.example}"
    return click.command(name, help=text)(made)


_SHARED = ("format", "output", "limit", "columns", "sort")


def _parameter(parameter: Parameter) -> Any:
    kind: Any = _CLICK.get(parameter.type, click.STRING)
    if parameter.type is FieldType.INSTANT:
        kind = When(day_ends=parameter.day_ends)
    if parameter.choices is not None:
        kind = click.Choice([str(choice) for choice in parameter.choices])
    if parameter.positional:
        return click.argument(
            parameter.name,
            type=kind,
            metavar=parameter.name.upper(),
            required=parameter.required,
            nargs=-1 if parameter.multiple else 1,
        )
    words = parameter.title
    if parameter.unit not in (None, "1"):
        words += f", in {parameter.unit}"
    if parameter.default is not None and not parameter.multiple:
        words += f". Default: {parameter.default}"
    words = words.rstrip(".") + "."
    option = f"--{parameter.name.replace('_', '-')}"
    if parameter.type is FieldType.BOOLEAN:
        return click.option(f"{option}/--no-{option[2:]}", parameter.name, default=None, help=words)
    return click.option(
        option,
        parameter.name,
        type=kind,
        metavar=None if parameter.choices is not None else _METAVARS.get(parameter.type),
        required=parameter.required,
        multiple=parameter.multiple,
        help=words,
    )


def _split(command: Command, name: str, value: Any) -> Any:
    """Text of a list as its items; everything else as click has it."""
    declared = {p.name: p for p in command.parameters}
    if name in declared and isinstance(value, str):
        if declared[name].type is FieldType.LIST:
            return [part.strip() for part in value.split(",") if part.strip()]
        if declared[name].type is FieldType.INTEGER:  # a choice of numbers comes as text
            return int(value)
    return value


def _columns(command: Command, currency: str) -> list[Column]:
    from ..present.results import result_column

    return [result_column(column, currency) for column in command.columns]


def _money(command: Command, answer: Answer, currency: str) -> list[Mapping[str, Any]]:
    """The rows with whole minor units as money under the presented name."""
    from ..entities.money import Money

    marked = [c.name for c in command.columns if c.currency_minor]
    out: list[Mapping[str, Any]] = []
    for row in answer.rows:
        shown = dict(row)
        for name in marked:
            minor = shown.pop(name, None)
            shown[name.removesuffix("_minor")] = None if minor is None else Money(minor, currency)
        out.append(shown)
    return out
