"""What plugins hand in: frozen records that say what an industry adds.

Every ``name`` is owned: it reads ``<plugin>.<name>``. In analysis SQL the dot becomes an underscore
(``telecom.bill`` is the table ``telecom_bill``; the feature ``telecom.tenure_months`` is the column
``telecom_tenure_months`` of the table ``feature``; design D5). ``title_zh`` is the Chinese label.

Four kinds of SQL appear here, all in DuckDB's dialect within the portable subset that
``docs/reference/analysis-sql.md`` lists, one SELECT each:

================== ============================================================================
feature SQL        a table name means *the rows visible to each population row*: facts that
                   occurred before ``as_of``, customers and records as they stood at ``as_of``;
                   each row has ``subject_id, as_of, days_before`` (whole local days). Fields
                   declared ``known: outcome`` are not there. Returns ``subject_id, as_of`` and one
                   column per feature, at most one row per population row.
population SQL     the same tables, outcome fields included. Returns ``subject_id, as_of``.
target SQL         a fact table means the rows from ``as_of`` on, with ``days_after`` (1 is the day
                   after the as-of day). Returns ``subject_id, as_of, label`` (0, 1 or NULL);
                   population rows that it leaves out are labelled 0, rows labelled NULL (cannot be
                   told, or came too soon to be acted on) are neither learnt from nor tested on.
report SQL         the same tables as population SQL at one date, and ``feature``, ``outcome``,
                   ``stage_change``, ``population``; parameters are written ``$name``.
================== ============================================================================
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import ge, gt, in_

from .entities.fields import FieldSet, FieldType
from .entities.lifecycle import Lifecycle

if TYPE_CHECKING:
    from .entities.asof import AsOf
    from .learning import Training, Tuned
    from .workspace import Crm

CUSTOMER = "customer"


# Converters with the type of the items: mypy knows none behind a bare ``converter=tuple``.
def _texts(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


def _features(values: Iterable[Feature]) -> tuple[Feature, ...]:
    return tuple(values)


def _report_columns(values: Iterable[ReportColumn]) -> tuple[ReportColumn, ...]:
    return tuple(values)


def _parameters(values: Iterable[Parameter]) -> tuple[Parameter, ...]:
    return tuple(values)


def _charts(values: Iterable[Chart]) -> tuple[Chart, ...]:
    return tuple(values)


def _routes(values: Iterable[CaseRoute]) -> tuple[CaseRoute, ...]:
    return tuple(values)


def _clocks(values: Iterable[CaseClock]) -> tuple[CaseClock, ...]:
    return tuple(values)


def _files(values: Iterable[DemoFile]) -> tuple[DemoFile, ...]:
    return tuple(values)


def sql_name(name: str) -> str:
    """The name in analysis SQL of a public name: ``telecom.bill`` is ``telecom_bill``."""
    return name.replace(".", "_").replace("-", "_")


# --- data ---------------------------------------------------------------------------------------


@frozen
class CustomerFields:
    """Domain fields that a plugin adds to every customer: table ``<plugin>_customer``."""

    schema: Mapping[str, Any] = field(repr=False, hash=False)

    @cached_property
    def fields(self) -> FieldSet:
        """The parsed fields."""
        return FieldSet(self.schema)


# What kind of value a match key is: it decides how values are brought into one form and compared.
MATCH_KINDS = (
    "given_name", "family_name", "name", "date", "identifier", "code", "phone", "email", "address",
    "place",
)  # fmt: skip


@frozen(kw_only=True)
class MatchKey:
    """A value by which two customers may be found to be one.

    Args:
        name: ``telecom.msisdn``.
        field: where the value is: ``customer.name``; ``contact.phone`` or another kind of contact
            point; a customer field ``<plugin>.<field>``; or a field of a record type that customers
            own, ``<plugin>.<type>.<field>``, of which the first record counts.
        kind: one of MATCH_KINDS. An ``identifier`` is nearly unique (passport, loyalty number), a
            ``code`` is shared by many (postal code).
        title: names the value in the evidence: ``same <title>``.
    """

    name: str
    kind: str = field(validator=in_(MATCH_KINDS))
    field: str
    title: str
    title_zh: str = ""


@frozen(kw_only=True)
class RecordType:
    """A plugin's own entity: a real table with typed columns, a key, an owner and kept history.

    Args:
        name: ``telecom.subscription``.
        schema: JSON Schema of the fields.
        owner: ``customer``, a record type of the same plugin, or None for reference data (D8).
        lifecycle: name of the lifecycle that its rows go through, or None.
        append_only: whether a row, once filed, is never changed: the lines of a ledger, consents.
    """

    name: str
    schema: Mapping[str, Any] = field(repr=False, hash=False)
    owner: str | None = CUSTOMER
    lifecycle: str | None = None
    append_only: bool = False
    title: str = ""
    title_zh: str = ""

    @cached_property
    def fields(self) -> FieldSet:
        """The parsed fields."""
        return FieldSet(self.schema)


@frozen(kw_only=True)
class InteractionKind:
    """A kind of interaction with the schema of its payload.

    Args:
        name: ``telecom.bill``.
        schema: JSON Schema of the payload; its fields become typed columns in the warehouse.
        subject: record type that it is about, or None.
        anonymous: whether an interaction of this kind may have no customer (baskets).
    """

    name: str
    schema: Mapping[str, Any] = field(repr=False, hash=False)
    subject: str | None = None
    anonymous: bool = False
    title: str = ""
    title_zh: str = ""

    @cached_property
    def fields(self) -> FieldSet:
        """The parsed payload fields."""
        return FieldSet(self.schema)


@frozen(kw_only=True)
class ImportProfile:
    """An import profile that ships with a plugin: ``text`` is TOML (design D10).

    Args:
        tables: the CSV texts in which it looks values up, by the file names that it gives them.
    """

    name: str
    text: str = field(repr=False)
    title: str = ""
    tables: Mapping[str, str] = field(factory=dict, repr=False, hash=False)


@frozen(kw_only=True)
class Migration:
    """A change that the difference of declarations cannot express (a removal, a narrowing).

    Args:
        id: owned id, as ``telecom.0002-split-plan``; run once, in order of id.
        statements: SQL by dialect (``sqlite``, ``postgresql``); a dialect left out has none.
        loss: ``none``, ``lossy`` or ``destructive``: what cannot be got back afterwards.
        covers: the columns that the statements remove or narrow, as ``table.column``.
    """

    id: str
    statements: Mapping[str, Sequence[str]] = field(hash=False)
    loss: str = field(default="none", validator=in_(("none", "lossy", "destructive")))
    covers: tuple[str, ...] = ()


# --- analysis -----------------------------------------------------------------------------------


class Scope(enum.Enum):
    """Whether a feature looks at the subject's own rows only, or at the others too (D6)."""

    SUBJECT = "subject"
    POPULATION = "population"


