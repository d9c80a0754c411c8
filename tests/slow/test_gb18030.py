"""A large file in another encoding, rare characters included, comes out as it went in."""

from __future__ import annotations

import csv
import io
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 100_000
PROFILE = """
name = "branch"
[source]
name = "branch"
encoding = "gb18030"
key = ["编号"]
[[emit]]
entity = "customer"
key = "编号"
[emit.fields]
name = "姓名"
"""
# The common signs, those that GBK lacks, and those beyond the first plane, as in rare names.
RANGES = ((0x4E00, 0x9FA5), (0x3400, 0x4DB5), (0x20000, 0x2A6D6))


def crmkit(folder: Path, *arguments: str) -> bytes:
    program = str(Path(sys.executable).with_name("crmkit"))
    done = subprocess.run([program, "-w", str(folder / "shop"), *arguments], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.slow
def test_100000_chinese_customers_come_out_as_they_went_in(tmp_path):
    draw = random.Random(0)
    given = {
        f"C{i:06d}": "".join(chr(draw.randint(*draw.choice(RANGES))) for _ in range(3))
        for i in range(ROWS)
    }
    text = "编号,姓名\n" + "".join(f"{ref},{name}\n" for ref, name in given.items())
    (tmp_path / "branch.csv").write_bytes(text.encode("gb18030"))
    (tmp_path / "branch.toml").write_text(PROFILE, encoding="utf-8")
    crmkit(tmp_path, "init", str(tmp_path / "shop"))
    files = (str(tmp_path / "branch.csv"), "--profile", str(tmp_path / "branch.toml"))
    (counted,) = json.loads(crmkit(tmp_path, "import", *files, "--format", "json"))
    assert (counted["created"], counted["rejected"]) == (ROWS, 0)
    out = crmkit(tmp_path, "customer", "list", "--columns", "ref,name", "--format", "csv").decode()
    found = {row["ref"]: row["name"] for row in csv.DictReader(io.StringIO(out, newline=""))}
    assert {ref.removeprefix("branch:"): name for ref, name in found.items()} == given
