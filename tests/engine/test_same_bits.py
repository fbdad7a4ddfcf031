"""The same seed gives the same bits: again, elsewhere, on more threads, after an interruption."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, trainer
from studio.engine.callbacks import Callback
from studio.engine.errors import FormatError, ShapeError, StateError
from studio.engine.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPooling2D,
    SimpleRNN,
    products,
    reading,
    recurrent,
)
from studio.engine.layers.step_products import StepProducts
from studio.engine.network import Network
from studio.engine.optimizers import optimizers
from studio.engine.plan import Do
from studio.engine.saving.checkpoint import load_checkpoint, save_checkpoint
from studio.engine.workspace import Array, Workspace

EPOCHS = 3


def stack() -> list[Layer | Input]:
    """Random layers, and work enough for several shards per batch."""
    return [
        Input((16, 16, 3)),
        Conv2D(12, 3, activation="relu", padding="same", kernel_regularizer="l2"),
        MaxPooling2D(),
        Dropout(0.2),
        Conv2D(16, 3, activation="relu"),
        Flatten(),
        Dropout(0.5),
        Dense(4, activation="softmax"),
    ]


def sequence_stack() -> list[Layer | Input]:
    """A recurrent model for the same data, its rows read as steps."""
    return [Input((48, 16)), SimpleRNN(24, return_sequences=True), SimpleRNN(16), Dense(4)]


def joined_stack() -> list[Layer | Input]:
    """Layers that see the whole batch between others that see a shard."""
    return [
        Input((16, 16, 3)),
        Conv2D(8, 3),
        BatchNormalization(),
        MaxPooling2D(),
        Dropout(0.2),
        Flatten(),
        Dense(12, activation="relu"),
        BatchNormalization(),
        Dense(4, activation="softmax"),
    ]


def divided_stack() -> list[Layer | Input]:
    """A layer that divides its work by itself, where tests let small products be divided."""
    return [
        Input((16, 16, 3)),
        Conv2D(8, 3, activation="relu"),
        MaxPooling2D(),
        Flatten(),
        Dense(40, activation="relu"),
        Dropout(0.2),
        Dense(4, activation="softmax"),
    ]


def data(shape: tuple[Any, ...]) -> tuple[Any, Any]:
    """Random samples of four classes."""
    stream = np.random.default_rng(0)
    return stream.normal(size=(150, *shape)), np.eye(4)[stream.integers(0, 4, 150)]


def made(
    layers: list[Layer | Input] | None = None, optimizer: Any = "adam", **options: Any
) -> Sequential:
    """A compiled model."""
    model = Sequential(layers or stack(), seed=7, **options)
    loss = "categorical_crossentropy" if layers is None else "mse"
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def trained(model: Sequential, start: int = 0, epochs: int = EPOCHS, **options: Any) -> Any:
    """The history of a training on the data that fit the model."""
    x, y = data((model.input_shape or ())[1:])
    options = {"validation_split": 0.2, "verbose": 0, "initial_epoch": start} | options
    return model.fit(x, y, batch_size=32, epochs=epochs, **options).history


def bits(model: Sequential) -> str:
    """All weights and the optimizer's state as one fingerprint."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    assert model.optimizer is not None
    for value in model.optimizer.state.values():
        digest.update(value.tobytes())
    return digest.hexdigest()


def test_twice() -> None:
    runs = [made(), made()]
    assert trained(runs[0]) == trained(runs[1])
    assert bits(runs[0]) == bits(runs[1])
    other = Sequential(stack(), seed=8)
    other.compile("adam", "categorical_crossentropy")
    trained(other)
    assert bits(other) != bits(runs[0])


def test_in_a_fresh_process() -> None:
    model = made()
    trained(model)
    program = (
        "from tests.engine.test_same_bits import bits, made, trained\n"
        "model = made()\ntrained(model)\nprint(bits(model))"
    )
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": "4711"}
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, cwd=root, env=environment, timeout=120,
    )  # fmt: skip
    assert found.stdout.strip() == bits(model)


