"""Choosing metrics in the window, and looking at their curves."""

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from studio.project import edits
from studio.project.metrics import offered_metrics
from studio.project.values import DataChoice, Project, Spec

Key = Qt.Key


@pytest.fixture
def watched(iris: Project) -> Project:
    return edits.add_metric(edits.add_metric(iris, "AUC"), "F1Score")


def chosen(window) -> tuple[Spec, ...]:
    return window.document.project.settings.metrics


def editor(window):
    return window.training_panel.metrics


def menu(window) -> dict:
    editor(window).menu.aboutToShow.emit()
    return {action.text(): action for action in editor(window).menu.actions()}


def pick(box, name: str) -> None:
    box.setCurrentIndex(box.findData(name))
    box.activated.emit(box.currentIndex())


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def finish(window, qtbot) -> None:
    qtbot.waitUntil(lambda: not window.runner.running, timeout=30_000)


# Choosing


def test_each_metric_is_added_once_and_undone_by_itself(make_window, iris):
    window = make_window(iris)
    window.show_training()
    assert not editor(window).below.isVisible()
    offered = offered_metrics(window.document.info)
    assert len(menu(window)) == len(offered)
    assert menu(window)["auc"].toolTip().startswith("How well a threshold")
    menu(window)["auc"].trigger()
    menu(window)["f1_score"].trigger()
    assert chosen(window) == (Spec("AUC"), Spec("F1Score", {"average": "macro"}))
    assert editor(window).below.isVisible()
    assert [row.editor.box.currentText() for row in editor(window).rows] == ["auc", "f1_score"]
    assert not {"auc", "f1_score"} & menu(window).keys()
    assert window.document.history.undo_label == "Add F1 score"
    window.document.undo()
    assert chosen(window) == (Spec("AUC"),)
    assert len(editor(window).rows) == 1
    assert "f1_score" in menu(window)
    assert not window.document.errors


def test_there_is_an_end_to_adding(make_window, iris):
    window = make_window(iris)
    while editor(window).add.isEnabled():
        next(iter(menu(window).values())).trigger()
    assert chosen(window) == offered_metrics(window.document.info)
    assert window.document.report.problems == ()


def test_parameters_fold_below_and_typing_is_one_step(make_window, watched):
    window = make_window(watched)
    window.show_training()
    row = editor(window).rows[0]
    assert not row.editor.below.isVisible()
    row.editor.more.click()
    assert row.editor.below.isVisible()
    pick(row.editor.form.editors["curve"].box, "pr")
    assert chosen(window)[0] == Spec("AUC", {"curve": "pr"})
    points = row.editor.form.editors["num_thresholds"].field
    points.setValue(50)
    points.setValue(60)
    assert chosen(window)[0].config["num_thresholds"] == 60
    window.document.undo()
    assert chosen(window)[0] == Spec("AUC", {"curve": "pr"})
    window.document.undo()
    assert chosen(window) == watched.settings.metrics
    assert row.editor.below.isVisible(), "an edit leaves open what is open"


def test_another_metric_takes_the_place_with_values_for_the_data(make_window, watched):
    window = make_window(edits.set_data(watched, DataChoice("moons")))
    pick(editor(window).rows[0].editor.box, "FBetaScore")
    fitted = {"average": "macro", "threshold": 0.5}
    assert chosen(window) == (Spec("FBetaScore", fitted), Spec("F1Score", fitted))
    box = editor(window).rows[1].editor.box
    assert box.findData("TruePositives") >= 0
    assert box.findData("KLDivergence") < 0
    assert box.findData("ConfusionMatrix") < 0


def test_removing_leaves_the_others_as_they_are(make_window, watched, qtbot):
    window = make_window(edits.add_metric(watched, "Recall"))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.show_training()
    first, second, third = editor(window).rows
    second.editor.more.click()
    QTest.mouseClick(first.remove, Qt.MouseButton.LeftButton)
    assert [spec.class_name for spec in chosen(window)] == ["F1Score", "Recall"]
    assert editor(window).rows == [second, third]
    assert second.editor.below.isVisible()
    assert second.remove.hasFocus()
    for _ in range(2):
        QTest.keyClick(focused(), Key.Key_Space)
    assert chosen(window) == ()
    assert editor(window).add.hasFocus()
    for number in range(1, 4):
        window.document.undo()
        assert len(editor(window).rows) == number
    assert chosen(window) == edits.add_metric(watched, "Recall").settings.metrics


