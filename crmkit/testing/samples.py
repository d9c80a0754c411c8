"""Made-up customers in a file, with the import profile that reads them.

The names, numbers and addresses are drawn from short lists: nobody real is in them. E-mail addresses
are in ``example.com``, which is reserved for such use (RFC 2606).
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

COLUMNS = (
    "no", "name", "phone", "email", "region", "owner", "gender", "senior", "partner", "city",
    "postal_code", "household",
)  # fmt: skip

# Reads the columns that every workspace has a place for; a plugin's profile may read the others.
PROFILE = """\
name = "sample-customers"
title = "Made-up customers of crmkit.testing"

[source]
name = "sample"
format = "csv"
delimiter = ","
key = ["no"]

[[emit]]
entity = "customer"
key = "no"
[emit.fields]
kind = { value = "person" }
name = "name"
region = "region"
owner = "owner"
phone = "phone"
email = "email"
"""

_FAMILY = ("Müller", "Okafor", "Rossi", "Smith", "Nguyen", "García", "Haddad", "Kowalska")
_GIVEN = ("Ada", "Ben", "Chidi", "Dana", "Elif", "Finn", "Goran", "Hana", "Iris", "Jun")
_FAMILY_ZH = tuple("王李张刘陈杨赵黄周吴")
_GIVEN_ZH = ("伟", "芳", "秀英", "敏", "静", "丽", "强", "磊", "洋", "艳")
_CITIES = (
    ("Springfield", "12345"), ("Linz", "4020"), ("成都", "610000"), ("Porto", "4000-001"),
    ("Leeds", "LS1 1UR"), ("São Paulo", "01000-000"),
)  # fmt: skip


def customer_rows(count: int, seed: int = 0) -> Iterator[tuple[str, ...]]:
    """``count`` rows of :data:`COLUMNS` with unique ``no``; the same seed gives the same rows."""
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for number in range(count):
        if draw.random() < 0.3:
            name = draw.choice(_FAMILY_ZH) + draw.choice(_GIVEN_ZH)
        else:
            name = f"{draw.choice(_GIVEN)} {draw.choice(_FAMILY)}"
        city, postal_code = draw.choice(_CITIES)
        yield (
            f"C{number:08d}",
            name,
            f"+1555{draw.randrange(10_000_000):07d}",
            f"c{number}@example.com",
            draw.choice(("north", "south", "east", "west")),
            f"agent-{draw.randrange(40)}",
            draw.choice(("female", "male")),
            draw.choice(("Yes", "No")),
            draw.choice(("Yes", "No")),
            city,
            postal_code,
            f"H{number // 3:08d}",
        )


def write_customers(path: Path, count: int, seed: int = 0) -> Path:
    """Writes a CSV file of ``count`` made-up customers with a header line, in UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(customer_rows(count, seed))
    return path


def write_profile(path: Path) -> Path:
    """Writes :data:`PROFILE` to a file that ``--profile`` takes."""
    path.write_text(PROFILE, encoding="utf-8")
    return path
