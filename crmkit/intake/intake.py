"""Intake: files into the store through profiles, in batches that can be resumed."""

from __future__ import annotations

import csv
import hashlib
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from attrs import evolve, field, frozen

from ..errors import (
    Busy,
    InputRefused,
    Interrupted,
    NotConfirmed,
    NotFound,
    PluginError,
    ProfileError,
    StorageError,
    UsageError,
)
from ..store.imports import ImportReject, import_command
from ..store.retry import rerun
from .absent import absent_file
from .batch import BATCH_ROWS
from .collecting import collecting_by_batch
from .files import check_regular, open_file
from .loading import Counts, Loader
from .lookups import ReadTable, tables_beside, tables_of_plugin
from .mapping import Mapper
from .plan import Plan, build_plan
from .profile import Profile
from .profile_toml import parse_profile
from .quality import MOST_REJECTED, Accept, check_gate, shortfalls
from .readers import open_rows, with_encoding
from .rejects import Reject, rejects_file, whole_file
from .sql_rows import is_url, query_rows

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..hosting.host import PluginHost
    from ..settings import Settings
    from ..store.imports import ImportRun
    from ..store.store import Store

Progress = Callable[[int, int], None]


@frozen(kw_only=True)
class ImportResult:
    """What an import did; ``created + updated + unchanged + rejected == read``.

    Attributes:
        import_id: id of the run, None for a dry run.
        seconds: of this call; a resumed import counts from where it resumed.
        rejects_file: where the rejected rows are, None if there are none.
        resumed_at: line at which an interrupted import was taken up, None if it began anew.
        unknown: columns of the file that the profile does not map.
        delimiter: of a CSV file, as given or found.
        absent: with ``mode = "full"``, how many stored customers of the source the file leaves out.
        absent_file: where their keys are listed.
        reasons: the commonest reasons of this call's rejects: code, field or an empty text, rows.
        remarks: what whoever imports should know though no row was rejected for it.
    """

    import_id: int | None
    read: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    seconds: float
    rejects_file: str | None = None
    resumed_at: int | None = field(default=None, eq=False)
    unknown: tuple[str, ...] = field(default=(), eq=False)
    delimiter: str = field(default="", eq=False)
    absent: int = field(default=0, eq=False)
    absent_file: str | None = field(default=None, eq=False)
    remarks: tuple[str, ...] = field(default=(), eq=False)
    reasons: tuple[tuple[str, str, int], ...] = field(default=(), eq=False)

    @property
    def share_words(self) -> str:
        """The share of rows that were rejected and the commonest reason, in words."""
        words = f"{self.rejected / (self.read or 1):.1%} rejected ({self.rejected:,} of {self.read:,} rows)"
        if self.reasons:
            code, name, rows = self.reasons[0]
            words += f", {rows:,} of them for {code}" + (f" in {name}" if name else "")
        return words

    def as_dict(self) -> dict[str, Any]:
        """The JSON form of design D11."""
        return {
            "import_id": None if self.import_id is None else str(self.import_id),
            "read": self.read,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "seconds": round(self.seconds, 3),
            "rejects_file": self.rejects_file,
        }


@frozen
class KnownProfile:
    """A profile that there is: its name, title, and whose it is (``workspace`` or a plugin)."""

    name: str
    title: str
    owner: str
    path: Path | None = None


class _RollBack(Exception):
    """Ends a dry run's transaction without keeping it."""


