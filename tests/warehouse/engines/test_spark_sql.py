"""The translation for Spark, where the words of the two differ; no Spark is needed to read it."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest

from crmkit.warehouse.engines.spark_sql import spark_sql, spark_values


def flat(sql: str) -> str:
    return re.sub(r"\( (.*?) \)", r"(\1)", " ".join(sql.split()))


TRANSLATED = [
    ("SELECT x / 30.5", "SELECT CAST(x AS DOUBLE) / CAST(30.5 AS DOUBLE)"),
    (
        "SELECT x / y",
        "SELECT CASE WHEN CAST(y AS DOUBLE) = 0 THEN CAST(x AS DOUBLE) * CAST('Infinity' AS DOUBLE) "
        "ELSE CAST(x AS DOUBLE) / CAST(y AS DOUBLE) END",
    ),
    ("SELECT c.a FROM temp.main.customer AS c", "SELECT c.a FROM customer AS c"),
    ("SELECT x // 2", "SELECT x DIV 2"),
    ("SELECT avg(x)", "SELECT AVG(CAST(x AS DOUBLE))"),
    ("SELECT date_diff('day', a, b)", "SELECT DATEDIFF(b, a)"),
    (
        "SELECT date_diff('minute', a, b)",
        "SELECT (UNIX_SECONDS(CAST(b AS TIMESTAMP_LTZ)) DIV 60 "
        "- UNIX_SECONDS(CAST(a AS TIMESTAMP_LTZ)) DIV 60)",
    ),
    ("SELECT a_on - 7", "SELECT a_on - (CAST(7 AS INT))"),
    ("SELECT a - 7", "SELECT a - 7"),
    ("SELECT arg_max(a, b)", "SELECT MAX_BY(a, CASE WHEN NOT a IS NULL THEN b END)"),
    ("SELECT count_if(a)", "SELECT SUM(CASE WHEN a THEN 1 WHEN NOT a THEN 0 END)"),
    (
        "SELECT list_contains(a, 'x')",
        "SELECT COALESCE(ARRAY_CONTAINS(a, 'x'), CASE WHEN NOT a IS NULL AND NOT 'x' IS NULL THEN FALSE END)",
    ),
    ("SELECT a LIKE 'x%'", r"SELECT a LIKE 'x%' ESCAPE '\001'"),
    ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a NULLS LAST"),
    (
        "SELECT b.* FROM t b QUALIFY rank() OVER (ORDER BY b.x) = 1",
        "SELECT b.* FROM t AS b QUALIFY RANK() OVER (ORDER BY b.x NULLS LAST) = 1",
    ),
    ("SELECT TIMESTAMP '2026-01-01'", "SELECT CAST('2026-01-01' AS TIMESTAMP_NTZ)"),
    ("SELECT 'it''s \\' || \"a b\"", r"SELECT 'it\'s \\' || `a b`"),
]


@pytest.mark.parametrize(("sql", "words"), TRANSLATED)
def test_what_differs_is_said_in_the_words_of_spark(sql: str, words: str) -> None:
    assert flat(spark_sql(sql)) == words


def test_values_are_bound_and_never_written_into_the_text() -> None:
    given = {"who": "x' OR 1 = 1 --", "day": date(2026, 3, 31), "at": datetime(2026, 3, 31, 12)}  # noqa: DTZ001
    text, values = spark_values("SELECT 1 WHERE a = $who AND b < $day AND c < $at", given)
    assert (
        flat(text)
        == "SELECT 1 WHERE a = :who AND b < CAST(:day AS DATE) AND c < CAST(:at AS TIMESTAMP_NTZ)"
    )
    assert values == {"who": "x' OR 1 = 1 --", "day": "2026-03-31", "at": "2026-03-31 12:00:00"}