@frozen(kw_only=True)
class Feature:
    """One column of a feature set.

    Args:
        name: ``telecom.tenure_months``.
        type: what the value is; money is given in minor units as INTEGER with unit ``USD-cent``.
        unit: ``month``, ``GB``, ``1`` for a pure number or share, None for text.
        missing: value for population rows that the SQL leaves out; None means missing.
        phrase: words for a reason, with ``{value}``; or a mapping from value (as text, ``true`` and
            ``false`` for booleans) to words. A value that the mapping leaves out gives no reason.
        special: codes of a number that are no quantities, with their words, as ``{-9: "no bureau
            record"}``; an estimator that cuts numbers into bins gives each a bin of its own.
    """

    name: str
    type: FieldType
    unit: str | None = None
    title: str = ""
    title_zh: str = ""
    description: str = ""
    missing: Any = None
    phrase: str | Mapping[str, str] = field(default="", hash=False)
    special: Mapping[float, str] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class FeatureSet:
    """Features that one statement computes together.

    Args:
        name: ``telecom.billing``.
        sql: feature SQL.
        window_days: oldest ``days_before`` that the statement needs; prunes files. None means all.
        source: where the definitions come from, a document or a practice; empty names the tables.
        owner: who answers for them, as a team or role; empty is the plugin.
    """

    name: str
    sql: str = field(repr=False)
    features: tuple[Feature, ...] = field(converter=_features)
    subject: str = CUSTOMER
    scope: Scope = Scope.SUBJECT
    window_days: int | None = None
    source: str = ""
    owner: str = ""


ESTIMATORS = ("logistic", "scorecard", "boosting")


@frozen(kw_only=True)
class Estimator:
    """A way to learn a score that a plugin brings, beside crmkit's own.

    Args:
        name: ``banking.points``; a score names it as its ``estimator``. It never competes unasked.
        tune: called with a :class:`crmkit.learning.Training`; returns a
            :class:`crmkit.learning.Tuned`, whose model is plain data and a sum, so that it can be
            read, said in SQL and recomputed later.
    """

    name: str
    tune: Callable[[Training], Tuned] = field(repr=False)
    title: str = ""


