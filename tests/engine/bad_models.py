"""Recipes of bad calls: layers, settings, names and files that are wrong.

Each recipe makes one call that is wrong in one respect. What is wrong is drawn at random from the
recipe's seed, so a failure can be repeated by its number.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from studio.engine import Input, Sequential, losses, optimizers
from studio.engine.layers import Conv2D, Dense, SimpleRNN, registry
from studio.engine.saving import load_model
from tests.engine.bad_data import LOSSES, Call, pick, recipe, vectors
from tests.layer_cases import base_config


@recipe
def wrong_order(random: Random) -> Call:
    model, x, y = pick(random, LOSSES)()
    empty = Sequential()
    shapeless = Sequential([Dense(2)])
    return pick(
        random,
        [
            lambda: model.fit(x, y),
            lambda: model.evaluate(x, y),
            lambda: model.train_on_batch(x, y),
            empty.pop,
            empty.build,
            lambda: empty.predict(x),
            lambda: empty.output_shape,
            shapeless.build,
            shapeless.count_params,
            lambda: shapeless.set_weights([]),
            lambda: shapeless.output_shape,
            lambda: model.add(Input((3,))),
            lambda: shapeless.save("model.keras"),
            lambda: shapeless.layers[0]["kernel"],
            lambda: model.add(model.layers[0]),
            lambda: Sequential([Dense(2, name="a"), Dense(2, name="a")]),
        ],
    )


@recipe
def wrong_layers_in_a_stack(random: Random) -> Call:
    model, _, _ = pick(random, LOSSES)()
    bad = pick(
        random, [None, 3, "dense", Dense, {"class_name": "Dense"}, [Dense(3)], model, object()]
    )
    return pick(
        random,
        [
            lambda: model.add(bad),
            lambda: Sequential([bad]),
            lambda: Sequential([Input((3,)), bad]),
            lambda: Sequential(3),  # pyright: ignore[reportArgumentType]
            lambda: Sequential(Dense(3)),  # pyright: ignore[reportArgumentType]
            lambda: model.add(Conv2D(3, 9)),
            lambda: model.add(SimpleRNN(3)),
            lambda: Sequential([Dense(3, input_shape=pick(random, [3, "a", (0,), (2.5,), (-1,)]))]),
        ],
    )


@recipe
def wrong_settings_of_a_model(random: Random) -> Call:
    name, values = pick(
        random,
        [
            ("name", [3, "a/b", "x" * 200]),
            ("seed", [-1, 1.5, "a", 2**70]),
            ("threads", [0, -1, "2"]),
            ("trainable", ["no", 3]),
        ],
    )
    bad = pick(random, values)
    return lambda: Sequential([Dense(3)], **{name: bad})


@recipe
def wrong_inputs(random: Random) -> Call:
    bad = pick(random, [3, "a", (0,), (-2, 3), (2.5,), ("a",), None, {}, (np.nan,), (True,)])
    return pick(
        random,
        [
            lambda: Input(bad),
            lambda: Sequential([Dense(3)]).build(bad if bad is not None else (3, 0)),
            lambda: Input((3,), batch_size=pick(random, (0, "a", 1.5))),
            lambda: Input((3,), dtype=pick(random, ("float16", 3))),
        ],
    )


@recipe
def wrong_hyperparameters(random: Random) -> Call:
    cls = pick(random, registry)
    base = base_config(cls)
    name, param = pick(random, list(cls.params.items()))
    bad = pick(random, param.samples()[1])
    return pick(
        random,
        [
            lambda: cls(**{**base, name: bad}),
            lambda: cls.from_config({**base, name: bad}),
            lambda: registry.make({"class_name": cls.__name__, "config": {**base, name: bad}}),
            lambda: cls(**base, **{name[:-1] + "x": bad}),
            lambda: cls(*range(99)),
        ],
    )


@recipe
def wrong_names(random: Random) -> Call:
    model, _, _ = vectors()
    bad = pick(
        random,
        ["rellu", "", "Adam ", 3, 2.5, ("relu",), ["relu"], {"class_name": "x"}, {}, object()],
    )
    return pick(
        random,
        [
            lambda: Dense(3, activation=bad),
            lambda: Dense(3, kernel_initializer=bad),
            lambda: Dense(3, kernel_regularizer=bad),
            lambda: Dense(3, kernel_constraint=bad),
            lambda: model.compile(bad, "mse"),
            lambda: model.compile("sgd", bad),
            lambda: model.compile("sgd", "mse", metrics=[bad]),
            lambda: model.compile(
                "sgd", "mse", metrics=bad if not isinstance(bad, list) else "accuracy"
            ),
            lambda: registry.make({"class_name": bad, "config": {}}),
        ],
    )


@recipe
def wrong_optimizers_and_losses(random: Random) -> Call:
    group = pick(random, (list(optimizers.optimizers), list(losses.losses)))
    cls = pick(random, group)
    name, param = pick(random, list(cls.params.items()))
    bad = pick(random, param.samples()[1])
    required: dict[str, Any] = {n: p.samples()[0][0] for n, p in cls.params.items() if p.required}
    return lambda: cls(**{**required, name: bad})


@recipe
def wrong_weights(random: Random) -> Call:
    model, _, _ = pick(random, LOSSES)()
    good = model.get_weights()
    bad = pick(
        random,
        [
            None,
            3,
            "a",
            [],
            good[:-1],
            [*good, good[0]],
            [w.T[:1] for w in good],
            [None] * len(good),
            ["a"] * len(good),
            [w.astype(str) for w in good],
            [[[1], [1, 2]]] * len(good),
            {"a": 1},
            [w[..., None] for w in good],
            good[0],
        ],
    )
    return lambda: model.set_weights(bad)


@recipe
def wrong_places(random: Random) -> Call:
    model, _, _ = vectors()
    return pick(
        random,
        [
            lambda: model.get_layer("dence"),
            lambda: model.get_layer(index=9),
            lambda: model.get_layer(),
            lambda: model.get_layer(index="a"),
            lambda: model.get_layer(3),
            lambda: model.layers[0]["kernels"],
            lambda: model.load_weights(pick(random, ["none.safetensors", "x.txt", 3, None])),
            lambda: model.save(pick(random, ["x.txt", "", 3, None])),
            lambda: load_model(pick(random, ["none.keras", "\0.keras", 3, None])),
            lambda: Sequential.from_config(
                pick(
                    random,
                    [
                        None,
                        3,
                        {},
                        [],
                        {"layers": 3},
                        {"layers": [3]},
                        {"layers": [{"class_name": "Lambda"}]},
                    ],
                )
            ),
        ],
    )


@recipe
def wrong_inputs_of_a_layer(random: Random) -> Call:
    model, x, _ = pick(random, LOSSES)()
    layer = model.layers[0]
    bad = pick(
        random, ["a", None, x[..., :-1], x[0], [["a"]], [[1], [1, 2]], 3, {}, x.astype(complex)]
    )
    return lambda: layer(bad)
