"""A profile fitted to the catalog: what to convert, where it goes, and every reason why it cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attrs import define, field, frozen

from ..declarations import CUSTOMER
from ..entities.checks import Fault
from ..entities.customer import CONTACT_FIELDS, CUSTOMER_FIELDS
from ..entities.field_types import FieldType
from ..entities.fields import Field, FieldSet
from ..entities.interaction import CHANNELS, DIRECTIONS
from ..errors import ProfileError
from ..store.bulk.block import Slot
from .cells import Converter, encoder
from .lookups import Lookup
from .profile import CONTACTS, Emit, Key, Profile, Reference, Spec
from .values import Reading

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog

RECORD, INTERACTION, FIELDS = "record", "interaction", "fields"

_CORE = {**CUSTOMER_FIELDS.by_name, **CONTACT_FIELDS.by_name}
_ENVELOPE: dict[str, Mapping[str, Any]] = {
    "channel": {"type": "string", "enum": list(CHANNELS)},
    "direction": {"type": "string", "enum": list(DIRECTIONS)},
    "actor": {"type": "string"},
}
_NUMERIC = (FieldType.INTEGER, FieldType.NUMBER, FieldType.MONEY)
_MONEY = Field("amount", FieldType.MONEY, {"type": "string", "format": "money"})
_INSTANT: Mapping[str, Any] = {"type": "string", "format": "date-time"}


@define
class Target:
    """One mapped field: its converter and the stored columns that it fills.

    Attributes:
        columns: names of the stored columns; two for money whose currency is stored beside it.
        currency: constant for the second column, where the file has no column for it.
        constant: the stored value, where the profile gives one instead of a column.
    """

    name: str
    spec: Spec
    converter: Converter
    columns: tuple[str, ...]
    currency: str | None = None
    constant: Any = None


@define(kw_only=True)
class EmitPlan:
    """An emit with everything resolved.

    Attributes:
        kind: ``customer``, ``fields``, ``record`` or ``interaction``.
        fields: what is declared of it; none for customers, whose columns are crmkit's own.
        source: of its refs.
        key: None means the row key with ``suffix``.
        contacts: by kind and label, one target for each column that holds such a contact point.
        clears: the stored columns and contact points that a blank empties.
        owner, subject: index of the emit that makes it; or ``owner_ref``/``subject_ref`` says how
            the stored one is found.
    """

    emit: Emit
    kind: str
    fields: FieldSet
    source: str
    key: Key | None
    suffix: str = ""
    targets: list[Target] = field(factory=list)
    contacts: dict[Slot, list[Target]] = field(factory=dict)
    clears: frozenset[str | Slot] = frozenset()
    envelope: dict[str, Target] = field(factory=dict)
    effective: Target | None = None
    occurred_at: Target | None = None
    amount: Target | None = None
    owner: int | None = None
    owner_ref: StoredRef | None = None
    subject: int | None = None
    subject_ref: StoredRef | None = None
    subject_type: str | None = None

    @property
    def money(self) -> list[Target]:
        """The amounts whose currency is stored beside them in a column."""
        own = self.targets if self.kind != INTERACTION else []
        return [t for t in (*own, self.amount) if t is not None and len(t.columns) == 2]

    @property
    def entity(self) -> str:
        """The public name of what it makes."""
        return self.emit.entity


@frozen
class StoredRef:
    """A reference to something stored: its entity and source, and where its ref comes from.

    ``path`` names the record types whose owners lead from what the ref names to what is meant, the
    named one first: a transaction names its account, and belongs to the customer who owns it. Empty
    means the named thing itself.
    """

    entity: str
    source: str
    converter: Converter
    path: tuple[str, ...] = ()


@define(kw_only=True)
class Plan:
    """A profile that fits: ready to convert batches.

    Attributes:
        row_unit: whether the row key decides what a repeated row is; then equal rows are dropped.
        units: indexes of emits whose own keys must be watched for repeats.
    """

    profile: Profile
    source: str
    emits: list[EmitPlan]
    row_key: Key | None
    row_unit: bool
    units: list[int]


def build_plan(
    profile: Profile, catalog: Catalog, *, source: str, currency: str, time_zone: str, form: str
) -> Plan:
    """Fits a profile to the catalog.

    Args:
        source: the source of refs whose emit names none.
        currency, time_zone: of the workspace.
        form: ``sqlite`` or ``postgresql``.

    Raises:
        ProfileError: with every reason why it does not fit.
    """
    planner = _Planner(profile, catalog, source, currency, time_zone, form)
    plan = planner.plan()
    if planner.faults:
        raise ProfileError(profile.origin or profile.name, planner.faults)
    return plan


class _Planner:
    def __init__(
        self,
        profile: Profile,
        catalog: Catalog,
        source: str,
        currency: str,
        time_zone: str,
        form: str,
    ) -> None:
        self.profile, self.catalog, self.source, self.form = profile, catalog, source, form
        self.currency = profile.source.currency or currency
        self.zone = ZoneInfo(profile.source.time_zone or time_zone)
        self.local = ZoneInfo(time_zone)
        self.faults: list[str] = []
        self.kinds: list[str] = []

    def plan(self) -> Plan:
        emits = [self._emit(i, emit) for i, emit in enumerate(self.profile.emits)]
        keys = self.profile.source.key
        row_key = Key(tuple((":" if i else "", c) for i, c in enumerate(keys))) if keys else None
        # An emit that takes its key from the row needs no watching of its own.
        units = [
            i
            for i, emit in enumerate(emits)
            if emit.key is not None and not (keys and emit.key.columns == keys)
        ]
        return Plan(
            profile=self.profile,
            source=self.source,
            emits=emits,
            row_key=row_key,
            row_unit=row_key is not None,
            units=units,
        )

    def fault(self, emit: Emit, message: str) -> None:
        self.faults.append(f"emit {emit.name}: {message}")

    def _emit(self, index: int, emit: Emit) -> EmitPlan:
        kind, fields = self._kind(emit)
        self.kinds.append(kind)
        made = EmitPlan(
            emit=emit, kind=kind, fields=fields, source=emit.source or self.source, key=emit.key,
            suffix="" if kind == CUSTOMER else f":{emit.name}",
        )  # fmt: skip
        if kind == FIELDS and emit.key:
            self.fault(emit, "customer fields have no key of their own; they are their customer's")
        if kind == CUSTOMER and not emit.key and self.kinds.count(CUSTOMER) > 1:
            self.fault(emit, "a second customer in a row needs a key")
        if not kind:
            # Nothing more can be said of an entity that nobody declares.
            return made
        if kind == CUSTOMER:
            self._core_targets(emit, made)
        else:
            self._targets(emit, made, fields)
        self._effective(emit, made)
        self._envelope(emit, made)
        self._links(index, emit, made)
        return made

    def _kind(self, emit: Emit) -> tuple[str, FieldSet]:
        name, catalog = emit.entity, self.catalog
        if name == CUSTOMER:
            return CUSTOMER, FieldSet({})
        plugin, _, rest = name.partition(".")
        if rest == CUSTOMER and plugin in catalog.customer_fields:
            return FIELDS, catalog.customer_fields[plugin].fields
        if name in catalog.record_types:
            declared = catalog.record_types[name]
            if declared.filed_by:
                self.fault(emit, f"only crmkit {declared.filed_by} files {name}; an import cannot")
            return RECORD, declared.fields
        if name in catalog.interaction_kinds:
            return INTERACTION, catalog.interaction_kinds[name].fields
        known = [CUSTOMER, *(f"{p}.customer" for p in catalog.customer_fields)]
        known += [*catalog.record_types, *catalog.interaction_kinds]
        self.fault(emit, f"no enabled plugin declares {name!r} (declared: {', '.join(known)})")
        return "", FieldSet({})

    # --- fields -------------------------------------------------------------------------------

    def _core_targets(self, emit: Emit, made: EmitPlan) -> None:
        for name, spec in emit.fields.items():
            base, _, label = name.partition(".")
            if base not in _CORE or (label and base not in CONTACTS):
                known = ", ".join(_CORE)
                self.fault(emit, f"a customer has no field {name!r} (fields: {known})")
                continue
            if base in CONTACTS:
                specs = (spec, *spec.also)
                targets = [self._target(emit, _CORE[base], s, self.form) for s in specs]
                made.contacts[base, label] = targets
                if any(self._clears(s) for s in specs):
                    made.clears |= {(base, label)}
                continue
            made.targets.append(self._target(emit, _CORE[base], spec, self.form))
            # A customer always has a kind.
            if self._clears(spec) and base != "kind":
                made.clears |= {base}

    def _clears(self, spec: Spec) -> bool:
        return (spec.blank or self.profile.source.blank) == "clear"

    def _targets(self, emit: Emit, made: EmitPlan, fields: FieldSet) -> None:
        form = "payload" if made.kind == INTERACTION else self.form
        for name, spec in emit.fields.items():
            found = fields.by_name.get(name)
            if found is None:
                known = ", ".join(fields.by_name) or "none"
                self.fault(emit, f"{emit.entity} has no field {name!r} (fields: {known})")
                continue
            target = self._target(emit, found, spec, form)
            made.targets.append(target)
            if self._clears(spec):
                made.clears |= frozenset(target.columns)
        missing = [f.name for f in fields.fields if f.required and f.name not in emit.fields]
        if missing:
            self.fault(emit, f"{emit.entity} requires {', '.join(missing)}, which nothing feeds")

    def _target(self, emit: Emit, found: Field, spec: Spec, form: str) -> Target:
        reading = self._reading(spec, found)
        if found.currency and (spec.currency_column or spec.currency not in (None, found.currency)):
            self.fault(emit, f"field {found.name!r} is always in {found.currency}")
        source = self.profile.source
        converter = Converter(
            spec, found, reading,
            null=source.null if spec.null is None else spec.null,
            strip=source.strip, encode=encoder(found.type, form),
        )  # fmt: skip
        columns = tuple(c.name for c in found.columns)
        target = Target(found.name, spec, converter, columns)
        if len(columns) == 2 and not spec.currency_column:
            target.currency = reading.currency
        self._check_constants(emit, target)
        return target

    def _reading(self, spec: Spec, found: Field) -> Reading:
        source = self.profile.source
        return Reading(
            decimal=spec.decimal or source.decimal,
            thousands=spec.thousands or source.thousands,
            date=spec.date or (source.date if found.type is FieldType.DATE else None),
            first_year=spec.first_year or source.first_year,
            zone=ZoneInfo(spec.time_zone) if spec.time_zone else self.zone,
            currency=found.currency or spec.currency or self.currency,
            split=None if spec.part else spec.split,
        )

    def _check_constants(self, emit: Emit, target: Target) -> None:
        """Values that the profile itself gives are judged now, not row by row."""
        spec, converter = target.spec, target.converter
        where = f"field {target.name!r}"
        if spec.factor and converter.field.type not in _NUMERIC:
            kind = converter.field.type.value
            self.fault(emit, f"{where}: factor is for numbers, and this is {kind}")
        if spec.factor and spec.currency_column:
            self.fault(emit, f"{where}: factor is not for amounts of several currencies")
        if not spec.columns:
            target.constant = converter.constant(spec.value)
            if isinstance(target.constant, Fault):
                self.fault(emit, f"{where}: {target.constant.message}")
        given = [] if spec.default is None else [spec.default]
        given += [v for v in (*(spec.map or {}).values(), spec.other) if v not in (None, "")]
        for value in given:
            found = converter.constant(value)
            if isinstance(found, Fault):
                self.fault(emit, f"{where}: {found.message} (allowed: {found.allowed})")
        if spec.lookup:
            self._check_lookup(emit, where, spec.lookup, converter)

    def _check_lookup(self, emit: Emit, where: str, lookup: Lookup, converter: Converter) -> None:
        """Every value of the column that is taken from a table; the first that does not fit."""
        for key, text in lookup.values.items():
            found = converter.constant(text) if text else None
            if isinstance(found, Fault):
                place = f"{lookup.table.where} line {lookup.table.lines[key]}, column {lookup.take}"
                self.fault(emit, f"{where}: {place}: {found.message} (allowed: {found.allowed})")
                return

    # --- time and envelope --------------------------------------------------------------------

    def _effective(self, emit: Emit, made: EmitPlan) -> None:
        spec = emit.effective or (
            None if made.kind == INTERACTION else self.profile.source.effective
        )
        if emit.effective and made.kind == INTERACTION:
            self.fault(emit, "an interaction has occurred_at and no effective")
        elif spec:
            made.effective = self._moment(emit, "effective", spec, ("valid_from",))

    def _moment(self, emit: Emit, name: str, spec: Spec, columns: tuple[str, ...]) -> Target:
        found = Field(name, FieldType.INSTANT, _INSTANT, required=True)
        target = self._target(emit, found, spec, self.form)
        target.columns = columns
        if len(columns) == 2:
            instant, day = encoder(FieldType.INSTANT, self.form), encoder(FieldType.DATE, self.form)
            local = self.local

            def encode(value: datetime) -> tuple[Any, Any]:
                return instant(value), day(value.astimezone(local).date())

            target.converter.encode = encode
            if not spec.columns:
                target.constant = target.converter.constant(spec.value)
        return target

    def _envelope(self, emit: Emit, made: EmitPlan) -> None:
        named = {n: getattr(emit, n) for n in ("channel", "direction", "actor")}
        if made.kind != INTERACTION:
            given = [n for n in (*named, "occurred_at", "amount", "subject") if getattr(emit, n)]
            if given:
                self.fault(emit, f"{', '.join(given)}: only interactions have that")
            return
        for name, spec in named.items():
            if spec:
                found = Field(name, FieldType.TEXT, _ENVELOPE[name])
                target = self._target(emit, found, spec, self.form)
                made.envelope[name] = target
        moment = emit.occurred_at or self.profile.source.effective
        if moment is None:
            self.fault(emit, "an interaction needs occurred_at, or the source an effective date")
        else:
            made.occurred_at = self._moment(
                emit, "occurred_at", moment, ("occurred_at", "occurred_on")
            )
        if emit.amount:
            made.amount = self._target(emit, _MONEY, emit.amount, self.form)
            made.amount.columns = ("amount_minor", "currency")

    # --- links --------------------------------------------------------------------------------

    def _links(self, index: int, emit: Emit, made: EmitPlan) -> None:
        wanted = self._owner_type(made)
        if wanted is None:
            if emit.owner:
                self.fault(emit, f"{emit.entity} has no owner")
        else:
            optional = (
                made.kind == INTERACTION and self.catalog.interaction_kinds[emit.entity].anonymous
            )
            link = self._link(index, emit, "owner", emit.owner, wanted, optional=optional)
            made.owner, made.owner_ref = link
        if made.kind == INTERACTION and emit.subject:
            subject = self.catalog.interaction_kinds[emit.entity].subject
            if subject is None:
                self.fault(emit, f"{emit.entity} has no subject")
                return
            made.subject_type = subject
            made.subject, made.subject_ref = self._link(
                index, emit, "subject", emit.subject, subject, optional=True
            )

    def _owner_type(self, made: EmitPlan) -> str | None:
        if made.kind == RECORD:
            found = self.catalog.record_types.get(made.entity)
            return found.owner if found else None
        return CUSTOMER if made.kind in (FIELDS, INTERACTION) else None

    def _link(
        self,
        index: int,
        emit: Emit,
        what: str,
        link: Reference | None,
        wanted: str,
        *,
        optional: bool,
    ) -> tuple[int | None, StoredRef | None]:
        earlier: Sequence[Emit] = self.profile.emits[:index]
        if link is None:
            found = next((i for i, e in enumerate(earlier) if e.entity == wanted), None)
            if found is None and not optional:
                self.fault(emit, f"{what}: no earlier emit is a {wanted}; name one or a stored one")
            return found, None
        if link.emit is not None:
            position = next((i for i, e in enumerate(earlier) if e.name == link.emit), None)
            if position is not None and earlier[position].entity != wanted:
                self.fault(
                    emit, f"{what}: {link.emit!r} is a {earlier[position].entity}, not a {wanted}"
                )
            return position, None
        path = self._way_up(link.entity, wanted)
        if path is None:
            self.fault(emit, f"{what} must be a {wanted}, not a {link.entity}")
        spec = link.spec or Spec()
        text = Field(what, FieldType.TEXT, {"type": "string"})
        target = self._target(emit, text, spec, self.form)
        named = link.entity or wanted
        return None, StoredRef(named, link.source or self.source, target.converter, path or ())

    def _way_up(self, named: str | None, wanted: str) -> tuple[str, ...] | None:
        """The record types whose owners lead from the named one to the wanted; None if none do."""
        path: list[str] = []
        while named is not None and named != wanted:
            found = self.catalog.record_types.get(named)
            if found is None:
                return None
            path.append(named)
            named = found.owner
        return None if named is None else tuple(path)
