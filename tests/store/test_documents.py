"""Documents: files by their hash, attached to customers and records, on both databases."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from crmkit.entities import CustomerRef
from crmkit.errors import InputRefused, NotFound, StorageError, UsageError
from crmkit.store.document_files import LONGEST_NAME, safe_name
from crmkit.store.documents import Documents
from crmkit.store.store import Store

PDF = b"%PDF-1.4 the contract"


@pytest.fixture
def documents(store: Store, tmp_path: Path) -> Documents:
    return Documents(store, tmp_path / "documents", most_bytes=1000)


def customer(store: Store, ref: str = "1") -> int:
    return store.customers.add(refs=[CustomerRef("b", ref)]).id


def written(folder: Path, name: str, content: bytes = PDF) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def files(documents: Documents) -> list[str]:
    return sorted(p.name for p in documents.files.folder.rglob("*") if p.is_file())


def test_a_file_is_kept_under_its_hash_and_comes_back_unchanged(
    store: Store, documents: Documents, tmp_path: Path
) -> None:
    person = customer(store)
    made = documents.add(
        written(tmp_path, "Vertrag 1.pdf"), type=" sales  contract", customer_id=person,
        expires_on=date(2027, 1, 31),
    )  # fmt: skip
    sha256 = hashlib.sha256(PDF).hexdigest()
    assert (made.type, made.file_name, made.size, made.sha256, made.media_type) == (
        "sales contract", "Vertrag 1.pdf", 21, sha256, "application/pdf",
    )  # fmt: skip
    kept = documents.files.folder / sha256[:2] / sha256
    assert kept.read_bytes() == PDF
    assert kept.stat().st_mode & 0o777 == 0o600
    assert documents.list(customer_id=person) == [made]
    assert documents.read(made.id) == PDF


def test_the_next_to_expire_comes_first_and_the_rest_can_be_left_out(
    store: Store, documents: Documents, tmp_path: Path
) -> None:
    person, other = customer(store), customer(store, "2")
    file = written(tmp_path, "a.pdf")
    days = [None, date(2027, 2, 1), date(2027, 1, 31)]
    for day in days:
        documents.add(file, type="contract", customer_id=person, expires_on=day)
    documents.add(file, type="photo", customer_id=other)
    assert [d.expires_on for d in documents.list(customer_id=person)] == [days[2], days[1], None]
    assert [d.expires_on for d in documents.list(expires_by=date(2027, 1, 31))] == [days[2]]
    assert [d.customer_id for d in documents.list(type="photo")] == [other]


def test_a_document_of_a_record_belongs_to_the_records_customer(
    store: Store, documents: Documents, tmp_path: Path
) -> None:
    person = customer(store)
    line = store.records.set("shop.line", source="t", ref="l1", owner_id=person, values={})
    card = store.records.set("shop.card", source="t", ref="c1", owner_id=line.id, values={})
    made = documents.add(written(tmp_path, "a.pdf"), type="x", record=("shop.card", card.id))
    assert (made.customer_id, made.record_type, made.record_id) == (person, "shop.card", card.id)
    assert documents.list(record=("shop.card", card.id)) == [made]
    assert documents.list(record=("shop.line", line.id)) == []


def test_the_file_goes_with_the_last_document_that_has_it(
    store: Store, documents: Documents, tmp_path: Path
) -> None:
    file = written(tmp_path, "a.pdf")
    first = documents.add(file, type="contract", customer_id=customer(store))
    second = documents.add(file, type="contract", customer_id=customer(store, "2"))
    assert len(files(documents)) == 1
    documents.remove(first.id)
    assert documents.read(second.id) == PDF
    documents.remove(second.id)
    assert files(documents) == []
    with pytest.raises(NotFound, match="was removed"):
        documents.read(second.id)
    with pytest.raises(NotFound, match="removed already"):
        documents.remove(second.id)
    gone = documents.get(second.id)
    assert (gone.removed, gone.version, gone.type) == (True, 2, "contract")
    again = documents.add(file, type="contract", customer_id=customer(store, "3"))
    assert documents.read(again.id) == PDF


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.pdf", b"MZ\x90\x00", "a.pdf does not hold what .pdf says"),
        ("a.png", PDF, "a.png does not hold what .png says"),
        ("a.txt", PDF, "a.txt does not hold text, as .txt says"),
        ("a.csv", b"a\x00b", "a.csv does not hold text, as .csv says"),
        ("a.exe", b"MZ", "a.exe is of no kind that is taken"),
        ("a.svg", b"<svg/>", "a.svg is of no kind that is taken"),
        ("pdf", PDF, "pdf is of no kind that is taken"),
        ("a.pdf", b"", "a.pdf is empty"),
        ("a.pdf", b"%PDF-" + b"x" * 996, "a.pdf is larger than 0.001 MB"),
    ],
)
def test_what_is_no_sound_document_is_refused_and_leaves_nothing(
    sqlite_store: Store, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    documents = Documents(sqlite_store, tmp_path / "documents", most_bytes=1000)
    with pytest.raises(InputRefused, match=told):
        documents.add(
            written(tmp_path, name, content), type="x", customer_id=customer(sqlite_store)
        )
    assert files(documents) == []
    assert documents.list() == []


def test_the_largest_file_allowed_is_taken(sqlite_store: Store, tmp_path: Path) -> None:
    documents = Documents(sqlite_store, tmp_path / "documents", most_bytes=1000)
    content = b"%PDF-" + b"x" * 995
    file = written(tmp_path, "a.pdf", content)
    assert documents.add(file, type="x", customer_id=customer(sqlite_store)).size == 1000


def test_a_folder_a_pipe_and_nothing_at_all_are_refused(
    sqlite_store: Store, tmp_path: Path
) -> None:
    documents = Documents(sqlite_store, tmp_path / "documents", most_bytes=1000)
    person = customer(sqlite_store)
    (tmp_path / "folder.pdf").mkdir()
    os.mkfifo(tmp_path / "pipe.pdf")
    for name in ("folder.pdf", "pipe.pdf", "absent.pdf"):
        with pytest.raises(InputRefused):
            documents.add(tmp_path / name, type="x", customer_id=person)
    with pytest.raises(UsageError, match="needs a type"):
        documents.add(written(tmp_path, "a.pdf"), type=" ", customer_id=person)
    with pytest.raises(NotFound):
        documents.add(written(tmp_path, "a.pdf"), type="x", customer_id=17)
    assert files(documents) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\ann\\deed.pdf", "deed.pdf"),
        ("a\u202efdp.exe.pdf", "afdp.exe.pdf"),
        ("line\nbreak\x00.pdf", "linebreak.pdf"),
        ("合同.pdf", "合同.pdf"),
        (" . hidden.pdf. ", "hidden.pdf"),
        ("x" * 300 + ".pdf", "x" * (LONGEST_NAME - 4) + ".pdf"),
    ],
)
def test_a_name_is_shown_without_folders_and_hidden_characters(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_a_name_of_nothing_but_dots_is_refused() -> None:
    with pytest.raises(InputRefused, match="is no file name"):
        safe_name("/../..")


def test_a_changed_and_a_missing_file_are_told(sqlite_store: Store, tmp_path: Path) -> None:
    documents = Documents(sqlite_store, tmp_path / "documents", most_bytes=1000)
    person = customer(sqlite_store)
    one = documents.add(written(tmp_path, "a.pdf"), type="x", customer_id=person)
    two = documents.add(written(tmp_path, "b.txt", b"text"), type="x", customer_id=person)
    assert documents.check() == []
    documents.files.path(one.sha256).write_bytes(b"%PDF-9 forged")
    documents.files.path(two.sha256).unlink()
    stray = documents.files.folder / ".new-left"
    stray.write_bytes(b"")
    with pytest.raises(StorageError, match="was changed on disk"):
        documents.read(one.id)
    with pytest.raises(StorageError, match="cannot be read"):
        documents.read(two.id)
    assert sorted(documents.check()) == [
        ("changed", str(documents.files.path(one.sha256))),
        ("missing", str(documents.files.path(two.sha256))),
        ("unknown", str(stray)),
    ]


SCRIPT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from crmkit.store.documents import Documents
from crmkit.store.store import Store

empty = dict.fromkeys(("plugins", "customer_fields", "record_types", "interaction_kinds",
                       "lifecycles", "migrations"), {})
store = Store(sys.argv[1], SimpleNamespace(**empty), clock=lambda: datetime.now(UTC), actor="x")
documents = Documents(store, Path(sys.argv[2]), most_bytes=10**7)
file = Path(sys.argv[2] + ".txt")
print("ready", flush=True)
for i in range(100_000):
    file.write_bytes(b"%d" % i + b"x" * 200_000)
    made = documents.add(file, type="x", customer_id=int(sys.argv[3]))
    if i % 3 == 0:
        documents.remove(made.id)
    print(made.id, flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_moment_no_document_lacks_its_file(
    sqlite_store: Store, tmp_path: Path
) -> None:
    person, folder = customer(sqlite_store), tmp_path / "documents"
    documents = Documents(sqlite_store, folder, most_bytes=10**7)
    for after in (0.05, 0.11, 0.23):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(sqlite_store.engine.url), str(folder), str(person)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(after)
        process.kill()
        out, _ = process.communicate(timeout=60)
        for line in out.split("\n")[:-1]:
            documents.get(int(line))
        for found in documents.list():
            assert len(documents.read(found.id)) == found.size
        assert {fault for fault, _ in documents.check()} <= {"unknown"}
