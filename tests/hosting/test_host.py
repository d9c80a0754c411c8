from __future__ import annotations

import decimal
import locale
import os
import random
import warnings
from pathlib import Path

import pytest

from crmkit.declarations import Batch, Committed, StageMove
from crmkit.errors import NotFound, PluginError
from crmkit.hosting.faults import PluginFault, faults_of
from crmkit.hosting.hooks import HOOKS
from crmkit.hosting.host import PluginHost
from crmkit.hosting.manifest import find_manifests

from .conftest import SHOP


def load(settings, *names):
    return PluginHost.load(settings(*names))


def said(host, plugin):
    return [f"{fault.phase}: {fault.message}" for fault in faults_of(plugin, host.faults)]


def test_every_hook_of_the_specification_is_declaring_or_acting():
    from crmkit import hookspecs

    specified = {name for name, one in vars(hookspecs).items() if hasattr(one, "crmkit_spec")}
    assert specified == set(HOOKS)


def test_a_sound_plugin_is_in_the_catalog_by_owned_names(make_plugin, settings):
    make_plugin("shop", SHOP, tables=["shop_customer", "shop_plan"])
    host = load(settings, "shop")
    assert said(host, "shop") == []
    catalog = host.catalog
    assert catalog.plugins["shop"].version == "1.0"
    assert list(catalog.customer_fields["shop"].fields.by_name) == ["size"]
    assert "shop.plan" in catalog.record_types
    assert catalog.feature_set_of("shop.size").name == "shop.size"
    assert catalog.features["shop.size"].unit == "1"
    assert catalog.owner("shop.plan") == catalog.owner("till") == "shop"
    assert host.entry("shop").hooks == (
        "check_rows", "register_customer_fields", "register_features", "register_profiles",
        "register_record_types",
    )  # fmt: skip


def test_the_owner_of_an_unknown_name_is_not_found_with_a_suggestion(make_plugin, settings):
    make_plugin("shop", SHOP)
    with pytest.raises(NotFound, match="Did you mean till") as caught:
        load(settings, "shop").catalog.owner("tills")
    assert caught.value.name == "tills"


