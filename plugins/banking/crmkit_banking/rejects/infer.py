"""Who was declined, what parcelling makes of them, and a card that has learnt from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from crmkit.errors import UsageError

from ..application.features import SUBJECT
from ..cards.card import Card
from ..decisions.policy import DECLINE
from ..decisions.take import SCORE, latest_decisions
from .parcels import Parcels, parcelled

if TYPE_CHECKING:
    from crmkit.workspace import Crm


@frozen(kw_only=True)
class Inference:
    """Parcels, the inferred outcome by application, and the shares that stand beside them."""

    parcels: Parcels
    outcomes: dict[int, int]
    reject_share: float
    known_rate: float
    all_rate: float


def infer(crm: Crm, stress: float) -> Inference:
    """Parcels of all applications that the latest card can score.

    Declined is whom the decision that stands declines, here or as another system states it.

    Raises:
        UsageError: if the stress is below 1, or there is nobody to infer from or for.
        NotFound: if there is no card yet.
    """
    if stress < 1:
        raise UsageError(f"--stress is {stress}: those declined are no better than those accepted.")
    bad = dict(crm.store.records.read(SUBJECT, ["id", "bad"]))
    elsewhere = {i for (i,) in crm.store.records.read(SUBJECT, ["id"], where={"decision": DECLINE})}
    here = latest_decisions(crm, list(bad))
    declined = elsewhere | {i for i, one in here.items() if one["outcome"] == DECLINE}
    known = sorted(i for i, went in bad.items() if went is not None)
    rejects = sorted(i for i in declined if bad[i] is None)
    if not known:
        raise UsageError(
            f"of {len(bad)} applications no outcome is known.",
            hint="File those of loans that were watched for a year: crmkit decision outcomes",
        )
    if not rejects:
        raise UsageError(f"of {len(declined)} declined applications every outcome is known.")
    card = Card(crm.scores.model(SCORE))
    table = crm.scores.inputs(SCORE, [*known, *rejects], crm.as_of())
    scored = card.base + card.points(card.codes(table)).sum(axis=1)
    points = dict(zip(table.column("subject_id").to_pylist(), scored.tolist(), strict=True))
    went = [bool(bad[i]) for i in known]
    found = parcelled(
        [points[i] for i in known], went, [points[i] for i in rejects], stress,
        card.scale.probability,
    )  # fmt: skip
    outcomes = dict(zip(rejects, found.labels.tolist(), strict=True))
    return Inference(
        parcels=found,
        outcomes=outcomes,
        reject_share=len(declined) / len(bad),
        known_rate=float(np.mean(went)),
        all_rate=float(np.mean([*went, *outcomes.values()])),
    )
