"""What every layer of the registry must keep, whatever it computes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from studio.engine.errors import StudioError
from studio.engine.layers import registry
from studio.engine.layers.base import Layer
from studio.engine.workspace import Array, Context, Moment, Workspace
from tests.layer_cases import INDICES, Case, all_layers, base_config, cases

every_layer = pytest.mark.parametrize("cls", all_layers(), ids=lambda cls: cls.__name__)


EVERYTHING = {"Flatten"}
"""Layers that take an input of any rank, single numbers as well."""


Result = tuple[Array, Array | None, Mapping[str, Array]]


class Poisoned(Workspace):
    """Scratch memory full of NaN, new at each request: whoever relies on its content is found."""

    def array(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """An array of NaN, or of the largest number."""
        kind = np.dtype(dtype).kind
        poison = np.nan if kind == "f" else True if kind == "b" else np.iinfo(dtype).max
        return np.full(shape, poison, dtype)


def run(
    layer: Layer, x: Array, training: bool = False, workspace: Workspace | None = None
) -> Result:
    """Copies of output, input gradient and weight gradients, for a gradient of cosines."""
    space = workspace or Workspace()
    moment = Moment(seed=3, training=training)
    context = Context(moment=moment, workspace=space, scratch=Workspace())
    y, cache = layer.forward(x, context)
    kept = y.copy()
    dy = arriving(y)
    dx, gradients = layer.backward(dy, cache, context)
    return kept, None if dx is None else dx.copy(), {n: g.copy() for n, g in gradients.items()}


def arriving(y: Array) -> Array:
    """A gradient of the output's shape that nobody may write to."""
    dy = np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype)
    dy.setflags(write=False)
    return dy


def assert_same_bits(a: Result, b: Result, case: Case) -> None:
    """Fail where two results of :func:`run` differ, if only in one bit."""
    for one, other in zip((a[0], a[1], *a[2].values()), (b[0], b[1], *b[2].values()), strict=True):
        if one is None or other is None:
            assert one is other, case
        else:
            assert one.dtype == other.dtype, case
            assert one.shape == other.shape, case
            assert one.tobytes() == other.tobytes(), case


@every_layer
def test_a_config_makes_an_equal_layer(cls: type[Layer]) -> None:
    base = base_config(cls)
    varied = [{**base, n: v} for n, param in cls.params.items() for v in param.samples()[0]]
    made = 0
    for config in [base, *varied]:
        try:
            layer = cls(**config)
        except StudioError:
            continue
        made += 1
        written = json.loads(json.dumps(layer.get_config()))
        again = cls.from_config(written)
        assert again.get_config() == layer.get_config(), config
        assert repr(again) == repr(layer)
        whole = registry.make(json.loads(json.dumps(registry.serialize(layer))))
        assert type(whole) is cls
        assert whole.get_config() == layer.get_config(), config
    assert made > len(varied) / 2, "most valid values must be taken"


@every_layer
def test_the_symbolic_shape_is_the_real_one(cls: type[Layer]) -> None:
    for case in cases(cls):
        layer = case.layer()
        for samples in (1, 3):
            y, _ = layer.forward(case.inputs(samples), Context())
            assert layer.compute_output_shape((None, *case.shape)) == (None, *y.shape[1:]), case
            assert layer.compute_output_shape((samples, *case.shape)) == y.shape, case
        assert layer.output_shape == (None, *y.shape[1:])
        assert layer.count_params() == layer.count_params((None, *case.shape)), case
        assert [w.shape for w in layer.weights] == [w.value.shape for w in layer.weights]


@every_layer
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_gradients_are_finite_differences(cls: type[Layer], training: bool) -> None:
    """Along random directions through all inputs and all weights, in float64.

    A directional derivative sees every entry: an error in one shows unless it is 1e-6 of the whole.
    """
    for case in cases(cls):
        layer = case.layer()
        x = case.inputs(3)
        _, dx, gradients = run(layer, x, training)
        names = {weight.name for weight in layer.trainable_weights}
        assert gradients.keys() == names, f"{case}: gradients of {set(gradients)}, not of {names}"
        random = case.random()
        if dx is not None:
            check_direction(case, layer, x, None, dx, training, random)
        else:
            assert x.dtype.kind == "i", f"{case}: no gradient of the input"
        for name in names:
            check_direction(case, layer, x, name, gradients[name], training, random)


def check_direction(
    case: Case, layer: Layer, x: Array, name: str | None, gradient: Array, training: bool,
    random: np.random.Generator,
) -> None:  # fmt: skip
    """Compare (f(w + εv) - f(w - εv)) / 2ε with gradient · v, for a random v."""
    place = x if name is None else layer[name]
    assert gradient.shape == place.shape, f"{case}: gradient of {name or 'x'}"
    direction = random.normal(size=place.shape)
    step = 1e-6
    values: list[float] = []
    for sign in (1, -1):
        moved = place + sign * step * direction
        if name is None:
            y = output(layer, moved, training)
        else:
            kept = place.copy()
            place[...] = moved
            y = output(layer, x, training)
            place[...] = kept
        values.append(float((y * arriving(y)).sum()))
    numeric = (values[0] - values[1]) / (2 * step)
    exact = float((gradient * direction).sum())
    # The sum's rounding is divided by the step; a derivative of 0 has nothing else.
    size = max(float(np.linalg.norm(gradient)), abs(exact), 1e-3)
    assert abs(numeric - exact) <= 1e-6 * size, f"{case}: {name or 'x'}: {numeric} ≠ {exact}"


