"""A model applied to rows: their values, their places among all, and what made them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen

from ...declarations import Feature
from ...entities.asof import AsOf
from ...errors import ConfigError, UsageError
from ...warehouse.population import Population
from .boosting import TOLERANCE
from .inputs import Floats
from .model import DECIMALS, Model
from .model_sql import sql_expression
from .reasons import Reason, reasons

if TYPE_CHECKING:
    from ...warehouse.warehouse import Warehouse

# Rows scored at a time: some 50 MB for a few dozen inputs.
BATCH = 100_000
# Rows on which a model's SQL is compared with Python, at training and at every run.
SAMPLE = 2_000


@frozen(kw_only=True)
class Explanation:
    """Why a subject has its score.

    Attributes:
        value: recomputed now from the inputs as of then.
        stored: what the run kept, or None if there was no run at that as-of.
        same: whether the recomputed inputs and value are those that the run kept; None without run.
        points: the value in whole points, of a model that is a card in points.
        reasons: what raises it, strongest first; ``contributions`` every input's part of the
            log-odds against the average, by feature.
    """

    score: str
    subject_id: int
    as_of: AsOf
    value: float
    band: int | None
    stored: float | None
    same: bool | None
    points: int | None
    model_version: str
    inputs_hash: str
    reasons: tuple[Reason, ...]
    contributions: dict[str, float] = field(hash=False)
    inputs: dict[str, Any] = field(hash=False)


def score_rows(warehouse: Warehouse, model: Model, table: pa.Table, at: AsOf) -> Floats:
    """The probability of each row: by the engine where SQL can say the model, else in Python.

    Args:
        at: the date that the engine is opened for; the rows are what they are.

    Raises:
        ConfigError: if the SQL strays from Python on a sample of the rows.
    """
    if not model.additive:
        batches = range(0, max(table.num_rows, 1), BATCH)
        return np.concatenate([model.predict(table.slice(i, BATCH)) for i in batches])
    columns = [source.column for source in model.inputs]
    numbered = table.select(columns).add_column(
        0, "subject_id", pa.array(range(table.num_rows), pa.int64())
    )
    with warehouse.session(fresh=False) as session:
        frame = session.frame(Population.at(at), purpose="report", extra={"feature": numbered})
        found = frame.query(
            f"SELECT {sql_expression(model)} AS value FROM feature ORDER BY subject_id"  # noqa: S608
        )
    values = np.round(found.column("value").to_numpy(), DECIMALS)
    sample = model.predict(table.slice(0, SAMPLE))
    apart = float(np.max(np.abs(values[: len(sample)] - sample), initial=0.0))
    if apart > TOLERANCE:
        raise ConfigError(
            f"score {model.score}: its SQL form gives values {apart:.1e} apart from Python; "
            f"more than {TOLERANCE:.0e} is refused."
        )
    return np.asarray(values, dtype=np.float64)


def rows_of(name: str, table: pa.Table, only: Collection[int], as_of: AsOf) -> pa.Table:
    """The rows of some subjects.

    Raises:
        UsageError: if one of them is not there.
    """
    rows = table.filter(pc.is_in(table.column("subject_id"), pa.array(sorted(only), pa.int64())))
    absent = set(only) - set(rows.column("subject_id").to_pylist())
    if absent:
        raise UsageError(
            f"score {name} is not about {len(absent)} of the {len(set(only))} asked for on "
            f"{as_of.on}, as the subject with id {min(absent)}.",
            hint="See the population of the score: crmkit score card, or its declaration.",
        )
    return rows


def bands(values: Floats) -> np.typing.NDArray[np.intp]:
    """Tenths by falling value, as ``ntile(10)`` ordered by value and then by position.

    1 holds the highest values; rows are expected in order of subject id.
    """
    size = len(values)
    order = np.argsort(-values, kind="stable")
    base, rest = divmod(size, 10)
    sizes = [base + (i < rest) for i in range(10)]
    found = np.zeros(size, dtype=np.intp)
    found[order] = np.repeat(np.arange(1, 11), sizes)
    return found


def inputs_hashes(model: Model, table: pa.Table) -> list[str]:
    """A digest of each row's inputs (BLAKE2b, 16 bytes, hexadecimal), in the model's order."""
    columns = [table.column(source.column).to_pylist() for source in model.inputs]
    return [
        hashlib.blake2b(
            json.dumps(row, ensure_ascii=False, default=str).encode(), digest_size=16
        ).hexdigest()
        for row in zip(*columns, strict=True)
    ]


def told(
    model: Model, features: Mapping[str, Feature], table: pa.Table, currency: str
) -> tuple[list[list[str]], list[dict[str, Any]], list[str]]:
    """Of each row its reasons in words, what is behind them by feature, and its inputs' digest.

    Args:
        features: those that the model reads, by name.
        currency: in which the reasons say amounts.
    """
    words: list[list[str]] = []
    evidence: list[dict[str, Any]] = []
    hashes: list[str] = []
    for first in range(0, table.num_rows, BATCH):
        rows = table.slice(first, BATCH)
        for held in reasons(model, features, rows, model.contributions(rows), currency):
            words.append([reason.words for reason in held])
            evidence.append({r.feature: {"value": r.value, "effect": r.effect} for r in held})
        hashes += inputs_hashes(model, rows)
    return words, evidence, hashes


def explained(
    model: Model, features: Mapping[str, Feature], table: pa.Table, value: float,
    kept: Mapping[str, Any] | None, *, name: str, at: AsOf, currency: str,
) -> Explanation:  # fmt: skip
    """The explanation of one subject's value.

    Args:
        features: those that the model reads, by name.
        table: the subject's row of inputs; ``value`` is what the model makes of it.
        kept: the row of the run at that date, or None.
        name, at: the score, and what might be seen.
        currency: in which the reasons say amounts.
    """
    parts = model.contributions(table)
    digest = inputs_hashes(model, table)[0]
    return Explanation(
        score=name,
        subject_id=table.column("subject_id")[0].as_py(),
        as_of=at,
        value=value,
        band=kept["band"] if kept else None,
        stored=kept["value"] if kept else None,
        same=(kept["value"] == value and kept["inputs_hash"] == digest) if kept else None,
        points=model.points(value),
        model_version=str(model.version),
        inputs_hash=digest,
        reasons=tuple(reasons(model, features, table, parts, currency)[0]),
        contributions={
            source.feature: round(float(parts[0, i]), 6) for i, source in enumerate(model.inputs)
        },
        inputs={s.feature: s.words(table.column(s.column))[0] for s in model.inputs},
    )
