"""Whom nobody may learn of."""

from __future__ import annotations

from attrs import field, frozen

from .names import texts


@frozen(kw_only=True)
class PrivacyGuard:
    """Which customers nobody may learn of without a right: guests, patients, protected persons.

    To whoever lacks the right the customer and every record and interaction of theirs are not there:
    search, commands, reports and ``crmkit sql`` answer as if there were no such customer. Imports,
    rules, scores and the daily run see everybody.

    Args:
        name: ``hotel.presence``; it is also the name of the right that lifts it, which
            ``rights`` in ``crmkit.toml`` gives.
        field: text field of the plugin's customer fields that says who is guarded.
        values: its values that guard.
        refusals: interaction kind of the plugin, ``anonymous``, under which each question of someone
            without the right that finds nobody is logged, whether it met a guarded customer or
            nobody; its payload has the texts ``asked_for``, ``asked_by``, ``command`` and
            ``answer`` (``nobody`` for all, and ``refused`` with each guarded customer).
    """

    name: str
    values: tuple[str, ...] = field(converter=texts)
    field: str
    refusals: str
    title: str = ""
    title_zh: str = ""
