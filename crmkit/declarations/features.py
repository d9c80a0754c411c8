"""What is computed of a subject: features, scores, rules and segments."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import ge, gt, in_

from ..entities.field_types import FieldType
from .names import CUSTOMER, texts

if TYPE_CHECKING:
    from ..learning import Training, Tuned


def _features(values: Iterable[Feature]) -> tuple[Feature, ...]:
    return tuple(values)


class Scope(enum.Enum):
    """Whether a feature looks at the subject's own rows only, or at the others too (D6)."""

    SUBJECT = "subject"
    POPULATION = "population"


@frozen(kw_only=True)
class Feature:
    """One column of a feature set.

    Args:
        name: ``telecom.tenure_months``.
        type: what the value is; money is given in minor units as INTEGER with unit ``USD-cent``.
        unit: ``month``, ``GB``, ``1`` for a pure number or share, None for text.
        missing: value for population rows that the SQL leaves out; None means missing.
        phrase: words for a reason, with ``{value}``, after which a plural noun becomes singular for
            one, and ``ends in {value} days`` past for a negative number; or a mapping from value (as text, ``true`` and
            ``false`` for booleans) to words. A value that the mapping leaves out gives no reason.
        special: codes of a number that are no quantities, with their words, as ``{-9: "no bureau
            record"}``; an estimator that cuts numbers into bins gives each a bin of its own.
    """

    name: str
    type: FieldType
    unit: str | None = None
    title: str = ""
    title_zh: str = ""
    description: str = ""
    missing: Any = None
    phrase: str | Mapping[str, str] = field(default="", hash=False)
    special: Mapping[float, str] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class FeatureSet:
    """Features that one statement computes together.

    Args:
        name: ``telecom.billing``.
        sql: feature SQL.
        window_days: oldest ``days_before`` that the statement needs; prunes files. None means all.
        source: where the definitions come from, a document or a practice; empty names the tables.
        owner: who answers for them, as a team or role; empty is the plugin.
    """

    name: str
    sql: str = field(repr=False)
    features: tuple[Feature, ...] = field(converter=_features)
    subject: str = CUSTOMER
    scope: Scope = Scope.SUBJECT
    window_days: int | None = None
    source: str = ""
    owner: str = ""


ESTIMATORS = ("logistic", "scorecard", "boosting")


@frozen(kw_only=True)
class Estimator:
    """A way to learn a score that a plugin brings, beside crmkit's own.

    Args:
        name: ``banking.points``; a score names it as its ``estimator``. It never competes unasked.
        tune: called with a :class:`crmkit.learning.Training`; returns a
            :class:`crmkit.learning.Tuned`, whose model is plain data and a sum, so that it can be
            read, said in SQL and recomputed later.
    """

    name: str
    tune: Callable[[Training], Tuned] = field(repr=False)
    title: str = ""


@frozen(kw_only=True)
class Profit:
    """What a campaign to the highest values earns: a retention offer that some accept.

    Args:
        value: what a customer who would have left and stays is worth, in units of the currency.
        offer: what the offer costs where it is accepted. contact: what one contact costs.
        accept: the Beta distribution of the share of leavers who accept, as (alpha, beta).

    The defaults are those of Verbraken, Verbeke & Baesens (2013, IEEE TKDE 25,
    10.1109/TKDE.2012.50): value 200, offer 10, contact 1, Beta(6, 14) with mean 0.3.
    """

    value: float = field(default=200.0, validator=gt(0.0))
    offer: float = field(default=10.0, validator=ge(0.0))
    contact: float = field(default=1.0, validator=ge(0.0))
    accept: tuple[float, float] = (6.0, 14.0)

    def __attrs_post_init__(self) -> None:
        if self.offer >= self.value:
            raise ValueError(f"an offer of {self.offer} is not worth a customer of {self.value}")


