"""What an estimator of a plugin works with: labelled rows in, a model as plain data out.

An estimator is a function from a :class:`Training` to a :class:`Tuned`, declared as
:class:`crmkit.declarations.Estimator`::

    def tune(training: Training) -> Tuned:
        return Tuned(None, lambda: Model(score=training.score, estimator="shop.card", ...))

Its model is a sum: ``intercept`` plus, for each input, the weight of the row's band or level less
``centre``, the mean weight over the training rows. crmkit stores it, says it in SQL, gives its
reasons and recomputes it years later; numpy is enough for that.
"""

from __future__ import annotations

from .analysis.scores.inputs import (
    BandInput,
    ChoiceInput,
    NumberInput,
    number_array,
    text_array,
)
from .analysis.scores.linear import Tuned
from .analysis.scores.metrics import (
    auc,
    auc_error,
    brier,
    information_value,
    ks,
    log_loss,
    psi,
    share_shift,
)
from .analysis.scores.model import Model
from .analysis.scores.model_sql import sql_expression
from .analysis.scores.reasons import describe
from .analysis.scores.training import Training

__all__ = [
    "BandInput",
    "ChoiceInput",
    "Model",
    "NumberInput",
    "Training",
    "Tuned",
    "auc",
    "auc_error",
    "brier",
    "describe",
    "information_value",
    "ks",
    "log_loss",
    "number_array",
    "psi",
    "share_shift",
    "sql_expression",
    "text_array",
]
