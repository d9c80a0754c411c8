"""Everything that is stored of customers or records, with the profile that imports it unchanged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen
from sqlalchemy import select

from ..declarations import CUSTOMER
from ..entities.customer import CONTACT_KINDS, CUSTOMER_FIELDS, ContactPoint
from ..entities.field_types import FieldType
from ..entities.fields import Field, FieldSet
from ..errors import UsageError
from ..intake.guess.writing import write_profile
from ..intake.sheet import EXACT
from ..policy import Viewer
from ..store.rows import is_in
from .csv_forms import PLAIN, CsvForm
from .grid import Grid
from .values import instant_text

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..store.store import Store

EXPORTS = ("csv", "jsonl", "xlsx", "parquet")
# Missing values are told from empty texts there, and lists from texts.
_TYPED = ("jsonl", "parquet")
# Before March of 1900 spreadsheets disagree about the days.
_FIRST_SHEET_YEAR = 1901


@frozen
class Export:
    """A file's rows and the TOML of the profile that reads them.

    ``remarks`` name what was left out because the file could not bring it back.
    """

    grid: Grid
    profile: str
    remarks: tuple[str, ...]


@define
class _Sheet:
    """Columns and rows in the making."""

    form: str
    csv: CsvForm
    viewer: Viewer
    columns: list[str] = field(factory=list)
    rows: list[dict[str, Any]] = field(factory=list)
    remarks: list[str] = field(factory=list)

    def specs(self, entity: str, fields: FieldSet, prefix: str = "") -> dict[str, Any]:
        """Adds the columns of a field set; returns what reads each field."""
        found: dict[str, Any] = {}
        hidden = [f.name for f in fields.fields if not self.viewer.may_see(f.pii)]
        if hidden:
            # A mask in the file would be imported over the value that it hides.
            self.remarks.append(f"{entity}: secret fields are left out: {', '.join(hidden)}.")
        for f in fields.fields:
            if f.name in hidden:
                if f.required:
                    raise UsageError(
                        f"{entity} cannot be exported so that it can be imported again: its field "
                        f"{f.name!r} is required, and secret."
                    )
                continue
            name = prefix + f.name
            self.columns.append(name)
            found[f.name] = name
            if f.type is FieldType.MONEY and f.currency is None:
                self.columns.append(f"{name}_currency")
                found[f.name] = {"column": name, "currency": {"column": f"{name}_currency"}}
        return found

    def read(
        self, specs: Mapping[str, Any], declared: FieldSet | None, prefix: str
    ) -> dict[str, Any]:
        """What the profile reads: the fields that are declared; the others are told."""
        known = declared.by_name if declared is not None else {}
        others = [prefix + name for name in specs if name not in known]
        if others:
            self.remarks.append(
                "no enabled plugin declares these columns, so the profile does not read them: "
                f"{', '.join(others)}."
            )
        return {name: spec for name, spec in specs.items() if name in known}

    def cells(
        self,
        specs: Mapping[str, Any],
        fields: FieldSet,
        values: Mapping[str, Any],
        prefix: str = "",
    ) -> dict[str, Any]:
        """The cells of one entity's values."""
        out: dict[str, Any] = {}
        for name in specs:
            out |= self._cell(fields.by_name[name], values.get(name), prefix + name)
        return out

    def _cell(self, f: Field, value: Any, name: str) -> dict[str, Any]:
        if f.type is FieldType.LIST and value is not None and self.form not in _TYPED:
            # Joined by a sign, an element that holds the sign would become two.
            return {name: json.dumps(value, ensure_ascii=False)}
        if f.type is FieldType.MONEY and f.currency is None:
            return {name: value, f"{name}_currency": value and value.currency}
        return {name: _kept_by_sheets(value) if self.form == "xlsx" else value}

    def made(
        self, name: str, title: str, source: str, guarded: bool, emits: Sequence[Mapping[str, Any]]
    ) -> Export:
        """The export, with its profile."""
        keys: dict[str, Any] = {"name": source, "format": self.form, "key": ["ref"], "strip": False}
        # The file holds everything, so what is missing there is to be missing.
        keys["blank"] = "clear"
        if self.form == "csv":
            keys |= {"delimiter": self.csv.delimiter, "multiline": True, "guarded": guarded}
            if self.csv.decimal != PLAIN.decimal:
                keys["decimal"] = self.csv.decimal
        elif self.form == "xlsx":
            keys["time_zone"] = "UTC"  # cells with an instant name no zone
        if self.form in _TYPED:
            keys["null"] = []  # a missing value is null there, so an empty text is a text
        profile = write_profile(name, title, keys, emits, ())
        return Export(Grid.of(self.rows, self.columns), profile, tuple(self.remarks))


