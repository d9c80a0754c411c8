"""What follows from the run of a score: a decision for each application, and the filed sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cards.declaration import NAME
from ..cards.filing import file_sheet
from .take import SCORE, decide

if TYPE_CHECKING:
    from crmkit.declarations import Scored
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm


def serve(crm: Crm, scored: Scored, tx: Tx) -> None:
    """Files decisions of the application score where its model is a card in points."""
    if scored.score != SCORE:
        return
    model = crm.scores.model(SCORE, scored.version)
    if model.estimator != NAME:
        return
    file_sheet(crm, model, tx)
    decide(crm, scored, tx)
