"""The core tables: what every workspace has, whichever plugins are enabled.

Ids are made by the program (design D2), so no column counts by itself. Every fact carries ``tx``,
the transaction that wrote it. There is no foreign key on ``tx``: the transaction row is written
last, inside the same commit, and checking it for every row of an import would buy nothing.

Instants are UTC without zone. ``interaction.payload`` is a JSON object of *stored columns* as
:attr:`crmkit.entities.FieldSet.columns` names them: money as whole ``<field>_minor`` (with
``<field>_currency`` unless the schema fixes it), dates ``YYYY-MM-DD``, instants
``YYYY-MM-DD HH:MM:SS.ffffff``, booleans and lists as JSON has them; missing fields are left out.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
)

from .types import Boolean, Date, Instant, Integer, Json, Number, Stored, Text

CUSTOMER_COLUMNS = (
    "kind", "name", "locale", "time_zone", "region", "owner", "team", "created_at", "updated_at",
    "version", "merged_into", "valid_from", "tx",
)  # fmt: skip


def needed(name: str, kind: type[Stored], *args: Any) -> Column[Any]:
    """A column that always has a value."""
    return Column(name, kind(), *args, nullable=False)


def optional(name: str, kind: type[Stored], *args: Any) -> Column[Any]:
    """A column that may be missing."""
    return Column(name, kind(), *args, nullable=True)


def key(name: str, kind: type[Stored] = Integer, *args: Any) -> Column[Any]:
    """A primary key column filled by the program."""
    return Column(name, kind(), *args, primary_key=True, autoincrement=False, nullable=False)


def table(name: str, metadata: MetaData, *parts: Any, rowid: bool = True) -> Table:
    """A table that is STRICT on SQLite.

    Args:
        name, metadata, parts: as for ``sqlalchemy.Table``.
        rowid: False keeps the rows in the primary key itself, for keys that are no single integer;
            otherwise SQLite would keep such a key twice.
    """
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=rowid)


def core_tables(metadata: MetaData) -> dict[str, Table]:
    """Makes every core table in ``metadata``, in an order that satisfies the foreign keys."""
    made = [
        *_transactions(metadata),
        *_customers(metadata),
        *_matching(metadata),
        *_facts(metadata),
        *_outcomes(metadata),
        *_imports(metadata),
        *_ownership(metadata),
        *_documents(metadata),
        *_schema(metadata),
    ]
    return {t.name: t for t in made}


def _transactions(metadata: MetaData) -> list[Table]:
    tx = table(
        "tx", metadata, key("id"), needed("at", Instant), needed("actor", Text),
        needed("command", Text), optional("source", Text), optional("first_id", Integer),
        optional("last_id", Integer),
    )  # fmt: skip
    # A writer number is leased by a token; `last_ms` is what its next holder starts after (D2).
    writer = table(
        "writer", metadata, key("number"), optional("token", Text), needed("last_ms", Integer),
        needed("leased_at", Instant),
    )  # fmt: skip
    return [tx, writer]


def _customer_columns() -> list[Column[Any]]:
    return [
        needed("kind", Text), optional("name", Text), optional("locale", Text),
        optional("time_zone", Text), optional("region", Text), optional("owner", Text),
        optional("team", Text), needed("created_at", Instant), needed("updated_at", Instant),
    ]  # fmt: skip


def _only_where(metadata: MetaData, condition: ColumnElement[bool]) -> dict[str, Any]:
    """The condition of a partial index, for the dialect of the metadata alone.

    Naming both dialects would import PostgreSQL's for every command on SQLite, which takes longer
    than many of these commands do.
    """
    return {f"{metadata.info['dialect']}_where": condition}


def _customers(metadata: MetaData) -> list[Table]:
    customer = table(
        "customer", metadata, key("id"), *_customer_columns(), needed("version", Integer),
        optional("merged_into", Integer, ForeignKey("customer.id")),
        needed("valid_from", Instant), needed("tx", Integer),
    )  # fmt: skip
    merged = customer.c.merged_into.is_not(None)
    Index(
        "ix_customer_merged_into",
        customer.c.merged_into,
        **_only_where(metadata, merged),
    )
    Index("ix_customer_tx", customer.c.tx)
    history = table(
        "customer_history", metadata, key("id"), *_customer_columns(), key("version"),
        optional("merged_into", Integer), needed("valid_from", Instant), needed("tx", Integer),
        needed("valid_to", Instant), needed("closed_tx", Integer), rowid=False,
    )  # fmt: skip
    Index("ix_customer_history_closed_tx", history.c.closed_tx)
    ref = table(
        "customer_ref", metadata, needed("source", Text), needed("ref", Text),
        needed("customer_id", Integer, ForeignKey("customer.id")), needed("tx", Integer),
        PrimaryKeyConstraint("source", "ref"), rowid=False,
    )  # fmt: skip
    Index("ix_customer_ref_ref", ref.c.ref)
    Index("ix_customer_ref_customer_id", ref.c.customer_id)
    contact = table(
        "contact_point", metadata, key("id"),
        needed("customer_id", Integer, ForeignKey("customer.id")), needed("kind", Text),
        needed("value", Text), needed("label", Text), needed("position", Integer),
        optional("address_key", Text), needed("tx", Integer),
    )  # fmt: skip
    Index("ix_contact_point_customer_id", contact.c.customer_id)
    Index("ix_contact_point_value", contact.c.value)
    # By what several contact points of one address have in common (crmkit.entities.address).
    Index("ix_contact_point_address_key", contact.c.address_key)
    # What was changed or removed, so that an import can be reverted and told what it said before.
    past_contact = table(
        "contact_point_history", metadata, key("id"), needed("customer_id", Integer),
        needed("kind", Text), needed("value", Text), needed("label", Text),
        needed("position", Integer), optional("address_key", Text), needed("tx", Integer),
        key("closed_tx"), rowid=False,
    )  # fmt: skip
    Index("ix_contact_point_history_closed_tx", past_contact.c.closed_tx)
    Index("ix_contact_point_history_customer_id", past_contact.c.customer_id)
    relation = table(
        "relation", metadata, key("id"),
        needed("customer_id", Integer, ForeignKey("customer.id")),
        needed("related_id", Integer, ForeignKey("customer.id")), needed("role", Text),
        optional("valid_from", Date), optional("valid_to", Date), needed("tx", Integer),
    )  # fmt: skip
    Index("ix_relation_customer_id", relation.c.customer_id)
    Index("ix_relation_related_id", relation.c.related_id)
    return [customer, history, ref, contact, past_contact, relation]


def _matching(metadata: MetaData) -> list[Table]:
    # What somebody said of a pair; the lower id stands first.
    decision = table(
        "duplicate_decision", metadata,
        needed("a_id", Integer, ForeignKey("customer.id")),
        needed("b_id", Integer, ForeignKey("customer.id")), needed("decision", Text),
        optional("reason", Text), needed("tx", Integer), PrimaryKeyConstraint("a_id", "b_id"),
        rowid=False,
    )  # fmt: skip
    # One row per merge: what it changed in the customer that stayed, so that it can be undone.
    merge = table(
        "customer_merge", metadata, key("id"),
        needed("kept_id", Integer, ForeignKey("customer.id")),
        needed("merged_id", Integer, ForeignKey("customer.id")), needed("changes", Json),
        needed("tx", Integer), optional("undone_tx", Integer),
    )  # fmt: skip
    Index("ix_customer_merge_kept_id", merge.c.kept_id)
    Index("ix_customer_merge_merged_id", merge.c.merged_id)
    Index("ix_customer_merge_tx", merge.c.tx)
    return [decision, merge]


def _facts(metadata: MetaData) -> list[Table]:
    interaction = table(
        "interaction", metadata, key("id"), needed("kind", Text),
        optional("customer_id", Integer, ForeignKey("customer.id")), optional("channel", Text),
        needed("direction", Text), needed("occurred_at", Instant), needed("occurred_on", Date),
        needed("recorded_at", Instant), optional("actor", Text), needed("source", Text),
        needed("ref", Text), needed("revision", Integer), optional("amount_minor", Integer),
        optional("currency", Text), optional("subject_type", Text),
        optional("subject_id", Integer), needed("payload", Json), needed("tx", Integer),
    )  # fmt: skip
    c = interaction.c
    Index("uq_interaction_key", c.kind, c.source, c.ref, c.revision, unique=True)
    Index("ix_interaction_customer_id", c.customer_id, c.occurred_at)
    about = c.subject_id.is_not(None)
    Index("ix_interaction_subject_id", c.subject_id, **_only_where(metadata, about))
    stage = table(
        "stage", metadata, needed("lifecycle", Text), needed("subject_type", Text),
        needed("subject_id", Integer), needed("stage", Text), needed("since", Instant),
        needed("tx", Integer), PrimaryKeyConstraint("lifecycle", "subject_id"), rowid=False,
    )  # fmt: skip
    Index("ix_stage_subject_id", stage.c.subject_id)
    change = table(
        "stage_change", metadata, key("id"), needed("lifecycle", Text),
        needed("subject_type", Text), needed("subject_id", Integer), optional("from_stage", Text),
        needed("to_stage", Text), needed("at", Instant), needed("changed_on", Date),
        needed("reason", Text), optional("rule", Text), optional("actor", Text),
        needed("tx", Integer),
    )  # fmt: skip
    Index("ix_stage_change_subject_id", change.c.subject_id)
    return [interaction, stage, change]


def _outcomes(metadata: MetaData) -> list[Table]:
    outcome = table(
        "outcome", metadata, needed("name", Text), needed("subject_type", Text),
        needed("subject_id", Integer), needed("kind", Text), needed("as_of", Instant),
        needed("run", Text), optional("value", Number), optional("band", Integer),
        optional("reasons", Json), optional("evidence", Json), optional("model_version", Text),
        optional("inputs_hash", Text), needed("tx", Integer),
        PrimaryKeyConstraint("name", "subject_id"), rowid=False,
    )  # fmt: skip
    Index("ix_outcome_subject_id", outcome.c.subject_id)
    # What plugins made of firings. Append-only; it keeps a repeated run from doing a thing twice.
    served = table(
        "firing_served", metadata, needed("as_of", Instant), needed("plugin", Text),
        needed("rule", Text), needed("subject_id", Integer), needed("subject_type", Text),
        needed("version", Text), needed("action", Text), needed("target", Text),
        needed("message", Text), needed("result", Text), needed("tx", Integer),
        PrimaryKeyConstraint("as_of", "plugin", "rule", "subject_id"), rowid=False,
    )  # fmt: skip
    Index("ix_firing_served_subject_id", served.c.subject_id)
    return [outcome, served]


def _imports(metadata: MetaData) -> list[Table]:
    counts = [needed(n, Integer) for n in ("read", "created", "updated", "unchanged", "rejected")]
    run = table(
        "import_run", metadata, key("id"), needed("file_name", Text), needed("file_hash", Text),
        needed("profile", Text), needed("profile_hash", Text), needed("source", Text),
        needed("status", Text), needed("next_line", Integer), *counts,
        needed("started_at", Instant), optional("finished_at", Instant),
        optional("seconds", Number), optional("rejects_file", Text),
        optional("rejects_of", Integer, ForeignKey("import_run.id")),
    )  # fmt: skip
    Index("ix_import_run_file_hash", run.c.file_hash)
    reject = table(
        "import_reject", metadata, key("id"),
        needed("import_id", Integer, ForeignKey("import_run.id")), needed("line", Integer),
        needed("code", Text), optional("field", Text), optional("value", Text),
        optional("allowed", Text), needed("message", Text), needed("row", Json),
    )  # fmt: skip
    Index("ix_import_reject_import_id", reject.c.import_id, reject.c.line)
    return [run, reject]


def _ownership(metadata: MetaData) -> list[Table]:
    # Who left or came back, and when; the last change up to a day says how an agent stands then.
    agent = table(
        "agent_change", metadata, key("id"), needed("agent", Text), needed("change", Text),
        needed("changed_on", Date), optional("reason", Text), needed("tx", Integer),
    )  # fmt: skip
    Index("ix_agent_change_agent", agent.c.agent)
    # Append-only. `owner_id` is the customer, as in every table of things that customers have.
    assignment = table(
        "assignment", metadata, key("id"),
        needed("owner_id", Integer, ForeignKey("customer.id")), needed("line", Text),
        optional("from_agent", Text), optional("to_agent", Text), needed("reason", Text),
        needed("rule", Text), needed("orphaned", Boolean), needed("assigned_on", Date),
        needed("actor", Text), needed("version", Integer), needed("valid_from", Instant),
        needed("tx", Integer),
    )  # fmt: skip
    Index("ix_assignment_owner_id", assignment.c.owner_id)
    Index("ix_assignment_line", assignment.c.line)
    Index("ix_assignment_tx", assignment.c.tx)
    claim = table(
        "claim", metadata, key("id"), needed("customer_id", Integer, ForeignKey("customer.id")),
        needed("line", Text), needed("agent", Text), needed("claimed_on", Date),
        optional("evidence", Text), needed("status", Text), optional("rule", Text),
        optional("decision", Text), optional("decided_by", Text), optional("decided_at", Instant),
        needed("tx", Integer),
    )  # fmt: skip
    Index("ix_claim_customer_id", claim.c.customer_id)
    return [agent, assignment, claim]


def _documents(metadata: MetaData) -> list[Table]:
    def columns() -> list[Column[Any]]:
        return [
            optional("record_type", Text), optional("record_id", Integer), needed("type", Text),
            optional("expires_on", Date), needed("removed", Boolean), needed("file_name", Text),
            needed("media_type", Text), needed("size", Integer), needed("sha256", Text),
        ]  # fmt: skip

    # `owner_id` is the customer; of a record, the one that it belongs to when it is attached.
    document = table(
        "document", metadata, key("id"), optional("owner_id", Integer, ForeignKey("customer.id")),
        *columns(), needed("version", Integer), needed("valid_from", Instant),
        needed("tx", Integer),
    )  # fmt: skip
    Index("ix_document_owner_id", document.c.owner_id)
    Index("ix_document_sha256", document.c.sha256)
    Index("ix_document_tx", document.c.tx)
    history = table(
        "document_history", metadata, key("id"), optional("owner_id", Integer), *columns(),
        key("version"), needed("valid_from", Instant), needed("tx", Integer),
        needed("valid_to", Instant), needed("closed_tx", Integer), rowid=False,
    )  # fmt: skip
    Index("ix_document_history_closed_tx", history.c.closed_tx)
    return [document, history]


def _schema(metadata: MetaData) -> list[Table]:
    declaration = table(
        "declaration", metadata, needed("plugin", Text), needed("entity", Text),
        needed("declared", Json), needed("plugin_version", Text), needed("tx", Integer),
        PrimaryKeyConstraint("plugin", "entity"), rowid=False,
    )  # fmt: skip
    done = table(
        "migration_done", metadata, key("id", Text), needed("plugin", Text),
        needed("tx", Integer), rowid=False,
    )  # fmt: skip
    # One row; `crmkit.toml` says the same, so that neither is replaced unseen.
    workspace = table(
        "workspace", metadata, key("id", Text), needed("currency", Text), needed("tx", Integer),
        rowid=False,
    )  # fmt: skip
    return [declaration, done, workspace]
