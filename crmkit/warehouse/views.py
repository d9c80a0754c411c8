"""Views: what a table name in analysis SQL means for a population (design D1, D3, D4).

A table name means the rows visible to each population row. For one date that is a view with the
date in it; for many dates it is a join with the population. The text is generated here, in the same
dialect as what authors write, over tables ``base_<name>`` that hold everything.

What is visible of a versioned row at a date is its highest version with ``valid_from`` before that
date. Before its first version a row shows its timeless fields alone, and where its type has none,
nothing. A timeless field that the visible version lacks is taken from the next version that has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from ..declarations import CUSTOMER, sql_name
from ..errors import NotFound, UsageError
from .engine import quoted, quoted_text
from .layout import (
    ACTIVITY_COST,
    FACT_COLUMNS,
    INTERACTION,
    NO_CURRENCY,
    REVENUE,
    ActivityCost,
    Layout,
    Revenue,
    Shape,
    WarehouseTable,
)
from .portable import BASE

if TYPE_CHECKING:
    from .manifest import TableState
    from .population import Population

PURPOSES = ("feature", "population", "target", "report")
POPULATION = f"{BASE}population"
# Columns of the files that analysis SQL does not see.
HIDDEN = frozenset({"fact_id", "revision", "kind_", "tx", "version", "valid_on", "subject_type"})
_NO_ID = "CAST(NULL AS BIGINT)"
_QUOTE = "'"


@frozen
class _Owner:
    """To which population rows the rows of a table belong.

    Attributes:
        link: expression over ``v`` by which a row finds its owner; empty for ownerless records.
        relation: SELECT of ``key_, subject_id, as_of, as_of_on, customer_id``. None: the link is the
            subject itself, for everyone at one date.
        customer: the customer's id, as an expression over ``v`` and ``o``.
        condition: on the rows of the table, or empty.
    """

    link: str
    relation: str | None
    customer: str
    condition: str = ""

    @property
    def subject(self) -> str:
        """The subject's id, as an expression over ``v`` and ``o``."""
        if not self.link:
            return _NO_ID
        return "o.subject_id" if self.relation else self.link


