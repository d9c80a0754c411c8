"""Segments: named groups of subjects by condition, with the history of who was in them (V4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from ..declarations import Segment
from ..entities.asof import AsOf
from ..errors import NotFound, PluginError
from .conditions import Answers, Condition, Conditions
from .runs import Run, Runs
from .scores import Scores
from .wide import condition_columns
from .wording import evidence

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..settings import Settings
    from ..store.store import Store
    from ..warehouse.warehouse import Warehouse
    from .features import Features


class Segments:
    """The segments of the enabled plugins."""

    def __init__(
        self,
        warehouse: Warehouse,
        features: Features,
        store: Store,
        catalog: Catalog,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._warehouse, self._catalog = warehouse, catalog
        scores = Scores(warehouse, features, store, catalog, settings, clock)
        self._conditions = Conditions(warehouse, features, scores, catalog)
        self._runs = Runs(settings.runs, store, clock)

    def get(self, name: str) -> Segment:
        """The segment of that name.

        Raises:
            NotFound: with the near misses.
        """
        try:
            return self._catalog.segments[name]
        except KeyError:
            raise NotFound("segment", name, self._catalog.segments) from None

    def list(self) -> tuple[dict[str, Any], ...]:
        """Every segment with its last run: name, title, subject, where, members, as_of.

        ``members`` and ``as_of`` are None while it was never run, or nobody was in it.
        """
        found = []
        for name, segment in self._catalog.segments.items():
            last = self._runs.latest("segment", name)
            found.append(
                {
                    "name": name,
                    "title": segment.title,
                    "subject": segment.subject,
                    "where": segment.where,
                    "members": None if last is None else last.num_rows,
                    "as_of": None if last is None else last.column("as_of")[0].as_py(),
                }
            )
        return tuple(found)

    def ask(self, as_of: AsOf, names: Iterable[str] | None = None) -> dict[str, Answers]:
        """Who is in each segment as of a date, by subject; nothing is kept. None is all.

        Raises:
            NotFound: if a name is no segment's.
        """
        chosen = [self.get(name) for name in (self._catalog.segments if names is None else names)]
        self._warehouse.refresh_if_stale()
        return {
            subject: self._conditions.answer(
                subject,
                [Condition(name=s.name, text=s.where) for s in chosen if s.subject == subject],
                as_of,
            )
            for subject in sorted({segment.subject for segment in chosen})
        }

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns that a segment's condition looks at: what a member's row shows.

        Raises:
            NotFound: if there is no such segment.
        """
        segment = self.get(name)
        return tuple(sorted(condition_columns(self._catalog, segment.subject, segment.where)))

    def run(self, name: str, as_of: AsOf) -> Run:
        """Who is in a segment as of a date; membership is kept (design D7).

        Returns:
            The run, one row a member, with the columns of the condition as evidence.

        Raises:
            NotFound: if there is no such segment.
            PluginError: if its condition cannot be answered.
        """
        return self.run_all(as_of, [name])[0]

    def run_all(self, as_of: AsOf, names: Iterable[str] | None = None) -> tuple[Run, ...]:
        """Runs several segments, those of one subject in one pass; None is all.

        Raises:
            NotFound: if a name is no segment's.
            PluginError: naming the first segment that cannot be answered, once the others are kept.
        """
        chosen = [self.get(name) for name in (self._catalog.segments if names is None else names)]
        runs: dict[str, Run] = {}
        faults: dict[str, str] = {}
        for subject, answers in self.ask(as_of, [segment.name for segment in chosen]).items():
            faults.update(answers.faults)
            for segment in chosen:
                if segment.subject == subject and segment.name in answers.found:
                    run = self._keep(segment, answers.found[segment.name], as_of)
                    runs[segment.name] = attrs.evolve(run, warnings=answers.remarks)
        for name, fault in faults.items():
            raise PluginError(self._catalog.owner(name), f"segment {name}", fault)
        return tuple(runs[segment.name] for segment in chosen)

    def history(self, name: str) -> tuple[dict[str, Any], ...]:
        """How many members each kept run had: as_of, run, members; oldest first.

        Runs in which nobody was a member are not told apart from days without a run.
        """
        self.get(name)
        return tuple(self._runs.sizes("segment", name))

    def _keep(self, segment: Segment, members: Any, as_of: AsOf) -> Run:
        columns = [name for name in members.column_names if name != "subject_id"]
        return self._runs.write(
            "segment",
            segment.name,
            segment.subject,
            as_of,
            {
                "subject_id": members.column("subject_id"),
                "value": [1.0] * members.num_rows,
                "evidence": evidence(members, columns),
            },
        )
