"""Work by channel: the same bits however many threads take part, and NumPy's sums."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from studio.engine.layers import BatchNormalization, channels
from studio.engine.parallel import Workers
from studio.engine.plan import Do, at_once
from studio.engine.workspace import ALONE, Array, Context, Moment, Threads

SHAPES = [(1, 1), (5, 3), (64, 8, 8, 4), (17, 13, 13, 5), (3, 7, 2500), (40, 300)]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch, forget_cuts: Callable[[], None]) -> None:
    forget_cuts()
    for name, value in (("LINE", 64), ("PIECE", 500), ("SHARED", 1000)):
        monkeypatch.setattr(channels, name, value)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_and_sums(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    factors = np.arange(1.0, shape[-1] + 1)
    read, y = channels.channels_of(shape), np.full_like(x, np.nan)
    lines, out, line = read.lines(x), read.lines(y), read.line(factors)

    def work(number: int, spare: Array, do: Do) -> None:
        piece = read.pieces[number]
        part = spare[: len(lines[piece])]
        do(np.multiply, lines[piece], line, out=part)
        do(np.copyto, out[piece], part)
        read.add(lines[piece], sums[number, 0], do)
        do(np.multiply, lines[piece], lines[piece], out=part)
        read.add(part, sums[number, 1], do)

    found: list[Array] = []
    for threads in (1, 2, 3):
        sums = np.empty((len(read.pieces), 2, shape[-1]))
        with Workers(threads) as workers:
            read.each(work, Context(threads=workers), x.dtype, at_once)
        found.append(sums.sum(axis=0))
        np.testing.assert_array_equal(y, x * factors)
        y.fill(np.nan)
    rows = x.reshape(-1, shape[-1])
    np.testing.assert_allclose(found[0], [rows.sum(axis=0), (rows**2).sum(axis=0)], rtol=1e-12)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def normalized(threads: Threads, x: Array, dy: Array, axis: int) -> list[Array]:
    layer = BatchNormalization(axis=axis)
    layer.build((None, *x.shape[1:]))
    context = Context(moment=Moment(training=True), threads=threads)
    y, cache = layer.forward(x, context)
    dx, gradients = layer.backward(dy, cache, context)
    assert dx is not None
    return [y, dx, gradients["gamma"], gradients["beta"], *layer.learned(cache).values()]


@pytest.mark.parametrize("axis", [-1, 1])
def test_batch_normalization_on_threads(axis: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, dy = np.random.default_rng(0).normal(size=(2, 16, 9, 10, 6)).astype("float32")
    wanted, seen, add = normalized(ALONE, x, dy, axis), set[str](), channels.add_rows

    def watch() -> None:
        seen.add(threading.current_thread().name)
        # Waking up takes the other thread longer than this work does.
        time.sleep(0.001)

    def watched(rows: Array, out: Array, do: Do) -> None:
        do(watch)
        add(rows, out, do)

    monkeypatch.setattr(channels, "add_rows", watched)
    with Workers(2) as workers:
        found = normalized(workers, x, dy, axis)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert "shard-1" in seen
