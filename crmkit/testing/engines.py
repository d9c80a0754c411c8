"""Equal rows: whatever a plugin declares in SQL, asked of DuckDB and of Spark (design D18)."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from attrs import field, frozen

from ..entities.asof import AsOf
from ..errors import CrmkitError
from .declared import owned

if TYPE_CHECKING:
    from ..analysis.conditions import Answers
    from ..workspace import Crm

# Floats may be added up in another order (D18).
TOLERANCE = 1e-9
KINDS = ("feature_sets", "conditions", "reports")
# What is asked, the columns to order by (none: as it comes), and how.
Question = tuple[str, Sequence[str], Callable[[], pa.Table]]
# How far back the second of two dates is: both forms of a view are then asked, that of one date and
# that of many.
EARLIER = timedelta(days=90)


@frozen(kw_only=True)
class Compared:
    """What came of asking two engines.

    Attributes:
        rows: how many rows each answer has, by ``report telecom.churn-rate`` and the like.
        faults: answers that differ, one sentence each.
    """

    rows: dict[str, int] = field(factory=dict)
    faults: list[str] = field(factory=list)


def require_spark() -> None:
    """Skips the test where pyspark or Java is not installed."""
    # Lazy: most test runs need no engine.
    from ..warehouse.engines.spark_session import spark_missing

    missing = spark_missing()
    if missing:
        pytest.skip(missing)


def compare_engines(
    crm: Crm,
    plugins: Collection[str],
    as_of: AsOf,
    engine: str = "spark",
    kinds: Collection[str] = KINDS,
) -> Compared:
    """Asks everything that plugins declare of DuckDB and of another engine.

    Features are asked for two dates in one pass; rule conditions, segments, proposed stages and
    reports, with their default parameters, for one. Scores that a condition or report reads are
    trained and run first, where they never were: both engines read the outcomes of one run, as the
    features that go into it are compared by themselves.

    Args:
        crm: a workspace with data.
        plugins: whose declarations; those of several together take fewer passes.
        as_of: the later of the dates.
        engine: ``spark`` or ``spark://HOST:PORT``.
        kinds: some of KINDS.
    """
    found = Compared()
    for label, keys, ask in _questions(crm, plugins, as_of, kinds):
        try:
            expected = ask()
            with crm.warehouse.using(engine):
                given = ask()
        except CrmkitError as error:
            found.faults.append(f"{label}: {error}")
            continue
        found.rows[label] = expected.num_rows
        found.faults.extend(f"{label}: {fault}" for fault in differences(expected, given, keys))
    return found


def _questions(
    crm: Crm, plugins: Collection[str], as_of: AsOf, kinds: Collection[str]
) -> Iterator[Question]:
    if "feature_sets" in kinds:
        yield from _of_features(crm, plugins, as_of)
    if "conditions" in kinds:
        yield from _of_conditions(crm, plugins, as_of)
    if "reports" in kinds:
        for report in _owned(crm, "reports", plugins):
            yield f"report {report.name}", (), partial(_answered, crm, as_of, report.name)


def _owned(crm: Crm, kind: str, plugins: Collection[str]) -> list[Any]:
    return [one for plugin in plugins for one in owned(crm.catalog, kind, plugin)]


def _of_features(crm: Crm, plugins: Collection[str], as_of: AsOf) -> Iterator[Question]:
    """All features of a subject in one pass, as a run computes them."""
    dates = [AsOf.end_of(as_of.on - EARLIER, crm.settings.time_zone), as_of]
    names: dict[str, list[str]] = {}
    for features in _owned(crm, "feature_sets", plugins):
        names.setdefault(features.subject, []).extend(f.name for f in features.features)
    for subject, wanted in names.items():
        ask = partial(crm.features.build_at, subject, wanted, dates)
        yield f"features of {subject}", ("as_of", "subject_id"), ask


def _of_conditions(crm: Crm, plugins: Collection[str], as_of: AsOf) -> Iterator[Question]:
    for kind, asked in (("rules", crm.rules.ask), ("segments", crm.segments.ask)):
        names = [one.name for one in _owned(crm, kind, plugins)]
        if names:
            yield kind, ("name", "subject_id"), partial(_held, asked, as_of, names)
    for lifecycle in _owned(crm, "lifecycles", plugins):
        if lifecycle.propose is not None:
            ask = partial(_proposed, crm, as_of, lifecycle.name)
            yield f"lifecycle {lifecycle.name}", ("subject_id",), ask


def _proposed(crm: Crm, as_of: AsOf, name: str) -> pa.Table:
    return crm.lifecycles.propose(as_of, lifecycle=name).moves


def _answered(crm: Crm, as_of: AsOf, name: str) -> pa.Table:
    return crm.reports.run(name, {}, as_of, again=False).table


def _held(
    asked: Callable[[AsOf, list[str]], Mapping[str, Answers]], as_of: AsOf, names: list[str]
) -> pa.Table:
    """Whom each condition holds for, with the values that it looks at."""
    rows = []
    for answer in asked(as_of, names).values():
        if answer.faults:
            name, fault = next(iter(answer.faults.items()))
            raise CrmkitError(f"{name}: {fault}")
        for name, table in answer.found.items():
            rows += [
                {"name": name, "subject_id": row.pop("subject_id"), **row}
                for row in table.to_pylist()
            ]
    columns = dict.fromkeys(("name", "subject_id", *(key for row in rows for key in row)))
    return pa.table({name: [row.get(name) for row in rows] for name in columns})


def differences(expected: pa.Table, given: pa.Table, keys: Sequence[str]) -> list[str]:
    """How two answers differ: equal but for 1e-9 of a float, in order of their key.

    Args:
        keys: columns to order both by; empty compares them as they come.
    """
    if expected.column_names != given.column_names:
        return [
            f"columns {', '.join(expected.column_names)} became {', '.join(given.column_names)}"
        ]
    if expected.num_rows != given.num_rows:
        return [f"{expected.num_rows} rows became {given.num_rows}"]
    if keys:
        order = [(key, "ascending") for key in keys]
        expected, given = expected.sort_by(order), given.sort_by(order)
    out = []
    for name in expected.column_names:
        pairs = zip(expected[name].to_pylist(), given[name].to_pylist(), strict=True)
        unequal = [(i, a, b) for i, (a, b) in enumerate(pairs) if not same(a, b)]
        if unequal:
            row, a, b = unequal[0]
            out.append(
                f"column {name} differs in {len(unequal)} of {expected.num_rows} rows; "
                f"in row {row} {a!r} became {b!r}"
            )
    return out


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal; floats may differ by 1e-9 of the larger."""
    if isinstance(a, float) and isinstance(b, float):
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        return math.isclose(a, b, rel_tol=TOLERANCE)
    return type(a) is type(b) and bool(a == b)
