"""What stands in a file of rejects: the row as it was and the reason beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crmkit.intake.rejects import REASON_COLUMNS, Reject, rejects_file

OLD = '"_line": 9, "_code": "E_TYPE", "_field": "", "_value": "", "_allowed": "", "_message": "old"'
NEW = (
    '"_line": 2, "_code": "E_RANGE", "_field": "n", "_value": "1", "_allowed": "0 or less", '
    '"_message": "too large"'
)


def reject(original: Any, *, code: str = "E_RANGE", message: str = "too large") -> Reject:
    return Reject(2, code, "n", "1", "0 or less", message, original)


def written(folder: Path, *rejects: Reject, **options: Any) -> str:
    path = folder / "rejects"
    with rejects_file(path, **{"header": None, "delimiter": ",", **options}) as add:
        add(rejects)
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('{"id": "1", "n": 1.50}', '{"id": "1", "n": 1.50, NEW}'),
        (' {"id": "1" } \n', '{"id": "1", NEW}'),
        ("{}", "{NEW}"),
        ("{ }", "{NEW}"),
        # The reason of the time before is replaced: after the row, alone, and in its midst.
        ('{"id": "1", OLD}', '{"id": "1", NEW}'),
        ('{"n": 1.50, OLD}', '{"n": 1.50, NEW}'),
        ('{"id": "1" , OLD}', '{"id": "1", NEW}'),
        ("{OLD}", "{NEW}"),
        ('{OLD, "id": "1"}', '{"id": "1", NEW}'),
        ('{"a": 1.50, OLD, "id": "é"}', '{"a": 1.5, "id": "é", NEW}'),
    ],
)
def test_an_object_keeps_its_text_and_has_one_reason(tmp_path: Path, given: str, kept: str) -> None:
    given, kept = given.replace("OLD", OLD), kept.replace("NEW", NEW)
    assert written(tmp_path, reject(given)) == kept + "\n"


@pytest.mark.parametrize("code", ["E_JSON", "E_ENCODING"])
def test_what_is_no_object_is_kept_as_a_text(tmp_path: Path, code: str) -> None:
    row = json.loads(written(tmp_path, reject("{not json", code=code)))
    assert row["_text"] == "{not json"
    assert [row[name] for name in REASON_COLUMNS[:2]] == [2, code]


def test_a_row_of_cells_has_its_reason_in_columns_of_its_own(tmp_path: Path) -> None:
    """Short rows are filled, long ones cut at the header, and old reasons replaced."""
    header = ("id", *REASON_COLUMNS, "n")
    old = ["9", "E_TYPE", "", "", "", "old"]
    rows = [["1", *old, "x;y"], ["2"], ["3", *old, "4", "beyond"]]
    text = written(
        tmp_path,
        *(reject(row, message="two\r\nlines") for row in rows),
        header=header,
        delimiter=";",
        mark=True,
    )
    reason = "2;E_RANGE;n;1;0 or less;two\\nlines"
    assert text.split("\n") == [
        "\ufeffid;n;_line;_code;_field;_value;_allowed;_message",
        f'1;"x;y";{reason}',
        f"2;;{reason}",
        f"3;4;{reason}",
        "",
    ]
