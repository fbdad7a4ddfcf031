"""Training for real in the window."""

import gc
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QWidget

from studio.engine.errors import StudioError
from studio.project.edits import (
    insert_block,
    remove_blocks,
    set_data,
    set_optimizer,
    set_optimizer_param,
    set_param,
    set_settings,
)
from studio.project.trained import Trained
from studio.project.values import DataChoice
from studio.training.events import BatchEnd, ClassFigures, EpochEnd, Failed, Paused, Started
from studio.ui import theme
from studio.ui.plots import CurvePlot
from studio.ui.still import Still
from studio.ui.training_view import TrainingView


def finished(window) -> bool:
    return not window.runner.running


def test_training_draws_curves_and_keeps_weights(make_window, qtbot, iris):
    window = make_window(iris)
    window.actions_by_name["train"].trigger()
    assert window.runner.running
    assert not window.actions_by_name["train"].isEnabled()
    qtbot.waitUntil(lambda: finished(window), timeout=30_000)
    for plot in (window.training_view.loss, window.training_view.figure):
        for name in ("training", "validation"):
            series = plot.series[name]
            assert series.x.tolist() == list(range(1, 21))
            _, y = plot.curves[name].getData()
            np.testing.assert_array_equal(y, series.y)
        assert plot.series["batches"].count >= 20
    history = window.document.trained.history
    np.testing.assert_array_equal(window.training_view.loss.series["training"].y, history["loss"])
    assert window.training_view.loss.series["training"].y[-1] < 1.0
    bars = window.training_view.classes.bars[0].opts["height"]
    assert len(bars) == 3
    assert window.training_view.classes.names == ("setosa", "versicolor", "virginica")
    assert window.training_view.bar.value() == window.training_view.bar.maximum()
    assert window.isWindowModified()


def test_the_window_sees_every_epoch_in_order(make_window, qtbot, iris):
    window = make_window(iris)
    seen = []
    window.runner.happened.connect(seen.extend)
    window.train()
    qtbot.waitUntil(lambda: finished(window), timeout=30_000)
    assert [event.epoch for event in seen if isinstance(event, EpochEnd)] == list(range(1, 21))


def test_pause_resume_and_stop(make_window, qtbot, iris):
    window = make_window(set_settings(iris, epochs=100_000))
    window.train()
    qtbot.waitUntil(lambda: window.training_view.loss.series["batches"].count > 2)
    window.pause()
    assert window.runner.paused
    qtbot.waitUntil(lambda: "paused" in window.training_view.status.text())
    steps = window.training_view.bar.value()
    qtbot.wait(200)
    assert window.training_view.bar.value() == steps
    window.step()
    qtbot.waitUntil(lambda: window.training_view.bar.value() == steps + 1)
    window.pause()
    qtbot.waitUntil(lambda: window.training_view.bar.value() > steps + 10)
    window.stop()
    qtbot.waitUntil(lambda: finished(window), timeout=2_000)
    assert window.document.trained.report["stopped"]
    assert "Stopped" in window.training_view.status.text()


def test_curves_without_an_epoch_are_titled_by_what_a_run_would_give(make_window, qtbot, iris):
    numbers = set_data(set_settings(iris, epochs=1), DataChoice("diabetes"))
    window = make_window(numbers)
    view = window.training_view
    view.show_trained(
        Trained(
            numbers,
            {},
            {"epoch": np.zeros(0), "loss": np.zeros(0)},
            {"seconds": 0.1, "steps": 3, "figures": {}, "classes": []},
        )
    )
    assert view.figure_card.title.text() == "MAE (standardised)"


def test_a_problem_keeps_training_from_starting(make_window, qtbot, iris):
    window = make_window(insert_block(iris, 1, "Conv2D"))
    window.train()
    assert not window.runner.running
    assert window.notice.isVisible()
    assert "expected" in window.notice.message.text().lower()
    broken = window.document.project.blocks[1].id
    assert window.stack.chosen == broken
    assert window.block_panel.problem.isVisible()
    window.block_panel.problem.buttons[0].click()
    assert window.document.report.ok
    assert window.document.history.can_undo


def test_nan_is_told_until_something_is_edited(make_window, qtbot, iris, tmp_path):
    project = set_optimizer_param(set_optimizer(iris, "SGD"), "learning_rate", 1e30)
    window = make_window(project)
    window.train()
    qtbot.waitUntil(lambda: finished(window), timeout=10_000)
    assert window.notice.isVisible()
    assert "Lower the learning rate" in window.notice.message.text()
    assert window.training_view.status.text() == "Failed"
    assert window.training_view.clock.text().endswith(" batches")
    window.document.save(tmp_path / "a.studio")
    assert window.notice.isVisible()
    window.document.edit("Set optimizer", lambda now: set_optimizer(now, "Adam"))
    assert not window.notice.isVisible()


def test_an_edit_after_a_failure_leaves_other_notices(make_window, iris):
    window = make_window(iris)
    window.runner.happened.emit([Failed(StudioError("numbers", "NaN"))])
    window.notice.show_message("Saved the code.", kind="info")
    window.document.edit("Set epochs", lambda now: set_settings(now, epochs=3))
    assert window.notice.isVisible()


def test_closing_stops_a_run(make_window, qtbot, iris):
    window = make_window(set_settings(iris, epochs=1_000_000))
    window.train()
    qtbot.waitUntil(lambda: window.training_view.loss.series["batches"].count > 0)
    window.close()
    assert not window.runner.running


def test_a_run_may_follow_at_once(make_window, qtbot, iris):
    window = make_window(set_settings(iris, epochs=100_000))
    window.train()
    window.runner.finish()
    window.train()
    qtbot.waitUntil(lambda: window.training_view.loss.series["batches"].count > 2)
    assert window.runner.running
    window.runner.stop()
    qtbot.waitUntil(lambda: finished(window), timeout=10_000)


