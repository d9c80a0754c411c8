"""Makes the workspaces of earlier versions that the tests of upgrades begin with.

Run with the code of that version before today's, once for each database::

    git clone . /tmp/old && git -C /tmp/old checkout e996501
    export PYTHONPATH=/tmp/old:/tmp/old/plugins/{telecom,hotel,delivery,banking}  # joined by colons
    python tests/upgrades/make.py e996501 tests/upgrades
    python tests/upgrades/make.py e996501 tests/upgrades --database postgresql+psycopg://...

It writes ``NAME.sqlite.sql.gz`` or ``NAME.postgresql.sql.gz`` (statements, one a line where a value has
no line break) and, with SQLite, ``NAME.json``: what the policy of that version said of each customer,
how many rows each table has, and which fields said what of contacts.

Everything comes from the version's own code: customers with every field of every plugin, one record
of each type with an earlier version, one interaction of each kind, and, where that version has them,
consents, blocks, a list, cases, ledgers, relations, tasks. Beside them stand an import with rejects,
a merge, stage changes and outcomes. Only what an earlier version lacks is left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crmkit.entities import ContactPoint, CustomerRef
from crmkit.entities.fields import FieldType
from crmkit.errors import CrmkitError
from crmkit.store.interactions import NewInteraction
from crmkit.store.outcomes import Outcome
from crmkit.store.stages import StageMove
from crmkit.workspace import Crm, init_workspace

PLUGINS = ("telecom", "hotel", "delivery", "banking")
BEGUN = datetime(2025, 1, 10, 9, tzinfo=UTC)
# Noon of a Monday in Berlin: no quiet hours.
ASKED = datetime(2026, 3, 2, 11, tzinfo=UTC)
CHANNELS = ("phone", "email", "letter")
PURPOSES = ("marketing", "service", "notice", "survey")

# What each customer's fields say, one step after the other, a month apart; None empties.
SAID: dict[str, list[dict[str, Any]]] = {
    "C-01": [{}],
    "C-02": [{"core.do_not_contact": True}],
    "C-03": [{"core.do_not_contact": False}, {"core.do_not_contact": True}],
    "C-04": [{"core.do_not_contact": True}, {"core.do_not_contact": False}],
    "C-05": [{"core.contact_consent": True}],
    "C-06": [{"core.contact_consent": True}, {"core.contact_consent": False}],
    "C-07": [{"core.contact_consent": False}, {"core.contact_consent": True}],
    "C-08": [{"telecom.retention_consent": True, "hotel.marketing_consent": True}],
    "C-09": [{"telecom.retention_consent": False, "hotel.marketing_consent": False}],
    "C-10": [{"telecom.retention_consent": True}, {"telecom.retention_consent": False}],
    "C-11": [{"telecom.retention_consent": False}, {"core.contact_consent": True}],
    "C-12": [{"hotel.marketing_consent": False}, {"hotel.marketing_consent": True}],
    "C-13": [{"core.do_not_contact": True}, {"core.do_not_contact": None}],
    "C-14": [{"core.do_not_contact": True, "core.contact_consent": True}],
    "C-15": [{"telecom.retention_consent": False}],
    "C-16": [{"core.contact_consent": True, "telecom.retention_consent": True}],
    "C-17": [{"core.do_not_contact": True}],
    "C-18": [{"hotel.marketing_consent": True, "hotel.occasion_consent": False}],
    "C-19": [{"banking.consent_marketing": True, "banking.consent_bureau": False}],
    "C-20": [{"telecom.retention_consent": True}],
}  # fmt: skip
# Of these the first that a field's pattern takes.
SHAPES = (
    "a",
    "A",
    "1",
    "12",
    "1234",
    "a1",
    "A1",
    "AB",
    "ABC",
    "1.50",
    "0.5",
    "10:00",
    "2025-01",
    "2025-01-10",
    "09:00-17:00",
    "1/7",
    "a.b",
    "a:b",
    "mon",
    "DE",
    "EUR",
    "+4930123456",
    "a@example.org",
    "00000000",
)
MERGED = [("C-16", "C-17"), ("C-18", "C-15")]
CASE = "the case that was opened last"
COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("consent give", {"customer": "C-01", "channel": "email", "wording": "2025-01"}),
    ("consent give", {"customer": "C-08", "channel": "phone"}),
    ("consent give", {"customer": "C-10"}),
    ("consent withdraw", {"customer": "C-12", "channel": "phone"}),
    ("consent withdraw", {"customer": "C-20", "purpose": "any"}),
    ("consent give", {"customer": "C-15"}),
    ("consent give", {"customer": "C-18"}),
    ("consent withdraw", {"customer": "C-15", "channel": "email"}),
    ("contact purpose", {"purpose": "survey", "needs": "no_objection"}),
    ("contact block", {"customer": "C-05", "reason": "dispute"}),
    ("contact block", {"customer": "C-07", "reason": "bereavement", "purpose": ["service"]}),
    ("contact log", {"customer": "C-08"}),
    ("list make", {"name": "spring", "report": "core.customers", "channel": ["phone"]}),
    ("case open", {"customer": "C-01", "topic": "billing", "channel": "phone"}),
    ("case open", {"customer": "C-02", "topic": "billing", "severity": "S1"}),
    ("case answer", {"case": CASE, "channel": "email"}),
    ("ledger post", {"ledger": "ledger.points", "customer": "C-01", "amount": 120, "reference": "a"}),
    ("ledger post", {"ledger": "ledger.points", "customer": "C-01", "amount": -20, "kind": "burn", "reference": "b"}),
    ("relation add", {"customer": "C-03", "related_to": "C-04", "role": "household"}),
    ("task add", {"title": "Call back", "customer": "C-01", "due": "2026-04-01"}),
    ("note add", {"customer": "C-01", "text": "Prefers calls after five"}),
    ("tag add", {"customer": "C-01", "tag": "vip"}),
    ("visit plan", {"customer": "C-01", "at": "2026-04-01 09:30"}),
    ("preference declare", {"customer": "C-01", "code": "PIL_TYPE", "value": "memory_foam"}),
]  # fmt: skip
PROFILE = """
name = "people"

