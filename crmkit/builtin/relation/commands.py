"""The verbs of ``crmkit relation``."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from crmkit.columns import CUSTOMER, day, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType
from crmkit.entities.standard_numbers import is_known, number_reader
from crmkit.errors import UsageError

from .data import ABOUT, COMPETITOR, CONTACT_PERSON, REGISTRATION, SAYS, SOURCE
from .relations import holds, related

if TYPE_CHECKING:
    from crmkit.workspace import Crm

T = FieldType
WHOSE = Parameter(
    name="customer", type=T.TEXT, positional=True, required=True, title="Customer", title_zh="客户"
)


RELATION = (
    text("relation", "Relation", "关系编号"), CUSTOMER, text("role", "Is", "角色"),
    text("related", "Of", "对象"),
    day("valid_from", "From", "起"), day("valid_to", "Until", "止"),
    text("position", "Position", "职务"), text("say", "Say in the purchase", "采购角色"),
    text("likes", "Likes", "喜好"), text("dislikes", "Dislikes", "忌讳"),
)  # fmt: skip


def _shown(crm: Crm, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the other side by its first key, as one row can name one customer by its id."""
    refs = crm.store.customers.refs({row["related_id"] for row in rows})
    out = []
    for row in rows:
        keys = refs.get(row["related_id"])
        out.append({**row, "related": str(keys[0]) if keys else str(row["related_id"])})
    return out


def add(
    crm: Crm, customer: str, related_to: str, role: str, valid_from: date | None, **known: Any
) -> Answer:
    """One relation with what is known beside it, in one write."""
    with crm.store.begin("relation add") as tx:
        first = crm.store.customers.find(customer, tx=tx).id
        second = crm.store.customers.find(related_to, tx=tx).id
        made = crm.store.relations.add(first, second, role, valid_from=valid_from, tx=tx)
        if any(value is not None for value in known.values()):
            crm.store.records.set(
                ABOUT, source=SOURCE, ref=str(made.id), owner_id=first, tx=tx,
                values={"relation": str(made.id), **known},
            )  # fmt: skip
    rows = [row for row in related(crm, first) if row["relation"] == str(made.id)]
    return Answer(rows=_shown(crm, rows))


def list_relations(crm: Crm, customer: str, ended: bool) -> Answer:
    """A customer's relations on either side."""
    rows = related(crm, crm.store.customers.find(customer).id)
    today = crm.as_of().on
    return Answer(rows=_shown(crm, [row for row in rows if ended or holds(row, today)]))


def end(crm: Crm, relation: str, on: date | None) -> Answer:
    """The first day on which a relation no longer holds."""
    if not relation.isdigit():
        raise UsageError(f"{relation!r} is no id of a relation: see crmkit relation list.")
    day = on or crm.as_of().on
    with crm.store.begin("relation end") as tx:
        crm.store.relations.end(int(relation), day, tx=tx)
    return Answer(rows=[{"relation": relation, "valid_to": day}])


def register(crm: Crm, customer: str, scheme: str, code: str, name: str) -> Answer:
    """The one registered code and standard name of an organisation.

    The key of the record is the code, so that no two organisations can have it; the organisation is
    locked, so that it cannot get two.
    """
    written = _code(scheme, code)
    with crm.store.begin("relation register") as tx:
        owner = crm.store.customers.find(customer, tx=tx)
        if owner.kind != "organisation":
            raise UsageError(f"{customer} is a person; only organisations are registered.")
        tx.lock_customers([owner.id])
        ref = f"{scheme}:{written}"
        for taken_by, had in crm.store.records.read(
            REGISTRATION, ("owner_id", "ref"), among={"ref": [ref]}, tx=tx
        ):
            if taken_by != owner.id:
                raise UsageError(
                    f"{had} is the code of another customer ({taken_by}).", code="E_CONFLICT",
                    hint="They may be one: see crmkit customer merge.",
                )  # fmt: skip
        for (had,) in crm.store.records.read(
            REGISTRATION, ("ref",), among={"owner_id": [owner.id]}, tx=tx
        ):
            if had != ref:
                raise UsageError(f"{customer} is registered as {had} already.", code="E_CONFLICT")
        crm.store.records.set(
            REGISTRATION, source=SOURCE, ref=ref, owner_id=owner.id, tx=tx,
            values={"scheme": scheme, "code": written, "standard_name": name},
        )  # fmt: skip
    row = {"customer_id": owner.id, "scheme": scheme, "code": written, "standard_name": name}
    return Answer(rows=[row])


def _code(scheme: str, code: str) -> str:
    """The code as its standard writes it; of a register that nobody knows, as it was given."""
    if not is_known(scheme):
        return code.strip()
    try:
        return number_reader(scheme)(code)
    except ValueError as error:
        raise UsageError(f"{code!r} is no {scheme}: {str(error).rstrip('.')}.") from None


