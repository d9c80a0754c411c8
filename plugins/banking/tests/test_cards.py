"""Bins, points and cards: what a person can follow on paper (requirement B2)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from crmkit.declarations import Feature
from crmkit.entities import FieldType
from crmkit.learning import Training, sql_expression
from crmkit_banking.cards.binning import bin_number, bin_text
from crmkit_banking.cards.card import Card
from crmkit_banking.cards.estimator import fit_card, tune
from crmkit_banking.cards.lines import Line, strongest
from crmkit_banking.cards.points import Scale, shifted

ROWS = 600
FEATURES = [
    Feature(name="b.bureau", type=FieldType.INTEGER, unit="1", title="Bureau", special={-9.0: "no file"}),
    Feature(name="b.income", type=FieldType.MONEY, unit="money", title="Income"),
    Feature(name="b.home", type=FieldType.TEXT, title="Home"),
    Feature(name="b.phone", type=FieldType.BOOLEAN, title="Phone"),
]  # fmt: skip


@pytest.fixture(scope="module")
def training() -> Training:
    """Rows whose risk falls with the bureau's score and the income; one in ten has no file."""
    rng = np.random.default_rng(5)
    bureau = rng.integers(300, 850, ROWS)
    no_file = rng.random(ROWS) < 0.1
    income = rng.lognormal(12, 0.5, ROWS).round()
    home = rng.choice(["own", "rent", "family", "yacht"], ROWS, p=[0.5, 0.3, 0.195, 0.005])
    odds = 1.5 - (bureau - 575) / 120 - (income - 160_000) / 200_000 + (home == "rent") * 0.8
    bad = rng.random(ROWS) < 1 / (1 + np.exp(-odds + 1.5))
    table = pa.table(
        {
            "b_bureau": pa.array(np.where(no_file, -9, bureau)),
            "b_income": pa.array([None if r < 0.15 else int(i) for r, i in zip(rng.random(ROWS), income, strict=True)]),
            "b_home": pa.array(home.tolist()),
            "b_phone": pa.array((rng.random(ROWS) < 0.6).tolist()),
            "label": pa.array(bad.astype(int)),
        }
    )  # fmt: skip
    return Training.of("b.card", FEATURES, table)


def test_the_usual_scale_has_600_points_at_30_to_1_and_20_more_double_the_odds() -> None:
    """Factor 20 / ln 2 = 28.8539, offset 600 - 28.8539 ln 30 = 501.8622 (Siddiqi 2006, chapter 6)."""
    usual = Scale()
    assert usual.factor == pytest.approx(28.8539, abs=5e-5)
    assert usual.offset == pytest.approx(501.8622, abs=5e-5)
    assert usual.probability(620) == pytest.approx(1 / 61)
    assert usual.of_probability(usual.probability(533)) == pytest.approx(533)


def test_the_prior_moves_the_odds_and_not_the_order() -> None:
    """A sample of half bads, a trade of one in ten: odds 1:1 become 1:9, and 3:1 become 3:9."""
    assert shifted(0.5, sample=0.5, real=0.1) == pytest.approx(0.1)
    assert shifted(0.75, sample=0.5, real=0.1) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="between 0 and 1, not 0"):
        shifted(0.5, sample=0.5, real=0.0)


def test_weights_of_evidence_and_information_value_by_hand() -> None:
    """Own: 60 goods, 10 bads; rent: 20 goods, 20 bads; of 80 goods and 30 bads.

    own:  ln((60/80) / (10/30)) = ln 2.25     = 0.81093, part (0.75 - 0.33333) * 0.81093 = 0.33789
    rent: ln((20/80) / (20/30)) = ln 0.375    = -0.98083, part (0.25 - 0.66667) * -0.98083 = 0.40868
    """
    home = ["own"] * 70 + ["rent"] * 40
    bad = np.array([0.0] * 60 + [1.0] * 10 + [0.0] * 20 + [1.0] * 20)
    found = bin_text(home, bad)
    by_label = {b.label: b for b in found.bins if b.rows}
    assert by_label["own"].woe == pytest.approx(0.81093, abs=5e-6)
    assert by_label["rent"].woe == pytest.approx(-0.98083, abs=5e-6)
    assert found.iv == pytest.approx(0.33789 + 0.40868, abs=2e-5)
    # Nobody was seen without a home or in an unheard-of one: that tells nothing.
    assert [(b.kind, b.woe) for b in found.bins if not b.rows] == [("other", 0.0), ("missing", 0.0)]


