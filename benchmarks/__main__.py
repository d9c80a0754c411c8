"""All benchmarks in one run: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from . import (
    arrivals,
    cases,
    customers,
    features,
    hooks,
    import_,
    import_databases,
    portfolio,
    reports,
    shipments,
    snapshot,
    startup,
)
from .measure import machine, show


def main() -> None:
    """Runs them one after the other and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="customers to import")
    parser.add_argument("--interactions", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, help="folder for files; else a temporary one")
    options = parser.parse_args()
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        results = startup.run()
        imported, taken = import_.run(options.rows, folder)
        results += imported
        results += import_databases.run(options.rows, folder)
        results += hooks.run(taken * 1_000_000 / options.rows)
        results += snapshot.run(options.interactions, folder)
        results += features.run(options.interactions, folder)
        results += reports.run(options.interactions, folder)
        results += customers.run(options.interactions // 10, folder)
        results += cases.run(options.interactions // 10, folder)
        results += arrivals.run(options.rows, folder)
        results += portfolio.run(options.rows * 25, folder)
        results += shipments.run(options.rows * 5, folder)
    show(results)


if __name__ == "__main__":
    main()
