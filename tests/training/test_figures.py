"""Chosen metrics in a run: in events, in the record, and right."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from studio.data.catalogue import load
from studio.data.prepare import prepare
from studio.engine.metrics import AUC
from studio.project import edits, file
from studio.project.build import build_model
from studio.project.document import to_text
from studio.project.examples import EXAMPLES
from studio.project.file import Saved
from studio.project.values import Project, Spec
from studio.training.events import BatchEnd, EpochEnd, Finished, Started
from studio.training.run import train

PROJECTS = {example.name: example.project for example in EXAMPLES}


def having(project: Project, *chosen: Spec | str, epochs: int = 6) -> Project:
    for metric in chosen:
        if isinstance(metric, str):
            project = edits.add_metric(project, metric)
        else:
            project = edits.set_settings(project, metrics=(*project.settings.metrics, metric))
    return edits.set_settings(project, epochs=epochs)


IRIS = having(PROJECTS["iris_mlp"], "AUC", "F1Score")


def run(project: Project) -> tuple[Any, list[Any]]:
    events: list[Any] = []
    trained = train(project, events.append)
    assert isinstance(events[-1], Finished)
    return trained, events


def test_events_carry_all_figures_by_name():
    _, events = run(IRIS)
    started = events[0]
    assert isinstance(started, Started)
    assert started.figures == ("accuracy", "auc", "f1_score")
    batches = [event for event in events if isinstance(event, BatchEnd)]
    assert batches
    for event in batches:
        assert list(event.figures) == ["loss", "accuracy", "auc", "f1_score"]
        assert all(type(value) is float for value in event.figures.values())
    names = ["loss", "accuracy", "auc", "f1_score"]
    ends = [event for event in events if isinstance(event, EpochEnd)]
    assert len(ends) == 6
    for event in ends:
        assert list(event.figures) == names + [f"val_{name}" for name in names]
        # The last batch of an epoch is told with the figures of the whole of it.
        last = [one for one in batches if one.epoch == event.epoch][-1]
        for name in names:
            assert last.figures[name] == event.figures[name]


def test_the_record_holds_them_through_a_file():
    trained, _ = run(IRIS)
    found = file.from_bytes(file.to_bytes(Saved(IRIS, trained)), "x").trained
    assert found is not None
    assert list(found.history)[:5] == ["epoch", "loss", "accuracy", "auc", "f1_score"]
    assert set(found.history) == {"epoch", *found.report["figures"]}
    for name, values in trained.history.items():
        np.testing.assert_array_equal(found.history[name], values)
    assert found.report["figures"]["val_auc"] == trained.history["val_auc"][-1]
    assert [one["class_name"] for one in found.report["settings"]["metrics"]] == ["AUC", "F1Score"]


def test_they_are_right():
    trained, _ = run(IRIS)
    settings, dataset = IRIS.settings, load("iris")
    data = prepare(dataset, settings.validation_split, settings.seed)
    model = build_model(IRIS, dataset.info)
    model.set_weights(list(trained.weights.values()))
    p, y = model.predict(data.x_val), data.y_val
    f1 = f1_score(y.argmax(axis=1), p.argmax(axis=1), average="macro")
    assert trained.history["val_f1_score"][-1] == pytest.approx(f1, abs=1e-6)
    area = roc_auc_score(y.ravel(), p.ravel())
    assert trained.history["val_auc"][-1] == pytest.approx(area, abs=0.01)
    assert trained.history["val_auc"][-1] == pytest.approx(AUC()(y, p))


def test_they_change_nothing_else():
    plain, _ = run(edits.set_settings(IRIS, metrics=()))
    watched, _ = run(IRIS)
    for name, values in plain.weights.items():
        np.testing.assert_array_equal(values, watched.weights[name])
    for name, values in plain.history.items():
        np.testing.assert_array_equal(values, watched.history[name])


def test_what_gives_a_number_per_class_is_left_out():
    trained, events = run(having(PROJECTS["iris_mlp"], Spec("F1Score"), "Recall", epochs=2))
    assert events[0].figures == ("accuracy", "recall")
    assert "f1_score" not in trained.history
    assert "val_recall" in trained.history
    assert len(trained.report["classes"]) == 3


def test_one_number_in_an_array_counts_as_one():
    chosen = Spec("R2Score", {"class_aggregation": None, "name": "r2"}), Spec("Recall")
    project = having(PROJECTS["diabetes_regression"], chosen[0], epochs=2)
    trained, events = run(project)
    assert events[0].figures == ("mae", "r2", "r2_score")
    np.testing.assert_allclose(trained.history["val_r2"], trained.history["val_r2_score"])


def test_a_chosen_score_takes_the_place_of_the_one_of_every_run():
    chosen = Spec("R2Score", {"num_regressors": 10})
    trained, events = run(having(PROJECTS["diabetes_regression"], chosen, epochs=2))
    usual, _ = run(having(PROJECTS["diabetes_regression"], epochs=2))
    assert events[0].figures == ("mae", "r2_score")
    assert list(trained.history) == list(usual.history)
    assert (trained.history["val_r2_score"] < usual.history["val_r2_score"]).all()


def test_what_is_not_finite_is_nothing_in_the_report():
    project = having(PROJECTS["diabetes_regression"], Spec("Poisson"), epochs=1)
    assert train(project, lambda _: None) is None, "it has a problem"
    # A mean of logarithms of numbers below 0.
    project = having(PROJECTS["iris_mlp"], Spec("Poisson"), epochs=1)
    blocks = edits.set_param(project, 2, "activation", "linear")
    trained = train(blocks, lambda _: None)
    assert trained is not None
    assert trained.report["figures"]["val_poisson"] is None
    assert np.isnan(trained.history["val_poisson"]).all()
    json.loads(to_text(trained.report), parse_constant=pytest.fail)
