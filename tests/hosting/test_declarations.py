"""Each way in which a declaration can be unsound is said in words, with its name."""

from __future__ import annotations

import pytest

from crmkit.declarations import (
    CaseClock,
    CaseKind,
    Chart,
    CustomerFields,
    Feature,
    FeatureSet,
    ImportProfile,
    InteractionKind,
    Migration,
    Parameter,
    PrivacyGuard,
    RecordType,
    Report,
    ReportColumn,
    Rule,
    Score,
    Segment,
)
from crmkit.entities import FieldType, Lifecycle, Stage
from crmkit.hosting.declared import Declared
from crmkit.hosting.ownership import name_faults, tables
from crmkit.hosting.schemas import schema_faults
from crmkit.hosting.soundness import declaration_faults

CLAIM = Lifecycle(
    name="x.claim",
    subject="service.case",
    stages=[Stage("filed", "open"), Stage("paid", "done")],
    moves=[("filed", "paid")],
)


def claim(clock=(), **values):
    decide = {"name": "decide", "starts": ["filed"], "stops": ["paid"], "targets": {"": "7 days"}}
    kept = {"name": "x.claim", "title": "Claim", "lifecycle": "x.claim"}
    return {
        "case_kinds": [CaseKind(**{**kept, "clocks": [CaseClock(**{**decide, **dict(clock)})], **values})],
        "lifecycles": [CLAIM],
    }  # fmt: skip


def schema(**properties):
    return {"type": "object", "properties": properties}


def record(name="x.plan", **values):
    return RecordType(name=name, **{"schema": schema(), "owner": None, **values})


def kind(name="x.visit", **properties):
    return InteractionKind(name=name, schema=schema(**properties))


def feature(name="x.f", **values):
    return Feature(name=name, type=FieldType.NUMBER, **values)


def features(*members, **values):
    return FeatureSet(**{"name": "x.set", "sql": "select 1", "features": members, **values})


def score(**values):
    return Score(**{"name": "x.s", "features": ["x.f"], "population": "p", "target": "t", **values})


def rule(**values):
    return Rule(**{"name": "x.r", "when": "x_f > 1", "action": "alert", **values})


def report(**values):
    columns = [ReportColumn(name="n", type=FieldType.INTEGER)]
    return Report(
        **{"name": "x.rep", "title": "R", "sql": "s", "columns": columns, "key": ["n"], **values}
    )


def declared(**kinds):
    return Declared(
        plugin="x",
        customer_fields=kinds.pop("customer_fields", None),
        lists={name: tuple(records) for name, records in kinds.items()},
    )


INTEGER = {"type": "integer"}
ENDLESS = Lifecycle(
    name="x.l", stages=[Stage("a", "prospect"), Stage("b", "termination")], moves=[("b", "a")]
)

