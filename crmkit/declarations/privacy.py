"""Whom nobody may learn of, and what nobody may read without a right."""

from __future__ import annotations

from attrs import field, frozen

from .names import texts


@frozen(kw_only=True)
class PrivacyGuard:
    """Which customers, or which rows of theirs, nobody may learn of without a right.

    Guests, patients, protected persons; or, with ``rows``, what is known of their health.

    To whoever lacks the right the customer and every record and interaction of theirs are not there:
    search, commands, reports and ``crmkit sql`` answer as if there were no such customer. Imports,
    rules, scores and the daily run see everybody.

    Args:
        name: ``hotel.presence``; it is also the name of the right that lifts it, which
            ``rights`` in ``crmkit.toml`` gives.
        field: text field of the plugin's customer fields that says who is guarded; with ``rows`` one
            that each of them has.
        values: its values that guard.
        refusals: interaction kind of the plugin, ``anonymous``, under which each question of someone
            without the right that finds nobody is logged, whether it met a guarded customer or
            nobody; its payload has the texts ``asked_for``, ``asked_by``, ``command`` and
            ``answer`` (``nobody`` for all, and ``refused`` with each guarded customer). None with
            ``rows``, of which nobody asks by name.
        rows: record types and interaction kinds of the plugin whose rows are guarded in place of
            whole customers: those with one of ``values`` are not there, while the customer and
            everything else of theirs is. What a guarded record owns is guarded if it is named too.
    """

    name: str
    values: tuple[str, ...] = field(converter=texts)
    rows: tuple[str, ...] = field(default=(), converter=texts)
    field: str
    refusals: str = ""
    title: str = ""
    title_zh: str = ""
