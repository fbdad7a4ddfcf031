"""The Keras code says all that differs from Keras' defaults, and looks as people write it."""

import ast
import re
import subprocess
import sys

import numpy as np
import pytest

from studio.data.catalogue import load
from studio.engine.errors import StateError, StudioError
from studio.engine.layers import registry as layers
from studio.engine.metrics import metrics
from studio.engine.params import Param
from studio.export.keras import export_keras, keras_code
from studio.export.keras_calls import call
from studio.export.source import expression
from studio.project import edits
from studio.project.checks import check
from studio.project.examples import EXAMPLES, START, Example
from studio.project.values import DataChoice, Project, Spec


def ruff(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--isolated", "-"],
        input=code, capture_output=True, text=True, check=False,
    )  # fmt: skip


def having(project: Project, *metrics: Spec) -> Project:
    return edits.set_settings(project, metrics=metrics)


def measured() -> Project:
    """A classification with metrics that say more than their name."""
    return having(
        EXAMPLES[2].project,
        Spec("AUC"),
        Spec("AUC", {"curve": "pr", "name": "area"}),
        Spec("F1Score", {"average": "macro"}),
        Spec("Recall", {"thresholds": [0.25, 0.5], "class_id": 1}),
        Spec("Precision", {"thresholds": 0.75}),
    )


def variants() -> list[Project]:
    """Projects that use what the examples don't."""
    odd = {"class_name": "LeakyRelu", "config": {"negative_slope": 0.1}}
    both = {"class_name": "L1L2", "config": {"l1": 0.001, "l2": 0.002}}
    project = START.project
    project = edits.set_param(project, 1, "activation", odd)
    project = edits.set_param(project, 1, "strides", (2, 1))
    project = edits.set_param(project, 1, "name", "edges")
    project = edits.set_param(project, 1, "kernel_regularizer", both)
    project = edits.set_param(project, 3, "kernel_regularizer", "l2")
    project = edits.set_optimizer(project, "SGD")
    project = edits.set_optimizer_param(project, "momentum", 0.9)
    project = edits.set_loss_param(project, "label_smoothing", 0.1)
    return [
        project,
        measured(),
        having(EXAMPLES[-1].project, Spec("RootMeanSquaredError"), Spec("R2Score")),
        edits.set_settings(measured(), validation_split=0.0),
        edits.set_settings(START.project, validation_split=0.0, seed=2**32 - 1),
        edits.set_settings(EXAMPLES[-1].project, validation_split=0.0, optimizer=Spec("RMSprop")),
        edits.set_data_option(EXAMPLES[3].project, "noise", 0.2),
    ]


PROJECTS = [*(example.project for example in EXAMPLES), *variants()]


@pytest.mark.parametrize("project", PROJECTS)
def test_code_is_as_ruff_wants_it(project: Project):
    code = keras_code(project)
    assert ruff(code, "format").stdout == code
    found = ruff(
        code, "check", "--select", "E,F,W,I,B,SIM,UP,C4,PIE,RET,N,D", "--ignore", "D203,D213"
    )
    assert found.returncode == 0, found.stdout


def statements(project: Project) -> list[str]:
    """The calls of layers and of compile in the code."""
    tree = ast.parse(keras_code(project))
    calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [text for text in calls if text.startswith(("layers.", "model.compile", "keras.Input"))]


def test_only_what_differs_from_defaults_is_said():
    assert statements(EXAMPLES[2].project) == [
        "model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), "
        "loss='categorical_crossentropy', metrics=['accuracy'])",
        "keras.Input((4,))",
        "layers.Dense(16, activation='relu')",
        "layers.Dense(3, activation='softmax')",
    ]


def test_other_settings_are_said():
    code = " ".join(statements(variants()[0]))
    assert (
        "layers.Conv2D(16, 3, strides=(2, 1), padding='same', "
        "activation=partial(keras.activations.leaky_relu, negative_slope=0.1), "
        "kernel_regularizer=keras.regularizers.L1L2(l1=0.001, l2=0.002), name='edges')"
    ) in code
    assert "kernel_regularizer='l2'" in code
    assert "keras.optimizers.SGD(learning_rate=0.01" not in code
    assert "optimizer=keras.optimizers.SGD(momentum=0.9)" in code
    assert "loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1)" in code
    assert "from functools import partial" in keras_code(variants()[0])


def test_metrics_are_said_beside_the_usual_figure():
    code = " ".join(statements(measured()))
    assert (
        "metrics=['accuracy', keras.metrics.AUC(), keras.metrics.AUC(curve='pr', name='area'), "
        "keras.metrics.F1Score(average='macro'), "
        "keras.metrics.Recall(thresholds=[0.25, 0.5], class_id=1), "
        "keras.metrics.Precision(thresholds=0.75)]"
    ) in code


