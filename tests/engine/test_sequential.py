"""The model as users of Keras know it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.callbacks import Callback
from studio.engine.errors import DataError, ParameterError, ShapeError, StateError, UnknownNameError
from studio.engine.layers import (
    AveragePooling2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    MaxPooling2D,
    Normalization,
    Rescaling,
    SimpleRNN,
)

STREAM = np.random.default_rng(0)
N, C = 6, 3
X = STREAM.normal(size=(40, N)).astype("float32")
LABELS = STREAM.integers(0, C, 40)
Y = np.eye(C, dtype="float32")[LABELS]


def small(**options: Any) -> Sequential:
    """A compiled model for the data above."""
    model = Sequential(
        [Input((N,)), Dense(5, activation="relu"), Dense(C, activation="softmax")],
        seed=1,
        **options,
    )
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model


def test_the_program_from_a_tutorial_runs_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    n, c, x, y = N, C, X, Y
    model = Sequential(
        [
            Dense(64, activation="relu", input_shape=(n,)),
            Dense(64, activation="relu"),
            Dense(c, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=3, batch_size=8, validation_split=0.25)
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert [len(values) for values in history.history.values()] == [3, 3, 3, 3]
    assert capsys.readouterr().out.count("Epoch") == 3
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert model.evaluate(x, y, verbose=0, return_dict=True) == {"loss": loss, "accuracy": accuracy}
    predicted = model.predict(x)
    assert predicted.shape == (40, c)
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted.sum(axis=1), 1, rtol=1e-5)


def test_layers_get_their_names_and_weights_as_they_are_added() -> None:
    model = Sequential(name="mine")
    model.add(Input(shape=(4,), batch_size=3, name="in"))
    model.add(Dense(3))
    model.add(Dense(2, name="last"))
    model.add(Dense(1))
    assert [layer.name for layer in model.layers] == ["dense", "last", "dense_1"]
    assert model.built
    assert model.input_shape == (None, 4)
    assert model.output_shape == (None, 1)
    assert model.count_params() == 15 + 8 + 3
    assert [weight.shape for weight in model.get_weights()] == [
        (4, 3),
        (3,),
        (3, 2),
        (2,),
        (2, 1),
        (1,),
    ]
    assert model.get_layer("last") is model.layers[1]
    assert model.get_layer(index=-1) is model.layers[2]
    with pytest.raises(UnknownNameError, match="Did you mean 'last'"):
        model.get_layer("lost")
    top = model.pop()
    assert top.name == "dense_1"
    assert model.output_shape == (None, 2)


def test_a_model_without_an_input_is_built_by_its_first_data() -> None:
    for use in (
        lambda m: m.fit(X, Y, verbose=0),
        lambda m: m.evaluate(X, Y),
        lambda m: m.predict(X),
        lambda m: m.train_on_batch(X, Y),
        lambda m: m.fit(iter([(X, Y)]), verbose=0),
        lambda m: m(X),
        lambda m: m.build((None, N)),
    ):
        model = Sequential([Dense(4), Dense(C, activation="softmax")])
        model.compile("sgd", "categorical_crossentropy")
        assert not model.built
        use(model)
        assert model.built
        assert model.count_params() == (N + 1) * 4 + 5 * C


def test_building_again_keeps_the_weights() -> None:
    model = small()
    before = model.get_weights()
    model.build((None, N))
    for one, other in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    with pytest.raises(ShapeError):
        Sequential([Input((4, 4)), Conv2D(2, 3)])


def test_a_layer_that_does_not_fit_leaves_the_model_as_it_was() -> None:
    model = Sequential([Input((4,)), Dense(3)])
    with pytest.raises(ShapeError, match="simple_rnn"):
        model.add(SimpleRNN(2))
    assert [layer.name for layer in model.layers] == ["dense"]
    model.add(Dense(2))
    assert model.predict(np.ones((1, 4))).shape == (1, 2)


def test_summary_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    model = small()
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    text = model.summary()
    assert capsys.readouterr().out == text + "\n"
    assert re.search(r"dense \(Dense\) +5 +35$", text, re.MULTILINE)
    assert "Total params: 53 (212.00 B)" in text
    assert "Trainable params: 18" in text
    assert "Non-trainable params: 35" in text
    lines: list[str] = []
    model.summary(print_fn=lines.append, show_trainable=True)
    assert lines[0].count(" no\n") == 1
    assert "not built" in Sequential([Dense(2)]).summary(print_fn=str)


def test_a_frozen_layer_stays_as_it_is() -> None:
    model = small()
    model.layers[0].trainable = False
    model.compile("adam", "categorical_crossentropy")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    after = model.get_weights()
    assert [np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [True] * 2 + [
        False
    ] * 2
    model.trainable = False
    model.compile("adam", "categorical_crossentropy")
    assert model.trainable_weights == []
    model.fit(X, Y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(after, model.get_weights(), strict=True))


def test_models_may_share_layers() -> None:
    """Looking into a model through another one doesn't cut it off from its own training."""
    model = small()
    inside = Sequential(model.layers[:1])
    before = inside.predict(X)
    model.fit(X, Y, verbose=0)
    after = inside.predict(X)
    assert not np.array_equal(before, after)
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(after, inside.predict(X))
    assert np.array_equal(inside.predict(X), model.layers[0](X))