@frozen(kw_only=True)
class Profit:
    """What a campaign to the highest values earns: a retention offer that some accept.

    Args:
        value: what a customer who would have left and stays is worth, in units of the currency.
        offer: what the offer costs where it is accepted. contact: what one contact costs.
        accept: the Beta distribution of the share of leavers who accept, as (alpha, beta).

    The defaults are those of Verbraken, Verbeke & Baesens (2013, IEEE TKDE 25,
    10.1109/TKDE.2012.50): value 200, offer 10, contact 1, Beta(6, 14) with mean 0.3.
    """

    value: float = field(default=200.0, validator=gt(0.0))
    offer: float = field(default=10.0, validator=ge(0.0))
    contact: float = field(default=1.0, validator=ge(0.0))
    accept: tuple[float, float] = (6.0, 14.0)

    def __attrs_post_init__(self) -> None:
        if self.offer >= self.value:
            raise ValueError(f"an offer of {self.offer} is not worth a customer of {self.value}")


@frozen(kw_only=True)
class Score:
    """A probability learnt from the operator's own past.

    Args:
        name: ``telecom.churn``.
        features: names of the features that may be inputs; any subject-of-record columns declared
            ``known: outcome`` can never be (D13).
        population: population SQL: who is scored.
        target: target SQL: what happened to them afterwards.
        gap_days: days after as-of that are left to act, not counted by the target.
        horizon_days: days after as-of by which the outcome is known.
        moments: population SQL that returns ``subject_id, moment``: the instant (UTC) at which each
            subject is scored, as a booking or a hand-over. It is learnt from and tested on at these
            instants, and what happened in the very moment is seen. Its target leaves out nobody whose
            outcome cannot be told yet: their label is NULL. None takes month-ends.
        cross_section: population SQL that returns ``subject_id, as_of, label`` for data without
            time, used by ``--cv``; None if the score has no such form. With a column ``position``,
            the place of each row in the order of time, the latest 25 % can be tested on although no
            row has a date.
        estimator: one of ESTIMATORS, or an :class:`Estimator` of an enabled plugin by its name; None
            (default) lets ESTIMATORS compete at every training and takes the most readable that is
            no worse than the best by more than one standard error.
        protected: fields that none of the features may read, as ``banking.customer.gender``: they
            must not decide, and are kept to see whether the decisions are fair.
        vouched: inputs that rightly tell much by themselves, each with the reason why it is known
            before the outcome, as arrears that grow into a default. The leak alarm warns of them with
            that reason and does not stop; of all others it does.
        profit: what acting on the score earns, for the expected maximum profit; None without.
        limits: who may not be scored with it and what it must not be used for, for the model card.
        positive: words for the outcome, as ``leaves``.
    """

    name: str
    title: str = ""
    title_zh: str = ""
    subject: str = CUSTOMER
    features: tuple[str, ...] = field(converter=_texts)
    population: str = field(repr=False)
    target: str = field(repr=False)
    gap_days: int = 0
    horizon_days: int = 30
    moments: str | None = field(default=None, repr=False)
    cross_section: str | None = field(default=None, repr=False)
    estimator: str | None = None
    protected: tuple[str, ...] = field(default=(), converter=_texts)
    vouched: Mapping[str, str] = field(factory=dict, hash=False)
    profit: Profit | None = None
    limits: str = ""
    positive: str = "happens"
    description: str = ""

    @vouched.validator
    def _vouched_are_inputs(self, attribute: Any, value: Mapping[str, str]) -> None:
        strangers = sorted(set(value) - set(self.features))
        if strangers:
            raise ValueError(
                f"score {self.name} vouches for {', '.join(strangers)}, which is none of its features"
            )
        if not all(value.values()):
            raise ValueError(f"score {self.name}: give a reason for each input that is vouched for")


ACTIONS = ("propose_stage", "tag", "open_case", "list", "alert")


