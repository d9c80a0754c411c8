-- The reports on balances begin with this text: each account's balance at the end of every day with a
-- movement, recomputed from the movements and beside it as the file states it.
-- The rows of a day may come in any order, so the stated balance of a day is that one among its rows
-- which is nearest to the recomputed. An account begins to be seen with the balance before its first
-- row: the one of the first day that is no balance after another row.
WITH posted AS (
    SELECT
        customer_id,
        record_id AS account_id,
        occurred_on,
        id,
        amount_base_minor,
        balance_after_base_minor
    FROM banking_transaction
    WHERE record_id IS NOT NULL AND amount_base_minor IS NOT NULL AND balance_after_base_minor IS NOT NULL
),
first_day AS (
    SELECT account_id, min(occurred_on) AS first_on FROM posted GROUP BY account_id
),
first_row AS (
    SELECT
        p.account_id,
        p.id,
        min(p.balance_after_base_minor - p.amount_base_minor) AS before_minor,
        -- Whether another row of the day left the balance that this one begins with.
        count(q.id) > 0 AS follows
    FROM posted p
    JOIN first_day f ON f.account_id = p.account_id AND f.first_on = p.occurred_on
    LEFT JOIN posted q ON q.account_id = p.account_id AND q.occurred_on = p.occurred_on AND q.id <> p.id
        AND q.balance_after_base_minor = p.balance_after_base_minor - p.amount_base_minor
    GROUP BY p.account_id, p.id
),
opening AS (
    SELECT
        account_id,
        coalesce(min(CASE WHEN NOT follows THEN before_minor END), min(before_minor)) AS opening_minor
    FROM first_row
    GROUP BY account_id
),
daily AS (
    SELECT
        customer_id,
        account_id,
        occurred_on,
        CAST(sum(amount_base_minor) AS BIGINT) AS moved,
        count(*) AS movements
    FROM posted
    GROUP BY customer_id, account_id, occurred_on
),
run AS (
    SELECT
        d.*,
        o.opening_minor + CAST(sum(d.moved) OVER (
            PARTITION BY d.account_id ORDER BY d.occurred_on
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS BIGINT) AS recomputed_minor
    FROM daily d
    JOIN opening o ON o.account_id = d.account_id
),
nearest AS (
    SELECT
        r.customer_id,
        r.account_id,
        r.occurred_on,
        r.movements,
        r.recomputed_minor,
        p.balance_after_base_minor AS stated_minor,
        row_number() OVER (
            PARTITION BY r.account_id, r.occurred_on
            ORDER BY abs(p.balance_after_base_minor - r.recomputed_minor), p.id
        ) AS place
    FROM run r
    JOIN posted p ON p.account_id = r.account_id AND p.occurred_on = r.occurred_on
),
checked AS (
    SELECT
        customer_id,
        account_id,
        occurred_on,
        movements,
        recomputed_minor,
        stated_minor,
        stated_minor - recomputed_minor AS difference_minor,
        stated_minor - recomputed_minor - lag(stated_minor - recomputed_minor, 1, 0) OVER (
            PARTITION BY account_id ORDER BY occurred_on
        ) AS step_minor
    FROM nearest
    WHERE place = 1
),
judged AS (
    SELECT
        *,
        CASE
            WHEN step_minor = 0 THEN 'agrees'
            WHEN abs(step_minor) <= $rounding_minor * movements THEN 'rounding'
            ELSE 'gap'
        END AS finding
    FROM checked
)