def in_fifths(self: Network, batch: int) -> list[slice]:
    """More shards than the small models here would get."""
    size = -(-batch // 5)
    return [slice(start, min(start + size, batch)) for start in range(0, batch, size)]


@pytest.mark.parametrize(
    "layers",
    [None, sequence_stack, joined_stack, divided_stack],
    ids=["images", "sequences", "joined", "divided"],
)
def test_on_any_number_of_threads(layers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "shards", in_fifths)
    if layers is divided_stack:
        monkeypatch.setattr(products, "PART", 2e4)
    models = [made(layers() if layers else None, threads=threads) for threads in (1, 2, 3, 8)]
    histories = [trained(model) for model in models]
    assert all(history == histories[0] for history in histories)
    assert len({bits(model) for model in models}) == 1


@pytest.mark.parametrize("layers", [joined_stack, divided_stack], ids=["joined", "divided"])
def test_what_shards_learn_is_what_the_whole_teaches(
    layers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gradient() -> tuple[Array, int]:
        model = made([layer for layer in layers() if not isinstance(layer, Dropout)])
        assert model.loss is not None
        x, y = data((16, 16, 3))
        with trainer.network_of(model, model.loss, 32) as network:
            division = network.division(len(x))
            flat = network.gradient(x.astype("float32"), y.astype("float32"), None)[0]
            return flat.copy(), len(division.cuts) * division.meets

    wanted, one = gradient()
    monkeypatch.setattr(Network, "shards", in_fifths)
    monkeypatch.setattr(products, "PART", 2e4)
    found, several = gradient()
    assert (one, several) == (0, 5)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_shards_write_where_they_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_halves(_: Network, batch: int) -> list[slice]:
        half = -(-batch // 2)
        return [slice(half), slice(half, batch)]

    monkeypatch.setattr(Network, "shards", in_halves)
    copied: list[Any] = []
    move = Workspace.move

    def watched(self: Workspace, array: Array, place: Array) -> None:
        copied.append(array.shape)
        move(self, array, place)

    def stay(_: Workspace, __: Array, ___: Array) -> None:
        """Nothing is moved."""

    monkeypatch.setattr(Workspace, "move", watched)
    moving = made(joined_stack())
    trained(moving, epochs=1)
    once = len(copied)
    copied.clear()
    again = made(joined_stack())
    history = trained(again, epochs=3)
    assert 0 < len(copied) == once
    monkeypatch.setattr(Workspace, "move", stay)
    staying = made(joined_stack())
    assert trained(staying, epochs=3) == history
    assert bits(staying) == bits(again)


@pytest.mark.parametrize("layer", [LSTM(12), GRU(12), GRU(12, reset_after=False), SimpleRNN(12)],
                         ids=["lstm", "gru", "gru that resets before", "simple"])  # fmt: skip
def test_what_is_done_beside_a_recurrence(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrent, "AHEAD", 4000)
    monkeypatch.setattr(recurrent, "BEHIND", 3000)
    monkeypatch.setattr(reading, "SHORTEST", 1000)
    monkeypatch.setattr(recurrent, "LEAST_BESIDE", 0)
    seen: set[str] = set()
    add_next = StepProducts.add_next

    def watched(self: StepProducts) -> None:
        seen.add(threading.current_thread().name)
        add_next(self)

    monkeypatch.setattr(StepProducts, "add_next", watched)
    models: list[Sequential] = []
    histories: list[Any] = []
    for threads in (1, 2, 3):
        seen.clear()
        copies = [type(layer).from_config(layer.get_config() | {"name": name}) for name in "ab"]
        copies[0].return_sequences = True  # pyright: ignore[reportAttributeAccessIssue]
        models.append(made([Input((48, 16)), *copies, Dense(4)], threads=threads))
        histories.append(trained(models[-1]))
        assert ("shard-1" in seen) == (threads > 1)
    assert all(history == histories[0] for history in histories)
    assert len({bits(model) for model in models}) == 1


@pytest.mark.parametrize(
    "between",
    [[], [BatchNormalization()], [Dropout(0.3), Activation("tanh"), Dropout(0.2, name="last")]],
    ids=["plain", "normalized", "dropped"],
)
def test_products_in_parts(between: list[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "PART", 5e3)
    seen: set[str] = set()
    product, begun = products.product, threading.Event()

    def watch() -> None:
        seen.add(threading.current_thread().name)
        # Nobody may have done all of them before another thread begins.
        if threading.current_thread().name == "shard-1":
            begun.set()
        elif threads > 1:
            begun.wait(10)

    def watched(a: Array, b: Array, out: Array, do: Do) -> None:
        do(watch)
        product(a, b, out, do)

    monkeypatch.setattr(products, "product", watched)
    models: list[Sequential] = []
    histories: list[Any] = []
    for threads in (1, 2, 3):
        seen.clear()
        begun.clear()
        again = [type(layer).from_config(layer.get_config()) for layer in between]
        stack = [Input((100,)), Dense(70, "relu"), *again, Dense(50, "softmax"), Dense(4)]
        models.append(made(stack, threads=threads))
        histories.append(trained(models[-1]))
        assert ("shard-1" in seen) == (threads > 1)
    assert all(history == histories[0] for history in histories)
    assert len({bits(model) for model in models}) == 1


def test_the_cut_does_not_depend_on_the_threads() -> None:
    for batch in (1, 31, 32, 150, 5000):
        cuts: list[Any] = []
        for threads in (1, 2, 8):
            model = made(threads=threads)
            with trainer.network_of(model, model.loss, 32) as network:
                cuts.append(network.shards(batch))
        assert cuts[0] == cuts[1] == cuts[2]


@pytest.mark.parametrize("layers", [stack, joined_stack], ids=["images", "joined"])
def test_with_and_without_reused_memory(layers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "shards", in_fifths)
    kept, fresh = made(layers()), made(layers())
    first = trained(kept)

    class Fresh(Network):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, reuse=False)

    monkeypatch.setattr(trainer, "Network", Fresh)
    assert trained(fresh) == first
    assert bits(fresh) == bits(kept)


@pytest.mark.parametrize("name", optimizers.names)
def test_interrupted_after_any_epoch(name: str, tmp_path: Path) -> None:
    whole = made(optimizer=name)
    path = tmp_path / "checkpoint"

    class Save(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            save_checkpoint(whole, f"{path}{epoch + 1}", epoch + 1)

    history = trained(whole, callbacks=[Save()])
    for done in range(1, EPOCHS + 1):
        again = made(optimizer=name)
        again.moment.seed = 12345
        assert load_checkpoint(again, f"{path}{done}") == done
        rest = trained(again, start=done)
        assert rest == {k: v[done:] for k, v in history.items() if v[done:]}
        assert bits(again) == bits(whole)


def test_a_checkpoint_keeps_a_changed_learning_rate(tmp_path: Path) -> None:
    model = made()
    trained(model, epochs=1)
    assert model.optimizer is not None
    model.optimizer.learning_rate = 1 / 3
    save_checkpoint(model, tmp_path / "c", 1)
    again = made()
    load_checkpoint(again, tmp_path / "c")
    assert again.optimizer is not None
    assert again.optimizer.learning_rate == 1 / 3


def test_a_checkpoint_of_something_else_changes_nothing(tmp_path: Path) -> None:
    model = made()
    trained(model, epochs=1)
    save_checkpoint(model, tmp_path / "c", 1)
    for other in (made(optimizer="sgd"), made(sequence_stack())):
        before = [weight.tobytes() for weight in other.get_weights()]
        with pytest.raises(ShapeError):
            load_checkpoint(other, tmp_path / "c")
        assert [weight.tobytes() for weight in other.get_weights()] == before
    model.save_weights(tmp_path / "w.safetensors")
    with pytest.raises(FormatError, match="a checkpoint"):
        load_checkpoint(model, tmp_path / "w.safetensors")
    with pytest.raises(FormatError, match="a file to read"):
        load_checkpoint(model, tmp_path / "missing")
    with pytest.raises(StateError, match="compiled"):
        load_checkpoint(Sequential(stack()), tmp_path / "c")
