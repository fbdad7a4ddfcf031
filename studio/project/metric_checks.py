"""Whether the chosen metrics are valid, say something about the data, and can be told apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from studio.data.dataset import DatasetInfo
from studio.engine.errors import Fix, ParameterError, StudioError
from studio.engine.metrics import metrics
from studio.engine.params import REQUIRED
from studio.project.edits import replace_metric
from studio.project.examine import Wrong, wrong_parameters
from studio.project.metrics import fitted_metric, log_name, metric_title, outcome, suits
from studio.project.problems import Problem, problem, shown
from studio.project.propose import ADVICE
from studio.project.specs import set_spec_param
from studio.project.values import Project, Spec

TAKEN = ("epoch", "loss", "confusion_matrix")
"""Names in the record of every run."""
VALIDATION = "val_"
"""What the names of validation's figures start with."""


def metric_problems(project: Project, info: DatasetInfo | None) -> Iterator[Problem]:
    """What is wrong with each metric.

    Args:
        project: the whole.
        info: about its data; None leaves out whether the metrics suit them.
    """
    names = {*TAKEN, *([ADVICE[info.kind].figure] if info else [])}
    for number, metric in enumerate(project.settings.metrics, 1):
        place, name = f"metrics.{number}", log_name(metric)
        wrong = wrong_parameters(metric, metrics)
        misfit = _misfit(place, metric, info) if info and not wrong else None
        if wrong:
            yield _parameter_problem(place, metric, wrong[0])
        elif misfit:
            yield misfit
        if not wrong and (name in names or name.startswith(VALIDATION)):
            yield _name_problem(place, metric, names)
        names.add(name)


def _parameter_problem(place: str, metric: Spec, wrong: Wrong) -> Problem:
    known = metric.class_name in metrics
    param = metrics.find(metric.class_name).params.get(wrong.param or "") if known else None
    if param is None or param.initial is REQUIRED:
        subject = metric_title(metric.class_name) if known else "Metrics"
        fixes = (_removal(metric),)
        return problem(wrong.error, "settings", subject=subject, param=place, fixes=fixes)
    mended = set_spec_param(metric, metrics, param.name, param.initial)
    return problem(
        wrong.error,
        "settings",
        subject=f"{param.label} of {metric_title(metric.class_name)}",
        param=f"{place}.{param.name}",
        fixes=(_change(metric, mended), _removal(metric)),
    )


def _misfit(place: str, metric: Spec, info: DatasetInfo) -> Problem | None:
    """What keeps a valid metric from saying something about the data."""
    title = metric_title(metric.class_name)
    found = outcome(metric, info.kind, info.outputs)
    better = fitted_metric(metric, info)
    fixes = [_removal(metric)]
    works = False
    if not suits(metric, info.kind):
        works = found == 1
        error: StudioError = ParameterError(
            f"metrics for {ADVICE[info.kind].words}, as the data have", title
        )
    elif better != metric:
        wanted, now = _differences(better, metric), _differences(metric, better)
        error = ParameterError(f"{title} with {wanted} for these data", now)
        fixes.insert(0, _change(metric, better))
    elif isinstance(found, StudioError):
        error = found
    elif found != 1:
        works = True
        advice = "Several are not drawn."
        error = ParameterError(f"one number from {title}", str(found), advice=advice)
        fixes = [*_to_one_number(metric, info), *fixes]
    else:
        return None
    return problem(
        error,
        "settings",
        subject="Metrics",
        param=place,
        fixes=tuple(fixes),
        severity="warning" if works else "error",
    )


def _to_one_number(metric: Spec, info: DatasetInfo) -> Iterator[Fix]:
    """Parameters that make one number of several when they have the value that a new one has."""
    for name, param in metrics.find(metric.class_name).params.items():
        mended = set_spec_param(metric, metrics, name, param.initial)
        if outcome(mended, info.kind, info.outputs) == 1:
            yield _change(metric, mended)


def _name_problem(place: str, metric: Spec, names: Collection[str]) -> Problem:
    usual = free = log_name(replace(metric, config={}))
    number = 0
    while free in names:
        number += 1
        free = f"{usual}_{number}"
    error = ParameterError("a name that no other figure has", repr(log_name(metric)))
    mended = set_spec_param(metric, metrics, "name", free)
    fixes = (_change(metric, mended), _removal(metric))
    title = metric_title(metric.class_name)
    return problem(error, "settings", subject=f"Name of {title}", param=place, fixes=fixes)


def _removal(metric: Spec) -> Fix:
    label = f"Remove {metric_title(metric.class_name)}"
    return Fix(label, lambda project: replace_metric(project, metric))


def _change(metric: Spec, mended: Spec) -> Fix:
    label = f"Set {_differences(mended, metric, ' to ')}"
    return Fix(label, lambda project: replace_metric(project, metric, mended))


def _differences(metric: Spec, other: Spec, between: str = " ") -> str:
    """The parameters of a metric that another one has otherwise, in words."""

    def value(of: Spec, name: str, default: Any) -> Any:
        return of.config.get(name, default)

    return " and ".join(
        f"{param.label.lower()}{between}{shown(param, value(metric, name, param.default))}"
        for name, param in metrics.find(metric.class_name).params.items()
        if value(metric, name, param.default) != value(other, name, param.default)
    )
