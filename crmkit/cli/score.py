"""``crmkit score``: train, evaluate, run and explain scores."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TextIO

import attrs
import click

from ..declarations import CUSTOMER, ESTIMATORS
from ..errors import NotFound, PluginError
from .main import State
from .options import AS_OF, POSITIVE, Decorator, as_of_option, format_option, listed, output_option
from .output import emit, emit_record, emit_text, named, note

if TYPE_CHECKING:
    from ..analysis.scores import Explanation
    from ..analysis.scores.evaluation import Evaluation
    from ..workspace import Crm

LIST_FIELDS = (
    "name", "title", "plugin", "subject", "estimator", "inputs", "version", "trained_at", "until",
    "rows", "positives",
)  # fmt: skip
STABILITY_FIELDS = (
    "as_of", "model_version", "n", "psi", "expected", "observed", "observed_expected", "verdict",
)  # fmt: skip
# What run shows; a score on records has their id in place of the customer.
RUN_FIELDS = (
    "customer_id", "subject_id", "score", "as_of", "value", "band", "reasons", "model_version", "inputs_hash",
)  # fmt: skip
TABLES = ("figures", "measures", "lift", "calibration", "rivals", "inputs")


def _day(ctx: click.Context, param: click.Parameter, value: datetime | None) -> date | None:
    return None if value is None else value.date()


def _date_option(*names: str, help: str) -> Decorator:
    return click.option(*names, type=click.DateTime(["%Y-%m-%d"]), callback=_day, metavar="DATE", help=help)  # fmt: skip


_estimator = click.option(
    "--estimator",
    metavar="NAME",
    help=f"Learn with this one: {', '.join(ESTIMATORS)}, or one that a plugin brings. Default: the one that the score declares, else the most readable of those that do best.",
)
_allow_leak = click.option(
    "--allow-leak",
    is_flag=True,
    help="Go on even though an input alone tells the outcome, as a field known too late would.",
)


@click.group("score")
def command() -> None:
    """Train, evaluate, run, watch and explain scores."""


@command.command("list")
@listed(LIST_FIELDS, detail=("inputs", "subject", "plugin", "until", "estimator", "positives"))
@click.pass_obj
def list_scores(
    state: State,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List the scores of the enabled plugins, with the model that each one has.

    Example: crmkit score list
    """
    with state.open() as crm:
        rows = [_listed(crm, row, state.lang) for row in crm.scores.list()]
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=LIST_FIELDS)  # fmt: skip


def _listed(crm: Crm, row: dict[str, Any], language: str | None) -> dict[str, Any]:
    score = crm.catalog.scores[row["name"]]
    title = (score.title_zh if language == "zh" else "") or score.title
    found = {
        **row,
        "title": title,
        "plugin": crm.catalog.owner(score.name),
        "subject": score.subject,
    }
    return {key: found[key] for key in LIST_FIELDS}


@command.command("train")
@click.argument("name")
@_date_option("--until", help="Learn from what had happened by the end of this day. Default: now.")
@_estimator
@_allow_leak
@click.option("--no-evaluation", is_flag=True, help="Train only, without the figures for the model card.")  # fmt: skip
@format_option
@output_option
@click.pass_obj
def train_score(
    state: State,
    name: str,
    until: date | None,
    estimator: str | None,
    allow_leak: bool,
    no_evaluation: bool,
    format: str,
    output: str | None,
) -> None:
    """Train a score on past outcomes and store the model in the workspace.

    Reads the warehouse at past month-ends whose outcome is known; data without time are learnt from
    as they stand. Writes models/NAME/VERSION.json. Equal data give an equal model, which is not
    stored twice. The model is evaluated, too, and `crmkit score card NAME` shows what came out.

    Example: crmkit score train telecom.churn --until 2026-03-31
    """
    with state.open() as crm:
        model = crm.scores.train(
            name, until=until, estimator=estimator, allow_leak=allow_leak,
            measured=not no_evaluation,
        )  # fmt: skip
    for warning in model.tuning["warnings"]:
        note(warning)
    record = {
        "score": model.score,
        "version": str(model.version),
        "estimator": model.estimator,
        "trained_at": model.trained_at,
        "until": model.until,
        "dates": list(model.dates),
        "rows": model.rows,
        "positives": model.positives,
        "inputs": len(model.inputs),
        "left_out": list(model.tuning["left_out"]),
        "hash": model.hash,
    }
    emit_record(record, format=format, output=output)


