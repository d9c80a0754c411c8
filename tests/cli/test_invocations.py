"""The command line under generated invocations of every command."""

from __future__ import annotations

import io
import os
import sys

import pytest

import crmkit as package
from crmkit.cli.main import main
from crmkit.entities import CustomerRef

from .invocations import LONG, World, all_commands, generate, names_of, state_of

# Design section 4.
CODES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 8, 130})
# A command that ends with one of these has written nothing.
WROTE_NOTHING = frozenset({1, 2, 4, 5})
SEED = int(os.environ.get("CRMKIT_SEED", "13"))


INDUSTRIES = ("telecom", "hotel", "delivery", "banking")


@pytest.fixture(scope="module", params=INDUSTRIES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A workspace of an industry with three customers, a list, a case and a task."""
    folder = tmp_path_factory.mktemp("fuzz") / "ws"
    with package.init(folder, plugins=[request.param]) as crm:
        for number in range(3):
            crm.store.customers.add(kind="person", name=f"Ann {number}", refs=[_ref(number)])
        crm.run("list make", name="spring", report="core.customers", purpose="service")
        crm.run("case open", customer="C0", topic="billing")
        crm.run("task add", title="call", customer="C1", due="2026-04-01")
        crm.warehouse.refresh()
        names = names_of(crm)
    (folder / "file.csv").write_text("id,name\n1,Ann\n", encoding="utf-8")
    (folder / "profile.toml").write_text('name = "p"\n', encoding="utf-8")
    (folder / "folder").mkdir()
    (folder / "out").mkdir()
    return World(folder, (*names, "spring", "C0", "C1"))


def _ref(number: int) -> CustomerRef:
    return CustomerRef("billing", f"C{number}")


def run(
    world: World, first: int, count: int, monkeypatch: pytest.MonkeyPatch, *, long: bool = False
) -> dict[int, int]:
    """Runs invocations, asserts what holds for each, and returns how often each code came."""
    monkeypatch.chdir(world.folder)
    monkeypatch.setenv("CRMKIT_CHECK_SECONDS", "20")
    print(f"seed {SEED}: CRMKIT_SEED={SEED} repeats it")
    commands = [c for c in all_commands(world.folder) if long or c[0] not in LONG]
    assert len(commands) > 120
    counts: dict[int, int] = {}
    faults = []
    with package.open(world.folder) as crm:
        before = state_of(crm, world.folder)
        for words in generate(commands, world, SEED, count, first):
            code, out, err = _call(words, monkeypatch)
            counts[code] = counts.get(code, 0) + 1
            after = state_of(crm, world.folder)
            shown = " ".join(map(ascii, words))[:300]
            if "Traceback" in out + err or "E_UNEXPECTED" in err:
                faults.append(f"{shown}: {err[-300:]}")
            if code not in CODES:
                faults.append(f"{shown}: exit {code}")
            if code in WROTE_NOTHING and after != before:
                faults.append(f"{shown}: exit {code}, but it wrote: {err[-200:]}")
            before = after
    assert not faults, f"seed {SEED}, {len(faults)} of {count}:\n" + "\n".join(faults[:40])
    return counts


def _call(words: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in "oe")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", err)
        patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"SELECT 1\n"), encoding="utf-8"))
        try:
            code = main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException as error:
            return -1, "", f"Traceback {type(error).__name__}: {error}"
    said = [stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err)]  # type: ignore[attr-defined]
    return code, said[0], said[1]


def test_five_hundred_generated_invocations_end_as_the_contract_says(
    world: World, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """125 in each industry, each beginning where the one before ended, so that all are called."""
    first = 125 * INDUSTRIES.index(request.node.callspec.params["world"])
    counts = run(world, first, 125, monkeypatch)
    # The generator reaches the work and not the parser alone.
    assert counts.get(0, 0) > 10
    assert counts.get(2, 0) > 10


@pytest.mark.soak
def test_ten_thousand_generated_invocations_end_as_the_contract_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = run(world, 0, 2_500, monkeypatch, long=True)
    assert counts.get(0, 0) > 250
