"""Models and weights in files: back as they were, and no harm from files that lie."""

from __future__ import annotations

import io
import json
import random
import tracemalloc
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.errors import FormatError, ParameterError, ShapeError, StateError, StudioError
from studio.engine.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from studio.engine.saving import keras_file, load_model, load_weights, save_model, save_weights
from studio.engine.saving.hdf5_read import hdf5_arrays
from studio.engine.saving.hdf5_write import hdf5_bytes
from studio.engine.saving.optimizer_state import PLACE


def image_model(seed: int = 1) -> Sequential:
    """A small model that has been trained a little, so that the optimizer has a state."""
    model = Sequential(
        [
            Input((8, 8, 1)),
            Conv2D(3, 3, activation="relu", kernel_regularizer="l2"),
            MaxPooling2D(),
            Dropout(0.25),
            Flatten(),
            Dense(4, activation="softmax"),
        ],
        seed=seed,
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    x, y = image_data()
    model.fit(x, y, epochs=2, verbose=0)
    return model


def image_data() -> tuple[Any, Any]:
    """Random images of four classes."""
    stream = np.random.default_rng(5)
    return stream.normal(size=(24, 8, 8, 1)), np.eye(4)[stream.integers(0, 4, 24)]


def test_a_model_comes_back_and_trains_on_with_the_same_bits(tmp_path: Path) -> None:
    model, (x, y) = image_model(), image_data()
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert again.summary(print_fn=str) == model.summary(print_fn=str)
    assert again.predict(x).tobytes() == model.predict(x).tobytes()
    ahead = [m.fit(x, y, epochs=4, initial_epoch=2, verbose=0).history for m in (model, again)]
    assert ahead[0] == ahead[1]
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()


def test_a_model_need_not_be_compiled(tmp_path: Path) -> None:
    model = Sequential([Input((3,)), Dense(2, dtype="float64")], name="mine", seed=0)
    save_model(model, tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert again.name == "mine"
    assert again.optimizer is None
    assert again.get_weights()[0].dtype == np.float64
    image_model().save(tmp_path / "trained.keras")
    assert load_model(tmp_path / "trained.keras", compile=False).optimizer is None


@pytest.mark.parametrize("ending", [".safetensors", ".weights.h5", ".keras"])
def test_weights_alone(tmp_path: Path, ending: str) -> None:
    model, other, (x, _) = image_model(1), image_model(2), image_data()
    path = tmp_path / f"some{ending}"
    if ending == ".keras":
        model.save(path)
    else:
        model.save_weights(path)
    assert not np.array_equal(model.predict(x), other.predict(x))
    other.load_weights(path)
    assert np.array_equal(model.predict(x), other.predict(x))


def test_weights_of_another_model_change_nothing(tmp_path: Path) -> None:
    small = Sequential([Input((3,)), Dense(2), Dense(2)], seed=0)
    for ending in (".safetensors", ".weights.h5"):
        path = tmp_path / f"small{ending}"
        save_weights(small, path)
        for other in ([Dense(2), Dense(3)], [Dense(2)], [Dense(2), Dense(2), Dense(2)]):
            model = Sequential([Input((3,)), *other], seed=1)
            before = [weight.tobytes() for weight in model.get_weights()]
            with pytest.raises(ShapeError, match="another model"):
                load_weights(model, path)
            assert [weight.tobytes() for weight in model.get_weights()] == before


def test_weights_with_the_state_of_another_optimizer_change_nothing(tmp_path: Path) -> None:
    save_weights(image_model(), tmp_path / "a.weights.h5")
    other = image_model(2)
    other.compile("nadam", "mse")
    before = other.get_weights()
    with pytest.raises(FormatError, match="the state of Nadam"):
        load_weights(other, tmp_path / "a.weights.h5")
    for kept, weight in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weight)


@pytest.mark.parametrize("done", [np.nan, np.inf, -5, 0.5, 2.0**60])
def test_impossible_numbers_of_updates_are_refused(done: float) -> None:
    model = image_model()
    arrays = hdf5_arrays(keras_file.weights_bytes(model), "weights")
    arrays[f"{PLACE}/0"] = np.array(done)
    with pytest.raises(FormatError, match="a number of updates"):
        keras_file.set_weights_bytes(model, hdf5_bytes(arrays))


def test_refusals_say_what_to_do(tmp_path: Path) -> None:
    model = image_model()
    with pytest.raises(ParameterError, match=r"ends in \.keras"):
        model.save(tmp_path / "model.h5")
    with pytest.raises(ParameterError, match="safetensors"):
        model.save_weights(tmp_path / "model.npz")
    with pytest.raises(ParameterError, match="a file's name"):
        model.save(3)  # pyright: ignore[reportArgumentType]
    model.save(tmp_path / "a.keras")
    with pytest.raises(StudioError, match="one that exists"):
        model.save(tmp_path / "a.keras", overwrite=False)
    with pytest.raises(StateError, match="a built model"):
        Sequential([Dense(3)]).save(tmp_path / "b.keras")
    with pytest.raises(FormatError, match="a file to read"):
        load_model(tmp_path / "missing.keras")
    with pytest.raises(StudioError, match="a place to write to"):
        model.save(tmp_path / "no folder" / "b.keras")
    with pytest.raises(StudioError, match="a file's name"):
        model.save("nul\0.keras")


# Files that lie


def rezipped(data: bytes, change: Callable[[str, bytes], bytes], **options: Any) -> bytes:
    """The archive with its parts changed and its checksums right."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", **options) as new,
    ):
        for entry in old.namelist():
            new.writestr(entry, change(entry, old.read(entry)))
    return file.getvalue()


def with_config(data: bytes, edit: Callable[[dict[str, Any]], Any]) -> bytes:
    """The archive with its configuration edited."""

    def change(name: str, content: bytes) -> bytes:
        if name != "config.json":
            return content
        config = json.loads(content)
        return json.dumps(edit(config) or config).encode()

    return rezipped(data, change)


@pytest.fixture(scope="module")
def saved() -> bytes:
    """A trained model's file."""
    return keras_file.model_bytes(image_model())


def layer_config(config: dict[str, Any], number: int) -> dict[str, Any]:
    """One layer of a configuration, the input counted."""
    return config["config"]["layers"][number]


LIES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "code": (
        lambda c: layer_config(c, 2).update(
            class_name="Lambda", config={"function": {"class_name": "__lambda__", "config": {}}}
        ),
        "'Lambda'",
    ),
    "a function by module": (
        lambda c: layer_config(c, 1)["config"].update(
            activation={"module": "os", "class_name": "function", "config": "system"}
        ),
        "code",
    ),
    "someone's class": (
        lambda c: layer_config(c, 2).update(registered_name="Mine>Pool"),
        "Mine>Pool",
    ),
    "another module": (lambda c: layer_config(c, 2).update(module="builtins"), "builtins"),
    "an unknown argument": (
        lambda c: layer_config(c, 2)["config"].update(evil=1),
        "evil=1",
    ),
    "what we do otherwise": (
        lambda c: layer_config(c, 1)["config"].update(data_format="channels_first"),
        "channels_first",
    ),
    "not a Sequential": (lambda c: c.update(class_name="Functional"), "Sequential"),
    "no layers": (lambda c: c["config"].update(layers=[]), "layers"),
    "absurd sizes": (
        lambda c: layer_config(c, 5)["config"].update(units=10**15),
        "numbers for the weights",
    ),
    "a huge input": (
        lambda c: layer_config(c, 0)["config"].update(batch_shape=[None, 8, 8, 10**12]),
        "numbers for the weights",
    ),
    "an input of nothing": (
        lambda c: layer_config(c, 0)["config"].update(batch_shape=[None, 8, 0, 1]),
        "whole numbers",
    ),
    "an unknown loss": (lambda c: c["compile_config"].update(loss="my_loss"), "my_loss"),
    "deep nesting": (
        lambda c: json.loads('{"config":' * 900 + "0" + "}" * 900),
        "Sequential",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_configurations_that_lie_are_refused(saved: bytes, lie: str) -> None:
    edit, text = LIES[lie]
    with pytest.raises(StudioError) as caught:
        keras_file.model_from_bytes(with_config(saved, edit))
    assert text in str(caught.value)


def test_an_unknown_loss_leaves_the_model_readable(saved: bytes) -> None:
    data = with_config(saved, LIES["an unknown loss"][0])
    with pytest.raises(StudioError, match="compile=False"):
        keras_file.model_from_bytes(data)
    assert keras_file.model_from_bytes(data, compile=False).built


def test_a_bomb_is_not_unpacked(saved: bytes) -> None:
    tracemalloc.start()
    try:
        for part in ("config.json", "model.weights.h5"):
            bomb = rezipped(
                saved,
                lambda name, content, part=part: bytes(50_000_000) if name == part else content,
                compression=zipfile.ZIP_DEFLATED,
            )
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            with pytest.raises(FormatError, match="at most"):
                keras_file.model_from_bytes(bomb)
            assert tracemalloc.get_traced_memory()[1] - before < 5_000_000
    finally:
        tracemalloc.stop()


def test_truncated_and_flipped_files_are_refused_or_read(saved: bytes) -> None:
    stream = random.Random(2)
    for _ in range(300):
        with pytest.raises(FormatError):
            keras_file.model_from_bytes(saved[: stream.randrange(len(saved) - 1)])
    refused = 0
    for _ in range(600):
        damaged = bytearray(saved)
        for _ in range(stream.choice((1, 1, 4, 30))):
            damaged[stream.randrange(len(saved))] = stream.randrange(256)
        try:
            keras_file.model_from_bytes(bytes(damaged))
        except StudioError:
            refused += 1
    assert refused > 500


JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 3, 10**30, 1.5, float("nan"), "", "x", "relu", [], [None], [[1, 2]], {},
    {"a": 1}, {"class_name": "Dense"},
    {"module": "keras.layers", "class_name": "Dense", "config": {}},
    {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float16"}},
    {"class_name": "__tuple__", "items": None},
)  # fmt: skip


def places(tree: Any) -> list[tuple[Any, Any]]:
    """All (container, key) of a JSON tree."""
    found: list[tuple[Any, Any]] = []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(items):
        found.append((tree, key))
        if isinstance(value, dict | list):
            found += places(value)
    return found


def test_any_junk_in_a_configuration_ends_in_an_error_of_ours(saved: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        original = json.loads(archive.read("config.json"))
    stream = random.Random(3)
    count = len(places(original))
    refused = 0
    tracemalloc.start()
    try:
        for number in range(1_000):
            if number == 100:  # It slows everything down.
                assert tracemalloc.get_traced_memory()[1] < 30_000_000
                tracemalloc.stop()
            config = deepcopy(original)
            container, key = places(config)[stream.randrange(count)]
            if stream.random() < 0.2:
                del container[key]
            else:
                container[key] = deepcopy(stream.choice(JUNK))
            try:
                keras_file.model_from_bytes(with_config(saved, lambda _, c=config: c))
            except StudioError:
                refused += 1
    finally:
        tracemalloc.stop()
    assert refused > 250


def test_damaged_weights_are_refused_or_read(saved: bytes) -> None:
    stream = random.Random(4)
    refused = 0

    def flip(name: str, content: bytes) -> bytes:
        if name != "model.weights.h5":
            return content
        damaged = bytearray(content)
        for _ in range(stream.choice((1, 3, 20))):
            damaged[stream.randrange(len(content))] = stream.randrange(256)
        return bytes(damaged)

    for _ in range(400):
        try:
            keras_file.model_from_bytes(rezipped(saved, flip))
        except StudioError:
            refused += 1
    assert refused > 40
