"""Five reports on a Spark cluster: ``python -m benchmarks.cluster_demo``.

Makes a telecom workspace with the demo's data, starts a standalone master and two workers on
loopback, runs the reports on them and on DuckDB, compares the rows, and stops the cluster. The exit
code is 1 if any row differs.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import crmkit
from crmkit.cli.main import cli
from crmkit.testing.cluster import run_cluster
from crmkit.testing.engines import differences
from crmkit.warehouse.engines.spark_session import spark_missing

from .measure import machine

REPORTS = (
    "telecom.churn-composition",
    "telecom.churn-survival",
    "telecom.churn-rate",
    "telecom.usage-segments",
    "core.funnel",
)


def main() -> int:
    """Prints a row a report: rows, seconds on either engine, whether the rows are equal."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="of the workspace; made if it is not there")
    parser.add_argument("--customers", type=int, default=3000)
    options = parser.parse_args()
    missing = spark_missing()
    if missing:
        print(f"{missing}.", file=sys.stderr)
        return 1
    if not (options.folder / "crmkit.toml").exists():
        demo = ["demo", "telecom", str(options.folder), "--customers", str(options.customers)]
        cli.main([*demo, "--seed", "1"], standalone_mode=False)
    print(f"\n{machine()}\n")
    with run_cluster(workers=2) as master, crmkit.open(options.folder) as crm:
        print(f"{'report':28} {'rows':>6} {'duckdb s':>9} {'cluster s':>10}  rows are")
        unequal = 0
        as_of = crm.as_of()
        crm.warehouse.refresh_if_stale()
        for name in REPORTS:
            started = time.perf_counter()
            expected = crm.reports.run(name, {}, as_of).table
            between = time.perf_counter()
            given = crm.reports.run(name, {}, as_of, engine=master).table
            ended = time.perf_counter()
            faults = differences(expected, given, ())
            unequal += bool(faults)
            print(
                f"{name:28} {given.num_rows:>6} {between - started:>9.2f} {ended - between:>10.2f}  "
                f"{'; '.join(faults) or 'equal'}",
                flush=True,
            )
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())
