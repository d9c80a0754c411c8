"""A draft of a profile from a file: columns to fields, tried on the rows before it is shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, frozen

from ...declarations import CUSTOMER
from ...entities.money import exponent
from ..mapping import Mapper
from ..plan import build_plan
from ..profile_toml import parse_profile
from .columns import Column, amount_of, dated, look_at, readings_of, spec_of
from .core_fields import Fed, core_fields, of_role, repeated_key, unique_key
from .headers import synonyms, words_of
from .plugin_fields import Fields, best_kind, best_record, fed_fields
from .sample import Sample, read_sample
from .writing import write_profile

if TYPE_CHECKING:
    from ...hosting.catalog import Catalog
    from ...settings import Settings

# A field that spoils more rows than this is left out: its values are not what its header says.
SPOILS = 0.005
ROUNDS = 6
_SHARED = ("address", "region")


@frozen(kw_only=True)
class Guess:
    """What was made of a column: the field that it feeds, or None with the reason."""

    column: str
    target: str | None
    confidence: float | None
    values: str
    remark: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The guess as a row."""
        return {
            "column": self.column, "target": self.target, "confidence": self.confidence,
            "values": self.values, "remark": self.remark,
        }  # fmt: skip


@frozen(kw_only=True)
class Drafted:
    """A drafted profile.

    Attributes:
        text: its TOML.
        columns: what was made of each column, in the file's order.
        rows: how many rows were looked at.
        fitting: how many of them the draft would not reject.
    """

    text: str
    columns: list[Guess]
    rows: int
    fitting: int


@define(kw_only=True)
class _Draft:
    """A profile in the making; ``fed`` is what feeds which target of which entity."""

    source: dict[str, Any]
    emits: list[dict[str, Any]]
    fed: list[tuple[str, Fed]]


def guess_profile(
    path: str | Path, catalog: Catalog, settings: Settings, *,
    plugins: Collection[str] | None = None, encoding: str = "utf-8", form: str = "sqlite",
) -> Drafted:  # fmt: skip
    """Drafts a profile from the headers and values of a file.

    Columns that fit no declared field stay unmapped. A file without a key uses the row's hash. The
    rows are customers, or events with a customer where each has a date and customers repeat.

    Args:
        plugins: whose fields to feed beside core's; None is every enabled plugin.
        encoding: of the file; it is never guessed.
        form: ``sqlite`` or ``postgresql``.

    Raises:
        NotFound: if there is no such file.
        InputRefused: if it cannot be read as text of that encoding.
    """
    sample = read_sample(path, encoding)
    columns = look_at(sample, settings.currency)
    wanted = set(catalog.plugins if plugins is None else plugins)
    without: set[str] = set()
    for _ in range(ROUNDS):
        draft = _drafted(sample, columns, catalog, wanted, without, settings.currency)
        text = _text(sample, draft, columns)
        spoilt, fitting = _tried(text, sample, catalog, settings, form)
        if not spoilt - without:
            break
        without |= spoilt
    return Drafted(
        text=_text(sample, draft, columns, fitting),
        columns=_guesses(draft, columns),
        rows=sample.rows,
        fitting=fitting,
    )


# --- drafting -----------------------------------------------------------------------------------


def _drafted(
    sample: Sample, columns: Sequence[Column], catalog: Catalog, plugins: set[str],
    without: set[str], currency: str,
) -> _Draft:  # fmt: skip
    name = _name(sample.name)
    source: dict[str, Any] = {"name": name, "format": sample.source.format}
    if sample.source.encoding != "utf-8":
        source["encoding"] = sample.source.encoding
    if sample.source.delimiter:
        source["delimiter"] = sample.source.delimiter
    if sample.source.skip_lines:
        source["skip_lines"] = sample.source.skip_lines
    if sample.source.multiline:
        source["multiline"] = True
    draft = _Draft(source=source, emits=[], fed=[])
    if not _draft_events(draft, sample, columns, catalog, plugins, without, currency):
        _draft_customers(draft, columns, catalog, plugins, without, currency)
    return draft


