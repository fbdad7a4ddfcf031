"""Threads for shards, and for what is done beside the caller."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from studio.engine import Input, Sequential, trainer
from studio.engine.division import segments, shards
from studio.engine.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPooling2D,
    Reshape,
    UpSampling2D,
)
from studio.engine.parallel import MOST_THREADS, Workers
from studio.engine.workspace import Alone, Context, Moment, Task


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_tasks_beside_are_done_in_order(threads: int) -> None:
    done: list[int] = []
    with Workers(threads) as workers:
        waits = [workers.beside(lambda number=number: done.append(number)) for number in range(50)]
        waits[-1]()
        assert done == list(range(50))
        for wait in waits:
            wait()


def test_beside_is_another_thread() -> None:
    here: list[threading.Thread] = []
    with Workers(2) as workers:
        workers.beside(lambda: here.append(threading.current_thread()))()
    assert here[0] is not threading.current_thread()
    assert not here[0].is_alive()


def test_an_error_beside_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise ValueError("beside")

    with Workers(2) as workers:
        wait = workers.beside(fail)
        with pytest.raises(ValueError, match="beside"):
            wait()
        workers.beside(lambda: None)()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_all_tasks_together_are_done(threads: int) -> None:
    done: list[int] = []
    with Workers(threads) as workers:
        workers.together([lambda number=number: done.append(number) for number in range(50)])
    assert sorted(done) == list(range(50))


def test_tasks_are_waited_for_and_not_threads() -> None:
    done: list[str] = []

    def slow() -> None:
        time.sleep(0.05)
        done.append("slow")

    with Workers(3) as workers:
        wait = workers.beside(lambda: time.sleep(0.01))
        workers.together([lambda: time.sleep(0.002), slow, lambda: None])
        assert done == ["slow"]
        wait()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_what_is_left_for_later_is_done_in_the_end(threads: int) -> None:
    done: list[str] = []
    with Workers(threads) as workers:
        workers.together([lambda: done.append("now")] * 3, [lambda: done.append("later")] * 9)
        assert done.count("now") == 3
        workers.together([], [lambda: done.append("later")])
        workers.finish()
        assert done.count("later") == 10

        def fail() -> None:
            workers.together([lambda: None] * 2, [lambda: 1 / 0, lambda: None])
            workers.finish()

        with pytest.raises(ZeroDivisionError):
            fail()
        workers.together([lambda: done.append("again")] * 2)
        workers.finish()
    assert done[-2:] == ["again", "again"]


def test_nobody_waits_for_what_is_left_for_later() -> None:
    went_on, waited = threading.Event(), list[bool]()
    with Workers(2) as workers:
        workers.together([lambda: None], [lambda: waited.append(went_on.wait(10))])
        went_on.set()
        workers.finish()
    assert waited == [True]


def test_what_is_waited_for_comes_first() -> None:
    done: list[str] = []
    with Workers(2) as workers:
        begun, goes_on, ended = threading.Event(), threading.Event(), threading.Event()

        def first() -> None:
            begun.set()
            goes_on.wait(10)

        def second() -> None:
            done.append("later")
            ended.set()

        workers.together([], [first, second])
        begun.wait(10)
        workers.beside(lambda: done.append("beside"))
        goes_on.set()
        assert ended.wait(10)
        workers.finish()
    assert done == ["beside", "later"]


def test_rather_than_wait_a_thread_does_what_is_left() -> None:
    left, waited = threading.Event(), list[bool]()

    def task(shard: int, lane: int) -> None:
        if lane:
            waited.append(left.wait(10))

    with Workers(2) as workers:
        workers.run(task, 2, in_turn=True, later=[left.set])
        workers.finish()
    assert waited == [True]


def test_more_threads_than_can_be_of_use_are_not_started() -> None:
    with Workers(10**12) as workers:
        workers.together([lambda: None, lambda: None])
        assert threading.active_count() <= MOST_THREADS + 2


def test_large_products_are_cut_instead_of_the_batch() -> None:
    def cuts(units: int, batch: int) -> int:
        model = Sequential([Input((units,)), Dense(units), Dense(units), Dense(2)])
        model.compile("adam", "mse")
        with trainer.network_of(model, model.loss, 32) as network:
            return len(network.shards(batch))

    assert cuts(512, 128) == cuts(64, 16) == 1
    assert cuts(256, 256) > 1


def test_shards_meet_where_products_are_cut_instead() -> None:
    stack = [
        Conv2D(32, 3), MaxPooling2D(), BatchNormalization(), Flatten(), Dense(512), Dropout(0.5),
        Dense(10), Reshape((1, 1, 10)), UpSampling2D(32), Conv2D(4, 3),
    ]  # fmt: skip
    built = Sequential([Input((32, 32, 3)), *stack]).layers
    assert segments(built, 64) == [
        (0, 2, False), (2, 3, True), (3, 4, False), (4, 8, True), (8, 10, False),
    ]  # fmt: skip
    # Small products are done by each shard.
    assert segments(built, 4) == [(0, 2, False), (2, 3, True), (3, 10, False)]
    assert len(shards(built, 128)) > 1


def test_a_long_sequence_in_short_steps_is_not_cut() -> None:
    def cuts(*layers: Layer) -> int:
        model = Sequential([Input((100, 16)), *layers, Dense(2)])
        model.compile("adam", "mse")
        with trainer.network_of(model, model.loss, 32) as network:
            return len(network.shards(64))

    assert cuts(LSTM(64)) == cuts(Bidirectional(GRU(32))) == 1
    assert cuts(LSTM(512)) > 1


@pytest.mark.parametrize(("units", "helped"), [(8, False), (64, True)])
def test_only_long_steps_are_worth_another_thread(units: int, helped: bool) -> None:
    asked: list[Task] = []

    class Watched(Alone):
        def beside(self, task: Task) -> Task:
            asked.append(task)
            return super().beside(task)

    layer = LSTM(units)
    layer.build((None, 100, 3), seed=0, position=0)
    context = Context(Moment(training=True), threads=Watched())
    y, cache = layer.forward(np.ones((64, 100, 3), np.float32), context)
    layer.backward(np.ones_like(y), cache, context)
    assert bool(asked) == helped