class Intake:
    """Reads files into the store.

    Args:
        store: where the rows go.
        catalog: what the enabled plugins declare; their profiles are in it.
        host: asked to check rows.
        settings: of the workspace.
        clock: returns the aware UTC now.
    """

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        host: PluginHost,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self.store, self.catalog, self.host = store, catalog, host
        self.settings, self.clock = settings, clock

    # --- profiles -----------------------------------------------------------------------------

    def profiles(self) -> list[KnownProfile]:
        """Every profile by name: the workspace's own, then those of plugins that it does not hide."""
        found: dict[str, KnownProfile] = {}
        for name, declared in self.catalog.profiles.items():
            found[name] = KnownProfile(name, declared.title, self.catalog.owner(name))
        if self.settings.profiles.is_dir():
            for path in sorted(self.settings.profiles.glob("*.toml")):
                title = parse_profile(_text_of(path), str(path), tables_beside(path.parent)).title
                found[path.stem] = KnownProfile(path.stem, title, "workspace", path)
        return [found[name] for name in sorted(found)]

    def profile_text(self, name: str) -> str:
        """The TOML of a profile.

        Args:
            name: of a profile, or the path of a TOML file.

        Raises:
            NotFound: if there is no such profile.
        """
        return self._found(name)[0]

    def table_text(self, name: str, file: str) -> str:
        """A lookup table of a profile, as text.

        Raises:
            NotFound: if there is no such profile, or it has no such table.
            ProfileError: if the profile is not sound.
        """
        known = [table.file for table in self.profile(name).tables.values()]
        if file not in known:
            raise NotFound("lookup table", file, known)
        data, _ = self._found(name)[2](file)
        return data.decode("utf-8-sig")

    def _found(self, name: str) -> tuple[str, str, ReadTable]:
        """The TOML of a profile, where it comes from, and what reads its tables."""
        path = Path(name)
        if path.suffix == ".toml" or "/" in name:
            if not path.is_file():
                raise NotFound("profile file", name)
            return _text_of(path), str(path), tables_beside(path.parent)
        own = self.settings.profiles / f"{name}.toml"
        if own.is_file():
            return _text_of(own), str(own), tables_beside(own.parent)
        if name in self.catalog.profiles:
            declared = self.catalog.profiles[name]
            origin = f"{name} (plugin {self.catalog.owner(name)})"
            return declared.text, origin, tables_of_plugin(declared.tables, origin)
        known = [*self.catalog.profiles]
        if self.settings.profiles.is_dir():
            known += [p.stem for p in self.settings.profiles.glob("*.toml")]
        raise NotFound("profile", name, known)

    def profile(self, name: str) -> Profile:
        """A profile whose shape is sound, with its lookup tables.

        Raises:
            NotFound: if there is no such profile.
            ProfileError: with every fault of its shape.
        """
        return parse_profile(*self._found(name))

    def lint(self, name: str) -> list[str]:
        """Every reason why a profile cannot be used; empty when it can.

        Raises:
            NotFound: if there is no such profile.
        """
        try:
            self._plan(self.profile(name), None)
        except ProfileError as error:
            return error.faults
        return []

    def _plan(self, profile: Profile, source: str | None) -> Plan:
        return build_plan(
            profile,
            self.catalog,
            source=source or profile.source.name,
            currency=self.settings.currency,
            time_zone=self.settings.time_zone,
            form=self.store.dialect,
        )

    # --- importing ----------------------------------------------------------------------------

    def import_file(
        self,
        path: str | Path | None,
        profile: str,
        *,
        source: str | None = None,
        dry_run: bool = False,
        rejects: str | Path | None = None,
        strict: bool = False,
        encoding: str | None = None,
        accept: Accept | None = None,
        doubt: Accept | None = None,
        progress: Progress | None = None,
    ) -> ImportResult:
        """Reads a file into the store; the same call after an interruption resumes it.

        Args:
            path: the file; ``-`` is standard input. For a profile with a query, the database's
                URL, or None for the profile's ``url``.
            profile: name of a profile, or path of a TOML file.
            source: whose keys these are, instead of the profile's source.
            dry_run: True does everything and keeps nothing.
            rejects: where rejected rows go; None is a file in the workspace's ``rejects/``, and of a
                dry run none.
            strict: refuse columns that the profile does not map.
            encoding: of a text file, instead of the profile's.
            accept: asked, if the file is below the quality that the profile declares, with what
                falls short; True imports it nevertheless. None is no.
            doubt: asked, before anything is stored and once more on the way, if more than
                :data:`~crmkit.intake.quality.MOST_REJECTED` of the rows are rejected and the
                profile declares no ``max_rejected``; True goes on. None goes on unasked.
            progress: called after each batch with the bytes read and the bytes in all.

        Returns:
            The counts of the whole import, earlier parts of a resumed one included.

        Raises:
            NotFound: if there is no such file or profile.
            InputRefused: if the file cannot be read as the profile says; nothing was changed.
            ProfileError: if the profile is not sound.
            NotConfirmed: if the file is below the declared quality; nothing was changed.
            Busy: if another process runs the same import.
            PluginError: if a plugin's check fails; earlier batches stay, and the import can be
                resumed.
        """
        if rejects is not None:
            check_regular(rejects)
        known = with_encoding(self.profile(profile), encoding)
        plan = self._plan(known, source)
        with _opened(path, known) as (stream, name):

            def one() -> _Import:
                stream.seek(0)
                return _Import(self, plan, stream, name, strict=strict, progress=progress)

            if "max_rejected" in known.quality:
                doubt = None
            if not dry_run and (known.quality or doubt is not None):
                # Rows are judged before the first is stored, so a refusal leaves nothing behind: all
                # of them where the profile declares a quality.
                with closing(one()) as trial:
                    if not trial.resumes:
                        counts = trial.rehearse(batches=None if known.quality else 1)
                        check_gate(shortfalls(known.quality, counts.read, trial.codes), accept)
                        doubt = None if doubt is None else trial.check_beginning(counts, doubt)
            with closing(one()) as run:
                return run.rehearse(rejects) if dry_run else run.run(rejects, doubt)