def test_nothing_is_searched_for_garbage_while_training(make_window, qtbot, iris):
    window = make_window(set_settings(iris, epochs=100_000))
    window.train()
    assert gc.get_freeze_count() > 10_000
    window.runner.finish()
    assert gc.get_freeze_count() == 0


def test_a_result_says_when_it_is_not_that_of_the_project(make_window, qtbot, iris, tmp_path):
    window = make_window(set_settings(iris, epochs=2))
    earlier = window.training_view.earlier
    window.train()
    qtbot.waitUntil(lambda: finished(window), timeout=30_000)
    assert not earlier.isVisible()
    for edit in (
        lambda now: set_param(now, 1, "units", 5),
        lambda now: set_data(now, DataChoice("wine")),
    ):
        window.document.edit("Edit", edit)
        assert earlier.isVisible()
        assert window.training_view.loss.series["training"].count == 2
        window.document.undo()
        assert not earlier.isVisible()
    window.document.edit("Set epochs", lambda now: set_settings(now, epochs=100_000))
    assert not earlier.isVisible()
    window.document.edit("Set units", lambda now: set_param(now, 1, "units", 5))
    window.document.save(tmp_path / "a.studio")
    window.files.open(tmp_path / "a.studio")
    assert earlier.isVisible()
    window.train()
    qtbot.waitUntil(lambda: window.training_view.loss.series["batches"].count > 0)
    assert not earlier.isVisible()


def test_edits_while_training_do_not_touch_the_run(make_window, qtbot, iris):
    window = make_window(set_settings(iris, epochs=300))
    window.train()
    window.stack.choose(iris.blocks[0].id)
    window.block_panel.form.editors["units"].field.setValue(5)
    qtbot.waitUntil(lambda: finished(window), timeout=30_000)
    assert window.document.trained.project.blocks == iris.blocks
    assert window.document.project.blocks != iris.blocks


@pytest.mark.timeout(200)
def test_five_thousand_repaints(qtbot):
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.recolour(theme.LIGHT)
    plot.resize(400, 200)
    plot.show()
    for number in range(5_000):
        plot.points.add("batches", number / 100, 1 / (number + 1))
        if number % 100 == 0:
            plot.points.add("training", number / 100, 1 / (number + 1))
        plot.show_points()
        plot.viewport().repaint()
        if number % 50 == 0:
            QApplication.processEvents()
    x, _ = plot.curves["batches"].getOriginalDataset()
    assert len(x) == 5_000


def drawn(view: TrainingView) -> list[int]:
    """How many points of the batches stand in each plot, and how many bars."""

    def points(x: Any) -> int:
        return 0 if x is None else len(x)

    counts = [points(plot.curves["batches"].xData) for plot in (view.loss, view.figure)]
    return [*counts, points(view.classes.bars[0].opts["height"])]


def test_while_a_run_goes_on_one_plot_is_drawn_at_a_time(qtbot):
    view = TrainingView()
    qtbot.addWidget(view)
    figures = {"loss": 0.5, "accuracy": 0.8}
    classes = (ClassFigures("a", 0.5, 0.5, 0.5, 4), ClassFigures("b", 0.5, 0.5, 0.5, 4))
    begun = Started(5, 2, 8, 0, ("a", "b"), ("accuracy",))
    batch = BatchEnd(1, 2, 2, figures, 0.1)
    epoch = EpochEnd(1, figures, classes, False, 0.1)
    view.take([begun, batch, epoch])
    assert drawn(view) == [1, 0, 0]
    view.take([])
    assert drawn(view) == [1, 1, 0]
    view.take([])
    assert drawn(view) == [1, 1, 2]
    view.take([batch])
    view.take([batch])
    assert drawn(view) == [2, 3, 2]
    view.take([Paused()])
    assert drawn(view) == [3, 3, 2]


def test_changing_words_do_not_lay_the_window_out_anew(qtbot):
    requests = []

    class Window(QWidget):
        def event(self, event):
            if event.type() == QEvent.Type.LayoutRequest:
                requests.append(event)
            return super().event(event)

    label = QLabel("12345")
    still = Still(label)
    window = Window()
    qtbot.addWidget(window)
    QHBoxLayout(window).addWidget(still)
    window.show()
    QApplication.processEvents()
    room = still.sizeHint()

    def laid_out(text: str) -> bool:
        requests.clear()
        label.setText(text)
        # The label asks its place for room, which asks the window.
        for _ in range(3):
            QApplication.processEvents()
        return bool(requests)

    assert not laid_out("1")
    assert not laid_out("54321")
    assert laid_out("a good deal longer than all before")
    assert still.sizeHint().width() > room.width()
    window.adjustSize()
    assert label.width() >= label.sizeHint().width()


def test_a_run_of_more_batches_than_the_bar_can_count(make_window, qtbot, iris):
    window = make_window(set_settings(iris, batch_size=1, epochs=10**9))
    window.train()
    qtbot.waitUntil(lambda: window.training_view.loss.series["batches"].count > 2)
    assert "of 1000000000 · batch" in window.training_view.status.text()
    window.stop()
    qtbot.waitUntil(lambda: finished(window), timeout=5_000)


def test_a_notice_goes_with_its_problem(make_window, iris):
    project = set_param(iris, 1, "units", 0)
    window = make_window(project)
    window.train()
    assert window.notice.isVisible()
    window.document.edit("Rename", lambda now: set_param(now, 2, "name", "last"))
    assert window.notice.isVisible()
    window.document.edit("Remove", lambda now: remove_blocks(now, [1]))
    assert not window.notice.isVisible()
