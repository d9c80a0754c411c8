"""What was exported is imported unchanged: by the same store, and as somebody new."""

from __future__ import annotations

import io
import itertools
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmkit.entities.customer import ContactPoint, CustomerRef
from crmkit.entities.money import Money
from crmkit.errors import UsageError
from crmkit.policy import Viewer, local_viewer
from crmkit.present.exports import EXPORTS, Export, export_customers, export_records
from crmkit.present.files import write_csv, write_jsonl, write_parquet
from crmkit.present.sheets import write_xlsx

ME = local_viewer("tester")
FEW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip
number = itertools.count()
WRITERS: dict[str, Any] = {
    "csv": write_csv, "jsonl": write_jsonl, "xlsx": write_xlsx, "parquet": write_parquet,
}  # fmt: skip

# What a file may have to escape comes often. NUL and halves of pairs are refused everywhere, and
# the lines of a CSV cell end in LF.
TEXT = st.text(
    st.one_of(
        st.sampled_from("=+-@'\",; \t\n李é\u200b|{}#"),
        st.characters(codec="utf-8", exclude_characters="\0\r"),
    ),
    min_size=1,
    max_size=12,
).map(lambda text: normalize("NFC", text))  # as imports bring it
MINOR = st.integers(-(2**63), 2**63 - 1)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


# Of which something is to be seen, as the store wants it at every door.
SEEN = TEXT.filter(lambda text: text.strip() != "")
CORE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["person", "organisation"]),
        **{n: maybe(SEEN) for n in ("name", "region", "owner", "team")},
        "locale": maybe(st.sampled_from(["de", "zh-CN", "pt_BR"])),
        "time_zone": maybe(st.sampled_from(["Europe/Berlin", "UTC", "Etc/GMT+5"])),
    }
)
FIELDS = st.fixed_dictionaries(
    {
        "tier": maybe(st.sampled_from(["basic", "plus", "max"])),
        "household": maybe(st.integers(1, 20)),
        "born_on": maybe(st.dates(date(1900, 1, 1), date(2200, 12, 31))),
        "member": maybe(st.booleans()),
        "score": maybe(st.floats(0, allow_infinity=False, allow_subnormal=False)),
        "tags": maybe(st.lists(st.just("") | TEXT, max_size=3)),
    }
)  # fmt: skip
LINE = st.fixed_dictionaries(
    {
        "number": maybe(st.from_regex(r"\A[0-9]{1,12}\Z")),
        "fee": maybe(st.builds(Money, MINOR, st.sampled_from(["USD", "JPY", "KWD"]))),
        "deposit": maybe(st.builds(Money, MINOR, st.just("JPY"))),
        "opened_at": maybe(
            st.datetimes(
                datetime(1901, 1, 1),  # noqa: DTZ001 - the zone is the strategy's
                datetime(2199, 12, 30),  # noqa: DTZ001
                timezones=st.just(UTC),
            )
        ),
    }
)
LABEL = st.sampled_from(["", "work", "a b.c"])
VALUES = {
    "phone": st.from_regex(r"\A(\+|00|\()?[0-9]{3,15}( x[0-9]{1,3})?\Z"),
    "email": st.from_regex(r"\A[a-z+'=]{1,8}@[a-z]{1,8}\.(org|example)\Z"),
    "address": SEEN,
}
POINT = st.sampled_from(sorted(VALUES)).flatmap(
    lambda kind: st.builds(ContactPoint, st.just(kind), VALUES[kind], LABEL)
)
# Several of one kind and label, each value once.
POINTS = st.lists(POINT, max_size=4, unique_by=lambda point: (point.kind, point.value))
PERSON = st.tuples(CORE, maybe(FIELDS), POINTS, st.lists(LINE, max_size=2))
PEOPLE = st.lists(PERSON, min_size=1, max_size=3)


def write(made: Export, form: str) -> bytes:
    out = io.BytesIO()
    WRITERS[form](made.grid, out)
    return out.getvalue()


def file_people(shop: Any, source: str, people: list[Any]) -> None:
    for i, (core, fields, points, lines) in enumerate(people):
        made = shop.store.customers.add(
            refs=[CustomerRef(source, f"{i}"), CustomerRef("other", f"{source}-{i}")],
            contact_points=points,
            fields={} if fields is None else {"shop": fields},
            **core,
        )
        for j, line in enumerate(lines):
            shop.store.records.set(
                "shop.line", source=source, ref=f"{i}-{j}", values=line, owner_id=made.id
            )


