"""The types of values, apart from how a database stores them."""

from __future__ import annotations

import enum


class FieldType(enum.Enum):
    """What a value is, apart from how a database stores it."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    MONEY = "money"
    LIST = "list"