@frozen(kw_only=True)
class Rule:
    """When a condition holds for a subject, propose an action with its evidence in words.

    Args:
        name: ``telecom.bill-shock``.
        when: SQL condition over columns of the wide table of the subject: every feature by its SQL
            name, each score as ``score_<plugin>_<name>`` (probability) and
            ``band_<plugin>_<name>`` (decile, 1 is the highest), and ``stage_<lifecycle>``.
        action: one of ACTIONS; ``target`` says which stage, tag, list or case topic.
        message: words with ``{column}`` for the evidence, Python format style.
        evidence: columns kept with each firing; those in ``when`` and ``message`` are kept anyway.
        cooldown_days: days in which the rule does not fire again on the same subject.
        source: where the rule comes from.
    """

    name: str
    when: str = field(repr=False)
    action: str = field(validator=in_(ACTIONS))
    target: str = ""
    message: str = ""
    subject: str = CUSTOMER
    title: str = ""
    title_zh: str = ""
    evidence: tuple[str, ...] = field(default=(), converter=_texts)
    cooldown_days: int = 0
    source: str = ""


@frozen(kw_only=True)
class Segment:
    """A named group of subjects: ``where`` is a condition as in :class:`Rule`."""

    name: str
    where: str = field(repr=False)
    subject: str = CUSTOMER
    title: str = ""
    title_zh: str = ""
    description: str = ""


@frozen(kw_only=True)
class Parameter:
    """A parameter of a report, ``$name`` in its SQL, or of a command: ``--name`` or an argument.

    Text given by the user is parsed by ``type``.

    Args:
        default: the value where none is given.
        title: what it means, in a few words; the help of a command's option.
        choices: the only values allowed; None allows all.
        required: of a command: must be given.
        positional: of a command: an argument and no option, in the order of declaration.
        multiple: of a command: may be given several times; the value is a tuple.
    """

    name: str
    type: FieldType
    default: Any = None
    title: str = ""
    title_zh: str = ""
    unit: str | None = None
    choices: tuple[Any, ...] | None = None
    required: bool = False
    positional: bool = False
    multiple: bool = False


@frozen(kw_only=True)
class ReportColumn:
    """One column of a report.

    ``currency_minor`` marks an integer in minor units of the workspace's currency: it is shown as
    money under the name without ``_minor``. A column named ``customer_id`` is presented as ``ref``
    and, where the policy allows, ``name`` (D17).
    """

    name: str
    type: FieldType
    unit: str | None = None
    title: str = ""
    title_zh: str = ""
    currency_minor: bool = False


CHARTS = ("bar", "line", "step", "area", "point", "heat")


@frozen(kw_only=True)
class Chart:
    """A picture of a report: column names for x, y and colour.

    Args:
        kind: ``bar`` (x is a category, y a number), ``line``, ``step`` and ``area`` (y is a number),
            ``point``, or ``heat`` (x and y are categories, ``color`` a number).
        color: column that tells groups apart; None draws one.
        x_title: of the axis where the column's own title says too little, as ``Value``.
        horizontal: bars lie, with the categories one below the other.
        where: only rows with these values, by column name; a list allows several.
    """

    kind: str = field(validator=in_(CHARTS))
    x: str
    y: str
    color: str | None = None
    title: str = ""
    title_zh: str = ""
    x_title: str = ""
    x_title_zh: str = ""
    horizontal: bool = False
    where: Mapping[str, Any] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class Headline:
    """The one figure that stands for a report on an index page, under its column's title.

    Args:
        column: whose value it is.
        where: which row, by column name; empty is the first row.
        total: the sum over those rows, not the first of them.
    """

    column: str
    where: Mapping[str, Any] = field(factory=dict, hash=False)
    total: bool = False


@frozen(kw_only=True)
class Report:
    """A question with an answer in rows, asked at one as-of date.

    Args:
        name: ``telecom.churn-survival``.
        sql: report SQL.
        columns: every column that the SQL returns, in order.
        key: columns that identify a row and order the result (D18).
        order: columns to order by before the key, ``-name`` for descending.
        scores: scores that must have been run at the as-of date; the runner runs them if trained.
        headline: the figure for an index page; None is the number of rows.
        method, source, notes: how it is computed, where the method comes from, what to beware of.
    """

    name: str
    title: str
    title_zh: str = ""
    sql: str = field(repr=False)
    columns: tuple[ReportColumn, ...] = field(converter=_report_columns)
    key: tuple[str, ...] = field(converter=_texts)
    order: tuple[str, ...] = field(default=(), converter=_texts)
    parameters: tuple[Parameter, ...] = field(default=(), converter=_parameters)
    charts: tuple[Chart, ...] = field(default=(), converter=_charts)
    scores: tuple[str, ...] = field(default=(), converter=_texts)
    headline: Headline | None = None
    method: str = ""
    source: str = ""
    notes: str = ""


