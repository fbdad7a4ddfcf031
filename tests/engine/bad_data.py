"""Recipes of bad calls: a model that is right, and data or options of a training that are not.

Each recipe makes one call that is wrong in one respect. What is wrong is drawn at random from the
recipe's seed, so a failure can be repeated by its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import numpy as np

from studio.engine import Input, Sequential, optimizers
from studio.engine.callbacks import Callback
from studio.engine.layers import Conv2D, Dense, Flatten, SimpleRNN

ROWS = 20

Call = Callable[[], Any]
Recipe = Callable[[Random], Call]
RECIPES: list[Recipe] = []


def recipe(make: Recipe) -> Recipe:
    """Enter a recipe into the list."""
    RECIPES.append(make)
    return make


def vectors() -> tuple[Any, Any, Any]:
    """A model of vectors for three classes, with data."""
    model = Sequential([Input((4,)), Dense(5, activation="relu"), Dense(3, activation="softmax")])
    stream = np.random.default_rng(0)
    return model, stream.normal(size=(ROWS, 4)), np.eye(3)[stream.integers(0, 3, ROWS)]


def images() -> tuple[Any, Any, Any]:
    """A model of images for a number, with data."""
    model = Sequential([Input((6, 6, 2)), Conv2D(2, 3), Flatten(), Dense(1)])
    stream = np.random.default_rng(0)
    return model, stream.normal(size=(ROWS, 6, 6, 2)), stream.normal(size=(ROWS, 1))


def series() -> tuple[Any, Any, Any]:
    """A model of sequences for yes or no, with data."""
    model = Sequential([Input((5, 2)), SimpleRNN(3), Dense(1, activation="sigmoid")])
    stream = np.random.default_rng(0)
    return model, stream.normal(size=(ROWS, 5, 2)), stream.integers(0, 2, (ROWS, 1))


LOSSES = {vectors: "categorical_crossentropy", images: "mse", series: "binary_crossentropy"}


def pick(random: Random, options: Iterable[Any]) -> Any:
    """One of them."""
    return random.choice(list(options))


def ready(random: Random) -> tuple[Any, Any, Any]:
    """One of the three, compiled."""
    make = pick(random, LOSSES)
    model, x, y = make()
    model.compile(pick(random, ("sgd", "adam")), LOSSES[make], metrics=["accuracy"])
    return model, x, y


def holed(array: Any, value: float, random: Random) -> Any:
    """The array with one number replaced."""
    array = np.array(array, dtype="float64")
    array.flat[random.randrange(array.size)] = value
    return array


def bad_x(x: Any, random: Random) -> Any:
    """Something that is not the model's input."""
    return pick(
        random,
        [
            None,
            3,
            2.5,
            "digits.csv",
            b"bytes",
            object(),
            {"a": 1},
            {1, 2},
            [],
            [[]],
            (),
            np.float64(3),
            lambda: x,
            x[..., :-1],
            np.concatenate([x, x], axis=-1),
            x[:, :, None, None, None],
            x[:0],
            x[0, 0],
            x.astype(str),
            x.astype(complex),
            np.full(x.shape, "a"),
            np.full(x.shape, None),
            np.array("2020", "datetime64[D]"),
            holed(x, np.nan, random),
            holed(x, np.inf, random),
            holed(x, 1e300, random),
            [[1, 2], [3]],
            [[1, "a"]],
            [None],
            ["a", "b"],
            [x[0], x[0, 0]],
            np.zeros((ROWS, 0)),
            np.zeros((0, 4)),
            np.zeros((2,) * 7),
            x.tolist()[0][0],
        ],
    )


def bad_y(y: Any, random: Random) -> Any:
    """Something that doesn't belong to the inputs."""
    return pick(
        random,
        [
            None,
            3,
            "cat",
            object(),
            {"a": 1},
            [],
            y[:-1],
            y[:1],
            np.concatenate([y, y]),
            np.zeros((ROWS, 7)),
            np.zeros((ROWS, 2, 2, 2)),
            y.astype(str),
            y.astype(complex),
            np.full(y.shape, None),
            holed(y, np.nan, random),
            holed(y, -np.inf, random),
            [[1], [2, 3]],
            ["yes"] * ROWS,
        ],
    )


NOT_COUNTS = (0, -1, 2.5, "3", "many", True, [3], np.nan, np.inf, {}, (1, 2), 1 + 2j, b"3")


