"""Holds what crmkit found against what the generator knows."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from crmkit.declarations import DemoCheck, DemoData
from crmkit.errors import ConfigError

from ..scores import GAP_DAYS, HORIZON_DAYS
from .calendar import AS_OF, JUDGED_ON
from .causes import UNSEEN, VISIBLE
from .files import LATER, PROFILES

if TYPE_CHECKING:
    from crmkit.workspace import Crm

SCORE = "telecom.churn"
SOURCE = "operator"
# Which cause each reason of the score speaks of. Reasons of who the customer is (tenure, payment,
# services) speak of none: they raise the risk of anybody and are passed over.
CAUSE_OF = {
    "telecom.bill_shock_3m": "price",
    "telecom.overage_share_3m": "price",
    "telecom.spend_trend_3m": "price",
    "telecom.billing_complaints_90d": "price",
    "telecom.dropped_call_rate": "network",
    "telecom.outage_minutes_3m": "network",
    "telecom.network_complaints_90d": "network",
    "telecom.service_complaints_90d": "service",
    "telecom.unsolved_calls_90d": "service",
    "telecom.repeat_contacts_30d": "service",
    "telecom.usage_trend_3m": "silence",
    "telecom.data_use_of_allowance": "silence",
    "telecom.days_since_topup": "silence",
    "telecom.contract_months_left": "contract",
    "telecom.contract_months_over": "contract",
}
# Share of leavers whose first cause-bearing reason must be the true one: twice what guessing the most
# frequent cause reaches (some 0.3). One is out of reach, as many have two grievances at a time.
LEAST_RIGHT = 0.6
LEAST_WAY = 0.75
FEW = 30


@frozen(kw_only=True)
class Truth:
    """One customer in the truth file; ``expected`` is None for those not served on the judged day."""

    left_on: date | None
    kind: str
    cause: str
    standing: str
    expected: float | None

    @property
    def leaves_in_window(self) -> bool:
        """Whether the score should have named this customer on the judged day."""
        first = JUDGED_ON + timedelta(days=GAP_DAYS)
        last = JUDGED_ON + timedelta(days=HORIZON_DAYS)
        return (
            self.kind == "voluntary" and self.left_on is not None and first < self.left_on <= last
        )


def checks(crm: Crm, data: DemoData) -> list[DemoCheck]:
    """Every comparison, in order: what was loaded, how well the score ranks, why, and no leak.

    The last one imports the month that was held back, so the workspace stands a month later then.
    """
    if data.truth is None:
        raise ConfigError("the demo has no truth file.", hint="Generate it again.")
    truth = read_truth(data.truth)
    crm.scores.train(SCORE, until=data.train_until)
    run = crm.scores.run(SCORE, crm.as_of(JUDGED_ON.isoformat()))
    rows = run.rows()
    refs = crm.store.customers.refs([row["subject_id"] for row in rows])
    found = {_own_ref(refs[row["subject_id"]]): row for row in rows}
    return [
        loaded(crm, truth),
        *ranking(found, truth),
        reasons(found, truth),
        no_leak(crm, data.truth.parent / LATER),
    ]


def read_truth(path: Path) -> dict[str, Truth]:
    """The truth file by customer."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {
            row["customer"]: Truth(
                left_on=date.fromisoformat(row["left_on"]) if row["left_on"] else None,
                kind=row["kind"],
                cause=row["cause"],
                standing=row["standing"],
                expected=float(row["expected"]) if row["expected"] else None,
            )
            for row in csv.DictReader(lines)
        }


def loaded(crm: Crm, truth: Mapping[str, Truth]) -> DemoCheck:
    """Every line that ended by the demo's day has ended in crmkit too."""
    result = crm.reports.run("telecom.churn-reasons", {}, crm.as_of(AS_OF.isoformat()))
    lines = sum(result.table.column("lines").to_pylist())
    ended = sum(1 for t in truth.values() if t.left_on is not None and t.left_on <= AS_OF)
    return DemoCheck(
        name="every departure was loaded", passed=lines == ended,
        found=f"{lines} ended lines", expected=f"{ended}",
    )  # fmt: skip