[source]
name = "crm"
format = "csv"
delimiter = ","
key = ["ref"]

[[emit]]
entity = "customer"
key = "ref"
[emit.fields]
kind = "kind"
name = "name"

[[emit]]
entity = "core.customer"
[emit.fields]
locality = "town"
birth_date = "born"
"""
FILE = "ref,kind,name,town,born\nC-01,person,Ann One,Bonn,1980-01-02\nI-1,person,Ida New,Kiel,1990-02-03\n,person,No Key,Ulm,1970-01-01\nI-2,robot,Rob Bad,Ulm,1970-01-01\n"  # fmt: skip


class Clock:
    """One second later whenever it is asked."""

    def __init__(self) -> None:
        self.now = BEGUN

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def value(field: Any, version: int) -> Any:
    """A value that the field's schema allows, another for another version where there is one."""
    schema = field.schema
    if schema.get("enum"):
        return schema["enum"][version % len(schema["enum"])]
    text = f"text {version}"
    if "pattern" in schema:
        text = next((t for t in SHAPES if re.search(schema["pattern"], t)), text)
    return {
        FieldType.TEXT: text,
        FieldType.INTEGER: int(schema.get("minimum", 1)) + version,
        FieldType.NUMBER: float(schema.get("minimum", 0)) + 0.25 * version,
        FieldType.BOOLEAN: version == 0,
        FieldType.DATE: f"2025-01-{10 + version}",
        FieldType.INSTANT: f"2025-01-{10 + version}T08:00:00Z",
        FieldType.MONEY: f"{10 + version}.50" + ("" if "currency" in schema else " EUR"),
        FieldType.LIST: ["one", "two"][: version + 1],
    }[field.type]


def of_fields(fields: Any, version: int, wanted: Any = None) -> dict[str, Any]:
    """Values of the fields that the codec takes; a pattern that ``value`` misses leaves one out."""
    return {f.name: value(f, version) for f in fields.fields if wanted is None or wanted(f)}


def tried(set_values: Any, values: dict[str, Any]) -> Any:
    """``set_values`` of all, or of as many as it takes: a field that is refused is left out."""
    values = dict(values)
    while True:
        try:
            return set_values(values)
        except CrmkitError as error:
            named = [n for n in values if f"'{n}'" in str(error) or f".{n}" in str(error)]
            if not named:
                raise
            del values[named[0]]