def competitor(
    crm: Crm, customer: str, name: str, product: str | None, on: date | None, ended: bool
) -> Answer:
    """A competitor that the customer uses too, or no longer does."""
    day = on or crm.as_of().on
    with crm.store.begin("relation competitor") as tx:
        owner = crm.store.customers.find(customer, tx=tx).id
        ref = f"{owner}:{name.strip().casefold()}:{(product or '').strip().casefold()}"
        known = crm.store.records.read(
            COMPETITOR, ("seen_on", "ended_on"), among={"ref": [ref]}, tx=tx
        )
        ((seen, _),) = known or [(None, None)]
        if ended and seen is None:
            raise UsageError(f"nobody has said that {customer} uses {name}.")
        values = {"competitor": name, "product": product, "seen_on": seen or day}
        values["ended_on"] = day if ended else None
        crm.store.records.set(
            COMPETITOR, source=SOURCE, ref=ref, owner_id=owner, values=values, tx=tx
        )
    return Answer(rows=[{"customer_id": owner, **values}])


def commands() -> list[Command]:
    """The commands of relation."""
    return [
        Command(
            name="relation add", run=add, writes=True, single=True,
            help="Say what one customer is to another.\n\nCUSTOMER is ROLE of RELATED_TO: contact_person, household, partner, supplier, referrer or another word of your own.",
            example="crmkit relation add P-1 ORG-7 --say decides --likes tea",
            parameters=[
                WHOSE,
                Parameter(name="related_to", type=T.TEXT, positional=True, required=True, title="To whom", title_zh="对象"),
                Parameter(name="role", type=T.TEXT, default=CONTACT_PERSON, title="What the customer is", title_zh="角色"),
                Parameter(name="valid_from", type=T.DATE, title="First day", title_zh="起始日"),
                Parameter(name="position", type=T.TEXT, title="Position held", title_zh="职务"),
                Parameter(name="say", type=T.TEXT, choices=SAYS, title="Say in the purchase", title_zh="采购角色"),
                Parameter(name="likes", type=T.TEXT, title="What the person likes", title_zh="喜好"),
                Parameter(name="dislikes", type=T.TEXT, title="What not to mention or do", title_zh="忌讳"),
            ],
            columns=RELATION,
        ),
        Command(
            name="relation list", run=list_relations,
            help="List a customer's relations on either side, oldest first.",
            example="crmkit relation list ORG-7",
            parameters=[
                WHOSE,
                Parameter(name="ended", type=T.BOOLEAN, default=False, title="Show those that do not hold today too", title_zh="含已结束"),
            ],
            columns=RELATION,
        ),
        Command(
            name="relation end", run=end, writes=True, single=True,
            help="End a relation.",
            example="crmkit relation end 250166919359889409 --on 2026-03-31",
            parameters=[
                Parameter(name="relation", type=T.TEXT, positional=True, required=True, title="Id of the relation", title_zh="关系编号"),
                Parameter(name="on", type=T.DATE, title="First day on which it no longer holds; today if left out", title_zh="终止日"),
            ],
            columns=[RELATION[0], RELATION[5]],
        ),
        Command(
            name="relation register", run=register, writes=True, single=True,
            help="File an organisation's standard name and registered code.\n\nOne of each; no two organisations have the same code. The check digits of registers that python-stdnum knows are checked.",
            example="crmkit relation register ORG-7 --scheme cn.uscc --code 91110000600037341L --name 'Beijing Example Ltd'",
            parameters=[
                WHOSE,
                Parameter(name="scheme", type=T.TEXT, required=True, title="Register, as cn.uscc or lei", title_zh="登记类型"),
                Parameter(name="code", type=T.TEXT, required=True, title="Registered code", title_zh="登记代码"),
                Parameter(name="name", type=T.TEXT, required=True, title="Standard name", title_zh="标准名称"),
            ],
            columns=[
                CUSTOMER, text("scheme", "Register", "登记类型"), text("code", "Code", "登记代码"),
                text("standard_name", "Standard name", "标准名称"),
            ],
        ),
        Command(
            name="relation competitor", run=competitor, writes=True, single=True,
            help="Say that a customer uses a competitor too, or with --ended no longer does.",
            example="crmkit relation competitor ORG-7 Acme --product freight",
            parameters=[
                WHOSE,
                Parameter(name="name", type=T.TEXT, positional=True, required=True, title="Competitor", title_zh="竞争对手"),
                Parameter(name="product", type=T.TEXT, title="For what", title_zh="用于"),
                Parameter(name="on", type=T.DATE, title="Day; today if left out", title_zh="日期"),
                Parameter(name="ended", type=T.BOOLEAN, default=False, title="The customer uses it no longer", title_zh="已终止"),
            ],
            columns=[
                CUSTOMER, text("competitor", "Competitor", "竞争对手"), text("product", "For", "用于"),
                day("seen_on", "Seen on", "发现日期"),
                day("ended_on", "No longer since", "终止日期"),
            ],
        ),
    ]  # fmt: skip
