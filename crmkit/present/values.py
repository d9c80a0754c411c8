"""Single values as JSON, as text for files and as text for eyes (design D11)."""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ..entities.field_types import FieldType
from ..entities.money import Money
from .grid import Column

# Words in the names of shares of one, shown as percent to eyes and kept as fractions elsewhere.
SHARE_WORDS = frozenset(("share", "rate", "probability", "retention", "survival", "conversion"))


def is_id(name: str) -> bool:
    """Whether a field holds a crmkit id: 64 bits, which many JSON readers would round."""
    return name in ("id", "tx") or name.endswith("_id")


def is_name(column: Column) -> bool:
    """Whether whole numbers of a column are names, as ids, years and case numbers, which have no unit."""
    return is_id(column.name) or column.unit is None


def json_value(name: str, value: Any) -> Any:
    """A value as D11 wants it in JSON.

    Ids and money are strings, instants end in ``Z``, a number that is not finite is null.
    """
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is int:
        return str(value) if is_id(name) else value
    if kind is float:
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else None
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return json_value(name, value.value)
    if isinstance(value, Mapping):
        return {str(k): json_value(str(k), v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_value(name, v) for v in value]
    return str(value)


def instant_text(value: datetime) -> str:
    """``2026-03-31T12:00:00Z``, with microseconds where there are any; no zone means UTC."""
    utc = value if value.tzinfo is None else value.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat() + "Z"


def file_text(name: str, value: Any) -> str:
    """A value as text in a CSV cell: as in JSON, a list joined by ``; ``, missing is empty."""
    plain = json_value(name, value)
    if plain is None:
        return ""
    if isinstance(plain, str):
        return plain
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, list) and all(not isinstance(v, (list, dict)) for v in plain):
        return "; ".join(file_text(name, v) for v in plain)
    if isinstance(plain, (list, dict)):
        return json.dumps(plain, ensure_ascii=False)
    return str(plain)


def file_texts(
    name: str, values: Iterable[Any], cell: Callable[[str], str], decimal: str = "."
) -> list[str]:
    """A column as text in CSV cells: :func:`file_text` of each value, and ``cell`` of that text.

    Args:
        decimal: the decimal sign of numbers and amounts.
    """
    out = []
    for value in values:
        if value is None:
            out.append("")
        elif type(value) is str:
            out.append(cell(value))
        elif decimal != "." and isinstance(value, (float, Decimal, Money)):
            out.append(cell(file_text(name, value)).replace(".", decimal))
        else:
            out.append(cell(file_text(name, value)))
    return out


def shown(value: Any, column: Column) -> str:
    """A value for eyes: thousands separated, shares in percent, floats to four digits."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Money):
        return f"{value.decimal:,f} {value.currency}"
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, float):
        return _number(value, column)
    if isinstance(value, datetime):
        # Files keep the microseconds; eyes do not need them.
        return instant_text(value.replace(microsecond=0))
    if isinstance(value, int) and column.type is FieldType.INTEGER and not is_name(column):
        return f"{value:,}"
    return printable(file_text(column.name, _unpacked(value)))


def _unpacked(value: Any) -> Any:
    """The items of a list that is kept as JSON text, as reasons are; any other value as it is."""
    if not (isinstance(value, str) and value.startswith("[") and value.endswith("]")):
        return value
    try:
        items = json.loads(value)
    except ValueError:
        return value
    return items if all(not isinstance(item, (list, dict)) for item in items) else value


def _number(value: float, column: Column) -> str:
    if is_percent(column):
        return f"{value * 100:.1f}%"
    if column.type is None and abs(value) < 1000:
        # Nobody said how exact it is, as of a figure of merit: four digits that count.
        return f"{value:.4g}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    # Two decimals line up in a column; a smaller number would be all noughts with them.
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"


def is_percent(column: Column) -> bool:
    """Whether eyes see a column's fractions in percent."""
    return (
        column.type in (None, FieldType.NUMBER)
        and column.unit in (None, "1")
        and is_share(column.name)
    )


def is_share(name: str) -> bool:
    """Whether a column's name says that it is a share of one, as ``churn_rate_low``."""
    return not SHARE_WORDS.isdisjoint(name.split("_"))


def printable(text: str) -> str:
    """The text with control characters made visible, so that data cannot steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
