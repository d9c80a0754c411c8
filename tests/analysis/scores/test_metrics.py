"""Metrics against numbers worked by hand and against scikit-learn."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from crmkit.analysis.scores import metrics

LABEL = [1, 0, 1, 0, 0]
VALUE = [0.9, 0.8, 0.6, 0.4, 0.2]


def test_auc_counts_pairs_in_the_right_order() -> None:
    # 0.9 is above all three negatives, 0.6 above two of them: 5 of 6 pairs.
    assert metrics.auc(LABEL, VALUE) == pytest.approx(5 / 6, abs=1e-12)


def test_auc_counts_a_tie_as_half() -> None:
    # pairs: (0.5, 0.5) half, (0.5, 0.1) whole: 1.5 of 2.
    assert metrics.auc([1, 0, 0], [0.5, 0.5, 0.1]) == 0.75


def test_ks_is_the_widest_gap_between_the_two_distributions() -> None:
    # From the top, positives caught minus negatives caught: 1/2-0, 1/2-1/3, 1-1/3, ...
    assert metrics.ks(LABEL, VALUE) == pytest.approx(2 / 3, abs=1e-12)


def test_ks_has_no_threshold_inside_a_tie() -> None:
    assert metrics.ks([1, 0], [0.5, 0.5]) == 0.0


def test_ks_counts_the_gap_whichever_way_it_points() -> None:
    # From the top, two of three negatives come before the first of two positives.
    assert metrics.ks([0, 0, 1, 1, 0], VALUE) == pytest.approx(2 / 3, abs=1e-12)


def test_brier_is_the_mean_squared_distance() -> None:
    # 0.01 + 0.64 + 0.16 + 0.16 + 0.04 over 5
    assert metrics.brier(LABEL, VALUE) == pytest.approx(0.202, abs=1e-12)


def test_log_loss_is_the_mean_surprise() -> None:
    expected = -(log(0.9) + log(0.2) + log(0.6) + log(0.6) + log(0.8)) / 5
    assert metrics.log_loss(LABEL, VALUE) == pytest.approx(expected, abs=1e-12)


def test_log_loss_of_a_certain_wrong_answer_is_bounded() -> None:
    assert metrics.log_loss([1, 0], [0.0, 0.0]) == pytest.approx(-log(1e-15) / 2, rel=1e-9)


def test_log_loss_of_certain_answers_is_nothing_where_right_and_bounded_where_wrong() -> None:
    assert metrics.log_loss([1, 0], [1.0, 0.0]) == pytest.approx(0, abs=1e-14)
    # 1 - 1e-15 is kept to one part in a thousand only: the logarithm is 34.5 all the same.
    assert metrics.log_loss([1, 0], [1.0, 1.0]) == pytest.approx(-log(1e-15) / 2, rel=1e-4)


def test_top_decile_rounds_up_and_is_relative_to_the_average() -> None:
    # 11 rows: the top 2 hold one of the two positives, rate 1/2 against 2/11.
    label = [1, 0, 1] + [0] * 8
    value = [0.9, 0.8] + [0.5 - i / 100 for i in range(9)]
    assert metrics.lift_top_decile(label, value) == pytest.approx(0.5 / (2 / 11), abs=1e-12)


@pytest.mark.parametrize(("rows", "size"), [(9, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_top_decile_holds_a_tenth_of_the_rows_rounded_up(rows: int, size: int) -> None:
    """The highest two left: both are in the tenth, or one is that stands for the whole of it."""
    label = [1, 1] + [0] * (rows - 2)
    value = [0.9 - i / 100 for i in range(rows)]
    assert metrics.lift_top_decile(label, value) == pytest.approx(min(2, size) / size / (2 / rows))


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0]])
def test_a_tie_over_the_edge_of_the_top_decile_is_shared(order: list[int]) -> None:
    """Four rows tie for the top two of twenty, one of them positive: half a positive is in."""
    head = [[1, 0, 0, 0][i] for i in order]
    label = head + [1] + [0] * 15
    value = [0.9] * 4 + [0.5 - i / 100 for i in range(16)]
    assert metrics.lift_top_decile(label, value) == pytest.approx((0.5 / 2) / (2 / 20), abs=1e-12)


def test_calibration_of_two_groups_is_the_line_through_their_log_odds() -> None:
    # At p = 0.5 (log-odds 0) one of four happens, at p = 0.8 (ln 4) two of four:
    # intercept ln(1/3), slope (0 - ln(1/3)) / ln 4.
    label = [1, 0, 0, 0, 1, 1, 0, 0]
    value = [0.5] * 4 + [0.8] * 4
    slope, intercept = metrics.calibration(label, value)
    assert slope == pytest.approx(log(3) / log(4), abs=1e-9)
    assert intercept == pytest.approx(-log(3), abs=1e-9)


def test_calibration_of_true_probabilities_is_the_identity() -> None:
    label = [1, 0, 0, 0, 1, 1, 1, 0]
    value = [0.25] * 4 + [0.75] * 4
    slope, intercept = metrics.calibration(label, value)
    assert (slope, intercept) == (pytest.approx(1, abs=1e-9), pytest.approx(0, abs=1e-9))


@pytest.mark.parametrize(
    "value",
    [
        [0.9, 0.8, 0.2, 0.1],
        [0.1, 0.2, 0.8, 0.9],
        [0.3] * 4,
        # A tie at the edge, whichever way: the likelihood rises with the slope without end.
        [0.9, 0.5, 0.5, 0.1],
        [0.1, 0.5, 0.5, 0.9],
        [0.5, 0.5, 0.5, 0.1],
        [0.9, 0.5, 0.5, 0.5],
    ],
)
def test_calibration_has_no_number_when_nothing_can_be_fitted(value: list[float]) -> None:
    slope, intercept = metrics.calibration([1, 1, 0, 0], value)
    assert np.isnan(slope) and np.isnan(intercept)


def test_gain_table_gives_bands_as_ntile_does() -> None:
    label = [1, 1, 0, 1, 0, 0, 0]
    value = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
    first, second, third = metrics.gain_table(label, value, bands=3)
    assert [b.size for b in (first, second, third)] == [3, 2, 2]
    assert [b.positives for b in (first, second, third)] == [2, 1, 0]
    assert first.mean_value == pytest.approx(0.8)
    assert [b.band for b in (first, second, third)] == [1, 2, 3]
    assert [b.mean_value for b in (second, third)] == pytest.approx([0.55, 0.35])
    assert [b.rate for b in (first, second, third)] == pytest.approx([2 / 3, 1 / 2, 0])
    # Against the average of 3 in 7: 14/9 and 7/6 of it, and nothing.
    assert [b.lift for b in (first, second, third)] == pytest.approx([14 / 9, 7 / 6, 0])
    assert [b.captured for b in (first, second, third)] == pytest.approx([2 / 3, 1, 1])


def test_gain_table_refuses_more_bands_than_rows() -> None:
    with pytest.raises(ValueError, match="2 rows cannot be cut into 10 bands"):
        metrics.gain_table([1, 0], [0.1, 0.2])
    with pytest.raises(ValueError, match="2 rows cannot be cut into 0 bands"):
        metrics.gain_table([1, 0], [0.1, 0.2], 0)
    assert [row.size for row in metrics.gain_table([1, 0], [0.1, 0.2], 2)] == [1, 1]


def test_a_tie_over_the_edge_of_a_band_is_shared() -> None:
    """Three values tie, one of them positive: a third of it falls into the first of two bands."""
    first, second = metrics.gain_table([1, 1, 0, 0], [0.9, 0.5, 0.5, 0.5], bands=2)
    assert (first.positives, second.positives) == pytest.approx((4 / 3, 2 / 3))
    assert (first.captured, second.captured) == pytest.approx((2 / 3, 1))


def test_stability_index_of_shares() -> None:
    expected = (0.4 - 0.5) * log(0.4 / 0.5) + (0.6 - 0.5) * log(0.6 / 0.5)
    assert metrics.share_shift([0.5, 0.5], [0.4, 0.6]) == pytest.approx(expected, abs=1e-12)


def test_stability_index_cuts_at_the_quantiles_of_what_was_learnt_on() -> None:
    # Two bands cut at 2: half of 1..4 below or at 2; of the new values three quarters.
    found = metrics.psi([1, 2, 3, 4], [1, 1, 2, 9], bands=2)
    assert found == pytest.approx(0.25 * log(1.5) - 0.25 * log(0.5), abs=1e-12)
    assert metrics.psi([1, 2, 3, 4], [4, 3, 2, 1]) == 0


def test_an_empty_band_of_the_stability_index_counts_as_half_a_row() -> None:
    # All four are in the upper half: 1 of them there, and half of four rows, an eighth, below.
    expected = (0.125 - 0.5) * log(0.125 / 0.5) + (1 - 0.5) * log(1 / 0.5)
    assert metrics.psi([1, 2, 3, 4], [9, 9, 9, 9], bands=2) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("expected", "actual"), [([], [1.0]), ([1.0], []), ([], [])])
def test_stability_index_needs_values_on_both_sides(
    expected: list[float], actual: list[float]
) -> None:
    with pytest.raises(ValueError, match="needs values on both sides"):
        metrics.psi(expected, actual)


def test_information_value_of_two_groups() -> None:
    # Group 0 holds 2 of 10 positives and 8 of 10 negatives, group 1 the others.
    label = [1] * 2 + [0] * 8 + [1] * 8 + [0] * 2
    group = [0] * 10 + [1] * 10
    assert metrics.information_value(label, group) == pytest.approx(2 * 0.6 * log(4), abs=1e-12)


def test_information_value_counts_half_a_row_where_a_group_holds_one_outcome_only() -> None:
    # Of two positives and six negatives, group 0 holds four negatives, group 2 the others; there is
    # no group 1.
    low, high = (0.5 / 2, 4 / 6), (2 / 2, 2 / 6)
    expected = sum((bad - good) * log(bad / good) for bad, good in (low, high))
    label, group = [0] * 4 + [1, 1, 0, 0], [0] * 4 + [2] * 4
    assert metrics.information_value(label, group) == pytest.approx(expected, abs=1e-12)
    # The other way round half a negative is counted, and the sum is the same.
    turned = [1 - y for y in label]
    assert metrics.information_value(turned, group) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("measure", [metrics.auc, metrics.ks, metrics.brier, metrics.log_loss])
def test_one_sided_labels_are_refused(measure: object) -> None:
    with pytest.raises(ValueError, match="labels must hold both outcomes"):
        measure([1, 1], [0.5, 0.6])  # type: ignore[operator]
    with pytest.raises(ValueError, match="labels must hold both outcomes"):
        measure([0, 0], [0.5, 0.6])  # type: ignore[operator]
    with pytest.raises(ValueError, match="labels must hold both outcomes"):
        measure([], [])  # type: ignore[operator]
    with pytest.raises(ValueError, match="label and value differ in shape"):
        measure([1, 0], [0.5])  # type: ignore[operator]


def test_measures_equal_those_of_scikit_learn() -> None:
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    draw = np.random.default_rng(7)
    label = (draw.random(500) < 0.3).astype(int)
    value = np.round(np.clip(draw.normal(0.3 + 0.2 * label, 0.15), 0.01, 0.99), 2)
    assert metrics.auc(label, value) == pytest.approx(sklearn_metrics.roc_auc_score(label, value))
    assert metrics.brier(label, value) == pytest.approx(
        sklearn_metrics.brier_score_loss(label, value)
    )
    assert metrics.log_loss(label, value) == pytest.approx(sklearn_metrics.log_loss(label, value))
    false, true, _ = sklearn_metrics.roc_curve(label, value, drop_intermediate=False)
    assert metrics.ks(label, value) == pytest.approx(float(np.max(np.abs(true - false))))


def test_calibration_equals_unpenalised_logistic_regression() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    draw = np.random.default_rng(3)
    label = (draw.random(800) < 0.4).astype(int)
    value = np.clip(draw.normal(0.4 + 0.1 * label, 0.2), 0.02, 0.98)
    model = linear.LogisticRegression(C=np.inf, tol=1e-10)
    model.fit(metrics.logit(value).reshape(-1, 1), label)
    slope, intercept = metrics.calibration(label, value)
    assert slope == pytest.approx(model.coef_[0][0], abs=1e-5)
    assert intercept == pytest.approx(model.intercept_[0], abs=1e-5)


@pytest.mark.parametrize(
    ("positives", "size", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_calibration_interval_is_that_of_the_published_table(
    positives: int, size: int, low: float, high: float
) -> None:
    """Newcombe (1998, Statistics in Medicine 17, 857-872), table I, method 3."""
    label = [1] * positives + [0] * (size - positives) + [1]
    # One row more with the lowest value, so that both outcomes occur: a band of its own is cut off.
    value = [0.5] * size + [0.4]
    row = metrics.calibration_table(label, value, 1)[0]
    assert (row.size, row.mean_value) == (size + 1, pytest.approx((0.5 * size + 0.4) / (size + 1)))
    assert metrics._wilson(positives / size, size) == pytest.approx((low, high), abs=5e-5)


def test_calibration_table_says_what_was_said_and_what_happened_from_low_to_high() -> None:
    label = [0, 0, 1, 0, 1, 1]
    value = [0.1, 0.2, 0.3, 0.4, 0.8, 0.9]
    rows = metrics.calibration_table(label, value, 3)
    assert [(r.band, r.size) for r in rows] == [(1, 2), (2, 2), (3, 2)]
    assert [r.mean_value for r in rows] == pytest.approx([0.15, 0.35, 0.85])
    assert [r.rate for r in rows] == pytest.approx([0.0, 0.5, 1.0])
    assert all(r.low <= r.rate <= r.high for r in rows)


def test_error_of_an_area_is_the_published_one() -> None:
    """Hanley & McNeil 1982, the example of 51 abnormal and 58 normal images: 0.893, error 0.032."""
    assert metrics.auc_error(0.893, 51, 58) == pytest.approx(0.032, abs=0.0006)


@pytest.mark.parametrize(("area", "positives", "negatives"), [(0.8, 30, 70), (0.5, 3, 97)])
def test_interval_of_an_area_ends_where_it_is_1_96_of_its_own_errors_away(
    area: float, positives: int, negatives: int
) -> None:
    low, high = metrics.auc_interval(area, positives, negatives)
    for end in (low, high):
        error = metrics.auc_error(end, positives, negatives)
        assert abs(end - area) == pytest.approx(1.96 * error, abs=1e-9)
    assert 0 < low < area < high < 1


def test_interval_of_a_perfect_area_ends_at_it() -> None:
    assert metrics.auc_interval(1.0, 5, 5)[1] == 1
    assert metrics.auc_interval(0.0, 5, 5)[0] == 0


def test_calibration_of_values_that_are_far_too_sure() -> None:
    """Boosted trees beside a leak say 0 and 1; scikit-learn without penalty finds the same maximum."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    draw = np.random.default_rng(5)
    z = np.concatenate([draw.normal(-30, 8, 3000), draw.normal(12, 14, 1000)])
    value = 1 / (1 + np.exp(-z))
    label = (draw.random(4000) < 1 / (1 + np.exp(1 - 0.06 * z))).astype(int)
    slope, intercept = metrics.calibration(label, value)
    x = metrics.logit(value).reshape(-1, 1)
    fitted = linear_model.LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, label)
    assert slope == pytest.approx(float(fitted.coef_[0, 0]), rel=1e-4)
    assert intercept == pytest.approx(float(fitted.intercept_[0]), rel=1e-3)
