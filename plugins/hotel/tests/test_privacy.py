"""H4, H-R1: nothing gives away where a guest is; asked of the program itself, as its users do.

Canaries are planted in every field of a guest who keeps their presence secret. Two workspaces stand
side by side: in one the guest is, in the other there is no such guest. Whoever lacks the right must
get the same bytes from both, by every command and format, and no canary from any.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import crmkit
from crmkit.cli.main import cli
from crmkit.entities import ContactPoint, CustomerRef, NewInteraction
from crmkit.errors import CrmkitError
from crmkit.testing.clock import SettableClock
from crmkit_hotel.data import CODED, interaction_kinds, record_types
from crmkit_hotel.privacy import SENSITIVE

NOW = datetime(2026, 3, 31, 15, 0, tzinfo=UTC)
CANARIES = {
    "name": "Quetzalia Zzyzxon", "phone": "+4917099887711", "email": "zz.canary@example.com",
    "ref": "G-CANARY-77", "room": "ROOM-4711-X", "alias": "Xenia Canaria", "note": "canary-words",
    "reservation": "R-CANARY-77", "loyalty": "LC-CANARY-77", "companion": "Cyrano Canary",
}  # fmt: skip
PRIVILEGED = "duty-manager"
# Said by a guest who may be found: an allergy is read by those who act on it and by nobody else.
ALLERGY = "canary-latex"
KITCHEN = "kitchen"


def _workspace(folder: Path, *, guest: bool) -> Path:
    rights = (f"{PRIVILEGED}:hotel.presence", f"{KITCHEN}:hotel.care")
    with crmkit.init(
        folder, plugins=("hotel",), clock=SettableClock(NOW), actor=PRIVILEGED, rights=rights
    ) as crm:
        store = crm.store
        for number in range(8):
            _stay(crm, f"G-{number}", f"Guest {number}", f"R-{number}", str(100 + number), {})
        if guest:
            _stay(
                crm, CANARIES["ref"], CANARIES["name"], CANARIES["reservation"], CANARIES["room"],
                {
                    "privacy_level": "presence_secret", "alias": CANARIES["alias"],
                    "last_room": CANARIES["room"], "loyalty_no": CANARIES["loyalty"],
                },
            )  # fmt: skip
            hidden = store.customers.find(CANARIES["ref"]).id
            store.relations.add(store.customers.find("G-1").id, hidden, "referrer")
            _allergy(crm, "G-2", "R-2")
    return folder


def _allergy(crm, guest, reservation) -> None:
    """In every form in which the house keeps it: said, held, promised, to be prepared, refused."""
    store = crm.store
    person = store.customers.find(guest).id
    booked = store.records.find("hotel.reservation", reservation).id
    said = {"code": "TOI_ALLERGY", "value": ALLERGY}
    for kind, payload in (
        ("statement", {**said, "mode": "declared"}),
        ("survey", said),
        ("preference_refusal", {"code": "WHEELCHAIR"}),
    ):
        store.interactions.log(
            NewInteraction(
                kind=f"hotel.{kind}", occurred_at=NOW, customer_id=person, source="pms",
                ref=f"A-{kind}", payload=payload,
            )
        )  # fmt: skip
    for name, owner, more in (
        ("preference", person, {"mode": "declared", "status": "declared", "weight_for": 4.0,
                                "weight_against": 0.0, "weighed_on": NOW.date(), "fades": False,
                                "purpose": "any", "scope": "chain"}),
        ("request", booked, {}),
        ("preparation", booked, {"department": "housekeeping", "result": "open", "required": True,
                                 "arrival_on": NOW.date()}),
    ):  # fmt: skip
        store.records.set(
            f"hotel.{name}", source="pms", ref=f"A-{name}", owner_id=owner, values={**said, **more}
        )


def _stay(crm, ref, name, reservation, room, profile) -> None:
    store = crm.store
    hidden = bool(profile)
    person = store.customers.add(
        name=name, refs=[CustomerRef("pms", ref)],
        contact_points=[ContactPoint("phone", CANARIES["phone"] if hidden else f"+49170555{ref[2:]}"),
                        ContactPoint("email", CANARIES["email"] if hidden else f"{ref}@example.com")],
        fields={"hotel": {"home_market": "DE", **profile}},
    )  # fmt: skip
    booked = store.records.set(
        "hotel.reservation", source="pms", ref=reservation, owner_id=person.id,
        values={"property": "HER", "status": "in_house", "arrival_on": date(2026, 3, 30),
                "departure_on": date(2026, 4, 2), "nights": 3, "adults": 1},
    )  # fmt: skip
    store.records.set(
        "hotel.stay",
        source="pms",
        ref=f"S-{reservation}",
        owner_id=booked.id,
        values={"property": "HER", "room_no": room, "checked_in_on": date(2026, 3, 30)},
    )
    words = CANARIES["note"] if hidden else "plain"
    store.records.set(
        "hotel.preference",
        source="pms",
        ref=f"P-{reservation}",
        owner_id=person.id,
        values={"code": "FREE_TEXT", "note": words, "mode": "declared", "status": "declared"},
    )
    store.records.set(
        "hotel.companion",
        source="pms",
        ref=f"C-{reservation}",
        owner_id=booked.id,
        values={"companion_name": CANARIES["companion"] if hidden else "Somebody"},
    )
    store.interactions.log(
        NewInteraction(
            kind="hotel.concierge_request", occurred_at=datetime(2026, 3, 31, 9, tzinfo=UTC),
            customer_id=person.id, subject_id=booked.id, source="pms", ref=f"I-{reservation}",
            payload={"text": words, "code": "PIL_TYPE", "value": "down"},
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The house with the guest, and the house without."""
    folder = tmp_path_factory.mktemp("houses")
    return (
        _workspace(folder / "with", guest=True),
        _workspace(folder / "without", guest=False),
    )


Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs a command in a workspace as an actor; returns exit code and all that was written."""

    def run(folder: Path, *words: str, actor: str = "night-clerk") -> tuple[int, str]:
        monkeypatch.setenv("CRMKIT_ACTOR", actor)
        found = CliRunner().invoke(cli, ["-w", str(folder), *words])
        # An error of crmkit is what `crmkit` prints of it; any other is a fault of the program.
        error = found.exception
        if error is not None and not isinstance(error, (SystemExit, CrmkitError)):
            raise error
        said = f"{type(error).__name__} {error}" if isinstance(error, CrmkitError) else ""
        return found.exit_code, found.stdout_bytes.hex() + "|" + found.stderr + said

    return run


def _readable(answer: tuple[int, str]) -> str:
    out, _, err = answer[1].partition("|")
    return bytes.fromhex(out).decode("utf-8", "replace") + err


LOOKUPS = [
    ("desk", "{0}"), ("guest", "ask", "{0}"), ("customer", "search", "{0}"), ("customer", "show", "{0}"),
    ("interaction", "list", "{0}"), ("record", "list", "hotel.stay", "--customer", "{0}"),
    ("case", "list", "--customer", "{0}"), ("why", "{0}", "hotel.guest"), ("task", "list", "--customer", "{0}"),
    ("document", "list", "--customer", "{0}"), ("relation", "list", "{0}"), ("note", "list", "{0}"),
    ("ledger", "statement", "ledger.points", "{0}"), ("customer", "edit", "{0}", "--set", "region=X"),
]  # fmt: skip
WORDS = ["G-CANARY-77", "pms:G-CANARY-77", "Quetzalia", "+4917099887711", "zz.canary@example.com"]


EVERY_TIME = (("desk", "{0}"), ("customer", "show", "{0}"))


def test_the_desk_answers_a_caller_in_constant_words(worlds, ask) -> None:
    """H-R1, asked at every change; the other commands are asked by the slow tests below."""
    there, gone = worlds
    for (*command, _), word in zip(EVERY_TIME, (WORDS[2], WORDS[0]), strict=True):
        here = ask(there, *command, word)
        assert here == ask(gone, *command, word), command
        assert "nobody was found." in _readable(here) or "there is no customer" in _readable(here)
    counted = ("sql", "SELECT count(*) AS n FROM hotel_stay")
    assert ask(there, *counted) == ask(gone, *counted)


@pytest.mark.slow
@pytest.mark.parametrize("command", LOOKUPS, ids=lambda c: " ".join(c[:2]))
def test_who_is_asked_for_by_name_is_nobody(worlds, ask, command) -> None:
    """H-R1: the same bytes and exit code as where there is no such guest."""
    there, gone = worlds
    # Every word by search and the desk, the key alone by those that take nothing else.
    for word in WORDS if command[0] in ("desk", "customer") else WORDS[:1]:
        words = [part.format(word) for part in command]
        assert ask(there, *words) == ask(gone, *words), words


TABLES = [
    ("customer", "list"), ("record", "list", "hotel.stay"), ("record", "list", "hotel.reservation"),
    ("record", "list", "hotel.preference"), ("record", "list", "hotel.companion"),
    ("customer", "duplicates"), ("sql", "SELECT kind, count(*) AS n FROM interaction GROUP BY kind ORDER BY kind"),
    ("sql", "SELECT count(*) AS n FROM hotel_reservation WHERE status = 'in_house'"),
    ("sql", "SELECT customer_id, property FROM hotel_stay ORDER BY ALL"),
    ("sql", "SELECT count(*) AS n FROM hotel_customer"),
    ("sql", "SELECT count(*) AS n FROM population"),
    ("sql", "SELECT count(*) AS n FROM hotel_companion"),
    ("sql", "SELECT count(hotel_lead_days) AS n, count(*) AS rows FROM feature", "--subject", "hotel.reservation"),
    ("relation", "list", "G-1"), ("desk", "G-1"), ("lifecycle", "funnel", "hotel.guest"), ("guest", "in-house"),
    ("record", "set", "hotel.reservation", "--where", "property=HER", "--set", "meal=BB", "--dry-run"),
    ("record", "set", "hotel.preference", "--where", "mode=declared", "--set", "purpose=any", "--dry-run"), ("customer", "show", "G-2"),
    ("record", "list", "hotel.request"), ("record", "list", "hotel.preparation"),
    ("interaction", "list", "G-2", "--limit", "1"),
    ("record", "show", "hotel.preference", "A-preference"), ("preparation", "finish", "R-3"),
    ("preparation", "mark", "R-2", "TOI_ALLERGY", "--result", "met"),
    ("report", "run", "hotel.expectation", "--param", "date=2026-03-30", "--param", "department=housekeeping"),
    ("sql", "SELECT code, value FROM hotel_preference ORDER BY ALL"), ("sql", "SELECT code FROM hotel_preference_refusal ORDER BY code"),
    ("report", "run", "hotel.coverage"), ("report", "run", "hotel.fulfilment"),
]  # fmt: skip
FORMATS = ("table", "json", "jsonl", "csv", "html", "xlsx", "parquet")


@pytest.mark.slow
@pytest.mark.parametrize("command", TABLES, ids=lambda c: " ".join(c)[:40])
def test_lists_reports_and_counts_are_those_of_a_house_without_the_guest(
    worlds, ask, command
) -> None:
    there, gone = worlds
    for form in ("table",):
        here = _steady(ask(there, *command, "--format", form))
        assert here == _steady(ask(gone, *command, "--format", form)), (command, form)


def _steady(answer: tuple[int, str]) -> str:
    """Ids and instants of filing differ from workspace to workspace and say nothing of guests."""
    import re

    text = _readable(answer)
    text = re.sub(r"\b\d{18}\b", "ID", text)
    return re.sub(r"2026-\d\d-\d\dT[\d:.]+Z", "T", text)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_no_canary_in_any_format(worlds, ask, tmp_path, form) -> None:
    there, _ = worlds
    for number, command in enumerate(TABLES[:4]):
        path = tmp_path / f"{number}.{form}"
        ask(there, *command, "--format", form, "--output", str(path))
        assert not _canaries(path.read_bytes(), form), (command, form)


def _canaries(data: bytes, form: str) -> list[str]:
    if form == "xlsx":
        import io
        import zipfile

        with zipfile.ZipFile(io.BytesIO(data)) as book:
            data = b"".join(book.read(name) for name in book.namelist())
    return [name for name, text in CANARIES.items() if text.encode() in data]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["customer", "record"])
def test_exports_leave_the_guest_out(worlds, ask, tmp_path, what) -> None:
    there, gone = worlds
    words = (
        ["customer", "export"]
        if what == "customer"
        else ["record", "export", "hotel.preference", "--source", "pms"]
    )
    found = []
    for house in (there, gone):
        path = tmp_path / f"{house.name}.csv"
        code, told = ask(house, *words, "--output", str(path))
        assert code == 0, _readable((code, told))
        found.append(path.read_bytes())
        assert not _canaries(found[-1], "csv")
    assert found[0] == found[1]
    assert b"G-3" in found[0]


OF_GUEST = [
    ("preference", "list", "G-2", "--every"), ("sql", "SELECT code, value FROM hotel_statement ORDER BY ALL"),
]  # fmt: skip
MORE_OF_GUEST = [
    ("interaction", "list", "G-2", "--kind", "hotel.statement"),
    ("preparation", "list", "--department", "housekeeping"),
    ("record", "list", "hotel.preference", "--customer", "G-2"),
]  # fmt: skip


@pytest.mark.parametrize(
    "commands", [OF_GUEST, pytest.param(MORE_OF_GUEST, marks=pytest.mark.slow)], ids=["few", "more"]
)
def test_an_allergy_is_read_by_those_who_act_on_it_alone(worlds, ask, commands) -> None:
    """H-R5, H4: the same bytes as where nothing was said; the kitchen reads it."""
    there, gone = worlds
    for command in commands:
        here = _steady(ask(there, *command))
        assert here == _steady(ask(gone, *command)), command
        assert ALLERGY not in here
        assert "ALLERGY" not in here
        assert ALLERGY in _readable(ask(there, *command, actor=KITCHEN)), command


def test_a_required_line_stops_the_room_and_names_the_department_alone(worlds, ask) -> None:
    there, _ = worlds
    said = _readable(ask(there, "preparation", "finish", "R-2"))
    assert "R-2 is not prepared: a line of housekeeping is required and not met" in said
    assert "ALLERGY" in _readable(ask(there, "preparation", "finish", "R-2", actor=KITCHEN))


def test_whatever_names_a_code_of_a_guest_is_guarded() -> None:
    """All but the house's own stock; and what is sensitive is what the catalogue says."""
    coded = {d.name for d in (*record_types(), *interaction_kinds()) if "code" in d.fields.by_name}
    assert coded - set(CODED) == {"hotel.supply"}
    assert {"FOOD_ALLERGY", "TOI_ALLERGY", "WHEELCHAIR", "GRAB_RAILS"} <= SENSITIVE


