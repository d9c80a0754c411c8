"""The score service: train, evaluate, run and explain."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from ...declarations import Feature, Score, sql_name
from ...entities.asof import AsOf
from ...errors import ConfigError, NotFound, UsageError
from ...progress import step
from ..runs import Run, Runs
from .applying import SAMPLE, Explanation, bands, explained, rows_of, score_rows, told
from .card import card
from .dataset import POSITION, Dataset, Datasets
from .estimators import Tuner, fit
from .evaluation import Evaluation, cross_validate, evaluate_in_order, evaluate_later
from .inputs import Floats
from .leaks import check_powers, input_powers, refuse_outcome_fields, refuse_protected_fields
from .model import Model, ModelFolder
from .stability import run_stability
from .training import INNER_FOLDS, check_sides, labels

if TYPE_CHECKING:
    from ...hosting.catalog import Catalog
    from ...settings import Settings
    from ...store.store import Store
    from ...warehouse.warehouse import Warehouse
    from ..features import Features

# Folds of the evaluation that goes into a model whose data have no later dates.
CARD_FOLDS = 5
# Above this share of rejected rows those that are left may be another population.
UNSEEN_SHARE = 0.01
# Shown for a score whose estimator is found by competition, before it is trained.
AUTOMATIC = "automatic"


class Scores:
    """Scores of the enabled plugins: calibrated probabilities from the operator's own past."""

    def __init__(
        self,
        warehouse: Warehouse,
        features: Features,
        store: Store,
        catalog: Catalog,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._warehouse, self._catalog, self._settings = warehouse, catalog, settings
        self._clock = clock
        self._store = store
        self._models = ModelFolder(settings.models)
        self._runs = Runs(settings.runs, store, clock)
        self._datasets = Datasets(warehouse, features, catalog, settings)

    def get(self, name: str) -> Score:
        """The score of that name.

        Raises:
            NotFound: with the near misses.
        """
        try:
            return self._catalog.scores[name]
        except KeyError:
            raise NotFound("score", name, self._catalog.scores) from None

    def list(self) -> list[dict[str, Any]]:
        """Every declared score with its latest model.

        Returns:
            name, title, estimator, inputs, version, trained_at, until, rows and positives of each;
            the last five are None while it is not trained.
        """
        found = []
        for name, score in sorted(self._catalog.scores.items()):
            model = self._models.load(name) if self._models.versions(name) else None
            found.append(
                {
                    "name": name,
                    "title": score.title,
                    "estimator": (model and model.estimator) or score.estimator or AUTOMATIC,
                    "inputs": len(score.features),
                    "version": model and str(model.version),
                    "trained_at": model and model.trained_at,
                    "until": model and model.until,
                    "rows": model and model.rows,
                    "positives": model and model.positives,
                }
            )
        return found

    # --- learn ------------------------------------------------------------------------------------

    def train(
        self,
        name: str,
        *,
        until: date | None = None,
        allow_leak: bool = False,
        estimator: str | None = None,
        measured: bool = False,
        inferred: Mapping[int, int] | None = None,
    ) -> Model:
        """Trains a score on all outcomes known by the end of a day and stores the model.

        Where the data have no time and the score declares a cross-section, that is learnt from.
        Without an estimator, declared or given, the rivals compete.

        Args:
            name: of the score.
            until: last day whose events may be seen; None is now.
            allow_leak: train even though an input looks like a leak.
            estimator: instead of the declared one.
            measured: evaluate on the same rows, too, and keep the figures in the model: on later
                dates where there are enough, else in five folds.
            inferred: 0 or 1 by subject whose outcome is not known but inferred, as that of applicants
                who were declined; they are learnt from as they are at that day, and never tested on.

        Raises:
            ConfigError: if no date has its outcome known, an input looks like a leak (``E_LEAK``) or
                is not known at any date, or the SQL of the model strays from Python.
        """
        score = self.get(name)
        refuse_outcome_fields(score, self._catalog)
        refuse_protected_fields(score, self._catalog)
        self._warehouse.refresh_if_stale()
        as_of = self._end(until)
        step(f"score {name}: rows to learn from")
        data = self._datasets.with_inferred(
            score, self._learnable(score, as_of), inferred or {}, as_of
        )
        inputs = self._datasets.inputs(score)
        check_sides(name, labels(data.table), INNER_FOLDS)
        powers = input_powers(inputs, data.table)
        warnings = check_powers(name, powers, allow_leak=allow_leak, vouched=score.vouched)
        learnt = data.learnt(data.table)
        step(f"score {name}: learning")
        model = fit(name, estimator or score.estimator, inputs, learnt, brought=self._brought)
        self._scored(model, data.table.slice(0, SAMPLE))
        metrics = _metrics(score, estimator, inputs, data, self._brought) if measured else {}
        return self._models.save(
            attrs.evolve(
                model,
                trained_at=self._clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
                until=str(as_of.on) if data.timed else None,
                dates=tuple(str(day) for day in data.dates),
                tuning={
                    **model.tuning,
                    "warnings": [*data.warnings, *warnings, *self._unseen()],
                    "powers": [attrs.asdict(power) for power in powers],
                },
                metrics=metrics,
            )
        )

    def model(self, name: str, version: int | None = None) -> Model:
        """A stored model, the latest by default.

        Raises:
            NotFound: if the score was never trained, or has no such version.
            ConfigError: if the file is damaged or was changed.
        """
        self.get(name)
        return self._models.load(name, version)

    def versions(self, name: str) -> builtins.list[int]:
        """The stored versions of a score, oldest first."""
        return self._models.versions(name)

    def evaluate(
        self,
        name: str,
        *,
        cv: int | None = None,
        train_until: date | None = None,
        allow_leak: bool = False,
        estimator: str | None = None,
        inferred: Mapping[int, int] | None = None,
    ) -> dict[str, Any]:
        """How good the score is on rows that it has not learnt from, with the keys of design D11.

        Args:
            cv: folds of a cross-validation, for data without time; None tests on later dates.
            train_until: outcomes known by the end of this day are learnt from, dates from it on are
                tested; None takes the latest 25 % of the rows for the test.
            allow_leak: evaluate even though an input looks like a leak.
            estimator: instead of the declared one.
            inferred: as in :meth:`train`; added to every training part.

        Raises:
            ConfigError: as :meth:`train`, or if nothing is left to train or test on.
        """
        return self.assess(
            name, cv=cv, train_until=train_until, allow_leak=allow_leak, estimator=estimator,
            inferred=inferred,
        ).figures  # fmt: skip

    def assess(
        self,
        name: str,
        *,
        cv: int | None = None,
        train_until: date | None = None,
        allow_leak: bool = False,
        estimator: str | None = None,
        rivals: bool = False,
        inferred: Mapping[int, int] | None = None,
    ) -> Evaluation:
        """As :meth:`evaluate`, with all tables and the value of every test row.

        ``rivals`` measures the estimators that are not chosen, too.
        """
        score = self.get(name)
        refuse_outcome_fields(score, self._catalog)
        refuse_protected_fields(score, self._catalog)
        self._warehouse.refresh_if_stale()
        inputs = self._datasets.inputs(score)
        chosen = estimator or score.estimator
        as_of = self._end(None)
        data = self._undated(score, as_of, cv) if cv else self._in_time(score, as_of)
        data = self._datasets.with_inferred(score, data, inferred or {}, as_of)
        powers = input_powers(inputs, data.table)
        warnings = check_powers(name, powers, allow_leak=allow_leak, vouched=score.vouched)
        brought = self._brought
        if cv:
            found = cross_validate(score, chosen, inputs, data, cv, rivals=rivals, brought=brought)
        elif not data.timed and train_until is None:
            found = evaluate_in_order(score, chosen, inputs, data, rivals=rivals, brought=brought)
        else:
            found = evaluate_later(
                score, chosen, inputs, data, train_until, rivals=rivals, brought=brought
            )
        found.figures["warnings"] = [*data.warnings, *warnings, *self._unseen()]
        return attrs.evolve(found, powers=powers)

    def card(self, name: str, version: int | None = None) -> str:
        """The model card of a stored version (the latest by default), in Markdown.

        Raises:
            NotFound: if the score was never trained, or has no such version.
        """
        score = self.get(name)
        return card(self._models.load(name, version), score, self._catalog)

    def stability(self, name: str) -> builtins.list[dict[str, Any]]:
        """How far the kept runs of a score have moved from what their model was trained on.

        Returns:
            One row for each as-of, oldest first: as_of, model_version, n, psi against the training
            rows, expected (mean value), observed (rate of the outcome; None until the horizon has
            passed), observed_expected and a verdict: ``stable``, ``watch`` or ``act``.
        """
        score = self.get(name)
        self._warehouse.refresh_if_stale()
        table = self._runs.before("score", name, date.min, self._clock())
        # Runs of some subjects alone have no band, and say nothing of the whole.
        table = table.filter(pc.is_valid(table.column("band")))
        return run_stability(score, table, self._models, self._datasets, self._end(None))

    # --- apply ------------------------------------------------------------------------------------

    def run(
        self,
        name: str,
        as_of: AsOf,
        *,
        version: int | None = None,
        only: Collection[int] | None = None,
    ) -> Run:
        """Scores everyone in the population at a date, and keeps the outcomes (design D7).

        Args:
            name: of the score.
            as_of: what may be seen.
            version: of the model; None is the latest.
            only: these subjects alone, whoever else is in the population; what was kept of others
                stays. Their band is missing, as it tells the place among all.

        Returns:
            The run, whose table has one row per subject: value, band (1 is the tenth with the
            highest values, equal values by subject id), reasons, model_version and inputs_hash.

        Raises:
            NotFound: if the score was never trained.
            UsageError: if one of ``only`` is not in the population.
        """
        self.get(name)
        model = self._models.load(name, version)
        # A model reads what it was trained on, also when the score's declaration has moved on.
        score = attrs.evolve(self.get(name), features=model.features)
        features = self._declared(model)
        self._warehouse.refresh_if_stale()
        step(f"score {name}: inputs")
        table = self._datasets.to_score(score, as_of)
        step(f"score {name}: values and reasons")
        if only is not None:
            table = rows_of(name, table, only, as_of)
        subjects = table.column("subject_id").to_numpy()
        values = self._scored(model, table)
        words, evidence, hashes = told(model, features, table, self._warehouse.currency)
        run = self._runs.write(
            "score",
            name,
            score.subject,
            as_of,
            {
                "subject_id": table.column("subject_id"),
                "value": values.tolist(),
                "band": bands(values).tolist() if only is None else [None] * len(subjects),
                "reasons": words,
                "evidence": evidence,
                "model_version": [str(model.version)] * len(subjects),
                "inputs_hash": hashes,
            },
            only=only,
        )
        return attrs.evolve(run, warnings=self._run_warnings(model, as_of))

    def inputs(
        self,
        name: str,
        subjects: Sequence[int],
        as_of: AsOf,
        *,
        version: int | None = None,
        also: Sequence[str] = (),
    ) -> pa.Table:
        """What a model reads of some subjects at a date: ``subject_id`` and its input columns.

        Args:
            name: of the score; ``version`` of its model, None is the latest.
            also: further features of the same subjects, by name.

        Returns:
            A row for each subject, in order of subject; columns have the SQL names.

        Raises:
            NotFound: if the score was never trained, or there is no such feature.
        """
        self.get(name)
        model = self._models.load(name, version)
        self._declared(model)
        self._warehouse.refresh_if_stale()
        wanted = tuple(dict.fromkeys((*model.features, *also)))
        score = attrs.evolve(self.get(name), features=wanted)
        table = self._datasets.of_subjects(score, subjects, as_of)
        return table.select(["subject_id", *(sql_name(feature) for feature in wanted)])

    def ready(self, name: str, as_of: AsOf, *, again: bool = False) -> str | None:
        """Sees to it that a score has outcomes at a date, for a report or a rule that reads it.

        A score that was never trained is trained first, on what was known by that date, so that
        the first look at imported data is not an empty list.

        Args:
            again: run it even though the latest model has been run for the date.

        Returns:
            A remark on what was done or why the outcomes are missing; None when all is usual.
        """
        remark = None
        if not self._models.versions(name):
            try:
                model = self.train(name, until=as_of.on)
            except (ConfigError, NotFound) as error:
                return f"score {name} has no model, so what rests on it is empty: {error.message}"
            remark = (
                f"score {name} had no model and was trained on {model.rows} rows; "
                f"train it anew with: crmkit score train {name}"
            )
        if again:
            self.run(name, as_of)
        else:
            self.run_once(name, as_of)
        return remark

    def run_once(self, name: str, as_of: AsOf) -> Run | None:
        """As :meth:`run` with the latest model, unless that has been run for the date; then None.

        Facts may have come in since that run; a repeated look at one date is to stay the same.
        """
        kept = self._runs.latest("score", name, as_of)
        latest = str(self._models.load(name).version)
        if kept is not None and kept.column("model_version")[0].as_py() == latest:
            return None
        return self.run(name, as_of)

    def explain(self, name: str, subject_id: int, at: AsOf | None = None) -> Explanation:
        """Recomputes the value that a run has stored of a subject, and says what makes it.

        The run's own as-of and model version are used, and its figures are compared: nothing that
        came later, no fact and no model, has a part in it.

        Args:
            name: of the score.
            subject_id: of whom.
            at: the value of the last run for this as-of or an earlier one is explained; None is
                that of the latest run, else the value of the latest model now.

        Raises:
            NotFound: if the score was never trained.
            UsageError: if no run had stored a value of the subject by ``at``.
        """
        self.get(name)
        latest = self._models.load(name)
        kept = self._kept(name, subject_id, at)
        if kept is None and at is not None:
            raise UsageError(
                f"no value of score {name} was stored by {self._shown(at)}.",
                code="E_NOT_FOUND",
                hint=self._first_stored(name, subject_id),
            )
        at, model = self._end(None), latest
        if kept is not None:
            at = AsOf(kept["as_of"].replace(tzinfo=UTC), kept["as_of_on"])
            model = self._models.load(name, int(kept["model_version"]))
        score = attrs.evolve(self.get(name), features=model.features)
        features = self._declared(model)
        self._warehouse.refresh_if_stale()
        table = self._datasets.of_subjects(score, [subject_id], at)
        value = float(self._scored(model, table)[0])
        return explained(
            model, features, table, value, kept, name=name, at=at, currency=self._warehouse.currency
        )

    # --- steps ------------------------------------------------------------------------------------

    def _scored(self, model: Model, table: pa.Table) -> Floats:
        return score_rows(self._warehouse, model, table, self._end(None))

    def _end(self, until: date | None) -> AsOf:
        zone = self._settings.time_zone
        return AsOf.at(self._clock(), zone) if until is None else AsOf.end_of(until, zone)

    def _learnable(self, score: Score, as_of: AsOf) -> Dataset:
        """Rows over time, or the cross-section where the data have no time."""
        try:
            return self._datasets.over_time(score, as_of)
        except ConfigError as error:
            if error.code != "E_NO_DATES" or score.cross_section is None:
                raise
            return self._datasets.cross_section(score, as_of)

    def _in_time(self, score: Score, as_of: AsOf) -> Dataset:
        """Rows over time, or a cross-section whose rows have an order in time."""
        try:
            return self._datasets.over_time(score, as_of)
        except ConfigError as error:
            if error.code != "E_NO_DATES" or score.cross_section is None:
                raise
            data = self._datasets.cross_section(score, as_of)
            if POSITION not in data.table.column_names:
                raise
            return data

    @property
    def _brought(self) -> dict[str, Tuner]:
        """The estimators of the enabled plugins."""
        return {name: found.tune for name, found in self._catalog.estimators.items()}

    def _undated(self, score: Score, as_of: AsOf, folds: int) -> Dataset:
        """The cross-section, or the latest labelled date: one row a subject, so folds are apart."""
        if score.cross_section is not None:
            return self._datasets.cross_section(score, as_of)
        data = self._datasets.latest(score, as_of, max(folds, 2 * INNER_FOLDS))
        if data.single:
            return data
        said = (
            f"cross-validated on the rows of {data.dates[0]} alone, one a subject; without --cv the "
            "score is tested on dates later than those that it learnt from."
        )
        return attrs.evolve(data, warnings=(*data.warnings, said))

    def _unseen(self) -> builtins.list[str]:
        """What share of a source was rejected at its last import, so that no score has seen it."""
        return [
            f"{one.rejected:,} of {one.read:,} rows ({one.rejected / one.read:.1%}) of source "
            f"{one.source} were rejected by import {one.id} of {one.file_name} and are not learnt from."
            for one in self._store.imports.last_of_sources()
            if one.read and one.rejected / one.read > UNSEEN_SHARE
        ]

    def _declared(self, model: Model) -> dict[str, Feature]:
        missing = [name for name in model.features if name not in self._catalog.features]
        if missing:
            raise ConfigError(
                f"model {model.score} version {model.version} needs {', '.join(missing)}, which no "
                "enabled plugin declares.",
                hint=f"Enable the plugin, or train again: crmkit score train {model.score}",
            )
        return {name: self._catalog.features[name] for name in model.features}

    def _kept(self, name: str, subject_id: int, at: AsOf | None) -> dict[str, Any] | None:
        """What the last run by ``at`` has stored of a subject; for None the latest run alone."""
        if at is None:
            table = self._runs.latest("score", name)
            found = (
                []
                if table is None
                else table.filter(pc.equal(table.column("subject_id"), subject_id)).to_pylist()
            )
            return found[0] if found else None
        return next(self._runs.stored_of("score", name, subject_id, at.instant), None)

    def _shown(self, at: AsOf) -> str:
        """The day, where it ends with the as-of, else the instant."""
        whole = at == AsOf.end_of(at.on, self._settings.time_zone)
        return str(at.on if whole else at)

    def _first_stored(self, name: str, subject_id: int) -> str:
        """What to do where nothing was stored early enough."""
        stored = [*self._runs.stored_of("score", name, subject_id)]
        if stored:
            return f"The first that is stored is as of {stored[-1]['as_of_on']}."
        return f"None is stored at all; to store one: crmkit score run {name} --as-of DATE"

    def _run_warnings(self, model: Model, as_of: AsOf) -> tuple[str, ...]:
        if model.until and str(as_of.on) < model.until:
            return (
                f"model {model.score} version {model.version} learnt from events to {model.until}, "
                f"later than {as_of.on}: its values there are no fair test.",
            )
        return ()


def _metrics(
    score: Score,
    estimator: str | None,
    inputs: Sequence[Feature],
    data: Dataset,
    brought: Mapping[str, Tuner],
) -> dict[str, Any]:
    """The evaluation that goes into a model: on later dates, or in folds where none are left."""
    chosen = estimator or score.estimator
    try:
        if not data.timed:
            raise ConfigError("data without time have no later dates")
        found = evaluate_later(score, chosen, inputs, data, None, rivals=True, brought=brought)
    except ConfigError:
        found = cross_validate(score, chosen, inputs, data.last, CARD_FOLDS, brought=brought)
    figures = found.measures() | {"protocol": found.figures["protocol"]}
    return figures | {
        "estimator": found.estimator,
        "rivals": found.rivals,
        "calibration": [attrs.asdict(row) for row in found.bands],
    }
