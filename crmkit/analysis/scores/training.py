"""What every estimator is given: labelled rows, and the folds inside them on which it is tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from attrs import field, frozen
from numpy.typing import NDArray

from ...declarations import Feature
from ...errors import ConfigError
from .inputs import Floats

INNER_FOLDS = 5
# A grid is searched on at most this many rows; the final fit takes all.
TUNING_ROWS = 20_000
Subjects = NDArray[np.int64] | None
Splits = list[tuple[Any, Any]]
Choice = TypeVar("Choice")


@frozen(kw_only=True)
class Training:
    """Rows to learn from.

    Attributes:
        score: name of the score, for the model and for messages.
        features: inputs; ``table`` has a column for each by its SQL name.
        table: training rows with ``label`` (0 or 1).
        label: that column.
        rows: positions of the rows that tuning looks at.
        splits: train and test positions among ``rows``, one pair a fold; the same for all rivals,
            so that their losses can be compared fold by fold.
    """

    score: str
    features: tuple[Feature, ...]
    table: pa.Table = field(repr=False)
    label: Floats = field(repr=False)
    rows: NDArray[np.intp] = field(repr=False)
    splits: Splits = field(repr=False)

    @classmethod
    def of(cls, score: str, features: Sequence[Feature], table: pa.Table) -> Training:
        """Rows with the folds of their tuning.

        Raises:
            ConfigError: if they hold too few rows with or without the outcome for the folds.
        """
        label = labels(table)
        check_sides(score, label, INNER_FOLDS)
        rows, subjects = _tuning_rows(label), _subjects(table)
        splits = inner_folds(label[rows], None if subjects is None else subjects[rows])
        return cls(
            score=score, features=tuple(features), table=table, label=label, rows=rows,
            splits=splits,
        )  # fmt: skip


def simplest(losses: Mapping[Choice, Floats]) -> Choice:
    """The first choice that is no worse than the best by more than one standard error.

    The one-standard-error rule (Breiman et al. 1984, Classification and Regression Trees, section
    3.4.3), with the error of the difference to the best over the folds.

    Args:
        losses: of each fold, by choice, the simplest choice first.
    """
    best = min(losses, key=lambda choice: losses[choice].mean())
    for choice, found in losses.items():
        worse, error = gap(found, losses[best])
        if worse <= error:
            return choice
    return best


def gap(losses: Floats, best: Floats) -> tuple[float, float]:
    """Mean difference of the losses of the folds, and its standard error."""
    apart = losses - best
    return float(apart.mean()), float(apart.std(ddof=1) / np.sqrt(len(apart)))


def labels(table: pa.Table) -> Floats:
    """The column ``label`` (0 or 1) as floats, one a row."""
    return np.asarray(table.column("label").to_numpy(), dtype=np.float64)


def check_sides(score: str, label: Floats, least: int) -> None:
    """Refuses labels of which fewer than ``least`` are 1, or fewer than ``least`` are 0.

    Raises:
        ConfigError: saying how many there are and how many are needed.
    """
    positives = int(label.sum())
    if min(positives, len(label) - positives) < least:
        raise ConfigError(
            f"score {score}: of {len(label)} rows {positives} had the outcome; at least "
            f"{least} with and {least} without it are needed."
        )


def _subjects(table: pa.Table) -> Subjects:
    """Whose row each one is, or None where no subject has two."""
    if "subject_id" not in table.column_names:
        return None
    found = table.column("subject_id").to_numpy()
    return found if len(np.unique(found)) < len(found) else None


def _tuning_rows(label: Floats) -> NDArray[np.intp]:
    """Positions of at most TUNING_ROWS rows, the same draw every time."""
    order = np.random.default_rng(0).permutation(len(label))
    return np.asarray(np.sort(order[:TUNING_ROWS]), dtype=np.intp)


def inner_folds(label: Floats, subjects: Subjects) -> Splits:
    """The folds of tuning: stratified, and all rows of a subject on one side.

    A subject's months resemble one another, so with one month here and the next there every weak
    penalty would look good.
    """
    if subjects is None:
        return folds(label, INNER_FOLDS)
    from sklearn.model_selection import StratifiedGroupKFold

    splits = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=0)
    pairs = list(splits.split(np.zeros(len(label)), label, subjects))
    # Where few subjects hold all outcomes, a fold may have none: then rows are dealt singly.
    mixed = all(0 < label[test].sum() < len(test) for _, test in pairs)
    return pairs if mixed else folds(label, INNER_FOLDS)


def folds(label: Floats, count: int) -> Splits:
    """Stratified, shuffled folds with seed 0 (design D13): pairs of train and test positions."""
    from sklearn.model_selection import StratifiedKFold

    return list(
        StratifiedKFold(count, shuffle=True, random_state=0).split(np.zeros(len(label)), label)
    )
