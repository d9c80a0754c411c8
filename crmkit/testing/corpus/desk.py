"""Where cases are run: a store with a made-up plugin's customer fields, one source per case."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ...declarations import CustomerFields, RowFault
from ...errors import CrmkitError
from ...hosting.catalog import Catalog
from ...hosting.host import PluginHost
from ...settings import Settings
from .case import Case

if TYPE_CHECKING:
    from ...intake.intake import Intake
    from ...store.store import Store

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
_TEXT = {"type": "string"}
FIELDS = {
    "type": "object",
    "properties": {
        "fee": {"type": "string", "format": "money"},
        "yen": {"type": "string", "format": "money", "currency": "JPY"},
        "price": {"type": "number", "multipleOf": 0.01},
        "ratio": {"type": "number"},
        "count": {"type": "integer"},
        "born_on": {"type": "string", "format": "date"},
        "arrived_on": {"type": "string", "format": "date"},
        "left_on": {"type": "string", "format": "date"},
        "seen_at": {"type": "string", "format": "date-time"},
        "member": {"type": "boolean"},
        "resident_id": {"type": "string", "format": "cn.ric", "maxLength": 18},
        "note": _TEXT,
    },
}


def check_rows(batch: Any) -> Sequence[RowFault]:
    """The made-up plugin's rules across fields: what one field's schema cannot say."""
    if batch.entity != "corpus.customer":
        return []
    faults: list[RowFault] = []

    def column(name: str) -> Sequence[Any]:
        return batch.columns.get(name) or ()

    for row, born in enumerate(column("born_on")):
        if born is not None and born > NOW.date():
            faults.append(_fault(row, "born_on", born, "is in the future"))
    for row, (came, went) in enumerate(zip(column("arrived_on"), column("left_on"), strict=False)):
        if came is not None and went is not None and went < came:
            faults.append(_fault(row, "left_on", went, f"is before arrived_on {came}"))
    return faults


def _fault(row: int, field: str, value: date | str, words: str) -> RowFault:
    return RowFault(row=row, field=field, value=str(value), message=f"{value} {words}")


@frozen
class _Manifest:
    version: str = "1"


class _Host:
    """Asks the made-up plugin, as a host would."""

    def call_veto(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        return [("corpus", check_rows(arguments["batch"]))] if hook == "check_rows" else []


@frozen
class Desk:
    """A store to run cases against.

    Attributes:
        store, intake: of the desk.
        folder: where the cases' files are written.
    """

    store: Store
    intake: Intake
    folder: Path

    def faults(self, case: Case) -> list[str]:
        """What crmkit does otherwise than the case says, one sentence each; nothing is right.

        Anything but an error of crmkit's own goes through: that is a bug with its traceback.
        """
        found: list[str] = []
        before = self._rows()
        try:
            result = self.intake.import_file(
                self.write(case), str(self._profile(case)), source=case.name, **case.options
            )
        except CrmkitError as error:
            if case.refused is None:
                return [f"refused: {error.code} {error}"]
            _same(found, "code", error.code, case.refused)
            if case.remark not in str(error):
                found.append(f"it says {str(error)!r}, without {case.remark!r}")
            _same(found, "exit code", error.exit_code, case.exit_code)
            if self._rows() != before:
                found.append("it was refused, but something was changed")
            return found
        if case.refused is not None:
            return [f"read, but {case.refused} was to refuse it ({result})"]
        rejects = tuple((r.line, r.code) for r in self.store.imports.rejects(result.import_id or 0))
        _same(found, "rejects", rejects, case.rejects)
        _same(found, "unchanged", result.unchanged, case.unchanged)
        sums = result.created + result.updated + result.unchanged + result.rejected
        _same(found, "sum of the outcomes", sums, result.read)
        if case.stored is not None:
            _same(found, case.column, self.stored(case), dict(case.stored))
        if case.remark and case.remark not in " ".join(result.remarks):
            found.append(f"remarks are {result.remarks}, without {case.remark!r}")
        return found

    def write(self, case: Case) -> Path:
        """The case's file."""
        folder = self.folder / case.name.replace(" ", "-").replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / case.file
        path.write_bytes(case.bytes())
        return path

    def _profile(self, case: Case) -> Path:
        path = self.folder / f"{case.name.replace(' ', '-').replace('/', '-')}.toml"
        path.write_text(case.profile, encoding="utf-8")
        return path

    def stored(self, case: Case) -> dict[str, Any]:
        """Ref to value of the case's column, of what is stored under its source."""
        from sqlalchemy import select

        refs, customer = self.store.tables["customer_ref"], self.store.tables["customer"]
        own = self.store.tables["corpus_customer"]
        table = customer if case.column in customer.c else own
        owner = customer.c.id if table is customer else own.c.customer_id
        query = (
            select(refs.c.ref, table.c[case.column])
            .join_from(refs, table, refs.c.customer_id == owner)
            .where(refs.c.source == case.name)
        )
        with self.store.read() as connection:
            return {ref: _shown(value) for ref, value in connection.execute(query)}

    def _rows(self) -> tuple[int, ...]:
        from sqlalchemy import func, select

        names = ("customer", "corpus_customer", "import_run", "import_reject")
        with self.store.read() as connection:
            return tuple(
                connection.execute(select(func.count()).select_from(self.store.tables[n])).scalar()
                or 0
                for n in names
            )


def _shown(value: Any) -> Any:
    """Dates and instants as the text of a case."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.isoformat() if isinstance(value, date) else value


def _same(found: list[str], what: str, given: object, wanted: object) -> None:
    if given != wanted:
        found.append(f"{what}: {_cut(given)} instead of {_cut(wanted)}")


def _cut(value: object) -> str:
    out = io.StringIO(repr(value)).read(600)
    return out if len(out) < 600 else out + "..."


@contextmanager
def open_desk(folder: Path, url: str | None = None) -> Iterator[Desk]:
    """A desk in an empty folder.

    Args:
        folder: where files and, without ``url``, the SQLite database go.
        url: of another empty database.
    """
    from ...intake.intake import Intake
    from ...store.store import Store

    url = url or f"sqlite:///{folder / 'corpus.db'}"
    catalog = Catalog(
        plugins={"corpus": _Manifest()},  # type: ignore[dict-item]
        customer_fields={"corpus": CustomerFields(FIELDS)},
    )
    settings = Settings(folder=folder, database=url, time_zone="Europe/Berlin", currency="CNY")
    store = Store(url, catalog, clock=lambda: NOW, actor="corpus", time_zone="Europe/Berlin")
    try:
        store.upgrade()
        host: PluginHost = _Host()  # type: ignore[assignment]
        intake = Intake(store, catalog, host, settings, clock=lambda: NOW)
        yield Desk(store, intake, folder)
    finally:
        store.close()