def export_customers(
    store: Store, catalog: Catalog, viewer: Viewer, *, source: str | None, form: str,
    guarded: bool, csv: CsvForm = PLAIN,
) -> Export:  # fmt: skip
    """Every customer that has a key of ``source``, with contact points and the plugins' fields.

    Args:
        store: the database as it is stored (:meth:`Store.as_stored`), so that the file has also what
            no enabled plugin declares. catalog: what the profile may name.
        source: whose keys name the customers; None is the only one that there is.
        form: one of EXPORTS.
        guarded: whether CSV cells that a spreadsheet would run get a ``'``.
        csv: how a CSV file is written.

    Raises:
        UsageError: if there are several sources and none was named, or the one named has no key.
    """
    keys = _keys(store)
    chosen = _chosen({name for name, _ in keys}, source, "customers")
    # The first key of each, so the last one to be put in.
    refs = {i: ref for (name, ref), i in reversed(keys.items()) if name == chosen}
    everybody = store.customers.list()
    people = [c for c in everybody if c.id in refs]
    sheet = _Sheet(form, csv, viewer, ["ref", *_core(viewer)])
    if len(people) < len(everybody):
        sheet.remarks.append(f"{len(everybody) - len(people)} customers have no key of {chosen}.")
    slots = _slots(c.contact_points for c in people) if viewer.may_see("direct") else {}
    sheet.columns += [column for columns in slots.values() for column in columns]
    core: dict[str, Any] = {name: name for name in _core(viewer)}
    core |= {
        f"{kind}.{label}" if label else kind: columns if len(columns) > 1 else columns[0]
        for (kind, label), columns in slots.items()
    }
    emits: list[dict[str, Any]] = [{"entity": CUSTOMER, "key": "ref", "fields": core}]
    specs: dict[str, dict[str, Any]] = {}
    stored = {m.entity.plugin: m for m in store.domain.values() if m.entity.what == CUSTOMER}
    known_now = [plugin for plugin in catalog.customer_fields if plugin in stored]
    for plugin in (*known_now, *sorted(set(stored) - set(known_now))):
        entity, known = f"{plugin}.{CUSTOMER}", f"has_{plugin}"
        sheet.columns.append(known)
        specs[plugin] = sheet.specs(entity, stored[plugin].entity.fields, f"{plugin}.")
        declared = (
            catalog.customer_fields[plugin].fields if plugin in catalog.customer_fields else None
        )
        read = sheet.read(specs[plugin], declared, f"{plugin}.")
        if read:
            when = {"column": known, "filled": True}
            emits.append({"entity": entity, "when": when, "fields": read})
    fields = store.customers.fields_of(refs)
    for customer in people:
        row: dict[str, Any] = {"ref": refs[customer.id]}
        row |= {name: getattr(customer, name) for name in _core(viewer)}
        free = {slot: iter(columns) for slot, columns in slots.items()}
        for point in customer.contact_points if slots else ():
            row[next(free[point.kind, point.label])] = point.value
        for plugin, values in fields.get(customer.id, {}).items():
            if plugin in specs:
                made = stored[plugin].entity.fields
                row[f"has_{plugin}"] = True
                row |= sheet.cells(specs[plugin], made, values, f"{plugin}.")
        sheet.rows.append(row)
    return sheet.made("customers-export", f"Customers of {chosen}", chosen, guarded, emits)


