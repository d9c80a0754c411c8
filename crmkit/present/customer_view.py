"""One customer seen whole (C1): a nested document for programs and lines for eyes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..entities.customer import Customer
from ..entities.fields import FieldSet
from ..entities.interaction import Interaction
from ..entities.record import Record
from ..policy import Viewer, masked
from .fitting import wrapped_lines
from .grid import Column, Grid
from .people import shown_ref
from .tables import plain_table, terminal_table
from .values import file_text, instant_text, printable

if TYPE_CHECKING:
    from ..declarations import Rule
    from ..entities.lifecycle import StageChange
    from ..hosting.catalog import Catalog
    from ..store.outcomes import Outcome
    from ..store.stages import Standing
    from ..store.store import Store

# What a rule asks for, most urgent first, in words.
ACTION_WORDS = {
    "alert": {"en": "alert {target}", "zh": "提醒 {target}"},
    "open_case": {"en": "open a case: {target}", "zh": "建立工单：{target}"},
    "list": {"en": "put on the list {target}", "zh": "列入名单 {target}"},
    "propose_stage": {"en": "move to the stage {target}", "zh": "转入阶段 {target}"},
    "tag": {"en": "tag as {target}", "zh": "标记为 {target}"},
}
View = dict[str, Any]


def build_view(
    store: Store,
    catalog: Catalog,
    viewer: Viewer,
    customer: Customer,
    *,
    timeline: int = 20,
    language: str = "en",
) -> View:
    """Everything known about a customer, as one document.

    Args:
        store: where it is read from; no snapshot is needed.
        catalog: titles and PII classes.
        viewer: whose rights decide which values are masked.
        timeline: at most so many interactions, latest first.
        language: of titles.

    Returns:
        ``ref, refs, kind, name, ...`` of the customer itself, then ``fields`` by plugin,
        ``records`` by type, ``stages``, ``scores``, ``segments``, ``rules``, ``next`` (what to do
        and why, most urgent first) and ``timeline``.
    """
    with store.one_state():
        members = store.customers.members([customer.id])
        records = store.records.list_for(customer.id, members=members)
        subjects = [customer.id, *(r.id for r in records)]
        outcomes = _outcomes(store, subjects)
        standings, changes = store.stages.standings(subjects), store.stages.histories(subjects)
        facts = (
            store.interactions.list_for(customer.id, limit=timeline, members=members)
            if timeline
            else []
        )
        known, ref = store.customers.fields(customer.id), shown_ref(store, customer)
    fired = [o for o in outcomes if o.kind == "rule"]
    return {
        "ref": ref,
        **_person(customer, viewer),
        "fields": _fields(catalog, viewer, known),
        "records": _records(catalog, viewer, records),
        "stages": _stages(catalog, customer, records, standings, changes, language),
        "scores": [_score(catalog, o, language) for o in outcomes if o.kind == "score"],
        "segments": [
            {
                "name": o.name,
                "title": _title(catalog.segments.get(o.name), language),
                "as_of": o.as_of,
            }
            for o in outcomes
            if o.kind == "segment"
        ],
        "rules": [_firing(catalog, o, language) for o in fired],
        "next": _next_steps(catalog, fired, language),
        "timeline": [_fact(catalog, viewer, fact, language) for fact in facts],
    }


def _person(customer: Customer, viewer: Viewer) -> View:
    return {
        "id": customer.id,
        "refs": [{"source": r.source, "ref": r.ref} for r in customer.refs],
        "kind": customer.kind,
        "name": masked(customer.name, "direct", viewer),
        "contact_points": [
            {"kind": p.kind, "value": masked(p.value, "direct", viewer), "label": p.label or None}
            for p in customer.contact_points
        ],
        **{
            key: getattr(customer, key)
            for key in ("locale", "time_zone", "region", "owner", "team")
        },
        "created_at": customer.created_at,
        "updated_at": customer.updated_at,
        "version": customer.version,
    }


def _fields(catalog: Catalog, viewer: Viewer, known: Mapping[str, Mapping[str, Any]]) -> View:
    return {
        plugin: _masked_values(declared.fields, known[plugin], viewer)
        for plugin, declared in catalog.customer_fields.items()
        if plugin in known
    }


def _masked_values(fields: FieldSet, values: Mapping[str, Any], viewer: Viewer) -> View:
    """Every declared field with its value, masked by its class; missing ones are None."""
    return {f.name: masked(values.get(f.name), f.pii, viewer) for f in fields.fields}


def _records(catalog: Catalog, viewer: Viewer, records: Sequence[Record]) -> View:
    out: dict[str, list[View]] = {}
    for record in records:
        declared = catalog.record_types[record.type]
        values = _masked_values(declared.fields, record.values, viewer)
        head = {"source": record.source, "ref": record.ref}
        out.setdefault(record.type, []).append({**head, **values})
    return out


def _stages(
    catalog: Catalog,
    customer: Customer,
    records: Sequence[Record],
    standings: Iterable[Standing],
    changes: Iterable[StageChange],
    language: str,
) -> list[View]:
    standing_of: dict[int, list[Standing]] = {}
    for standing in standings:
        standing_of.setdefault(standing.subject_id, []).append(standing)
    reasons = {(change.subject_id, change.lifecycle): change.reason for change in changes}
    out = []
    for subject, ref in [(customer.id, None), *((r.id, r.ref) for r in records)]:
        for standing in standing_of.get(subject, ()):
            lifecycle = catalog.lifecycles.get(standing.lifecycle)
            stages = {s.name: s for s in lifecycle.stages} if lifecycle else {}
            stage = stages.get(standing.stage)
            out.append(
                {
                    "lifecycle": standing.lifecycle,
                    "record": ref,
                    "stage": standing.stage,
                    "title": _title(stage, language),
                    "kind": stage.kind if stage else None,
                    "since": standing.since,
                    "reason": reasons.get((subject, standing.lifecycle)) or None,
                }
            )
    return out


def _outcomes(store: Store, subjects: Sequence[int]) -> list[Outcome]:
    """What was found of each subject, in their order."""
    place = {subject: n for n, subject in enumerate(subjects)}
    return sorted(store.outcomes.for_subjects(subjects), key=lambda o: place[o.subject_id])


def _score(catalog: Catalog, outcome: Outcome, language: str) -> View:
    declared = catalog.scores.get(outcome.name)
    return {
        "name": outcome.name,
        "title": _title(declared, language),
        "value": outcome.value,
        "band": outcome.band,
        "as_of": outcome.as_of,
        "reasons": list(outcome.reasons),
        "model_version": outcome.model_version,
    }


def _firing(catalog: Catalog, outcome: Outcome, language: str) -> View:
    rule = catalog.rules.get(outcome.name)
    return {
        "name": outcome.name,
        "title": _title(rule, language),
        "action": rule.action if rule else None,
        "target": (rule.target or None) if rule else None,
        "message": "; ".join(outcome.reasons) or None,
        "evidence": dict(outcome.evidence),
        "as_of": outcome.as_of,
    }


def _next_steps(catalog: Catalog, fired: Sequence[Outcome], language: str) -> list[View]:
    """What the rules that fired ask for, most urgent first, each with its reason."""
    order = list(ACTION_WORDS)
    steps = []
    for outcome in fired:
        rule = catalog.rules.get(outcome.name)
        if rule is None:  # its plugin has been disabled since the run
            continue
        why = "; ".join(outcome.reasons) or _title(rule, language)
        steps.append((order.index(rule.action), rule.name, _asked(rule, language), why))
    return [{"what": what, "why": why, "rule": rule} for _, rule, what, why in sorted(steps)]


def _asked(rule: Rule, language: str) -> str:
    words = ACTION_WORDS[rule.action]
    return words.get(language, words["en"]).format(target=rule.target or rule.name)


def _fact(catalog: Catalog, viewer: Viewer, fact: Interaction, language: str) -> View:
    kind = catalog.interaction_kinds.get(fact.kind)
    return {
        "occurred_at": fact.occurred_at,
        "kind": fact.kind,
        "title": _title(kind, language),
        "channel": fact.channel,
        "direction": fact.direction,
        "actor": fact.actor,
        "source": fact.source,
        "ref": fact.ref,
        "amount": None if fact.amount is None else str(fact.amount),
        "currency": None if fact.amount is None else fact.amount.currency,
        # Without its declaration nobody knows which of the payload's fields are secret.
        "payload": None if kind is None else _masked_values(kind.fields, fact.payload, viewer),
    }


def _title(declared: Any, language: str) -> str | None:
    """The title of a declaration in the reader's language, or None."""
    if declared is None:
        return None
    return ((declared.title_zh if language == "zh" else "") or declared.title) or None


