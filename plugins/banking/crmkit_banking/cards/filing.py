"""Files the sheet of a card in the store, so that a decision can be read beside it for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .card import Card

if TYPE_CHECKING:
    from crmkit.learning import Model
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

LINE, SOURCE = "banking.scorecard_line", "crmkit"


def sheet_rows(model: Model) -> list[dict[str, Any]]:
    """The lines of a card from top to bottom: what everybody has, then every bin of every input."""
    card = Card(model)
    found: list[dict[str, Any]] = [
        {
            "input": "base", "bin": "everybody", "training_rows": model.rows,
            "bads": model.positives, "woe": None, "iv": None, "points": card.base,
        }
    ]  # fmt: skip
    for line in card.sheet["inputs"]:
        found += [
            {
                "input": line["feature"], "bin": b["bin"], "training_rows": b["rows"],
                "bads": b["bads"], "woe": b["woe"], "iv": b["iv"], "points": b["points"],
            }
            for b in line["bins"]
        ]  # fmt: skip
    return [
        {"score": model.score, "card_version": model.version, "line": i, **row}
        for i, row in enumerate(found)
    ]


def file_sheet(crm: Crm, model: Model, tx: Tx) -> None:
    """Files the lines of a stored card, once."""
    where = {"score": model.score, "card_version": model.version}
    if crm.store.records.read(LINE, ["id"], where=where, limit=1, tx=tx):
        return
    rows = sheet_rows(model)
    crm.store.records.put(
        LINE,
        source=SOURCE,
        refs=[f"{model.score}:{model.version}:{row['line']}" for row in rows],
        values={name: [row[name] for row in rows] for name in rows[0]},
        tx=tx,
    )
