"""A folder of report pages with an index: what a daily run leaves for its readers."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from ..errors import ConfigError, StorageError, UsageError
from ..policy import Viewer
from ..progress import steps
from .html import report_page
from .index import Entry, index_page
from .results import headline, named_grid

if TYPE_CHECKING:
    from ..analysis.reports import ReportResult, Reports
    from ..declarations import Report
    from ..entities.asof import AsOf
    from ..hosting.catalog import Catalog
    from ..store.store import Store

INDEX = "index.html"
# The same list for programs. It also says which pages are ours to take away again.
LISTING = "index.json"


@frozen
class Publication:
    """What was published.

    Attributes:
        index: path of the index page.
        entries: the published reports, in the order of the index.
        faults: reports that could not be run, by name, one sentence each; the others are there.
    """

    index: Path
    entries: tuple[Entry, ...]
    faults: dict[str, str]


def publish_reports(
    reports: Reports,
    catalog: Catalog,
    store: Store,
    viewer: Viewer,
    folder: Path,
    as_of: AsOf,
    *,
    names: Iterable[str] | None = None,
    language: str = "en",
    mask: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Publication:
    """Writes a page per report and an index page into a folder.

    Everything is made beside the folder's pages first and then moved over them, each page at once
    and the index last, so that a reader finds the old or the new page and no link leads nowhere.
    Pages of an earlier publication that are not in this one are removed; other files stay.

    Args:
        reports, catalog, store: of the workspace.
        viewer: whose rights decide on names and masks.
        folder: made if it is not there; its parent must be.
        as_of: what may be seen.
        names: which reports; None is all. Every report takes its default parameters.
        language: of titles and labels.
        mask: within it the pages are made, which says who may read them.

    Raises:
        NotFound: for a report that does not exist; nothing is written.
        UsageError: if the folder's parent does not exist, or the folder is a file.
        StorageError: if a page cannot be written; the earlier pages are then still there.
    """
    chosen = _chosen(reports, names)
    if not folder.parent.is_dir() or (folder.exists() and not folder.is_dir()):
        raise UsageError(
            f"{folder} is not a folder and cannot be made one.",
            hint="Give a new folder inside one that exists.",
        )
    entries, faults = list[Entry](), dict[str, str]()
    new = not folder.exists()
    try:
        with mask():
            folder.mkdir(exist_ok=True)
        # Inside the folder, so that moving never crosses a file system.
        with tempfile.TemporaryDirectory(prefix=".publishing-", dir=folder) as part:
            for result in _run(reports, chosen, as_of, faults):
                entry = _entry(catalog, result)
                grid = named_grid(result, store, viewer)
                text = report_page(result, grid, language=language, index=INDEX)
                with mask():
                    (Path(part) / entry.file).write_text(text, encoding="utf-8")
                entries.append(entry)
            text = index_page(entries, faults, catalog.plugins, as_of, language)
            with mask():
                (Path(part) / INDEX).write_text(text, encoding="utf-8")
                _exchange(Path(part), folder, entries, language)
    except OSError as error:
        raise StorageError(f"cannot write {folder}: {error.strerror or error}.") from error
    finally:
        if new and not (folder / INDEX).exists() and folder.is_dir():
            folder.rmdir()
    return Publication(folder / INDEX, tuple(entries), faults)


def _run(
    reports: Reports, chosen: Iterable[Report], as_of: AsOf, faults: dict[str, str]
) -> Iterator[ReportResult]:
    """The answers of the reports that run; a score that several rest on is run once."""
    scored = set[str]()
    for report in steps([*chosen], lambda report: f"report {report.name}"):
        try:
            again = not scored.issuperset(report.scores)
            yield reports.run(report.name, {}, as_of, again=again)
        except ConfigError as error:
            faults[report.name] = error.message
        else:
            scored.update(report.scores)


def _chosen(reports: Reports, names: Iterable[str] | None) -> list[Report]:
    if names is None:
        return reports.list()
    return [reports.get(name) for name in dict.fromkeys(names)]


def _entry(catalog: Catalog, result: ReportResult) -> Entry:
    report = result.report
    return Entry(
        name=report.name,
        plugin=catalog.owner(report.name),
        title=report.title,
        title_zh=report.title_zh,
        rows=result.table.num_rows,
        headline=headline(result),
        remarks=result.remarks,
    )


def _exchange(part: Path, folder: Path, entries: Sequence[Entry], language: str) -> None:
    """Moves the pages into their places, the index after them, and takes away what is no more."""
    former = _former(folder)
    for entry in entries:
        (part / entry.file).replace(folder / entry.file)
    (part / INDEX).replace(folder / INDEX)
    listing = [entry.document(language) for entry in entries]
    text = json.dumps(listing, ensure_ascii=False, indent=1)
    (part / LISTING).write_text(text + "\n", encoding="utf-8")
    (part / LISTING).replace(folder / LISTING)
    for name in former - {entry.file for entry in entries}:
        (folder / name).unlink(missing_ok=True)


def _former(folder: Path) -> set[str]:
    """The pages of the publication that is there now; a listing that we did not write names none."""
    try:
        listed = json.loads((folder / LISTING).read_text(encoding="utf-8"))
        names = {str(row["file"]) for row in listed}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()
    # Whoever edits the listing must not make us remove what is elsewhere.
    return {n for n in names if n == Path(n).name and n.endswith(".html") and n != INDEX}
