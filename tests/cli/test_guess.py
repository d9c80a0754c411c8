"""``crmkit profile guess`` beside the industries' own record types."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Crmkit = Callable[..., Any]

# Values of activated_on and monthly_fee, and how the draft reads them.
SUBSCRIPTIONS = {
    "day first": (
        ("01/02/2024", "25/12/2024", "05/06/2024"), ("1.234,50", "13,00", "14,00"),
        {"date": "%d/%m/%Y"}, {"decimal": ",", "thousands": "."}, "dates as %d/%m/%Y)",
    ),
    "month first": (
        ("1/31/24", "12/25/24", "5/6/24"), ("$1,234.50", "$13.00", "$14.00"),
        {"date": "%m/%d/%y", "first_year": 1930}, {"thousands": ",", "currency": "USD"}, "two-digit years from 1930)",
    ),
    "either": (
        ("01/02/2024", "03/04/2024", "05/06/2024"), ("12.00", "13.00", "14.00"),
        {"date": "%d/%m/%Y"}, {}, "but %m/%d/%Y fits as well",
    ),
}  # fmt: skip


@pytest.fixture
def draft(crmkit: Crmkit, tmp_path: Path) -> Callable[..., tuple[dict[str, Any], str]]:
    """Drafts from a file in a workspace with an industry; the profile imports the file."""

    def make(plugin: str, content: str) -> tuple[dict[str, Any], str]:
        here = ("-w", tmp_path / "w")
        crmkit("init", tmp_path / "w", "--plugin", plugin)
        file, profile = tmp_path / "a.csv", tmp_path / "a.toml"
        file.write_text(content, encoding="utf-8")
        text = crmkit(*here, "profile", "guess", file).out
        profile.write_text(text, encoding="utf-8")
        rows = crmkit(*here, "import", file, "--profile", profile, "--format", "json").rows
        assert (rows[0]["created"], rows[0]["rejected"]) == (content.count("\n") - 1, 0)
        return tomllib.loads(text), text

    return make


@pytest.mark.parametrize("case", SUBSCRIPTIONS)
def test_dates_and_fees_of_subscriptions_are_found(draft, case: str) -> None:
    dates, fees, date, fee, said = SUBSCRIPTIONS[case]
    rows = "".join(f'{i},n,{d},"{f}"\n' for i, (d, f) in enumerate(zip(dates, fees, strict=True)))
    profile, text = draft("telecom", f"customer_id,name,activated_on,monthly_fee\n{rows}")
    fields = profile["emit"][-1]["fields"]
    assert profile["emit"][-1]["entity"] == "telecom.subscription"
    assert fields["activated_on"] == {"column": "activated_on", **date}
    expected = {"column": "monthly_fee", **fee} if fee else "monthly_fee"
    assert fields["monthly_fee"] == expected
    assert said in text


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("customer_id,amount,bad", {"amount": "amount", "bad": "bad"}),
        ("customer_id,bad", {"bad": "bad"}),
        ("customer_id,banking.application.amount", {"amount": "banking.application.amount"}),
    ],
)
def test_fields_of_loan_applications_are_found_by_name(draft, header: str, fields: dict) -> None:
    columns = header.count(",")
    rows = "".join(f"{i},{','.join(['0', '1'][i % 2] for _ in range(columns))}\n" for i in range(4))
    profile, _ = draft("banking", f"{header}\n{rows}")
    assert profile["emit"][-1] == {"entity": "banking.application", "fields": fields}
