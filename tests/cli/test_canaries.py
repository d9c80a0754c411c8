"""Nothing that people or plugins wrote becomes markup, by any command that writes a page.

A telecom workspace has the same canary in every text that is stored of its customers and in every
title, label and note that its plugins declare. Every command that takes ``--format html`` is run.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import click
import pytest

from crmkit.cli.main import PluginNoun, State, cli, main
from crmkit.entities import ContactPoint, CustomerRef, NewInteraction
from crmkit.hosting.host import PluginHost
from crmkit.present.frame import policy
from crmkit.workspace import init_workspace, open_workspace

CANARY = (
    "</script></title></style><script>document.title='ran'</script>"
    "<img src=x onerror=alert(1)>\"'><svg onload=alert(1)>\x1b[2J\x9b31m\u202e"
)
# What plugins declare to be read; names, SQL and conditions are code.
READ = frozenset(
    "title title_zh x_title x_title_zh label help notes method description note "
    "message example".split()
)
TAGS = frozenset(
    "html head meta link title style body main header nav a h1 h2 ul li b details summary dl dt dd "
    "section p pre div table thead tbody tr th td button span noscript footer script".split()
)


class Poison:
    """Writes the canary into every text of declarations that is there to be read, and undoes it."""

    def __init__(self) -> None:
        self._seen: dict[int, Any] = {}
        self._undo: list[tuple[Any, str, str]] = []

    def put(self, thing: Any) -> None:
        if id(thing) in self._seen:
            return
        self._seen[id(thing)] = thing
        if isinstance(thing, Mapping):
            for value in [*thing.values()]:
                self.put(value)
        elif isinstance(thing, (list, tuple, set, frozenset)):
            for value in thing:
                self.put(value)
        elif attrs.has(type(thing)) and type(thing).__module__.startswith("crmkit"):
            for one in attrs.fields(type(thing)):
                value = getattr(thing, one.name, None)
                if isinstance(value, str) and value and one.name in READ:
                    self._undo.append((thing, one.name, value))
                    object.__setattr__(thing, one.name, f"{value} {CANARY}")
                else:
                    self.put(value)

    def undo(self) -> None:
        for thing, name, value in self._undo:
            object.__setattr__(thing, name, value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose customers carry the canary in every text."""
    made = tmp_path_factory.mktemp("canaries") / "w"
    with init_workspace(made, plugins=("telecom",)) as crm:
        store = crm.store
        for ref in ("ann", "bob"):
            person = store.customers.add(
                name=ref, region="x", owner="x", team="x",
                refs=[CustomerRef("c", ref), CustomerRef(f"s{ref}", f"x{ref}")],
                contact_points=[ContactPoint("email", f"{ref}@example.com", "x")],
            )  # fmt: skip
            store.interactions.log(
                NewInteraction(
                    kind="core.note", customer_id=person.id, actor="x", source="c", ref=f"n{ref}",
                    occurred_at=datetime(2026, 2, 1, tzinfo=UTC), payload={"text": "x"},
                )
            )  # fmt: skip
            store.records.set(
                "telecom.subscription", source="c", ref=f"L-{ref}", owner_id=person.id, values={}
            )
        store.records.set("telecom.plan", source="c", ref="x", values={"plan_name": "x"})
    # As a store may hold it that older versions, imports or other programs wrote.
    with closing(sqlite3.connect(made / "crmkit.db")) as connection, connection:
        for table, columns in {
            "customer": ("name", "region", "owner", "team"), "contact_point": ("label",),
            "telecom_plan": ("ref", "plan_name"), "interaction": ("actor",),
        }.items():  # fmt: skip
            for column in columns:
                connection.execute(f"UPDATE {table} SET {column} = ?", (CANARY,))
        connection.execute("UPDATE customer_ref SET ref = ref || ? WHERE source <> 'c'", (CANARY,))
        connection.execute("UPDATE interaction SET ref = ref || ?", (CANARY,))
        connection.execute("UPDATE interaction SET payload = ?", (json.dumps({"text": CANARY}),))
    return made


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Plugins whose titles carry the canary."""
    load, made = PluginHost.load.__func__, Poison()

    def loaded(cls: type[PluginHost], *args: Any, **options: Any) -> PluginHost:
        host = load(cls, *args, **options)
        made.put(host.catalog)
        return host

    monkeypatch.setattr(PluginHost, "load", classmethod(loaded))
    yield
    made.undo()


def leaves(
    command: click.Command, path: tuple[str, ...], ctx: click.Context
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, with the words that call it."""
    if isinstance(command, PluginNoun):
        command = command.declared(ctx.obj)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from leaves(found, (*path, name), ctx)
    else:
        yield path, command


def given(path: tuple[str, ...], command: click.Command, names: dict[str, Any]) -> list[str]:
    """Arguments with which a command of this workspace can do something."""
    out = []
    for parameter in command.params:
        if not isinstance(parameter, click.Argument) or (
            not parameter.required and parameter.nargs != 1
        ):
            continue
        name = str(parameter.name)
        value = names.get(f"{path[0]}.{name}", names.get(name, CANARY))
        if isinstance(parameter.type, click.Choice):
            value = parameter.type.choices[0]
        out.append(str(value))
    return out


