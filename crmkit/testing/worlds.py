"""Small workspaces to hold a plugin's declarations against: with its demo's data, and later data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attrs import frozen

from ..declarations import Demo, DemoData
from ..entities.asof import AsOf
from ..hosting.manifest import find_manifests
from ..hosting.standing import requirements_of
from .clock import SettableClock
from .samples import write_customers, write_profile

if TYPE_CHECKING:
    from sqlalchemy import Row, Table

    from ..store.domain import DomainTable
    from ..store.store import Store, Tx
    from ..workspace import Crm

# How long after the as-of instant the copied facts happen, in turn. Zero is the instant itself,
# which is the first one that must not be seen.
LATER = (timedelta(0), timedelta(seconds=1), timedelta(days=1), timedelta(days=40))
# Enough to touch every feature of a small world, few enough to write in a second.
MOST_COPIES = 3000


def plugins_with(plugin: str) -> tuple[str, ...]:
    """The plugin and everything that it requires, without built-ins, which are always there."""
    manifests = find_manifests()
    wanted = {plugin, *requirements_of(plugin, manifests)}
    return tuple(sorted(n for n in wanted if n not in manifests or not manifests[n].builtin))


@frozen(kw_only=True)
class World:
    """A workspace that holds a demo's generated data.

    Attributes:
        crm: the open workspace; its clock stands in the last hour of the demo's day.
        data: what the generator made.
        as_of: the end of the demo's day.
    """

    crm: Crm
    clock: SettableClock
    data: DemoData
    as_of: AsOf


@contextmanager
def open_empty(folder: Path, plugin: str, clock: SettableClock, **settings: Any) -> Iterator[Crm]:
    """A new workspace with the plugin and what it requires, and no data."""
    from ..workspace import init_workspace

    crm = init_workspace(
        folder, plugins=plugins_with(plugin), clock=clock, actor="conformance", **settings
    )
    with crm:
        yield crm


@contextmanager
def open_one(
    folder: Path, plugin: str, demo: Demo | None, *, seed: int
) -> Iterator[tuple[Crm, AsOf]]:
    """A new workspace with one customer: the demo's, or a made-up one where there is no demo."""
    if demo is not None:
        with open_world(folder, plugin, demo, customers=1, seed=seed) as world:
            yield world.crm, world.as_of
        return
    folder.mkdir(parents=True, exist_ok=True)
    file = write_customers(folder / "customers.csv", 1, seed)
    profile = write_profile(folder / "customers.toml")
    clock = SettableClock()
    with open_empty(folder / "workspace", plugin, clock) as crm:
        crm.import_file(file, profile=str(profile))
        clock.advance(days=1)
        yield crm, crm.as_of()


@contextmanager
def open_world(
    folder: Path, plugin: str, demo: Demo, *, customers: int, seed: int, **settings: Any
) -> Iterator[World]:
    """A new workspace with the data of the demo, imported file by file."""
    files = folder / "files"
    files.mkdir(parents=True)
    data = demo.generate(files, customers, seed)
    clock = SettableClock()
    with open_empty(folder / "workspace", plugin, clock, **settings) as crm:
        as_of = AsOf.end_of(data.as_of, crm.settings.time_zone)
        clock.set(as_of.instant - timedelta(hours=1))
        for file in data.files:
            crm.import_file(file.path, profile=file.profile)
        yield World(crm=crm, clock=clock, data=data, as_of=as_of)


def append_later(world: World) -> int:
    """Writes data that a feature as of the world's day must not see.

    Interactions are copied to the as-of instant and after it, with another amount; every third is
    a correction of the one that it is copied from. Every record and customer gets a new version
    that holds from the as-of instant on, with other values. Stages move on.

    Returns:
        How many rows were written.
    """
    store = world.crm.store
    world.clock.set(world.as_of.instant + max(LATER))
    with store.begin("later data") as tx:
        written = _later_interactions(world, store, tx)
        for table in store.domain.values():
            written += _later_versions(table, world.as_of.instant, tx)
        written += _later_stages(world, store, tx)
    return written


def _later_interactions(world: World, store: Store, tx: Tx) -> int:
    table = store.tables["interaction"]
    zone = ZoneInfo(world.crm.settings.time_zone)
    found = _rows(tx, table)
    step = max(1, len(found) // MOST_COPIES)
    chosen = found[::step]
    latest: dict[tuple[Any, ...], int] = {}
    for row in found:
        key = (row["kind"], row["source"], row["ref"])
        latest[key] = max(latest.get(key, 0), row["revision"])
    made = []
    for number, (row, new_id) in enumerate(zip(chosen, tx.take_ids(len(chosen)), strict=True)):
        at = world.as_of.instant + LATER[number % len(LATER)]
        key = (row["kind"], row["source"], row["ref"])
        again: dict[str, Any] = {"ref": f"{row['ref']}~later"}
        if number % 3 == 0:
            latest[key] += 1
            again = {"revision": latest[key]}
        made.append({
            **row, "id": new_id, "occurred_at": at, "occurred_on": at.astimezone(zone).date(),
            "recorded_at": tx.at, "amount_minor": _other(row["amount_minor"]), "tx": tx.id, **again,
        })  # fmt: skip
    if made:
        tx.connection.execute(table.insert(), made)
    return len(made)


def _later_versions(table: DomainTable, instant: datetime, tx: Tx) -> int:
    key = table.current.c[table.key]
    fields = {column.name for column in table.entity.fields.columns}
    found = [row for row in _rows(tx, table.current) if row["valid_from"] < instant]
    for row in found:
        closed = {**row, "valid_to": instant, "closed_tx": tx.id}
        changed = {
            name: _other(value) if name in fields else value
            for name, value in row.items()
            if name != table.key
        }
        changed |= {"valid_from": instant, "version": row["version"] + 1, "tx": tx.id}
        tx.connection.execute(table.history.insert(), closed)
        tx.connection.execute(table.current.update().where(key == row[table.key]), changed)
    return len(found)


def _later_stages(world: World, store: Store, tx: Tx) -> int:
    lifecycles = world.crm.catalog.lifecycles
    change = store.tables["stage_change"]
    zone = ZoneInfo(world.crm.settings.time_zone)
    at = world.as_of.instant
    made = []
    for row in _rows(tx, store.tables["stage"]):
        lifecycle = lifecycles.get(row["lifecycle"])
        following = lifecycle.next_stages(row["stage"]) if lifecycle else ()
        if following:
            made.append({
                "id": tx.take_ids(1)[0], "lifecycle": row["lifecycle"],
                "subject_type": row["subject_type"], "subject_id": row["subject_id"],
                "from_stage": row["stage"], "to_stage": following[0], "at": at,
                "changed_on": at.astimezone(zone).date(), "reason": "later data", "rule": None,
                "actor": "conformance", "tx": tx.id,
            })  # fmt: skip
    if made:
        tx.connection.execute(change.insert(), made)
    return len(made)


def _rows(tx: Tx, table: Table) -> list[dict[str, Any]]:
    ordered = table.select().order_by(*table.primary_key.columns)
    found: list[Row[Any]] = list(tx.connection.execute(ordered))
    return [dict(row._mapping) for row in found]


def _other(value: Any) -> Any:
    """Another value of the same type; text and missing values stay."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 2 + 1
    if isinstance(value, datetime):
        return value + timedelta(days=365)
    if isinstance(value, date):
        return value + timedelta(days=365)
    return value