# --- work ---------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Service:
    """An object that a plugin offers to others and to embedding programs.

    Args:
        name: ``ledger.accounts``; :meth:`crmkit.workspace.Crm.service` returns it.
        make: called once with the open workspace, when the service is first asked for. Who uses
            it names the plugin in ``requires`` of its manifest.
    """

    name: str
    make: Callable[[Crm], Any]
    title: str = ""


@frozen(kw_only=True)
class Answer:
    """What a command found or did.

    Args:
        rows: dictionaries with the names of the command's columns; missing keys read None.
        remarks: what the reader should know, one sentence each; they go to stderr.
    """

    rows: Sequence[Mapping[str, Any]] = field(default=(), repr=False, hash=False)
    remarks: tuple[str, ...] = field(default=(), converter=_texts)


@frozen(kw_only=True)
class Command:
    """A verb that a plugin adds to the command line, and to :meth:`crmkit.workspace.Crm.run`.

    A command names its options, calls the plugin's own function and returns rows; crmkit presents
    them in every format, with names and masks by the policy.

    Args:
        name: ``<noun> <verb>``, as ``case open``, or a noun alone, as ``desk``. The noun stands in
            ``commands`` of the manifest, and is the plugin's alone.
        run: called with the workspace and every parameter by name; returns an :class:`Answer`.
        help: a verb sentence; after an empty line, what is read and written.
        example: a command line that shows its use.
        parameters: options and arguments.
        columns: of the rows, as in a report: ``customer_id`` is shown as ``ref`` and ``name``.
        as_of: whether ``--as-of`` is taken; ``run`` gets it as ``as_of``.
        writes: whether it changes the store. Then ``--dry-run`` runs it and takes its one
            transaction back.
        single: whether the answer is one row, shown field by field in a table.
    """

    name: str
    run: Callable[..., Answer]
    help: str = field(repr=False)
    example: str = ""
    parameters: tuple[Parameter, ...] = field(default=(), converter=_parameters)
    columns: tuple[ReportColumn, ...] = field(default=(), converter=_report_columns)
    as_of: bool = False
    writes: bool = False
    single: bool = False


# --- cases --------------------------------------------------------------------------------------

# What the verbs of ``crmkit case`` do to a case of a kind that says nothing else: the states that
# each may lead to, of which the first that is allowed from the state now is taken.
CASE_VERBS: Mapping[str, tuple[str, ...]] = {
    "acknowledge": ("acknowledged",),
    "assign": ("assigned",),
    "start": ("in_progress",),
    "wait": ("waiting_customer",),
    "answer": ("answered",),
    "escalate": ("escalated",),
    "dispute": ("disputed",),
    "resolve": ("resolved",),
    "close": ("closed", "closed_no_reply"),
    "reopen": ("reopened",),
    "merge": ("merged",),
    "discard": ("spam",),
}


@frozen(kw_only=True)
class CaseClock:
    """A promise of time on every case of a kind.

    Entering a state starts, stops, pauses or cancels it; leaving a pausing state for one that does
    not lets it run again. It is in time if it is stopped before its time is used up.

    Args:
        name: ``answer``; unique within the kind.
        starts: states that start it if it does not run, and anew once it has ended.
        stops: states that fulfil it, in time or late.
        pauses: states in which it stands.
        cancels: states that end it with no judgement (spam, merged into another case).
        targets: time by severity, as ``{"S1": "4 h", "S3": "3 working days", "": "24 h"}``; the
            empty severity is for those not named. Operators may replace them: record type
            ``service.target``.
        calendar: key of the ``service.calendar`` in whose time working hours and working days are
            counted; minutes and hours are wall-clock time whatever it says.
        renewed: telling the customer how things stand fulfils it and starts it anew.
        started_on, stopped_on: fields of the case that hold the instants from which the clock of an
            imported case is made; empty makes none.
    """

    name: str
    title: str = ""
    title_zh: str = ""
    starts: tuple[str, ...] = field(converter=_texts)
    stops: tuple[str, ...] = field(converter=_texts)
    pauses: tuple[str, ...] = field(default=(), converter=_texts)
    cancels: tuple[str, ...] = field(default=(), converter=_texts)
    targets: Mapping[str, str] = field(hash=False)
    calendar: str = "office"
    renewed: bool = False
    started_on: str = ""
    stopped_on: str = ""


