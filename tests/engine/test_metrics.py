"""Metrics without Keras: batches add up, shapes that do not fit are told in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, metrics
from studio.engine.errors import DataError, ParameterError, ShapeError, StudioError
from studio.engine.layers import Dense
from studio.engine.metrics import ConfusionMatrix, Metric
from studio.engine.params import snake_case
from studio.engine.workspace import Array

CLASSES = list(metrics.metrics)
every_metric = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
REQUIRED = {"num_classes": 3}


def made(cls: type[Metric], **options: Any) -> Metric:
    """A metric with what it requires."""
    return cls(**{name: REQUIRED[name] for name, p in cls.params.items() if p.required}, **options)


def data(metric: Metric) -> tuple[Array, Array]:
    """Targets and predictions that suit the metric."""
    random = np.random.default_rng(0)
    numbers, p = random.integers(0, 3, 30), random.dirichlet(np.ones(3), 30)
    if "Sparse" in type(metric).__name__:
        return numbers, p
    if metric.kinds == ("regression",):
        return random.poisson(3, (30, 3)).astype(float), p + 1
    return np.eye(3)[numbers], p


@every_metric
def test_batches_add_up(cls: type[Metric]) -> None:
    whole, parts = made(cls), made(cls)
    y, p = data(whole)
    weight = np.random.default_rng(1).uniform(0, 2, 30)
    whole.update_state(y, p, weight)
    for rows in (slice(0, 7), slice(7, 8), slice(8, 30)):
        parts.update_state(y[rows], p[rows], weight[rows])
    np.testing.assert_allclose(parts.result(), whole.result(), rtol=1e-10)
    parts.reset_state()
    parts.update_state(y, p, np.ones(30))
    np.testing.assert_allclose(parts.result(), made(cls)(y, p), rtol=1e-10)


@every_metric
def test_nothing_was_seen(cls: type[Metric]) -> None:
    assert np.all(np.asarray(made(cls).result()) == 0)


@every_metric
def test_what_it_says_of_itself(cls: type[Metric]) -> None:
    metric = made(cls)
    assert cls.help and (cls.direction or cls is ConfusionMatrix)
    assert metrics.get(metrics.serialize(metric)) == metric
    assert metric.name in (snake_case(cls.__name__), cls.default_name)
    assert made(cls, name="mine").name == "mine"


@every_metric
def test_shapes_that_do_not_fit(cls: type[Metric]) -> None:
    metric = made(cls)
    y, p = data(metric)
    for wrong in (y[:5], np.zeros((30, 2)), np.zeros((30, 3, 2)), np.zeros(())):
        with pytest.raises(StudioError):
            metric.update_state(wrong, p)
    with pytest.raises(ShapeError, match="weights"):
        metric.update_state(y, p, np.ones(4))


def test_classes_out_of_range() -> None:
    matrix = ConfusionMatrix(3)
    with pytest.raises(DataError, match="0 to 2"):
        matrix.update_state([0, 3], np.eye(3)[:2])
    with pytest.raises(DataError, match="0 to 2"):
        matrix.update_state([0, 1], np.eye(4)[2:])
    with pytest.raises(ParameterError, match="one of the 3 classes"):
        metrics.Recall(class_id=3)(np.eye(3), np.eye(3))
    with pytest.raises(ShapeError, match="2 outputs"):
        metrics.AUC(label_weights=[1, 2])(np.eye(3), np.eye(3))
    with pytest.raises(ShapeError, match="2"):
        metrics.AUC(multi_label=True, num_labels=2)(np.eye(3), np.eye(3))
    with pytest.raises(ParameterError, match="multi_label=True"):
        metrics.AUC(num_labels=2)


def test_a_class_that_does_not_exist_is_never_among_the_highest() -> None:
    p = np.full((4, 3), 1 / 3)
    assert metrics.SparseTopKCategoricalAccuracy(3)([0, 2, 3, -1], p) == 0.5


def test_confusion_of_two_classes() -> None:
    matrix = ConfusionMatrix(2)
    matrix.update_state(np.array([[0.0], [1], [1]]), np.array([[0.2], [0.7], [0.4]]))
    np.testing.assert_array_equal(matrix.result(), [[1, 0], [1, 1]])
    matrix.reset_state()
    # The classes of hinge losses, and predictions between them.
    matrix.update_state(np.array([[-1.0], [1], [1]]), np.array([[-1.0], [1.0], [-0.4]]))
    np.testing.assert_array_equal(matrix.result(), [[1, 0], [1, 1]])
    assert matrix.result().dtype == np.int64


def test_confusion_of_class_numbers_by_step() -> None:
    numbers = np.array([[0, 2, 1], [1, 1, 0]])
    by_number, one_hot = ConfusionMatrix(3), ConfusionMatrix(3)
    p = np.eye(3)[[[0, 1, 1], [1, 2, 0]]]
    np.testing.assert_array_equal(by_number(numbers, p), one_hot(np.eye(3)[numbers], p))
    np.testing.assert_array_equal(by_number.result(), [[2, 0, 0], [0, 2, 1], [0, 1, 0]])


def test_a_metric_of_ones_own() -> None:
    class Largest(Metric):
        """The largest prediction."""

        def reset_state(self) -> None:
            self.largest = 0.0

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.largest = max(self.largest, float(np.max(y_pred)))

        def result(self) -> float:
            return self.largest

    model = Sequential([Input((2,)), Dense(1)], seed=0)
    model.compile("sgd", "mse", metrics=[Largest()])
    x = np.eye(2)
    assert model.evaluate(x, [0, 0])[1] == pytest.approx(max(0, model.predict(x).max()))


def test_too_few_samples_to_adjust() -> None:
    score = metrics.R2Score(num_regressors=5)
    score.update_state([[1.0], [2.0]], [[1.0], [2.5]])
    with pytest.warns(UserWarning, match="Too few samples"):
        assert score.result() == pytest.approx(0.5)


@every_metric
@pytest.mark.parametrize("outputs", [1, 3])
def test_parameters_are_fitted_to_the_outputs(cls: type[Metric], outputs: int) -> None:
    fitting = made(cls).fitting(outputs)
    better = made(cls, **fitting)
    assert better.fitting(outputs) == {}
    wanted = {("F1Score", 1): {"threshold": 0.5}, ("FBetaScore", 1): {"threshold": 0.5},
              ("TopKCategoricalAccuracy", 3): {"k": 2}}  # fmt: skip
    assert fitting == wanted.get((cls.__name__, outputs), {})


def test_parameters_beyond_the_outputs() -> None:
    assert metrics.Precision(class_id=3).fitting(3) == {"class_id": None}
    assert metrics.Precision(class_id=2).fitting(3) == {}
    assert metrics.Recall(top_k=3).fitting(1) == {"top_k": None}
    with pytest.raises(ParameterError, match="at most the 1 classes, found 3"):
        metrics.Recall(top_k=3)(np.ones((2, 1)), np.ones((2, 1)))
    auc = metrics.AUC(multi_label=True, num_labels=4, label_weights=[1, 2, 3, 4])
    assert auc.fitting(4) == {}
    assert auc.fitting(3) == {"num_labels": None, "label_weights": None}