def known_of(shop: Any, source: str, count: int) -> list[Any]:
    """Everything that a file has to bring back."""
    out = []
    for i in range(count):
        found = shop.store.customers.find(f"{source}:{i}")
        core = {n: getattr(found, n) for n in ("kind", "name", "locale", "time_zone", "region", "owner", "team")}  # fmt: skip
        points = sorted((p.kind, p.label, p.value) for p in found.contact_points)
        out.append((core, shop.store.customers.fields(found.id).get("shop"), points))
    return out


def lines_of(shop: Any, source: str) -> dict[str, Any]:
    listed = shop.store.records.list("shop.line")
    return {r.ref: (r.owner_id, dict(r.values)) for r in listed if r.source == source}


def reasons(result: Any) -> str:
    file = result.rejects_file
    return Path(file).read_text(encoding="utf-8") if file else str(result)


def customers(shop: Any, source: str, form: str, viewer: Viewer = ME) -> Export:
    return export_customers(
        shop.store, shop.intake.catalog, viewer, source=source, form=form, guarded=True
    )


def lines(shop: Any, source: str, form: str) -> Export:
    return export_records(
        shop.store, shop.intake.catalog, ME, "shop.line", source=source, form=form, guarded=True
    )


@pytest.mark.parametrize("form", EXPORTS)
@FEW
@given(people=PEOPLE)
def test_an_export_is_imported_unchanged(shop: Any, form: str, people: list[Any]) -> None:
    source = f"s{next(number)}"
    file_people(shop, source, people)
    count, before, had = len(people), known_of(shop, source, len(people)), lines_of(shop, source)
    made = customers(shop, source, form)
    again = shop.load(write(made, form), made.profile)
    assert (again.read, again.unchanged) == (count, count), reasons(again)
    moved = shop.load(write(made, form), made.profile, source=f"{source}-new")
    assert (moved.read, moved.created) == (count, count)
    assert known_of(shop, source, count) == before
    assert known_of(shop, f"{source}-new", count) == before
    if had:
        sheet = lines(shop, source, form)
        again = shop.load(write(sheet, form), sheet.profile)
        assert (again.read, again.unchanged) == (len(had), len(had)), reasons(again)
        moved = shop.load(write(sheet, form), sheet.profile, source=f"{source}-new")
        assert (moved.read, moved.created) == (len(had), len(had))
        assert lines_of(shop, source) == had
        assert lines_of(shop, f"{source}-new") == had


def test_json_lines_keep_empty_texts_and_carriage_returns(lite: Any) -> None:
    lite.store.customers.add(
        name="A", region="a\r\nb\rc", refs=[CustomerRef("s", "1")],
        fields={"shop": {"tags": ["", "a"]}},
    )  # fmt: skip
    made = customers(lite, "s", "jsonl")
    assert lite.load(write(made, "jsonl"), made.profile).unchanged == 1


def test_secrets_are_left_out_and_stay_stored(lite: Any) -> None:
    lite.store.customers.add(name="Ann", refs=[CustomerRef("s", "1")])
    made = customers(lite, "s", "csv", Viewer("clerk", sees=frozenset(["none"])))
    assert "Ann" not in write(made, "csv").decode()
    assert lite.load(write(made, "csv"), made.profile).unchanged == 1
    assert lite.store.customers.find("s:1").name == "Ann"


def test_what_a_file_of_one_source_cannot_hold_is_said(lite: Any) -> None:
    with pytest.raises(UsageError, match=r"no customers have a key of 's' \(sources: none\)"):
        customers(lite, "s", "csv")
    two = [ContactPoint("phone", "+49301"), ContactPoint("phone", "+49302")]
    lite.store.customers.add(name="A", refs=[CustomerRef("s", "1")], contact_points=two)
    lite.store.customers.add(name="B", refs=[CustomerRef("t", "1")])
    made = customers(lite, "s", "csv")
    assert made.remarks == ("1 customers have no key of s.",)
    assert lite.load(write(made, "csv"), made.profile).unchanged == 1
    assert list(lite.store.customers.find("s:1").contact_points) == two
    with pytest.raises(UsageError, match=r"keys of these sources: s, t"):
        export_customers(lite.store, lite.intake.catalog, ME, source=None, form="csv", guarded=True)


def test_owners_of_several_sources_are_found_again(lite: Any) -> None:
    for source in ("s", "t"):
        owner = lite.store.customers.add(name=source, refs=[CustomerRef(source, "1")])
        lite.store.records.set(
            "shop.line", source="s", ref=f"L{source}", values={"number": "7"}, owner_id=owner.id
        )
    made = lines(lite, "s", "csv")
    result = lite.load(write(made, "csv"), made.profile)
    assert (result.read, result.unchanged) == (2, 2)