UNSOUND = [
    (
        {"record_types": [record(schema=schema(n=INTEGER), revenue=("n",), revenue_on="n")]},
        "record type x.plan: revenue names 'n', which is not an amount (none)",
    ),
    (
        {"customer_fields": CustomerFields(schema(fee={"type": "object"}))},
        "customer fields: field 'fee' has no column type",
    ),
    (
        {"customer_fields": CustomerFields(schema(valid_from=INTEGER))},
        "customer fields: field 'valid_from': crmkit itself adds the column 'valid_from'; rename it",
    ),
    (
        {"record_types": [record(schema=schema(ref=INTEGER))]},
        "record type x.plan: field 'ref': crmkit itself adds the column 'ref'; rename it",
    ),
    (
        {"interaction_kinds": [kind(amount={"type": "string", "format": "money"})]},
        "interaction kind x.visit: field 'amount': crmkit itself adds the column 'amount_minor'; rename it",
    ),
    (
        {"record_types": [record(schema=[])]},
        "record type x.plan: its schema is a list, not a JSON object",
    ),
    (
        {"record_types": [record(owner="x.branch")]},
        "record type x.plan: owner 'x.branch' is not 'customer', None or a record type of this plugin (x.plan)",
    ),
    (
        {"record_types": [record(owner="x.b"), record("x.b", owner="x.plan")]},
        "record type x.plan: is owned by itself: x.plan → x.b → x.plan",
    ),
    ({"rules": [rule(title=None)]}, "rule x.r: title is None, not str"),
    ({"record_types": [record(lifecycle=5)]}, "record type x.plan: lifecycle is 5, not str | None"),
    ({"scores": [score(horizon_days=True)]}, "score x.s: horizon_days is True, not int"),
    ({"scores": [score(features=["x.f", None])]}, "score x.s: features holds None, which is no text"),
    ({"feature_sets": [features(feature(unit=1))]}, "feature x.f: unit is 1, not str | None"),
    (
        {"reports": [report(columns=[ReportColumn(name="n", type=FieldType.TEXT, title=3)])]},
        "report x.rep: columns: title is 3, not str",
    ),
    (
        {"lifecycles": [Lifecycle(name="x.l", stages=[Stage("a", "prospect", None)], moves=[])]},
        "lifecycle x.l: stages: title is None, not str",
    ),
    ({"lifecycles": [ENDLESS]}, "lifecycle x.l: stage 'a' reaches no end"),
    ({"lifecycles": [Lifecycle(name="x.l", stages=[], moves=[])]}, "lifecycle x.l: has no stage"),
    ({"feature_sets": [features()]}, "feature set x.set: has no feature"),
    (
        {"feature_sets": [features(feature(), window_days=0)]},
        "feature set x.set: window_days is 0, not at least 1",
    ),
    (
        {"feature_sets": [features(feature(phrase="{months} old"))]},
        "feature set x.set: feature x.f: phrase '{months} old' names {months}, not {value}",
    ),
    (
        {"feature_sets": [features(feature(phrase={"true": "is {"}))]},
        "feature set x.set: feature x.f: phrase 'is {' is no format: Single '{' encountered in format string",
    ),
    ({"scores": [score(features=[])]}, "score x.s: has no feature as input"),
    (
        {"scores": [score(gap_days=30, horizon_days=30)]},
        "score x.s: horizon_days (30) must be after gap_days (30), and gap_days 0 or more",
    ),
    ({"scores": [score(features=["x.f", "x.f"])]}, "score x.s: names the feature 'x.f' twice"),
    ({"rules": [rule(when=" ")]}, "rule x.r: has an empty condition"),
    ({"rules": [rule(cooldown_days=-1)]}, "rule x.r: cooldown_days is -1, not 0 or more"),
    ({"rules": [rule(action="tag")]}, "rule x.r: action 'tag' needs a target"),
    (
        {"rules": [rule(message="{a.b}")]},
        "rule x.r: message '{a.b}' names {a.b}, which is no column name",
    ),
    ({"reports": [report(key=[])]}, "report x.rep: has no key: name the columns that identify a row"),
    ({"reports": [report(key=["m"])]}, "report x.rep: key names 'm', which is no column (n)"),
    (
        {"reports": [report(order=["-m"])]},
        "report x.rep: order names 'm', which is no column (n)",
    ),
    (
        {"reports": [report(charts=[Chart(kind="bar", x="n", y="m")])]},
        "report x.rep: chart names 'm', which is no column (n)",
    ),
    (
        {"reports": [report(parameters=[Parameter(name="A", type=FieldType.TEXT)])]},
        "report x.rep: parameter 'A' does not match [a-z][a-z0-9_]*",
    ),
    (
        {"reports": [report(parameters=[Parameter(name="a", type=FieldType.TEXT, default="z", choices=("y",))])]},
        "report x.rep: parameter 'a': default 'z' is no choice",
    ),
    (
        claim(lifecycle="y.claim"),
        "case kind x.claim: lifecycle 'y.claim' is not one of this plugin (x.claim)",
    ),
    (
        claim(clock={"stops": ["settled"]}),
        "case kind x.claim: clock decide: stops names 'settled', which is no state of x.claim",
    ),
    (
        claim(verbs={"answer": ("settled",)}),
        "case kind x.claim: verb answer names 'settled', which is no state of x.claim",
    ),
    (
        claim(clock={"targets": {"": "soon"}}),
        "case kind x.claim: clock decide: 'soon' is not a time such as",
    ),
    (
        claim(clock={"targets": {"S9": "4 h"}}),
        "case kind x.claim: clock decide: severity 'S9' is not one of",
    ),
    (claim(clock={"targets": {}}), "case kind x.claim: clock decide has no target"),
    (
        claim(severities=("S1", "S2"), severity="S3"),
        "case kind x.claim: severity 'S3' is not one of S1, S2",
    ),
    (
        claim(severities=("S1", "S2"), severity="S2", severe=("S0",)),
        "case kind x.claim: severe names 'S0', which is not one of S1, S2",
    ),
    (
        claim(compensation_limit="much"),
        "case kind x.claim: compensation_limit 'much' is not a decimal amount",
    ),
    (
        {"migrations": [Migration(id="x.1", statements={"mysql": []})]},
        "migration x.1: dialect 'mysql' is not one of sqlite, postgresql",
    ),
    (
        {"migrations": [Migration(id="x.1", statements={"sqlite": "drop table t"})]},
        "migration x.1: statements for sqlite must be a list of SQL texts",
    ),
    (
        {"migrations": [Migration(id="x.1", statements={}, covers=("y_plan.fee",))]},
        "migration x.1: covers 'y_plan.fee', which is no 'x_<table>.<column>'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kinds", "message"), UNSOUND)
