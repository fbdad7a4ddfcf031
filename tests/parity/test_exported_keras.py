"""Exported code runs under Keras as it is, on the same data, with the same numbers."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from studio.data.catalogue import catalogue, find, load
from studio.data.dataset import Dataset, DatasetInfo
from studio.data.prepare import prepare
from studio.export import keras as export
from studio.project import edits
from studio.project.build import build_model
from studio.project.examples import EXAMPLES, Example
from studio.project.metrics import offered_metrics
from studio.project.values import Block, DataChoice, Project, Spec
from studio.training.run import train

keras = pytest.importorskip("keras")


def module(project: Project, folder: Path) -> ModuleType:
    """The exported code, imported."""
    path, _ = export.export_keras(project, folder / "model.py")
    spec = importlib.util.spec_from_file_location("exported", path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def without_dropout(project: Project) -> Project:
    """Keras draws other numbers for dropout."""
    blocks = [block.id for block in project.blocks if block.layer.class_name == "Dropout"]
    return edits.remove_blocks(project, blocks)


def output(info: DatasetInfo) -> Project:
    """The smallest sound project for some data."""
    layers = [Spec("Flatten")] * (len(info.input_shape) > 1) + [Spec("Dense", {"units": 1})]
    blocks = tuple(Block(number, layer) for number, layer in enumerate(layers, 1))
    return edits.set_data(Project(blocks), DataChoice(info.name))


@pytest.mark.parametrize("info", catalogue(), ids=lambda info: info.name)
@pytest.mark.parametrize("split", [0.0, 0.3])
def test_data_are_the_same_to_the_bit(info: DatasetInfo, split: float, tmp_path: Path):
    project = edits.set_settings(output(info), validation_split=split, seed=3)
    expected = prepare(load(info.name), split, 3)
    found = module(project, tmp_path).load_data()
    (x_train, y_train), (x_val, y_val) = (
        found if split else (found, (expected.x_val, expected.y_val))
    )
    np.testing.assert_array_equal(x_train, expected.x_train)
    np.testing.assert_array_equal(y_train, expected.y_train)
    np.testing.assert_array_equal(x_val, expected.x_val)
    np.testing.assert_array_equal(y_val, expected.y_val)
    assert x_train.dtype == expected.x_train.dtype


def test_constant_columns_are_the_same_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    iris = load("iris")
    x = iris.x.copy()
    x[:, 2] = 0.1
    flat = Dataset(iris.info, x, iris.y, iris.feature_names, iris.options)
    monkeypatch.setattr(export, "load", lambda _: flat)
    (x_train, _), (x_val, _) = module(output(find("iris")), tmp_path).load_data()
    expected = prepare(flat, 0.2, 0)
    np.testing.assert_allclose(x_train, expected.x_train, atol=1e-7)
    np.testing.assert_allclose(x_val, expected.x_val, atol=1e-7)


def having_all(project: Project) -> Project:
    """With all that is offered for its data, and some with other values than the initial ones."""
    info = find(project.data.name)
    for metric in offered_metrics(info):
        project = edits.add_metric(project, metric.class_name)
    several = (
        Spec("AUC", {"curve": "pr", "thresholds": [0.2, 0.6], "name": "area"}),
        Spec("Recall", {"class_id": 0, "thresholds": 0.4, "name": "first"}),
        Spec("F1Score", {"average": "weighted", "threshold": 0.3, "name": "weighted"}),
    )
    more = (Spec("R2Score", {"num_regressors": 3, "name": "adjusted"}),)
    more = more if info.kind == "regression" else several
    return edits.set_settings(project, metrics=(*project.settings.metrics, *more))


MEASURED = [
    Example(f"{example.name} with metrics", "", "", having_all(example.project))
    for example in EXAMPLES
    if example.name in ("iris_mlp", "breast_cancer_mlp", "diabetes_regression")
]


# Before the first batch Keras on PyTorch tries its metrics on memory that nothing was written to.
@pytest.mark.filterwarnings("ignore:More independent predictors than datapoints:UserWarning")
@pytest.mark.parametrize("example", [*EXAMPLES, *MEASURED], ids=lambda example: example.name)
def test_same_start_and_order_give_the_same_numbers(example: Example, tmp_path: Path):
    # Keras numbers the names of metrics through all models of a session.
    keras.utils.clear_session()
    project = without_dropout(example.project)
    settings = project.settings
    info = find(project.data.name)
    data = prepare(load(info.name), settings.validation_split, settings.seed)
    ours, theirs = build_model(project, info), module(project, tmp_path).build_model()
    theirs.set_weights(ours.get_weights())
    rows = slice(0, 20 * settings.batch_size)
    fit = {"batch_size": settings.batch_size, "epochs": 2, "shuffle": False, "verbose": 0}
    one = ours.fit(data.x_train[rows], data.y_train[rows], **fit).history
    other = theirs.fit(data.x_train[rows], data.y_train[rows], **fit).history
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], rtol=2e-3, atol=1e-4, err_msg=name)
    one, other = (
        model.evaluate(data.x_val, data.y_val, verbose=0, return_dict=True)
        for model in (ours, theirs)
    )
    assert one == pytest.approx(other, rel=5e-3, abs=2e-3)


def printed_by(path: Path) -> str:
    """What an exported program prints, run as a user would run it."""
    done = subprocess.run(
        [sys.executable, str(path)], cwd="/", capture_output=True, text=True, check=False,
        env={**os.environ, "KERAS_BACKEND": "torch"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("number", "seed"), [(0, 0), (2, 1), (4, 0)])
def test_file_ends_within_two_points_of_the_app(number: int, seed: int, tmp_path: Path):
    """Both draw their own first weights and order: a comparison of what users get."""
    project = edits.set_settings(EXAMPLES[number].project, seed=seed)
    path, _ = export.export_keras(project, tmp_path / "model.py")
    theirs = float(printed_by(path).split()[-1])
    trained = train(project, lambda _: None)
    assert trained is not None
    assert theirs == pytest.approx(trained.history["val_accuracy"][-1], abs=0.02)


def test_file_prints_all_figures(tmp_path: Path):
    classes = Spec("F1Score"), Spec("Precision", {"thresholds": [0.3, 0.6]})
    project = edits.add_metric(EXAMPLES[2].project, "AUC")
    project = edits.set_settings(project, metrics=(*project.settings.metrics, *classes), epochs=2)
    path, _ = export.export_keras(project, tmp_path / "model.py")
    printed = [line.split(" ", 2) for line in printed_by(path).splitlines()]
    found = {line[1]: line[2] for line in printed if line[0] == "Validation"}
    assert found.keys() == {"loss", "accuracy", "auc", "f1_score", "precision"}
    assert 0 < float(found["auc"]) <= 1
    assert len(found["precision"].strip("[]").split()) == 2