def _draft_customers(
    draft: _Draft, columns: Sequence[Column], catalog: Catalog, plugins: set[str],
    without: set[str], currency: str,
) -> None:  # fmt: skip
    emit: dict[str, Any] = {"entity": CUSTOMER}
    key = unique_key(columns)
    if key:
        column, sure = key
        draft.source["key"] = [column.name]
        emit["key"] = column.name
        draft.fed.append((CUSTOMER, Fed("key", column.name, (column.name,), sure)))
    fed = [f for f in core_fields(columns) if f.target not in without]
    _add(draft, emit, fed)
    taken = _taken(draft)
    left = [c for c in columns if c.name not in taken]
    customer = {
        plugin: fed_fields(left, Fields(catalog.customer_fields[plugin].fields, without, currency))
        for plugin in sorted(plugins & catalog.customer_fields.keys())
    }
    for plugin, found in customer.items():
        if found:
            _add(draft, {"entity": f"{plugin}.{CUSTOMER}"}, found)
    taken = _taken(draft)
    left = [c for c in columns if c.name not in taken]
    record = best_record(catalog, plugins, left, without, currency)
    if record:
        _add(draft, {"entity": record[0]}, record[1])


def _draft_events(
    draft: _Draft, sample: Sample, columns: Sequence[Column], catalog: Catalog, plugins: set[str],
    without: set[str], currency: str,
) -> bool:  # fmt: skip
    """Drafts customers with an interaction each, if the rows are events."""
    date, customer = of_role(columns, "date"), repeated_key(columns)
    event_key = of_role([c for c in columns if c.shape.unique], "event_key")
    if date is None or customer is None or date.shape.filled < 0.95:
        return False
    if customer.shape.unique and (event_key is None or event_key is customer):
        return False
    left = [c for c in columns if c not in (date, customer, event_key)]
    found = best_kind(catalog, plugins, left, without, currency)
    kind = found[0] if found else _core_kind(sample, columns)
    if kind not in catalog.interaction_kinds:
        return False
    emit = {"entity": CUSTOMER, "key": customer.name}
    draft.fed.append((CUSTOMER, Fed("key", customer.name, (customer.name,), customer.confidence)))
    same = [c for c in left if _constant(sample, customer.name, c.name)]
    _add(draft, emit, [f for f in core_fields(same) if f.target not in without])
    event: dict[str, Any] = {"entity": kind}
    if event_key:
        event["key"] = event_key.name
        draft.source["key"] = [event_key.name]
        known = Fed("key", event_key.name, (event_key.name,), event_key.confidence)
        draft.fed.append((kind, known))
    event["occurred_at"] = _dated(date)
    draft.fed.append((kind, Fed("occurred_at", date.name, (date.name,), date.confidence)))
    amount = of_role(left, "amount")
    if amount and "amount" not in without:
        event["amount"] = amount_of(amount, amount.currency, currency)
        decimals = exponent(amount.currency or currency)
        known = Fed("amount", amount.name, (amount.name,), amount.confidence, decimals)
        draft.fed.append((kind, known))
    _add(draft, event, found[1] if found else _payload(left, catalog, kind, without))
    return True


def _payload(
    columns: Sequence[Column], catalog: Catalog, kind: str, without: set[str]
) -> list[Fed]:
    """Fields of a core kind, by the roles that its field names are."""
    found = []
    for name, field in catalog.interaction_kinds[kind].fields.by_name.items():
        column = of_role(columns, name)
        spec = spec_of(column, field) if column and name not in without else None
        if column and spec is not None:
            found.append(Fed(name, spec, (column.name,), column.confidence))
    return found


def _core_kind(sample: Sample, columns: Sequence[Column]) -> str:
    said = {w for c in columns for w in words_of(c.name)} | set(words_of(Path(sample.name).stem))
    for kind, words in synonyms()["interactions"].items():
        if said & set(words) or any(not w.isascii() and w in s for w in words for s in said):
            return str(kind)
    return "core.order" if of_role(columns, "amount") else "core.note"


def _dated(column: Column) -> Any:
    more = dated(column.shape)
    if column.shape.null:
        more["null"] = ["", *column.shape.null]
    return {"column": column.name, **more} if more else column.name


