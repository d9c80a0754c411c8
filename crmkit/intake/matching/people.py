"""The values of all match keys of all customers, normalised: the table that is matched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from attrs import frozen
from sqlalchemy import select

from ...declarations import CUSTOMER, MatchKey, sql_name
from ...entities.customer import CONTACT_KINDS
from ...errors import DeclarationError
from ...store.family import survivors_of
from .blocking import NAMES
from .levels import IN_ORDER, LEVELS, SOUNDING, Level, sound_of, with_swapped
from .normalise import NORMALISERS, is_han, organisation, phone, split_name
from .pinyin import has_pinyin, sound, split_latin

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ...hosting.catalog import Catalog
    from ...store.store import Store

# A number that more customers share than this is no number of a person: a switchboard, a default
# that a form fills in, the till's own account.
MOST_HOLDERS = 20
UNIQUE_KINDS = ("identifier", "phone", "email")
CONTACT = "contact"
Values = dict[int, Any]


@frozen
class Person:
    """What decides how a customer's values are read."""

    kind: str
    country: str | None


@frozen
class People:
    """The customers to be matched, column by column.

    Attributes:
        table: ``id`` and one text column per key, missing values None.
        keys: the match keys of which at least two customers have a value, by column name.
        sounds: further columns with how given and family name sound, if some are in Chinese
            characters and their sounds are known.
        has_order: whether the column :data:`.levels.IN_ORDER` is there: the words of both names in
            alphabetical order, by which swapped names are found.
    """

    table: pa.Table
    keys: Mapping[str, MatchKey]
    sounds: tuple[str, ...] = ()
    has_order: bool = False

    def levels(self, name: str) -> tuple[Level, ...]:
        """On what levels two values of a key can agree, best first."""
        known = SOUNDING if sound_of(name) in self.sounds else LEVELS
        kind = self.keys[name].kind
        return with_swapped(known[kind]) if self.has_order and kind in NAMES else known[kind]

    def values(self, column: str) -> dict[int, str]:
        """The values of a column by customer, without missing ones."""
        ids, values = (self.table[name].to_pylist() for name in ("id", column))
        return {i: value for i, value in zip(ids, values, strict=True) if value is not None}

    @property
    def size(self) -> int:
        """How many customers there are."""
        return int(self.table.num_rows)


def read_people(store: Store, catalog: Catalog) -> People:
    """Every customer that stands for itself, with the values of every match key.

    Raises:
        DeclarationError: if a plugin's match key names a field that is not there.
    """
    for key in catalog.match_keys.values():
        check_field(key, catalog)
    with store.read() as connection:
        c = store.tables[CUSTOMER].c
        rows = connection.execute(
            select(c.id, c.kind, c.name, c.locale).where(c.merged_into.is_(None)).order_by(c.id)
        ).all()
        people = {row.id: Person(row.kind, _country(row.locale)) for row in rows}
        names = {row.id: row.name for row in rows if row.name}
        columns = {
            sql_name(key.name): _normalised(_raw(store, connection, key, names), key, people)
            for key in catalog.match_keys.values()
        }
    by_column = {sql_name(key.name): key for key in catalog.match_keys.values()}
    _divide_names(columns, by_column, names, people)
    for column, key in by_column.items():
        if key.kind in UNIQUE_KINDS:
            _drop_common(columns[column])
    kept = {name: key for name, key in by_column.items() if len(columns[name]) > 1}
    sounds = _sounds(columns, kept)
    order = _in_order(columns, kept)
    ids = list(people)
    arrays = {
        n: pa.array([column.get(i) for i in ids], pa.string())
        for n, column in ({n: columns[n] for n in kept} | sounds | order).items()
    }
    table = pa.table({"id": pa.array(ids, pa.int64()), **arrays})
    return People(table, kept, tuple(sounds), has_order=bool(order))


def _in_order(
    columns: Mapping[str, dict[int, str]], keys: Mapping[str, MatchKey]
) -> dict[str, dict[int, str]]:
    """The words of given and family name in alphabetical order, by column."""
    parts = [columns[n] for kind in NAMES for n, key in keys.items() if key.kind == kind]
    if len(parts) != len(NAMES):
        return {}
    given, family = parts
    both = {i: " ".join(sorted(f"{given[i]} {family[i]}".split())) for i in given if i in family}
    return {IN_ORDER: both}


def _sounds(
    columns: Mapping[str, dict[int, str]], keys: Mapping[str, MatchKey]
) -> dict[str, dict[int, str]]:
    """How names sound, by column, where some are in Chinese characters."""
    parts = [n for kind in NAMES for n, key in keys.items() if key.kind == kind]
    if len(parts) != len(NAMES) or not any(_in_han(columns[n]) for n in parts) or not has_pinyin():
        return {}
    out = {}
    for column in parts:
        family = keys[column].kind == "family_name"
        heard = ((i, sound(part, family=family)) for i, part in columns[column].items())
        out[sound_of(column)] = {i: said for i, said in heard if said is not None}
    return out


