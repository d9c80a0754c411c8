"""Commands and services that a plugin declares, from its manifest to the screen."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

import pytest

import crmkit
from crmkit.cli.main import main
from crmkit.errors import NotFound, PluginError, UsageError

LIBRARY = """
from crmkit.errors import UsageError

SHELF = {"type": "object", "properties": {"books": {"type": "integer", "unit": "1"}}}

class Shelves:
    made = 0
    def __init__(self, crm):
        Shelves.made += 1
        self.crm = crm
    def count(self):
        return len(self.crm.store.records.list("library.shelf"))

def fill(crm, shelf, books, price, tags, colour, due_on):
    if books < 0:
        raise UsageError(f"{books} books do not fit on a shelf.")
    if books == 13:
        raise ZeroDivisionError("unlucky")
    if books == 99:
        return [books]
    record = crm.store.records.set("library.shelf", source="crmkit", ref=shelf, values={"books": books})
    row = {"shelf": shelf, "books": record.values["books"], "tags": list(tags), "colour": colour,
           "price_minor": price.minor if price else None, "due_on": due_on}
    return Answer(rows=[row], remarks=["the shelf is full."] if books > 5 else [])

def find(crm, as_of, limit):
    found = crm.store.records.list("library.shelf", limit=limit)
    return Answer(rows=[{"shelf": r.ref} for r in found], remarks=[f"{len(found)} were read."])

T = FieldType
@hookimpl
def register_record_types():
    return [RecordType(name="library.shelf", owner=None, schema=SHELF)]

@hookimpl
def register_commands():
    return [
        Command(name="shelf fill", run=fill, writes=True, single=True, help="Fill a shelf.",
                example="crmkit shelf fill A --books 5",
                parameters=[
                    Parameter(name="shelf", type=T.TEXT, positional=True, required=True),
                    Parameter(name="books", type=T.INTEGER, default=1, title="Books to put", unit="1"),
                    Parameter(name="price", type=T.MONEY, title="Price of all"),
                    Parameter(name="due_on", type=T.DATE, title="Day of return"),
                    Parameter(name="tags", type=T.TEXT, multiple=True, title="A tag"),
                    Parameter(name="colour", type=T.TEXT, choices=("red", "blue"), title="Colour")],
                columns=[
                    ReportColumn(name="shelf", type=T.TEXT),
                    ReportColumn(name="books", type=T.INTEGER, unit="1"),
                    ReportColumn(name="tags", type=T.LIST),
                    ReportColumn(name="colour", type=T.TEXT),
                    ReportColumn(name="due_on", type=T.DATE),
                    ReportColumn(name="price_minor", type=T.INTEGER, currency_minor=True)]),
        Command(name="findshelf", run=find, as_of=True, limit=True, help="Find shelves.",
                example="crmkit findshelf", columns=[ReportColumn(name="shelf", type=T.TEXT)])]

@hookimpl
def register_services():
    return [Service(name="library.shelves", make=Shelves),
            Service(name="library.broken", make=lambda crm: 1 / 0)]