@pytest.mark.slow
def test_the_snapshot_counts_whom_the_actor_may_learn_of(worlds, ask) -> None:
    there = worlds[0]
    counted = [ask(house, "snapshot")[1].partition("|")[0] for house in worlds]
    assert counted[0] == counted[1]
    assert ask(there, "snapshot", actor=PRIVILEGED)[1].partition("|")[0] != counted[0]


def test_who_has_the_right_sees_the_guest(worlds, ask) -> None:
    there, _ = worlds
    for word in WORDS[::2]:
        code, said = ask(there, "customer", "search", word, actor=PRIVILEGED)
        assert code == 0
        assert "CANARY" in _readable((code, said)), word
    counted = "SELECT count(*) AS n FROM hotel_customer"
    assert "9" in _readable(ask(there, "sql", counted, actor=PRIVILEGED))
    assert "8" in _readable(ask(there, "sql", counted))


def test_every_refusal_is_logged_with_who_asked(worlds, ask) -> None:
    """The guest can be told who asked; in the open the log shows the same as for nobody."""
    there, gone = worlds
    query = (
        "SELECT answer, asked_by, command, count(*) AS n FROM hotel_presence_question "
        "GROUP BY answer, asked_by, command ORDER BY answer, asked_by, command"
    )
    before = [_readable(ask(house, "sql", query, "--format", "json")) for house in worlds]
    for house in worlds:
        ask(house, "customer", "show", CANARIES["ref"], actor="curious")
    after = [_readable(ask(house, "sql", query, "--format", "json")) for house in worlds]
    assert before[0] == before[1]
    assert after[0] == after[1] != before[0]
    seen = _readable(ask(there, "sql", query, "--format", "csv", actor=PRIVILEGED))
    assert "refused,curious,customer find,1" in seen
    assert "refused,curious" not in _readable(ask(gone, "sql", query, actor=PRIVILEGED))