def test_what_is_wrong_stands_at_its_row_with_a_fix(make_window, watched):
    recall, wrong = Spec("Recall"), Spec("AUC", {"curve": "x"})
    project = edits.set_settings(watched, metrics=(recall, wrong, Spec("Kappa")))
    window = make_window(project)
    window.show_training()
    first, second, third = editor(window).rows
    assert first.error.isHidden()
    assert not first.editor.box.property("wrong")
    assert second.editor.below.isVisible(), "a wrong parameter is not folded away"
    assert "'roc'" in second.editor.form._errors["curve"].text()
    assert "'Kappa'" in third.error.text()
    assert third.editor.box.property("wrong")
    assert third.editor.box.placeholderText() == "Kappa"
    buttons = window.training_panel.problem.buttons
    assert [button.text() for button in buttons] == ["Set curve to roc", "Remove AUC"]
    buttons[0].click()
    assert chosen(window) == (recall, Spec("AUC"), Spec("Kappa"))
    assert second.editor.form._errors["curve"].isHidden()
    pick(third.editor.box, "Precision")
    assert window.document.report.ok
    assert third.error.isHidden()
    assert not third.editor.box.property("wrong")


def test_a_wrong_parameter_of_the_optimizer_stands_at_its_field(make_window, iris):
    window = make_window(edits.set_optimizer_param(iris, "beta_1", 3.0))
    form = window.training_panel.form.editors["optimizer"].form
    assert "below 1" in form._errors["beta_1"].text()
    window.document.apply(window.document.errors[0].fixes[0])
    assert form._errors["beta_1"].isHidden()


def test_other_data_take_away_what_does_not_suit(make_window, watched):
    window = make_window(watched)
    box = window.data_panel.box
    pick(box, "diabetes")
    assert chosen(window) == ()
    assert "root_mean_squared_error" in menu(window)
    assert "f1_score" not in menu(window)
    window.document.undo()
    assert chosen(window) == watched.settings.metrics
    assert len(editor(window).rows) == 2


# The keyboard


def test_a_metric_is_added_by_keyboard_alone(make_window, iris, qtbot):
    window = make_window(iris)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.show_training()
    editor(window).add.setFocus()
    offered = offered_metrics(window.document.info)

    def choose() -> None:
        for _ in range(2):
            QTest.keyClick(editor(window).menu, Key.Key_Down)
        QTest.keyClick(editor(window).menu, Key.Key_Return)

    QTimer.singleShot(100, editor(window).menu, choose)
    QTest.keyClick(editor(window).add, Key.Key_Space)
    qtbot.waitUntil(lambda: chosen(window) == (offered[1],))


def test_tab_goes_through_the_settings_from_top_to_bottom(make_window, watched, qtbot):
    window = make_window(watched)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.show_training()
    editor(window).rows[1].editor.more.click()
    form = window.training_panel.form
    first, last = form.editors["optimizer"].box, form.editors["seed"].field
    first.setFocus()
    seen: list[QWidget] = [first]
    while seen[-1] is not last and len(seen) < 40:
        QTest.keyClick(seen[-1], Key.Key_Tab)
        seen.append(focused())
    heights = [widget.mapTo(window, widget.rect().center()).y() for widget in seen]
    assert heights == sorted(heights), "fields are met as they stand"
    one, other = editor(window).rows
    wanted = [
        editor(window).add, one.editor.box, one.editor.more, one.remove, other.editor.box,
        other.editor.more, other.remove, other.editor.form.editors["average"].box,
    ]  # fmt: skip
    place = seen.index(wanted[0])
    assert seen[place : place + len(wanted)] == wanted
    assert form.editors["optimizer"].form.editors["learning_rate"].number.field in seen


