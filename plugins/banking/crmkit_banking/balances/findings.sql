-- The days on which the stated balance parts from the recomputed one, or comes back to it.
SELECT
    customer_id,
    account_id,
    occurred_on AS day_on,
    finding,
    stated_minor,
    recomputed_minor,
    step_minor,
    difference_minor
FROM judged
WHERE finding <> 'agrees' AND ($finding = 'all' OR finding = $finding)