@recipe
def wrong_x(random: Random) -> Call:
    model, x, y = ready(random)
    bad, split = bad_x(x, random), pick(random, (0.0, 0.25))
    return pick(
        random,
        [
            lambda: model.fit(bad, y, verbose=0, validation_split=split),
            lambda: model.fit(x, y, verbose=0, validation_data=(bad, y)),
            lambda: model.evaluate(bad, y),
            lambda: model.predict(bad),
            lambda: model.train_on_batch(bad, y),
            lambda: model.test_on_batch(bad, y),
            lambda: model.predict_on_batch(bad),
            lambda: model(bad),
        ],
    )


@recipe
def wrong_y(random: Random) -> Call:
    model, x, y = ready(random)
    bad = bad_y(y, random)
    return pick(
        random,
        [
            lambda: model.fit(x, bad, verbose=0),
            lambda: model.fit(x, y, verbose=0, validation_data=(x, bad)),
            lambda: model.evaluate(x, bad),
            lambda: model.train_on_batch(x, bad),
            lambda: model.test_on_batch(x, bad),
        ],
    )


@recipe
def wrong_counts(random: Random) -> Call:
    model, x, y = ready(random)
    name = pick(
        random,
        (
            "batch_size",
            "epochs",
            "steps_per_epoch",
            "validation_steps",
            "validation_batch_size",
            "validation_freq",
        ),
    )
    bad = pick(random, [*NOT_COUNTS, *([ROWS + 1, 10**9] if name == "batch_size" else [])])
    if name == "validation_freq" and isinstance(bad, list | tuple):
        bad = [*bad, 0]
    return lambda: model.fit(x, y, verbose=0, **{name: bad})


@recipe
def wrong_counts_elsewhere(random: Random) -> Call:
    model, x, y = ready(random)
    name, bad = pick(random, ("batch_size", "steps")), pick(random, NOT_COUNTS)
    return pick(
        random,
        [lambda: model.evaluate(x, y, **{name: bad}), lambda: model.predict(x, **{name: bad})],
    )


@recipe
def wrong_options(random: Random) -> Call:
    model, x, y = ready(random)
    name, values = pick(
        random,
        [
            ("validation_split", [1.0, -0.1, 2, "a", np.nan, [0.2], 0.999, 1e-9 - 1, True]),
            ("validation_data", [3, "a", (x,), (), (x, y, None, 3), (x[:3], y[:2]), [x], {}]),
            ("initial_epoch", [-1, 1.5, "1", [1]]),
            ("shuffle", ["yes", 1, 0.5, []]),
            ("callbacks", [3, "x", [3], [None], Callback, [Callback], {"a": Callback()}]),
            (
                "class_weight",
                [
                    3,
                    "x",
                    [1, 2],
                    {"a": 1},
                    {0: "a"},
                    {-1: 1},
                    {0: -1},
                    {0: np.nan},
                    {0.5: 1},
                    {10**12: 1.0},
                ],
            ),
            (
                "sample_weight",
                [
                    3,
                    "x",
                    y[:-1, 0],
                    np.ones(ROWS + 1),
                    np.ones((ROWS, 2, 2)),
                    np.full(ROWS, np.nan),
                    ["a"] * ROWS,
                    [],
                    {},
                ],
            ),
        ],
    )
    if name == "class_weight" and y.dtype.kind == "f" and y.shape[-1] == 1:
        name, values = "epochs", [0]
    bad = pick(random, values)
    return lambda: model.fit(x, y, verbose=0, **{name: bad})


@recipe
def wrong_batches(random: Random) -> Call:
    model, x, y = ready(random)

    def batches(*items: Any) -> Iterator[Any]:
        yield from items

    bad = pick(
        random,
        [
            batches(),
            batches((x, y, None, 4)),
            batches(x),
            batches("ab"),
            batches((x, y), 3),
            batches((x[:, :1], y)),
            batches((x, y[:3])),
            batches(()),
            batches(None),
            iter([{}]),
            {"x": x},
            range(3),
            [(x, y), (x, y[:1])],
            [("a", "b")],
            iter([[[1], [1, 2]]]),
        ],
    )
    return pick(random, [lambda: model.fit(bad, verbose=0), lambda: model.evaluate(bad)])


@recipe
def targets_beside_batches(random: Random) -> Call:
    model, x, y = ready(random)
    split = pick(random, ({"validation_split": 0.2}, {"y": y}, {"sample_weight": y[:, 0]}))
    return lambda: model.fit(iter([(x, y)]), verbose=0, **split)


@recipe
def numbers_that_explode(random: Random) -> Call:
    model, x, _ = images()
    model.compile(optimizers.SGD(1e30), "mse")
    return lambda: model.fit(1e15 * x, np.full((ROWS, 1), 1e18), epochs=9, verbose=0)
