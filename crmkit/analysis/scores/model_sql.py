"""A logistic model or a scorecard as one SQL expression, so that an engine scores where the data are."""

from __future__ import annotations

import sys

from ...errors import ConfigError
from .inputs import BandInput, ChoiceInput, Input, NumberInput
from .model import Model


def sql_expression(model: Model) -> str:
    """The probability as an expression over the model's input columns.

    It uses ``abs``, ``case``, ``greatest``, ``least`` and ``exp`` alone, so that every engine has it. It
    agrees with :meth:`Model.predict` to 1e-9; training compares the two and refuses 1e-6.

    Args:
        model: a logistic model or a scorecard.

    Raises:
        ConfigError: for a model of trees.
    """
    if not model.additive:
        raise ConfigError(f"a {model.estimator} model has no SQL form; it scores in Python.")
    parts = [_number(model.intercept), *(_input_sql(i) for i in model.inputs)]
    return "1.0 / (1.0 + exp(-(" + "\n + ".join(parts) + ")))"


def _input_sql(source: Input) -> str:
    if isinstance(source, NumberInput):
        return _number_sql(source)
    return _band_sql(source) if isinstance(source, BandInput) else _choice_sql(source)


def _band_sql(source: BandInput) -> str:
    whens = [f"when {_unknown(source.column)} then {_number(source.missing - source.centre)}"]
    whens += [
        f"when {source.column} = {_number(special)} then {_number(weight - source.centre)}"
        for special, weight in zip(source.specials, source.special_weights, strict=True)
    ]
    for edge, weight in zip(source.edges, source.weights, strict=False):
        whens.append(
            f"when {source.column} <= {_number(edge)} then {_number(weight - source.centre)}"
        )
    return f"case {' '.join(whens)} else {_number(source.weights[-1] - source.centre)} end"


def _number_sql(source: NumberInput) -> str:
    x = f"least(greatest({source.column}, {_number(source.low)}), {_number(source.high)})"
    terms = [f"{_number(source.weights[0] / source.sd)} * ({x} - {_number(source.mean)})"]
    terms += [
        f"{_number(weight / source.sd)} * greatest({x} - {_number(knot)}, 0.0)"
        for knot, weight in zip(source.knots, source.weights[1:], strict=True)
    ]
    return (
        f"case when {_unknown(source.column)} then {_number(source.missing - source.centre)} "
        f"else {' + '.join(terms)} - {_number(source.centre)} end"
    )


def _choice_sql(source: ChoiceInput) -> str:
    whens = [f"when {source.column} is null then {_number(source.missing - source.centre)}"]
    for level, weight in zip(source.levels, source.weights, strict=True):
        test = _level_test(source, level)
        whens.append(f"when {test} then {_number(weight - source.centre)}")
    return f"case {' '.join(whens)} else {_number(source.other - source.centre)} end"


def _level_test(source: ChoiceInput, level: str) -> str:
    if source.boolean:
        return source.column if level == "true" else f"not {source.column}"
    return f"{source.column} = '" + level.replace("'", "''") + "'"


def _unknown(column: str) -> str:
    """Whether a number is missing: NULL, NaN (above all numbers to every engine) or infinite."""
    # Its shortest form: with more digits it is above the largest double to Spark.
    return f"{column} is null or not abs({column}) <= {sys.float_info.max!r}"


def _number(value: float) -> str:
    """A literal that reads back as the same double; negative ones in brackets."""
    text = f"{float(value):.17e}"
    return f"({text})" if value < 0 else text
