"""The columns of a result are the same whoever is in its rows, and where nobody is."""

from __future__ import annotations

from pathlib import Path

from crmkit.entities import CustomerRef
from crmkit.workspace import open_workspace

from .conftest import Crmkit

# Lists that an empty workspace answers, of every kind: stored rows, analysis, reports, plugins.
LISTS = (
    ("customer", "list"), ("customer", "search", "zz"), ("customer", "orphans"), ("rule", "run"),
    ("feature", "build", "--name", "core.contacts_90d"), ("lifecycle", "propose"),
    ("report", "run", "core.customers"), ("report", "run", "core.reassigned-retention"),
    ("sql", "SELECT customer_id, region FROM customer"), ("task", "list"), ("case", "list"),
    ("record", "list", "work.task"), ("list", "list"),
)  # fmt: skip


def test_the_heading_of_a_list_is_the_same_with_and_without_rows(
    crmkit: Crmkit, shop: Path
) -> None:
    def heads() -> dict[str, str]:
        return {
            " ".join(words): crmkit(*words, "--format", "csv").out.partition("\r\n")[0]
            for words in LISTS
        }

    empty = heads()
    with open_workspace(shop) as crm:  # of whom no name is known
        crm.store.customers.add(refs=[CustomerRef("c", "1")])
    crmkit("task", "add", "Call back", "--customer", "c:1")
    assert heads() == empty
    assert empty["report run core.customers"].startswith("ref,name,")
    assert "" not in empty.values()


def test_columns_may_be_asked_of_an_empty_result_in_every_form(crmkit: Crmkit, shop: Path) -> None:
    for form in ("csv", "table", "tsv", "html"):
        done = crmkit("report", "run", "core.customers", "--columns", "ref,name", "--format", form)
        assert "name" in done.out.lower()
        assert "revenue" not in done.out.lower()
    for form in ("json", "jsonl"):
        assert crmkit(
            "report", "run", "core.customers", "--columns", "name", "--format", form
        ).out.strip() in ("[]", "")
    done = crmkit(
        "sql", "SELECT customer_id, kind FROM customer", "--columns", "name,kind", "--format", "csv"
    )
    assert done.out == "name,kind\r\n"
    assert (
        "there is no column 'nam'"
        in crmkit("sql", "SELECT customer_id FROM customer", "--columns", "nam", code=2).err
    )


def test_a_page_without_rows_has_its_headings(crmkit: Crmkit, shop: Path) -> None:
    page = crmkit("customer", "list", "--format", "html").out
    assert page.count('<th scope="col"') == 11
    assert "No rows." in page
