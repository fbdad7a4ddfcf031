"""Metrics beside the usual figure: which are offered, what is wrong with them, what mends it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.data.catalogue import catalogue, find, load
from studio.data.dataset import DatasetInfo
from studio.data.prepare import prepare
from studio.engine.errors import UnknownNameError
from studio.engine.metrics import Metric, metrics
from studio.project import edits
from studio.project.build import build_model
from studio.project.checks import check
from studio.project.examples import EXAMPLES
from studio.project.history import History
from studio.project.metrics import figure_title, figures, made, metric_title, offered_metrics
from studio.project.problems import Problem
from studio.project.settings import TrainingSettings
from studio.project.values import DataChoice, Project, Spec

PROJECTS = {example.name: example.project for example in EXAMPLES}
IRIS, CANCER = PROJECTS["iris_mlp"], PROJECTS["breast_cancer_mlp"]
DIABETES = PROJECTS["diabetes_regression"]


def having(project: Project, *chosen: Spec) -> Project:
    return edits.set_settings(project, metrics=chosen)


def names(info: DatasetInfo) -> set[str]:
    return {metric.class_name for metric in offered_metrics(info)}


@pytest.mark.parametrize(
    "metric",
    [
        Spec("AUC", {"num_thresholds": 10**5 + 1}),
        Spec("ConfusionMatrix", {"num_classes": 2001}),
    ],
)
def test_sizes_that_would_take_all_memory_are_refused(metric: Spec):
    (found,) = check(having(IRIS, metric)).problems
    assert f"at most {100_000 if metric.class_name == 'AUC' else 2_000}" in found.expected
    assert found.severity == "error"


# What is offered


@pytest.mark.parametrize("info", catalogue(), ids=lambda info: info.name)
def test_what_is_offered_can_be_computed_and_gives_one_finite_number(info: DatasetInfo):
    data = prepare(load(info.name), 0.2, 0)
    y = data.y_val
    p = y if info.kind == "regression" else (y + 1) / (y + 1).sum(axis=-1, keepdims=True)
    p = np.clip(y, 0.1, 0.9) if info.kind == "binary" else p
    assert offered_metrics(info)
    for metric in offered_metrics(info):
        assert info.kind in metrics.find(metric.class_name).kinds
        with np.errstate(all="ignore"):
            value = made(metric)(y, p)
        assert np.ndim(value) == 0 and np.isfinite(value), metric


def test_what_is_offered_suits_the_kind():
    several, two, numbers = names(find("wine")), names(find("moons")), names(find("diabetes"))
    assert {"AUC", "F1Score", "Precision", "Recall", "TopKCategoricalAccuracy"} <= several
    assert {"AUC", "F1Score", "TruePositives", "BinaryAccuracy", "BinaryCrossentropy"} <= two
    assert {"RootMeanSquaredError", "R2Score", "MeanSquaredError"} <= numbers
    assert not several & numbers and not two & numbers
    for offered in (several, two, numbers):
        assert "ConfusionMatrix" not in offered
        assert not any(name.startswith("Sparse") for name in offered)
    # The usual figure says the same.
    assert "CategoricalAccuracy" not in several
    assert "MeanAbsoluteError" not in numbers
    # Counts cannot be below 0, as standardised targets are.
    assert "Poisson" not in numbers


@pytest.mark.parametrize("project", PROJECTS.values(), ids=list(PROJECTS))
def test_every_offered_metric_can_be_added_at_once(project: Project):
    info = find(project.data.name)
    for metric in offered_metrics(info):
        project = edits.add_metric(project, metric.class_name)
    assert project.settings.metrics == offered_metrics(info)
    assert check(project).problems == ()
    model = build_model(project, info)
    assert len(model.metrics) == 1 + len(project.settings.metrics)


def test_initial_values_make_sense_for_the_data():
    def initial(project: Project, name: str) -> Spec:
        return edits.add_metric(project, name).settings.metrics[0]

    assert initial(IRIS, "F1Score") == Spec("F1Score", {"average": "macro"})
    assert initial(CANCER, "f1_score") == Spec("F1Score", {"average": "macro", "threshold": 0.5})
    assert initial(IRIS, "TopKCategoricalAccuracy") == Spec("TopKCategoricalAccuracy", {"k": 2})
    digits = PROJECTS["mnist_cnn"]
    assert initial(digits, "TopKCategoricalAccuracy") == Spec("TopKCategoricalAccuracy")


# Edits


def test_add_and_replace():
    project = edits.add_metric(edits.add_metric(IRIS, "AUC"), "recall")
    auc, recall = project.settings.metrics
    assert [auc, recall] == [Spec("AUC"), Spec("Recall")]
    curve = Spec("AUC", {"curve": "pr"})
    assert edits.replace_metric(project, auc, curve).settings.metrics == (curve, recall)
    assert edits.replace_metric(project, auc).settings.metrics == (recall,)
    assert edits.replace_metric(project, curve) is project
    twice = having(IRIS, auc, recall, auc)
    assert edits.replace_metric(twice, auc).settings.metrics == (auc, recall)


def test_unknown_metric_is_refused_and_changes_nothing():
    with pytest.raises(UnknownNameError, match="Did you mean 'auc'"):
        edits.add_metric(IRIS, "aucc")


def test_undo_brings_a_metric_back():
    history = History(edits.add_metric(IRIS, "AUC"))
    history = history.push("Remove", edits.replace_metric(history.current, Spec("AUC")))
    assert history.current.settings.metrics == ()
    assert history.undo().current.settings.metrics == (Spec("AUC"),)


def test_choice_of_data_drops_what_no_longer_suits_and_fits_the_rest():
    project = edits.set_data(IRIS, DataChoice("digits"))
    for name in ("F1Score", "TopKCategoricalAccuracy", "KLDivergence"):
        project = edits.add_metric(project, name)
    project = having(project, *project.settings.metrics, Spec("Recall", {"class_id": 7}))
    wine = edits.set_data(project, DataChoice("wine"))
    assert wine.settings.metrics == (
        Spec("F1Score", {"average": "macro"}),
        Spec("TopKCategoricalAccuracy", {"k": 2}),
        Spec("KLDivergence"),
        Spec("Recall"),
    )
    moons = edits.set_data(project, DataChoice("moons"))
    assert moons.settings.metrics == (
        Spec("F1Score", {"average": "macro", "threshold": 0.5}),
        Spec("Recall"),
    )
    assert edits.set_data(project, DataChoice("diabetes")).settings.metrics == ()
    for changed in (wine, moons):
        assert check(changed).problems == ()


# Problems


def only(project: Project) -> Problem:
    (found,) = check(project).problems
    assert found.where == "settings"
    return found


@pytest.mark.parametrize(
    ("project", "metric", "severity", "words", "fixed"),
    [
        (IRIS, Spec("Aucc"), "error", "name of a metric, found 'Aucc'. Did you mean 'auc'", None),
        (IRIS, Spec("AUC", {"curve": "x"}), "error", "Curve of AUC: expected one of 'roc'",
         Spec("AUC")),
        (IRIS, Spec("AUC", {"crve": "pr"}), "error", "Did you mean 'curve'", None),
        (IRIS, Spec("AUC", {"num_labels": 3}), "error", "multi_label=True for num_labels", None),
        (IRIS, Spec("RootMeanSquaredError"), "warning", "metrics for several classes", None),
        (IRIS, Spec("SparseCategoricalAccuracy"), "error", "metrics for several classes", None),
        (IRIS, Spec("ConfusionMatrix", {"num_classes": 5, "name": "mine"}), "error",
         "found Confusion matrix", None),
        (CANCER, Spec("SparseTopKCategoricalAccuracy"), "warning", "metrics for two classes", None),
        (DIABETES, Spec("F1Score"), "warning", "metrics for numbers", None),
        (DIABETES, Spec("SparseTopKCategoricalAccuracy"), "warning", "metrics for numbers", None),
        (DIABETES, Spec("Poisson"), "error", "counts of at least 0", None),
        (IRIS, Spec("TopKCategoricalAccuracy"), "error", "with k 2 for these data, found k 5",
         Spec("TopKCategoricalAccuracy", {"k": 2})),
        (CANCER, Spec("F1Score", {"average": "micro"}), "error", "threshold 0.5",
         Spec("F1Score", {"average": "micro", "threshold": 0.5})),
        (IRIS, Spec("Recall", {"class_id": 3}), "error", "found class id 3", Spec("Recall")),
        (IRIS, Spec("AUC", {"multi_label": True, "num_labels": 2}), "error", "num labels automatic",
         Spec("AUC", {"multi_label": True})),
        (IRIS, Spec("F1Score"), "warning", "one number from F1 score, found 3",
         Spec("F1Score", {"average": "macro"})),
        (IRIS, Spec("Recall", {"thresholds": [0.2, 0.5]}), "warning", "found 2", Spec("Recall")),
        (IRIS, Spec("AUC", {"name": "accuracy"}), "error", "no other figure has, found 'accuracy'",
         Spec("AUC", {"name": "auc"})),
        (DIABETES, Spec("R2Score", {"name": "mae"}), "error", "found 'mae'",
         Spec("R2Score", {"name": "r2_score"})),
        (IRIS, Spec("AUC", {"name": "val_loss"}), "error", "found 'val_loss'",
         Spec("AUC", {"name": "auc"})),
        (IRIS, Spec("AUC", {"name": "epoch"}), "error", "found 'epoch'",
         Spec("AUC", {"name": "auc"})),
    ],
    ids=str,
)  # fmt: skip
def test_problem_and_fixes(
    project: Project, metric: Spec, severity: str, words: str, fixed: Spec | None
):
    broken = having(project, Spec("Recall", {"name": "first"}), metric)
    if project is DIABETES:
        broken = having(project, Spec("CosineSimilarity"), metric)
    kept = broken.settings.metrics[0]
    found = only(broken)
    assert found.severity == severity
    assert words in found.message
    assert found.param is not None and found.param.startswith("metrics.2")
    *mending, removing = [fix.edit(broken) for fix in found.fixes]
    assert removing == having(project, kept)
    assert mending == ([] if fixed is None else [having(project, kept, fixed)])
    for mended in (removing, *mending):
        assert check(mended).problems == ()
        assert found.fixes[0].edit(mended) is mended, "a fix that comes too late does nothing"


def test_the_same_name_twice():
    project = having(IRIS, Spec("AUC"), Spec("AUC", {"curve": "pr"}), Spec("AUC"))
    second, third = check(project).problems
    assert (second.param, third.param) == ("metrics.2", "metrics.3")
    project = second.fixes[0].edit(project)
    assert project.settings.metrics[1] == Spec("AUC", {"curve": "pr", "name": "auc_1"})
    project = only(project).fixes[0].edit(project)
    assert project.settings.metrics == (
        Spec("AUC"), Spec("AUC", {"curve": "pr", "name": "auc_1"}), Spec("AUC", {"name": "auc_2"}),
    )  # fmt: skip
    assert check(project).problems == ()


def test_metrics_of_unknown_data_are_only_checked_by_themselves():
    project = Project(data=DataChoice("irid"))
    project = having(project, Spec("AUC", {"curve": "x"}), Spec("RootMeanSquaredError"))
    found = [one for one in check(project).problems if one.where == "settings"]
    assert [one.param for one in found] == ["metrics.1.curve"]


# What they are called


def test_figures_of_a_run():
    assert figures(IRIS, find("iris")) == ("accuracy",)
    assert figures(DIABETES, find("diabetes")) == ("mae", "r2_score")
    chosen = Spec("AUC", {"name": "area"}), Spec("F1Score"), Spec("F1Score", {"average": "micro"})
    assert figures(having(IRIS, *chosen), find("iris")) == ("accuracy", "area", "f1_score")
    adjusted = having(DIABETES, Spec("R2Score", {"num_regressors": 2}))
    assert figures(adjusted, find("diabetes")) == ("mae", "r2_score")


@pytest.mark.parametrize(
    ("class_name", "title"),
    [
        ("AUC", "AUC"),
        ("F1Score", "F1 score"),
        ("KLDivergence", "KL divergence"),
        ("RootMeanSquaredError", "Root mean squared error"),
        ("TopKCategoricalAccuracy", "Top K categorical accuracy"),
        ("Unheard", "Unheard"),
    ],
)
def test_titles(class_name: str, title: str):
    assert metric_title(class_name) == title


def test_titles_of_figures():
    for cls in metrics:
        required: dict[str, Any] = {name: 3 for name, p in cls.params.items() if p.required}
        metric: Metric = cls(**required)
        assert figure_title(metric.name) == metric_title(cls.__name__)
    assert figure_title("my_own") == "my_own"


def test_the_declaration_of_the_setting():
    param = TrainingSettings.params["metrics"]
    good, bad = param.samples()
    for value in good:
        assert param.checked(param.to_config(param.checked(value))) == param.checked(value)
    for value in bad:
        with pytest.raises(ValueError, match="expected"):
            param.checked(value)
    auc = {"class_name": "AUC", "config": {"curve": "pr"}}
    assert param.checked([auc, "recall"]) == (metrics.make(auc), metrics.make("recall"))
    assert "recall" in param.to_config(param.checked(["recall"]))
    assert param.expected == "a list, each of it the name of a metric"