@command.command("evaluate")
@click.argument("name")
@click.option("--cv", type=click.IntRange(2, 100), metavar="K", help="Cross-validate in K folds, for data without time. Default: test on later dates.")  # fmt: skip
@_date_option("--train-until", help="Learn from outcomes known by this day and test on dates from it on. Default: the latest 25 % of the rows are the test.")  # fmt: skip
@_estimator
@_allow_leak
@click.option("--table", type=click.Choice(TABLES), default="figures", help="What to show: the figures, every measure with stability and profit, the lift or the calibration by tenths, the rival estimators, or what each input tells alone. Default: figures.")  # fmt: skip
@format_option
@output_option
@click.pass_obj
def evaluate_score(
    state: State,
    name: str,
    cv: int | None,
    train_until: date | None,
    estimator: str | None,
    allow_leak: bool,
    table: str,
    format: str,
    output: str | None,
) -> None:
    """Measure a score on rows that it has not learnt from; stores nothing.

    Gives AUC with its deviation, KS, Brier, log loss, lift of the top tenth, and calibration slope
    and intercept; the protocol says how. See docs/reference/score-evaluation.md.

    Example: crmkit score evaluate telecom.churn --cv 5 --format json
    """
    if cv is not None and train_until is not None:
        raise click.UsageError("--cv and --train-until exclude each other: folds have no time.")
    with state.open() as crm:
        found = crm.scores.assess(
            name, cv=cv, train_until=train_until, allow_leak=allow_leak, estimator=estimator,
            rivals=table == "rivals",
        )  # fmt: skip
    for warning in found.figures["warnings"]:
        note(warning)
    note(f"estimator: {found.estimator}")
    if table == "figures":
        emit_record(found.figures, format=format, output=output)
    else:
        from ..present.quality import CHARTS, COLUMNS

        emit(
            _table(found, table), format=format, output=output, title=f"{name}, {table}",
            fields=COLUMNS.get(table), charts=CHARTS.get(table, ()),
        )  # fmt: skip


def _table(found: Evaluation, table: str) -> list[dict[str, Any]]:
    if table == "measures":
        return [{"measure": key, "value": value} for key, value in found.measures().items()]
    if table == "rivals":
        return found.rivals
    if table == "inputs":
        return [attrs.asdict(row) for row in found.powers]
    return [attrs.asdict(row) for row in (found.gains if table == "lift" else found.bands)]


@command.command("card")
@click.argument("name")
@click.option("--version", type=POSITIVE, metavar="N", help="Of this version of the model. Default: the latest.")  # fmt: skip
@output_option
@click.pass_obj
def show_card(state: State, name: str, version: int | None, output: str | None) -> None:
    """Write the model card of a trained score, in Markdown.

    What it is, what and when it learnt, its inputs, how good and how well calibrated it was, its
    rivals, and whom it may not be used on.

    Example: crmkit score card telecom.churn --output churn.md
    """
    with state.open() as crm:
        text = crm.scores.card(name, version)
    emit_text(text, output=output)


@command.command("stability")
@click.argument("name")
@listed(STABILITY_FIELDS)
@click.pass_obj
def show_stability(
    state: State,
    name: str,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Compare the kept runs of a score with what its model was trained on.

    The stability index (psi) says how far the values have moved: from 0.10 watch, above 0.25 act.
    Where the horizon has passed, observed over expected outcomes outside 0.8 to 1.25 is to be acted
    upon, too: train the score again.

    Example: crmkit score stability telecom.churn
    """
    with state.open() as crm:
        rows = crm.scores.stability(name)
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=STABILITY_FIELDS)  # fmt: skip


@command.command("run")
@click.argument("name")
@click.argument("refs", nargs=-1, metavar="[REF]...")
@click.option(
    "--refs",
    "file",
    type=click.File(encoding="utf-8"),
    metavar="FILE",
    help="Score those whose refs the file holds, one a line; - is stdin.",
)
@as_of_option
@click.option("--version", type=POSITIVE, metavar="N", help="Use this version of the model. Default: the latest.")  # fmt: skip
@listed(RUN_FIELDS, detail=("inputs_hash", "model_version", "score", "as_of"))
@click.pass_obj
def run_score(
    state: State,
    name: str,
    refs: tuple[str, ...],
    file: TextIO | None,
    as_of: str | None,
    version: int | None,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Score everyone whom a score is about, and keep the outcomes.

    Writes a file under runs/ and the latest value of each customer in the store. Band 1 is the
    tenth with the highest values. Reasons are what raises the value above the average, strongest
    first. Plugins act on the values: banking files a decision for each application. With refs, of
    customers or of the records that the score is about, those alone are scored.

    Example: crmkit score run telecom.churn --limit 20
    """
    with state.open() as crm:
        when = crm.as_of(as_of)
        wanted = [*refs, *(line.strip() for line in file or () if line.strip())]
        only = _subjects(crm, name, wanted) if refs or file else None
        run = crm.scores.run(name, when, version=version, only=only)
        faults = crm.serve_scores(name, when, only)
        key = _key(crm.scores.get(name).subject)
        rows = [
            {
                key: row["subject_id"],
                "score": name,
                "as_of": row["as_of"],
                "value": row["value"],
                "band": row["band"],
                "reasons": "; ".join(row["reasons"]),
                "model_version": row["model_version"],
                "inputs_hash": row["inputs_hash"],
            }
            for row in sorted(run.rows(), key=lambda row: (-row["value"], row["subject_id"]))
        ]
        fields = (key, "score", "as_of", "value", "band", "reasons", "model_version", "inputs_hash")
        grid = named(crm, rows if limit is None or sort else rows[:limit], fields)
    for warning in run.warnings:
        note(warning)
    emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)
    for fault in faults:
        note(f"{fault} What it did for that batch was undone.")
    if faults:
        click.get_current_context().exit(PluginError.exit_code)