# --- lines ----------------------------------------------------------------------------------------


Block = tuple[str, list[str]]


def view_lines(view: View, catalog: Catalog, width: int | None = None) -> Iterator[str]:
    """The view for eyes: a block of lines per part, parts that are empty left out.

    Args:
        catalog: the units of what is shown.
        width: of the terminal, in cells; None wraps nothing, for files and pipes.
    """
    for number, (title, lines) in enumerate(view_blocks(view, catalog, width)):
        laid = [*([""] if number else []), title, *(f"  {line}" for line in lines)]
        if width is None:
            yield from laid
        else:
            yield from (part for line in laid for part in wrapped_lines(line, width))


def view_blocks(view: View, catalog: Catalog, width: int | None = None) -> Iterator[Block]:
    """Heading and lines of each part that is not empty, the customer itself first.

    Args:
        catalog, width: as of :func:`view_lines`.
    """
    for title, lines in _blocks(view, catalog, width):
        if lines:
            yield printable(title), [printable(line) for line in lines]


def _blocks(view: View, catalog: Catalog, width: int | None) -> Iterator[Block]:
    yield _head(view)
    yield "What to do next", [f"{n['what']}: {n['why']}" for n in view["next"]]
    yield "Stages", [_stage_line(s) for s in view["stages"]]
    yield "Scores", [line for s in view["scores"] for line in _score_lines(s)]
    yield "Segments", [s["title"] or s["name"] for s in view["segments"]]
    for plugin, values in view["fields"].items():
        yield f"Fields of {plugin}", _pairs(values)
    for kind, records in view["records"].items():
        fields = catalog.record_types[kind].fields
        yield f"{kind} ({len(records)})", _table([_filled(r) for r in records], fields, width)
    yield "Timeline", [_fact_line(f) for f in view["timeline"]]