def test_what_is_not_sound_is_said_in_words(kinds, message):
    found = declaration_faults(declared(**kinds))
    assert found[0].startswith(message), found


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rows": ["x.none"]}, "'x.none' is no record type or interaction kind of x"),
        ({"rows": ["x.plan"]}, "looks at 'code', which x.plan does not have"),
        (
            {"rows": ["x.note"]},
            "looks at 'code' of x.note, which is no text that the warehouse holds",
        ),
        ({"rows": ["x.visit"], "values": []}, "has no values"),
        ({"rows": ["x.visit"], "refusals": "x.visit"}, "guards rows and logs no refusals"),
        ({"rows": ["x.visit"]}, "a plugin with guards has customer fields"),
    ],
)
def test_a_guard_of_rows_that_guards_nothing_is_said(values, message) -> None:
    guard = PrivacyGuard(**{"name": "x.g", "field": "code", "values": ["A"], **values})
    note = kind("x.note", code={"type": "string", "pii": "direct"})
    said = declared(
        privacy_guards=[guard],
        record_types=[record()],
        interaction_kinds=[kind(code={"type": "string"}), note],
    )
    assert any(message in fault for fault in declaration_faults(said))


def test_sound_declarations_have_no_fault():
    everything = declared(
        customer_fields=CustomerFields(schema(size=INTEGER)),
        record_types=[record(), record("x.line", owner="x.plan")],
        interaction_kinds=[kind(paid={"type": "string", "format": "money"})],
        lifecycles=[
            Lifecycle(
                name="x.l",
                stages=[Stage("a", "prospect"), Stage("b", "termination")],
                moves=[("a", "b")],
            ),
            CLAIM,
        ],
        feature_sets=[features(feature(phrase="{value:.1f} GB"))],
        scores=[score()],
        case_kinds=claim()["case_kinds"],
        rules=[rule(message="is {x_f:.1f}")],
        reports=[report(order=["-n"], charts=[Chart(kind="bar", x="n", y="n")])],
        migrations=[
            Migration(id="x.1", statements={"sqlite": ["select 1"]}, covers=("x_plan.fee",))
        ],
        profiles=[ImportProfile(name="x-till", text="[source]\n")],
    )
    assert declaration_faults(everything) == []
    assert name_faults(everything) == []
    assert schema_faults(everything) == []
    assert tables(everything) == ["x_customer", "x_line", "x_plan", "x_visit"]


