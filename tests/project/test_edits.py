"""Edits are pure, and store what the user set, in its normal form."""

import pytest

from studio.engine.errors import UnknownNameError
from studio.engine.layers import Dense
from studio.engine.layers import registry as layers
from studio.engine.regularizers import regularizers
from studio.project import edits
from studio.project.values import Project, Settings, Spec


def stack(*names: str) -> Project:
    project = Project()
    for name in names:
        project = edits.insert_block(project, len(project.blocks), name)
    return project


def classes(project: Project) -> list[str]:
    return [block.layer.class_name for block in project.blocks]


def test_insert_between_blocks():
    project = edits.insert_block(stack("Flatten", "Dense"), 1, "Dropout")
    assert classes(project) == ["Flatten", "Dropout", "Dense"]
    assert [block.id for block in project.blocks] == [1, 3, 2]


@pytest.mark.parametrize(
    "cls", [cls for cls in layers if cls.category], ids=lambda cls: cls.__name__
)
def test_every_layer_starts_valid(cls: type):
    block = edits.insert_block(Project(), 0, cls.__name__).blocks[0]
    assert isinstance(block.layer.make(layers), cls)


def test_insert_starts_with_useful_values():
    assert dict(stack("Dense").blocks[0].layer.config) == {"units": 32, "activation": "relu"}
    assert stack("Conv2D").blocks[0].layer.config["kernel_size"] == (3, 3)


def test_unknown_layer_is_refused():
    with pytest.raises(UnknownNameError, match="Dense"):
        edits.insert_block(Project(), 0, "Dens")


def test_move_counts_positions_without_the_moved_block():
    project = stack("Flatten", "Dense", "Dropout")
    assert classes(edits.move_block(project, 1, 2)) == ["Dense", "Dropout", "Flatten"]
    assert classes(edits.move_block(project, 3, 0)) == ["Dropout", "Flatten", "Dense"]
    assert edits.move_block(project, 2, 1) == project


def test_remove():
    assert classes(edits.remove_blocks(stack("Flatten", "Dense", "Dropout"), [1, 3])) == ["Dense"]


def test_duplicate_drops_the_name():
    project = edits.set_param(stack("Dense", "Dropout"), 1, "name", "first")
    project = edits.duplicate_block(project, 1)
    assert classes(project) == ["Dense", "Dense", "Dropout"]
    assert "name" not in project.blocks[1].layer.config
    assert project.blocks[1].layer.config["units"] == 32


def test_valid_value_is_kept_in_its_normal_form():
    project = edits.set_param(stack("Conv2D"), 1, "kernel_size", 5)
    assert project.blocks[0].layer.config["kernel_size"] == (5, 5)
    project = edits.set_param(project, 1, "activation", "ReLU")
    assert project.blocks[0].layer.config["activation"] == "relu"


def test_default_value_is_dropped():
    project = edits.set_param(stack("Dense"), 1, "activation", "linear")
    assert dict(project.blocks[0].layer.config) == {"units": 32}
    project = edits.set_param(project, 1, "kernel_regularizer", None)
    assert dict(project.blocks[0].layer.config) == {"units": 32}


def test_wrong_value_is_kept_as_it_is():
    project = edits.set_param(stack("Dense"), 1, "units", -3)
    assert project.blocks[0].layer.config["units"] == -3
    project = edits.set_param(project, 1, "units", "many")
    assert project.blocks[0].layer.config["units"] == "many"


def test_unknown_parameter_is_refused():
    with pytest.raises(UnknownNameError, match="units"):
        edits.set_param(stack("Dense"), 1, "unit", 3)


def test_factor_of_a_regularizer():
    project = edits.set_param(stack("Dense"), 1, "kernel_regularizer", "l2")
    regularizer = Spec.of(project.blocks[0].layer.config["kernel_regularizer"], regularizers)
    assert regularizer is not None
    assert regularizer == Spec("L2")
    stronger = edits.set_spec_param(regularizer, regularizers, "l2", 0.5)
    project = edits.set_param(project, 1, "kernel_regularizer", stronger.value)
    layer = project.blocks[0].layer.make(layers)
    assert isinstance(layer, Dense)
    assert layer.kernel_regularizer.get_config() == {"l2": 0.5}
    wrong = edits.set_spec_param(regularizer, regularizers, "l2", -1)
    project = edits.set_param(project, 1, "kernel_regularizer", wrong.value)
    stored = project.blocks[0].layer.config["kernel_regularizer"]
    assert Spec.of(stored, regularizers) == wrong
    back = edits.set_spec_param(wrong, regularizers, "l2", 0.01)
    project = edits.set_param(project, 1, "kernel_regularizer", back.value)
    assert project.blocks[0].layer.config["kernel_regularizer"] == "l2"


def test_settings():
    project = edits.set_settings(Project(), epochs=7)
    assert project.settings == Settings(epochs=7)
    project = edits.set_optimizer(project, "SGD")
    project = edits.set_optimizer_param(project, "learning_rate", 0.1)
    assert project.settings.optimizer == Spec("SGD", {"learning_rate": 0.1})
    project = edits.set_optimizer_param(project, "learning_rate", 0.01)
    assert project.settings.optimizer == Spec("SGD")
    project = edits.set_loss(project, "mse")
    assert project.settings.loss == Spec("MeanSquaredError")


def test_specs_are_equal_only_with_values_of_the_same_types():
    assert Spec("Dense", {"units": 1}) != Spec("Dense", {"units": True})
    assert Spec("Dense", {"units": 1}) != Spec("Dense", {"units": 1.0})
    one, other = {"a": [1, {"b": 2}], "c": 3}, {"c": 3, "a": (1, {"b": 2})}
    assert Spec("X", one) == Spec("X", other)
    assert hash(Spec("X", one)) == hash(Spec("X", other))


def test_values_cannot_be_changed():
    config = {"kernel_size": [3, 3]}
    spec = Spec("Conv2D", config)
    config["kernel_size"].append(4)
    assert spec.config["kernel_size"] == (3, 3)
    with pytest.raises(TypeError):
        spec.config["units"] = 3  # pyright: ignore[reportIndexIssue]