@frozen(kw_only=True)
class CaseRoute:
    """Which department takes a case: empty means any; the route that names most things wins."""

    department: str
    topic: str = ""
    region: str = ""
    product: str = ""


@frozen(kw_only=True)
class CaseKind:
    """A kind of case: complaints, claims, recoveries; the built-in ``service`` keeps the cases.

    Args:
        name: ``delivery.claim``.
        lifecycle: a lifecycle of the same plugin whose subject is ``service.case``.
        clocks: the promises; the one that is due first orders the list of open cases.
        severities: from the gravest on; empty for a kind that knows none.
        severity: of a case that names none.
        severe: severities of which an open case stops selling to its customer.
        verbs: the states that a verb of ``crmkit case`` may lead to, where CASE_VERBS does not fit.
        implied: states that a later one implies: a case that is answered was acknowledged.
        routes: departments by topic, region and product; operators may add to them: record type
            ``service.route``.
        escalation_levels: how often a case can be escalated.
        reminders, no_reply_days: a waiting case is closed for want of a reply after so many
            reminders and days.
        silence_days: an answer that the customer does not contradict for so long counts as agreed.
        reopen_days: for so long after closing a case can be reopened.
        compensation_limit: above it a second person decides; decimal text in the workspace's
            currency. It and the four numbers before may be replaced: record type ``service.policy``.
        opened_by: interaction kinds from which ``case open --interaction`` makes such a case.
    """

    name: str
    title: str
    title_zh: str = ""
    lifecycle: str
    clocks: tuple[CaseClock, ...] = field(converter=_clocks)
    severities: tuple[str, ...] = field(default=(), converter=_texts)
    severity: str = ""
    severe: tuple[str, ...] = field(default=(), converter=_texts)
    verbs: Mapping[str, tuple[str, ...]] = field(factory=dict, hash=False)
    implied: tuple[str, ...] = field(default=(), converter=_texts)
    routes: tuple[CaseRoute, ...] = field(default=(), converter=_routes)
    escalation_levels: int = 3
    reminders: int = 3
    no_reply_days: int = 14
    silence_days: int = 7
    reopen_days: int = 30
    compensation_limit: str = "100"
    opened_by: tuple[str, ...] = field(default=(), converter=_texts)

    def states_of(self, verb: str) -> tuple[str, ...]:
        """The states that a verb may lead to; none for a verb that this kind does not know."""
        return tuple(self.verbs.get(verb, CASE_VERBS.get(verb, ())))


@frozen(kw_only=True)
class Ledger:
    """Balances of customers that change by entries only: points, credit, miles.

    Args:
        name: ``hotel.points``.
        unit: ``point``, ``mile``; of money the ISO 4217 code, and amounts are whole minor units.
        overdraft: whether a balance may go below zero.
        expires_after_months: what is earned can be spent for so many months, oldest first; None for
            ever. An entry may say another day.
        idle_months: the whole balance expires after so many months without earning or spending.
        source: where the rules come from.
    """

    name: str
    unit: str = "point"
    overdraft: bool = False
    expires_after_months: int | None = None
    idle_months: int | None = None
    title: str = ""
    title_zh: str = ""
    source: str = ""


@frozen(kw_only=True)
class Tier:
    """One step of a tier scheme.

    Args:
        name: ``gold``; unique in its scheme.
        enter: condition over the customer's wide table, as of a rule, that leads into the tier. Empty
            for the lowest tier, in which everybody is.
        keep: condition that is enough to stay, weaker than ``enter`` so that nobody goes up and down
            around one threshold (hysteresis); empty means ``enter``.
        benefits: what it gives, in words.
    """

    name: str
    enter: str = field(default="", repr=False)
    keep: str = field(default="", repr=False)
    title: str = ""
    title_zh: str = ""
    benefits: tuple[str, ...] = field(default=(), converter=_texts)


def _tiers(values: Iterable[Tier]) -> tuple[Tier, ...]:
    return tuple(values)


