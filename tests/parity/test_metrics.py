"""Every metric beside Keras', over several batches, with and without weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, metrics
from studio.engine.layers import Dense
from studio.engine.layers.embedding import Embedding
from studio.engine.workspace import Array
from tests.parity.compare import TOLERANCE, difference, keras
from tests.parity.worst import note

Case = tuple[str, dict[str, Any], str]
CASES: list[Case] = [
    ("Accuracy", {}, "class numbers for both"),
    ("BinaryAccuracy", {}, "bits"),
    ("BinaryAccuracy", {"threshold": 0.8}, "bit columns"),
    ("CategoricalAccuracy", {}, "classes"),
    ("SparseCategoricalAccuracy", {}, "class numbers"),
    ("SparseCategoricalAccuracy", {}, "columns of class numbers"),
    ("TopKCategoricalAccuracy", {"k": 2}, "classes"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "class numbers"),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, "sorted class numbers"),
    ("Precision", {}, "bit columns"),
    ("Precision", {"thresholds": [0.7, 0.2, 0.5]}, "bits"),
    ("Precision", {"top_k": 2}, "classes without ties"),
    ("Precision", {"top_k": 1, "class_id": 2}, "classes without ties"),
    ("Recall", {}, "bit columns"),
    ("Recall", {"thresholds": 0.9}, "bits"),
    ("Recall", {"class_id": 1}, "classes"),
    ("Recall", {"top_k": 3}, "classes without ties"),
    *((name, config, "bits") for name in (
        "TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives",
    ) for config in ({}, {"thresholds": [0.2, 0.8]})),
    ("AUC", {}, "bit columns"),
    ("AUC", {}, "bits"),
    ("AUC", {"thresholds": [0.1, 0.3, 0.9]}, "bits"),
    ("AUC", {"thresholds": [0.25, 0.5, 0.75]}, "bits"),
    ("AUC", {"num_thresholds": 2}, "bits"),
    ("AUC", {"num_thresholds": 3}, "bits"),
    ("AUC", {"from_logits": True}, "bit logits"),
    ("AUC", {"multi_label": True}, "bits"),
    ("AUC", {"multi_label": True, "num_labels": 4, "label_weights": [1.0, 2.0, 0.0, 3.0]}, "bits"),
    ("AUC", {"label_weights": [1.0, 2.0, 0.0, 3.0]}, "bits"),
    *(("AUC", {"curve": curve, "summation_method": method, "multi_label": multi}, "bits")
      for curve in ("ROC", "PR", "PRGAIN") for method in ("interpolation", "minoring", "majoring")
      for multi in (False, True)),
    *((name, {"average": average, **more}, kind)
      for name, more in (("F1Score", {}), ("FBetaScore", {"beta": 2.0}))
      for average in (None, "micro", "macro", "weighted")
      for more, kind in ((more, "classes"), ({**more, "threshold": 0.4}, "bits"))),
    ("F1Score", {}, "bit columns"),
    ("MeanSquaredError", {}, "numbers"),
    ("MeanAbsoluteError", {}, "numbers"),
    ("MeanAbsolutePercentageError", {}, "numbers"),
    ("MeanSquaredLogarithmicError", {}, "counts"),
    ("RootMeanSquaredError", {}, "numbers"),
    ("LogCoshError", {}, "numbers"),
    ("CosineSimilarity", {}, "numbers"),
    ("Poisson", {}, "counts"),
    ("R2Score", {}, "numbers"),
    ("R2Score", {"class_aggregation": None}, "numbers"),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, "numbers"),
    ("R2Score", {"num_regressors": 3}, "numbers"),
    ("KLDivergence", {}, "classes"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "bits"),
    ("BinaryCrossentropy", {"from_logits": True}, "bit logits"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "classes"),
    ("SparseCategoricalCrossentropy", {}, "class numbers"),
    ("Hinge", {}, "bits"),
    ("SquaredHinge", {}, "bits"),
    ("CategoricalHinge", {}, "classes"),
]  # fmt: skip
DEEP = {"BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "MeanSquaredError",
        "TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy", "CategoricalCrossentropy",
        "RootMeanSquaredError"}  # fmt: skip
"""Metrics that are also given one target per time step."""


def batch(kind: str, seed: int, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Targets and predictions of a kind."""
    random = np.random.default_rng(seed)
    y, p = random.normal(size=(2, *shape))
    if kind == "counts":
        y, p = random.poisson(3, shape), random.gamma(2, size=shape)
    elif kind.startswith("bit"):
        y = random.integers(0, 2, shape)
        p = p if "logits" in kind else random.uniform(0, 1, shape).round(2)
        if "columns" in kind:
            y, p = y[..., :1], p[..., :1]
    elif "class" in kind:
        numbers = random.integers(0, shape[-1], shape[:-1])
        # Which of two equal ones is among the highest is chance in PyTorch.
        digits = 9 if "ties" in kind else 1
        p = random.dirichlet(np.ones(shape[-1]), shape[:-1]).round(digits)
        y = np.eye(shape[-1])[numbers]
        if "number" in kind:
            y = numbers[..., None] if "columns" in kind else numbers
        if "both" in kind:
            p = random.integers(0, shape[-1], shape[:-1])
        if "sorted" in kind:
            p = np.argsort(random.random(shape), axis=-1)
    return y.astype("f4"), p.astype("f4")


