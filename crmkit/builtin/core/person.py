"""Who a customer is, the values by which two records are found to be one, and which of two names stays."""

from __future__ import annotations

from collections.abc import Sequence

from crmkit import resource_json
from crmkit.declarations import CustomerFields, MatchKey, MergeChoice, MergeConflict, Migration

NAMES = ("given_name", "family_name")
# What the fields contact_consent and do_not_contact said is filed as consents and blocks by every upgrade
# that finds them, so that nothing is left to do for the migration that used to drop them. Databases
# that have had it know its id.
CONSENT_LEAVES = Migration(id="core.0001-consent-leaves", statements={})


def customer_fields() -> CustomerFields:
    """Name in parts, birth date, identity number, postal address."""
    return CustomerFields(resource_json(__package__, "schemas/customer.json"))


def _key(name: str, field: str, kind: str, title: str, title_zh: str) -> MatchKey:
    return MatchKey(name=f"core.{name}", field=field, kind=kind, title=title, title_zh=title_zh)


def match_keys() -> list[MatchKey]:
    """Everything of core's by which people are told apart."""
    return [
        _key("given_name", "core.given_name", "given_name", "given name", "名"),
        _key("family_name", "core.family_name", "family_name", "family name", "姓"),
        _key("name", "customer.name", "name", "name", "名称"),
        _key("birth_date", "core.birth_date", "date", "birth date", "出生日期"),
        _key("national_id", "core.national_id", "identifier", "identity number", "证件号码"),
        _key("phone", "contact.phone", "phone", "phone", "电话"),
        _key("email", "contact.email", "email", "e-mail", "电子邮件"),
        _key("address", "contact.address", "address", "address", "地址"),
        _key("street", "core.street", "address", "street", "街道门牌"),
        _key("street_more", "core.street_more", "address", "second address line", "地址补充"),
        _key("locality", "core.locality", "place", "town", "城镇"),
        _key("postal_code", "core.postal_code", "code", "postal code", "邮政编码"),
    ]


def merged_names(conflicts: Sequence[MergeConflict]) -> list[MergeChoice]:
    """Takes the name written out over one that is its initial: ``Ann`` over ``A.``."""
    return [
        MergeChoice(conflict=position, survivor="merged")
        for position, c in enumerate(conflicts)
        if c.entity == "core.customer" and c.field in NAMES and _is_initial(c.kept, c.merged)
    ]


def _is_initial(short: str, full: str) -> bool:
    letter = short.strip().rstrip(".")
    return len(letter) == 1 and len(full.strip()) > 2 and full[:1].casefold() == letter.casefold()
