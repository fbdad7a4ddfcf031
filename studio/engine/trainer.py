"""The loops behind fit, evaluate and predict."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from studio.engine.batches import (
    Arrays,
    Batch,
    BatchMaker,
    batch_maker,
    checked_arrays,
    is_arrays,
)
from studio.engine.blas import one_blas_thread
from studio.engine.callbacks import Callback, CallbackList, History
from studio.engine.denormals import denormals_are_zero
from studio.engine.errors import DataError, NumericsError, StateError
from studio.engine.fit_plan import SOME, FitPlan, checked_callbacks
from studio.engine.kept import Use
from studio.engine.loops import loops_for_training
from studio.engine.losses import Loss
from studio.engine.memory import keep_freed_memory
from studio.engine.network import Network
from studio.engine.optimizers import Optimizer
from studio.engine.parallel import Workers, cores
from studio.engine.params import Param
from studio.engine.progress import Progress
from studio.engine.random import generator
from studio.engine.scores import Scores
from studio.engine.workspace import Array

if TYPE_CHECKING:
    from studio.engine.sequential import Sequential

EpochBatches = Callable[[int], Iterator[Batch]]


def fit(model: Sequential, x: Any, y: Any, sample_weight: Any, plan: FitPlan) -> History:
    """See :meth:`Sequential.fit`."""
    loss, optimizer = _to_train(model)
    batches, steps, validation = _training_data(model, loss, x, y, sample_weight, plan)
    history = History()
    # Ours come last, so that they see what the user's callbacks add to the logs.
    ours: list[Callback] = [history] if plan.verbose in (0, "0") else [Progress(), history]
    listeners = [*plan.callbacks, *ours]
    facts = {"epochs": plan.epochs, "steps": steps, "verbose": plan.verbose}
    callbacks = CallbackList(listeners, model, facts)
    with network_of(model, loss, plan.batch_size or 32) as network:
        optimizer.build(network.parameters)
        model.stop_training = False
        scores, held_out = _scores(model), _scores(model)
        logs: dict[str, Any] = {}
        callbacks.call("on_train_begin", {})
        for epoch in range(plan.initial_epoch, plan.epochs):
            callbacks.call("on_epoch_begin", epoch, {})
            scores.reset()
            network.moment.epoch = epoch
            _epoch(model, network, optimizer, batches(epoch), scores, callbacks)
            if not scores.samples:
                # It was stopped before there was anything to tell of this epoch.
                break
            logs = dict(scores)
            if validation is not None and plan.validates(epoch):
                figures = _test(model, network, validation(epoch), held_out, callbacks)
                logs.update({f"val_{name}": value for name, value in figures.items()})
            callbacks.call("on_epoch_end", epoch, logs)
            if model.stop_training:
                break
        optimizer.finish(network.parameters)
        callbacks.call("on_train_end", logs)
    return history


def _epoch(
    model: Sequential,
    network: Network,
    optimizer: Optimizer,
    batches: Iterator[Batch],
    scores: Scores,
    callbacks: CallbackList,
) -> None:
    before = callbacks.listeners("on_train_batch_begin")
    after = callbacks.listeners("on_train_batch_end")
    forgiving = callbacks.listeners("on_numerics_error")
    for step, batch in enumerate(batches):
        for listener in before:
            listener(step, {})
        # A callback that waited (a pause) may have asked to stop meanwhile.
        if model.stop_training:
            return
        network.moment.step = step
        y = batch.targets
        try:
            result = network.train(batch.x, y, batch.weight, optimizer)
        except NumericsError as error:
            if not any(listener(step, error) for listener in forgiving):
                raise
            model.stop_training = True
            return
        scores.add(result, y, batch.weight)
        for listener in after:
            listener(step, scores.logs())
        if model.stop_training:
            return


def _scores(model: Sequential) -> Scores:
    return Scores(model.metrics, model.weighted_metrics)


def _test(
    model: Sequential,
    network: Network,
    batches: Iterator[Batch],
    scores: Scores,
    callbacks: CallbackList,
) -> dict[str, Any]:
    scores.reset()
    model.stop_evaluating = False
    callbacks.call("on_test_begin", {})
    before = callbacks.listeners("on_test_batch_begin")
    after = callbacks.listeners("on_test_batch_end")
    for step, batch in enumerate(batches):
        for listener in before:
            listener(step, {})
        if model.stop_evaluating:
            break
        result = network.test(batch.x, batch.targets, batch.weight)
        scores.add(result, batch.targets, batch.weight)
        for listener in after:
            listener(step, scores.logs())
    logs = dict(scores)
    callbacks.call("on_test_end", logs)
    return logs


def evaluate(
    model: Sequential,
    x: Any,
    y: Any,
    batch_size: int | None,
    sample_weight: Any,
    steps: int | None,
    callbacks: Callback | Sequence[Callback] | None,
) -> dict[str, Any]:
    """See :meth:`Sequential.evaluate`."""
    loss = compiled_loss(model)
    chosen = checked_callbacks(callbacks, "evaluate")
    for name, value in (("batch_size", batch_size), ("steps", steps)):
        SOME.checked(value, f"evaluate {name}")
    batches = batch_maker(model, loss, x, y, sample_weight, "evaluate")(batch_size or 32, None)
    with network_of(model, loss, batch_size or 32) as network:
        listeners = _listeners(chosen, model, x, batch_size or 32, steps)
        some = at_least_one(islice(batches, steps), "evaluate")
        return _test(model, network, some, _scores(model), listeners)


def _listeners(
    chosen: Sequence[Callback], model: Sequential, x: Any, size: int, steps: int | None
) -> CallbackList:
    """Callbacks that know how many batches of some checked data there will be."""
    facts = {"epochs": 1, "steps": steps or (_batches(len(x), size) if is_arrays(x) else None)}
    return CallbackList(chosen, model, {**facts, "verbose": 0})


def _batches(rows: int, size: int) -> int:
    """How many batches so many rows make."""
    return -(-rows // size)


def predict(
    model: Sequential,
    x: Any,
    batch_size: int | None,
    steps: int | None,
    callbacks: Callback | Sequence[Callback] | None = None,
) -> Array:
    """See :meth:`Sequential.predict`."""
    chosen = checked_callbacks(callbacks, "predict")
    for name, value in (("batch_size", batch_size), ("steps", steps)):
        SOME.checked(value, f"predict {name}")
    parts: list[Array] = []
    batches = batch_maker(model, None, x, None, None, "predict")(batch_size or 32, None)
    listeners = _listeners(chosen, model, x, batch_size or 32, steps)
    with network_of(model, None, batch_size or 32) as network:
        listeners.call("on_predict_begin", {})
        for step, batch in enumerate(islice(batches, steps)):
            listeners.call("on_predict_batch_begin", step, {})
            parts.append(network.predict(batch.x).copy())
            listeners.call("on_predict_batch_end", step, {"outputs": parts[-1]})
        listeners.call("on_predict_end", {})
    if not parts:
        raise DataError("at least one batch", "none", "predict")
    return np.concatenate(parts)


def on_batch(
    model: Sequential,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Mapping[int, float] | None,
    train: bool,
) -> dict[str, Any]:
    """See :meth:`Sequential.train_on_batch` and :meth:`Sequential.test_on_batch`."""
    loss, optimizer = _to_train(model) if train else _compiled(model)
    data = checked_arrays(model, loss, x, y, sample_weight, "on_batch", class_weight)
    batch = Batch(data.x, data.y, data.weight)
    scores = _scores(model)
    with network_of(model, loss, len(data)) as network:
        if train:
            optimizer.build(network.parameters)
            network.moment.epoch, network.moment.step = 0, optimizer.iterations
            result = network.train(batch.x, batch.targets, batch.weight, optimizer)
        else:
            result = network.test(batch.x, batch.targets, batch.weight)
        scores.add(result, batch.targets, batch.weight)
    return dict(scores)


@contextmanager
def network_of(model: Sequential, loss: Loss | None, batch: int) -> Generator[Network]:
    """The model ready to run batches mostly of that size, with threads that end with the block."""
    parameters = model.parameters
    assert parameters is not None
    keep_freed_memory()
    threads = model.threads or cores()
    use = Use(parameters, id(loss), batch, threads, Param.changes)
    network = model.kept.take(use)
    if network is None:
        network = Network(model.layers, loss, model.moment, parameters, Workers(threads))
    with network.workers, one_blas_thread(), denormals_are_zero(), loops_for_training():
        yield network
    model.kept.keep(use, network, loss)


def compiled_loss(model: Sequential) -> Loss:
    """The loss.

    Raises:
        StateError: if the model is not compiled, or without a loss.
    """
    return _compiled(model)[0]


def _to_train(model: Sequential) -> tuple[Loss, Optimizer]:
    """Loss and optimizer; until the first update, layers may be frozen after compile as well."""
    loss, optimizer = _compiled(model)
    if not optimizer.iterations:
        model.freeze()
    return loss, optimizer


def _compiled(model: Sequential) -> tuple[Loss, Optimizer]:
    if model.optimizer is None or model.loss is None:
        raise StateError("a compiled model with a loss", "none", model.name, "Call compile first.")
    return model.loss, model.optimizer


def _training_data(
    model: Sequential, loss: Loss, x: Any, y: Any, sample_weight: Any, plan: FitPlan
) -> tuple[EpochBatches, int | None, EpochBatches | None]:
    """The batches of each epoch, how many there are where that is known, and validation's."""
    size = plan.batch_size or 32
    held_out: Any = plan.validation_data
    rows: int | None = None
    if is_arrays(x):
        data = checked_arrays(model, loss, x, y, sample_weight, "fit")
        if plan.validation_split and held_out is None:
            data, held_out = data.split(plan.validation_split)
        data = data.weighted(plan.class_weight, len(model.output_shape))
        rows = len(data)
        if plan.batch_size is not None and plan.batch_size > rows:
            raise DataError(
                f"a batch_size of at most the {rows} training rows", str(plan.batch_size), "fit"
            )
        make: BatchMaker = data.batches
    elif plan.validation_split:
        raise DataError("arrays, for validation_split", type(x).__name__, "fit x")
    else:
        make = batch_maker(model, loss, x, y, sample_weight, "fit", plan.class_weight)
    validation: EpochBatches | None = None
    if held_out is not None:
        tested = _validation(model, loss, held_out)
        test_size = plan.validation_batch_size or size

        def held_out_batches(_: int) -> Iterator[Batch]:
            some = islice(tested(test_size, None), plan.validation_steps)
            return at_least_one(some, "fit validation_data")

        validation = held_out_batches

    seed = model.moment.seed
    ongoing: Iterator[Batch] = iter(())

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        nonlocal ongoing
        # A number of steps goes on where the epoch before ended, until all rows have been seen.
        if plan.steps_per_epoch is not None:
            some = islice(ongoing, plan.steps_per_epoch)
            for first in some:
                return chain((first,), some)
        random = generator(seed, "shuffle", epoch) if plan.shuffle else None
        ongoing = make(size, random)
        return at_least_one(islice(ongoing, plan.steps_per_epoch), "fit")

    steps = plan.steps_per_epoch or (None if rows is None else _batches(rows, size))
    return epoch_batches, steps, validation


def at_least_one(batches: Iterator[Batch], where: str) -> Iterator[Batch]:
    """The batches.

    Raises:
        DataError: if there are none.
    """
    for first in batches:
        return chain((first,), batches)
    advice = "A generator that has ended gives no more: pass arrays, or one that goes on."
    raise DataError("at least one batch", "none", where, advice)


def _validation(model: Sequential, loss: Loss, held_out: Any) -> BatchMaker:
    if isinstance(held_out, Arrays):
        return held_out.batches
    if isinstance(held_out, tuple | list) and len(cast("Sequence[Any]", held_out)) in (2, 3):
        x, y, weight = (*cast("Sequence[Any]", held_out), None)[:3]
        return batch_maker(model, loss, x, y, weight, "fit validation_data")
    return batch_maker(model, loss, held_out, None, None, "fit validation_data")
