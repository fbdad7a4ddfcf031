"""σ by exp and by tanh: the same function, alone and in the layers that remember."""

from __future__ import annotations

import numpy as np
import pytest

from studio.engine.activations import Sigmoid, logistic
from studio.engine.layers import GRU, LSTM, Layer
from studio.engine.plan import at_once
from studio.engine.workspace import Array, Context

both_ways = pytest.mark.parametrize("by_exp", [False, True], ids=["tanh", "exp"])


@pytest.mark.parametrize(
    ("kernel", "by_exp"),
    [
        ("X86_V3", True),
        ("FMA3__AVX2", True),
        ("AVX2", True),
        ("X86_V4", False),
        ("AVX512_SKX", False),
        ("NEON", False),
        ("baseline(SSE SSE2 SSE3)", False),
    ],
)
def test_exp_is_taken_where_tanh_looks_things_up(
    kernel: str, by_exp: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kernels(func_name: str, signature: str) -> dict[str, dict[str, dict[str, str]]]:
        return {"tanh": {"ff": {"current": kernel, "available": kernel}}}

    monkeypatch.setattr(np.lib.introspect, "opt_func_info", kernels)
    assert logistic.is_exp_faster() == by_exp
    monkeypatch.setattr(np.lib.introspect, "opt_func_info", lambda **_: {})
    assert not logistic.is_exp_faster()


def exact(z: Array) -> Array:
    return np.exp(-np.logaddexp(0, -z.astype("longdouble")))


@both_ways
@pytest.mark.parametrize(("dtype", "near"), [("float32", 1.2e-7), ("float64", 2.3e-16)])
def test_gates_are_near_the_exact_ones(
    by_exp: bool, dtype: str, near: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logistic, "BY_EXP", by_exp)
    z = np.linspace(-800, 800, 6401).astype(dtype)
    found = z * z.dtype.type(logistic.factor())
    with np.errstate(over="ignore"):
        logistic.lay_rest(found)
    np.testing.assert_allclose(found, exact(z), rtol=0, atol=near)


@pytest.mark.parametrize(
    ("dtype", "near", "least"), [("float32", 3e-7, 1e-37), ("float64", 1e-15, 1e-300)]
)
def test_even_the_smallest_probabilities_are_told_apart(dtype: str, near: float, least: float):
    z = np.linspace(-800, 800, 6401).astype(dtype)
    found = Sigmoid().forward(z)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, exact(z), rtol=near, atol=least)
    np.testing.assert_array_equal(
        Sigmoid().forward(np.array([-1, 0])), Sigmoid().forward(np.array([-1.0, 0]))
    )
    laid = np.empty_like(z)
    with np.errstate(over="ignore"):
        Sigmoid().lay(z, laid, at_once)
    np.testing.assert_array_equal(laid, found)


@pytest.mark.parametrize("layer", [LSTM(5), GRU(5), GRU(5, reset_after=False)], ids=repr)
def test_layers_that_remember_give_the_same(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=(4, 7, 3)) * 3
    layer.dtype = "float64"
    layer.build((None, 7, 3), seed=0)

    def there_and_back(by_exp: bool) -> list[Array]:
        monkeypatch.setattr(logistic, "BY_EXP", by_exp)
        context = Context()
        y, cache = layer.forward(x, context)
        dx, gradients = layer.backward(np.cos(y), cache, context)
        assert dx is not None
        return [y, dx, *gradients.values()]

    for by_tanh, by_exp in zip(there_and_back(False), there_and_back(True), strict=True):
        np.testing.assert_allclose(by_exp, by_tanh, rtol=1e-12, atol=1e-14)


@both_ways
def test_sigma_of_what_is_out_of_reach_warns_of_nothing(
    by_exp: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logistic, "BY_EXP", by_exp)
    x = np.full((2, 3, 1), -1e4, "float32")
    for layer in (LSTM(2), GRU(2)):
        assert np.isfinite(layer(x)).all()
