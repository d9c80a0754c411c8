"""The catalogue of preferences: which codes there are, what each may hold, and who prepares it.

It is data: ``preferences.csv``, after the groups that OPERA seeds and the hotel brief, section 3.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache

from attrs import frozen

from crmkit import resource_text
from crmkit.errors import NotFound, UsageError

FREE = "free"
TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](-([01][0-9]|2[0-3]):[0-5][0-9])?")
DAY = re.compile(r"([0-9]{4}-)?[0-9]{2}-[0-9]{2}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def _is_day(text: str) -> bool:
    """Whether a day of the calendar; one without a year may be the 29th of February."""
    try:
        date.fromisoformat(text if len(text) > 5 else f"2000-{text}")
    except ValueError:
        return False
    return DAY.fullmatch(text) is not None


# By type: whether a text is such a value, and how that is said.
FORMS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "time": (TIME.fullmatch, "a time such as 07:30 or a window such as 09:00-11:00"),
    "day": (_is_day, "a day of the calendar such as 05-21 or 1980-05-21"),
    "language": (LANGUAGE.fullmatch, "a language tag of BCP 47 such as pt-BR"),
}


@frozen(kw_only=True)
class Code:
    """One preference that can be told of.

    Attributes:
        group: of the catalogue; at most ``most`` of a group are prepared for a stay, and all that are
            required.
        type: enum, bool, int, decimal, text, time, day, language, list (one value a line) or free.
        values: of an enum or list; ``low..high`` of a number.
        department: who prepares it.
        room: whether it is a feature of the room itself.
        scope: chain, or property where another house has other things.
        sensitive: shown only to those who act on it.
        fades: False: allergies, access and occasions hold until they are taken back.
        required: a stay is not prepared while it is open (H-R5).
    """

    code: str
    group: str
    most: int
    type: str
    values: tuple[str, ...]
    department: str
    room: bool
    scope: str
    sensitive: bool
    fades: bool
    required: bool
    title: str
    title_zh: str

    @property
    def many(self) -> bool:
        """Whether a guest may have several values at once."""
        return self.type in ("list", FREE) or self.code in ("DIET", "TOI_AMENITY")

    def check(self, value: str) -> str:
        """The value as it is kept.

        Raises:
            UsageError: naming what the code takes.
        """
        text = self.normal(value)
        if not self.takes(text):
            raise UsageError(f"{self.code} takes {self.allowed}, not {value!r}.", code="E_VALUE")
        return text

    def normal(self, value: str) -> str:
        """The value without blanks around it; of yes or no as ``true`` or ``false``."""
        text = value.strip()
        if self.type == "bool":
            return {"yes": "true", "no": "false"}.get(text.lower(), text.lower())
        return text

    @property
    def allowed(self) -> str:
        """What the code takes, in words."""
        if self.type == "bool":
            return "true or false"
        if self.type in ("int", "decimal"):
            low, _, high = self.values[0].partition("..")
            return f"a number from {low} to {high}"
        if self.type in FORMS:
            return FORMS[self.type][1]
        if self.values:
            return "one of " + ", ".join(self.values)
        return "a text of 1 to 80 signs"

    def takes(self, text: str) -> bool:
        """Whether a value may be kept as it stands."""
        if self.type == "bool":
            return text in ("true", "false")
        if self.type in ("int", "decimal"):
            low, _, high = self.values[0].partition("..")
            whole = re.fullmatch(
                r"-?[0-9]{1,4}" + (r"(\.[0-9])?" if self.type == "decimal" else ""), text
            )
            return whole is not None and float(low) <= float(text) <= float(high)
        if self.type in FORMS:
            return bool(FORMS[self.type][0](text))
        if self.values:
            return text in self.values
        return 1 <= len(text) <= 80


@cache
def catalogue() -> Mapping[str, Code]:
    """Every code, by name, in the order of the file."""
    return {row["code"]: _code(row) for row in rows("preferences.csv")}


def find_code(name: str) -> Code:
    """The code of that name.

    Raises:
        NotFound: with near misses.
    """
    try:
        return catalogue()[name.strip().upper()]
    except KeyError:
        raise NotFound("preference code", name, catalogue()) from None


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of a table beside this file."""
    yield from csv.DictReader(resource_text(__package__, name).splitlines())


def _code(row: Mapping[str, str]) -> Code:
    yes = {name: row[name] == "yes" for name in ("room", "sensitive", "fades", "required")}
    plain = ("code", "group", "type", "department", "scope", "title", "title_zh")
    return Code(
        **{name: row[name] for name in plain}, **yes, most=int(row["most"]),
        values=tuple(row["values"].split("|")) if row["values"] else (),
    )  # fmt: skip
