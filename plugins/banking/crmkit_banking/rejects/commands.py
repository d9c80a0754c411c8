"""``crmkit scorecard parcel``: reject inference with a stress, and the card that comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.columns import count, integer, number
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType

if TYPE_CHECKING:
    from crmkit.workspace import Crm

T = FieldType
FOLDS = 5
STRESS = 1.2


def parcel(crm: Crm, stress: float, train: bool, measure: bool) -> Answer:
    """The bands with what is known and what is inferred; on request the card and its measures."""
    from ..decisions.take import SCORE
    from .infer import infer
    from .parcels import BAND_POINTS

    found = infer(crm, stress)
    remarks = [
        f"{found.reject_share:.1%} of all applications were declined; {found.known_rate:.1%} of the "
        f"known outcomes are bad, and {found.all_rate:.1%} with the inferred ones.",
    ]
    if measure:
        without = crm.scores.evaluate(SCORE, cv=FOLDS)
        beside = crm.scores.evaluate(SCORE, cv=FOLDS, inferred=found.outcomes)
        remarks.append(
            f"on the known outcomes, in {FOLDS} folds, the area is {beside['auc']:.4f} with those "
            f"declined and {without['auc']:.4f} without them (standard deviation over the folds "
            f"{without['auc_sd']:.3f}); little is usually gained (Crook & Banasik 2004)."
        )
    if train:
        made = crm.scores.train(SCORE, inferred=found.outcomes)
        remarks.append(
            f"version {made.version} has learnt from them. Run it beside the one that decides: crmkit "
            f"record set banking.credit_policy default --set challenger_version={made.version}"
        )
    rows: list[dict[str, Any]] = [
        {
            "points_from": band.points_from, "points_to": band.points_from + BAND_POINTS - 1,
            "outcomes_known": band.known, "bads": band.bads,
            "bad_rate": band.bads / band.known if band.known else None,
            "rejects": band.rejects, "inferred_rate": band.rate, "inferred_bads": band.inferred_bads,
        }
        for band in found.parcels.bands
    ]  # fmt: skip
    return Answer(rows=rows, remarks=remarks)


COMMANDS = (
    Command(
        name="scorecard parcel", run=parcel,
        help="Infer what would have become of those who were declined, by parcelling.\n\nThose declined "
        "are dealt into goods and bads, in bands of 20 points, at the rate of bads of the known "
        "applicants of the band times a stress; with fewer than 30 known it is the card's own "
        "probability. --train stores another version of the card that has learnt from them, too.",
        example="crmkit scorecard parcel --stress 1.3 --train",
        parameters=[
            Parameter(name="stress", type=T.NUMBER, default=STRESS, title="Factor on the rate of bads, 1 or more", title_zh="压力系数"),
            Parameter(name="train", type=T.BOOLEAN, default=False, title="Store a card that has learnt from them", title_zh="训练评分卡"),
            Parameter(name="measure", type=T.BOOLEAN, default=False, title="Measure both cards on the known outcomes", title_zh="对比评估"),
        ],
        columns=(
            integer("points_from", "From", "分数下限", "point"), integer("points_to", "To", "分数上限", "point"),
            count("outcomes_known", "Outcomes known", "已知结果", "application"),
            count("bads", "Bads", "坏账数", "application"), number("bad_rate", "Bad rate", "坏账率"),
            count("rejects", "Declined", "拒绝", "application"),
            number("inferred_rate", "Inferred bad rate", "推断坏账率"),
            count("inferred_bads", "Inferred bads", "推断坏账数", "application"),
        ),
    ),
)  # fmt: skip