def _in_han(values: Mapping[int, str]) -> bool:
    return any(map(is_han, values.values()))


def check_field(key: MatchKey, catalog: Catalog) -> None:
    """Refuses a match key over a field that is not declared.

    Raises:
        DeclarationError: naming the plugin and the key.
    """
    first, _, rest = key.field.partition(".")
    fault = ""
    if first == CONTACT:
        fault = "" if rest in CONTACT_KINDS else f"{rest!r} is no kind of contact point"
    elif first == CUSTOMER:
        fault = "" if rest == "name" else "of the customer's own columns only the name is a key"
    elif key.field.count(".") == 1:
        declared = catalog.customer_fields.get(first)
        if declared is None or rest not in declared.fields.by_name:
            fault = f"there is no customer field {key.field!r}"
    else:
        record, _, name = key.field.rpartition(".")
        found = catalog.record_types.get(record)
        if found is None or found.owner != CUSTOMER or name not in found.fields.by_name:
            fault = f"there is no field {name!r} of a record type {record!r} that customers own"
    if fault:
        raise DeclarationError(catalog.owner(key.name), [f"match key {key.name}: {fault}"])


def _raw(store: Store, connection: Connection, key: MatchKey, names: Mapping[int, str]) -> Values:
    """The stored values by customer; of several contact points or records the first."""
    first, _, rest = key.field.partition(".")
    if first == CUSTOMER:
        return dict(names)
    if first == CONTACT:
        p = store.tables["contact_point"].c
        query = (
            select(p.customer_id, p.value)
            .where(p.kind == rest)
            .order_by(p.customer_id, p.position, p.id)
        )
    elif "." not in rest:
        c = store.domain[f"{first}.customer"].current.c
        query = select(c.customer_id, c[rest]).where(c[rest].is_not(None))
    else:
        record, _, name = key.field.rpartition(".")
        c = store.domain[record].current.c
        query = select(c.owner_id, c[name]).where(c[name].is_not(None)).order_by(c.id)
    return _first_of_family(store, connection, connection.execute(query))


def _first_of_family(store: Store, connection: Connection, rows: Iterable[Any]) -> Values:
    """The first value of each customer; where it has none, one of a customer merged into it."""
    found: Values = {}
    for customer_id, value in rows:
        if customer_id is not None:
            found.setdefault(customer_id, value)
    c = store.tables[CUSTOMER]
    merged = connection.scalars(select(c.c.id).where(c.c.merged_into.is_not(None)))
    for old, now in survivors_of(connection, c, merged).items():
        if old in found:
            found.setdefault(now, found[old])
    return found


def _normalised(raw: Values, key: MatchKey, people: Mapping[int, Person]) -> dict[int, str]:
    out: dict[int, str] = {}
    for customer_id, value in raw.items():
        person = people.get(customer_id)
        if person is None:
            continue
        made = _one(key.kind, str(value), person)
        if made is not None:
            out[customer_id] = made
    return out


def _one(kind: str, text: str, person: Person) -> str | None:
    if kind == "phone":
        return phone(text, person.country)
    if kind == "name":
        # A person's name is compared in its parts; see _divide_names.
        return organisation(text) if person.kind != "person" else None
    normalise: Callable[[str], str | None] = NORMALISERS[kind]
    return normalise(text)


def _divide_names(
    columns: Mapping[str, dict[int, str]],
    keys: Mapping[str, MatchKey],
    names: Mapping[int, str],
    people: Mapping[int, Person],
) -> None:
    """Takes a person's name apart where no source gave its parts."""
    given = next((n for n, k in keys.items() if k.kind == "given_name"), None)
    family = next((n for n, k in keys.items() if k.kind == "family_name"), None)
    if given is None or family is None:
        return
    # Only beside names in characters is a Latin name read in the Chinese order.
    chinese = any(map(is_han, names.values())) and has_pinyin()
    for customer_id, text in names.items():
        known = customer_id in columns[given] or customer_id in columns[family]
        if known or people[customer_id].kind != "person":
            continue
        parts = (split_latin(text) if chinese else None) or split_name(text)
        for column, part in zip((given, family), parts, strict=True):
            if part is not None:
                columns[column][customer_id] = part


def _drop_common(values: dict[int, str]) -> None:
    count = Counter(values.values())
    for customer_id in [i for i, value in values.items() if count[value] > MOST_HOLDERS]:
        del values[customer_id]


def _country(locale: str | None) -> str | None:
    """The country of a language tag: CN of ``zh-CN``."""
    _, dash, country = (locale or "").replace("_", "-").rpartition("-")
    return country.upper() if dash and len(country) == 2 and country.isalpha() else None
