"""Runs on real data: events in order, switches that answer in a batch, the same numbers."""

import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from studio.data.catalogue import load
from studio.data.prepare import prepare
from studio.engine.errors import NumericsError, StateError
from studio.project.build import build_model
from studio.project.edits import insert_block, set_optimizer, set_optimizer_param, set_settings
from studio.project.examples import EXAMPLES
from studio.project.values import DataChoice
from studio.training import control as control_module
from studio.training.control import Control
from studio.training.events import (
    BatchEnd,
    EpochEnd,
    Failed,
    Finished,
    Paused,
    Resumed,
    Started,
    Stopped,
)
from studio.training.run import train

PROJECTS = {example.name: example.project for example in EXAMPLES}
IRIS = set_settings(PROJECTS["iris_mlp"], epochs=12)


def run(project, control=None) -> tuple[Any, list[Any]]:
    events: list[Any] = []
    return train(project, events.append, control), events


def test_events_come_in_order():
    trained, events = run(IRIS)
    assert isinstance(events[0], Started)
    assert (events[0].epochs, events[0].batches, events[0].samples) == (12, 8, 120)
    assert [event.epoch for event in events if isinstance(event, EpochEnd)] == list(range(1, 13))
    assert isinstance(events[-1], Finished)
    assert events[-1].trained is trained
    steps = [event.steps for event in events if isinstance(event, BatchEnd)]
    assert steps == sorted(steps)
    assert steps[-1] == 12 * 8
    last_of_epoch = [e for e in events if isinstance(e, BatchEnd) and e.batch == 8]
    assert len(last_of_epoch) == 12


def test_the_record_tells_what_was_reached():
    trained, events = run(IRIS)
    ends = [event for event in events if isinstance(event, EpochEnd)]
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_array_equal(trained.history[name], [e.figures[name] for e in ends])
    assert trained.history["loss"][-1] < trained.history["loss"][0]
    assert trained.report["epochs"] == {"asked": 12, "finished": 12}
    assert trained.report["data"]["training_rows"] == 120
    assert list(trained.weights) == ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]


@pytest.mark.parametrize("name", ["iris_mlp", "breast_cancer_mlp"])
def test_class_figures_are_those_of_scikit_learn(name):
    project = set_settings(PROJECTS[name], epochs=3)
    trained, events = run(project)
    dataset = load(project.data.name)
    data = prepare(dataset, project.settings.validation_split, project.settings.seed)
    model = build_model(project, dataset.info)
    model.set_weights(list(trained.weights.values()))
    predicted = model.predict(data.x_val)
    if dataset.info.kind == "binary":
        guess, truth = predicted[:, 0] > 0.5, data.y_val[:, 0]
    else:
        guess, truth = predicted.argmax(axis=1), data.y_val.argmax(axis=1)
    expected: Any = precision_recall_fscore_support(truth, guess, zero_division=0)  # pyright: ignore[reportArgumentType]
    found = events[-2].classes
    assert isinstance(events[-2], EpochEnd)
    for row, one in zip(np.transpose(expected), found, strict=True):
        np.testing.assert_allclose((one.precision, one.recall, one.f1, one.support), row)


def test_a_regression_has_other_figures():
    trained, events = run(set_settings(PROJECTS["diabetes_regression"], epochs=3))
    assert events[0].figures == ("mae", "r2_score")
    assert {"mae", "val_mae", "r2_score", "val_r2_score"} <= set(trained.history)
    assert not trained.report["classes"]


def test_without_validation_the_classes_are_those_of_training():
    _, events = run(set_settings(IRIS, validation_split=0.0, epochs=1))
    end = events[-2]
    assert not end.validated
    assert "val_loss" not in end.figures
    assert sum(one.support for one in end.classes) == 150


def test_the_same_seed_gives_the_same_bits():
    first, second = run(IRIS)[0], run(IRIS)[0]
    other = run(set_settings(IRIS, seed=1))[0]
    for name, value in first.weights.items():
        np.testing.assert_array_equal(value, second.weights[name])
    assert any((value != other.weights[name]).any() for name, value in first.weights.items())


def wait_for(events, kind, seconds=10.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if any(isinstance(event, kind) for event in list(events)):
            return
        time.sleep(0.002)
    raise AssertionError(f"no {kind.__name__} in {seconds} s")


@pytest.fixture
def endless():
    """A run that goes on until it is stopped, in a thread."""
    control, events = Control(), []
    project = set_settings(IRIS, epochs=10_000_000)
    thread = threading.Thread(target=train, args=(project, events.append, control))
    thread.start()
    yield control, events, thread
    control.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_pause_step_resume_and_stop(endless):
    control, events, thread = endless
    wait_for(events, EpochEnd)
    control.pause()
    wait_for(events, Paused)
    place = [event for event in events if isinstance(event, BatchEnd)][-1].steps
    count = len(events)
    time.sleep(0.1)
    assert len(events) == count, "a paused run does nothing"
    control.step()
    control.step()
    until = time.monotonic() + 5
    while events[-1:] and not isinstance(events[-1], Paused) and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(0.1)
    assert [event for event in events if isinstance(event, BatchEnd)][-1].steps == place + 2
    control.resume()
    wait_for(events, Resumed)
    time.sleep(0.05)
    control.stop()
    thread.join(5)
    assert isinstance(events[-1], Stopped)
    trained = events[-1].trained
    assert trained.report["stopped"]
    assert trained.report["steps"] > place + 2


def test_a_paused_run_can_be_stopped(endless):
    control, events, thread = endless
    wait_for(events, EpochEnd)
    control.pause()
    wait_for(events, Paused)
    control.stop()
    thread.join(5)
    assert isinstance(events[-1], Stopped)


def test_stopped_before_the_first_batch_there_is_nothing_to_keep():
    control = Control()
    control.stop()
    trained, events = run(IRIS, control)
    assert trained is None
    assert events[-1] == Stopped(None)


def test_nan_is_explained():
    project = set_optimizer_param(set_optimizer(IRIS, "SGD"), "learning_rate", 1e30)
    trained, events = run(project)
    assert trained is None
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, NumericsError)
    assert "epoch 1, batch" in str(events[-1].error)


def test_a_project_with_a_problem_fails_with_it():
    trained, events = run(insert_block(IRIS, 1, "Conv2D"))
    assert trained is None
    assert isinstance(events[-1].error, StateError)


def test_unknown_data_fail_with_words():
    _, events = run(replace(IRIS, data=DataChoice("iriss")))
    assert "iris" in str(events[-1].error)


def test_a_held_run_waits_for_who_draws_but_not_for_ever(monkeypatch):
    control = Control()
    monkeypatch.setattr(control_module, "PATIENCE", 60)
    control.hold()
    thread = threading.Thread(target=control.wait, args=(print, print))
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    control.release()
    thread.join(10)
    assert not thread.is_alive()
    monkeypatch.setattr(control_module, "PATIENCE", 0.01)
    control.hold()
    control.wait(print, print)


def test_steps_that_were_asked_for_are_forgotten_by_resuming_and_pausing():
    control = Control()
    for forget in (control.resume, control.pause):
        control.step()
        control.step()
        forget()
        control.pause()
        waited: list[str] = []

        def on_pause(waited: list[str] = waited) -> None:
            waited.append("paused")
            control.resume()

        control.wait(on_pause, lambda: None)
        assert waited == ["paused"]
