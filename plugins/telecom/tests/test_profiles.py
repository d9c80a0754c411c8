"""Shipped profiles on small files, through a real workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.warehouse.population import Population

DATA = Path(os.environ["CRMKIT_DATA"])
HEADER = (
    "customerID,gender,SeniorCitizen,Partner,Dependents,tenure,PhoneService,MultipleLines,"
    "InternetService,OnlineSecurity,OnlineBackup,DeviceProtection,TechSupport,StreamingTV,"
    "StreamingMovies,Contract,PaperlessBilling,PaymentMethod,MonthlyCharges,TotalCharges,Churn"
)
FIRST = (
    "7590-VHVEG,Female,0,Yes,No,1,No,No phone service,DSL,No,Yes,No,No,No,No,Month-to-month,Yes,"
    "Electronic check,29.85,29.85,No"
)
NEW = (
    "4472-LVYGI,Male,1,No,Yes,0,Yes,Yes,No,No internet service,No internet service,"
    "No internet service,No internet service,No internet service,No internet service,Two year,No,"
    "Bank transfer (automatic),52.55, ,Yes"
)
REASON_HEADER = (
    "customerid,count,country,state,city,zip_code,lat_long,latitude,longitude,gender,senior_citizen,"
    "partner,dependents,tenure_months,phone_service,multiple_lines,internet_service,online_security,"
    "online_backup,device_protection,tech_support,streaming_tv,streaming_movies,contract,"
    "paperless_billing,payment_method,monthly_charges,total_charges,churn_label,churn_value,"
    "churn_score,cltv,churn_reason"
)
REASON = (
    '4472-LVYGI,1,United States,California,Fresno,93701,"36.7, -119.8",36.7,-119.8,Male,Yes,No,No,0,'
    "Yes,Yes,No,No internet service,No internet service,No internet service,No internet service,"
    "No internet service,No internet service,Two year,No,Bank transfer (automatic),52.55, ,Yes,1,86,"
    "3239,Competitor had better devices"
)


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Any]:
    """A workspace with telecom on SQLite."""
    with crmkit.init(tmp_path / "workspace", plugins=("telecom",)) as opened:
        yield opened


def _file(folder: Path, *lines: str) -> Path:
    path = folder / "rows.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _line(crm: Any, ref: str) -> dict[str, Any]:
    (record,) = crm.store.records.list_for(crm.store.customers.find(ref).id)
    assert record.type == "telecom.subscription"
    return dict(record.values)


def test_a_row_of_the_ibm_file(crm: Any, tmp_path: Path) -> None:
    result = crm.import_file(_file(tmp_path, HEADER, FIRST), profile="ibm-telco")
    assert (result.created, result.rejected) == (1, 0)
    line = _line(crm, "7590-VHVEG")
    assert (str(line["monthly_fee"]), line["monthly_fee"].currency) == ("29.85", "USD")
    assert line["status"] == "active"
    assert (line["contract_type"], line["payment_method"]) == ("month_to_month", "e_check")
    assert (line["internet_service"], line["tenure_months"]) == ("dsl", 1)
    assert (line["phone_service"], line["multiple_lines"]) == (False, False)
    assert (line["addon_backup"], line["addon_security"]) == (True, False)


def test_a_blank_total_is_missing_and_no_internet_means_no_addon(crm: Any, tmp_path: Path) -> None:
    result = crm.import_file(_file(tmp_path, HEADER, NEW), profile="ibm-telco")
    assert (result.created, result.rejected) == (1, 0)
    line = _line(crm, "4472-LVYGI")
    assert line.get("total_charges") is None
    assert line["addon_tech_support"] is False
    assert (line["status"], line["contract_type"]) == ("terminated", "24m")


def test_the_reasons_file_adds_to_the_same_customer(crm: Any, tmp_path: Path) -> None:
    crm.import_file(_file(tmp_path, HEADER, NEW), profile="ibm-telco")
    result = crm.import_file(_file(tmp_path, REASON_HEADER, REASON), profile="ibm-telco-reasons")
    assert (result.updated, result.rejected) == (1, 0)
    line = _line(crm, "4472-LVYGI")
    assert (line["churn_reason"], line["churn_to"]) == ("competitor_device", "competitor")
    assert line["churn_detail"] == "Competitor had better devices"
    customer = crm.store.customers.find("4472-LVYGI")
    assert customer.region == "California"
    fields = crm.store.customers.fields(customer.id)["telecom"]
    # The second edition says otherwise; the first stands.
    assert fields["dependants"] is True
    assert fields["city"] == "Fresno"


def test_an_unknown_contract_is_rejected_by_name(crm: Any, tmp_path: Path) -> None:
    spoiled = FIRST.replace("Month-to-month", "Three weeks")
    result = crm.import_file(_file(tmp_path, HEADER, spoiled, NEW), profile="ibm-telco")
    assert (result.created, result.rejected) == (1, 1)
    (reject,) = crm.store.imports.rejects(result.import_id)
    assert (reject.line, reject.field, reject.value) == (2, "contract_type", "Three weeks")
    assert "One year" in reject.allowed


CUSTOMERS = (
    "customer,kind,name,phone,email,joined_on,region,city,postal_code,household,gender,senior,partner,"
    "dependants,key_account_tier,account_manager,marketing_consent,consent_on",
    "C1,person,,,,2025-01-01,,,,,,,,,,,,",
)
LINES = (
    "subscription,customer,as_of,msisdn,status,payment_model,activated_on,plan,contract_type,"
    "contract_starts_on,contract_ends_on,early_exit_fee,monthly_fee,data_allowance_gb,"
    "voice_allowance_min,line_count,internet_service,addon_security,addon_backup,"
    "addon_device_protection,addon_tech_support,addon_streaming_tv,addon_streaming_movies,"
    "addon_roaming,addon_family,payment_method,paperless,ported_from,device_model,"
    "device_acquired_on,instalment_balance,ended_on,churn_kind,churn_reason,churn_to"
)


def _state(as_of: str, **values: str) -> str:
    row = {"subscription": "L1", "customer": "C1", "activated_on": "2025-01-01", **values}
    return ",".join({**row, "as_of": as_of}.get(name, "") for name in LINES.split(","))


def _import_lines(crm: Any, folder: Path, *rows: str) -> Any:
    return crm.import_file(_file(folder, LINES, *rows), profile="telecom-subscriptions")


def test_a_line_that_ends_before_it_begins_is_refused(crm: Any, tmp_path: Path) -> None:
    assert crm.import_file(_file(tmp_path, *CUSTOMERS), profile="telecom-customers").created == 1
    result = _import_lines(crm, tmp_path, _state("2025-06-01", ended_on="2024-12-31"))
    assert result.rejected == 1
    (reject,) = crm.store.imports.rejects(result.import_id)
    assert (reject.code, reject.field) == ("E_CONTRADICTION", "ended_on")
    assert "is before activated_on" in reject.message


def test_an_earlier_state_read_again_is_no_news_and_a_different_one_is_stale(
    crm: Any, tmp_path: Path
) -> None:
    crm.import_file(_file(tmp_path, *CUSTOMERS), profile="telecom-customers")
    first = _state("2025-01-01", status="active", plan="S5")
    second = _state("2025-09-01", status="active", plan="M15")
    result = _import_lines(crm, tmp_path, first, second)
    assert (result.created, result.updated) == (1, 1)
    again = _import_lines(crm, tmp_path, first, second)
    assert (again.unchanged, again.rejected) == (2, 0)
    between = _state("2025-03-01", status="active", plan="S5")
    assert _import_lines(crm, tmp_path, between).unchanged == 1
    other = _import_lines(crm, tmp_path, _state("2025-03-01", status="active", plan="L40"))
    assert other.rejected == 1
    (reject,) = crm.store.imports.rejects(other.import_id)
    assert reject.code == "E_STALE"
    assert _line(crm, "C1")["plan_code"] == "M15"


@pytest.mark.skipif(not DATA.exists(), reason="the public data are not here")
def test_both_ibm_files_load_whole(crm: Any) -> None:
    first = crm.import_file(DATA / "telco_ibm" / "telco_churn.csv", profile="ibm-telco")
    assert (first.read, first.created, first.rejected) == (7043, 7043, 0)
    again = crm.import_file(DATA / "telco_ibm" / "telco_churn.csv", profile="ibm-telco")
    assert (again.unchanged, again.created) == (7043, 0)
    reasons = DATA / "telco_ibm" / "telco_churn_reasons.csv"
    second = crm.import_file(reasons, profile="ibm-telco-reasons")
    assert (second.read, second.updated, second.rejected) == (7043, 7043, 0)
    report = crm.reports.run("telecom.churn-reasons", {}, crm.as_of())
    found = {row["reason"]: row["lines"] for row in report.table.to_pylist()}
    # Counted in the file: 189 + 162 + 140 better offers, 130 devices, 53 moved.
    assert (found["competitor_offer"], found["competitor_device"], found["moved"]) == (491, 130, 53)
    assert sum(found.values()) == 1869


def test_parts_of_a_bill_are_paid_by_a_file_of_payments(crm: Any, tmp_path: Path) -> None:
    """30.00 were due on 14 March: 10.00 and 20.00 came, and the 20.00 were reversed."""
    crm.import_file(_file(tmp_path, *CUSTOMERS), profile="telecom-customers")
    bill = ("bill,customer,subscription,period_starts_on,issued_on,due_on,amount,recurring,overage,paid_on,method",
            "B1,C1,L1,2026-02-01,2026-02-28,2026-03-14,30.00,30.00,0.00,,")  # fmt: skip
    payments = ("payment,customer,subscription,bill,due_on,paid_on,amount,method",
                "P1,C1,L1,B1,2026-03-14,2026-03-10,10.00,cash",
                "P2,C1,L1,B1,2026-03-14,2026-03-12,20.00,bank_auto",
                "P3,C1,L1,B1,2026-03-14,2026-03-16,-20.00,bank_auto")  # fmt: skip
    _import_lines(crm, tmp_path, _state("2025-06-01", status="active"))
    assert crm.import_file(_file(tmp_path, *bill), profile="telecom-billing").rejected == 0
    read = crm.import_file(_file(tmp_path, *payments), profile="telecom-payments")
    assert (read.created, read.rejected) == (3, 0)
    found = {}
    for on in ("2026-03-15", "2026-03-31"):
        population = Population.at(crm.as_of(on))
        rows = crm.features.build("customer", ["telecom.days_overdue"], population).to_pylist()
        found[on] = [row["telecom_days_overdue"] for row in rows]
    assert found == {"2026-03-15": [0], "2026-03-31": [17]}
