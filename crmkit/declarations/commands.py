"""Commands and services that plugins add."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from .names import texts
from .reports import Parameter, ReportColumn, _parameters, _report_columns

if TYPE_CHECKING:
    from ..workspace import Crm


@frozen(kw_only=True)
class Service:
    """An object that a plugin offers to others and to embedding programs.

    Args:
        name: ``ledger.accounts``; :meth:`crmkit.workspace.Crm.service` returns it.
        make: called once with the open workspace, when the service is first asked for. Who uses
            it names the plugin in ``requires`` of its manifest.
    """

    name: str
    make: Callable[[Crm], Any]
    title: str = ""


@frozen(kw_only=True)
class Answer:
    """What a command found or did.

    Args:
        rows: dictionaries with the names of the command's columns; missing keys read None.
        remarks: what the reader should know, one sentence each; they go to stderr.
    """

    rows: Sequence[Mapping[str, Any]] = field(default=(), repr=False, hash=False)
    remarks: tuple[str, ...] = field(default=(), converter=texts)


@frozen(kw_only=True)
class Command:
    """A verb that a plugin adds to the command line, and to :meth:`crmkit.workspace.Crm.run`.

    A command names its options, calls the plugin's own function and returns rows; crmkit presents
    them in every format, with names and masks by the policy.

    Args:
        name: ``<noun> <verb>``, as ``case open``, or a noun alone, as ``desk``. The noun stands in
            ``commands`` of the manifest, and is the plugin's alone.
        run: called with the workspace and every parameter by name; returns an :class:`Answer`.
        help: a verb sentence; after an empty line, what is read and written.
        example: a command line that shows its use.
        parameters: options and arguments.
        columns: of the rows, as in a report: ``customer_id`` is shown as ``ref`` and ``name``.
        as_of: whether ``--as-of`` is taken; ``run`` gets it as ``as_of``.
        limit: whether ``run`` takes ``limit``, how many of its rows are wanted from the first on,
            None for all, and so reads no more than are shown. Every command has ``--limit``; one
            that does not take it is cut afterwards.
        writes: whether it changes the store. Then ``--dry-run`` runs it and takes its one
            transaction back.
        single: whether the answer is one row, shown field by field in a table.
        daily: whether the daily cycle runs it too, with every parameter left out: what a plugin
            computes from events and keeps, as statuses from scans. It takes the cycle's as-of if it
            takes one, and comes to nothing where nothing is new.
    """

    name: str
    run: Callable[..., Answer]
    help: str = field(repr=False)
    example: str = ""
    parameters: tuple[Parameter, ...] = field(default=(), converter=_parameters)
    columns: tuple[ReportColumn, ...] = field(default=(), converter=_report_columns)
    as_of: bool = False
    limit: bool = False
    writes: bool = False
    single: bool = False
    daily: bool = False