def output(layer: Layer, x: Array, training: bool) -> Array:
    """The output alone, with the random numbers of :func:`run`."""
    return layer.forward(x, Context(moment=Moment(seed=3, training=training)))[0]


@every_layer
def test_the_number_type_of_the_input_stays(cls: type[Layer]) -> None:
    for case in cases(cls):
        for dtype in ("float32", "float64"):
            layer = case.layer(dtype)
            for training in (False, True):
                y, dx, gradients = run(layer, case.inputs(3, dtype), training)
                assert y.dtype == dtype, case
                assert dx is None or dx.dtype == dtype, case
                assert all(gradient.dtype == dtype for gradient in gradients.values()), case
                assert all(
                    w.value.dtype == dtype or w.value.dtype.kind != "f" for w in layer.weights
                )


@every_layer
def test_scratch_memory_has_no_influence(cls: type[Layer]) -> None:
    for case in cases(cls):
        layer = case.layer("float32")
        x = case.inputs(5, "float32")
        for training in (False, True):
            kept = Workspace()
            first = run(layer, x, training, kept)
            run(layer, x[::-1][:2], training, kept)
            assert_same_bits(first, run(layer, x, training, kept), case)
            assert_same_bits(first, run(layer, x, training, Workspace(reuse=False)), case)
            assert_same_bits(first, run(layer, x, training, Poisoned()), case)


@every_layer
def test_nothing_about_a_batch_stays_in_the_layer(cls: type[Layer]) -> None:
    """Two batches under way at the same time, as on two threads, don't meet."""
    for case in cases(cls):
        layer = case.layer("float32")
        batches = [case.inputs(5, "float32"), case.inputs(5, "float32")[::-1][:3]]
        alone = [run(layer, x, True) for x in batches]
        contexts = [Context(moment=Moment(seed=3, training=True)) for _ in batches]
        ways = [layer.forward(x, c) for x, c in zip(batches, contexts, strict=True)]
        for (y, cache), context, expected in zip(ways, contexts, alone, strict=True):
            found = y.copy(), *layer.backward(arriving(y), cache, context)
            assert_same_bits(found, expected, case)


@every_layer
def test_samples_are_apart_unless_it_says_that_it_mixes_them(cls: type[Layer]) -> None:
    for case in cases(cls):
        layer = case.layer()
        x = case.inputs(5)
        whole = run(layer, x)[0]
        parts = np.concatenate([run(layer, x[:2])[0], run(layer, x[2:])[0]])
        np.testing.assert_allclose(whole, parts, rtol=1e-12, atol=1e-12, err_msg=str(case))


@every_layer
def test_invalid_values_are_refused_in_the_declared_words(cls: type[Layer]) -> None:
    base = base_config(cls)
    for name, param in cls.params.items():
        for bad in param.samples()[1]:
            with pytest.raises(StudioError) as caught:
                cls(**{**base, name: bad})
            text = str(caught.value)
            assert param.describe() in text, f"{name}={bad!r}: {text}"
            assert name in text, f"{name}={bad!r}: {text}"


@every_layer
def test_an_input_is_refused_with_the_layers_name_or_really_taken(cls: type[Layer]) -> None:
    refused = 0
    for shape in ((), (5,), (1, 1), (4, 4), (2, 3, 1), (4, 4, 4), (2, 2, 2, 2), (2,) * 5, (2,) * 6):
        layer = cls(**base_config(cls), name="mine")
        message, expected = "", ()
        try:
            expected = layer.compute_output_shape((None, *shape))
            layer.build((None, *shape), seed=0)
        except StudioError as error:
            message = str(error)
        if message:
            assert "'mine'" in message
            refused += 1
            continue
        dtype = "int64" if cls.__name__ in INDICES else layer.dtype
        y, _ = layer.forward(np.zeros((2, *shape), dtype), Context())
        assert y.shape == (2, *expected[1:]), shape
    assert refused or cls.__name__ in EVERYTHING, "it takes any input, even single numbers"


@every_layer
def test_it_says_what_it_is(cls: type[Layer]) -> None:
    text = cls.__doc__ or ""
    assert cls.category, "a palette category"
    assert cls.help.endswith("."), "a line of help for the palette"
    for part in ("Input shape:", "Output shape:", "Source:"):
        assert part in text, f"{part} in the docstring"
    silent = [n for n, param in cls.params.items() if not param.advanced and not param.help]
    assert not silent, f"a line of help for {silent}"
    assert cls(**base_config(cls)).key_settings() is not None


def test_an_average_does_not_count_padding() -> None:
    layer = registry.find("AveragePooling2D")(pool_size=3, strides=2, padding="same")
    np.testing.assert_allclose(layer(np.ones((1, 7, 6, 2))), np.ones((1, 4, 3, 2)))
