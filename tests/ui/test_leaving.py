"""Nothing is lost: recent files, examples, and what is asked before a project gives way."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox

from studio.project.edits import set_settings
from studio.project.file import Saved, load, save
from studio.ui.files import REMEMBERED
from studio.ui.window import MainWindow

Button = QMessageBox.StandardButton


@pytest.fixture
def asked(monkeypatch):
    """What was asked; the answer is the first of a list that a test may change."""
    answers, questions = [Button.Cancel], []

    def ask(_parent, title: str, words: str, *_rest):
        questions.append((title, words))
        return answers[0]

    monkeypatch.setattr(QMessageBox, "question", ask)
    return answers, questions


@pytest.fixture
def training(make_window, qtbot, iris, asked) -> Iterator[MainWindow]:
    """A window in which a long run is under way."""
    window = make_window(set_settings(iris, epochs=1_000_000))
    window.train()
    qtbot.waitUntil(lambda: window.training_view.loss.series["batches"].count > 0)
    yield window
    asked[0][0] = Button.Discard


def test_a_run_goes_on_if_the_answer_is_to_stay(training, qtbot, asked):
    assert not training.close()
    assert asked[1][0][0] == "Training is under way"
    assert training.runner.running
    assert not training.runner.paused
    steps = training.training_view.bar.value()
    qtbot.waitUntil(lambda: training.training_view.bar.value() > steps)


def test_a_question_without_an_answer_changes_nothing(make_window, asked, iris, tmp_path):
    path = tmp_path / "mine.studio"
    save(path, Saved(iris))
    before, window = path.read_bytes(), make_window()
    window.files.open(path)
    window.document.edit("Longer", lambda project: set_settings(project, epochs=7))
    asked[0][0] = Button.NoButton
    assert not window.close()
    assert path.read_bytes() == before
    asked[0][0] = Button.Discard


def test_a_paused_run_stays_paused(training, qtbot):
    training.pause()
    assert not training.close()
    assert training.runner.paused


def test_what_a_run_has_reached_is_saved_on_leaving(training, asked, monkeypatch, tmp_path):
    path = tmp_path / "kept.studio"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    asked[0][0] = Button.Save
    assert training.close()
    saved = load(path)
    assert saved.trained is not None
    assert saved.trained.report["stopped"]
    assert saved.trained.report["steps"] > 0


def test_a_dialog_left_without_a_file_keeps_the_window(training, asked, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: ("", ""))
    asked[0][0] = Button.Save
    assert not training.close()
    assert training.document.trained is not None


def test_a_run_goes_on_until_another_project_has_been_read(training, asked, monkeypatch, tmp_path):
    asked[0][0] = Button.Discard
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: ("", ""))
    training.files.open()
    training.files.open(tmp_path / "not there.studio")
    assert training.runner.running
    assert not training.runner.paused
    assert not asked[1]
    save(tmp_path / "other.studio", Saved(training.document.project))
    training.files.open(tmp_path / "other.studio")
    assert not training.runner.running
    assert training.document.title == "other"


def test_opening_the_project_at_hand_opens_what_has_been_saved(make_window, asked, iris, tmp_path):
    window, path = make_window(iris), tmp_path / "mine.studio"
    window.document.save(path)
    window.document.edit("Longer", lambda project: set_settings(project, epochs=7))
    asked[0][0] = Button.Save
    window.files.open(path)
    assert window.document.project.settings.epochs == 7


def test_recent_files_are_offered_newest_first(window, tmp_path):
    paths = [tmp_path / f"{number}.studio" for number in range(REMEMBERED + 2)]
    for path in paths:
        window.document.save(path)
        assert window.files._save(path)
    menu = QMenu(window)
    window.files.fill_recent(menu)
    wanted = [path.name for path in paths[::-1][:REMEMBERED]]
    assert [action.text() for action in menu.actions()] == wanted
    menu.actions()[-1].trigger()
    assert window.document.path == paths[2]
    assert window.files.recent[0] == paths[2]


def test_a_recent_file_that_is_gone_is_told(window, tmp_path):
    path = tmp_path / "gone.studio"
    assert window.files._save(path)
    path.unlink()
    before = window.document.project
    window.files.open(path)
    assert window.document.project is before
    assert "gone.studio" in window.notice.message.text()


def test_examples_open_unmodified_and_untitled(window):
    menu = QMenu(window)
    window.files.fill_examples(menu)
    action = next(action for action in menu.actions() if action.text() == "Iris flowers")
    action.trigger()
    assert window.document.project.data.name == "iris"
    assert window.document.path is None
    assert window.document.report.ok
    assert not window.document.modified
    assert "Iris flowers" in window.windowTitle()
    assert window.training_view.classes.names == ("setosa", "versicolor", "virginica")


def test_the_example_of_the_chosen_data_is_an_edit(window):
    box = window.data_panel.box
    box.setCurrentIndex(box.findData("iris"))
    box.activated.emit(box.currentIndex())
    assert not window.document.report.ok
    window.data_panel.example.click()
    assert window.document.report.ok
    assert window.data_panel.example.isHidden()
    window.document.undo()
    window.document.undo()
    assert window.document.project.data.name == "mnist_5k"


def test_a_file_that_cannot_be_written_is_told(window, tmp_path):
    assert not window.files._save(tmp_path / "no such folder" / "a.studio")
    assert window.notice.isVisible()
    assert window.document.path is None


def test_an_unfinished_network_is_not_exported(window, monkeypatch):
    window.stack.choose(window.document.project.blocks[4].id)
    window.stack.remove()
    window.files.export_keras()
    assert window.notice.isVisible()
    assert window.notice.buttons[0].text() == "Insert Flatten before it"
    window.notice.buttons[0].click()
    assert window.document.report.ok
    assert window.notice.isHidden()