class _Import:
    """One import of one file."""

    def __init__(
        self, intake: Intake, plan: Plan, stream: BinaryIO, name: str, *, strict: bool,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        self.intake, self.store, self.plan = intake, intake.store, plan
        self.stream, self.name, self.progress = stream, name, progress
        self.started = time.perf_counter()
        self.hash = _hash(stream)
        self.size = stream.tell()
        self.stat = _stamp(stream)
        stream.seek(0)
        self.reader = open_rows(stream, plan.profile, name, strict=strict)
        self.loader = Loader(self.store, intake.host, plan, Mapper(plan))
        # Rejected rows by code and field.
        self.reasons: Counter[tuple[str, str]] = Counter()

    @property
    def codes(self) -> Counter[str]:
        """Rejected rows by code."""
        found: Counter[str] = Counter()
        for (code, _), rows in self.reasons.items():
            found[code] += rows
        return found

    @property
    def resumes(self) -> bool:
        """Whether an earlier run of this file was interrupted, whose quality was accepted then."""
        return self._unfinished() is not None

    def close(self) -> None:
        """Removes temporary files."""
        self.loader.close()

    # --- dry run ------------------------------------------------------------------------------

    def rehearse(
        self, rejects: str | Path | None = None, *, batches: int | None = None
    ) -> ImportResult:
        """The real thing in one transaction that is rolled back.

        Args:
            rejects: file for the rejected rows.
            batches: only so many; None is all.
        """
        counts = Counts()
        with ExitStack() as stack:
            write: Callable[[Iterable[Reject]], None] | None = None
            try:
                with self.store.begin("import dry run", self.plan.source) as tx:
                    self.loader.expect_first_load(tx.connection)
                    for batch in islice(self.reader.batches(), batches):
                        loaded = self.loader.load(tx, batch)
                        self.loader.remember(loaded.remember)
                        counts.add(loaded.counts)
                        self.reasons.update((r.code, r.field) for r in loaded.rejects)
                        if loaded.rejects and rejects is not None:
                            write = write or stack.enter_context(self._rejects_file(Path(rejects)))
                            write(loaded.rejects)
                        self._report()
                    raise _RollBack
            except _RollBack:
                pass
        return self._result(None, counts, str(rejects) if write else None, None)

    def check_beginning(self, found: ImportResult, doubt: Accept) -> Accept | None:
        """Asks before anything is stored, if too many of the first rows are rejected.

        Args:
            found: of their rehearsal.

        Returns:
            What is to be asked on the way; None if the answer was to go on.

        Raises:
            NotConfirmed: if it was not.
        """
        if not _is_doubtful(found.read, found.rejected):
            return doubt
        words = self._share(found)
        if not doubt([words]):
            raise NotConfirmed(
                f"{words} Nothing was imported.",
                hint="See the rows with --dry-run --rejects FILE, or import the others with --yes.",
            )
        return None

    @staticmethod
    def _share(found: ImportResult) -> str:
        more = "" if found.read < BATCH_ROWS else "of the rows read so far "
        return f"{more}{found.share_words}."

    # --- the real thing -----------------------------------------------------------------------

    def run(self, rejects: str | Path | None, doubt: Accept | None = None) -> ImportResult:
        """Imports, or resumes the unfinished import of this very file and profile.

        Args:
            doubt: asked once, if too many rows are rejected on the way; None is not asked.
        """
        earlier = self._unfinished()
        run = earlier or self._start()
        rejected = frozenset[int]()
        if earlier is None:
            with self.store.read() as connection:
                self.loader.expect_first_load(connection)
        elif earlier.rejected:
            rejected = frozenset(r.line for r in self.store.imports.rejects(run.id))
        counts = Counts(run.read, run.created, run.updated, run.unchanged, run.rejected)
        line = run.next_line
        with self._telling_what_stands(counts), collecting_by_batch() as collect:
            for batch in self.reader.batches():
                if batch.next_line <= run.next_line:
                    self.loader.skip(batch, rejected)
                    continue
                if batch.lines and batch.lines[0] < run.next_line:
                    raise InputRefused(
                        f"import {run.id} stopped at line {run.next_line}, inside a batch of this "
                        "version; it cannot be resumed.",
                        hint="Run: crmkit batch list",
                    )
                self._check_unchanged()
                counts.add(self._load(run.id, batch, line))
                line = batch.next_line
                self._report()
                collect()
                if doubt is not None and _is_doubtful(counts.read, counts.rejected):
                    self._ask_on_the_way(run.id, counts, doubt)
                    doubt = None
        self._check_hash(run.id)
        return self._finish(run, counts, earlier, rejects)

    def _ask_on_the_way(self, run_id: int, counts: Counts, doubt: Accept) -> None:
        words = self._share(self._result(run_id, counts, None, None))
        if not doubt([words]):
            raise NotConfirmed(
                f"{words} The import was stopped; what it stored so far stays.",
                hint=f"The same command goes on; crmkit batch revert {run_id} undoes it.",
            )

    @contextmanager
    def _telling_what_stands(self, counts: Counts) -> Iterator[None]:
        """Says of an import that is cut off what of it is stored and how it goes on."""
        try:
            yield
        except (StorageError, Busy, PluginError) as error:
            error.hint = f"{error.hint} {_what_stands(counts)}".lstrip()
            raise
        except KeyboardInterrupt:
            raise Interrupted(f"the import was interrupted. {_what_stands(counts)}") from None

    def _unfinished(self) -> ImportRun | None:
        found = self.store.imports.find_resumable(self.hash, self.plan.profile.hash)
        return found if found is not None and found.source == self.plan.source else None

    def _start(self) -> ImportRun:
        return self.store.imports.start(
            file_name=self.name,
            file_hash=self.hash,
            profile=self.plan.profile.name,
            profile_hash=self.plan.profile.hash,
            source=self.plan.source,
        )

    def _load(self, run_id: int, batch: Any, line: int) -> Counts:
        try:
            return rerun(self.store, lambda: self._load_once(run_id, batch, line))
        except UsageError as error:
            if error.code != "E_CONFLICT" or not self.loader.expects_first_load:
                raise
        # Another process stored keys that were free when this import began.
        self.loader.expect_anything()
        return rerun(self.store, lambda: self._load_once(run_id, batch, line))

    def _load_once(self, run_id: int, batch: Any, line: int) -> Counts:
        with self.store.begin(import_command(run_id), self.plan.source) as tx:
            loaded = self.loader.load(tx, batch)
            if self.store.imports.get(run_id, tx=tx).next_line != line:
                raise Busy(
                    f"another process runs import {run_id} of {self.name}.",
                    hint="This one has stopped; nothing was lost or doubled.",
                )
            self.store.imports.save_progress(
                tx,
                run_id,
                next_line=batch.next_line,
                rejects=map(self._kept, loaded.rejects),
                **loaded.counts.as_dict(),
            )
        self.loader.remember(loaded.remember)
        self.reasons.update((r.code, r.field) for r in loaded.rejects)
        return loaded.counts

    def _kept(self, reject: Reject) -> ImportReject:
        original = reject.original
        row: dict[str, Any] = {"_text": original}
        if isinstance(original, list):
            header = self.reader.header or []
            row = dict(zip(header, original, strict=False))
            if len(original) > len(header):
                row["_more"] = original[len(header) :]
        return ImportReject(
            line=reject.line, code=reject.code, message=reject.message, field=reject.field or None,
            value=reject.value, allowed=reject.allowed or None, row=row,
        )  # fmt: skip

    def _finish(
        self, run: ImportRun, counts: Counts, earlier: ImportRun | None, rejects: str | Path | None
    ) -> ImportResult:
        file = self._write_rejects(run.id, rejects) if counts.rejected else None
        seconds = time.perf_counter() - self.started
        absent, absent_file = self._write_absent(run.id)
        self.store.imports.finish(run.id, seconds=seconds, rejects_file=file)
        found = self._result(run.id, counts, file, earlier.next_line if earlier else None)
        return evolve(found, absent=absent, absent_file=absent_file)

    def _write_absent(self, run_id: int) -> tuple[int, str | None]:
        present = self.loader.present
        if present is None:
            return 0, None
        path = absent_file(self.intake.settings.rejects, run_id)
        number = 0
        with whole_file(path) as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(("source", "ref"))
            for number, row in enumerate(present.absent(self.store), 1):  # noqa: B007
                writer.writerow(row)
        return number, str(path)

    def _write_rejects(self, run_id: int, given: str | Path | None) -> str:
        suffix = "jsonl" if self.reader.header is None else "csv"
        name = f"{Path(self.name).stem or 'stdin'}-{run_id}.{suffix}"
        path = Path(given) if given is not None else self.intake.settings.rejects / name
        header = self.reader.header
        found = (
            Reject(
                r.line, r.code, r.field or "", r.value or "", r.allowed or "", r.message,
                _original(r.row, header),
            )
            for r in self.store.imports.rejects(run_id)
        )  # fmt: skip
        with self._rejects_file(path) as write:
            write(found)
        return str(path)

    def _rejects_file(
        self, path: Path
    ) -> AbstractContextManager[Callable[[Iterable[Reject]], None]]:
        # A mark says UTF-8 to an import whose profile has another encoding.
        mark = self.plan.profile.source.encoding != "utf-8"
        delimiter = self.reader.delimiter or ","
        return rejects_file(path, header=self.reader.header, delimiter=delimiter, mark=mark)

    # --- guards -------------------------------------------------------------------------------

    def _check_unchanged(self) -> None:
        if _stamp(self.stream) != self.stat:
            raise self._changed()

    def _check_hash(self, run_id: int) -> None:
        self.stream.seek(0)
        if _hash(self.stream) != self.hash:
            self.store.imports.finish(run_id, status="failed")
            raise self._changed()

    def _changed(self) -> InputRefused:
        return InputRefused(
            f"{self.name} was changed while it was imported.",
            code="E_FILE_CHANGED",
            hint="Import it again once it is complete; rows stored already will be unchanged.",
        )

    def _report(self) -> None:
        if self.progress is not None:
            self.progress(min(self.stream.tell(), self.size), self.size)

    def _result(
        self, run_id: int | None, counts: Counts, rejects_file: str | None, resumed_at: int | None
    ) -> ImportResult:
        return ImportResult(
            import_id=run_id,
            read=counts.read,
            created=counts.created,
            updated=counts.updated,
            unchanged=counts.unchanged,
            rejected=counts.rejected,
            seconds=time.perf_counter() - self.started,
            rejects_file=rejects_file,
            resumed_at=resumed_at,
            unknown=self.reader.unknown,
            delimiter=self.reader.delimiter,
            remarks=(
                *self.reader.remarks,
                *self.loader.remarks,
                *_currencies_said(self.loader.currencies, self.intake.settings.currency),
            ),
            reasons=tuple((code, name, n) for (code, name), n in self.reasons.most_common(3)),
        )


def _currencies_said(found: Iterable[str], own: str) -> list[str]:
    """That amounts are in another currency than the workspace's, which reports would show."""
    others = sorted({*found} - {own})
    if not others:
        return []
    return [
        f"amounts are in {', '.join(others)}, and the workspace's currency is {own}: amounts are not "
        "converted. See currency in crmkit.toml."
    ]


def _is_doubtful(read: int, rejected: int) -> bool:
    return rejected > MOST_REJECTED * read


def _original(row: Any, header: list[str] | None) -> Any:
    if header is None:
        return row.get("_text", "")
    return [row.get(name) if row.get(name) is not None else "" for name in header]


def _text_of(path: Path) -> str:
    with open_file(path, "profile file") as stream:
        try:
            return stream.read().decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise ProfileError(str(path), [f"it is not UTF-8: {error.reason}"]) from None


def _hash(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while data := stream.read(1 << 20):
        digest.update(data)
    return digest.hexdigest()


def _stamp(stream: BinaryIO) -> tuple[int, int]:
    import os

    found = os.fstat(stream.fileno())
    return found.st_size, found.st_mtime_ns


def _what_stands(counts: Counts) -> str:
    """What is stored of an import that was cut off; its last batch may be stored besides."""
    stored = counts.created + counts.updated + counts.unchanged
    return (
        f"{counts.read} rows were read and {stored} of them are stored; the same command goes on "
        "from there."
    )


@contextmanager
def _opened(path: str | Path | None, profile: Profile) -> Iterator[tuple[BinaryIO, str]]:
    if path is None or is_url(path):
        with query_rows(path, profile) as spooled:
            yield spooled
        return
    if str(path) == "-":
        # Read twice (its hash, then its rows), so it has to be a file.
        with tempfile.TemporaryFile(prefix="crmkit-") as spool:
            shutil.copyfileobj(sys.stdin.buffer, spool)
            spool.seek(0)
            yield spool, "stdin"
        return
    with open_file(path) as stream:
        yield stream, Path(path).name
