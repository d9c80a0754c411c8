"""The wall and the alarm against inputs that know the outcome (design D13).

The wall: fields declared ``known: outcome`` are never visible to feature SQL, and a score whose
feature names one is refused with its name. The alarm stands behind it, for what nobody declared: an
input that alone tells the outcome almost perfectly is more likely a leak than luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from attrs import frozen
from numpy.typing import NDArray

from ...declarations import (
    CUSTOMER,
    CustomerFields,
    Feature,
    InteractionKind,
    RecordType,
    Score,
    sql_name,
)
from ...errors import ConfigError
from ...warehouse.portable import check_sql
from .inputs import MIN_LEVEL_ROWS, NUMBERS, Floats, number_array, text_array
from .metrics import auc, auc_interval, information_value

if TYPE_CHECKING:
    from ...hosting.catalog import Catalog

# Siddiqi (2006, chapter 6): above 0.5 an information value is to be checked.
IV_WARN = 0.5
# The leaking ``duration`` of bank marketing reaches 0.808, the honest ``lead_days`` of a hotel 0.836:
# no threshold tells one from the other, so the alarm asks and a plugin may answer (design D13).
AUC_STOP = 0.80
BANDS = 10


@frozen
class InputPower:
    """What one input alone tells about the outcome.

    Attributes:
        iv: information value over ten bands or the levels, 0 or more.
        auc: area under the curve of the input alone, whichever way it points, 0.5 to 1.
        auc_low, auc_high: its 95 % interval (:func:`crmkit.analysis.scores.metrics.auc_interval`).
        rows: rows in which the input is known.
    """

    feature: str
    iv: float
    auc: float
    auc_low: float
    auc_high: float
    rows: int

    @property
    def words(self) -> str:
        """``AUC 0.836, 95 % interval 0.829 to 0.843, 39,596 rows``."""
        return (
            f"AUC {self.auc:.3f}, 95 % interval {self.auc_low:.3f} to {self.auc_high:.3f}, "
            f"{self.rows:,} rows"
        )


def input_powers(features: Sequence[Feature], table: pa.Table) -> list[InputPower]:
    """Measures every input by itself, on all rows of ``table`` (with ``label``)."""
    label = np.asarray(table.column("label").to_numpy(), dtype=np.float64)
    found = []
    for feature in features:
        values = table.column(sql_name(feature.name))
        iv = information_value(label, _groups(feature, values))
        area, positives, rows = _power(feature, values, label)
        low, high = (
            auc_interval(area, positives, rows - positives) if 0 < positives < rows else (0.0, 1.0)
        )
        found.append(InputPower(feature.name, iv, area, low, high, rows))
    return found


def check_powers(
    score: str,
    powers: Sequence[InputPower],
    *,
    allow_leak: bool,
    vouched: Mapping[str, str] | None = None,
) -> list[str]:
    """Warns of suspicious inputs and stops at those that look like a leak.

    The stop judges the lower end of the interval, so that a handful of outcomes stops nothing by
    chance.

    Args:
        score: name of the score, for the message.
        powers: from :func:`input_powers`.
        allow_leak: only warn, whatever the AUC.
        vouched: inputs at which the score's author says it must not stop, with the reason.

    Returns:
        Warnings, one sentence each.

    Raises:
        ConfigError: code ``E_LEAK``, naming each input whose single-field AUC is at least 0.80 with
            95 % confidence, and what was found.
    """
    reasons = vouched or {}
    leaks = [p for p in powers if p.auc_low >= AUC_STOP and p.feature not in reasons]
    if leaks and not allow_leak:
        named = "; ".join(f"{p.feature} ({p.words})" for p in leaks)
        raise ConfigError(
            f"score {score}: a single input predicts the outcome with an AUC of at least "
            f"{AUC_STOP:.2f}, as one does that is known only after the outcome: {named}.",
            code="E_LEAK",
            hint="If the field is known only after the outcome, declare it known: outcome. If it is "
            "known before, give the reason in the score's vouched, or pass --allow-leak.",
        )
    warned = [p for p in powers if p.iv > IV_WARN or p.auc >= AUC_STOP]
    return [
        f"{p.feature} tells much by itself (information value {p.iv:.2f}, {p.words}): "
        + reasons.get(p.feature, "make sure that it is known before the outcome.")
        for p in sorted(warned, key=lambda p: (-p.iv, p.feature))
    ]


def _groups(feature: Feature, values: pa.ChunkedArray) -> NDArray[np.intp]:
    """Codes of ten quantile bands, or of the levels; gaps are a group of their own."""
    if feature.type not in NUMBERS:
        return _levels(values)
    x = number_array(values)
    absent = np.isnan(x)
    edges = (
        np.unique(np.quantile(x[~absent], np.arange(1, BANDS) / BANDS, method="inverted_cdf"))
        if not absent.all()
        else np.array([])
    )
    codes = np.searchsorted(edges, np.where(absent, 0.0, x), side="left")
    return np.asarray(np.where(absent, len(edges) + 1, codes), dtype=np.intp)


def _levels(values: pa.ChunkedArray) -> NDArray[np.intp]:
    encoded = text_array(values).combine_chunks().dictionary_encode(null_encoding="encode")
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.intp)
    # Rare levels together: alone, each would tell its few outcomes perfectly.
    rows = np.bincount(codes)
    return np.asarray(np.where(rows[codes] < MIN_LEVEL_ROWS, len(rows), codes))


def _power(feature: Feature, values: pa.ChunkedArray, label: Floats) -> tuple[float, int, int]:
    """AUC of the input alone, and the positives and rows it rests on; levels go by their rate."""
    if feature.type in NUMBERS:
        x = number_array(values)
        known = ~np.isnan(x)
        positives, rows = int(label[known].sum()), int(known.sum())
        if not 0 < positives < rows:
            return 0.5, positives, rows
        found = auc(label[known], x[known])
        return max(found, 1 - found), positives, rows
    group = _levels(values)
    count = np.maximum(np.bincount(group), 1)
    rate = np.bincount(group, weights=label) / count
    return auc(label, rate[group]), int(label.sum()), len(label)


def refuse_outcome_fields(score: Score, catalog: Catalog) -> None:
    """Refuses a score with a feature whose SQL names a field declared ``known: outcome``.

    The frame would hide the column anyway; here the field and the feature are named.

    Raises:
        ConfigError: code ``E_LEAK``.
    """
    faults = []
    for name in score.features:
        statement = check_sql(catalog.feature_set_of(name).sql)
        hidden = {
            column: f"{table}.{column}"
            for table in statement.tables
            for column in _outcome_columns(table, catalog)
        }
        faults += [f"{name} reads {hidden[c]}" for c in sorted(statement.columns & set(hidden))]
    if faults:
        raise ConfigError(
            f"score {score.name}: {'; '.join(faults)}, which is known only after the outcome.",
            code="E_LEAK",
            hint="Take the feature out of the score.",
        )


def refuse_protected_fields(score: Score, catalog: Catalog) -> None:
    """Refuses a score with a feature whose SQL names a field that the score declares protected.

    Raises:
        ConfigError: code ``E_PROTECTED``, naming feature and field, or a field that nobody declares.
    """
    columns: dict[str, set[str]] = {}
    for name in score.protected:
        entity, _, field_name = name.rpartition(".")
        found = _declared(entity, field_name, catalog)
        if not found:
            raise ConfigError(
                f"score {score.name} protects {name}, which no enabled plugin declares.",
                code="E_PROTECTED",
            )
        columns.setdefault(sql_name(entity), set()).update(found)
    faults = []
    for name in score.features:
        statement = check_sql(catalog.feature_set_of(name).sql)
        hidden = {
            column: f"{table}.{column}"
            for table in statement.tables
            for column in columns.get(table, ())
        }
        faults += [f"{name} reads {hidden[c]}" for c in sorted(statement.columns & set(hidden))]
    if faults:
        raise ConfigError(
            f"score {score.name}: {'; '.join(faults)}, which is protected and must not decide.",
            code="E_PROTECTED",
            hint="Take the feature out of the score.",
        )


def _declared(entity: str, field_name: str, catalog: Catalog) -> set[str]:
    """The columns of a field of a customer, a record type or an interaction kind."""
    plugin, _, rest = entity.partition(".")
    record = (
        catalog.customer_fields.get(plugin)
        if rest == CUSTOMER
        else catalog.record_types.get(entity) or catalog.interaction_kinds.get(entity)
    )
    fields = record.fields.fields if record else ()
    return {c.name for f in fields if f.name == field_name for c in f.columns}


def _outcome_columns(table: str, catalog: Catalog) -> set[str]:
    declared: list[tuple[str, CustomerFields | RecordType | InteractionKind]] = [
        *((sql_name(f"{plugin}.customer"), d) for plugin, d in catalog.customer_fields.items()),
        *((sql_name(name), d) for name, d in catalog.record_types.items()),
        *((sql_name(name), d) for name, d in catalog.interaction_kinds.items()),
    ]
    return {
        column.name
        for name, record in declared
        if name == table
        for field in record.fields.fields
        if field.outcome_only
        for column in field.columns
    }
