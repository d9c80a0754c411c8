"""Many records of one type, column by column: for plugins that write or read thousands at a time."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, case, select
from sqlalchemy.engine import Connection

from ..declarations import sql_name
from ..entities.field_types import FieldType
from ..entities.fields import Field
from ..entities.money import Money
from ..entities.record import Reached
from ..errors import NotFound, UsageError
from .bulk import UPDATED, Block, RecordUpsert, Statements, Written
from .rows import is_in
from .types import binders
from .values import Codec

if TYPE_CHECKING:
    from .domain import DomainTable
    from .store import Store, Tx


def put_records(
    store: Store,
    tx: Tx,
    made: DomainTable,
    codec: Codec,
    *,
    source: str,
    refs: Sequence[str],
    values: Mapping[str, Sequence[Any]],
    owners: Sequence[int] | None,
    effective: Sequence[datetime] | None,
    check: Callable[[Codec, Mapping[str, Sequence[Any]], Sequence[str]], None],
) -> Written:
    """Upserts records by key; see :meth:`crmkit.store.records.Records.put`.

    Args:
        check: raises UsageError for rows that their plugin refuses, given values by field, and refs.
    """
    entity = made.entity
    if entity.owner is not None and owners is None:
        raise UsageError(f"records of {entity.name} need owners.")
    _check_sizes(entity.name, len(refs), {**values, "owner": owners, "effective": effective})
    if len(set(refs)) < len(refs):
        raise UsageError(f"a batch of {entity.name} names one key twice.")
    statements = Statements(store)
    columns: dict[str, Sequence[Any]] = {}
    judged: dict[str, Sequence[Any]] = {}
    for name, given in values.items():
        if name not in entity.fields.by_name:
            raise NotFound(f"field of {entity.name}", name, entity.fields.by_name)
        field = entity.fields.by_name[name]
        judged[name] = typed = _checked(codec, field, given)
        columns.update(_stored(made, field, typed, statements))
    check(codec, judged, refs)
    _check_owners(store, tx.connection, made, owners)
    since = None if effective is None else [statements.instant(at) for at in effective]
    block = Block(
        size=len(refs),
        refs=list(refs),
        columns=columns,
        clears=frozenset(columns),
        valid_from=since,
    )
    upsert = RecordUpsert(statements, entity.name, source)
    stale = upsert.prepare(tx.connection, block, refs, owned=owners is not None)
    if stale:
        position, stored = stale[0]
        raise UsageError(
            f"{entity.name} {source}:{refs[position]}: a change cannot begin before the version "
            f"that it ends, which holds since {stored}."
        )
    missing = [f.name for f in entity.fields.fields if f.required and f.name not in values]
    if missing and len(upsert.found) < len(refs):
        raise UsageError(f"new records of {entity.name} need {', '.join(missing)}.")
    written = upsert.write(tx, block, owners)
    if UPDATED in written.outcomes and store.catalog.record_types[entity.name].append_only:
        ref = refs[written.outcomes.index(UPDATED)]
        raise UsageError(
            f"{entity.name} {source}:{ref} is filed and is never changed.",
            code="E_APPEND_ONLY",
            hint="File another one that corrects it.",
        )
    return written


def read_records(
    connection: Connection,
    made: DomainTable,
    query: Select[Any],
    names: Sequence[str | Reached],
    among: Mapping[str, Iterable[Any]],
    into: Callable[[tuple[Any, ...]], Any] | None = None,
) -> list[Any]:
    """Values of the named columns; see :meth:`crmkit.store.records.Records.read`."""
    columns: list[Any] = []
    parts: list[tuple[int, Field | None]] = []
    for name in names:
        if isinstance(name, Reached):
            steps = ((made.current.c[n] <= name.by, step) for n, step in name.steps.items())
            parts.append((len(columns), None))
            columns.append(case(*steps, else_=0.0))
            continue
        field = made.entity.fields.by_name.get(name)
        stored = [name] if field is None else [c.name for c in field.columns]
        parts.append((len(columns), field))
        columns += [made.current.c[n] for n in stored]
    for name, wanted in among.items():
        query = query.where(is_in(connection, made.current.c[name], wanted))
    asked = query.with_only_columns(*columns, maintain_column_froms=True)
    with _uncollected():
        # All at once: row by row, SQLAlchemy asks the driver as often as there are rows.
        rows = connection.execute(asked).all()
        if all(field is None or field.type is not FieldType.MONEY for _, field in parts):
            found: Iterable[Any] = map(tuple, rows)
        else:
            found = (tuple(_value(row, start, field) for start, field in parts) for row in rows)
        return list(found if into is None else map(into, found))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Does without Python's collector while many rows are made, none of which is part of a cycle.

    It would go through all that there is again and again: a third of the time of a hundred thousand.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _value(row: Any, start: int, field: Field | None) -> Any:
    if field is None or field.type is not FieldType.MONEY:
        return row[start]
    minor = row[start]
    return None if minor is None else Money(minor, field.currency or row[start + 1])


def _check_sizes(entity: str, size: int, columns: Mapping[str, Sequence[Any] | None]) -> None:
    wrong = [n for n, given in columns.items() if given is not None and len(given) != size]
    if wrong:
        raise UsageError(f"a batch of {size} {entity} has another number of {wrong[0]}.")


def _checked(codec: Codec, field: Field, given: Sequence[Any]) -> list[Any]:
    """The values as Python types, each distinct one checked once."""
    known: dict[Any, Any] = {}
    out = []
    for value in given:
        key = (type(value), tuple(value) if isinstance(value, list) else value)
        if key not in known:
            typed = codec.typed({field.name: value})
            if value is None and field.required:
                raise UsageError(f"{codec.name}, field {field.name!r} is required.")
            codec.check_each(typed)
            known[key] = typed.get(field.name)
        out.append(known[key])
    return out


def _stored(
    made: DomainTable, field: Field, typed: Sequence[Any], statements: Statements
) -> dict[str, list[Any]]:
    names = [c.name for c in field.columns]
    if field.type is FieldType.MONEY:
        parts = [[None if m is None else m.minor for m in typed]]
        if len(names) > 1:
            parts.append([None if m is None else m.currency for m in typed])
    else:
        parts = [list(typed)]
    convert = binders([made.current.c[name].type for name in names], statements.dialect)
    return {
        name: column if binder is None else [binder(value) for value in column]
        for name, column, binder in zip(names, parts, convert, strict=True)
    }


def _check_owners(
    store: Store, connection: Connection, made: DomainTable, owners: Sequence[int] | None
) -> None:
    if owners is None:
        return
    if made.entity.owner is None:
        raise UsageError(f"records of {made.entity.name} have no owner.")
    table = store.tables[sql_name(made.entity.owner)]
    query = select(table.c.id).where(is_in(connection, table.c.id, set(owners)))
    found = set(connection.scalars(query))
    for missing in sorted(set(owners) - found):
        raise NotFound(made.entity.owner, str(missing))
