"""A pattern that a plugin wrote takes linear time at every door: it runs on RE2 and nowhere else.

The engine of Python tries every way to split the letters of ``^(a+)+$`` and takes hours over forty.
"""

from __future__ import annotations

import time

import pytest

import crmkit
from crmkit.cli.main import main
from crmkit.errors import UsageError

SLOW = "^(a+)+$"
BAD, GOOD = "a" * 40 + "!", "a" * 40

PLUGIN = """
CODE = {"type": "string", "pattern": "^(a+)+$"}
SCHEMA = {"type": "object", "properties": {
    "code": CODE, "codes": {"type": "array", "items": CODE}, "size": {"type": "integer"}},
    # A rule over several fields goes through the library of JSON Schema, whatever else is fast.
    "allOf": [{"if": {"required": ["size"]}, "then": {"properties": {"code": {"pattern": "^(a|aa)+$"}}}}]}

@hookimpl
def register_customer_fields(): return CustomerFields(SCHEMA)

@hookimpl
def register_record_types(): return [RecordType(name="shop.plan", owner=None, schema=SCHEMA)]

@hookimpl
def register_interaction_kinds(): return [InteractionKind(name="shop.visit", schema=SCHEMA)]
"""

PROFILE = """
name = "till"
[source]
name = "till"
format = "csv"
key = ["no"]
[[emit]]
entity = "customer"
key = "no"
fields = { name = "name" }
[[emit]]
entity = "shop.customer"
owner = "customer"
fields = { code = "code" }
"""


@pytest.fixture
def shop(make_plugin, tmp_path):
    make_plugin("shop", PLUGIN)
    folder = tmp_path / "workspace"
    crmkit.init(folder, plugins=("shop",)).close()
    assert main(["-w", str(folder), "customer", "add", "Ada", "--ref", "till:1"]) == 0
    started = time.process_time()
    yield folder
    # Python's engine would still be at the first value.
    assert time.process_time() - started < 60


DOORS = {
    "customer add": ["customer", "add", "Ben", "--set", "shop.code={}"],
    "customer edit": ["customer", "edit", "till:1", "--set", "shop.code={}"],
    "customer edit, a list": ["customer", "edit", "till:1", "--set", "shop.codes=a,{}"],
    "customer edit, two fields": ["customer", "edit", "till:1", "--set", "shop.size=1", "--set", "shop.code={}"],
    "record set": ["record", "set", "shop.plan", "P-1", "--set", "code={}"],
    "record set, two fields": ["record", "set", "shop.plan", "P-1", "--set", "code={}", "--set", "size=2"],
    "interaction log": ["interaction", "log", "till:1", "shop.visit", "--set", "code={}"],
    "interaction log, a list": ["interaction", "log", "till:1", "shop.visit", "--set", "codes={},a"],
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_a_value_that_does_not_match_is_refused_at_once(door, shop, capsys):
    words = [word.replace("{}", BAD) for word in DOORS[door]]
    assert main(["-w", str(shop), *words]) in (1, 2)
    err = capsys.readouterr().err
    assert "E_VALUE" in err
    assert "code" in err
    words = [word.replace("{}", GOOD) for word in DOORS[door]]
    assert main(["-w", str(shop), *words]) == 0, capsys.readouterr().err


def test_an_import_rejects_it(shop, tmp_path, capsys):
    (tmp_path / "till.toml").write_text(PROFILE)
    (tmp_path / "till.csv").write_text(f"no,name,code\n1,Ada,{BAD}\n2,Ben,{GOOD}\n")
    words = ["import", str(tmp_path / "till.csv"), "--profile", str(tmp_path / "till.toml")]
    assert main(["-w", str(shop), *words, "--rejects", str(tmp_path / "r.csv")]) == 3
    assert "E_PATTERN" in (tmp_path / "r.csv").read_text()


def test_the_api_refuses_it(shop):
    with crmkit.open(shop) as crm:
        for code in (BAD, GOOD):
            doors = (
                lambda code=code: crm.store.customers.add(
                    name="Ben", fields={"shop": {"code": code}}
                ),
                lambda code=code: crm.store.records.set(
                    "shop.plan", source="x", ref="P-1", values={"code": code}
                ),
            )
            for door in doors:
                if code == GOOD:
                    door()
                    continue
                with pytest.raises(UsageError, match="field 'code'"):
                    door()
