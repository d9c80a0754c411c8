"""Reasons in words: which of a subject's inputs raise its score, and how a person would say it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from attrs import frozen

from ...declarations import Feature
from ...entities.field_types import FieldType
from ...entities.money import Money
from ...entities.phrasing import filled, unit_plural
from .inputs import Floats
from .model import Model

# As many as a person on the phone can use, and as adverse-action practice asks for (ECOA,
# Regulation B, comment 9(b)(2)-1: more than four reasons is not likely to be helpful).
MOST = 4
# An effect below this changes the odds by less than a twentieth: true, but no reason to name.
LEAST_EFFECT = 0.05
# Effects are given to so many digits.
DECIMALS = 6
# Units that read badly after a number, or are carried by the words already.
SILENT_UNITS = (None, "1", "")


@frozen
class Reason:
    """One input that raises a score.

    ``effect`` is what it adds to the log-odds against the average training row (of a card in points:
    against the best bin), always positive;
    ``value`` is the input's value in plain Python.
    """

    feature: str
    words: str
    value: Any
    effect: float


def reasons(
    model: Model,
    features: Mapping[str, Feature],
    table: pa.Table,
    contributions: Floats,
    currency: str,
) -> list[list[Reason]]:
    """The reasons of every row, strongest first and those of one strength by name, at most four.

    Only inputs that raise the score count, one reason per feature; a feature whose value has no
    words (a gap, or a value that its phrases leave out) gives none.

    Args:
        model: the model that made ``contributions``.
        features: declarations by name.
        table: the inputs.
        contributions: from :meth:`Model.contributions` of the same table.
        currency: of money features that name none in their unit.
    """
    words = [source.words(table.column(source.column)) for source in model.inputs]
    by_name = np.argsort([source.feature for source in model.inputs], kind="stable")
    # Effects that differ by less than is told are one strength.
    told = np.round(contributions[:, by_name], DECIMALS)
    order = by_name[np.argsort(-told, axis=1, kind="stable")]
    found: list[list[Reason]] = []
    for row, positions in enumerate(order):
        held: list[Reason] = []
        said: set[str] = set()
        for position in positions:
            effect = float(contributions[row, position])
            if effect < LEAST_EFFECT or len(held) == MOST:
                break
            value = words[position][row]
            name = model.inputs[position].feature
            text = describe(features[name], value, currency)
            if text and text not in said:
                said.add(text)
                held.append(Reason(name, text, value, round(effect, DECIMALS)))
        found.append(held)
    return found


def describe(feature: Feature, value: Any, currency: str) -> str:
    """A feature's value in words, or an empty string where there are none.

    Example:
        >>> tenure = Feature(name="t.tenure", type=FieldType.INTEGER, unit="month",
        ...                  phrase="a customer for only {value} months")
        >>> describe(tenure, 3, "USD")
        'a customer for only 3 months'
    """
    if value is None:
        return ""
    if isinstance(feature.phrase, Mapping):
        return str(feature.phrase.get(_key(value), ""))
    shown = _shown(feature, value, currency)
    if feature.phrase:
        return filled(feature.phrase, lambda phrase: (value, format(shown, phrase.spec)))
    title = feature.title or feature.name.partition(".")[2].replace("_", " ")
    unit = "" if feature.type is FieldType.MONEY else feature.unit
    if unit in SILENT_UNITS:
        return f"{title} is {shown}"
    number = f"{shown:,}" if isinstance(shown, int) else f"{shown}"
    return f"{title} is {number} {unit if number in ('1', '-1') else unit_plural(str(unit))}"


def _key(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


class _Plain(float):
    """A float that shows at most two decimals unless the phrase gives its own format."""

    def __format__(self, spec: str) -> str:
        if spec:
            return super().__format__(spec)
        return f"{self:.2f}".rstrip("0").rstrip(".")


def _shown(feature: Feature, value: Any, currency: str) -> Any:
    if feature.type is FieldType.MONEY:
        code = re.match(r"[A-Z]{3}", feature.unit or "")
        money = Money(round(value), code.group() if code else currency)
        return f"{money} {money.currency}"
    return _Plain(value) if isinstance(value, float) else value


def as_text(found: Sequence[Reason]) -> str:
    """Reasons as one line: ``month-to-month contract; 3 complaints in 90 days``."""
    return "; ".join(reason.words for reason in found)
