-- How customers answer offers of each kind and depth: the price sensitivity of an offer.
WITH made AS (
    SELECT offer, coalesce(discount_share, 0.0) AS discount_share, result, cost_base_minor
    FROM telecom_retention_offer
    WHERE result <> 'control' AND days_before < $days
),
counted AS (
    SELECT
        offer,
        discount_share,
        count(*) AS contacted,
        count_if(result <> 'no_answer') AS reached,
        count_if(result = 'accepted') AS accepted,
        avg(cost_base_minor) AS mean_cost
    FROM made
    GROUP BY offer, discount_share
)
SELECT
    offer,
    discount_share,
    contacted,
    reached,
    accepted,
    accepted / contacted AS accept_share,
    (accepted + 1.9208 - 1.96 * sqrt(accepted * (contacted - accepted) / contacted + 0.9604))
        / (contacted + 3.8416) AS accept_share_low,
    (accepted + 1.9208 + 1.96 * sqrt(accepted * (contacted - accepted) / contacted + 0.9604))
        / (contacted + 3.8416) AS accept_share_high,
    CAST(round(coalesce(mean_cost, 0)) AS BIGINT) AS mean_cost_minor
FROM counted
