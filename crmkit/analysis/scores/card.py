"""The model card: what a stored model is, how good it was, and whom it may not be used on.

After Mitchell et al. (2019, Model Cards for Model Reporting, 10.1145/3287560.3287596), with the
sections that a model inventory asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...declarations import Score
from .leaks import IV_WARN
from .model import Model

if TYPE_CHECKING:
    from ...hosting.catalog import Catalog

MEASURES = (
    ("n", "rows measured on"), ("positives", "of these with the outcome"), ("auc", "AUC"),
    ("auc_sd", "its standard deviation"), ("ks", "KS"), ("brier", "Brier score"),
    ("log_loss", "log loss"), ("lift_top_decile", "lift of the top tenth"),
    ("calibration_slope", "calibration slope (1 is perfect)"),
    ("calibration_intercept", "calibration intercept (0 is perfect)"),
    ("observed_expected", "observed over expected outcomes"),
    ("psi", "stability index, training to test"),
    ("emp", "expected maximum profit a customer"), ("emp_share", "share to contact for it"),
)  # fmt: skip


def card(model: Model, score: Score, catalog: Catalog) -> str:
    """The card in Markdown.

    Args:
        model: a stored version.
        score: its declaration.
        catalog: says what the inputs are.
    """
    parts = [
        f"# {score.title or score.name}: version {model.version}",
        score.description,
        _facts(model, score, catalog),
        "## Inputs",
        _inputs(model, catalog),
        _left_out(model),
        *_sheet(model),
        "## How good it is",
        *_quality(model),
        "## Rivals",
        *_rivals(model),
        "## Limits",
        _bullets(_limits(model, score)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(model: Model, score: Score, catalog: Catalog) -> str:
    days = model.dates
    span = days[0] if len(days) == 1 else f"{len(days)} dates, {days[0]} to {days[-1]}"
    settings = {
        key: value for key, value in model.tuning.items() if isinstance(value, (int, float, str))
    }
    rows = [
        ("score", f"`{score.name}` of plugin {catalog.owner(score.name)}"),
        ("outcome", f"the {score.subject} {score.positive}, {_window(model, score)}"),
        ("estimator", f"{model.estimator}, chosen by {settings.pop('chosen_by', 'declaration')}"),
        ("settings", ", ".join(f"{key} {_shown(value)}" for key, value in settings.items())),
        ("trained", model.trained_at),
        ("trained on", f"{model.rows} rows ({model.positives} with the outcome): {span}"),
        ("events seen to", model.until or "data without time"),
        ("hash", f"`{model.hash}` (SHA-256 of the stored content)"),
    ]
    return _table(("what", "value"), rows)


def _window(model: Model, score: Score) -> str:
    if model.until is None:
        return "as it stands on the day"
    return f"{score.gap_days} to {score.horizon_days} days after the date"


def _inputs(model: Model, catalog: Catalog) -> str:
    powers = {power["feature"]: power for power in model.tuning.get("powers", ())}
    rows = []
    for source in model.inputs:
        feature, power = catalog.features.get(source.feature), powers.get(source.feature, {})
        rows.append(
            (
                f"`{source.feature}`",
                feature.title if feature else "no longer declared",
                (feature.unit if feature else None) or "",
                _shown(power.get("iv")),
                _shown(power.get("auc")),
            )
        )
    rows.sort(key=lambda row: (-float(row[3] or 0), row[0]))
    lead = (
        "IV is the information value and AUC the single-field AUC on the training rows; "
        f"an IV above {IV_WARN} is warned of."
    )
    return lead + "\n\n" + _table(("input", "title", "unit", "IV", "AUC"), rows)


def _left_out(model: Model) -> str:
    names = model.tuning.get("left_out", ())
    listed = ", ".join(f"`{name}`" for name in names)
    why = "all training rows agree"
    if "scorecard" in model.tuning:
        why = "they tell too little, or would count against their own evidence"
    return f"Left out, because {why}: {listed}." if names else ""


def _sheet(model: Model) -> list[str]:
    """The lines of a card in points, for whoever has to defend a decision."""
    sheet = model.tuning.get("scorecard")
    if sheet is None:
        return []
    lead = (
        f"Everybody has {sheet['base']} points, and those of one bin of each input; the sum is the "
        f"score. {sheet['points']:g} points are odds of {sheet['odds']:g} to 1, and {sheet['pdo']:g} "
        "more double them."
    )
    rows = [
        (
            f"`{line['feature']}`" if i == 0 else "",
            b["bin"], b["rows"], _shown(b["bad_rate"]), _shown(b["woe"]), b["points"],
        )
        for line in sheet["inputs"]
        for i, b in enumerate(line["bins"])
    ]  # fmt: skip
    return [
        "## Scorecard",
        lead,
        _table(
            ("input", "bin", "rows", "rate of the outcome", "weight of evidence", "points"), rows
        ),
    ]


def _quality(model: Model) -> list[str]:
    found = model.metrics
    if not found:
        hint = f"crmkit score train {model.score}"
        return [f"Not measured when it was trained; `{hint}` trains and measures."]
    rows = [(title, _shown(found[key])) for key, title in MEASURES if key in found]
    bands = [
        [_shown(row[key]) for key in ("band", "size", "mean_value", "rate", "low", "high")]
        for row in found["calibration"]
    ]
    return [
        f"{_sentence(found['protocol'])} The estimator there was {found['estimator']}.",
        _table(("measure", "value"), rows),
        "Calibration, in tenths by rising value, with the 95 % interval of the observed rate:",
        _table(("tenth", "rows", "said", "observed", "from", "to"), bands),
    ]


def _rivals(model: Model) -> list[str]:
    inner, tested = model.tuning.get("rivals", ()), model.metrics.get("rivals", ())
    parts = []
    if len(inner) > 1:
        losses = ("inner_log_loss", "behind", "standard_error")
        parts += [
            "Log loss on the folds inside the training rows. The most readable (the first here) "
            "that is no more than one standard error behind the best is taken.",
            _table(
                ("estimator", "log loss", "behind the best", "standard error"),
                (_rival(model, row, losses) for row in inner),
            ),
        ]
    else:
        parts.append(f"None competed: {model.estimator} was declared or asked for by name.")
    if len(tested) > 1:
        keys = ("auc", "auc_sd", "brier", "log_loss", "lift_top_decile", "calibration_slope")
        parts += ["On the rows of the evaluation above:"]
        parts.append(_table(("estimator", *keys), (_rival(model, row, keys) for row in tested)))
    return parts


def _rival(model: Model, row: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    name = row["estimator"]
    shown = f"**{name}**" if name == model.estimator else name
    return [shown, *(_shown(row[key]) for key in keys)]


def _limits(model: Model, score: Score) -> list[str]:
    found = [score.limits] if score.limits else []
    if score.protected:
        names = ", ".join(f"`{name}`" for name in score.protected)
        found.append(f"No input may read the protected fields {names}.")
    found.append(
        "Only for those whom its population SQL returns; others have no value, and none may be "
        "made up for them."
    )
    if model.until is None:
        found.append(
            "Learnt from data without time: it ranks those who are alike, and nothing proves that it "
            "would have ranked them beforehand."
        )
    found.append(
        "Weights say what goes together, not what causes what: what an action is worth only a "
        "control group shows."
    )
    found += [_sentence(warning) for warning in model.tuning.get("warnings", ())]
    return found


def _table(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
