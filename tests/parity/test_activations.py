"""Every activation against Keras: values and slopes, near zero and far out, with all options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine.activations import Activation, activations
from studio.engine.params import snake_case
from studio.engine.workspace import Array
from tests.parity.compare import TOLERANCE, difference, keras, numpy_of, torch
from tests.parity.worst import note

NOT_LIKE_KERAS = {"Sparsemax"}
"""Where Keras does not follow the paper that it names; see the last test."""
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *(
        (snake_case(cls.__name__), {})
        for cls in activations
        if cls.__name__ not in NOT_LIKE_KERAS | {"Threshold"}
    ),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 4.0}),
    ("relu", {"threshold": 0.75}),
    ("relu", {"negative_slope": 0.25, "max_value": 5.0, "threshold": 0.5}),
    ("leaky_relu", {"negative_slope": 0.01}),
    ("leaky_relu", {"negative_slope": 1.5}),
    ("elu", {"alpha": 0.3}),
    ("celu", {"alpha": 2.5}),
    ("gelu", {"approximate": True}),
    ("hard_shrink", {"threshold": 1.25}),
    ("soft_shrink", {"threshold": 0.25}),
    ("squareplus", {"b": 0.5}),
    ("threshold", {"threshold": -0.5, "default_value": 3.0}),
    *((name, {"axis": 1}) for name in ("softmax", "log_softmax", "glu")),
]
KERAS_ALIASES = ["swish", "hard_swish"]


def grid(dtype: str) -> Array:
    """Numbers through all bends, and far out to both sides: (samples, 6, 8)."""
    random = np.random.default_rng(0)
    near = random.normal(size=(40, 6, 8)) * 3
    bends = np.array([-6, -3, -1, -0.5, 0, 0.5, 1, 3, 6]).repeat(48)[: 8 * 48].reshape(8, 6, 8)
    far = random.normal(size=(8, 6, 8)) * 20
    return np.concatenate([near, bends, far]).astype(dtype)


def gradients(
    activation: Activation, function: Any, z: Array, arriving: np.random.Generator
) -> dict[str, float]:
    """How far values and slopes are apart."""
    theirs_z = torch.tensor(z, requires_grad=True)
    theirs = function(theirs_z)
    dy = arriving.normal(size=tuple(theirs.shape)).astype(z.dtype)
    (theirs * torch.tensor(dy)).sum().backward()
    y = activation.forward(z)
    dz = activation.backward(dy, y if activation.saves == "output" else z)
    assert y.dtype == dz.dtype == z.dtype
    slope = 0.0 if theirs_z.grad is None else difference(dz, numpy_of(theirs_z.grad))
    return {"values": difference(y, numpy_of(theirs)), "slopes": slope}


@pytest.mark.parametrize(("name", "options"), OPTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_slopes(name: str, options: dict[str, Any], dtype: str) -> None:
    activation = activations.make({"class_name": name, "config": options})
    function = getattr(keras.activations, name)
    found = gradients(
        activation, lambda z: function(z, **options), grid(dtype), np.random.default_rng(1)
    )
    for kind, value in found.items():
        note(f"activations: {kind}, {dtype}", value, name)
    tolerance = TOLERANCE if dtype == "float32" else 1e-7  # PyTorch has 1/6 in float32
    assert max(found.values()) <= tolerance, f"{name} {options}: {found}"


@pytest.mark.parametrize("name", [*dir(keras.activations), *KERAS_ALIASES])
def test_every_function_of_keras_is_here(name: str) -> None:
    if name[0] == "_" or name in ("get", "serialize", "deserialize"):
        return
    assert name in activations


def test_extremes_are_those_of_keras() -> None:
    far = np.array([[-1e4, -500, -90, 90, 500, 1e4, 1e-20, -1e-20]], dtype="float64")
    for name, options in OPTIONS:
        if name == "exponential":
            continue
        activation = activations.make({"class_name": name, "config": options})
        function = getattr(keras.activations, name)
        theirs = numpy_of(function(torch.tensor(far), **options))
        np.testing.assert_allclose(
            activation.forward(far), theirs, rtol=1e-9, atol=1e-9, err_msg=name
        )


def test_sparsemax_is_keras_own_where_one_output_takes_all() -> None:
    clear = np.array([[3.0, 1, 0.5], [-2, 0, -1.5]])
    torch_clear = torch.tensor(clear)
    theirs = numpy_of(keras.activations.sparsemax(torch_clear))
    np.testing.assert_array_equal(activations.make("sparsemax").forward(clear), theirs)


def test_keras_sparsemax_does_not_add_up_to_1() -> None:
    close = torch.tensor(np.array([[0.5, 0.4, -3.0]]))
    # When this fails, Keras follows the paper, and sparsemax belongs among the other tests.
    assert float(keras.activations.sparsemax(close).sum()) < 0.6
