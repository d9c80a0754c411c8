"""What a run of the rules leaves for the next one: who fulfilled each rule, and what it had seen.

Beside the runs (design D7) stand two kinds of file that only the last run of a rule writes:
``runs/<rule>.held`` with everyone for whom the condition held, fired or within the cool-down, and
``runs/<feature>.everyone`` with the values of a feature of population scope (design D6). Both are
Parquet that says of itself what it rests on, followed by its SHA-256. Without them, or when one is
not as it was written, the next run looks at everyone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from attrs import field, frozen

from ..declarations import Rule, sql_name
from ..entities.asof import AsOf
from ..errors import StorageError
from ..warehouse.changes import Seen

_DIGITS = 12
_DIGEST = hashlib.sha256().digest_size


def rule_text(rule: Rule) -> str:
    """Everything of a rule that decides whether and how it fires, as JSON."""
    parts = ("subject", "when", "action", "target", "message", "evidence", "cooldown_days")
    return json.dumps({part: getattr(rule, part) for part in parts}, ensure_ascii=False)


def rule_version(rule: Rule) -> str:
    """Names the text of a rule: the same text has the same version everywhere."""
    return hashlib.sha256(rule_text(rule).encode()).hexdigest()[:_DIGITS]


@frozen(kw_only=True)
class Held:
    """For whom a rule's condition held when it was last answered.

    Attributes:
        table: ``subject_id`` and the columns of the rule.
        on: local day of that as-of; ``seen.until`` is the instant.
        basis: names the texts that decided the answer.
        inputs: what else it rested on: the run of each score, the run behind each feature of
            population scope, by column.
        seen: which rows it could see.
    """

    table: pa.Table = field(repr=False)
    on: date
    basis: str
    inputs: Mapping[str, str] = field(hash=False)
    seen: Seen


@frozen(kw_only=True)
class Everyone:
    """A feature of population scope as the last full run computed it.

    Attributes:
        table: ``subject_id`` and the column.
        as_of: of that run, UTC without zone. run: names it.
    """

    table: pa.Table = field(repr=False)
    as_of: datetime
    run: str


class RuleStates:
    """Reads and writes what runs leave behind; ``folder`` is the workspace's ``runs/``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def held(self, rule: str) -> Held | None:
        """What the last run of a rule left, or None."""
        table = _read(self._folder / f"{sql_name(rule)}.held")
        if table is None:
            return None
        said = json.loads(table.schema.metadata[b"crmkit"])
        seen = Seen(
            newest=said["newest"], listed=frozenset(said["listed"]),
            until=datetime.fromisoformat(said["until"]),
        )  # fmt: skip
        return Held(
            table=table.replace_schema_metadata(None), on=date.fromisoformat(said["on"]),
            basis=said["basis"], inputs=said["inputs"], seen=seen,
        )  # fmt: skip

    def keep_held(self, rule: str, held: Held) -> None:
        """Replaces what the last run of a rule left.

        Raises:
            StorageError: if it cannot be written.
        """
        said = {
            "on": held.on.isoformat(), "basis": held.basis, "inputs": dict(held.inputs),
            "newest": held.seen.newest, "listed": sorted(held.seen.listed),
            "until": held.seen.until.isoformat(),
        }  # fmt: skip
        self._write(f"{sql_name(rule)}.held", held.table, said)

    def everyone(self, column: str) -> Everyone | None:
        """A feature of population scope as last computed for everyone, or None."""
        table = _read(self._folder / f"{column}.everyone")
        if table is None:
            return None
        said = json.loads(table.schema.metadata[b"crmkit"])
        as_of = datetime.fromisoformat(said["as_of"])
        return Everyone(table=table.replace_schema_metadata(None), as_of=as_of, run=said["run"])

    def keep_everyone(self, column: str, table: pa.Table, as_of: AsOf) -> None:
        """Replaces the values of a feature of population scope, unless those of a later date stand.

        Raises:
            StorageError: if they cannot be written.
        """
        until = as_of.instant.replace(tzinfo=None)
        kept = self.everyone(column)
        if kept is None or kept.as_of <= until:
            said = {"as_of": until.isoformat(), "run": uuid4().hex}
            self._write(f"{column}.everyone", table, said)

    def _write(self, name: str, table: pa.Table, said: Mapping[str, object]) -> None:
        target = self._folder / name
        draft = self._folder / f"{name}.draft"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            marked = table.replace_schema_metadata({"crmkit": json.dumps(said)})
            written = pa.BufferOutputStream()
            pq.write_table(marked, written, compression="zstd")
            content = written.getvalue()
            with draft.open("wb") as out:
                out.write(content)
                out.write(hashlib.sha256(content).digest())
            draft.replace(target)
        except OSError as error:
            raise StorageError(f"{target} cannot be written: {error.strerror}.") from error


def _read(path: Path) -> pa.Table | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None  # never run: everyone is looked at
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        return None  # damaged, or of a version that wrote no checksum
    return pq.read_table(pa.BufferReader(body))
