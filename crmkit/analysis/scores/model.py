"""A trained score as plain data: what it learnt, from when, how good it was, and its hash.

A model is a JSON document. Nothing in it is executed, so a model from a backup or another
workspace can be read without trust; scoring needs numpy and no learning library.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from attrs import field, frozen
from numpy.typing import NDArray

from ...durable import replace_text, write_new
from ...errors import ConfigError, CrmkitError, NotFound, StorageError
from .inputs import BandInput, ChoiceInput, Floats, Input, NumberInput, floats, number_array, texts
from .metrics import logistic, logit

FORMAT = 1
# Key of the SHA-256 over everything else in a stored document.
CHECKSUM = "checksum"
# Values are kept to this many decimals: arithmetic on another machine agrees further than that,
# and no decision depends on a trillionth.
DECIMALS = 12


def _whole(values: Iterable[int]) -> tuple[int, ...]:
    return tuple(values)


@frozen(kw_only=True)
class Tree:
    """A regression tree as arrays of equal length, the root at 0.

    ``column[i]`` is the design column on which node i splits, -1 for a leaf; a row goes to
    ``left[i]`` when its value is at most ``threshold[i]``, or when it is missing and
    ``missing_left[i]`` is 1. ``value[i]`` is a leaf's log-odds, and for an inner node the mean of
    its leaves weighted by training rows.
    """

    column: tuple[int, ...] = field(converter=_whole)
    threshold: tuple[float, ...] = field(converter=floats)
    left: tuple[int, ...] = field(converter=_whole)
    right: tuple[int, ...] = field(converter=_whole)
    missing_left: tuple[int, ...] = field(converter=_whole)
    value: tuple[float, ...] = field(converter=floats)


def _inputs(values: Iterable[Input]) -> tuple[Input, ...]:
    return tuple(values)


def _trees(values: Iterable[Tree]) -> tuple[Tree, ...]:
    return tuple(values)


@frozen(kw_only=True)
class Model:
    """A trained score.

    Args:
        score: its name.
        estimator: one of :data:`crmkit.declarations.ESTIMATORS`, or one that a plugin brings.
        version: counts from 1; 0 while not yet stored.
        trained_at: instant of training, ISO 8601 in UTC.
        until: last day whose outcomes it learnt from, ISO, or None for data without time.
        dates: as-of days of the training rows.
        rows, positives: how many rows it learnt from, and how many of them had the outcome.
        intercept: log-odds of the average training row.
        inputs: encoders; those of a sum (logistic, scorecard) carry weights.
        trees: trees of a boosting model.
        tuning: what was chosen while fitting, for the model card.
        metrics: figures of the evaluation made at training time, if any.
        reference: edges and shares of the training values, for the stability index.
    """

    score: str
    estimator: str
    version: int = 0
    trained_at: str = ""
    until: str | None = None
    dates: tuple[str, ...] = field(default=(), converter=texts)
    rows: int = 0
    positives: int = 0
    intercept: float = 0.0
    inputs: tuple[Input, ...] = field(default=(), converter=_inputs)
    trees: tuple[Tree, ...] = field(default=(), converter=_trees)
    tuning: Mapping[str, Any] = field(factory=dict, hash=False)
    metrics: Mapping[str, Any] = field(factory=dict, hash=False)
    reference: Mapping[str, Any] = field(factory=dict, hash=False)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features that it reads, in order."""
        return tuple(i.feature for i in self.inputs)

    @property
    def additive(self) -> bool:
        """Whether it is a sum with weights in its inputs, which can be read and said in SQL."""
        return self.estimator != "boosting"

    def contributions(self, table: pa.Table) -> Floats:
        """What each input adds to each row's log-odds, against the average training row.

        Args:
            table: one column per input, by its SQL name.

        Returns:
            Shape (rows, inputs); ``intercept`` plus the sum of a row is the row's log-odds.
        """
        if self.additive:
            parts = [i.contribution(table.column(i.column)) for i in self.inputs]
            return np.column_stack(parts) if parts else np.zeros((table.num_rows, 0))
        return _tree_contributions(self.trees, self.inputs, table)

    def values(self, contributions: Floats) -> Floats:
        """Probabilities from :meth:`contributions`, to 12 decimals."""
        total = np.full(len(contributions), self.intercept)
        # Column by column, so that one row alone gives the same digits as in a batch of many.
        for position in range(contributions.shape[1]):
            total += contributions[:, position]
        return np.asarray(np.round(logistic(total), DECIMALS), dtype=np.float64)

    def predict(self, table: pa.Table) -> Floats:
        """Probability of the outcome for each row of ``table``."""
        return self.values(self.contributions(table))

    def points(self, value: float) -> int | None:
        """The whole points that belong to a probability; None unless it is a card in points.

        Such a card says its scale in ``tuning["scorecard"]``: ``points`` at ``odds`` of good to
        bad, and ``pdo`` more that double them.
        """
        scale = self.tuning.get("scorecard")
        if scale is None:
            return None
        factor = scale["pdo"] / math.log(2.0)
        odds = float(-logit(value))
        found: int = round(scale["points"] + factor * (odds - math.log(scale["odds"])))
        return found

    def content(self) -> dict[str, Any]:
        """What the model is, without when it was stored: equal training gives equal content."""
        document = {"format": FORMAT, **attrs.asdict(self, recurse=True)}
        for key in ("version", "trained_at", "metrics"):
            del document[key]
        for source in document["inputs"]:
            # What came later and is not used does not change the hash of models of before.
            for key in ("specials", "special_weights"):
                if not source.get(key, True):
                    del source[key]
        plain: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
        return plain

    @property
    def hash(self) -> str:
        """SHA-256 over :meth:`content`, in hexadecimal."""
        text = json.dumps(self.content(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> str:
        """The document that is stored."""
        head = {"version": self.version, "trained_at": self.trained_at}
        tail = {"metrics": dict(self.metrics), "hash": self.hash}
        document = json.loads(json.dumps({**head, **self.content(), **tail}, allow_nan=False))
        document[CHECKSUM] = _checksum(document)
        return json.dumps(document, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "model") -> Model:
        """Reads a stored model.

        Raises:
            ConfigError: if it is of a later format.
            StorageError: if it is damaged or was changed after it was stored.
        """
        changed = StorageError(
            f"the model {where} was changed after it was stored: its checksum does not fit.",
            code="E_DAMAGED",
            hint="Restore it from a backup. Without one, move it away and train the score again.",
        )
        try:
            document = json.loads(text)
            # The hash leaves out when it was stored and how it was measured; models of versions
            # that kept no checksum have only the hash.
            if CHECKSUM in document and document.pop(CHECKSUM) != _checksum(document):
                raise changed
            stored, kind = document.pop("hash"), document.pop("format")
            if kind != FORMAT:
                raise ConfigError(
                    f"{where} has format {kind}; this crmkit reads format {FORMAT}.",
                    hint="Upgrade crmkit, or train the score again.",
                )
            document["inputs"] = [_input(i) for i in document["inputs"]]
            document["trees"] = [Tree(**t) for t in document["trees"]]
            model = cls(**document)
        except CrmkitError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise changed from error
        if model.hash != stored:
            raise changed
        return model


class ModelFolder:
    """Stored models: ``<folder>/<score>/<version>.json``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def versions(self, score: str) -> list[int]:
        """Stored versions of a score, oldest first."""
        files = (self.folder / score).glob("*.json")
        return sorted(int(f.stem) for f in files if f.stem.isdigit())

    def load(self, score: str, version: int | None = None) -> Model:
        """A stored version, the latest by default.

        Raises:
            NotFound: if the score was never trained, or has no such version.
            ConfigError: if the file is of a later format.
            StorageError: if the file is damaged or cannot be read.
        """
        known = self.versions(score)
        if not known:
            raise NotFound("model of", score, hint=f"Train it: crmkit score train {score}")
        wanted = known[-1] if version is None else version
        if wanted not in known:
            raise NotFound(f"version of model {score}", str(wanted), [str(v) for v in known])
        path = self.folder / score / f"{wanted}.json"
        try:
            # Bytes that are no UTF-8 any more become a sign that no checksum was made over.
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            told = error.strerror or str(error)
            raise StorageError(f"the model {path} cannot be read: {told}.") from error
        return Model.from_json(text, f"{score}/{path.name} in models/")

    def damaged(self) -> list[Path]:
        """Files of models that cannot be read or were changed after they were stored."""
        found = []
        for path in sorted(self.folder.glob("*/*.json")):
            if path.stem.isdigit():
                try:
                    self.load(path.parent.name, int(path.stem))
                except StorageError:
                    found.append(path)
        return found

    def save(self, model: Model) -> Model:
        """Stores a model under the next version, and returns it with that version.

        A model equal to the latest one is not stored twice; the latest is returned, with the metrics
        of this one where it had none.
        """
        known = self.versions(model.score)
        if known:
            latest = self.load(model.score)
            if latest.hash == model.hash:
                return self._with_metrics(latest, model.metrics)
        folder = self.folder / model.score
        folder.mkdir(parents=True, exist_ok=True)
        version = known[-1] + 1 if known else 1
        while True:
            numbered = attrs.evolve(model, version=version)
            try:
                # Exclusive, so that two trainings at once never overwrite each other.
                write_new(folder / f"{version}.json", numbered.to_json())
                return numbered
            except FileExistsError:
                version += 1

    def _with_metrics(self, kept: Model, metrics: Mapping[str, Any]) -> Model:
        if kept.metrics or not metrics:
            return kept
        measured = attrs.evolve(kept, metrics=metrics)
        path = self.folder / kept.score / f"{kept.version}.json"
        replace_text(path, measured.to_json())
        return measured


def _checksum(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _input(document: Mapping[str, Any]) -> Input:
    kinds: dict[str, type[NumberInput] | type[BandInput] | type[ChoiceInput]] = {
        "number": NumberInput,
        "band": BandInput,
        "choice": ChoiceInput,
    }
    return kinds[document["kind"]](**document)


def design_matrix(inputs: Sequence[Input], table: pa.Table) -> Floats:
    """The design columns that trees split on: raw numbers with NaN, one column per level.

    Trees need no scaling and no missing indicator beside a number; a text needs its levels.
    """
    return np.column_stack([tree_columns(i, table) for i in inputs])


def tree_columns(source: Input, table: pa.Table) -> Floats:
    """The design columns of one input for trees."""
    values = table.column(source.column)
    if isinstance(source, NumberInput):
        return number_array(values).reshape(-1, 1)
    return source.encode(values)


def tree_widths(inputs: Sequence[Input]) -> list[int]:
    """How many design columns each input has in :func:`design_matrix`."""
    return [1 if isinstance(i, NumberInput) else i.width for i in inputs]


def _tree_contributions(trees: Sequence[Tree], inputs: Sequence[Input], table: pa.Table) -> Floats:
    """The change of a tree's mean along each row's path, booked to the input split on.

    Path attribution (Saabas 2014): exact in sum and cheap, though it favours splits near the leaves
    over those near the root (Lundberg et al. 2020, 10.1038/s42256-019-0138-9).
    """
    design = design_matrix(inputs, table)
    owner = np.repeat(np.arange(len(inputs)), tree_widths(inputs))
    rows = np.arange(len(design))
    out = np.zeros((len(design), len(inputs)))
    for tree in trees:
        column, value = np.array(tree.column), np.array(tree.value)
        threshold, missing_left = np.array(tree.threshold), np.array(tree.missing_left) == 1
        left, right = np.array(tree.left), np.array(tree.right)
        node: NDArray[np.intp] = np.zeros(len(design), dtype=np.intp)
        active = rows[column[node] >= 0]
        while len(active):
            here = node[active]
            x = design[active, column[here]]
            goes_left = np.where(np.isnan(x), missing_left[here], x <= threshold[here])
            below = np.where(goes_left, left[here], right[here])
            out[active, owner[column[here]]] += value[below] - value[here]
            node[active] = below
            active = active[column[below] >= 0]
    return out
