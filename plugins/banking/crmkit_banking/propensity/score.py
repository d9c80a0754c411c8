"""The propensity score: who takes the product when called."""

from __future__ import annotations

import attrs

from crmkit import resource_text
from crmkit.declarations import Score

from .features import INPUTS, SUBJECT, TALK

PROPENSITY = Score(
    name="banking.propensity",
    title="Propensity to accept",
    title_zh="接受概率",
    subject=SUBJECT,
    features=tuple(feature.name for feature in INPUTS),
    population=resource_text(__package__, "population.sql"),
    target=resource_text(__package__, "target.sql"),
    cross_section=resource_text(__package__, "cross_section.sql"),
    # Season, age and the outcome before work together: sums lose 0.03 of AUC on the public file.
    estimator="boosting",
    limits=(
        "For whom to call, never for credit: age and marital status are inputs. A high value says "
        "who accepts, not who accepts because of the call; only a control group shows that."
    ),
    positive="accepts the offer",
    description=(
        "Offers of a product to a customer; positive where the customer takes it. The length of the "
        "contact is known only afterwards and is declared so."
    ),
)

PROPENSITY_WITH_TALK = attrs.evolve(
    PROPENSITY,
    name="banking.propensity-with-talk",
    title="Propensity to accept, with the length of the talk",
    title_zh="接受概率（含通话时长）",
    features=(*PROPENSITY.features, TALK.name),
    limits="Never to be used: it shows what a leak looks like, and that it is stopped.",
    description=(
        "The same with the length of the talk. On the public bank marketing file that is the deciding "
        "talk, and the leak alarm refuses to train it unless --allow-leak is given."
    ),
)