def _constant(sample: Sample, key: str, column: str) -> bool:
    """Whether a column says the same on every row of one customer."""
    first: dict[str | None, str | None] = {}
    for batch in sample.batches:
        for ref, cell in zip(batch.cells(key), batch.cells(column), strict=True):
            if first.setdefault(ref, cell) != cell:
                return False
    return True


def _add(draft: _Draft, emit: dict[str, Any], fed: Sequence[Fed]) -> None:
    draft.emits.append(emit)
    if fed:
        emit["fields"] = {f.target: f.spec for f in fed}
    draft.fed += [(emit["entity"], f) for f in fed]


def _taken(draft: _Draft) -> set[str]:
    """Columns that feed something already; parts of a name or a place may feed another field too."""
    return {f.columns[0] for _, f in draft.fed if len(f.columns) == 1 and f.target not in _SHARED}


def _name(file: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", Path(file).stem.split(".")[0]).strip("-_") or "drafted"


# --- trying -------------------------------------------------------------------------------------


def _tried(
    text: str, sample: Sample, catalog: Catalog, settings: Settings, form: str
) -> tuple[set[str], int]:
    """Fields that spoil too many of the sample's rows, and how many rows no field spoils."""
    profile = parse_profile(text, "draft")
    plan = build_plan(
        profile, catalog, source=profile.source.name, currency=settings.currency,
        time_zone=settings.time_zone, form=form,
    )  # fmt: skip
    spoilt: Counter[str] = Counter()
    fitting = 0
    mapper = Mapper(plan)
    try:
        for batch in sample.batches:
            keyed = mapper.keys(batch)
            mapper.values(batch, keyed)
            fitting += batch.size - len(keyed.faults)
            for faults in keyed.faults.values():
                spoilt.update({f.field for f in faults})
    finally:
        mapper.close()
    many = {field for field, count in spoilt.items() if count > SPOILS * sample.rows}
    return many, fitting


# --- telling ------------------------------------------------------------------------------------


def _guesses(draft: _Draft, columns: Sequence[Column]) -> list[Guess]:
    found = []
    for column in columns:
        feeds = [(entity, f) for entity, f in draft.fed if column.name in f.columns]
        shape = column.shape
        values = f"{shape.kind} {shape.date}" if shape.date else shape.kind
        remark = _readings(column, feeds[0][1].decimals) if feeds else ""
        if not feeds:
            remark = "fits no declared field" if shape.values else "is empty"
        found.append(
            Guess(
                column=column.name,
                target=", ".join(f"{e}: {f.target}" for e, f in feeds) or None,
                confidence=round(max(f.confidence for _, f in feeds), 2) if feeds else None,
                values=values,
                remark=remark,
            )
        )
    return found


def _readings(column: Column, decimals: int | None) -> str:
    """How a mapped column's dates or numbers are read, and how else they could be."""
    read, other = readings_of(column, decimals)
    return f"{read}, but {other} fits as well: see which is meant" if other else read


def _text(
    sample: Sample, draft: _Draft, columns: Sequence[Column], fitting: int | None = None
) -> str:
    remarks = [f"Drafted from {sample.name}; every line is a guess to be looked over."]
    if fitting is not None:
        remarks.append(f"Of {sample.rows} rows looked at it takes {fitting}.")
    guesses = _guesses(draft, columns)
    for guess in guesses:
        if guess.target:
            more = f"; {guess.remark}" if guess.remark else ""
            sure = f"confidence {guess.confidence:.2f}"
            remarks.append(f"{guess.column} -> {guess.target} ({sure}{more})")
    left = [g.column for g in guesses if not g.target]
    if left:
        remarks.append(f"Not mapped: {', '.join(left)}")
    if "key" not in draft.source and "key" not in draft.emits[0]:
        remarks.append(
            "No column names a customer, so a row is known by its content: a corrected row is a "
            "second customer."
        )
    title = f"Drafted from {sample.name}"
    return write_profile(_name(sample.name), title, draft.source, draft.emits, remarks)