def compared(
    name: str, config: dict[str, Any], kind: str, shape: tuple[int, ...], weight: Any
) -> float:
    """How far the results are apart after three batches."""
    ours = getattr(metrics, name)(**config)
    theirs = getattr(keras.metrics, name)(**config)
    assert ours.name == theirs.name or theirs.name.startswith(ours.name)
    for seed in range(3):
        y, p = batch(kind, seed, shape)
        w = None
        if weight is not None:
            w = np.random.default_rng(seed).uniform(0, 2, shape[:weight]).astype("f4")
        ours.update_state(y, p, w)
        theirs.update_state(y, p, w)
    expected = keras.ops.convert_to_numpy(theirs.result())
    found = difference(ours.result(), expected)
    note("metrics", found, f"{name} {config} {kind}")
    ours.reset_state()
    y, p = batch(kind, 9, shape)
    assert np.array_equal(ours(y, p), type(ours)(**config)(y, p), equal_nan=True)
    return found


@pytest.mark.parametrize("weight", [None, 1], ids=["", "weighted"])
@pytest.mark.parametrize(("name", "config", "kind"), CASES, ids=str)
def test_results(name: str, config: dict[str, Any], kind: str, weight: Any) -> None:
    assert compared(name, config, kind, (40, 4), weight) <= TOLERANCE


@pytest.mark.parametrize(
    ("name", "config", "kind", "weight"),
    [
        (*case, weight)
        for case in CASES
        for weight in (None, 1, 2)
        # Keras takes the weights of steps for those of samples where targets are in columns.
        if case[0] in DEEP and not (weight == 2 and "columns" in case[2])
    ],
    ids=str,
)
def test_results_of_sequences(name: str, config: dict[str, Any], kind: str, weight: Any) -> None:
    assert compared(name, config, kind, (20, 3, 4), weight) <= TOLERANCE


def test_all_of_keras_that_are_meant_are_here() -> None:
    named = {cls.__name__ for cls in metrics.metrics}
    assert named - {"ConfusionMatrix"} == {name for name, _, _ in CASES}
    missing = {name for name in dir(keras.metrics) if name[0].isupper()} - named
    assert missing == {
        "BinaryIoU", "ConcordanceCorrelation", "IoU", "Mean", "MeanIoU", "MeanMetricWrapper",
        "Metric", "OneHotIoU", "OneHotMeanIoU", "PearsonCorrelation", "PrecisionAtRecall",
        "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity", "Sum",
    }  # fmt: skip


NAMED: list[tuple[Any, str, int]] = [
    (["accuracy"], "binary_crossentropy", 1),
    (["acc", "AUC"], "binary_crossentropy", 1),
    (["accuracy", "categorical_crossentropy"], "categorical_crossentropy", 3),
    (["accuracy"], "sparse_categorical_crossentropy", 3),
    (["mse", "mae", "MeanSquaredError", "mse"], "mse", 2),
]


@pytest.mark.parametrize(("chosen", "loss", "outputs"), NAMED, ids=str)
def test_names_and_values_in_logs(chosen: list[str], loss: str, outputs: int) -> None:
    """The same names are resolved to the same metrics, and named alike, twice over."""
    random = np.random.default_rng(0)
    x = random.normal(size=(30, 3)).astype("f4")
    if loss == "mse":
        y: Array = random.normal(size=(30, outputs)).astype("f4")
    elif outputs == 1:
        y = random.integers(0, 2, (30, 1)).astype("f4")
    else:
        y = random.integers(0, outputs, 30).astype("f4")
        y = y if loss.startswith("sparse") else np.eye(outputs, dtype="f4")[y.astype(int)]
    activation = {1: "sigmoid", 3: "softmax"}.get(outputs)
    ours = Sequential([Input((3,)), Dense(outputs, activation or "linear")], seed=0)
    theirs = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(outputs, activation=activation)]
    )
    theirs.set_weights(ours.get_weights())
    for model in (ours, theirs):
        model.compile("sgd", loss, metrics=chosen, weighted_metrics=chosen[:1])
    options: Any = {"sample_weight": random.uniform(0, 2, 30).astype("f4"), "verbose": 0}
    found = ours.evaluate(x, y, batch_size=8, return_dict=True, **options)
    expected = theirs.evaluate(x, y, batch_size=8, return_dict=True, **options)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert difference(found[name], value) <= TOLERANCE, name


def test_masked_steps_do_not_count() -> None:
    """As far as Keras heeds masks: means do, the root of the mean square does not."""
    random = np.random.default_rng(0)
    x = random.integers(0, 4, (10, 5))
    y = random.normal(size=(10, 5, 2)).astype("f4")
    ours = Sequential([Input((5,)), Embedding(4, 3, mask_zero=True), Dense(2)], seed=0)
    stack = [keras.layers.Embedding(4, 3, mask_zero=True), keras.layers.Dense(2)]
    theirs = keras.Sequential([keras.Input((5,)), *stack])
    theirs.set_weights(ours.get_weights())
    for model in (ours, theirs):
        chosen = ["mse", "mae", "RootMeanSquaredError"]
        model.compile("sgd", "mse", metrics=chosen, weighted_metrics=["mse"])
    options: Any = {"sample_weight": random.uniform(0, 2, (10, 5)).astype("f4"), "verbose": 0}
    found = ours.evaluate(x, y, batch_size=10, return_dict=True, **options)
    expected = theirs.evaluate(x, y, batch_size=10, return_dict=True, **options)
    for name, value in expected.items():
        assert difference(found[name], value) <= TOLERANCE, name