def test_all_parts_have_names(make_window, watched):
    window = make_window(watched)
    window.show_training()
    for row in editor(window).rows:
        row.editor.more.click()
    window.training_view.figure_card.choice.setFocus()
    heard = []
    for widget in window.findChildren(QWidget):
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            name = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
            assert name or widget.focusProxy(), f"{widget} says nothing to a screen reader"
            # Qt calls a choice by its text on Linux, and tells the name besides.
            heard += [name, widget.accessibleName()]
    wanted = {
        "Add a metric",
        "Metrics 1",
        "Settings of auc",
        "Remove f1_score",
        "Figure in the plot",
    }
    assert wanted <= set(heard)


# The plot


def shown(window) -> dict[str, np.ndarray]:
    plot = window.training_view.figure
    return {name: plot.curves[name].getOriginalDataset()[1] for name in ("training", "validation")}


def same(window, trained, name: str) -> None:
    history = trained.history
    np.testing.assert_array_equal(shown(window)["training"], history[name])
    np.testing.assert_array_equal(shown(window)["validation"], history[f"val_{name}"])


def test_one_figure_has_a_title_several_a_choice(make_window, iris):
    window = make_window(iris)
    card = window.training_view.figure_card
    assert card.title.isVisible()
    assert not card.choice.isVisible()
    menu(window)["auc"].trigger()
    assert not card.title.isVisible()
    assert [card.choice.itemText(n) for n in range(card.choice.count())] == ["Accuracy", "AUC"]
    pick(card.choice, "auc")
    menu(window)["recall"].trigger()
    assert card.choice.currentText() == "AUC", "the choice stays"
    editor(window).rows[0].remove.click()
    assert card.choice.currentText() == "Accuracy"
    editor(window).rows[0].remove.click()
    assert card.title.isVisible()
    assert card.title.text() == "Accuracy"


def test_switching_draws_what_was_recorded(make_window, qtbot, watched):
    window = make_window(watched)
    window.train()
    finish(window, qtbot)
    trained = window.document.trained
    card = window.training_view.figure_card
    batches = window.training_view.figure.series["batches"].count
    assert batches >= 20
    same(window, trained, "accuracy")
    for name, title in (("auc", "AUC"), ("f1_score", "F1 score"), ("accuracy", "Accuracy")):
        pick(card.choice, name)
        same(window, trained, name)
        assert window.training_view.figure.series["batches"].count == batches
        assert window.training_view.figure.accessibleName() == title
        assert f"{trained.history[f'val_{name}'][-1]:.4g}" in card.legend.text()
    np.testing.assert_array_equal(
        window.training_view.loss.curves["training"].getOriginalDataset()[1],
        trained.history["loss"],
    )


def test_switching_while_it_trains(make_window, qtbot, watched):
    window = make_window(edits.set_settings(watched, epochs=100_000))
    window.train()
    figure = window.training_view.figure
    qtbot.waitUntil(lambda: figure.series["training"].count > 3)
    pick(window.training_view.figure_card.choice, "auc")
    before = figure.series["training"].count
    assert before > 3
    qtbot.waitUntil(lambda: figure.series["training"].count > before)
    window.stop()
    finish(window, qtbot)
    same(window, window.document.trained, "auc")


def test_a_run_from_a_file_has_its_choice(make_window, qtbot, watched, tmp_path):
    window = make_window(watched)
    window.train()
    finish(window, qtbot)
    trained = window.document.trained
    path = tmp_path / "flowers.studio"
    window.document.save(path)
    window.files.new()
    editor(window).rows[0].remove.click()
    other = make_window()
    assert not other.training_view.figure_card.choice.isVisible()
    other.document.open(path)
    pick(other.training_view.figure_card.choice, "f1_score")
    same(other, trained, "f1_score")
    assert len(editor(other).rows) == 2


def test_a_regression_can_show_how_much_is_explained(make_window, qtbot, watched):
    window = make_window(edits.set_data(watched, DataChoice("diabetes")))
    choice = window.training_view.figure_card.choice
    assert [choice.itemText(n) for n in range(2)] == ["MAE (standardised)", "R2 score"]
    window.train()
    pick(choice, "r2_score")
    finish(window, qtbot)
    same(window, window.document.trained, "r2_score")
    assert "validation MAE" in window.training_view.status.text()
