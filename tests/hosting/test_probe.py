"""The child process: what hangs, eats or ends it is named with the place, and nothing else suffers."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from crmkit.errors import ConfigError
from crmkit.hosting.manifest import find_manifests
from crmkit.hosting.plugins import Plugins
from crmkit.hosting.probe import check_plugin

from .conftest import SHOP


def check(name):
    return check_plugin(name, find_manifests())


def said(checked):
    return [f"{fault.phase}: {fault.message}" for fault in checked.faults]


def test_a_sound_plugin_has_a_verdict_with_its_hooks_and_claims(make_plugin):
    make_plugin("shop", SHOP)
    checked = check("shop")
    assert said(checked) == []
    assert checked.verdict is not None
    assert checked.verdict.word == "ok"
    assert checked.verdict.hooks == (
        "check_rows", "register_customer_fields", "register_features", "register_profiles",
        "register_record_types",
    )  # fmt: skip
    assert checked.verdict.claims == {"profiles": ["till"]}
    assert "made_shop" not in sys.modules


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("while True: pass", "limit: was still busy during import after 2.5 s and was ended"),
        (
            "@hookimpl\ndef register_rules():\n    import time\n    time.sleep(60)",
            "limit: was still busy during register_rules after 2.5 s and was ended",
        ),
    ],
)
def test_a_plugin_that_never_ends_is_ended_and_named(code, message, make_plugin, monkeypatch):
    monkeypatch.setenv("CRMKIT_CHECK_SECONDS", "2.5")
    make_plugin("slow", code)
    [sentence] = said(check("slow"))
    assert sentence.startswith(message)


def test_a_process_that_the_plugin_starts_does_not_outlive_the_check(make_plugin, tmp_path):
    number = tmp_path / "number"
    make_plugin(
        "parent",
        f"import subprocess, pathlib\nchild = subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(number)!r}).write_text(str(child.pid))",
    )
    check("parent")
    stat = Path(f"/proc/{number.read_text()}/stat")
    until = time.monotonic() + 10
    # A signal takes its time to arrive; then the process is gone, or waits for init to reap it.
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < until, "the process outlived the check by 10 s"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os\nos._exit(4)", "limit: ended the process with status 4 during import"),
        ("import os\nos.kill(os.getpid(), 11)", "limit: ended the process by SIGSEGV during import"),
        ("x = bytearray(3 * 1024 ** 3)", "import: MemoryError"),
        ("import sys\nsys.exit('bye')", "import: sys.exit('bye') was called"),
        ("@hookimpl\ndef check_rowz(batch): pass", "register: there is no hook 'check_rowz'; did you mean check_rows"),
        ("import os\nos.write(1, b'noise')\nprint('noise')\nraise ValueError('x')", "import: ValueError: x"),
        ("@hookimpl\ndef after_commit(): raise RuntimeError('every time')", "after_commit: RuntimeError: every time"),
        ("@hookimpl\ndef check_rows(batch): raise RuntimeError('every time')", "check_rows: RuntimeError: every time"),
        ("@hookimpl\ndef after_commit(committed):\n    import decimal\n    decimal.getcontext().prec = 4", "after_commit: it changed the decimal context; crmkit has put it back"),
        ("@hookimpl\ndef check_rows(batch):\n    import os\n    os.chdir('/')\n    raise RuntimeError('x')", "check_rows: it changed the current folder; crmkit has put it back"),
        ("@hookimpl\ndef block_contacts(crm, batch):\n    import threading, time\n    threading.Thread(target=time.sleep, args=(60,), name='beat').start()", "block_contacts: it left the thread 'beat' running"),
        ("@hookimpl\ndef before_stage_moves(moves): return moves[0]", "before_stage_moves: IndexError"),
        ("@hookimpl\ndef register_record_types():\n    return [RecordType(name='shop.plan', schema={'type': 'object'})]", "declaration: claims the record type 'shop.plan'"),
    ],
)  # fmt: skip
def test_each_way_to_fail_is_named(code, message, make_plugin):
    make_plugin("evil", code)
    checked = check("evil")
    assert any(sentence.startswith(message) for sentence in said(checked)), said(checked)
    assert checked.verdict is not None
    assert checked.verdict.word == "faults"


def test_check_rows_is_tried_on_an_empty_batch_of_each_owned_entity(make_plugin):
    make_plugin(
        "shop",
        SHOP.replace(
            "    return [RowFault",
            "    batch.columns['title'], batch.columns['ref']\n    return [RowFault",
        )
        + "\n@hookimpl\ndef register_interaction_kinds():\n"
        "    return [InteractionKind(name='shop.visit', schema={'type': 'object'})]\n",
    )
    assert said(check("shop")) == []
    make_plugin("mean", SHOP.replace("shop.", "mean.").replace("if batch.size", "if 1/batch.size"))
    assert [s.partition(" (")[0] for s in said(check("mean"))] == [
        "check_rows: ZeroDivisionError: division by zero"
    ]


def test_what_requires_a_missing_plugin_gets_no_verdict(make_plugin):
    make_plugin("top", requires=["base"])
    checked = check("top")
    assert said(checked) == [
        "requires: it requires 'base', which is left out: installed: no installed distribution "
        "offers it; install it, or: crmkit plugin disable base"
    ]
    assert checked.verdict is None


def test_what_it_requires_is_loaded_with_it(make_plugin):
    make_plugin("shop", SHOP)
    make_plugin(
        "top",
        "@hookimpl\ndef register_scores():\n    return [Score(name='top.risk', features=['shop.size'],"
        " population='select 1', target='select 1')]",
        requires=["shop"],
    )
    checked = check("top")
    assert said(checked) == []
    assert checked.verdict is not None


OPEN_HOOKS = """
@hookimpl
def register_scores():
    return [Score(name="shop.risk", features=["shop.size"], population="select 1", target="select 1")]