@command.command("explain")
@click.argument("name")
@click.argument("ref")
@as_of_option
@click.option("--at", "at", metavar="DATE", type=AS_OF, help="The same as --as-of.")
@click.option("--inputs", is_flag=True, help="Show every input with its value and effect instead.")
@format_option
@output_option
@click.pass_obj
def explain_score(
    state: State,
    name: str,
    ref: str,
    as_of: str | None,
    at: str | None,
    inputs: bool,
    format: str,
    output: str | None,
) -> None:
    """Recompute a customer's score that was stored by a date and say what makes it.

    Explains the value of the last run for the date or an earlier one, by the model and the facts of
    that run; `as_of` is the run's date, and `same` says whether value and inputs are those that were
    stored. Fails if nothing was stored by the date. Without a date, the latest run is explained.

    Example: crmkit score explain telecom.churn 7590-VHVEG --at 2026-03-31
    """
    with state.open() as crm:
        score = crm.scores.get(name)
        when = crm.as_of(at or as_of) if at or as_of else None
        subject = _subject(crm, score.subject, ref)
        found = crm.scores.explain(name, subject, when)
        if when is not None and found.as_of != when:
            note(f"the last value stored by then is as of {found.as_of.on}.")
        if inputs:
            emit(_inputs(crm, found), format=format, output=output, fields=INPUT_FIELDS)
            return
        key = _key(score.subject)
        grid = named(crm, [{key: subject, **_explained(found)}])
    record = dict(zip(grid.names, next(iter(grid.rows())), strict=True))
    emit_record(record, format=format, output=output)


def _key(subject: str) -> str:
    return "customer_id" if subject == CUSTOMER else "subject_id"


def _subjects(crm: Crm, name: str, refs: list[str]) -> list[int]:
    if not refs:
        raise click.UsageError("no ref was given: the file is empty.")
    kind = crm.scores.get(name).subject
    return [_subject(crm, kind, ref) for ref in refs]


def _subject(crm: Crm, kind: str, ref: str) -> int:
    """The id of a customer, or of a record by its ref or its id."""
    if kind == CUSTOMER:
        return crm.store.customers.find(ref).id
    try:
        return crm.store.records.find(kind, ref).id
    except NotFound:
        if not ref.isdigit():
            raise
        return crm.store.records.get(kind, int(ref)).id


def _explained(found: Explanation) -> dict[str, Any]:
    return {
        "score": found.score,
        "as_of": str(found.as_of),
        "value": found.value,
        "points": found.points,
        "band": found.band,
        "stored_value": found.stored,
        "same": found.same,
        "reasons": "; ".join(reason.words for reason in found.reasons),
        "model_version": found.model_version,
        "inputs_hash": found.inputs_hash,
    }


INPUT_FIELDS = ("feature", "title", "value", "unit", "effect", "reason")


def _inputs(crm: Crm, found: Explanation) -> list[dict[str, Any]]:
    words = {reason.feature: reason.words for reason in found.reasons}
    ordered = sorted(found.contributions.items(), key=lambda part: (-part[1], part[0]))
    return [
        {
            "feature": name,
            "title": crm.catalog.features[name].title,
            "value": found.inputs[name],
            "unit": crm.catalog.features[name].unit,
            "effect": effect,
            "reason": words.get(name),
        }
        for name, effect in ordered
    ]