"""
NOUNS = {"shelf": "Fill shelves.", "findshelf": "Find shelves."}


@pytest.fixture
def shelves(make_plugin, tmp_path, capsys):
    """A workspace with the plugin; runs the command line in it and returns code, rows, stderr."""
    make_plugin("library", LIBRARY, commands=NOUNS)
    folder = tmp_path / "shop"
    crmkit.init(folder, plugins=("library",)).close()

    def run(*words: str, as_json: bool = True) -> tuple[int, Any, str]:
        code = main(["-w", str(folder), *words, *(["--format", "json"] if as_json else [])])
        captured = capsys.readouterr()
        found = json.loads(captured.out) if as_json and captured.out else captured.out
        return code, found, captured.err

    run.folder = folder  # type: ignore[attr-defined]
    return run


def test_help_shows_the_nouns_of_plugins_without_importing_them(shelves) -> None:
    sys.modules.pop("made_library", None)
    code, text, _ = shelves("--help", as_json=False)
    assert code == 0
    assert "Commands of plugins" in text
    assert "Fill shelves." in text
    assert "made_library" not in sys.modules


def test_a_command_writes_and_its_rows_come_out_typed(shelves) -> None:
    words = ["--books", "6", "--price", "12.50", "--tags", "a", "--tags", "b", "--due-on", "2026-03-31"]  # fmt: skip
    code, rows, err = shelves("shelf", "fill", "A", *words)
    assert (code, rows) == (
        0,
        [{"shelf": "A", "books": 6, "tags": ["a", "b"], "colour": None, "due_on": "2026-03-31", "price": "12.50"}],
    )  # fmt: skip
    assert err == "the shelf is full.\n"
    assert shelves("findshelf")[1] == [{"shelf": "A"}]
    code, text, _ = shelves("shelf", "fill", "A", "--books", "2", as_json=False)
    assert [line.split() for line in text.splitlines()[:4]][2:] == [["shelf", "A"], ["books", "2"]]


def test_a_dry_run_shows_the_same_and_changes_nothing(shelves) -> None:
    code, rows, err = shelves("shelf", "fill", "A", "--dry-run")
    assert (code, rows[0]["books"]) == (0, 1)
    assert "nothing was changed" in err
    assert shelves("findshelf")[1] == []


@pytest.mark.parametrize(
    ("words", "shown", "read"),
    [
        ([], "ABC", 3),
        (["--limit", "2"], "AB", 2),
        (["--limit", "0"], "", 0),
        # The last in another order may be any of all.
        (["--limit", "2", "--sort", "-shelf"], "CB", 3),
    ],
)
def test_no_more_is_read_than_is_shown(shelves, words, shown, read) -> None:
    for shelf in "ABC":
        shelves("shelf", "fill", shelf)
    code, rows, err = shelves("findshelf", *words)
    assert (code, [row["shelf"] for row in rows], err) == (0, list(shown), f"{read} were read.\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["shelf", "fill"], 2, "Missing argument 'SHELF'"),
        (["shelf", "fill", "A", "--colour", "green"], 2, "'green' is not one of"),
        (["shelf", "fill", "A", "--due-on", "tomorrow"], 2, "field 'due_on': 'tomorrow' is not a date"),
        (["shelf", "fill", "A", "--books", "-1"], 2, "-1 books do not fit"),
        (["shelf", "fill", "A", "--books", "13"], 7, "plugin library, shelf fill: ZeroDivisionError: unlucky"),
        (["shelf", "fill", "A", "--books", "99"], 7, "returned a list, not an Answer"),
        (["shelf", "burn"], 2, "burn"),
        (["shelv"], 2, "shelf"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_and_leaves_nothing(shelves, words, code, said) -> None:
    found, _, err = shelves(*words)
    assert (found, said in err) == (code, True), err
    assert shelves("findshelf")[1] == []


def test_the_same_command_is_a_python_call(shelves) -> None:
    with crmkit.open(shelves.folder) as crm:
        answer = crm.run("shelf fill", shelf="B", books=2, price="3.10")
        assert answer.rows[0]["price_minor"] == 310
        assert Decimal(answer.rows[0]["books"]) == 2
        with pytest.raises(NotFound, match="book"):
            crm.run("shelf fill", shelf="B", book=2)
        with pytest.raises(UsageError, match="needs shelf"):
            crm.run("shelf fill")
        with pytest.raises(UsageError, match="no dry run"):
            crm.commands.run("findshelf", {}, dry_run=True)
        with pytest.raises(UsageError, match="0 or more"):
            crm.run("findshelf", limit=-1)


def test_a_service_is_made_once_and_named_when_it_fails(shelves) -> None:
    with crmkit.open(shelves.folder) as crm:
        crm.run("shelf fill", shelf="B")
        found = crm.service("library.shelves")
        assert found.count() == 1
        assert crm.service("library.shelves") is found
        with pytest.raises(PluginError, match=r"plugin library, library.broken: ZeroDivisionError"):
            crm.service("library.broken")
        with pytest.raises(NotFound, match=r"library.shelves"):
            crm.service("library.shelve")