@frozen(kw_only=True)
class TierScheme:
    """Tiers of customers by thresholds or by shares, with soft ways down.

    A customer who fulfils the condition of a higher tier goes up at once, as many steps as it
    takes. One who no longer fulfils what keeps the tier is given grace, and then goes down.

    Args:
        name: ``hotel.club``.
        tiers: lowest first.
        grace_days: days in which a tier is kept although its condition no longer holds.
        soft_landing: whether a way down is one tier at a time; False goes at once to the tier whose
            condition holds.
        rest_days: days after a step down in which no further one is taken.
        population: condition that chooses who is in the scheme; empty is everybody.
        source: where the scheme comes from.
    """

    name: str
    tiers: tuple[Tier, ...] = field(converter=_tiers)
    grace_days: int = 0
    soft_landing: bool = True
    rest_days: int = 0
    population: str = field(default="", repr=False)
    title: str = ""
    title_zh: str = ""
    source: str = ""


# --- value --------------------------------------------------------------------------------------

COST_PER = ("interaction", "quantity", "amount")


@frozen(kw_only=True)
class CostDriver:
    """What an interaction of a kind costs us: one line of activity-based costing.

    Every driver is a part of the table ``activity_cost`` of analysis SQL; several may stand on one
    kind and add up. Operators may set another cost in their workspace, see ``crmkit value set-cost``.

    Args:
        name: ``telecom.hotline``.
        kind: interaction kind that causes the cost, as ``core.call``.
        channel: only interactions by this channel; None is any.
        per: ``interaction`` (each costs the same), ``quantity`` (by the number in the payload's
            ``field``, as minutes) or ``amount`` (a share of the interaction's amount, as a fee).
        field: the payload's number, with per ``quantity``.
        cost: decimal text: for one interaction or one unit of the field in the workspace's currency,
            or the share of the amount (``0.02``). None is not known until an operator sets it.
        source: where the figure comes from.
    """

    name: str
    kind: str
    channel: str | None = None
    per: str = field(default="interaction", validator=in_(COST_PER))
    field: str = ""
    cost: str | None = None
    title: str = ""
    title_zh: str = ""
    source: str = ""


# --- desk ---------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Panel:
    """What somebody who has a customer on the line should see: a part of ``crmkit desk``.

    Args:
        name: ``hotel.stays``.
        rows: called with the workspace and the ids of customers, those merged into them among them;
            returns rows with ``customer_id`` and the columns, the most important first. It is asked
            once for all of them, reads the store and not the warehouse, and is done in a few
            milliseconds.
        columns: what is shown of each row, in order.
        pii: PII class by column, where it is not ``none``; the policy masks by it.
        order: lower comes first.
    """

    name: str
    rows: Callable[[Crm, Sequence[int]], Iterable[Mapping[str, Any]]]
    columns: tuple[ReportColumn, ...] = field(converter=_report_columns)
    pii: Mapping[str, str] = field(factory=dict, hash=False)
    order: int = 100
    title: str = ""
    title_zh: str = ""


# --- privacy ------------------------------------------------------------------------------------


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
    values: tuple[str, ...] = field(converter=_texts)
    field: str
    refusals: str
    title: str = ""
    title_zh: str = ""


# --- demo ---------------------------------------------------------------------------------------


@frozen(kw_only=True)
class DemoFile:
    """A generated file and the profile that imports it, in import order."""

    path: Path
    profile: str


@frozen(kw_only=True)
class DemoData:
    """What a generator made: files to import, the day on which the demo stands, and its truth."""

    files: tuple[DemoFile, ...] = field(converter=_files)
    as_of: date
    train_until: date | None = None
    truth: Path | None = None


@frozen(kw_only=True)
class DemoCheck:
    """One comparison of the result with the generator's truth."""

    name: str
    passed: bool
    found: str
    expected: str


@frozen(kw_only=True)
class Demo:
    """A realistic workspace of one vertical, generated with a known truth.

    Args:
        name: the vertical, as ``telecom``.
        generate: called with folder, number of customers and seed; the same three give the same
            bytes.
        commands: the plugin's commands without parameters that are run after the import, in order;
            those that take one are given the demo's day as their as-of.
        scores: trained at ``train_until``, evaluated later, then run at ``as_of``.
        reports: shown in the terminal, in order; ``html`` names the one written as HTML.
        verify: called with the workspace and the data; returns the checks.
    """

    name: str
    title: str = ""
    generate: Callable[[Path, int, int], DemoData]
    commands: tuple[str, ...] = ()
    lifecycles: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    html: str | None = None
    verify: Callable[[Crm, DemoData], list[DemoCheck]] | None = None


# --- acting hooks: what goes in and comes out ---------------------------------------------------


