"""The choice of how many threads train."""

from PySide6.QtWidgets import QMenu

from studio.ui import thread_choice
from studio.ui.thread_choice import KEY, ThreadChoice


def test_the_menu_offers_each_number_and_the_choice_is_kept(make_window, settings, monkeypatch):
    monkeypatch.setattr(thread_choice, "cores", lambda: 4)
    window = make_window()
    menu = QMenu()
    window.threads.fill(menu)
    assert [action.text() for action in menu.actions()] == ["1", "2", "3", "All processors (4)"]
    assert [action.isChecked() for action in menu.actions()] == [False, False, False, True]
    menu.actions()[1].trigger()
    window.threads.fill(menu)
    assert [action.isChecked() for action in menu.actions()] == [False, True, False, False]
    assert ThreadChoice(settings).count == 2


def test_a_run_has_the_chosen_threads(make_window, qtbot, iris, monkeypatch):
    monkeypatch.setattr(thread_choice, "cores", lambda: 4)
    window = make_window(iris)
    window.threads.choose(3)
    window.train()
    assert window.runner._thread.threads == 3
    qtbot.waitUntil(lambda: not window.runner.running, timeout=20_000)


def test_what_does_not_fit_this_computer_is_all_processors(settings, monkeypatch):
    monkeypatch.setattr(thread_choice, "cores", lambda: 4)
    for stored in ("9", "-1", "many", None):
        settings.setValue(KEY, stored)
        assert ThreadChoice(settings).count == 4
