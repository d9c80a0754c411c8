-- Contribution of a year, by what it is split by.
WITH named AS (
    SELECT
        f.subject_id,
        CASE
            WHEN $by = 'customer' THEN CAST(f.subject_id AS VARCHAR)
            WHEN $by = 'branch' THEN coalesce(n.branch_name, b.branch, 'unknown')
            WHEN $by = 'region' THEN coalesce(c.region, 'unknown')
            WHEN $by = 'department' THEN coalesce(c.team, 'unknown')
            WHEN $by = 'life_situation' THEN coalesce(f.banking_life_situation, 'unknown')
            ELSE coalesce(f.banking_wealth_band, 'unknown')
        END AS part,
        f.banking_net_interest_minor AS net_interest,
        f.banking_fees_minor AS fees,
        f.banking_cost_to_serve_minor AS cost,
        f.banking_expected_loss_minor AS expected_loss,
        f.banking_contribution_minor AS contribution,
        f.banking_deposit_contribution_minor AS of_deposits,
        f.banking_loan_contribution_minor AS of_loans
    FROM feature f
    LEFT JOIN banking_customer b ON b.subject_id = f.subject_id
    LEFT JOIN banking_branch n ON n.code = b.branch
    LEFT JOIN customer c ON c.subject_id = f.subject_id
    WHERE f.banking_contribution_minor IS NOT NULL
),
line AS (
    SELECT subject_id, part, net_interest, fees, cost, expected_loss, contribution
    FROM named WHERE $by <> 'product'
    UNION ALL
    -- By product: what deposits bring and what loans and cards bring are two lines of a customer.
    SELECT subject_id, 'deposits and payments' AS part, NULL, fees, NULL, NULL, of_deposits
    FROM named WHERE $by = 'product'
    UNION ALL
    SELECT subject_id, 'loans and cards' AS part, NULL, NULL, NULL, expected_loss, of_loans
    FROM named WHERE $by = 'product'
),
grouped AS (
    SELECT
        part,
        CASE WHEN $by = 'customer' THEN max(subject_id) END AS customer_id,
        count(*) AS customers,
        sum(net_interest) AS net_interest,
        sum(fees) AS fees,
        sum(cost) AS cost,
        sum(expected_loss) AS expected_loss,
        sum(contribution) AS contribution,
        count_if(contribution < 0) AS at_a_loss
    FROM line
    GROUP BY part
),
placed AS (
    SELECT *, row_number() OVER (ORDER BY contribution DESC, part) AS place FROM grouped
)
SELECT
    place,
    CASE WHEN $by = 'customer' THEN NULL ELSE part END AS part,
    customer_id,
    customers,
    CAST(net_interest AS BIGINT) AS net_interest_minor,
    CAST(fees AS BIGINT) AS fees_minor,
    CAST(cost AS BIGINT) AS cost_minor,
    CAST(expected_loss AS BIGINT) AS expected_loss_minor,
    CAST(contribution AS BIGINT) AS contribution_minor,
    at_a_loss
FROM placed
WHERE place <= $most