@frozen(kw_only=True)
class Batch:
    """Rows on their way into the store, column by column.

    ``entity`` is ``customer``, ``<plugin>.customer``, a record type or an interaction kind.
    ``columns`` maps stored column names to equally long sequences; None is missing.
    """

    entity: str
    columns: Mapping[str, Sequence[Any]] = field(repr=False, hash=False)
    size: int


@frozen(kw_only=True)
class RowFault:
    """Why a row cannot be taken. ``row`` is its position in the batch, from 0."""

    row: int
    field: str
    value: Any
    message: str
    allowed: str = ""
    code: str = "E_PLUGIN_CHECK"


@frozen(kw_only=True)
class StageMove:
    """A move that was asked for: ``subject_id`` from ``from_stage`` (None at first) to ``to_stage``."""

    lifecycle: str
    subject_type: str
    subject_id: int
    from_stage: str | None
    to_stage: str
    reason: str = ""


@frozen(kw_only=True)
class StageVeto:
    """Why a move is not to be made; ``subject_id`` is that of the move."""

    subject_id: int
    reason: str


@frozen(kw_only=True)
class MergeConflict:
    """A field in which two customers that are to be merged differ, both having a value.

    ``kept_id`` is the customer that stays, ``merged_id`` the one that goes into it. ``entity`` is
    ``customer`` or ``<plugin>.customer``. Values are in Python's types, money as ``Money``.
    """

    kept_id: int
    merged_id: int
    entity: str
    field: str
    kept: Any
    merged: Any


@frozen(kw_only=True)
class MergeChoice:
    """Which value survives: ``conflict`` is the position in the batch, from 0."""

    conflict: int
    survivor: str = field(validator=in_(("kept", "merged")))


@frozen(kw_only=True)
class Firing:
    """A rule that fired on a subject, for whoever carries its action out.

    Args:
        rule: its name. version: names the text under which it fired.
        as_of: aware UTC instant up to which the rule looked. Rule, subject and as-of identify it.
        action: one of ACTIONS; ``target`` says which tag, list, case topic or stage.
        message: the words for a person. evidence: the columns that the rule rests on, by name.
    """

    rule: str
    version: str
    subject_type: str
    subject_id: int
    as_of: datetime
    action: str
    target: str
    message: str
    evidence: Mapping[str, Any] = field(factory=dict, hash=False, repr=False)


@frozen(kw_only=True)
class Scored:
    """Subjects that a score was run on, for whoever acts on the values.

    Args:
        score: its name. version: of the model that gave the values.
        subject_type: ``customer`` or a record type.
        as_of: what the run could see; with it the inputs can be asked for again.
        subjects: ids in order. values: the probability of each. inputs_hashes: of each one's inputs.
    """

    score: str
    version: int
    subject_type: str
    as_of: AsOf
    subjects: tuple[int, ...]
    values: tuple[float, ...]
    inputs_hashes: tuple[str, ...]


@frozen(kw_only=True)
class Served:
    """A firing that was carried out: ``firing`` is its position in the batch, from 0.

    ``result`` says what was made of it, as ``case 1042``; it is kept for good.
    """

    firing: int
    result: str = ""


@frozen(kw_only=True)
class Committed:
    """What one transaction changed: rows written per entity."""

    tx: int
    command: str
    source: str | None = None
    written: Mapping[str, int] = field(factory=dict, hash=False)


__all__ = [
    "ACTIONS",
    "CASE_VERBS",
    "CHARTS",
    "CUSTOMER",
    "ESTIMATORS",
    "MATCH_KINDS",
    "Answer",
    "Batch",
    "CaseClock",
    "CaseKind",
    "CaseRoute",
    "Chart",
    "Command",
    "Committed",
    "CustomerFields",
    "Demo",
    "DemoCheck",
    "DemoData",
    "DemoFile",
    "Estimator",
    "Feature",
    "FeatureSet",
    "Firing",
    "ImportProfile",
    "InteractionKind",
    "Ledger",
    "Lifecycle",
    "MatchKey",
    "MergeChoice",
    "MergeConflict",
    "Migration",
    "Parameter",
    "PrivacyGuard",
    "Profit",
    "RecordType",
    "Report",
    "ReportColumn",
    "RowFault",
    "Rule",
    "Scope",
    "Score",
    "Scored",
    "Segment",
    "Served",
    "Service",
    "StageMove",
    "StageVeto",
    "Tier",
    "TierScheme",
    "sql_name",
]