@frozen(kw_only=True)
class Score:
    """A probability learnt from the operator's own past.

    Args:
        name: ``telecom.churn``.
        features: names of the features that may be inputs; any subject-of-record columns declared
            ``known: outcome`` can never be (D13).
        population: population SQL: who is scored.
        target: target SQL: what happened to them afterwards.
        gap_days: days after as-of that are left to act, not counted by the target.
        horizon_days: days after as-of by which the outcome is known.
        moments: population SQL that returns ``subject_id, moment``: the instant (UTC) at which each
            subject is scored, as a booking or a hand-over. It is learnt from and tested on at these
            instants, and what happened in the very moment is seen. Its target leaves out nobody whose
            outcome cannot be told yet: their label is NULL. None takes month-ends.
        cross_section: population SQL that returns ``subject_id, as_of, label`` for data without
            time, used by ``--cv``; None if the score has no such form. With a column ``position``,
            the place of each row in the order of time, the latest 25 % can be tested on although no
            row has a date.
        estimator: one of ESTIMATORS, or an :class:`Estimator` of an enabled plugin by its name; None
            (default) lets ESTIMATORS compete at every training and takes the most readable that is
            no worse than the best by more than one standard error.
        protected: fields that none of the features may read, as ``banking.customer.gender``: they
            must not decide, and are kept to see whether the decisions are fair.
        vouched: inputs that rightly tell much by themselves, each with the reason why it is known
            before the outcome, as arrears that grow into a default. The leak alarm warns of them with
            that reason and does not stop; of all others it does.
        profit: what acting on the score earns, for the expected maximum profit; None without.
        limits: who may not be scored with it and what it must not be used for, for the model card.
        positive: words for the outcome, as ``leaves``.
    """

    name: str
    title: str = ""
    title_zh: str = ""
    subject: str = CUSTOMER
    features: tuple[str, ...] = field(converter=texts)
    population: str = field(repr=False)
    target: str = field(repr=False)
    gap_days: int = 0
    horizon_days: int = 30
    moments: str | None = field(default=None, repr=False)
    cross_section: str | None = field(default=None, repr=False)
    estimator: str | None = None
    protected: tuple[str, ...] = field(default=(), converter=texts)
    vouched: Mapping[str, str] = field(factory=dict, hash=False)
    profit: Profit | None = None
    limits: str = ""
    positive: str = "happens"
    description: str = ""

    @vouched.validator
    def _vouched_are_inputs(self, attribute: Any, value: Mapping[str, str]) -> None:
        strangers = sorted(set(value) - set(self.features))
        if strangers:
            raise ValueError(
                f"score {self.name} vouches for {', '.join(strangers)}, which is none of its features"
            )
        if not all(value.values()):
            raise ValueError(f"score {self.name}: give a reason for each input that is vouched for")


ACTIONS = ("propose_stage", "tag", "open_case", "list", "alert")


@frozen(kw_only=True)
class Rule:
    """When a condition holds for a subject, propose an action with its evidence in words.

    Args:
        name: ``telecom.bill-shock``.
        when: SQL condition over columns of the wide table of the subject: every feature by its SQL
            name, each score as ``score_<plugin>_<name>`` (probability) and
            ``band_<plugin>_<name>`` (decile, 1 is the highest), and ``stage_<lifecycle>``.
        action: one of ACTIONS; ``target`` says which stage, tag, list or case topic.
        message: words with ``{column}`` for the evidence, Python format style.
        evidence: columns kept with each firing; those in ``when`` and ``message`` are kept anyway.
        cooldown_days: days in which the rule does not fire again on the same subject.
        source: where the rule comes from.
    """

    name: str
    when: str = field(repr=False)
    action: str = field(validator=in_(ACTIONS))
    target: str = ""
    message: str = ""
    subject: str = CUSTOMER
    title: str = ""
    title_zh: str = ""
    evidence: tuple[str, ...] = field(default=(), converter=texts)
    cooldown_days: int = 0
    source: str = ""


@frozen(kw_only=True)
class Segment:
    """A named group of subjects: ``where`` is a condition as in :class:`Rule`."""

    name: str
    where: str = field(repr=False)
    subject: str = CUSTOMER
    title: str = ""
    title_zh: str = ""
    description: str = ""
