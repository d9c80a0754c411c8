"""Short ways to declare features, one per kind of value."""

from __future__ import annotations

from typing import Any

from crmkit import resource_json
from crmkit.declarations import Feature
from crmkit.entities import FieldType


def number(
    name: str, unit: str, title: str, title_zh: str, phrase: str = "", description: str = ""
) -> Feature:
    """A fraction or a ratio."""
    return Feature(
        name=f"banking.{name}", type=FieldType.NUMBER, unit=unit, title=title, title_zh=title_zh,
        phrase=phrase, description=description,
    )  # fmt: skip


def whole(
    name: str, unit: str, title: str, title_zh: str, phrase: Any = "", missing: int | None = 0,
    description: str = "",
) -> Feature:  # fmt: skip
    """A whole number; 0 for whoever the statement leaves out, unless said otherwise."""
    return Feature(
        name=f"banking.{name}", type=FieldType.INTEGER, unit=unit, title=title, title_zh=title_zh,
        phrase=phrase, missing=missing, description=description,
    )  # fmt: skip


def money(
    name: str, title: str, title_zh: str, phrase: str = "", missing: int | None = None,
    description: str = "",
) -> Feature:  # fmt: skip
    """An amount in the workspace's currency; the column ends in ``_minor``."""
    return Feature(
        name=f"banking.{name}_minor", type=FieldType.MONEY, unit="money", title=title,
        title_zh=title_zh, phrase=phrase, missing=missing, description=description,
    )  # fmt: skip


def flag(
    name: str, title: str, title_zh: str, yes: str = "", missing: bool | None = None,
    description: str = "",
) -> Feature:  # fmt: skip
    """Yes or no; ``yes`` is the reason that a yes gives."""
    return Feature(
        name=f"banking.{name}", type=FieldType.BOOLEAN, title=title, title_zh=title_zh,
        phrase={"true": yes} if yes else "", missing=missing, description=description,
    )  # fmt: skip


def word(
    name: str, title: str, title_zh: str, phrase: Any = "", description: str = ""
) -> Feature:  # fmt: skip
    """A choice or a code."""
    return Feature(
        name=f"banking.{name}", type=FieldType.TEXT, title=title, title_zh=title_zh, phrase=phrase,
        description=description,
    )  # fmt: skip


def field_descriptions(schema: str) -> dict[str, str]:
    """What each field of a schema means, for features that state a field as it stands."""
    fields = resource_json(__package__, f"schemas/{schema}.json")["properties"]
    return {name: field["description"] for name, field in fields.items()}