def ranking(found: Mapping[str, Mapping[str, Any]], truth: Mapping[str, Truth]) -> list[DemoCheck]:
    """How the score, trained on an earlier time, ranks the leavers of a later one.

    The measure is the generator's own: what it expected on the judged day from the very hazards by
    which customers then left. No score can be asked to rank better, because the rest is chance. The
    score sees what the grievances left in bills and calls and not the grievances themselves, so it is
    asked for three quarters of the way from chance to the generator, which is our choice. Both are
    taken on the same leavers, so that luck moves them alike.
    """
    both = [ref for ref, t in truth.items() if t.expected is not None and ref in found]
    label = np.array([truth[ref].leaves_in_window for ref in both])
    value = np.array([found[ref]["value"] for ref in both])
    oracle = np.array([truth[ref].expected for ref in both])
    best, auc = area(label, oracle), area(label, value)
    error = area_error(auc, int(label.sum()), int((~label).sum()))
    # A handful of leavers of a very small operator says little: then luck is allowed for as well.
    luck = 2 * error if label.sum() < FEW else 0.0
    least = 0.5 + LEAST_WAY * (best - 0.5) - luck
    left, expected = int(label.sum()), float(value.sum())
    # Leavers come in clusters, a cell in trouble sends several at once: with some four to a cluster the
    # variance is four times that of a Poisson count. Three standard deviations.
    margin = 3 * (4 * expected) ** 0.5
    return [
        DemoCheck(
            name=f"leavers after {JUDGED_ON} rank high", passed=auc >= least,
            found=f"auc {auc:.3f} (standard error {error:.3f})",
            expected=f"at least {least:.3f} (the generator itself {best:.3f})",
        ),
        DemoCheck(
            name="probabilities add up to the leavers", passed=abs(left - expected) <= margin,
            found=f"{expected:.0f} expected, {left} left", expected=f"within {margin:.0f}",
        ),
    ]  # fmt: skip


def reasons(found: Mapping[str, Mapping[str, Any]], truth: Mapping[str, Truth]) -> DemoCheck:
    """Whether the first reason that speaks of a cause is the cause by which the customer left.

    Judged on leavers whose cause stood highest on the judged day already; what aggrieved a customer
    later could not be seen.
    """
    pairs = []
    for ref, t in truth.items():
        stood = t.cause in VISIBLE and t.cause == t.standing
        if t.leaves_in_window and stood and ref in found:
            pairs.append((t.cause, first_cause(found[ref]["evidence"])))
    right = sum(cause == named for cause, named in pairs)
    most = max(Counter(cause for cause, _ in pairs).values(), default=0)
    share = right / len(pairs) if pairs else 0.0
    guess = most / len(pairs) if pairs else 0.0
    # Two standard deviations of luck where there are few to judge by, as above.
    luck = 2 * (LEAST_RIGHT * (1 - LEAST_RIGHT) / max(len(pairs), 1)) ** 0.5
    least = LEAST_RIGHT - (luck if len(pairs) < FEW else 0.0)
    return DemoCheck(
        name="the top reason is the true cause", passed=share >= least or not pairs,
        found=f"{right} of {len(pairs)} leavers ({share:.0%})",
        expected=f"at least {least:.0%}; always naming the most frequent cause: {guess:.0%}",
    )  # fmt: skip


def first_cause(evidence: Mapping[str, Any] | None) -> str:
    """The cause of the first reason that speaks of one; ``unseen`` where none does.

    Args:
        evidence: reasons by feature, strongest first.
    """
    causes = (CAUSE_OF.get(feature) for feature in evidence or {})
    return next((cause for cause in causes if cause), UNSEEN)


def no_leak(crm: Crm, later: Path) -> DemoCheck:
    """Features of past days stay what they were when the month held back is imported."""
    days = [crm.as_of(day.isoformat()) for day in (JUDGED_ON, AS_OF)]
    before = _features(crm, days)
    rows = 0
    for name, profile in PROFILES.items():
        if (later / name).exists():
            rows += crm.import_file(later / name, profile=profile).read
    after = _features(crm, days)
    changed = sum(before[key] != after.get(key) for key in before) + len(
        after.keys() - before.keys()
    )
    return DemoCheck(
        name="later data change no earlier feature", passed=rows > 0 and changed == 0,
        found=f"{changed} of {len(before)} rows changed after {rows} later rows",
        expected="0",
    )  # fmt: skip


def _features(crm: Crm, days: Sequence[Any]) -> dict[tuple[int, Any], str]:
    """Every telecom feature of everyone at each day, a row as text."""
    crm.warehouse.refresh_if_stale()
    names = [name for name in crm.features.of_subject("customer") if name.startswith("telecom.")]
    table = crm.features.build_at("customer", names, days)
    return {
        (row["subject_id"], row["as_of"]): " ".join(map(_plain, row.values()))
        for row in table.to_pylist()
    }


def _plain(value: Any) -> str:
    # Sums of floats may be taken in another order; nine digits are equal all the same (D18).
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def _own_ref(refs: Sequence[Any]) -> str:
    return next(str(ref.ref) for ref in refs if ref.source == SOURCE)


def area(label: Any, value: Any) -> float:
    """Area under the ROC curve: the chance that a leaver is ranked above a stayer, ties a half."""
    order = np.argsort(value, kind="stable")
    ranked = value[order]
    ranks = np.empty(len(value))
    first = np.searchsorted(ranked, ranked, side="left")
    last = np.searchsorted(ranked, ranked, side="right")
    ranks[order] = (first + last + 1) / 2
    positives = int(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return 0.5
    above = ranks[label].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def area_error(auc: float, positives: int, negatives: int) -> float:
    """Standard error of an area under the curve (Hanley and McNeil 1982, Radiology 143)."""
    if not positives or not negatives:
        return 0.5
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return float((spread / (positives * negatives)) ** 0.5)


__all__ = ["CAUSE_OF", "LEAST_RIGHT", "LEAST_WAY", "Truth", "area", "area_error", "checks"]