HOSTILE = {
    "raises at import": (
        "raise RuntimeError('no licence')",
        "import: RuntimeError: no licence (made_evil/__init__.py:6)",
    ),
    "exits at import": (
        "import sys\nsys.exit('bye')",
        "import: sys.exit('bye') was called",
    ),
    "raises outside Exception": (
        "class Odd(BaseException): pass\nraise Odd('x')",
        "import: Odd: x",
    ),
    "imports what is not there": (
        "import nowhere_at_all",
        "import: ModuleNotFoundError: No module named 'nowhere_at_all'",
    ),
    "does not parse": (
        "def broken(:",
        "import: SyntaxError",
    ),
    "misspelt hook": (
        "@hookimpl\ndef register_rports(): return []",
        "register: there is no hook 'register_rports'; did you mean register_reports",
    ),
    "hook of no like": (
        "@hookimpl\ndef zzz(): return []",
        "register: there is no hook 'zzz'; known: register_customer_fields",
    ),
    "forgotten mark": (
        "def register_reports(): return []",
        "register: the function register_reports is not marked with @hookimpl",
    ),
    "unknown argument": (
        "@hookimpl\ndef after_commit(commited): pass",
        "commited",
    ),
    "wrapper": (
        "@hookimpl(wrapper=True)\ndef register_reports():\n    return (yield)",
        "register: register_reports is a wrapper",
    ),
    "hook raises": (
        "@hookimpl\ndef register_rules(): return 1 / 0",
        "register_rules: ZeroDivisionError: division by zero",
    ),
    "hook exits": (
        "@hookimpl\ndef register_rules(): raise SystemExit",
        "register_rules: sys.exit(None) was called",
    ),
    "generator": (
        "@hookimpl\ndef register_rules(): yield 1",
        "register_rules: returned a generator; return a list",
    ),
    "coroutine": (
        "@hookimpl\nasync def register_rules(): return []",
        "register_rules: returned a coroutine",
    ),
    "wrong type": (
        "@hookimpl\ndef register_rules(): return {'a': 1}",
        "register_rules: returned a dict; return a list of Rule",
    ),
    "wrong item": (
        "@hookimpl\ndef register_rules(): return ['x']",
        "register_rules: item 0 of its list is a str, not a Rule",
    ),
    "list for one": (
        "@hookimpl\ndef register_customer_fields(): return []",
        "register_customer_fields: returned a list; return one CustomerFields or None",
    ),
    "foreign name": (
        "@hookimpl\ndef register_record_types():\n    return [RecordType(name='shop.plan', schema={'type': 'object'})]",
        "declaration: claims the record type 'shop.plan', but its names begin with 'evil.'",
    ),
    "schema of no sense": (
        "@hookimpl\ndef register_customer_fields(): return CustomerFields({'type': 'object', 'properties': 3})",
        "declaration: cannot be read: ",
    ),
    "pattern for backtracking": (
        "@hookimpl\ndef register_customer_fields():\n    return CustomerFields({'type': 'object', 'properties': {'a': {'type': 'string', 'pattern': '(?=a)b'}}})",
        "declaration: customer fields: field 'a': pattern '(?=a)b' does not run on RE2",
    ),
    "changes the folder": (
        "import os\nos.chdir('/')",
        "import: it changed the current folder; crmkit has put it back",
    ),
    "changes the decimal context": (
        "import decimal\ndecimal.getcontext().prec = 3",
        "import: it changed the decimal context; crmkit has put it back",
    ),
    "silences all warnings": (
        "import warnings\nwarnings.simplefilter('ignore')",
        "import: it changed the filter of all warnings; crmkit has put it back",
    ),
    "changes the locale in a hook": (
        "import locale\n@hookimpl\ndef register_rules():\n    locale.setlocale(locale.LC_ALL, 'C.UTF-8' if locale.setlocale(locale.LC_ALL) == 'C' else 'C')",
        "import: it changed the locale; crmkit has put it back",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_plugin_is_named_and_its_neighbour_works(case, make_plugin, settings):
    code, message = HOSTILE[case]
    make_plugin("evil", code)
    make_plugin("shop", SHOP)
    state = (Path.cwd(), locale.setlocale(locale.LC_ALL), decimal.getcontext().prec)
    filters = list(warnings.filters)

    host = load(settings, "evil", "shop")

    assert any(message in sentence for sentence in said(host, "evil")), said(host, "evil")
    assert "evil" not in host.catalog.plugins
    assert said(host, "shop") == []
    assert "shop.plan" in host.catalog.record_types
    assert state == (Path.cwd(), locale.setlocale(locale.LC_ALL), decimal.getcontext().prec)
    assert warnings.filters == filters
    batch = Batch(entity="shop.plan", columns={"title": ["x"]}, size=1)
    assert [plugin for plugin, _ in host.call_veto("check_rows", batch=batch, catalog=None)] == [
        "shop"
    ]


def test_what_a_plugin_prints_does_not_reach_stdout(make_plugin, settings, capsys):
    make_plugin("chatty", "print('hello from import')")
    load(settings, "chatty")
    out, err = capsys.readouterr()
    assert out == ""
    assert "hello from import" in err


def test_the_copy_of_a_plugin_that_forks_does_not_go_on(make_plugin, settings, tmp_path):
    make_plugin("forker", "import os\nchild = os.fork()\nif child: os.waitpid(child, 0)")
    host = load(settings, "forker")
    with (tmp_path / "processes").open("a") as out:
        out.write(f"{os.getpid()}\n")
    assert (tmp_path / "processes").read_text() == f"{os.getpid()}\n"
    assert "forker" in host.catalog.plugins


def test_an_enabled_plugin_that_is_not_installed_is_named_with_a_suggestion(make_plugin, settings):
    make_plugin("shop", SHOP)
    host = load(settings, "shop", "shopp")
    assert said(host, "shopp") == [
        "installed: no installed distribution offers it; did you mean shop?"
    ]
    assert "shop" in host.catalog.plugins


def test_a_wrong_api_range_keeps_the_plugin_out_with_the_reason(make_plugin, settings):
    make_plugin("later", "raise RuntimeError", api=[7, 9])
    host = load(settings, "later")
    assert said(host, "later") == [
        "manifest: it was written for crmkit API 7 to 9, this is API 1; install a version that fits"
    ]


def test_what_requires_a_faulty_plugin_is_left_out_and_named_too(make_plugin, settings):
    make_plugin("base", "raise RuntimeError('x')")
    make_plugin("middle", requires=["base"])
    make_plugin("top", requires=["middle"])
    make_plugin("aside", SHOP.replace("shop.", "aside."))
    host = load(settings, "base", "middle", "top", "aside")
    assert said(host, "middle") == [
        "requires: it requires 'base', which is left out: import: RuntimeError: x "
        "(made_base/__init__.py:6). When that is mended: crmkit plugin check base"
    ]
    assert said(host, "top") == [
        "requires: it requires 'middle', which is left out because of 'base': import: RuntimeError: x "
        "(made_base/__init__.py:6). When that is mended: crmkit plugin check base"
    ]
    assert "aside" in host.catalog.plugins
    assert not {"base", "middle", "top"} & set(host.catalog.plugins)


def test_a_requirement_that_is_not_enabled_is_named(make_plugin, settings):
    make_plugin("base")
    make_plugin("top", requires=["base"])
    assert said(load(settings, "top"), "top") == [
        "requires: it requires 'base', which is not enabled"
    ]


def test_two_plugins_that_claim_one_shared_name_are_both_named(make_plugin, settings):
    profile = "@hookimpl\ndef register_profiles(): return [ImportProfile(name='till', text='')]"
    make_plugin("left", profile)
    make_plugin("right", profile)
    make_plugin("aside")
    host = load(settings, "left", "right", "aside")
    sentence = (
        "conflict: import profile 'till' is claimed by the plugins left and right; "
        "disable one of them"
    )
    assert said(host, "left") == said(host, "right") == [sentence]
    assert "aside" in host.catalog.plugins


def test_a_plugin_at_fault_itself_takes_no_shared_name_from_its_neighbour(make_plugin, settings):
    make_plugin("shop", SHOP)
    make_plugin(
        "evil",
        "@hookimpl\ndef register_profiles(): return [ImportProfile(name='till', text='')]\n"
        "@hookimpl\ndef register_rules(): return 1 / 0",
    )
    host = load(settings, "shop", "evil")
    assert said(host, "shop") == []
    assert "till" in host.catalog.profiles


def test_a_declared_conflict_leaves_out_the_plugin_that_declares_it(make_plugin, settings):
    make_plugin("shop", SHOP)
    make_plugin("rival", conflicts=["shop"])
    host = load(settings, "shop", "rival")
    assert said(host, "rival") == ["conflict: the plugins rival and shop cannot both be enabled"]
    assert "shop" in host.catalog.plugins


TILL = """
@hookimpl
def register_commands():
    return [Command(name="till count", run=lambda crm: Answer(), help="Count.", example="crmkit till count")]
"""


@pytest.mark.parametrize(
    ("change", "commands", "fault"),
    [
        (("till", "drawer"), {"till": "Count."}, "a noun that its manifest does not list"),
        (("", ""), {"till": "Count.", "door": "Open."}, "of which it declares no command"),
        (('example="crmkit till count"', "example=''"), {"till": "Count."}, "its example does not begin"),
        (('help="Count."', 'help="Count.", daily=True'), {"till": "Count."}, "is daily and writes nothing"),
        (('help="Count."', 'help="Count.", writes=True, daily=True, parameters=[Parameter(name="drawer", '
          'type=FieldType.TEXT, required=True)]'), {"till": "Count."}, "'drawer' cannot be required"),
        (("till count", "Till Count"), {"till": "Count."}, "is no '<noun> <verb>' of small letters"),
    ],
)  # fmt: skip
def test_commands_that_do_not_fit_are_a_fault(make_plugin, settings, change, commands, fault):
    make_plugin("left", TILL.replace(*change) if change[0] else TILL, commands=commands)
    assert any(fault in message for message in said(load(settings, "left"), "left"))


def test_two_plugins_that_claim_one_command_are_both_named(make_plugin, settings):
    make_plugin("left", TILL, commands={"till": "Count the till."})
    make_plugin("right", TILL, commands={"till": "Open the till."})
    host = load(settings, "left", "right")
    assert (
        said(host, "left")
        == said(host, "right")
        == [
            "conflict: command 'till' is claimed by the plugins left and right; disable one of them"
        ]
    )


SCORE = (
    "@hookimpl\ndef register_scores():\n    return [Score(name='top.risk', features=['{}'], "
    "population='select 1', target='select 1')]"
)


def test_a_reference_to_what_nobody_declares_is_a_fault(make_plugin, settings):
    make_plugin("top", SCORE.format("shop.size"))
    assert said(load(settings, "top"), "top") == [
        "declaration: score top.risk needs the feature 'shop.size', which is not declared"
    ]


def test_a_reference_to_another_plugin_needs_a_requirement(make_plugin, settings):
    make_plugin("shop", SHOP)
    make_plugin("top", SCORE.format("shop.size"))
    assert said(load(settings, "top", "shop"), "top") == [
        "declaration: score top.risk needs the feature 'shop.size'; "
        "add 'shop' to requires in the manifest"
    ]
    make_plugin("top", SCORE.format("shop.size"), requires=["shop"])
    host = load(settings, "top", "shop")
    assert host.faults == []
    assert "top.risk" in host.catalog.scores


def test_a_manifest_that_lists_tables_lists_all_of_them(make_plugin, settings):
    make_plugin("shop", SHOP, tables=["shop_customer", "shop_visit"])
    assert said(load(settings, "shop"), "shop") == [
        "declaration: it declares the table 'shop_plan', which its manifest does not list",
        "declaration: its manifest lists the table 'shop_visit', which it does not declare",
    ]


def test_the_order_of_installation_and_of_settings_never_matters(make_plugin, settings):
    """Twenty orders of six plugins, two of them at odds, give one catalog and one set of faults."""
    profile = "@hookimpl\ndef register_profiles(): return [ImportProfile(name='{}', text='')]"
    make_plugin("aa", SHOP.replace("shop.", "aa.").replace("till", "aa"))
    make_plugin("bb", profile.format("same"), requires=["aa"])
    make_plugin("cc", profile.format("same"))
    make_plugin("dd", requires=["cc"])
    make_plugin("ee", "raise RuntimeError('x')")
    make_plugin("ff", SHOP.replace("shop.", "ff.").replace("till", "ff"))
    names, seen = ["aa", "bb", "cc", "dd", "ee", "ff"], set()
    manifests = find_manifests()
    for seed in range(20):
        shuffler = random.Random(seed)
        shuffler.shuffle(names)
        items = list(manifests.items())
        shuffler.shuffle(items)
        host = PluginHost.load(settings(*names), manifests=dict(items))
        industry = tuple(n for n, m in host.catalog.plugins.items() if not m.builtin)
        seen.add((industry, host.catalog.fingerprint, frozenset(host.faults)))
    [(industry, fingerprint, faults)] = seen
    assert industry == ("aa", "ff")
    assert {fault.plugin for fault in faults} == {"bb", "cc", "dd", "ee"}
    assert len(fingerprint) == 64


def test_the_fingerprint_changes_with_the_data_declarations_only(make_plugin, settings):
    make_plugin("aa", SHOP.replace("shop.", "aa."))
    make_plugin("bb", SHOP.replace("shop.", "aa.").replace("select 1", "select 2"), module="made_b")
    first = load(settings, "aa").catalog
    code = SHOP.replace("shop.", "cc.")
    prints = []
    for number, text in enumerate(
        (code, code.replace("select 1", "select 2"), code.replace('"string"', '"integer"'))
    ):
        make_plugin("cc", text, module=f"made_cc{number}")
        prints.append(load(settings, "cc").catalog.fingerprint)
    assert prints[0] == prints[1] != prints[2]
    assert first.fingerprint not in prints


def test_check_rows_asks_only_the_owner_of_the_entity(make_plugin, settings):
    make_plugin("shop", SHOP)
    make_plugin("other", "@hookimpl\ndef check_rows(batch): raise RuntimeError('not mine')")
    host = load(settings, "shop", "other")
    found = host.call_veto(
        "check_rows", batch=Batch(entity="shop.plan", columns={}, size=1), catalog=None
    )
    assert [(plugin, [f.message for f in faults]) for plugin, faults in found] == [
        ("shop", ["refused"])
    ]


def test_a_vetoing_hook_that_raises_stops_the_operation_and_is_named(make_plugin, settings):
    make_plugin("strict", "@hookimpl\ndef before_stage_moves(moves): raise ValueError('odd')")
    host = load(settings, "strict")
    moves = [
        StageMove(
            lifecycle="x.y", subject_type="customer", subject_id=1, from_stage=None, to_stage="z"
        )
    ]
    with pytest.raises(
        PluginError, match=r"plugin strict, before_stage_moves: ValueError: odd"
    ) as e:
        host.call_veto("before_stage_moves", moves=moves)
    assert (e.value.plugin, e.value.hook, e.value.exit_code) == ("strict", "before_stage_moves", 7)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("yield 1", "returned a generator; return a list"),
        ("return 'no'", "returned a str; return a list of RowFault"),
        ("return [None]", "item 0 of its list is a NoneType, not a RowFault"),
    ],
)
def test_an_answer_of_the_wrong_type_is_named(body, message, make_plugin, settings):
    make_plugin("shop", f"@hookimpl\ndef check_rows(batch): {body}")
    with pytest.raises(PluginError) as caught:
        load(settings, "shop").call_veto(
            "check_rows", batch=Batch(entity="shop.plan", columns={}, size=0), catalog=None
        )
    assert caught.value.reason == f"{message}."


