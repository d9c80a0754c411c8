"""A portfolio of five million customers scored by a card in one statement, against SQL by hand.

The card is a model in whole points; crmkit writes its SQL. The hand-written query adds the same
points and turns the sum into a probability. Both read the same Parquet file and write a table; before
the times are compared, the values are, on every row.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import duckdb

from crmkit.learning import BandInput, ChoiceInput, Model, sql_expression

from .measure import Result, machine, middle, seconds, show

GOAL = 1.2
FACTOR = 20 / math.log(2)
OFFSET = 600 - FACTOR * math.log(30)
BASE = 410
# Upper edges, points of the bands, points of what is missing, and of special codes.
BANDS = {
    "bureau_score": ((450, 560, 640, 720), (0, 17, 31, 48, 66), 20, {-9: 11}),
    "income": ((120_000, 210_000, 340_000), (0, 12, 21, 30), 9, {}),
    "term_months": ((12, 24, 42), (33, 20, 8, 0), 10, {}),
    "dsti": ((0.15, 0.30, 0.45), (25, 16, 6, 0), 7, {}),
    "months_on_file": ((24, 96), (0, 9, 18), 4, {}),
}
# Points of the levels, of others, and of what is missing.
LEVELS = {
    "housing": ({"family": 6, "mortgage": 14, "own": 17, "rent": 0}, 5, 5),
    "employment": ({"permanent": 19, "public": 24, "self_employed": 5, "student": 3}, 0, 8),
    "purpose": ({"car": 12, "furniture": 8, "repairs": 4}, 0, 7),
}
PORTFOLIO = """
COPY (
    SELECT
        i AS id,
        CASE WHEN hash(i) % 50 = 0 THEN NULL WHEN hash(i) % 20 = 1 THEN -9
            ELSE 300 + CAST(hash(i + 1) % 550 AS BIGINT) END AS bureau_score,
        CASE WHEN hash(i) % 33 = 2 THEN NULL ELSE 60000 + CAST(hash(i + 2) % 500000 AS BIGINT) END AS income,
        6 + CAST(hash(i + 3) % 60 AS BIGINT) AS term_months,
        CASE WHEN hash(i) % 40 = 3 THEN NULL ELSE (hash(i + 4) % 700) / 1000 END AS dsti,
        CAST(hash(i + 5) % 240 AS BIGINT) AS months_on_file,
        ['own', 'rent', 'mortgage', 'family', NULL, 'free'][1 + CAST(hash(i + 6) % 6 AS BIGINT)] AS housing,
        ['permanent', 'public', 'self_employed', 'student', 'retired'][1 + CAST(hash(i + 7) % 5 AS BIGINT)]
            AS employment,
        ['car', 'furniture', 'repairs', 'other'][1 + CAST(hash(i + 8) % 4 AS BIGINT)] AS purpose
    FROM range({rows}) AS one(i)
) TO '{file}' (FORMAT parquet)
"""


def card() -> Model:
    """The card of :data:`BANDS` and :data:`LEVELS` as a model of crmkit."""
    inputs: list[BandInput | ChoiceInput] = [
        BandInput(
            feature=f"bench.{name}", column=name, edges=edges, weights=_weights(points),
            missing=-missing / FACTOR, specials=tuple(specials),
            special_weights=_weights(specials.values()),
        )
        for name, (edges, points, missing, specials) in BANDS.items()
    ]  # fmt: skip
    inputs += [
        ChoiceInput(
            feature=f"bench.{name}", column=name, levels=tuple(levels),
            weights=_weights(levels.values()), other=-other / FACTOR, missing=-missing / FACTOR,
        )
        for name, (levels, other, missing) in LEVELS.items()
    ]  # fmt: skip
    return Model(
        score="bench.card", estimator="points", inputs=inputs, intercept=(OFFSET - BASE) / FACTOR
    )


def _weights(points: object) -> tuple[float, ...]:
    return tuple(-p / FACTOR for p in points)  # type: ignore[attr-defined]


def run(rows: int, folder: Path, *, runs: int = 5) -> list[Result]:
    """Scores a generated portfolio both ways."""
    file = folder / f"portfolio-{rows}.parquet"
    with duckdb.connect() as connection:
        if not file.exists():
            connection.execute(PORTFOLIO.format(rows=rows, file=file))
        by_hand = Path(__file__).with_name("portfolio_by_hand.sql").read_text(encoding="utf-8")
        by_hand = by_hand.replace("$file", f"'{file}'")
        ours = f"SELECT id, {sql_expression(card())} AS pd FROM read_parquet('{file}')"
        texts = {"ours": ours, "by_hand": by_hand}
        took: dict[str, list[float]] = {name: [] for name in texts}
        # Turn by turn, so that other work on the machine slows both.
        for _ in range(runs):
            for name, text in texts.items():
                took[name].append(
                    seconds(
                        lambda n=name, t=text: connection.execute(
                            f"CREATE OR REPLACE TABLE {n} AS {t}"
                        )
                    )
                )
        apart, count = connection.execute(
            "SELECT max(abs(o.pd - h.pd)), count(*) FROM ours o JOIN by_hand h USING (id)"
        ).fetchone() or (1.0, 0)
    # The constants of the hand-written text have four decimals; the card's points are exact.
    assert count == rows, (count, rows)
    assert apart < 1e-6, apart
    here, bare = middle(took["ours"]), middle(took["by_hand"])
    return [
        Result(
            name=f"a card over {rows:,} customers in one statement, of SQL by hand", ours=here,
            bare=bare, unit="s", goal=GOAL, at_most=True,
        )
    ]  # fmt: skip


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        show(run(options.rows, Path(name)))


if __name__ == "__main__":
    main()
