"""A plugin completes the records that an import has written, in the import's own transaction."""

from __future__ import annotations

import pytest

import crmkit
from crmkit.errors import PluginError

SOURCE = """
from crmkit import hookimpl
from crmkit.declarations import RecordType

SCHEMA = {
    "type": "object",
    "properties": {
        "size": {"type": "integer", "title": "Size", "unit": "1", "pii": "none"},
        "twice": {"type": "integer", "title": "Twice", "unit": "1", "pii": "none"},
    },
}


@hookimpl
def register_record_types():
    return [RecordType(name="kiosk.box", schema=SCHEMA, owner=None, title="Box")]


@hookimpl
def settle_records(entity, ids, store, tx):
    rows = store.records.read(entity, ("source", "ref", "size"), among={"id": ids}, tx=tx)
    for source, ref, size in rows:
        store.records.set(entity, source=source, ref=ref, values={"twice": 2 * size}, tx=tx)
        if size == 13:
            raise ValueError("unlucky")
"""
PROFILE = """
name = "boxes"

[source]
name = "b"
format = "csv"
key = ["no"]

[[emit]]
entity = "kiosk.box"
key = "no"
fields = { size = "size" }
"""


def test_hook_settle_records(tmp_path, make_plugin, crm_clock) -> None:
    make_plugin("kiosk", SOURCE)
    (tmp_path / "p.toml").write_text(PROFILE)
    file = tmp_path / "f.csv"
    with crmkit.init(tmp_path / "w", plugins=("kiosk",), clock=crm_clock) as crm:

        def read(*rows: str) -> None:
            file.write_text("\n".join(("no,size", *rows)) + "\n")
            crm.intake.import_file(file, str(tmp_path / "p.toml"))

        def boxes() -> list[tuple[str, int, int]]:
            return crm.store.records.read("kiosk.box", ("ref", "size", "twice"), sort=["ref"])

        read("a,1", "b,2")
        assert boxes() == [("a", 1, 2), ("b", 2, 4)]
        # Only what was created or changed.
        crm.store.records.set("kiosk.box", source="b", ref="b", values={"twice": 0})
        read("a,5", "b,2")
        assert boxes() == [("a", 5, 10), ("b", 2, 0)]
        with pytest.raises(PluginError, match="unlucky"):
            read("a,13", "c,1")
        assert boxes() == [("a", 5, 10), ("b", 2, 0)]
