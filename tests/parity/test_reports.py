"""Figures per class and on average beside scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import metrics
from studio.engine.errors import ShapeError
from studio.engine.metrics import ConfusionMatrix, R2Score, classification_report
from studio.engine.workspace import Array

sklearn: Any = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn")

CLASSES = 4
CASES: dict[str, tuple[Any, Any]] = {
    "all classes": ([0, 1, 2, 3, 0, 1, 2, 3, 3], [0, 1, 1, 3, 2, 1, 2, 0, 3]),
    "a class never predicted": ([0, 1, 2, 3, 0, 1], [0, 1, 1, 1, 0, 1]),
    "a class that is not there": ([0, 1, 0, 1, 1], [0, 2, 0, 1, 3]),
    "classes neither there nor predicted": ([0, 1, 1], [0, 1, 0]),
    "all wrong": ([0, 1, 2], [1, 2, 0]),
    "one sample": ([3], [3]),
    "nothing in common": ([0, 0], [3, 3]),
}


@pytest.mark.parametrize("zero_division", [0.0, 1.0, np.nan])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_report(case: str, weighted: bool, zero_division: float) -> None:
    true, predicted = (np.asarray(part) for part in CASES[case])
    weight = np.linspace(0.5, 2, len(true)) if weighted else None
    matrix = ConfusionMatrix(CLASSES)
    matrix.update_state(np.eye(CLASSES)[true], np.eye(CLASSES)[predicted], weight)
    labels = list(range(CLASSES))
    expected = sklearn.confusion_matrix(true, predicted, labels=labels, sample_weight=weight)
    np.testing.assert_allclose(matrix.result(), expected)
    found = classification_report(matrix.result(), zero_division)
    options: Any = {
        "labels": labels, "sample_weight": weight, "zero_division": zero_division,
    }  # fmt: skip
    each = sklearn.precision_recall_fscore_support(true, predicted, **options)
    for ours, theirs in zip(
        (found.precision, found.recall, found.f1, found.support), each, strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    for average in ("micro", "macro", "weighted"):
        theirs = sklearn.precision_recall_fscore_support(
            true, predicted, average=average, **options
        )
        np.testing.assert_allclose(found.averages[average], theirs[:3], rtol=1e-12)
    accuracy = sklearn.accuracy_score(true, predicted, sample_weight=weight)
    assert found.accuracy == pytest.approx(accuracy, rel=1e-12)


def test_nothing_at_all() -> None:
    found = classification_report(np.zeros((2, 2)))
    assert found.averages == dict.fromkeys(("micro", "macro", "weighted"), (0.0, 0.0, 0.0))
    with pytest.raises(ShapeError):
        classification_report(np.zeros((2, 3)))


def binary(seed: int) -> tuple[Array, Array]:
    """Two classes and probabilities."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, 300)
    return y, np.clip(random.normal(0.3 + 0.4 * y, 0.25), 0, 1)


def test_figures_of_two_classes() -> None:
    y, p = binary(0)
    taken = p > 0.5
    for cls, function in (
        (metrics.BinaryAccuracy, sklearn.accuracy_score),
        (metrics.Precision, sklearn.precision_score),
        (metrics.Recall, sklearn.recall_score),
    ):
        assert cls()(y, p) == pytest.approx(function(y, taken), rel=1e-6)
    score = metrics.FBetaScore(beta=2.0, threshold=0.5)(y[:, None], p[:, None])
    assert score[0] == pytest.approx(sklearn.fbeta_score(y, taken, beta=2), rel=1e-6)
    matrix = ConfusionMatrix(2)
    matrix.update_state(y[:, None], p[:, None])
    np.testing.assert_array_equal(matrix.result(), sklearn.confusion_matrix(y, taken))


def test_auc_comes_close_with_many_thresholds() -> None:
    y, p = binary(1)
    assert metrics.AUC(2000)(y, p) == pytest.approx(sklearn.roc_auc_score(y, p), abs=1e-4)
    precision = metrics.AUC(2000, "PR")(y, p)
    assert precision == pytest.approx(sklearn.average_precision_score(y, p), abs=5e-3)


@pytest.mark.parametrize("aggregation", [None, "uniform_average", "variance_weighted_average"])
def test_r2_of_odd_targets(aggregation: str | None) -> None:
    """Targets that never change, exactly predicted or not, and a large offset."""
    random = np.random.default_rng(2)
    y = random.normal(size=(50, 4))
    y[:, 1], y[:, 2] = 0.5, 0.5
    y[:, 3] += 1e6
    p = y + random.normal(size=y.shape) * [0.5, 0, 0.5, 0.5]
    found = R2Score(class_aggregation=aggregation)
    for rows in (slice(0, 20), slice(20, 50)):
        found.update_state(y[rows], p[rows])
    names = {None: "raw_values", "variance_weighted_average": "variance_weighted"}
    kind = names.get(aggregation, aggregation)
    expected = sklearn.r2_score(y, p, multioutput=kind)
    np.testing.assert_allclose(found.result(), expected, rtol=1e-8)


def test_multiclass_top_k() -> None:
    random = np.random.default_rng(3)
    y, p = random.integers(0, 6, 200), random.dirichlet(np.ones(6), 200)
    for k in (1, 2, 5):
        expected = sklearn.top_k_accuracy_score(y, p, k=k, labels=range(6))
        assert metrics.SparseTopKCategoricalAccuracy(k)(y, p) == pytest.approx(expected)
        assert metrics.TopKCategoricalAccuracy(k)(np.eye(6)[y], p) == pytest.approx(expected)