MISNAMED = [
    (
        {"record_types": [record("telecom.plan")]},
        "claims the record type 'telecom.plan', but its names begin with 'x.'",
    ),
    (
        {"feature_sets": [features(feature("y.f"))]},
        "claims the feature 'y.f', but its names begin with 'x.'",
    ),
    ({"rules": [rule(name="x.Big Bill")]}, "rule 'x.Big Bill' does not match "),
    ({"reports": [report(name="x.a"), report(name="x.a")]}, "declares the report 'x.a' 2 times"),
    (
        {"profiles": [ImportProfile(name="a/b", text="")]},
        "import profile 'a/b' does not match ",
    ),
    (
        {"record_types": [record("x.customer")], "customer_fields": CustomerFields(schema())},
        "the customer fields and the record type 'x.customer' would share the table 'x_customer'",
    ),
    (
        {"record_types": [record("x.visit")], "interaction_kinds": [kind("x.visit")]},
        "the record type 'x.visit' and the interaction kind 'x.visit' would share the table 'x_visit'",
    ),
    (
        {"record_types": [record("x.plan"), record("x.plan_history")]},
        "the record type 'x.plan_history' would share the table 'x_plan_history' with the record type 'x.plan'",
    ),
    (
        {"rules": [rule(name="x.a-b"), rule(name="x.a_b")]},
        "the rules x.a-b and x.a_b are both 'x_a_b' in SQL",
    ),
    (
        {"rules": [rule(name="x.big")], "segments": [Segment(name="x.big", where="true")]},
        "the rule 'x.big' and the segment 'x.big' would keep their outcomes under one name",
    ),
    (
        {"record_types": [record("x." + "a" * 60)]},
        "the record type 'x." + "a" * 60 + "' makes a table name longer than 55 characters",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kinds", "message"), MISNAMED)
def test_a_name_that_the_plugin_may_not_give_is_said(kinds, message):
    found = name_faults(declared(**kinds))
    assert len(found) == 1, found
    assert found[0].startswith(message)


def nested(depth):
    inner = INTEGER
    for _ in range(depth):
        inner = {"type": "array", "items": inner}
    return inner


SCHEMAS = [
    (schema(a={"type": "string", "pattern": "(a)\\1"}), "field 'a': pattern '(a)\\\\1' does not run on RE2"),
    (schema(a={"type": "array", "items": {"type": "string", "pattern": "(?=a)"}}), "field 'a'.items: pattern '(?=a)' does not run on RE2"),
    ({**schema(a={"type": "string"}), "allOf": [{"properties": {"a": {"pattern": "(?=a)"}}}]}, "allOf.properties.a: pattern '(?=a)' does not run on RE2"),
    ({**schema(a={"type": "string"}), "patternProperties": {"^(a)\\1$": True}}, "the schema: pattern '^(a)\\\\1$' does not run on RE2"),
    (schema(a={"type": "integer", "minimum": "low"}), "properties.a.minimum is no JSON Schema: 'low' is not of type 'number'"),
    (schema(a={"type": "integer", "enum": 3}), "properties.a.enum is no JSON Schema: 3 is not of type 'array'"),
    (schema(**{f"f{n}": INTEGER for n in range(20_001)}), "the schema has more than 20000 nodes"),
    (schema(a=nested(40)), "the schema is nested more than 32 deep"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "message"), SCHEMAS)
def test_a_schema_that_cannot_be_trusted_is_said(fields, message):
    [found] = schema_faults(declared(customer_fields=CustomerFields(fields)))
    assert found.startswith(f"customer fields: {message}")


def test_a_profile_that_is_no_toml_is_said_with_its_line():
    profile = ImportProfile(name="till", text="[source]\nformat = \n")
    assert schema_faults(declared(profiles=[profile])) == [
        "import profile till: Invalid value (at line 2, column 10)"
    ]


def test_a_profile_brings_the_tables_that_it_looks_values_up_in():
    text = '[lookups.a]\nfile = "a.csv"\n[lookups.b]\nfile = "b.csv"\n'
    profile = ImportProfile(name="till", text=text, tables={"a.csv": "code,title\n"})
    assert schema_faults(declared(profiles=[profile])) == [
        "import profile till: looks values up in 'b.csv', which it does not bring along (a.csv)"
    ]
    profile = ImportProfile(name="till", text=text, tables=["a.csv"])
    assert schema_faults(declared(profiles=[profile])) == [
        "import profile till: tables must be the texts of CSV files by name"
    ]


def test_a_format_that_nobody_knows_is_said():
    fields = schema(card={"type": "string", "format": "cn.rick"}, mail={"type": "string", "format": "email"})  # fmt: skip
    [found] = schema_faults(declared(customer_fields=CustomerFields(fields)))
    assert "field 'card': format 'cn.rick' is neither one of JSON Schema nor a number" in found
