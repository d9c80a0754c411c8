"""All entities in one import; :mod:`crmkit.entities` gives them by name."""

from .business_time import Calendar, parse_week, parse_windows
from .clocks import ClockEvent, ClockState, Reading, Target, replay
from .contact import ContactBatch, ContactBlock, ContactDecision, ContactRequest
from .customer import ContactPoint, Customer, CustomerRef, Relation
from .field_types import FieldType
from .fields import Column, Field, FieldSet
from .interaction import Interaction, NewInteraction
from .lifecycle import Lifecycle, Stage, StageChange
from .money import Money
from .record import Reached, Record
from .transaction import IdSource, Transaction

__all__ = [
    "Calendar",
    "ClockEvent",
    "ClockState",
    "Column",
    "ContactBatch",
    "ContactBlock",
    "ContactDecision",
    "ContactPoint",
    "ContactRequest",
    "Customer",
    "CustomerRef",
    "Field",
    "FieldSet",
    "FieldType",
    "IdSource",
    "Interaction",
    "Lifecycle",
    "Money",
    "NewInteraction",
    "Reached",
    "Reading",
    "Record",
    "Relation",
    "Stage",
    "StageChange",
    "Target",
    "Transaction",
    "parse_week",
    "parse_windows",
    "replay",
]