def test_none_is_an_empty_answer(make_plugin, settings):
    make_plugin("shop", "@hookimpl\ndef check_rows(batch): pass")
    batch = Batch(entity="shop.plan", columns={}, size=0)
    assert load(settings, "shop").call_veto("check_rows", batch=batch, catalog=None) == [
        ("shop", ())
    ]


def test_an_observing_hook_that_fails_at_every_call_is_one_fault_and_stops_nobody(
    make_plugin, settings
):
    make_plugin("loud", "@hookimpl\ndef after_commit(): raise RuntimeError('boom')")
    make_plugin(
        "calm", "seen = []\n@hookimpl\ndef after_commit(committed): seen.append(committed.tx)"
    )
    host = load(settings, "loud", "calm")
    for tx in (1, 2, 3):
        host.call_observe("after_commit", committed=Committed(tx=tx, command="import"))
    assert host.entry("calm").plugin.seen == [1, 2, 3]
    [fault] = host.faults
    assert fault.plugin == "loud"
    assert fault.phase == "after_commit"
    assert fault.message.startswith("RuntimeError: boom")


def test_an_interrupt_by_the_user_is_no_fault_of_a_plugin(make_plugin, settings):
    make_plugin("shop", "@hookimpl\ndef check_rows(batch): raise KeyboardInterrupt")
    host = load(settings, "shop")
    with pytest.raises(KeyboardInterrupt):
        host.call_veto(
            "check_rows", batch=Batch(entity="shop.plan", columns={}, size=0), catalog=None
        )


def test_an_unknown_hook_is_refused_with_a_suggestion(settings):
    with pytest.raises(NotFound, match="Did you mean check_rows"):
        load(settings).call_veto("check_row", batch=None)


def test_safe_mode_imports_no_installed_plugin(make_plugin, settings):
    make_plugin("evil", "raise RuntimeError('imported')")
    host = PluginHost.load(settings("evil"), safe_mode=True)
    assert host.faults == []
    assert all(manifest.builtin for manifest in host.catalog.plugins.values())


def test_a_class_as_entry_point_is_refused(make_plugin, settings, site):
    make_plugin("klass", "class Plugin: pass")
    (site / "dist_klass-1.0.dist-info" / "entry_points.txt").write_text(
        "[crmkit]\nklass = made_klass:Plugin\n"
    )
    assert said(load(settings, "klass"), "klass") == [
        "import: its entry point names the class Plugin; name a module or an object"
    ]


def test_faults_are_said_with_plugin_and_phase():
    assert str(PluginFault("shop", "import", "it broke")) == "shop: import: it broke"