def _head(view: View) -> Block:
    refs = ", ".join(f"{r['source']}:{r['ref']}" for r in view["refs"])
    # A customer may have several numbers of one kind.
    points = [(p["label"] or p["kind"], p["value"]) for p in view["contact_points"]]
    lines = _aligned(
        [
            ("keys", refs),
            *points,
            *((key, view[key]) for key in ("region", "owner", "team", "locale", "time_zone")),
            ("filed", instant_text(view["created_at"].replace(microsecond=0))),
        ]
    )
    return f"{view['name'] or '(no name)'}, {view['kind']}, {view['ref']}", lines


def _pairs(values: Mapping[str, Any]) -> list[str]:
    """One aligned line per value that is there."""
    return _aligned(values.items())


def _aligned(values: Iterable[tuple[str, Any]]) -> list[str]:
    there = [(printable(k), _text(k, v)) for k, v in values if v is not None and v != ""]
    width = max((len(k) for k, _ in there), default=0)
    return [f"{k.ljust(width)}  {v}" for k, v in there]


def _filled(record: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in record.items() if v is not None}


def _table(rows: list[dict[str, Any]], fields: FieldSet, width: int | None) -> list[str]:
    names = dict.fromkeys(name for row in rows for name in row)
    grid = Grid.of(rows, [_column(name, fields) for name in names])
    if width is None:
        return list(plain_table(grid))
    return terminal_table(grid, width - 2, every_column=True)[0]


def _column(name: str, fields: FieldSet) -> Column:
    found = fields.by_name.get(name)
    return (
        Column(name=name) if found is None else Column(name=name, type=found.type, unit=found.unit)
    )


def _text(name: str, value: Any) -> str:
    return printable(file_text(name, value))


def _stage_line(stage: Mapping[str, Any]) -> str:
    name = stage["title"] or stage["stage"]
    of = f"{stage['lifecycle']}{' of ' + stage['record'] if stage['record'] else ''}"
    why = f" ({stage['reason']})" if stage["reason"] else ""
    return f"{of}: {name} since {stage['since'].date()}{why}"


def _score_lines(score: Mapping[str, Any]) -> Iterator[str]:
    value = "" if score["value"] is None else f" {score['value']:.1%}"
    band = "" if score["band"] is None else f", band {score['band']}"
    yield f"{score['title'] or score['name']}:{value}{band}, as of {instant_text(score['as_of'])}"
    yield from (f"- {reason}" for reason in score["reasons"])


def _fact_line(fact: Mapping[str, Any]) -> str:
    parts = [
        instant_text(fact["occurred_at"])[:16].replace("T", " "),
        fact["title"] or fact["kind"],
    ]
    if fact["channel"]:
        parts.append(fact["channel"])
    if fact["amount"] is not None:
        parts.append(f"{fact['amount']} {fact['currency']}")
    said = {k: v for k, v in (fact["payload"] or {}).items() if v is not None}
    parts += [f"{k}={_text(k, v)}" for k, v in said.items()]
    return "  ".join(parts)
