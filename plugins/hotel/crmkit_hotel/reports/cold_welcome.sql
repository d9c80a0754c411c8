-- Members of gold and above who cool off: a long gap, poor stays, or benefits that were not given.
SELECT
    subject_id AS customer_id,
    hotel_tier AS tier,
    hotel_days_since_stay AS days_since_stay,
    hotel_usual_gap_days AS usual_gap,
    hotel_gap_ratio AS gap_ratio,
    hotel_last_fulfilment AS last_fulfilment,
    hotel_benefits_missed AS benefits_missed,
    substring(
        CASE WHEN hotel_gap_ratio > 2 THEN '; longer away than usual' ELSE '' END
        || CASE WHEN hotel_poor_stays >= 2 THEN '; two stays below 70 %' ELSE '' END
        || CASE WHEN hotel_benefits_missed THEN '; tier benefits not given' ELSE '' END,
        3
    ) AS why
FROM feature
WHERE hotel_tier_rank >= 2 AND (hotel_gap_ratio > 2 OR hotel_poor_stays >= 2 OR hotel_benefits_missed)
