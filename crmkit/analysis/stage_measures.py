"""Measures over the log of stage moves: the funnel of any lifecycle (L4)."""

from __future__ import annotations

import pyarrow as pa

from ..entities.lifecycle import FINAL_KINDS, Lifecycle

# `stage` is the lifecycle's own list: position, stage, kind, final. Stays last from a move into the
# stage to the next move; the median is by rank over ended stays.
FUNNEL = """
WITH stay AS (
    SELECT
        c.subject_id,
        c.to_stage AS stage,
        c.days_before - lead(c.days_before) OVER (
            PARTITION BY c.subject_id ORDER BY c.at, c.id
        ) AS days,
        row_number() OVER (PARTITION BY c.subject_id ORDER BY c.at DESC, c.id DESC) AS from_last
    FROM stage_change c
    WHERE c.lifecycle = $lifecycle
),
visited AS (
    SELECT s.subject_id, s.stage, n.position, n.final
    FROM stay s
    JOIN stage n ON n.stage = s.stage
    GROUP BY s.subject_id, s.stage, n.position, n.final
),
deepest AS (
    SELECT subject_id, max(position) AS position FROM visited WHERE NOT final GROUP BY subject_id
),
reach AS (
    SELECT n.position, count(d.subject_id) AS reached
    FROM stage n
    LEFT JOIN deepest d ON d.position >= n.position
    WHERE NOT n.final
    GROUP BY n.position
    UNION ALL
    SELECT n.position, count(v.subject_id) AS reached
    FROM stage n
    LEFT JOIN visited v ON v.stage = n.stage
    WHERE n.final
    GROUP BY n.position
),
here AS (
    SELECT stage, count(*) AS customers FROM stay WHERE from_last = 1 GROUP BY stage
),
ranked AS (
    SELECT
        stage,
        days,
        row_number() OVER (PARTITION BY stage ORDER BY days, subject_id) AS place,
        count(*) OVER (PARTITION BY stage) AS stays
    FROM stay
    WHERE days IS NOT NULL
),
middle AS (
    SELECT stage, min(days) AS median_days FROM ranked WHERE place * 2 >= stays GROUP BY stage
),
entered AS (
    SELECT count(DISTINCT subject_id) AS subjects FROM stay
)
SELECT
    n.position,
    n.stage,
    n.kind,
    n.title,
    coalesce(h.customers, 0) AS customers,
    r.reached,
    CAST(r.reached AS DOUBLE) / nullif(CASE WHEN n.final THEN e.subjects ELSE b.reached END, 0)
        AS conversion,
    m.median_days
FROM stage n
JOIN reach r ON r.position = n.position
LEFT JOIN reach b ON b.position = n.position - 1
LEFT JOIN here h ON h.stage = n.stage
LEFT JOIN middle m ON m.stage = n.stage
JOIN entered e ON true
"""


def stage_table(lifecycle: Lifecycle) -> pa.Table:
    """The stages of a lifecycle as the table ``stage`` of :data:`FUNNEL`, positions from 1."""
    return pa.table(
        {
            "position": pa.array(range(1, len(lifecycle.stages) + 1), pa.int64()),
            "stage": [stage.name for stage in lifecycle.stages],
            "kind": [stage.kind for stage in lifecycle.stages],
            "title": [stage.title or stage.name for stage in lifecycle.stages],
            "final": [stage.kind in FINAL_KINDS for stage in lifecycle.stages],
        }
    )