def test_what_is_missing_and_each_special_code_has_a_bin_of_its_own() -> None:
    x = np.array([float("nan")] * 40 + [-9.0] * 60 + list(range(100)) * 4, dtype=np.float64)
    bad = np.array(
        [1.0, 0.0] * 20 + [1.0] * 45 + [0.0] * 15 + [float(v < 30) for v in range(100)] * 4
    )
    found = bin_number(x, bad, {-9.0: "no file", -8.0: "no record"})
    kinds = {b.label: (b.kind, b.rows, b.bads) for b in found.bins if b.kind != "band"}
    assert kinds == {
        "missing": ("missing", 40, 20),
        "no file": ("special", 60, 45),
        "no record": ("special", 0, 0),
    }
    assert all(edge > 0 for edge in found.edges), "a code is no quantity and moves no edge"
    rates = [b.bad_rate for b in found.bins if b.kind == "band"]
    assert rates == sorted(rates, reverse=True), "monotonic: below 30 everybody was bad"
    assert all(math.isfinite(b.woe) for b in found.bins)


def test_a_bin_without_goods_counts_half_a_good() -> None:
    """Of 300 goods and 90 bads a code has 30 bads and no good: ln((0.5 / 300) / (30 / 90)).

    That is ln 0.005 = -5.298317; with bads in its place, ln((60 / 300) / (0.5 / 90)) = ln 36.
    """
    x = np.array([-9.0] * 30 + [-8.0] * 60 + [5.0] * 300)
    bad = np.array([1.0] * 30 + [0.0] * 60 + [0.0] * 240 + [1.0] * 60)
    found = bin_number(x, bad, {-9.0: "no file", -8.0: "no record"})
    assert {b.label: round(b.woe, 6) for b in found.bins if b.kind == "special"} == {
        "no file": -5.298317,
        "no record": 3.583519,
    }


@pytest.mark.parametrize(("worst", "first_rows"), [(45, 50), (52, 52)])
def test_no_band_is_smaller_than_a_twentieth_of_the_known_rows(worst: int, first_rows: int) -> None:
    """Of 1,000 rows 50 or more may stand alone, 45 take the next five with them (Siddiqi 2006)."""
    x = np.arange(1000, dtype=np.float64)
    bad = np.where(x < worst, x > 2, x % 20 == 15).astype(float)
    bands = [b for b in bin_number(x, bad, {}).bins if b.kind == "band"]
    assert bands[0].rows == first_rows
    assert min(b.rows for b in bands) >= 50


ODD_FEATURES = [
    Feature(name=f"b.{name}", type=FieldType.NUMBER, unit="1", title=name)
    for name in ("empty", "constant", "once", "one_fold", "infinite", "huge", "gaps")
]


def test_an_odd_column_in_any_fold_stops_no_card(training: Training) -> None:
    """Empty, constant, or known only to the rows that one inner fold holds out."""
    held_out = set(training.splits[0][1].tolist())
    infinity = float("inf")
    odd = {
        "empty": [None] * ROWS,
        "constant": [3.0] * ROWS,
        "once": [7.0] + [None] * (ROWS - 1),
        "one_fold": [float(i % 3) if i in held_out else None for i in range(ROWS)],
        "infinite": [(infinity, -infinity, 1.0, 2.0)[i % 4] for i in range(ROWS)],
        "huge": [1e30 * (-1) ** i for i in range(ROWS)],
        "gaps": [3.0 if i % 2 else None for i in range(ROWS)],
    }
    table = training.table
    for name, values in odd.items():
        table = table.append_column(f"b_{name}", pa.array(values, pa.float64()))
    model = tune(Training.of("b.card", [*FEATURES, *ODD_FEATURES], table)).finish()
    assert {"b.bureau", "b.income"} <= {i.feature for i in model.inputs}
    assert np.isfinite(model.predict(table)).all()


