"""One layer of ours beside Keras' layer of the same name, with the same weights and input.

A test of a layer is one call::

    check_layer("Conv2D", {"filters": 4, "kernel_size": 3}, (2, 7, 7, 3))

It compares output shape, forward, mask, the gradients of weights and input (PyTorch's autograd is
the oracle) and what a training batch teaches without a gradient, such as moving averages.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from studio.engine.layers import registry
from studio.engine.layers.base import Layer
from studio.engine.workspace import Array, Context, Moment
from tests.layer_cases import spread_weights
from tests.parity.worst import note

os.environ["KERAS_BACKEND"] = "torch"
keras: Any = pytest.importorskip("keras", reason="parity needs Keras 3")
torch: Any = pytest.importorskip("torch", reason="parity needs PyTorch")
torch.set_num_threads(1)


def _contiguous(function: Any) -> Any:
    """The function with kernels in plain order: PyTorch refuses some of Keras' turned ones."""
    return lambda x, kernel, *rest, **named: function(x, kernel.contiguous(), *rest, **named)


for _name in ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d"):
    setattr(torch.nn.functional, _name, _contiguous(getattr(torch.nn.functional, _name)))

TOLERANCE = 1e-5


def difference(ours: Any, theirs: Any) -> float:
    """How far two arrays are apart: the worse of the largest and the mean square difference.

    Both are relative to the same measure of the expected array; infinite where shapes or the places
    of NaN and infinities differ.
    """
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if a.shape != b.shape:
        return float("inf")
    odd = ~np.isfinite(b)
    if not np.array_equal(a[odd], b[odd], equal_nan=True) or not np.isfinite(a[~odd]).all():
        return float("inf")
    a, b = a[~odd], b[~odd]
    apart = a - b
    if not apart.any():
        return 0.0
    tiny = 1e-30
    largest = np.abs(apart).max() / (np.abs(b).max() + tiny)
    return float(max(largest, np.linalg.norm(apart) / (np.linalg.norm(b) + tiny)))


def numpy_of(tensor: Any) -> Array:
    """A PyTorch tensor as an array."""
    return np.asarray(tensor.detach().numpy())


def sample_input(
    shape: tuple[int, ...], random: np.random.Generator, integers: int | None, dtype: str
) -> Array:
    """Normal numbers, or whole ones below ``integers``."""
    if integers is not None:
        return random.integers(0, integers, shape).astype("int32")
    return random.normal(size=shape).astype(dtype)


def layer_differences(
    name: str,
    config: Mapping[str, Any],
    input_shape: tuple[int, ...],
    *,
    training: bool = False,
    mask: Array | None = None,
    integers: int | None = None,
    inputs: Array | None = None,
    keras_config: Mapping[str, Any] | None = None,
    keras_layer: Any = None,
    layer: Layer | None = None,
    dtype: str = "float32",
    seed: int = 0,
) -> dict[str, float]:
    """How far our layer is from Keras', by kind: ``forward``, ``dx``, ``d<weight>``, ``learned …``.

    Args:
        name: the layer's class name, which is the same in both.
        config: constructor arguments, for Keras too unless ``keras_config`` says otherwise.
        input_shape: with the number of samples first.
        training: whether layers behave as in training; give rates of 0 to random ones.
        mask: which time steps count, ``(batch, time)`` bool.
        integers: take whole numbers below this as input (indices), which have no gradient.
        inputs: the input itself, instead of a random one.
        keras_config: Keras' arguments, where they differ.
        keras_layer: a made Keras layer, for wrappers.
        layer: a made layer of ours, for wrappers.
        dtype: the number type of both.
        seed: of inputs, weights and the gradient that arrives.
    """
    random = np.random.default_rng(seed)
    x = sample_input(input_shape, random, integers, dtype) if inputs is None else inputs
    ours = (
        registry.make({"class_name": name, "config": {**config, "dtype": dtype}})
        if layer is None
        else layer
    )
    if keras_layer is None:
        theirs = getattr(keras.layers, name)(
            **(config if keras_config is None else keras_config), dtype=dtype
        )
    else:
        theirs = keras_layer
    ours.build((None, *x.shape[1:]), seed=seed)
    spread_weights(ours, random)
    if not theirs.built:
        theirs.build((None, *x.shape[1:]))
    theirs.set_weights(ours.get_weights())
    names = [weight.name for weight in ours.trainable_weights]

    their_x = torch.tensor(x, requires_grad=x.dtype.kind == "f")
    if mask is not None:
        keras.src.backend.set_keras_mask(their_x, torch.tensor(mask))
    their_y = theirs(their_x, training=training)
    their_mask = keras.src.backend.get_keras_mask(their_y)
    dy = random.normal(size=tuple(their_y.shape)).astype(dtype)
    if their_y.requires_grad:
        (their_y * torch.tensor(dy)).sum().backward()

    context = Context(moment=Moment(seed=seed, training=training), mask=mask)
    y, cache = ours.forward(x.copy(), context)
    y = y.copy()
    given = x.copy(), dy.copy()
    dx, gradients = ours.backward(dy, cache, context)

    found = {"forward": difference(y, numpy_of(their_y))}
    shape, their_shape = (None, *x.shape[1:]), theirs.compute_output_shape((None, *x.shape[1:]))
    found["output shape"] = (
        0.0 if ours.compute_output_shape(shape) == tuple(their_shape) else np.inf
    )
    found["output type"] = 0.0 if y.dtype == numpy_of(their_y).dtype else np.inf
    found["arguments left alone"] = 0.0 if np.array_equal(given[1], dy) else np.inf
    if mask is not None or type(ours).makes_mask:
        our_mask = ours.compute_mask(x, mask)
        none = our_mask is None, their_mask is None
        if any(none):
            found["mask"] = 0.0 if all(none) else np.inf
        else:
            found["mask"] = difference(our_mask, numpy_of(their_mask))
    if their_x.grad is not None:
        found["dx"] = difference(dx, numpy_of(their_x.grad))
    for weight_name, variable in zip(names, theirs.trainable_weights, strict=True):
        gradient = variable.value.grad
        expected = np.zeros(variable.shape) if gradient is None else numpy_of(gradient)
        found[f"d{weight_name}"] = difference(gradients[weight_name], expected)
    if training:
        ours.learn(cache)
        for weight, variable in zip(ours.weights, theirs.weights, strict=True):
            if not weight.spec.trainable:
                found[f"learned {weight.name}"] = difference(weight.value, numpy_of(variable.value))
    return found


def check_layer(
    name: str,
    config: Mapping[str, Any],
    input_shape: tuple[int, ...],
    *,
    tolerance: float = TOLERANCE,
    **options: Any,
) -> dict[str, float]:
    """Fail where our layer is further from Keras' than ``tolerance``; return the differences.

    ``options`` are those of :func:`layer_differences`.
    """
    found = layer_differences(name, config, input_shape, **options)
    for kind, value in found.items():
        kept = kind if kind == "forward" else "gradients" if kind.startswith("d") else ""
        if kept:
            note(f"layers: {kept}", value, name)
    bad = {kind: value for kind, value in found.items() if not value <= tolerance}
    assert not bad, f"{name}({dict(config)}) of {input_shape} {options}: {bad}"
    return found
