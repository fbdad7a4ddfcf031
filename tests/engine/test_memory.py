"""Memory while training: what a run has taken after its first steps is all that it takes."""

import gc
import platform
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.callbacks import Callback
from studio.engine.layers import LSTM, Conv2D, Dense, Dropout, Flatten, Layer, MaxPooling2D
from studio.engine.memory import LINE, empty, zeros
from studio.engine.workspace import Array, Workspace

STEPS = 10_000


class Watch(Callback):
    """Notes the memory in use after some steps, and at the end."""

    def __init__(self, warm: int) -> None:
        self.warm = warm
        self.steps = 0
        self.found: list[int] = []

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.steps += 1
        if self.steps % self.warm == 0:
            gc.collect()
            self.found.append(tracemalloc.get_traced_memory()[0])


def grown(layers: list[Layer | Input], shape: tuple[int, ...], steps: int, warm: int) -> int:
    """Bytes that a training took after the first ``warm`` steps."""
    model = Sequential([Input(shape), *layers, Dense(3, activation="softmax")], seed=0)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).normal(size=(40, *shape)).astype("float32")
    y = np.eye(3, dtype="float32")[np.arange(40) % 3]
    watch = Watch(warm)
    tracemalloc.start()
    try:
        model.fit(x, y, batch_size=8, epochs=steps // 5, verbose=0, callbacks=[watch])
    finally:
        tracemalloc.stop()
    assert watch.steps == steps
    return watch.found[-1] - watch.found[0]


def test_ten_thousand_steps_take_no_more_than_the_first_thousand() -> None:
    # The history keeps two figures of each of 2,000 epochs.
    assert grown([Dense(8, activation="relu")], (4,), STEPS, 1_000) < 200_000


def test_images_and_sequences_take_no_more_either() -> None:
    images: list[Layer | Input] = [
        Conv2D(4, 3, activation="relu"), MaxPooling2D(), Flatten(), Dropout(0.5),
    ]  # fmt: skip
    assert grown(images, (8, 8, 1), 300, 100) < 30_000
    assert grown([LSTM(5)], (6, 3), 300, 100) < 30_000


LARGE: dict[str, tuple[tuple[int, ...], list[Layer | Input]]] = {
    "images": ((30, 30, 3), [
        Conv2D(16, 3, activation="relu"), MaxPooling2D(), Conv2D(16, 3, padding="same"),
        MaxPooling2D(), Flatten(), Dropout(0.5), Dense(300),
    ]),
    "sequences": ((40, 8), [LSTM(64)]),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_memory_is_free_again_after_training(name: str) -> None:
    """At once, not only when the garbage collector finds it."""
    shape, layers = LARGE[name]
    model = Sequential([Input(shape), *layers, Dense(3, activation="softmax")], seed=0)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).normal(size=(32, *shape)).astype("float32")
    y = np.eye(3, dtype="float32")[np.arange(32) % 3]
    taken: list[int] = []
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(4):
            model.fit(x, y, batch_size=32, verbose=0)
            model.evaluate(x, y, batch_size=32, verbose=0)
            taken.append(tracemalloc.get_traced_memory()[0])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.enable()
    assert peak - taken[0] > 1_000_000
    assert taken[-1] - taken[0] < 200_000


FAULTS = """
import resource
import numpy as np
from studio.engine.memory import keep_freed_memory

def pages_taken():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        arrays = [np.zeros(1 << 20, "float32") + 1 for _ in range(5)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = pages_taken()
keep_freed_memory()
pages_taken()
print(before, pages_taken())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="What glibc does with freed memory.")
def test_freed_memory_is_used_again() -> None:
    """Pages that are taken anew are counted by the system."""
    found = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True
    )
    before, after = map(int, found.stdout.split())
    assert after < before / 10, found.stdout


def begins_a_line(array: Array) -> bool:
    return array.__array_interface__["data"][0] % LINE == 0


@pytest.mark.parametrize("size", [0, 1, 3, 1_000, 100_003, 10_000_000])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bool"])
def test_arrays_begin_with_a_line_of_the_cache(size: int, dtype: str) -> None:
    shape = (size, 2)
    for array in (empty(shape, dtype), zeros(shape, dtype), Workspace().array("a", shape, dtype)):
        assert begins_a_line(array) or not size
        assert array.shape == shape and array.dtype == dtype and array.flags.c_contiguous
    assert not zeros((size,), dtype).any()


def test_weights_gradients_and_what_an_optimizer_remembers_begin_so_too() -> None:
    model = Sequential([Input((5,)), Dense(7), Dense(3)])
    model.compile("adam", "mse")
    parameters, optimizer = model.parameters, model.optimizer
    assert parameters is not None and optimizer is not None
    optimizer.build(parameters)
    flat, _ = parameters.gradients()
    for array in (parameters.values, flat, *optimizer.state.values()):
        assert begins_a_line(array)
