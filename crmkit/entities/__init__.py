"""What crmkit knows: frozen attrs classes with no I/O, no clock and no SQL."""

from .customer import ContactPoint, Customer, CustomerRef, Relation
from .fields import Column, Field, FieldSet, FieldType
from .interaction import Interaction
from .lifecycle import Lifecycle, Stage, StageChange
from .money import Money
from .record import Record
from .transaction import IdSource, Transaction

__all__ = [
    "Column",
    "ContactPoint",
    "Customer",
    "CustomerRef",
    "Field",
    "FieldSet",
    "FieldType",
    "IdSource",
    "Interaction",
    "Lifecycle",
    "Money",
    "Record",
    "Relation",
    "Stage",
    "StageChange",
    "Transaction",
]
