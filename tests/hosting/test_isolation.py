"""What a plugin does to the process by accident is named, put back, and changes nothing of the results."""

from __future__ import annotations

import decimal
import gc
import json
import locale
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

import crmkit
from crmkit.declarations import Committed, Firing
from crmkit.errors import PluginError
from crmkit.hosting.host import PluginHost
from crmkit.hosting.isolation import Watch

HOOKS = """
@hookimpl
def register_customer_fields():
    return CustomerFields({"type": "object", "properties": {
        "label": {"type": "string"}, "worth": {"type": "string", "format": "money"},
        "share": {"type": "number"}}})

@hookimpl
def check_rows(batch):
    import decimal, gc, locale, os, signal, subprocess, sys, threading, time, warnings
    {check}

@hookimpl
def after_commit(committed):
    import decimal, gc, locale, os, signal, subprocess, sys, threading, time, warnings
    {told}
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
entity = "evil.customer"
owner = "customer"
fields = { label = "label", worth = "worth", share = { column = "share", factor = 0.001 } }
"""

ROWS = "no,name,label,worth,share\n1,Ada,first,11378541220.00,1234567891\n2,Ben,second,0.01,7\n"


def code(check: str = "pass", told: str = "pass") -> str:
    return HOOKS.replace("{check}", check).replace("{told}", told)


@pytest.fixture
def shop(make_plugin, tmp_path, monkeypatch):
    """A workspace with the plugin ``evil``, whose hooks run the statements given, and files for it."""

    def make(check: str = "pass", told: str = "pass") -> Path:
        make_plugin("evil", code(check, told))
        folder = tmp_path / "workspace"
        # The check would keep the plugin out, as it should: here it went bad afterwards.
        monkeypatch.setattr("crmkit.workspace._check_plugin", lambda crm, name: None)
        crmkit.init(folder, plugins=("evil",)).close()
        (tmp_path / "till.toml").write_text(PROFILE)
        (tmp_path / "till.csv").write_text(ROWS)
        return folder

    return make


