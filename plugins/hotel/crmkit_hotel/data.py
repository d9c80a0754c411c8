"""What the hotel keeps: the guest profile, record types and interaction kinds.

The fields stand in ``schemas/``, one JSON Schema each. A *record* has a state that changes (a
reservation, a preference); an *interaction* is something that a touchpoint did or saw once.
"""

from __future__ import annotations

from typing import Any

from crmkit import resource_json
from crmkit.declarations import CustomerFields, InteractionKind, MatchKey, Migration, RecordType

RESERVATION = "hotel.reservation"
STAY = "hotel.stay"
REQUEST = "hotel.request"
SUPPLY = "hotel.supply"
PREFERENCE = "hotel.preference"
PREPARATION = "hotel.preparation"

# (name, owner, title, title_zh), owners before what they own; reference data belong to nobody.
RECORDS = (
    ("property", None, "Property", "酒店"),
    ("room", None, "Room", "客房"),
    ("supply", None, "What the house has of a preference", "可供数量"),
    ("reservation", "customer", "Reservation", "预订"),
    ("stay", RESERVATION, "Stay", "入住"),
    ("request", RESERVATION, "Promise of the booking", "预订承诺"),
    ("preparation", RESERVATION, "Preparation line", "备房项"),
    ("companion", RESERVATION, "Companion", "同行人"),
    ("preference", "customer", "Preference", "偏好"),
    ("referral", "customer", "Referral", "推荐"),
    ("claim", "customer", "Missing-stay claim", "积分补登"),
)

# Touchpoint kinds whose payload may tell of a preference.
EVIDENCE = (
    "pre_arrival_message", "check_in", "concierge_request", "housekeeping_request",
    "housekeeping_observation", "fnb_order", "spa_visit", "recovery_gesture", "check_out", "survey",
    "statement",
)  # fmt: skip
STATEMENT = "hotel.statement"
REFUSAL = "hotel.preference_refusal"
# Whatever names a code of the catalogue beside a guest.
CODED = (
    REFUSAL, PREFERENCE, PREPARATION, REQUEST, *(f"hotel.{kind}" for kind in EVIDENCE),
)  # fmt: skip
PRESENCE_QUESTION = "hotel.presence_question"
ANONYMISED = "hotel.anonymised"
# (name, title, title_zh); every kind may be about a reservation.
KINDS = (
    ("enquiry", "Enquiry", "咨询"),
    ("booking", "Booking", "预订"),
    ("booking_change", "Change of a booking", "预订变更"),
    ("cancellation", "Cancellation or no-show", "取消或未到"),
    ("pre_arrival_message", "Message before arrival", "到店前留言"),
    ("transfer", "Transfer", "接送"),
    ("check_in", "Check-in", "入住登记"),
    ("room_move", "Room move", "换房"),
    ("concierge_request", "Request to the concierge", "礼宾请求"),
    ("housekeeping_request", "Request to housekeeping", "客房服务请求"),
    ("housekeeping_observation", "Seen by housekeeping", "客房观察"),
    ("maintenance_fault", "Fault in the room", "维修"),
    ("fnb_order", "Order of food or drink", "餐饮点单"),
    ("spa_visit", "Visit to the spa", "水疗"),
    ("wake_up_call", "Wake-up call", "叫醒"),
    ("presence_question", "Visitor or caller for a guest", "访客或来电询问"),
    ("complaint", "Complaint", "投诉"),
    ("recovery_gesture", "Recovery gesture", "补救"),
    ("check_out", "Check-out", "离店"),
    ("survey", "Survey", "满意度调查"),
    ("review_public", "Public review", "公开评价"),
    ("loyalty_enrolment", "Enrolment in the programme", "会员注册"),
    ("lost_property", "Lost property", "失物"),
    ("post_stay_offer", "Offer after the stay", "离店后优惠"),
    ("statement", "Preference stated", "偏好声明"),
    ("preference_refusal", "Do not keep this preference", "拒绝保留偏好"),
    ("anonymised", "Profile made anonymous", "档案匿名化"),
)


# What guests said to offers in the field marketing_consent is filed by the upgrade itself, so that nothing
# is left to do for the migration that used to drop it. Databases that have had it know its id.
CONSENT_LEAVES = Migration(id="hotel.0001-consent-leaves", statements={})


# What stands on the folio of a stay, which is paid at the check-out.
FOLIO = tuple(
    f"revenue_{part}" for part in ("room", "fnb", "spa", "minibar", "laundry", "other")
)  # fmt: skip


def customer_fields() -> CustomerFields:
    """The guest profile."""
    return CustomerFields(_schema("customer"))


def record_types() -> list[RecordType]:
    """Every record type, owners before what they own."""
    return [
        RecordType(
            name=f"hotel.{name}",
            schema=_schema(name),
            owner=owner,
            revenue=FOLIO if f"hotel.{name}" == STAY else (),
            revenue_on="checked_out_on" if f"hotel.{name}" == STAY else "",
            title=title,
            title_zh=title_zh,
        )
        for name, owner, title, title_zh in RECORDS
    ]


def interaction_kinds() -> list[InteractionKind]:
    """Every kind of touchpoint; a question for a guest who is not there belongs to nobody."""
    return [
        InteractionKind(
            name=f"hotel.{name}",
            schema=_schema(name),
            subject=RESERVATION,
            anonymous=f"hotel.{name}" == PRESENCE_QUESTION,
            title=title,
            title_zh=title_zh,
        )
        for name, title, title_zh in KINDS
    ]


def match_keys() -> list[MatchKey]:
    """What tells that two profiles are one guest, beside the names and contact points of core (H5)."""
    return [
        MatchKey(
            name="hotel.loyalty_no", field="hotel.loyalty_no", kind="identifier",
            title="loyalty number", title_zh="会员号",
        ),
        MatchKey(
            name="hotel.passport_no", field="hotel.passport_no", kind="identifier",
            title="passport number", title_zh="护照号",
        ),
        MatchKey(
            name="hotel.birth_date", field="hotel.birth_date", kind="date", title="birth date",
            title_zh="出生日期",
        ),
    ]  # fmt: skip


def _schema(name: str) -> Any:
    return resource_json(__package__, f"schemas/{name}.json")