def test_ctrl_c_is_heard_after_bins_were_sought(ctrl_c: Callable[[float], None]) -> None:
    """The solver takes it for the time of its work and gives it back to the system."""
    assert bin_number(np.arange(1000.0), (np.arange(1000) % 7 > 4) * 1.0, {}).edges
    with pytest.raises(KeyboardInterrupt):
        ctrl_c(0.0)
        time.sleep(5)


def test_points_are_whole_and_sum_exactly_to_the_score(training: Training) -> None:
    model = fit_card(training)
    card = Card(model)
    points = card.points(card.codes(training.table))
    assert points.dtype.kind == "i"
    assert points.min() == 0, "the least favourable bin of an input counts 0"
    score = card.base + points.sum(axis=1)
    value = model.predict(training.table)
    # The probability belongs to the sum: log-odds of the value and of the points are one number.
    by_points = np.array([card.scale.probability(int(s)) for s in score])
    assert np.max(np.abs(by_points - value)) < 1e-11
    assert [model.points(float(v)) for v in value] == score.tolist()


def test_the_card_in_sql_gives_every_row_the_value_of_python(training: Training) -> None:
    model = fit_card(training)
    rows = training.table  # noqa: F841  (read by name)
    sql = f"SELECT {sql_expression(model)} AS value FROM rows"
    found = duckdb.sql(sql).to_arrow_table().column("value").to_numpy()
    assert np.max(np.abs(found - model.predict(training.table))) < 1e-12


def test_an_unheard_of_level_and_a_rare_one_are_other(training: Training) -> None:
    card = Card(fit_card(training))
    names = [i.feature for i in card.model.inputs]
    new = {
        "b_bureau": [-9, 400], "b_income": pa.array([None, 100_000], pa.int64()),
        "b_home": ["castle", "yacht"], "b_phone": [True, False],
    }  # fmt: skip
    lines = card.lines(pa.table(new))
    home = names.index("b.home")
    assert [row[home].bin for row in lines] == ["other", "other"]
    bureau = names.index("b.bureau")
    assert lines[0][bureau].bin == "no file"
    # Reasons: what lost most points against its best bin comes first.
    lost = [line.lost for line in strongest(lines[1])]
    assert lost == sorted(lost, reverse=True)
    assert all(lost)


def test_a_stored_card_is_a_text_that_says_its_bins(training: Training) -> None:
    model = fit_card(training)
    again = type(model).from_json(model.to_json())
    assert again.hash == model.hash
    sheet = Card(again).sheet
    assert {"points", "odds", "pdo", "base", "inputs"} <= set(sheet)
    for line in sheet["inputs"]:
        assert sum(b["rows"] for b in line["bins"]) == ROWS
        assert line["iv"] >= 0.02


def test_another_scale_has_its_own_points_odds_and_doubling() -> None:
    """500 points are 50 to 1 and 540 are 100 to 1; even odds are 40 x log2(50) = 225.7542 below 500."""
    scale = Scale(points=500.0, odds=50.0, pdo=40.0)
    assert scale.offset == pytest.approx(500 - 225.7542, abs=5e-5)
    assert [scale.probability(p) for p in (500, 540)] == pytest.approx([1 / 51, 1 / 101])
    assert [scale.of_probability(p) for p in (1 / 51, 1 / 101)] == pytest.approx([500, 540])


def test_the_prior_of_a_sample_and_of_a_trade_both_count() -> None:
    """Bads were 3 in 10 and are 1 in 20: odds of 1:1 become (7 / 3) x (1 / 19) = 7:57."""
    assert shifted(0.5, sample=0.3, real=0.05) == pytest.approx(7 / 64)
    for sample, real in ((0.5, 1.0), (1.0, 0.5), (0.0, 0.5)):
        with pytest.raises(ValueError, match="between 0 and 1"):
            shifted(0.5, sample=sample, real=real)