def test_the_log_files_hold_no_canary(worlds) -> None:
    """Rejects, runs and the snapshot: names never enter them (D17)."""
    there, _ = worlds
    for folder in ("warehouse", "runs", "rejects"):
        for root, _, names in os.walk(there / folder):
            for name in names:
                data = (Path(root) / name).read_bytes()
                found = [k for k, text in CANARIES.items() if text.encode() in data]
                assert not found, (name, found)


def test_the_guard_holds_where_the_plugin_is_not_loaded(worlds) -> None:
    """In safe mode, or disabled, or set aside: a plugin that fails must not show whom it guarded."""
    there, _ = worlds
    with crmkit.open(there, actor="night-clerk", safe_mode=True) as crm:
        assert "hotel" not in crm.catalog.plugins
        kept = crm.store.records.list("hotel.preference")
        assert [r.values["code"] for r in kept if r.source == "pms"] == ["FREE_TEXT"] * 8
        said = crm.store.interactions.list_for(crm.store.customers.find("G-2").id)
        assert {i.kind for i in said} == {"hotel.concierge_request"}
        assert crm.store.customers.search(CANARIES["name"]) == []
        assert len(crm.store.customers.list()) == 8
    with crmkit.open(there, actor=PRIVILEGED, safe_mode=True) as crm:
        assert len(crm.store.customers.list()) == 9