@pytest.mark.parametrize("split", [0.0, 0.2])
def test_all_figures_are_printed_by_their_names(split: float):
    code = keras_code(edits.set_settings(measured(), validation_split=split))
    data, what = ("x_val, y_val", "Validation") if split else ("x_train, y_train", "Training")
    assert f"figures = model.evaluate({data}, verbose=0, return_dict=True)\n" in code
    assert f'print(f"{what} {{name}} {{np.round(figure, 4)}}")' in code
    assert "loss, accuracy" not in code


def test_without_validation_the_training_data_are_measured():
    code = keras_code(variants()[4])
    assert "val" not in code.replace("evaluate", "")
    assert "Training loss" in code


def test_project_with_an_error_is_refused(tmp_path):
    broken = edits.set_param(START.project, 1, "filters", 0)
    with pytest.raises(StateError, match="block 1"):
        export_keras(broken, tmp_path / "model.py")
    assert list(tmp_path.iterdir()) == []


def test_data_lie_beside_the_code_unscaled(tmp_path):
    project = edits.set_data_option(EXAMPLES[3].project, "samples", 50)
    code, data = export_keras(project, tmp_path / "spirals.py")
    assert (code.name, data.name) == ("spirals.py", "spirals_data.npz")
    assert '"spirals_data.npz"' in code.read_text()
    expected = load("spirals", samples=50)
    with np.load(data) as arrays:
        np.testing.assert_array_equal(arrays["x"], expected.x)
        np.testing.assert_array_equal(arrays["y"], expected.y)


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(StudioError, match="No such file"):
        export_keras(START.project, tmp_path / "missing" / "model.py")


def test_constant_weights_are_told_their_value():
    spec = Spec("Dense", {"units": 3, "kernel_initializer": "constant"})
    assert expression(call(spec, layers)) == (
        "layers.Dense(3, kernel_initializer=keras.initializers.Constant(value=0.0))"
    )


def test_names_are_such_as_every_backend_takes():
    project = EXAMPLES[2].project
    given = ["First layer", "First_layer", "1.5 größer", "卷积"]
    for number, name in enumerate(given):
        project = edits.insert_block(project, number, "Dropout")
        project = edits.set_param(project, project.blocks[number].id, "name", name)
    within = {"class_name": "Dense", "config": {"units": 3, "name": "a b"}}
    wrapper = expression(call(Spec("TimeDistributed", {"layer": within}), layers))
    assert 'layers.Dense(3, name="a_b")' in wrapper
    code = keras_code(edits.set_loss_param(project, "name", "my loss"))
    assert re.findall(r'name="(.*?)"', code) == [
        "First_layer_2", "First_layer", "1_5_groer", "dropout", "my_loss",
    ]  # fmt: skip


def test_layers_within_a_frozen_one_are_told():
    inner = {"class_name": "TimeDistributed", "config": {
        "layer": {"class_name": "Dense", "config": {"units": 3}}}}  # fmt: skip
    spec = Spec("TimeDistributed", {"layer": inner, "trainable": False})
    told = " ".join(expression(call(spec, layers)).split())
    assert told.count("trainable=False") == 3
    assert "layers.Dense(3, trainable=False)" in told
    named = Spec("TimeDistributed", {"layer": "Flatten", "trainable": False})
    assert "layers.Flatten(trainable=False)" in expression(call(named, layers))


@pytest.mark.parametrize("cls", list(layers), ids=lambda cls: cls.__name__)
def test_every_layer_can_be_said(cls: type):
    """Any valid value of any parameter becomes an argument that Python can read."""
    spec = edits.insert_block(Project(), 0, cls.__name__).blocks[0].layer
    params: dict[str, Param] = cls.params
    for name, param in params.items():
        for value in param.samples()[0]:
            text = expression(call(edits.set_spec_param(spec, layers, name, value), layers))
            assert text.startswith(f"layers.{cls.__name__}(")
            ast.parse(text)


@pytest.mark.parametrize("cls", [cls for cls in metrics if cls.kinds], ids=lambda c: c.__name__)
def test_every_metric_can_be_said(cls: type):
    """Any valid value of any parameter becomes an argument that Python can read."""
    params: dict[str, Param] = cls.params
    spec = Spec(cls.__name__, {name: p.initial for name, p in params.items() if p.required})
    for name, param in params.items():
        for value in param.samples()[0]:
            text = expression(call(edits.set_spec_param(spec, metrics, name, value), metrics))
            assert text.startswith(f"keras.metrics.{cls.__name__}(")
            ast.parse(text)


@pytest.mark.parametrize("name", ["diabetes", "moons", "wine"])
def test_every_kind_of_target(name: str):
    project = edits.set_data(EXAMPLES[2].project, DataChoice(name))
    assert check(project).ok
    ast.parse(keras_code(project))


def test_examples_differ():
    def code(example: Example) -> str:
        return keras_code(example.project)

    assert len(set(map(code, EXAMPLES))) == len(EXAMPLES)
