"""Every loss and its gradient beside Keras', with autograd as the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, losses
from studio.engine.activations import activations
from studio.engine.layers import Dense
from studio.engine.losses import Loss, SparseCategoricalCrossentropy
from studio.engine.params import snake_case
from studio.engine.workspace import Array
from tests.parity.compare import TOLERANCE, difference, keras, numpy_of, torch
from tests.parity.worst import note

Case = tuple[str, dict[str, Any], str]
CASES: list[Case] = [
    ("MeanSquaredError", {}, "numbers"),
    ("MeanAbsoluteError", {}, "numbers"),
    ("MeanAbsolutePercentageError", {}, "numbers"),
    ("MeanSquaredLogarithmicError", {}, "counts"),
    ("MeanSquaredLogarithmicError", {}, "numbers"),
    ("Huber", {}, "numbers"),
    ("Huber", {"delta": 0.3}, "numbers"),
    ("LogCosh", {}, "numbers"),
    ("LogCosh", {}, "large"),
    ("Poisson", {}, "counts"),
    ("CosineSimilarity", {}, "numbers"),
    ("KLDivergence", {}, "classes"),
    ("KLDivergence", {}, "saturated classes"),
    ("Hinge", {}, "signs"),
    ("Hinge", {}, "bits"),
    ("SquaredHinge", {}, "signs"),
    ("SquaredHinge", {}, "bits"),
    ("CategoricalHinge", {}, "classes"),
    ("CategoricalHinge", {}, "class logits"),
]
for smoothing in (0.0, 0.2):
    for name in ("BinaryCrossentropy", "BinaryFocalCrossentropy"):
        more = {"label_smoothing": smoothing}
        CASES += [
            (name, more, "bits"),
            (name, more, "saturated bits"),
            (name, {**more, "from_logits": True}, "bit logits"),
        ]
    for name in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy"):
        more = {"label_smoothing": smoothing}
        CASES += [
            (name, more, "classes"),
            (name, more, "saturated classes"),
            (name, {**more, "from_logits": True}, "class logits"),
        ]
CASES += [
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.7}, "bits"),
    ("BinaryFocalCrossentropy", {"gamma": 0.5}, "bits"),
    ("BinaryFocalCrossentropy", {"gamma": 0.0}, "bits"),
    ("BinaryFocalCrossentropy", {"gamma": 3.5, "from_logits": True}, "bit logits"),
    ("CategoricalFocalCrossentropy", {"gamma": 0.5, "alpha": 0.9}, "classes"),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.4]}, "classes"),
    ("SparseCategoricalCrossentropy", {}, "class numbers"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "class number logits"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, "class numbers"),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1}, "ignored class numbers"),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True},
     "ignored class number logits"),
]  # fmt: skip


def data(kind: str, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Targets and predictions of a kind; 4 classes along the last axis."""
    random = np.random.default_rng(3)
    y, p = random.normal(size=(2, *shape))
    if kind == "large":
        p *= 50
    elif kind == "counts":
        y, p = random.poisson(3, shape), random.gamma(2, size=shape)
    elif kind == "signs":
        y = random.choice([-1, 1], shape)
    elif "bit" in kind:
        y = random.integers(0, 2, shape)
        p = p if "logits" in kind else random.uniform(0.01, 0.99, shape)
    elif "class" in kind:
        numbers = random.integers(0, shape[-1], shape[:-1])
        y = np.eye(shape[-1])[numbers]
        p = p if "logits" in kind else random.uniform(0.05, 1, shape)
        if "number" in kind:
            y = numbers
    if "ignored" in kind:
        y = np.where(random.random(y.shape) < 0.3, -1, y)
    if "saturated" in kind:
        p = np.where(random.random(shape) < 0.3, random.integers(0, 2, shape), p)
        p[..., 0] += 0.0 if "bits" in kind else 0.1
    return y.astype("f4"), p.astype("f4")


@pytest.mark.parametrize("shape", [(6, 4), (5, 3, 4)], ids=str)
@pytest.mark.parametrize(("name", "config", "kind"), CASES, ids=str)
def test_values_and_gradients(
    name: str, config: dict[str, Any], kind: str, shape: tuple[int, ...]
) -> None:
    y, p = data(kind, shape)
    ours: Loss = getattr(losses, name)(**config, reduction="none")
    theirs = getattr(keras.losses, name)(**config, reduction="none")
    tensor = torch.tensor(p, requires_grad=True)
    expected = theirs(torch.tensor(y), tensor)
    # A gradient that differs from number to number shows a mix-up of axes.
    pull = np.cos(np.arange(expected.numel())).reshape(expected.shape).astype("f4")
    (expected * torch.tensor(pull)).sum().backward()
    target = ours.fitted(y, (None, *shape[1:]), name)
    values, gradient = ours.values_and_gradient(target, p)
    mask = ours.mask(target)
    if mask is not None:
        values, pull = values * mask, pull * mask
    found = {
        "values": difference(values, numpy_of(expected)),
        "alone": difference(ours(y, p), numpy_of(expected)),
        "gradient": difference(gradient * pull[..., None], numpy_of(tensor.grad)),
    }
    for what, value in found.items():
        note(f"loss {what}", value, f"{name} {config}")
    assert values.dtype == gradient.dtype == np.float32
    assert max(found.values()) <= TOLERANCE, found


REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "none", None]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, (5,), (5, 1)], ids=str)
@pytest.mark.parametrize(
    ("name", "config", "kind"),
    [CASES[0], CASES[-2], ("BinaryCrossentropy", {}, "bits")],
    ids=lambda case: str(case),
)
def test_reduction_and_weights(
    name: str, config: dict[str, Any], kind: str, weight: Any, reduction: Any
) -> None:
    y, p = data(kind, (5, 4))
    w = None if weight is None else np.random.default_rng(1).uniform(0, 2, weight).astype("f4")
    ours = getattr(losses, name)(**config, reduction=reduction)(y, p, w)
    theirs = getattr(keras.losses, name)(**config, reduction=reduction)(y, p, w)
    # Keras makes a column of values of a column of weights.
    assert difference(np.ravel(ours), numpy_of(theirs).ravel()) <= TOLERANCE


def test_names_of_classes_and_functions() -> None:
    for cls in losses.losses:
        for spelling in (cls.__name__, keras.src.utils.naming.to_snake_case(cls.__name__)):
            assert type(losses.get(spelling)) is cls
        assert snake_case(cls.__name__) == keras.src.utils.naming.to_snake_case(cls.__name__)
    for alias in ("mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "bce", "BCE", "kld"):
        expected = keras.losses.get(alias).__name__
        assert snake_case(type(losses.get(alias)).__name__) == expected
    missing = {
        name
        for name in dir(keras.losses)
        if name.islower() and callable(getattr(keras.losses, name)) and not hasattr(losses, name)
    }
    assert missing == {"circle", "ctc", "dice", "tversky", "categorical_generalized_cross_entropy"}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("binary_crossentropy", {"label_smoothing": 0.1}),
        ("mean_squared_error", {}),
        ("categorical_crossentropy", {"from_logits": True}),
        ("huber", {"delta": 0.5}),
    ],
)
def test_functions(name: str, options: dict[str, Any]) -> None:
    y, p = data("bits", (5, 4))
    ours = getattr(losses, name)(y, p, **options)
    theirs = getattr(keras.losses, name)(torch.tensor(y), torch.tensor(p), **options)
    assert difference(ours, numpy_of(theirs)) <= TOLERANCE


@pytest.mark.parametrize(
    ("name", "kind", "activation"),
    [
        ("BinaryCrossentropy", "bit logits", "sigmoid"),
        ("BinaryFocalCrossentropy", "bit logits", "sigmoid"),
        ("CategoricalCrossentropy", "class logits", "softmax"),
        ("CategoricalFocalCrossentropy", "class logits", "softmax"),
        ("SparseCategoricalCrossentropy", "class number logits", "softmax"),
    ],
)
def test_the_form_on_logits_is_that_of_probabilities(name: str, kind: str, activation: str) -> None:
    """What training uses where the output ends with the activation, against Keras without it."""
    y, z = data(kind, (6, 4))
    ours: Any = getattr(losses, name)()
    fused = ours.on_logits(activations.make(activation))
    tensor = torch.tensor(z, requires_grad=True)
    p = getattr(keras.activations, activation)(tensor)
    expected = getattr(keras.losses, name)(reduction="sum")(torch.tensor(y), p)
    expected.backward()
    values, gradient = fused.values_and_gradient(y, z)
    assert difference(values.sum(), numpy_of(expected)) <= TOLERANCE
    assert difference(gradient, numpy_of(tensor.grad)) <= TOLERANCE
    assert ours.on_logits(activations.make("linear")) is None
    assert fused.on_logits(activations.make(activation)) is None


@pytest.mark.parametrize("weighted", [False, True])
def test_ignored_classes_in_training(weighted: bool) -> None:
    """A whole fit with ``ignore_class`` and sample weights gives Keras' weights."""
    random = np.random.default_rng(0)
    x = random.normal(size=(12, 5, 3)).astype("f4")
    y = random.integers(-1, 4, (12, 5)).astype("f4")
    weight = random.uniform(0, 2, (12, 5)).astype("f4") if weighted else None
    ours = Sequential([Input((5, 3)), Dense(4)], seed=0)
    ours.compile("sgd", SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1))
    theirs = keras.Sequential([keras.Input((5, 3)), keras.layers.Dense(4)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    theirs.compile("sgd", loss)
    theirs.set_weights(ours.get_weights())
    options: Any = {"sample_weight": weight, "epochs": 3, "batch_size": 4, "shuffle": False}
    a = ours.fit(x, y, verbose=0, **options).history["loss"]
    b = theirs.fit(x, y, verbose=0, **options).history["loss"]
    assert difference(a, b) <= TOLERANCE
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert difference(one, other) <= TOLERANCE