def export_records(
    store: Store, catalog: Catalog, viewer: Viewer, type: str, *,
    source: str | None, form: str, guarded: bool, csv: CsvForm = PLAIN,
) -> Export:  # fmt: skip
    """Every record of a type that has a key of ``source``, with its owner's key.

    Args:
        store, catalog, source, form, guarded, csv: as of :func:`export_customers`.

    Raises:
        NotFound: for an unknown type.
        UsageError: as :func:`export_customers`, and for a type whose plugin is disabled.
    """
    entity = store.records.entity(type)
    declared = catalog.record_types.get(type)
    if declared is None:
        raise UsageError(
            f"no enabled plugin declares {type}, so it could not be imported again.",
            hint=f"Enable {entity.plugin}, or see: crmkit record list {type}",
        )
    stored = store.records.list(type)
    chosen = _chosen({r.source for r in stored}, source, f"records of {type}")
    records = [r for r in stored if r.source == chosen]
    sheet = _Sheet(form, csv, viewer, ["ref"])
    owners: dict[int, tuple[str, str]] = {}
    if entity.owner is not None:
        sheet.columns += ["owner", "owner_source"]
        owners = _owners(store, entity.owner, chosen)
        kept = [r for r in records if r.owner_id in owners]
        if len(kept) < len(records):
            sheet.remarks.append(f"{len(records) - len(kept)} records have an owner without a key.")
        records = kept
    # With a prefix, so that a field named `ref` or `owner` is no second column of that name.
    prefix = type.partition(".")[2] + "."
    specs = sheet.specs(type, entity.fields, prefix)
    read = sheet.read(specs, declared.fields, prefix)
    for record in records:
        row: dict[str, Any] = {"ref": record.ref}
        if entity.owner is not None:
            row["owner_source"], row["owner"] = owners[record.owner_id or 0]
        sheet.rows.append(row | sheet.cells(specs, entity.fields, record.values, prefix))
    emits: list[dict[str, Any]] = []
    named = sorted({row["owner_source"] for row in sheet.rows}) if entity.owner else []
    for number, owner_source in enumerate(named or [chosen], 1):
        emit: dict[str, Any] = {"entity": type, "name": f"{type}-{number}", "key": "ref"}
        if entity.owner is not None:
            emit["owner"] = {"entity": entity.owner, "column": "owner", "source": owner_source}
            emit["when"] = {"column": "owner_source", "equals": owner_source}
        emits.append({**emit, "fields": read})
    title = f"Records of {type} of {chosen}"
    return sheet.made(f"{type.replace('.', '-')}-export", title, chosen, guarded, emits)


def _kept_by_sheets(value: Any) -> Any:
    """The value where a cell keeps it to the last digit, else its text.

    A cell has 15 digits that count, and a day in thousandths of a second.
    """
    if isinstance(value, float):
        exact = abs(value) < EXACT and float(f"{value:.16G}") == value
        return value if exact else repr(value)
    if isinstance(value, datetime):
        exact = value.microsecond % 1000 == 0 and value.year >= _FIRST_SHEET_YEAR
        return value if exact else instant_text(value)
    return value


def _core(viewer: Viewer) -> list[str]:
    return [name for name in CUSTOMER_FIELDS.by_name if name != "name" or viewer.may_see("direct")]


def _chosen(sources: Iterable[str], wanted: str | None, what: str) -> str:
    known = sorted(sources)
    if wanted is None and len(known) == 1:
        return known[0]
    listed = ", ".join(known) or "none"
    if wanted is None:
        raise UsageError(
            f"the {what} have keys of these sources: {listed}.", hint="Name one with --source."
        )
    if wanted not in known:
        raise UsageError(f"no {what} have a key of {wanted!r} (sources: {listed}).")
    return wanted


def _keys(store: Store) -> dict[tuple[str, str], int]:
    """Customers by source and ref, as the import finds them: those merged away by themselves."""
    table = store.tables["customer_ref"].c
    with store.read() as connection:
        query = select(table.source, table.ref, table.customer_id)
        hidden = store.privacy.hidden(connection)
        if hidden:
            query = query.where(~is_in(connection, table.customer_id, hidden))
        rows = connection.execute(query.order_by(table.source, table.ref))
        return {(row.source, row.ref): row.customer_id for row in rows}


def _owners(store: Store, owner: str, preferred: str) -> dict[int, tuple[str, str]]:
    """Source and ref of every possible owner, of the preferred source where it has one."""
    if owner != CUSTOMER:
        return {r.id: (r.source, r.ref) for r in store.records.list(owner)}
    found: dict[int, tuple[str, str]] = {}
    for (source, ref), customer in _keys(store).items():
        if customer not in found or (source == preferred != found[customer][0]):
            found[customer] = (source, ref)
    return found


def _slots(people: Iterable[Sequence[ContactPoint]]) -> dict[tuple[str, str], list[str]]:
    """The columns of each kind and label: as many as the customer has points who has most of them.

    Labels are free text, so the columns of a kind are numbered. Every kind has a column, whether
    anybody has such a contact point or not.
    """
    most = Counter(dict.fromkeys(((kind, "") for kind in CONTACT_KINDS), 1))
    for points in people:
        most |= Counter((point.kind, point.label) for point in points)
    count: Counter[str] = Counter()
    out: dict[tuple[str, str], list[str]] = {}
    for kind, label in sorted(most):
        out[kind, label] = columns = []
        for _ in range(most[kind, label]):
            count[kind] += 1
            columns.append(kind if count[kind] == 1 else f"{kind}_{count[kind]}")
    return out