@pytest.mark.parametrize(("bad", "woe"), [(1.0, math.log(0.5)), (0.0, math.log(2.0))])
def test_levels_are_not_told_apart_where_nobody_or_everybody_was_bad(
    bad: float, woe: float
) -> None:
    """Half a row stands for the outcome that was not seen: ln(0.5 / 1), or ln(1 / 0.5)."""
    found = bin_text(["car"] * 30 + ["boat"] * 30, np.full(60, bad))
    assert found.groups == (("boat", "car"),)
    assert found.bins[0].woe == pytest.approx(woe)
    number = bin_number(np.arange(60.0), np.full(60, bad), {})
    assert (number.edges, [b.label for b in number.bins]) == ((), ["any", "missing"])


@pytest.mark.parametrize(
    ("rows", "few", "alone"),
    [
        (400, 19, False),
        (400, 20, True),
        (1_000, 20, True),
        (200, 9, False),
        (200, 10, True),
    ],
)
def test_a_level_stands_alone_from_20_rows_or_a_twentieth_of_few(
    rows: int, few: int, alone: bool
) -> None:
    levels = ["car"] * (rows - 60 - few) + ["boat"] * 60 + ["yacht"] * few
    found = bin_text(levels, (np.arange(rows) % 3 == 0) * 1.0)
    assert ("yacht" in {level for group in found.groups for level in group}) is alone
    (other,) = (b for b in found.bins if b.kind == "other")
    assert other.rows == (0 if alone else few)


def test_a_band_says_its_edge_its_unit_and_its_counts() -> None:
    """Up to 29 nine of ten are bad, from 30 one of ten: the edge lies between, in minor units."""
    x, tenth = np.repeat(np.arange(60.0), 10), np.arange(600) % 10
    bad = np.where(x < 30, tenth > 0, tenth == 0).astype(float)
    found = bin_number(x, bad, {}, "minor units")
    (edge,) = found.edges
    assert 29 <= edge < 30
    assert [(b.label, b.rows, b.bads) for b in found.bins] == [
        (f"up to {edge:.15g} minor units", 300, 270),
        (f"above {edge:.15g} minor units", 300, 30),
        ("missing", 0, 0),
    ]


def test_what_tells_good_from_bad_without_a_fault_has_bins() -> None:
    """Below 30 everybody was bad and from 30 nobody; then one alone; then car, boat and train alike."""
    x = np.repeat(np.arange(100.0), 4)
    bad = (x < 30) * 1.0
    bands = [b for b in bin_number(x, bad, {}).bins if b.kind == "band"]
    assert {b.bad_rate for b in bands} == {0.0, 1.0}
    assert sum(b.rows for b in bands if b.bads) == 120
    bad[200] = 1.0
    bands = [b for b in bin_number(x, bad, {}).bins if b.kind == "band"]
    assert sum(b.rows for b in bands if b.bad_rate == 1.0) == 120
    found = bin_text(
        ["boat"] * 30 + ["car"] * 30 + ["train"] * 30,
        np.array([0.0] * 30 + [1.0] * 30 + [0.0, 1.0] * 15),
    )
    assert {(b.label, b.bads) for b in found.bins if b.rows} == {
        ("boat", 0),
        ("car", 30),
        ("train", 15),
    }


def _home(rows: list[str], bad: list[int]) -> Training:
    home = Feature(name="b.home", type=FieldType.TEXT, title="Home")
    return Training.of("b.card", [home], pa.table({"b_home": rows, "label": bad}))


