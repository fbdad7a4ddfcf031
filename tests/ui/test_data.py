"""Choosing data in the window, and what follows from the choice."""

import pytest
from PySide6.QtWidgets import QStyle

from studio.data.catalogue import catalogue, load
from studio.ui.preview import Picture


def choose(window, name: str) -> None:
    box = window.data_panel.box
    box.setCurrentIndex(box.findData(name))
    box.activated.emit(box.currentIndex())


@pytest.mark.parametrize("info", catalogue(), ids=lambda info: info.name)
def test_every_data_set_can_be_chosen_and_is_previewed(window, qtbot, info):
    choose(window, info.name)
    assert window.document.project.data.name == info.name
    window.tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: window.data_panel.preview.isVisible())
    assert info.description in window.data_panel.description.text()
    assert info.title in window.stack_panel.data_card.accessibleName()


@pytest.mark.parametrize(
    ("name", "units", "activation", "loss"),
    [
        ("wine", 3, "softmax", "CategoricalCrossentropy"),
        ("breast_cancer", 1, "sigmoid", "BinaryCrossentropy"),
        ("diabetes", 1, "linear", "MeanSquaredError"),
    ],
)
def test_output_and_loss_follow_the_data(window, name, units, activation, loss):
    choose(window, name)
    project = window.document.project
    last = project.blocks[-1].layer
    assert last.config["units"] == units
    assert last.config.get("activation", "linear") == activation
    assert project.settings.loss.class_name == loss
    window.document.undo()
    assert window.document.project.data.name == "mnist_5k"


def test_choosing_the_same_data_again_changes_nothing(window):
    choose(window, "moons")
    window.data_panel.form.editors["noise"].field.setValue(0.3)
    before = window.document.project
    choose(window, "moons")
    assert window.document.project is before


def test_options_of_synthetic_data(window):
    choose(window, "moons")
    window.data_panel.form.editors["noise"].field.setValue(0.3)
    assert window.document.project.data.options["noise"] == 0.3


def test_a_picture_is_not_lower_for_a_scroll_bar(qtbot):
    """It would then fit without the bar, be higher again, and so on without an end."""
    picture = Picture()
    qtbot.addWidget(picture)
    picture.show_data(load("moons"))
    bar = picture.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
    picture.show()
    picture.resize(300, 200)
    height = picture.sizeHint().height()
    picture.resize(300 - bar, 200)
    assert picture.sizeHint().height() == height
    picture.resize(200, 200)
    assert picture.sizeHint().height() < height
