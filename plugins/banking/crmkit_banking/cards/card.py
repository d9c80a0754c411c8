"""A stored card read back: points, bins and reasons of applicants, from its own text alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from crmkit.errors import ConfigError

from .lines import Line
from .points import Scale

if TYPE_CHECKING:
    import pyarrow as pa

    from crmkit.learning import BandInput, ChoiceInput, Model

Whole = NDArray[np.int64]


@frozen
class Card:
    """A model of the estimator ``banking.points`` as a scorecard.

    Args:
        model: as stored.
    """

    model: Model = field(repr=False)

    def __attrs_post_init__(self) -> None:
        if "scorecard" not in self.model.tuning:
            raise ConfigError(
                f"model {self.model.score} version {self.model.version} is no scorecard in points.",
                hint=f"Train it with: crmkit score train {self.model.score} "
                "--estimator banking.points",
            )

    @cached_property
    def sheet(self) -> dict[str, Any]:
        """The sheet that a person reads."""
        found: dict[str, Any] = dict(self.model.tuning["scorecard"])
        return found

    @cached_property
    def scale(self) -> Scale:
        """How its points become a probability."""
        s = self.sheet
        return Scale(points=s["points"], odds=s["odds"], pdo=s["pdo"])

    @property
    def base(self) -> int:
        """Points that everybody has."""
        return int(self.sheet["base"])

    @cached_property
    def bins(self) -> list[list[tuple[str, int]]]:
        """Label and points of every bin of every input, in the order of the sheet."""
        return [[(b["bin"], b["points"]) for b in i["bins"]] for i in self.sheet["inputs"]]

    def codes(self, inputs: pa.Table) -> NDArray[np.intp]:
        """The bin of every applicant and input, as a position in the sheet: (rows, inputs)."""
        columns = [
            _positions(source, line, inputs.column(source.column))
            for source, line in zip(self.model.inputs, self.sheet["inputs"], strict=True)
        ]
        size = (inputs.num_rows, 0)
        return np.column_stack(columns) if columns else np.zeros(size, dtype=np.intp)

    def points(self, codes: NDArray[np.intp]) -> Whole:
        """Points of every applicant and input: (rows, inputs); ``base`` and a row sum to the score."""
        tables = [np.array([p for _, p in bins], dtype=np.int64) for bins in self.bins]
        columns = [table[codes[:, i]] for i, table in enumerate(tables)]
        return np.column_stack(columns) if columns else np.zeros((len(codes), 0), dtype=np.int64)

    def lines(self, inputs: pa.Table) -> list[list[Line]]:
        """What every input gave every applicant."""
        codes = self.codes(inputs)
        words = [source.words(inputs.column(source.column)) for source in self.model.inputs]
        found = []
        for row in range(inputs.num_rows):
            found.append(
                [
                    Line(
                        feature=source.feature,
                        title=self.sheet["inputs"][i]["title"],
                        value=words[i][row],
                        bin=self.bins[i][codes[row, i]][0],
                        points=self.bins[i][codes[row, i]][1],
                        best=max(points for _, points in self.bins[i]),
                    )
                    for i, source in enumerate(self.model.inputs)
                ]
            )
        return found


def _positions(
    source: BandInput | ChoiceInput, line: dict[str, Any], values: pa.ChunkedArray
) -> NDArray[np.intp]:
    """Positions in the sheet: the model has a code for each level, the sheet one for each group."""
    codes = source.codes(values)
    if source.kind == "band":
        return codes
    groups = [b["levels"] for b in line["bins"] if b["kind"] == "level"]
    place = {level: i for i, group in enumerate(groups) for level in group}
    table = [place[level] for level in source.levels]
    return np.asarray([*table, len(groups), len(groups) + 1], dtype=np.intp)[codes]