def test_a_config_makes_the_same_model() -> None:
    model = Sequential(
        [Input((6, 6, 1)), Conv2D(2, 3, name="eyes"), Flatten(), Dropout(0.5), Dense(C)]
    )
    again = Sequential.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert again.built
    assert Sequential.from_config(Sequential([Dense(3)]).get_config()).input_shape is None


def test_validation_split_takes_the_last_rows_before_shuffling() -> None:
    seen: list[float] = []

    class Look(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            assert logs is not None
            expected = self.model.evaluate(X[30:], Y[30:], return_dict=True)
            assert logs["val_loss"] == pytest.approx(expected["loss"], rel=1e-6)
            seen.append(logs["val_loss"])

    small().fit(X, Y, validation_split=0.25, epochs=2, verbose=0, callbacks=[Look()])
    assert len(seen) == 2


def test_arrays_tables_and_batches_train_alike() -> None:
    def generator() -> Iterator[Any]:
        while True:
            for start in range(0, 40, 8):
                yield X[start : start + 8], Y[start : start + 8]

    arrays, lists, endless, batches = small(), small(), small(), small()
    options: dict[str, Any] = {"epochs": 3, "verbose": 0}
    expected = arrays.fit(X, Y, batch_size=8, shuffle=False, **options).history
    assert (
        lists.fit(X.tolist(), Y.tolist(), batch_size=8, shuffle=False, **options).history
        == expected
    )
    assert endless.fit(generator(), steps_per_epoch=5, **options).history == expected
    parts = [(X[i : i + 8], Y[i : i + 8]) for i in range(0, 40, 8)]
    assert batches.fit(parts, **options).history == expected


def test_batches_may_be_written_into_the_same_memory() -> None:
    x, y, weight = X[:8].copy(), Y[:8].copy(), np.ones(8, "float32")

    def generator() -> Iterator[Any]:
        for start in range(0, 40, 8):
            x[:], y[:], weight[:] = X[start : start + 8], Y[start : start + 8], start
            yield x, y, weight

    def fresh() -> Iterator[Any]:
        for parts in generator():
            yield tuple(part.copy() for part in parts)

    histories: list[Any] = []
    for batches in (generator(), fresh()):
        model = small()
        model.compile(
            "sgd", "categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["mae"]
        )
        histories.append(model.fit(batches, verbose=0).history)
    assert histories[0] == histories[1]


def test_figures_of_batches_of_several_kinds() -> None:
    """Lengths and weights change from batch to batch; each sample counts all the same."""
    lengths, weighted = (4, 4, 7, 4, 4, 4), (False, False, False, False, True, True)
    batches: list[Any] = []
    for length, heeds in zip(lengths, weighted, strict=True):
        x, y = STREAM.normal(size=(3, length, 2)), STREAM.normal(size=(3, length, 1))
        batches.append((x, y, STREAM.random(3)) if heeds else (x, y))
    model = Sequential([SimpleRNN(4, return_sequences=True, input_shape=(None, 2)), Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    found = model.evaluate(batches, return_dict=True, verbose=0)
    errors = [model.predict(batch[0], verbose=0) - batch[1] for batch in batches]
    absolute, squares = (
        np.concatenate([function(error).mean(axis=(1, 2)) for error in errors])
        for function in (np.abs, np.square)
    )
    weights = np.concatenate([batch[2] if len(batch) > 2 else np.ones(3) for batch in batches])
    assert found["mae"] == pytest.approx(absolute.mean(), rel=1e-5)
    assert found["mse"] == pytest.approx(np.average(squares, weights=weights), rel=1e-5)


def test_weights_of_classes_are_weights_of_samples() -> None:
    weights = {0: 2.0, 2: 0.5}
    by_class, by_sample = small(), small()
    each = np.array([weights.get(int(label), 1.0) for label in LABELS])
    histories = [
        by_class.fit(X, Y, class_weight=weights, epochs=2, verbose=0).history,
        by_sample.fit(X, Y, sample_weight=each, epochs=2, verbose=0).history,
    ]
    assert histories[0] == histories[1]


def test_a_last_dimension_of_one_may_be_left_out() -> None:
    images = Sequential([Input((6, 6, 1)), Flatten(), Dense(2)])
    flat = np.arange(72.0).reshape(2, 6, 6)
    assert np.array_equal(images.predict(flat), images.predict(flat[..., None]))
    one = Sequential([Input((1,)), Dense(2)])
    assert np.array_equal(one.predict([1, 2]), one.predict([[1], [2]]))


def test_training_can_be_stopped_and_gone_on_with() -> None:
    class Stop(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    model, whole = small(), small()
    first = model.fit(X, Y, epochs=5, verbose=0, callbacks=[Stop()])
    assert first.epoch == [0, 1]
    rest = model.fit(X, Y, epochs=5, initial_epoch=2, verbose=0)
    expected = whole.fit(X, Y, epochs=5, verbose=0).history["loss"]
    assert first.history["loss"] + rest.history["loss"] == expected


def test_single_batches() -> None:
    model = small()
    loss, accuracy = model.train_on_batch(X, Y)
    named = model.test_on_batch(X, Y, return_dict=True)
    assert named["loss"] < loss
    assert 0 <= accuracy <= 1
    assert np.array_equal(model.predict_on_batch(X), model.predict(X, batch_size=40))
    assert np.array_equal(model(X), model.predict(X, batch_size=40))


def test_whole_numbers_count_as_numbers_outside_fit_too() -> None:
    pixels = np.arange(16, dtype="uint8").reshape(1, 4, 4, 1) * 16
    np.testing.assert_allclose(Rescaling(1 / 255)(pixels), pixels / 255, rtol=1e-6)
    model = Sequential([Input((4, 4, 1)), Rescaling(1 / 255), Flatten(), Dense(2)])
    assert np.array_equal(model(pixels), model.predict(pixels))
    assert np.array_equal(model(pixels > 99), model.predict(pixels > 99))


@pytest.mark.parametrize("layer", [Conv2D(2, 3), MaxPooling2D(3), AveragePooling2D(3)], ids=repr)
def test_samples_whose_size_varies_may_be_too_small(layer: Layer) -> None:
    model = Sequential([Input((None, None, 1)), layer])
    assert model.predict(np.ones((2, 6, 3, 1))).shape[1:3] in ((4, 1), (2, 1))
    with pytest.raises(ShapeError, match="at least as large as the window, found 2 × 2 × 1"):
        model.predict(np.ones((2, 2, 2, 1)))


@pytest.mark.parametrize(
    "layer",
    [Rescaling([1, 2]), Rescaling(1, [[1, 2, 3, 4]] * 3), Normalization(mean=[1, 2], variance=1)],
    ids=repr,
)
def test_numbers_to_scale_by_that_do_not_fit(layer: Layer) -> None:
    with pytest.raises(ShapeError, match=r"one number, or as many as an input of 4 × 1 has"):
        Sequential([Input((4, 1)), layer])


def test_the_input_of_old_programs() -> None:
    model = Sequential([Dense(2, input_dim=4), Dense(1)])
    assert model.input_shape == (None, 4)
    assert MaxPool2D is MaxPooling2D


def test_float64_on_request() -> None:
    model = Sequential([Input((N,)), Dense(3, dtype="float64"), Dense(C, dtype="float64")])
    assert model.predict(X).dtype == np.float64
    assert all(weight.dtype == np.float64 for weight in model.get_weights())


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda m: m.fit(X[:, :4], Y), ShapeError, "fit x: expected samples of shape 6, found 4"),
        (lambda m: m.fit(X, Y[:, :2]), ShapeError, "fit y: expected"),
        (lambda m: m.fit(X, Y[:7]), DataError, "as many rows as x has (40), found 7"),
        (lambda m: m.fit(X, Y, batch_size=41), DataError, "at most the 40 training rows, found 41"),
        (lambda m: m.fit(X, Y, epochs=0), ParameterError, "fit epochs: expected a whole number"),
        (lambda m: m.fit(np.where(X > 2, np.nan, X), Y), DataError, "NaN (a missing value) in row"),
        (lambda m: m.fit(X[:0], Y[:0]), DataError, "at least one sample"),
        (lambda m: m.fit([["red"]], Y), DataError, "Convert texts to numbers first"),
        (lambda m: m.compile("adan", "mse"), UnknownNameError, "Did you mean 'adam'"),
        (lambda m: m.compile("adam", "mean_square_error"), UnknownNameError, "mean_squared"),
        (lambda m: m.add(Dense), ParameterError, "Write Dense(…), not Dense"),
        (lambda m: m.add(m.layers[0]), StateError, "each layer once"),
        (lambda m: Input(5), ParameterError, "Write (5,)"),
        (lambda m: m.fit(X, Y, callbacks=[Callback]), ParameterError, "a list of callbacks"),
        (lambda m: m.fit(X, Y, callbacks=0), ParameterError, "a list of callbacks, found 0"),
        (lambda m: m.predict(np.array(3.0)), DataError, "predict x"),
    ],
)
def test_errors_say_what_to_do(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        call(small())
    assert text in str(caught.value)