class Maker:
    """Fills a workspace of whatever version this is."""

    def __init__(self, crm: Crm, clock: Clock) -> None:
        self.crm, self.clock, self.store = crm, clock, crm.store
        self.left_out: list[str] = []
        self.ids: dict[str, int] = {}

    def make(self) -> None:
        """Everything, in the order in which it would come."""
        self.customers()
        for name, values in COMMANDS if hasattr(self.crm, "run") else ():
            self.clock.now += timedelta(days=1)
            self.attempt(name, lambda name=name, values=values: self.run(name, **values))
        self.records()
        self.interactions()
        self.stages_and_outcomes()
        self.attempt("import", self.imported)
        for kept, merged in MERGED:
            self.clock.now += timedelta(days=1)
            pair = (self.ids[kept], self.ids[merged])
            self.attempt("merge", lambda pair=pair: self.crm.duplicates.merge([pair]))
        self.clock.now += timedelta(days=1)
        self.said_after_merge()

    def run(self, command: str, /, **values: Any) -> None:
        """Runs a plugin's command."""
        if values.get("case") is CASE:
            values["case"] = self.store.records.list("service.case")[-1].ref
        self.crm.run(command, **values)

    def attempt(self, what: str, act: Any) -> None:
        """What this version does not have, or refuses, is left out and named at the end."""
        try:
            act()
        except (CrmkitError, AttributeError, TypeError) as error:
            self.left_out.append(f"{what}: {error}")

    def customers(self) -> None:
        for ref, steps in SAID.items():
            for number, step in enumerate(steps):
                self.clock.now = BEGUN + timedelta(days=31 * number, minutes=int(ref[2:]))
                fields = self.known(step)
                if number:
                    seen = self.store.customers.get(self.ids[ref])
                    self.store.customers.edit(seen.id, version=seen.version, fields=fields)
                    continue
                points = [
                    ContactPoint(kind="phone", value=f"+49 30 1234{ref[2:]}00"),
                    ContactPoint(kind="email", value=f"{ref.lower()}@example.org"),
                ]
                self.ids[ref] = self.store.customers.add(
                    name=f"Person {ref}", refs=[CustomerRef("crm", ref)], contact_points=points,
                    fields=fields, locale="de-DE", region="north", owner="ann",
                ).id  # fmt: skip
        self.clock.now = BEGUN + timedelta(days=70)
        for plugin, declared in self.crm.catalog.customer_fields.items():
            plain = of_fields(declared.fields, 0, lambda f: "stricter" not in f.schema)
            seen = self.store.customers.get(self.ids["C-01"])
            tried(
                lambda v, seen=seen, plugin=plugin: self.store.customers.edit(
                    seen.id, version=seen.version, fields={plugin: v}
                ),
                plain,
            )

    def known(self, step: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """The fields of a step that this version declares, by plugin."""
        out: dict[str, dict[str, Any]] = {}
        for name, said in step.items():
            plugin, _, field = name.partition(".")
            declared = self.crm.catalog.customer_fields.get(plugin)
            if declared and field in [f.name for f in declared.fields.fields]:
                out.setdefault(plugin, {})[field] = said
        return out

    def records(self) -> None:
        made: dict[str, int] = {"customer": self.ids["C-01"]}
        types = dict(self.crm.catalog.record_types)
        while types:
            ready = [n for n, t in types.items() if t.owner is None or t.owner in made]
            for name in ready:
                declared = types.pop(name)
                owner = None if declared.owner is None else made[declared.owner]
                for version in (0,) if getattr(declared, "append_only", False) else (0, 1):
                    self.clock.now += timedelta(minutes=1)
                    self.attempt(name, lambda n=name, d=declared, o=owner, v=version: made.update({n: self.record(n, d, o, v)}))  # fmt: skip
                made.setdefault(name, 0)

    def record(self, name: str, declared: Any, owner: int | None, version: int) -> int:
        # Made-up words would hide what the customer said, or be no rule that the service desk can read.
        if name.startswith(("contact.", "service.")):
            return 0
        values = of_fields(declared.fields, version)

        def put(values: dict[str, Any]) -> Any:
            return self.store.records.set(
                name, source="crm", ref="r1", owner_id=owner, values=values
            )

        made: int = tried(put, values).id
        return made

    def interactions(self) -> None:
        for name, kind in self.crm.catalog.interaction_kinds.items():
            self.clock.now += timedelta(minutes=1)

            def log(values: dict[str, Any], name: str = name) -> None:
                new = NewInteraction(
                    kind=name, occurred_at=self.clock.now, customer_id=self.ids["C-01"],
                    source="crm", ref=name, channel="phone", payload=values,
                )  # fmt: skip
                self.store.interactions.log([new])

            self.attempt(name, lambda log=log, kind=kind: tried(log, of_fields(kind.fields, 0)))

    def stages_and_outcomes(self) -> None:
        for name, lifecycle in self.crm.catalog.lifecycles.items():
            self.clock.now += timedelta(minutes=1)
            first = next(stage.name for stage in lifecycle.stages)
            move = StageMove(
                lifecycle=name, subject_type=lifecycle.subject, subject_id=self.ids["C-01"],
                from_stage=None, to_stage=first, reason="began",
            )  # fmt: skip
            self.attempt(name, lambda move=move: self.store.stages.move([move]))
        outcome = Outcome(
            name="telecom.churn", kind="score", subject_id=self.ids["C-01"],
            as_of=self.clock.now, run="r1", value=0.25, band=3, reasons=("paid late",),
        )  # fmt: skip
        self.store.outcomes.replace("telecom.churn", [outcome])

    def imported(self) -> None:
        folder = self.crm.settings.folder
        (folder / "people.toml").write_text(PROFILE, encoding="utf-8")
        (folder / "people.csv").write_text(FILE, encoding="utf-8")
        self.crm.import_file(folder / "people.csv", profile=str(folder / "people.toml"))

    def said_after_merge(self) -> None:
        """Of merged customers the kept one says something new."""
        seen = self.store.customers.get(self.ids["C-18"])
        fields = self.known({"hotel.marketing_consent": True})
        if fields:
            self.store.customers.edit(seen.id, version=seen.version, fields=fields)


def verdicts(crm: Crm, ids: dict[str, int]) -> dict[str, dict[str, str | None]]:
    """By customer, and by channel and purpose: the code against it, or None where it is allowed."""
    try:
        from crmkit.entities import ContactRequest

        policy = crm.service("contact.policy")
    except (ImportError, AttributeError):
        return {}
    asked = [(r, c, p) for r in ids for c in CHANNELS for p in PURPOSES]
    requests = [
        ContactRequest(customer_id=ids[r], channel=c, purpose=p, at=ASKED) for r, c, p in asked
    ]
    out: dict[str, dict[str, str | None]] = {}
    for (ref, channel, purpose), decision in zip(asked, policy.ask(requests), strict=True):
        out.setdefault(ref, {})[f"{purpose} by {channel}"] = decision.code
    return out


def dump_sqlite(path: Path) -> Iterator[str]:
    """The statements that make the database again."""
    with sqlite3.connect(path) as connection:
        yield from connection.iterdump()


def dump_postgresql(url: str) -> Iterator[str]:
    """The same, from pg_dump; its own commands and settings left out."""
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    command = ["pg_dump", "--inserts", "--no-owner", "--no-privileges", plain]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        if line and not line.startswith(("--", "\\", "SET ", "SELECT pg_catalog.set_config")):
            yield line


def tables(crm: Crm) -> dict[str, int]:
    """Rows by table."""
    with crm.store.read() as connection:
        names = [t.name for t in crm.store.metadata.sorted_tables]
        ask = connection.exec_driver_sql
        return {n: int(ask(f"SELECT count(*) FROM {n}").scalar_one()) for n in sorted(names)}


def main() -> None:
    """Makes one fixture."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("name")
    reader.add_argument("folder", type=Path)
    reader.add_argument("--database", help="an empty PostgreSQL database")
    given = reader.parse_args()
    clock = Clock()
    scratch = Path(tempfile.mkdtemp())
    crm = init_workspace(
        scratch / "workspace", plugins=PLUGINS, clock=clock, actor="tester", currency="EUR",
        time_zone="Europe/Berlin", **({"database": given.database} if given.database else {}),
    )  # fmt: skip
    maker = Maker(crm, clock)
    maker.make()
    for line in maker.left_out:
        print("left out:", line, file=sys.stderr)
    clock.now = ASKED
    found = {
        "verdicts": verdicts(crm, maker.ids), "ids": maker.ids, "tables": tables(crm),
        "fields": {ref: maker.crm.store.customers.fields(i) for ref, i in maker.ids.items()},
    }  # fmt: skip
    crm.close()
    kind = "postgresql" if given.database else "sqlite"
    lines = (
        dump_postgresql(given.database)
        if given.database
        else dump_sqlite(scratch / "workspace" / "crmkit.db")
    )
    file = given.folder / f"{given.name}.{kind}.sql.gz"
    file.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))
    if not given.database:
        text = json.dumps(found, indent=1, sort_keys=True, default=str, ensure_ascii=False)
        (given.folder / f"{given.name}.json").write_text(text + "\n", encoding="utf-8")
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
