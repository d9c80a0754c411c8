"""How long things last, as analysis SQL: the product-limit estimate of Kaplan and Meier."""

from __future__ import annotations

from .resources import resource_text

__all__ = ["product_limit"]

_SELECT = """
SELECT
    part AS {part},
    duration AS {duration},
    CAST(at_risk AS BIGINT) AS at_risk,
    CAST(ended AS BIGINT) AS ended,
    CASE WHEN extinct = 1 THEN 0.0 ELSE exp(log_survival) END AS survival,
    CASE
        WHEN extinct = 1 THEN 0.0
        WHEN log_survival = 0 THEN 1.0
        ELSE exp(log_survival * exp(1.96 * sqrt(greenwood) / abs(log_survival)))
    END AS survival_low,
    CASE
        WHEN extinct = 1 THEN 0.0
        WHEN log_survival = 0 THEN 1.0
        ELSE exp(log_survival * exp(-1.96 * sqrt(greenwood) / abs(log_survival)))
    END AS survival_high
FROM curve
"""


def product_limit(counted: str, *, part: str, duration: str) -> str:
    """SQL of the Kaplan-Meier curve of each part, for a report.

    A stay that goes on is censored at its age: it counts as at risk until then and never as ended.
    That holds only where what still goes on is no different from what ended, which is the method's
    assumption and no finding.

    Args:
        counted: one ``SELECT`` that gives a row for each ``part`` (a text that tells curves apart)
            and ``duration`` (a number), with ``stays``, how many were last seen at that duration, and
            ``ended``, how many of them ended then.
        part, duration: what these two columns are called in the report.

    Returns:
        SQL with ``part``, ``duration``, ``at_risk`` and ``ended`` (whole numbers), ``survival`` (the
        share that lasts longer) and its 95 % limits ``survival_low`` and ``survival_high``, which
        are transformed by log(-log) as in Kalbfleisch and Prentice, The Statistical Analysis of
        Failure Time Data (1980), with Greenwood's variance.

    Example:
        ``product_limit("SELECT plan AS part, months AS duration, count(*) AS stays, sum(ended) AS
        ended FROM ... GROUP BY plan, months", part="plan", duration="months")``
    """
    curve = resource_text(__package__, "survival.sql")
    return f"WITH counted AS (\n{counted}\n),\n{curve}" + _SELECT.format(
        part=part, duration=duration
    )
