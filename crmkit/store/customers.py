"""Customers: one record shared by all departments, with its keys, contact points and fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import evolve
from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.engine import Connection

from ..declarations import CUSTOMER
from ..entities.address import address_key, is_same_address
from ..entities.customer import (
    CONTACT_FIELDS,
    CUSTOMER_FIELDS,
    CUSTOMER_KINDS,
    KEY_FIELDS,
    ContactPoint,
    Customer,
    CustomerRef,
)
from ..errors import EditConflict, NotFound, UsageError
from .family import members_of, survivors_of
from .gateway import Gateway
from .history import Row, Versions
from .prepared import rows_where
from .retry import retried
from .rows import is_in
from .search import has_value
from .types import Integer
from .values import Codec, changed

if TYPE_CHECKING:
    from .domain import DomainTable
    from .store import Tx

# Who has no key in any system is called by the id that crmkit gave.
OWN_SOURCE = "crmkit"
# Beyond so many customers an address is nobody's own. A choice of ours: the largest households and
# offices have fewer, and a placeholder such as none@example.org has thousands.
MOST_HOLDERS = 100
EDITABLE = tuple(CUSTOMER_FIELDS.by_name)
Fields = Mapping[str, Mapping[str, Any]]
# Inside the class `list` is its method, so types with lists are named here.
People = list[Customer]
Names = list[str]
Rows = list[dict[str, Any]]
RefsById = dict[int, list[CustomerRef]]
PointsById = dict[int, list[ContactPoint]]


class Customers(Gateway):
    """Customers. ``fields`` are plugin fields by plugin name, as ``{"telecom": {"tenure": 3}}``."""

    # --- reading ------------------------------------------------------------------------------

    def get(self, customer_id: int, *, tx: Tx | None = None) -> Customer:
        """The customer, or the one that it was merged into.

        Raises:
            NotFound: if there is none of that id.
        """
        with self._reading(tx) as connection:
            return self._get(connection, customer_id)

    def find(self, text: str, *, tx: Tx | None = None) -> Customer:
        """The customer that somebody names by ``ref`` or ``source:ref``, or by crmkit's id.

        Raises:
            NotFound: if nobody has that key.
            UsageError: if several have it; the message names each with its source.
        """
        return self.get(self._named(text, tx), tx=tx)

    def find_own(self, text: str, *, tx: Tx | None = None) -> int:
        """The id of the very customer that has this key, also if it was merged into another.

        Raises:
            NotFound: if nobody has that key.
            UsageError: if several have it; the message names each with its source.
        """
        return self._named(text, tx, own=True)

    def _named(self, text: str, tx: Tx | None, *, own: bool = False) -> int:
        """As :meth:`_id_of`, without those whom the viewer may not learn of."""
        privacy = self._store.privacy
        with self._reading(tx) as connection:
            hidden = privacy.hidden(connection)
            try:
                return self._id_of(connection, text, own=own, hidden=hidden)
            except NotFound:
                if privacy.guards:
                    met = self._holders(connection, text) & hidden
                    privacy.refuse("customer find", text, met)
                raise

    def refs(self, ids: Iterable[int], *, tx: Tx | None = None) -> RefsById:
        """The keys of each customer, those of customers merged into it included, by source."""
        with self._reading(tx) as connection:
            return self._refs(connection, members_of(connection, self._table("customer"), ids))

    def names(self, ids: Iterable[int], *, tx: Tx | None = None) -> dict[int, str | None]:
        """The name of each customer that exists; None where it has none."""
        c = self._table("customer").c
        with self._reading(tx) as connection:
            rows = connection.execute(select(c.id, c.name).where(is_in(connection, c.id, ids)))
            return {row.id: row.name for row in rows}

    def survivors(self, ids: Iterable[int], *, tx: Tx | None = None) -> dict[int, int]:
        """For each id that exists, the customer that it stands for now: itself unless merged away."""
        with self._reading(tx) as connection:
            return survivors_of(connection, self._table("customer"), ids)

    def members(self, ids: Iterable[int], *, tx: Tx | None = None) -> dict[int, int]:
        """Every customer that stands for one of ``ids``, with that one: themselves and merged ones."""
        with self._reading(tx) as connection:
            return members_of(connection, self._table("customer"), ids)

    def time_zones(self, ids: Iterable[int], *, tx: Tx | None = None) -> dict[int, str | None]:
        """The time zone of each customer that exists; None where it has none."""
        c = self._table("customer").c
        with self._reading(tx) as connection:
            found = select(c.id, c.time_zone).where(is_in(connection, c.id, ids))
            return {row.id: row.time_zone for row in connection.execute(found)}

    def contact_kinds(self, ids: Iterable[int], *, tx: Tx | None = None) -> dict[int, set[str]]:
        """Of which kinds each very customer has contact points; one without any is absent."""
        p, out = self._table("contact_point").c, dict[int, set[str]]()
        with self._reading(tx) as connection:
            query = select(p.customer_id, p.kind).distinct()
            for row in connection.execute(query.where(is_in(connection, p.customer_id, ids))):
                out.setdefault(row.customer_id, set()).add(row.kind)
        return out

    def sharing(self, ids: Iterable[int], *, tx: Tx | None = None) -> set[tuple[int, str, int]]:
        """Other customers with a phone number or e-mail address of these.

        An address that more than MOST_HOLDERS customers have is a placeholder or a switchboard, and
        nobody's own.

        Returns:
            ``(customer, kind, other)``: very customers, of which the first is one of ``ids``; both
            have a contact point of ``kind`` that is one address (:mod:`crmkit.entities.address`).
        """
        p, wanted = self._table("contact_point").c, set(ids)
        query = select(p.customer_id, p.kind, p.value, p.address_key)
        with self._reading(tx) as connection:
            own = select(p.address_key).where(
                is_in(connection, p.customer_id, wanted), p.address_key != ""
            )
            keys = set(connection.scalars(own))
            holders: dict[tuple[str, str], dict[int, list[str]]] = {}
            for row in connection.execute(query.where(is_in(connection, p.address_key, keys))):
                there = holders.setdefault((row.kind, row.address_key), {})
                there.setdefault(row.customer_id, []).append(row.value)
        return {
            (customer, kind, other)
            for (kind, _), there in holders.items()
            if 1 < len(there) <= MOST_HOLDERS
            for customer in there.keys() & wanted
            for other in there
            if customer != other
            and any(is_same_address(kind, a, b) for a in there[customer] for b in there[other])
        }

    def fields(self, customer_id: int, *, tx: Tx | None = None) -> dict[str, dict[str, Any]]:
        """Plugin fields of a customer by plugin; a plugin of which nothing is known is absent."""
        return self.fields_of([customer_id], tx=tx).get(customer_id, {})

    def fields_of(
        self, ids: Iterable[int], *, tx: Tx | None = None
    ) -> dict[int, dict[str, dict[str, Any]]]:
        """Plugin fields of many customers: by customer, plugin and field."""
        wanted, out = list(ids), dict[int, dict[str, dict[str, Any]]]()
        with self._reading(tx) as connection:
            for plugin, made in self._plugin_tables().items():
                table, codec = made.current, self._codec(made.entity)
                for row in rows_where(connection, table, "customer_id", wanted):
                    out.setdefault(row["customer_id"], {})[plugin] = codec.values(row)
        return out

    def at(self, customer_id: int, instant: datetime) -> Customer | None:
        """The customer as it stood at an instant (exclusive), or None if it was not known yet.

        Contact points and keys are those that were known then and still stand: only the customer's
        own fields keep every earlier version.
        """
        with self._store.read() as connection:
            row = self._versions().at(connection, [customer_id], instant).get(customer_id)
            if row is None:
                return None
            members = members_of(connection, self._table("customer"), [customer_id])
            refs = self._refs(connection, members, instant)
            points = self._contact_points(connection, members, instant)
            return _customer(row, refs.get(customer_id, ()), points.get(customer_id, ()))

    def fields_at(self, customer_id: int, instant: datetime) -> dict[str, dict[str, Any]]:
        """Plugin fields as they stood at an instant (exclusive), by plugin."""
        out = {}
        with self._store.read() as connection:
            for plugin, made in self._plugin_tables().items():
                versions = Versions(made.current, made.history, "customer_id")
                row = versions.at(connection, [customer_id], instant).get(customer_id)
                if row is not None:
                    out[plugin] = self._codec(made.entity).values(row)
        return out

    def list(
        self,
        *,
        limit: int | None = None,
        sort: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
        tx: Tx | None = None,
    ) -> People:
        """Customers that were not merged away.

        Args:
            limit: at most so many.
            sort: columns such as ``name``, ``-created_at``, ``telecom.tenure_months``; missing
                values last, equal ones by id.
            where: wanted value by column; None asks for those without one.

        Raises:
            NotFound: for a column that customers do not have.
        """
        c = self._table("customer").c
        query = select(c.id).where(c.merged_into.is_(None))
        query = self._narrowed(query, sort, where or {})
        with self._reading(tx) as connection:
            hidden = self._store.privacy.hidden(connection)
            if hidden:
                query = query.where(~is_in(connection, c.id, hidden))
            ids = list(connection.scalars(query.limit(limit)))
            return self._many(connection, ids)

    def search(self, text: str, *, limit: int = 50, tx: Tx | None = None) -> People:
        """Customers whose name, key or contact point holds ``text``, those that equal it first.

        Letters match in either case, with and without accents, and full-width forms as plain ones;
        several words match in any order, a phone number in any spelling by its digits, at least the
        last eight, and ``source:ref`` names a key with its source. A fragment may be one character
        long, so that two-character Chinese names are found by either. Nobody is missed:
        where the index of fragments is behind by little, it first takes in what it lacks; where by
        much, or inside an open transaction, every name, key and contact point is read instead.
        """
        wanted = text.strip()
        if not wanted:
            raise UsageError("nothing to search for.", hint="Give a part of a name, key or number.")
        index = self._store.fragments
        ready = tx is None and index.catch_up()
        privacy = self._store.privacy
        with self._reading(tx) as connection:
            hidden = privacy.hidden(connection)
            ask = index.find if ready else index.scan
            named = self._by_source(connection, wanted)
            held = [*named, *ask(connection, wanted, limit + len(hidden))]
            found = [customer for customer in held if customer not in hidden][:limit]
            met = hidden.intersection(held)
            if privacy.guards and (met or not found):
                privacy.refuse("customer search", wanted, met, nobody=not found)
            survivors = survivors_of(connection, self._table("customer"), found)
            # Whoever was removed since the index was asked is no result.
            people = dict.fromkeys(survivors[i] for i in found if i in survivors)
            return self._many(connection, list(people))

    def _by_source(self, connection: Connection, text: str) -> Sequence[int]:
        """The customer of a key written as ``source:ref``, where there is one."""
        source, _, ref = text.partition(":")
        c = self._table("customer_ref").c
        query = select(c.customer_id).where(c.source == source, c.ref == ref.strip())
        return connection.scalars(query).all() if ref else ()

    def columns(self) -> Names:
        """Every name that ``list`` sorts and filters by."""
        own = ["id", *EDITABLE, "created_at", "updated_at", "version"]
        for made in self._plugin_tables().values():
            own += [f"{made.entity.plugin}.{f.name}" for f in made.entity.fields.fields]
        return own

    # --- writing ------------------------------------------------------------------------------

    def add(
        self,
        *,
        kind: str = "person",
        name: str | None = None,
        refs: Sequence[CustomerRef] = (),
        contact_points: Sequence[ContactPoint] = (),
        fields: Fields | None = None,
        tx: Tx | None = None,
        **columns: Any,
    ) -> Customer:
        """Files a new customer.

        Args:
            kind: one of CUSTOMER_KINDS.
            refs: keys in other systems; without any the customer is ``crmkit:<id>``.
            columns: ``locale``, ``time_zone``, ``region``, ``owner``, ``team``.

        Raises:
            UsageError: if a key belongs to somebody already, or a value is not allowed.
            NotPermitted: if the owner has left.
        """
        self._check_own({"kind": kind, "name": name, **columns}, refs, contact_points)
        with self._writing(tx, "customer add") as own:
            if columns.get("owner") is not None:
                self._store.ownership.check_here(columns["owner"], tx=own)
            (customer_id,) = own.take_ids(1)
            made = Customer(
                id=customer_id, kind=kind, name=name, created_at=own.at, updated_at=own.at, **columns
            )  # fmt: skip
            row = {n: getattr(made, n) for n in ("id", *EDITABLE, "created_at", "updated_at")}
            row |= {"version": 1, "merged_into": None, "valid_from": own.at, "tx": own.id}
            own.connection.execute(self._table("customer").insert(), row)
            keys = tuple(refs) or (CustomerRef(OWN_SOURCE, str(customer_id)),)
            self._add_refs(own, customer_id, keys)
            self._replace_contact_points(own, customer_id, contact_points)
            self._set_fields(own, customer_id, fields or {})
            own.count("customer", 1)
            return self._get(own.connection, customer_id)

    @retried
    def edit(
        self,
        customer_id: int,
        *,
        version: int,
        changes: Mapping[str, Any] | None = None,
        refs: Sequence[CustomerRef] = (),
        contact_points: Sequence[ContactPoint] | None = None,
        fields: Fields | None = None,
        tx: Tx | None = None,
    ) -> Customer:
        """Changes a customer that was read at ``version``; the earlier version is kept.

        Args:
            changes: new values of the columns in EDITABLE.
            refs: keys to add.
            contact_points: all contact points from now on; None leaves them.
            fields: plugin fields to set; None as a value empties one, fields left out stay.

        Raises:
            EditConflict: if somebody changed the customer since.
            NotFound: for an unknown customer, column, plugin or field.
            UsageError: if a value is not allowed. What is stored already is not judged again.
            NotPermitted: if the new owner has left, or the customer's renewals are protected for
                the one it has.
        """
        with self._writing(tx, "customer edit") as own:
            stored = self._get(own.connection, customer_id)
            added = [p for p in contact_points or () if p not in stored.contact_points]
            self._check_own(changes or {}, refs, added)
            if stored.version != version:
                raise EditConflict("the customer", version, stored.version)
            edited = evolve(stored, **dict(changes or {}))
            if edited.owner != stored.owner:
                self._store.ownership.check_gifts({stored.id: edited.owner}, tx=own)
            self._update(own, edited, version)
            self._store.ownership.changed(
                {stored.id: (stored.owner, edited.owner)}, rule="edit", reason=own.command, tx=own
            )
            if refs:
                self._add_refs(own, stored.id, refs)
            if contact_points is not None:
                self._replace_contact_points(own, stored.id, contact_points)
            self._set_fields(own, stored.id, fields or {})
            own.count("customer", 1)
            return self._get(own.connection, stored.id)

    @retried
    def anonymise(self, ids: Iterable[int], *, tx: Tx | None = None) -> None:
        """Takes from customers, for good, what says who they are; what they did stays.

        See :mod:`crmkit.store.anonymise` for what goes and what stays. The snapshot has neither names
        nor contacts; earlier versions of fields of class ``quasi`` leave it when it is built anew.
        """
        # Lazy: nearly no command does it.
        from .anonymise import anonymise

        with self._writing(tx, "customer anonymise") as own:
            anonymise(self._store, own, ids)

    # --- checks -------------------------------------------------------------------------------

    def _check_own(
        self,
        columns: Mapping[str, Any],
        refs: Sequence[CustomerRef],
        points: Sequence[ContactPoint],
    ) -> None:
        """Refuses what no import would take: the same rules hold at every door."""
        for name in columns:
            if name not in EDITABLE:
                raise NotFound("customer column", name, EDITABLE)
        if columns.get("kind", CUSTOMER_KINDS[0]) not in CUSTOMER_KINDS:
            raise NotFound("customer kind", str(columns["kind"]), CUSTOMER_KINDS)
        codec = Codec(CUSTOMER, CUSTOMER_FIELDS, self._store.currency)
        typed = codec.typed(columns)
        codec.check(typed)
        contacts = Codec("contact point", CONTACT_FIELDS, self._store.currency)
        keys = Codec("key", KEY_FIELDS, self._store.currency)
        for point in points:
            contacts.check(contacts.typed({point.kind: point.value}))
            keys.check(keys.typed({"label": point.label}))
        for ref in refs:
            keys.check(keys.typed({"source": ref.source, "ref": ref.ref}))
        self._check_rows(CUSTOMER, {name: [value] for name, value in columns.items()})

    # --- rows ---------------------------------------------------------------------------------

    def _update(self, tx: Tx, edited: Customer, version: int) -> None:
        table = self._table("customer")
        self._versions().keep(tx.connection, table.c.id == edited.id, tx.at, tx.id)
        done = tx.connection.execute(
            table.update()
            .where(table.c.id == edited.id, table.c.version == version)
            .values(
                **{name: getattr(edited, name) for name in EDITABLE},
                updated_at=tx.at,
                valid_from=tx.at,
                version=version + 1,
                tx=tx.id,
            )
        )
        if done.rowcount != 1:
            # PostgreSQL let another write in between the reading and here.
            raise EditConflict("the customer", version, version + 1)

    def _add_refs(self, tx: Tx, customer_id: int, refs: Sequence[CustomerRef]) -> None:
        r = self._table("customer_ref")
        for ref in refs:
            holder = tx.connection.scalar(
                select(r.c.customer_id).where(r.c.source == ref.source, r.c.ref == ref.ref)
            )
            if holder is not None and holder != customer_id:
                raise UsageError(
                    f"the key {ref} belongs to another customer.",
                    code="E_CONFLICT",
                    hint="Nothing was changed.",
                )
            if holder is None:
                row = {"source": ref.source, "ref": ref.ref, "customer_id": customer_id}
                tx.connection.execute(r.insert(), {**row, "tx": tx.id})

    def _replace_contact_points(
        self, tx: Tx, customer_id: int, points: Sequence[ContactPoint]
    ) -> None:
        """Makes these the contact points; those that stay keep who wrote them, the others are kept as past."""
        p = self._table("contact_point")
        points = self._without_members(tx, customer_id, points)
        stored = rows_where(
            tx.connection, p, "customer_id", [customer_id], order=("position", "id")
        )
        free = {(row["kind"], row["value"], row["label"]): row for row in reversed(stored)}
        kept, new = dict[int, int](), list[dict[str, Any]]()
        for position, point in enumerate(points):
            row = free.pop((point.kind, point.value, point.label), None)
            if row is not None:
                kept[row["id"]] = position
                continue
            new.append(
                {
                    "id": tx.take_ids(1)[0], "customer_id": customer_id, "kind": point.kind,
                    "value": point.value, "label": point.label, "position": position, "tx": tx.id,
                    "address_key": address_key(point.kind, point.value),
                }
            )  # fmt: skip
        self._end_points(tx, [row["id"] for row in stored if row["id"] not in kept])
        for row in stored:
            place = kept.get(row["id"])
            if place is not None and place != row["position"]:
                moved = p.update().where(p.c.id == row["id"]).values(position=place)
                tx.connection.execute(moved)
        if new:
            tx.connection.execute(p.insert(), new)

    def _end_points(self, tx: Tx, ids: Sequence[int]) -> None:
        """Removes contact points; who wrote them stays known, so that imports can be told what they said."""
        if not ids:
            return
        p, past = self._table("contact_point"), self._table("contact_point_history")
        here = is_in(tx.connection, p.c.id, ids)
        ending = select(*p.columns, literal(tx.id, Integer())).where(here)
        names = [c.name for c in past.columns]
        tx.connection.execute(past.insert().from_select(names, ending))
        tx.connection.execute(p.delete().where(here))

    def _without_members(
        self, tx: Tx, customer_id: int, points: Sequence[ContactPoint]
    ) -> Sequence[ContactPoint]:
        """The points that customers merged into this one do not bring; what is not wanted goes there.

        What they bring stays with them, so that taking the merge back gives it back.
        """
        p = self._table("contact_point")
        members = members_of(tx.connection, self._table("customer"), [customer_id])
        others = [i for i in members if i != customer_id]
        if not others:
            return points
        theirs = tx.connection.execute(
            select(p.c.id, p.c.kind, p.c.value).where(is_in(tx.connection, p.c.customer_id, others))
        ).all()
        wanted = {(point.kind, point.value) for point in points}
        gone = [row.id for row in theirs if (row.kind, row.value) not in wanted]
        self._end_points(tx, gone)
        kept = {(row.kind, row.value) for row in theirs}
        return [point for point in points if (point.kind, point.value) not in kept]

    def _set_fields(self, tx: Tx, customer_id: int, fields: Fields) -> None:
        tables = self._plugin_tables()
        for plugin, values in fields.items():
            if plugin not in tables:
                raise NotFound("plugin with customer fields", plugin, tables)
            self._set_plugin_fields(tx, customer_id, tables[plugin], values)

    def _set_plugin_fields(
        self, tx: Tx, customer_id: int, made: DomainTable, values: Mapping[str, Any]
    ) -> None:
        table, codec = made.current, self._codec(made.entity)
        here = table.c.customer_id == customer_id
        row = tx.connection.execute(select(table).where(here)).mappings().first()
        known = {} if row is None else codec.values(row)
        typed = codec.typed(values)
        merged = {**known, **dict.fromkeys(values), **typed}
        codec.check({k: v for k, v in merged.items() if v is not None}, given=values)
        if row is not None and not list(changed(known, merged)):
            return
        self._check_row(codec, merged, given=values)
        new = {**codec.columns(merged), "valid_from": tx.at, "tx": tx.id}
        if row is None:
            # A merge that was taken back may have left earlier versions without a current one.
            past = made.history.c
            last = tx.connection.scalar(
                select(func.max(past.version)).where(past.customer_id == customer_id)
            )
            new |= {"customer_id": customer_id, "version": (last or 0) + 1}
            tx.connection.execute(table.insert(), new)
        else:
            versions = Versions(table, made.history, "customer_id")
            versions.keep(tx.connection, here, tx.at, tx.id)
            new["version"] = row["version"] + 1
            tx.connection.execute(table.update().where(here).values(**new))
        tx.count(made.entity.name, 1)

    def _plugin_tables(self) -> dict[str, DomainTable]:
        return {
            made.entity.plugin: made
            for made in self._store.domain.values()
            if made.entity.what == "customer"
        }

    def _versions(self) -> Versions:
        return Versions(self._table("customer"), self._table("customer_history"))

    def _get(self, connection: Connection, customer_id: int) -> Customer:
        survivor = survivors_of(connection, self._table("customer"), [customer_id])
        if customer_id not in survivor:
            raise NotFound("customer", str(customer_id))
        return self._many(connection, [survivor[customer_id]])[0]

    def _many(self, connection: Connection, ids: Sequence[int]) -> People:
        table = self._table("customer")
        rows = {row["id"]: row for row in rows_where(connection, table, "id", ids)}
        members = members_of(connection, table, ids)
        refs = self._refs(connection, members)
        points = self._contact_points(connection, members)
        return [_customer(rows[i], refs.get(i, ()), points.get(i, ())) for i in ids]

    def _refs(
        self, connection: Connection, members: Mapping[int, int], before: datetime | None = None
    ) -> RefsById:
        order = ("source", "ref")
        found = self._known(connection, "customer_ref", members, order, before)
        out: RefsById = {}
        for row in found:
            ref = CustomerRef(row["source"], row["ref"])
            out.setdefault(members[row["customer_id"]], []).append(ref)
        return out

    def _known(
        self,
        connection: Connection,
        name: str,
        members: Mapping[int, int],
        order: tuple[str, ...],
        before: datetime | None,
    ) -> Rows:
        """The rows of these customers in a table, those alone that were written before an instant."""
        table = self._table(name)
        rows = rows_where(connection, table, "customer_id", members, order=order)
        if before is None:
            return rows
        tx = self._table("tx")
        written = rows_where(connection, tx, "id", {row["tx"] for row in rows}, names=("id", "at"))
        early = {row["id"] for row in written if row["at"] < before}
        return [row for row in rows if row["tx"] in early]

    def _contact_points(
        self, connection: Connection, members: Mapping[int, int], before: datetime | None = None
    ) -> PointsById:
        order = ("customer_id", "position")
        rows = self._known(connection, "contact_point", members, order, before)
        out: PointsById = {}
        # Their own come before those of customers merged into them, each value once.
        for row in sorted(rows, key=lambda r: r["customer_id"] != members[r["customer_id"]]):
            points = out.setdefault(members[row["customer_id"]], [])
            if all((row["kind"], row["value"]) != (known.kind, known.value) for known in points):
                points.append(ContactPoint(row["kind"], row["value"], row["label"]))
        return out

    # --- questions ----------------------------------------------------------------------------

    def _key_rows(self, connection: Connection, text: str) -> Sequence[Row]:
        source, colon, ref = text.partition(":")
        wanted = {text, ref} if colon else {text}
        keys = self._table("customer_ref")
        return [
            row
            for row in rows_where(connection, keys, "ref", wanted, order=("source", "ref"))
            if row["ref"] == text or (row["source"], row["ref"]) == (source, ref)
        ]

    def _holders(self, connection: Connection, text: str) -> set[int]:
        """Every customer whom the text may name, hidden or not."""
        rows = self._key_rows(connection, text)
        return {row["customer_id"] for row in rows} | ({int(text)} if _is_id(text) else set())

    def _id_of(
        self, connection: Connection, text: str, *, own: bool = False,
        hidden: frozenset[int] = frozenset(),
    ) -> int:  # fmt: skip
        table = self._table("customer")
        rows = [row for row in self._key_rows(connection, text) if row["customer_id"] not in hidden]
        survivors = survivors_of(connection, table, [row["customer_id"] for row in rows])
        held = {row["customer_id"] for row in rows}
        people = held if own else {survivors[i] for i in held}
        if len(people) > 1:
            names = ", ".join(str(CustomerRef(row["source"], row["ref"])) for row in rows)
            raise UsageError(
                f"several customers have the key {text!r}: {names}.",
                code="E_AMBIGUOUS",
                hint="Name one of them with its source.",
            )
        if people:
            return people.pop()
        if _is_id(text):
            customer_id = int(text)
            survivor = survivors_of(connection, table, [customer_id])
            if customer_id in survivor and customer_id not in hidden:
                return customer_id if own else survivor[customer_id]
        raise NotFound("customer", text, hint="Look for it with: crmkit customer search TEXT")

    def _narrowed(
        self, query: Select[Any], sort: Sequence[str], where: Mapping[str, Any]
    ) -> Select[Any]:
        c, joined = self._table("customer").c, set[str]()
        names = [*where, *(name.removeprefix("-") for name in sort)]
        columns: dict[str, ColumnElement[Any]] = {}
        for name in names:
            columns[name] = self._column(name)
            plugin = name.partition(".")[0]
            if "." in name and plugin not in joined:
                joined.add(plugin)
                table = self._plugin_tables()[plugin].current
                query = query.outerjoin(table, table.c.customer_id == c.id)
        for name, value in where.items():
            query = query.where(self._has(name, columns[name], value))
        for name in sort:
            column = columns[name.removeprefix("-")]
            order = column.desc() if name.startswith("-") else column.asc()
            query = query.order_by(order.nulls_last())
        return query.order_by(c.id)

    def _has(self, name: str, column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
        plugin, dot, field = name.partition(".")
        if dot:
            made = self._plugin_tables()[plugin]
            return has_value(made.current, made.entity.fields.by_name[field], value)
        return column.is_(None) if value is None else column == value

    def _column(self, name: str) -> ColumnElement[Any]:
        if name not in self.columns():
            raise NotFound("customer column", name, self.columns())
        plugin, dot, field = name.partition(".")
        if not dot:
            return self._table("customer").c[name]
        made = self._plugin_tables()[plugin]
        return made.current.c[made.entity.fields.by_name[field].columns[0].name]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 1 << 63


def _customer(
    row: Row,
    refs: Iterable[CustomerRef],
    points: Iterable[ContactPoint],
) -> Customer:
    names = ("id", *EDITABLE, "created_at", "updated_at", "version", "merged_into")
    return Customer(
        **{name: row[name] for name in names}, refs=tuple(refs), contact_points=tuple(points)
    )
