"""The wide table: one row per subject and date, with everything that conditions may look at.

Its columns are every feature under its SQL name, each score as ``score_<score>`` (its probability)
and ``band_<score>`` (decile, 1 is the highest), and each lifecycle as ``stage_<lifecycle>``. Only
columns that the given texts mention are computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from ..declarations import sql_name
from ..errors import SqlRefused, did_you_mean
from ..warehouse.engine import quoted_text
from ..warehouse.portable import check_condition, refused

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..warehouse.population import Population
    from ..warehouse.session import Session
    from .features import Features

SCORE, BAND, STAGE = "score_", "band_", "stage_"
GIVEN = "given_"


def wide_columns(catalog: Catalog, subject: str) -> dict[str, str]:
    """Every column of a subject's wide table → the public name that it stands for."""
    columns = {"subject_id": subject, "as_of": "as_of"}
    for name in catalog.features:
        if catalog.feature_set_of(name).subject == subject:
            columns[sql_name(name)] = name
    for name, score in catalog.scores.items():
        if score.subject == subject:
            columns[SCORE + sql_name(name)] = columns[BAND + sql_name(name)] = name
    for name, lifecycle in catalog.lifecycles.items():
        if lifecycle.subject == subject:
            columns[STAGE + sql_name(name)] = name
    return columns


def condition_columns(catalog: Catalog, subject: str, condition: str) -> list[str]:
    """The columns of the wide table that a condition looks at, in order of name.

    Raises:
        SqlRefused: if it is no condition of the portable subset, or names a column that the
            subject's wide table does not have.
    """
    known = wide_columns(catalog, subject)
    found = check_condition(condition)
    faults = []
    for name in sorted(found - set(known)):
        near = did_you_mean(name, known, sentence=False)
        hint = f" ({near})" if near else ""
        faults.append(f"{subject} has no column {name!r}{hint}")
    if faults:
        raise refused(faults)
    return sorted(found)


def build_wide(
    session: Session,
    features: Features,
    catalog: Catalog,
    subject: str,
    columns: Iterable[str],
    population: Population,
    kept: Mapping[str, pa.Table] | None = None,
) -> pa.Table:
    """The wide table of a population with the given columns.

    Args:
        subject: ``customer`` or a record type.
        columns: names as :func:`wide_columns` has them; ``subject_id`` and ``as_of`` always come.
        session: over the snapshot, or over one customer's rows.
        population: for whom and as of when.
        kept: columns that are not computed but taken from here, by column: tables ``subject_id``
            and the column. Whoever is not in them has no value.

    Returns:
        ``subject_id``, ``as_of`` and the columns in order of name; one row per population row. A
        score is that of the last run by the date; where there was none it is missing.

    Raises:
        SqlRefused: for a column that does not exist.
        PluginError: if a feature set fails.
    """
    known = wide_columns(catalog, subject)
    wanted = sorted(set(columns) - {"subject_id", "as_of"})
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SqlRefused(f"{subject} has no columns {', '.join(unknown)}.")
    given = {name: rows for name, rows in (kept or {}).items() if name in wanted}
    computed = set(map(sql_name, catalog.features)) - set(given)
    named = [known[name] for name in wanted if name in computed]
    table = features.build_in(session, subject, named, population)
    listed = ["f.subject_id", "f.as_of"]
    joins: list[str] = []
    for name in wanted:
        if name in table.column_names:
            listed.append(f'f."{name}"')
            continue
        alias = f"t{len(joins)}"
        listed.append(f'{alias}."{name}"')
        if name in given:
            joins.append(f"LEFT JOIN {GIVEN}{name} {alias} ON {alias}.subject_id = f.subject_id")
        else:
            joins.append(_join(name, known[name], alias))
    if not joins:
        return table.select(["subject_id", "as_of", *wanted])
    # Names come from the catalog, which has checked them.
    sql = f"SELECT {', '.join(listed)} FROM feature f {' '.join(joins)} ORDER BY f.as_of, f.subject_id"  # noqa: S608
    extra = {"feature": table, **{f"{GIVEN}{name}": rows for name, rows in given.items()}}
    return session.frame(population, "report", subject, extra=extra).query(sql)


def _join(column: str, name: str, alias: str) -> str:
    """The latest score or stage as of each row, under the name of the column."""
    if column.startswith(STAGE):
        table, condition = "stage_change", f"lifecycle = {quoted_text(name)}"
        value, order = "to_stage", "t.at DESC, t.id DESC"
    else:
        table, condition = "outcome", f"kind = 'score' AND name = {quoted_text(name)}"
        value, order = ("band" if column.startswith(BAND) else "value"), "t.at DESC, t.run DESC"
    latest = (
        f'SELECT subject_id, as_of, {value} AS "{column}", row_number() OVER '  # noqa: S608
        f"(PARTITION BY subject_id, as_of ORDER BY {order}) AS place FROM {table} t WHERE {condition}"
    )
    return (
        f"LEFT JOIN ({latest}) {alias} ON {alias}.subject_id = f.subject_id "
        f"AND {alias}.as_of = f.as_of AND {alias}.place = 1"
    )