def test_a_card_of_one_input_by_hand() -> None:
    """Own: 60 goods, 10 bads; rent: 20 goods, 20 bads; weights of evidence 0.81093 and -0.98083.

    Without a penalty the evidence of one input weighs 1 and the log-odds of bad are ln(30 / 80). With
    28.8539 points each: own 23.40, rent -28.30, the base 501.8622 + 28.30 = 530.16. Rent counts 0, so
    that 28 go from the base to the others, also to a home that was never heard of or is not known.
    """
    training = _home(["own"] * 70 + ["rent"] * 40, [0] * 60 + [1] * 10 + [0] * 20 + [1] * 20)
    model = fit_card(training, 1e9)
    card = Card(model)
    assert card.base == 530 - 28
    assert {label: points for (label, points) in card.bins[0]} == {
        "own": 23 + 28,
        "rent": 0,
        "other": 28,
        "missing": 28,
    }
    assert card.sheet["sample_bad_rate"] == pytest.approx(3 / 11)
    assert card.sheet["inputs"][0]["iv"] == pytest.approx(0.74657, abs=2e-5)
    # 553 and 502 points: odds of 30 x 2 ^ (-47 / 20) and of 30 x 2 ^ (-98 / 20) to one.
    homes = pa.table({"b_home": ["own", "rent"]})
    odds = np.array([30 * 2 ** (-47 / 20), 30 * 2 ** (-98 / 20)])
    assert model.predict(homes) == pytest.approx(1 / (1 + odds))


def test_an_input_below_an_information_value_of_two_hundredths_is_left_out() -> None:
    """Of 1,000 goods 536 and of 1,000 bads 464 have a: 2 x 0.072 x ln(536 / 464) = 0.0208. With 535
    and 465 it is 2 x 0.07 x ln(535 / 465) = 0.0196."""
    rng = np.random.default_rng(1)

    def column(goods: int, bads: int) -> list[str]:
        halves = [np.array(["a"] * n + ["b"] * (1000 - n)) for n in (goods, bads)]
        return [str(v) for half in halves for v in rng.permutation(half)]

    features = [Feature(name=f"b.{n}", type=FieldType.TEXT, title=n) for n in ("tells", "does_not")]
    table = pa.table(
        {
            "b_tells": column(536, 464),
            "b_does_not": column(535, 465),
            "label": [0] * 1000 + [1] * 1000,
        }
    )
    model = fit_card(Training.of("b.card", features, table))
    assert [i.feature for i in model.inputs] == ["b.tells"]
    assert model.tuning["left_out"] == ["b.does_not"]


# Rows, strength of the evidence, seed, and the penalty of the least loss on the inner folds.
STRENGTHS = [(200, 0.0, 0, 0.03), (200, 0.6, 0, 0.1), (200, 1.0, 3, 0.3), (200, 2.0, 0, 1.0)]


@pytest.mark.parametrize(("rows", "strength", "seed", "penalty"), STRENGTHS)
def test_the_weaker_the_evidence_the_stronger_the_penalty(
    rows: int, strength: float, seed: int, penalty: float
) -> None:
    """Noise takes the strongest of the four, clear evidence the weakest, and others one between."""
    rng = np.random.default_rng(seed)
    one, two = rng.choice(list("abc"), rows), rng.choice(list("xyz"), rows)
    odds = -1 + strength * ((one == "a") * 1.0 - (two == "x") * 1.0)
    bad = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    features = [Feature(name=f"b.{n}", type=FieldType.TEXT, title=n) for n in ("one", "two")]
    table = pa.table({"b_one": one.tolist(), "b_two": two.tolist(), "label": bad})
    assert tune(Training.of("b.card", features, table)).finish().tuning["penalty_c"] == penalty


def test_the_four_inputs_that_lost_most_are_the_reasons() -> None:
    """Most first, alike ones by name; what lost nothing is no reason (Regulation B)."""

    def line(feature: str, points: int) -> Line:
        return Line(feature=feature, title=feature, value=1, bin="b", points=points, best=30)

    lines = [
        line("f", 29),
        line("e", 10),
        line("d", 10),
        line("c", 30),
        line("b", 0),
        line("a", 28),
    ]
    assert [(one.feature, one.lost) for one in strongest(lines)] == [
        ("b", 30),
        ("d", 20),
        ("e", 20),
        ("a", 2),
    ]
    assert strongest([line("f", 29), line("c", 30)]) == [line("f", 29)]
