"""The property panel follows the layers' declarations."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.engine.errors import StudioError
from studio.engine.layers import registry as layers
from studio.engine.params import Boolean, Choice, Integer, Integers, Real
from studio.project.edits import insert_block, set_optimizer_param, set_param, set_settings
from studio.project.values import Project
from studio.ui.editors import (
    BooleanEditor,
    ChoiceEditor,
    NumberEditor,
    NumbersEditor,
    SizesEditor,
    editor_for,
)
from studio.ui.fields import RealSpin
from studio.ui.forms import NamedEditor

Key = Qt.Key
OFFERED = [cls.__name__ for cls in layers if cls.category]


@pytest.mark.parametrize("name", OFFERED)
def test_every_layer_gets_an_editor_per_parameter(make_window, name):
    project = insert_block(Project(), 0, name)
    window = make_window(project)
    window.stack.choose(project.blocks[0].id)
    form = window.block_panel.form
    cls = layers.find(name)
    assert set(form.editors) == set(cls.params)
    assert window.document.project is project, "showing a block must not edit it"
    for param_name, editor in form.editors.items():
        param = cls.params[param_name]
        kinds = {
            Boolean: BooleanEditor, Choice: ChoiceEditor, Integer: NumberEditor, Real: NumberEditor,
        }  # fmt: skip
        expected = next((kind for of, kind in kinds.items() if isinstance(param, of)), None)
        if getattr(param, "registry", None):
            expected = NamedEditor
        elif isinstance(param, Integers) and param.length:
            expected = SizesEditor
        if expected:
            assert isinstance(editor, expected)
        assert param.expected in editor.toolTip()


TYPED = [
    (cls.__name__, name)
    for cls in layers
    for name, param in cls.params.items()
    if param.numeric and not (isinstance(param, Integers) and param.length)
]


@pytest.mark.parametrize(("layer", "name"), TYPED)
def test_numbers_can_be_typed(qtbot, layer, name) -> None:
    """What is shown of a value means that value, and what is typed reaches the one who asks."""
    param = layers.find(layer).params[name]
    editor = editor_for(param)
    assert isinstance(editor, NumbersEditor)
    qtbot.addWidget(editor)
    heard = []
    editor.edited.connect(heard.append)
    good, bad = param.samples()
    for value in good:
        editor.show_value(param.to_config(param.checked(value)))
        shown = editor.field.text()
        assert not heard, "showing is not editing"
        editor.field.clear()
        QTest.keyClicks(editor.field, shown)
        assert param.checked(heard[-1]) == param.checked(value)
        editor.show_value(param.to_config(param.checked(value)))
        assert editor.field.text() == shown
        heard.clear()
    # In a line of text, a list of one number is that number.
    for value in (value for value in bad if not (isinstance(value, list) and len(value) == 1)):
        editor.field.clear()
        QTest.keyClicks(editor.field, str(value))
        with pytest.raises(StudioError):
            param.checked(heard[-1])


def test_numbers_stay_as_they_are_typed(make_window):
    """A turn of 0.25 either way is a range for the layer, but typing is not interrupted by it."""
    project = insert_block(Project(), 0, "RandomRotation")
    window = make_window(project)
    window.stack.choose(project.blocks[0].id)
    field = window.block_panel.form.editors["factor"].field
    field.selectAll()
    QTest.keyClicks(field, "0.25")
    assert field.text() == "0.25"
    assert config(window)["factor"] == (-0.25, 0.25)
    QTest.keyClicks(field, ", x")
    assert field.text() == "0.25, x"
    assert config(window)["factor"] == "0.25, x"
    assert "a number of at least 0" in window.block_panel.problem.message.text()


@pytest.fixture
def dense(make_window):
    project = insert_block(Project(), 0, "Dense")
    window = make_window(project)
    window.stack.choose(project.blocks[0].id)
    return window


def config(window) -> dict:
    return dict(window.document.project.blocks[0].layer.config)


def test_edits_reach_the_project(dense):
    form = dense.block_panel.form
    form.editors["units"].field.setValue(77)
    form.editors["use_bias"].box.setChecked(False)
    assert config(dense)["units"] == 77
    assert config(dense)["use_bias"] is False


def test_a_regularizer_shows_its_factors(dense):
    editor = dense.block_panel.form.editors["kernel_regularizer"]
    assert [editor.box.itemText(i) for i in range(4)] == ["none", "l1", "l2", "l1l2"]
    editor.box.setCurrentIndex(3)
    editor.box.activated.emit(3)
    assert set(editor.form.editors) == {"l1", "l2"}
    editor.form.editors["l2"].field.setValue(0.25)
    value = config(dense)["kernel_regularizer"]
    assert value["class_name"] == "L1L2"
    assert value["config"]["l2"] == 0.25
    dense.document.undo()
    dense.document.undo()
    assert "kernel_regularizer" not in config(dense)
    assert editor.box.currentText() == "none"


def choose(editor, name):
    """Choose from the list, as a click does."""
    place = editor.box.findText(name)
    editor.box.setCurrentIndex(place)
    editor.box.activated.emit(place)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_a_backward_layer_reads_from_the_end(make_window, name):
    project = insert_block(Project(), 0, "Bidirectional")
    window = make_window(project)
    window.stack.choose(project.blocks[0].id)
    choose(window.block_panel.form.editors["backward_layer"], name)
    block = window.document.project.blocks[0]
    assert block.layer.config["backward_layer"]["config"]["go_backwards"]
    assert isinstance(block.layer.make(layers), layers.find("Bidirectional"))


def test_another_class_keeps_what_both_have(make_window):
    window = make_window(Project())
    optimizer = window.training_panel.form.editors["optimizer"]

    def rate():
        return window.document.project.settings.optimizer.config.get("learning_rate")

    choose(optimizer, "sgd")
    assert rate() is None
    optimizer.form.editors["learning_rate"].number.field.setValue(0.05)
    choose(optimizer, "adam")
    assert rate() == 0.05
    choose(optimizer.form.editors["learning_rate"], "ExponentialDecay")
    assert rate()["config"]["initial_learning_rate"] == 0.05
    optimizer.form.editors["learning_rate"].form.editors["decay_rate"].field.setValue(0.5)
    choose(optimizer.form.editors["learning_rate"], "InverseTimeDecay")
    assert rate()["config"]["decay_rate"] == 0.5
    assert rate()["config"]["name"] == "InverseTimeDecay"
    choose(optimizer.form.editors["learning_rate"], "constant")
    assert rate() == 0.05
    window.stack.insert("Bidirectional")
    layer = window.block_panel.form.editors["layer"]
    layer.form.editors["units"].field.setValue(40)
    for name in ("GRU", "GRU"):
        choose(layer, name)
        block = window.document.project.block(window.stack.chosen)
        inner = block.layer.config["layer"]
        assert (inner["class_name"], inner["config"]["units"]) == ("GRU", 40)
        assert inner["config"]["name"] == "gru"


def test_what_another_class_does_not_take_is_left(window):
    window.stack.insert("Dense")
    editor = window.block_panel.form.editors["kernel_initializer"]
    choose(editor, "random_uniform")
    editor.form.editors["seed"].set.click()
    choose(editor, "constant")
    choose(editor, "zeros")
    block = window.document.project.block(window.stack.chosen)
    assert block.layer.config["kernel_initializer"] == "zeros"


def test_the_same_number_typed_anew_changes_nothing(window):
    window.stack.choose(window.document.project.blocks[0].id)
    field = window.block_panel.form.editors["filters"].field
    shown = field.text()
    field.selectAll()
    QTest.keyClicks(field, shown)
    assert not window.document.history.can_undo
    assert not window.isWindowModified()
    field.setValue(3)
    window.document.edit("Edit", lambda project: set_settings(project, epochs=99))
    field.setValue(int(shown))
    assert window.isWindowModified()
    was = Project().settings.epochs
    window.document.edit("Edit", lambda project: set_settings(project, epochs=was))
    assert len(window.document.history.past) == 4
    assert not window.isWindowModified()


def test_only_a_burst_in_one_field_is_one_step(window):
    editor = window.training_panel.form.editors["optimizer"]
    for value in (0.05, 0.06):
        editor.form.editors["learning_rate"].number.field.setValue(value)
    choose(editor, "sgd")
    choose(editor, "adam")
    assert len(window.document.history.past) == 3
    window.stack.insert("Bidirectional")
    layer = window.block_panel.form.editors["layer"]
    for value in (40, 41):
        layer.form.editors["units"].field.setValue(value)
    layer.form.editors["dropout"].field.setValue(0.5)
    choose(layer, "GRU")
    choose(layer, "LSTM")
    assert len(window.document.history.past) == 8
    window.block_panel.form.editors["trainable"].box.click()
    choose(window.block_panel.form.editors["backward_layer"], "GRU")
    choose(window.block_panel.form.editors["backward_layer"], "none")
    assert len(window.document.history.past) == 11


def test_a_wrong_value_is_shown_at_its_field(dense):
    block = dense.document.project.blocks[0].id
    dense.document.edit("break", lambda project: set_param(project, block, "units", 0))
    error = dense.block_panel.form._errors["units"]
    assert not error.isHidden()
    assert "at least 1" in error.text()
    assert not dense.document.report.ok


def test_small_numbers_are_readable_and_exact(window):
    window.show_training()
    rate = window.training_panel.form.editors["optimizer"].form.editors["learning_rate"].number
    rate.field.setValue(0.0003)
    assert window.document.project.settings.optimizer.config["learning_rate"] == 0.0003
    assert rate.field.text() == "0.0003"
    rate.field.stepUp()
    assert rate.field.value() == 0.0005


@pytest.fixture
def rows(make_window, iris) -> dict:
    """The window and a field, by the name of the value that it edits."""
    window = make_window(iris)
    window.stack.choose(iris.blocks[0].id)
    settings = window.training_panel.form.editors
    return {
        "units": (window, window.block_panel.form.editors["units"].field),
        "seed": (window, settings["seed"].field),
        "validation_split": (window, settings["validation_split"].field),
    }


def held(window, name: str) -> float:
    project = window.document.project
    return (
        project.blocks[0].layer.config["units"] if name == "units" else vars(project.settings)[name]
    )


@pytest.mark.parametrize("pasted", [False, True])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("units", "0,5"), ("units", "2.5"), ("units", "1,000"), ("units", "0"), ("units", ""),
        ("units", "99999999999"), ("seed", "2.5"), ("seed", "1,000"), ("seed", "-1"),
        ("validation_split", "-0.1"), ("validation_split", "-0"), ("validation_split", "1e"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_put_back(rows, name, text, pasted):
    window, field = rows[name]
    before, shown = held(window, name), field.text()
    for leave in (Key.Key_Tab, Key.Key_Return, Key.Key_Escape):
        field.setFocus()
        field.selectAll()
        QTest.keyClick(field, Key.Key_Delete)
        if pasted:
            QApplication.clipboard().setText(text)
            field.lineEdit().paste()
        else:
            QTest.keyClicks(field, text)
        assert held(window, name) == before, "not even until the cursor leaves"
        QTest.keyClick(field, leave)
        assert field.text() == shown
        assert held(window, name) == before


def test_numbers_are_taken_as_they_are_typed(rows):
    for name, text, value in (
        ("units", " 48 ", 48), ("seed", "3000000001", 3_000_000_001),
        ("validation_split", "0,25", 0.25), ("validation_split", "1E-1", 0.1),
    ):  # fmt: skip
        window, field = rows[name]
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
        assert held(window, name) == value


def test_escape_brings_the_former_number_back(rows):
    window, field = rows["units"]
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "640")
    assert held(window, "units") == 640
    QTest.keyClick(field, Key.Key_Escape)
    assert (field.text(), held(window, "units")) == ("16", 16)
    QTest.keyClicks(field, "2.")
    QTest.keyClick(field, Key.Key_Backspace)
    assert held(window, "units") == 2


@pytest.mark.parametrize(
    ("low", "high", "value", "up", "down"),
    [
        (-1e12, 1e12, -0.05, -0.02, -0.1), (-1e12, 1e12, -1, -0.5, -2), (-1e12, 1e12, 3, 5, 2),
        (-1e12, 1e12, 0, 0.001, -0.001), (-1e12, 1e12, -0.001, 0, -0.002),
        (-1e12, 1e12, 0.001, 0.002, 0), (0, 1e12, 0.001, 0.002, 0.0005), (0, 1e12, 0, 0.001, 0),
        (0, 1e12, 1e-12, 2e-12, 0), (0, 1, 0, 0.05, 0), (0, 1, 0.04, 0.05, 0.02),
        (0, 1, 0.05, 0.1, 0), (0, 1, 0.5, 0.55, 0.45), (0, 1, 1, 1, 0.95),
        (-1, 1, -0.5, -0.45, -0.55), (-1, 1, 0, 0.05, -0.05), (-1, 1, 0.99, 1, 0.94),
    ],
)  # fmt: skip
def test_steps_lead_up_and_down(qtbot, low, high, value, up, down):
    field = RealSpin()
    qtbot.addWidget(field)
    field.setDecimals(12)
    field.setRange(low, high)
    for step, expected in ((field.stepUp, up), (field.stepDown, down)):
        field.setValue(value)
        step()
        assert field.value() == pytest.approx(expected, rel=1e-9)


def test_optimizer_and_loss_are_chosen(window):
    editors = window.training_panel.form.editors
    box = editors["optimizer"].box
    box.setCurrentIndex(box.findText("sgd"))
    box.activated.emit(box.currentIndex())
    assert window.document.project.settings.optimizer.class_name == "SGD"
    assert "momentum" in editors["optimizer"].form.editors
    editors["epochs"].field.setValue(9)
    assert window.document.project.settings.epochs == 9


def test_what_is_optional_becomes_none_again(dense):
    editor = dense.block_panel.form.editors["kernel_regularizer"]
    for name in ("L2", None):
        editor.box.setCurrentIndex(editor.box.findData(name))
        editor.box.activated.emit(editor.box.currentIndex())
        assert ("kernel_regularizer" in config(dense)) == (name is not None)


def test_large_numbers_of_a_file_are_shown(make_window, iris):
    window = make_window(set_settings(iris, seed=3_000_000_000))
    seed = window.training_panel.form.editors["seed"]
    assert seed.field.text() == "3000000000"
    seed.field.stepUp()
    assert window.document.project.settings.seed == 3_000_000_001
    beyond = set_settings(iris, epochs=10**400, batch_size=10**20, validation_split=float("nan"))
    window.document.edit("Damage", lambda _: beyond)
    assert window.document.errors
    assert window.training_panel.form.editors["epochs"].field.value() == 10**9


def test_enter_leaves_all_digits(make_window, iris):
    window = make_window(set_optimizer_param(iris, "learning_rate", 0.00123456789))
    before = window.document.project
    field = (
        window.training_panel.form.editors["optimizer"].form.editors["learning_rate"].number.field
    )
    assert field.text() == "0.00123456789"
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.document.project == before
