"""The public IBM telco set, against the figures that plain libraries reach on it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pytest

from crmkit.analysis.scores.dataset import Dataset
from crmkit.analysis.scores.evaluation import cross_validate
from crmkit.analysis.scores.leaks import check_powers, input_powers
from crmkit.declarations import Feature, Score, sql_name
from crmkit.entities import FieldType

NUMBERS = ("tenure", "MonthlyCharges", "TotalCharges")


@pytest.fixture(scope="module")
def telco(shared_data: Path) -> tuple[list[Feature], Dataset]:
    """Every column but the key and the outcome, as it stands; the blank TotalCharges are missing."""
    options = csv.ConvertOptions(
        null_values=["", " "],
        strings_can_be_null=True,
        column_types={n: pa.float64() for n in NUMBERS} | {"Churn": pa.string()},
        true_values=[],
        false_values=[],
    )
    table = csv.read_csv(shared_data / "telco_ibm" / "telco_churn.csv", convert_options=options)
    features, columns = [], {}
    for name in table.column_names:
        if name in ("customerID", "Churn"):
            continue
        kind = FieldType.NUMBER if name in NUMBERS else FieldType.TEXT
        features.append(Feature(name=f"ibm.{name.lower()}", type=kind))
        columns[sql_name(features[-1].name)] = table.column(name)
    label = pc.cast(pc.equal(table.column("Churn"), "Yes"), pa.int64())
    rows = pa.table({**columns, "label": label})
    return features, Dataset(table=rows, dates=(date(2018, 1, 1),), timed=False)


def test_default_estimator_holds_the_figures_of_plain_libraries(
    telco: tuple[list[Feature], Dataset],
) -> None:
    """Measured with plain libraries: AUC 0.8453, Brier 0.1354, lift 2.85; 5 folds, seed 0."""
    features, data = telco
    score = Score(name="ibm.churn", features=[f.name for f in features], population="", target="")
    found = cross_validate(score, "logistic", features, data, 5).figures
    assert (found["n"], found["positives"]) == (7043, 1869)
    assert found["auc"] >= 0.843
    assert found["brier"] <= 0.1365
    assert found["lift_top_decile"] >= 2.75
    assert 0.9 <= found["calibration_slope"] <= 1.1


def test_no_honest_input_sets_off_the_alarm(telco: tuple[list[Feature], Dataset]) -> None:
    features, data = telco
    powers = input_powers(features, data.table)
    warnings = check_powers("ibm.churn", powers, allow_leak=False)
    assert max(p.auc for p in powers) < 0.80
    assert any(w.startswith("ibm.contract tells much") for w in warnings)