def run(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """The console script in a process of its own: descriptors and the end of the process are tried."""
    paths = [path for path in sys.path if path]
    done = subprocess.run(
        [sys.executable, "-c", "from crmkit.cli.main import entry; entry()", "-w", str(folder), *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def load(folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    files = folder.parent
    return run(
        folder, "import", str(files / "till.csv"), "--profile", str(files / "till.toml"),
        "--format", "json", code=code,
    )  # fmt: skip


RIGHT = [
    {"label": "first", "worth_minor": 1137854122000, "share": 1234567.891},
    {"label": "second", "worth_minor": 1, "share": 0.007},
]

CHANGES = {
    "decimal.getcontext().prec = 4": "it changed the decimal context",
    "decimal.setcontext(decimal.Context(prec=3, rounding=decimal.ROUND_UP))": "it changed the decimal context",
    "decimal.getcontext().traps[decimal.Inexact] = True": "it changed the decimal context",
    "locale.setlocale(locale.LC_ALL, 'C' if locale.setlocale(locale.LC_ALL) != 'C' else 'C.UTF-8')": "it changed the locale",
    "os.environ['TZ'] = 'Asia/Kathmandu'; time.tzset()": "it changed the time zone",
    "os.umask(0)": "it changed the umask",
    "os.chdir('/')": "it changed the current folder",
    "signal.signal(signal.SIGINT, signal.SIG_IGN)": "it changed a signal handler",
    "signal.setitimer(signal.ITIMER_REAL, 900)": "it set an alarm",
    "sys.setrecursionlimit(5000)": "it changed the recursion limit",
    "sys.stdout = sys.__stdin__": "it replaced sys.stdout",
    "sys.stderr = sys.__stderr__": "it replaced a stream or hook of sys",
    "sys.excepthook = print": "it replaced a stream or hook of sys",
    "warnings.simplefilter('ignore')": "it changed the filter of all warnings",
    "gc.disable()": "it switched garbage collection",
}


def process() -> tuple[object, ...]:
    context = decimal.getcontext()
    umask = os.umask(0o022)
    os.umask(umask)
    return (
        context.prec, context.rounding, dict(context.traps), locale.setlocale(locale.LC_ALL),
        os.environ.get("TZ"), time.tzname, umask, Path.cwd(), signal.getsignal(signal.SIGINT),
        signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0] > 600,
        sys.getrecursionlimit(), sys.stdout, sys.stderr, sys.excepthook, list(warnings.filters),
        gc.isenabled(),
    )  # fmt: skip


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("end", ["", "raise RuntimeError('and failed')"])
def test_what_is_changed_is_named_and_put_back_whether_or_not_the_hook_fails(
    statement, end, make_plugin, settings
):
    make_plugin("evil", code(told=f"{statement}; {end}" if end else statement))
    host = PluginHost.load(settings("evil"))
    before = process()
    host.call_observe("after_commit", committed=None)
    assert process() == before
    said = [f"{fault.phase}: {fault.message}" for fault in host.faults]
    assert f"after_commit: {CHANGES[statement]}; crmkit has put it back" in said
    assert len(said) == (2 if end else 1)
    # A second call is no second fault, and the hook is asked on.
    host.call_observe("after_commit", committed=None)
    assert len(host.faults) == len(said)


def test_an_alarm_with_a_handler_does_not_go_off_without_it(make_plugin, settings):
    make_plugin("evil", code(told="signal.signal(signal.SIGALRM, print); signal.alarm(1)"))
    host = PluginHost.load(settings("evil"))
    before = process()
    host.call_observe("after_commit", committed=None)
    assert process() == before
    assert [fault.message.partition(";")[0] for fault in host.faults] == [
        "it set an alarm", "it changed a signal handler",
    ]  # fmt: skip
    timer = signal.getitimer(signal.ITIMER_REAL)[0]
    assert timer == 0 or timer > 2, "the one of whoever runs the tests goes on"


def test_ctrl_c_reaches_python_after_a_library_in_c_took_it(make_plugin, settings, ctrl_c):
    """Python does not see such a change, and no plugin means it."""
    taken = "import ctypes; ctypes.CDLL(None).signal(signal.SIGINT, ctypes.c_void_p(1))"
    make_plugin("card", code(told=taken))
    host = PluginHost.load(settings("card"))
    host.call_observe("after_commit", committed=None)
    with pytest.raises(KeyboardInterrupt):
        ctrl_c(0.0)
        time.sleep(5)
    assert host.faults == []


def test_a_hook_that_changes_nothing_is_not_accused(make_plugin, settings):
    make_plugin(
        "calm",
        code(
            told="with decimal.localcontext() as c: c.prec = 3; decimal.Decimal(1) / 3\n"
            "    with warnings.catch_warnings(): warnings.simplefilter('error')\n"
            "    thread = threading.Thread(target=int); thread.start(); thread.join(); print('x')"
        ),
    )
    host = PluginHost.load(settings("calm"))
    host.call_observe("after_commit", committed=None)
    assert host.faults == []


def test_a_closed_stream_of_errors_is_opened_again():
    script = """
        import sys
        from crmkit.hosting.isolation import Watch
        with Watch() as watch:
            sys.stdout.close()
        print(watch.changes, file=sys.stderr)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert done.stderr == "['it closed the stream of errors']\n"


@pytest.mark.parametrize("statement", ["decimal.getcontext().prec = 4", "decimal.setcontext(decimal.Context(prec=5, traps=[]))"])  # fmt: skip
@pytest.mark.parametrize("hook", ["check", "told"])
def test_amounts_of_an_import_are_exact_whatever_a_hook_does_to_the_context(statement, hook, shop):
    """The second file is read after the hook has run."""
    folder = shop(**{hook: statement})
    head, ada, ben = ROWS.splitlines()
    with crmkit.open(folder) as crm:
        for row in (ben, ada):
            file = folder.parent / f"{row[0]}.csv"
            file.write_text(f"{head}\n{row}\n")
            crm.import_file(file, profile=str(folder.parent / "till.toml"))
        names = {"check": "check_rows", "told": "after_commit"}
        said = "it changed the decimal context; crmkit has put it back"
        assert [(f.phase, f.message) for f in crm.host.faults] == [(names[hook], said)]
        sql = "select label, worth_minor, share from evil_customer order by label"
        assert crm.query(sql).to_pylist() == RIGHT


@pytest.mark.parametrize(
    "check",
    [
        "batch.columns['label'][:] = ['MUTATED'] * batch.size",
        "batch.columns['label'][0] = 'MUTATED'",
        "batch.columns['label'].sort()",
        "batch.columns['label'] = ['MUTATED'] * batch.size",
        "batch.columns['worth_minor'][0] = 0",
        "batch.size = 0",
    ],
)
def test_check_rows_cannot_alter_the_batch_that_is_stored(check, shop):
    folder = shop(check)
    with crmkit.open(folder) as crm:
        with pytest.raises(PluginError, match=r"made_evil/__init__.py:\d+") as caught:
            crm.import_file(folder.parent / "till.csv", profile=str(folder.parent / "till.toml"))
        assert (caught.value.plugin, caught.value.hook) == ("evil", "check_rows")
        assert crm.query("select * from customer").num_rows == 0


def test_what_other_hooks_are_handed_cannot_be_changed(make_plugin, settings):
    """The same firings go to every plugin, and the caller goes on with them."""
    make_plugin("evil", "@hookimpl\ndef serve_firings(firings):\n    firings.reverse()\n")
    make_plugin("bad", "@hookimpl\ndef serve_firings(firings):\n    firings[0].evidence['a'] = 0\n")
    host = PluginHost.load(settings("evil", "bad"))
    fired = Firing(
        rule="x.y", version="1", subject_type="customer", subject_id=1, as_of=datetime.now(UTC),
        action="tag", target="t", message="m", evidence={"a": 1, "days": [1, 2]},
    )  # fmt: skip
    given = [fired, evolve(fired, subject_id=2)]
    for plugin, said in (("evil", "reverse"), ("bad", "cannot be changed")):
        with pytest.raises(PluginError, match=said):
            host.call_alone(plugin, "serve_firings", firings=given, store=None, tx=None)
    assert [firing.subject_id for firing in given] == [1, 2]
    assert json.loads(json.dumps(fired.evidence)) == {"a": 1, "days": [1, 2]}
    written = Committed(tx=1, command="x", written={"customer": 2}).written
    with pytest.raises(TypeError, match="cannot be changed"):
        written.clear()


def test_descriptor_1_is_cores_alone_while_plugins_run(shop):
    noise = "os.write(1, b'NOISE'); os.system('echo NOISE'); subprocess.run(['echo', 'NOISE']); print('NOISE', flush=True)"  # fmt: skip
    folder = shop(noise, noise)
    done = load(folder)
    [row] = json.loads(done.stdout)
    assert row["created"] == 2
    assert done.stderr.count("NOISE") >= 8, "both hooks, four ways"


@pytest.mark.parametrize("hook", ["check", "told"])
def test_a_command_that_a_plugin_ends_is_reported_by_the_next(hook, shop):
    folder = shop(**{hook: "os._exit(0)"})
    done = load(folder)
    assert (done.stdout, done.stderr) == ("", ""), "nothing can be said by a process that is gone"

    said = run(folder, "customer", "list", "--format", "json").stderr
    name = {"check": "check_rows", "told": "after_commit"}[hook]
    assert said.startswith("crmkit: 'crmkit import', begun at ")
    assert f"ended without its result while plugin evil ran {name}" in said
    assert "What it had committed stands: look before you run it again." in said
    assert run(folder, "customer", "list", "--format", "json").stderr == "", "once"


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&-", "1>&- 2>&- 0<&-"])
def test_a_closed_stream_is_no_fault_and_gives_its_number_to_no_file(closed, shop):
    folder = shop()
    command = f"{sys.executable} -c 'from crmkit.cli.main import entry; entry()' -w {folder} customer add Ada"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} {closed}"], env=env, timeout=60, check=False
    )
    assert done.returncode == 0
    assert (
        run(folder, "customer", "list", "--columns", "name", "--format", "csv").stdout
        == "name\nAda\n"
    )


def test_a_killed_command_is_reported_and_one_that_still_runs_is_not(shop):
    folder = shop("time.sleep(30)")
    files = folder.parent
    paths = os.pathsep.join(path for path in sys.path if path)
    child = subprocess.Popen(
        [sys.executable, "-c", "from crmkit.cli.main import entry; entry()", "-w", str(folder),
         "import", str(files / "till.csv"), "--profile", str(files / "till.toml")],
        env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not list(folder.glob(".crmkit/running/[0-9]*")):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert run(folder, "report", "list", "--format", "json").stderr == ""
    finally:
        child.kill()
        child.wait()
    assert "'crmkit import', begun at " in run(folder, "report", "list", "--format", "json").stderr


def test_a_command_that_fails_has_said_so_and_leaves_no_mark(shop, capsys):
    folder = shop("raise RuntimeError('x')")
    load(folder, code=7)
    assert run(folder, "customer", "list", "--format", "json").stderr == ""
    assert list(folder.glob(".crmkit/running/*")) == []


def test_a_thread_left_behind_is_named_and_keeps_no_finished_command_alive(shop):
    folder = shop(told="threading.Thread(target=time.sleep, args=(600,), name='beat').start()")
    started = time.monotonic()
    done = load(folder)
    assert time.monotonic() - started < 60
    [row] = json.loads(done.stdout)
    assert row["created"] == 2
    assert "plugin evil: after_commit: it left the thread 'beat' running" in done.stderr


def test_threads_are_told_apart_by_who_left_them():
    release = threading.Event()
    mine = threading.Thread(target=release.wait)
    mine.start()
    with Watch() as watch:
        threading.Thread(target=release.wait, name="beat").start()
    assert [thread.name for thread in watch.threads] == ["beat"]
    with Watch() as after:
        pass
    assert after.threads == []
    release.set()
    mine.join()
    watch.threads[0].join()
