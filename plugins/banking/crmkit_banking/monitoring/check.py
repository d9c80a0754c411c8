"""Checks the card that decides and files the figures, on which the alarm rule looks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.learning import share_shift

from ..application.features import SUBJECT
from ..cards.card import Card
from ..decisions.take import CHAMPION, DECISION, SCORE, SYSTEM
from .bounds import CHECK, LEAST, LEAST_EXPECTED, by_chance, verdict

if TYPE_CHECKING:
    from crmkit.workspace import Crm

SOURCE = "crmkit"


def check(crm: Crm, days: int) -> list[dict[str, Any]]:
    """The figures of decisions of the last days, for each card that decided.

    Returns:
        One row for each card version, the fields of ``banking.model_check`` and ``csi``, the index
        of every input by name. Figures of fewer than 100 decisions, and observed over expected of fewer than 100
        expected bads, are missing.
    """
    since = crm.clock() - timedelta(days=days)
    names = ["owner_id", "decided_at", "card_version", "points", "pd", "proposed", "outcome",
             "decided_by", "points_by_input"]  # fmt: skip
    rows = [
        dict(zip(names, row, strict=True))
        for row in crm.store.records.read(
            DECISION, names, where={"role": CHAMPION, "score": SCORE}, sort=["decided_at"],
            between={"decided_at": (since, crm.clock())},
        )
    ]  # fmt: skip
    by_version: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_version.setdefault(row["card_version"], []).append(row)
    return [_row(crm, version, found, days) for version, found in sorted(by_version.items())]


def file_check(crm: Crm, rows: Sequence[Mapping[str, Any]]) -> None:
    """Files the figures, one record for each card, whose history is kept."""
    names = ("score", "card_version", "checked_on", "decisions", "psi", "psi_by_chance", "csi_worst",
             "csi_input", "observed_expected", "override_rate", "verdict")  # fmt: skip
    if rows:
        crm.store.records.put(
            CHECK, source=SOURCE, refs=[f"{r['score']}:{r['card_version']}" for r in rows],
            values={name: [row[name] for row in rows] for name in names},
        )  # fmt: skip


def _row(crm: Crm, version: int, rows: Sequence[Mapping[str, Any]], days: int) -> dict[str, Any]:
    model = crm.scores.model(SCORE, version)
    card = Card(model)
    scored = [row for row in rows if row["decided_by"] == SYSTEM]
    standing = {row["owner_id"]: row for row in rows}
    enough = len(scored) >= LEAST
    psi = _psi(card, [row["points"] for row in scored]) if enough else None
    chance = by_chance(len(model.reference["shares"]), model.rows, len(scored)) if enough else None
    csi = _csi(card, [row["points_by_input"] for row in scored]) if enough else {}
    worst = max(csi, key=lambda name: csi[name], default=None)
    ratio = _observed_expected(crm, standing)
    overrides = _override_rate(list(standing.values()))
    return {
        "score": SCORE, "card_version": version, "checked_on": crm.as_of().on,
        "decisions": len(standing), "psi": psi, "psi_by_chance": chance, "csi_worst": csi[worst] if worst else None,
        "csi_input": worst, "observed_expected": ratio, "override_rate": overrides,
        "verdict": verdict(psi, ratio, overrides, chance), "days": days, "csi": csi,
    }  # fmt: skip


def _psi(card: Card, points: Sequence[int]) -> float:
    """The stability index of points against the card's training rows, in their tenths."""
    reference = card.model.reference
    values = np.array([card.scale.probability(p) for p in points])
    shares = np.array(reference["shares"], dtype=np.float64)
    # A probability that was kept to 12 decimals lies on its edge, not a rounding beside it.
    bands = np.searchsorted(np.array(reference["edges"]) + 1e-9, values, side="left")
    found = np.bincount(bands, minlength=len(shares)).astype(np.float64)
    return shift(shares * card.model.rows, found)


def _csi(card: Card, held: Sequence[str]) -> dict[str, float]:
    """The stability index of every input, bins of training against bins of decisions."""
    seen: dict[str, Counter[str]] = {}
    for text in held:
        for line in json.loads(text)[1:]:
            seen.setdefault(line["input"], Counter())[line["bin"]] += 1
    found = {}
    for line in card.sheet["inputs"]:
        counts = seen.get(line["feature"], Counter())
        before = np.array([b["rows"] for b in line["bins"]], dtype=np.float64)
        after = np.array([counts[b["bin"]] for b in line["bins"]], dtype=np.float64)
        # A bin that nobody was in before or since says nothing.
        used = (before > 0) | (after > 0)
        found[line["feature"]] = shift(before[used], after[used])
    return found


def shift(before: np.typing.NDArray[np.float64], after: np.typing.NDArray[np.float64]) -> float:
    """The index of two counts over the same bins; an empty bin counts as half a row."""
    return share_shift(np.maximum(before, 0.5) / before.sum(), np.maximum(after, 0.5) / after.sum())


def _observed_expected(crm: Crm, standing: Mapping[int, Mapping[str, Any]]) -> float | None:
    rows = crm.store.records.read(SUBJECT, ["id", "bad"], among={"id": standing})
    known = {i: bool(bad) for i, bad in rows if bad is not None}
    expected = sum(standing[i]["pd"] for i in known)
    return sum(known.values()) / expected if expected >= LEAST_EXPECTED else None


def _override_rate(standing: Sequence[Mapping[str, Any]]) -> float | None:
    """Share of decisions against the proposal; what was referred is for a person to decide."""
    proposed = [row for row in standing if row["proposed"] in ("approve", "decline")]
    against = [row for row in proposed if row["outcome"] not in (row["proposed"], "withdrawn")]
    return len(against) / len(proposed) if len(proposed) >= LEAST else None