@frozen
class Views:
    """Makes the text of views for one population, purpose and subject.

    Args:
        layout: the tables.
        states: what the manifest knows of each: which need a search among versions.
        population: for whom and as of when.
        purpose: one of PURPOSES; see :mod:`crmkit.declarations`.
        subject: ``customer`` or a record type.
        window_days: facts that are further from the date are not there; None means all.
        currency: in which amounts are added up: of ``x_minor``, ``x_base_minor`` has those of this
            currency and is missing for others.

    Raises:
        UsageError: for another purpose. NotFound: for a subject that is no record type.
    """

    layout: Layout
    states: Mapping[str, TableState] = field(repr=False)
    population: Population
    purpose: str
    subject: str = CUSTOMER
    window_days: int | None = None
    currency: str = NO_CURRENCY

    def __attrs_post_init__(self) -> None:
        if self.purpose not in PURPOSES:
            raise UsageError(f"purpose {self.purpose!r} is not one of {', '.join(PURPOSES)}.")
        if self.subject != CUSTOMER and self.subject not in self._records:
            raise NotFound("subject", self.subject, [CUSTOMER, *self._records])

    # --- what is asked for ------------------------------------------------------------------------

    def bases(self, name: str) -> set[str]:
        """The tables that must be bound as ``base_<name>`` before the view of ``name``."""
        if name == ACTIVITY_COST:
            kinds = {sql_name(cost.driver.kind) for cost in self.layout.costs}
            return set().union(*map(self.bases, kinds))
        if name == REVENUE:
            return set().union(*(self.bases(sql_name(r.entity)) for r in self.layout.revenues))
        found = set() if name == "population" else {name}
        if self._one:
            found.add(sql_name(self.subject))
        tables = [self._records[self.subject]] if self.subject in self._records else []
        if name in self.layout.tables:
            tables.append(self.layout.tables[name])
        for table in tables:
            found |= {table.name, *(parent.name for parent in self._above(table))}
        return found

    def sql(self, name: str) -> str:
        """The SELECT that the table ``name`` means."""
        if name == "population":
            return self._population_sql()
        if name == ACTIVITY_COST:
            return self._activity_cost_sql()
        if name == REVENUE:
            return self._revenue_sql()
        table = INTERACTION if name == INTERACTION.name else self.layout.tables[name]
        if table.shape is Shape.OUTCOME:
            return self._outcome_sql(table)
        return self._versioned_sql(table) if table.shape.versioned else self._fact_sql(table)

    # --- names and dates --------------------------------------------------------------------------

    @property
    def _records(self) -> dict[str, WarehouseTable]:
        tables = self.layout.tables.values()
        return {t.entity: t for t in tables if t.shape is Shape.RECORD}

    @property
    def _one(self) -> bool:
        return self.population.one is not None

    @property
    def _as_of(self) -> str:
        latest = self.population.latest()
        if not self._one or latest is None:
            return "o.as_of"
        return _instant(latest)

    @property
    def _as_of_on(self) -> str:
        span = self.population.span()
        return _day(span[1]) if self._one and span else "o.as_of_on"

    def _population_sql(self) -> str:
        if not self._one:
            return f"SELECT subject_id, as_of, as_of_on FROM {POPULATION}"
        return (
            f"SELECT id AS subject_id, {self._as_of} AS as_of, {self._as_of_on} AS as_of_on "
            f"FROM {BASE}{sql_name(self.subject)} WHERE valid_from < {self._as_of} GROUP BY id"
        )

    # --- owners -----------------------------------------------------------------------------------

    def _above(self, table: WarehouseTable) -> list[WarehouseTable]:
        """The record types that own a record type, nearest first."""
        found = []
        while table.owner not in (None, CUSTOMER):
            table = self._records[str(table.owner)]
            found.append(table)
        return found

    def _themselves(self) -> str | None:
        """Population rows as owners: each is its own key."""
        if self._one:
            return None
        return (
            "SELECT subject_id AS key_, subject_id, as_of, as_of_on, subject_id AS customer_id "
            f"FROM {POPULATION}"
        )

    def _through(self, table: WarehouseTable, key: str) -> str:
        """The visible rows of a record type as owners, by one of its columns."""
        return (
            f"SELECT {key} AS key_, subject_id, as_of, as_of_on, customer_id "
            f"FROM ({self._versioned_sql(table)}) p"
        )

    def _of_customer(self, link: str) -> _Owner:
        """Rows that hang on a customer; for another subject, on the customer of the record."""
        if self.subject == CUSTOMER:
            relation = self._themselves()
            return _Owner(link, relation, "o.subject_id" if relation else link)
        relation = self._through(self._records[self.subject], "customer_id")
        return _Owner(link, relation, "o.customer_id")

    def _owner_of_record(self, table: WarehouseTable) -> _Owner:
        if table.entity == self.subject:
            return _Owner("v.id", self._themselves(), self._customer_above(table))
        if table.owner is None:
            dates = f"SELECT DISTINCT as_of, as_of_on FROM {POPULATION}"
            return _Owner("", None if self._one else dates, _NO_ID)
        if table.owner == CUSTOMER:
            return self._of_customer("v.owner_id")
        return _Owner(
            "v.owner_id", self._through(self._records[table.owner], "id"), "o.customer_id"
        )

    def _customer_above(self, table: WarehouseTable) -> str:
        """The customer of a subject record, through the latest versions of its owners."""
        column = "v.owner_id" if table.owner else _NO_ID
        for parent in self._above(table):
            rows = f"{BASE}{parent.name} u WHERE u.id = {column}"
            column = f"(SELECT arg_max(u.owner_id, u.version) FROM {rows})"
        return column

    def _owner_of_fact(self, table: WarehouseTable) -> _Owner:
        if table.shape is Shape.STAGE_CHANGE:
            of_subject = f"v.subject_type = {quoted_text(self.subject)}"
            return _Owner("v.record_id", self._themselves(), _NO_ID, of_subject)
        about = table.about == self.subject or table is INTERACTION
        if self.subject != CUSTOMER and about:
            of_record = f"v.record_type = {quoted_text(self.subject)}"
            return _Owner("v.record_id", self._themselves(), "v.customer_id", of_record)
        return self._of_customer("v.customer_id")

    # --- facts ------------------------------------------------------------------------------------

    def _fact_sql(self, table: WarehouseTable) -> str:
        owner = self._owner_of_fact(table)
        at, on = "v.occurred_at", "v.occurred_on"
        if table.shape is Shape.STAGE_CHANGE:
            at, on = "v.at", "v.changed_on"
        target = self.purpose == "target"
        if target:
            seen, days = f"{at} >= {self._as_of}", f"date_diff('day', {self._as_of_on}, {on})"
        else:
            seen, days = f"{at} < {self._as_of}", f"date_diff('day', {on}, {self._as_of_on})"
        listed = [
            f"{owner.subject} AS subject_id",
            f"{self._as_of} AS as_of",
            f"{self._as_of_on} AS as_of_on",
            f"{days} AS {'days_after' if target else 'days_before'}",
            *self._fact_columns(table, owner),
        ]
        where = [seen, *([owner.condition] if owner.condition else [])]
        if self.window_days is not None:
            where.append(f"{days} <= {self.window_days}")
        where += self._bounds(at, on)
        source = self._source(table, owner)
        return f"SELECT {', '.join(listed)} FROM {source} WHERE {' AND '.join(where)}"

    def _fact_columns(self, table: WarehouseTable, owner: _Owner) -> list[str]:
        if table.shape is Shape.STAGE_CHANGE:
            hidden = HIDDEN | {"record_id"}
            return [f"v.{quoted(c.name)}" for c in table.columns if c.name not in hidden]
        out = [
            f"{owner.customer} AS customer_id" if c.name == "customer_id" else f"v.{c.name}"
            for c in FACT_COLUMNS
            if c.name not in HIDDEN
        ]
        if table is INTERACTION:
            out.append("v.kind_ AS kind")
        fields = self._fields(table)
        return [*out, *(f"v.{quoted(name)}" for name in fields), *self._amounts(table, fields)]

    def _amounts(
        self, table: WarehouseTable, fields: Sequence[str], known: str = "true"
    ) -> list[str]:
        """``x_base_minor`` for each visible amount ``x_minor``.

        Args:
            known: condition under which a row says anything.
        """
        visible = {*fields, "amount_minor"}
        return [
            f"CASE WHEN {known} AND {code if code.startswith(_QUOTE) else f'v.{code}'} = "
            f"{quoted_text(self.currency)} THEN v.{quoted(name)} END "
            f"AS {quoted(name.removesuffix('_minor') + '_base_minor')}"
            for name, code in table.amounts.items()
            if name in visible
        ]

    def _bounds(self, at: str, on: str) -> list[str]:
        """Constants between which rows can be, by which row groups of the files are skipped."""
        span, latest = self.population.span(), self.population.latest()
        if span is None or latest is None:
            return []
        if self.purpose == "target":
            return [f"{on} >= {_day(span[0])}"]
        first = None if self.window_days is None else self.population.first_day(self.window_days)
        bounds: list[str] = [] if first is None else [f"{on} >= {_day(first)}"]
        return bounds if self._one else [*bounds, f"{at} < {_instant(latest)}"]

    def _fields(self, table: WarehouseTable) -> list[str]:
        """Declared columns that this purpose may see (D13)."""
        feature = self.purpose == "feature"
        return [c.name for c in table.fields if not (c.outcome_only and feature)]

    def _activity_cost_sql(self) -> str:
        """Every interaction that a cost driver counts, once for each."""
        parts = [self._one_cost_sql(cost) for cost in self.layout.costs]
        days = "days_after" if self.purpose == "target" else "days_before"
        none = (
            f"SELECT {_NO_ID} AS subject_id, CAST(NULL AS TIMESTAMP) AS as_of, "
            f"CAST(NULL AS DATE) AS as_of_on, CAST(NULL AS BIGINT) AS {days}, "
            "CAST(NULL AS VARCHAR) AS driver, CAST(NULL AS VARCHAR) AS kind, "
            "CAST(NULL AS DOUBLE) AS quantity, CAST(NULL AS BIGINT) AS rate, "
            "CAST(NULL AS BIGINT) AS scale WHERE false"
        )
        return " UNION ALL ".join([none, *parts])

    def _one_cost_sql(self, cost: ActivityCost) -> str:
        driver = cost.driver
        # A refund filed as a negative amount gives no fee back.
        quantity = {
            "interaction": "1",
            "quantity": f"coalesce(f.{quoted(driver.field)}, 0)",
            "amount": "greatest(coalesce(f.amount_base_minor, 0), 0)",
        }[driver.per]
        days = "days_after" if self.purpose == "target" else "days_before"
        rate = "NULL" if cost.rate is None else str(cost.rate)
        where = f" WHERE f.channel = {quoted_text(driver.channel)}" if driver.channel else ""
        return (
            f"SELECT f.subject_id, f.as_of, f.as_of_on, f.{days}, "
            f"{quoted_text(driver.name)} AS driver, {quoted_text(driver.kind)} AS kind, "
            f"CAST({quantity} AS DOUBLE) AS quantity, CAST({rate} AS BIGINT) AS rate, "
            f"CAST({cost.scale} AS BIGINT) AS scale "
            f"FROM ({self._fact_sql(self.layout.tables[sql_name(driver.kind)])}) f{where}"
        )

    def _revenue_sql(self) -> str:
        """Everything that brings revenue, and what is taken from it."""
        days = "days_after" if self.purpose == "target" else "days_before"
        none = (
            f"SELECT {_NO_ID} AS subject_id, CAST(NULL AS TIMESTAMP) AS as_of, "
            f"CAST(NULL AS DATE) AS as_of_on, CAST(NULL AS BIGINT) AS {days}, "
            "CAST(NULL AS VARCHAR) AS kind, false AS refund, CAST(NULL AS BIGINT) AS amount_minor, "
            "CAST(NULL AS BIGINT) AS amount_base_minor WHERE false"
        )
        return " UNION ALL ".join(
            [none, *(self._one_revenue_sql(r, days) for r in self.layout.revenues)]
        )

    def _one_revenue_sql(self, revenue: Revenue, days: str) -> str:
        table = self.layout.tables[sql_name(revenue.entity)]
        when, where = f"f.{days}", ""
        if revenue.on is None:
            rows = self._fact_sql(table)
        else:
            rows = self._versioned_sql(table)
            on = f"f.{quoted(revenue.on)}"
            ends = ("f.as_of_on", on) if self.purpose == "target" else (on, "f.as_of_on")
            when = f"date_diff('day', {ends[0]}, {ends[1]})"
            where = f" WHERE {ends[0]} <= {ends[1]}"
        own = [f"f.{quoted(amount)}" for amount in revenue.amounts]
        base = [f"f.{quoted(a.removesuffix('_minor') + '_base_minor')}" for a in revenue.amounts]
        some = " OR ".join(f"{a} IS NOT NULL" for a in own)
        # A part of what a row brings is not what it brings.
        whole = " AND ".join(
            f"({a} IS NULL OR {b} IS NOT NULL)" for a, b in zip(own, base, strict=True)
        )

        def added(columns: Sequence[str]) -> str:
            return " + ".join(f"coalesce({column}, 0)" for column in columns)

        return (
            f"SELECT f.subject_id, f.as_of, f.as_of_on, {when} AS {days}, "
            f"{quoted_text(revenue.entity)} AS kind, {str(revenue.refund).lower()} AS refund, "
            f"CASE WHEN {some} THEN {added(own)} END AS amount_minor, "
            f"CASE WHEN ({some}) AND {whole} THEN {added(base)} END AS amount_base_minor "
            f"FROM ({rows}) f{where}"
        )

    # --- versions ---------------------------------------------------------------------------------

    def _versioned_sql(self, table: WarehouseTable) -> str:
        record = table.shape is Shape.RECORD
        owner = self._owner_of_record(table) if record else self._of_customer("v.id")
        known = f"v.valid_from < {self._as_of}"
        since = f"date_diff('day', v.valid_on, {self._as_of_on})"
        if table.has_timeless:
            since = f"CASE WHEN {known} THEN {since} END"
        listed = [
            f"{owner.subject} AS subject_id",
            f"{self._as_of} AS as_of",
            f"{self._as_of_on} AS as_of_on",
            f"{since} AS days_before",
            f"{owner.customer} AS customer_id",
            _shown("valid_from", known, always=not table.has_timeless),
        ]
        if record:
            listed += ["v.id", "v.owner_id" if table.owner else f"{_NO_ID} AS owner_id"]
        timeless = {c.name for c in table.fields if c.timeless}
        fields = self._fields(table)
        listed += [_shown(name, known, always=not timeless or name in timeless) for name in fields]
        listed += self._amounts(table, fields, known if timeless else "true")
        where = "" if table.has_timeless else f" WHERE {known}"
        return f"SELECT {', '.join(listed)} FROM {self._source(table, owner)}{where}"

    # --- one row of each --------------------------------------------------------------------------

    def _several(self, table: WarehouseTable) -> bool:
        """Whether a search among versions or revisions is needed at all."""
        if table is INTERACTION:
            others = {t.name for t in self.layout.tables.values() if t.shape is not Shape.FACT}
            return any(s.several for name, s in self.states.items() if name not in others)
        state = self.states.get(table.name)
        return state is not None and state.several

    def _source(self, table: WarehouseTable, owner: _Owner) -> str:
        """FROM: the visible version or revision of each row as ``v``, its owner as ``o``."""
        base = f"{BASE}{table.name}"
        relation = f" JOIN ({owner.relation}) o" if owner.relation else ""
        on = [f"o.key_ = {owner.link}"] if owner.relation and owner.link else []
        if not self._several(table):
            condition = f" ON {' AND '.join(on) or 'true'}" if relation else ""
            return f"{base} v{relation}{condition}"
        rows = f"({_filled(table)})" if table.shape.versioned else base
        latest = not table.shape.versioned and self.purpose == "target"
        if self._one or latest:
            chosen = _chosen(table, rows, "", self._as_of, latest)
            condition = f" ON {' AND '.join(on) or 'true'}" if relation else ""
            return f"({chosen}) v{relation}{condition}"
        # What is visible depends on the date, and whose it is on what is visible: first every date
        # at which somebody might see the row, then the row as it was, then whether it is theirs.
        link = owner.link.replace("v.", "k.")
        dates = (
            f"(SELECT DISTINCT k.{_key(table)} AS key__, o.as_of AS seen_at FROM {base} k"
            f"{relation} ON {f'o.key_ = {link}' if link else 'true'}) d"
        )
        chosen = _chosen(table, rows, dates, "d.seen_at", latest)
        on.append("o.as_of = v.seen_at")
        return f"({chosen}) v{relation} ON {' AND '.join(on)}"

    # --- outcomes ---------------------------------------------------------------------------------

    def _outcome_sql(self, table: WarehouseTable) -> str:
        relation = self._themselves()
        owner = _Owner("v.subject_id", relation, _NO_ID)
        target = self.purpose == "target"
        seen = f"v.as_of > {self._as_of}" if target else f"v.as_of <= {self._as_of}"
        days = (
            f"date_diff('day', {self._as_of_on}, v.as_of_on) AS days_after"
            if target
            else f"date_diff('day', v.as_of_on, {self._as_of_on}) AS days_before"
        )
        kept = [c.name for c in table.columns if c.name not in OUTCOME_KEYS]
        join = f" JOIN ({relation}) o ON o.key_ = v.subject_id" if relation else ""
        return (
            f"SELECT {owner.subject} AS subject_id, {self._as_of} AS as_of, "
            f"{self._as_of_on} AS as_of_on, {days}, v.as_of AS at, "
            f"{', '.join('v.' + name for name in kept)} FROM {BASE}{table.name} v{join} "
            f"WHERE v.subject_type = {quoted_text(self.subject)} AND {seen}"
        )