class Reader(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.policy = self.text = ""
        self._kind: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.tags.add(tag)
        self.handlers += [name for name in found if name.startswith("on")]
        self.links += [found[name] or "" for name in ("href", "src") if name in found]
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""
        self._kind = None
        if tag == "script" and found.get("type") != "application/json":
            self._kind = "script"
            self.scripts.append("")
        elif tag in ("script", "style"):
            self._kind = "data"

    def handle_endtag(self, tag: str) -> None:
        self._kind = None

    def handle_data(self, data: str) -> None:
        if self._kind == "script":
            self.scripts[-1] += data
        elif self._kind is None:
            self.text += data


def page_faults(text: str) -> list[str]:
    """What a page does that no page of ours may do."""
    page = Reader()
    page.feed(text)
    faults = [f"<{tag}>" for tag in page.tags - TAGS] + [f"@{name}" for name in page.handlers]
    faults += [link for link in page.links if not re.fullmatch(r"data:,|[\w.-]+\.html", link)]
    if "default-src 'none'" not in page.policy or "unsafe" in page.policy:
        faults.append(f"policy {page.policy!r}")
    for script in page.scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        if f"'sha256-{digest}'" not in page.policy:
            faults.append(f"a script that the policy does not name: {script[:60]!r}")
    if "\x1b" in text or "\x9b" in text:
        faults.append("a control character")
    return faults


# Those that show the most, in the default tests; the slow ones run every command there is.
SOME = (
    "customer show", "customer list", "interaction list", "record list", "report list",
    "report show", "report run", "rule list", "segment list", "score list", "lifecycle show", "sql",
)  # fmt: skip


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_no_command_writes_a_page_in_which_data_become_markup(
    every: bool, folder: Path, poison: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    rows = tmp_path / "rows.csv"
    with rows.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([["id", "name"], ["9", CANARY]])
    with open_workspace(folder) as crm:
        tx = crm.store.customers.find("c:ann").id
        names = {
            "customer": "c:ann", "ref": "c:ann", "a": "c:ann", "b": "c:bob", "kind": "core.call",
            "type": "telecom.plan", "record.record": CANARY, "transaction": tx, "id": tx,
            "file": rows, "query": "SELECT kind, region FROM customer", "text": "ann",
            "report.name": "telecom.churn-composition", "segment.name": next(iter(crm.catalog.segments)),
            "rule.name": next(iter(crm.catalog.rules)), "lifecycle.name": next(iter(crm.catalog.lifecycles)),
            "score.name": next(iter(crm.catalog.scores)), "profile.name": "telecom.ibm-telco",
        }  # fmt: skip
    ctx = click.Context(cli, obj=State(str(folder), False, False, None))
    wrote, faults, silent = {}, {}, []
    for path, command in leaves(cli, (), ctx):
        options = {str(p.name): p for p in command.params}
        if "output" not in options or path[:2] == ("report", "publish"):
            continue
        words, page = " ".join(path), tmp_path / "page.html"
        if not every and words not in SOME:
            continue
        code = main(["-w", str(folder), *path, *given(path, command, names), "-o", str(page)])
        said = capsys.readouterr()
        assert "\x1b" not in said.err + said.out, words
        if not page.exists():
            assert code != 0, words
            silent.append(words)
            continue
        text = page.read_text(encoding="utf-8")
        found = page_faults(text)
        if found:
            faults[words] = found
        wrote[words] = "ran" in text
        page.unlink()
    assert faults == {}
    # A command that could not run wrote nothing; those that ran are most, and they show canaries.
    assert sorted(set(SOME) - set(wrote)) == []
    assert [words for words in SOME if not wrote[words]] == []
    if every:
        assert len(wrote) > len(silent)
        assert sum(wrote.values()) > 40


def test_published_pages_have_the_policy_too(
    folder: Path, poison: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-w", str(folder), "report", "publish", "--output", str(tmp_path / "pages"),
                 "telecom.churn-composition", "core.funnel", "core.customers"]) == 0  # fmt: skip
    pages = sorted((tmp_path / "pages").glob("*.html"))
    assert len(pages) == 4
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert page_faults(text) == []
        assert "document.title=" in text


@pytest.mark.parametrize(
    "args",
    [
        ("customer", "list", "--format", "table", "-o", "x.html"),
        ("customer", "list", "--format", "csv", "-o", "x.htm"),
        ("customer", "list", "--format", "json", "-o", "x.svg"),
        ("customer", "show", "c:ann", "-o", "x.csv"),
        ("customer", "show", "c:ann", "--format", "json", "-o", "x.xhtml"),
        ("customer", "export", "--format", "csv", "--source", "c", "-o", "x.html"),
    ],
)
def test_what_is_no_page_is_not_written_into_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["-w", str(folder), *args]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "E_USAGE" in capsys.readouterr().err


def test_data_do_not_steer_a_terminal(
    folder: Path, poison: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for args in (
        ("customer", "show", "c:ann"), ("customer", "list"), ("report", "list"),
        ("report", "show", "core.funnel"), ("interaction", "list", "c:ann"), ("plugin", "list"),
        ("plugin", "show", "telecom"), ("customer", "show", f"nobody{CANARY}"),
        ("sql", "SELECT region AS \"\x1b[2J\u202ex\" FROM customer"),
    ):  # fmt: skip
        main(["-w", str(folder), *args])
        said = capsys.readouterr()
        for sign in ("\x1b", "\x9b", "\u202e"):
            assert sign not in said.out + said.err, args
        assert said.out + said.err


def test_the_policy_names_hashes_as_the_standard_does() -> None:
    """The example of W3C, CSP Level 3, section 2.3.1 has this hash for ``doSubmit()``."""
    made = policy(["doSubmit()"], "")
    assert "script-src 'sha256-jzgBGA4UWFFmpOBq0JpdsySukE1FrEN5bUpoK8Z29fY='" in made
    assert "script-src 'none'" in policy([], "")
