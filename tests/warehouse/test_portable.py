import re
from pathlib import Path

import pytest

from crmkit.errors import SqlRefused
from crmkit.warehouse.portable import (
    AGGREGATES,
    DATES,
    FUNCTIONS,
    RANKINGS,
    SCALARS,
    check_condition,
    check_sql,
)

TABLES = {"gym_visit", "customer", "population"}

ALLOWED = [
    "SELECT count(*) FILTER (WHERE days_before < 30) FROM gym_visit",
    "SELECT sum(x) / nullif(sum(sum(x)) OVER (), 0) FROM gym_visit GROUP BY y",
    "SELECT row_number() OVER (PARTITION BY a ORDER BY b, id) FROM gym_visit",
    "WITH a AS (SELECT 1 AS x) SELECT * FROM a UNION ALL SELECT * FROM (VALUES (2)) t(x)",
    "SELECT CAST(date_trunc('month', d) AS DATE), date_diff('day', d, as_of_on), year(d) FROM customer",
    "SELECT max_by(a, b), bool_or(c), arg_min(a, b), stddev_samp(x), covar_samp(x, y) FROM gym_visit",
    "SELECT CASE WHEN a THEN 1 END, coalesce(a, b), a || b, x // 2, x % 2, d - 7 FROM gym_visit",
    "SELECT first_value(a IGNORE NULLS) OVER (ORDER BY id) FROM gym_visit",
    "SELECT sum(x) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM gym_visit",
    "SELECT a FROM gym_visit QUALIFY rank() OVER (PARTITION BY a ORDER BY id) = 1",
    "SELECT x / nullif(y, 0), x / 30.4375, x / (2 * nullif(y, 0)), x / count(*) OVER () FROM gym_visit",
    "SELECT 1 / (1 + exp(-x)), x / greatest(y, 1), CAST(floor(x / 2) AS BIGINT) FROM gym_visit",
    "SELECT date_diff('minute', a_at, b_at), date_diff('hour', a_at, as_of) FROM gym_visit",
    "SELECT CAST(sum(x) AS BIGINT), TRY_CAST(a AS DOUBLE), a_on - 7, date_diff('day', a_on, b_on) FROM gym_visit",
    "SELECT CAST(a AS TIMESTAMP), TIMESTAMP '2026-01-01 00:00:00' FROM gym_visit",
    "SELECT substr(a, 1, 2), pow(x, 2), ceiling(x), len(a), ifnull(a, b), x::BIGINT FROM gym_visit;",
    "SELECT 1 FROM customer c WHERE EXISTS (SELECT 1 FROM gym_visit v WHERE v.id = c.id)",
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_portable_sql_passes(sql: str) -> None:
    assert check_sql(sql, tables=TABLES).tables <= TABLES


REFUSED = [
    # What engines read alike and mean differently.
    ("SELECT (x * 0.5) // 2 FROM gym_visit", "// divides whole numbers only"),
    ("SELECT CAST(avg(x) AS BIGINT) FROM gym_visit", "write CAST(floor(x) AS BIGINT)"),
    ("SELECT (x / 2)::INT FROM gym_visit", "rounded by one engine and cut by another"),
    ("SELECT CAST(CASE WHEN a THEN 0.5 END AS BIGINT) FROM gym_visit", "cut by another"),
    ("SELECT CAST(x * 1.5 AS VARCHAR) FROM gym_visit", "engines write fractions differently"),
    ("SELECT TRY_CAST(a AS BIGINT) FROM gym_visit", "TRY_CAST to BIGINT reads text differently"),
    ("SELECT round(x, 2) FROM gym_visit", "round(x, n) rounds halves differently"),
    ("SELECT substring(a, 0, 2) FROM gym_visit", "from 1: engines differ on 0 and less"),
    ("SELECT substring(a, n) FROM gym_visit", "from 1: engines differ on 0 and less"),
    ("SELECT as_of_on - a_on FROM gym_visit", "write date_diff('day', from, to)"),
    ("SELECT max(a_on) - min(a_on) FROM gym_visit", "write date_diff('day', from, to)"),
    ("SELECT occurred_at - valid_from FROM gym_visit", "arithmetic on instants is not portable"),
    ("SELECT date_trunc('decade', d)::DATE FROM gym_visit", "date_trunc goes to day, week, month"),
    ("SELECT list_contains(l, NULL) FROM gym_visit", "list_contains(list, NULL)"),
    ("SELECT max(x, 3) FROM gym_visit", "max of the n best is not portable"),
    ("SELECT corr(x, y) FROM gym_visit", "engines differ where one side is constant"),
    ("SELECT COLUMNS('a.*') FROM gym_visit", "COLUMNS() is not portable"),
    ("SELECT #1 FROM gym_visit", "columns by place (#1) are not portable"),
    ("SELECT a FROM gym_visit UNION BY NAME SELECT a FROM customer", "BY NAME is not portable"),
    ("SELECT a FROM gym_visit LIMIT 10%", "LIMIT n% is not portable"),
    ("SELECT quantile(x, 0.5) FROM gym_visit", "quantiles are taken by rank"),
    ("SELECT string_agg(a, ',') FROM gym_visit", "function"),
    # What leads out of the tables.
    ("PRAGMA database_list", "one SELECT is allowed"),
    ("SELECT 1; ATTACH 'x.db'", "one SELECT is allowed, 2 statements"),
    ("SELECT 1 /* ; */; COPY customer TO 'x'", "one SELECT is allowed, 2 statements"),
    ("INSTALL httpfs", "one SELECT is allowed"),
    ("CALL pragma_version()", "one SELECT is allowed"),
    ("EXPLAIN ANALYZE SELECT 1", "one SELECT is allowed"),
    ("CREATE TABLE x AS SELECT 1", "one SELECT is allowed, not CREATE"),
    ("WITH a AS (DELETE FROM customer RETURNING *) SELECT * FROM a", "writes"),
    ("SELECT * FROM read_csv('/etc/passwd')", "function read_csv is not allowed"),
    ("SELECT * FROM read_text('/etc/passwd')", "function read_text is not allowed"),
    ("SELECT * FROM glob('/*')", "function glob is not allowed"),
    ("SELECT * FROM '/etc/passwd'", "there is no table '/etc/passwd'"),
    ('SELECT * FROM "x.csv"', "there is no table 'x.csv'"),
    ("SELECT * FROM duckdb_settings()", "function duckdb_settings is not allowed"),
    ("SELECT getenv('HOME')", "function getenv is not allowed"),
    ("SELECT current_setting('TimeZone')", "function current_setting is not allowed"),
    ("SELECT * FROM information_schema.tables", "is qualified"),
    ("SELECT * FROM sqlite_master", "there is no table 'sqlite_master'"),
    ("SELECT (SELECT max(n) FROM customer_ref) FROM customer", "there is no table 'customer_ref'"),
    (
        "SELECT 1 FROM customer WHERE EXISTS (SELECT 1 FROM base_customer)",
        "no table 'base_customer'",
    ),
    ("SELECT now()", "function now is not allowed (an as-of date decides"),
    ("SELECT current_date", "function current_date is not allowed"),
    ("SELECT d + INTERVAL 1 DAY FROM customer", "INTERVAL arithmetic is not portable"),
    ("SELECT epoch(t) FROM customer", "date_diff('day', ...)"),
    ("SELECT extract(epoch FROM t) FROM customer", "function extract is not allowed"),
    (
        "SELECT date_diff('month', a, b) FROM customer",
        "date_diff counts by day, hour, minute, second, not 'month'",
    ),
    ("SELECT date_trunc('month', d) FROM customer", "write CAST(date_trunc(...) AS DATE)"),
    ("SELECT payload->>'$.x' FROM gym_visit", "JSON operators are not portable"),
    ("SELECT median(x) FROM gym_visit", "quantiles are taken by rank"),
    ("SELECT roudn(x) FROM gym_visit", "function roudn is not allowed (did you mean round"),
    (
        "SELECT row_number() OVER (PARTITION BY a) FROM gym_visit",
        "row_number() OVER needs an ORDER BY",
    ),
    ("SELECT ntile(4) OVER () FROM gym_visit", "ntile() OVER needs an ORDER BY"),
    (
        "SELECT sum(x) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM gym_visit",
        "sum() OVER needs an ORDER BY",
    ),
    ("SELECT * FROM read_parquet('x')", "function read_parquet is not allowed"),
    ("SELECT * FROM 'x.parquet'", "there is no table 'x.parquet'"),
    ("SELECT * FROM gym_visits", "there is no table 'gym_visits' here (did you mean gym_visit?)"),
    ("SELECT * FROM main.customer", "table main.customer is qualified"),
    ("SELECT * FROM base_customer", "there is no table 'base_customer'"),
    ("WITH base_customer AS (SELECT 1) SELECT * FROM base_customer", "names that begin with base_"),
    ("SELECT 1; SELECT 2", "one SELECT is allowed, 2 statements were given"),
    ("DROP TABLE customer", "one SELECT is allowed, not DROP"),
    ("COPY customer TO 'x'", "one SELECT is allowed, not COPY"),
    ("SET threads = 1", "one SELECT is allowed, not SET"),
    ("ATTACH 'x.db'", "one SELECT is allowed, not ATTACH"),
    ("SELECT (1", "the SQL cannot be parsed"),
    ("SELECT * EXCLUDE (id) FROM customer", "* EXCLUDE and * REPLACE are not portable"),
    ("SELECT DISTINCT ON (a) a FROM customer", "DISTINCT ON is not portable"),
    ("SELECT [1, 2]", "list literals are not portable"),
    ("SELECT regexp_matches(a, 'b') FROM customer", "regular expressions differ"),
    ("SELECT CAST(a AS JSON) FROM customer", "a cast to JSON is not allowed; allowed: bigint"),
    (
        "SELECT count(DISTINCT (a)), count(DISTINCT a, b) FROM customer",
        "treats missing values differently",
    ),
    ("SELECT ? FROM customer", "parameters are written $name"),
]


@pytest.mark.parametrize(("sql", "words"), REFUSED)
def test_sql_outside_the_subset_is_refused_in_words(sql: str, words: str) -> None:
    with pytest.raises(SqlRefused) as caught:
        check_sql(sql, tables=TABLES)
    assert words in str(caught.value)
    assert "docs/reference/analysis-sql.md" in caught.value.hint
    assert caught.value.exit_code == 2


def test_all_faults_are_told_at_once_and_the_allowed_functions_listed() -> None:
    with pytest.raises(SqlRefused) as caught:
        check_sql("SELECT now(), hash(x), median(y) FROM nowhere", tables=TABLES)
    text = str(caught.value)
    for words in ("function now", "function hash", "function median", "no table 'nowhere'"):
        assert words in text
    assert text.count("functions allowed: abs, arg_max") == 1


def test_parameters_must_be_declared() -> None:
    assert check_sql("SELECT $day FROM customer", parameters={"day"}).parameters == {"day"}
    with pytest.raises(SqlRefused, match=r"parameter \$dya is not declared \(declared: \$day\)"):
        check_sql("SELECT $dya FROM customer", parameters={"day"})


def test_a_condition_gives_the_columns_it_looks_at() -> None:
    assert check_condition("gym_visits > 3 AND NOT coalesce(gym_paused, false)") == {
        "gym_visits", "gym_paused",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["1 = 1) UNION SELECT (1", "a; DROP TABLE x", "a IN (SELECT id FROM customer)", "now() > a",
     "true) AND (true", "", "a FROM customer"],
)  # fmt: skip
def test_a_condition_is_one_expression_over_one_row(text: str) -> None:
    with pytest.raises(SqlRefused):
        check_condition(text)


def test_the_page_lists_the_functions_that_the_code_allows(root: Path) -> None:
    page = (root / "docs/reference/analysis-sql.md").read_text(encoding="utf-8")
    block = page.split("<!-- functions:")[1].split("<!-- end -->")[0]
    listed = {}
    for line in block.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 2 and "`" in cells[1]:
            listed[cells[0]] = set(re.findall(r"`(\w+)`", cells[1]))
    assert listed == {
        "aggregates": set(AGGREGATES), "windows": set(RANKINGS), "values": set(SCALARS),
        "dates": set(DATES),
    }  # fmt: skip
    assert set().union(*listed.values()) == FUNCTIONS