OUTCOME_KEYS = frozenset({"subject_type", "subject_id", "as_of", "as_of_on"})


def _key(table: WarehouseTable) -> str:
    return "id" if table.shape.versioned else "fact_id"


def _shown(name: str, known: str, *, always: bool) -> str:
    if always:
        return f"v.{quoted(name)}"
    return f"CASE WHEN {known} THEN v.{quoted(name)} END AS {quoted(name)}"


def _chosen(table: WarehouseTable, rows: str, dates: str, as_of: str, latest: bool) -> str:
    """One version or revision per key (and date in ``dates``).

    Args:
        latest: True takes the last revision whenever it occurred: afterwards a fact is what its
            last revision says.
    """
    key = f"b.{_key(table)}"
    join = f" JOIN {dates} ON d.key__ = {key}" if dates else ""
    partition = f"{key}, d.seen_at" if dates else key
    if table.shape.versioned:
        known = f"b.valid_from < {as_of}"
        order = (
            f"CASE WHEN {known} THEN 0 ELSE 1 END, "
            f"CASE WHEN {known} THEN -b.version ELSE b.version END"
        )
        where = ""
    else:
        order = "b.revision DESC"
        where = "" if latest else f" WHERE b.occurred_at < {as_of}"
    return (
        f"SELECT b.*{', d.seen_at' if dates else ''} FROM {rows} b{join}{where} "
        f"QUALIFY row_number() OVER (PARTITION BY {partition} ORDER BY {order}) = 1"
    )


def _filled(table: WarehouseTable) -> str:
    """Every version, with timeless fields filled from later versions."""
    listed = [quoted(c.name) for c in table.columns if not c.timeless]
    following = (
        "OVER (PARTITION BY id ORDER BY version ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"
    )
    listed += [
        f"first_value({quoted(c.name)} IGNORE NULLS) {following} AS {quoted(c.name)}"
        for c in table.columns
        if c.timeless
    ]
    return f"SELECT {', '.join(listed)} FROM {BASE}{table.name}"


def _instant(instant: datetime) -> str:
    return f"TIMESTAMP '{instant:%Y-%m-%d %H:%M:%S.%f}'"


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"
