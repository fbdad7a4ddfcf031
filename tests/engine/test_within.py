"""Layers within layers: whose weights they work with, what trains them, which masks reach them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.errors import ParameterError, ShapeError, StateError
from studio.engine.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Layer,
    TimeDistributed,
)

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 5, 4)).astype("float32")
Y = RANDOM.normal(size=(12, 2)).astype("float32")


def model(*layers: Layer) -> Sequential:
    """Layers over sequences, compiled."""
    made = Sequential([Input((5, 4)), *layers, Flatten(), Dense(2)], seed=0)
    made.compile("sgd", "mse")
    return made


def moved(trained: Sequential) -> list[bool]:
    """Which weights of the first layer a fit changes."""
    before = trained.get_weights()
    trained.fit(X, Y, verbose=0)
    pairs = zip(trained.layers[0].weights, before, strict=False)
    return [not np.array_equal(weight.value, old) for weight, old in pairs]


def test_a_layer_that_has_weights_is_not_taken_into_another() -> None:
    layer = Dense(3)
    other = Sequential([Input((4,)), layer], seed=0)
    expected = other.predict(X[:, 0])
    with pytest.raises(StateError, match="layer of its own"):
        model(TimeDistributed(layer))
    np.testing.assert_array_equal(other.predict(X[:, 0]), expected)
    layer = Dense(4)
    with pytest.raises(StateError, match="layer of its own"):
        model(TimeDistributed(layer), TimeDistributed(layer))


def test_a_wrapper_may_be_built_anew() -> None:
    layer = TimeDistributed(Dense(3))
    for size in (4, 6):
        assert Sequential([Input((5, size)), layer]).output_shape == (None, 5, 3)


def test_a_frozen_wrapper_freezes_what_is_within() -> None:
    frozen = model(Bidirectional(GRU(3), trainable=False))
    assert not any(moved(frozen))
    assert not frozen.layers[0].get_config()["layer"]["config"]["trainable"]
    frozen.layers[0].trainable = True
    frozen.compile("sgd", "mse")
    assert all(moved(frozen))
    frozen.trainable = False
    frozen.compile("sgd", "mse")
    assert not any(moved(frozen))


@pytest.mark.parametrize("start", [True, False])
def test_a_layer_within_is_frozen_by_itself(start: bool) -> None:
    wrapper = Bidirectional(GRU(3, trainable=start))
    made = model(wrapper)
    assert moved(made) == [start] * 6
    wrapper.forward_layer.trainable = not start
    made.compile("sgd", "mse")
    assert moved(made) == [not start] * 3 + [start] * 3


def test_what_is_frozen_further_within_stays_so() -> None:
    inner = Bidirectional(GRU(3), backward_layer=GRU(3, go_backwards=True, trainable=False))
    made = Sequential([Input((2, 5, 4)), TimeDistributed(inner)], seed=0)
    made.compile("sgd", "mse")
    assert [weight.trainable for weight in made.weights] == [True] * 3 + [False] * 3
    again = TimeDistributed.from_config(made.layers[0].get_config())
    again.build((None, 2, 5, 4))
    assert [weight.trainable for weight in again.weights] == [True] * 3 + [False] * 3


def test_a_frozen_normalization_within_stops_learning() -> None:
    made = model(TimeDistributed(BatchNormalization()))
    made.layers[0].trainable = False
    made.compile("sgd", "mse")
    assert not any(moved(made))


WITHIN: dict[str, Callable[[], Layer]] = {
    "LSTM": lambda: LSTM(3),
    "Bidirectional": lambda: Bidirectional(LSTM(3)),
    "GlobalAveragePooling1D": lambda: GlobalAveragePooling1D(),
}


@pytest.mark.parametrize("name", WITHIN)
def test_steps_within_steps_may_not_count(name: str) -> None:
    """Sentences of words: what follows on the last word of each does not matter."""
    words = RANDOM.integers(1, 7, (9, 3, 6))
    lengths = RANDOM.integers(1, 6, (9, 3))
    counted = np.arange(6) < lengths[..., None]
    words[~counted] = 0
    made = Sequential(
        [Input((3, 6)), Embedding(7, 4, mask_zero=True), TimeDistributed(WITHIN[name]())], seed=0
    )
    found = made.predict(words)
    alone = Sequential([Input((None,)), made.layers[0], WITHIN[name]()])
    alone.set_weights(made.get_weights())
    for sample in range(9):
        for step in range(3):
            sentence = words[sample, step, : lengths[sample, step]]
            expected = alone.predict(sentence[None])[0]
            np.testing.assert_allclose(found[sample, step], expected, rtol=1e-5, atol=1e-6)


def test_a_step_counts_where_anything_in_it_does() -> None:
    mask = np.zeros((2, 3, 4), bool)
    mask[0, 1, 3] = mask[1, 0] = True
    x = np.zeros((2, 3, 4, 5), "float32")
    expected = [[False, True, False], [True, False, False]]
    found = TimeDistributed(LSTM(2)).compute_mask(x, mask)
    np.testing.assert_array_equal(found, expected)
    within = TimeDistributed(LSTM(2, return_sequences=True)).compute_mask(x, mask)
    np.testing.assert_array_equal(within, mask)
    np.testing.assert_array_equal(
        TimeDistributed(Dense(2)).compute_mask(x[:, :, 0], mask[0]), mask[0]
    )


@pytest.mark.parametrize("layer", [LSTM(2), Bidirectional(GRU(2)), BatchNormalization()], ids=repr)
@pytest.mark.parametrize("shape", [(12,), (12, 4), (12, 4, 5), (5, 12)])
def test_a_mask_must_fit(layer: Layer, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="mask"):
        layer(X, mask=np.ones(shape, bool))


def test_a_recurrent_layer_wants_a_mask_of_steps() -> None:
    with pytest.raises(ShapeError, match="mask of time steps"):
        LSTM(2)(X, mask=np.ones(X.shape, bool))
    listed = LSTM(2)(X, mask=[[True] * 5] * 12)
    assert listed.shape == (12, 2)


def test_all_layers_have_the_same_number_type() -> None:
    with pytest.raises(ParameterError, match="number type of the layers below, float32"):
        Sequential([Input((4,)), Dense(3), Dense(2, dtype="float64")])
    both = Sequential([Input((4,)), Dense(3, dtype="float64"), Dense(2, dtype="float64")])
    assert both.predict(X[:, 0]).dtype == "float64"
