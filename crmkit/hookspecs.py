"""The hooks: everything that a plugin can declare or act upon.

A plugin is a module (or object) whose functions are marked with :data:`hookimpl`. Implementations
take only the arguments they need, by name. Every implementation is called by itself, so a failing
plugin is named and set aside and the others go on (design D16). Order of plugins never matters.

*Declaring* hooks (``register_...``) are called once when a workspace opens, return a list of records
from :mod:`crmkit.declarations`, and must neither read files outside their package nor look at the
clock. Policy *collect*: a plugin that raises or declares nonsense is quarantined whole, because half
a plugin's fields are worse than none.

*Acting* hooks take batches, never single rows. ``crmkit plugin check`` calls each once with an empty
batch in an empty workspace, so an implementation takes a batch without rows. What they are handed is
immutable, and what they change in the process is named as a fault and put back
(``docs/explanation/plugin-faults.md``). Each says its policy:

========= =====================================================================================
veto      what it returns can stop rows or moves; if it raises, the operation stops (exit 7)
observe   it is told; whatever it does, the operation stands; a fault is recorded and reported
collect   what it did for the batch is undone if it raises; the other plugins go on (exit 7)
========= =====================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from .declarations import (
        Batch,
        CaseKind,
        Command,
        Committed,
        CostDriver,
        CustomerFields,
        Demo,
        Estimator,
        FeatureSet,
        Firing,
        ImportProfile,
        InteractionKind,
        Ledger,
        MatchKey,
        MergeChoice,
        MergeConflict,
        Migration,
        Panel,
        PrivacyGuard,
        RecordType,
        Report,
        RowFault,
        Rule,
        Score,
        Scored,
        Segment,
        Served,
        Service,
        StageMove,
        StageVeto,
        TierScheme,
    )
    from .entities.contact import ContactBatch, ContactBlock
    from .entities.lifecycle import Lifecycle
    from .hosting.catalog import Catalog
    from .store.store import Store, Tx
    from .workspace import Crm

hookspec = pluggy.HookspecMarker("crmkit")
hookimpl = pluggy.HookimplMarker("crmkit")

# --- declaring: data ------------------------------------------------------------------------------


@hookspec
def register_customer_fields() -> CustomerFields | None:
    """Domain fields that this industry adds to every customer.

    Called once when a workspace opens, and by ``crmkit plugin check``. The fields become the table
    ``<plugin>_customer`` and are named ``<plugin>.<field>`` in profiles, reports and the command
    line.

    Returns:
        One field set, or None for no fields. Ownership is by plugin name, so no two plugins
        can declare the same field.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_customer_fields():
            return CustomerFields({"type": "object", "properties": {
                "household_size": {"type": "integer", "minimum": 1, "unit": "person"}}})
    """


@hookspec
def register_record_types() -> list[RecordType]:
    """Entities of the industry's own: subscription, plan, stay, waybill, account.

    Called once when a workspace opens. Each becomes a table with history.

    Returns:
        Record types named ``<plugin>.<name>``. Two plugins that claim one name are both refused.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_record_types():
            return [RecordType(name="telecom.plan", owner=None, schema=PLAN)]
    """


@hookspec
def register_interaction_kinds() -> list[InteractionKind]:
    """Kinds of interaction, each with the schema of its payload.

    Called once when a workspace opens. Each kind becomes a table of the warehouse with one typed
    column per payload field beside the envelope (``occurred_at``, ``channel``, ...).

    Returns:
        Kinds named ``<plugin>.<name>``.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_interaction_kinds():
            return [InteractionKind(name="telecom.bill", schema=BILL)]
    """


@hookspec
def register_lifecycles() -> list[Lifecycle]:
    """Stages of customers or of record types, and the moves between them.

    Called once when a workspace opens. A customer lifecycle's stages each have one of the five core
    kinds; the core stage follows from them (design D9).

    Returns:
        Lifecycles named ``<plugin>.<name>``, each reaching an end from every stage.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_lifecycles():
            return [Lifecycle(name="telecom.subscriber", stages=STAGES, moves=MOVES)]
    """


@hookspec
def register_profiles() -> list[ImportProfile]:
    """Import profiles for the files of systems that this industry uses.

    Called once when a command needs profiles. A workspace's own profile of the same name wins.

    Returns:
        Profiles with names that read ``<system>`` or ``<system>-<table>``; names are shared by all
        plugins, and two plugins that claim one are both named in the refusal.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_profiles():
            return [ImportProfile(name="ibm-telco", text=resource_text(__name__, "profiles/x.toml"))]
    """


@hookspec
def register_match_keys() -> list[MatchKey]:
    """Values by which two customers may be found to be one: passport, loyalty number, msisdn.

    Called once when a workspace opens. ``crmkit customer duplicates`` looks for pairs that share
    one of them, or some of them together, and weighs how well all of them agree; see
    ``docs/explanation/matching.md``.

    Returns:
        Match keys named ``<plugin>.<name>`` over fields that the plugin itself declares, over
        the customer's name and over contact points.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_match_keys():
            return [MatchKey(name="telecom.msisdn", field="telecom.subscription.msisdn",
                             kind="phone", title="subscriber number")]
    """


@hookspec
def register_migrations() -> list[Migration]:
    """Schema changes that the difference of declarations cannot express.

    Called by ``crmkit db upgrade``. Added tables, columns and indexes need none. A removed field
    is retired unless a migration covers it: its values stay and can be read. Another type is refused
    unless one does.

    Returns:
        Migrations; each runs once per workspace, in order of id.

    If it raises: the upgrade stops and nothing is changed.

    Example::

        @hookimpl
        def register_migrations():
            return [Migration(id="telecom.0002-drop-fax", loss="destructive",
                              statements={"sqlite": ["alter table telecom_customer drop column fax"]},
                              covers=("telecom_customer.fax",))]
    """


# --- declaring: analysis --------------------------------------------------------------------------


@hookspec
def register_features() -> list[FeatureSet]:
    """Features: values per subject as of an instant, computed by SQL over the warehouse.

    Called once when an analysis command runs. A feature sees only what had happened before its
    as-of instant; the conformance suite appends later data and expects no change.

    Returns:
        Feature sets; every feature is named ``<plugin>.<name>``.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_features():
            return [FeatureSet(name="telecom.billing", sql=BILLING_SQL, window_days=120, features=[
                Feature(name="telecom.bill_shock_ratio", type=FieldType.NUMBER, unit="1")])]
    """


@hookspec
def register_scores() -> list[Score]:
    """Scores: calibrated probabilities trained at one date and evaluated at a later one.

    Called once when an analysis command runs.

    Returns:
        Scores named ``<plugin>.<name>`` over features of any enabled plugin.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_scores():
            return [Score(name="telecom.churn", features=INPUTS, population=ACTIVE, target=LEFT)]
    """


@hookspec
def register_estimators() -> list[Estimator]:
    """Ways to learn a score, beside crmkit's own.

    Called once when an analysis command runs; ``tune`` itself only when such a score is trained or
    evaluated, so it is the place to import a learning library.

    Returns:
        Estimators named ``<plugin>.<name>``; a score names one as its ``estimator``.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_estimators():
            return [Estimator(name="banking.points", title="Scorecard in points", tune=tune)]
    """


@hookspec
def register_rules() -> list[Rule]:
    """Rules: a condition over features, scores and stages, with an action and a message.

    Called once when an analysis command runs. All rules of a subject run in one pass.

    Returns:
        Rules named ``<plugin>.<name>``.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_rules():
            return [Rule(name="telecom.bill-shock", when="telecom_bill_shock_ratio >= 1.5",
                         action="list", target="proactive-call",
                         message="bill is {telecom_bill_shock_ratio:.1f} times the usual")]
    """


@hookspec
def register_segments() -> list[Segment]:
    """Segments: named groups of subjects by condition.

    Called once when an analysis command runs.

    Returns:
        Segments named ``<plugin>.<name>``.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_segments():
            return [Segment(name="telecom.heavy-data", where="telecom_data_gb_30d >= 30")]
    """


@hookspec
def register_reports() -> list[Report]:
    """Reports: SQL with parameters, typed columns, method, source and charts.

    Called once when an analysis command runs. A report must run on no customers and on one.

    Returns:
        Reports named ``<plugin>.<name>``.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_reports():
            return [Report(name="telecom.churn-survival", title="Survival by tenure", ...)]
    """


@hookspec
def register_demos() -> list[Demo]:
    """Demonstration worlds with a known truth, for ``crmkit demo``.

    Called once by ``crmkit demo``.

    Returns:
        Demos named as their vertical.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_demos():
            return [Demo(name="telecom", generate=demo.generate, verify=demo.verify)]
    """


# --- declaring: work ------------------------------------------------------------------------------


@hookspec
def register_commands() -> list[Command]:
    """Verbs that this plugin adds to the command line.

    Called once when one of the plugin's nouns is used, or ``crm.run()`` is called. The nouns stand
    in the manifest, so that ``crmkit --help`` shows them without importing the plugin.

    Returns:
        Commands named ``<noun> <verb>`` or ``<noun>``. Two plugins that claim one noun are both
        refused.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_commands():
            return [Command(name="loan renew", run=loans.renew, writes=True,
                            help="Renew a loan.", example="crmkit loan renew L-17",
                            parameters=[Parameter(name="loan", type=FieldType.TEXT, positional=True)],
                            columns=[ReportColumn(name="due_on", type=FieldType.DATE)])]
    """


@hookspec
def register_services() -> list[Service]:
    """Objects that other plugins and embedding programs may use through ``crm.service(name)``.

    Called once when the workspace opens; a service itself is made when it is first asked for.

    Returns:
        Services named ``<plugin>.<name>``.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_services():
            return [Service(name="library.loans", make=Loans, title="Loans and renewals")]
    """


@hookspec
def register_case_kinds() -> list[CaseKind]:
    """Kinds of case: complaints, claims, recoveries, each with its states, clocks and routes.

    Called once when the workspace opens. The built-in plugin ``service`` keeps the cases of every
    kind, runs their clocks and lists what is due; a plugin that declares one requires ``service``.

    Returns:
        Case kinds named ``<plugin>.<name>``, each with a lifecycle of the same plugin whose subject
        is ``service.case``.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_case_kinds():
            return [CaseKind(name="delivery.claim", title="Claim", lifecycle="delivery.claim",
                             clocks=[CaseClock(name="decide", starts=["submitted"],
                                               stops=["approved", "rejected"],
                                               pauses=["info_needed"],
                                               targets={"": "7 days"})])]
    """


@hookspec
def register_ledgers() -> list[Ledger]:
    """Ledgers that the built-in ``ledger`` keeps: points, miles, credit.

    Called once when the workspace opens. Who declares one names ``ledger`` in ``requires``.

    Returns:
        Ledgers named ``<plugin>.<name>``.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_ledgers():
            return [Ledger(name="hotel.points", unit="point", idle_months=24)]
    """


@hookspec
def register_tier_schemes() -> list[TierScheme]:
    """Tier schemes that the built-in ``ledger`` reviews.

    Called once when the workspace opens. Who declares one names ``ledger`` in ``requires``.

    Returns:
        Schemes named ``<plugin>.<name>``, over features of any enabled plugin.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_tier_schemes():
            return [TierScheme(name="hotel.club", grace_days=90, tiers=[
                Tier(name="member"),
                Tier(name="gold", enter="hotel_nights_365d >= 25", keep="hotel_nights_365d >= 20")])]
    """


@hookspec
def register_cost_drivers() -> list[CostDriver]:
    """What interactions cost, for contribution (activity-based costing).

    Called once when the workspace opens.

    Returns:
        Drivers named ``<plugin>.<name>``, on interaction kinds of the plugin itself, of the built-ins
        or of plugins that it requires. They fill the table ``activity_cost`` of analysis SQL, which
        the built-in ``value`` reads.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_cost_drivers():
            return [CostDriver(name="telecom.hotline", kind="core.call", channel="phone",
                               per="quantity", field="minutes", cost="0.42")]
    """


@hookspec
def register_panels() -> list[Panel]:
    """What this industry shows of a customer at the desk.

    Called once when the workspace opens; each panel's ``rows`` whenever customers are shown.

    Returns:
        Panels named ``<plugin>.<name>``.

    If it raises: the plugin is quarantined. A panel whose ``rows`` raises is named and left out.

    Example::

        @hookimpl
        def register_panels():
            return [Panel(name="hotel.stays", title="Stays", title_zh="入住", rows=open_stays,
                          columns=[ReportColumn(name="arrives_on", type=FieldType.DATE)])]
    """


@hookspec
def register_privacy_guards() -> list[PrivacyGuard]:
    """Customers of whom nobody may learn without a right, by a field of the plugin's own.

    Called once when the workspace opens. The policy asks the guards whenever customers are named,
    searched, listed, reported or exported.

    Returns:
        Guards named ``<plugin>.<name>``.

    If it raises: the plugin is quarantined.

    Example::

        @hookimpl
        def register_privacy_guards():
            return [PrivacyGuard(name="hotel.presence", field="privacy_level",
                                 values=["presence_secret"], refusals="hotel.presence_question")]
    """


# --- acting: intake -------------------------------------------------------------------------------


@hookspec
def check_rows(batch: Batch, catalog: Catalog) -> Sequence[RowFault]:
    """Refuses rows that a JSON Schema cannot judge: fields consistent together, check digits.

    Called before anything is written, after the schemas have been checked, and only for entities
    owned by the plugin: once per imported batch (10,000 rows by default) and entity, and once per
    write of a command, a service or a call from Python, which is a batch as well, mostly of one row.
    That one field may not precede another (``not_before``) needs no hook.

    Args:
        batch: the rows, column by column, in storage form (money in minor units, dates as
            ``date``, instants as UTC ``datetime``).
        catalog: what the enabled plugins declare.

    Returns:
        One fault per refused row. Of an import the whole source row goes to the rejects file with
        it; any other write is refused with E_VALUE. An empty sequence or None takes every row.

    Policy veto: if it raises, the import stops at the last committed batch with exit 7, and any other
    write changes nothing.

    Example::

        @hookimpl
        def check_rows(batch):
            if batch.entity == "telecom.contract":
                return [RowFault(row=i, field="ends_on", value=e, message="ends before it begins")
                        for i, (s, e) in enumerate(zip(batch.columns["starts_on"],
                                                       batch.columns["ends_on"])) if s and e and e < s]
    """


@hookspec
def settle_records(entity: str, ids: Sequence[int], store: Store, tx: Tx) -> None:
    """Completes records that an import has written by what follows from them.

    Called once per imported batch (10,000 rows by default) and record type, for the plugin that owns
    it, after all rows of the batch were written and in their transaction.

    Args:
        entity: the record type.
        ids: of the records that were created or changed, each once.
        store, tx: the store and the open write, to be passed on when the store is read or written.

    Returns:
        Nothing.

    Policy veto: if it raises, the import stops at the last committed batch with exit 7.

    Example::

        @hookimpl
        def settle_records(entity, ids, store, tx):
            if entity == "shop.order":
                rows = store.records.read(entity, ("source", "ref", "owner_id"), among={"id": ids}, tx=tx)
                for source, ref, owner in rows:
                    store.records.set(entity, source=source, ref=ref, owner_id=owner,
                                      values={"state": "received"}, tx=tx)
    """


@hookspec
def after_commit(committed: Committed) -> None:
    """Is told what a transaction has changed.

    Called once per transaction, after the commit, in the process that wrote.

    Args:
        committed: the transaction and how many rows of each entity it wrote.

    Policy observe: whatever it raises is recorded and reported; the data stand.

    Example::

        @hookimpl
        def after_commit(committed):
            log.info("%s rows of telecom.bill", committed.written.get("telecom.bill", 0))
    """


@hookspec
def choose_merged_values(conflicts: Sequence[MergeConflict]) -> Sequence[MergeChoice]:
    """Decides which of two values survives when two customers are merged.

    Called once per merge command and plugin, before anything is written, with the conflicts in the
    plugin's own customer fields; those in the customer's own columns go to the built-in ``core``.
    Fields in which only one side has a value take that one without asking, and fields declared
    ``stricter`` (consent, do not contact) take the stricter value whatever a plugin says.

    Args:
        conflicts: fields in which both sides have a value and differ, of one or many merges.

    Returns:
        One choice per conflict that the plugin decides; what it leaves out keeps the value of the
        customer that stays. An empty sequence or None leaves all.

    Policy veto: if it raises, nothing is merged (exit 7).

    Example::

        @hookimpl
        def choose_merged_values(conflicts):
            return [MergeChoice(conflict=i, survivor="merged") for i, c in enumerate(conflicts)
                    if c.field == "tier" and TIERS.index(c.merged) > TIERS.index(c.kept)]
    """


# --- acting: lifecycle ----------------------------------------------------------------------------


@hookspec
def before_stage_moves(moves: Sequence[StageMove]) -> Sequence[StageVeto]:
    """May refuse stage moves that the lifecycle itself allows.

    Called once per batch of moves, before they are written.

    Args:
        moves: allowed moves, in any order, of any lifecycle.

    Returns:
        One veto per move that must not be made; an empty sequence or None lets all pass. A vetoed
        move is reported with the plugin's name and reason; the others are made.

    Policy veto: if it raises, no move of the batch is made (exit 7).

    Example::

        @hookimpl
        def before_stage_moves(moves):
            return [StageVeto(subject_id=m.subject_id, reason="open fraud case")
                    for m in moves if m.to_stage == "left" and m.subject_id in FROZEN]
    """


# --- acting: rules --------------------------------------------------------------------------------


@hookspec
def serve_firings(firings: Sequence[Firing], store: Store, tx: Tx) -> Sequence[Served]:
    """Carries out what rules propose: opens cases, puts on lists, tags.

    Called once per run of the rules in batches of at most 10,000, after the firings have been kept,
    for each plugin by itself. A firing that the plugin has served is not handed to it again, however
    often the run is repeated: that is kept in the same transaction as what the plugin writes, so a
    kill between the two is none. One that it leaves out is handed in again with the next run for
    that as-of.

    Args:
        firings: of any rule and action, in order of rule and subject; take those whose action and
            target the plugin serves. Cool-downs have been kept already; a rule without one fires
            with every run, so look whether a case for it is open.
        store: the open store, for its services.
        tx: the open transaction. Write with ``tx=tx`` only: all of a batch stands, or none.

    Returns:
        One entry per firing that was carried out; an empty sequence or None serves none. A firing
        that no plugin serves is counted and kept.

    Policy collect: if it raises or names a firing that is not in the batch, its writes for the batch
    are undone and the fault is reported with the plugin's name; other plugins and batches go on
    (exit 7).

    Example::

        @hookimpl
        def serve_firings(firings, store, tx):
            mine = [i for i, f in enumerate(firings) if f.action == "tag"]
            store.interactions.log([note(firings[i]) for i in mine], tx=tx)
            return [Served(firing=i, result=firings[i].target) for i in mine]
    """


@hookspec
def serve_scores(crm: Crm, scored: Scored, tx: Tx) -> None:
    """Acts on values that a score has given: takes decisions, for example.

    Called in batches of at most 10,000 after ``crmkit score run`` and the daily cycle have kept a
    run, for each plugin by itself; not when a report or a rule only reads the score. A run may be
    repeated and is then handed in again, so look what was done for these inputs before.

    Args:
        crm: the open workspace; read the store with ``tx=tx``.
        scored: the subjects with their values, and the version of the model.
        tx: the open transaction. Write with ``tx=tx`` only: all of a batch stands, or none.

    Returns:
        Nothing; what was made of the values stands in the plugin's own records.

    Policy collect: if it raises, its writes for the batch are undone and the fault is reported with the
    plugin's name; other plugins and batches go on (exit 7).

    Example::

        @hookimpl
        def serve_scores(crm, scored, tx):
            if scored.score == "banking.application":
                decide(crm, scored, tx)
    """


# --- acting: contact ------------------------------------------------------------------------------


@hookspec
def block_contacts(crm: Crm, batch: ContactBatch) -> Sequence[ContactBlock]:
    """Says which customers must not be contacted for a time: trouble on their line, an open case.

    Called once per batch of customers (10,000 at most) whenever the contact policy is asked,
    inside the write that reserves the contacts if there is one.

    Args:
        crm: the open workspace; read the store with ``tx=batch.tx``.
        batch: the customers and the time asked for.

    Returns:
        Blocks that hold at some time in the batch; several of one customer all count. An empty
        sequence or None blocks nobody.

    Policy veto: if it raises, nobody is contacted (exit 7), because a block that is not known
    cannot be kept.

    Example::

        @hookimpl
        def block_contacts(crm, batch):
            found = crm.store.records.read("telecom.fault", ["owner_id", "began_at"],
                                           among={"owner_id": batch.customers}, tx=batch.tx)
            return [ContactBlock(customer_id=owner, code="network_trouble", since=began,
                                 until=began + timedelta(days=14),
                                 words="their network was disturbed within 14 days")
                    for owner, began in found]
    """