@hookimpl
def serve_firings(firings, store, tx):
    served = store.records.read("shop.plan", ("id",), tx=tx)

@hookimpl
def serve_scores(crm, scored, tx):
    scored_rows = crm.store.records.read("shop.plan", ("id",), tx=tx)
    crm.scores.model(scored.score, scored.version)

@hookimpl
def block_contacts(crm, batch):
    blocks = crm.store.records.read("shop.plan", ("id",), tx=batch.tx)
"""


def test_hooks_get_an_empty_workspace_of_the_plugin_as_in_life(make_plugin):
    make_plugin("shop", SHOP + OPEN_HOOKS)
    checked = check("shop")
    assert said(checked) == []
    assert checked.verdict is not None
    assert {"serve_firings", "serve_scores", "block_contacts"} < set(checked.verdict.hooks)


def test_each_hook_that_gets_the_workspace_is_tried(make_plugin):
    code = OPEN_HOOKS
    for name in ("served", "scored_rows", "blocks"):
        code = code.replace(f"{name} = ", f"raise ValueError({name!r}, len(").replace(
            "tx=tx)\n", "tx=tx)))\n"
        )
    code = code.replace("tx=batch.tx)", "tx=batch.tx)))").replace(")))))", ")))")
    make_plugin("shop", SHOP + code)
    assert [sentence.partition(" (made")[0] for sentence in said(check("shop"))] == [
        "block_contacts: ValueError: ('blocks', 0)",
        "serve_firings: ValueError: ('served', 0)",
        "serve_scores: ValueError: ('scored_rows', 0)",
    ]


def test_a_fault_is_named_by_the_plugins_own_line_and_not_by_the_librarys(make_plugin):
    """The store raises, many frames below; the author has to change the plugin's line."""
    package = make_plugin("shop", SHOP)
    (package / "serving.py").write_text(
        "def serve(store, tx):\n    return store.records.read('shop.plann', ('id',), tx=tx)\n"
    )
    make_plugin(
        "shop",
        SHOP + "\n@hookimpl\ndef serve_firings(firings, store, tx):\n"
        "    from .serving import serve\n    return serve(store, tx)\n",
    )
    [sentence] = said(check("shop"))
    assert sentence.startswith("serve_firings: there is no ")
    assert sentence.endswith("(made_shop/serving.py:2)")


def test_a_time_that_ran_out_on_a_busy_machine_decides_nothing(make_plugin, monkeypatch):
    make_plugin("shop", SHOP)
    monkeypatch.setenv("CRMKIT_CHECK_SECONDS", "0.05")
    monkeypatch.setattr("crmkit.hosting.probe._processor_seconds", lambda pid: (0.01, 0.04))
    checked = check("shop")
    assert checked.verdict is None
    [sentence] = said(checked)
    assert sentence.startswith("limit: was still busy during start after 0.05 s")
    assert sentence.endswith("nothing was decided: check again when it is less busy")


@pytest.mark.parametrize("setting", ["CRMKIT_CHECK_SECONDS", "CRMKIT_CHECK_MEGABYTES"])
def test_faults_found_under_a_tight_limit_are_void_under_the_usual_one(
    setting, make_plugin, settings, monkeypatch
):
    make_plugin("shop", SHOP)
    plugins = Plugins(settings("shop"))
    monkeypatch.setenv(setting, "0.05" if setting.endswith("SECONDS") else "20")
    monkeypatch.setattr("crmkit.hosting.probe._processor_seconds", lambda pid: (0.05, 0.0))
    assert plugins.check("shop").verdict == "faults"
    assert plugins.get("shop").verdict == "faults"
    monkeypatch.delenv(setting)
    assert plugins.get("shop").verdict == "unchecked"
    assert plugins.checked("shop").verdict == "ok"


@pytest.mark.parametrize("text", ["soon", "-1", "0", "nan"])
def test_a_limit_that_is_no_positive_number_is_refused(text, make_plugin, monkeypatch):
    make_plugin("shop")
    monkeypatch.setenv("CRMKIT_CHECK_SECONDS", text)
    with pytest.raises(ConfigError, match=f"CRMKIT_CHECK_SECONDS is '{text}'"):
        check("shop")


def test_without_a_manifest_every_other_fault_is_named_too(make_plugin):
    make_plugin("bare", "@hookimpl\ndef register_rulez():\n    return []", manifest=None)
    first, second = check_plugin("bare", find_manifests()).faults
    assert (first.phase, second.phase) == ("manifest", "register")
    assert first.message.startswith("crmkit-plugin.toml is missing in ")
    assert second.message.startswith(
        "there is no hook 'register_rulez'; did you mean register_rules"
    )
