"""Which metrics suit the data, what they make of the targets, and what people call them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from studio.data.dataset import DatasetInfo
from studio.engine.errors import StudioError
from studio.engine.losses import Kind
from studio.engine.metrics import Metric, accuracy_for, metrics, named
from studio.engine.workspace import Array
from studio.project.propose import ADVICE
from studio.project.specs import new_spec, set_spec_param
from studio.project.values import Project, Spec


def made(metric: Spec) -> Metric:
    """The metric that a spec describes.

    Raises:
        StudioError: if it is not known, or a parameter is not valid.
    """
    found = metric.make(metrics)
    assert isinstance(found, Metric)
    return found


def suits(metric: Spec, kind: Kind) -> bool:
    """Whether a metric is meant for that kind of targets, and is a figure that can get better."""
    if metric.class_name not in metrics:
        return False
    cls = metrics.find(metric.class_name)
    return kind in cls.kinds and cls.direction != ""


def fitted_metric(metric: Spec, info: DatasetInfo) -> Spec:
    """The metric with other values for those that make no sense for the data."""
    try:
        others = made(metric).fitting(info.outputs)
    except StudioError:
        return metric
    for name, value in others.items():
        metric = set_spec_param(metric, metrics, name, value)
    return metric


def proposed_metrics(now: Iterable[Spec], info: DatasetInfo) -> tuple[Spec, ...]:
    """Those of the metrics that suit the data, fitted to them."""
    return tuple(fitted_metric(metric, info) for metric in now if suits(metric, info.kind))


@lru_cache(maxsize=64)
def offered_metrics(info: DatasetInfo) -> tuple[Spec, ...]:
    """The metrics that say something about the data which the usual figure does not."""
    found = [fitted_metric(new_spec(metrics, cls.__name__), info) for cls in metrics]
    return tuple(
        metric
        for metric in found
        if suits(metric, info.kind)
        and outcome(metric, info.kind, info.outputs) == 1
        and not _is_usual(metric, info)
    )


def _is_usual(metric: Spec, info: DatasetInfo) -> bool:
    """Whether it is the usual figure, and has no parameter to be another."""
    cls = metrics.find(metric.class_name)
    if cls.params.keys() - {"name"}:
        return False
    y, p = _sample(info.kind, info.outputs)
    usual = named(ADVICE[info.kind].figure)
    return cls is type(accuracy_for(y, p, usual) if isinstance(usual, str) else usual)


@lru_cache(maxsize=1 << 10)
def outcome(metric: Spec, kind: Kind, outputs: int) -> int | StudioError:
    """How many numbers a metric gives for such targets, or why it cannot be computed."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            return int(np.size(made(metric)(*_sample(kind, outputs))))
    except StudioError as error:
        return error


def _sample(kind: Kind, outputs: int) -> tuple[Array, Array]:
    """Targets as they are prepared for training, and predictions."""
    if kind == "multiclass":
        y = np.eye(outputs, dtype=np.float32)
        return y, (y + 1) / (outputs + 1)
    low = 0 if kind == "binary" else -1
    y = np.array([[low], [1]], np.float32)
    return y, y / 2 + np.float32(0.25)


def log_name(metric: Spec) -> str:
    """What a metric is called in logs; of one that is not known, the name of its class."""
    name = metric.config.get("name")
    if isinstance(name, str) or metric.class_name not in metrics:
        return str(name or metric.class_name)
    return metrics.find(metric.class_name).usual_name()


def figures(project: Project, info: DatasetInfo) -> tuple[str, ...]:
    """The names of the figures that a run gives beside the loss, the usual one first.

    Metrics that give several numbers have no part in them.
    """
    chosen = [
        log_name(metric)
        for metric in project.settings.metrics
        if outcome(metric, info.kind, info.outputs) == 1
    ]
    advice = ADVICE[info.kind]
    always = [metrics.find(name).usual_name() for name in advice.beside]
    return tuple(dict.fromkeys([advice.figure, *chosen, *always]))


def figure_title(name: str) -> str:
    """What people call a figure: ``"f1_score"`` → ``"F1 score"``; a name of its own as it is."""
    cls = _figure_class(name)
    return metric_title(cls.__name__) if cls else name


def figure_help(name: str) -> str:
    """What a figure says, in a sentence; nothing of one with a name of its own."""
    cls = _figure_class(name)
    return cls.help if cls else ""


def metric_title(class_name: str) -> str:
    """The class of a metric in words: ``"F1Score"`` → ``"F1 score"``, ``"AUC"`` as it is."""
    spaced = re.sub(r"(.)([A-Z][a-z]+)", r"\1 \2", class_name)
    first, *others = re.sub(r"([a-z])([A-Z])", r"\1 \2", spaced).split()
    return " ".join([first, *(word.lower() if word[1:].islower() else word for word in others)])


def _figure_class(name: str) -> type[Metric] | None:
    return next((cls for cls in metrics if cls.usual_name() == name), None)
